/* spatial_gate -- spatial attention.  SPDX-License-Identifier: BSD-3-Clause

       gate[n, y, x] = sigmoid( sum_{c, a, b} w[c, a, b] plane[n, c, y + a - 3, x + b - 3] ),  0 outside, c < 2
   (S. Woo et al., CBAM, ECCV 2018, arXiv:1807.06521.)  An item is a row of a sample.  */

COST(items * width, 12, 196)
KERNEL(spatial_gate, OUT(real, gate), IN(real, plane), IN(real, weights), VAL(int, height), VAL(int, width))
    GROUP(item, part, 1)
        const index n = item / height;
        const int y = (int)(item % height);
        LANES(x, 0, width)
            real sum = 0;
            for (int c = 0; c < 2; c++)
                for (int a = 0; a < 7; a++)
                    for (int b = 0; b < 7; b++) {
                        const int v = y + a - 3, u = x + b - 3;
                        if (v >= 0 && v < height && u >= 0 && u < width)
                            sum += weights[(c * 7 + a) * 7 + b] * plane[((2 * n + c) * height + v) * width + u];
                    }
            gate[item * width + x] = sigmoid(sum);
        END_LANES
    END_GROUP
END_KERNEL
