/* poisson -- counts with Poisson noise: poisson_mean, poisson_sums, poisson_alpha, poisson.
   SPDX-License-Identifier: BSD-3-Clause

   With Y = |F(exit wave)|^2, the sum over the probe's modes, counts I = a^2 and xi = 1 - I / (Y + least) over measured pixels the wave moves to

       W - alpha_j xi W,    W = F(exit wave)

   The frame's step alpha_j comes from fixed-point sweeps; with m the mean over the batch, `all' frames,

       alpha' = sum xi (Y - I / (1 - m xi)) / sum xi^2 Y      (0 where the divisor is)
       alpha_j <- (m + alpha') / 2,    within 0 ... 1

   poisson_mean makes m, poisson_sums the two sums of each strip, poisson_alpha the step, of the frame and in `now'
   of the slot, poisson moves the wave; its error is sum (a - |W|)^2.  Pixels that were not measured stay.
   (M. Odstrcil et al., Opt. Express 26, 3108 (2018), eqs. 14 to 16; pty-chi,
   github.com/AdvancedPhotonSource/pty-chi, ptychi/reconstructors/lsqml.py.)  */

COST(slots, 8, 1)
KERNEL(poisson_mean, OUT(real, mean), IN(int, frame), IN(real, alpha), VAL(index, slots), VAL(index, all))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(sum, i, 0, slots)
            sum += alpha[frame[i]];
        END_SUM(sum)
        ONE_LANE
            mean[item] = sum / (real)all;
        END_ONE
    END_GROUP
END_KERNEL

m4_define(`POISSON_PIXEL', `POWER_OF_MODES(power)
            const real a = AMPLITUDE_AT, counts = a * a, y = scale * scale * power, ratio = counts / (y + least);
            const real xi = a < UNMEASURED ? 1 - ratio : 0;')
COST(items * PIXELS, AMPLITUDE_BYTES, 19 + 3 * MODES)
MODEL_SUMS(poisson_sums, `OUT(real, above), OUT(real, below), OUT(real, scratch), IN(cplx, table), IN(int, frame),
           VAL(index, first), IN(real, amplitude), VAL(real, scale), VAL(real, least), IN(real, mean)', `
        const real m = mean[0];
        TILE_SUM(number, q, l, DEPTH)
            POISSON_PIXEL
            const real rest = 1 - m + m * ratio;
            number += xi * (a < UNMEASURED && counts > 0 && rest > 0 ? y - counts / rest : y);
        END_TILE_SUM(number)
        TILE_SUM(density, q, l, DEPTH)
            POISSON_PIXEL
            density += xi * xi * y;
        END_TILE_SUM(density)
        ONE_LANE
            above[s * STRIPS + strip] = number;
            below[s * STRIPS + strip] = density;
        END_ONE
')

COST(items * strips, 8, 2)
KERNEL(poisson_alpha, OUT(real, alpha), OUT(real, now), IN(int, frame), IN(real, above), IN(real, below), VAL(index, strips),
           IN(real, mean))
    REDUCE_BUFFER
    GROUP(s, part, 1)
        REDUCE_SUM(number, i, 0, strips)
            number += above[s * strips + i];
        END_SUM(number)
        REDUCE_SUM(density, i, 0, strips)
            density += below[s * strips + i];
        END_SUM(density)
        ONE_LANE
            const real next = (mean[0] + (density > 0 ? number / density : 0)) / 2;
            const real kept = next > 1 ? 1 : larger(next, 0);
            alpha[frame[s]] = kept;
            now[s] = kept;
        END_ONE
    END_GROUP
END_KERNEL

COST(items * PIXELS, AMPLITUDE_BYTES, 14 * MODES)
MODULUS_PASS(poisson, `OUT(real, error), IN(int, frame), VAL(index, first), IN(real, amplitude), VAL(real, scale),
           VAL(real, least), IN(real, now)', `
        POWER(`re * re + (im * im + TINY)')', `
        const lanes a = AMPLITUDE_AT;
        const lanes counts = BELOW(a, UNMEASURED, a * a, 0), y = scale * scale * power;
        const lanes xi = BELOW(a, UNMEASURED, 1 - QUOTIENT(counts, y + least + TINY), 0);
        const lanes miss = BELOW(a, UNMEASURED, a - ROOT(scale, power), 0);
        const lanes factor = (1 - now[s] * xi) * (scale * scale);
        MISS(miss)
        re *= factor;
        im *= factor;')
