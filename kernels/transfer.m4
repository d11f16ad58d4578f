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
        waves h = {FACTOR_RE, FACTOR_IM};
        if (moved)
            h = conjugate_product(RAMP, h);
        const real sense = sign;
        const lanes turned = scale * (re * h.re - sense * (im * h.im));
        im = scale * (im * h.re + sense * (re * h.im));
        re = turned;')
