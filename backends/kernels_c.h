/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels_c.h -- what the generated C kernels stand on.

   Arithmetic: products and sums may be contracted, division and square root are correctly
   rounded but for QUOTIENT and ROOT, nothing is reassociated but the sums that SIMD_SUM names.  */
#ifndef AG_KERNELS_C_H
#define AG_KERNELS_C_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "backend.h"

typedef ag_real real;
typedef ag_complex cplx;
#define index int64_t

#ifdef AG_DOUBLE
#define AG_SQRT(x) sqrt(x)
#define AG_COS(x) cos(x)
#define AG_SIN(x) sin(x)
#define AG_EXP(x) exp(x)
#else
#define AG_SQRT(x) sqrtf(x)
#define AG_COS(x) cosf(x)
#define AG_SIN(x) sinf(x)
#define AG_EXP(x) expf(x)
#endif

#define AG_PRAGMA(text) _Pragma(#text)
#define SIMD AG_PRAGMA(omp simd)
#define SIMD_SUM(x) AG_PRAGMA(omp simd reduction(+ : x))
#define SIMD_MAX(x) AG_PRAGMA(omp simd reduction(max : x))

/* Local memory is handed out in pieces of 128 bytes. */
#define AG_LOCAL_BYTES(type, count) (((int64_t)sizeof(type) * (count) + 127) / 128 * 128)

/* Generated, once for each instruction set. */
typedef void ag_c_kernel(const ag_shape *shape, const ag_arg *arg, int64_t begin, int64_t end,
                         char *local);

#define AG_PASTE2(a, b) a##b
#define AG_PASTE(a, b) AG_PASTE2(a, b)
#define AG_C_TABLE AG_PASTE(ag_c_kernels_, AG_ISA)
#define AG_C_TILE AG_PASTE(ag_c_tile_, AG_ISA)

#include "strips.h"

/* Of one number and of a vector alike. */
#define product(a, b) _Generic((a), cplx: cplx_product, waves: waves_product)(a, b)
#define conjugate_product(a, b)                                                                    \
    _Generic((a), cplx: cplx_conjugate_product, waves: waves_conjugate_product)(a, b)
#define linear_tap(a, b, c, d, fy, fx)                                                             \
    _Generic((a), cplx: cplx_linear_tap, waves: waves_linear_tap)(a, b, c, d, fy, fx)

static inline void
ag_atomic_add(ag_real *at, ag_real value)
{
    ag_real before, after;
    __atomic_load(at, &before, __ATOMIC_RELAXED);
    do
        after = before + value;
    while (!__atomic_compare_exchange(at, &before, &after, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

#endif
