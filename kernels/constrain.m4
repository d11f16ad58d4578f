/* constrain -- what is known of an object or a probe beforehand: bound, weigh.  SPDX-License-Identifier: BSD-3-Clause

   bound:   |x| becomes at least `least' and, where `most' is above 0, at most that; 0 becomes `least'
   weigh:   x <- weight x  */

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
