/* load_probe -- waves as they are: a probe for all slots, or a stack.
   SPDX-License-Identifier: BSD-3-Clause

       wave = P[s, y, x]  */

COST(items * PIXELS, 8, 0)
FIRST_PASS(load_probe, `const waves wave = PROBE;')
