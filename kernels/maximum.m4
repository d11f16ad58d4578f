/* maximum -- the largest of n values that are not negative.  SPDX-License-Identifier: BSD-3-Clause

   One item.  */

COST(n, 4, 1)
KERNEL(maximum, OUT(real, top), IN(real, value), VAL(index, n))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_MAX(largest, i, 0, n)
            largest = larger(largest, value[i]);
        END_MAX(largest)
        ONE_LANE
            top[item] = largest;
        END_ONE
    END_GROUP
END_KERNEL
