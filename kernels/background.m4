/* background -- a background that all frames share: projected, background_sums, background_step, without_background.
   SPDX-License-Identifier: BSD-3-Clause

   With counts I_j = a_j^2, D_j = I_j - background and Y_j, the sum over the probe's modes of |Z|^2,

       Z = model F(exit wave) + kept state        (model alone where not `keeps')
       eta = larger(0.9, sum_j Y_j D_j / sum_j D_j^2)
       background <- larger(0, background + mean_j (D_j - Y_j / eta))        what is not finite becomes 0

   for each pixel, over the frames that measured it.  projected makes Y, which lies as amplitudes do, from a scratch that
   becomes anything; background_sums goes on with five sums of n pixels each: Y D, D^2, Y, D, 1, or begins; without_background
   makes the slots' amplitudes sqrt(larger(0, I - background)).
   (S. Marchesini et al., J. Appl. Cryst. 49, 1245 (2016); github.com/camera-sharp/sharp-nsls2.)  */

m4_define(`PROJECTED', `(l < height ? model * $1 + (keeps ? kept * $2 : 0) : 0)')
m4_define(`SQUARE_OF', `PROJECTED($1, $2) * PROJECTED($1, $2)')
COST(items * PIXELS, 4 + 8 * MODES, 9 * MODES)
MODEL_SUMS(projected, `OUT(real, amplitude), OUT(real, scratch), IN(cplx, table), IN(real, state), VAL(real, model),
           VAL(real, kept), VAL(int, keeps)', `
        EACH_TILE(q, l, DEPTH, TILE)
            POWER_OF_MODES(power, `SQUARE_OF(re, STATE_RE) + SQUARE_OF(im, STATE_IM)')
            AMPLITUDES_OF(s)[AMPLITUDE_PIXEL] = power;
        END_TILE
')

COST(n * slots, 8, 8)
KERNEL(background_sums, OUT(real, sums), IN(real, background), IN(int, frame), VAL(index, first), IN(real, amplitude),
           IN(real, projected), VAL(index, n), VAL(index, slots), VAL(int, begin))
    EACH(i)
        real both = begin ? 0 : sums[i], squares = begin ? 0 : sums[n + i], model = begin ? 0 : sums[2 * n + i];
        real rest = begin ? 0 : sums[3 * n + i], frames = begin ? 0 : sums[4 * n + i];
        for (index s = 0; s < slots; s++) {
            const real a = amplitude[(frame[s] - first) * n + i];
            const real y = a < UNMEASURED ? projected[s * n + i] : 0, d = a < UNMEASURED ? a * a - background[i] : 0;
            both += y * d;
            squares += d * d;
            model += y;
            rest += d;
            frames += a < UNMEASURED;
        }
        sums[i] = both;
        sums[n + i] = squares;
        sums[2 * n + i] = model;
        sums[3 * n + i] = rest;
        sums[4 * n + i] = frames;
    END_EACH
END_KERNEL

COST(n, 28, 7)
KERNEL(background_step, OUT(real, background), IN(real, sums), VAL(index, n))
    EACH(i)
        const real squares = sums[n + i], frames = sums[4 * n + i];
        const real eta = larger(squares > 0 ? sums[i] / squares : 0, REAL(0.9));
        const real next = background[i] + (sums[3 * n + i] - sums[2 * n + i] / eta) / larger(frames, 1);
        background[i] = next > 0 && next < UNMEASURED ? next : 0;
    END_EACH
END_KERNEL

COST(n * slots, 8, 3)
KERNEL(without_background, OUT(real, result), IN(int, frame), VAL(index, first), IN(real, amplitude), IN(real, background),
           VAL(index, n), VAL(index, slots))
    EACH(i)
        for (index s = 0; s < slots; s++) {
            const real a = amplitude[(frame[s] - first) * n + i];
            result[s * n + i] = a < UNMEASURED ? SQRT(larger(a * a - background[i], 0)) : a;
        }
    END_EACH
END_KERNEL
