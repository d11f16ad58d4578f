/* spatial_gate -- spatial attention.  SPDX-License-Identifier: BSD-3-Clause

       gate[n, y, x] = sigmoid( sum_{c, a, b} w[c, a, b] plane[n, c, y + a - 3, x + b - 3] ),  0 outside, c < 2
   (S. Woo et al., CBAM, ECCV 2018, arXiv:1807.06521.)  An item is a row of a sample.  */

COST(items * width, 12, 196)
KERNEL(spatial_gate, OUT(real, gate), IN(real, plane), IN(real, weights), VAL(int, height), VAL(int, width))
    SHARED(real, window, 14 * 70 + 64)
    GROUP(item, part, 1)
        const index n = item / height;
        const int y = (int)(item % height);
        for (int first = 0; first < width; first += 64) {
            const int count = width - first < 64 ? width - first : 64;
            LANES(i, 0, 14 * 70)
                const int row = i / 70, v = y + row % 7 - 3, u = first + i % 70 - 3;
                const int inside = v >= 0 && v < height && u >= 0 && u < width;
                window[i] = inside ? plane[((2 * n + row / 7) * height + v) * width + u] : 0;
            END_LANES
            LANES(x, 0, count)
                real sum = 0;
                for (int row = 0; row < 14; row++) {
                    FOR(`B', 0, 6, `sum += weights[row * 7 + B] * window[row * 70 + x + B];')
                }
                window[14 * 70 + x] = sum;
            END_LANES
            LANES(x, 0, count)
                gate[item * width + first + x] = sigmoid(window[14 * 70 + x]);
            END_LANES
        }
    END_GROUP
END_KERNEL
