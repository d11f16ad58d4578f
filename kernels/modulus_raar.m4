/* modulus_raar -- the RAAR step with one overlap projection, its state kept at the detector.
   SPDX-License-Identifier: BSD-3-Clause

       w = F(exit wave),  z = y + 2 beta w,  d = a z / (max(|z|, least) + guard),
       y <- beta (z - w) + (1 - 2 beta) d,   the wave goes on as d

   which is z <- [2 beta P_Q P_a + (1 - 2 beta) P_a + beta (I - P_Q)] z, because w is the
   overlap projection of the last d.  `start' makes z = w.  error[s, strip] = sum (a - |w|)^2;
   pixels that were not measured take z for d.
   (D. R. Luke, Inverse Problems 21, 37 (2005); S. Marchesini et al., J. Appl. Cryst. 49, 1245
   (2016).)  */

COST(items * PIXELS, 20, 27)
DETECTOR_PASS(modulus_raar, `OUT(real, error), OUT(real, state), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), VAL(real, least), VAL(real, guard), VAL(real, beta), VAL(int, start)', `
        TILE_SUM(total, q, l, DEPTH)
            const real a = AMPLITUDE_AT;
            const real re = scale * RE(q, l), im = scale * IM(q, l);
            const real z_re = start ? re : STATE_RE + 2 * beta * re;
            const real z_im = start ? im : STATE_IM + 2 * beta * im;
            const real factor = a < UNMEASURED ? a / (larger(SQRT(z_re * z_re + z_im * z_im), least) + guard) : 1;
            const real miss = a < UNMEASURED ? a - SQRT(re * re + im * im) : 0;
            total += miss * miss;
            STATE_RE = beta * (z_re - re) + (1 - 2 * beta) * factor * z_re;
            STATE_IM = beta * (z_im - im) + (1 - 2 * beta) * factor * z_im;
            RE(q, l) = factor * z_re * scale;
            IM(q, l) = factor * z_im * scale;
        END_TILE_SUM(total)
        ONE_LANE
            error[s * STRIPS + strip] = total;
        END_ONE
')
