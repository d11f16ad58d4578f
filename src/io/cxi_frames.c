/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi_frames.c -- the frames of a CXI file: counts, mask, dark and flat field. */
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

static double *
read_image(ag_file *file, ag_draft *draft, int what, const char *field)
{
    const int64_t shape[2] = {draft->scan->info.rows, draft->scan->info.cols};
    return ag_file_named(file, field)
               ? ag_file_read(file, ag_draft_origin(draft, what, file->path, field), AG_KIND_DOUBLE,
                              2, shape)
               : NULL;
}

void
cxi_read_frames(ag_file *file, ag_draft *draft)
{
    if (!draft->parts)
        read_counts(file, draft);
    ag_draft_masks(file, draft);
    if (file->status || draft->values == AG_VALUES_AMPLITUDES)
        return;
    draft->dark = read_image(file, draft, AG_OF_DARK,
                             ag_file_named(file, CXI_DARK) ? CXI_DARK : CXI_DARK_PYNX);
    draft->white = read_image(file, draft, AG_OF_FLAT, CXI_WHITE);
}
