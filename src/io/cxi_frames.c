/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi_frames.c -- the frames of a CXI file: counts, mask, dark and flat field. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cxi.h"

static void
read_counts(ag_file *file, ag_scan *scan)
{
    ag_scan_info *info = &scan->info;
    const char *field = CXI_DATA;
    char found[100];
    int64_t shape[AG_FILE_RANK];
    if (ag_file_named(file, CXI_AMPLITUDE)) {
        field = CXI_AMPLITUDE;
        info->data_are_amplitudes = 1;
    } else if (ag_file_has(file, CXI_LINKED_DATA)) {
        field = CXI_LINKED_DATA;
    } else if (!ag_file_named(file, CXI_DATA) && ag_file_named(file, "entry_1/object/data")) {
        ag_file_refuse(file, CXI_DATA, "is missing: the file holds a result, expected a scan");
    }
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return;
    if (rank != 3 || shape[1] < 2 || shape[2] < 2) {
        ag_file_refuse(file, field,
                       "has shape %s, expected (frames, rows, columns) with at least "
                       "2 rows and 2 columns",
                       ag_file_shape_text(found, sizeof found, rank, shape));
        return;
    }
    info->frames = shape[0];
    info->rows = shape[1];
    info->cols = shape[2];
    info->data = ag_file_read(file, field, AG_KIND_REAL, 3, shape);
}

static void
read_mask(ag_file *file, ag_scan *scan)
{
    ag_scan_info *info = &scan->info;
    const int64_t shape[2] = {info->rows, info->cols}, area = info->rows * info->cols;
    if (!ag_file_named(file, CXI_MASK))
        return;
    int64_t *mask = ag_file_read(file, CXI_MASK, AG_KIND_INT, 2, shape);
    uint8_t *valid = ag_calloc(area, 1);
    info->valid = valid;
    if (!valid)
        ag_file_no_memory(file, CXI_MASK, area);
    for (int64_t i = 0; mask && valid && i < area; i++)
        valid[i] = (mask[i] & ~(int64_t)CXI_MASK_SIGNAL) == 0;
    free(mask);
}

/* An image of the detector whose good pixels are finite. */
static double *
read_image(ag_file *file, const ag_scan *scan, const char *field)
{
    const ag_scan_info *info = &scan->info;
    const int64_t shape[2] = {info->rows, info->cols};
    double *image = ag_file_read(file, field, AG_KIND_DOUBLE, 2, shape);
    for (int64_t i = 0; image && i < info->rows * info->cols; i++)
        if (!isfinite(image[i]) && (!info->valid || info->valid[i]))
            ag_file_refuse(file, field,
                           "has %g at row %lld, column %lld, expected a finite "
                           "number (mask pixels that are bad)",
                           image[i], (long long)(i / info->cols), (long long)(i % info->cols));
    return image;
}

/* Subtracts the dark frame.  What becomes negative is noise and clipped, but a count that was
   negative before is an error and kept for the check that follows.  */
static void
apply_dark(ag_scan *scan, const char *field, const double *dark)
{
    const ag_scan_info *info = &scan->info;
    const int64_t area = info->rows * info->cols;
    int64_t clipped = 0;
    for (int64_t j = 0; j < info->frames; j++) {
        ag_real *frame = (ag_real *)info->data + j * area;
        for (int64_t i = 0; i < area; i++) {
            const double difference = (double)frame[i] - dark[i];
            if (frame[i] < 0 || (info->valid && !info->valid[i]))
                continue;
            clipped += difference < 0;
            frame[i] = difference < 0 ? 0 : (ag_real)difference;
        }
    }
    ag_scan_warn(scan,
                 "%s is subtracted from the counts; %lld of them fell below 0 and are set "
                 "to 0.",
                 field, (long long)clipped);
}

static void
apply_white(ag_scan *scan, const double *white)
{
    ag_scan_info *info = &scan->info;
    const int64_t area = info->rows * info->cols;
    double sum = 0;
    int64_t good = 0, dead = 0;
    uint8_t *valid = (uint8_t *)info->valid;
    for (int64_t i = 0; i < area; i++) {
        if (!valid[i])
            continue;
        if (white[i] <= 0) {
            valid[i] = 0;
            dead++;
        } else {
            sum += white[i];
            good++;
        }
    }
    for (int64_t j = 0; j < info->frames; j++) {
        ag_real *frame = (ag_real *)info->data + j * area;
        for (int64_t i = 0; i < area; i++)
            if (valid[i])
                frame[i] *= (ag_real)(sum / (double)good / white[i]);
    }
    ag_scan_warn(scan, "The counts are divided by %s relative to its mean%s.", CXI_WHITE,
                 dead ? "; pixels where it is not positive are masked" : "");
}

static void
correct(ag_file *file, ag_scan *scan)
{
    ag_scan_info *info = &scan->info;
    const char *field = ag_file_named(file, CXI_DARK) ? CXI_DARK : CXI_DARK_PYNX;
    if (info->data_are_amplitudes)
        return;
    if (ag_file_named(file, field)) {
        double *dark = read_image(file, scan, field);
        if (!file->status)
            apply_dark(scan, field, dark);
        free(dark);
    }
    if (ag_file_named(file, CXI_WHITE)) {
        const int64_t area = info->rows * info->cols;
        double *white = read_image(file, scan, CXI_WHITE);
        if (!info->valid) {
            info->valid = ag_calloc(area, 1);
            if (info->valid)
                memset((void *)info->valid, 1, (size_t)area);
            else
                ag_file_no_memory(file, CXI_WHITE, area);
        }
        if (!file->status)
            apply_white(scan, white);
        free(white);
    }
}

void
cxi_read_frames(ag_file *file, ag_scan *scan)
{
    read_counts(file, scan);
    if (!file->status)
        read_mask(file, scan);
    if (!file->status)
        correct(file, scan);
}
