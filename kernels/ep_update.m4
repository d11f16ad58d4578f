/* ep_update -- what a frame says of the object replaces what it said before.
   SPDX-License-Identifier: BSD-3-Clause

       T += g conj(p) u - g' conj(p') u',   G += g A - g' A',   u' <- u        `apart'
       T += conj(p) u,                      G += (g - g') A                    else

   as the wave u comes back, in the window of slot s, with A = max(|p|^2, least), A' = max(|p'|^2, least_before); g is
   weight[s], g' weight_before[s], p' and u' made the old message.  With `starts' the old message is the start object at
   precision 1.  Where probes do not change, u is already the weighted difference (ep_project), and no u' is kept.
   T takes the object's place among the arguments, the object is T / G (ep_mean).  The windows of the slots must not
   overlap.  (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/core.py.)  */

COST(items * PIXELS, 32 + 24 * apart + 8 * starts, 18 + 14 * apart)
UPDATE_PASS(ep_update, `OUT(real, precision), OUT(cplx, told), IN(cplx, before), IN(cplx, start),
           IN(real, weight), IN(real, weight_before), VAL(real, least), VAL(real, least_before), VAL(int, starts),
           VAL(int, apart)', `
        const real g = weight[s], g_before = weight_before[s], share = apart ? g : 1;', `
        const waves p = PROBE, now = conjugate_product(p, wave), t = OBJECT_WHOLE;
        const lanes a = LARGER(p.re * p.re + p.im * p.im, least);
        lanes re = share * now.re, im = share * now.im, more = g * a;
        if (starts) {
            const waves o = WAVES(start, OBJECT_AT);
            re -= o.re;
            im -= o.im;
            more -= 1;
        } else if (apart) {
            const waves b = WAVES(before, PIXEL), then = conjugate_product(b, WAVES_AHEAD(told, s * (ROWS * (index)COLS) + PIXEL));
            re -= g_before * then.re;
            im -= g_before * then.im;
            more -= g_before * LARGER(b.re * b.re + b.im * b.im, least_before);
        } else {
            more -= g_before * a;
        }
        if (apart) {
            PUT_WAVES(told, s * (ROWS * (index)COLS) + PIXEL, wave);
        }
        const waves sum = {t.re + re, t.im + im};
        PUT_ROW_REALS(precision, OBJECT_AT, ROW_REALS(precision, OBJECT_AT) + more);
        PUT_WAVES(object, OBJECT_AT, sum);')

/* ep_mean -- the object that is believed: O = T / G.  */
COST(items, 20, 2)
KERNEL(ep_mean, OUT(cplx, object), IN(cplx, number), IN(real, precision))
    EACH(i)
        object[i].re = number[i].re / precision[i];
        object[i].im = number[i].im / precision[i];
    END_EACH
END_KERNEL
