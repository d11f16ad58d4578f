/* SPDX-License-Identifier: BSD-3-Clause */
/* scan.h -- what readers of scan files share with ag_scan_create. */
#ifndef AG_SCAN_H
#define AG_SCAN_H

#include "core.h"

/* Object pixels left free around the windows when the object's size is derived. */
#define AG_SCAN_MARGIN 2

/* Checks a scan whose arrays already belong to it, all but its data, and places the windows in the
   object.  A failure is worded "FIELD: words", FIELD being a member of ag_scan_info.  */
ag_status ag_scan_finish(ag_scan *scan, ag_message *message);
/* Sets masked pixels of the data to 0 and checks the others, worded likewise. */
ag_status ag_scan_check_data(ag_scan *scan, ag_message *message);
/* The same of some frames; *empty becomes the number of those without counts, *first_empty the
   first of them.  */
ag_status ag_scan_check_frames(const ag_scan_info *info, int64_t first, int64_t count, ag_real *data,
                               int64_t *empty, int64_t *first_empty, ag_message *message);

/* ---- what can be true of a scan (scan_check.c); each fails or warns, with figures ------------ */

/* Lengths and what they make of each other; in the near field the object's pixel is filled in. */
ag_status ag_scan_check_geometry(ag_scan *scan, ag_message *message);
/* Steps against the window and the probe, once positions are placed. */
ag_status ag_scan_check_overlap(ag_scan *scan, ag_message *message);
/* " (in um they would ...)" for positions that are too far apart; "" where no unit fits. */
void ag_scan_units(const ag_scan_info *info, char *words, size_t size);
/* 1 for a photon energy that cannot be in joules, and what it may be in. */
int ag_scan_energy(double joules, char *words, size_t size);

#endif
