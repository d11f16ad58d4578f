/* load_exit -- the exit wave: probe times object window.  SPDX-License-Identifier: BSD-3-Clause

       wave = P[y, x] O[corner + (y, x)]

   Moves 24 bytes and does 6 flops per pixel (36 more for a bilinear window).  */

FIRST_PASS(load_exit, `const cplx wave = product(PROBE, OBJECT);')
