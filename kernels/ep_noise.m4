/* ep_noise -- the variance of the noise that the data show.  SPDX-License-Identifier: BSD-3-Clause

       variance = larger(sum_i noise[i] / pixels, least)

   of the n sums that ep_weigh left; one item.  */

COST(n, 4, 1)
KERNEL(ep_noise, OUT(real, variance), IN(real, noise), VAL(index, n), VAL(real, pixels), VAL(real, least))
    REDUCE_BUFFER
    GROUP(item, part, 1)
        REDUCE_SUM(sum, i, 0, n)
            sum += noise[i];
        END_SUM(sum)
        ONE_LANE
            variance[item] = larger(sum / pixels, least);
        END_ONE
    END_GROUP
END_KERNEL
