/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_residuals.c -- kernels of the residuals of projection methods, against their formulas. */
#include <math.h>

#include "t2_kernels.h"

void
check_modulus_residual(problem *p)
{
    static const double weight[][2] = {{1, 0}, {1.5, 1}};
    for (int variant = 0; variant < 2; variant++) {
        const middle m = middle_begin(p, 1);
        const double model = weight[variant][0], kept = weight[variant][1];
        double *const expected = take(p, p->slots * p->strips, sizeof *expected);
        double complex *const z = take(p, p->waves * p->pixels, sizeof *z);
        (p->near ? ag_run_near_modulus_residual
                 : ag_run_modulus_residual)(p->program, p->slots, m.error, m.scratch, p->near ? p->plan.table_y : p->plan.table_x,
                                            variant ? m.kept : NULL, p->d_frame, m.first, m.measured, model * m.scale, kept,
                                            variant, p->spill);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++)
            z[i] = model * m.psi[i] + kept * m.phi[i];
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++)
            if (data_at(p, &m, i) < UNMEASURED && i % p->windows < p->pixels)
                expected[strip_of(p, i)] += pow(modulus_of(p, z, i) - data_at(p, &m, i), 2);
        compare(p, "error", p->slots * p->strips, fetch(p, m.error), expected);
    }
}

void
check_near_modulus_residual(problem *p)
{
    check_modulus_residual(p);
}

void
check_overlap_residual(problem *p)
{
    const int64_t segments = p->plan.tops / p->rows, parts = segments * ((p->rows + 15) / 16);
    for (int variant = 0; variant < 2; variant++) {
        const int64_t step = variant ? p->windows : 0;
        ag_array *const error = place(p, AG_REAL, p->slots * parts, NULL);
        double *const expected = take(p, p->slots * parts, sizeof *expected);
        ag_run_overlap_residual(p->program, p->slots, error, p->d_frame, p->d_corner, p->d_fraction, p->d_object, p->object_cols,
                                p->d_probe, step, p->d_stack);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->windows, y = i / p->cols % p->rows, x = i % p->cols;
            const double complex z = (double)p->stack[i].re + I * (double)p->stack[i].im;
            const double complex away = reference_probe(p, i / p->pixels, y, x, step) * reference_window(p, p->frame[s], y, x) - z;
            expected[s * parts + y / 16 * segments + x / AG_SEGMENT] += creal(away * conj(away));
        }
        compare(p, "error", p->slots * parts, fetch(p, error), expected);
    }
}
