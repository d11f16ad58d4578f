/* power -- the counts that the model predicts.  SPDX-License-Identifier: BSD-3-Clause

       power[s, strip] = sum |F(exit wave)|^2    over measured pixels and the probe's modes; the scratch becomes anything  */

COST(items * PIXELS, AMPLITUDE_BYTES, 5 * MODES)
MODEL_SUMS(power, `OUT(real, power), OUT(real, scratch), IN(cplx, table), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale)', `
        TILE_SUM(total, q, l, DEPTH)
            POWER_OF_MODES(square)
            total += AMPLITUDE_AT < UNMEASURED ? scale * scale * square : 0;
        END_TILE_SUM(total)
        ONE_LANE
            power[s * STRIPS + strip] = total;
        END_ONE
')
