/* modulus -- the Fourier modulus constraint.  SPDX-License-Identifier: BSD-3-Clause

       W = F(exit wave),  W <- a W / (max(|W|, least) + guard),  error[s, strip] = sum (a - |W|)^2

   over measured pixels; the others keep the model's value.  |W|^2 is the sum over the probe's modes, which
   share the factor (P. Thibault, A. Menzel, Nature 494, 68 (2013)).  `scale' makes the unscaled
   transforms orthonormal; the phase of a wave far below `least' is rounding and is not blown up.  (A. M. Maiden, J. M. Rodenburg, Ultramicroscopy 109, 1256 (2009).)  */

COST(items * PIXELS, AMPLITUDE_BYTES, 12 * MODES)
MODULUS_PASS(modulus, `OUT(real, error), IN(int, frame), VAL(index, first), IN(real, amplitude),
           VAL(real, scale), VAL(real, least), VAL(real, guard)', `
        POWER(`re * re + (im * im + TINY)')', `
        const lanes a = AMPLITUDE_AT;
        const lanes modulus = ROOT(scale, power);
        const lanes miss = BELOW(a, UNMEASURED, a - modulus, 0);
        const lanes share = QUOTIENT(a, LARGER(modulus + guard, least + guard + TINY));
        const lanes factor = BELOW(a, UNMEASURED, share * (scale * scale), scale * scale);
        MISS(miss)
        re *= factor;
        im *= factor;')
