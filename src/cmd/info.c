/* SPDX-License-Identifier: BSD-3-Clause */
/* info.c -- `argand info`: the geometry of a scan as the other commands will take it. */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argand.h"
#include "cmd.h"

#define KEV_M 1.23984198e-9 /* photon energy in keV times wavelength in m */

static const char name[] = "info";

static const char help[] =
    "Usage: argand info FILE [--json]\n"
    "Prints the geometry of a scan as argand interprets it: frames, lengths, positions, counts,\n"
    "and what had to be assumed.  FILE is a CXI file.\n"
    "\n"
    "  -j, --json   one JSON object, lengths in metres\n"
    "  -h, --help   this text\n"
    "\n"
    "Exit status: 0 done, 1 the file cannot be used, 2 the command line is wrong.\n";

/* What is computed from a scan, in pixels and counts. */
struct summary {
    double span[2];     /* largest minus smallest position */
    double spacing;     /* mean distance to the nearest other position */
    double overlap;     /* of two windows that far apart, 0..1 along the shorter side */
    double total, most; /* counts */
    double centre[2];   /* of the counts, in pixels from the zero frequency */
    int64_t masked;
};

/* The widest offset of the centre of the counts that is not worth a warning, pixels. */
static const double usual_offset = 2;

static int
by_row(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorted by row, the search around a position ends where the rows alone are too far apart. */
static double
mean_spacing(const ag_scan_info *info)
{
    const int64_t n = info->frames;
    double(*place)[2] = n > 1 ? malloc((size_t)n * sizeof *place) : NULL;
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

static void
count(struct summary *s, const ag_scan_info *info)
{
    const ag_real *value = info->data;
    const int64_t middle[2] = {info->zero_in_corner ? 0 : info->rows / 2,
                               info->zero_in_corner ? 0 : info->cols / 2};
    double moment[2] = {0, 0};
    for (int64_t j = 0; j < info->frames; j++)
        for (int64_t y = 0; y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++, value++) {
                const double v = (double)*value, n = info->data_are_amplitudes ? v * v : v;
                /* Frequencies above the highest one are the negative ones. */
                const int64_t fy =
                    y - middle[0] - (y - middle[0] >= (info->rows + 1) / 2 ? info->rows : 0);
                const int64_t fx =
                    x - middle[1] - (x - middle[1] >= (info->cols + 1) / 2 ? info->cols : 0);
                s->total += n;
                s->most = fmax(s->most, n);
                moment[0] += n * (double)fy;
                moment[1] += n * (double)fx;
            }
    for (int a = 0; a < 2; a++)
        s->centre[a] = moment[a] / s->total;
    for (int64_t i = 0; info->valid && i < info->rows * info->cols; i++)
        s->masked += !info->valid[i];
}

static void
summarise(struct summary *s, const ag_scan_info *info)
{
    const double side = (double)(info->rows < info->cols ? info->rows : info->cols);
    *s = (struct summary){0};
    for (int a = 0; a < 2; a++) {
        double least = INFINITY, most = -INFINITY;
        for (int64_t j = 0; j < info->frames; j++) {
            least = fmin(least, info->position[2 * j + a]);
            most = fmax(most, info->position[2 * j + a]);
        }
        s->span[a] = most - least;
    }
    s->spacing = mean_spacing(info);
    s->overlap = fmax(0, 1 - s->spacing / side);
    count(s, info);
}

/* The reader's warnings and this command's own, one a line; to be freed. */
static char *
warnings(const ag_scan *scan, const struct summary *s)
{
    const char *had = ag_scan_warnings(scan);
    const size_t size = strlen(had) + 256;
    char *text = malloc(size);
    if (!text)
        return NULL;
    strcpy(text, had);
    if (fabs(s->centre[0]) > usual_offset || fabs(s->centre[1]) > usual_offset)
        snprintf(text + strlen(text), size - strlen(text),
                 "%sThe counts are centred %.1f rows and %.1f columns away from the zero "
                 "frequency: the frames may be cut off centre or in FFT order.",
                 *had ? "\n" : "", s->centre[0], s->centre[1]);
    return text;
}

static void
print_length(const char *what, double metres, double unit, const char *unit_name)
{
    if (metres > 0)
        printf("%-18s %.6g %s\n", what, metres / unit, unit_name);
    else
        printf("%-18s unknown\n", what);
}

static void
print_pair(const char *what, const double metres[2], double unit, const char *unit_name)
{
    if (metres[0] > 0 && metres[1] > 0)
        printf("%-18s %.6g x %.6g %s\n", what, metres[0] / unit, metres[1] / unit, unit_name);
    else
        printf("%-18s unknown\n", what);
}

static void
print_text(const char *path, const ag_scan_info *info, const struct summary *s, const char *words)
{
    const double metres[2] = {s->span[0] * info->pixel[0], s->span[1] * info->pixel[1]};
    printf("%-18s %s\n", "file", path);
    printf("%-18s %lld of %lld x %lld pixels%s\n", "frames", (long long)info->frames,
           (long long)info->rows, (long long)info->cols,
           info->data_are_amplitudes ? ", amplitudes" : "");
    print_pair("detector pixel", info->detector_pixel, 1e-6, "um");
    print_length("distance", info->distance, 1, "m");
    print_length("wavelength", info->wavelength, 1e-9, "nm");
    if (info->wavelength > 0)
        printf("%-18s %.6g keV\n", "photon energy", KEV_M / info->wavelength);
    print_pair("object pixel", info->pixel, 1e-9, "nm");
    printf("%-18s %lld x %lld pixels\n", "object", (long long)info->object_rows,
           (long long)info->object_cols);
    printf("%-18s %.2f x %.2f pixels\n", "position span", s->span[0], s->span[1]);
    print_pair("", metres, 1e-6, "um");
    if (s->spacing > 0)
        printf("%-18s %.2f pixels to the nearest position (mean); windows overlap by %.1f %%\n",
               "spacing", s->spacing, 100 * s->overlap);
    printf("%-18s %.6g, per frame %.6g, largest %.6g\n", "counts", s->total,
           s->total / (double)info->frames, s->most);
    printf("%-18s row %+.2f, column %+.2f from the zero frequency\n", "centre of counts",
           s->centre[0], s->centre[1]);
    printf("%-18s %lld\n", "masked pixels", (long long)s->masked);
    printf("%-18s %lld\n", "probe modes", (long long)info->modes);
    for (size_t at = 0, length; words[at]; at += length + (words[at + length] == '\n')) {
        length = strcspn(words + at, "\n");
        printf("%-18s %.*s\n", "warning", (int)length, words + at);
    }
}

/* null for a length that is not known */
static json_t *
length_pair(const double metres[2])
{
    return metres[0] > 0 && metres[1] > 0 ? json_pack("[f, f]", metres[0], metres[1]) : json_null();
}

static json_t *
length(double metres)
{
    return metres > 0 ? json_real(metres) : json_null();
}

static int
print_json(const char *path, const ag_scan_info *info, const struct summary *s, const char *words)
{
    json_t *list = json_array();
    for (size_t at = 0, length; words[at]; at += length + (words[at + length] == '\n')) {
        length = strcspn(words + at, "\n");
        json_array_append_new(list, json_stringn(words + at, length));
    }
    json_t *root = json_pack(
        "{s:s, s:I, s:[I, I], s:b, s:o, s:o, s:o, s:o, s:o, s:[I, I], s:[f, f], s:o, s:f, s:f,"
        " s:f, s:f, s:f, s:[f, f], s:I, s:I, s:o}",
        "file", path, "frames", (json_int_t)info->frames, "frame", (json_int_t)info->rows,
        (json_int_t)info->cols, "amplitudes", info->data_are_amplitudes, "detector_pixel_m",
        length_pair(info->detector_pixel), "distance_m", length(info->distance), "wavelength_m",
        length(info->wavelength), "photon_energy_kev",
        info->wavelength > 0 ? json_real(KEV_M / info->wavelength) : json_null(), "object_pixel_m",
        length_pair(info->pixel), "object", (json_int_t)info->object_rows,
        (json_int_t)info->object_cols, "position_span_px", s->span[0], s->span[1],
        "position_span_m",
        length_pair((const double[]){s->span[0] * info->pixel[0], s->span[1] * info->pixel[1]}),
        "spacing_px", s->spacing, "window_overlap", s->overlap, "counts_total", s->total,
        "counts_per_frame", s->total / (double)info->frames, "counts_largest", s->most,
        "centre_offset_px", s->centre[0], s->centre[1], "masked_pixels", (json_int_t)s->masked,
        "probe_modes", (json_int_t)info->modes, "warnings", list);
    const int done = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    json_decref(root);
    printf("\n");
    return done;
}

int
cmd_info(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int json = 0;
    for (int c; (c = getopt_long(argc, argv, ":jh", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (c != 'j')
            return cmd_wrong_option(name, c, argv);
        json = 1;
    }
    if (argc - optind != 1)
        return cmd_usage(name, "found %d file names, expected one", argc - optind);

    const char *path = argv[optind];
    ag_scan *scan;
    ag_message message;
    if (ag_scan_read(&scan, path, &message))
        return cmd_fail(name, "%s", message.text);
    struct summary summary;
    const ag_scan_info *info = ag_scan_content(scan);
    summarise(&summary, info);
    char *words = warnings(scan, &summary);
    int status = 0;
    if (!words)
        status = cmd_fail(name, "%s: out of host memory", path);
    else if (!json)
        print_text(path, info, &summary, words);
    else if (!print_json(path, info, &summary, words))
        status = cmd_fail(name, "%s: the report cannot be made", path);
    free(words);
    ag_scan_destroy(scan);
    return status;
}
