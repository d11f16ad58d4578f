/* ep_gamma -- how well probe and object explain the waves: ep_residual, ep_gamma.
   SPDX-License-Identifier: BSD-3-Clause

       residual[s, segment] = sum |u_s - o_s p_s|^2 + |p_s|^2 / G

   over a segment of a row of the window, with o_s the object there and G its precision; an item is a
   row of a slot, in segments.  Then, a slot an item,

       gamma[j] = 1 / (sum residual / pixels),   at least `least'

   (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/probe_updater.py.)  */

COST(items * COLS, 28, 18)
KERNEL(ep_residual, OUT(real, residual), IN(int, frame), IN(int, corner), IN(cplx, object), IN(real, precision),
           VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    REDUCE_BUFFER
    GROUP(item, segment, SEGMENTS_X)
        const index s = item / ROWS, y = item % ROWS, j = frame[s];
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const index window = (corner[2 * j] + y) * object_cols + corner[2 * j + 1];
        REDUCE_SUM(sum, i, 0, width)
            const int x = x0 + i;
            const cplx p = PROBE, e = product(p, object[window + x]), u = stack[(s * ROWS + y) * COLS + x];
            const real re = u.re - e.re, im = u.im - e.im;
            sum += re * re + im * im + (p.re * p.re + p.im * p.im) / precision[window + x];
        END_SUM(sum)
        ONE_LANE
            residual[item * SEGMENTS_X + segment] = sum;
        END_ONE
    END_GROUP
END_KERNEL

COST(items * ROWS * SEGMENTS_X, 4, 1)
KERNEL(ep_gamma, OUT(real, gamma), IN(int, frame), IN(real, residual), VAL(real, least))
    REDUCE_BUFFER
    GROUP(s, part, 1)
        REDUCE_SUM(sum, i, 0, ROWS * SEGMENTS_X)
            sum += residual[s * (ROWS * SEGMENTS_X) + i];
        END_SUM(sum)
        ONE_LANE
            gamma[frame[s]] = larger((real)(ROWS * (index)COLS) / sum, least);
        END_ONE
    END_GROUP
END_KERNEL
