/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_nets.c -- tensors for the kernels of the nets, and the kernels that are no convolutions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_nets.h"

double *
at(const tensor *t, int n, int c, int y, int x)
{
    return t->value + (((int64_t)n * t->c + c) * t->h + y) * t->w + x;
}

static int64_t
block_at(const tensor *t, int64_t i)
{
    const int64_t area = (int64_t)t->h * t->w, n = i / area / t->c, c = i / area % t->c;
    return ((n * t->blocks + c / 16) * area + i % area) * 16 + c % 16;
}

tensor
empty_tensor(problem *p, int n, int c, int h, int w)
{
    tensor t = {.n = n, .c = c, .h = h, .w = w, .blocks = (c + 15) / 16};
    t.value = take(p, (int64_t)n * c * h * w, sizeof *t.value);
    t.array = place_stored(p, (int64_t)n * t.blocks * 16 * h * w, NULL);
    return t;
}

tensor
random_tensor(problem *p, int n, int c, int h, int w)
{
    tensor t = {.n = n, .c = c, .h = h, .w = w, .blocks = (c + 15) / 16};
    const int64_t count = (int64_t)n * c * h * w, whole = (int64_t)n * t.blocks * 16 * h * w;
    const ag_real *random = random_reals(p, count);
    t.value = take(p, count, sizeof *t.value);
    t.block = take(p, whole, sizeof *t.block);
    for (int64_t i = 0; i < count; i++)
        t.block[block_at(&t, i)] = random[i];
    t.array = place_stored(p, whole, t.block);
    for (int64_t i = 0; i < count; i++)
        t.value[i] = (double)t.block[block_at(&t, i)];
    return t;
}

void
compare_tensor(problem *p, const char *what, const tensor *t)
{
    const int64_t whole = (int64_t)t->n * t->blocks * 16 * t->h * t->w;
    double *expected = take(p, whole, sizeof *expected);
    for (int64_t i = 0; i < (int64_t)t->n * t->c * t->h * t->w; i++)
        expected[block_at(t, i)] = t->value[i];
    compare(p, what, whole, fetch_stored(p, t->array, whole), expected);
}

channels
random_channels(problem *p, int n, int c, double least, double most)
{
    const int blocks = (c + 15) / 16;
    channels v = {.value = take(p, (int64_t)n * c, sizeof *v.value)};
    ag_real *block = take(p, (int64_t)n * blocks * 16, sizeof *block);
    for (int i = 0; i < n * c; i++) {
        block[i / c * blocks * 16 + i % c] = (ag_real)(least + (most - least) * ag_random_uniform(&p->random));
        v.value[i] = (double)block[i / c * blocks * 16 + i % c];
    }
    v.array = place(p, AG_REAL, (int64_t)n * blocks * 16, block);
    return v;
}

double
act(double x, int kind)
{
    switch (kind) {
    case AG_RELU:
        return x > 0 ? x : 0;
    case AG_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case AG_SILU:
        return x / (1 + exp(-x));
    case AG_SIGMOID:
        return 1 / (1 + exp(-x));
    case AG_PI_TANH:
        return PI * tanh(x);
    case AG_TANH_RAISED:
        return tanh(x) + 0.2;
    case AG_TANH_WIDE:
        return 1.2 * tanh(x);
    default:
        return x;
    }
}

/* Mean, variance and maximum of a channel. */
static void
describe(const tensor *t, int n, int c, double result[3])
{
    const double area = (double)t->h * t->w;
    result[0] = result[1] = 0;
    result[2] = -INFINITY;
    for (int i = 0; i < t->h * t->w; i++) {
        result[0] += *at(t, n, c, 0, i) / area;
        result[2] = fmax(result[2], *at(t, n, c, 0, i));
    }
    for (int i = 0; i < t->h * t->w; i++)
        result[1] += pow(*at(t, n, c, 0, i) - result[0], 2) / area;
}

void
compare_sums(problem *p, const tensor *t, const ag_array *sums, int rows)
{
    const int wide = t->blocks * 16;
    const ag_real *found = fetch(p, sums);
    ag_real *one = take(p, 3 * t->n * t->c, sizeof *one);
    double *expected = take(p, 3 * t->n * t->c, sizeof *expected);
    for (int i = 0; i < t->n * t->c; i++) {
        double number = 0, sum = 0, square = 0, top = -INFINITY;
        const ag_real *row = found + (int64_t)(i / t->c) * rows * 4 * wide + i % t->c;
        for (int r = 0; r < rows; r++, row += 4 * wide) {
            number += (double)row[0];
            sum += (double)row[wide];
            square += (double)row[2 * wide] + (double)row[wide] * (double)row[wide] / (double)row[0];
            top = fmax(top, (double)row[3 * wide]);
        }
        ck_assert_double_eq(number, (double)t->h * t->w);
        one[3 * i] = (ag_real)(sum / number);
        one[3 * i + 1] = (ag_real)(square / number - sum * sum / number / number);
        one[3 * i + 2] = (ag_real)top;
        describe(t, i / t->c, i % t->c, expected + 3 * i);
    }
    compare(p, "statistics", 3 * t->n * t->c, one, expected);
}

ag_array *
place_sums(problem *p, const tensor *t)
{
    const int wide = t->blocks * 16;
    ag_real *sums = take(p, (int64_t)t->n * t->h * 4 * wide, sizeof *sums);
    for (int i = 0; i < t->n * t->h * wide; i++) {
        ag_real *row = sums + (int64_t)(i / wide) * 4 * wide + i % wide;
        const int n = i / wide / t->h, y = i / wide % t->h, c = i % wide;
        double sum = 0, square = 0, top = -INFINITY;
        for (int x = 0; x < t->w; x++)
            sum += c < t->c ? *at(t, n, c, y, x) : 0;
        for (int x = 0; x < t->w; x++) {
            const double v = c < t->c ? *at(t, n, c, y, x) : 0;
            square += pow(v - sum / t->w, 2);
            top = fmax(top, v);
        }
        row[0] = (ag_real)t->w;
        row[wide] = (ag_real)sum;
        row[2 * wide] = (ag_real)square;
        row[3 * wide] = (ag_real)top;
    }
    return place(p, AG_REAL, (int64_t)t->n * t->h * 4 * wide, sums);
}

/* ---- norms ------------------------------------------------------------------------------- */

void
check_norm_scale(problem *p)
{
    tensor t = random_tensor(p, 2, 21, 5, 37);
    for (int i = 0; i < 2 * 21 * 5 * 37; i++)
        t.value[i] = t.value[i] * 3 + 10;
    const channels gain = random_channels(p, 1, 21, 0.5, 2), shift = random_channels(p, 1, 21, -1, 1);
    const tensor scale = empty_tensor(p, 2, 21, 1, 1), offset = empty_tensor(p, 2, 21, 1, 1);
    ag_run_norm_scale(p->program, 2 * 32, scale.array, offset.array, place_sums(p, &t), gain.array, shift.array, 32, 5, 1e-5);
    for (int i = 0; i < 2 * 21; i++) {
        double d[3];
        describe(&t, i / 21, i % 21, d);
        scale.value[i] = gain.value[i % 21] / sqrt(d[1] + 1e-5);
        offset.value[i] = shift.value[i % 21] - scale.value[i] * d[0];
    }
    compare_tensor(p, "scale", &scale);
    compare_tensor(p, "offset", &offset);
}

void
check_affine(problem *p)
{
    for (int kind = 0; kind < 6; kind++) {
        const tensor image = random_tensor(p, 2, 19, 3, 7), base = random_tensor(p, 2, 19, 3, 7);
        const channels scale = random_channels(p, 2, 19, 0.5, 2), offset = random_channels(p, 2, 19, -1, 1);
        const tensor result = empty_tensor(p, 2, 19, 3, 7);
        ag_run_affine(p->program, 2 * 2 * 3, result.array, image.array, scale.array, offset.array, base.array, 3, 7, kind / 2,
                      kind % 2);
        for (int i = 0; i < 2 * 19 * 21; i++)
            result.value[i] = act(scale.value[i / 21] * image.value[i] + offset.value[i / 21], kind / 2) +
                              (kind % 2 ? base.value[i] : 0);
        compare_tensor(p, "result", &result);
    }
}

/* ---- attention ------------------------------------------------------------------------------ */

void
check_channel_gate(problem *p)
{
    enum { N = 2, C = 40, WIDE = 48, HIDDEN = 3 };
    const tensor t = random_tensor(p, N, C, 5, 9);
    const ag_real *w1 = random_reals(p, HIDDEN * WIDE), *b1 = random_reals(p, HIDDEN), *w2 = random_reals(p, WIDE * HIDDEN),
                  *b2 = random_reals(p, WIDE);
    tensor gate = empty_tensor(p, N, WIDE, 1, 1);
    ag_run_channel_gate(p->program, N, gate.array, place_sums(p, &t), place(p, AG_REAL, HIDDEN * WIDE, w1),
                        place(p, AG_REAL, HIDDEN, b1), place(p, AG_REAL, WIDE * HIDDEN, w2), place(p, AG_REAL, WIDE, b2), WIDE,
                        5, HIDDEN);
    for (int n = 0; n < N; n++) {
        double hidden[2][HIDDEN];
        for (int k = 0; k < 2 * HIDDEN; k++) {
            double sum = (double)b1[k % HIDDEN], d[3];
            for (int c = 0; c < C; c++) {
                describe(&t, n, c, d);
                sum += (double)w1[k % HIDDEN * WIDE + c] * (k < HIDDEN ? d[0] : d[2]);
            }
            hidden[k / HIDDEN][k % HIDDEN] = act(sum, AG_RELU);
        }
        for (int c = 0; c < WIDE; c++) {
            double sum = 2 * (double)b2[c];
            for (int k = 0; k < HIDDEN; k++)
                sum += (double)w2[c * HIDDEN + k] * (hidden[0][k] + hidden[1][k]);
            gate.value[n * WIDE + c] = act(sum, AG_SIGMOID);
        }
    }
    compare_tensor(p, "gate", &gate);
}

void
check_channel_pool(problem *p)
{
    const tensor t = random_tensor(p, 2, 21, 4, 6);
    const channels gate = random_channels(p, 2, 21, 0, 1);
    ag_array *planes = place(p, AG_REAL, 2 * 2 * 24, NULL);
    double expected[2 * 2 * 24];
    ag_run_channel_pool(p->program, 2 * 4, planes, t.array, gate.array, 21, 4, 6);
    for (int n = 0; n < 2; n++)
        for (int i = 0; i < 24; i++) {
            double top = -INFINITY, sum = 0;
            for (int c = 0; c < 21; c++) {
                const double v = *at(&t, n, c, 0, i) * gate.value[n * 21 + c];
                top = fmax(top, v);
                sum += v;
            }
            expected[2 * n * 24 + i] = top;
            expected[(2 * n + 1) * 24 + i] = sum / 21;
        }
    compare(p, "planes", 2 * 2 * 24, fetch(p, planes), expected);
}

void
check_spatial_gate(problem *p)
{
    enum { H = 9, W = 5 };
    const ag_real *plane = random_reals(p, 2 * 2 * H * W), *w = random_reals(p, 98);
    ag_array *gate = place(p, AG_REAL, 2 * H * W, NULL);
    double expected[2 * H * W];
    ag_run_spatial_gate(p->program, 2 * H, gate, place(p, AG_REAL, 2 * 2 * H * W, plane), place(p, AG_REAL, 98, w), H, W);
    for (int i = 0; i < 2 * H * W; i++) {
        double sum = 0;
        for (int k = 0; k < 98; k++) {
            const int y = i / W % H + k / 7 % 7 - 3, x = i % W + k % 7 - 3;
            if (y >= 0 && y < H && x >= 0 && x < W)
                sum += (double)w[k] * (double)plane[((2 * (i / W / H) + k / 49) * H + y) * W + x];
        }
        expected[i] = act(sum, AG_SIGMOID);
    }
    compare(p, "gate", 2 * H * W, fetch(p, gate), expected);
}

void
check_pool(problem *p)
{
    for (int kind = 0; kind < 8; kind++) {
        const int side = kind % 2 + 1;
        const tensor t = random_tensor(p, 2, 21, 3 * side, 5 * side), result = empty_tensor(p, 2, 21, 3, 5);
        const channels gate = random_channels(p, 2, 21, 0, 1);
        const ag_real *where = random_reals(p, 2 * t.h * t.w);
        ag_run_pool(p->program, 2 * 2 * 3, result.array, t.array, gate.array, place(p, AG_REAL, 2 * t.h * t.w, where), 2, 3, 5,
                    side, kind & 2, kind & 4);
        for (int i = 0; i < 2 * 21 * 15; i++) {
            const int n = i / 15 / 21, c = i / 15 % 21;
            double top = -INFINITY;
            for (int k = 0; k < side * side; k++) {
                const int y = i / 5 % 3 * side + k / side, x = i % 5 * side + k % side;
                top = fmax(top, *at(&t, n, c, y, x) * (kind & 2 ? gate.value[n * 21 + c] : 1) *
                                    (kind & 4 ? (double)where[(n * t.h + y) * t.w + x] : 1));
            }
            result.value[i] = top;
        }
        compare_tensor(p, "result", &result);
    }
}

void
check_enlarge(problem *p)
{
    for (int bilinear = 0; bilinear < 2; bilinear++) {
        const tensor t = random_tensor(p, 2, 18, 3, 4), result = empty_tensor(p, 2, 18, 6, 8);
        ag_run_enlarge(p->program, 2 * 2 * 6, result.array, t.array, 3, 4, bilinear);
        for (int i = 0; i < 2 * 18 * 48; i++) {
            /* Sample where the new pixel's centre lies, between the old ones' centres. */
            const int n = i / 48 / 18, c = i / 48 % 18;
            const double y = fmin(fmax((i / 8 % 6 + 0.5) / 2 - 0.5, 0), 2), x = fmin(fmax((i % 8 + 0.5) / 2 - 0.5, 0), 3);
            const int y0 = (int)y, x0 = (int)x, y1 = y0 < 2 ? y0 + 1 : 2, x1 = x0 < 3 ? x0 + 1 : 3;
            result.value[i] = bilinear ? (1 - (y - y0)) * ((1 - (x - x0)) * *at(&t, n, c, y0, x0) + (x - x0) * *at(&t, n, c, y0, x1)) +
                                             (y - y0) * ((1 - (x - x0)) * *at(&t, n, c, y1, x0) + (x - x0) * *at(&t, n, c, y1, x1))
                                       : *at(&t, n, c, i / 8 % 6 / 2, i % 8 / 2);
        }
        compare_tensor(p, "result", &result);
    }
}

/* ---- planes -------------------------------------------------------------------------------- */

void
check_to_blocks(problem *p)
{
    static const int number[3] = {1, 4, 35};
    for (int k = 0; k < 3; k++) {
        const int c = number[k];
        const ag_real *plane = random_reals(p, 2 * c * 3 * 5);
        const tensor result = empty_tensor(p, 2, c, 3, 5);
        ag_run_to_blocks(p->program, 2 * result.blocks * 3, result.array, place(p, AG_REAL, 2 * c * 3 * 5, plane), c, 3, 5);
        for (int i = 0; i < 2 * c * 15; i++)
            result.value[i] = (double)plane[i];
        compare_tensor(p, "result", &result);
    }
}

void
check_head(problem *p)
{
    for (int kind = 0; kind < 8; kind++) {
        const int frame = kind % 2, pad = kind > 3 ? 2 : 0, first = kind == 2 ? 15 : 0, h = 6 + 2 * pad, w = 4 + 2 * pad;
        const tensor inner = random_tensor(p, 2, 18, 6, 4), outer = random_tensor(p, 2, 3, h, w);
        ag_array *result = place(p, AG_REAL, 2 * 3 * h * w, NULL);
        double *expected = take(p, 2 * 3 * h * w, sizeof *expected);
        ag_run_head(p->program, 2 * 3 * h, result, inner.array, outer.array, 3, first, 2, 1, h, w, pad, kind, frame);
        for (int i = 0; i < 2 * 3 * h * w; i++) {
            const int n = i / (h * w) / 3, c = i / (h * w) % 3, y = i / w % h - pad, x = i % w - pad;
            expected[i] = y >= 0 && y < 6 && x >= 0 && x < 4 ? act(*at(&inner, n, first + c, y, x), kind)
                          : frame                            ? act(*at(&outer, n, c, y + pad, x + pad), AG_SILU)
                                                             : 0;
        }
        compare(p, "result", 2 * 3 * h * w, fetch(p, result), expected);
    }
}

void
check_polar(problem *p)
{
    enum { COUNT = 1003 };
    /* Two scales whose squares no number holds. */
    static const double scale[] = {1, 1e30, 1e-30};
    for (int k = 0; k < 3; k++) {
        ag_real *first = random_reals(p, COUNT), *second = random_reals(p, COUNT);
        double *modulus = take(p, COUNT, sizeof *modulus), *phase = take(p, COUNT, sizeof *phase);
        for (int i = 0; i < 9; i++) { /* the axes, the diagonals, 0 */
            first[i] = (ag_real)(i / 3 - 1);
            second[i] = (ag_real)(i % 3 - 1);
        }
        for (int i = 0; i < COUNT; i++) {
            first[i] *= (ag_real)scale[k];
            second[i] *= (ag_real)scale[k];
            modulus[i] = hypot((double)first[i], (double)second[i]);
            phase[i] = atan2((double)second[i], (double)first[i]);
        }
        ag_array *re = place(p, AG_REAL, COUNT, first), *im = place(p, AG_REAL, COUNT, second);
        ag_run_polar(p->program, COUNT, re, im);
        compare(p, "phase", COUNT, fetch(p, im), phase);
        compare(p, "modulus", COUNT, fetch(p, re), modulus);
    }
}

void
check_place_patches(problem *p)
{
    enum { COUNT = 5, SIDE = 7, ROWS_ = 15, COLS_ = 170 };
    const ag_complex *patch = random_complex(p, COUNT * SIDE * SIDE);
    ag_real *weight = random_reals(p, SIDE * SIDE);
    int32_t corner[2 * COUNT];
    ag_real fraction[2 * COUNT];
    double *number = take(p, 2 * ROWS_ * COLS_, sizeof *number), *density = take(p, ROWS_ * COLS_, sizeof *density);
    for (int j = 0; j < COUNT; j++) {
        corner[2 * j] = (int32_t)((ROWS_ - SIDE) * ag_random_uniform(&p->random));
        corner[2 * j + 1] = j == 2 ? 125 : (int32_t)((COLS_ - SIDE) * ag_random_uniform(&p->random));
        fraction[2 * j] = (ag_real)ag_random_uniform(&p->random);
        fraction[2 * j + 1] = (ag_real)ag_random_uniform(&p->random);
    }
    ag_array *d_number = place(p, AG_COMPLEX, ROWS_ * COLS_, NULL), *d_density = place(p, AG_REAL, ROWS_ * COLS_, NULL);
    ag_array *d_patch = place(p, AG_COMPLEX, COUNT * SIDE * SIDE, patch), *d_weight = place(p, AG_REAL, SIDE * SIDE, weight);
    ag_array *d_corner = place(p, AG_INT, 2 * COUNT, corner), *d_fraction = place(p, AG_REAL, 2 * COUNT, fraction);
    /* Two and three, one after the other. */
    for (int first = 0; first < COUNT; first += 2 + first / 2) {
        const ag_array z = ag_view(d_patch, first * SIDE * SIDE), k = ag_view(d_corner, 2 * first), f = ag_view(d_fraction, 2 * first);
        ag_run_place_patches(p->program, ROWS_ * 2, d_number, d_density, &z, d_weight, &k, &f, first ? COUNT - 2 : 2, SIDE, COLS_,
                             first == 0);
        if (first)
            break;
    }
    for (int i = 0; i < COUNT * SIDE * SIDE * 4; i++) {
        const int tap = i % 4, at_ = i / 4 % (SIDE * SIDE), j = i / 4 / (SIDE * SIDE), ty = tap / 2, tx = tap % 2;
        const double fy = (double)fraction[2 * j], fx = (double)fraction[2 * j + 1];
        const double w = (ty ? fy : 1 - fy) * (tx ? fx : 1 - fx) * (double)weight[at_];
        const int to = (corner[2 * j] + at_ / SIDE + ty) * COLS_ + corner[2 * j + 1] + at_ % SIDE + tx;
        number[2 * to] += w * (double)patch[i / 4].re;
        number[2 * to + 1] += w * (double)patch[i / 4].im;
        density[to] += w;
    }
    compare(p, "number", 2 * ROWS_ * COLS_, fetch(p, d_number), number);
    compare(p, "density", ROWS_ * COLS_, fetch(p, d_density), density);
}
