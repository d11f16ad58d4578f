/* modulus_dm -- the difference map's step, its state kept at the detector.
   SPDX-License-Identifier: BSD-3-Clause

       psi = F(exit wave),  W = 2 psi - phi,  phi <- phi + a W / (max(|W|, least) + guard) - psi

   `start' makes phi = a psi / (max(|psi|, least) + guard).  error[s, strip] = sum (a - |psi|)^2; pixels
   that were not measured take W for the projection.  Moduli are those of all modes of the probe, see modulus.  The state is laid out like the scratch.
   (P. Thibault et al., Ultramicroscopy 109, 338 (2009), with beta = 1.)  */

COST(items * PIXELS, AMPLITUDE_BYTES + 16 * MODES, 25 * MODES)
MODULUS_PASS(modulus_dm, `OUT(real, error), OUT(real, state), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), VAL(real, least), VAL(real, guard), VAL(int, start)', `
        const lanes psi_re = scale * re, psi_im = scale * im;
        const lanes phi_re = start ? psi_re : STATE_RE, phi_im = start ? psi_im : STATE_IM;
        const lanes w_re = 2 * psi_re - phi_re, w_im = 2 * psi_im - phi_im;
        POWER(`w_re * w_re + (w_im * w_im + TINY)')
        MODEL_POWER(`re * re + (im * im + TINY)')', `
        const lanes a = AMPLITUDE_AT;
        const lanes modulus = ROOT(1, power);
        const lanes share = QUOTIENT(a, LARGER(modulus + guard, least + guard + TINY));
        const lanes factor = BELOW(a, UNMEASURED, share, 1);
        const lanes model = ROOT(scale, model_power);
        const lanes miss = BELOW(a, UNMEASURED, a - model, 0);
        const lanes new_re = phi_re + factor * w_re - psi_re, new_im = phi_im + factor * w_im - psi_im;
        MISS(miss)
        PUT_STATE(new_re, new_im);
        re = new_re * scale;
        im = new_im * scale;')
