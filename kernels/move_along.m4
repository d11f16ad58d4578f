/* move_along -- one step of an object or a probe.  SPDX-License-Identifier: BSD-3-Clause

       x += factor step[0] direction

   An item is a segment of a row of the box, see object_sum; a probe is an object of its own size.  */

COST(items / segments * (right - left), 24, 4)
KERNEL(move_along, OUT(cplx, x), VAL(index, object_cols), VAL(index, top), VAL(index, left), VAL(index, right),
           VAL(index, segments), IN(cplx, direction), IN(real, step), VAL(real, factor))
    GROUP(item, part, 1)
        GATHER_BEGIN
        const real size = factor * step[0];
        OWN(i, 0, width)
            x[place + i].re += size * direction[place + i].re;
            x[place + i].im += size * direction[place + i].im;
        END_OWN
    END_GROUP
END_KERNEL
