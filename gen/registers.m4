m4_divert(-1)
/* registers.m4 -- a square frame of 64 or 128 pixels in the registers of one group.  SPDX-License-Identifier: BSD-3-Clause

   A work-item has POINTS = n / 4 points, a group 4 n items t = 16 h + l; h counts to POINTS as well.  Rows are
   y = 4 y' + y_lo, columns x = 16 x' + l:

       round 1   h = (n / 16) y_lo + x', register y'      LOAD; radix POINTS over y'
       far       h <-> register
       round 2   h = k', register (n / 16) y_lo + x'      twiddles; radix 4 over y_lo; radix n / 16 over x'; twiddles
       near      l <-> low four bits of 4 c + k           k: radix 4's frequency, c: radix n / 16's
       round 3   h = k', l, register (c's high bit, x_lo) radix 16; the detector; radix 16 inverse
       and back  near, round 2, far, round 1, STORE

   The frequencies are k1 + POINTS k along y, with k1 = k' turned by one bit, and c + (n / 16) c2 along x.  They lie
   where the plan's radices, 8.8 and 16.8, have them, so that all that is kept at the detector lies in the strips of
   the other passes: 16 neighbouring items read two rows of 32 bytes, of four columns.  The inverse is the same text with
   real and imaginary parts exchanged.

   One plane of a frame goes through local memory at a time, POINTS rows of 4 n words, each row permuted by an
   exclusive or, so that neither side of an exchange has two items of 32 in one bank.  Real parts leave to the
   item's own words and arrive from the others'; imaginary parts leave to those words, which nobody else needs any
   more, and arrive from the own ones: one barrier for each plane, none between exchanges.

   Text without loops over points, because a compiler keeps what an index chooses in memory; each phase gets its item anew from
   HIDDEN_LANE, because addresses that are kept from one phase to the next do not fit.  */

/* BOTH_SIZES(text): once for n = 128, once for 64, with N for it. */
m4_define(`BOTH_SIZES', `#if SHAPE_x_length == 128
m4_define(`N', 128)$1
#else
m4_define(`N', 64)$1
#endif
m4_undefine(`N')')
m4_define(`N_POINTS', `m4_eval(N / 4)')
m4_define(`N_HIGH', `m4_eval(N / 16)')
/* EACH_POINT(text): for each register I of either size. */
m4_define(`EACH_POINT', `FOR(`I', 0, 15, `            $1
')#if SHAPE_x_length == 128
FOR(`I', 16, 31, `            $1
')#endif
')
m4_define(`PLANE_POINT', `$1->v`'m4_eval($2)')
/* Registers at + step i, for a codelet. */
m4_define(`FROM_PLANES', `lanes x$1r = PLANE_POINT(re, AT + STEP * $1), x$1i = PLANE_POINT(im, AT + STEP * $1);
      ')
m4_define(`TO_PLANES', `PLANE_POINT(re, AT + STEP * $1) = $2r; PLANE_POINT(im, AT + STEP * $1) = $2i;
      ')
/* ROUND(radix, at, step) */
m4_define(`ROUND', `m4_define(`AT', `$2')m4_define(`STEP', `$3')    { POINTS(`FROM_PLANES', `TO_PLANES')CODELET($1) }
')
/* The transforms of even and odd registers, k in register 2 k of each, joined: frequency k + s POINTS / 2 in register 2 k + s. */
m4_define(`JOIN_PLANES', `m4_define(`AT', `2 * $1')m4_define(`STEP', 1)    { FROM_PLANES(0)FROM_PLANES(1)JOIN(x0, x1, $1, N_POINTS) TO_PLANES(0, x0)TO_PLANES(1, x1) }
')
/* k1 of k', and k' of k1 or of a row in round 1: one bit goes round. */
m4_define(`TURNED', `m4_eval((($1) >> 1) + (($1) & 1) * N_POINTS / 2)')
/* The register of 4 c + k. */
m4_define(`NEAR_POINT', `m4_eval((($1) & 3) * N_HIGH + (($1) >> 2))')
m4_define(`SAME_POINT', `$1')
/* What a point's row is permuted by, and where point $1 lies. */
m4_define(`TURN_OF', `m4_eval((($1) & 15) ^ ((($1) & 1) << 4))')
m4_define(`OWN_WORD', `tile[m4_eval($1) * WIDTH + (t_ ^ TURN_OF($1))]')
m4_define(`FAR_WORDS', `const int even_ = h_ * WIDTH + (l_ ^ (h_ & 15) ^ ((h_ & 1) << 4)), odd_ = even_ ^ 16;')
m4_define(`FAR_WORD', `tile[m4_ifelse(m4_eval($1 & 1), 1, odd_, even_) + m4_eval($1 >> 1 << 5)]')
m4_define(`NEAR_WORDS', `const int at_ = l_ * WIDTH + ((h_ ^ (l_ & 1)) << 4) + l_;')
m4_define(`NEAR_WORD', `tile[(at_ ^ m4_eval($1 & 15)) + m4_eval($1 & 16) * WIDTH]')
/* EXCHANGE(name, kind, register that point i leaves from, register that it arrives in) */
m4_define(`EXCHANGE', `INLINE_HELPER void $1(LOCAL_POINTER real *tile, plane *re, plane *im)
{
    {
        HIDDEN_LANE
FOR(`I', 0, N_POINTS - 1, `        OWN_WORD(I) = PLANE_POINT(re, $3(I));
')    } BARRIER
    {
        HIDDEN_LANE
        $2_WORDS
FOR(`I', 0, N_POINTS - 1, `        PLANE_POINT(re, $4(I)) = $2_WORD(I);
')FOR(`I', 0, N_POINTS - 1, `        $2_WORD(I) = PLANE_POINT(im, $3(I));
')    } BARRIER
    {
        HIDDEN_LANE
FOR(`I', 0, N_POINTS - 1, `        PLANE_POINT(im, $4(I)) = OWN_WORD(I);
')    }
}
')
m4_define(`TURN_POINT', `{ const real r_ = PLANE_POINT(re, $1), i_ = PLANE_POINT(im, $1);
      PLANE_POINT(re, $1) = r_ * w_.re - i_ * w_.im; PLANE_POINT(im, $1) = r_ * w_.im + i_ * w_.re; }
')
m4_define(`REGISTERS_TEXT', `
#if SHAPE_whole == 2
typedef struct {
    real FOR(`I', 0, 15, `m4_ifelse(I, 0, `', `, ')v`'I');
#if SHAPE_x_length == 128
    real FOR(`I', 16, 31, `m4_ifelse(I, 16, `', `, ')v`'I');
#endif
} plane;
#if defined __AMDGCN__
#define HIDE(t) __asm__ volatile("" : "+v"(t));
#elif defined __CUDA_ARCH__
#define HIDE(t) asm volatile("" : "+r"(t));
#else
#define HIDE(t)
#endif
#define HIDDEN_LANE int t_ = LANE; HIDE(t_) const int h_ = t_ >> 4, l_ = t_ & 15; (void)h_; (void)l_;
BOTH_SIZES(`INLINE_HELPER void points_rows(plane *re, plane *im)
{
ROUND(m4_eval(N_POINTS / 2), 0, 2)ROUND(m4_eval(N_POINTS / 2), 1, 2)FOR(`J', 0, N_POINTS / 2 - 1, `JOIN_PLANES(J)')}
INLINE_HELPER void points_rest(plane *re, plane *im)
{
FOR(`J', 0, N_HIGH - 1, `ROUND(4, J, N_HIGH)')}
INLINE_HELPER void points_columns(plane *re, plane *im)
{
FOR(`J', 0, 3, `ROUND(N_HIGH, J * N_HIGH, 1)')}
INLINE_HELPER void points_last(plane *re, plane *im)
{
FOR(`J', 0, N_POINTS / 16 - 1, `ROUND(16, J * 16, 1)')}
/* Times exp(-2 pi i k1 y_lo / n), and exp(-2 pi i l c / n). */
INLINE_HELPER void points_turn_rows(plane *re, plane *im, TABLE_POINTER turns)
{
    HIDDEN_LANE
    const int k1 = (h_ >> 1) + (h_ & 1) * m4_eval(N_POINTS / 2);
FOR(`J', 1, 3, `    { const cplx w_ = turns[J * k1];
FOR(`I', 0, N_HIGH - 1, `    TURN_POINT(J * N_HIGH + I)')    }
')}
INLINE_HELPER void points_turn_columns(plane *re, plane *im, TABLE_POINTER turns)
{
    HIDDEN_LANE
FOR(`I', 1, N_HIGH - 1, `    { const cplx w_ = turns[I * l_];
FOR(`J', 0, 3, `    TURN_POINT(J * N_HIGH + I)')    }
')}
EXCHANGE(exchange_far, `FAR', `SAME_POINT', `SAME_POINT')
EXCHANGE(exchange_near, `NEAR', `NEAR_POINT', `SAME_POINT')
EXCHANGE(exchange_near_back, `NEAR', `SAME_POINT', `NEAR_POINT')
EXCHANGE(exchange_far_back, `FAR', `SAME_POINT', `TURNED')')
INLINE_HELPER void frame_forward(LOCAL_POINTER real *tile, plane *re, plane *im, TABLE_POINTER turns_y, TABLE_POINTER turns_x)
{
    points_rows(re, im);
    exchange_far(tile, re, im);
    points_turn_rows(re, im, turns_y);
    points_rest(re, im);
    points_columns(re, im);
    points_turn_columns(re, im, turns_x);
    exchange_near(tile, re, im);
    points_last(re, im);
}
INLINE_HELPER void frame_inverse(LOCAL_POINTER real *tile, plane *re, plane *im, TABLE_POINTER turns_y, TABLE_POINTER turns_x)
{
    points_last(im, re);
    exchange_near_back(tile, re, im);
    points_turn_columns(im, re, turns_x);
    points_columns(im, re);
    points_rest(im, re);
    points_turn_rows(im, re, turns_y);
    exchange_far_back(tile, re, im);
    points_rows(im, re);
}
#endif')

/* What WHOLE_FRAME in whole.m4 asks of each form, in this one.  A text is a macro of C, on one line, because 32 of
   them are long. */
m4_define(`NO_LINES', `m4_translit(m4_defn(`$1'), `
', ` ')')
m4_define(`POINT_HOLD', `plane re_, im_;')
m4_define(`POINT_PIXELS', `HIDDEN_LANE
            const int y_ = (int)((unsigned)t_ / COLS), x = (int)((unsigned)t_ % COLS);')
m4_define(`POINT_PLACES', `HIDDEN_LANE
            const int p_ = (h_ >> 1) * 8 + (l_ & 3) * 2 + (h_ & 1), strip = p_ / TILE, l = p_ % TILE, q_ = (l_ >> 2) * 8;')
/* Of register I: the column at the detector; the rows that come, and that go. */
m4_define(`POINT_COLUMN', `q_ + m4_eval((I >> 4) * 32 + ((I & 15) >> 1))m4_ifelse(m4_eval(I & 1), 1, ` + COLS / 2')')
m4_define(`POINT_ROW', `y_ + m4_eval(4 * I)')
m4_define(`POINT_ROW_BACK', `y_ + m4_eval((I >> 1) * 4)m4_ifelse(m4_eval(I & 1), 1, ` + COLS / 2')')
/* EACH_POINT_OBJECT(name, begin, end, row) */
m4_define(`EACH_POINT_OBJECT', `
m4_pushdef(`OBJECT', `OBJECT_LINEAR')#define LINEAR_$1(re_, im_, row) { const int y = row; $2 NO_LINES(`PASS_TEXT') $3 }
m4_define(`OBJECT', `OBJECT_WHOLE')#define WHOLE_$1(re_, im_, row) { const int y = row; $2 NO_LINES(`PASS_TEXT') $3 }
m4_popdef(`OBJECT')        {
            POINT_PIXELS
            if (LINEAR) {
EACH_POINT(`LINEAR_$1(re_.v`'I, im_.v`'I, $4)')
            } else {
EACH_POINT(`WHOLE_$1(re_.v`'I, im_.v`'I, $4)')
            }
        }')
m4_define(`POINT_LOAD', `EACH_POINT_OBJECT($1, `', `re_ = wave.re; im_ = wave.im;', `POINT_ROW')
        frame_forward(tile, &re_, &im_, table_y + SHAPE_y_turns, table_x + SHAPE_x_turns);')
m4_define(`POINT_STORE', `frame_inverse(tile, &re_, &im_, table_y + SHAPE_y_turns, table_x + SHAPE_x_turns);
        EACH_POINT_OBJECT($1, `const waves wave = {re_, im_};', `', `POINT_ROW_BACK')')
m4_define(`POINT_KEEP', `{
            POINT_PLACES
EACH_POINT(`{ const int q = POINT_COLUMN; STRIP_RE = re_.v`'I; STRIP_IM = im_.v`'I; }')
        }')
m4_define(`POINT_TAKE', `{
            POINT_PLACES
EACH_POINT(`{ const int q = POINT_COLUMN; re_.v`'I = STRIP_RE; im_.v`'I = STRIP_IM; }')
        }')
m4_define(`POINT_DETECT', `
#define DETECT_$1(re_, im_, column) { const int q = column; lanes re = re_, im = im_; NO_LINES(`PASS_TEXT') re_ = re; im_ = im; }
        {
            POINT_PLACES
EACH_POINT(`DETECT_$1(re_.v`'I, im_.v`'I, POINT_COLUMN)')
        }')
m4_define(`POINT_DETECT_MODES', `{
            POINT_PLACES
            for (int i_ = 0; i_ < COLS / 4; i_++) {
            const int q = q_ + i_ / 16 * 32 + i_ % 16 / 2 + i_ % 2 * (COLS / 2);
            DETECT_MODES(`STRIP_RE', `STRIP_IM', `STRIP_RE = re; STRIP_IM = im;')
            }
        }')
m4_divert(0)m4_dnl
