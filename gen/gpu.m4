m4_include(`gen/fft.m4')m4_include(`gen/registers.m4')m4_include(`gen/whole.m4')m4_include(`gen/passes.m4')m4_include(`gen/gather.m4')m4_include(`gen/nets.m4')m4_dnl
m4_divert(-1)
/* gpu.m4 -- what the dialects for devices share.  SPDX-License-Identifier: BSD-3-Clause

   A dialect gives  QUALIFIED(name, parameters), GLOBAL, LOCAL_ARRAY, LANE, GROUP_ID, BARRIER,
   FLAT_ID, FLAT_SIZE, HELPER, RESTRICT, SQRT, COS, SIN.  The numbers of the shape are
   macros (SHAPE_y_length, ...) that the backend puts before the text; a kernel is compiled where
   AG_KERNEL_name is defined.  An array is a pointer and an offset in elements.  */
m4_define(`UNPACK', `')
m4_define(`APPEND', `m4_define(`$1', m4_defn(`$1')`$2')')
m4_define(`KERNEL', `#ifdef AG_KERNEL_$1
QUALIFIED(`$1', `const index items_, m4_shift($@)')
{
UNPACK`'m4_define(`UNPACK', `')')
m4_define(`END_KERNEL', `}
#endif')
m4_define(`IN',  `GLOBAL const $1 *RESTRICT $2_, const index $2_offset_`'APPEND(`UNPACK', `    GLOBAL const $1 *RESTRICT $2 = $2_ + $2_offset_;
')')
m4_define(`OUT', `GLOBAL $1 *$2_, const index $2_offset_`'APPEND(`UNPACK', `    GLOBAL $1 *$2 = $2_ + $2_offset_;
')')
m4_define(`VAL', `const $1 $2')
m4_define(`EACH',       `for (index $1 = FLAT_ID; $1 < items_; $1 += FLAT_SIZE) {')
m4_define(`END_EACH',   `}')
m4_define(`GROUP',      `{
    const index group_ = GROUP_ID, $1 = group_ / ($3); const int $2 = (int)(group_ % ($3));')
m4_define(`END_GROUP',  `}')
m4_define(`SHARED',     `LOCAL_ARRAY($1, $2, $3);')
m4_define(`TILE_BUFFER', `
#if SHAPE_spill
    GLOBAL real *const tile = spill + (index)GROUP_ID * TILE_REALS($1);
#else
    LOCAL_ARRAY(real, tile, TILE_REALS($1) * !SHAPE_spill);
#endif')
m4_define(`REDUCE_BUFFER', `LOCAL_ARRAY(real, part_, WIDTH);')
m4_define(`LANES',      `for (int $1 = ($2) + LANE; $1 < ($3); $1 += WIDTH) {')
m4_define(`END_LANES',  `} BARRIER')
m4_define(`OWN',        `for (int $1 = LANE; $1 < ($3); $1 += WIDTH) if ($1 >= ($2)) {')
m4_define(`END_OWN',    `}')
m4_define(`OWN_WAVES',  `OWN($1, $2, $3) $4
    END_OWN')
m4_define(`EACH_TILE',  `for (int t_ = LANE; t_ < ($3) * TILE; t_ += WIDTH) {
    const int $1 = t_ / TILE, $2 = t_ % TILE;
    if ($2 < ($4)) {')
m4_define(`END_TILE',   `}} BARRIER')
m4_define(`EACH_BUTTERFLY', `for (int t_ = LANE; t_ < ($4) * ($5) * across; t_ += WIDTH) {
    const int $3 = t_ % across, $1 = t_ / across / ($5), $2 = t_ / across % ($5);')
m4_define(`END_BUTTERFLY', `} BARRIER')
m4_define(`SOLO',       `$2')
m4_define(`WITH_STORE', `
#if SHAPE_store == 1
        STORE_AS(`HALF')$1
#elif SHAPE_store == 2
        STORE_AS(`BRAIN')$1
#else
        STORE_AS(`REAL')$1
#endif
        ')
m4_define(`EACH_BLOCK', `for (int t_ = LANE; t_ < ($3) * BLOCK; t_ += WIDTH) {
    const int $1 = t_ / BLOCK, $2 = t_ % BLOCK;
    {$4')
m4_define(`END_BLOCK',  `}} BARRIER')
/* A lane makes four rows of one column. */
m4_define(`PRODUCTS',   `for (int t_ = LANE; t_ < (($2) + 3) / 4 * ($3); t_ += WIDTH) {
        const int q_ = t_ % ($3), p_ = t_ / ($3) * 4, last_ = ($2) - 1;
        const int a_ = p_, b_ = p_ + 1 < last_ ? p_ + 1 : last_, c_ = p_ + 2 < last_ ? p_ + 2 : last_, d_ = p_ + 3 < last_ ? p_ + 3 : last_;
        const index ra_ = ROW_OF(a_, $5), rb_ = ROW_OF(b_, $5), rc_ = ROW_OF(c_, $5), rd_ = ROW_OF(d_, $5);
        real sa_ = 0, sb_ = 0, sc_ = 0, sd_ = 0;
        index at_ = q_;
        for (int i_ = 0; i_ < ($6); i_++)
        for (int j_ = 0; j_ < ($8); j_++)
        for (int l_ = 0; l_ < ($10); l_++) {
            const index from_ = i_ * (index)($7) + j_ * (index)($9) + l_ * (index)($11);
            for (int k_ = 0; k_ < ($12); k_++, at_ += ($3)) {
                const real w_ = ($13)[at_];
                sa_ += ($4)[ra_ + from_ + k_] * w_;
                sb_ += ($4)[rb_ + from_ + k_] * w_;
                sc_ += ($4)[rc_ + from_ + k_] * w_;
                sd_ += ($4)[rd_ + from_ + k_] * w_;
            }
        }
        ($1)[a_ * ($3) + q_] = (($14) ? ($1)[a_ * ($3) + q_] : 0) + sa_;
        if (p_ + 1 <= last_) ($1)[b_ * ($3) + q_] = (($14) ? ($1)[b_ * ($3) + q_] : 0) + sb_;
        if (p_ + 2 <= last_) ($1)[c_ * ($3) + q_] = (($14) ? ($1)[c_ * ($3) + q_] : 0) + sc_;
        if (p_ + 3 <= last_) ($1)[d_ * ($3) + q_] = (($14) ? ($1)[d_ * ($3) + q_] : 0) + sd_;
    } BARRIER')
/* Where there are matrix units (SHAPE_mma): a window holds 16 bits of a number, pixels 48 bytes apart, so that 8 of them
   lie in different banks; a wave makes 16 rows of MMA_N columns of each panel, in registers. */
m4_define(`AT_ONCE',    `(SHAPE_mma ? 4 : 1)')
m4_define(`WINDOW_PUT', `
#if SHAPE_mma
        STORED($1, ($2) * 24 + ($3), $4)
#else
        ($1)[($2) * BLOCK + ($3)] = $4;
#endif
        ')
m4_define(`TILE_SUMS',  `
#if SHAPE_mma
        const int m_ = LANE / MMA_WAVE % 2 * 16, n_ = LANE / MMA_WAVE / 2 * MMA_N;
        float sums_[$1][MMA_SUMS] = {{0}};
#endif
        ')
m4_define(`TILE_MMA',   `
#if SHAPE_mma
        if (m_ < ($4) && n_ < PANEL) {
            const unsigned short *weights_[$1];
            int wide_[$1];
#pragma unroll
            for (int $2 = 0; $2 < ($1); $2++) {
                weights_[$2] = (const unsigned short *)(const void *)($13) + ($14) + (n_ + MMA_COL) * BLOCK;
                wide_[$2] = $2 < ($3) && n_ < ($5) ? ($5) * BLOCK : 0;
            }
            const unsigned short *const window_ = (const unsigned short *)(const void *)($6);
            const int last_ = ($4) - 1, a_ = m_ + MMA_ROW(0), b_ = m_ + MMA_ROW(1);
            const unsigned short *const first_ = window_ + PIXEL_OF_ROW((a_ < last_ ? a_ : last_), $7) * 24;
            const unsigned short *const second_ = window_ + PIXEL_OF_ROW((b_ < last_ ? b_ : last_), $7) * 24;
            for (int i_ = 0; i_ < ($8); i_++)
            for (int j_ = 0; j_ < ($10); j_++) {
                const int from_ = (i_ * ($9) + j_ * ($11)) * 24;
                const mma_rows rows_ = mma_load_rows(first_ + from_, second_ + from_);
#pragma unroll
                for (int $2 = 0; $2 < ($1); $2++)
                    if (wide_[$2]) {
                        const mma_cols cols_ = mma_load_cols(weights_[$2]);
                        weights_[$2] += wide_[$2];
                        mma_multiply(sums_[$2], &rows_, &cols_);
                    }
            }
        } BARRIER
#else
        {
            const int $2 = 0;
            m4_pushdef(`ROW_OF', m4_defn(`REALS_OF_ROW'))
            PRODUCTS(`values', `$4', `$5', `$6', `$7', `$8', `($9) * BLOCK', `$10', `($11) * BLOCK', 1, 0, `$12', `($13) + ($14)', `$15')
            m4_popdef(`ROW_OF')
        }
#endif
        ')
m4_define(`TILE_KEEP',  `
#if SHAPE_mma
        if (m_ < ($4) && n_ < ($5)) {
#pragma unroll
            for (int k_ = 0; k_ < ($1); k_++)
#pragma unroll
                for (int e_ = 0; e_ < MMA_SUMS; e_++)
                    if (k_ == ($2) && m_ + MMA_SUM_ROW(e_) < ($4))
                        ($3)[(m_ + MMA_SUM_ROW(e_)) * ($5) + n_ + MMA_SUM_COL(e_)] = sums_[k_][e_];
        } BARRIER
#endif
        ')
m4_define(`PIXEL_OF_ROW', `($1) * ($2)')
m4_define(`REALS_OF_ROW', `PIXEL_OF_ROW(`$1', `$2') * (index)BLOCK')
m4_define(`KEEP_STATISTICS', `LANES(l_, 0, $4)
        real sum_ = 0, square_ = 0, most_ = ($2)[l_];
        for (int p_ = 0; p_ < ($5); p_++) {
            sum_ += ($2)[p_ * ($3) + l_];
            most_ = larger(most_, ($2)[p_ * ($3) + l_]);
        }
        const real mean_ = sum_ / ($5);
        for (int p_ = 0; p_ < ($5); p_++)
            square_ += (($2)[p_ * ($3) + l_] - mean_) * (($2)[p_ * ($3) + l_] - mean_);
        ($1)[l_] = ($5);
        ($1)[($6) + l_] = sum_;
        ($1)[2 * ($6) + l_] = square_;
        ($1)[3 * ($6) + l_] = most_;
    END_LANES')
m4_define(`SMALL_ATAN', `small_atan($1)')
m4_define(`ROW_OF',     `($1) * (index)($2)')
m4_define(`REDUCE_SUM', `real $1 = 0;
    for (int $2 = ($3) + LANE; $2 < ($4); $2 += WIDTH) {')
m4_define(`END_SUM',    `}
    $1 = group_sum(part_, $1);')
m4_define(`REDUCE_MAX', m4_defn(`REDUCE_SUM'))
m4_define(`END_MAX',    `}
    $1 = group_max(part_, $1);')
m4_define(`TILE_SUM',   `real $1 = 0;
    for (int t_ = LANE; t_ < ($4) * TILE; t_ += WIDTH) {
    const int $2 = t_ / TILE, $3 = t_ % TILE;')
m4_define(`END_TILE_SUM', m4_defn(`END_SUM'))
m4_define(`EACH_PIXEL', `for (int t_ = LANE; t_ < ($3) * ($4); t_ += WIDTH) {
    const int $1 = t_ / ($4), $2 = t_ % ($4);')
m4_define(`PIXEL_SUM',  `real $1 = 0;
    EACH_PIXEL($2, $3, $4, $5)')
m4_define(`END_PIXEL_SUM', m4_defn(`END_SUM'))
m4_define(`ONE_LANE',   `if (LANE == 0) {')
m4_define(`END_ONE',    `}')
m4_define(`FFT',        `fft_$1_$2(tile, table);')
/* One pixel is what a lane holds. */
m4_define(`TILE_WAVES', `EACH_TILE($1, $2, $3, $4)$5
        END_TILE')
m4_define(`TILE_LANES', `tile[down * ($1) + ($2) + along * c]')
m4_define(`LINES_ARG',  `const int down, const int along, const int across,')
m4_define(`FETCH',      `')
m4_define(`STREAM',     `$1[($2) + l]')
m4_define(`PUT_REALS',  `$1[($2) + l] = $3')
m4_define(`WAVES',      `$1[$2]')
m4_define(`PUT_WAVES',  `$1[$2] = $3')
m4_define(`SAME_WAVES', m4_defn(`WAVES'))
m4_define(`WAVES_AHEAD', m4_defn(`WAVES'))
m4_define(`FIRST_WAVES', `$1[($2) + (l < ($3) ? l : 0)]')
m4_define(`ROW_REALS',  m4_defn(`WAVES'))
m4_define(`PUT_ROW_REALS', m4_defn(`PUT_WAVES'))
m4_define(`AMPLITUDE',  `stored_amplitude($1, $2)')
m4_define(`AMPLITUDE_STREAM', `stored_amplitude($1, ($2) + l)')
m4_define(`AMPLITUDE_ROW', m4_defn(`AMPLITUDE'))
m4_define(`PAIR_RE',    `$1[2 * ($2)]')
m4_define(`PAIR_IM',    `$1[2 * ($2) + 1]')
m4_define(`PUT_PAIR',   `$1[2 * ($2)] = $3; $1[2 * ($2) + 1] = $4')
m4_define(`BELOW',      `(($1) < ($2) ? ($3) : ($4))')
m4_define(`LARGER',     `larger($1, $2)')
m4_define(`QUOTIENT',   `(($1) / ($2))')
m4_define(`ROOT',       `(($1) * SQRT($2))')
m4_define(`LANES_TOP',  `real $1 = 0;')
m4_define(`TOP_OF',     `$1')
m4_define(`END_LANES_TOP', `$1 = group_max(part_, $1);')
m4_define(`LANES_SUM',  m4_defn(`LANES_TOP'))
m4_define(`SUM_OF',     m4_defn(`TOP_OF'))
m4_define(`END_LANES_SUM', `$1 = group_sum(part_, $1);')
m4_define(`FIRST_TILE', `EACH_OBJECT(`EACH_TILE(y, c, ROWS, width)
            const int x = x0 + c;
            PASS_TEXT
            RE(y, c) = wave.re; IM(y, c) = wave.im;
        END_TILE')
        if (width < TILE) {
        EACH_TILE(y, c, ROWS, TILE)
            if (c >= width) { RE(y, c) = 0; IM(y, c) = 0; }
        END_TILE
        }
        FFT(forward, y)
        TILE_TO_SCRATCH')
m4_define(`LAST_TILE', `SCRATCH_TO_TILE
        FFT(inverse, y)
        EACH_OBJECT(`EACH_TILE(y, c, ROWS, width)
            const int x = x0 + c;
            const waves wave = {RE(y, c), IM(y, c)};
            PASS_TEXT
        END_TILE')')
m4_define(`IF_MODES',   `
#if SHAPE_modes > 1
        $1
#else
        $2
#endif
        ')
m4_define(`NO_LANES',   `0')
m4_define(`MODES_MIDDLE_TILE', `EACH_STRIP
        DETECT_ALL(`tile_', `q, l, DEPTH, TILE', `STRIP_RE', `STRIP_IM')
        EACH_STRIP_BACK')
m4_define(`MODES_NEAR_TILE', `EACH_NEAR
        DETECT_ALL(`tile_', `q, l, DEPTH, TILE', `NEAR_RE', `NEAR_IM')
        EACH_NEAR_BACK')
m4_define(`MODES_NATURAL_TILE', `DETECT_ALL(`pixel_', `l, q, height, COLS', `PAIR_RE(scratch, NATURAL_AT(WAVE, p0 + l, q))',
            `PAIR_IM(scratch, NATURAL_AT(WAVE, p0 + l, q))')')
m4_define(`DETECT_ALL', `DETECT_$1sum(`total', $2)
            if (l < height) {
            DETECT_MODES(`$3', `$4', `$3 = re; $4 = im;')
            }
        END_TILE_SUM(total)
        ONE_LANE
            ERROR_OF_STRIP = total;
        END_ONE')
m4_define(`MIDDLE_TILE', `STRIP_TO_TILE
        DETECT(`tile_', `q, l, DEPTH, TILE', `RE(q, l)', `IM(q, l)')
        TILE_TO_STRIP')
m4_define(`NEAR_TILE',  `NEAR_TO_TILE
        DETECT(`tile_', `q, l, DEPTH, TILE', `RE(q, l)', `IM(q, l)')
        TILE_TO_NEAR')
m4_define(`TO_FAR_TILE', `STRIP_TO_TILE DETECT_SEEN(`STRIP')')
m4_define(`FROM_FAR_TILE', `DETECT_SAID(`STRIP') TILE_TO_STRIP')
m4_define(`TO_NEAR_TILE', `NEAR_TO_TILE DETECT_SEEN(`NEAR')')
m4_define(`FROM_NEAR_TILE', `COLUMNS_OF_STRIP DETECT_SAID(`NEAR') TILE_TO_NEAR')
m4_define(`DETECT_SEEN', `EACH_TILE(q, l, DEPTH, height)
            lanes re = RE(q, l), im = IM(q, l);
            PASS_TEXT
            $1_RE = re; $1_IM = im;
        END_TILE')
m4_define(`DETECT_SAID', `EACH_TILE(q, l, DEPTH, TILE)
            lanes re = 0, im = 0;
            if (l < height) {
                re = $1_RE; im = $1_IM;
                PASS_TEXT
            }
            RE(q, l) = re; IM(q, l) = im;
        END_TILE')
m4_define(`NATURAL_TILE', `DETECT(`pixel_', `l, q, height, COLS', `PAIR_RE(scratch, NATURAL_AT(s, p0 + l, q))',
            `PAIR_IM(scratch, NATURAL_AT(s, p0 + l, q))')')
/* DETECT(kind of loop, its arguments, re, im): the text for each of the pixels. */
m4_define(`DETECT',     `m4_ifelse(SUMMED, 1, `DETECT_$1sum(`total', $2)', `DETECT_$1each($2)')
            lanes re = $3, im = $4;
            PASS_TEXT
            $3 = re; $4 = im;
        m4_ifelse(SUMMED, 1, `END_TILE_SUM(total)
        ONE_LANE
            ERROR_OF_STRIP = total;
        END_ONE', `END_$1each')')
m4_define(`DETECT_tile_sum', m4_defn(`TILE_SUM'))
m4_define(`DETECT_tile_each', m4_defn(`EACH_TILE'))
m4_define(`END_tile_each', m4_defn(`END_TILE'))
m4_define(`DETECT_pixel_sum', m4_defn(`PIXEL_SUM'))
m4_define(`DETECT_pixel_each', m4_defn(`EACH_PIXEL'))
m4_define(`END_pixel_each', `}')
m4_define(`SOME_STAGES', `')
m4_define(`TILE_POINTER', `TILE_SPACE real *')
m4_define(`TABLE_POINTER', `GLOBAL const cplx *')
m4_define(`EACH_AXIS',  `m4_define(`LETTER', `y')$1
m4_define(`LETTER', `x')$1`'m4_undefine(`LETTER')')
m4_define(`NAME',       `$1_`'LETTER`'')
m4_define(`AXIS',       `SHAPE_`'LETTER`'_$1')
/* The stages are constants of the text: SHAPE_y_radix_0, the rows between the points of its
   butterflies SHAPE_y_m_0, the start of its twiddles SHAPE_y_table_0, and so on. */
m4_define(`ONE_STAGE', `
#if AXIS(stages) > $2
    AG_PASTE($1_, AXIS(radix_$2))(tile, table + AXIS(table_$2), LINES_`'LETTER, AXIS(points) / (AXIS(m_$2) * AXIS(radix_$2)), AXIS(m_$2), ro, io);
#endif')
m4_define(`ALL_STAGES_DIF', `FOR(`I', 0, LAST_STAGE, `ONE_STAGE(`fft_dif', I)')')
m4_define(`ALL_STAGES_DIT', `FOR(`I', 0, LAST_STAGE, `ONE_STAGE(`fft_dit', m4_eval(LAST_STAGE - I))')')
m4_define(`LAST_STAGE', `11')
m4_define(`AXIS_ARG',   `')
m4_define(`AXIS_PASS',  `')
m4_define(`SHAPE',      `SHAPE_`'m4_translit(`$1', `.', `_')')
m4_define(`REAL',       `$1f')
m4_define(`AMPLITUDE_TEXT', `/* See AMPLITUDES_OF in gen/passes.m4. */
HELPER real stored_amplitude(GLOBAL const real *frame, const index at)
{
#if SHAPE_words
    const int word = ((GLOBAL const unsigned short *)(GLOBAL const void *)(frame + 2))[at];
    return word == 65535 ? REAL(2e30) : (word - frame[0]) * frame[1];
#else
    return frame[at];
#endif
}')
m4_define(`GROUP_TEXT', `#if SHAPE_whole
#define LINE ((2 * SHAPE_x_length + 31) / 32 * 32 + 17)
#define LINES (SHAPE_y_length * (SHAPE_whole == 2 ? SHAPE_x_length : LINE))
#define PLANE SHAPE_x_length
#define LINES_y LINE, 1, SHAPE_x_length
#define LINES_x 1, LINE, SHAPE_y_length
#else
#define PLANE TILE
#define LINES_y 2 * TILE, 1, TILE
#define LINES_x 2 * TILE, 1, TILE
#endif
/* The sum or the maximum of what each lane brings, known to all of them. */
HELPER real group_sum(LOCAL_POINTER real *part, real mine)
{
    part[LANE] = mine;
    BARRIER
    for (int step = WIDTH / 2; step > 0; step /= 2) {
        if (LANE < step)
            part[LANE] += part[LANE + step];
        BARRIER
    }
    mine = part[0];
    BARRIER
    return mine;
}
HELPER real group_max(LOCAL_POINTER real *part, real mine)
{
    part[LANE] = mine;
    BARRIER
    for (int step = WIDTH / 2; step > 0; step /= 2) {
        if (LANE < step)
            part[LANE] = larger(part[LANE], part[LANE + step]);
        BARRIER
    }
    mine = part[0];
    BARRIER
    return mine;
}')
m4_divert(0)m4_dnl
