/* probe_sum -- the numerator of the least-squares probe.  SPDX-License-Identifier: BSD-3-Clause

       number[i] (+)= sum_s term[s, i]

   over the pixels of all modes, s in ascending order; `fresh' begins at 0.  */

COST(slots * items, 8, 2)
COST(items, fresh ? 8 : 16, 0)
KERNEL(probe_sum, OUT(cplx, number), IN(cplx, term), VAL(index, slots), VAL(int, fresh))
    EACH(i)
        real re = fresh ? 0 : number[i].re, im = fresh ? 0 : number[i].im;
        for (index s = 0; s < slots; s++) {
            re += term[s * MODES * (ROWS * (index)COLS) + i].re;
            im += term[s * MODES * (ROWS * (index)COLS) + i].im;
        }
        number[i].re = re;
        number[i].im = im;
    END_EACH
END_KERNEL
