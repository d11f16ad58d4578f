/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_poisson.c -- the kernels of the Poisson likelihood against their formulas. */
#include <math.h>

#include "t2_kernels.h"

/* Of all modes of the frame. */
static double
power(const problem *p, const middle *m, int64_t i)
{
    return modulus_of(p, m->psi, i) * modulus_of(p, m->psi, i);
}

static const double least = 0.0625;

static double
xi_of(const problem *p, const middle *m, int64_t i)
{
    const double a = data_at(p, m, i);
    return a < UNMEASURED ? 1 - a * a / (power(p, m, i) + least) : 0;
}

void
check_poisson_sums(problem *p)
{
    const double mean = 0.375;
    const ag_real given = (ag_real)mean;
    const middle m = middle_begin(p, 1);
    const int64_t count = p->slots * p->strips;
    ag_array *const above = place(p, AG_REAL, count, NULL), *const below = place(p, AG_REAL, count, NULL);
    double *const number = take(p, count, sizeof *number), *const density = take(p, count, sizeof *density);
    (p->near ? ag_run_near_poisson_sums
             : ag_run_poisson_sums)(p->program, p->slots, above, below, m.scratch,
                                    p->near ? p->plan.table_y : p->plan.table_x, p->d_frame, m.first, m.measured,
                                    m.scale, least, place(p, AG_REAL, 1, &given), p->spill);
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
        const double a = data_at(p, &m, i), y = power(p, &m, i), xi = xi_of(p, &m, i);
        if (a >= UNMEASURED || i % p->windows >= p->pixels)
            continue;
        number[strip_of(p, i)] += xi * (y - a * a / (1 - mean * xi));
        density[strip_of(p, i)] += xi * xi * y;
    }
    compare(p, "above", count, fetch(p, above), number);
    compare(p, "below", count, fetch(p, below), density);
}

void
check_near_poisson_sums(problem *p)
{
    check_poisson_sums(p);
}

void
check_poisson(problem *p)
{
    const middle m = middle_begin(p, 1);
    ag_real *const now = random_reals(p, p->slots);
    wave *const on = take(p, p->waves * p->pixels, sizeof *on);
    double *const errors = take(p, p->slots * p->strips, sizeof *errors);
    (p->near ? ag_run_near_poisson
             : ag_run_poisson)(p->program, p->slots, m.scratch, p->near ? p->plan.table_y : p->plan.table_x, m.error,
                               p->d_frame, m.first, m.measured, m.scale, least, place(p, AG_REAL, p->slots, now),
                               p->spill);
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
        const double a = data_at(p, &m, i);
        on[i] = m.scale * (1 - (double)now[i / p->windows] * xi_of(p, &m, i)) * m.psi[i];
        if (a < UNMEASURED && i % p->windows < p->pixels)
            errors[strip_of(p, i)] += (a - modulus_of(p, m.psi, i)) * (a - modulus_of(p, m.psi, i));
    }
    if (p->compares && p->near)
        reference_columns(p, on, p->waves, -1);
    else if (p->compares)
        reference_rows(p, on, p->waves, 1);
    compare_strips(p, 0, "wave", m.scratch, on);
    compare(p, "error", p->slots * p->strips, fetch(p, m.error), errors);
}

void
check_near_poisson(problem *p)
{
    check_poisson(p);
}

void
check_poisson_mean(problem *p)
{
    const ag_real *const alpha = random_reals(p, p->frames);
    ag_array *const mean = place(p, AG_REAL, 1, NULL);
    double expected = 0;
    ag_run_poisson_mean(p->program, 1, mean, p->d_frame, place(p, AG_REAL, p->frames, alpha), p->slots, p->slots + 2);
    for (int64_t s = 0; s < p->slots; s++)
        expected += (double)alpha[p->frame[s]] / (double)(p->slots + 2);
    compare(p, "mean", 1, fetch(p, mean), &expected);
}

void
check_poisson_alpha(problem *p)
{
    const int64_t strips = p->strips, count = p->slots * strips;
    /* The first slot's step is cut off at 1, the next at 0 or not, the last has no divisor. */
    const ag_real mean = (ag_real)0.75;
    double top;
    ag_real *const above = random_reals(p, count), *const below = random_densities(p, count, &top);
    ag_real *const before = random_reals(p, p->frames), *const found = take(p, p->slots, sizeof *found);
    double *const expected = take(p, p->slots, sizeof *expected);
    for (int64_t i = 0; i < count; i++) {
        const int64_t s = i / strips;
        above[i] = s ? above[i] / 8 : (ag_real)(fabs((double)above[i]) + (double)top);
        below[i] = s == p->slots - 1 ? 0 : below[i] + (ag_real)0.25;
    }
    ag_array *const alpha = place(p, AG_REAL, p->frames, before), *const now = place(p, AG_REAL, p->slots, NULL);
    ag_run_poisson_alpha(p->program, p->slots, alpha, now, p->d_frame, place(p, AG_REAL, count, above),
                         place(p, AG_REAL, count, below), strips, place(p, AG_REAL, 1, &mean));
    const ag_real *const all = fetch(p, alpha), *const slot = fetch(p, now);
    for (int64_t s = 0; s < p->slots; s++) {
        double number = 0, density = 0;
        for (int64_t i = s * strips; i < (s + 1) * strips; i++) {
            number += (double)above[i];
            density += (double)below[i];
        }
        expected[s] = fmin(1, fmax(0, ((double)mean + (density > 0 ? number / density : 0)) / 2));
        found[s] = all[p->frame[s]];
    }
    compare(p, "alpha", p->slots, found, expected);
    compare(p, "alpha of slots", p->slots, slot, expected);
}
