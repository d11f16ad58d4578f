/* divide -- the least-squares object or probe.  SPDX-License-Identifier: BSD-3-Clause

       x <- (number + c x) / (density + c + guard),    c = inertia top[0]  */

COST(items, 28, 9)
KERNEL(divide, OUT(cplx, x), IN(cplx, number), IN(real, density), IN(real, top), VAL(real, inertia), VAL(real, guard))
    EACH(i)
        const real c = inertia * top[0];
        const real scale = 1 / (density[i] + c + guard);
        x[i].re = (number[i].re + c * x[i].re) * scale;
        x[i].im = (number[i].im + c * x[i].im) * scale;
    END_EACH
END_KERNEL
