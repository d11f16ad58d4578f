/* transfer -- free space between the sample and a detector in the near field.
   SPDX-License-Identifier: BSD-3-Clause

       W <- scale W H conj(R)    there, sign 1        W <- scale W conj(H) R    back, sign -1

   H is the transfer function, laid out like the scratch of one frame.  A probe that was shifted by
   its frame's fraction of a pixel stands still on the detector all the same, so where `moved' the
   frame's ramp R (see ramp) is undone on the way and done again on the way back.
   (J. W. Goodman, Introduction to Fourier Optics, chapter 3; M. Stockmar et al., Sci. Rep. 3, 1927
   (2013).)  */

COST(items * PIXELS, 8, moved ? 20 : 8)
MIDDLE_PASS(transfer, `IN(int, frame), IN(real, factor), IN(cplx, ramp), VAL(int, moved), VAL(real, scale),
           VAL(int, sign)', `
        EACH_TILE(q, l, COLS, TILE)
            cplx h = {FACTOR_RE, FACTOR_IM};
            if (moved) {
                const index own = frame[s] * (index)(ROWS + COLS);
                h = conjugate_product(product(ramp[own + (l < height ? p0 + l : 0)], ramp[own + ROWS + q]), h);
            }
            const real re = RE(q, l), im = IM(q, l);
            RE(q, l) = scale * (re * h.re - sign * (im * h.im));
            IM(q, l) = scale * (im * h.re + sign * (re * h.im));
        END_TILE
')
