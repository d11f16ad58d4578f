/* SPDX-License-Identifier: BSD-3-Clause */
/* near.c -- free space in the near field: the angular spectrum, and Fresnel scaling.

   See ag_geometry in argand.h.  The constant phase 2 pi z / wavelength is left out, and the
   difference of the roots is written so that it loses no digits.  */
#include <math.h>

#include "core.h"

#define PI 3.14159265358979323846

double
ag_scan_magnification(const ag_scan_info *info)
{
    return info->geometry == AG_NEAR_FIELD && info->focus_distance > 0
               ? (info->focus_distance + info->distance) / info->focus_distance
               : 1;
}

double
ag_scan_effective_distance(const ag_scan_info *info)
{
    return info->distance / ag_scan_magnification(info);
}

double
ag_scan_pixel(const ag_scan_info *info, int axis)
{
    const double count = (double)(axis ? info->cols : info->rows),
                 pixel = info->detector_pixel[axis];
    return info->geometry == AG_NEAR_FIELD ? pixel / ag_scan_magnification(info)
                                           : info->wavelength * info->distance / (count * pixel);
}

double
ag_near_phase(const ag_scan_info *info, double row_frequency, double col_frequency)
{
    const double q = hypot(row_frequency / info->pixel[0], col_frequency / info->pixel[1]);
    const double k = 1 / info->wavelength;
    return -2 * PI * ag_scan_effective_distance(info) * q * q / (k + sqrt(k * k - q * q));
}
