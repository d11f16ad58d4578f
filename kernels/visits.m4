/* visits -- PIE's positions one after another, the probe refined, in one launch.  SPDX-License-Identifier: BSD-3-Clause

   The same texts as those of load_exit_tops, modulus and update, which it does for each item in turn: all groups do each
   of the three, and wait for one another behind it.  */

COST(items * PIXELS, 40 + AMPLITUDE_BYTES + 8 * refine, 40 + 20 * LINEAR + 12 * MODES + 18 * refine)
VISITS(visits, load_exit_tops, modulus, update)
