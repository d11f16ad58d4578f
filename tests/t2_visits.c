/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_visits.c -- PIE's positions one after another in one launch: against the formula, and the bits of three launches each. */
#include <math.h>
#include <string.h>

#include "t2_kernels.h"

#define ALPHA  0.6
#define STEP   0.75
#define BETA_P 0.4
#define CHANGE 0.5

/* What load_exit_tops takes for the object: the nearest pixel, or between four. */
static wave
window_at(const problem *p, const wave *pixel, int64_t j)
{
    const double fy = p->fraction[2 * j], fx = p->fraction[2 * j + 1];
    const wave *const below = pixel + p->object_cols;
    return p->at->linear ? (1 - fy) * ((1 - fx) * pixel[0] + fx * pixel[1]) + fy * ((1 - fx) * below[0] + fx * below[1]) : *pixel;
}

/* Object and probe after the positions, and each one's error. */
static void
reference(problem *p, const middle *m, wave *object, wave *probe, double *error)
{
    wave *const w = take(p, p->pixels, sizeof *w);
    for (int64_t s = 0; s < p->slots; s++) {
        const int64_t j = p->frame[s];
        wave *const corner = object + p->corner[2 * j] * p->object_cols + p->corner[2 * j + 1];
        double top_probe = 0, top_object = 0;
        for (int64_t i = 0; i < p->pixels; i++) {
            const wave o = window_at(p, &corner[i / p->cols * p->object_cols + i % p->cols], j);
            w[i] = probe[i] * o;
            top_probe = fmax(top_probe, creal(probe[i] * conj(probe[i])));
            top_object = fmax(top_object, creal(o * conj(o)));
        }
        reference_columns(p, w, 1, -1);
        reference_rows(p, w, 1, -1);
        for (int64_t i = 0; i < p->pixels; i++) {
            const double a = data_at(p, m, s * p->pixels + i), modulus = m->scale * cabs(w[i]);
            if (a < UNMEASURED)
                error[strip_of(p, s * p->pixels + i)] += (a - modulus) * (a - modulus);
            w[i] *= m->scale * m->scale * (a < UNMEASURED ? a / (fmax(modulus, LEAST) + GUARD) : 1);
        }
        reference_rows(p, w, 1, 1);
        reference_columns(p, w, 1, 1);
        for (int64_t i = 0; i < p->pixels; i++) {
            wave *const o = &corner[i / p->cols * p->object_cols + i % p->cols];
            const wave old = *o, was = probe[i], d = w[i] - was * old;
            *o += STEP * conj(was) * d / ((1 - ALPHA) * creal(was * conj(was)) + ALPHA * top_probe);
            probe[i] += CHANGE * conj(old) * d / ((1 - BETA_P) * creal(old * conj(old)) + BETA_P * top_object);
        }
    }
}

void
check_visits(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols, tops = p->plan.shape.strips_x;
    if (!ag_device_cooperative(p->device)) {
        p->left_out = 1;
        return;
    }
    const middle m = middle_begin(p, 0);
    void *found[2][3];
    static const int list[] = {AG_KERNEL_load_exit_tops, AG_KERNEL_modulus, AG_KERNEL_update};
    ag_program *const passes = ag_program_create(p->device, &p->plan.shape, 3, list);
    for (int k = 0; k < 2; k++) {
        ag_array *const object = place(p, AG_COMPLEX, n, p->object), *const probe = place(p, AG_COMPLEX, p->pixels, p->probe);
        ag_array *const scratch = place(p, AG_REAL, p->plan.scratch, NULL);
        ag_array *const error = place(p, AG_REAL, p->slots * p->strips, NULL);
        ag_array *const probe_top = place(p, AG_REAL, tops, NULL), *const object_top = place(p, AG_REAL, tops, NULL);
        if (!k)
            ag_run_visits(p->program, p->slots, scratch, p->plan.table_y, p->plan.table_x, p->d_frame, p->d_corner, p->d_fraction,
                          object, p->object_cols, probe, 0, probe_top, object_top, ALPHA, 0, STEP, 1, BETA_P, CHANGE, error,
                          p->d_frame, 0, m.measured, m.scale, LEAST, GUARD, p->spill);
        for (int64_t s = 0; s < p->slots && k; s++) {
            const ag_array frame = ag_view(p->d_frame, s);
            ag_array errors = ag_view(error, s * p->strips);
            ag_run_load_exit_tops(passes, 1, scratch, p->plan.table_y, &frame, p->d_corner, p->d_fraction, object,
                                  p->object_cols, probe, 0, probe_top, object_top, p->spill);
            ag_run_modulus(passes, 1, scratch, p->plan.table_x, &errors, &frame, 0, m.measured, m.scale, LEAST, GUARD,
                           p->spill);
            ag_run_update(passes, 1, scratch, p->plan.table_y, &frame, p->d_corner, p->d_fraction, object, p->object_cols,
                          probe, 0, probe_top, object_top, ALPHA, 0, STEP, 1, BETA_P, CHANGE, p->spill);
        }
        found[k][0] = fetch(p, object);
        found[k][1] = fetch(p, probe);
        found[k][2] = fetch(p, error);
    }
    ag_program_destroy(passes);
    ck_assert_mem_eq(found[0][0], found[1][0], (size_t)n * sizeof(ag_complex));
    ck_assert_mem_eq(found[0][1], found[1][1], (size_t)p->pixels * sizeof(ag_complex));
    ck_assert_mem_eq(found[0][2], found[1][2], (size_t)(p->slots * p->strips) * sizeof(ag_real));
    wave *const e_object = take(p, n, sizeof *e_object), *const e_probe = take(p, p->pixels, sizeof *e_probe);
    double *const e_error = take(p, p->slots * p->strips, sizeof *e_error);
    for (int64_t i = 0; i < n; i++)
        e_object[i] = wave_at(p->object, i);
    for (int64_t i = 0; i < p->pixels; i++)
        e_probe[i] = wave_at(p->probe, i);
    if (p->compares)
        reference(p, &m, e_object, e_probe, e_error);
    compare(p, "object", 2 * n, found[0][0], (const double *)e_object);
    compare(p, "probe", 2 * p->pixels, found[0][1], (const double *)e_probe);
    compare(p, "errors", p->slots * p->strips, found[0][2], e_error);
}
