m4_divert(-1)
/* fft.m4 -- transforms of the rows of a tile, in place.  SPDX-License-Identifier: BSD-3-Clause

   A tile is `points' rows of TILE columns; each column is transformed.  Forward is decimation
   in frequency: with radices r1, r2, ... row p = k1 points/r1 + k2 points/(r1 r2) + ... then
   holds frequency k1 + r1 k2 + r1 r2 k3 + ...; inverse is decimation in time and takes that
   order back, so nothing is ever reordered.  The inverse runs the forward text with real and
   imaginary parts exchanged: `ro' and `io' say where in a row they begin.  Neither scales.

   A length with a prime factor above 7 goes through Bluestein's convolution (L. I. Bluestein,
   IEEE Trans. Audio Electroacoust. 18, 451 (1970)) on a 7-smooth number of points; its
   frequencies come out in natural order.  The table: see ag_axis in src/shape.h.  */

/* Butterflies on named scalars; x stands for xr and xi.  Output k takes the place of input k
   for DFT2 ... DFT7.  */
m4_define(`DFT2', `{ const real tr = $1r - $2r, ti = $1i - $2i;
      $1r += $2r; $1i += $2i; $2r = tr; $2i = ti; }')
m4_define(`DFT3', `{ const real sr = $2r + $3r, si = $2i + $3i;
      const real dr = REAL(0.86602540378443864676) * ($2i - $3i), di = REAL(0.86602540378443864676) * ($3r - $2r);
      const real mr = $1r - REAL(0.5) * sr, mi = $1i - REAL(0.5) * si;
      $1r += sr; $1i += si; $2r = mr + dr; $2i = mi + di; $3r = mr - dr; $3i = mi - di; }')
m4_define(`DFT4', `{ const real ar = $1r + $3r, ai = $1i + $3i, br = $1r - $3r, bi = $1i - $3i;
      const real cr = $2r + $4r, ci = $2i + $4i, dr = $2r - $4r, di = $2i - $4i;
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
      const real s`'K`'r = x`'K`'r + x`'MIRROR`'r, s`'K`'i = x`'K`'i + x`'MIRROR`'i, d`'K`'r = x`'K`'r - x`'MIRROR`'r, d`'K`'i = x`'K`'i - x`'MIRROR`'i;
')m4_dnl
FOR(`K', 1, m4_eval($1 / 2), `m4_define(`MIRROR', m4_eval($1 - K))m4_dnl
      { const real cr = x0r`'FOR(`J', 1, m4_eval($1 / 2), ` + m4_indir(COS$1_`'FOLDED($1, J, K)) * s`'J`'r'), ci = x0i`'FOR(`J', 1, m4_eval($1 / 2), ` + m4_indir(COS$1_`'FOLDED($1, J, K)) * s`'J`'i');
        const real vr = 0`'FOR(`J', 1, m4_eval($1 / 2), ` FOLDED_SIGN($1, J, K) m4_indir(SIN$1_`'FOLDED($1, J, K)) * d`'J`'i'), vi = 0`'FOR(`J', 1, m4_eval($1 / 2), ` FOLDED_SIGN($1, J, K) m4_indir(SIN$1_`'FOLDED($1, J, K)) * d`'J`'r');
        x`'K`'r = cr + vr; x`'K`'i = ci - vi; x`'MIRROR`'r = cr - vr; x`'MIRROR`'i = ci + vi; }
')m4_dnl
      x0r += FOR(`J', 1, m4_eval($1 / 2), `m4_ifelse(J, 1, `', ` + ')s`'J`'r'); x0i += FOR(`J', 1, m4_eval($1 / 2), `m4_ifelse(J, 1, `', ` + ')s`'J`'i'); }')
/* TURN(x, cos, sin): x times exp(-i angle). */
m4_define(`TURN', `{ const real tr = $1r * REAL($2) + $1i * REAL($3); $1i = $1i * REAL($2) - $1r * REAL($3); $1r = tr; }')
m4_define(`TURN_8TH', `{ const real tr = REAL(0.70710678118654752440) * ($1r + $1i); $1i = REAL(0.70710678118654752440) * ($1i - $1r); $1r = tr; }')
m4_define(`TURN_QUARTER', `{ const real tr = $1i; $1i = -$1r; $1r = tr; }')
m4_define(`TURN_3_8THS', `{ const real tr = REAL(0.70710678118654752440) * ($1i - $1r); $1i = REAL(-0.70710678118654752440) * ($1i + $1r); $1r = tr; }')

/* BUTTERFLY(r): x0 .. x(r-1) in place; PLACE_r(k) is the number of the scalar that holds output k. */
m4_define(`BUTTERFLY', `BUTTERFLY_$1')
m4_define(`PLACE', `m4_ifdef(`PLACE_$1', `PLACE_$1($2)', `$2')')
m4_define(`BUTTERFLY_2', `DFT2(x0, x1)')
m4_define(`BUTTERFLY_3', `DFT3(x0, x1, x2)')
m4_define(`BUTTERFLY_4', `DFT4(x0, x1, x2, x3)')
m4_define(`BUTTERFLY_5', `DFT_ODD(5)')
m4_define(`BUTTERFLY_7', `DFT_ODD(7)')
m4_define(`BUTTERFLY_8', `FOR(`Q', 0, 3, `DFT2(x`'Q, x`'m4_eval(Q + 4))
      ')TURN_8TH(x5) TURN_QUARTER(x6) TURN_3_8THS(x7)
      DFT4(x0, x1, x2, x3)
      DFT4(x4, x5, x6, x7)')
m4_define(`PLACE_8', `m4_eval(4 * (($1) % 2) + ($1) / 2)')
m4_define(`BUTTERFLY_16', `FOR(`Q', 0, 3, `DFT4(x`'Q, x`'m4_eval(Q + 4), x`'m4_eval(Q + 8), x`'m4_eval(Q + 12))
      ')TURN(x5, 0.92387953251128675613, 0.38268343236508977173) TURN_8TH(x6) TURN(x7, 0.38268343236508977173, 0.92387953251128675613)
      TURN_8TH(x9) TURN_QUARTER(x10) TURN_3_8THS(x11)
      TURN(x13, 0.38268343236508977173, 0.92387953251128675613) TURN_3_8THS(x14) TURN(x15, -0.92387953251128675613, -0.38268343236508977173)
      FOR(`Q', 0, 3, `DFT4(x`'m4_eval(4 * Q), x`'m4_eval(4 * Q + 1), x`'m4_eval(4 * Q + 2), x`'m4_eval(4 * Q + 3))
      ')')
m4_define(`PLACE_16', `m4_eval(4 * (($1) % 4) + ($1) / 4)')

/* One stage of each direction for radix r: `blocks' blocks of r m rows. */
m4_define(`ROW_AT', `tile[2 * TILE * (at + ($1) * m) + $2 + c]')
m4_define(`STAGE', `
HELPER void fft_dif_$1(TILE_POINTER tile, TABLE_POINTER table, const int blocks, const int m,
                       const int ro, const int io)
{
    EACH_BUTTERFLY(block, n, c, blocks, m)
      const int at = block * $1 * m + n;
FOR(`I', 0, m4_eval($1 - 1), `      real x`'I`'r = ROW_AT(I, ro), x`'I`'i = ROW_AT(I, io);
')m4_dnl
      BUTTERFLY($1)
      ROW_AT(0, ro) = x0r; ROW_AT(0, io) = x0i;
FOR(`I', 1, m4_eval($1 - 1), `      { const cplx w = table[n * m4_eval($1 - 1) + m4_eval(I - 1)];
        ROW_AT(I, ro) = x`'PLACE($1, I)`'r * w.re - x`'PLACE($1, I)`'i * w.im; ROW_AT(I, io) = x`'PLACE($1, I)`'r * w.im + x`'PLACE($1, I)`'i * w.re; }
')m4_dnl
    END_BUTTERFLY
}
HELPER void fft_dit_$1(TILE_POINTER tile, TABLE_POINTER table, const int blocks, const int m,
                       const int ro, const int io)
{
    EACH_BUTTERFLY(block, n, c, blocks, m)
      const int at = block * $1 * m + n;
      real x0r = ROW_AT(0, ro), x0i = ROW_AT(0, io);
FOR(`I', 1, m4_eval($1 - 1), `      real x`'I`'r, x`'I`'i;
      { const cplx w = table[n * m4_eval($1 - 1) + m4_eval(I - 1)]; const real ur = ROW_AT(I, ro), ui = ROW_AT(I, io);
        x`'I`'r = ur * w.re - ui * w.im; x`'I`'i = ur * w.im + ui * w.re; }
')m4_dnl
      BUTTERFLY($1)
FOR(`I', 0, m4_eval($1 - 1), `      ROW_AT(I, ro) = x`'PLACE($1, I)`'r; ROW_AT(I, io) = x`'PLACE($1, I)`'i;
')m4_dnl
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
        NAME(fft_chirp)(AXIS_PASS tile, table, 0, TILE);
    else
        NAME(fft_dif)(AXIS_PASS tile, table, 0, TILE);
}
HELPER void NAME(fft_inverse)(AXIS_ARG TILE_POINTER tile, TABLE_POINTER table)
{
    if (AXIS(chirp))
        NAME(fft_chirp)(AXIS_PASS tile, table, TILE, 0);
    else
        NAME(fft_dit)(AXIS_PASS tile, table, TILE, 0);
}')
m4_define(`STAGES', `m4_ifelse(`$1', `', `', `STAGE($1)`'STAGES(m4_shift($@))')')
m4_define(`FFT_TEXT', `STAGES(RADICES)
EACH_AXIS(`TRANSFORMS')')
m4_divert(0)m4_dnl
