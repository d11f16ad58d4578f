/* SPDX-License-Identifier: BSD-3-Clause */
/* image.c -- pictures of complex arrays, and PNG files by libpng. */
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

#include "image.h"
#include "io.h"

#define PI 3.14159265358979323846

enum { LARGEST_SIDE = 1000000 /* libpng's own limit */ };

/* ---- files -------------------------------------------------------------------------------- */

/* What libpng's callbacks need. */
typedef struct sink {
    ag_replacement file;
    ag_message *message;
    ag_status status;
} sink;

static void
on_error(png_structp png, png_const_charp words)
{
    sink *s = png_get_error_ptr(png);
    if (s->status == AG_OK)
        s->status = ag_fail(s->message, AG_FILE_ERROR, "%s: cannot be written: %s",
                            ag_path_tail(s->file.path), words);
    png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp words)
{
    (void)png;
    (void)words;
}

static void
on_write(png_structp png, png_bytep bytes, size_t count)
{
    sink *s = png_get_io_ptr(png);
    s->status = ag_replacement_write(&s->file, bytes, count, s->message);
    if (s->status != AG_OK)
        png_error(png, "see the status");
}

static void
on_flush(png_structp png)
{
    (void)png;
}

/* Nothing that lives across setjmp changes after it. */
static void
encode(sink *s, const ag_image *p)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        s->status = ag_fail(s->message, AG_NO_MEMORY, "%s: no memory for libpng",
                            ag_path_tail(s->file.path));
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return;
    }
    png_set_write_fn(png, s, on_write, on_flush);
    png_set_IHDR(png, info, (png_uint_32)p->cols, (png_uint_32)p->rows, 8,
                 p->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int64_t y = 0; y < p->rows; y++)
        png_write_row(png, p->pixel + y * p->cols * p->channels);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

ag_status
ag_image_write(const char *path, const ag_image *image, ag_message *message)
{
    sink s = {.message = message};
    s.status = ag_replacement_begin(&s.file, path, message);
    if (s.status == AG_OK)
        encode(&s, image);
    return ag_replacement_end(&s.file, s.status, message);
}

/* 0..1 becomes 0..255; not-a-number becomes 0. */
static unsigned char
level(double t)
{
    return t > 0 ? (unsigned char)(fmin(t, 1) * 255 + 0.5) : 0;
}

/* ---- complex arrays ------------------------------------------------------------------------- */

/* What a picture needs to know of an array before the first pixel is drawn. */
typedef struct survey {
    const ag_complex *value;
    const ag_real *weight;
    int64_t rows, cols;
    double least;         /* weights above it count */
    double ramp[2], mean; /* radians per row and per column; at (0, 0) */
    double amplitude;     /* of white */
    double low, high;     /* phases of black and white */
} survey;

static double
weight_of(const survey *s, int64_t i)
{
    const ag_complex v = s->value[i];
    const double w = s->weight ? (double)s->weight[i] : 1;
    return isfinite(v.re) && isfinite(v.im) && isfinite(w) && w > s->least ? w : 0;
}

static double
amplitude_of(const survey *s, int64_t i)
{
    return hypot((double)s->value[i].re, (double)s->value[i].im);
}

/* Without mean and ramp, -pi .. pi. */
static double
phase_of(const survey *s, int64_t i)
{
    const double y = (double)(i / s->cols), x = (double)(i % s->cols);
    const double phase = atan2((double)s->value[i].im, (double)s->value[i].re);
    return remainder(phase - s->mean - s->ramp[0] * y - s->ramp[1] * x, 2 * PI);
}

/* The weighted sum of the values without the ramp: its angle is their mean phase, its size tells
   how well they agree. */
static void
find_mean(const survey *s, double sum[2])
{
    sum[0] = sum[1] = 0;
    for (int64_t i = 0; i < s->rows * s->cols; i++) {
        const double w = weight_of(s, i);
        if (w > 0) {
            sum[0] += w * amplitude_of(s, i) * cos(phase_of(s, i));
            sum[1] += w * amplitude_of(s, i) * sin(phase_of(s, i));
        }
    }
}

/* The angle of the weighted sum of conj(value) times the next value is the mean step of the
   phase whatever its wraps.  It is kept where it makes the phases agree better: the structure
   of a picture without a ramp has a mean step too.  */
static void
find_ramp(survey *s)
{
    double step[2][2] = {{0}}, level_sum[2], ramp_sum[2];
    for (int64_t i = 0; i < s->rows * s->cols; i++) {
        const int64_t next[2] = {i + s->cols, i + 1};
        const int follows[2] = {i / s->cols + 1 < s->rows, i % s->cols + 1 < s->cols};
        const double w = weight_of(s, i);
        const double re = (double)s->value[i].re, im = (double)s->value[i].im;
        for (int axis = 0; axis < 2 && w > 0; axis++) {
            const double both = follows[axis] ? fmin(w, weight_of(s, next[axis])) : 0;
            if (both == 0)
                continue;
            const ag_complex n = s->value[next[axis]];
            step[axis][0] += both * (re * (double)n.re + im * (double)n.im);
            step[axis][1] += both * (re * (double)n.im - im * (double)n.re);
        }
    }
    find_mean(s, level_sum);
    for (int axis = 0; axis < 2; axis++)
        s->ramp[axis] = atan2(step[axis][1], step[axis][0]);
    find_mean(s, ramp_sum);
    if (hypot(level_sum[0], level_sum[1]) >= hypot(ramp_sum[0], ramp_sum[1])) {
        s->ramp[0] = s->ramp[1] = 0;
        ramp_sum[0] = level_sum[0];
        ramp_sum[1] = level_sum[1];
    }
    s->mean = atan2(ramp_sum[1], ramp_sum[0]);
}

static int
ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Values below which the parts of[0] and of[1] lie, among a million evenly taken ones. */
static int
percentiles(const survey *s, double (*f)(const survey *, int64_t), const double of[2],
            double result[2])
{
    const int64_t all = s->rows * s->cols, stride = all / 1000000 + 1;
    double *sample = ag_calloc(all / stride + 1, sizeof *sample);
    int64_t count = 0;
    if (!sample)
        return 0;
    for (int64_t i = 0; i < all; i += stride)
        if (weight_of(s, i) > 0)
            sample[count++] = f(s, i);
    qsort(sample, (size_t)count, sizeof *sample, ascending);
    for (int k = 0; k < 2; k++)
        result[k] = count ? sample[(int64_t)(of[k] * (double)(count - 1) + 0.5)] : 0;
    free(sample);
    return 1;
}

/* Red at phase 0, through yellow, green, cyan, blue and magenta back to red. */
static void
hue(unsigned char rgb[3], double phase, double brightness)
{
    const double h = phase < 0 ? 6 + phase * 3 / PI : phase * 3 / PI;
    const double full[3] = {fabs(h - 3) - 1, 2 - fabs(h - 2), 2 - fabs(h - 4)};
    for (int c = 0; c < 3; c++)
        rgb[c] = level(fmin(fmax(full[c], 0), 1) * brightness);
}

static void
draw(const ag_image *p, ag_picture kind, const survey *s)
{
    for (int64_t i = 0; i < p->rows * p->cols; i++) {
        const int finite = isfinite(s->value[i].re) && isfinite(s->value[i].im);
        const double bright = s->amplitude > 0 && finite ? amplitude_of(s, i) / s->amplitude : 0;
        if (kind == AG_HUE)
            hue(p->pixel + 3 * i, finite ? phase_of(s, i) : 0, fmin(bright, 1));
        else if (kind == AG_AMPLITUDE)
            p->pixel[i] = level(bright);
        else if (finite)
            p->pixel[i] = level((phase_of(s, i) - s->low) / (s->high - s->low));
    }
}

/* A flat phase has no range: its rounding errors are not worth a picture. */
static int
find_range(survey *s)
{
    static const double amplitudes[2] = {0, 0.995}, phases[2] = {0.01, 0.99};
    double bright[2], phase[2];
    if (!percentiles(s, amplitude_of, amplitudes, bright) ||
        !percentiles(s, phase_of, phases, phase))
        return 0;
    const double spare = fmax(1e-3 - (phase[1] - phase[0]), 0) / 2;
    s->amplitude = bright[1];
    s->low = phase[0] - spare;
    s->high = phase[1] + spare;
    return 1;
}

ag_status
ag_picture_write(const char *path, ag_picture kind, int64_t rows, int64_t cols,
                 const ag_complex *value, const ag_real *weight, ag_message *message)
{
    survey s = {.value = value, .weight = weight, .rows = rows, .cols = cols};
    ag_image p = {.rows = rows, .cols = cols, .channels = kind == AG_HUE ? 3 : 1};
    if (rows < 1 || cols < 1 || rows > LARGEST_SIDE || cols > LARGEST_SIDE)
        return ag_fail(message, AG_BAD_ARGUMENT, "%s: a picture cannot have %lld x %lld pixels",
                       path, (long long)rows, (long long)cols);
    if (kind != AG_AMPLITUDE && kind != AG_PHASE && kind != AG_HUE)
        return ag_fail(message, AG_BAD_ARGUMENT, "%s: no such kind of picture", path);
    double most = 0;
    for (int64_t i = 0; weight && i < rows * cols; i++)
        if (isfinite(weight[i]))
            most = fmax(most, (double)weight[i]);
    s.least = most / 10;
    if (most == 0) /* an illumination of nothing selects nothing */
        s.weight = NULL;
    find_ramp(&s);
    p.pixel = ag_calloc(rows * cols, (size_t)p.channels);
    if (!p.pixel || !find_range(&s)) {
        free(p.pixel);
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory for %lld x %lld pixels", path,
                       (long long)rows, (long long)cols);
    }
    draw(&p, kind, &s);
    const ag_status status = ag_image_write(path, &p, message);
    free(p.pixel);
    return status;
}
