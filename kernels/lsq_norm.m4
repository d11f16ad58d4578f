/* lsq_norm -- the object's mean modulus: lsq_norm, lsq_scale.  SPDX-License-Identifier: BSD-3-Clause

   lsq_norm leaves, of each segment of the box, sum |O|^2 W and, n further on, sum W^2, with W the
   illumination.  Of them and the pixels in all lsq_scale makes

       scale[0] = (sum |O|^2 W / pixels) / sqrt(sum W^2 / pixels),    scale[1] = 1 / scale[0]

   or 1 where one of the sums is 0.  (pty-chi, github.com/AdvancedPhotonSource/pty-chi: the power that
   object and probe may exchange.)  */

COST(items / segments * (right - left), 12, 7)
COST(items, 8, 0)
KERNEL(lsq_norm, OUT(real, partial), VAL(index, n), VAL(index, object_cols), VAL(index, top), VAL(index, left),
           VAL(index, right), VAL(index, segments), IN(cplx, object), IN(real, illumination))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        SEGMENT_BEGIN
        REDUCE_SUM(power, i, 0, width)
            const cplx o = object[place + i];
            power += (o.re * o.re + o.im * o.im) * illumination[place + i];
        END_SUM(power)
        REDUCE_SUM(square, i, 0, width)
            square += illumination[place + i] * illumination[place + i];
        END_SUM(square)
        ONE_LANE
            partial[item] = power;
            partial[n + item] = square;
        END_ONE
    END_GROUP
END_KERNEL

COST(n, 8, 2)
KERNEL(lsq_scale, OUT(real, scale), IN(real, partial), VAL(index, n), VAL(real, pixels))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(power, i, 0, n)
            power += partial[i];
        END_SUM(power)
        REDUCE_SUM(square, i, 0, n)
            square += partial[n + i];
        END_SUM(square)
        ONE_LANE
            const real ratio = power > 0 && square > 0 ? power / SQRT(square * pixels) : 1;
            scale[2 * item] = ratio;
            scale[2 * item + 1] = 1 / ratio;
        END_ONE
    END_GROUP
END_KERNEL
