/* rescale -- give an array another norm.  SPDX-License-Identifier: BSD-3-Clause

       x <- x sqrt(wanted / found[0]),   unchanged where that is not a number above 0  */

COST(items, 16, 2)
KERNEL(rescale, OUT(cplx, x), VAL(real, wanted), IN(real, found))
    EACH(i)
        const real factor = wanted > 0 && found[0] > 0 ? SQRT(wanted / found[0]) : 1;
        x[i].re *= factor;
        x[i].im *= factor;
    END_EACH
END_KERNEL
