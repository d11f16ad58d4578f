m4_divert(-1)
/* c_passes.m4 -- the passes of the C dialect.  SPDX-License-Identifier: BSD-3-Clause

   A tile is one vector wide, and the text of a pass runs between its butterflies, on values that are
   in registers: LOAD before the first stage down the columns, STORE after the last, and what the
   detector says between the last stage along the rows and the first one back.  The last stage down
   the columns has radix 8 where the length allows it (src/plan.c) and hands blocks of 8 rows over to
   the strips, transposed; a strip is transformed where it lies.  What does not fit (few points,
   Bluestein, a tile that is not full) takes the stages one by one.  The vectors of the outer passes
   hold a tile's columns in the order that lanes.h says.  */
m4_define(`STRIPS_OF_FRAME', `const index strip_step = COLS * (index)(2 * TILE), strips_at = WAVE * STRIPS_Y * strip_step + strip * TILE * (2 * TILE);')
/* A stage of the outer passes with the text as its input or its output: a wave at row y. */
m4_define(`LOAD_POINT', `lanes x$1r, x$1i;
      { const index y = n + $1 * m;
        PASS_TEXT
        x$1r = wave.re; x$1i = wave.im; }
      ')
m4_define(`STORE_POINT', `{ const index y = n + $1 * m; const waves wave = {$2i, $2r};
        PASS_TEXT }
      ')
m4_define(`OUTER_STAGE', `case $1:
            for (index n = 0; n < m; n++) {
                const index at = n;
      m4_define(`RADIX', $1)POINTS(`$2', `$3')CODELET($1)
            }
            break;
        ')
m4_define(`OUTER_STAGES', `WHOLE_VECTOR(`OUTER_STAGE(16, `$1', `$2')OUTER_STAGE(8, `$1', `$2')OUTER_STAGE(4, `$1', `$2')')')
m4_define(`OUTER_FORM', `STRIPS_OF_FRAME
        const int fused = width == TILE ? ag_outer_radix(&shape->y) : 0, turned = width == TILE && ag_last_is_8(&shape->y);
        const index m = fused ? shape->y.points / fused : 0;')
m4_define(`FIRST_TILE', `OUTER_FORM
        const int ro = 0, io = TILE;
        const index x = x0;
        EACH_OBJECT(`switch (fused) {
        OUTER_STAGES(`LOAD_POINT', `TO_TILE_TURNED')default:
            TILE_WAVES(`y', `c', ROWS, width, `
                PASS_TEXT
                LANES_AT(RE(y, 0)) = wave.re; LANES_AT(IM(y, 0)) = wave.im;')
        }')
        fft_forward_part(&shape->y, tile, table, fused != 0, turned);
        if (turned)
            fft_to_strips(scratch + strips_at, tile, ROWS, strip_step);
        else
            ag_tile_to_strips(scratch + strips_at, tile, ROWS, strip_step, width, 0);')
m4_define(`LAST_TILE', `OUTER_FORM
        const int ro = TILE, io = 0;
        if (turned)
            fft_from_strips(tile, scratch + strips_at, ROWS, strip_step);
        else
            ag_strips_to_tile(tile, scratch + strips_at, ROWS, strip_step, width, 0);
        fft_inverse_part(&shape->y, tile, table, fused != 0, turned);
        const index x = x0;
        EACH_OBJECT(`switch (fused) {
        OUTER_STAGES(`FROM_TILE_TURNED', `STORE_POINT')default:
            TILE_WAVES(`y', `c', ROWS, width, `
                const waves wave = {LANES_AT(RE(y, 0)), LANES_AT(IM(y, 0))};
                PASS_TEXT')
        }')')

/* At the detector: its text for the lanes re and im. */
m4_define(`BEGIN_TOTAL', `m4_ifelse(SUMMED, 1, `lanes total = {0};')')
m4_define(`END_TOTAL', `m4_ifelse(SUMMED, 1, `ERROR_OF_STRIP = ag_lanes_sum(total);')')
m4_define(`DETECT_ROW', `lanes re = LANES_AT(RE(q, 0)), im = LANES_AT(IM(q, 0));
                PASS_TEXT
                LANES_AT(RE(q, 0)) = re; LANES_AT(IM(q, 0)) = im;')
/* Between the stages: the forward one's outputs become the inverse one's inputs, parts exchanged. */
m4_define(`DETECT_POINT', `{ const int q = at + $1; lanes re = $2r, im = $2i;
        PASS_TEXT
        y$1r = im; y$1i = re; }
      ')
m4_define(`DETECTED_POINT', `lanes x$1r = y$1r, x$1i = y$1i;
      ')
m4_define(`FROM_STRIP', `lanes x$1r = LANES_AT(RE(at + $1, 0)), x$1i = LANES_AT(IM(at + $1, 0));
      ')
m4_define(`TO_STRIP', `LANES_AT(IM(at + $1, 0)) = $2r; LANES_AT(RE(at + $1, 0)) = $2i;
      ')
m4_define(`MIDDLE_BUFFER', `SHARED(real, work, TILE_REALS(x))')
/* FAR_TILE(before, butterflies of 8 rows, after), NEAR_ROWS(before, after): a text on a strip, or on the tile of a column
   of strips, between what brings it to the detector and what takes it back. */
m4_define(`FAR_TILE', `real *const strip_here = scratch + (s * STRIPS_Y + strip) * COLS * (index)(2 * TILE);
        const int chirp = shape->x.chirp, fused = ag_last_is_8(&shape->x);
        real *const tile = chirp ? work : strip_here;
        if (chirp)
            memcpy(tile, strip_here, (size_t)COLS * 2 * TILE * sizeof *tile);
        $1
        if (fused) {
            for (int at = 0; at < COLS; at += 8) {
      $2
            }
        } else {
            for (int q = 0; q < COLS; q++) {
                DETECT_ROW
            }
        }
        $3
        if (chirp)
            memcpy(strip_here, tile, (size_t)COLS * 2 * TILE * sizeof *tile);')
m4_define(`FORWARD_ROWS', `fft_forward_part(&shape->x, tile, table, 0, fused);')
m4_define(`INVERSE_ROWS', `fft_inverse_part(&shape->x, tile, table, 0, fused);')
m4_define(`MIDDLE_TILE', `BEGIN_TOTAL
        FAR_TILE(`FORWARD_ROWS', `lanes FOR(`I', 0, 7, `y`'I`'r, y`'I`'i`'m4_ifelse(I, 7, `;', `, ')')
      {
      POINTS(`FROM_STRIP', `DETECT_POINT')CODELET(8)
      }
      {
      POINTS(`DETECTED_POINT', `TO_STRIP')CODELET(8)
      }', `INVERSE_ROWS')
        END_TOTAL')
m4_define(`NEAR_ROWS', `STRIPS_OF_FRAME
        const int width = height, turned = width == TILE && ag_last_is_8(&shape->y);
        $1
        USE(`COLUMNS', `STREAM', `AMPLITUDE_STREAM', `PUT_REALS')for (int q = 0; q < ROWS; q++) {
            DETECT_ROW
        }NO_USE(`STREAM', `AMPLITUDE_STREAM', `PUT_REALS')
        $2')
m4_define(`STRIPS_IN', `ag_strips_to_tile(tile, scratch + strips_at, ROWS, strip_step, width, 0);')
m4_define(`STRIPS_OUT', `ag_tile_to_strips(scratch + strips_at, tile, ROWS, strip_step, width, 0);')
m4_define(`INVERSE_COLUMNS', `if (turned)
            fft_from_strips(tile, scratch + strips_at, ROWS, strip_step);
        else
            STRIPS_IN
        fft_inverse_part(&shape->y, tile, table, 0, turned);')
m4_define(`FORWARD_COLUMNS', `fft_forward_part(&shape->y, tile, table, 0, turned);
        if (turned)
            fft_to_strips(scratch + strips_at, tile, ROWS, strip_step);
        else
            STRIPS_OUT')
m4_define(`NEAR_TILE', `BEGIN_TOTAL
        NEAR_ROWS(`INVERSE_COLUMNS', `FORWARD_COLUMNS')
        END_TOTAL')
/* The halves of both: what the text makes stays in the strips, which the other half begins with. */
m4_define(`SEEN_POINT', `{ const int q = at + $1; lanes re = $2r, im = $2i;
        PASS_TEXT
        LANES_AT(RE(q, 0)) = re; LANES_AT(IM(q, 0)) = im; }
      ')
m4_define(`SAID_POINT', `lanes x$1r, x$1i;
      { const int q = at + $1; lanes re = LANES_AT(RE(q, 0)), im = LANES_AT(IM(q, 0));
        PASS_TEXT
        x$1r = im; x$1i = re; }
      ')
m4_define(`TO_FAR_TILE', `FAR_TILE(`FORWARD_ROWS', `POINTS(`FROM_STRIP', `SEEN_POINT')CODELET(8)')')
m4_define(`FROM_FAR_TILE', `FAR_TILE(`', `POINTS(`SAID_POINT', `TO_STRIP')CODELET(8)', `INVERSE_ROWS')')
m4_define(`TO_NEAR_TILE', `NEAR_ROWS(`INVERSE_COLUMNS', `STRIPS_OUT')')
m4_define(`FROM_NEAR_TILE', `NEAR_ROWS(`STRIPS_IN', `FORWARD_COLUMNS')')
m4_define(`NEAR_BUFFER', `SHARED(real, tile, TILE_REALS(y) * MODES)')
/* Of several modes: each is transformed, then they speak together, then each is transformed back. */
m4_define(`MODES_MIDDLE_TILE', `BEGIN_TOTAL
        const index mode_step = STRIPS_Y * (index)COLS * (2 * TILE), held = (index)COLS * 2 * TILE;
        real *const strips_here = scratch + s * MODES * mode_step + strip * held;
        const int chirp = shape->x.chirp;
        for (int mode = 0; mode < MODES; mode++) {
            real *const strip_here = strips_here + mode * mode_step, *const tile = chirp ? work : strip_here;
            if (chirp)
                memcpy(tile, strip_here, (size_t)held * sizeof *tile);
            fft_forward_part(&shape->x, tile, table, 0, 0);
            if (chirp)
                memcpy(strip_here, tile, (size_t)held * sizeof *tile);
        }
        for (int q = 0; q < COLS; q++) {
            real *const row = strips_here + q * (2 * TILE);
            DETECT_MODES(`LANES_AT(row[mode * mode_step])', `LANES_AT(row[mode * mode_step + TILE])',
                `LANES_AT(row[mode * mode_step]) = re; LANES_AT(row[mode * mode_step + TILE]) = im;')
        }
        for (int mode = 0; mode < MODES; mode++) {
            real *const strip_here = strips_here + mode * mode_step, *const tile = chirp ? work : strip_here;
            if (chirp)
                memcpy(tile, strip_here, (size_t)held * sizeof *tile);
            fft_inverse_part(&shape->x, tile, table, 0, 0);
            if (chirp)
                memcpy(strip_here, tile, (size_t)held * sizeof *tile);
        }
        END_TOTAL')
m4_define(`MODES_NEAR_TILE', `BEGIN_TOTAL
        const int width = height, turned = width == TILE && ag_last_is_8(&shape->y);
        const index mode_step = TILE_REALS(y);
        EACH_MODE
            STRIPS_OF_FRAME
            real *const mine = tile + mode * mode_step;
            if (turned)
                fft_from_strips(mine, scratch + strips_at, ROWS, strip_step);
            else
                ag_strips_to_tile(mine, scratch + strips_at, ROWS, strip_step, width, 0);
            fft_inverse_part(&shape->y, mine, table, 0, turned);
        END_MODE
        USE(`COLUMNS', `STREAM', `AMPLITUDE_STREAM', `PUT_REALS')for (int q = 0; q < ROWS; q++) {
            real *const row = tile + q * (2 * TILE);
            DETECT_MODES(`LANES_AT(row[mode * mode_step])', `LANES_AT(row[mode * mode_step + TILE])',
                `LANES_AT(row[mode * mode_step]) = re; LANES_AT(row[mode * mode_step + TILE]) = im;')
        }NO_USE(`STREAM', `AMPLITUDE_STREAM', `PUT_REALS')
        EACH_MODE
            STRIPS_OF_FRAME
            real *const mine = tile + mode * mode_step;
            fft_forward_part(&shape->y, mine, table, 0, turned);
            if (turned)
                fft_to_strips(scratch + strips_at, mine, ROWS, strip_step);
            else
                ag_tile_to_strips(scratch + strips_at, mine, ROWS, strip_step, width, 0);
        END_MODE
        END_TOTAL')
m4_define(`MODES_NATURAL_TILE', `BEGIN_TOTAL
        for (int l = 0; l < height; l++) OWN_WAVES(`q', 0, COLS, `
            DETECT_MODES(`PAIR_RE(scratch, NATURAL_AT(WAVE, p0 + l, q))', `PAIR_IM(scratch, NATURAL_AT(WAVE, p0 + l, q))',
                `PUT_PAIR(scratch, NATURAL_AT(WAVE, p0 + l, q), re, im);')')
        END_TOTAL')
m4_define(`COLUMNS_STREAM', `ag_row_reals($1 + ($2))')
m4_define(`COLUMNS_AMPLITUDE_STREAM', `ag_row_amplitudes(shape->words, $1, $2)')
m4_define(`COLUMNS_PUT_REALS', `ag_put_row_reals($1 + ($2), $3)')
m4_define(`NATURAL_TILE', `BEGIN_TOTAL
        for (int l = 0; l < height; l++) OWN_WAVES(`q', 0, COLS, `
            lanes re = PAIR_RE(scratch, NATURAL_AT(s, p0 + l, q)), im = PAIR_IM(scratch, NATURAL_AT(s, p0 + l, q));
            PASS_TEXT
            PUT_PAIR(scratch, NATURAL_AT(s, p0 + l, q), re, im);')
        END_TOTAL')

/* What stands between the strips and the butterflies that have radix 8 and no twiddle factors. */
m4_define(`INTO_BLOCK', `re[$1] = $2r; im[$1] = $2i;
      ')
m4_define(`FROM_BLOCK', `lanes x$1r = im[$1], x$1i = re[$1];
      ')
m4_define(`STRIPS_TEXT', `
/* The last stage of a column, and its rows as pieces of strips. */
static void
fft_to_strips(real *restrict strips, real *restrict tile, const int rows, const int64_t step)
{
    const int ro = 0, io = TILE, m = 1;
    for (int at = 0; at < rows; at += 8) {
      lanes re[8], im[8];
      POINTS(`FROM_TILE', `INTO_BLOCK')CODELET(8)
      ag_turn_out(strips + at / TILE * step + at % TILE, re, step);
      ag_turn_out(strips + at / TILE * step + at % TILE + TILE, im, step);
    }
}
/* Back: the first stage of the inverse. */
static void
fft_from_strips(real *restrict tile, const real *restrict strips, const int rows, const int64_t step)
{
    const int ro = TILE, io = 0, m = 1;
    for (int at = 0; at < rows; at += 8) {
      lanes re[8], im[8];
      ag_turn_in(re, strips + at / TILE * step + at % TILE, step);
      ag_turn_in(im, strips + at / TILE * step + at % TILE + TILE, step);
      POINTS(`FROM_BLOCK', `TO_TILE')CODELET(8)
    }
}
/* The stages that a pass leaves; without its first one, and without its last one, each if told so. */
static void
fft_forward_part(const ag_axis *axis, real *restrict tile, const cplx *restrict table, const int first, const int last)
{
    if (axis->chirp)
        fft_forward(axis, tile, table);
    else
        fft_dif_some(axis, tile, table, 0, TILE, first, axis->stages - last);
}
static void
fft_inverse_part(const ag_axis *axis, real *restrict tile, const cplx *restrict table, const int first, const int last)
{
    if (axis->chirp)
        fft_inverse(axis, tile, table);
    else
        fft_dit_some(axis, tile, table, TILE, 0, first, axis->stages - last);
}')
/* A frame's strips are in the caches anyway: nothing is gained by one kernel for all passes, measured. */
m4_define(`WHOLE_PASS', `m4_define(`TABLE', m4_defn(`TABLE')`    NULL,
')')
/* A launch waits for all of a pass as it is. */
m4_define(`VISITS', m4_defn(`WHOLE_PASS'))
m4_divert(0)m4_dnl
