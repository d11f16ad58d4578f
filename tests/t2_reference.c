/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_reference.c -- the formulas of the kernels' building blocks, in double, term by term. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_nets.h"

void
reference_dft(double complex *value, int64_t n, int64_t step, const int32_t *frequency, int sign)
{
    double complex *const result = calloc((size_t)(2 * n), sizeof *result);
    double complex *const turn = result + n;
    ck_assert_ptr_nonnull(result);
    for (int64_t i = 0; i < n; i++)
        turn[i] = cexp(sign * 2 * PI * I * (double)i / (double)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t product = 0; /* of both indices, modulo n */
        for (int64_t k = 0; k < n; k++) {
            const double complex v = value[(sign < 0 ? k : i) * step], t = turn[product];
            result[sign < 0 ? i : k] += creal(v) * creal(t) - cimag(v) * cimag(t) + I * (creal(v) * cimag(t) + cimag(v) * creal(t));
            product += frequency[i];
            product -= product < n ? 0 : n;
        }
    }
    for (int64_t i = 0; i < n; i++)
        value[i * step] = result[i];
    free(result);
}

void
reference_columns(const problem *p, double complex *frame, int64_t count, int sign)
{
    for (int64_t s = 0; s < count && !p->unfused; s++)
        for (int64_t x = 0; x < p->cols; x++)
            reference_dft(frame + s * p->pixels + x, p->rows, p->cols, p->frequency, sign);
}

void
reference_rows(const problem *p, double complex *frame, int64_t count, int sign)
{
    for (int64_t i = 0; i < count * p->rows && !p->unfused; i++)
        reference_dft(frame + i * p->cols, p->cols, 1, p->frequency + p->rows, sign);
}

static double complex
object_at(const problem *p, int64_t row, int64_t column)
{
    const ag_complex o = p->object[row * p->object_cols + column];
    return (double)o.re + I * (double)o.im;
}

double complex
reference_window(const problem *p, int64_t j, int64_t y, int64_t x)
{
    const int64_t row = p->corner[2 * j] + y, column = p->corner[2 * j + 1] + x;
    const double fy = (double)p->fraction[2 * j], fx = (double)p->fraction[2 * j + 1];
    if (!p->at->linear)
        return object_at(p, row, column);
    return (1 - fy) * ((1 - fx) * object_at(p, row, column) + fx * object_at(p, row, column + 1)) +
           fy * ((1 - fx) * object_at(p, row + 1, column) + fx * object_at(p, row + 1, column + 1));
}

double complex
reference_probe(const problem *p, int64_t w, int64_t y, int64_t x, int64_t step)
{
    const ag_complex v = p->probe[w / p->modes * step + w % p->modes * p->pixels + y * p->cols + x];
    return (double)v.re + I * (double)v.im;
}

/* Where the real part of a pixel lies.  Strip i of a frame holds positions (near: columns) i tile ... of
   each column (row): tile real parts, tile imaginary. */
static int64_t
strip_at(const problem *p, int near, int64_t i)
{
    const int64_t tile = p->plan.shape.tile, s = i / p->pixels;
    const int64_t y = i / p->cols % p->rows, x = i % p->cols;
    const int64_t along = near ? x : y, row = near ? y : x, depth = near ? p->rows : p->cols;
    const int64_t strips = ((near ? p->cols : p->rows) + tile - 1) / tile;
    return p->unfused ? 2 * i : ((s * strips + along / tile) * depth + row) * 2 * tile + along % tile;
}

/* How far behind it the imaginary part lies. */
static int64_t
imaginary(const problem *p)
{
    return p->unfused ? 1 : p->plan.shape.tile;
}

int64_t
strip_reals(const problem *p, int near)
{
    const ag_shape *s = &p->plan.shape;
    return p->unfused ? p->waves * 2 * p->pixels
                      : p->waves * 2 * (int64_t)s->tile * (near ? s->strips_x * p->rows : s->strips_y * p->cols);
}

double complex *
from_strips(problem *p, int near, const ag_real *strips)
{
    double complex *const frame = take(p, p->waves * p->pixels, sizeof *frame);
    for (int64_t i = 0; i < p->waves * p->pixels; i++) {
        const ag_real *at = strips + strip_at(p, near, i);
        frame[i] = (double)at[0] + I * (double)at[imaginary(p)];
    }
    return frame;
}

ag_real *
to_strips(problem *p, int near, const double complex *frame)
{
    const int64_t count = strip_reals(p, near);
    ag_real *const strips = take(p, count, sizeof *strips);
    for (int64_t i = 0; i < count; i++)
        strips[i] = (ag_real)NAN;
    for (int64_t i = 0; i < p->waves * p->pixels; i++) {
        ag_real *at = strips + strip_at(p, near, i);
        at[0] = (ag_real)creal(frame[i]);
        at[imaginary(p)] = (ag_real)cimag(frame[i]);
    }
    return strips;
}

ag_complex
range_of_words(const problem *p, const double *amplitude)
{
    double least = 0, most = 0;
    for (int64_t i = 0; i < p->pixels; i++) {
        const double a = amplitude[i] < UNMEASURED ? amplitude[i] : 0;
        least = fmin(least, a);
        most = fmax(most, a);
    }
    const double step = most > least ? (most - least) / 65533 : 1;
    const ag_complex range = {(ag_real)ceil(-least / (double)(ag_real)step), (ag_real)step};
    return range;
}

ag_real *
to_amplitudes(problem *p, double *amplitude, int64_t count)
{
    const int64_t tile = p->plan.shape.tile;
    ag_real *const result = take(p, count * p->stored, sizeof *result);
    for (int64_t j = 0; j < count; j++) {
        ag_real *const frame = result + j * p->stored;
        uint16_t *const word = (uint16_t *)(void *)(frame + 2);
        const ag_complex range = range_of_words(p, amplitude + j * p->pixels);
        if (p->at->words) {
            frame[0] = range.re;
            frame[1] = range.im;
        }
        for (int64_t i = 0; i < p->amplitudes; i++)
            if (p->at->words)
                word[i] = 65535;
            else
                frame[i] = (ag_real)UNMEASURED;
        for (int64_t i = 0; i < p->pixels; i++) {
            double *const a = amplitude + j * p->pixels + i;
            const int64_t in_strips = strip_at(p, p->near, i);
            const int64_t at = p->unfused ? i : in_strips / (2 * tile) * tile + in_strips % (2 * tile);
            if (!p->at->words) {
                frame[at] = (ag_real)*a;
            } else if (*a < UNMEASURED) {
                word[at] = (uint16_t)lround(*a / (double)range.im + (double)range.re);
                *a = (word[at] - (double)range.re) * (double)range.im;
            }
        }
    }
    return result;
}

/* ---- activations -------------------------------------------------------------------------------- */

ag_array *
place_stored(problem *p, int64_t count, ag_real *value)
{
    const int64_t reals = p->store ? (count * 2 + (int64_t)sizeof(ag_real) - 1) / (int64_t)sizeof(ag_real) : count;
    if (!p->store || !value)
        return place(p, AG_REAL, reals, value);
    uint16_t *bits = take(p, reals, sizeof(ag_real));
    int64_t wrong = 0;
    ag_round(p->store, count, value);
    for (int64_t i = 0; i < count; i++) {
        /* The one of 65536 that stands for it. */
        uint32_t single;
        const float number = (float)value[i];
        memcpy(&single, &number, sizeof single);
        int exponent;
        const int fraction = (int)(fabs(frexp((double)number, &exponent)) * 2048) & 1023;
        bits[i] = (uint16_t)(single >> 16);
        if (p->store == AG_FP16)
            bits[i] = (uint16_t)((single >> 16 & 0x8000) | (number == 0 || exponent < -13 ? (uint32_t)ldexp(fabs((double)number), 24)
                                                                           : (uint32_t)((exponent + 14) << 10 | fraction)));
        wrong += ag_widen(p->store, bits[i]) != value[i];
    }
    ck_assert_int_eq(wrong, 0);
    return place(p, AG_REAL, reals, bits);
}

const ag_real *
fetch_stored(problem *p, const ag_array *array, int64_t count)
{
    const void *found = fetch(p, array);
    ag_real *value = take(p, count, sizeof *value);
    for (int64_t i = 0; i < count; i++)
        value[i] = p->store ? ag_widen(p->store, ((const uint16_t *)found)[i]) : ((const ag_real *)found)[i];
    return value;
}
