/* average -- a value between old and new.  SPDX-License-Identifier: BSD-3-Clause

       x <- (x + value) / 2  */

COST(items, 12, 2)
KERNEL(average, OUT(real, x), IN(real, value))
    EACH(i)
        x[i] = (x[i] + value[i]) / 2;
    END_EACH
END_KERNEL
