/* SPDX-License-Identifier: BSD-3-Clause */
/* scan.c -- a scan in memory: copied, checked, and placed in an object. */
#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An object of more pixels than this is taken for a mistake, as is one of more than
   MAX_SPARSE times the area of all windows together.  */
#define MAX_PIXELS 0x1p31
#define MAX_SPARSE 64.0

static ag_status
check_sizes(const ag_scan_info *info, ag_message *message)
{
    const struct {
        const char *name;
        int64_t value, least;
    } size[] = {
        {"frames", info->frames, 1},
        {"rows", info->rows, 2},
        {"cols", info->cols, 2},
        {"object_rows", info->object_rows, 0},
        {"object_cols", info->object_cols, 0},
        {"modes", info->modes, info->probe ? 1 : 0},
    };
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        if (size[i].value < size[i].least)
            return ag_fail(message, AG_BAD_ARGUMENT, "%s: is %lld, expected at least %lld",
                           size[i].name, (long long)size[i].value, (long long)size[i].least);
    if ((double)info->rows * (double)info->cols > MAX_PIXELS)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "rows, cols: a frame is %lld x %lld pixels, expected at most 2^31 in all",
                       (long long)info->rows, (long long)info->cols);
    const int64_t area = info->rows * info->cols;
    const int64_t most = INT64_MAX / (int64_t)sizeof(ag_complex) / area;
    if (info->frames > most || info->modes > most)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "frames: %lld frames and %lld modes of %lld x %lld pixels are too many",
                       (long long)info->frames, (long long)info->modes, (long long)info->rows,
                       (long long)info->cols);
    if (!info->object_rows != !info->object_cols)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "object_rows, object_cols: are %lld, %lld, expected both or neither to be 0",
                       (long long)info->object_rows, (long long)info->object_cols);
    if ((double)info->object_rows * (double)info->object_cols > MAX_PIXELS)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "object_rows, object_cols: are %lld x %lld, expected at most 2^31 pixels",
                       (long long)info->object_rows, (long long)info->object_cols);
    if (info->object && !info->object_rows)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "object_rows, object_cols: are 0, expected the size of the object given");
    return AG_OK;
}

/* Brings `valid` to 0 and 1, and to NULL when no pixel is masked. */
static ag_status
check_mask(ag_scan_info *info, ag_message *message)
{
    uint8_t *valid = (uint8_t *)info->valid;
    const int64_t area = info->rows * info->cols;
    int64_t good = 0;
    if (!valid)
        return AG_OK;
    for (int64_t i = 0; i < area; i++)
        good += valid[i] = valid[i] != 0;
    if (good == 0)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "valid: all %lld pixels are masked, expected at least one good pixel",
                       (long long)area);
    if (good == area) {
        free(valid);
        info->valid = NULL;
    }
    return AG_OK;
}

ag_status
ag_scan_check_frames(const ag_scan_info *info, int64_t first, int64_t count, ag_real *data,
                     int64_t *empty, int64_t *first_empty, ag_message *message)
{
    const int64_t area = info->rows * info->cols;
    *empty = 0;
    for (int64_t j = 0; j < count; j++) {
        ag_real *frame = data + j * area;
        int any = 0;
        for (int64_t i = 0; i < area; i++) {
            if (info->valid && !info->valid[i])
                frame[i] = 0;
            if (!isfinite(frame[i]) || (frame[i] < 0 && !info->data_are_amplitudes))
                return ag_fail(message, AG_BAD_ARGUMENT,
                               "data: frame %lld has %g at row %lld, column %lld, expected %s "
                               "(mask pixels that are bad)",
                               (long long)(first + j), (double)frame[i],
                               (long long)(i / info->cols), (long long)(i % info->cols),
                               info->data_are_amplitudes ? "a finite amplitude"
                                                         : "a finite count, not negative");
            any |= frame[i] != 0;
        }
        if (!any && (*empty)++ == 0)
            *first_empty = first + j;
    }
    return AG_OK;
}

ag_status
ag_scan_check_data(ag_scan *scan, ag_message *message)
{
    const ag_scan_info *info = &scan->info;
    int64_t empty, first_empty = 0;
    const ag_status status = ag_scan_check_frames(info, 0, info->frames, (ag_real *)info->data,
                                                  &empty, &first_empty, message);
    if (status)
        return status;
    if (empty == info->frames)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "data: all counts of all %lld frames are 0 in the pixels that are not "
                       "masked, expected a measurement",
                       (long long)info->frames);
    if (empty > 0)
        ag_scan_warn(scan, "%lld of %lld frames hold no counts, the first is frame %lld.",
                     (long long)empty, (long long)info->frames, (long long)first_empty);
    return AG_OK;
}

static ag_status
check_field(const char *name, const ag_complex *value, int64_t count, ag_message *message)
{
    int any = 0;
    for (int64_t i = 0; value && i < count; i++) {
        if (!isfinite(value[i].re) || !isfinite(value[i].im))
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "%s: element %lld is (%g, %g), expected finite numbers", name,
                           (long long)i, (double)value[i].re, (double)value[i].im);
        any |= value[i].re != 0 || value[i].im != 0;
    }
    if (value && !any)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "%s: all %lld elements are 0, expected something to start from", name,
                       (long long)count);
    return AG_OK;
}

/* Derives the object's size from the positions and moves these together. */
static ag_status
derive_object(ag_scan_info *info, ag_message *message)
{
    double *position = (double *)info->position;
    const double window[2] = {(double)info->rows, (double)info->cols};
    double least[2] = {position[0], position[1]}, most[2] = {position[0], position[1]}, size[2];
    for (int64_t j = 0; j < 2 * info->frames; j++) {
        least[j & 1] = fmin(least[j & 1], position[j]);
        most[j & 1] = fmax(most[j & 1], position[j]);
    }
    for (int a = 0; a < 2; a++)
        size[a] = ceil(most[a] - least[a] + AG_SCAN_MARGIN) + window[a] + 1 + AG_SCAN_MARGIN;
    const double limit =
        fmin(MAX_PIXELS, MAX_SPARSE * (double)info->frames * window[0] * window[1]);
    if (!(size[0] * size[1] <= limit)) {
        char units[160];
        ag_scan_units(info, units, sizeof units);
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "position: windows of %.0f x %.0f pixels are spread over %.4g x %.4g object "
                       "pixels (of %.4g x %.4g m, 0 = unknown), expected an object of at most "
                       "%.4g pixels for %lld frames: the unit of the positions or a pixel size is "
                       "probably wrong%s",
                       window[0], window[1], size[0], size[1], info->pixel[0], info->pixel[1],
                       limit, (long long)info->frames, units);
    }
    for (int64_t j = 0; j < 2 * info->frames; j++)
        position[j] = position[j] - least[j & 1] + AG_SCAN_MARGIN;
    info->object_rows = (int64_t)size[0];
    info->object_cols = (int64_t)size[1];
    return AG_OK;
}

/* A window at a fractional position needs one pixel more, which interpolation reads. */
static ag_status
check_windows(const ag_scan_info *info, ag_message *message)
{
    for (int64_t j = 0; j < info->frames; j++) {
        const double y = info->position[2 * j], x = info->position[2 * j + 1];
        if (y < 0 || x < 0 || ceil(y) + (double)info->rows > (double)info->object_rows ||
            ceil(x) + (double)info->cols > (double)info->object_cols)
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "position: the window of frame %lld covers rows %.10g to %.10g and "
                           "columns %.10g to %.10g, expected it inside the object of %lld x %lld",
                           (long long)j, y, y + (double)info->rows, x, x + (double)info->cols,
                           (long long)info->object_rows, (long long)info->object_cols);
    }
    return AG_OK;
}

static ag_status
check_positions(ag_scan_info *info, ag_message *message)
{
    for (int64_t j = 0; j < info->frames; j++)
        if (!isfinite(info->position[2 * j]) || !isfinite(info->position[2 * j + 1]))
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "position: frame %lld is at (%g, %g), expected finite numbers",
                           (long long)j, info->position[2 * j], info->position[2 * j + 1]);
    return info->object_rows ? check_windows(info, message) : derive_object(info, message);
}

ag_status
ag_scan_finish(ag_scan *scan, ag_message *message)
{
    ag_scan_info *info = &scan->info;
    ag_status status = check_sizes(info, message);
    if (!status)
        status = ag_scan_check_geometry(scan, message);
    if (!status)
        status = check_positions(info, message);
    if (!status)
        status = check_mask(info, message);
    if (!status)
        status = check_field("probe", info->probe, info->modes * info->rows * info->cols, message);
    if (!status)
        status =
            check_field("object", info->object, info->object_rows * info->object_cols, message);
    if (!status)
        status = ag_scan_check_overlap(scan, message);
    return status;
}

void
ag_positions_orient(double *position, int64_t frames, const double pixel[2], int orientation)
{
    /* A step along a row is as long as one along a column only where pixels are square. */
    const double ratio = pixel[0] > 0 && pixel[1] > 0 ? pixel[0] / pixel[1] : 1;
    for (int64_t j = 0; j < frames; j++) {
        const double y = position[2 * j], x = position[2 * j + 1];
        const double row = orientation & AG_SWAP ? x / ratio : y;
        const double col = orientation & AG_SWAP ? y * ratio : x;
        /* Subtracted from 0, so that no -0 comes about. */
        position[2 * j] = orientation & AG_FLIP_ROWS ? 0 - row : row;
        position[2 * j + 1] = orientation & AG_FLIP_COLS ? 0 - col : col;
    }
}

ag_status
ag_scan_orient(ag_scan *scan, int orientation, ag_message *message)
{
    ag_scan_info *info = &scan->info;
    if (orientation < 0 || orientation >= AG_ORIENTATIONS)
        return ag_fail(message, AG_BAD_ARGUMENT, "orientation: is %d, expected 0 to %d", orientation,
                       AG_ORIENTATIONS - 1);
    if (orientation == 0)
        return AG_OK;
    ag_positions_orient((double *)info->position, info->frames, info->pixel, orientation);
    free((void *)info->object);
    info->object = NULL;
    info->object_rows = info->object_cols = 0;
    return derive_object(info, message);
}

ag_status
ag_scan_widen(ag_scan *scan, int64_t margin, ag_message *message)
{
    ag_scan_info *info = &scan->info;
    if (margin < 0 || margin > 1 << 20)
        return ag_fail(message, AG_BAD_ARGUMENT, "margin: is %lld, expected 0 to %d pixels", (long long)margin, 1 << 20);
    for (int64_t i = 0; i < 2 * info->frames; i++)
        ((double *)info->position)[i] += (double)margin;
    info->object_rows += 2 * margin;
    info->object_cols += 2 * margin;
    free((void *)info->object);
    info->object = NULL;
    return AG_OK;
}

/* NULL for NULL; `failed` is set when memory does not suffice. */
static void *
copy(const void *source, int64_t count, size_t size, int *failed)
{
    if (!source)
        return NULL;
    void *result = ag_calloc(count, size);
    if (result)
        memcpy(result, source, (size_t)count * size);
    else
        *failed = 1;
    return result;
}

ag_status
ag_scan_create(ag_scan **scan, const ag_scan_info *info, ag_message *message)
{
    if (!scan || !info)
        return ag_fail(message, AG_BAD_ARGUMENT, "scan, info: NULL, expected both");
    *scan = NULL;
    if (!info->data || !info->position)
        return ag_fail(message, AG_BAD_ARGUMENT, "%s: is NULL, expected an array",
                       info->data ? "position" : "data");
    const ag_status status = check_sizes(info, message);
    if (status)
        return status;

    ag_scan *made = ag_calloc(1, sizeof *made);
    if (!made)
        return ag_fail(message, AG_NO_MEMORY, "scan: no memory left");
    const int64_t area = info->rows * info->cols;
    int failed = 0;
    made->info = *info;
    made->info.modes = info->probe ? info->modes : 0;
    made->info.data = copy(info->data, info->frames * area, sizeof *info->data, &failed);
    made->info.valid = copy(info->valid, area, 1, &failed);
    made->info.position = copy(info->position, info->frames, 2 * sizeof(double), &failed);
    made->info.probe = copy(info->probe, info->modes * area, sizeof *info->probe, &failed);
    made->info.object =
        copy(info->object, info->object_rows * info->object_cols, sizeof *info->object, &failed);
    ag_status end =
        failed ? ag_fail(message, AG_NO_MEMORY, "data: no memory for %lld frames of %lld x %lld",
                         (long long)info->frames, (long long)info->rows, (long long)info->cols)
               : ag_scan_finish(made, message);
    if (!end)
        end = ag_scan_check_data(made, message);
    if (end) {
        ag_scan_destroy(made);
        return end;
    }
    *scan = made;
    return AG_OK;
}

void
ag_scan_destroy(ag_scan *scan)
{
    if (!scan)
        return;
    if (scan->source.close)
        scan->source.close(scan->source.user);
    free((void *)scan->info.data);
    free((void *)scan->info.valid);
    free((void *)scan->info.position);
    free((void *)scan->info.probe);
    free((void *)scan->info.object);
    free(scan);
}

const ag_scan_info *
ag_scan_content(const ag_scan *scan)
{
    return &scan->info;
}

ag_scan
ag_scan_share(const ag_scan *scan, int rank, int size)
{
    ag_scan share = *scan;
    const int64_t first = ag_part_begin(scan->info.frames, size, rank);
    share.info.frames = ag_part_begin(scan->info.frames, size, rank + 1) - first;
    share.info.position += 2 * first;
    share.first = first;
    share.all = scan->info.frames;
    if (share.info.data)
        share.info.data += first * share.info.rows * share.info.cols;
    return share;
}

ag_status
ag_scan_frames(const ag_scan *scan, int64_t first, int64_t count, ag_real *destination,
               ag_message *message)
{
    const ag_scan_info *info = &scan->info;
    const int64_t area = info->rows * info->cols;
    if (first < 0 || count < 0 || first > info->frames || count > info->frames - first)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "frames: found %lld from frame %lld on, expected them among the scan's %lld",
                       (long long)count, (long long)first, (long long)info->frames);
    if (!info->data)
        return scan->source.read(scan->source.user, scan->first + first, count, destination, message);
    memcpy(destination, info->data + first * area, (size_t)(count * area) * sizeof *destination);
    return AG_OK;
}

const char *
ag_scan_warnings(const ag_scan *scan)
{
    return scan->warnings;
}

void
ag_scan_warn(ag_scan *scan, const char *format, ...)
{
    const size_t used = strlen(scan->warnings), room = sizeof scan->warnings - used;
    va_list list;
    va_start(list, format);
    if (used && room > 1)
        snprintf(scan->warnings + used, room, "\n");
    const size_t start = strlen(scan->warnings);
    vsnprintf(scan->warnings + start, sizeof scan->warnings - start, format, list);
    va_end(list);
}
