/* object_step -- the PIE family's step of the object.  SPDX-License-Identifier: BSD-3-Clause

       O += step sum_s conj(p_s) d_s / ((1 - alpha) W + alpha W_max)                    ePIE, rPIE
       O += step sum_s conj(p_s) d_s sqrt(W / W_max) / (W + alpha W_max)                PIE (`root')

   over the slots whose window covers the pixel, in ascending order, and their modes.  W is the illumination:
   with `whole' that of all frames (`coverage'), else the slots' own sum of |p|^2.  W_max is the
   largest of `limits' values of `limit'.  An item is a segment of an object row, see object_sum.
   (J. M. Rodenburg, H. M. L. Faulkner, Appl. Phys. Lett. 85, 4795 (2004); A. Maiden, D. Johnson,
   P. Li, Optica 4, 736 (2017); the coverage form: tike, github.com/AdvancedPhotonSource/tike.)  */

COST(slots * PIXELS * MODES * (1 + 3 * LINEAR), 16, 12 - 4 * whole + 3 * LINEAR)
COST(items / segments * (right - left), 16 + 4 * whole, 10)
KERNEL(object_step, OUT(cplx, object), VAL(index, object_cols), VAL(index, top), VAL(index, left), VAL(index, right),
           VAL(index, segments), VAL(index, slots), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, probe), VAL(index, probe_step), IN(cplx, stack), IN(real, coverage), VAL(int, whole),
           IN(real, limit), VAL(int, limits), VAL(real, alpha), VAL(int, root), VAL(real, step))
    GATHER_BUFFER
    REDUCE_BUFFER
    GROUP(item, part, 1)
        GATHER_BEGIN
        REDUCE_MAX(top_limit, i, 0, limits)
            top_limit = limit[i] > top_limit ? limit[i] : top_limit;
        END_MAX(top_limit)
        OWN(i, 0, width)
            SUM_RE(i) = 0;
            SUM_IM(i) = 0;
            SUM_SQUARE(i) = 0;
        END_OWN
        SUM_SLOTS(!whole)
        /* Not `whole ? ... : ...' below: LLVM 19 fails on a choice between two kinds of memory (gfx90a). */
        if (whole) {
        OWN(i, 0, width)
            SUM_SQUARE(i) = coverage[place + i];
        END_OWN
        }
        OWN(i, 0, width)
            const real w = SUM_SQUARE(i);
            const real below = root ? w + alpha * top_limit : (1 - alpha) * w + alpha * top_limit;
            const real above = root ? step * SQRT(w / (top_limit > 0 ? top_limit : 1)) : step;
            const real factor = below > 0 ? above / below : 0;
            object[place + i].re += factor * SUM_RE(i);
            object[place + i].im += factor * SUM_IM(i);
        END_OWN
    END_GROUP
END_KERNEL
