/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate.c -- the profiling problem of PtychoEP with an object of its own, in double precision.

       data_j = sum_k |F (P_k O_j)|^2,  F the orthonormal DFT, P_0 = |2 J1(r) / r|, O_j a window of O

   or in the near field sum_k |F^-1 H F (P_k O_j)|^2, H as in ag_near_phase, with the modes of ag_probe_modes,

   then, if asked for, Poisson counts of these, or their root plus Gaussian noise.  */
#include <math.h>
#include <stdlib.h>

#include "simulate.h"

#define PI           3.14159265358979323846

/* SI units; 10 keV */
static const double nominal_distance = 2, nominal_detector_pixel = 75e-6;
static const double wavelength = 6.62607015e-34 * 299792458.0 / (10e3 * 1.602176634e-19);

enum { LARGEST_FRAME = 4096, LARGEST_OBJECT = 65536, MOST_POINTS = 10000000, MOST_MODES = 64 };

void
ag_simulation_default(ag_simulation *simulation)
{
    *simulation = (ag_simulation){.frame = 128, .object = 512, .points = 200, .step = 5, .modes = 1, .mode_share = 0.3};
}

/* ---- the transform ------------------------------------------------------------------------ */

typedef struct wave {
    double re, im;
} wave;

/* Buffers of the transform of one size. */
typedef struct transform {
    int64_t size;
    wave *root;    /* exp(-2 pi i k / size) */
    wave *line[3]; /* size each */
    wave *field;   /* size x size */
    wave *space;   /* near field: H / size, else NULL */
} transform;

/* The DFT of n = size / stride values `stride` apart, by its smallest prime factor. */
static void
dft(const transform *t, int64_t stride, const wave *in, wave *out, wave *spare)
{
    const int64_t n = t->size / stride;
    int64_t factor = 2;
    if (n == 1) {
        *out = *in;
        return;
    }
    while (n % factor)
        factor = factor * factor > n ? n : factor + 1;
    const int64_t part = n / factor;
    for (int64_t q = 0; q < factor; q++)
        dft(t, stride * factor, in + q * stride, spare + q * part, out + q * part);
    for (int64_t k = 0; k < n; k++)
        out[k] = (wave){0, 0};
    for (int64_t q = 0; q < factor; q++)
        for (int64_t k = 0, from = 0, turn = 0; k < n; k++) {
            const wave w = t->root[turn], v = spare[q * part + from];
            out[k].re += w.re * v.re - w.im * v.im;
            out[k].im += w.re * v.im + w.im * v.re;
            from = from + 1 < part ? from + 1 : 0;
            turn += q * stride;
            turn -= turn < t->size ? 0 : t->size;
        }
}

/* t->field in both directions, without a factor. */
static void
transform_field(const transform *t)
{
    const int64_t n = t->size;
    for (int axis = 0; axis < 2; axis++)
        for (int64_t i = 0; i < n; i++) {
            wave *first = t->field + (axis ? i : i * n);
            const int64_t step = axis ? n : 1;
            for (int64_t k = 0; k < n; k++)
                t->line[0][k] = first[k * step];
            dft(t, 1, t->line[0], t->line[1], t->line[2]);
            for (int64_t k = 0; k < n; k++)
                first[k * step] = t->line[1][k];
        }
}

static void
transform_end(transform *t)
{
    free(t->root);
    for (int i = 0; i < 3; i++)
        free(t->line[i]);
    free(t->field);
    free(t->space);
}

static ag_status
transform_begin(transform *t, int64_t size)
{
    t->size = size;
    t->root = ag_calloc(size, sizeof(wave));
    t->field = ag_calloc(size * size, sizeof(wave));
    for (int i = 0; i < 3; i++)
        t->line[i] = ag_calloc(size, sizeof(wave));
    if (!t->root || !t->field || !t->line[0] || !t->line[1] || !t->line[2])
        return AG_NO_MEMORY;
    for (int64_t k = 0; k < size; k++) {
        const double angle = 2 * PI * (double)k / (double)size;
        t->root[k] = (wave){cos(angle), -sin(angle)};
    }
    return AG_OK;
}

/* ---- the noise ------------------------------------------------------------------------------ */

static double
log_factorial(double k)
{
    double below = 0;
    for (; k < 10; k++)
        below += log(k + 1);
    return k * log(k) - k + 0.5 * log(2 * PI * k) + 1 / (12 * k) - 1 / (360 * k * k * k) - below;
}

/* Transformed rejection, algorithm PTRS of W. Hoermann, Insurance: Mathematics and Economics
   12, 39 (1993); products of uniform numbers (Knuth) where the mean is small. */
static double
poisson(ag_random *random, double mean)
{
    if (mean < 10) {
        const double limit = exp(-mean);
        double k = 0;
        for (double p = ag_random_uniform(random); p > limit; p *= ag_random_uniform(random))
            k++;
        return k;
    }
    const double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), inside = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        const double u = ag_random_uniform(random) - 0.5, v = 1 - ag_random_uniform(random);
        const double us = 0.5 - fabs(u), k = floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= inside)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (log(v * inverse_alpha / (a / (us * us) + b)) <= k * log(mean) - mean - log_factorial(k))
            return k;
    }
}

/* ---- the scan ------------------------------------------------------------------------------- */

/* The arrays of the scan to be. */
typedef struct arrays {
    ag_real *data;
    ag_complex *probe, *object;
    double *position;
} arrays;

/* Upper left pixels of the windows that lie on the object; their number. */
static int64_t
fill_positions(double *position, const ag_simulation *s)
{
    const double centre = (double)s->object / 2, most = (double)(s->object - s->frame);
    const double half = (double)(s->frame / 2);
    int64_t count = 0;
    for (int64_t i = 0; i < s->points; i++) {
        const double radius = s->step * sqrt((double)i), angle = GOLDEN_ANGLE * (double)i;
        const double row = trunc(centre + radius * sin(angle)) - half;
        const double column = trunc(centre + radius * cos(angle)) - half;
        if (row < 0 || row > most || column < 0 || column > most)
            continue;
        position[2 * count] = row;
        position[2 * count + 1] = column;
        count++;
    }
    return count;
}

/* The transfer function at the frequencies as the transform leaves them, with the 1/size that makes the
   second transform orthonormal. */
static ag_status
fill_space(transform *t, const ag_scan_info *info)
{
    const int64_t n = t->size;
    t->space = ag_calloc(n * n, sizeof *t->space);
    for (int64_t i = 0; t->space && i < n * n; i++) {
        const int64_t y = i / n, x = i % n;
        const double phase = ag_near_phase(info, (double)(y < (n + 1) / 2 ? y : y - n) / (double)n,
                                           (double)(x < (n + 1) / 2 ? x : x - n) / (double)n);
        t->space[i] = (wave){cos(phase) / (double)n, sin(phase) / (double)n};
    }
    return t->space ? AG_OK : AG_NO_MEMORY;
}

/* From the transform, which has been divided by the size, to the detector in the near field.  The inverse
   transform is the forward one of the conjugate; of that the detector sees the modulus. */
static void
through_space(const transform *t)
{
    for (int64_t i = 0; i < t->size * t->size; i++) {
        const wave w = t->field[i], h = t->space[i];
        t->field[i] = (wave){w.re * h.re - w.im * h.im, -(w.re * h.im + w.im * h.re)};
    }
    transform_field(t);
}

/* Adds the intensities of frame j and a mode, in the far field zero frequency in the middle; returns their sum. */
static double
add_mode(const arrays *a, const ag_simulation *s, const transform *t, int64_t j, int64_t mode)
{
    const int64_t n = s->frame, size = s->object;
    const int64_t row = (int64_t)a->position[2 * j], column = (int64_t)a->position[2 * j + 1];
    const ag_complex *probe = a->probe + mode * n * n;
    ag_real *frame = a->data + j * n * n;
    double sum = 0;
    for (int64_t y = 0; y < n; y++)
        for (int64_t x = 0; x < n; x++) {
            const ag_complex o = a->object[(row + y) * size + column + x];
            const ag_complex p = probe[y * n + x];
            const double re = (double)p.re / (double)n, im = (double)p.im / (double)n;
            t->field[y * n + x] = (wave){re * (double)o.re - im * (double)o.im, re * (double)o.im + im * (double)o.re};
        }
    transform_field(t);
    if (t->space)
        through_space(t);
    for (int64_t y = 0; y < n; y++)
        for (int64_t x = 0; x < n; x++) {
            const wave w = t->field[y * n + x];
            const double power = w.re * w.re + w.im * w.im;
            frame[t->space ? y * n + x : (y + n / 2) % n * n + (x + n / 2) % n] += (ag_real)power;
            sum += power;
        }
    return sum;
}

static void
add_noise(const arrays *a, const ag_simulation *s, int64_t frames, double scale)
{
    const int64_t pixels = frames * s->frame * s->frame;
    const double deviation = sqrt(s->noise);
    ag_random random;
    ag_random_seed(&random, s->seed);
    for (int64_t i = 0; s->noise > 0 && i < pixels; i++)
        a->data[i] = (ag_real)(sqrt((double)a->data[i]) + deviation * ag_random_normal(&random));
    for (int64_t i = 0; s->photons > 0 && i < pixels; i++)
        a->data[i] = (ag_real)poisson(&random, scale * (double)a->data[i]);
    for (int64_t i = 0; s->photons > 0 && i < s->modes * s->frame * s->frame; i++) {
        a->probe[i].re *= (ag_real)sqrt(scale);
        a->probe[i].im *= (ag_real)sqrt(scale);
    }
}

static ag_status
fill(arrays *a, const ag_simulation *s, const ag_scan_info *info, ag_message *message)
{
    transform t = {0};
    const int64_t frames = info->frames;
    ag_status status = transform_begin(&t, s->frame);
    if (status == AG_OK && s->geometry == AG_NEAR_FIELD)
        status = fill_space(&t, info);
    double sum = 0;
    if (status == AG_OK) {
        ag_simulated_object(a->object, s->object, s->frame);
        (s->geometry == AG_NEAR_FIELD ? ag_simulated_near_probe : ag_simulated_probe)(a->probe, s->frame);
        status = ag_probe_modes(a->probe, s->modes, 1, s->frame, s->frame, s->mode_share, message);
        for (int64_t j = 0; status == AG_OK && j < frames; j++)
            for (int64_t k = 0; k < s->modes; k++)
                sum += add_mode(a, s, &t, j, k);
        if (status == AG_OK)
            add_noise(a, s, frames, s->photons * (double)frames / sum);
    }
    transform_end(&t);
    return status;
}

/* The words for the first value that is off, or NULL. */
static const char *
fault(const ag_simulation *s)
{
    if (s->frame < 2 || s->frame > LARGEST_FRAME)
        return "the frame must have 2 to 4096 rows";
    if (s->object < s->frame || s->object > LARGEST_OBJECT)
        return "the object must be at least as large as the frame and have at most 65536 rows";
    if (s->points < 1 || s->points > MOST_POINTS)
        return "the number of points must be 1 to 10000000";
    if (!(s->step > 0 && isfinite(s->step)))
        return "the step must be positive";
    if (!(s->noise >= 0 && isfinite(s->noise)))
        return "the variance of the noise must not be negative";
    if (!(s->photons >= 0 && s->photons <= 1e18))
        return "the number of photons must be 0 to 1e18";
    if (s->noise > 0 && s->photons > 0)
        return "ask for Gaussian noise or for photons, not for both";
    if (s->geometry != AG_FAR_FIELD && s->geometry != AG_NEAR_FIELD)
        return "the geometry must be that of the far or of the near field";
    if (!(s->focus_distance >= 0 && isfinite(s->focus_distance)))
        return "the focus distance must not be negative";
    if (s->focus_distance > 0 && s->geometry == AG_FAR_FIELD)
        return "a focus distance belongs to the near field";
    if (s->modes < 1 || s->modes > MOST_MODES)
        return "the number of modes must be 1 to 64";
    if (s->modes > 1 && !(s->mode_share > 0 && s->mode_share < 1))
        return "the share of the modes must be between 0 and 1";
    return NULL;
}

/* M = frame pixel^2 / (4 wavelength distance) makes frame (pixel / M)^2 four times wavelength distance / M. */
static double
focus_distance(const ag_simulation *s)
{
    const double m =
        (double)s->frame * nominal_detector_pixel * nominal_detector_pixel / (4 * wavelength * nominal_distance);
    if (s->geometry == AG_FAR_FIELD || s->focus_distance > 0)
        return s->focus_distance;
    return nominal_distance / (m - 1);
}

ag_status
ag_scan_simulate(ag_scan **scan, const ag_simulation *simulation, ag_message *message)
{
    const ag_simulation *s = simulation;
    const char *words = fault(s);
    *scan = NULL;
    if (words)
        return ag_fail(message, AG_BAD_ARGUMENT, "simulation: %s", words);
    const int64_t n = s->frame;
    arrays a = {.probe = ag_calloc(s->modes, (size_t)(n * n) * sizeof(ag_complex)),
                .object = ag_calloc(s->object * s->object, sizeof(ag_complex)),
                .position = ag_calloc(2 * s->points, sizeof(double))};
    const int64_t frames = a.position ? fill_positions(a.position, s) : 0;
    a.data = ag_calloc(frames * n * n, sizeof(ag_real));
    ag_scan_info info = {
        .frames = frames,
        .rows = n,
        .cols = n,
        .data = a.data,
        .data_are_amplitudes = s->noise > 0,
        .position = a.position,
        .object_rows = s->object,
        .object_cols = s->object,
        .geometry = s->geometry,
        .wavelength = wavelength,
        .distance = nominal_distance,
        .focus_distance = focus_distance(s),
        .detector_pixel = {nominal_detector_pixel, nominal_detector_pixel},
        .probe = a.probe,
        .modes = s->modes,
        .object = a.object,
    };
    info.pixel[0] = info.pixel[1] = ag_scan_pixel(&info, 0);
    ag_status status = a.probe && a.object && a.position && a.data ? fill(&a, s, &info, message) : AG_NO_MEMORY;
    if (status == AG_OK) {
        status = ag_scan_create(scan, &info, message);
    } else if (status == AG_NO_MEMORY) {
        ag_fail(message, status, "simulation: no memory for %lld frames of %lld x %lld pixels",
                (long long)frames, (long long)n, (long long)n);
    }
    free(a.data);
    free(a.probe);
    free(a.object);
    free(a.position);
    return status;
}
