/* probe_terms -- the frames' say on the probe.  SPDX-License-Identifier: BSD-3-Clause

       term[s] = conj(o_s) z_s,    density[y, x] (+)= sum_s |o_s|^2,
       density_top[y] = max_x density,    probe_top[y] = max_s,x |p_s|^2

   with o_s the object window of slot s; `fresh' begins the density at 0, else it goes on.
   An item is a row of the window.

   Moves 32 bytes per pixel of a slot and 8 per pixel of the window; 15 flops per pixel of a slot.  */

KERNEL(probe_terms, OUT(cplx, term), OUT(real, density), OUT(real, density_top), OUT(real, probe_top),
           VAL(index, slots), VAL(int, fresh), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    SHARED(real, sums, COLS)
    SHARED(real, tops, COLS)
    REDUCE_BUFFER
    GROUP(y, part, 1)
        OWN(x, 0, COLS)
            sums[x] = fresh ? 0 : density[y * COLS + x];
            tops[x] = 0;
        END_OWN
        for (index s = 0; s < slots; s++) {
            WINDOW
            const index at = (s * ROWS + y) * COLS;
            if (LINEAR) {
            OWN(x, 0, COLS)
                const cplx o = OBJECT_LINEAR, p = PROBE;
                term[at + x] = conjugate_product(o, stack[at + x]);
                sums[x] += o.re * o.re + o.im * o.im;
                tops[x] = larger(tops[x], p.re * p.re + p.im * p.im);
            END_OWN
            } else {
            OWN(x, 0, COLS)
                const cplx o = OBJECT_WHOLE, p = PROBE;
                term[at + x] = conjugate_product(o, stack[at + x]);
                sums[x] += o.re * o.re + o.im * o.im;
                tops[x] = larger(tops[x], p.re * p.re + p.im * p.im);
            END_OWN
            }
        }
        OWN(x, 0, COLS)
            density[y * COLS + x] = sums[x];
        END_OWN
        REDUCE_MAX(top_sum, x, 0, COLS)
            top_sum = larger(top_sum, sums[x]);
        END_MAX(top_sum)
        REDUCE_MAX(top_probe, x, 0, COLS)
            top_probe = larger(top_probe, tops[x]);
        END_MAX(top_probe)
        ONE_LANE
            density_top[y] = top_sum;
            probe_top[y] = top_probe;
        END_ONE
    END_GROUP
END_KERNEL
