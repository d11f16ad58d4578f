/* object_coverage -- the illumination of the object by all frames.  SPDX-License-Identifier: BSD-3-Clause

       density[pixel] = sum_s |p_s|^2

   over the slots whose window covers the pixel, in ascending order, and their modes.  An item is a segment of an
   object row, see object_sum.  */

COST(slots * PIXELS * MODES * (1 + 3 * LINEAR), 8, 4 + LINEAR)
COST(items / segments * (right - left), 4, 0)
KERNEL(object_coverage, OUT(real, density), VAL(index, object_cols), VAL(index, top), VAL(index, left),
           VAL(index, right), VAL(index, segments), VAL(index, slots), IN(int, frame), IN(int, corner),
           IN(real, fraction), IN(cplx, probe), VAL(index, probe_step))
    SHARED(real, sums, GATHER_SEGMENT)
    GROUP(item, part, 1)
        GATHER_BEGIN
        OWN(i, 0, width)
            sums[i] = 0;
        END_OWN
        GATHER_WAVES(`
                    const waves p = WAVES(probe, p0 + i);
                    PUT_ROW_REALS(sums, i, ROW_REALS(sums, i) + weight * (p.re * p.re + p.im * p.im));')
        OWN(i, 0, width)
            density[place + i] = sums[i];
        END_OWN
    END_GROUP
END_KERNEL
