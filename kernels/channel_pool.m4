/* channel_pool -- the largest and the mean value over the gated channels of a pixel.  SPDX-License-Identifier: BSD-3-Clause

       result[n, 0, y, x] = max_c gate[n, c] image[n, c, y, x],  result[n, 1, y, x] = mean_c of the same

   in two planes.  An item is a row of a sample.  */

/* HALVE(lanes, from, to): neighbouring lanes of a pixel become one, so many are left. */
m4_define(`HALVE', `LANES(i, 0, count * $1)
                $3sums[i] = $2sums[2 * i] + $2sums[2 * i + 1];
                $3tops[i] = larger($2tops[2 * i], $2tops[2 * i + 1]);
            END_LANES')
COST(items * width, 4 * (channels + 2), 3 * channels)
KERNEL(channel_pool, OUT(real, result), IN(real, image), IN(real, gate), VAL(int, channels), VAL(int, height), VAL(int, width))
    SHARED(real, sums, 64 * BLOCK)
    SHARED(real, tops, 64 * BLOCK)
    SHARED(real, half_sums, 64 * BLOCK / 2)
    SHARED(real, half_tops, 64 * BLOCK / 2)
    GROUP(item, part, 1)
        const int blocks = (channels + BLOCK - 1) / BLOCK;
        const index n = item / height, y = item % height, plane = (index)height * width;
        for (int first = 0; first < width; first += 64) {
            const int count = width - first < 64 ? width - first : 64;
            for (int b = 0; b < blocks; b++) {
                const index from = ((n * blocks + b) * plane + y * width + first) * BLOCK, gates = (n * blocks + b) * BLOCK;
                WITH_STORE(`
                EACH_BLOCK(x, l, count)
                    const real value = LOADED(image, from + x * BLOCK + l) * gate[gates + l];
                    const real top = b * BLOCK + l < channels ? value : -REAL(3e38);
                    sums[x * BLOCK + l] = b ? sums[x * BLOCK + l] + value : value;
                    tops[x * BLOCK + l] = b ? larger(tops[x * BLOCK + l], top) : top;
                END_BLOCK')
            }
            HALVE(8, `', `half_')
            HALVE(4, `half_', `')
            HALVE(2, `', `half_')
            HALVE(1, `half_', `')
            LANES(x, 0, count)
                result[2 * n * plane + y * width + first + x] = tops[x];
                result[(2 * n + 1) * plane + y * width + first + x] = sums[x] / channels;
            END_LANES
        }
    END_GROUP
END_KERNEL
