/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_plain.c -- the kernels that know no frames: reductions, and those that measure a device. */
#include <math.h>

#include "t2_kernels.h"

static const int64_t lengths[] = {1, 2, 63, 64, 65, 256, 257, 1000, 4099};
/* And one that grows with the problem. */
#define LENGTHS ((int)(sizeof lengths / sizeof *lengths) + 1)

static int64_t
length(const problem *p, int i)
{
    return i < LENGTHS - 1 ? lengths[i] : p->slots * p->pixels;
}

void
check_total(problem *p)
{
    ag_array *const result = place(p, AG_REAL, LENGTHS, NULL);
    double expected[LENGTHS] = {0};
    for (int i = 0; i < LENGTHS; i++) {
        double top;
        const ag_real *const value = random_densities(p, length(p, i) + 1, &top);
        const ag_array at = ag_view(place(p, AG_REAL, length(p, i) + 1, value), 1);
        ag_run_total(p->program, 1, result, i, &at, length(p, i));
        for (int64_t k = 1; k <= length(p, i); k++)
            expected[i] += (double)value[k];
    }
    compare(p, "sums", LENGTHS, fetch(p, result), expected);
}

void
check_maximum(problem *p)
{
    for (int i = 0; i < LENGTHS; i++) {
        double top;
        const ag_real *const value = random_densities(p, length(p, i) + 1, &top);
        const ag_array at = ag_view(place(p, AG_REAL, length(p, i) + 1, value), 1);
        ag_array *const result = place(p, AG_REAL, 1, NULL);
        ag_run_maximum(p->program, 1, result, &at, length(p, i));
        compare(p, "maximum", 1, fetch(p, result), &top);
    }
}

void
check_copy(problem *p)
{
    const int64_t n = 2 * p->slots * p->pixels;
    const ag_real *const value = random_reals(p, n);
    ag_array *const to = place(p, AG_REAL, n, NULL);
    double *const expected = take(p, n, sizeof *expected);
    ag_run_copy(p->program, n, to, place(p, AG_REAL, n, value));
    for (int64_t i = 0; i < n; i++)
        expected[i] = (double)value[i];
    compare(p, "copy", n, fetch(p, to), expected);
}

/* 64 times a <- a x + y is a x^64 + y (1 - x^64) / (1 - x). */
void
check_multiply_add(problem *p)
{
    const int64_t n = p->slots * p->pixels;
    const double x = 0.96875, y = 0.0625, power = pow(x, 64);
    const ag_real *const value = random_reals(p, n);
    ag_array *const result = place(p, AG_REAL, n, NULL);
    double *const expected = take(p, n, sizeof *expected);
    ag_run_multiply_add(p->program, n, result, place(p, AG_REAL, n, value), x, y);
    for (int64_t i = 0; i < n; i++)
        expected[i] = (8 * (double)value[i] + 28) * power + 8 * y * (1 - power) / (1 - x);
    compare(p, "sum of eight chains", n, fetch(p, result), expected);
}
