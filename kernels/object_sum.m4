/* object_sum -- the frames' say on the object, gathered.  SPDX-License-Identifier: BSD-3-Clause

       number[pixel]  (+)= sum_s conj(p_s) z_s,    density[pixel] (+)= sum_s |p_s|^2

   over the slots whose window covers the pixel, in ascending order, and their modes; `fresh' begins at 0, else
   the sum goes on, so blocks of frames change no bit; the density is left alone unless `dense'.  An item is a segment of an object row of
   the box top, left, ..., right.  With bilinear windows each slot counts by its four weights.  */

COST(slots * PIXELS * MODES * (1 + 3 * LINEAR), 16, 8 + 4 * dense + 3 * LINEAR)
COST(items / segments * (right - left), (fresh ? 1 : 2) * (8 + 4 * dense), 0)
KERNEL(object_sum, OUT(cplx, number), OUT(real, density), VAL(index, object_cols), VAL(index, top),
           VAL(index, left), VAL(index, right), VAL(index, segments), VAL(index, slots), VAL(int, fresh), VAL(int, dense),
           IN(int, frame), IN(int, corner), IN(real, fraction), IN(cplx, probe), VAL(index, probe_step),
           IN(cplx, stack))
    SUMS_BUFFER
    GROUP(item, part, 1)
        GATHER_BEGIN
        const int how = fresh ? 1 : 2;
        SUMS_IN(number, place, how, density, place, dense ? how : 0)
        SUM_SLOTS(dense)
        SUMS_OUT(number, place, how, density, place, dense)
    END_GROUP
END_KERNEL
