/* load_probe -- waves as they are: a probe for all slots, or a stack.
   SPDX-License-Identifier: BSD-3-Clause

       wave = P[s, y, x]

   Moves 16 bytes per pixel.  */

FIRST_PASS(load_probe, `const cplx wave = PROBE;')
