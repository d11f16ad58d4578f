/* measure -- the model against the data.  SPDX-License-Identifier: BSD-3-Clause

       squares[s, strip] = sum (|W| - a)^2,   distances[s, strip] = sum | |W| - a |

   over measured pixels, W = F(exit wave).  Only a forward transform.

   Moves 12 bytes per pixel; 9 flops beside the transform.  */

KERNEL(measure, OUT(real, squares), OUT(real, distances), IN(real, scratch), IN(cplx, table), IN(int, frame),
           VAL(index, first), IN(real, amplitude), VAL(real, scale), OUT(real, spill))
    TILE_BUFFER(x)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS_Y)
    MIDDLE_LOAD
        TILE_SUM(square, q, l, COLS)
            const real a = AMPLITUDE_AT;
            const real miss = a < UNMEASURED ? scale * SQRT(RE(q, l) * RE(q, l) + IM(q, l) * IM(q, l)) - a : 0;
            RE(q, l) = miss;
            square += miss * miss;
        END_TILE_SUM(square)
        TILE_SUM(distance, q, l, COLS)
            distance += RE(q, l) < 0 ? -RE(q, l) : RE(q, l);
        END_TILE_SUM(distance)
        ONE_LANE
            squares[s * STRIPS_Y + strip] = square;
            distances[s * STRIPS_Y + strip] = distance;
        END_ONE
    END_GROUP
END_KERNEL
