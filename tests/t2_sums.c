/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_sums.c -- the kernels that gather over frames, and the elementwise ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_kernels.h"

#define SEGMENT 128 /* object pixels of an item of object_sum */

/* A box of the object: rows from top on, columns left ... right - 1. */
typedef struct box {
    int64_t top, rows, left, right, segments;
} box;

static box
box_of(const problem *p, int whole)
{
    box b = {0, p->object_rows, 0, p->object_cols, 0};
    if (!whole)
        b = (box){1, p->object_rows - 2, 3, p->object_cols - 2, 0};
    b.segments = (b.right - b.left + SEGMENT - 1) / SEGMENT;
    return b;
}

static int
inside(const problem *p, const box *b, int64_t pixel)
{
    const int64_t row = pixel / p->object_cols, column = pixel % p->object_cols;
    return row >= b->top && row < b->top + b->rows && column >= b->left && column < b->right;
}

/* Adds conj(p) z and |p|^2 of all modes of slots from ... to - 1, by the weights of the four object pixels. */
static void
scatter(const problem *p, int64_t from, int64_t to, int64_t step, wave *number, double *density)
{
    for (int64_t i = from * p->windows; i < to * p->windows; i++) {
        const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols,
                      j = p->frame[s / p->modes];
        const wave v = reference_probe(p, s, y, x, step),
                   z = (double)p->stack[i].re + I * (double)p->stack[i].im;
        for (int tap = 0; tap < (p->at->linear ? 4 : 1); tap++) {
            const double fy = (double)p->fraction[2 * j], fx = (double)p->fraction[2 * j + 1];
            const double w = p->at->linear ? (tap / 2 ? fy : 1 - fy) * (tap % 2 ? fx : 1 - fx) : 1;
            const int64_t row = p->corner[2 * j] + y + tap / 2,
                          column = p->corner[2 * j + 1] + x + tap % 2;
            number[row * p->object_cols + column] += w * conj(v) * z;
            density[row * p->object_cols + column] += w * creal(v * conj(v));
        }
    }
}

static void
run_object_sum(problem *p, ag_array *number, ag_array *density, const box *b, int64_t from,
               int64_t to, int64_t step, int fresh, int dense)
{
    const ag_array frame = ag_view(p->d_frame, from), stack = ag_view(p->d_stack, from * p->windows);
    const ag_array probe = ag_view(p->d_probe, from * step);
    ag_run_object_sum(p->program, b->rows * b->segments, number, density, p->object_cols, b->top,
                      b->left, b->right, b->segments, to - from, fresh, dense, &frame, p->d_corner,
                      p->d_fraction, &probe, step, &stack);
}

void
check_object_sum(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    for (int variant = 0; variant < 4; variant++) {
        const int fresh = variant != 1, dense = variant != 3;
        const int64_t step = variant ? p->windows : 0;
        const box b = box_of(p, variant != 2);
        ag_complex *const number = random_complex(p, n);
        ag_real *const density = random_reals(p, n);
        ag_array *const d_number = place(p, AG_COMPLEX, n, number);
        ag_array *const d_density = place(p, AG_REAL, n, density);
        ag_array *const n2 = place(p, AG_COMPLEX, n, number);
        ag_array *const d2 = place(p, AG_REAL, n, density);
        wave *const e_number = take(p, n, sizeof *e_number);
        double *const e_density = take(p, n, sizeof *e_density);
        run_object_sum(p, d_number, d_density, &b, 0, p->slots, step, fresh, dense);
        run_object_sum(p, n2, d2, &b, 0, 1, step, fresh, dense);
        run_object_sum(p, n2, d2, &b, 1, p->slots, step, 0, dense);
        scatter(p, 0, p->slots, step, e_number, e_density);
        for (int64_t i = 0; i < n; i++) {
            const int in = inside(p, &b, i);
            const wave old = (double)number[i].re + I * (double)number[i].im;
            e_number[i] = in ? e_number[i] + (fresh ? 0 : old) : old;
            e_density[i] =
                in && dense ? e_density[i] + (fresh ? 0 : (double)density[i]) : (double)density[i];
        }
        const void *const one = fetch(p, d_number), *const whole = fetch(p, d_density);
        compare(p, "number", 2 * n, one, (const double *)e_number);
        compare(p, "density", n, whole, e_density);
        ck_assert_msg(!memcmp(one, fetch(p, n2), (size_t)n * sizeof(ag_complex)) &&
                          !memcmp(whole, fetch(p, d2), (size_t)n * sizeof(ag_real)),
                      "object_sum: the same frames in two blocks change bits");
    }
}

void
check_object_scatter(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    for (int variant = 0; variant < 3; variant++) {
        const int dense = variant < 2;
        const int64_t step = variant ? p->windows : 0;
        ag_complex *const number = random_complex(p, n);
        ag_real *const density = random_reals(p, n);
        ag_array *const d_number = place(p, AG_COMPLEX, n, number), *const d_density = place(p, AG_REAL, n, density);
        wave *const e_number = take(p, n, sizeof *e_number);
        double *const e_density = take(p, n, sizeof *e_density);
        for (int64_t i = 0; i < n; i++) {
            e_number[i] = wave_at(number, i);
            e_density[i] = (double)density[i];
        }
        ag_run_object_scatter(p->program, p->slots * p->pixels, d_number, d_density, p->object_cols, dense, p->d_frame, p->d_corner,
                              p->d_fraction, p->d_probe, step, p->d_stack);
        scatter(p, 0, p->slots, step, e_number, e_density);
        compare(p, "number", 2 * n, fetch(p, d_number), (const double *)e_number);
        for (int64_t i = 0; i < n && !dense; i++)
            e_density[i] = (double)density[i];
        compare(p, "density", n, fetch(p, d_density), e_density);
    }
}

void
check_object_coverage(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    for (int whole = 0; whole < 2; whole++) {
        const int64_t step = whole ? p->windows : 0;
        const box b = box_of(p, whole);
        ag_real *const old = random_reals(p, n);
        ag_array *const density = place(p, AG_REAL, n, old);
        wave *const number = take(p, n, sizeof *number);
        double *const expected = take(p, n, sizeof *expected);
        ag_run_object_coverage(p->program, b.rows * b.segments, density, p->object_cols, b.top,
                               b.left, b.right, b.segments, p->slots, p->d_frame, p->d_corner,
                               p->d_fraction, p->d_probe, step);
        scatter(p, 0, p->slots, step, number, expected);
        for (int64_t i = 0; i < n; i++)
            if (!inside(p, &b, i))
                expected[i] = (double)old[i];
        compare(p, "density", n, fetch(p, density), expected);
    }
}

ag_real *
random_densities(problem *p, int64_t count, double *top)
{
    ag_real *const value = random_reals(p, count);
    *top = 0;
    for (int64_t i = 0; i < count; i++) {
        value[i] = i ? value[i] * value[i] : 0;
        *top = fmax(*top, (double)value[i]);
    }
    return value;
}

void
check_object_step(problem *p)
{
    const int64_t n = p->object_rows * p->object_cols;
    const double step = 0.75;
    for (int variant = 0; variant < 5; variant++) {
        const int all = variant & 1, root = variant >> 1 & 1;
        const double alpha = variant == 4 ? 0 : 0.25; /* 0: nothing below where no frame covers */
        const box b = box_of(p, variant < 3);
        double top, least;
        ag_real *const limit = random_densities(p, 70, &top);
        ag_real *const coverage = random_densities(p, n, &least);
        ag_array *const object = place(p, AG_COMPLEX, n, p->object);
        ag_array *const d_limit = place(p, AG_REAL, 70, limit);
        ag_array *const d_coverage = place(p, AG_REAL, n, coverage);
        wave *const expected = take(p, n, sizeof *expected);
        double *const density = take(p, n, sizeof *density);
        ag_run_object_step(p->program, b.rows * b.segments, object, p->object_cols, b.top, b.left,
                           b.right, b.segments, p->slots, p->d_frame, p->d_corner, p->d_fraction,
                           p->d_probe, 0, p->d_stack, d_coverage, all, d_limit, 70, alpha, root,
                           step);
        scatter(p, 0, p->slots, 0, expected, density);
        for (int64_t i = 0; i < n; i++) {
            const double w = all ? (double)coverage[i] : density[i];
            const double below = root ? w + alpha * top : (1 - alpha) * w + alpha * top;
            const wave change = step * expected[i] * (root ? sqrt(w / top) : 1) / below;
            expected[i] = (double)p->object[i].re + I * (double)p->object[i].im;
            if (inside(p, &b, i) && below > 0)
                expected[i] += change;
        }
        compare(p, root ? "PIE" : "ePIE", 2 * n, fetch(p, object), (const double *)expected);
    }
}

void
check_probe_terms(problem *p)
{
    const int64_t tops = p->plan.tops, segments = tops / p->rows;
    for (int variant = 0; variant < 4; variant++) {
        const int more = variant & 1, keep = variant >> 1;
        const int64_t step = more ? p->windows : 0;
        double top;
        ag_real *const old = random_densities(p, p->pixels, &top);
        ag_complex *const begun = random_complex(p, p->windows);
        ag_array *const number = place(p, AG_COMPLEX, p->windows, more ? begun : NULL);
        ag_array *const term = place(p, AG_COMPLEX, p->waves * p->pixels, NULL);
        ag_array *const density = place(p, AG_REAL, p->pixels, more ? old : NULL);
        ag_array *const density_top = place(p, AG_REAL, tops, NULL);
        ag_array *const probe_top = place(p, AG_REAL, tops, NULL);
        wave *const e_term = take(p, p->waves * p->pixels, sizeof *e_term);
        wave *const e_number = take(p, p->windows, sizeof *e_number);
        double *const e_density = take(p, p->pixels, sizeof *e_density);
        double *const e_top = take(p, tops, sizeof *e_top);
        double *const e_probe = take(p, tops, sizeof *e_top);
        for (int64_t i = 0; i < p->windows && more; i++) {
            e_density[i % p->pixels] = (double)old[i % p->pixels];
            e_number[i] = (double)begun[i].re + I * (double)begun[i].im;
        }
        ag_run_probe_terms(p->program, p->rows * p->modes, number, term, density, density_top, probe_top,
                           p->slots, !more, keep, p->d_frame, p->d_corner, p->d_fraction, p->d_object,
                           p->object_cols, p->d_probe, step, p->d_stack);
        for (int64_t i = 0; i < p->waves * p->pixels; i++) {
            const int64_t s = i / p->pixels, y = i / p->cols % p->rows, x = i % p->cols;
            const int first = s % p->modes == 0;
            const wave o = reference_window(p, p->frame[s / p->modes], y, x);
            double power = 0;
            for (int64_t k = 0; k < p->modes && first; k++)
                power += pow(cabs(reference_probe(p, s + k, y, x, step)), 2);
            double *const most = &e_probe[y * segments + x / AG_SEGMENT];
            e_term[i] = conj(o) * ((double)p->stack[i].re + I * (double)p->stack[i].im);
            e_number[i % p->windows] += e_term[i];
            e_density[i % p->pixels] += first * creal(o * conj(o));
            *most = fmax(*most, power);
        }
        for (int64_t i = 0; i < p->pixels; i++) {
            double *const most = &e_top[i / p->cols * segments + i % p->cols / AG_SEGMENT];
            *most = fmax(*most, e_density[i]);
        }
        if (keep)
            compare(p, "term", 2 * p->waves * p->pixels, fetch(p, term), (const double *)e_term);
        else
            compare(p, "number", 2 * p->windows, fetch(p, number), (const double *)e_number);
        compare(p, "density", p->pixels, fetch(p, density), e_density);
        compare(p, "density_top", tops, fetch(p, density_top), e_top);
        compare(p, "probe_top", tops, fetch(p, probe_top), e_probe);
    }
}

/* The sum of the stack over the slots from ... to - 1, at pixel i of all modes. */
static wave
stack_sum(const problem *p, int64_t from, int64_t to, int64_t i)
{
    wave sum = 0;
    for (int64_t s = from; s < to; s++)
        sum += (double)p->stack[s * p->windows + i].re + I * (double)p->stack[s * p->windows + i].im;
    return sum;
}

void
check_probe_step(problem *p)
{
    const double beta = 0.25, step = 0.75;
    for (int variant = 0; variant < 2; variant++) {
        double top, least;
        ag_real *const density = random_densities(p, p->pixels, &least);
        ag_real *const density_top = random_densities(p, p->plan.tops, &top);
        const double factor = variant ? 0 : beta; /* 0: pixel 0 has a density of 0 and stays */
        ag_array *const probe = place(p, AG_COMPLEX, p->windows, p->probe);
        ag_run_probe_step(p->program, p->rows * p->modes, probe, p->d_stack,
                          place(p, AG_REAL, p->pixels, density),
                          place(p, AG_REAL, p->plan.tops, density_top), p->slots, factor, step);
        wave *const expected = take(p, p->windows, sizeof *expected);
        for (int64_t i = 0; i < p->windows; i++) {
            const double below = (1 - factor) * (double)density[i % p->pixels] + factor * top;
            expected[i] = reference_probe(p, i / p->pixels, i / p->cols % p->rows, i % p->cols, 0);
            if (below > 0)
                expected[i] += step * stack_sum(p, 0, p->slots, i) / below;
        }
        compare(p, "probe", 2 * p->windows, fetch(p, probe), (const double *)expected);
    }
}

void
check_probe_sum(problem *p)
{
    ag_array *const one = place(p, AG_COMPLEX, p->windows, NULL);
    ag_array *const two = place(p, AG_COMPLEX, p->windows, NULL);
    const ag_array rest = ag_view(p->d_stack, p->windows);
    wave *const expected = take(p, p->windows, sizeof *expected);
    ag_run_probe_sum(p->program, p->windows, one, p->d_stack, p->slots, 1);
    ag_run_probe_sum(p->program, p->windows, two, p->d_stack, 1, 1);
    ag_run_probe_sum(p->program, p->windows, two, &rest, p->slots - 1, 0);
    for (int64_t i = 0; i < p->windows; i++)
        expected[i] = stack_sum(p, 0, p->slots, i);
    const void *const found = fetch(p, one);
    compare(p, "sum", 2 * p->windows, found, (const double *)expected);
    ck_assert_msg(!memcmp(found, fetch(p, two), (size_t)p->windows * sizeof(ag_complex)),
                  "probe_sum: the same frames in two blocks change bits");
}

/* The same words, or the next where the quotient is between two. */
static void
compare_words(problem *p, const ag_real *found, const ag_real *expected)
{
    for (int64_t s = 0; s < p->slots; s++) {
        const ag_real *const one = found + s * p->stored, *const two = expected + s * p->stored;
        const uint16_t *const a = (const uint16_t *)(const void *)(one + 2), *const b = (const uint16_t *)(const void *)(two + 2);
        ck_assert_msg(!memcmp(one, two, 2 * sizeof *one), "%s: range of frame %d", p->kernel, (int)s);
        for (int64_t i = 0; i < p->amplitudes; i++)
            ck_assert_msg(a[i] == b[i] || (a[i] < 65535 && b[i] < 65535 && abs(a[i] - b[i]) == 1),
                          "%s: frame %d, word %d: found %d, expected %d", p->kernel, (int)s, (int)i, a[i], b[i]);
    }
}

void
check_amplitude(problem *p)
{
    const int64_t n = p->stored, tile = p->plan.shape.tile;
    for (int variant = 0; variant < 4; variant++) {
        const int corner = variant & 1, root = variant == 0, clip = variant == 1;
        const double saturation = variant == 3 ? 1 : 0;
        ag_real *const data = random_reals(p, p->slots * p->pixels);
        int32_t *const valid = take(p, p->pixels, sizeof *valid);
        double *const expected = take(p, p->slots * p->pixels, sizeof *expected);
        for (int64_t i = 0; i < p->pixels; i++)
            valid[i] = ag_random_uniform(&p->random) < 0.9;
        const ag_array *const d_data = place(p, AG_REAL, p->slots * p->pixels, data);
        const ag_array *const d_valid = place(p, AG_INT, p->pixels, valid);
        ag_array *const amplitude = place(p, AG_REAL, p->slots * n, NULL);
        for (int64_t i = 0; i < p->slots * p->pixels; i++) {
            const int64_t ky = p->frequency[i / p->cols % p->rows],
                          kx = p->frequency[p->rows + i % p->cols];
            const int64_t row = p->near ? i / p->cols % p->rows : corner ? ky : (ky + p->rows / 2) % p->rows;
            const int64_t column = p->near ? i % p->cols : corner ? kx : (kx + p->cols / 2) % p->cols;
            const double v = (double)data[i / p->pixels * p->pixels + row * p->cols + column];
            expected[i] = root ? sqrt(fmax(v, 0)) : clip ? fmax(v, 0) : v;
            if (!valid[row * p->cols + column] || (saturation > 0 && v >= saturation))
                expected[i] = UNMEASURED;
        }
        ag_complex *const ranges = take(p, p->slots, sizeof *ranges);
        for (int64_t s = 0; s < p->slots; s++)
            ranges[s] = range_of_words(p, expected + s * p->pixels);
        const ag_array *const range = p->at->words ? place(p, AG_COMPLEX, p->slots, ranges) : NULL;
        if (p->near)
            ag_run_near_amplitude(p->program, p->slots, amplitude, d_data, d_valid, root, clip, saturation, range);
        else
            ag_run_amplitude(p->program, p->slots, amplitude, d_data, d_valid, p->plan.place[corner], root, clip,
                             saturation, range);
        if (p->at->words) {
            compare_words(p, fetch(p, amplitude), to_amplitudes(p, expected, p->slots));
            continue;
        }
        /* Huge values would hide the others in a sum of squares: each side puts 7 for them. */
        ag_real *const found = fetch(p, amplitude);
        ag_real *const wanted = to_amplitudes(p, expected, p->slots);
        double *const flat = take(p, p->slots * n, sizeof *flat);
        for (int64_t i = 0; i < p->slots * n; i++) {
            found[i] = found[i] > (ag_real)1e30 ? 7 : found[i];
            flat[i] = wanted[i] > (ag_real)1e30 ? 7 : (double)wanted[i];
        }
        ck_assert(p->unfused || n % tile == 0);
        compare(p, root ? "counts" : "amplitudes", p->slots * n, found, flat);
    }
}

void
check_near_amplitude(problem *p)
{
    check_amplitude(p);
}

void
check_divide(problem *p)
{
    const double guard = 1e-3;
    const int64_t n = p->slots * p->pixels;
    double least, largest;
    ag_complex *const number = random_complex(p, n);
    ag_real *const density = random_densities(p, n, &least);
    ag_real *const top = random_densities(p, 2, &largest);
    for (int variant = 0; variant < 2; variant++) {
        const double inertia = variant ? 0.5 : 0, c = inertia * (double)top[1];
        const ag_array *const d_top = place(p, AG_REAL, 2, top);
        const ag_array at = ag_view(d_top, 1);
        ag_array *const x = place(p, AG_COMPLEX, n, p->probe);
        wave *const expected = take(p, n, sizeof *expected);
        ag_run_divide(p->program, n, x, place(p, AG_COMPLEX, n, number),
                      place(p, AG_REAL, n, density), &at, inertia, guard);
        for (int64_t i = 0; i < n; i++)
            expected[i] = ((double)number[i].re + I * (double)number[i].im +
                           c * ((double)p->probe[i].re + I * (double)p->probe[i].im)) /
                          ((double)density[i] + c + guard);
        compare(p, "quotient", 2 * n, fetch(p, x), (const double *)expected);
    }
}

void
check_rescale(problem *p)
{
    const ag_real found[2] = {3, 0};
    const double factor[] = {sqrt(1.5 / 3), 1, 1};
    for (int variant = 0; variant < 3; variant++) {
        ag_array *const x = place(p, AG_COMPLEX, p->pixels, p->probe);
        const ag_array at = ag_view(place(p, AG_REAL, 2, found), variant == 1);
        wave *const expected = take(p, p->pixels, sizeof *expected);
        ag_run_rescale(p->program, p->pixels, x, variant == 2 ? 0 : 1.5, &at);
        for (int64_t i = 0; i < p->pixels; i++)
            expected[i] = factor[variant] * reference_probe(p, 0, i / p->cols, i % p->cols, 0);
        compare(p, "rescaled", 2 * p->pixels, fetch(p, x), (const double *)expected);
    }
}
