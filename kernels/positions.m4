/* positions -- where the data say that windows lie: position_sums, position_lags.  SPDX-License-Identifier: BSD-3-Clause

   chi is what the data want the exit wave p o to change by: the stack, or with `whole' the stack less p o.  Of the
   slopes g_y = p (o(y + 1) - o(y - 1)) / 2 and g_x likewise each frame has sums

       |g_y|^2, |g_x|^2, Re conj(g_y) g_x, Re conj(g_y) chi, Re conj(g_x) chi

   (position_sums) over the probe's modes and the window's pixels but the outermost, which lack a neighbour in it; they are left of parts of 16 rows of a
   segment, as kernel lsq_frames takes them.  (M. Odstrcil, A. Menzel, M. Guizar-Sicairos, Opt. Express 26,
   3108 (2018).)

   position_lags: the wave psi that the data want, the stack or, without `whole', p o plus the stack, is correlated with
   those that the object gives at the nine lags (u, v) = (-1, -1), (-1, 0), ..., (1, 1):  Re and Im of
   sum conj(p o(y + u, x + v)) psi(y, x), the same of p o in the place of psi, and sum |p o(y + u, x + v)|^2.  (F. Zhang et al., Opt. Express 21, 13592
   (2013), weighted by the light.)  */

m4_define(`POSITION_PARTS', `(SEGMENTS_X * ((ROWS + 15) / 16))')
m4_define(`POSITION_SUM', `sums[$1 * SEGMENT + i]')
m4_define(`POSITION_WHOLE', `object[window + (y + $1) * object_cols + x + $2]')
m4_define(`POSITION_LINEAR', `linear_tap(object[window + (y + $1) * object_cols + x + $2],
                    object[window + (y + $1) * object_cols + x + $2 + 1],
                    object[window + (y + $1 + 1) * object_cols + x + $2],
                    object[window + (y + $1 + 1) * object_cols + x + $2 + 1], fy, fx)')
m4_define(`POSITION_PIXELS', `OWN(i, from, to)
                const int x = x0 + i;
                const cplx p = PROBE, exit_wave = product(p, $1(0, 0)), z = stack[((s * MODES + mode) * ROWS + y) * COLS + x];
                const cplx up = $1(-1, 0), down = $1(1, 0), left = $1(0, -1), right = $1(0, 1);
                const cplx across = {REAL(0.5) * (down.re - up.re), REAL(0.5) * (down.im - up.im)};
                const cplx along = {REAL(0.5) * (right.re - left.re), REAL(0.5) * (right.im - left.im)};
                const cplx gy = product(p, across), gx = product(p, along);
                const real re = z.re - less * exit_wave.re, im = z.im - less * exit_wave.im;
                POSITION_SUM(0) += gy.re * gy.re + gy.im * gy.im;
                POSITION_SUM(1) += gx.re * gx.re + gx.im * gx.im;
                POSITION_SUM(2) += gy.re * gx.re + gy.im * gx.im;
                POSITION_SUM(3) += gy.re * re + gy.im * im;
                POSITION_SUM(4) += gx.re * re + gx.im * im;
            END_OWN')

COST(items * PIXELS * MODES, 24, 50 + 80 * LINEAR)
KERNEL(position_sums, OUT(real, partial), VAL(int, whole), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    SHARED(real, sums, 5 * SEGMENT)
    REDUCE_BUFFER
    GROUP(s, part, POSITION_PARTS)
        const int x0 = part % SEGMENTS_X * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const int y0 = part / SEGMENTS_X * 16, y1 = ROWS - y0 < 16 ? ROWS : y0 + 16;
        const int from = x0 == 0, to = x0 + width == COLS ? width - 1 : width;
        const real less = whole ? 1 : 0;
        WINDOW
        OWN(i, 0, width)
            POSITION_SUM(0) = 0;
            POSITION_SUM(1) = 0;
            POSITION_SUM(2) = 0;
            POSITION_SUM(3) = 0;
            POSITION_SUM(4) = 0;
        END_OWN
        m4_pushdef(`PROBE_AT', `PROBE_OF(s, mode)')for (int mode = 0; mode < MODES; mode++)
        for (int y = y0 > 0 ? y0 : 1; y < (y1 < ROWS ? y1 : ROWS - 1); y++) {
            if (LINEAR) {
            POSITION_PIXELS(`POSITION_LINEAR')
            } else {
            POSITION_PIXELS(`POSITION_WHOLE')
            }
        }m4_popdef(`PROBE_AT')
        for (int k = 0; k < 5; k++) {
            REDUCE_SUM(sum, i, 0, width)
                sum += POSITION_SUM(k);
            END_SUM(sum)
            ONE_LANE
                partial[(s * 5 + k) * POSITION_PARTS + part] = sum;
            END_ONE
        }
    END_GROUP
END_KERNEL

m4_define(`LAG_PIXELS', `OWN(i, from, to)
                    const int x = x0 + i;
                    const cplx p = PROBE, exit_wave = product(p, $1(0, 0)), z = stack[((s * MODES + mode) * ROWS + y) * COLS + x];
                    const cplx psi = {z.re + more * exit_wave.re, z.im + more * exit_wave.im}, moved = product(p, $1(u, v));
                    POSITION_SUM(0) += moved.re * psi.re + moved.im * psi.im;
                    POSITION_SUM(1) += moved.re * psi.im - moved.im * psi.re;
                    POSITION_SUM(2) += moved.re * exit_wave.re + moved.im * exit_wave.im;
                    POSITION_SUM(3) += moved.re * exit_wave.im - moved.im * exit_wave.re;
                    POSITION_SUM(4) += moved.re * moved.re + moved.im * moved.im;
                END_OWN')

COST(9 * items * PIXELS * MODES, 24, 36 + 40 * LINEAR)
KERNEL(position_lags, OUT(real, partial), VAL(int, whole), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    SHARED(real, sums, 5 * SEGMENT)
    REDUCE_BUFFER
    GROUP(s, part, POSITION_PARTS)
        const int x0 = part % SEGMENTS_X * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const int y0 = part / SEGMENTS_X * 16, y1 = ROWS - y0 < 16 ? ROWS : y0 + 16;
        const int from = x0 == 0, to = x0 + width == COLS ? width - 1 : width;
        const real more = whole ? 0 : 1;
        WINDOW
        m4_pushdef(`PROBE_AT', `PROBE_OF(s, mode)')for (int lag = 0; lag < 9; lag++) {
            const int u = lag / 3 - 1, v = lag % 3 - 1;
            OWN(i, 0, width)
                POSITION_SUM(0) = 0;
                POSITION_SUM(1) = 0;
                POSITION_SUM(2) = 0;
                POSITION_SUM(3) = 0;
                POSITION_SUM(4) = 0;
            END_OWN
            for (int mode = 0; mode < MODES; mode++)
            for (int y = y0 > 0 ? y0 : 1; y < (y1 < ROWS ? y1 : ROWS - 1); y++) {
                if (LINEAR) {
                LAG_PIXELS(`POSITION_LINEAR')
                } else {
                LAG_PIXELS(`POSITION_WHOLE')
                }
            }
            for (int k = 0; k < 5; k++) {
                REDUCE_SUM(sum, i, 0, width)
                    sum += POSITION_SUM(k);
                END_SUM(sum)
                ONE_LANE
                    partial[(s * 45 + 5 * lag + k) * POSITION_PARTS + part] = sum;
                END_ONE
            }
        }m4_popdef(`PROBE_AT')
    END_GROUP
END_KERNEL
