m4_divert(-1)
/* fft.m4 -- transforms of the rows of a tile, in place.  SPDX-License-Identifier: BSD-3-Clause

   A tile is `points' rows of TILE columns; each column is transformed.  Forward is decimation
   in frequency: with radices r1, r2, ... row p = k1 points/r1 + k2 points/(r1 r2) + ... then
   holds frequency k1 + r1 k2 + r1 r2 k3 + ...; inverse is decimation in time and takes that
   order back, so nothing is ever reordered.  The inverse runs the forward text with real and
   imaginary parts exchanged: `ro' and `io' say where in a row they begin.  Neither scales.

   LINES_ARG, on devices, tells a stage where its points lie: rows are `down' reals apart, columns `along',
   and there are `across' of them, so that a frame that lies in local memory as a whole is transformed along
   its rows as well; PLANE is from real to imaginary parts.

   A length with a prime factor above 7 goes through Bluestein's convolution (L. I. Bluestein,
   IEEE Trans. Audio Electroacoust. 18, 451 (1970)) on a 7-smooth number of points; its
   frequencies come out in natural order.  The table: see ag_axis in src/shape.h.  */

/* Butterflies on named values; x stands for xr and xi.  Output k takes the place of input k
   for DFT2 ... DFT7.  */
m4_define(`DFT2', `{ const lanes tr = $1r - $2r, ti = $1i - $2i;
      $1r += $2r; $1i += $2i; $2r = tr; $2i = ti; }')
m4_define(`DFT3', `{ const lanes sr = $2r + $3r, si = $2i + $3i;
      const lanes dr = REAL(0.86602540378443864676) * ($2i - $3i), di = REAL(0.86602540378443864676) * ($3r - $2r);
      const lanes mr = $1r - REAL(0.5) * sr, mi = $1i - REAL(0.5) * si;
      $1r += sr; $1i += si; $2r = mr + dr; $2i = mi + di; $3r = mr - dr; $3i = mi - di; }')
m4_define(`DFT4', `{ const lanes ar = $1r + $3r, ai = $1i + $3i, br = $1r - $3r, bi = $1i - $3i;
      const lanes cr = $2r + $4r, ci = $2i + $4i, dr = $2r - $4r, di = $2i - $4i;
      $1r = ar + cr; $1i = ai + ci; $3r = ar - cr; $3i = ai - ci;
      $2r = br + di; $2i = bi - dr; $4r = br - di; $4i = bi + dr; }')
/* An odd prime p = 2h + 1: sums and differences of mirrored inputs, then cosine and sine sums. */
m4_define(`COS5_1', `REAL(0.30901699437494742410)')m4_define(`SIN5_1', `REAL(0.95105651629515357212)')
m4_define(`COS5_2', `REAL(-0.80901699437494742410)')m4_define(`SIN5_2', `REAL(0.58778525229247312917)')
m4_define(`COS7_1', `REAL(0.62348980185873353053)')m4_define(`SIN7_1', `REAL(0.78183148246802980871)')
m4_define(`COS7_2', `REAL(-0.22252093395631440429)')m4_define(`SIN7_2', `REAL(0.97492791218182360702)')
m4_define(`COS7_3', `REAL(-0.90096886790241912624)')m4_define(`SIN7_3', `REAL(0.43388373911755812048)')
/* FOLDED(p, j, k): r = j k mod p folded to the smaller of r and p - r, and the sign of its sine. */
m4_define(`FOLDED_SIGN', `m4_ifelse(m4_eval(2 * (($2 * $3) % $1) > $1), 1, `-', `+')')
m4_define(`FOLDED', `m4_ifelse(m4_eval(2 * (($2 * $3) % $1) > $1), 1, `m4_eval($1 - ($2 * $3) % $1)', `m4_eval(($2 * $3) % $1)')')
m4_define(`DFT_ODD', `{
FOR(`K', 1, m4_eval($1 / 2), `m4_define(`MIRROR', m4_eval($1 - K))m4_dnl
      const lanes s`'K`'r = x`'K`'r + x`'MIRROR`'r, s`'K`'i = x`'K`'i + x`'MIRROR`'i, d`'K`'r = x`'K`'r - x`'MIRROR`'r, d`'K`'i = x`'K`'i - x`'MIRROR`'i;
')m4_dnl
FOR(`K', 1, m4_eval($1 / 2), `m4_define(`MIRROR', m4_eval($1 - K))m4_dnl
      { const lanes cr = x0r`'FOR(`J', 1, m4_eval($1 / 2), ` + m4_indir(COS$1_`'FOLDED($1, J, K)) * s`'J`'r'), ci = x0i`'FOR(`J', 1, m4_eval($1 / 2), ` + m4_indir(COS$1_`'FOLDED($1, J, K)) * s`'J`'i');
        const lanes vr = 0`'FOR(`J', 1, m4_eval($1 / 2), ` FOLDED_SIGN($1, J, K) m4_indir(SIN$1_`'FOLDED($1, J, K)) * d`'J`'i'), vi = 0`'FOR(`J', 1, m4_eval($1 / 2), ` FOLDED_SIGN($1, J, K) m4_indir(SIN$1_`'FOLDED($1, J, K)) * d`'J`'r');
        x`'K`'r = cr + vr; x`'K`'i = ci - vi; x`'MIRROR`'r = cr - vr; x`'MIRROR`'i = ci + vi; }
')m4_dnl
      x0r += FOR(`J', 1, m4_eval($1 / 2), `m4_ifelse(J, 1, `', ` + ')s`'J`'r'); x0i += FOR(`J', 1, m4_eval($1 / 2), `m4_ifelse(J, 1, `', ` + ')s`'J`'i'); }')
/* JOIN(a, b, j, n): a + w b and a - w b in place of a and b, w = exp(-2 pi i j / n) = c (u, v) with
   one of u, v equal to 1: six fused operations.  JOIN_BY(a, b, u b.re, v b.im, sign of it, c). */
m4_define(`JOIN', `m4_ifelse($3, 0, `DFT2($1, $2)', m4_eval(4 * $3 == $4), 1, `JOIN_QUARTER($1, $2)', m4_eval(8 * $3 == $4), 1,
`JOIN_BY($1, $2, $2r + $2i, $2i - $2r, +, SIN8)', m4_eval(8 * $3 == 3 * $4), 1,
`JOIN_BY($1, $2, $2i - $2r, $2r + $2i, -, SIN8)', `JOIN_TURN(`$1', `$2', m4_eval(32 * $3 / $4))')
')
m4_define(`JOIN_QUARTER', `{ const lanes tr = $1r - $2i, ti = $1i + $2r;
      $1r += $2i; $1i -= $2r; $2r = tr; $2i = ti; }')
m4_define(`JOIN_BY', `{ const lanes ur = $3, ui = $4;
      $2r = $1r - $6 * ur; $2i = $1i m4_ifelse($5, +, -, +) $6 * ui; $1r += $6 * ur; $1i $5= $6 * ui; }')
m4_define(`SIN8', `REAL(0.70710678118654752440)')
m4_define(`COS32_1', `REAL(0.98078528040323044913)')m4_define(`TAN32_1', `REAL(0.19891236737965800691)')
m4_define(`COS32_2', `REAL(0.92387953251128675613)')m4_define(`TAN32_2', `REAL(0.41421356237309504880)')
m4_define(`COS32_3', `REAL(0.83146961230254523708)')m4_define(`TAN32_3', `REAL(0.66817863791929891999)')
/* j of 32, by octants. */
m4_define(`JOIN_TURN', `m4_ifelse(m4_eval($3 / 4), 0, `JOIN_FIRST(`$1', `$2', $3)', m4_eval($3 / 4), 1, `JOIN_SECOND(`$1', `$2', m4_eval(8 - $3))',
m4_eval($3 / 4), 2, `JOIN_THIRD(`$1', `$2', m4_eval($3 - 8))', `JOIN_FOURTH(`$1', `$2', m4_eval(16 - $3))')')
m4_define(`JOIN_FIRST', `JOIN_BY($1, $2, $2r + TAN32_$3 * $2i, $2i - TAN32_$3 * $2r, +, COS32_$3)')
m4_define(`JOIN_SECOND', `JOIN_BY($1, $2, $2i + TAN32_$3 * $2r, TAN32_$3 * $2i - $2r, +, COS32_$3)')
m4_define(`JOIN_THIRD', `JOIN_BY($1, $2, $2i - TAN32_$3 * $2r, $2r + TAN32_$3 * $2i, -, COS32_$3)')
m4_define(`JOIN_FOURTH', `JOIN_BY($1, $2, TAN32_$3 * $2i - $2r, $2i + TAN32_$3 * $2r, -, COS32_$3)')

/* CODELET(r): a transform of r points that IN_POINT(i) loads into xI and OUT_POINT(k, x) takes, each
   as late and as early as may be, for the sake of registers. */
m4_define(`CODELET', `CODELET_$1')
m4_define(`CODELET_2', `IN_POINT(0) IN_POINT(1) DFT2(x0, x1) OUT_POINT(0, x0) OUT_POINT(1, x1)')
m4_define(`CODELET_3', `IN_POINT(0) IN_POINT(1) IN_POINT(2) DFT3(x0, x1, x2) OUT_POINT(0, x0) OUT_POINT(1, x1) OUT_POINT(2, x2)')
m4_define(`CODELET_4', `IN_POINT(0) IN_POINT(2) IN_POINT(1) IN_POINT(3) DFT4(x0, x1, x2, x3)
      OUT_POINT(0, x0) OUT_POINT(1, x1) OUT_POINT(2, x2) OUT_POINT(3, x3)')
m4_define(`CODELET_5', `FOR(`I', 0, 4, `IN_POINT(I) ')DFT_ODD(5) FOR(`I', 0, 4, `OUT_POINT(I, x`'I) ')')
m4_define(`CODELET_7', `FOR(`I', 0, 6, `IN_POINT(I) ')DFT_ODD(7) FOR(`I', 0, 6, `OUT_POINT(I, x`'I) ')')
/* HALVES(p0, ..., p7): the transforms of the even and of the odd ones of eight points. */
m4_define(`HALVES', `IN_POINT($1) IN_POINT($5) IN_POINT($3) IN_POINT($7) DFT4(x$1, x$3, x$5, x$7)
      IN_POINT($2) IN_POINT($6) IN_POINT($4) IN_POINT($8) DFT4(x$2, x$4, x$6, x$8)')
m4_define(`EIGHT', `HALVES($@)
      JOIN(x$1, x$2, 0, 8) JOIN(x$5, x$6, 2, 8) JOIN(x$3, x$4, 1, 8) JOIN(x$7, x$8, 3, 8)')
m4_define(`LAST_JOIN', `JOIN(x$1, x`'m4_eval($1 + 1), $2, $3) OUT_POINT($2, x$1) OUT_POINT(m4_eval($2 + $3 / 2), x`'m4_eval($1 + 1))
      ')
m4_define(`CODELET_8', `HALVES(0, 1, 2, 3, 4, 5, 6, 7)
      LAST_JOIN(0, 0, 8)LAST_JOIN(4, 2, 8)LAST_JOIN(2, 1, 8)LAST_JOIN(6, 3, 8)')
m4_define(`CODELET_16', `EIGHT(0, 2, 4, 6, 8, 10, 12, 14)
      EIGHT(1, 3, 5, 7, 9, 11, 13, 15)
      LAST_JOIN(0, 0, 16)LAST_JOIN(2, 4, 16)LAST_JOIN(8, 2, 16)LAST_JOIN(10, 6, 16)LAST_JOIN(4, 1, 16)LAST_JOIN(14, 7, 16)LAST_JOIN(12, 3, 16)LAST_JOIN(6, 5, 16)')

/* Points in the rows at + i m of the tile, as they are or times the twiddle factors of butterfly n. */
m4_define(`FROM_TILE', `lanes x$1r = TILE_LANES(at + $1 * m, ro), x$1i = TILE_LANES(at + $1 * m, io);
      ')
m4_define(`FROM_TILE_TURNED', `m4_ifelse($1, 0, `FROM_TILE(0)', `lanes x$1r, x$1i;
      { const cplx w = table[n * (RADIX - 1) + $1 - 1]; const lanes ur = TILE_LANES(at + $1 * m, ro), ui = TILE_LANES(at + $1 * m, io);
        x$1r = ur * w.re - ui * w.im; x$1i = ur * w.im + ui * w.re; }
      ')')
m4_define(`TO_TILE', `TILE_LANES(at + $1 * m, ro) = $2r; TILE_LANES(at + $1 * m, io) = $2i;
      ')
m4_define(`TO_TILE_TURNED', `m4_ifelse($1, 0, `TO_TILE(0, $2)', `{ const cplx w = table[n * (RADIX - 1) + $1 - 1];
        TILE_LANES(at + $1 * m, ro) = $2r * w.re - $2i * w.im; TILE_LANES(at + $1 * m, io) = $2r * w.im + $2i * w.re; }
      ')')
m4_define(`POINTS', `m4_define(`IN_POINT', m4_defn(`$1'))m4_define(`OUT_POINT', m4_defn(`$2'))')

/* One stage of each direction for radix r: `blocks' blocks of r m rows. */
m4_define(`STAGE', `m4_define(`RADIX', $1)
HELPER void fft_dif_$1(TILE_POINTER tile, TABLE_POINTER table, LINES_ARG const int blocks, const int m,
                       const int ro, const int io)
{
    EACH_BUTTERFLY(block, n, c, blocks, m)
      const int at = block * $1 * m + n;
      POINTS(`FROM_TILE', `TO_TILE_TURNED')CODELET($1)
    END_BUTTERFLY
}
HELPER void fft_dit_$1(TILE_POINTER tile, TABLE_POINTER table, LINES_ARG const int blocks, const int m,
                       const int ro, const int io)
{
    EACH_BUTTERFLY(block, n, c, blocks, m)
      const int at = block * $1 * m + n;
      POINTS(`FROM_TILE_TURNED', `TO_TILE')CODELET($1)
    END_BUTTERFLY
}')
m4_define(`RADICES', `2, 3, 4, 5, 7, 8, 16')
/* The whole transform of an axis.  EACH_AXIS emits the text once for each axis that is a
   constant of the dialect; AXIS(member), AXIS_ARG, AXIS_PASS, NAME(stem) and ALL_STAGES_DIF, _DIT
   (every stage, in the order of the direction) are its own words. */
m4_define(`TRANSFORMS', `
HELPER void NAME(fft_dif)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table, const int ro, const int io)
{
    ALL_STAGES_DIF
}
HELPER void NAME(fft_dit)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table, const int ro, const int io)
{
    ALL_STAGES_DIT
}
/* Multiplies row n by factor[n]; rows from length on become 0. */
HELPER void NAME(fft_factor)(TILE_POINTER tile, TABLE_POINTER factor, const int length, const int rows,
                       const int ro, const int io)
{
    EACH_TILE(n, c, rows, TILE)
        if (n < length) {
            const cplx w = factor[n];
            const real ur = tile[2 * TILE * n + ro + c], ui = tile[2 * TILE * n + io + c];
            tile[2 * TILE * n + ro + c] = ur * w.re - ui * w.im;
            tile[2 * TILE * n + io + c] = ur * w.im + ui * w.re;
        } else {
            tile[2 * TILE * n + ro + c] = 0;
            tile[2 * TILE * n + io + c] = 0;
        }
    END_TILE
}
HELPER void NAME(fft_chirp)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table, const int ro, const int io)
{
    NAME(fft_factor)(tile, table + AXIS(chirp), AXIS(length), AXIS(points), ro, io);
    NAME(fft_dif)(AXIS_PASS tile, table, ro, io);
    NAME(fft_factor)(tile, table + AXIS(chirp) + AXIS(length), AXIS(points), AXIS(points), ro, io);
    NAME(fft_dit)(AXIS_PASS tile, table, io, ro);
    NAME(fft_factor)(tile, table + AXIS(chirp), AXIS(length), AXIS(length), ro, io);
}
HELPER void NAME(fft_forward)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table)
{
    if (AXIS(chirp))
        NAME(fft_chirp)(AXIS_PASS tile, table, 0, PLANE);
    else
        NAME(fft_dif)(AXIS_PASS tile, table, 0, PLANE);
}
HELPER void NAME(fft_inverse)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table)
{
    if (AXIS(chirp))
        NAME(fft_chirp)(AXIS_PASS tile, table, PLANE, 0);
    else
        NAME(fft_dit)(AXIS_PASS tile, table, PLANE, 0);
}')
m4_define(`STAGES', `m4_ifelse(`$1', `', `', `STAGE($1)`'STAGES(m4_shift($@))')')
m4_define(`FFT_TEXT', `STAGES(RADICES)`'SOME_STAGES
EACH_AXIS(`TRANSFORMS')')
m4_divert(0)m4_dnl
