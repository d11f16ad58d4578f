/* SPDX-License-Identifier: BSD-3-Clause */
/* lanes.h -- vectors of the instruction set that a file is compiled for: a tile is one wide.

   A vector of complex numbers is split into real and imaginary parts by shuffles within 128 bits,
   which leaves the columns in the order ag_column; the transposition into strips (strips.h) takes that back.  */
#ifndef AG_LANES_H
#define AG_LANES_H

#if defined __AVX512F__ && !defined AG_DOUBLE
#include <immintrin.h>
#define TILE 16
#elif defined __AVX2__ && !defined AG_DOUBLE
#include <immintrin.h>
#define TILE 8
#else
#define TILE 4
#endif

#ifdef __GNUC__
/* Vectors that the instruction set lacks are passed to inline functions only. */
#pragma GCC diagnostic ignored "-Wpsabi"
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

typedef real lanes __attribute__((vector_size(TILE * sizeof(real))));
typedef lanes lanes_at __attribute__((may_alias));
typedef real lanes_anywhere __attribute__((vector_size(TILE * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef struct waves {
    lanes re, im;
} waves;

static const lanes ag_no_lanes;

#define LANES_AT(element) (*(lanes_at *)(void *)&(element))

ALWAYS_INLINE lanes
ag_reals(const real *from)
{
    return *(const lanes_at *)(const void *)from;
}

/* The same of a stream that goes on in the next strip, `ahead` elements further. */
ALWAYS_INLINE lanes
ag_reals_ahead(const real *from, int64_t ahead)
{
    __builtin_prefetch(from + ahead);
    return ag_reals(from);
}

/* Memory is sent for what a tile will soon read or write. */
ALWAYS_INLINE void
ag_fetch(const cplx *place)
{
    __builtin_prefetch(place);
    if (TILE * sizeof *place > 64)
        __builtin_prefetch(place + TILE / 2);
}

/* ---- words that differ: SHUFFLEs, the column of a lane, estimates -------------------------- */

#define SHUFFLE __builtin_shufflevector
#if TILE == 16
#define EVEN(a, b) SHUFFLE(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30)
#define ODD(a, b)  SHUFFLE(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31)
#define LOW(a, b)  SHUFFLE(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH(a, b) SHUFFLE(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW2(a, b) SHUFFLE(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH2(a, b) SHUFFLE(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define IN_ORDER(a) SHUFFLE(a, a, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)
#define OUT_OF_ORDER(a) SHUFFLE(a, a, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15)
#elif TILE == 8
#define IN_ORDER(a) SHUFFLE(a, a, 0, 1, 4, 5, 2, 3, 6, 7)
#define OUT_OF_ORDER(a) IN_ORDER(a)
#define EVEN(a, b) SHUFFLE(a, b, 0, 2, 8, 10, 4, 6, 12, 14)
#define ODD(a, b)  SHUFFLE(a, b, 1, 3, 9, 11, 5, 7, 13, 15)
#define LOW(a, b)  SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW2(a, b) SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH2(a, b) SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#else
#define IN_ORDER(a) (a)
#define OUT_OF_ORDER(a) (a)
#define EVEN(a, b) SHUFFLE(a, b, 0, 2, 4, 6)
#define ODD(a, b)  SHUFFLE(a, b, 1, 3, 5, 7)
#define LOW(a, b)  SHUFFLE(a, b, 0, 4, 1, 5)
#define HIGH(a, b) SHUFFLE(a, b, 2, 6, 3, 7)
#define LOW2(a, b) SHUFFLE(a, b, 0, 1, 4, 5)
#define HIGH2(a, b) SHUFFLE(a, b, 2, 3, 6, 7)
#endif

static inline int
ag_column(int lane)
{
    return 2 * (lane / 4) + lane % 2 + TILE / 2 * (lane / 2 % 2);
}

/* a / b and scale sqrt(x), x > 0 and no denormal: estimates of 14 (12) bits and one step of Newton's
   method, where there are any; within a few units of the last place. */
ALWAYS_INLINE lanes
ag_quotient(lanes a, lanes b)
{
#if TILE == 16
    const lanes y = (lanes)_mm512_rcp14_ps((__m512)b);
#elif TILE == 8
    const lanes y = (lanes)_mm256_rcp_ps((__m256)b);
#else
    return a / b;
#endif
#if TILE > 4
    return a * y * (2 - b * y);
#endif
}

ALWAYS_INLINE lanes
ag_scaled_root(real scale, lanes x)
{
#if TILE == 16
    const lanes y = (lanes)_mm512_rsqrt14_ps((__m512)x), h = x * y;
#elif TILE == 8
    const lanes y = (lanes)_mm256_rsqrt_ps((__m256)x), h = x * y;
#else
    lanes h;
    for (int l = 0; l < TILE; l++)
        h[l] = scale * AG_SQRT(x[l]);
    return h;
#endif
#if TILE > 4
    return h * ((3 - h * y) * ((real)0.5 * scale));
#endif
}

/* Where a < b, x; elsewhere y. */
ALWAYS_INLINE lanes
ag_below(lanes a, lanes b, lanes x, lanes y)
{
#if TILE == 16
    return (lanes)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ), (__m512)y, (__m512)x);
#elif TILE == 8
    return (lanes)_mm256_blendv_ps((__m256)y, (__m256)x, _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OQ));
#else
    const __typeof__(a < b) where = a < b;
    return (lanes)((where & (__typeof__(a < b))x) | (~where & (__typeof__(a < b))y));
#endif
}

ALWAYS_INLINE lanes
ag_larger(lanes a, lanes b)
{
#if TILE == 16
    return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif TILE == 8
    return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return ag_below(b, a, a, b);
#endif
}

/* ---- complex numbers --------------------------------------------------------------------------- */

static inline waves
ag_waves(const cplx *from)
{
    const lanes a = *(const lanes_anywhere *)(const void *)from;
    const lanes b = *(const lanes_anywhere *)(const void *)(from + TILE / 2);
    const waves w = {EVEN(a, b), ODD(a, b)};
    return w;
}

/* The same; what the next tile reads is asked for. */
static inline waves
ag_waves_ahead(const cplx *from)
{
    for (int64_t i = 0; i < TILE; i += 8)
        __builtin_prefetch(from + TILE + i);
    return ag_waves(from);
}

static inline void
ag_put_waves(cplx *to, waves w)
{
    *(lanes_anywhere *)(void *)to = LOW(w.re, w.im);
    *(lanes_anywhere *)(void *)(to + TILE / 2) = HIGH(w.re, w.im);
}

/* The first n numbers; the rest is 0.  n may be more. */
ALWAYS_INLINE lanes
ag_some_reals(const real *from, int n)
{
#if TILE == 16
    return (lanes)_mm512_maskz_loadu_ps((__mmask16)(n < 16 ? ~(~0u << n) : ~0u), from);
#elif TILE == 8
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (lanes)_mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
#else
    lanes a = {0};
    for (int l = 0; l < TILE; l++)
        a[l] = l < n ? from[l] : 0;
    return a;
#endif
}

ALWAYS_INLINE void
ag_put_some_reals(real *to, lanes a, int n)
{
#if TILE == 16
    _mm512_mask_storeu_ps(to, (__mmask16)(n < 16 ? ~(~0u << n) : ~0u), (__m512)a);
#elif TILE == 8
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane), (__m256)a);
#else
    for (int l = 0; l < TILE; l++)
        if (l < n)
            to[l] = a[l];
#endif
}

ALWAYS_INLINE waves
ag_some_waves(const cplx *from, int n)
{
    const real *const part = &from->re;
    const lanes a = ag_some_reals(part, 2 * n), b = ag_some_reals(part + TILE, 2 * n > TILE ? 2 * n - TILE : 0);
    const waves w = {EVEN(a, b), ODD(a, b)};
    return w;
}

ALWAYS_INLINE void
ag_put_some_waves(cplx *to, waves w, int n)
{
    real *const part = &to->re;
    ag_put_some_reals(part, LOW(w.re, w.im), 2 * n);
    ag_put_some_reals(part + TILE, HIGH(w.re, w.im), 2 * n > TILE ? 2 * n - TILE : 0);
}

/* The first n of them in the order of memory, as the lanes of a strip are; the rest is 0. */
static inline waves
ag_first_waves(const cplx *from, int n)
{
    cplx whole[TILE] = {{0, 0}};
    if (n < TILE)
        from = memcpy(whole, from, (size_t)n * sizeof *whole);
    const waves w = ag_waves(from), ordered = {OUT_OF_ORDER(w.re), OUT_OF_ORDER(w.im)};
    return ordered;
}

static inline waves
ag_same_waves(cplx z)
{
    const waves w = {z.re - ag_no_lanes, z.im - ag_no_lanes};
    return w;
}

/* Real numbers of adjacent columns, in the order of the columns in memory. */
ALWAYS_INLINE lanes
ag_row_reals(const real *from)
{
    const lanes a = *(const lanes_anywhere *)(const void *)from;
    return IN_ORDER(a);
}

static inline void
ag_put_row_reals(real *to, lanes x)
{
    *(lanes_anywhere *)(void *)to = OUT_OF_ORDER(x);
}

ALWAYS_INLINE lanes
ag_some_row_reals(const real *from, int n)
{
    const lanes a = ag_some_reals(from, n);
    return IN_ORDER(a);
}

ALWAYS_INLINE void
ag_put_some_row_reals(real *to, lanes x, int n)
{
    const lanes a = OUT_OF_ORDER(x);
    ag_put_some_reals(to, a, n);
}

/* Amplitudes of a frame: reals, or words of 16 bits, see AMPLITUDES_OF in gen/passes.m4. */
typedef unsigned short word_lanes __attribute__((vector_size(TILE * 2), aligned(2), may_alias));
typedef int int_lanes __attribute__((vector_size(TILE * 4)));

ALWAYS_INLINE const unsigned short *
ag_words(const real *frame, int64_t at)
{
    return (const unsigned short *)(const void *)(frame + 2) + at;
}

ALWAYS_INLINE lanes
ag_from_words(const real *frame, const unsigned short *word)
{
    const int_lanes whole = __builtin_convertvector(*(const word_lanes *)(const void *)word, int_lanes);
    const lanes x = __builtin_convertvector(whole, lanes);
    return ag_below(x, 65535 - ag_no_lanes, (x - frame[0]) * frame[1], (real)2e30 - ag_no_lanes);
}

ALWAYS_INLINE real
ag_amplitude(int words, const real *frame, int64_t at)
{
    if (!words)
        return frame[at];
    const int word = *ag_words(frame, at);
    return word == 65535 ? (real)2e30 : ((real)word - frame[0]) * frame[1];
}

ALWAYS_INLINE lanes
ag_amplitudes_ahead(int words, const real *frame, int64_t at, int64_t ahead)
{
    if (!words)
        return ag_reals_ahead(frame + at, ahead);
    __builtin_prefetch(ag_words(frame, at + ahead));
    return ag_from_words(frame, ag_words(frame, at));
}

ALWAYS_INLINE lanes
ag_row_amplitudes(int words, const real *frame, int64_t at)
{
    return words ? IN_ORDER(ag_from_words(frame, ag_words(frame, at))) : ag_row_reals(frame + at);
}

/* What is beyond the frame was not measured. */
ALWAYS_INLINE lanes
ag_some_row_amplitudes(int words, const real *frame, int64_t at, int n)
{
    real some[TILE];
    for (int l = 0; l < TILE; l++)
        some[l] = l < n ? ag_amplitude(words, frame, at + l) : (real)2e30;
    return ag_row_reals(some);
}

static inline real
ag_lanes_sum(lanes x)
{
    real sum = 0;
    for (int l = 0; l < TILE; l++)
        sum += x[l];
    return sum;
}

static inline real
ag_lanes_top(lanes x)
{
    real top = 0;
    for (int l = 0; l < TILE; l++)
        top = x[l] > top ? x[l] : top;
    return top;
}

#endif
