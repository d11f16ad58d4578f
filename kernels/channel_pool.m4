/* channel_pool -- the largest and the mean value over the gated channels of a pixel.  SPDX-License-Identifier: BSD-3-Clause

       result[n, 0, y, x] = max_c gate[n, c] image[n, c, y, x],  result[n, 1, y, x] = mean_c of the same

   in two planes.  An item is a row of a sample.  */

COST(items * width, 4 * (channels + 2), 3 * channels)
KERNEL(channel_pool, OUT(real, result), IN(real, image), IN(real, gate), VAL(int, channels), VAL(int, height), VAL(int, width))
    GROUP(item, part, 1)
        const int blocks = (channels + BLOCK - 1) / BLOCK;
        const index n = item / height, y = item % height, plane = (index)height * width;
        WITH_STORE(`
        LANES(x, 0, width)
            real sum = 0, most = 0;
            for (int c = 0; c < channels; c++) {
                const index block = n * blocks + c / BLOCK;
                const real value = LOADED(image, (block * plane + y * width + x) * BLOCK + c % BLOCK) * gate[block * BLOCK + c % BLOCK];
                sum += value;
                most = c ? larger(most, value) : value;
            }
            result[2 * n * plane + y * width + x] = most;
            result[(2 * n + 1) * plane + y * width + x] = sum / channels;
        END_LANES')
    END_GROUP
END_KERNEL
