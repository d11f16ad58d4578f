/* ep_terms -- the frames' say on the probe, weighted.  SPDX-License-Identifier: BSD-3-Clause

       t_s = g_s conj(o_s) u_s,    density[y, x] (+)= sum_s g_s (|o_s|^2 + 1 / G)

   with o_s the object window of slot s, G its precision, g_s the precision of frame j's wave.  `keep',
   `fresh' and the items are those of probe_terms.  (PtychoEP, github.com/sacbow/PtychoEP,
   ptychoep/probe_updater.py.)  */

COST(slots * PIXELS, keep ? 28 : 20, 15)
COST(PIXELS, keep ? (fresh ? 4 : 8) : (fresh ? 12 : 24), 0)
KERNEL(ep_terms, OUT(cplx, number), OUT(cplx, term), OUT(real, density), VAL(index, slots), VAL(int, fresh),
           VAL(int, keep), IN(int, frame), IN(int, corner), IN(cplx, object), IN(real, precision),
           VAL(index, object_cols), IN(real, gamma), IN(cplx, stack))
    GATHER_BUFFER
    GROUP(y, segment, SEGMENTS_X)
        const int x0 = segment * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const index place = y * COLS + x0;
        OWN(i, 0, width)
            SUM_RE(i) = fresh || keep ? 0 : number[place + i].re;
            SUM_IM(i) = fresh || keep ? 0 : number[place + i].im;
            SUM_SQUARE(i) = fresh ? 0 : density[place + i];
        END_OWN
        for (index s = 0; s < slots; s++) {
            const index j = frame[s], window = (corner[2 * j] + y) * object_cols + corner[2 * j + 1] + x0;
            const index at = (s * ROWS + y) * COLS + x0;
            const real g = gamma[j];
            OWN_WAVES(i, 0, width, `
                const waves o = WAVES(object, window + i), t = conjugate_product(o, WAVES(stack, at + i));
                const waves old = WAVES(sums, i), mine = {g * t.re, g * t.im};
                const waves sum = {old.re + mine.re, old.im + mine.im};
                if (keep) {
                    PUT_WAVES(term, at + i, mine);
                } else {
                    PUT_WAVES(sums, i, sum);
                }
                const lanes square = o.re * o.re + o.im * o.im + QUOTIENT(1, LARGER(ROW_REALS(precision, window + i), TINY));
                PUT_ROW_REALS(squares, i, ROW_REALS(squares, i) + g * square);')
        }
        OWN(i, 0, width)
            if (!keep) {
                number[place + i].re = SUM_RE(i);
                number[place + i].im = SUM_IM(i);
            }
            density[place + i] = SUM_SQUARE(i);
        END_OWN
    END_GROUP
END_KERNEL
