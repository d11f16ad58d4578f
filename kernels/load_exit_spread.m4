/* load_exit_spread -- the exit wave, and how uncertain it is.  SPDX-License-Identifier: BSD-3-Clause

       wave = p T / G,   spread[s, strip] = sum max(A / G, floor),   A = max(|p|^2, least)

   over a tile's columns; T / G is the object, of precision G, and T takes its place among the arguments.  The mean of
   the summands over a frame is the variance of the exit wave's transform.  (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/core.py.)  */

COST(items * PIXELS, 20, 12)
FIRST_PASS(load_exit_spread, `const lanes g = ROW_REALS(precision, OBJECT_AT), each = QUOTIENT(1, LARGER(g, TINY));
        const waves p = PROBE, t = product(p, OBJECT), wave = {each * t.re, each * t.im};
        const lanes variance = LARGER(each * LARGER(p.re * p.re + p.im * p.im, least), floor);
        SUM_OF(spreads) += BELOW(NO_LANES, g, variance, 0);',
    `IN(real, precision), VAL(real, least), VAL(real, floor), OUT(real, spread)', `LANES_SUM(spreads)',
    `END_LANES_SUM(spreads)
        ONE_LANE
            spread[s * STRIPS_X + strip] = spreads;
        END_ONE')
