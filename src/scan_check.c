/* SPDX-License-Identifier: BSD-3-Clause */
/* scan_check.c -- whether a scan can be true: units, lengths that fit each other, overlap.

   Used for every scan, however it was read.  What cannot be is refused, what is odd is a warning,
   both with figures; nothing is converted.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"

#define HC           1.98644586e-25 /* J m */
#define ELEMENTARY   1.602176634e-19
#define COUNT(table) (sizeof table / sizeof *table)

/* Adds to words that begin with " (" and are closed by the caller. */
static void
add(char *words, size_t size, const char *format, ...)
{
    const size_t used = strlen(words);
    va_list list;
    va_start(list, format);
    snprintf(words + used, size - used, used ? "; " : " (");
    vsnprintf(words + strlen(words), size - strlen(words), format, list);
    va_end(list);
}

static void
close_words(char *words, size_t size)
{
    const size_t used = strlen(words);
    if (used)
        snprintf(words + used, size - used, ")");
}

/* ---- lengths -------------------------------------------------------------------------------- */

static const struct unit {
    const char *name;
    double metres;
} units[] = {{"mm", 1e-3}, {"um", 1e-6}, {"nm", 1e-9}, {"angstrom", 1e-10}};

/* From least to most a length is taken, from low to high without a word; m. */
static const struct length {
    const char *name;
    size_t offset;
    double least, low, high, most;
} lengths[] = {
    {"wavelength", offsetof(ag_scan_info, wavelength), 1e-13, 5e-13, 2e-5, 1e-3},
    {"distance", offsetof(ag_scan_info, distance), 1e-9, 1e-6, 100, 1e4},
    {"focus_distance", offsetof(ag_scan_info, focus_distance), 1e-9, 1e-6, 100, 1e4},
    {"detector_pixel[0]", offsetof(ag_scan_info, detector_pixel), 1e-12, 1e-8, 2e-3, 0.05},
    {"detector_pixel[1]", offsetof(ag_scan_info, detector_pixel) + sizeof(double), 1e-12, 1e-8,
     2e-3, 0.05},
    {"pixel[0]", offsetof(ag_scan_info, pixel), 1e-13, 1e-12, 1e-3, 0.05},
    {"pixel[1]", offsetof(ag_scan_info, pixel) + sizeof(double), 1e-13, 1e-12, 1e-3, 0.05},
};

int
ag_scan_energy(double joules, char *words, size_t size)
{
    /* 0.6 GeV: nobody's photons */
    if (joules < 1e-10)
        return 0;
    *words = 0;
    for (int kilo = 0; kilo < 2; kilo++) {
        const double kev = joules * (kilo ? 1 : 1e-3);
        if (kev > 0.02 && kev < 300)
            snprintf(words + strlen(words), size - strlen(words), "%s %s (%.4g nm)",
                     *words ? " or" : "; it looks like", kilo ? "keV" : "eV",
                     HC / (kev * 1e3 * ELEMENTARY) * 1e9);
    }
    return 1;
}

static void
length_units(const struct length *l, double value, char *words, size_t size)
{
    *words = 0;
    if (l == lengths && value < l->least && ag_scan_energy(HC / value, words, size)) {
        char energy[120];
        snprintf(energy, sizeof energy, "%s", words);
        snprintf(words, size, ", that of photons of %.4g J%s", HC / value, energy);
        return;
    }
    for (size_t i = 0; i < COUNT(units); i++) {
        const double metres = value * units[i].metres;
        if (value > l->high && metres >= l->low && metres <= l->high)
            add(words, size, "in %s: %.4g m", units[i].name, metres);
    }
    close_words(words, size);
}

static ag_status
check_lengths(ag_scan *scan, ag_message *message)
{
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const struct length *l = &lengths[i];
        const double value = *(const double *)(const void *)((const char *)&scan->info + l->offset);
        char words[200];
        if (!isfinite(value) || value < 0)
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "%s: is %g m, expected a positive number (0 when unknown)", l->name,
                           value);
        if (value == 0 || (value >= l->low && value <= l->high))
            continue;
        length_units(l, value, words, sizeof words);
        if (value < l->least || value > l->most)
            return ag_fail(message, AG_BAD_ARGUMENT, "%s: is %g m, expected metres from %g to %g%s",
                           l->name, value, l->least, l->most, words);
        ag_scan_warn(scan, "The %s of %g m is unusual; %g to %g m is usual%s.", l->name, value,
                     l->low, l->high, words);
    }
    return AG_OK;
}

/* ---- near and far field --------------------------------------------------------------------- */

/* The phase of the transfer function grows by pi wavelength z / (N pixel^2) from one frequency to the next
   where it is steepest, and must not grow by more than pi: N pixel^2 >= wavelength z.  (D. G. Voelz,
   Computational Fourier Optics, chapter 5.)  Up to four times that only the steepest part of the spectrum folds. */
static ag_status
check_sampling(ag_scan *scan, ag_message *message)
{
    const ag_scan_info *info = &scan->info;
    const double count[2] = {(double)info->rows, (double)info->cols};
    const double reach = info->wavelength * ag_scan_effective_distance(info);
    for (int a = 0; a < 2; a++) {
        const double area = count[a] * info->pixel[a] * info->pixel[a];
        if (area < reach / 4)
            return ag_fail(
                message, AG_BAD_ARGUMENT,
                "distance: the transfer function is undersampled: %.0f pixels of %.4g m give N "
                "pixel^2 = "
                "%.4g m^2, expected at least wavelength x distance / M = %.4g m^2 (M = %.4g)",
                count[a], info->pixel[a], area, reach, ag_scan_magnification(info));
        if (area < reach)
            ag_scan_warn(scan,
                         "The transfer function of the near field is undersampled along %s: N "
                         "pixel^2 = %.4g m^2 is "
                         "less than wavelength x distance / M = %.4g m^2; frequencies above %.0f "
                         "%% of the highest "
                         "one fold over.",
                         a ? "columns" : "rows", area, reach, 100 * area / reach);
    }
    return AG_OK;
}

static ag_status
check_near(ag_scan *scan, ag_message *message)
{
    ag_scan_info *info = &scan->info;
    const double m = ag_scan_magnification(info);
    if (info->zero_in_corner)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "zero_in_corner: is %d, expected 0 in the near field", info->zero_in_corner);
    if (!(info->wavelength > 0 && info->distance > 0))
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "%s: is unknown, expected a length in m, which the near field needs",
                       info->wavelength > 0 ? "distance" : "wavelength");
    for (int a = 0; a < 2; a++) {
        const double pixel = info->detector_pixel[a] / m;
        if (info->pixel[a] == 0)
            info->pixel[a] = pixel;
        if (!(info->pixel[a] > 0))
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "detector_pixel[%d]: is unknown and so is pixel[%d], expected a length "
                           "in m, which the near "
                           "field needs",
                           a, a);
        if (pixel > 0 && fabs(info->pixel[a] / pixel - 1) > 1e-3)
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "pixel[%d]: is %g m, expected detector_pixel / M = %g m / %g = %g m", a,
                           info->pixel[a], info->detector_pixel[a], m, pixel);
    }
    const double most = hypot(0.5 / info->pixel[0], 0.5 / info->pixel[1]);
    if (!(most * info->wavelength < 1))
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "pixel: is %g x %g m, expected more than about 0.71 wavelengths of %g m, "
                       "below which waves are "
                       "evanescent",
                       info->pixel[0], info->pixel[1], info->wavelength);
    return check_sampling(scan, message);
}

static ag_status
check_far(ag_scan *scan, ag_message *message)
{
    const ag_scan_info *info = &scan->info;
    const double high = (double)info->rows * info->detector_pixel[0],
                 wide = (double)info->cols * info->detector_pixel[1];
    if (info->focus_distance > 0)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "focus_distance: is %g m in the far field, expected it in the near field",
                       info->focus_distance);
    if (info->distance > 0 && fmax(high, wide) > info->distance)
        ag_scan_warn(scan,
                     "The detector's %lld x %lld pixels are %.4g x %.4g m large at a distance of "
                     "%.4g m: at such angles "
                     "the far field is no Fourier transform; is a length in another unit?",
                     (long long)info->rows, (long long)info->cols, high, wide, info->distance);
    return AG_OK;
}

ag_status
ag_scan_check_geometry(ag_scan *scan, ag_message *message)
{
    const ag_geometry geometry = scan->info.geometry;
    const ag_status status = check_lengths(scan, message);
    if (status)
        return status;
    if (geometry != AG_FAR_FIELD && geometry != AG_NEAR_FIELD)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "geometry: is %d, expected %d (far field) or %d (near field)", (int)geometry,
                       AG_FAR_FIELD, AG_NEAR_FIELD);
    return geometry == AG_NEAR_FIELD ? check_near(scan, message) : check_far(scan, message);
}

/* ---- positions ------------------------------------------------------------------------------ */

static int
by_row(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorted by row, the search around a position ends where the rows alone are too far apart. */
static double
spacing(const ag_scan_info *info)
{
    const int64_t n = info->frames;
    double(*place)[2] = n > 1 ? ag_calloc(n, sizeof *place) : NULL;
    double sum = 0;
    if (!place)
        return 0;
    memcpy(place, info->position, (size_t)n * sizeof *place);
    qsort(place, (size_t)n, sizeof *place, by_row);
    for (int64_t j = 0; j < n; j++) {
        double best = INFINITY;
        for (int way = -1; way <= 1; way += 2)
            for (int64_t k = j + way; k >= 0 && k < n; k += way) {
                const double dy = place[k][0] - place[j][0], dx = place[k][1] - place[j][1];
                if (fabs(dy) >= best)
                    break;
                best = fmin(best, hypot(dy, dx));
            }
        sum += best;
    }
    free(place);
    return sum / (double)n;
}

double
ag_scan_spacing(const ag_scan *scan)
{
    return spacing(&scan->info);
}

void
ag_scan_units(const ag_scan_info *info, char *words, size_t size)
{
    const double side = (double)AG_MIN(info->rows, info->cols), apart = spacing(info);
    *words = 0;
    for (size_t i = 0; i < COUNT(units); i++) {
        const double pixels = apart * units[i].metres;
        if (pixels > 0.005 * side && pixels < side)
            add(words, size, "in %s in place of m neighbours would be %.3g pixels apart",
                units[i].name, pixels);
    }
    close_words(words, size);
}

/* Diameter of the disc that has the probe's root mean square radius, in pixels. */
static double
probe_diameter(const ag_scan_info *info)
{
    const int64_t area = info->rows * info->cols;
    double power = 0, mean[2] = {0, 0}, square = 0;
    for (int64_t i = 0; i < info->modes * area; i++) {
        const double re = (double)info->probe[i].re, im = (double)info->probe[i].im,
                     p = re * re + im * im;
        const double y = (double)(i % area / info->cols), x = (double)(i % area % info->cols);
        power += p;
        mean[0] += p * y;
        mean[1] += p * x;
        square += p * (y * y + x * x);
    }
    const double variance =
        square / power - (mean[0] * mean[0] + mean[1] * mean[1]) / (power * power);
    return sqrt(8 * fmax(variance, 0));
}

ag_status
ag_scan_check_overlap(ag_scan *scan, ag_message *message)
{
    const ag_scan_info *info = &scan->info;
    double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
    if (info->frames < 2)
        return AG_OK;
    for (int64_t j = 0; j < 2 * info->frames; j++) {
        least[j & 1] = fmin(least[j & 1], info->position[j]);
        most[j & 1] = fmax(most[j & 1], info->position[j]);
    }
    const double span = fmax(most[0] - least[0], most[1] - least[1]), apart = spacing(info);
    if (span == 0) {
        ag_scan_warn(scan, "All %lld frames are at the same position: windows overlap by 100 %%.",
                     (long long)info->frames);
        return AG_OK;
    }
    if (span < 1e-3)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "position: %lld frames span %.4g x %.4g pixels, expected at least 0.001: "
                       "the unit of the "
                       "positions or a pixel size is probably wrong (metres taken for pixels?)",
                       (long long)info->frames, most[0] - least[0], most[1] - least[1]);
    const double side = (double)AG_MIN(info->rows, info->cols),
                 across = hypot((double)info->rows, (double)info->cols);
    const double spot = info->probe ? fmin(probe_diameter(info), side) : side;
    const double overlap = 1 - apart / spot;
    const char *what = info->probe ? "the probe" : "the window";
    if (apart > across)
        ag_scan_warn(scan,
                     "Neighbours are %.4g pixels apart, windows are %lld x %lld: they do not "
                     "overlap, and the unit of the "
                     "positions or a pixel size is probably wrong.",
                     apart, (long long)info->rows, (long long)info->cols);
    else if (overlap < 0.3)
        ag_scan_warn(scan,
                     "Neighbours are %.4g pixels apart, %s is about %.4g pixels wide: an overlap "
                     "of %.0f %%; 60 to 80 %% "
                     "is usual, and too little leaves the object undetermined.",
                     apart, what, spot, 100 * fmax(overlap, 0));
    else if (overlap > 0.99)
        ag_scan_warn(scan,
                     "Neighbours are %.4g pixels apart, %s is about %.4g pixels wide: an overlap "
                     "of %.1f %%; is the unit "
                     "of the positions right?",
                     apart, what, spot, 100 * overlap);
    return AG_OK;
}
