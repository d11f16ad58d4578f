/* load_exit_tops -- the exit wave, and what the PIE family's steps divide by.  SPDX-License-Identifier: BSD-3-Clause

       wave = p o,   probe_top[s, strip] = max |p|^2,   object_top[s, strip] = max |o|^2

   with o the object window; the maxima are those of a tile's columns.  */

COST(items * PIXELS, 16, 14 + 20 * LINEAR)
FIRST_PASS(load_exit_tops, `const waves p = PROBE, o = OBJECT, wave = product(p, o);
        TOP_OF(top_probe) = LARGER(TOP_OF(top_probe), p.re * p.re + p.im * p.im);
        TOP_OF(top_object) = LARGER(TOP_OF(top_object), o.re * o.re + o.im * o.im);',
    `OUT(real, probe_top), OUT(real, object_top)', `LANES_TOP(top_probe) LANES_TOP(top_object)',
    `END_LANES_TOP(top_probe)
        END_LANES_TOP(top_object)
        ONE_LANE
            probe_top[s * STRIPS_X + strip] = top_probe;
            object_top[s * STRIPS_X + strip] = top_object;
        END_ONE')
