/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_conv.c -- convolutions and the sums of spectral ones, against their formulas in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_nets.h"

typedef struct conv_case {
    int n, inputs, outputs, h, w;
    int down, across, stride, up, left, pad; /* pad: 0 zeros, 1 mirrored */
    int before, after, keep; /* keep 4: the outputs are four phases of a picture of twice the sides */
    int points;              /* of conv3, the outer taps of the others being 0; 0: all */
} conv_case;

/* value = after(bias + sum w f), at (y, x) of an output of h x w. */
static double
convolve(const conv_case *k, const tensor *image, const channels *scale, const channels *offset, const ag_real *w,
         const channels *bias, int n, int o, int y, int x)
{
    double sum = bias->value[o];
    for (int i = 0; i < k->inputs; i++)
        for (int a = 0; a < k->down; a++)
            for (int b = 0; b < k->across; b++) {
                int v = y * k->stride - k->up + a, u = x * k->stride - k->left + b;
                if (k->pad) {
                    v = v < 0 ? -v : v >= k->h ? 2 * k->h - 2 - v : v;
                    u = u < 0 ? -u : u >= k->w ? 2 * k->w - 2 - u : u;
                }
                if (v < 0 || v >= k->h || u < 0 || u >= k->w)
                    continue;
                double f = *at(image, n, i, v, u);
                if (k->before >= 0)
                    f = act(f * scale->value[n * k->inputs + i] + offset->value[n * k->inputs + i], k->before);
                sum += f * (double)w[((o * k->inputs + i) * k->down + a) * k->across + b];
            }
    return act(sum, k->after);
}

static ag_precision
matrix_of(const problem *p)
{
    return p->plan.shape.mma ? (ag_precision)p->store : AG_FP32;
}

/* Such as matrix units take, where these are used. */
static ag_real *
random_weights(problem *p, int64_t count)
{
    ag_real *w = random_reals(p, count);
    ag_round(matrix_of(p), count, w);
    return w;
}

void
check_conv3(problem *p)
{
    static const conv_case cases[] = {
        {2, 4, 8, 8, 8, 3, 3, 1, 1, 1, 0, -1, AG_SAME, 0, 0},   {1, 33, 48, 6, 9, 3, 3, 1, 1, 1, 1, AG_GELU, AG_SAME, 1, 0},
        {3, 20, 20, 5, 7, 3, 3, 1, 1, 1, 0, AG_RELU, AG_GELU, 0, 0}, {1, 1, 1, 1, 1, 3, 3, 1, 1, 1, 0, -1, AG_RELU, 1, 0},
        {2, 16, 70, 13, 2, 3, 3, 1, 1, 1, 1, -1, AG_RELU, 1, 0}, {1, 5, 3, 9, 140, 3, 3, 1, 1, 1, 1, AG_SAME, AG_SAME, 1, 0},
        {3, 130, 33, 4, 5, 3, 3, 1, 1, 1, 0, -1, AG_SAME, 1, 0}, {2, 260, 17, 3, 12, 3, 3, 1, 1, 1, 1, AG_RELU, AG_SAME, 0, 0},
        {2, 7, 64, 5, 9, 3, 3, 1, 1, 1, 0, AG_RELU, AG_SAME, 4, 0}, {1, 16, 192, 4, 8, 3, 3, 1, 1, 1, 0, -1, AG_GELU, 4, 0},
        {2, 20, 128, 5, 6, 3, 3, 1, 1, 1, 0, AG_RELU, AG_SAME, 4, 0x5140}, {1, 9, 256, 9, 4, 3, 3, 1, 1, 1, 0, -1, AG_SAME, 4, 0x5141},
    };
    const int solo = ag_device_room(p->device).lanes == 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const conv_case *k = &cases[i];
        const int inputs = (k->inputs + 15) / 16 * 16, tiles = inputs > 256 ? 8 : inputs > 128 ? 16 : 32;
        const int all = (k->h + 3) / 4 * ((k->w + 3) / 4), unit = k->keep ? 1 : k->n, groups = i % 2 ? 1 : 2;
        const int phases = k->keep == 4 ? 4 : 1, spread = phases == 4 ? 2 : 1, own = k->outputs / phases;
        const int rows = (all + 1) / 2 * phases, blocks = (unit * all + tiles - 1) / tiles;
        const tensor image = random_tensor(p, k->n, k->inputs, k->h, k->w),
                     result = empty_tensor(p, k->n, own, k->h * spread, k->w * spread);
        const channels scale = random_channels(p, k->n, k->inputs, 0.5, 2), offset = random_channels(p, k->n, k->inputs, -1, 1),
                       bias = random_channels(p, 1, k->outputs, -1, 1);
        ag_real *w = random_weights(p, (int64_t)k->outputs * k->inputs * 9);
        for (int j = 0; k->points && j < k->outputs * k->inputs * 9; j++) {
            const int phase = j / 9 / k->inputs / own, of_y = k->points >> phase / 2 * 8, of_x = k->points >> phase % 2 * 8;
            const int y = j / 3 % 3, x = j % 3;
            if ((y == 0 && of_y & 15) || (x == 0 && of_x & 15) || (y == 2 && (of_y >> 4 & 15) < 5) || (x == 2 && (of_x >> 4 & 15) < 5))
                w[j] = 0;
        }
        int64_t reals;
        ag_real *packed = ag_pack_conv3(&reals, k->outputs, k->inputs, w, solo, matrix_of(p));
        ck_assert_ptr_nonnull(packed);
        ag_array *weights = place(p, AG_REAL, reals, packed);
        ag_array *sums = place(p, AG_REAL, (int64_t)k->n * rows * 4 * result.blocks * 16, NULL);
        free(packed);
        ag_run_conv3(p->program, k->n / unit * blocks * groups, result.array, sums, image.array, scale.array, offset.array,
                     weights, bias.array, k->h, k->w, image.blocks, k->inputs, phases * result.blocks, tiles, unit, groups, k->pad,
                     k->before, k->after, k->keep, phases, k->points ? k->points : 0x5050);
        for (int j = 0; j < k->n * k->outputs * k->h * k->w; j++) {
            const int n = j / (k->h * k->w) / k->outputs, o = j / (k->h * k->w) % k->outputs, y = j / k->w % k->h, x = j % k->w;
            *at(&result, n, o % own, y * spread + o / own / 2, x * spread + o / own % 2) =
                convolve(k, &image, &scale, &offset, w, &bias, n, o, y, x);
        }
        compare_tensor(p, "result", &result);
        if (k->keep)
            compare_sums(p, &result, sums, rows);
    }
}

void
check_conv(problem *p)
{
    static const conv_case cases[] = {
        {2, 20, 8, 6, 70, 2, 2, 2, 0, 0, 0, -1, AG_SAME, 1, 0},   {1, 33, 40, 3, 40, 1, 1, 1, 0, 0, 0, AG_GELU, AG_RELU, 0, 0},
        {2, 3, 33, 5, 7, 3, 3, 1, 1, 1, 0, AG_RELU, AG_GELU, 0, 0}, {1, 17, 3, 9, 33, 7, 7, 1, 3, 3, 0, -1, AG_SAME, 1, 0},
        {1, 16, 16, 4, 5, 2, 1, 1, 1, 0, 0, AG_SAME, AG_SAME, 0, 0},
    };
    static const int place_of[49] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
                                     25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const conv_case *k = &cases[i / 2];
        /* The second time into one phase of four, on a base. */
        const int spread = i % 2 ? 2 : 1, taps = k->down * k->across;
        const int rows = k->stride == 2 ? k->h / 2 : k->h, cols = k->stride == 2 ? k->w / 2 : k->w;
        const int top = i % 2, side = i % 2, keep = k->keep && i % 2 == 0, sums_rows = rows * ((cols + 31) / 32);
        const tensor image = random_tensor(p, k->n, k->inputs, k->h, k->w),
                     base = random_tensor(p, k->n, k->outputs, rows * spread, cols * spread);
        tensor result = base; /* the pixels of other phases stay */
        result.value = take(p, (int64_t)k->n * k->outputs * rows * cols * spread * spread, sizeof *result.value);
        memcpy(result.value, base.value, (size_t)(k->n * k->outputs * rows * cols * spread * spread) * sizeof *result.value);
        result.array = place_stored(p, (int64_t)k->n * base.blocks * 16 * rows * cols * spread * spread, base.block);
        const channels scale = random_channels(p, k->n, k->inputs, 0.5, 2), offset = random_channels(p, k->n, k->inputs, -1, 1),
                       bias = random_channels(p, 1, k->outputs, -1, 1);
        const ag_real *w = random_weights(p, (int64_t)k->outputs * k->inputs * taps);
        int64_t reals;
        ag_real *packed = ag_pack_conv(&reals, k->outputs, k->inputs, w, (int64_t)k->inputs * taps, taps, taps, place_of, matrix_of(p));
        ck_assert_ptr_nonnull(packed);
        ag_array *weights = place(p, AG_REAL, reals, packed);
        ag_array *sums = place(p, AG_REAL, (int64_t)k->n * sums_rows * 4 * base.blocks * 16, NULL);
        free(packed);
        ag_run_conv(p->program, (int64_t)k->n * ((base.blocks + 1) / 2) * rows * ((cols + 31) / 32), result.array, sums, image.array,
                    scale.array, offset.array, weights, bias.array, base.array, k->h, k->w, image.blocks, k->inputs, base.blocks,
                    rows, cols, k->down | k->across << 8 | k->stride << 16, k->up | k->left << 8 | top << 16 | side << 24, spread,
                    k->before, k->after, (int)(i % 2), keep, sums_rows);
        for (int j = 0; j < k->n * k->outputs * rows * cols; j++) {
            const int n = j / (rows * cols) / k->outputs, o = j / (rows * cols) % k->outputs, y = j / cols % rows, x = j % cols;
            double *to = at(&result, n, o, y * spread + top, x * spread + side);
            const double value = convolve(k, &image, &scale, &offset, w, &bias, n, o, y, x);
            *to = i % 2 ? *to + value : value;
        }
        compare_tensor(p, "result", &result);
        if (keep)
            compare_sums(p, &result, sums, sums_rows);
    }
}

/* ---- spectral ------------------------------------------------------------------------------- */

void
check_spectral_sum(problem *p)
{
    enum { OUTER = 3, INNER = 2, PLACES = 70, TERMS = 139 };
    const ag_real *table = random_reals(p, PLACES * TERMS);
    ag_real *value = random_reals(p, OUTER * INNER * TERMS * 16);
    ag_array *result = place(p, AG_REAL, OUTER * INNER * PLACES * 16, NULL);
    double *expected = take(p, OUTER * INNER * PLACES * 16, sizeof *expected);
    /* The result lies as [places / 2][outer][inner][2][16]. */
    ag_run_spectral_sum(p->program, OUTER * INNER, result, place(p, AG_REAL, PLACES * TERMS, table),
                        place_stored(p, OUTER * INNER * TERMS * 16, value), PLACES, TERMS, INNER, INNER * TERMS * 16, TERMS * 16,
                        INNER * 32, 32, OUTER * INNER * 32, p->store != 0);
    for (int i = 0; i < OUTER * INNER * PLACES * 16; i++) {
        const int l = i % 16, part = i / 16 % 2, item = i / 32 % (OUTER * INNER), place_ = i / 32 / (OUTER * INNER) * 2 + part;
        for (int j = 0; j < TERMS; j++)
            expected[i] += (double)table[place_ * TERMS + j] * (double)value[(item * TERMS + j) * 16 + l];
    }
    compare(p, "sums", OUTER * INNER * PLACES * 16, fetch(p, result), expected);
}

void
check_spectral_mix(problem *p)
{
    static const int numbers[][3] = {{3, 5, 7}, {19, 40, 20}, {1, 16, 33}};
    enum { ROWS_ = 3, COLS_ = 2, MODES = ROWS_ * COLS_ };
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        const int n = numbers[k][0], inputs = numbers[k][1], outputs = numbers[k][2];
        const int in_blocks = (inputs + 15) / 16, out_blocks = (outputs + 15) / 16;
        const ag_complex *w = random_complex(p, (int64_t)inputs * outputs * MODES);
        ag_real *value = random_reals(p, (int64_t)MODES * n * in_blocks * 32);
        ag_real *packed = ag_pack_spectral(outputs, inputs, (const ag_real *)w, ROWS_, COLS_, ROWS_, COLS_);
        ck_assert_ptr_nonnull(packed);
        ag_array *result = place(p, AG_REAL, (int64_t)n * out_blocks * MODES * 32, NULL);
        double *expected = take(p, (int64_t)n * out_blocks * MODES * 32, sizeof *expected);
        ag_run_spectral_mix(p->program, MODES * out_blocks, result, place(p, AG_REAL, (int64_t)MODES * n * in_blocks * 32, value),
                            place(p, AG_REAL, (int64_t)MODES * out_blocks * inputs * 32, packed), n, inputs, out_blocks, ROWS_, COLS_);
        free(packed);
        for (int i = 0; i < n * outputs * MODES; i++) {
            const int s = i / outputs / MODES, o = i / MODES % outputs, mode = i % MODES;
            double *to = expected + (((s * out_blocks + o / 16) * COLS_ + mode % COLS_) * ROWS_ + mode / COLS_) * 32 + o % 16;
            for (int c = 0; c < inputs; c++) {
                const ag_real *x = value + ((mode * n + s) * in_blocks + c / 16) * 32 + c % 16;
                const ag_complex f = w[(c * outputs + o) * MODES + mode];
                to[0] += (double)x[0] * (double)f.re - (double)x[16] * (double)f.im;
                to[16] += (double)x[0] * (double)f.im + (double)x[16] * (double)f.re;
            }
        }
        compare(p, "sums", (int64_t)n * out_blocks * MODES * 32, fetch(p, result), expected);
    }
}

void
check_spectral_add(problem *p)
{
    enum { ITEMS = 4, WIDTH_ = 69, TERMS = 6 };
    ag_real *image = random_reals(p, ITEMS * WIDTH_ * 16), *local = random_reals(p, ITEMS * WIDTH_ * 16);
    const ag_real *table = random_reals(p, WIDTH_ * TERMS), *value = random_reals(p, ITEMS * TERMS * 16);
    ag_array *result = place_stored(p, ITEMS * WIDTH_ * 16, local);
    double *expected = take(p, ITEMS * WIDTH_ * 16, sizeof *expected);
    ag_run_spectral_add(p->program, ITEMS, result, place_stored(p, ITEMS * WIDTH_ * 16, image),
                        place(p, AG_REAL, WIDTH_ * TERMS, table), place(p, AG_REAL, ITEMS * TERMS * 16, value), WIDTH_, TERMS);
    for (int i = 0; i < ITEMS * WIDTH_ * 16; i++) {
        double sum = (double)local[i];
        for (int j = 0; j < TERMS; j++)
            sum += (double)table[i / 16 % WIDTH_ * TERMS + j] * (double)value[(i / 16 / WIDTH_ * TERMS + j) * 16 + i % 16];
        expected[i] = (double)image[i] + act(sum, AG_GELU);
    }
    compare(p, "result", ITEMS * WIDTH_ * 16, fetch_stored(p, result, ITEMS * WIDTH_ * 16), expected);
}
