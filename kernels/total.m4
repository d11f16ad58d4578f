/* total -- the sum of n values, put at place `at'.  SPDX-License-Identifier: BSD-3-Clause

   One item.  */

COST(n, 4, 1)
KERNEL(total, OUT(real, result), VAL(index, at), IN(real, value), VAL(index, n))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(sum, i, 0, n)
            sum += value[i];
        END_SUM(sum)
        ONE_LANE
            result[at + item] = sum;
        END_ONE
    END_GROUP
END_KERNEL
