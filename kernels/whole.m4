/* whole -- load, transform, what the detector says, transform back, store: a frame in one kernel.
   SPDX-License-Identifier: BSD-3-Clause

   The same texts as those of the passes that each is made of, with the wave in local memory between them. */

COST(items * PIXELS, 24 + AMPLITUDE_BYTES, 18 + 20 * LINEAR + 10 * log2(PIXELS))
WHOLE_PASS(whole_ap, load_exit, modulus, store_stack)
COST(items * PIXELS, 40 + AMPLITUDE_BYTES, 31 + 20 * LINEAR + 10 * log2(PIXELS))
WHOLE_PASS(whole_dm, load_exit, modulus_dm, store_stack)
COST(items * PIXELS, 40 + AMPLITUDE_BYTES, 33 + 20 * LINEAR + 10 * log2(PIXELS))
WHOLE_PASS(whole_raar, load_exit, modulus_raar, store_stack)
