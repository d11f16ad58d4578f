/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_lsqml.c -- LSQ-ML's kernels against their formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_kernels.h"

static double
power(wave z)
{
    return creal(z * conj(z));
}

/* A box of the object: rows from top on, columns left ... right - 1. */
typedef struct box {
    int64_t top, rows, left, right, segments;
} box;

static box
box_of(const problem *p)
{
    box b = {1, p->object_rows - 2, 3, p->object_cols - 2, 0};
    b.segments = (b.right - b.left + AG_SEGMENT - 1) / AG_SEGMENT;
    return b;
}

static int
inside(const problem *p, const box *b, int64_t pixel)
{
    const int64_t row = pixel / p->object_cols, column = pixel % p->object_cols;
    return row >= b->top && row < b->top + b->rows && column >= b->left && column < b->right;
}

/* The weight of tap k (0 ... 3) of pixel (y, x) of frame j's window, and its place in the object. */
static double
tap(const problem *p, int64_t j, int64_t y, int64_t x, int k, int64_t *place)
{
    const double fy = (double)p->fraction[2 * j], fx = (double)p->fraction[2 * j + 1];
    *place = (p->corner[2 * j] + y + k / 2) * p->object_cols + p->corner[2 * j + 1] + x + k % 2;
    return p->at->linear ? (k / 2 ? fy : 1 - fy) * (k % 2 ? fx : 1 - fx) : k == 0;
}

/* ---- directions and steps --------------------------------------------------------------------- */

void
check_lsq_direction(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const double damping = 0.25;
    for (int variant = 0; variant < 4; variant++) {
        const int fresh = variant & 1, keep = variant >> 1 || !fresh;
        const int64_t step = variant > 1 ? p->windows : 0;
        const box b = box_of(p);
        double top;
        const ag_complex *const before = random_complex(p, n), *const old = random_complex(p, n);
        const ag_real *const w = random_densities(p, n, &top);
        const ag_real largest = (ag_real)top;
        ag_array *const direction = place(p, AG_COMPLEX, n, old), *const number = place(p, AG_COMPLEX, n, before);
        wave *const d = take(p, n, sizeof *d), *const sum = take(p, n, sizeof *sum);
        ag_run_lsq_direction(p->program, b.rows * b.segments, direction, keep ? number : NULL, p->object_cols, b.top,
                             b.left, b.right, b.segments, p->slots, fresh, keep, p->d_frame, p->d_corner, p->d_fraction,
                             p->d_probe, step, p->d_stack, place(p, AG_REAL, n, w), place(p, AG_REAL, 1, &largest),
                             damping);
        for (int64_t i = 0; i < n; i++)
            sum[i] = fresh ? 0 : wave_at(before, i);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            for (int k = 0; k < 4; k++) {
                int64_t at;
                const double weight = tap(p, p->frame[s / p->modes], y, x, k, &at);
                if (weight > 0)
                    sum[at] += weight * conj(reference_probe(p, s, y, x, step)) * wave_at(p->stack, i);
            }
        }
        for (int64_t i = 0; i < n; i++) {
            const double below = sqrt((double)w[i] * (double)w[i] + damping * damping * top * top);
            d[i] = inside(p, &b, i) ? sum[i] / below : wave_at(old, i);
            if (!inside(p, &b, i) || !keep)
                sum[i] = wave_at(before, i);
        }
        compare(p, "direction", 2 * n, fetch(p, direction), (const double *)d);
        compare(p, "number", 2 * n, fetch(p, number), (const double *)sum);
    }
}

static int64_t
parts_of(const problem *p)
{
    return p->plan.tops / p->rows * ((p->rows + 15) / 16);
}

/* The direction takes the place of the object that the problem has. */
void
check_lsq_sums(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols, parts = parts_of(p), segments = p->plan.tops / p->rows;
    for (int variant = 0; variant < 3; variant++) {
        const int joint = variant != 1;
        const int64_t step = variant ? p->windows : 0;
        const ag_complex *const d = random_complex(p, n), *const dp = random_complex(p, p->windows);
        ag_array *const partial = place(p, AG_REAL, 6 * p->slots * parts, NULL);
        double *const sum = take(p, 6 * p->slots * parts, sizeof *sum);
        ag_run_lsq_sums(p->program, p->slots, partial, joint, p->d_frame, p->d_corner, p->d_fraction, p->d_object,
                        place(p, AG_COMPLEX, n, d), p->object_cols, p->d_probe, step,
                        joint ? place(p, AG_COMPLEX, p->windows, dp) : NULL, p->d_stack);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->windows, y = i / p->cols % p->rows, x = i % p->cols;
            const wave z = wave_at(p->stack, i);
            wave o = 0, u = 0;
            for (int k = 0; k < 4; k++) {
                int64_t at;
                const double weight = tap(p, p->frame[s], y, x, k, &at);
                if (weight > 0) {
                    u += weight * wave_at(d, at);
                    o += weight * wave_at(p->object, at);
                }
            }
            u *= reference_probe(p, i / p->pixels, y, x, step);
            const wave v = joint ? wave_at(dp, i % p->windows) * o : 0, c = u * conj(v);
            const double term[6] = {power(u), power(v), creal(c), cimag(c), creal(conj(u) * z), creal(conj(v) * z)};
            for (int k = 0; k < 6; k++)
                sum[(s * 6 + k) * parts + y / 16 * segments + x / AG_SEGMENT] += term[k];
        }
        compare(p, "sums", 6 * p->slots * parts, fetch(p, partial), sum);
    }
}

/* The object at a window's pixel, between pixels by the four weights. */
static wave
object_at(const problem *p, int64_t j, int64_t y, int64_t x)
{
    wave o = 0;
    for (int k = 0; k < 4; k++) {
        int64_t at;
        const double weight = tap(p, j, y, x, k, &at);
        if (weight > 0)
            o += weight * wave_at(p->object, at);
    }
    return o;
}

/* What a pixel of the window adds to the sums of its frame: the wave there is pixel i of the stack. */
typedef void position_terms(const problem *p, int64_t i, wave probe, int64_t j, int64_t y, int64_t x, int whole, double *term);

static void
slopes(const problem *p, int64_t i, wave probe, int64_t j, int64_t y, int64_t x, int whole, double *term)
{
    const wave gy = probe * (object_at(p, j, y + 1, x) - object_at(p, j, y - 1, x)) / 2;
    const wave gx = probe * (object_at(p, j, y, x + 1) - object_at(p, j, y, x - 1)) / 2;
    const wave chi = wave_at(p->stack, i) - (whole ? probe * object_at(p, j, y, x) : 0);
    const double five[5] = {power(gy), power(gx), creal(conj(gy) * gx), creal(conj(gy) * chi), creal(conj(gx) * chi)};
    memcpy(term, five, sizeof five);
}

static void
lags(const problem *p, int64_t i, wave probe, int64_t j, int64_t y, int64_t x, int whole, double *term)
{
    const wave psi = wave_at(p->stack, i) + (whole ? 0 : probe * object_at(p, j, y, x));
    for (int lag = 0; lag < 9; lag++) {
        const wave moved = probe * object_at(p, j, y + lag / 3 - 1, x + lag % 3 - 1), c = conj(moved) * psi;
        const wave own = conj(moved) * probe * object_at(p, j, y, x);
        const double five[5] = {creal(c), cimag(c), creal(own), cimag(own), power(moved)};
        memcpy(term + 5 * lag, five, sizeof five);
    }
}

static void
check_positions(problem *p, int correlates, int terms, position_terms *of)
{
    const int64_t parts = parts_of(p), segments = p->plan.tops / p->rows, count = terms * p->slots * parts;
    for (int whole = 0; whole < 2; whole++) {
        const int64_t step = whole ? p->windows : 0;
        ag_array *const partial = place(p, AG_REAL, count, NULL);
        double *const sum = take(p, count, sizeof *sum);
        (correlates ? ag_run_position_lags
                    : ag_run_position_sums)(p->program, p->slots, partial, whole, p->d_frame, p->d_corner, p->d_fraction,
                                            p->d_object, p->object_cols, p->d_probe, step, p->d_stack);
        for (int64_t i = 0; i < p->waves * p->pixels && p->compares; i++) {
            const int64_t s = i / p->windows, y = i / p->cols % p->rows, x = i % p->cols;
            double term[45];
            if (y < 1 || x < 1 || y > p->rows - 2 || x > p->cols - 2)
                continue;
            of(p, i, reference_probe(p, i / p->pixels, y, x, step), p->frame[s], y, x, whole, term);
            for (int k = 0; k < terms; k++)
                sum[(s * terms + k) * parts + y / 16 * segments + x / AG_SEGMENT] += term[k];
        }
        compare(p, correlates ? "lags" : "sums", count, fetch(p, partial), sum);
    }
}

void
check_position_sums(problem *p)
{
    check_positions(p, 0, 5, slopes);
}

void
check_position_lags(problem *p)
{
    check_positions(p, 1, 45, lags);
}

void
check_lsq_frames(problem *p)
{
    const int64_t parts = parts_of(p), count = 6 * p->slots;
    double top;
    const ag_real *const partial = random_densities(p, count * parts, &top);
    ag_array *const sums = place(p, AG_REAL, count, NULL);
    double *const expected = take(p, count, sizeof *expected);
    ag_run_lsq_frames(p->program, count, sums, place(p, AG_REAL, count * parts, partial));
    for (int64_t i = 0; i < count * parts; i++)
        expected[i / parts] += (double)partial[i];
    compare(p, "sums", count, fetch(p, sums), expected);
}

/* The solution of the two equations by Cramer's rule; slots whose steps are negative, and without v. */
void
check_lsq_solve(problem *p)
{
    const double damping = 0.1;
    for (int variant = 0; variant < 2; variant++) {
        ag_real *const sums = random_reals(p, 6 * p->slots);
        double mean[2] = {0, 0};
        for (int64_t s = 0; s < p->slots; s++) {
            ag_real *const a = sums + 6 * s;
            a[0] = a[0] * a[0] + 1;
            a[1] = variant ? a[1] * a[1] + 2 : 0;
            for (int k = 2; k < 4; k++)
                a[k] = variant ? (ag_real)(0.5 * sin((double)a[k])) : 0; /* |A12|^2 < A11 A22, as sums of products have it */
            a[5] = variant ? a[5] : 0;
            mean[0] += (double)a[0] / (double)p->slots;
            mean[1] += (double)a[1] / (double)p->slots;
        }
        ag_array *const alpha = place(p, AG_REAL, 2 * p->slots, NULL);
        double *const expected = take(p, 2 * p->slots, sizeof *expected);
        ag_run_lsq_solve(p->program, p->slots, alpha, place(p, AG_REAL, 6 * p->slots, sums), p->slots, damping);
        for (int64_t s = 0; s < p->slots; s++) {
            const ag_real *const a = sums + 6 * s;
            const double a11 = (double)a[0] + damping * mean[0], a22 = (double)a[1] + damping * mean[1];
            const wave a12 = (double)a[2] + I * (double)a[3];
            const double determinant = a11 * a22 - power(a12), b1 = (double)a[4], b2 = (double)a[5];
            expected[s] = fmax(0, variant ? creal(a22 * b1 - a12 * b2) / determinant : b1 / a11);
            expected[p->slots + s] = variant ? fmax(0, creal(a11 * b2 - conj(a12) * b1) / determinant) : 0;
        }
        compare(p, "steps", 2 * p->slots, fetch(p, alpha), expected);
    }
}

static int
ascending(const void *a, const void *b)
{
    const ag_real x = *(const ag_real *)a, y = *(const ag_real *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, between neighbours. */
static double
quantile(const ag_real *sorted, int64_t n, double part)
{
    const double at = part * (double)(n - 1);
    const int64_t low = (int64_t)at;
    const double rest = at - (double)low;
    return (double)sorted[low] * (1 - rest) + (low + 1 < n ? rest * (double)sorted[low + 1] : 0);
}

void
check_lsq_mean(problem *p)
{
    static const int64_t lengths[] = {1, 2, 3, 9, 10, 11, 96, 301};
    const double trim = 0.1;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const int64_t n = lengths[k];
        double top, expected[2] = {0, 0}, count = 0;
        ag_real *const alpha = random_densities(p, 2 * n, &top), *const sorted = take(p, n, sizeof *sorted);
        const ag_real before[2] = {k % 3 == 0 ? (ag_real)0.001 : 1000, 7};
        ag_array *const step = place(p, AG_REAL, 2, before);
        for (int64_t i = n / 2; i + 1 < n; i += 5)
            alpha[i + 1] = alpha[i]; /* equal ones, too */
        for (int64_t i = 0; i < n; i++)
            sorted[i] = alpha[i];
        qsort(sorted, (size_t)n, sizeof *sorted, ascending);
        const double low = quantile(sorted, n, trim), high = quantile(sorted, n, 1 - trim);
        for (int64_t i = 0; i < n; i++) {
            /* What is a neighbour of the quantile itself may fall to either side by rounding. */
            const double a = (double)alpha[i];
            if (a >= low * (1 - 1e-6) && a <= high * (1 + 1e-6)) {
                expected[0] += a;
                count++;
            }
            expected[1] += 0.75 * (double)alpha[n + i] / (double)n;
        }
        for (int64_t i = 0; i < n && count == 0; i++)
            expected[0] += (double)alpha[i]; /* of two, none lies between */
        expected[0] *= 1.5 / (count > 0 ? count : (double)n);
        ag_run_lsq_mean(p->program, 1, step, place(p, AG_REAL, 2 * n, alpha), n, trim, 1.5, 0.75, k % 2);
        if (k % 2)
            expected[0] = fmin(expected[0], (double)before[0]);
        compare(p, "means", 2, fetch(p, step), expected);
    }
}

/* ---- the rest ----------------------------------------------------------------------------------- */

void
check_move_along(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const box b = box_of(p);
    const ag_complex *const d = random_complex(p, n);
    const ag_real step[2] = {7, 0.625};
    const ag_array at = ag_view(place(p, AG_REAL, 2, step), 1);
    ag_array *const x = place(p, AG_COMPLEX, n, p->object);
    wave *const expected = take(p, n, sizeof *expected);
    ag_run_move_along(p->program, b.rows * b.segments, x, p->object_cols, b.top, b.left, b.right, b.segments,
                   place(p, AG_COMPLEX, n, d), &at, 0.5);
    for (int64_t i = 0; i < n; i++)
        expected[i] = wave_at(p->object, i) + (inside(p, &b, i) ? 0.5 * 0.625 * wave_at(d, i) : 0);
    compare(p, "x", 2 * n, fetch(p, x), (const double *)expected);
}

/* Moduli on both sides of the bounds, and a 0. */
void
check_average(problem *p)
{
    const int64_t n = p->pixels;
    const ag_real *const a = random_reals(p, n), *const b = random_reals(p, n);
    ag_array *const x = place(p, AG_REAL, n, a);
    double *const expected = take(p, n, sizeof *expected);
    ag_run_average(p->program, n, x, place(p, AG_REAL, n, b));
    for (int64_t i = 0; i < n; i++)
        expected[i] = ((double)a[i] + (double)b[i]) / 2;
    compare(p, "average", n, fetch(p, x), expected);
}

void
check_lsq_norm(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const box b = box_of(p);
    const int64_t items = b.rows * b.segments;
    double top;
    const ag_real *const w = random_densities(p, n, &top);
    ag_array *const partial = place(p, AG_REAL, 2 * items, NULL);
    double *const expected = take(p, 2 * items, sizeof *expected);
    ag_run_lsq_norm(p->program, items, partial, items, p->object_cols, b.top, b.left, b.right, b.segments, p->d_object,
                    place(p, AG_REAL, n, w));
    for (int64_t i = 0; i < n; i++) {
        if (!inside(p, &b, i))
            continue;
        const int64_t at = (i / p->object_cols - b.top) * b.segments + (i % p->object_cols - b.left) / AG_SEGMENT;
        expected[at] += power(wave_at(p->object, i)) * (double)w[i];
        expected[items + at] += (double)w[i] * (double)w[i];
    }
    compare(p, "powers", 2 * items, fetch(p, partial), expected);
}

void
check_lsq_scale(problem *p)
{
    const int64_t n = 300;
    for (int dark = 0; dark < 2; dark++) {
        double top, number = 0, density = 0;
        ag_real *const partial = random_densities(p, 2 * n, &top);
        ag_array *const scale = place(p, AG_REAL, 2, NULL);
        for (int64_t i = 0; i < n; i++) {
            partial[i] = dark ? 0 : partial[i];
            number += (double)partial[i];
            density += (double)partial[n + i];
        }
        const double ratio = dark ? 1 : number / 1000 / sqrt(density / 1000), expected[2] = {ratio, 1 / ratio};
        ag_run_lsq_scale(p->program, 1, scale, place(p, AG_REAL, 2 * n, partial), n, 1000);
        compare(p, "scale", 2, fetch(p, scale), expected);
    }
}
