/* load_exit -- the exit wave: probe times object window.  SPDX-License-Identifier: BSD-3-Clause

       wave = P[y, x] O[corner + (y, x)]  */

COST(items * PIXELS, 16, 6 + 20 * LINEAR)
FIRST_PASS(load_exit, `FETCH(object, OBJECT_AT + TILE)
            const waves wave = product(PROBE, OBJECT);')
