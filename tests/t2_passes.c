/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_passes.c -- the passes of the fused propagation against their formulas. */
#include <math.h>

#include "t2_kernels.h"

/* ---- first and last pass --------------------------------------------------------------- */

void
compare_strips(problem *p, int near, const char *what, const ag_array *strips, const wave *expected)
{
    const ag_real *const values = fetch(p, strips);
    if (!p->compares)
        return;
    const wave *const found = from_strips(p, near, values);
    ag_real *const flat = take(p, 2 * p->waves * p->pixels, sizeof *flat);
    for (int64_t i = 0; i < p->waves * p->pixels; i++) {
        flat[2 * i] = (ag_real)creal(found[i]);
        flat[2 * i + 1] = (ag_real)cimag(found[i]);
    }
    compare(p, what, 2 * p->waves * p->pixels, flat, (const double *)expected);
}

static void
compare_scratch(problem *p, const char *what, const ag_array *scratch, const wave *expected)
{
    compare_strips(p, 0, what, scratch, expected);
}

static void
check_load(problem *p, ag_load *load, int with_object)
{
    for (int64_t step = 0; step <= p->windows; step += p->windows) {
        ag_array *const scratch = place(p, AG_REAL, p->waves * p->plan.scratch, NULL);
        wave *const expected = take(p, p->waves * p->pixels, sizeof *expected);
        load(p->program, p->waves, scratch, p->plan.table_y, p->d_frame, p->d_corner, p->d_fraction,
             with_object ? p->d_object : NULL, p->object_cols, p->d_probe, step, p->spill);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            expected[i] = reference_probe(p, s, y, x, step) *
                          (with_object ? reference_window(p, p->frame[s / p->modes], y, x) : 1);
        }
        if (p->compares)
            reference_columns(p, expected, p->waves, -1);
        compare_scratch(p, step ? "a probe for each slot" : "one probe", scratch, expected);
    }
}

void
check_load_exit(problem *p)
{
    check_load(p, ag_run_load_exit, 1);
}

void
check_load_probe(problem *p)
{
    check_load(p, ag_run_load_probe, 0);
}

/* Random frames, row frequencies by position, and the same in strips. */
static wave *
random_frames(problem *p, int near, double scale, ag_real **strips)
{
    wave *const frame = take(p, p->waves * p->pixels, sizeof *frame);
    for (int64_t i = 0; i < p->waves * p->pixels; i++)
        frame[i] = i < PERIOD ? scale * (ag_random_normal(&p->random) + I * ag_random_normal(&p->random))
                              : frame[i - PERIOD];
    *strips = to_strips(p, near, frame);
    return p->compares ? from_strips(p, near, *strips) : frame; /* rounded as the kernel finds them */
}

static void
check_store(problem *p, ag_store *store, int difference)
{
    ag_real *source;
    const double size = 1 / sqrt((double)p->rows);
    wave *const frame = random_frames(p, 0, size, &source);
    ag_array *const scratch = place(p, AG_REAL, p->waves * p->plan.scratch, source);
    if (p->compares)
        reference_columns(p, frame, p->waves, 1);
    for (int64_t step = 0; step <= p->windows; step += p->windows) {
        ag_array *const result = place(p, AG_COMPLEX, p->waves * p->pixels, NULL);
        wave *const expected = take(p, p->waves * p->pixels, sizeof *expected);
        store(p->program, p->waves, result, scratch, p->plan.table_y, p->d_frame, p->d_corner,
              p->d_fraction, difference ? p->d_object : NULL, p->object_cols,
              difference ? p->d_probe : NULL, step, p->spill);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            expected[i] = frame[i];
            if (difference)
                expected[i] -=
                    reference_probe(p, s, y, x, step) * reference_window(p, p->frame[s / p->modes], y, x);
        }
        compare(p, step ? "a probe for each slot" : "one probe", 2 * p->waves * p->pixels,
                fetch(p, result), (const double *)expected);
    }
}

void
check_store_difference(problem *p)
{
    check_store(p, ag_run_store_difference, 1);
}

void
check_store_stack(problem *p)
{
    check_store(p, ag_run_store_stack, 0);
}

/* ---- middle passes ----------------------------------------------------------------------- */


middle
middle_begin(problem *p, int64_t first)
{
    middle m = {.first = first, .scale = 1 / sqrt((double)p->pixels)};
    const int64_t count = (p->frames - first) * p->pixels;
    m.amplitude = take(p, count, sizeof *m.amplitude);
    for (int64_t i = 0; i < AG_MIN(count, PERIOD); i++) {
        const double dice = ag_random_uniform(&p->random), a = fabs(ag_random_normal(&p->random));
        m.amplitude[i] = dice < 0.1 ? UNMEASURED : (ag_real)(dice < 0.2 ? -a : a);
    }
    for (int64_t i = PERIOD; i < count; i++)
        m.amplitude[i] = m.amplitude[i - PERIOD];
    m.psi = random_frames(p, 0, sqrt((double)(p->near ? p->cols : p->rows)), &m.source);
    m.phi = random_frames(p, p->near, 1, &m.state);
    if (p->compares && p->near)
        reference_columns(p, m.psi, p->waves, 1);
    else if (p->compares)
        reference_rows(p, m.psi, p->waves, -1);
    for (int64_t i = 0; i < p->waves * p->pixels; i++)
        m.psi[i] *= m.scale;
    m.scratch = place(p, AG_REAL, p->waves * p->plan.scratch, m.source);
    m.kept = place(p, AG_REAL, strip_reals(p, p->near), m.state);
    m.measured = place(p, AG_REAL, (p->frames - first) * p->stored,
                       to_amplitudes(p, m.amplitude, p->frames - first));
    m.error = place(p, AG_REAL, p->slots * p->strips, NULL);
    return m;
}

double
data_at(const problem *p, const middle *m, int64_t i)
{
    return m->amplitude[(p->frame[i / p->windows] - m->first) * p->pixels + i % p->pixels];
}

int64_t
strip_of(const problem *p, int64_t i)
{
    return i / p->windows * p->strips +
           (p->near ? i % p->cols : i % p->pixels / p->cols) / p->plan.shape.tile;
}

double
modulus_of(const problem *p, const wave *w, int64_t i)
{
    double sum = 0;
    for (int64_t k = 0; k < p->modes; k++) {
        const wave one = w[i / p->windows * p->windows + k * p->pixels + i % p->pixels];
        sum += creal(one * conj(one));
    }
    return sqrt(sum);
}

/* The sum over each strip of term(|psi| - a), measured pixels only. */
static void
compare_sums(problem *p, const char *what, const middle *m, const ag_array *found,
             double (*term)(double))
{
    const int64_t strips = p->strips;
    double *const sum = take(p, p->slots * strips, sizeof *sum);
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
        const double a = data_at(p, m, i);
        if (a < UNMEASURED && i % p->windows < p->pixels)
            sum[strip_of(p, i)] += term(modulus_of(p, m->psi, i) - a);
    }
    compare(p, what, p->slots * strips, fetch(p, found), sum);
}

static double
square(double x)
{
    return x * x;
}

/* a w / (max(|w|, LEAST) + GUARD) at pixel i, or w where nothing was measured. */
static wave
project(const problem *p, double a, const wave *w, int64_t i)
{
    return a < UNMEASURED ? a * w[i] / (fmax(modulus_of(p, w, i), LEAST) + GUARD) : w[i];
}

wave *
detect(problem *p, const middle *m, int kind, int start, wave **kept)
{
    wave *const on = take(p, p->waves * p->pixels, sizeof *on), *const z = take(p, p->waves * p->pixels, sizeof *z);
    *kept = take(p, p->waves * p->pixels, sizeof *on);
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++)
        z[i] = kind == MODULUS || start ? m->psi[i]
               : kind == DM             ? 2 * m->psi[i] - m->phi[i]
                                        : m->phi[i] + 2 * BETA * m->psi[i];
    for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
        on[i] = project(p, data_at(p, m, i), z, i);
        if (kind == DM)
            (*kept)[i] = on[i] += start ? 0 : m->phi[i] - m->psi[i];
        else if (kind == RAAR)
            (*kept)[i] = BETA * (z[i] - m->psi[i]) + (1 - 2 * BETA) * on[i];
        on[i] *= m->scale;
    }
    return on;
}

static void
check_middle(problem *p, int kind, int64_t first, int start)
{
    const middle m = middle_begin(p, first);
    const ag_array *const table = p->near ? p->plan.table_y : p->plan.table_x;
    if (kind == MODULUS)
        (p->near ? ag_run_near_modulus : ag_run_modulus)(p->program, p->slots, m.scratch, table, m.error, p->d_frame,
                                                         first, m.measured, m.scale, LEAST, GUARD, p->spill);
    else if (kind == DM)
        (p->near ? ag_run_near_modulus_dm
                 : ag_run_modulus_dm)(p->program, p->slots, m.scratch, table, m.error, m.kept, p->d_frame, first,
                                      m.measured, m.scale, LEAST, GUARD, start, p->spill);
    else
        (p->near ? ag_run_near_modulus_raar
                 : ag_run_modulus_raar)(p->program, p->slots, m.scratch, table, m.error, m.kept, p->d_frame, first,
                                        m.measured, m.scale, LEAST, GUARD, BETA, start, p->spill);
    wave *kept;
    wave *const on = detect(p, &m, kind, start, &kept);
    if (p->compares && p->near)
        reference_columns(p, on, p->waves, -1);
    else if (p->compares)
        reference_rows(p, on, p->waves, 1);
    compare_scratch(p, "wave", m.scratch, on);
    if (kind != MODULUS)
        compare_strips(p, p->near, "state", m.kept, kept);
    compare_sums(p, "error", &m, m.error, square);
}

void
check_modulus(problem *p)
{
    check_middle(p, MODULUS, 0, 0);
    check_middle(p, MODULUS, 1, 0);
}

void
check_modulus_dm(problem *p)
{
    check_middle(p, DM, 0, 1);
    check_middle(p, DM, 1, 0);
}

void
check_modulus_raar(problem *p)
{
    check_middle(p, RAAR, 0, 1);
    check_middle(p, RAAR, 1, 0);
}

void
check_near_modulus(problem *p)
{
    check_modulus(p);
}

void
check_near_modulus_dm(problem *p)
{
    check_modulus_dm(p);
}

void
check_near_modulus_raar(problem *p)
{
    check_modulus_raar(p);
}

void
check_measure(problem *p)
{
    const middle m = middle_begin(p, 1);
    ag_array *const distances = place(p, AG_REAL, p->slots * p->strips, NULL);
    (p->near ? ag_run_near_measure
             : ag_run_measure)(p->program, p->slots, m.error, distances, m.scratch,
                               p->near ? p->plan.table_y : p->plan.table_x, p->d_frame, m.first, m.measured,
                               m.scale, p->spill);
    compare_sums(p, "squares", &m, m.error, square);
    compare_sums(p, "distances", &m, distances, fabs);
}

void
check_power(problem *p)
{
    const middle m = middle_begin(p, 1);
    double *const expected = take(p, p->slots * p->strips, sizeof *expected);
    (p->near ? ag_run_near_power
             : ag_run_power)(p->program, p->slots, m.error, m.scratch, p->near ? p->plan.table_y : p->plan.table_x,
                             p->d_frame, m.first, m.measured, m.scale, p->spill);
    for (int64_t i = 0; i < p->waves * p->pixels; i++)
        if (data_at(p, &m, i) < UNMEASURED)
            expected[strip_of(p, i)] += creal(m.psi[i] * conj(m.psi[i]));
    compare(p, "power", p->slots * p->strips, fetch(p, m.error), expected);
}

void
check_near_power(problem *p)
{
    check_power(p);
}

void
check_near_measure(problem *p)
{
    check_measure(p);
}

/* Factor i of the ramp of frame j; positions of the rows, then of the columns. */
static wave
ramp_at(const problem *p, int64_t j, int64_t i)
{
    const double n = (double)(i < p->rows ? p->rows : p->cols), k = (double)p->frequency[i];
    const double f = (double)p->fraction[2 * j + (i < p->rows ? 0 : 1)];
    return cexp(-2 * PI * I * f * (2 * k < n ? k : k - n) / n);
}

static wave *
all_ramps(problem *p, ag_complex **rounded)
{
    const int64_t length = p->rows + p->cols;
    wave *const ramp = take(p, p->frames * length, sizeof *ramp);
    *rounded = take(p, p->frames * length, sizeof **rounded);
    for (int64_t i = 0; i < p->frames * length; i++) {
        ramp[i] = ramp_at(p, i / length, i % length);
        (*rounded)[i].re = (ag_real)creal(ramp[i]);
        (*rounded)[i].im = (ag_real)cimag(ramp[i]);
    }
    return ramp;
}

void
check_shift(problem *p)
{
    ag_complex *rounded;
    const int64_t length = p->rows + p->cols;
    const wave *const ramp = all_ramps(p, &rounded);
    ag_array *const d_ramp = place(p, AG_COMPLEX, p->frames * length, rounded);
    for (int sign = -1; sign <= 1; sign += 2) {
        ag_real *source;
        wave *const frame = random_frames(p, 0, 1, &source);
        ag_array *const scratch = place(p, AG_REAL, p->waves * p->plan.scratch, source);
        ag_run_shift(p->program, p->waves, scratch, p->plan.table_x, p->d_frame, d_ramp,
                     1 / (double)p->pixels, sign, p->spill);
        if (p->compares)
            reference_rows(p, frame, p->waves, -1);
        for (int64_t i = 0; i < p->waves * p->pixels; i++) {
            const wave *const own = ramp + p->frame[i / p->windows] * length;
            const wave turn = own[i / p->cols % p->rows] * own[p->rows + i % p->cols];
            frame[i] *= (sign > 0 ? turn : conj(turn)) / (double)p->pixels;
        }
        if (p->compares)
            reference_rows(p, frame, p->waves, 1);
        compare_scratch(p, sign > 0 ? "there" : "back", scratch, frame);
    }
}

void
check_transfer(problem *p)
{
    ag_complex *rounded;
    ag_real *factors, *source;
    const int64_t length = p->rows + p->cols;
    const wave *const ramp = all_ramps(p, &rounded), *const h = random_frames(p, 0, 1, &factors);
    ag_array *const d_ramp = place(p, AG_COMPLEX, p->frames * length, rounded);
    ag_array *const factor = place(p, AG_REAL, p->plan.scratch, factors); /* of the first slot: one frame */
    for (int variant = 0; variant < 4; variant++) {
        const int sign = variant & 1 ? 1 : -1, moved = variant & 2;
        wave *const frame = random_frames(p, 0, 1, &source);
        ag_array *const scratch = place(p, AG_REAL, p->waves * p->plan.scratch, source);
        ag_run_transfer(p->program, p->waves, scratch, p->plan.table_x, p->d_frame, factor, moved ? d_ramp : NULL,
                        moved, 1 / (double)p->pixels, sign, p->spill);
        if (p->compares)
            reference_rows(p, frame, p->waves, -1);
        for (int64_t i = 0; i < p->waves * p->pixels; i++) {
            const wave *const own = ramp + p->frame[i / p->windows] * length;
            const wave turn = own[i / p->cols % p->rows] * own[p->rows + i % p->cols];
            const wave there = h[i % p->pixels] * (moved ? conj(turn) : 1);
            frame[i] *= (sign > 0 ? there : conj(there)) / (double)p->pixels;
        }
        if (p->compares)
            reference_rows(p, frame, p->waves, 1);
        compare_scratch(p, sign > 0 ? "there" : "back", scratch, frame);
    }
}

void
check_ramp(problem *p)
{
    ag_complex *rounded;
    const int64_t count = p->frames * (p->rows + p->cols);
    const wave *const expected = all_ramps(p, &rounded);
    ag_array *const ramp = place(p, AG_COMPLEX, count, NULL);
    ag_run_ramp(p->program, count, ramp, p->d_fraction, p->plan.frequency);
    compare(p, "ramp", 2 * count, fetch(p, ramp), (const double *)expected);
}
