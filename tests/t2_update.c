/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_update.c -- the PIE family's passes, one position at a time, against their formulas. */
#include <math.h>

#include "t2_kernels.h"

void
check_load_exit_tops(problem *p)
{
    const int64_t strips = p->plan.shape.strips_x, tile = p->plan.shape.tile;
    ag_array *const scratch = place(p, AG_REAL, p->slots * p->plan.scratch, NULL);
    ag_array *const probe_top = place(p, AG_REAL, p->slots * strips, NULL);
    ag_array *const object_top = place(p, AG_REAL, p->slots * strips, NULL);
    wave *const expected = take(p, p->slots * p->pixels, sizeof *expected);
    double *const e_probe = take(p, p->slots * strips, sizeof *e_probe);
    double *const e_object = take(p, p->slots * strips, sizeof *e_object);
    ag_run_load_exit_tops(p->program, p->slots, scratch, p->plan.table_y, p->d_frame, p->d_corner, p->d_fraction,
                          p->d_object, p->object_cols, p->d_probe, p->pixels, probe_top, object_top, p->spill);
    for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
        const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols, at = s * strips + x / tile;
        const wave w = reference_probe(p, s, y, x, p->pixels), o = reference_window(p, p->frame[s], y, x);
        expected[i] = w * o;
        e_probe[at] = fmax(e_probe[at], creal(w * conj(w)));
        e_object[at] = fmax(e_object[at], creal(o * conj(o)));
    }
    if (p->compares)
        reference_columns(p, expected, p->slots, -1);
    compare_strips(p, 0, "exit waves", scratch, expected);
    compare(p, "maxima of the probe", p->slots * strips, fetch(p, probe_top), e_probe);
    compare(p, "maxima of the object", p->slots * strips, fetch(p, object_top), e_object);
}

void
check_update(problem *p)
{
    const int64_t tops = p->plan.shape.strips_x, n = p->object_rows * p->object_cols;
    const double beta = 0.4, object_step = 0.75, change = 0.6, size = 1 / sqrt((double)p->rows);
    wave *const back = take(p, p->slots * p->pixels, sizeof *back);
    for (int64_t i = 0; i < p->slots * p->pixels; i++)
        back[i] = i < PERIOD ? size * (ag_random_normal(&p->random) + I * ag_random_normal(&p->random))
                             : back[i - PERIOD];
    const ag_real *const source = to_strips(p, 0, back);
    wave *const came = p->compares ? from_strips(p, 0, source) : back;
    if (p->compares)
        reference_columns(p, came, p->slots, 1);
    for (int variant = 0; variant < 4; variant++) {
        const int root = variant & 1, refine = variant >> 1;
        const double alpha = variant == 2 ? 1 : 0.25;
        double top_probe, top_object;
        const ag_real *const probe_tops = random_densities(p, tops + 1, &top_probe) + 1;
        const ag_real *const object_tops = random_densities(p, tops + 1, &top_object) + 1;
        ag_array *const object = place(p, AG_COMPLEX, n, p->object), *const probe = place(p, AG_COMPLEX, p->pixels, p->probe);
        wave *const e_object = take(p, n, sizeof *e_object), *const e_probe = take(p, p->pixels, sizeof *e_probe);
        /* Scratch is only read, but the frames' windows overlap: one after another. */
        ag_array *const scratch = place(p, AG_REAL, p->slots * p->plan.scratch, source);
        ag_array *const d_probe_tops = place(p, AG_REAL, tops, probe_tops);
        ag_array *const d_object_tops = place(p, AG_REAL, tops, object_tops);
        for (int64_t s = 0; s < p->slots; s++) {
            const ag_array one = ag_view(scratch, s * p->plan.scratch), frame = ag_view(p->d_frame, s);
            ag_run_update(p->program, 1, &one, p->plan.table_y, &frame, p->d_corner, p->d_fraction, object, p->object_cols,
                          probe, 0, d_probe_tops, d_object_tops, alpha, root, object_step, refine, beta, change,
                          p->spill);
        }
        for (int64_t i = 0; i < n; i++)
            e_object[i] = (double)p->object[i].re + I * (double)p->object[i].im;
        for (int64_t i = 0; i < p->pixels; i++)
            e_probe[i] = (double)p->probe[i].re + I * (double)p->probe[i].im;
        for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, k = i % p->pixels, j = p->frame[s];
            wave *const o = &e_object[(p->corner[2 * j] + k / p->cols) * p->object_cols + p->corner[2 * j + 1] + k % p->cols];
            const wave old_o = *o, old_p = e_probe[k], d = came[i] - old_o * old_p;
            const double w = creal(old_p * conj(old_p)), v = creal(old_o * conj(old_o));
            const double below = root ? w + alpha * top_probe : (1 - alpha) * w + alpha * top_probe;
            *o += object_step * conj(old_p) * d * (root ? sqrt(w / top_probe) : 1) / below;
            if (refine)
                e_probe[k] += change * conj(old_o) * d / ((1 - beta) * v + beta * top_object);
        }
        compare(p, root ? "PIE's object" : "object", 2 * n, fetch(p, object), (const double *)e_object);
        compare(p, "probe", 2 * p->pixels, fetch(p, probe), (const double *)e_probe);
    }
}
