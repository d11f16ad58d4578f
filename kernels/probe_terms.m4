/* probe_terms -- the frames' say on the probe.  SPDX-License-Identifier: BSD-3-Clause

       t_s = conj(o_s) z_s,    density[y, x] (+)= sum_s |o_s|^2

   with o_s the object window of slot s, for each mode of the probe.  With `keep' term[s] = t_s, for terms that must be shifted
   before they are added; else number[y, x] (+)= sum_s t_s.  `fresh' begins the sums at 0, else they
   go on.  Of each segment of a row also density_top = max density, probe_top = max_s |p_s|^2, the sum over
   the modes.

   An item is a row of the window, in segments, of one mode after the other.  */

m4_define(`TERMS', `OWN_WAVES(i, 0, width, `
                    const int x = x0 + i;
                    FETCH(stack, at + i + COLS)
                    const waves o = $1, t = conjugate_product(o, WAVES(stack, at + i));
                    $2
                    if (modes_here)
                        PUT_ROW_REALS(squares, i, ROW_REALS(squares, i) + (o.re * o.re + o.im * o.im));
                    if (modes_here && (s == 0 || probe_step)) {
                        const waves p = PROBE;
                        lanes square = p.re * p.re + p.im * p.im;
                        for (int more = 1; more < modes_here; more++) {
                            const waves other = WAVES(probe, PROBE_OF(s, more) + PIXEL);
                            square += other.re * other.re + other.im * other.im;
                        }
                        PUT_ROW_REALS(tops, i, LARGER(ROW_REALS(tops, i), square));
                    }')')
m4_define(`KEEP', `PUT_WAVES(term, at + i, t);')
m4_define(`ADD', `const waves old = WAVES(sums, i), sum = {old.re + t.re, old.im + t.im};
                    PUT_WAVES(sums, i, sum);')
COST(slots * PIXELS * MODES, 24 + 8 * keep, 16 + 20 * LINEAR)
COST(PIXELS * MODES, (keep ? 0 : 8) * (fresh ? 1 : 2), 0)
COST(PIXELS, 4 * (fresh ? 1 : 2), 1)
KERNEL(probe_terms, OUT(cplx, number), OUT(cplx, term), OUT(real, density), OUT(real, density_top), OUT(real, probe_top),
           VAL(index, slots), VAL(int, fresh), VAL(int, keep), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    SUMS_BUFFER
    SHARED(real, tops, SEGMENT)
    REDUCE_BUFFER
    GROUP(item, segment, SEGMENTS_X)
        const index mode = item / ROWS, y = item % ROWS;
        const int modes_here = mode ? 0 : MODES;
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const index place = y * COLS + x0, number_at = item * COLS + x0;
        const int of_number = keep ? 0 : fresh ? 1 : 2, of_density = !modes_here ? 0 : fresh ? 1 : 2;
        SUMS_IN(number, number_at, of_number, density, place, of_density)
        OWN(i, 0, width)
            tops[i] = 0;
        END_OWN
        m4_pushdef(`PROBE_AT', `probe_at')for (index s = 0; s < slots; s++) {
            WINDOW
            const index at = ((s * MODES + mode) * ROWS + y) * COLS + x0, probe_at = PROBE_OF(s, mode);
            if (LINEAR && keep) {
                TERMS(`OBJECT_LINEAR', `KEEP')
            } else if (LINEAR) {
                TERMS(`OBJECT_LINEAR', `ADD')
            } else if (keep) {
                TERMS(`OBJECT_WHOLE', `KEEP')
            } else {
                TERMS(`OBJECT_WHOLE', `ADD')
            }
        }m4_popdef(`PROBE_AT')
        SUMS_OUT(number, number_at, of_number, density, place, of_density)
        if (modes_here) {
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
        }
    END_GROUP
END_KERNEL
