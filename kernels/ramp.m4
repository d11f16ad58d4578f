/* ramp -- the phase factors that shift each frame by its fraction of a pixel.
   SPDX-License-Identifier: BSD-3-Clause

       ramp[j, p] = exp(-2 pi i f_y k_y(p) / rows),   then the same for the columns

   k(p) is the signed frequency at position p of the transform, given in `frequency' (rows, then
   cols).  An item is one factor of one frame.  */

COST(items, 16, 5)
KERNEL(ramp, OUT(cplx, ramp), IN(real, fraction), IN(int, frequency))
    EACH(i)
        const index j = i / (ROWS + COLS);
        const int p = (int)(i % (ROWS + COLS));
        const real turns = fraction[2 * j + (p < ROWS ? 0 : 1)] * frequency[p] / (p < ROWS ? ROWS : COLS);
        const real angle = REAL(-6.283185307179586477) * turns;
        ramp[i].re = COS(angle);
        ramp[i].im = SIN(angle);
    END_EACH
END_KERNEL
