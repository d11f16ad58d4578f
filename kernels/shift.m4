/* shift -- move waves by a fraction of a pixel.  SPDX-License-Identifier: BSD-3-Clause

       W <- W exp(-2 pi i sign (f_y k_y / rows + f_x k_x / cols)) / (rows cols)

   sign +1 moves by the frame's fraction f, -1 (the adjoint) moves back.  `ramp' holds the two
   factors of each frame, see ramp.  */

COST(items * PIXELS, 0, 14)
MIDDLE_PASS(shift, `IN(int, frame), IN(cplx, ramp), VAL(real, scale), VAL(int, sign)', `
        const waves turn = RAMP;
        const real sense = sign;
        const lanes turned = scale * (re * turn.re - sense * (im * turn.im));
        im = scale * (im * turn.re + sense * (re * turn.im));
        re = turned;')
