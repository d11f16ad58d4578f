/* place_patches -- an image from patches at sub-pixel places.  SPDX-License-Identifier: BSD-3-Clause

       number[pixel] (+)= sum_j b_j w z_j,   density[pixel] (+)= sum_j b_j w

   where patch j, `side' x `side' of complex z_j with the weight w of its pixel, has its corner at corner[j] +
   fraction[j], and b_j is the bilinear factor of the tap.  Each pixel of the canvas gathers, patches and taps in
   ascending order; `fresh' begins at 0.  An item is a segment of a row of the canvas.  */

COST(patches * side * (double)side, 48, 40)
KERNEL(place_patches, OUT(cplx, number), OUT(real, density), IN(cplx, patch), IN(real, weight), IN(int, corner),
           IN(real, fraction), VAL(index, patches), VAL(int, side), VAL(index, canvas_cols), VAL(int, fresh))
    SHARED(real, sums, 3 * SEGMENT)
    GROUP(item, part, 1)
        const index segments = (canvas_cols + SEGMENT - 1) / SEGMENT, row = item / segments, left = item % segments * SEGMENT;
        const int wide = canvas_cols - left < SEGMENT ? (int)(canvas_cols - left) : SEGMENT;
        const index place = row * canvas_cols + left;
        OWN(i, 0, wide)
            sums[i] = fresh ? 0 : number[place + i].re;
            sums[SEGMENT + i] = fresh ? 0 : number[place + i].im;
            sums[2 * SEGMENT + i] = fresh ? 0 : density[place + i];
        END_OWN
        for (index j = 0; j < patches; j++)
            for (int tap = 0; tap < 4; tap++) {
                const int ty = tap / 2, tx = tap % 2;
                const index y = row - corner[2 * j] - ty, x0 = left - corner[2 * j + 1] - tx;
                const int from = x0 < 0 ? (int)(-x0 < wide ? -x0 : wide) : 0, to = side - x0 < wide ? (int)(side - x0) : wide;
                const real fy = fraction[2 * j], fx = fraction[2 * j + 1], factor = (ty ? fy : 1 - fy) * (tx ? fx : 1 - fx);
                if (y >= 0 && y < side) {
                OWN(i, from, to)
                    const index at = y * side + x0 + i;
                    const cplx z = patch[j * side * side + at];
                    const real w = factor * weight[at];
                    sums[i] += w * z.re;
                    sums[SEGMENT + i] += w * z.im;
                    sums[2 * SEGMENT + i] += w;
                END_OWN
                }
            }
        OWN(i, 0, wide)
            number[place + i].re = sums[i];
            number[place + i].im = sums[SEGMENT + i];
            density[place + i] = sums[2 * SEGMENT + i];
        END_OWN
    END_GROUP
END_KERNEL
