/* lsq_steps -- how far to go: lsq_sums, lsq_frames, lsq_solve, lsq_mean.
   SPDX-License-Identifier: BSD-3-Clause

   With the change u = dO p of the exit wave by the object's direction, v = dP o by the probe's, and the
   change chi that the data want, each frame has sums over its pixels and the probe's modes

       |u|^2, |v|^2, Re u conj(v), Im u conj(v), Re conj(u) chi, Re conj(v) chi

   lsq_sums leaves them of parts of LSQ_ROWS rows of a segment (without `joint' those with v are 0),
   lsq_frames of whole frames.  lsq_solve: the steps of each frame, which minimise |chi - x1 u - x2 v|^2,

       [ A11  A12       ] [x1]   [b1]      A11 = sum |u|^2 + damping mean over frames, A22 likewise
       [ conj(A12)  A22 ] [x2] = [b2]      alpha = larger(0, Re x)

   lsq_mean: of the n frames' steps

       step[0] = object_step times the mean of those between the quantiles trim and 1 - trim
       step[1] = probe_step times the mean

   where the quantiles are interpolated between neighbours; where none lies between them, all count.  With
   `smallest' step[0] is at most what it was.
   (M. Odstrcil et al., Opt. Express 26, 3108 (2018), eqs. 22 to 25; damping and the trimmed mean: pty-chi,
   github.com/AdvancedPhotonSource/pty-chi, ptychi/reconstructors/lsqml.py.)  */

m4_define(`LSQ_ROWS', `16')
m4_define(`LSQ_PARTS', `(SEGMENTS_X * ((ROWS + LSQ_ROWS - 1) / LSQ_ROWS))')
m4_define(`LSQ_SUM', `sums[$1 * SEGMENT + i]')
m4_define(`LSQ_TAP_WHOLE', `$1[window + y * object_cols + x]')
m4_define(`LSQ_TAP_LINEAR', `linear_tap($1[window + y * object_cols + x], $1[window + y * object_cols + x + 1],
                    $1[window + (y + 1) * object_cols + x], $1[window + (y + 1) * object_cols + x + 1], fy, fx)')
m4_define(`LSQ_PIXELS', `OWN(i, 0, width)
                const int x = x0 + i;
                const cplx d = $1(direction), p = PROBE, z = stack[((s * MODES + mode) * ROWS + y) * COLS + x], u = product(d, p);
                LSQ_SUM(0) += u.re * u.re + u.im * u.im;
                LSQ_SUM(4) += u.re * z.re + u.im * z.im;
                if (joint) {
                    const cplx o = $1(object), v = product(probe_direction[(mode * ROWS + y) * COLS + x], o);
                    LSQ_SUM(1) += v.re * v.re + v.im * v.im;
                    LSQ_SUM(2) += u.re * v.re + u.im * v.im;
                    LSQ_SUM(3) += u.im * v.re - u.re * v.im;
                    LSQ_SUM(5) += v.re * z.re + v.im * z.im;
                }
            END_OWN')

COST(items * PIXELS * MODES, joint ? 40 : 24, joint ? 34 : 14)
KERNEL(lsq_sums, OUT(real, partial), VAL(int, joint), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), IN(cplx, direction), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step),
           IN(cplx, probe_direction), IN(cplx, stack))
    SHARED(real, sums, 6 * SEGMENT)
    REDUCE_BUFFER
    GROUP(s, part, LSQ_PARTS)
        const int x0 = part % SEGMENTS_X * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const int y0 = part / SEGMENTS_X * LSQ_ROWS, y1 = ROWS - y0 < LSQ_ROWS ? ROWS : y0 + LSQ_ROWS;
        WINDOW
        OWN(i, 0, width)
            LSQ_SUM(0) = 0;
            LSQ_SUM(1) = 0;
            LSQ_SUM(2) = 0;
            LSQ_SUM(3) = 0;
            LSQ_SUM(4) = 0;
            LSQ_SUM(5) = 0;
        END_OWN
        m4_pushdef(`PROBE_AT', `PROBE_OF(s, mode)')for (int mode = 0; mode < MODES; mode++)
        for (int y = y0; y < y1; y++) {
            if (LINEAR) {
            LSQ_PIXELS(`LSQ_TAP_LINEAR')
            } else {
            LSQ_PIXELS(`LSQ_TAP_WHOLE')
            }
        }m4_popdef(`PROBE_AT')
        for (int k = 0; k < 6; k++) {
            REDUCE_SUM(sum, i, 0, width)
                sum += LSQ_SUM(k);
            END_SUM(sum)
            ONE_LANE
                partial[(s * 6 + k) * LSQ_PARTS + part] = sum;
            END_ONE
        }
    END_GROUP
END_KERNEL

COST(items * LSQ_PARTS, 4, 1)
KERNEL(lsq_frames, OUT(real, sums), IN(real, partial))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(sum, i, 0, LSQ_PARTS)
            sum += partial[item * LSQ_PARTS + i];
        END_SUM(sum)
        ONE_LANE
            sums[item] = sum;
        END_ONE
    END_GROUP
END_KERNEL

COST(items * slots, 8, 2)
KERNEL(lsq_solve, OUT(real, alpha), IN(real, sums), VAL(index, slots), VAL(real, damping))
    REDUCE_BUFFER
    GROUP(s, part, 1)
        REDUCE_SUM(objects, i, 0, slots)
            objects += sums[6 * i];
        END_SUM(objects)
        REDUCE_SUM(probes, i, 0, slots)
            probes += sums[6 * i + 1];
        END_SUM(probes)
        ONE_LANE
            const real a11 = sums[6 * s] + damping * objects / (real)slots;
            const real a22 = sums[6 * s + 1] + damping * probes / (real)slots;
            const real re = sums[6 * s + 2], im = sums[6 * s + 3], b1 = sums[6 * s + 4], b2 = sums[6 * s + 5];
            /* of the coupling, in parts of the diagonal: no square of a sum may overflow */
            const real c1 = a11 > 0 ? 1 / a11 : 0, c2 = a22 > 0 ? 1 / a22 : 0;
            const real rest = 1 - (re * c1 * (re * c2) + im * c1 * (im * c2));
            const real over = rest > 0 ? 1 / rest : 0;
            alpha[s] = larger(0, over * c1 * (b1 - re * c2 * b2));
            alpha[slots + s] = larger(0, over * c2 * (b2 - re * c1 * b1));
        END_ONE
    END_GROUP
END_KERNEL

/* The value that has `$2' smaller ones before it: REDUCE_SUM finds the one. */
m4_define(`LSQ_QUANTILE', `REDUCE_SUM($1, i, 0, n)
            index before = 0;
            for (index k = 0; k < n; k++)
                before += alpha[k] < alpha[i] || (alpha[k] == alpha[i] && k < i);
            const real weight = before == $2 ? 1 - part_of : before == $2 + 1 ? part_of : 0;
            $1 += weight > 0 ? weight * alpha[i] : 0;
        END_SUM($1)')
COST(n, 28, 7 + 6 * n)
KERNEL(lsq_mean, OUT(real, step), IN(real, alpha), VAL(index, n), VAL(real, trim), VAL(real, object_step),
           VAL(real, probe_step), VAL(int, smallest))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        const real place = trim * (real)(n - 1), rest = (real)(n - 1) - place;
        const index at_low = (index)place, at_high = (index)rest;
        real part_of = place - (real)at_low;
        LSQ_QUANTILE(low, at_low)
        part_of = rest - (real)at_high;
        LSQ_QUANTILE(high, at_high)
        REDUCE_SUM(kept, i, 0, n)
            kept += alpha[i] >= low && alpha[i] <= high ? alpha[i] : 0;
        END_SUM(kept)
        REDUCE_SUM(count, i, 0, n)
            count += alpha[i] >= low && alpha[i] <= high;
        END_SUM(count)
        REDUCE_SUM(all, i, 0, n)
            all += alpha[i];
        END_SUM(all)
        REDUCE_SUM(probes, i, 0, n)
            probes += alpha[n + i];
        END_SUM(probes)
        ONE_LANE
            const real mean = object_step * (count > 0 ? kept / count : all / (real)n);
            step[item * 2] = smallest && step[item * 2] < mean ? step[item * 2] : mean;
            step[item * 2 + 1] = probe_step * probes / (real)n;
        END_ONE
    END_GROUP
END_KERNEL
