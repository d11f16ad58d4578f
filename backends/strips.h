/* SPDX-License-Identifier: BSD-3-Clause */
/* strips.h -- rows of a tile become pieces of the strips of its columns, transposed, and back.  */
#ifndef AG_STRIPS_H
#define AG_STRIPS_H

#include "lanes.h"

/* Four rows of each 128 bits become four columns, and back. */
static inline void
ag_turn4(lanes *to, const lanes *from)
{
    const lanes a = LOW(from[0], from[1]), b = HIGH(from[0], from[1]);
    const lanes c = LOW(from[2], from[3]), d = HIGH(from[2], from[3]);
    to[0] = LOW2(a, c);
    to[1] = HIGH2(a, c);
    to[2] = LOW2(b, d);
    to[3] = HIGH2(b, d);
}

/* Where the column of a lane lies in a strip. */
#define COLUMN(lane) (strips + 2 * TILE * ag_column(lane))
#if TILE == 16
typedef real half_lanes __attribute__((vector_size(8 * sizeof(real)), may_alias));
#define HALF_IN(lane) (*(const half_lanes *)(const void *)COLUMN(lane))
#endif

/* Eight rows of a tile into the strips of its columns; `step' is the size of a strip. */
static inline void
ag_turn_out(real *strips, const lanes *row, int64_t step)
{
    lanes t[4], u[4];
    ag_turn4(t, row);
    ag_turn4(u, row + 4);
    for (int j = 0; j < 4; j++) {
#if TILE == 16
        const lanes a = SHUFFLE(t[j], u[j], 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
        const lanes b = SHUFFLE(t[j], u[j], 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
        _mm256_store_ps(COLUMN(j), _mm512_castps512_ps256((__m512)a));
        _mm256_store_ps(COLUMN(j + 4), _mm512_extractf32x8_ps((__m512)a, 1));
        _mm256_store_ps(COLUMN(j + 8), _mm512_castps512_ps256((__m512)b));
        _mm256_store_ps(COLUMN(j + 12), _mm512_extractf32x8_ps((__m512)b, 1));
#elif TILE == 8
        LANES_AT(*COLUMN(j)) = SHUFFLE(t[j], u[j], 0, 1, 2, 3, 8, 9, 10, 11);
        LANES_AT(*COLUMN(j + 4)) = SHUFFLE(t[j], u[j], 4, 5, 6, 7, 12, 13, 14, 15);
#else
        LANES_AT(*COLUMN(j)) = t[j];
        LANES_AT(*(COLUMN(j) + step)) = u[j];
#endif
    }
    (void)step;
}

static inline void
ag_turn_in(lanes *row, const real *strips, int64_t step)
{
    lanes t[4], u[4];
    for (int j = 0; j < 4; j++) {
#if TILE == 16
        const lanes a = SHUFFLE(HALF_IN(j), HALF_IN(j + 4), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        const lanes b = SHUFFLE(HALF_IN(j + 8), HALF_IN(j + 12), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        t[j] = SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        u[j] = SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
#elif TILE == 8
        const lanes a = ag_reals(COLUMN(j)), b = ag_reals(COLUMN(j + 4));
        t[j] = SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        u[j] = SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
#else
        t[j] = ag_reals(COLUMN(j));
        u[j] = ag_reals(COLUMN(j) + step);
#endif
    }
    ag_turn4(row, t);
    ag_turn4(row + 4, u);
    (void)step;
}

/* The same of as many rows as a strip is wide, or eight. */
#define TURNED (TILE < 8 ? TILE : 8)
#if TILE < 8
#define ag_turn_rows_out(strips, row, step) ag_turn_few_out(strips, row)
#define ag_turn_rows_in(row, strips, step) ag_turn_few_in(row, strips)
static inline void
ag_turn_few_out(real *strips, const lanes *row)
{
    lanes t[4];
    ag_turn4(t, row);
    for (int j = 0; j < 4; j++)
        LANES_AT(*COLUMN(j)) = t[j];
}

static inline void
ag_turn_few_in(lanes *row, const real *strips)
{
    lanes t[4];
    for (int j = 0; j < 4; j++)
        t[j] = ag_reals(COLUMN(j));
    ag_turn4(row, t);
}
#else
#define ag_turn_rows_out ag_turn_out
#define ag_turn_rows_in ag_turn_in
#endif

/* A tile of `width' columns and any number of rows to the strips of its columns, `step' apart; the tile's
   columns lie as the vectors of the outer passes hold them, or `ordered'. */
static inline void
ag_tile_to_strips(real *restrict strips, const real *restrict tile, int rows, int64_t step, int width, int ordered)
{
    lanes some[2 * TILE];
    for (int y = 0; y < rows; y += TILE, strips += step) {
        real *const to = width < TILE ? (real *)(void *)some : strips;
        for (int part = 0; part < TILE; part += TURNED) {
            lanes row[2][TURNED];
            for (int i = 0; i < TURNED; i++)
                for (int k = 0; k < 2; k++) {
                    const real *from = tile + 2 * TILE * (y + part + i) + k * TILE;
                    row[k][i] = y + part + i >= rows ? ag_no_lanes : ordered ? ag_row_reals(from) : ag_reals(from);
                }
            ag_turn_rows_out(to + part, row[0], 0);
            ag_turn_rows_out(to + part + TILE, row[1], 0);
        }
        if (width < TILE)
            memcpy(strips, some, (size_t)width * 2 * TILE * sizeof *strips);
    }
}

static inline void
ag_strips_to_tile(real *restrict tile, const real *restrict strips, int rows, int64_t step, int width, int ordered)
{
    lanes some[2 * TILE] = {{0}};
    for (int y = 0; y < rows; y += TILE, strips += step) {
        const real *const from = width < TILE ? (const real *)(const void *)some : strips;
        if (width < TILE)
            memcpy(some, strips, (size_t)width * 2 * TILE * sizeof *strips);
        for (int part = 0; part < TILE; part += TURNED) {
            lanes row[2][TURNED];
            ag_turn_rows_in(row[0], from + part, 0);
            ag_turn_rows_in(row[1], from + part + TILE, 0);
            for (int i = 0; i < TURNED && y + part + i < rows; i++)
                for (int k = 0; k < 2; k++)
                    LANES_AT(tile[2 * TILE * (y + part + i) + k * TILE]) = ordered ? OUT_OF_ORDER(row[k][i]) : row[k][i];
        }
    }
}

/* The radix of the first stage, if a pass may run its text there, else 0. */
static inline int
ag_outer_radix(const ag_axis *axis)
{
    const int r = axis->radix[0];
    return axis->chirp || axis->stages < 2 || (r != 4 && r != 8 && r != 16) ? 0 : r;
}

/* Whether the last stage has radix 8 and is not the only one. */
static inline int
ag_last_is_8(const ag_axis *axis)
{
    return !axis->chirp && axis->stages > 1 && axis->radix[axis->stages - 1] == 8;
}

#endif
