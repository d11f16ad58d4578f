/* SPDX-License-Identifier: BSD-3-Clause */
/* scan.h -- what readers of scan files share with ag_scan_create. */
#ifndef AG_SCAN_H
#define AG_SCAN_H

#include "core.h"

/* Object pixels left free around the windows when the object's size is derived. */
#define AG_SCAN_MARGIN 2

/* Checks a scan whose arrays already belong to it, sets masked pixels to 0 and places the
   windows in the object.  A failure is worded "FIELD: words", FIELD being a member of
   ag_scan_info.  */
ag_status ag_scan_finish(ag_scan *scan, ag_message *message);

#endif
