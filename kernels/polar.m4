/* polar -- modulus and phase of a net's answer, in place of its real and imaginary part.
   SPDX-License-Identifier: BSD-3-Clause

       first, second = |first + i second|, arg(first + i second)

   With a <= b the two parts without signs, atan(a / b) is that of a small argument, or pi / 4 plus one,
   atan((a - b) / (a + b)).  The modulus is b sqrt(1 + (a / b)^2), so that no square overflows.  */

m4_define(`PI', `REAL(3.14159265358979323846)')
COST(items, 16, 30)
KERNEL(polar, OUT(real, first), OUT(real, second))
    EACH(i)
        const real re = first[i], im = second[i], x = re < 0 ? -re : re, y = im < 0 ? -im : im;
        const real b = y > x ? y : x, a = y > x ? x : y, ratio = a / (b > 0 ? b : 1);
        const int high = ratio > REAL(0.41421356237309504880);
        const real up = high ? a - b : a, down = high ? a + b : b;
        const real angle = SMALL_ATAN(up / (down > 0 ? down : 1)) + (high ? PI / 4 : 0);
        const real steep = y > x ? PI / 2 - angle : angle, turned = re < 0 ? PI - steep : steep;
        first[i] = b * SQRT(1 + ratio * ratio);
        second[i] = im < 0 ? -turned : turned;
    END_EACH
END_KERNEL
