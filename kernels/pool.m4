/* pool -- the largest of `side' x `side' gated pixels.  SPDX-License-Identifier: BSD-3-Clause

       result[n, c, y, x] = max_{a, b < side} image[n, c, y side + a, x side + b] gate[n, c] where[n, y side + a, x side + b]

   side 1 or 2; without `gated' no gate, without `placed' no where.  An item is a row of the result in a block of
   16 channels; rows and cols are those of the result.  */

COST(items * cols * BLOCK, 4 + 4 * side * side, side * side * (1 + gated + placed))
KERNEL(pool, OUT(real, result), IN(real, image), IN(real, gate), IN(real, where), VAL(int, blocks), VAL(int, rows),
           VAL(int, cols), VAL(int, side), VAL(int, gated), VAL(int, placed))
    GROUP(item, part, 1)
        const index block = item / rows, n = block / blocks, y = item % rows, width = (index)cols * side;
        WITH_STORE(`
        /* The four pixels, which with side 1 are one. */
        EACH_BLOCK(x, l, cols, `
            const index column = (index)x * side, next = side - 1;
            const index up = y * side * width + column, below = up + next * width;
            const GLOBAL real *const place = where + n * rows * side * width;
            const real w0 = placed ? place[up] : 1, w1 = placed ? place[up + next] : 1;
            const real w2 = placed ? place[below] : 1, w3 = placed ? place[below + next] : 1;
            const index from = block * rows * side * width;')
            const real factor = gated ? gate[block * BLOCK + l] : 1;
            const real v0 = LOADED(image, (from + up) * BLOCK + l) * factor * w0;
            const real v1 = LOADED(image, (from + up + next) * BLOCK + l) * factor * w1;
            const real v2 = LOADED(image, (from + below) * BLOCK + l) * factor * w2;
            const real v3 = LOADED(image, (from + below + next) * BLOCK + l) * factor * w3;
            STORED(result, (item * cols + x) * BLOCK + l, larger(larger(v0, v1), larger(v2, v3)))
        END_BLOCK')
    END_GROUP
END_KERNEL
