/* copy -- how fast memory is.  SPDX-License-Identifier: BSD-3-Clause

       to[i] = from[i]

   For measuring a device, see bench/kernels.c.  */

COST(items, 8, 0)
KERNEL(copy, OUT(real, to), IN(real, from))
    EACH(i)
        to[i] = from[i];
    END_EACH
END_KERNEL
