/* modulus -- the Fourier modulus constraint.  SPDX-License-Identifier: BSD-3-Clause

       W = F(exit wave),  W <- a W / (max(|W|, least) + guard),  error[s, strip] = sum (a - |W|)^2

   over measured pixels; the others keep the model's value.  `scale' makes the unscaled
   transforms orthonormal; the phase of a wave far below `least' is rounding and is not blown up.  (A. M. Maiden, J. M. Rodenburg, Ultramicroscopy 109, 1256 (2009).)  */

COST(items * PIXELS, 4, 12)
DETECTOR_PASS(modulus, `OUT(real, error), IN(int, frame), VAL(index, first), IN(real, amplitude),
           VAL(real, scale), VAL(real, least), VAL(real, guard)', `
        TILE_SUM(total, q, l, DEPTH)
            const real a = AMPLITUDE_AT;
            const real modulus = scale * SQRT(RE(q, l) * RE(q, l) + IM(q, l) * IM(q, l));
            const real miss = a < UNMEASURED ? a - modulus : 0;
            const real factor = (a < UNMEASURED ? a / (larger(modulus, least) + guard) : 1) * (scale * scale);
            total += miss * miss;
            RE(q, l) *= factor;
            IM(q, l) *= factor;
        END_TILE_SUM(total)
        ONE_LANE
            error[s * STRIPS + strip] = total;
        END_ONE
')
