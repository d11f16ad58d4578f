/* norm_scale -- what an instance norm does to each channel, from the rows of statistics of a convolution.
   SPDX-License-Identifier: BSD-3-Clause

       scale[n, c] = gain[c] / sqrt(variance + epsilon),  offset[n, c] = shift[c] - scale[n, c] mean

   The variance is that of the rows about their means plus that of the means (T. F. Chan et al., Am. Stat. 37, 242
   (1983)).  An item is a channel of a sample; a row of statistics is described in gen/nets.m4.  */

COST(items * rows, 24, 8)
KERNEL(norm_scale, OUT(real, scale), OUT(real, offset), IN(real, sums), IN(real, gain), IN(real, shift),
           VAL(int, channels), VAL(int, rows), VAL(real, epsilon))
    EACH(i)
        const index c = i % channels, from = i / channels * rows * (index)(STATISTICS * channels) + c;
        real sum = 0, number = 0, square = 0;
        for (index r = 0; r < rows; r++) {
            number += sums[from + r * (STATISTICS * channels)];
            sum += sums[from + r * (STATISTICS * channels) + channels];
        }
        const real mean = sum / number;
        for (index r = 0; r < rows; r++) {
            const real pixels = sums[from + r * (STATISTICS * channels)];
            const real apart = sums[from + r * (STATISTICS * channels) + channels] / pixels - mean;
            square += sums[from + r * (STATISTICS * channels) + 2 * channels] + pixels * apart * apart;
        }
        const real factor = gain[c] / SQRT(square / number + epsilon);
        scale[i] = factor;
        offset[i] = shift[c] - factor * mean;
    END_EACH
END_KERNEL
