/* multiply_add -- how fast arithmetic is.  SPDX-License-Identifier: BSD-3-Clause

       result[i] = sum of a_k, k = 0 ... 7, where a_k = value[i] + k at first, then 64 times a_k <- a_k x + y

   For measuring a device, see bench/kernels.c: eight chains hide the time that one operation takes.  */

COST(items, 8, 8 * 64 * 2 + 15)
KERNEL(multiply_add, OUT(real, result), IN(real, value), VAL(real, x), VAL(real, y))
    EACH(i)
        real a0 = value[i], a1 = a0 + 1, a2 = a0 + 2, a3 = a0 + 3, a4 = a0 + 4, a5 = a0 + 5, a6 = a0 + 6, a7 = a0 + 7;
FOR(`STEP', 1, 64, `        a0 = a0 * x + y; a1 = a1 * x + y; a2 = a2 * x + y; a3 = a3 * x + y;
        a4 = a4 * x + y; a5 = a5 * x + y; a6 = a6 * x + y; a7 = a7 * x + y;
')m4_dnl
        result[i] = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
    END_EACH
END_KERNEL
