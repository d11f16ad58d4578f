/* update -- the PIE family's step, one position at a time, as the wave comes back.
   SPDX-License-Identifier: BSD-3-Clause

       d = wave - P O
       O += object_step conj(P) d / ((1 - alpha) |P|^2 + alpha max |P|^2)               ePIE, rPIE
       O += object_step conj(P) d |P| / sqrt(max |P|^2) / (|P|^2 + alpha max |P|^2)     PIE (`root')
       P += change conj(O) d / ((1 - beta) |O|^2 + beta max |O|^2)                      with `refine'

   in place, with the old O and P on the right.  The maxima are those that load_exit_tops left of one frame.
   The windows of the slots must not overlap, and begin at whole pixels.  (J. M. Rodenburg, H. M. L. Faulkner,
   Appl. Phys. Lett. 85, 4795 (2004); A. M. Maiden, J. M. Rodenburg, Ultramicroscopy 109, 1256 (2009); A. Maiden,
   D. Johnson, P. Li, Optica 4, 736 (2017).)  */

COST(items * PIXELS, 24 + 8 * refine, 26 + 18 * refine)
UPDATE_PASS(update, `IN(real, probe_top), IN(real, object_top), VAL(real, alpha), VAL(int, root), VAL(real, object_step),
           VAL(int, refine), VAL(real, beta), VAL(real, change)', `
        REDUCE_MAX(top_probe, i, 0, STRIPS_X)
            top_probe = larger(top_probe, probe_top[i]);
        END_MAX(top_probe)
        REDUCE_MAX(top_object, i, 0, refine ? STRIPS_X : 0)
            top_object = larger(top_object, object_top[i]);
        END_MAX(top_object)
        const real inverse_root_of_top = top_probe > 0 ? 1 / SQRT(top_probe) : 0;
        const real same_factor = object_step / (alpha * top_probe + TINY);
        const int same = !root && alpha == 1;', `
        const waves p = PROBE, o = OBJECT_WHOLE, model = product(p, o);
        const waves d = {wave.re - model.re, wave.im - model.im}, t = conjugate_product(p, d);
        lanes factor = same_factor - NO_LANES;
        if (!same) {
            const lanes w = p.re * p.re + p.im * p.im;
            factor = QUOTIENT(object_step, (root ? 1 : 1 - alpha) * w + (alpha * top_probe + TINY));
            if (root)
                factor *= ROOT(inverse_root_of_top, w + TINY);
        }
        const waves object_new = {o.re + factor * t.re, o.im + factor * t.im};
        PUT_WAVES(object, OBJECT_AT, object_new);
        if (refine) {
            const waves u = conjugate_product(o, d);
            const lanes square = o.re * o.re + o.im * o.im;
            const lanes share = QUOTIENT(change, (1 - beta) * square + (beta * top_object + TINY));
            const waves probe_new = {p.re + share * u.re, p.im + share * u.im};
            PUT_WAVES(probe, s * probe_step + PIXEL, probe_new);
        }')
