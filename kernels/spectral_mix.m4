/* spectral_mix -- the channels of each mode of a spectral convolution.  SPDX-License-Identifier: BSD-3-Clause

       Y[n, o, m] = sum_i X[n, i, m] w[m, o, i]       complex, nothing conjugated

   X lies as [mode][sample][block][part][16], Y as [sample][block][column mode][row mode][part][16], the weights as
   [mode][block of outputs][input][part][16]; mode = row mode * cols + column mode.  An item is 16 outputs of a
   mode.  */

COST(items * inputs * samples, 8, 8 * BLOCK)
COST(items * (inputs + samples), 8 * BLOCK, 0)
KERNEL(spectral_mix, OUT(real, result), IN(real, value), IN(real, weights), VAL(index, samples), VAL(int, inputs),
           VAL(int, output_blocks), VAL(int, rows), VAL(int, cols))
    SHARED(real, sums, 2 * BLOCK * PANEL)
    GROUP(item, part, 1)
        const index mode = item / output_blocks, o = item % output_blocks;
        const int blocks = (inputs + BLOCK - 1) / BLOCK, whole = inputs / BLOCK, rest = inputs % BLOCK;
        const index step = blocks * (index)PANEL;
        for (index n0 = 0; n0 < samples; n0 += BLOCK) {
            const int count = samples - n0 < BLOCK ? (int)(samples - n0) : BLOCK;
            const index from = (mode * samples + n0) * step, panel = item * inputs * PANEL;
            for (int q = 0; q < 2; q++) {
                if (whole)
                    PRODUCTS(sums + q * BLOCK * PANEL, count, PANEL, value + from + q * BLOCK, step, whole, PANEL, 1, 0, 1, 0, BLOCK,
                             weights + panel, 0)
                if (rest)
                    PRODUCTS(sums + q * BLOCK * PANEL, count, PANEL, value + from + q * BLOCK + whole * PANEL, step, 1, 0, 1, 0, 1, 0,
                             rest, weights + panel + (index)whole * BLOCK * PANEL, whole > 0)
            }
            EACH_BLOCK(n, l, count)
                const index at = ((((n0 + n) * output_blocks + o) * cols + mode % cols) * rows + mode / cols) * PANEL + l;
                result[at] = sums[n * PANEL + l] - sums[(BLOCK + n) * PANEL + BLOCK + l];
                result[at + BLOCK] = sums[n * PANEL + BLOCK + l] + sums[(BLOCK + n) * PANEL + l];
            END_BLOCK
        }
    END_GROUP
END_KERNEL
