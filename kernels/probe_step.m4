/* probe_step -- the PIE family's step of the probe.  SPDX-License-Identifier: BSD-3-Clause

       P += step sum_s term[s] / ((1 - beta) D + beta D_max)

   D is the density that probe_terms left, D_max the largest of its segments' maxima, of all
   modes of the probe.  An item is a row of the window, in segments, of one mode after the other.  */

COST(slots * PIXELS * MODES, 8, 2)
COST(PIXELS * MODES, 20, 8)
KERNEL(probe_step, OUT(cplx, probe), IN(cplx, term), IN(real, density), IN(real, density_top), VAL(index, slots),
           VAL(real, beta), VAL(real, step))
    REDUCE_BUFFER
    GROUP(item, segment, SEGMENTS_X)
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        REDUCE_MAX(top, i, 0, ROWS * SEGMENTS_X)
            top = larger(top, density_top[i]);
        END_MAX(top)
        OWN(i, 0, width)
            const index at = item * COLS + x0 + i, place = item % ROWS * COLS + x0 + i;
            const real below = (1 - beta) * density[place] + beta * top;
            const real factor = below > 0 ? step / below : 0;
            real re = 0, im = 0;
            for (index s = 0; s < slots; s++) {
                re += term[s * MODES * (ROWS * (index)COLS) + at].re;
                im += term[s * MODES * (ROWS * (index)COLS) + at].im;
            }
            probe[at].re += factor * re;
            probe[at].im += factor * im;
        END_OWN
    END_GROUP
END_KERNEL
