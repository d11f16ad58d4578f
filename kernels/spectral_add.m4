/* spectral_add -- the last sum of a spectral convolution, and the block that it belongs to.
   SPDX-License-Identifier: BSD-3-Clause

       result[x] = image[x] + gelu(result[x] + sum_j table[x, j] value[j])

   where result holds the local branch; along a row of 16 channels, which is an item.  */

COST(items * width * BLOCK, 12, 25 + 2 * terms)
COST(items * terms, 4 * BLOCK, 0)
KERNEL(spectral_add, OUT(real, result), IN(real, image), IN(real, table), IN(real, value), VAL(int, width), VAL(int, terms))
    SHARED(real, sums, 64 * BLOCK)
    GROUP(item, part, 1)
        for (int first = 0; first < width; first += 64) {
            const int count = width - first < 64 ? width - first : 64;
            const index from = (item * width + first) * BLOCK;
            PRODUCTS(sums, count, BLOCK, table + (index)first * terms, terms, 1, 0, 1, 0, 1, 0, terms, value + item * terms * BLOCK, 0)
            WITH_STORE(`
            EACH_BLOCK(x, l, count)
                const index at = from + x * BLOCK + l;
                STORED(result, at, LOADED(image, at) + gelu(LOADED(result, at) + sums[x * BLOCK + l]))
            END_BLOCK')
        }
    END_GROUP
END_KERNEL
