/* modulus_raar -- the RAAR step with one overlap projection, its state kept at the detector.
   SPDX-License-Identifier: BSD-3-Clause

       w = F(exit wave),  z = y + 2 beta w,  d = a z / (max(|z|, least) + guard),
       y <- beta (z - w) + (1 - 2 beta) d,   the wave goes on as d

   which is z <- [2 beta P_Q P_a + (1 - 2 beta) P_a + beta (I - P_Q)] z, because w is the
   overlap projection of the last d.  `start' makes z = w.  error[s, strip] = sum (a - |w|)^2;
   pixels that were not measured take z for d.  Moduli are those of all modes of the probe, see modulus.
   (D. R. Luke, Inverse Problems 21, 37 (2005); S. Marchesini et al., J. Appl. Cryst. 49, 1245
   (2016).)  */

COST(items * PIXELS, AMPLITUDE_BYTES + 16 * MODES, 27 * MODES)
MODULUS_PASS(modulus_raar, `OUT(real, error), OUT(real, state), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), VAL(real, least), VAL(real, guard), VAL(real, beta), VAL(int, start)', `
        const lanes w_re = scale * re, w_im = scale * im;
        const lanes z_re = start ? w_re : STATE_RE + 2 * beta * w_re, z_im = start ? w_im : STATE_IM + 2 * beta * w_im;
        POWER(`z_re * z_re + (z_im * z_im + TINY)')
        MODEL_POWER(`re * re + (im * im + TINY)')', `
        const lanes a = AMPLITUDE_AT;
        const lanes modulus = ROOT(1, power);
        const lanes share = QUOTIENT(a, LARGER(modulus + guard, least + guard + TINY));
        const lanes factor = BELOW(a, UNMEASURED, share, 1);
        const lanes model = ROOT(scale, model_power);
        const lanes miss = BELOW(a, UNMEASURED, a - model, 0);
        const lanes d_re = factor * z_re, d_im = factor * z_im;
        MISS(miss)
        PUT_STATE(beta * (z_re - w_re) + (1 - 2 * beta) * d_re, beta * (z_im - w_im) + (1 - 2 * beta) * d_im);
        re = d_re * scale;
        im = d_im * scale;')
