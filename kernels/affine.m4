/* affine -- a norm and its activation.  SPDX-License-Identifier: BSD-3-Clause

       result = after(scale[n, c] image + offset[n, c]),  plus base with `add'

   An item is a row of a block of 16 channels.  */

COST(items * width * BLOCK, 8 + 4 * add, 2)
KERNEL(affine, OUT(real, result), IN(real, image), IN(real, scale), IN(real, offset), IN(real, base), VAL(int, height), VAL(int, width),
           VAL(int, after), VAL(int, add))
    GROUP(item, part, 1)
        const index block = item / height, from = item * width * BLOCK;
        WITH_STORE(`WITH_ACTIVATION(after, `
        EACH_BLOCK(x, l, width)
            const index at = from + x * BLOCK + l;
            const real value = ACTIVATION(LOADED(image, at) * scale[block * BLOCK + l] + offset[block * BLOCK + l]);
            STORED(result, at, add ? LOADED(base, at) + value : value)
        END_BLOCK')')
    END_GROUP
END_KERNEL
