/* store_stack -- keep the waves.  SPDX-License-Identifier: BSD-3-Clause

       result[s] = wave

   Moves 16 bytes per pixel.  */

LAST_PASS(store_stack, `result[(s * ROWS + y) * COLS + x] = wave;')
