/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels_c.h -- what the generated C kernels stand on.

   Arithmetic: products and sums may be contracted, division and square root are correctly
   rounded, nothing is reassociated but the sums that SIMD_SUM names.  */
#ifndef AG_KERNELS_C_H
#define AG_KERNELS_C_H

#include <math.h>
#include <stdint.h>

#include "backend.h"

typedef ag_real real;
typedef ag_complex cplx;
#define index int64_t

#define TILE AG_C_TILE

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

/* Columns of a tile: one vector of the widest instruction set. */
#define AG_C_TILE 16

typedef void ag_c_kernel(const ag_shape *shape, const ag_arg *arg, int64_t begin, int64_t end,
                         char *local);

#define AG_PASTE2(a, b) a##b
#define AG_PASTE(a, b) AG_PASTE2(a, b)
#define AG_C_TABLE AG_PASTE(ag_c_kernels_, AG_ISA)

/* Sixteen rows of sixteen values at a time: four rounds of interleaving transpose them. */
typedef real ag_lanes __attribute__((vector_size(16 * sizeof(real)), aligned(16 * sizeof(real))));
#define AG_LOW(a, b)                                                                               \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define AG_HIGH(a, b)                                                                              \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

static inline void
ag_transpose16(real *restrict to, const real *restrict from)
{
    ag_lanes a[16], b[16];
    for (int i = 0; i < 16; i++)
        a[i] = *(const ag_lanes *)(const void *)(from + i * 2 * TILE);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 8; i++) {
            b[2 * i] = AG_LOW(a[i], a[i + 8]);
            b[2 * i + 1] = AG_HIGH(a[i], a[i + 8]);
        }
        for (int i = 0; i < 8; i++) {
            a[2 * i] = AG_LOW(b[i], b[i + 8]);
            a[2 * i + 1] = AG_HIGH(b[i], b[i + 8]);
        }
    }
    for (int i = 0; i < 16; i++)
        *(ag_lanes *)(void *)(to + i * 2 * TILE) = a[i];
}

/* A tile of `width` columns from x0 on, `rows` x 2 TILE, to and from the strips of a frame, each
   cols x 2 TILE (gen/passes.m4). */
static inline void
ag_tile_to_strips(real *restrict strips, const real *restrict tile, int rows, int cols, int x0, int width)
{
    const int whole = width == TILE ? rows / TILE * TILE : 0;
    for (int y = 0; y < whole; y += TILE) {
        real *to = strips + ((int64_t)y / TILE * cols + x0) * 2 * TILE;
        ag_transpose16(to, tile + (int64_t)y * 2 * TILE);
        ag_transpose16(to + TILE, tile + (int64_t)y * 2 * TILE + TILE);
    }
    for (int y = whole; y < rows; y++)
        for (int c = 0; c < width; c++) {
            real *to = strips + ((int64_t)(y / TILE) * cols + x0 + c) * 2 * TILE + y % TILE;
            to[0] = tile[(int64_t)y * 2 * TILE + c];
            to[TILE] = tile[(int64_t)y * 2 * TILE + TILE + c];
        }
}

static inline void
ag_strips_to_tile(real *restrict tile, const real *restrict strips, int rows, int cols, int x0, int width)
{
    const int whole = width == TILE ? rows / TILE * TILE : 0;
    for (int y = 0; y < whole; y += TILE) {
        const real *from = strips + ((int64_t)y / TILE * cols + x0) * 2 * TILE;
        ag_transpose16(tile + (int64_t)y * 2 * TILE, from);
        ag_transpose16(tile + (int64_t)y * 2 * TILE + TILE, from + TILE);
    }
    for (int y = whole; y < rows; y++)
        for (int c = 0; c < TILE; c++) {
            const int at = c < width ? c : 0;
            const real *from = strips + ((int64_t)(y / TILE) * cols + x0 + at) * 2 * TILE + y % TILE;
            tile[(int64_t)y * 2 * TILE + c] = c < width ? from[0] : 0;
            tile[(int64_t)y * 2 * TILE + TILE + c] = c < width ? from[TILE] : 0;
        }
}

#endif
