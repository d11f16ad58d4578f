/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_reference.c -- the formulas of the kernels' building blocks, in double, term by term. */
#include <math.h>
#include <stdlib.h>

#include "t2_kernels.h"

void
reference_dft(double complex *value, int64_t n, int64_t step, const int32_t *frequency, int sign)
{
    double complex *const result = malloc((size_t)(2 * n) * sizeof *result);
    double complex *const turn = result + n;
    ck_assert_ptr_nonnull(result);
    for (int64_t i = 0; i < n; i++)
        turn[i] = cexp(sign * 2 * PI * I * (double)i / (double)n);
    for (int64_t out = 0; out < n; out++) {
        result[out] = 0;
        for (int64_t in = 0; in < n; in++) {
            const int64_t product = sign < 0 ? frequency[out] * in : out * frequency[in];
            result[out] += value[in * step] * turn[product % n];
        }
    }
    for (int64_t i = 0; i < n; i++)
        value[i * step] = result[i];
    free(result);
}

void
reference_columns(const problem *p, double complex *frame, int64_t count, int sign)
{
    for (int64_t s = 0; s < count; s++)
        for (int64_t x = 0; x < p->cols; x++)
            reference_dft(frame + s * p->pixels + x, p->rows, p->cols, p->frequency, sign);
}

void
reference_rows(const problem *p, double complex *frame, int64_t count, int sign)
{
    for (int64_t i = 0; i < count * p->rows; i++)
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
reference_probe(const problem *p, int64_t s, int64_t y, int64_t x, int64_t step)
{
    const ag_complex v = p->probe[s * step + y * p->cols + x];
    return (double)v.re + I * (double)v.im;
}

/* Strip i of a frame holds positions i tile ... of each column: tile real parts, tile imaginary. */
static int64_t
scratch_at(const problem *p, int64_t s, int64_t position, int64_t x)
{
    const int64_t tile = p->plan.shape.tile, strips = (p->rows + tile - 1) / tile;
    return ((s * strips + position / tile) * p->cols + x) * 2 * tile + position % tile;
}

double complex *
from_scratch(problem *p, const ag_real *scratch)
{
    double complex *const frame = take(p, SLOTS * p->pixels, sizeof *frame);
    for (int64_t i = 0; i < SLOTS * p->pixels; i++) {
        const ag_real *at =
            scratch + scratch_at(p, i / p->pixels, i / p->cols % p->rows, i % p->cols);
        frame[i] = (double)at[0] + I * (double)at[p->plan.shape.tile];
    }
    return frame;
}

ag_real *
to_scratch(problem *p, const double complex *frame)
{
    ag_real *const scratch = take(p, SLOTS * p->plan.scratch, sizeof *scratch);
    for (int64_t i = 0; i < SLOTS * p->plan.scratch; i++)
        scratch[i] = (ag_real)NAN;
    for (int64_t i = 0; i < SLOTS * p->pixels; i++) {
        ag_real *at = scratch + scratch_at(p, i / p->pixels, i / p->cols % p->rows, i % p->cols);
        at[0] = (ag_real)creal(frame[i]);
        at[p->plan.shape.tile] = (ag_real)cimag(frame[i]);
    }
    return scratch;
}

ag_real *
to_amplitudes(problem *p, const double *amplitude, int64_t count)
{
    const int64_t tile = p->plan.shape.tile;
    ag_real *const result = take(p, count * p->plan.amplitude, sizeof *result);
    for (int64_t i = 0; i < count * p->plan.amplitude; i++)
        result[i] = (ag_real)UNMEASURED;
    for (int64_t i = 0; i < count * p->pixels; i++) {
        const int64_t at = scratch_at(p, i / p->pixels, i / p->cols % p->rows, i % p->cols);
        result[at / (2 * tile) * tile + at % (2 * tile)] = (ag_real)amplitude[i];
    }
    return result;
}
