/* SPDX-License-Identifier: BSD-3-Clause */
/* products_c.h -- what the nets' kernels need in plain C: a matrix product kept in registers, erf.

   Rows of scalars times panels of vectors: 8 rows x 2 vectors with 32 registers, 4 x 2 with 16,
   which is as fast as the processor multiplies and adds.  */
#ifndef AG_PRODUCTS_C_H
#define AG_PRODUCTS_C_H

#if defined __AVX512F__
#define AG_VECTOR_BYTES 64
#define AG_PRODUCT_ROWS 8
#elif defined __AVX__
#define AG_VECTOR_BYTES 32
#define AG_PRODUCT_ROWS 4
#else
#define AG_VECTOR_BYTES 16
#define AG_PRODUCT_ROWS 4
#endif
#define AG_VECTOR ((int)(AG_VECTOR_BYTES / sizeof(real)))
typedef real ag_vector __attribute__((vector_size(AG_VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* The accumulators must be registers before anything else looks at the loops. */
#ifdef __clang__
#define AG_UNROLL AG_PRAGMA(clang loop unroll(full))
#define AG_UNROLL_4 AG_PRAGMA(clang loop unroll_count(4))
#else
#define AG_UNROLL AG_PRAGMA(GCC unroll 16)
#define AG_UNROLL_4 AG_PRAGMA(GCC unroll 4)
#endif
#define AG_ALWAYS_INLINE static inline __attribute__((always_inline))

/* The terms of a product: three loops around `inner` neighbours, the panel without gaps. */
typedef struct ag_terms {
    int n0, n1, n2, inner;
    index s0, s1, s2;
} ag_terms;

/* Rows and vectors are constants where this is called, as are q and, mostly, row. */
AG_ALWAYS_INLINE void
ag_product_tile(const int rows, const int vectors, const int q, const index row, real *sums, const real *a,
                const ag_terms *t, const real *b, const real *next, const int add)
{
    ag_vector s[AG_PRODUCT_ROWS][2];
    AG_UNROLL
    for (int p = 0; p < rows; p++)
        AG_UNROLL
        for (int v = 0; v < vectors; v++)
            s[p][v] = add ? *(const ag_vector *)(sums + p * q + v * AG_VECTOR) : (ag_vector){0};
#define AG_TERM(k)                                                                                     \
    do {                                                                                               \
        ag_vector w[2];                                                                                \
        AG_UNROLL                                                                                      \
        for (int v = 0; v < vectors; v++)                                                              \
            w[v] = *(const ag_vector *)(b + (k) * q + v * AG_VECTOR);                                  \
        AG_UNROLL                                                                                      \
        for (int p = 0; p < rows; p++)                                                                 \
            AG_UNROLL                                                                                  \
            for (int v = 0; v < vectors; v++)                                                          \
                s[p][v] += at[p * row + (k)] * w[v];                                                   \
    } while (0)
    for (int i = 0; i < t->n0; i++)
        for (int j = 0; j < t->n1; j++)
            for (int l = 0; l < t->n2; l++) {
                const real *at = a + i * t->s0 + j * t->s1 + l * t->s2;
                int k = 0;
                for (; k + 4 <= t->inner; k += 4, at += 4, b += 4 * q, next += 32) {
                    __builtin_prefetch(next);
                    __builtin_prefetch(next + 16);
                    AG_TERM(0);
                    AG_TERM(1);
                    AG_TERM(2);
                    AG_TERM(3);
                }
                for (; k < t->inner; k++, at++, b += q)
                    AG_TERM(0);
            }
#undef AG_TERM
    AG_UNROLL
    for (int p = 0; p < rows; p++)
        AG_UNROLL
        for (int v = 0; v < vectors; v++)
            *(ag_vector *)(sums + p * q + v * AG_VECTOR) = s[p][v];
}

/* Each pass over the panel fetches a part of the next one. */
AG_ALWAYS_INLINE void
ag_product_rows(const int vectors, const int q, const index row, real *sums, int p, const real *a, const ag_terms *t,
                const real *b, int add)
{
    const index size = (index)t->n0 * t->n1 * t->n2 * t->inner;
    const real *next = b + size * q;
    for (; p >= AG_PRODUCT_ROWS; p -= AG_PRODUCT_ROWS, sums += AG_PRODUCT_ROWS * q, a += AG_PRODUCT_ROWS * row, next += size * 8)
        ag_product_tile(AG_PRODUCT_ROWS, vectors, q, row, sums, a, t, b, next, add);
    for (; p >= 2; p -= 2, sums += 2 * q, a += 2 * row)
        ag_product_tile(2, vectors, q, row, sums, a, t, b, next, add);
    if (p)
        ag_product_tile(1, vectors, q, row, sums, a, t, b, next, add);
}

/* sums[p][q] (add: +)= sum over the terms of a[p row + ...] panel[...][q]; q is 16 or 32. */
static void
ag_products(real *sums, int p, int q, const real *a, index row, int n0, index s0, int n1, index s1, int n2,
            index s2, int inner, const real *panel, int add)
{
    const ag_terms t = {n0, n1, n2, inner, s0, s1, s2};
    int v = 0;
    for (; v + 2 * AG_VECTOR <= q; v += 2 * AG_VECTOR)
        if (q == 32 && row == 16)
            ag_product_rows(2, 32, 16, sums + v, p, a, &t, panel + v, add);
        else if (q == 32)
            ag_product_rows(2, 32, row, sums + v, p, a, &t, panel + v, add);
        else
            ag_product_rows(2, 16, row, sums + v, p, a, &t, panel + v, add);
    if (v < q)
        ag_product_rows(1, 16, row, sums + v, p, a, &t, panel + v, add);
}

/* The rows of statistics (gen/nets.m4) of `count' pixels that lie `step' apart, `wide' channels of each. */
static void
ag_statistics(real *sums, const real *value, int step, int wide, int count, index channels)
{
/* Four pixels at a time, whose sums do not wait for one another. */
#define AG_EACH_PIXEL(text)                                                                            \
    do {                                                                                               \
        int p = 0;                                                                                     \
        for (; p + 4 <= count; p += 4)                                                                 \
            AG_UNROLL                                                                                  \
            for (int k = 0; k < 4; k++) {                                                              \
                const ag_vector x = *(const ag_vector *)(value + (index)(p + k) * step + l);           \
                text                                                                                   \
            }                                                                                          \
        for (const int k = 0; p < count; p++) {                                                        \
            const ag_vector x = *(const ag_vector *)(value + (index)p * step + l);                     \
            text                                                                                       \
        }                                                                                              \
    } while (0)
#define AG_TOP(a, b)                                                                                   \
    {                                                                                                  \
        const __typeof__((b) > (a)) more_ = (b) > (a);                                                 \
        a = (ag_vector)((more_ & (__typeof__(more_))(b)) | (~more_ & (__typeof__(more_))(a)));         \
    }
    for (int l = 0; l < wide; l += AG_VECTOR) {
        const ag_vector first = *(const ag_vector *)(value + l);
        ag_vector sum[4] = {{0}}, square[4] = {{0}}, top[4] = {first, first, first, first};
        AG_EACH_PIXEL({ sum[k] += x; AG_TOP(top[k], x) });
        const ag_vector all = (sum[0] + sum[1]) + (sum[2] + sum[3]), mean = all / (real)count;
        AG_EACH_PIXEL({ square[k] += (x - mean) * (x - mean); });
        AG_TOP(top[0], top[1])
        AG_TOP(top[2], top[3])
        AG_TOP(top[0], top[2])
        *(ag_vector *)(sums + l) = (ag_vector){0} + (real)count;
        *(ag_vector *)(sums + channels + l) = all;
        *(ag_vector *)(sums + 2 * channels + l) = (square[0] + square[1]) + (square[2] + square[3]);
        *(ag_vector *)(sums + 3 * channels + l) = top[0];
    }
#undef AG_EACH_PIXEL
#undef AG_TOP
}

static inline uint32_t
ag_bits_of(float x)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float
ag_float_of(uint32_t bits)
{
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

#ifdef AG_DOUBLE
#define AG_ERF(x) erf(x)
#define AG_SMALL_ATAN(x) atan(x)
#define AG_EXP(x) exp(x)
#define AG_TANH(x) tanh(x)
#else
/* Within 1e-7: odd polynomial of degree 13 over even one of degree 8, arguments beyond 4 being
   as good as 4 (the coefficients are those of Eigen's generic_fast_erf_float, eigen.tuxfamily.org). */
static inline float
ag_erf(float x)
{
    const float z = x > 4 ? 4 : x < -4 ? -4 : x, s = z * z;
    float p = -2.72614225801306e-10f, q = -1.45660718464996e-05f;
    p = p * s + 2.77068142495902e-08f;
    p = p * s - 2.10102402082508e-06f;
    p = p * s - 5.69250639462346e-05f;
    p = p * s - 7.34990630326855e-04f;
    p = p * s - 2.95459980854025e-03f;
    p = p * s - 1.60960333262415e-02f;
    q = q * s - 2.13374055278905e-04f;
    q = q * s - 1.68282697438203e-03f;
    q = q * s - 7.37332916720468e-03f;
    q = q * s - 1.42647390514189e-02f;
    return z * p / q;
}
#define AG_ERF(x) ag_erf(x)
#define AG_SMALL_ATAN(x) small_atan(x)
#define AG_EXP(x) expf(x)
#define AG_TANH(x) tanhf(x)
#endif

#endif
