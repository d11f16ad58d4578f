/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi_frames.c -- the frames of a CXI file: counts, mask, dark and flat field. */
#include <math.h>

#include "cxi.h"

static void
read_counts(ag_file *file, ag_draft *draft)
{
    const char *field = CXI_DATA;
    draft->values = AG_VALUES_COUNTS;
    if (ag_file_named(file, CXI_AMPLITUDE)) {
        field = CXI_AMPLITUDE;
        draft->values = AG_VALUES_AMPLITUDES;
    } else if (ag_file_has(file, CXI_LINKED_DATA)) {
        field = CXI_LINKED_DATA;
    } else if (!ag_file_named(file, CXI_DATA) && ag_file_named(file, "entry_1/object/data")) {
        ag_file_refuse(file, CXI_DATA, "is missing: the file holds a result, expected a scan");
    }
    ag_draft_part(file, draft, field);
}

/* An image of the detector whose good pixels are finite. */
static double *
read_image(ag_file *file, const ag_draft *draft, const char *field)
{
    const ag_scan_info *info = &draft->scan->info;
    const int64_t shape[2] = {info->rows, info->cols};
    if (!ag_file_named(file, field))
        return NULL;
    double *image = ag_file_read(file, field, AG_KIND_DOUBLE, 2, shape);
    for (int64_t i = 0; image && i < info->rows * info->cols; i++)
        if (!isfinite(image[i]) && (!info->valid || info->valid[i]))
            ag_file_refuse(file, field,
                           "has %g at row %lld, column %lld, expected a finite "
                           "number (mask pixels that are bad)",
                           image[i], (long long)(i / info->cols), (long long)(i % info->cols));
    return image;
}

void
cxi_read_frames(ag_file *file, ag_draft *draft)
{
    if (!draft->parts)
        read_counts(file, draft);
    if (!file->status)
        ag_draft_mask(file, draft, CXI_MASK, CXI_MASK_SIGNAL);
    if (file->status || draft->values == AG_VALUES_AMPLITUDES)
        return;
    draft->dark = read_image(file, draft, ag_file_named(file, CXI_DARK) ? CXI_DARK : CXI_DARK_PYNX);
    draft->white = read_image(file, draft, CXI_WHITE);
}
