/* store_difference -- how far the data moved the exit wave.  SPDX-License-Identifier: BSD-3-Clause

       result[s] = wave - P O  */

COST(items * PIXELS, 24, 8 + 20 * LINEAR)
LAST_PASS(store_difference, `const cplx exit_wave = product(PROBE, OBJECT);
            result[(s * ROWS + y) * COLS + x].re = wave.re - exit_wave.re;
            result[(s * ROWS + y) * COLS + x].im = wave.im - exit_wave.im;')
