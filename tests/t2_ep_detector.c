/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_ep_detector.c -- PtychoEP's kernels at the detector against their formulas. */
#include <math.h>
#include <string.h>

#include "t2_kernels.h"

static const ag_array *
table_of(const problem *p)
{
    return p->near ? p->plan.table_y : p->plan.table_x;
}

void
check_ep_start(problem *p)
{
    const middle m = middle_begin(p, 0);
    (p->near ? ag_run_near_ep_start : ag_run_ep_start)(p->program, p->slots, m.kept, m.scratch,
                                                       table_of(p), m.scale, p->spill);
    compare_strips(p, p->near, "state", m.kept, m.psi);
}

void
check_near_ep_start(problem *p)
{
    check_ep_start(p);
}

/* What ep_weigh and ep_project read, and what they should find. */
typedef struct belief {
    middle m;
    ag_array *spread, *gamma, *noise;
    double *here, *there, *tau, v, unit; /* of each slot but for the last two */
} belief;

static belief
belief_begin(problem *p, int64_t first)
{
    belief b = {.m = middle_begin(p, first), .v = 0.125, .unit = 0.5};
    b.here = take(p, p->slots, sizeof *b.here);
    b.there = take(p, p->slots, sizeof *b.there);
    b.tau = take(p, p->slots, sizeof *b.tau);
    const ag_real v = (ag_real)b.v;
    const int64_t parts = p->plan.shape.strips_x;
    ag_real *const spread = precisions(p, p->slots * parts, 0.5);
    ag_real *const gamma = precisions(p, p->slots, 0.5);
    for (int64_t s = 0; s < p->slots; s++) {
        double sum = 0;
        for (int64_t i = 0; i < parts; i++) {
            /* The first slot knows less than it was told, so its cavity is cut off. */
            spread[s * parts + i] *= (ag_real)((s ? 0.02 : 9.0) * (double)p->pixels / (double)parts);
            sum += (double)spread[s * parts + i];
        }
        b.here[s] = (double)p->pixels / sum;
        b.there[s] = (double)gamma[s];
        b.tau[s] = fmax(b.here[s] - b.there[s], b.unit);
    }
    b.spread = place(p, AG_REAL, p->slots * parts, spread);
    b.gamma = place(p, AG_REAL, p->slots, gamma);
    b.noise = place(p, AG_REAL, 1, &v);
    return b;
}

/* Pixel i of the stack, whose cavity is z: posterior mean and variance. */
static void
likelihood(const problem *p, const belief *b, int64_t i, wave z, wave *zhat, double *vhat)
{
    const int64_t s = i / p->pixels;
    const double a = data_at(p, &b->m, i), w = 1 / b->tau[s];
    *zhat = z;
    *vhat = w;
    if (a < UNMEASURED) {
        const double r = fmax(cabs(z), 1e-8 / sqrt(b->unit));
        *zhat = z / r * (w * a + 2 * b->v * r) / (w + 2 * b->v);
        *vhat = fmax(w * (w * a + 4 * b->v * r) / (2 * r * (w + 2 * b->v)), 1e-8 / b->unit);
    }
}

void
check_ep_weigh(problem *p)
{
    const belief b = belief_begin(p, 1);
    const int64_t count = p->slots * p->strips;
    ag_array *const variance = place(p, AG_REAL, count, NULL), *const noise =
                                                                   place(p, AG_REAL, count, NULL);
    double *const variances = take(p, count, sizeof *variances), *const errors =
                                                                     take(p, count, sizeof *errors);
    double *const noises = take(p, count, sizeof *noises);
    (p->near ? ag_run_near_ep_weigh : ag_run_ep_weigh)(
        p->program, p->slots, b.m.scratch, table_of(p), variance, b.m.error, noise, p->d_frame, b.m.first,
        b.m.measured, b.m.scale, b.m.kept, b.spread, b.gamma, b.noise, b.unit, p->spill);
    wave *const cavity = take(p, p->slots * p->pixels, sizeof *cavity);
    for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
        const int64_t s = i / p->pixels;
        const double a = data_at(p, &b.m, i);
        const wave z = (b.here[s] * b.m.psi[i] - b.there[s] * b.m.phi[i]) / b.tau[s];
        wave zhat;
        double vhat;
        likelihood(p, &b, i, z, &zhat, &vhat);
        cavity[i] = z;
        variances[strip_of(p, i)] += vhat;
        if (a < UNMEASURED) {
            /* With a negative amplitude zhat may point against z. */
            const double along = creal(zhat * conj(z)) / cabs(z);
            errors[strip_of(p, i)] += (cabs(z) - a) * (cabs(z) - a);
            noises[strip_of(p, i)] += (along - a) * (along - a) + vhat / 2;
        }
    }
    compare_strips(p, 0, "cavity", b.m.scratch, cavity);
    compare(p, "variance", count, fetch(p, variance), variances);
    compare(p, "error", count, fetch(p, b.m.error), errors);
    compare(p, "noise", count, fetch(p, noise), noises);
}

void
check_near_ep_weigh(problem *p)
{
    check_ep_weigh(p);
}

void
check_ep_project(problem *p)
{
    const double damping = 0.7;
    for (int variant = 0; variant < 4; variant++) {
        const int cautious = variant & 1, apart = variant == 1, starts = variant == 2;
        const belief b = belief_begin(p, cautious);
        ag_real *const told_before = precisions(p, p->slots, 0.5);
        const wave *const z = from_strips(p, 0, b.m.source); /* anything may stand for the cavities */
        ag_real *const variance = precisions(p, p->slots * p->strips, 0.5);
        ag_array *const fresh = place(p, AG_REAL, p->slots, NULL);
        ag_array *const weight = place(p, AG_REAL, p->slots, NULL);
        wave *const on = take(p, p->slots * p->pixels, sizeof *on);
        wave *const kept = take(p, p->slots * p->pixels, sizeof *kept);
        double *const gamma = take(p, p->slots, sizeof *gamma), *const sure = take(p, p->slots, sizeof *sure);
        double *const told = take(p, p->slots, sizeof *told), *const d = take(p, p->slots, sizeof *d);
        for (int64_t s = 0; s < p->slots; s++) {
            double sum = 0;
            for (int64_t i = 0; i < p->strips; i++) {
                /* The last slot's data say less than the cavity: its message is cut off, or kept. */
                variance[s * p->strips + i] *=
                    (ag_real)((s < p->slots - 1 ? 0.01 : 2.0) * (double)p->pixels / (double)p->strips);
                sum += (double)variance[s * p->strips + i];
            }
            sure[s] = (double)p->pixels / sum;
            told[s] = fmax(sure[s] - b.tau[s], b.unit);
            d[s] = cautious && sure[s] <= b.tau[s] ? 0 : damping;
            gamma[s] = pow(d[s] / sqrt(told[s]) + (1 - d[s]) / sqrt(b.there[s]), -2);
        }
        (p->near ? ag_run_near_ep_project
                 : ag_run_ep_project)(p->program, p->slots, b.m.scratch, table_of(p), b.m.kept, fresh,
                                      weight, p->d_frame, b.m.first, b.m.measured, b.m.scale,
                                      b.spread, place(p, AG_REAL, p->slots * p->strips, variance),
                                      b.gamma, place(p, AG_REAL, p->slots, told_before), b.noise, b.unit, damping,
                                      cautious, apart, starts, p->spill);
        for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels;
            wave zhat;
            double vhat;
            likelihood(p, &b, i, z[i], &zhat, &vhat);
            kept[i] = d[s] * (sure[s] * zhat - b.tau[s] * z[i]) / told[s] + (1 - d[s]) * b.m.phi[i];
            on[i] = b.m.scale * (apart ? kept[i] : gamma[s] * kept[i] - (starts ? 0 : (double)told_before[s]) * b.m.phi[i]);
        }
        if (p->compares && p->near)
            reference_columns(p, on, p->slots, -1);
        else if (p->compares)
            reference_rows(p, on, p->slots, 1);
        compare_strips(p, 0, "wave", b.m.scratch, on);
        compare_strips(p, p->near, "message", b.m.kept, kept);
        const ag_real *const f = fetch(p, fresh);
        ck_assert(memcmp(f, fetch(p, weight), (size_t)p->slots * sizeof *f) == 0);
        compare(p, "gamma", p->slots, f, gamma);
    }
}

void
check_near_ep_project(problem *p)
{
    check_ep_project(p);
}
