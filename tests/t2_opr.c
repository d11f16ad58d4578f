/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_opr.c -- the kernels of a probe that varies against their formulas. */
#include <math.h>

#include "t2_kernels.h"

#define COUNT 2 /* eigen-probes */

void
check_opr_probe(problem *p)
{
    const ag_real *const w = random_reals(p, p->frames * (COUNT + 1));
    const ag_complex *const e = random_complex(p, COUNT * p->pixels);
    const int64_t n = p->slots * p->windows;
    ag_array *const result = place(p, AG_COMPLEX, n, NULL);
    wave *const expected = take(p, n, sizeof *expected);
    ag_run_opr_probe(p->program, n, result, p->d_probe, place(p, AG_COMPLEX, COUNT * p->pixels, e),
                     place(p, AG_REAL, p->frames * (COUNT + 1), w), COUNT, p->d_frame);
    for (int64_t i = 0; i < n; i++) {
        const ag_real *const of = w + p->frame[i / p->windows] * (COUNT + 1);
        const int64_t pixel = i % p->windows;
        expected[i] = wave_at(p->probe, pixel);
        if (pixel < p->pixels) {
            expected[i] *= (double)of[0];
            for (int l = 0; l < COUNT; l++)
                expected[i] += (double)of[l + 1] * wave_at(e, l * p->pixels + pixel);
        }
    }
    compare(p, "probes", 2 * n, fetch(p, result), (const double *)expected);
}

void
check_opr_project(problem *p)
{
    const int64_t n = p->slots * p->pixels;
    const double share = 0.25;
    for (int fresh = 0; fresh < 2; fresh++) {
        const ag_complex *const old = random_complex(p, n), *const mean = random_complex(p, p->pixels);
        const ag_complex *const before = random_complex(p, p->pixels), *const e = random_complex(p, p->pixels);
        const ag_real *const sums = random_reals(p, 3 * p->slots);
        ag_array *const rest = place(p, AG_COMPLEX, n, old), *const along = place(p, AG_REAL, p->slots, NULL);
        wave *const r = take(p, n, sizeof *r);
        double *const sum = take(p, p->slots, sizeof *sum);
        ag_run_opr_project(p->program, p->slots, rest, along, fresh, p->d_stack, place(p, AG_COMPLEX, p->pixels, mean), share,
                           place(p, AG_COMPLEX, p->pixels, before), place(p, AG_REAL, 3 * p->slots, sums),
                           place(p, AG_COMPLEX, p->pixels, e));
        for (int64_t i = 0; i < n; i++) {
            const int64_t s = i / p->pixels, pixel = i % p->pixels;
            r[i] = fresh ? wave_at(p->stack, s * p->windows + pixel) - share * wave_at(mean, pixel)
                         : wave_at(old, i) - (double)sums[3 * s + 2] / (double)p->pixels * wave_at(before, pixel);
            sum[s] += creal(conj(r[i]) * wave_at(e, pixel));
        }
        compare(p, "rest", 2 * n, fetch(p, rest), (const double *)r);
        compare(p, "along", p->slots, fetch(p, along), sum);
    }
}

void
check_opr_direction(problem *p)
{
    const ag_real *const w = random_reals(p, p->frames * (COUNT + 1)), *const along = random_reals(p, p->slots);
    const ag_complex *const rest = random_complex(p, p->slots * p->pixels);
    ag_array *const direction = place(p, AG_COMPLEX, p->pixels, NULL);
    wave *const expected = take(p, p->pixels, sizeof *expected);
    const int which = 2;
    ag_run_opr_direction(p->program, p->pixels, direction, place(p, AG_COMPLEX, p->slots * p->pixels, rest),
                         place(p, AG_REAL, p->slots, along), place(p, AG_REAL, p->frames * (COUNT + 1), w), COUNT, which, p->d_frame,
                         p->slots);
    for (int64_t i = 0; i < p->slots * p->pixels; i++) {
        const int64_t s = i / p->pixels;
        expected[i % p->pixels] += wave_at(rest, i) * ((double)along[s] / (double)p->pixels +
                                                     (double)w[p->frame[s] * (COUNT + 1) + which]);
    }
    compare(p, "direction", 2 * p->pixels, fetch(p, direction), (const double *)expected);
}

static double
mean_square(const wave *z, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += creal(z[i] * conj(z[i])) / (double)n;
    return sum;
}

/* Along a direction, and where there is none. */
void
check_opr_turn(problem *p)
{
    const double relax = 0.1;
    for (int dark = 0; dark < 2; dark++) {
        const ag_complex *const e = random_complex(p, p->pixels);
        ag_complex *const d = random_complex(p, p->pixels);
        wave *const direction = take(p, p->pixels, sizeof *direction), *const expected = take(p, p->pixels, sizeof *expected);
        for (int64_t i = 0; i < p->pixels; i++) {
            d[i] = dark ? (ag_complex){0, 0} : d[i];
            direction[i] = wave_at(d, i);
        }
        ag_array *const eigen = place(p, AG_COMPLEX, p->pixels, e);
        ag_run_opr_turn(p->program, 1, eigen, place(p, AG_COMPLEX, p->pixels, d), relax);
        for (int64_t i = 0; i < p->pixels; i++)
            expected[i] = wave_at(e, i) + (dark ? 0 : relax / sqrt(mean_square(direction, p->pixels)) * direction[i]);
        const double size = sqrt(mean_square(expected, p->pixels));
        for (int64_t i = 0; i < p->pixels; i++)
            expected[i] /= size;
        compare(p, "eigen-probe", 2 * p->pixels, fetch(p, eigen), (const double *)expected);
    }
}

static wave
object_at(const problem *p, int64_t j, int64_t y, int64_t x)
{
    const double fy = p->at->linear ? (double)p->fraction[2 * j] : 0, fx = p->at->linear ? (double)p->fraction[2 * j + 1] : 0;
    wave o = 0;
    for (int k = 0; k < (p->at->linear ? 4 : 1); k++)
        o += (k / 2 ? fy : 1 - fy) * (k % 2 ? fx : 1 - fx) *
             wave_at(p->object, (p->corner[2 * j] + y + k / 2) * p->object_cols + p->corner[2 * j + 1] + x + k % 2);
    return o;
}

void
check_opr_sums(problem *p)
{
    const int64_t segments = p->plan.tops / p->rows, parts = segments * ((p->rows + 15) / 16), count = 3 * p->slots * parts;
    const ag_complex *const rest = random_complex(p, p->slots * p->pixels), *const e = random_complex(p, p->pixels);
    ag_array *const partial = place(p, AG_REAL, count, NULL);
    double *const sum = take(p, count, sizeof *sum);
    ag_run_opr_sums(p->program, p->slots, partial, p->d_frame, p->d_corner, p->d_fraction, p->d_object, p->object_cols, p->d_stack,
                    place(p, AG_COMPLEX, p->slots * p->pixels, rest), place(p, AG_COMPLEX, p->pixels, e));
    for (int64_t i = 0; i < p->slots * p->pixels && p->compares; i++) {
        const int64_t s = i / p->pixels, pixel = i % p->pixels, y = pixel / p->cols, x = pixel % p->cols;
        const wave here = wave_at(e, pixel), z = here * object_at(p, p->frame[s], y, x);
        const double term[3] = {creal(conj(wave_at(p->stack, s * p->windows + pixel)) * here), creal(z * conj(z)),
                                creal(conj(wave_at(rest, i)) * here)};
        for (int k = 0; k < 3; k++)
            sum[(s * 3 + k) * parts + y / 16 * segments + x / AG_SEGMENT] += term[k];
    }
    compare(p, "sums", count, fetch(p, partial), sum);
}

/* Frames of other ranks before and behind; and those that no light reaches. */
void
check_opr_weights(problem *p)
{
    const int64_t n = p->frames * (COUNT + 1), before = 3, all = p->slots + 5;
    const int which = 1;
    const double relax = 0.5, damping = 0.1;
    for (int dark = 0; dark < 2; dark++) {
        const ag_real *const w = random_reals(p, n);
        ag_real *const sums = random_reals(p, 3 * all);
        ag_array *const weight = place(p, AG_REAL, n, w);
        double *const expected = take(p, n, sizeof *expected), mean = 0;
        for (int64_t i = 0; i < all; i++) {
            sums[3 * i + 1] = dark ? 0 : sums[3 * i + 1] * sums[3 * i + 1] + 1;
            mean += (double)sums[3 * i + 1] / (double)all;
        }
        ag_run_opr_weights(p->program, p->slots, weight, COUNT, which, p->d_frame, place(p, AG_REAL, 3 * all, sums), before, all, relax,
                           damping);
        for (int64_t i = 0; i < n; i++)
            expected[i] = (double)w[i];
        for (int64_t s = 0; s < p->slots && !dark; s++) {
            const ag_real *const a = sums + 3 * (before + s);
            expected[p->frame[s] * (COUNT + 1) + which] += relax * (double)a[0] / ((double)a[1] + damping * mean);
        }
        compare(p, "weights", n, fetch(p, weight), expected);
    }
}
