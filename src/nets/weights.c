/* SPDX-License-Identifier: BSD-3-Clause */
/* weights.c -- weights in the order in which the kernels read them: panels of 32 outputs, of each
   panel the inputs one after the other, 16 at a time with what belongs to them.  */
#include <math.h>
#include <stdlib.h>

#include "net.h"

/* The inputs of a product: all of them below a block, else whole blocks. */
static int
padded_inputs(int inputs)
{
    return inputs < AG_BLOCK ? inputs : (inputs + AG_BLOCK - 1) / AG_BLOCK * AG_BLOCK;
}

static int
padded_outputs(int outputs)
{
    return (outputs + AG_BLOCK - 1) / AG_BLOCK * AG_BLOCK;
}

/* Reals of packed weights. */
static int64_t
size_of(int outputs, int inputs, int points)
{
    return (int64_t)points * padded_inputs(inputs) * padded_outputs(outputs);
}

/* Where in its panel, whose outputs are `wide`, panels of `rows` weights coming before. */
static int64_t
place(int outputs, int64_t rows, int64_t row, int o)
{
    const int panel = o / AG_PANEL, wide = AG_MIN(AG_PANEL, padded_outputs(outputs) - panel * AG_PANEL);
    return panel * rows * AG_PANEL + row * wide + o % AG_PANEL;
}

/* Rows of G of F(4 x 4, 3 x 3) with the points 0, +-sqrt(1/2), +-sqrt(2), infinity. */
static void
winograd(double g[6][3])
{
    const double point[5] = {0, sqrt(0.5), -sqrt(0.5), sqrt(2), -sqrt(2)};
    for (int i = 0; i < 5; i++) {
        double below = 1;
        for (int k = 0; k < 5; k++)
            below *= k == i ? 1 : point[i] - point[k];
        g[i][0] = 1 / below;
        g[i][1] = point[i] / below;
        g[i][2] = point[i] * point[i] / below;
    }
    g[5][0] = g[5][1] = 0;
    g[5][2] = 1;
}

ag_real *
ag_pack_conv3(int64_t *reals, int outputs, int inputs, const ag_real *weight, int solo, ag_precision matrix)
{
    static const int taps[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    const int k = padded_inputs(inputs);
    double g[6][3];
    if (!solo)
        return ag_pack_conv(reals, outputs, inputs, weight, 9 * (int64_t)inputs, 9, 9, taps, matrix);
    *reals = size_of(outputs, inputs, 36);
    ag_real *packed = ag_calloc(*reals, sizeof *packed);
    winograd(g);
    for (int o = 0; packed && o < outputs; o++)
        for (int i = 0; i < inputs; i++) {
            const ag_real *w = weight + 9 * ((int64_t)o * inputs + i);
            double half[6][3];
            for (int a = 0; a < 6; a++)
                for (int x = 0; x < 3; x++)
                    half[a][x] = g[a][0] * (double)w[x] + g[a][1] * (double)w[3 + x] + g[a][2] * (double)w[6 + x];
            for (int a = 0; a < 6; a++)
                for (int b = 0; b < 6; b++)
                    packed[place(outputs, 36 * (int64_t)k, (int64_t)(6 * a + b) * k + i, o)] =
                        (ag_real)(g[b][0] * half[a][0] + g[b][1] * half[a][1] + g[b][2] * half[a][2]);
        }
    return packed;
}

/* Each output's 16 inputs one after the other, in the bits of a precision. */
static void
pack_bits(uint16_t *packed, ag_precision matrix, int64_t row, int rows, int outputs, int o, int i, ag_real weight)
{
    packed[place(outputs, (int64_t)rows * AG_BLOCK, row * AG_BLOCK, o) - o % AG_PANEL + o % AG_PANEL * AG_BLOCK + i % AG_BLOCK] =
        ag_narrow(matrix, weight);
}

ag_real *
ag_pack_conv(int64_t *reals, int outputs, int inputs, const ag_real *weight, int64_t output_step, int64_t input_step, int taps,
             const int *tap, ag_precision matrix)
{
    const int blocks = (inputs + AG_BLOCK - 1) / AG_BLOCK, inner = AG_MIN(inputs, AG_BLOCK);
    const int64_t rows = (int64_t)taps * padded_inputs(inputs);
    *reals = matrix ? size_of(outputs, blocks * AG_BLOCK, taps) * 2 / (int64_t)sizeof(ag_real) : size_of(outputs, inputs, taps);
    ag_real *packed = ag_calloc(*reals, sizeof *packed);
    for (int o = 0; packed && o < outputs; o++)
        for (int i = 0; i < inputs; i++)
            for (int t = 0; t < taps; t++) {
                const ag_real w = weight[o * output_step + i * input_step + tap[t]];
                const int64_t row = (int64_t)(i / AG_BLOCK) * taps + t;
                if (matrix)
                    pack_bits((uint16_t *)(void *)packed, matrix, row, blocks * taps, outputs, o, i, w);
                else
                    packed[place(outputs, rows, row * inner + i % AG_BLOCK, o)] = w;
            }
    return packed;
}

void
ag_round(ag_precision precision, int64_t count, ag_real *value)
{
    /* Bits of a fraction, smallest normal and largest finite number. */
    const int bits = precision == AG_FP16 ? 10 : 7;
    const double least = precision == AG_FP16 ? 0x1p-14 : 0x1p-126, most = precision == AG_FP16 ? 65504 : 0x1.fep127;
    for (int64_t i = 0; i < count && precision != AG_FP32; i++) {
        int exponent;
        frexp(fmax(fabs((double)value[i]), least), &exponent);
        const double step = ldexp(1, exponent - 1 - bits), rounded = nearbyint((double)value[i] / step) * step;
        value[i] = (ag_real)(fabs(rounded) <= most ? rounded : copysign(INFINITY, rounded));
    }
}

uint16_t
ag_narrow(ag_precision precision, ag_real value)
{
    const int wide = precision == AG_FP16 ? 10 : 7, most = precision == AG_FP16 ? 31 : 255;
    const unsigned sign = signbit(value) ? 0x8000 : 0;
    const double size = fabs((double)value);
    int exponent;
    if (!isfinite(size))
        return (uint16_t)(sign | (unsigned)most << wide | (isnan(size) ? 1 : 0));
    if (size == 0)
        return (uint16_t)sign;
    frexp(size, &exponent);
    exponent = AG_MAX(exponent - 1 + most / 2, 1);
    return (uint16_t)(sign | ((((unsigned)exponent - 1) << wide) + (unsigned)ldexp(size, most / 2 + wide - exponent)));
}

ag_real
ag_widen(ag_precision precision, uint16_t bits)
{
    const int wide = precision == AG_FP16 ? 10 : 7, most = precision == AG_FP16 ? 31 : 255;
    const int exponent = bits >> wide & most, fraction = bits & ((1 << wide) - 1);
    const double value = exponent == most ? (fraction ? (double)NAN : (double)INFINITY)
                                          : ldexp(fraction + (exponent ? 1 << wide : 0), AG_MAX(exponent, 1) - most / 2 - wide);
    return (ag_real)(bits & 0x8000 ? -value : value);
}

ag_real *
ag_pack_spectral(int outputs, int inputs, const ag_real *weight, int all_rows, int all_cols, int rows, int cols)
{
    const int blocks = padded_outputs(outputs) / AG_BLOCK;
    ag_real *packed = ag_calloc((int64_t)rows * cols * blocks * inputs * AG_PANEL, sizeof *packed);
    for (int i = 0; packed && i < inputs; i++)
        for (int o = 0; o < outputs; o++)
            for (int r = 0; r < rows; r++)
                for (int k = 0; k < cols; k++) {
                    const ag_real *from =
                        weight + 2 * ((((int64_t)i * outputs + o) * all_rows + r) * all_cols + k);
                    ag_real *to =
                        packed + ((((int64_t)r * cols + k) * blocks + o / AG_BLOCK) * inputs + i) * AG_PANEL +
                        o % AG_BLOCK;
                    to[0] = from[0];
                    to[AG_BLOCK] = from[1];
                }
    return packed;
}

ag_real *
ag_pack_vector(int count, ag_real *value)
{
    ag_real *packed = value ? ag_calloc(padded_outputs(count), sizeof *packed) : NULL;
    for (int i = 0; packed && i < count; i++)
        packed[i] = value[i];
    free(value);
    return packed;
}
