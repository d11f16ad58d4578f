/* enlarge -- twice the rows and columns.  SPDX-License-Identifier: BSD-3-Clause

   Nearest: result[y, x] = image[y / 2, x / 2].  `bilinear': the centres of the pixels stay where they are, so a new
   pixel is 9/16, 3/16, 3/16 and 1/16 of its four neighbours, those beyond the rim being those on it.  An item is a
   row of the result in a block of 16 channels; rows and cols are those of the image.  */

COST(items * 2 * cols * BLOCK, 5, 6 * bilinear)
KERNEL(enlarge, OUT(real, result), IN(real, image), VAL(int, rows), VAL(int, cols), VAL(int, bilinear))
    GROUP(item, part, 1)
        const index plane = item / (2 * rows) * rows * cols;
        const int y = (int)(item % (2 * rows)), near_y = y / 2, next_y = y % 2 ? near_y + 1 : near_y - 1;
        const int far_y = next_y < 0 ? 0 : next_y >= rows ? rows - 1 : next_y;
        WITH_STORE(`
        EACH_BLOCK(x, l, 2 * cols)
            const int near_x = x / 2, next_x = x % 2 ? near_x + 1 : near_x - 1;
            const int far_x = next_x < 0 ? 0 : next_x >= cols ? cols - 1 : next_x;
            const index row = (plane + (index)near_y * cols) * BLOCK + l, other = (plane + (index)far_y * cols) * BLOCK + l;
            real value = LOADED(image, row + near_x * BLOCK);
            if (bilinear)
                value = REAL(0.75) * (REAL(0.75) * value + REAL(0.25) * LOADED(image, row + far_x * BLOCK)) +
                        REAL(0.25) * (REAL(0.75) * LOADED(image, other + near_x * BLOCK) + REAL(0.25) * LOADED(image, other + far_x * BLOCK));
            STORED(result, (item * (2 * cols) + x) * BLOCK + l, value)
        END_BLOCK')
    END_GROUP
END_KERNEL
