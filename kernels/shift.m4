/* shift -- move waves by a fraction of a pixel.  SPDX-License-Identifier: BSD-3-Clause

       W <- W exp(-2 pi i sign (f_y k_y / rows + f_x k_x / cols)) / (rows cols)

   sign +1 moves by the frame's fraction f, -1 (the adjoint) moves back.  `ramp' holds the two
   factors of each frame, see ramp.  */

COST(items * PIXELS, 0, 14)
MIDDLE_PASS(shift, `IN(int, frame), IN(cplx, ramp), VAL(real, scale), VAL(int, sign)', `
        EACH_TILE(q, l, COLS, TILE)
            const index at = frame[s] * (index)(ROWS + COLS);
            const cplx turn = product(ramp[at + (l < height ? p0 + l : 0)], ramp[at + ROWS + q]);
            const real re = RE(q, l), im = IM(q, l);
            RE(q, l) = scale * (re * turn.re - sign * (im * turn.im));
            IM(q, l) = scale * (im * turn.re + sign * (re * turn.im));
        END_TILE
')
