m4_divert(-1)
/* common.m4 -- what all dialects share.  SPDX-License-Identifier: BSD-3-Clause

   Run as  m4 -P -I . gen/common.m4 gen/DIALECT.m4 kernels/*.m4.  C comments pass through
   untouched; quotes are m4's own.  The words of a template are listed in kernels/README.  */
m4_changecom(`/*', `*/')

/* FOR(i, from, to, text): the text once for each i. */
m4_define(`FOR', `m4_ifelse(m4_eval(($2) <= ($3)), 1,
`m4_define(`$1', m4_eval($2))$4`'FOR(`$1', m4_eval(($2) + 1), `$3', `$4')',
`m4_undefine(`$1')')')

/* Sizes that every dialect can name; SHAPE is the dialect's way to reach one. */
m4_define(`ROWS', `SHAPE(y.length)')
m4_define(`COLS', `SHAPE(x.length)')
m4_define(`STRIPS_X', `SHAPE(strips_x)')
m4_define(`STRIPS_Y', `SHAPE(strips_y)')
m4_define(`LINEAR', `SHAPE(linear)')
m4_define(`MODES', `SHAPE(modes)')
m4_define(`SEGMENT', `128')
m4_define(`SEGMENTS_X', `((COLS + SEGMENT - 1) / SEGMENT)')

/* A tile holds `points' rows of TILE columns: TILE real parts, then TILE imaginary parts. */
m4_define(`TILE_REALS', `m4_ifelse($1, longest, `(TILE_REALS(y) > TILE_REALS(x) ? TILE_REALS(y) : TILE_REALS(x))', `(2 * TILE * SHAPE($1.points))')')
m4_define(`RE', `tile[2 * TILE * ($1) + ($2)]')
m4_define(`IM', `tile[2 * TILE * ($1) + TILE + ($2)]')

/* What a launch costs is the host's business: what a kernel states, and what the word of a pass adds. */
m4_define(`COST', `')
m4_define(`SAME_COST', `')
m4_define(`PASS_COST', `')

/* A pixel that was not measured carries an amplitude above this. */
m4_define(`UNMEASURED', `REAL(1e30)')

/* Small functions that templates may call: HELPERS_OF(complex type, prefix of their names). */
m4_define(`HELPERS_OF', `HELPER $1 $2product(const $1 a, const $1 b)
{
    const $1 c = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    return c;
}
/* conj(a) b */
HELPER $1 $2conjugate_product(const $1 a, const $1 b)
{
    const $1 c = {a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re};
    return c;
}
/* The value at the fraction (fy, fx) between four pixels: a b above c d. */
HELPER $1 $2linear_tap(const $1 a, const $1 b, const $1 c, const $1 d, const real fy, const real fx)
{
    const real wa = (1 - fy) * (1 - fx), wb = (1 - fy) * fx, wc = fy * (1 - fx), wd = fy * fx;
    const $1 value = {wa * a.re + wb * b.re + wc * c.re + wd * d.re,
                      wa * a.im + wb * b.im + wc * c.im + wd * d.im};
    return value;
}')
m4_define(`LARGER_TEXT', `HELPER real larger(const real a, const real b)
{
    return a > b ? a : b;
}')
m4_define(`HELPERS_TEXT', `HELPERS_OF(`cplx', `')
LARGER_TEXT')
m4_divert(0)m4_dnl
