/* residuals -- how far the waves of a projection method are from what they are projected on: modulus_residual,
   overlap_residual.  SPDX-License-Identifier: BSD-3-Clause

   modulus_residual, over measured pixels, |Z|^2 the sum over the probe's modes:

       error[s, strip] = sum (|Z| - a)^2,   Z = model F(exit wave) + kept state        (model alone where not `keeps')

   The scratch becomes anything.  overlap_residual, over the probe's modes, with the stack's waves z:

       error[s, part] = sum |p o - z|^2

   of parts of 16 rows of a segment.  (S. Marchesini et al., J. Appl. Cryst. 49, 1245 (2016).)  */

m4_define(`RESIDUAL_OF', `(model * $1 + (keeps ? kept * $2 : 0))')
COST(items * PIXELS, AMPLITUDE_BYTES + 8 * MODES, 9 * MODES)
MODEL_SUMS(modulus_residual, `OUT(real, error), OUT(real, scratch), IN(cplx, table), IN(real, state), IN(int, frame),
           VAL(index, first), IN(real, amplitude), VAL(real, model), VAL(real, kept), VAL(int, keeps)', `
        TILE_SUM(sum, q, l, DEPTH)
            POWER_OF_MODES(power, `RESIDUAL_OF(re, STATE_RE) * RESIDUAL_OF(re, STATE_RE) + RESIDUAL_OF(im, STATE_IM) * RESIDUAL_OF(im, STATE_IM)')
            const real a = AMPLITUDE_AT, miss = a < UNMEASURED ? SQRT(power) - a : 0;
            sum += miss * miss;
        END_TILE_SUM(sum)
        ONE_LANE
            error[s * STRIPS + strip] = sum;
        END_ONE
')

m4_define(`OVERLAP_PIXELS', `OWN_WAVES(i, 0, width, `
                const int x = x0 + i;
                const waves away = WAVES(stack, wave_at + PIXEL), exit_wave = product(PROBE, $1);
                const lanes re = exit_wave.re - away.re, im = exit_wave.im - away.im;
                PUT_ROW_REALS(sums, i, ROW_REALS(sums, i) + (re * re + im * im));')')
COST(items * PIXELS * MODES, 24, 12 + 20 * LINEAR)
KERNEL(overlap_residual, OUT(real, error), IN(int, frame), IN(int, corner), IN(real, fraction), IN(cplx, object),
           VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack))
    SHARED(real, sums, SEGMENT)
    REDUCE_BUFFER
    GROUP(s, part, SEGMENTS_X * ((ROWS + 15) / 16))
        const int x0 = part % SEGMENTS_X * SEGMENT, width = COLS - x0 < SEGMENT ? COLS - x0 : SEGMENT;
        const int y0 = part / SEGMENTS_X * 16, y1 = ROWS - y0 < 16 ? ROWS : y0 + 16;
        WINDOW
        OWN(i, 0, width)
            sums[i] = 0;
        END_OWN
        m4_pushdef(`PROBE_AT', `probe_at')for (int mode = 0; mode < MODES; mode++) {
            const index probe_at = PROBE_OF(s, mode), wave_at = (s * MODES + mode) * ROWS * (index)COLS;
            for (int y = y0; y < y1; y++) {
                if (LINEAR) {
                OVERLAP_PIXELS(`OBJECT_LINEAR')
                } else {
                OVERLAP_PIXELS(`OBJECT_WHOLE')
                }
            }
        }m4_popdef(`PROBE_AT')
        REDUCE_SUM(sum, i, 0, width)
            sum += sums[i];
        END_SUM(sum)
        ONE_LANE
            error[s * (SEGMENTS_X * ((ROWS + 15) / 16)) + part] = sum;
        END_ONE
    END_GROUP
END_KERNEL
