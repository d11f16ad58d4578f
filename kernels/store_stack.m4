/* store_stack -- keep the waves.  SPDX-License-Identifier: BSD-3-Clause

       result[s] = wave  */

COST(items * PIXELS, 8, 0)
LAST_PASS(store_stack, `const index to = NATURAL_AT(s, y, x);
            FETCH(result, to + TILE)
            PUT_WAVES(result, to, wave);')
