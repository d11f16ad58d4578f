m4_include(`gen/fft.m4')m4_include(`gen/passes.m4')m4_include(`gen/gather.m4')m4_include(`gen/c_passes.m4')m4_include(`gen/nets.m4')m4_dnl
m4_divert(-1)
/* c.m4 -- the plain C dialect: a kernel becomes a function over a range of its items.
   SPDX-License-Identifier: BSD-3-Clause

   A group has one lane, so what the lanes share out is a plain loop that the compiler
   vectorises; the rest of the program calls the functions from several threads.  */
m4_define(`NARG', 0)
m4_define(`TABLE', `')
m4_define(`NEXT_ARG', `NARG`'m4_define(`NARG', m4_incr(NARG))')
m4_define(`ARGS', `m4_ifelse(`$1', `', `', `    $1;
ARGS(m4_shift($@))')')
m4_define(`KERNEL', `m4_define(`NARG', 0)m4_define(`TABLE', m4_defn(`TABLE')`    $1,
')static void
$1(const ag_shape *shape, const ag_arg *arg, const index begin_, const index end_, char *local_)
{
    const int rows_ = shape->y.length, cols_ = shape->x.length;
    (void)rows_; (void)cols_; (void)local_;
ARGS(m4_shift($@))')
m4_define(`END_KERNEL', `}')
m4_define(`IN',         `const $1 *const restrict $2 = (const $1 *)(const void *)arg[NARG].memory + arg[NEXT_ARG].offset')
m4_define(`OUT',        `$1 *const restrict $2 = ($1 *)(void *)arg[NARG].memory + arg[NEXT_ARG].offset')
m4_define(`VAL',        `const $1 $2 = arg[NEXT_ARG].as_$1')
m4_define(`EACH',       `SIMD
    for (index $1 = begin_; $1 < end_; $1++) {')
m4_define(`END_EACH',   `}')
m4_define(`GROUP',      `for (index group_ = begin_; group_ < end_; group_++) {
    const index $1 = group_ / ($3); const int $2 = (int)(group_ % ($3));')
m4_define(`END_GROUP',  `}')
m4_define(`SHARED',     `$1 *const restrict $2 = ($1 *)(void *)local_; local_ += AG_LOCAL_BYTES($1, $3);')
m4_define(`TILE_BUFFER', `SHARED(real, tile, TILE_REALS($1))')
m4_define(`LANES',      `SIMD
    for (int $1 = ($2); $1 < ($3); $1++) {')
m4_define(`END_LANES',  `}')
m4_define(`OWN',        m4_defn(`LANES'))
m4_define(`END_OWN',    `}')
m4_define(`EACH_TILE',  `for (int $1 = 0; $1 < ($3); $1++) {
    SIMD
    for (int $2 = 0; $2 < ($4); $2++) {')
m4_define(`END_TILE',   `}}')
m4_define(`EACH_BUTTERFLY', `for (int $1 = 0; $1 < ($4); $1++)
    for (int $2 = 0; $2 < ($5); $2++) {')
m4_define(`END_BUTTERFLY', `}')
m4_define(`REDUCE_SUM', `real $1 = 0;
    SIMD_SUM($1)
    for (int $2 = ($3); $2 < ($4); $2++) {')
m4_define(`END_SUM',    `}')
m4_define(`REDUCE_MAX', `real $1 = 0;
    SIMD_MAX($1)
    for (int $2 = ($3); $2 < ($4); $2++) {')
m4_define(`END_MAX',    `}')
/* A sum over a tile keeps one partial sum for each column until the end. */
m4_define(`TILE_SUM',   `m4_define(`COLUMN', `$3')real $1_of[TILE] = {0};
    for (int $2 = 0; $2 < ($4); $2++) {
    SIMD
    for (int $3 = 0; $3 < TILE; $3++) {
        real $1 = 0;')
m4_define(`END_TILE_SUM', `$1_of[COLUMN] += $1; }}
    real $1 = 0;
    for (int COLUMN = 0; COLUMN < TILE; COLUMN++) $1 += $1_of[COLUMN];')
m4_define(`PIXEL_SUM',  `real $1 = 0;
    for (int $2 = 0; $2 < ($4); $2++) {
    SIMD_SUM($1)
    for (int $3 = 0; $3 < ($5); $3++) {')
m4_define(`END_PIXEL_SUM', `}}')
m4_define(`REDUCE_BUFFER', `')
m4_define(`ONE_LANE',   `{')
m4_define(`END_ONE',    `}')
m4_define(`FFT',        `fft_$1(&shape->$2, tile, table);')
m4_define(`SOLO',       `$1')
/* Segments of a row that follow one another are one, up to GATHERED, so that windows end inside of few of them. */
m4_define(`GATHER_BEGIN', `index most = segments - item % segments;
        most = most < end_ - group_ ? most : end_ - group_;
        most = most < GATHERED ? most : GATHERED;
        SEGMENTS_BEGIN(most)
        group_ += most - 1;')
m4_define(`GLOBAL',     `')
m4_define(`WITH_STORE', `if (shape->store == 1) {
        STORE_AS(`HALF')$1
        } else if (shape->store == 2) {
        STORE_AS(`BRAIN')$1
        } else {
        STORE_AS(`REAL')$1
        }')
m4_define(`ATOMIC_ADD', `ag_atomic_add(&$1, $2);')
m4_define(`BITS_OF',    `ag_bits_of((float)($1))')
m4_define(`FLOAT_OF',   `ag_float_of($1)')
m4_define(`EACH_BLOCK', `for (int $1 = 0; $1 < ($3); $1++) {
    $4
    SIMD
    for (int $2 = 0; $2 < BLOCK; $2++) {')
m4_define(`END_BLOCK',  `}}')
m4_define(`PRODUCTS',   `ag_products($@);')
m4_define(`WINDOW_PUT', `($1)[($2) * BLOCK + ($3)] = $4;')
m4_define(`TILE_SUMS',  `')
m4_define(`TILE_MMA',   `{ const int $2 = 0; ag_products(values, $4, $5, $6, ($7) * BLOCK, $8, ($9) * BLOCK, $10, ($11) * BLOCK, 1, 0, $12, ($13) + ($14), $15); (void)$2; }')
m4_define(`TILE_KEEP',  `')
m4_define(`KEEP_STATISTICS', `ag_statistics($@);')
m4_define(`ERF',        `AG_ERF($1)')
m4_define(`SMALL_ATAN', `AG_SMALL_ATAN($1)')
m4_define(`EXP',        `AG_EXP($1)')
m4_define(`TANH',       `AG_TANH($1)')
m4_define(`HELPER',     `static inline')
m4_define(`TILE_POINTER', `real *restrict')
m4_define(`TABLE_POINTER', `const cplx *restrict')
m4_define(`EACH_AXIS',  `$1')
m4_define(`STAGE_CASES', `m4_ifelse(`$2', `', `', `        case $2: $1_$2(tile, table, blocks, m, ro, io); break;
STAGE_CASES(`$1', m4_shift(m4_shift($@)))')')
m4_define(`SOME_STAGES_DIF', `for (int s = 0, span = axis->points; s < to; s++) {
        const int radix = axis->radix[s], m = span / radix, blocks = axis->points / span;
        switch (s < from ? 0 : radix) {
STAGE_CASES(`fft_dif', RADICES)m4_dnl
        }
        table += m * (radix - 1);
        span = m;
    }')
m4_define(`SOME_STAGES_DIT', `table += axis->points - 1;
    for (int s = axis->stages - 1, m = 1; s >= from; s--) {
        const int radix = axis->radix[s], blocks = axis->points / (m * radix);
        table -= m * (radix - 1);
        switch (s < to ? radix : 0) {
STAGE_CASES(`fft_dit', RADICES)m4_dnl
        }
        m *= radix;
    }')
m4_define(`ALL_STAGES_DIF', `fft_dif_some(axis, tile, table, ro, io, 0, axis->stages);')
m4_define(`ALL_STAGES_DIT', `fft_dit_some(axis, tile, table, ro, io, 0, axis->stages);')
m4_define(`SOME_STAGES', `
/* Stages from ... to - 1. */
static void
fft_dif_some(const ag_axis *axis, real *restrict tile, const cplx *restrict table, const int ro, const int io,
             const int from, const int to)
{
    SOME_STAGES_DIF
}
static void
fft_dit_some(const ag_axis *axis, real *restrict tile, const cplx *restrict table, const int ro, const int io,
             const int from, const int to)
{
    SOME_STAGES_DIT
}')
m4_define(`NAME',       `$1')
m4_define(`LINES_ARG',  `')
m4_define(`PLANE',      `TILE')
m4_define(`AXIS',       `axis->$1')
m4_define(`AXIS_ARG',   `const ag_axis *axis,')
m4_define(`AXIS_PASS',  `axis,')
m4_define(`REAL',       `((real)$1)')
m4_define(`SQRT',       `AG_SQRT($1)')
m4_define(`COS',        `AG_COS($1)')
m4_define(`SIN',        `AG_SIN($1)')
m4_define(`EXP',        `AG_EXP($1)')
/* Values of a few adjacent pixels: a vector of TILE of them. */
m4_define(`TILE_LANES', `LANES_AT(tile[2 * TILE * ($1) + ($2)])')
m4_define(`FETCH',      `ag_fetch($1 + ($2));')
m4_define(`REALS',      `ag_reals($1 + ($2))')
m4_define(`STREAM',     `ag_reals_ahead($1 + ($2), $3)')
m4_define(`PUT_REALS',  `LANES_AT($1[$2]) = $3')
m4_define(`WAVE_WORDS', ``WAVES', `WAVES_AHEAD', `PUT_WAVES', `ROW_REALS', `PUT_ROW_REALS', `AMPLITUDE_ROW'')
m4_define(`WAVES',      `$1[$2]')
m4_define(`WAVES_AHEAD', `$1[$2]')
m4_define(`WHOLE_WAVES', `ag_waves($1 + ($2))')
m4_define(`WHOLE_WAVES_AHEAD', `ag_waves_ahead($1 + ($2))')
m4_define(`WHOLE_PUT_WAVES', `ag_put_waves($1 + ($2), $3)')
m4_define(`WHOLE_ROW_REALS', `ag_row_reals($1 + ($2))')
m4_define(`WHOLE_PUT_ROW_REALS', `ag_put_row_reals($1 + ($2), $3)')
m4_define(`SOME_WAVES', `ag_some_waves($1 + ($2), some_)')
m4_define(`SOME_WAVES_AHEAD', m4_defn(`SOME_WAVES'))
m4_define(`SOME_PUT_WAVES', `ag_put_some_waves($1 + ($2), $3, some_)')
m4_define(`SOME_ROW_REALS', `ag_some_row_reals($1 + ($2), some_)')
m4_define(`SOME_PUT_ROW_REALS', `ag_put_some_row_reals($1 + ($2), $3, some_)')
m4_define(`WHOLE_VECTOR', `USE(`WHOLE', WAVE_WORDS)$1`'NO_USE(WAVE_WORDS)')
m4_define(`SOME_OF_VECTOR', `USE(`SOME', WAVE_WORDS)$1`'NO_USE(WAVE_WORDS)')
m4_define(`OWN_WAVES',  `{
    int $1 = ($2);
    REST_OF_WAVES($@)
}')
m4_define(`REST_OF_WAVES', `for (; $1 + TILE <= ($3); $1 += TILE) {WHOLE_VECTOR(`$4')
    }
    if ($1 < ($3)) {
        const int some_ = ($3) - $1;
        SOME_OF_VECTOR(`$4')
    }')
/* Sums are made where they lie. */
m4_define(`SUMS_BUFFER', `')
m4_define(`SUMS_IN',    `cplx *const sums = $1 + ($2);
        real *const squares = $4 + ($5);
        if (($3) == 1)
            memset(sums, 0, (size_t)width * sizeof *sums);
        if (($6) == 1)
            memset(squares, 0, (size_t)width * sizeof *squares);')
m4_define(`SUMS_OUT',   `')
/* OWN_WAVES in pieces that end at multiples of a vector, so that a load finds what an earlier store left in one piece. */
m4_define(`GATHERED_WAVES', `{
    int $1 = ($2);
    if ($1 % TILE && $1 < ($3)) {
        const int some_ = ($3) - $1 < TILE - $1 % TILE ? ($3) - $1 : TILE - $1 % TILE;
        SOME_OF_VECTOR(`$4')
        $1 += some_;
    }
    REST_OF_WAVES($@)
}')
m4_define(`LANES_TOP',  `lanes $1_of = {0};')
m4_define(`TOP_OF',     `$1_of')
m4_define(`END_LANES_TOP', `const real $1 = ag_lanes_top($1_of);')
m4_define(`LANES_SUM',  m4_defn(`LANES_TOP'))
m4_define(`SUM_OF',     m4_defn(`TOP_OF'))
m4_define(`END_LANES_SUM', `const real $1 = ag_lanes_sum($1_of);')
m4_define(`FIRST_WAVES', `ag_first_waves($1 + ($2), $3)')
m4_define(`AMPLITUDE',  `ag_amplitude(shape->words, $1, $2)')
m4_define(`AMPLITUDE_STREAM', `ag_amplitudes_ahead(shape->words, $1, $2, $3)')
m4_define(`AMPLITUDE_ROW', `$1[$2]')
m4_define(`WHOLE_AMPLITUDE_ROW', `ag_row_amplitudes(shape->words, $1, $2)')
m4_define(`SOME_AMPLITUDE_ROW', `ag_some_row_amplitudes(shape->words, $1, $2, some_)')
m4_define(`SAME_WAVES', `ag_same_waves($1[$2])')
m4_define(`PAIR_RE',    `WAVES(((const cplx *)(const void *)$1), $2).re')
m4_define(`PAIR_IM',    `WAVES(((const cplx *)(const void *)$1), $2).im')
m4_define(`PUT_PAIR',   `{ const waves pair_ = {$3, $4}; PUT_WAVES(((cplx *)(void *)$1), $2, pair_); }')
m4_define(`TILE_WAVES', `for (int $1 = 0; $1 < ($3); $1++) OWN_WAVES(`$2', 0, $4, `$5')')
m4_define(`BELOW',      `ag_below($1, ($2) - ag_no_lanes, ($3) - ag_no_lanes, ($4) - ag_no_lanes)')
m4_define(`LARGER',     `ag_larger($1, ($2) - ag_no_lanes)')
m4_define(`QUOTIENT',   `ag_quotient(($1) - ag_no_lanes, $2)')
m4_define(`ROOT',       `ag_scaled_root($1, $2)')
/* The shape's most used numbers are the compiler's to keep in registers. */
m4_define(`ROWS',       `rows_')
m4_define(`COLS',       `cols_')
m4_define(`TILE_TO_SCRATCH', `ag_tile_to_strips(scratch + WAVE * STRIPS_Y * COLS * (index)(2 * TILE) + x0 * (2 * TILE), tile, ROWS, COLS * (index)(2 * TILE), width, 1);')
m4_define(`SCRATCH_TO_TILE', `ag_strips_to_tile(tile, scratch + WAVE * STRIPS_Y * COLS * (index)(2 * TILE) + x0 * (2 * TILE), ROWS, COLS * (index)(2 * TILE), width, 1);')
m4_define(`IF_MODES',   `if (MODES > 1) {
        $1
        } else {
        $2
        }')
m4_define(`NO_LANES',   `ag_no_lanes')
m4_define(`SHAPE',      `shape->$1')
m4_divert(0)m4_dnl
/* Generated from the templates in kernels/ by gen/c.m4; compiled once for each instruction set. */
#include "kernels_c.h"
#include "products_c.h"

HELPERS_OF(`cplx', `cplx_')
HELPERS_OF(`waves', `waves_')
LARGER_TEXT
NET_HELPERS_TEXT
FFT_TEXT
STRIPS_TEXT

m4_m4wrap(`
ag_c_kernel *const AG_C_TABLE[] = {
TABLE`'};
const int AG_C_TILE = TILE;
')m4_dnl
