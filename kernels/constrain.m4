/* constrain -- what is known of an object or a probe beforehand: bound, turn_within, weigh, moduli, smooth.
   SPDX-License-Identifier: BSD-3-Clause

   bound:        |x| becomes at least `least' and, where `most' is above 0, at most that; 0 becomes `least'
   turn_within:  a phase outside of the sector around that of middle_re + i middle_im becomes that of its nearer
                 edge, which is beside the middle by the angle of edge_re + i edge_im; both of modulus 1; an item
                 is a segment of the n elements, so that it has one rounding whatever the chunks are
   weigh:        x <- weight x
   moduli:       m = |x|
   smooth:       |x| <- (1 - 8 alpha) m + alpha (the sum of m at the eight pixels around), its phase stays; at the
                 border the nearest pixel stands for those beyond; m is that of moduli  */

COST(items, 16, 6)
KERNEL(bound, OUT(cplx, x), VAL(real, least), VAL(real, most))
    EACH(i)
        const cplx z = x[i];
        const real modulus = SQRT(z.re * z.re + z.im * z.im), low = larger(modulus, least);
        const real to = most > 0 && low > most ? most : low;
        x[i].re = modulus > 0 ? z.re * (to / modulus) : to;
        x[i].im = modulus > 0 ? z.im * (to / modulus) : 0;
    END_EACH
END_KERNEL

COST(items, 20, 2)
KERNEL(weigh, OUT(cplx, x), IN(real, weight))
    EACH(i)
        x[i].re *= weight[i];
        x[i].im *= weight[i];
    END_EACH
END_KERNEL

COST(n, 16, 12)
KERNEL(turn_within, OUT(cplx, x), VAL(index, n), VAL(real, middle_re), VAL(real, middle_im), VAL(real, edge_re), VAL(real, edge_im))
    GROUP(item, part, 1)
        const index from = item * SEGMENT;
        const int width = n - from < SEGMENT ? (int)(n - from) : SEGMENT;
        LANES(i, 0, width)
            const cplx z = x[from + i];
            const real along = z.re * middle_re + z.im * middle_im, across = z.im * middle_re - z.re * middle_im;
            const real modulus = SQRT(along * along + across * across), side = across < 0 ? -edge_im : edge_im;
            const int inside = along >= modulus * edge_re;
            x[from + i].re = inside ? z.re : modulus * (edge_re * middle_re - side * middle_im);
            x[from + i].im = inside ? z.im : modulus * (edge_re * middle_im + side * middle_re);
        END_LANES
    END_GROUP
END_KERNEL

COST(items, 12, 4)
KERNEL(moduli, OUT(real, m), IN(cplx, x))
    EACH(i)
        m[i] = SQRT(x[i].re * x[i].re + x[i].im * x[i].im);
    END_EACH
END_KERNEL

COST(items, 52, 13)
KERNEL(smooth, OUT(cplx, x), IN(real, m), VAL(index, rows), VAL(index, cols), VAL(real, alpha))
    EACH(i)
        const index y = i / cols, column = i - y * cols;
        const index up = y > 0 ? -cols : 0, down = y < rows - 1 ? cols : 0;
        const index left = column > 0 ? -1 : 0, right = column < cols - 1 ? 1 : 0;
        const real beside = m[i + left] + m[i + right] + m[i + up] + m[i + down];
        const real across = m[i + up + left] + m[i + up + right] + m[i + down + left] + m[i + down + right];
        const real to = (1 - 8 * alpha) * m[i] + alpha * (beside + across);
        x[i].re = m[i] > 0 ? x[i].re * (to / m[i]) : to;
        x[i].im = m[i] > 0 ? x[i].im * (to / m[i]) : 0;
    END_EACH
END_KERNEL
