/* store_difference -- how far the data moved the exit wave.  SPDX-License-Identifier: BSD-3-Clause

       result[s] = wave - P O  */

COST(items * PIXELS, 24, 8 + 20 * LINEAR)
LAST_PASS(store_difference, `const waves exit_wave = product(PROBE, OBJECT);
            const waves difference = {wave.re - exit_wave.re, wave.im - exit_wave.im};
            PUT_WAVES(result, NATURAL_AT(s, y, x), difference);')
