/* spectral_sum -- a truncated Fourier sum along one axis.  SPDX-License-Identifier: BSD-3-Clause

       result[item, p] = sum_j table[p, j] value[item, j]

   of 16 channels at once, real and imaginary parts being places of p and j of their own.  Item = (outer, inner):
   value begins at outer outer_from + inner inner_from, result at outer outer_to + inner inner_to, its place p
   (p / 2) step_to + (p % 2) BLOCK further.  Which sums make a spectral convolution stands in src/nets/spectral.c.
   `stored': the values are activations (gen/nets.m4).  */

COST(items, 4 * BLOCK * (places + terms), 2.0 * BLOCK * places * terms)
KERNEL(spectral_sum, OUT(real, result), IN(real, table), IN(real, value), VAL(int, places), VAL(int, terms),
           VAL(int, inners), VAL(index, outer_from), VAL(index, inner_from), VAL(index, outer_to), VAL(index, inner_to),
           VAL(index, step_to), VAL(int, stored))
    SHARED(real, sums, (64 + (SHAPE(store) ? 128 : 0)) * BLOCK)
    GROUP(item, part, 1)
        const index from = item / inners * outer_from + item % inners * inner_from;
        const index to = item / inners * outer_to + item % inners * inner_to;
        for (int first = 0; first < places; first += 64) {
            const int count = places - first < 64 ? places - first : 64;
            if (!SHAPE(store) || !stored) {
                PRODUCTS(sums, count, BLOCK, table + (index)first * terms, terms, 1, 0, 1, 0, 1, 0, terms, value + from, 0)
            }
            for (int some = 0; SHAPE(store) && stored && some < terms; some += 128) {
                const int number = terms - some < 128 ? terms - some : 128;
                WITH_STORE(`
                EACH_BLOCK(j, l, number)
                    sums[(64 + j) * BLOCK + l] = LOADED(value, from + (index)(some + j) * BLOCK + l);
                END_BLOCK')
                PRODUCTS(sums, count, BLOCK, table + (index)first * terms + some, terms, 1, 0, 1, 0, 1, 0, number, sums + 64 * BLOCK, some > 0)
            }
            EACH_BLOCK(p, l, count)
                result[to + (first + p) / 2 * step_to + p % 2 * BLOCK + l] = sums[p * BLOCK + l];
            END_BLOCK
        }
    END_GROUP
END_KERNEL
