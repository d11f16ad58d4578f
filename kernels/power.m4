/* power -- the counts that the model predicts.  SPDX-License-Identifier: BSD-3-Clause

       power[s, strip] = sum |F(exit wave)|^2    over measured pixels  */

COST(items * PIXELS, 4, 5)
DETECTOR_SUMS(power, `OUT(real, power), IN(real, scratch), IN(cplx, table), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale)', `
        TILE_SUM(total, q, l, DEPTH)
            const real square = RE(q, l) * RE(q, l) + IM(q, l) * IM(q, l);
            total += AMPLITUDE_AT < UNMEASURED ? scale * scale * square : 0;
        END_TILE_SUM(total)
        ONE_LANE
            power[s * STRIPS + strip] = total;
        END_ONE
')
