/* measure -- the model against the data.  SPDX-License-Identifier: BSD-3-Clause

       squares[s, strip] = sum (|W| - a)^2,   distances[s, strip] = sum | |W| - a |

   over measured pixels, W = F(exit wave), |W|^2 the sum over the probe's modes.  Only a forward transform;
   the scratch becomes anything.  */

m4_define(`MEASURED_MISS', `POWER_OF_MODES(power)
            const real a = AMPLITUDE_AT, miss = a < UNMEASURED ? scale * SQRT(power) - a : 0;')
COST(items * PIXELS, AMPLITUDE_BYTES, 9 * MODES)
MODEL_SUMS(measure, `OUT(real, squares), OUT(real, distances), OUT(real, scratch), IN(cplx, table), IN(int, frame),
           VAL(index, first), IN(real, amplitude), VAL(real, scale)', `
        TILE_SUM(square, q, l, DEPTH)
            MEASURED_MISS
            square += miss * miss;
        END_TILE_SUM(square)
        TILE_SUM(distance, q, l, DEPTH)
            MEASURED_MISS
            distance += miss < 0 ? -miss : miss;
        END_TILE_SUM(distance)
        ONE_LANE
            squares[s * STRIPS + strip] = square;
            distances[s * STRIPS + strip] = distance;
        END_ONE
')
