/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_ep.c -- PtychoEP's kernels against their formulas. */
#include <math.h>

#include "t2_kernels.h"

ag_real *
precisions(problem *p, int64_t count, double least)
{
    ag_real *const g = take(p, count, sizeof *g);
    for (int64_t i = 0; i < count; i++)
        g[i] = (ag_real)(least + 4 * ag_random_uniform(&p->random));
    return g;
}

/* Of the object at pixel (y, x) of frame j's window. */
static int64_t
window_at(const problem *p, int64_t j, int64_t y, int64_t x)
{
    return (p->corner[2 * j] + y) * p->object_cols + p->corner[2 * j + 1] + x;
}

static double
power(wave z)
{
    return creal(z * conj(z));
}

void
check_ep_begin(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    ag_array *const object = place(p, AG_COMPLEX, n, p->object), *const number = place(p, AG_COMPLEX, n, NULL);
    ag_array *const precision = place(p, AG_REAL, n, NULL), *const start = place(p, AG_COMPLEX, n, NULL);
    int32_t *const covers = take(p, n, sizeof *covers);
    wave *const t = take(p, n, sizeof *t), *const same = take(p, n, sizeof *same);
    double *const g = take(p, n, sizeof *g);
    for (int64_t i = 0; i < n; i++) {
        covers[i] = (int32_t)(9 * ag_random_uniform(&p->random));
        g[i] = 1 + covers[i];
        same[i] = wave_at(p->object, i);
        t[i] = covers[i] * same[i];
    }
    ag_run_ep_begin(p->program, n, object, number, precision, start, place(p, AG_INT, n, covers));
    compare(p, "number", 2 * n, fetch(p, number), (const double *)t);
    compare(p, "precision", n, fetch(p, precision), g);
    compare(p, "start", 2 * n, fetch(p, start), (const double *)same);
}

void
check_load_exit_spread(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols, strips = p->plan.shape.strips_x, tile = p->plan.shape.tile;
    const double least = 0.5, floor = 0.25;
    const ag_real *const g = precisions(p, n, 1);
    for (int64_t step = 0; step <= p->pixels; step += p->pixels) {
        ag_array *const scratch = place(p, AG_REAL, p->slots * p->plan.scratch, NULL);
        ag_array *const spread = place(p, AG_REAL, p->slots * strips, NULL);
        wave *const expected = take(p, p->slots * p->pixels, sizeof *expected);
        double *const sum = take(p, p->slots * strips, sizeof *sum);
        ag_run_load_exit_spread(p->program, p->slots, scratch, p->plan.table_y, p->d_frame, p->d_corner, p->d_fraction,
                                p->d_object, p->object_cols, p->d_probe, step, place(p, AG_REAL, n, g), least, floor, spread,
                                p->spill);
        for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            const wave w = reference_probe(p, s, y, x, step);
            const double sure = (double)g[window_at(p, p->frame[s], y, x)];
            expected[i] = w * reference_window(p, p->frame[s], y, x) / sure;
            sum[s * strips + x / tile] += fmax(fmax(power(w), least) / sure, floor);
        }
        if (p->compares)
            reference_columns(p, expected, p->slots, -1);
        compare_strips(p, 0, "exit waves", scratch, expected);
        compare(p, "spread", p->slots * strips, fetch(p, spread), sum);
    }
}

/* ---- at the object ----------------------------------------------------------------------------- */

void
check_ep_update(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const double least = 0.25, least_before = 0.125, size = 1 / sqrt((double)p->rows);
    wave *const back = take(p, p->slots * p->pixels, sizeof *back);
    for (int64_t i = 0; i < p->slots * p->pixels; i++)
        back[i] = i < PERIOD ? size * (ag_random_normal(&p->random) + I * ag_random_normal(&p->random)) : back[i - PERIOD];
    const ag_real *const source = to_strips(p, 0, back);
    wave *const u = p->compares ? from_strips(p, 0, source) : back;
    if (p->compares)
        reference_columns(p, u, p->slots, 1);
    for (int variant = 0; variant < 4; variant++) {
        const int starts = variant & 1, apart = variant >> 1;
        const ag_complex *const t0 = random_complex(p, n), *const u0 = random_complex(p, p->slots * p->pixels);
        const ag_complex *const o0 = random_complex(p, n), *const b0 = random_complex(p, p->pixels);
        const ag_real *const g0 = precisions(p, n, 200), *const w = precisions(p, p->slots, 0.5);
        const ag_real *const w0 = precisions(p, p->slots, 0.5);
        ag_array *const number = place(p, AG_COMPLEX, n, t0), *const precision = place(p, AG_REAL, n, g0);
        ag_array *const probe = place(p, AG_COMPLEX, p->pixels, p->probe);
        ag_array *const told = place(p, AG_COMPLEX, p->slots * p->pixels, starts ? NULL : u0);
        ag_array *const scratch = place(p, AG_REAL, p->slots * p->plan.scratch, source);
        ag_array *const before = place(p, AG_COMPLEX, p->pixels, b0), *const start = place(p, AG_COMPLEX, n, o0);
        ag_array *const weight = place(p, AG_REAL, p->slots, w), *const weight_before = place(p, AG_REAL, p->slots, w0);
        wave *const t = take(p, n, sizeof *t);
        double *const g = take(p, n, sizeof *g);
        for (int64_t i = 0; i < n; i++) {
            t[i] = wave_at(t0, i);
            g[i] = (double)g0[i];
        }
        /* The frames' windows overlap: one after another. */
        for (int64_t s = 0; s < p->slots; s++) {
            const ag_array one = ag_view(scratch, s * p->plan.scratch), frame = ag_view(p->d_frame, s);
            const ag_array now = ag_view(weight, s), then = ag_view(weight_before, s);
            ag_array kept = ag_view(told, s * p->pixels);
            ag_run_ep_update(p->program, 1, &one, p->plan.table_y, &frame, p->d_corner, p->d_fraction, number, p->object_cols,
                             probe, 0, precision, &kept, before, start, &now, &then, least, least_before, starts,
                             apart, p->spill);
        }
        for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, k = i % p->pixels, at = window_at(p, p->frame[s], k / p->cols, k % p->cols);
            const wave q = wave_at(p->probe, k), q0 = apart ? wave_at(b0, k) : q;
            const double a = fmax(power(q), least), a0 = apart ? fmax(power(q0), least_before) : a;
            t[at] += (apart ? (double)w[s] : 1) * conj(q) * u[i];
            g[at] += (double)w[s] * a;
            if (starts) {
                t[at] -= wave_at(o0, at);
                g[at] -= 1;
            } else {
                t[at] -= apart ? (double)w0[s] * conj(q0) * wave_at(u0, i) : 0;
                g[at] -= (double)w0[s] * a0;
            }
        }
        compare(p, "number", 2 * n, fetch(p, number), (const double *)t);
        compare(p, "precision", n, fetch(p, precision), g);
        if (apart)
            compare(p, "told", 2 * p->slots * p->pixels, fetch(p, told), (const double *)u);
    }
}

void
check_ep_mean(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const ag_real *const g = precisions(p, n, 0.5);
    ag_array *const object = place(p, AG_COMPLEX, n, NULL);
    wave *const o = take(p, n, sizeof *o);
    for (int64_t i = 0; i < n; i++)
        o[i] = wave_at(p->object, i) / (double)g[i];
    ag_run_ep_mean(p->program, n, object, p->d_object, place(p, AG_REAL, n, g));
    compare(p, "object", 2 * n, fetch(p, object), (const double *)o);
}

void
check_ep_terms(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    for (int variant = 0; variant < 4; variant++) {
        const int more = variant & 1, keep = variant >> 1;
        const ag_complex *const begun = random_complex(p, p->pixels);
        const ag_real *const old = precisions(p, p->pixels, 0), *const g = precisions(p, n, 0.5);
        const ag_real *const gamma = precisions(p, p->frames, 0.5);
        ag_array *const number = place(p, AG_COMPLEX, p->pixels, more ? begun : NULL);
        ag_array *const term = place(p, AG_COMPLEX, p->slots * p->pixels, NULL);
        ag_array *const density = place(p, AG_REAL, p->pixels, more ? old : NULL);
        wave *const e_term = take(p, p->slots * p->pixels, sizeof *e_term), *const e = take(p, p->pixels, sizeof *e);
        double *const d = take(p, p->pixels, sizeof *d);
        ag_run_ep_terms(p->program, p->rows, number, term, density, p->slots, !more, keep, p->d_frame, p->d_corner,
                        p->d_object, place(p, AG_REAL, n, g), p->object_cols, place(p, AG_REAL, p->frames, gamma),
                        p->d_stack);
        for (int64_t i = 0; i < p->pixels && more; i++) {
            e[i] = wave_at(begun, i);
            d[i] = (double)old[i];
        }
        for (int64_t i = 0; i < p->slots * p->pixels; i++) {
            const int64_t j = p->frame[i / p->pixels], at = window_at(p, j, i / p->cols % p->rows, i % p->cols);
            e_term[i] = (double)gamma[j] * conj(wave_at(p->object, at)) * wave_at(p->stack, i);
            e[i % p->pixels] += e_term[i];
            d[i % p->pixels] += (double)gamma[j] * (power(wave_at(p->object, at)) + 1 / (double)g[at]);
        }
        if (keep)
            compare(p, "term", 2 * p->slots * p->pixels, fetch(p, term), (const double *)e_term);
        else
            compare(p, "number", 2 * p->pixels, fetch(p, number), (const double *)e);
        compare(p, "density", p->pixels, fetch(p, density), d);
    }
}

void
check_ep_residual(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols, segments = p->plan.tops / p->rows;
    const ag_real *const g = precisions(p, n, 0.5);
    for (int64_t step = 0; step <= p->pixels; step += p->pixels) {
        ag_array *const residual = place(p, AG_REAL, p->slots * p->plan.tops, NULL);
        double *const sum = take(p, p->slots * p->plan.tops, sizeof *sum);
        ag_run_ep_residual(p->program, p->slots * p->rows, residual, p->d_frame, p->d_corner, p->d_object,
                           place(p, AG_REAL, n, g), p->object_cols, p->d_probe, step, p->d_stack);
        for (int64_t i = 0; i < p->slots * p->pixels; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            const int64_t at = window_at(p, p->frame[s], y, x);
            const wave q = reference_probe(p, s, y, x, step);
            sum[(s * p->rows + y) * segments + x / AG_SEGMENT] +=
                power(wave_at(p->stack, i) - wave_at(p->object, at) * q) + power(q) / (double)g[at];
        }
        compare(p, "residual", p->slots * p->plan.tops, fetch(p, residual), sum);
    }
}

void
check_ep_gamma(problem *p)
{
    const double least = 0.45 * (double)p->pixels / (double)p->plan.tops; /* above some, below others */
    const ag_real *const residual = precisions(p, p->slots * p->plan.tops, 0.1);
    ag_array *const gamma = place(p, AG_REAL, p->frames, NULL);
    double *const sum = take(p, p->slots, sizeof *sum);
    ag_real *const found = take(p, p->slots, sizeof *found);
    ag_run_ep_gamma(p->program, p->slots, gamma, p->d_frame, place(p, AG_REAL, p->slots * p->plan.tops, residual), least);
    for (int64_t i = 0; i < p->slots * p->plan.tops; i++)
        sum[i / p->plan.tops] += (double)residual[i];
    const ag_real *const all = fetch(p, gamma);
    for (int64_t s = 0; s < p->slots; s++) {
        sum[s] = fmax((double)p->pixels / sum[s], least);
        found[s] = all[p->frame[s]];
    }
    compare(p, "gamma", p->slots, found, sum);
}

void
check_ep_prior(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const double rho = 0.3;
    const ag_complex *const t0 = random_complex(p, n), *const m0 = random_complex(p, n);
    ag_real *const g0 = precisions(p, n, 3), *const mine = precisions(p, n, 1);
    ag_array *const number = place(p, AG_COMPLEX, n, t0), *const message = place(p, AG_COMPLEX, n, m0);
    wave *const t = take(p, n, sizeof *t), *const m = take(p, n, sizeof *m);
    double *const g = take(p, n, sizeof *g), *const told = take(p, n, sizeof *told);
    for (int64_t i = 0; i < n; i++) {
        const double old = (double)mine[i];
        const wave rest = wave_at(t0, i) - old * wave_at(m0, i);
        const double c = fmax((double)g0[i] - old, 1), v = 1 / c;
        const wave mean = rest / c;
        const double slab = rho * exp(-power(mean) / (1 + v)) / (1 + v), spike = (1 - rho) * exp(-power(mean) / v) / v;
        const double w = slab / (slab + spike + 1e-8);
        const wave mu = w * mean / (1 + v);
        const double variance =
            fmax(w * (power(mean) / ((1 + v) * (1 + v)) + v / (1 + v)) - power(mu), 1e-8);
        told[i] = fmax(1 / variance - c, 1);
        m[i] = (mu / variance - c * mean) / told[i];
        g[i] = (double)g0[i] - old + told[i];
        t[i] = rest + told[i] * m[i];
    }
    ag_array *const precision = place(p, AG_REAL, n, g0), *const told_precision = place(p, AG_REAL, n, mine);
    ag_run_ep_prior(p->program, n, number, precision, message, told_precision, rho);
    compare(p, "number", 2 * n, fetch(p, number), (const double *)t);
    compare(p, "precision", n, fetch(p, precision), g);
    compare(p, "message", 2 * n, fetch(p, message), (const double *)m);
    compare(p, "message_precision", n, fetch(p, told_precision), told);
}

void
check_ep_noise(problem *p)
{
    const int64_t n = 1000;
    const double pixels = 777;
    const ag_real *const noise = precisions(p, n, 0.1);
    ag_array *const all = place(p, AG_REAL, n, noise);
    for (int64_t count = 1; count <= n; count *= 10) {
        ag_array *const variance = place(p, AG_REAL, 1, NULL);
        double sum = 0;
        for (int64_t i = 0; i < count; i++)
            sum += (double)noise[i] / pixels;
        sum = fmax(sum, 0.01);
        ag_run_ep_noise(p->program, 1, variance, all, count, pixels, 0.01);
        compare(p, "variance", 1, fetch(p, variance), &sum);
    }
}
