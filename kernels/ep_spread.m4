/* ep_spread -- how uncertain the exit waves are.  SPDX-License-Identifier: BSD-3-Clause

       spread[s, segment] = sum max(A / G, floor),   A = max(|p|^2, least)

   over a segment of a row of the window; G is the precision of the object there.  Its mean over a
   frame is the variance of the exit wave's transform.  An item is a row of a slot's window, in segments.
   (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/core.py.)  */

COST(items * COLS, 12, 5)
KERNEL(ep_spread, OUT(real, spread), IN(int, frame), IN(int, corner), IN(real, precision), VAL(index, object_cols),
           IN(cplx, probe), VAL(index, probe_step), VAL(real, least), VAL(real, floor))
    REDUCE_BUFFER
    GROUP(item, segment, SEGMENTS_X)
        const index s = item / ROWS, y = item % ROWS, j = frame[s];
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const index window = (corner[2 * j] + y) * object_cols + corner[2 * j + 1];
        REDUCE_SUM(sum, i, 0, width)
            const int x = x0 + i;
            const cplx p = PROBE;
            sum += larger(larger(p.re * p.re + p.im * p.im, least) / precision[window + x], floor);
        END_SUM(sum)
        ONE_LANE
            spread[item * SEGMENTS_X + segment] = sum;
        END_ONE
    END_GROUP
END_KERNEL
