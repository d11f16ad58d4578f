/* pool -- the largest of `side' x `side' gated pixels.  SPDX-License-Identifier: BSD-3-Clause

       result[n, c, y, x] = max_{a, b < side} image[n, c, y side + a, x side + b] gate[n, c] where[n, y side + a, x side + b]

   without `gated' no gate, without `placed' no where.  An item is a row of the result in a block of 16 channels;
   rows and cols are those of the result.  */

COST(items * cols * BLOCK, 4 + 4 * side * side, side * side * (1 + gated + placed))
KERNEL(pool, OUT(real, result), IN(real, image), IN(real, gate), IN(real, where), VAL(int, blocks), VAL(int, rows),
           VAL(int, cols), VAL(int, side), VAL(int, gated), VAL(int, placed))
    GROUP(item, part, 1)
        const index block = item / rows, n = block / blocks, y = item % rows, width = (index)cols * side;
        WITH_STORE(`
        EACH_BLOCK(x, l, cols)
            const real factor = gated ? gate[block * BLOCK + l] : 1;
            real most = 0;
            for (int a = 0; a < side; a++)
                for (int b = 0; b < side; b++) {
                    const index row = y * side + a, column = (index)x * side + b;
                    real value = LOADED(image, ((block * rows * side + row) * width + column) * BLOCK + l) * factor;
                    if (placed)
                        value *= where[(n * rows * side + row) * width + column];
                    most = a + b ? larger(most, value) : value;
                }
            STORED(result, (item * cols + x) * BLOCK + l, most)
        END_BLOCK')
    END_GROUP
END_KERNEL
