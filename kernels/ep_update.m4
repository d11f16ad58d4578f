/* ep_update -- what a frame says of the object replaces what it said before.
   SPDX-License-Identifier: BSD-3-Clause

       T += g conj(p) u - g' conj(p') u',   G += g A - g' A',   O = T / G,   u' <- u

   in the window of frame j, with A = max(|p|^2, least), A' = max(|p'|^2, least_before); g is weight[j],
   g' weight_before[j], p' and u' made the old message.  With `starts' the old message is the start object
   at precision 1.  One slot.  (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/core.py.)  */

COST(items * COLS, 84, 30)
KERNEL(ep_update, OUT(cplx, object), OUT(cplx, number), OUT(real, precision), OUT(cplx, told), VAL(index, object_cols),
           IN(int, frame), IN(int, corner), IN(cplx, probe), IN(cplx, before), IN(cplx, start), IN(cplx, wave),
           IN(real, weight), IN(real, weight_before), VAL(real, least), VAL(real, least_before), VAL(int, starts))
    GROUP(y, part, 1)
        const index j = frame[0], window = (corner[2 * j] + y) * object_cols + corner[2 * j + 1];
        const real g = weight[j], g_before = weight_before[j];
        OWN(x, 0, COLS)
            const index at = y * COLS + x;
            const cplx p = probe[at], b = before[at], o = start[window + x];
            const cplx now = conjugate_product(p, wave[at]), then = starts ? o : conjugate_product(b, told[at]);
            const real a = larger(p.re * p.re + p.im * p.im, least);
            const real a_before = starts ? 1 : larger(b.re * b.re + b.im * b.im, least_before);
            const real re = number[window + x].re + (g * now.re - g_before * then.re);
            const real im = number[window + x].im + (g * now.im - g_before * then.im);
            const real sum = precision[window + x] + (g * a - g_before * a_before);
            number[window + x].re = re;
            number[window + x].im = im;
            precision[window + x] = sum;
            object[window + x].re = re / sum;
            object[window + x].im = im / sum;
            told[at].re = wave[at].re;
            told[at].im = wave[at].im;
        END_OWN
    END_GROUP
END_KERNEL
