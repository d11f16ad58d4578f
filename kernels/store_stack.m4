/* store_stack -- keep the waves.  SPDX-License-Identifier: BSD-3-Clause

       result[s] = wave  */

COST(items * PIXELS, 8, 0)
LAST_PASS(store_stack, `PUT_WAVES(result, NATURAL_AT(s, y, x), wave);')
