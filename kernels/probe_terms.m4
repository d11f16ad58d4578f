/* probe_terms -- the frames' say on the probe.  SPDX-License-Identifier: BSD-3-Clause

       t_s = conj(o_s) z_s,    density[y, x] (+)= sum_s |o_s|^2

   with o_s the object window of slot s.  With `keep' term[s] = t_s, for terms that must be shifted
   before they are added; else number[y, x] (+)= sum_s t_s.  `fresh' begins the sums at 0, else they
   go on.  Of each segment of a row also density_top = max density, probe_top = max_s |p_s|^2.

   An item is a row of the window, in segments.  */

m4_define(`TERMS', `OWN_WAVES(i, 0, width, `
                    const int x = x0 + i;
                    const waves o = $1, p = PROBE, t = conjugate_product(o, WAVES(stack, at + i));
                    $2
                    PUT_ROW_REALS(squares, i, ROW_REALS(squares, i) + (o.re * o.re + o.im * o.im));
                    PUT_ROW_REALS(tops, i, LARGER(ROW_REALS(tops, i), p.re * p.re + p.im * p.im));')')
m4_define(`KEEP', `PUT_WAVES(term, at + i, t);')
m4_define(`ADD', `const waves old = WAVES(sums, i), sum = {old.re + t.re, old.im + t.im};
                    PUT_WAVES(sums, i, sum);')
COST(slots * PIXELS, 24 + 8 * keep, 16 + 20 * LINEAR)
COST(PIXELS, (keep ? 4 : 12) * (fresh ? 1 : 2), 1)
KERNEL(probe_terms, OUT(cplx, number), OUT(cplx, term), OUT(real, density), OUT(real, density_top), OUT(real, probe_top),
           VAL(index, slots), VAL(int, fresh), VAL(int, keep), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    GATHER_BUFFER
    SHARED(real, tops, SEGMENT)
    REDUCE_BUFFER
    GROUP(y, segment, SEGMENTS_X)
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const index place = y * COLS + x0;
        OWN(i, 0, width)
            SUM_RE(i) = fresh || keep ? 0 : number[place + i].re;
            SUM_IM(i) = fresh || keep ? 0 : number[place + i].im;
            SUM_SQUARE(i) = fresh ? 0 : density[place + i];
            tops[i] = 0;
        END_OWN
        for (index s = 0; s < slots; s++) {
            WINDOW
            const index at = (s * ROWS + y) * COLS + x0;
            if (LINEAR && keep) {
                TERMS(`OBJECT_LINEAR', `KEEP')
            } else if (LINEAR) {
                TERMS(`OBJECT_LINEAR', `ADD')
            } else if (keep) {
                TERMS(`OBJECT_WHOLE', `KEEP')
            } else {
                TERMS(`OBJECT_WHOLE', `ADD')
            }
        }
        if (!keep) {
        OWN(i, 0, width)
            number[place + i].re = SUM_RE(i);
            number[place + i].im = SUM_IM(i);
        END_OWN
        }
        OWN(i, 0, width)
            density[place + i] = SUM_SQUARE(i);
        END_OWN
        REDUCE_MAX(top_sum, i, 0, width)
            top_sum = larger(top_sum, SUM_SQUARE(i));
        END_MAX(top_sum)
        REDUCE_MAX(top_probe, i, 0, width)
            top_probe = larger(top_probe, tops[i]);
        END_MAX(top_probe)
        ONE_LANE
            density_top[y * SEGMENTS_X + segment] = top_sum;
            probe_top[y * SEGMENTS_X + segment] = top_probe;
        END_ONE
    END_GROUP
END_KERNEL
