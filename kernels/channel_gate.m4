/* channel_gate -- channel attention from the rows of statistics of a convolution.  SPDX-License-Identifier: BSD-3-Clause

       gate[n, c] = sigmoid( M(mean) + M(largest) ),  M(v) = W2 relu(W1 v + b1) + b2
   (S. Woo et al., CBAM, ECCV 2018, arXiv:1807.06521.)  An item is a sample.  w1 lies as [hidden][channel], w2 as
   [channel][hidden]; weights of channels beyond the last are 0.  */

COST(items * channels, 16 * rows, 4 * rows + 8 * hidden)
KERNEL(channel_gate, OUT(real, gate), IN(real, sums), IN(real, w1), IN(real, b1), IN(real, w2), IN(real, b2),
           VAL(int, channels), VAL(int, rows), VAL(int, hidden))
    SHARED(real, pooled, 2 * 1024)
    SHARED(real, between, 2 * 64)
    GROUP(item, part, 1)
        LANES(c, 0, channels)
            const index from = item * rows * (index)(STATISTICS * channels) + c;
            real sum = 0, number = 0, most = sums[from + 3 * channels];
            for (index r = 0; r < rows; r++) {
                number += sums[from + r * (STATISTICS * channels)];
                sum += sums[from + r * (STATISTICS * channels) + channels];
                most = larger(most, sums[from + r * (STATISTICS * channels) + 3 * channels]);
            }
            pooled[c] = sum / number;
            pooled[1024 + c] = most;
        END_LANES
        LANES(h, 0, 2 * hidden)
            const int k = h % hidden, at = h / hidden * 1024;
            real sum = b1[k];
            for (int c = 0; c < channels; c++)
                sum += w1[(index)k * channels + c] * pooled[at + c];
            between[h / hidden * 64 + k] = larger(sum, 0);
        END_LANES
        LANES(c, 0, channels)
            real sum = 2 * b2[c];
            for (int k = 0; k < hidden; k++)
                sum += w2[(index)c * hidden + k] * (between[k] + between[64 + k]);
            gate[item * channels + c] = sigmoid(sum);
        END_LANES
    END_GROUP
END_KERNEL
