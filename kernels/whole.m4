/* whole -- load, transform, what the detector says, transform back, store: a frame in one kernel.
   SPDX-License-Identifier: BSD-3-Clause

   The same texts as those of the passes that each is made of, with the wave in local memory or in registers between
   them; where there are several modes the spectra of a frame's waves wait in the scratch, which counts four times. */

m4_define(`WHOLE_COST', `COST(items * PIXELS * MODES, $1 + (MODES > 1 ? 40 : 0), $2 + 20 * LINEAR + 10 * log2(PIXELS))
COST(items * PIXELS, AMPLITUDE_BYTES, 0)')

WHOLE_COST(24, 18)
WHOLE_PASS(whole_ap, load_exit, modulus, store_stack)
WHOLE_COST(40, 31)
WHOLE_PASS(whole_dm, load_exit, modulus_dm, store_stack)
WHOLE_COST(40, 33)
WHOLE_PASS(whole_raar, load_exit, modulus_raar, store_stack)
WHOLE_COST(40, 26 + 20 * LINEAR)
WHOLE_PASS(whole_difference, load_exit, modulus, store_difference)
