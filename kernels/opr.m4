/* opr -- a probe that varies from frame to frame: opr_probe, opr_project, opr_direction, opr_turn, opr_sums, opr_weights.
   SPDX-License-Identifier: BSD-3-Clause

   The first mode of frame j's probe is w_j0 P + sum_l w_jl E_l, of `count' eigen-probes E_l of mean square 1, the real weights
   w_jl lying frame by frame, count + 1 of each.  A batch says of the probe t_s = conj(o_s) chi_s, shifted back.

       opr_probe       the probes of the slots, all modes; those after the first are P's
       opr_project     rest R_s <- t_s - share mean, or where not fresh R_s - c_s E_before, c_s = sums[3 s + 2] / pixels;
                       along[s] = sum Re conj(R_s) E
       opr_direction   d = sum_s (along[s] / pixels + w_s) R_s
       opr_turn        E <- E + relax d / rms(d), then of mean square 1
       opr_sums        of each slot sum Re conj(t_s) E, sum |E o_s|^2, sum Re conj(R_s) E, left of parts of 16 rows of a segment, as
                       kernel lsq_frames takes them
       opr_weights     w_s += relax sums[0] / (sums[1] + damping its mean over all frames of the batch); this rank's begin
                       with `before'

   (M. Odstrcil et al., Opt. Express 24, 8360 (2016); Opt. Express 26, 3108 (2018); pty-chi,
   github.com/AdvancedPhotonSource/pty-chi, ptychi/data_structures/probe.py and opr_mode_weights.py.)  */

m4_define(`OPR_PIXELS', `(ROWS * (index)COLS)')
m4_define(`OPR_WEIGHT', `weight[frame[$1] * (count + 1) + $2]')

COST(items, 24 + 16 * count / MODES, 2 + 4 * count / MODES)
KERNEL(opr_probe, OUT(cplx, result), IN(cplx, probe), IN(cplx, eigen), IN(real, weight), VAL(index, count), IN(int, frame))
    EACH(i)
        const index pixel = i % OPR_PIXELS, wave = i / OPR_PIXELS, s = wave / MODES, mode = wave % MODES;
        const cplx p = probe[mode * OPR_PIXELS + pixel];
        const real w = mode ? 1 : OPR_WEIGHT(s, 0);
        real re = w * p.re, im = w * p.im;
        for (index l = 0; l < (mode ? 0 : count); l++) {
            re += OPR_WEIGHT(s, l + 1) * eigen[l * OPR_PIXELS + pixel].re;
            im += OPR_WEIGHT(s, l + 1) * eigen[l * OPR_PIXELS + pixel].im;
        }
        result[i].re = re;
        result[i].im = im;
    END_EACH
END_KERNEL

COST(items * PIXELS, 40, 8)
KERNEL(opr_project, OUT(cplx, rest), OUT(real, along), VAL(int, fresh), IN(cplx, term), IN(cplx, mean), VAL(real, share),
           IN(cplx, before), IN(real, sums), IN(cplx, eigen))
    REDUCE_BUFFER
    GROUP(s, part, 1)
        const index at = s * OPR_PIXELS;
        if (fresh) {
            OWN(i, 0, OPR_PIXELS)
                rest[at + i].re = term[s * MODES * OPR_PIXELS + i].re - share * mean[i].re;
                rest[at + i].im = term[s * MODES * OPR_PIXELS + i].im - share * mean[i].im;
            END_OWN
        } else {
            const real c = sums[3 * s + 2] / (real)OPR_PIXELS;
            OWN(i, 0, OPR_PIXELS)
                rest[at + i].re -= c * before[i].re;
                rest[at + i].im -= c * before[i].im;
            END_OWN
        }
        REDUCE_SUM(sum, i, 0, OPR_PIXELS)
            sum += rest[at + i].re * eigen[i].re + rest[at + i].im * eigen[i].im;
        END_SUM(sum)
        ONE_LANE
            along[s] = sum;
        END_ONE
    END_GROUP
END_KERNEL

COST(items * slots, 8, 4)
COST(items, 8, 0)
KERNEL(opr_direction, OUT(cplx, direction), IN(cplx, rest), IN(real, along), IN(real, weight), VAL(index, count),
           VAL(index, which), IN(int, frame), VAL(index, slots))
    EACH(i)
        real re = 0, im = 0;
        for (index s = 0; s < slots; s++) {
            const real c = along[s] / (real)OPR_PIXELS + OPR_WEIGHT(s, which);
            re += c * rest[s * OPR_PIXELS + i].re;
            im += c * rest[s * OPR_PIXELS + i].im;
        }
        direction[i].re = re;
        direction[i].im = im;
    END_EACH
END_KERNEL

COST(items * PIXELS, 48, 12)
KERNEL(opr_turn, OUT(cplx, eigen), IN(cplx, direction), VAL(real, relax))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(length, i, 0, OPR_PIXELS)
            length += direction[i].re * direction[i].re + direction[i].im * direction[i].im;
        END_SUM(length)
        const real step = length > 0 ? relax / SQRT(length / (real)OPR_PIXELS) : 0;
        OWN(i, 0, OPR_PIXELS)
            eigen[i].re += step * direction[i].re;
            eigen[i].im += step * direction[i].im;
        END_OWN
        REDUCE_SUM(power, i, 0, OPR_PIXELS)
            power += eigen[i].re * eigen[i].re + eigen[i].im * eigen[i].im;
        END_SUM(power)
        const real factor = power > 0 ? 1 / SQRT(power / (real)OPR_PIXELS) : 0;
        OWN(i, 0, OPR_PIXELS)
            eigen[i].re *= factor;
            eigen[i].im *= factor;
        END_OWN
    END_GROUP
END_KERNEL

m4_define(`OPR_PARTS', `(SEGMENTS_X * ((ROWS + 15) / 16))')
m4_define(`OPR_SUM', `sums[$1 * SEGMENT + i]')
m4_define(`OPR_WHOLE', `object[window + y * object_cols + x]')
m4_define(`OPR_LINEAR', `linear_tap(object[window + y * object_cols + x], object[window + y * object_cols + x + 1],
                    object[window + (y + 1) * object_cols + x], object[window + (y + 1) * object_cols + x + 1], fy, fx)')
m4_define(`OPR_TERMS', `OWN(i, 0, width)
                const int x = x0 + i;
                const index pixel = y * (index)COLS + x;
                const cplx o = $1, e = eigen[pixel], t = term[s * MODES * OPR_PIXELS + pixel], r = rest[s * OPR_PIXELS + pixel];
                OPR_SUM(0) += t.re * e.re + t.im * e.im;
                OPR_SUM(1) += (e.re * e.re + e.im * e.im) * (o.re * o.re + o.im * o.im);
                OPR_SUM(2) += r.re * e.re + r.im * e.im;
            END_OWN')

COST(items * PIXELS, 32, 16 + 20 * LINEAR)
KERNEL(opr_sums, OUT(real, partial), IN(int, frame), IN(int, corner), IN(real, fraction), IN(cplx, object),
           VAL(index, object_cols), IN(cplx, term), IN(cplx, rest), IN(cplx, eigen))
    SHARED(real, sums, 3 * SEGMENT)
    REDUCE_BUFFER
    GROUP(s, part, OPR_PARTS)
        const int x0 = part % SEGMENTS_X * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const int y0 = part / SEGMENTS_X * 16, y1 = ROWS - y0 < 16 ? ROWS : y0 + 16;
        WINDOW
        OWN(i, 0, width)
            OPR_SUM(0) = 0;
            OPR_SUM(1) = 0;
            OPR_SUM(2) = 0;
        END_OWN
        for (int y = y0; y < y1; y++) {
            if (LINEAR) {
            OPR_TERMS(`OPR_LINEAR')
            } else {
            OPR_TERMS(`OPR_WHOLE')
            }
        }
        for (int k = 0; k < 3; k++) {
            REDUCE_SUM(sum, i, 0, width)
                sum += OPR_SUM(k);
            END_SUM(sum)
            ONE_LANE
                partial[(s * 3 + k) * OPR_PARTS + part] = sum;
            END_ONE
        }
    END_GROUP
END_KERNEL

COST(items * all, 4, 1)
KERNEL(opr_weights, OUT(real, weight), VAL(index, count), VAL(index, which), IN(int, frame), IN(real, sums),
           VAL(index, before), VAL(index, all), VAL(real, relax), VAL(real, damping))
    REDUCE_BUFFER
    GROUP(s, part, 1)
        REDUCE_SUM(total, i, 0, all)
            total += sums[3 * i + 1];
        END_SUM(total)
        ONE_LANE
            const real below = sums[3 * (before + s) + 1] + damping * total / (real)all;
            OPR_WEIGHT(s, which) += below > 0 ? relax * sums[3 * (before + s)] / below : 0;
        END_ONE
    END_GROUP
END_KERNEL
