m4_divert(-1)
/* gather.m4 -- the sum over frames for the pixels of a segment of an object row.
   SPDX-License-Identifier: BSD-3-Clause

   The kernel has the arguments object_cols, top, left, right, segments, slots, frame, corner,
   fraction, probe and probe_step.  GATHER(text) runs its text for each pixel i of each slot, with the
   probe at p0 + i, the stack at z0 + i and the weight of the tap; GATHER_WAVES(text) for a few adjacent
   pixels, as in passes.m4.  A lane only ever touches the pixels that it owns, so no barrier is needed
   between the slots.  The modes of a slot are added one after the other.  */
m4_define(`SUM_RE', `sums[$1].re')
m4_define(`SUM_IM', `sums[$1].im')
m4_define(`SUM_SQUARE', `squares[$1]')
m4_define(`GATHERED', 8)
m4_define(`GATHER_SEGMENT', `SOLO(GATHERED * SEGMENT, SEGMENT)')
m4_define(`GATHER_BUFFER', `SHARED(cplx, sums, GATHER_SEGMENT)
    SHARED(real, squares, GATHER_SEGMENT)')
m4_define(`SEGMENTS_BEGIN', `const index row = top + item / segments, column = left + item % segments * SEGMENT;
        const index place = row * object_cols + column;
        const int width = (int)(right - column < ($1) * SEGMENT ? right - column : ($1) * SEGMENT);')
m4_define(`SEGMENT_BEGIN', `SEGMENTS_BEGIN(1)')
m4_define(`GATHER_BEGIN', `SEGMENT_BEGIN')
m4_define(`GATHER_SLOTS', `for (index s = 0; s < slots; s++) {
            const index j = frame[s];
            const int taps = LINEAR ? 2 : 1;
            for (int tap = 0; tap < taps * taps; tap++) {
                const int ty = tap / taps, tx = tap % taps;
                const index y = row - corner[2 * j] - ty, x0 = column - corner[2 * j + 1] - tx;
                const int from = x0 < 0 ? (int)(-x0 < width ? -x0 : width) : 0;
                const int to = COLS - x0 < width ? (int)(COLS - x0) : width;
                const real wy = ty ? fraction[2 * j] : 1 - fraction[2 * j];
                const real wx = tx ? fraction[2 * j + 1] : 1 - fraction[2 * j + 1];
                const real weight = LINEAR ? wy * wx : 1;
                for (int mode = 0; mode < MODES && y >= 0 && y < ROWS; mode++) {
                const index p0 = PROBE_OF(s, mode) + y * COLS + x0, z0 = ((s * MODES + mode) * ROWS + y) * COLS + x0;
                $1
                }
            }
        }')
m4_define(`GATHER', `GATHER_SLOTS(`OWN(i, from, to)$1
                END_OWN')')
m4_define(`GATHERED_WAVES', `OWN_WAVES($@)')
m4_define(`GATHER_WAVES', `GATHER_SLOTS(`GATHERED_WAVES(i, from, to, `$1')')')
/* What object_sum and object_step gather; the squares where the condition holds. */
m4_define(`SUM_SLOTS', `GATHER_WAVES(`
                    FETCH(stack, z0 + i + COLS)
                    const waves p = WAVES(probe, p0 + i), z = WAVES(stack, z0 + i), t = conjugate_product(p, z);
                    const waves old = WAVES(sums, i), sum = {old.re + weight * t.re, old.im + weight * t.im};
                    PUT_WAVES(sums, i, sum);
                    if ($1) {
                    PUT_ROW_REALS(squares, i, ROW_REALS(squares, i) + weight * (p.re * p.re + p.im * p.im));
                    }')')
/* SUMS_IN(number, at, how, density, place, how), SUMS_OUT(the same): `sums' and `squares' of a segment that lies in arrays;
   how is 0 for one that is left alone, 1 begins at 0, 2 goes on.  On a device by way of SUMS_BUFFER. */
m4_define(`SUMS_BUFFER', `GATHER_BUFFER')
m4_define(`SUMS_IN', `OWN(i, 0, width)
            SUM_RE(i) = ($3) == 2 ? $1[($2) + i].re : 0;
            SUM_IM(i) = ($3) == 2 ? $1[($2) + i].im : 0;
            SUM_SQUARE(i) = ($6) == 2 ? $4[($5) + i] : 0;
        END_OWN')
m4_define(`SUMS_OUT', `if ($3) {
        OWN(i, 0, width)
            $1[($2) + i].re = SUM_RE(i);
            $1[($2) + i].im = SUM_IM(i);
        END_OWN
        }
        if ($6) {
        OWN(i, 0, width)
            $4[($5) + i] = SUM_SQUARE(i);
        END_OWN
        }')
m4_divert(0)m4_dnl
