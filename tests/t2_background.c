/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_background.c -- kernels of a background that all frames share, against their formulas. */
#include <math.h>

#include "t2_kernels.h"

void
check_projected(problem *p)
{
    static const double weight[][2] = {{1, 0}, {2, -1}, {1.5, 1}};
    for (int variant = 0; variant < 3; variant++) {
        const middle m = middle_begin(p, 0);
        const double model = weight[variant][0], kept = weight[variant][1];
        ag_array *const result = place(p, AG_REAL, p->slots * p->amplitudes, NULL);
        double *const expected = take(p, p->slots * p->pixels, sizeof *expected);
        double complex *const z = take(p, p->waves * p->pixels, sizeof *z);
        (p->near ? ag_run_near_projected
                 : ag_run_projected)(p->program, p->slots, result, m.scratch, p->near ? p->plan.table_y : p->plan.table_x,
                                     variant ? m.kept : NULL, model * m.scale, kept, variant > 0, p->spill);
        const ag_real *const lies = fetch(p, result);
        if (!p->compares)
            continue;
        for (int64_t i = 0; i < p->waves * p->pixels; i++)
            z[i] = model * m.psi[i] + (variant ? kept * m.phi[i] : 0);
        for (int64_t i = 0; i < p->slots * p->pixels; i++)
            expected[i] = pow(modulus_of(p, z, i / p->pixels * p->windows + i % p->pixels), 2);
        /* What lies as amplitudes do is a wave of one mode without its imaginary part. */
        ag_real *const flat = take(p, p->slots * p->pixels, sizeof *flat);
        double *const place_of = take(p, p->slots * p->pixels, sizeof *place_of);
        for (int64_t i = 0; i < p->slots * p->pixels; i++)
            place_of[i] = (double)(i % p->pixels);
        const ag_real *const where = to_amplitudes(p, place_of, p->slots);
        for (int64_t i = 0; i < p->slots * p->amplitudes; i++)
            if ((double)where[i] < UNMEASURED)
                flat[i / p->amplitudes * p->pixels + (int64_t)where[i]] = lies[i];
            else
                ck_assert(lies[i] == 0);
        compare(p, "intensity", p->slots * p->pixels, flat, expected);
    }
}

void
check_near_projected(problem *p)
{
    check_projected(p);
}

/* Amplitudes of the scan's frames from the first on, some unmeasured, and a background. */
static ag_real *
measured(problem *p, int64_t first, ag_real **background)
{
    const int64_t n = p->pixels;
    ag_real *const a = random_reals(p, (p->frames - first) * n);
    for (int64_t i = 0; i < (p->frames - first) * n; i++)
        a[i] = ag_random_uniform(&p->random) < 0.2 || i % n == 1 ? (ag_real)UNMEASURED : (ag_real)fabs((double)a[i]);
    *background = random_reals(p, n);
    for (int64_t i = 0; i < n; i++)
        (*background)[i] = (ag_real)fabs((double)(*background)[i]);
    return a;
}

void
check_background_sums(problem *p)
{
    const int64_t n = p->pixels, first = 1;
    for (int begin = 0; begin < 2; begin++) {
        ag_real *background;
        const ag_real *const a = measured(p, first, &background), *const before = random_reals(p, 5 * n);
        ag_real *const y = random_reals(p, p->slots * n);
        for (int64_t i = 0; i < p->slots * n; i++)
            y[i] = (ag_real)fabs((double)y[i]);
        ag_array *const sums = place(p, AG_REAL, 5 * n, begin ? NULL : before);
        double *const expected = take(p, 5 * n, sizeof *expected);
        ag_run_background_sums(p->program, n, sums, place(p, AG_REAL, n, background), p->d_frame, first,
                               place(p, AG_REAL, (p->frames - first) * n, a), place(p, AG_REAL, p->slots * n, y), n, p->slots, begin);
        for (int64_t i = 0; i < 5 * n; i++)
            expected[i] = begin ? 0 : (double)before[i];
        for (int64_t i = 0; i < p->slots * n; i++) {
            const double at = (double)a[(p->frame[i / n] - first) * n + i % n], d = at * at - (double)background[i % n];
            if (!(at < UNMEASURED))
                continue;
            expected[i % n] += (double)y[i] * d;
            expected[n + i % n] += d * d;
            expected[2 * n + i % n] += (double)y[i];
            expected[3 * n + i % n] += d;
            expected[4 * n + i % n]++;
        }
        compare(p, "sums", 5 * n, fetch(p, sums), expected);
    }
}

void
check_background_step(problem *p)
{
    const int64_t n = p->pixels;
    ag_real *const sums = random_reals(p, 5 * n), *const before = random_reals(p, n);
    double *const expected = take(p, n, sizeof *expected);
    for (int64_t i = 0; i < n; i++) {
        before[i] = (ag_real)fabs((double)before[i]);
        sums[n + i] = i == 0 ? 0 : (ag_real)fabs((double)sums[n + i]);
        sums[4 * n + i] = (ag_real)(i == 1 ? 0 : 1 + i % 7);
        if (i == 1)
            before[i] = sums[i] = sums[n + i] = sums[2 * n + i] = sums[3 * n + i] = 0;
        if (i == 2)
            sums[3 * n + i] = (ag_real)INFINITY;
        if (i == 3)
            sums[2 * n + i] = (ag_real)NAN;
        const double square = (double)sums[n + i], eta = fmax(0.9, square > 0 ? (double)sums[i] / square : 0);
        const double next = (double)before[i] + ((double)sums[3 * n + i] - (double)sums[2 * n + i] / eta) / fmax(1, (double)sums[4 * n + i]);
        expected[i] = isfinite(next) ? fmax(0, next) : 0;
    }
    ag_array *const background = place(p, AG_REAL, n, before);
    ag_run_background_step(p->program, n, background, place(p, AG_REAL, 5 * n, sums), n);
    compare(p, "background", n, fetch(p, background), expected);
}

void
check_without_background(problem *p)
{
    const int64_t n = p->pixels, first = 1;
    ag_real *background;
    const ag_real *const a = measured(p, first, &background);
    ag_array *const result = place(p, AG_REAL, p->slots * n, NULL);
    double *const expected = take(p, p->slots * n, sizeof *expected);
    ag_run_without_background(p->program, n, result, p->d_frame, first, place(p, AG_REAL, (p->frames - first) * n, a),
                              place(p, AG_REAL, n, background), n, p->slots);
    ag_real *const found = fetch(p, result);
    for (int64_t i = 0; i < p->slots * n; i++) {
        const double at = (double)a[(p->frame[i / n] - first) * n + i % n];
        if (!(at < UNMEASURED))
            ck_assert_double_ge((double)found[i], 1e30);
        found[i] = at < UNMEASURED ? found[i] : 0;
        expected[i] = at < UNMEASURED ? sqrt(fmax(0, at * at - (double)background[i % n])) : 0;
    }
    compare(p, "amplitudes", p->slots * n, found, expected);
}
