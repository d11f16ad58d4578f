m4_divert(-1)
/* nets.m4 -- what the kernels of the nets share.  SPDX-License-Identifier: BSD-3-Clause

   Activations lie in blocks of 16 channels, [sample][block][row][column][16], so that a pixel of a
   block is one vector, and so are the constants of its channels; channels beyond the last hold 0.
   Weights of a product are in panels of 32 (or, the last, 16) output channels.  */
m4_define(`BLOCK', `16')
m4_define(`PANEL', `32')
/* Panel p of the output: its channels. */
m4_define(`PANEL_WIDTH', `(output_blocks - 2 * ($1) < 2 ? BLOCK : PANEL)')

/* Activations, as in src/nets/net.h; the first three are those of hot loops. */
m4_define(`SAME_OF', `($1)')
m4_define(`RELU_OF', `larger($1, 0)')
m4_define(`GELU_OF', `gelu($1)')
/* WITH_ACTIVATION(kind, text): the text, in which ACTIVATION(x) is activation `kind' of x. */
m4_define(`WITH_ACTIVATION', `if ($1 == 1) {
        m4_define(`ACTIVATION', m4_defn(`RELU_OF'))$2
        } else if ($1 == 2) {
        m4_define(`ACTIVATION', m4_defn(`GELU_OF'))$2
        } else {
        m4_define(`ACTIVATION', m4_defn(`SAME_OF'))$2
        }m4_undefine(`ACTIVATION')')

/* Activations may be kept in 16 bits (SHAPE(store)), two in the place of a real:
   WITH_STORE(text): the text, in which LOADED(array, i) is value i, STORED(array, i, value) keeps it, and
   ROUNDED(value) is what would be kept.  */
m4_define(`REAL_LOADED', `($1)[$2]')
m4_define(`HALF_LOADED', `half_value(((GLOBAL const unsigned short *)(GLOBAL const void *)($1))[$2])')
m4_define(`BRAIN_LOADED', `brain_value(((GLOBAL const unsigned short *)(GLOBAL const void *)($1))[$2])')
m4_define(`REAL_STORED', `($1)[$2] = $3;')
m4_define(`HALF_STORED', `((GLOBAL unsigned short *)(GLOBAL void *)($1))[$2] = half_bits($3);')
m4_define(`BRAIN_STORED', `((GLOBAL unsigned short *)(GLOBAL void *)($1))[$2] = brain_bits($3);')
m4_define(`REAL_ROUNDED', `($1)')
m4_define(`HALF_ROUNDED', `half_value(half_bits($1))')
m4_define(`BRAIN_ROUNDED', `brain_value(brain_bits($1))')
m4_define(`STORE_AS', `m4_define(`LOADED', m4_defn(`$1_LOADED'))m4_define(`STORED', m4_defn(`$1_STORED'))m4_define(`ROUNDED', m4_defn(`$1_ROUNDED'))')

/* A row of statistics: the pixels counted, their sum, the sum of squares about their mean, the
   largest value; each for all channels. */
m4_define(`STATISTICS', `4')

/* The window of 2 tiles of 6 x 6 pixels that makes 2 tiles of 4 x 4 (conv3). */
m4_define(`TILE_PIXELS', `36')

m4_define(`NET_HELPERS_TEXT', `
/* Of an argument up to tan(pi / 8), within 2e-7: the polynomial is that of S. Moshier, netlib.org/cephes, atanf. */
HELPER real small_atan(const real t)
{
    const real s = t * t;
    real p = REAL(8.05374449538e-2) * s - REAL(1.38776856032e-1);
    p = p * s + REAL(1.99777106478e-1);
    p = p * s - REAL(3.33329491539e-1);
    return p * s * t + t;
}
HELPER real gelu(const real x)
{
    return REAL(0.5) * x * (1 + ERF(x * REAL(0.70710678118654752440)));
}
HELPER real sigmoid(const real x)
{
    return 1 / (1 + EXP(-x));
}
HELPER real activate(const real x, const int kind)
{
    switch (kind) {
    case 1: return larger(x, 0);
    case 2: return gelu(x);
    case 3: return x * sigmoid(x);
    case 4: return sigmoid(x);
    case 5: return REAL(3.14159265358979323846) * TANH(x);
    case 6: return TANH(x) + REAL(0.2);
    case 7: return REAL(1.2) * TANH(x);
    default: return x;
    }
}
/* IEEE half and bfloat16, rounded to nearest, ties to even; beyond their range infinity. */
HELPER real half_value(const unsigned int h)
{
    const unsigned int exponent = h >> 10 & 31, bits = (h & 0x7fff) << 13;
    const real small = (real)(int)(h & 1023) * REAL(5.9604644775390625e-8);
    const real value = exponent ? FLOAT_OF(bits + (exponent == 31 ? 0x70000000u : 0x38000000u)) : small;
    return h & 0x8000 ? -value : value;
}
HELPER unsigned short half_bits(const real x)
{
    const unsigned int bits = BITS_OF(x), sign = bits >> 16 & 0x8000, a = bits & 0x7fffffff;
    const unsigned int normal = (a + 0xfff + (a >> 13 & 1) - 0x38000000u) >> 13;
    const unsigned int small = BITS_OF(FLOAT_OF(a) + REAL(0.5)) - 0x3f000000u;
    return (unsigned short)(sign | (a > 0x7f800000u ? 0x7e00 : a >= 0x477ff000u ? 0x7c00 : a < 0x38800000u ? small : normal));
}
HELPER real brain_value(const unsigned int h)
{
    return FLOAT_OF(h << 16);
}
HELPER unsigned short brain_bits(const real x)
{
    const unsigned int bits = BITS_OF(x);
    return (unsigned short)((bits & 0x7fffffff) > 0x7f800000u ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
/* Where row or column x of n is read: mirrored, or -1 where padding with 0 begins. */
HELPER int padded(int x, const int n, const int reflect)
{
    if (reflect && x == -1)
        x = 1;
    else if (reflect && x == n)
        x = n - 2;
    return x < 0 || x >= n ? -1 : x;
}')
m4_divert(0)m4_dnl
