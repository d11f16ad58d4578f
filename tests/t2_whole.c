/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_whole.c -- the kernels that take a frame through all passes, against their formulas. */
#include <math.h>

#include "t2_kernels.h"

/* All of a frame's passes in one; the error of the frame is that of its first strip. */
static void
check_whole(problem *p, int kind, int64_t first, int start)
{
    if (!p->plan.shape.whole) {
        p->left_out = 1;
        return;
    }
    const middle m = middle_begin(p, first);
    ag_array *const result = place(p, AG_COMPLEX, p->waves * p->pixels, NULL);
    if (kind == MODULUS)
        ag_run_whole_ap(p->program, p->slots, result, p->plan.table_y, p->plan.table_x, p->d_frame, p->d_corner,
                        p->d_fraction, p->d_object, p->object_cols, p->d_probe, 0, m.error, p->d_frame, first,
                        m.measured, m.scale, LEAST, GUARD);
    else if (kind == DM)
        ag_run_whole_dm(p->program, p->slots, result, p->plan.table_y, p->plan.table_x, p->d_frame,
                        p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_probe, p->windows, m.error, m.kept,
                        p->d_frame, first, m.measured, m.scale, LEAST, GUARD, start);
    else
        ag_run_whole_raar(p->program, p->slots, result, p->plan.table_y, p->plan.table_x, p->d_frame,
                          p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_probe, 0, m.error, m.kept,
                          p->d_frame, first, m.measured, m.scale, LEAST, GUARD, BETA, start);
    const ag_real *const error = fetch(p, m.error);
    const int64_t step = kind == DM ? p->windows : 0;
    double *const expected = take(p, p->slots, sizeof *expected);
    ag_real *const found = take(p, p->slots, sizeof *found);
    for (int64_t i = 0; i < p->pixels * p->slots && p->compares; i++)
        m.psi[i] = reference_probe(p, i / p->pixels, i / p->cols % p->rows, i % p->cols, step) *
                   reference_window(p, p->frame[i / p->pixels], i / p->cols % p->rows, i % p->cols);
    if (p->compares) {
        reference_columns(p, m.psi, p->slots, -1);
        reference_rows(p, m.psi, p->slots, -1);
    }
    for (int64_t i = 0; i < p->pixels * p->slots && p->compares; i++) {
        m.psi[i] *= m.scale;
        if (data_at(p, &m, i) < UNMEASURED)
            expected[i / p->pixels] += pow(cabs(m.psi[i]) - data_at(p, &m, i), 2);
    }
    wave *kept, *const on = detect(p, &m, kind, start, &kept);
    if (kind != MODULUS)
        compare_strips(p, 0, "state", m.kept, kept);
    if (p->compares) {
        reference_rows(p, on, p->slots, 1);
        reference_columns(p, on, p->slots, 1);
    }
    compare(p, "wave", 2 * p->pixels * p->slots, fetch(p, result), (const double *)on);
    for (int64_t i = 0; i < p->slots * p->strips; i++)
        found[i / p->strips] += error[i];
    compare(p, "error", p->slots, found, expected);
}

void
check_whole_ap(problem *p)
{
    check_whole(p, MODULUS, 1, 0);
}

void
check_whole_dm(problem *p)
{
    check_whole(p, DM, 0, 1);
    check_whole(p, DM, 1, 0);
}

void
check_whole_raar(problem *p)
{
    check_whole(p, RAAR, 0, 1);
    check_whole(p, RAAR, 1, 0);
}
