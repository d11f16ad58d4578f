/* conv -- small convolution with a stride, or one phase of a transposed one.  SPDX-License-Identifier: BSD-3-Clause

       value = after( bias[o] + sum_{i, a, b} w[o, i, a, b] f[n, i, y stride - up + a, x stride - left + b] ),
       f = before( scale[n, i] image[n, i] + offset[n, i] ), 0 outside of the image,
       result[n, o, y spread + top, x spread + side] = value,  plus base there with `add'

   for y < rows, x < cols.  `before' -1 takes the image as it is.  A transposed convolution of stride 2 is four
   phases: those taps that reach the rows and columns of one parity, spread 2.  With `keep' a row of
   statistics (gen/nets.m4) for each item, phase after phase: `keep' - 1 rows come before in each sample, of
   `sums_rows'.

   An item is 32 pixels of a row in a panel of output channels, the panel slowest in a sample.  */

m4_define(`WINDOW_REALS', `(7 * (31 + 7) * BLOCK)')
COST(items / ((output_blocks + 1) / 2 * (index)rows * ((cols + 31) / 32)) * rows * (double)cols,
     4 * (BLOCK * output_blocks * (1 + add) + inputs * (taps >> 16) * (taps >> 16)),
     2.0 * BLOCK * output_blocks * inputs * (taps & 255) * (taps >> 8 & 255))
KERNEL(conv, OUT(real, result), OUT(real, sums), IN(real, image), IN(real, scale), IN(real, offset), IN(real, weights),
           IN(real, bias), IN(real, base), VAL(int, height), VAL(int, width), VAL(int, image_blocks), VAL(int, inputs),
           VAL(int, output_blocks), VAL(int, rows), VAL(int, cols), VAL(int, taps), VAL(int, place), VAL(int, spread),
           VAL(int, before), VAL(int, after), VAL(int, add), VAL(int, keep), VAL(int, sums_rows))
    SHARED(real, window, WINDOW_REALS)
    SHARED(real, values, BLOCK * PANEL * 2)
    GROUP(item, part, 1)
        /* Bytes of `taps': down, across, stride; of `place': up, left, top, side. */
        const int down = taps & 255, across = taps >> 8 & 255, stride = taps >> 16;
        const int up = place & 255, left = place >> 8 & 255, top = place >> 16 & 255, side = place >> 24 & 255;
        const int runs = (cols + 31) / 32, panels = (output_blocks + 1) / 2;
        const index n = item / (panels * (index)rows * runs);
        const int panel = (int)(item / ((index)rows * runs) % panels), y = (int)(item / runs % rows), x0 = (int)(item % runs) * 32;
        const int pixels = cols - x0 < 32 ? cols - x0 : 32, wide = PANEL_WIDTH(panel);
        const int chunks = (inputs + BLOCK - 1) / BLOCK, inner = SHAPE(mma) || inputs >= BLOCK ? BLOCK : inputs;
        const int columns = (pixels - 1) * stride + across;
        const index steps = (index)chunks * down * across * inner;
        TILE_SUMS(1)
        for (int c = 0; c < chunks; c++) {
            const index from = (n * image_blocks + c) * height * (index)width * BLOCK, shifts = (n * image_blocks + c) * BLOCK;
            WITH_STORE(`WITH_ACTIVATION(before, `
            EACH_BLOCK(p, l, down * columns, `
                const int v = y * stride - up + p / columns, u = x0 * stride - left + p % columns;
                const int inside = v >= 0 && v < height && u >= 0 && u < width;
                const index at = from + (inside ? ((index)v * width + u) * BLOCK : 0);')
                const real f = LOADED(image, at + l);
                const real g = before < 0 ? f : ROUNDED(ACTIVATION(f * scale[shifts + l] + offset[shifts + l]));
                WINDOW_PUT(window, p, l, inside ? g : 0)
            END_BLOCK')')
            TILE_MMA(1, k, 1, pixels, wide, window, stride, down, columns, across, 1, inner, weights,
                     panel * steps * PANEL + c * (index)(down * across * inner) * wide, c > 0)
        }
        TILE_KEEP(1, 0, values, pixels, wide)
        for (int j = 0; j < wide / BLOCK; j++) {
            const index to = (((n * output_blocks + 2 * panel + j) * rows * spread + (y * spread + top)) * cols * spread + side) * BLOCK;
            WITH_STORE(`WITH_ACTIVATION(after, `
            EACH_BLOCK(p, l, pixels)
                const real value = ACTIVATION(values[p * wide + j * BLOCK + l] + bias[panel * PANEL + j * BLOCK + l]);
                const index at = to + (index)(x0 + p) * spread * BLOCK + l;
                STORED(result, at, add ? LOADED(base, at) + value : value)
                values[p * wide + j * BLOCK + l] = value;
            END_BLOCK')')
        }
        if (keep) {
            const index row = n * sums_rows + keep - 1 + (index)y * runs + x0 / 32;
            KEEP_STATISTICS(sums + row * (STATISTICS * BLOCK * (index)output_blocks) + panel * PANEL, values, wide, wide, pixels,
                            BLOCK * (index)output_blocks)
        }
    END_GROUP
END_KERNEL
