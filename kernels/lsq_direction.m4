/* lsq_direction -- where the data want the object to go.  SPDX-License-Identifier: BSD-3-Clause

       D (+)= sum_s conj(p_s) chi_s,    direction = D / sqrt(W^2 + (damping W_max)^2)

   over the slots whose window covers the pixel, in ascending order, and the probe's modes; W is the illumination by all
   frames, W_max its top.  With `keep' D goes on in `number', which `fresh' begins at 0.  An item is a
   segment of an object row, see object_sum.  (M. Odstrcil et al., Opt. Express 26, 3108 (2018);
   preconditioner: pty-chi, github.com/AdvancedPhotonSource/pty-chi.)  */

COST(slots * PIXELS * MODES * (1 + 3 * LINEAR), 16, 8)
COST(items / segments * (right - left), 12 + 8 * keep + 8 * !fresh, 8)
KERNEL(lsq_direction, OUT(cplx, direction), OUT(cplx, number), VAL(index, object_cols), VAL(index, top),
           VAL(index, left), VAL(index, right), VAL(index, segments), VAL(index, slots), VAL(int, fresh), VAL(int, keep),
           IN(int, frame), IN(int, corner), IN(real, fraction), IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack),
           IN(real, illumination), IN(real, illumination_top), VAL(real, damping))
    GATHER_BUFFER
    GROUP(item, part, 1)
        GATHER_BEGIN
        const real least = damping * illumination_top[0];
        OWN(i, 0, width)
            SUM_RE(i) = fresh ? 0 : number[place + i].re;
            SUM_IM(i) = fresh ? 0 : number[place + i].im;
        END_OWN
        SUM_SLOTS(0)
        OWN(i, 0, width)
            const real w = illumination[place + i], below = SQRT(w * w + least * least);
            const real factor = below > 0 ? 1 / below : 0;
            direction[place + i].re = factor * SUM_RE(i);
            direction[place + i].im = factor * SUM_IM(i);
        END_OWN
        if (keep) {
        OWN(i, 0, width)
            number[place + i].re = SUM_RE(i);
            number[place + i].im = SUM_IM(i);
        END_OWN
        }
    END_GROUP
END_KERNEL
