/* to_blocks -- planes of pixels into blocks of 16 channels.  SPDX-License-Identifier: BSD-3-Clause

       result[n, c, y, x] = plane[n, c, y, x],  0 for the channels beyond the last

   An item is a row of a block.  */

COST(items * width * BLOCK, 8, 0)
KERNEL(to_blocks, OUT(real, result), IN(real, plane), VAL(int, channels), VAL(int, height), VAL(int, width))
    GROUP(item, part, 1)
        const int blocks = (channels + BLOCK - 1) / BLOCK, c0 = (int)(item / height % blocks) * BLOCK;
        const index n = item / height / blocks, y = item % height;
        WITH_STORE(`
        EACH_BLOCK(x, l, width)
            const index from = ((n * channels + c0 + l) * height + y) * width + x;
            STORED(result, (item * width + x) * BLOCK + l, c0 + l < channels ? plane[c0 + l < channels ? from : 0] : 0)
        END_BLOCK')
    END_GROUP
END_KERNEL
