/* modulus_dm -- the difference map's step, its state kept at the detector.
   SPDX-License-Identifier: BSD-3-Clause

       psi = F(exit wave),  W = 2 psi - phi,  phi <- phi + a W / (max(|W|, least) + guard) - psi

   `start' makes phi = a psi / (max(|psi|, least) + guard).  error[s, strip] = sum (a - |psi|)^2; pixels
   that were not measured take W for the projection.  The state is laid out like the scratch.
   (P. Thibault et al., Ultramicroscopy 109, 338 (2009), with beta = 1.)  */

COST(items * PIXELS, 20, 25)
DETECTOR_PASS(modulus_dm, `OUT(real, error), OUT(real, state), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), VAL(real, least), VAL(real, guard), VAL(int, start)', `
        TILE_SUM(total, q, l, DEPTH)
            const real a = AMPLITUDE_AT;
            const real re = scale * RE(q, l), im = scale * IM(q, l);
            const real phi_re = start ? re : STATE_RE, phi_im = start ? im : STATE_IM;
            const real w_re = 2 * re - phi_re, w_im = 2 * im - phi_im;
            const real factor = a < UNMEASURED ? a / (larger(SQRT(w_re * w_re + w_im * w_im), least) + guard) : 1;
            const real miss = a < UNMEASURED ? a - SQRT(re * re + im * im) : 0;
            const real new_re = phi_re + factor * w_re - re, new_im = phi_im + factor * w_im - im;
            total += miss * miss;
            STATE_RE = new_re;
            STATE_IM = new_im;
            RE(q, l) = new_re * scale;
            IM(q, l) = new_im * scale;
        END_TILE_SUM(total)
        ONE_LANE
            error[s * STRIPS + strip] = total;
        END_ONE
')
