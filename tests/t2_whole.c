/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_whole.c -- the kernels that take a frame through all passes, against their formulas. */
#include <math.h>
#include <string.h>

#include "t2_kernels.h"

/* The exit waves, all modes of a slot one after the other; frames of the probe are `step' apart. */
static wave *
exit_waves(problem *p, int64_t step)
{
    wave *const psi = take(p, p->waves * p->pixels, sizeof *psi);
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
        const int64_t w = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
        psi[i] = reference_probe(p, w, y, x, step) * reference_window(p, p->frame[w / p->modes], y, x);
    }
    return psi;
}

/* All of a frame's passes in one; the error of the frame is that of its first strip. */
static void
check_whole(problem *p, int kind, int difference, int64_t first, int start)
{
    if (!p->plan.shape.whole) {
        p->left_out = 1;
        return;
    }
    const middle m = middle_begin(p, first);
    const int64_t step = kind == DM ? p->windows : 0, waves = p->waves * p->pixels;
    ag_array *const result = place(p, AG_COMPLEX, waves, NULL);
    if (kind == MODULUS)
        (difference ? ag_run_whole_difference
                    : ag_run_whole_ap)(p->program, p->slots, result, m.scratch, p->plan.table_y, p->plan.table_x,
                                       p->d_frame, p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_probe,
                                       step, m.error, p->d_frame, first, m.measured, m.scale, LEAST, GUARD);
    else if (kind == DM)
        ag_run_whole_dm(p->program, p->slots, result, m.scratch, p->plan.table_y, p->plan.table_x, p->d_frame,
                        p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_probe, step, m.error, m.kept,
                        p->d_frame, first, m.measured, m.scale, LEAST, GUARD, start);
    else
        ag_run_whole_raar(p->program, p->slots, result, m.scratch, p->plan.table_y, p->plan.table_x, p->d_frame,
                          p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_probe, step, m.error, m.kept,
                          p->d_frame, first, m.measured, m.scale, LEAST, GUARD, BETA, start);
    const ag_real *const error = fetch(p, m.error);
    double *const expected = take(p, p->slots, sizeof *expected);
    ag_real *const found = take(p, p->slots, sizeof *found);
    wave *const model = exit_waves(p, step);
    memcpy(m.psi, model, (size_t)waves * sizeof *model);
    if (p->compares) {
        reference_columns(p, m.psi, p->waves, -1);
        reference_rows(p, m.psi, p->waves, -1);
    }
    for (int64_t i = 0; i < waves; i++)
        m.psi[i] *= m.scale;
    for (int64_t i = 0; i < waves && p->compares; i++)
        if (data_at(p, &m, i) < UNMEASURED && i % p->windows < p->pixels)
            expected[i / p->windows] += pow(modulus_of(p, m.psi, i) - data_at(p, &m, i), 2);
    wave *kept, *const on = detect(p, &m, kind, start, &kept);
    if (kind != MODULUS)
        compare_strips(p, 0, "state", m.kept, kept);
    if (p->compares) {
        reference_rows(p, on, p->waves, 1);
        reference_columns(p, on, p->waves, 1);
    }
    for (int64_t i = 0; i < waves && difference; i++)
        on[i] -= model[i];
    compare(p, "wave", 2 * waves, fetch(p, result), (const double *)on);
    for (int64_t i = 0; i < p->slots * p->strips; i++)
        found[i / p->strips] += error[i];
    compare(p, "error", p->slots, found, expected);
}

void
check_whole_ap(problem *p)
{
    check_whole(p, MODULUS, 0, 1, 0);
}

void
check_whole_difference(problem *p)
{
    check_whole(p, MODULUS, 1, 1, 0);
}

void
check_whole_dm(problem *p)
{
    check_whole(p, DM, 0, 0, 1);
    check_whole(p, DM, 0, 1, 0);
}

void
check_whole_raar(problem *p)
{
    check_whole(p, RAAR, 0, 0, 1);
    check_whole(p, RAAR, 0, 1, 0);
}
