/* head -- a part of the answer of a net, from blocks of channels to planes.  SPDX-License-Identifier: BSD-3-Clause

       result[n, c, y, x] = act(inner[n, first + c, y - pad, x - pad]) + silu(outer[n, c, y, x]) outside of the middle

   inner has `pad' rows and columns less on each side, and is 0 there; the middle, where outer is left out, is
   where inner is.  Without `frame' there is no outer.  An item is a row of a plane.  */

COST(items * width, 8 + 4 * frame, 1)
KERNEL(head, OUT(real, result), IN(real, inner), IN(real, outer), VAL(int, channels), VAL(int, first), VAL(int, inner_blocks),
           VAL(int, outer_blocks), VAL(int, height), VAL(int, width), VAL(int, pad), VAL(int, act), VAL(int, frame))
    GROUP(item, part, 1)
        const int y = (int)(item % height), c = (int)(item / height % channels), high = height - 2 * pad, long_ = width - 2 * pad;
        const index n = item / height / channels;
        const index from = ((n * inner_blocks + (first + c) / BLOCK) * high + (y - pad)) * long_ * BLOCK + (first + c) % BLOCK;
        const index around = ((n * outer_blocks + c / BLOCK) * height + y) * width * BLOCK + c % BLOCK;
        WITH_STORE(`
        LANES(x, 0, width)
            const int middle = y >= pad && y < height - pad && x >= pad && x < width - pad;
            real value = 0;
            if (middle)
                value = LOADED(inner, from + (index)(x - pad) * BLOCK);
            else if (frame)
                value = LOADED(outer, around + (index)x * BLOCK);
            result[item * width + x] = value;
        END_LANES')
        if (act || frame) {
            LANES(x, 0, width)
                const int middle = y >= pad && y < height - pad && x >= pad && x < width - pad;
                if (middle || frame)
                    result[item * width + x] = activate(result[item * width + x], middle ? act : 3);
            END_LANES
        }
    END_GROUP
END_KERNEL
