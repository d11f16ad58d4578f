/* measure -- the model against the data.  SPDX-License-Identifier: BSD-3-Clause

       squares[s, strip] = sum (|W| - a)^2,   distances[s, strip] = sum | |W| - a |

   over measured pixels, W = F(exit wave).  Only a forward transform.  */

m4_define(`MISS', `const real a = AMPLITUDE_AT;
            const real miss = a < UNMEASURED ? scale * SQRT(RE(q, l) * RE(q, l) + IM(q, l) * IM(q, l)) - a : 0;')
COST(items * PIXELS, 4, 9)
DETECTOR_SUMS(measure, `OUT(real, squares), OUT(real, distances), IN(real, scratch), IN(cplx, table), IN(int, frame),
           VAL(index, first), IN(real, amplitude), VAL(real, scale)', `
        TILE_SUM(square, q, l, DEPTH)
            MISS
            square += miss * miss;
        END_TILE_SUM(square)
        TILE_SUM(distance, q, l, DEPTH)
            MISS
            distance += miss < 0 ? -miss : miss;
        END_TILE_SUM(distance)
        ONE_LANE
            squares[s * STRIPS + strip] = square;
            distances[s * STRIPS + strip] = distance;
        END_ONE
')
