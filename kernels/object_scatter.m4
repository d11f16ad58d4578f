/* object_scatter -- the frames' say on the object, scattered.  SPDX-License-Identifier: BSD-3-Clause

       number[pixel]  += sum_s conj(p_s) z_s,    density[pixel] += sum_s |p_s|^2

   what object_sum gathers, by atomic additions: an item is a pixel of a slot's window.  Slots add in whatever order they
   come, so that rounding changes from run to run.  The density is left alone unless `dense'.  */

COST(items * (1 + 3 * LINEAR), 16 + 8 * dense, 2 + dense)
COST(items * MODES, 16, 10)
KERNEL(object_scatter, OUT(cplx, number), OUT(real, density), VAL(index, object_cols), VAL(int, dense), IN(int, frame), IN(int, corner),
           IN(real, fraction), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    EACH(i)
        const index s = i / (ROWS * (index)COLS), pixel = i % (ROWS * (index)COLS), j = frame[s];
        const index place = (corner[2 * j] + pixel / COLS) * object_cols + corner[2 * j + 1] + pixel % COLS;
        real re = 0, im = 0, square = 0;
        for (int mode = 0; mode < MODES; mode++) {
            const cplx p = probe[PROBE_OF(s, mode) + pixel], z = stack[(s * MODES + mode) * (ROWS * (index)COLS) + pixel];
            re += p.re * z.re + p.im * z.im;
            im += p.re * z.im - p.im * z.re;
            square += p.re * p.re + p.im * p.im;
        }
        for (int tap = 0; tap < (LINEAR ? 4 : 1); tap++) {
            const index at = place + tap / 2 * object_cols + tap % 2;
            const real wy = tap / 2 ? fraction[2 * j] : 1 - fraction[2 * j];
            const real wx = tap % 2 ? fraction[2 * j + 1] : 1 - fraction[2 * j + 1];
            const real weight = LINEAR ? wy * wx : 1;
            ATOMIC_ADD(number[at].re, weight * re)
            ATOMIC_ADD(number[at].im, weight * im)
            if (dense) {
            ATOMIC_ADD(density[at], weight * square)
            }
        }
    END_EACH
END_KERNEL
