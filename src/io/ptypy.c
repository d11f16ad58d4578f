/* SPDX-License-Identifier: BSD-3-Clause */
/* ptypy.c -- the .ptyd files of ptypy (github.com/ptycho/ptypy): frames and positions in chunks,
   metres with the row first, energy in keV.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

int
ptypy_recognise(ag_file *file)
{
    return !file->pack && ag_file_named(file, "chunks") && ag_file_named(file, "meta");
}

/* meta/NAME: one number, or one for rows and one for columns. */
static void
meta(ag_file *file, const char *field, double value[2])
{
    static const int64_t two = 2;
    int64_t shape[AG_FILE_RANK];
    if (!ag_file_named(file, field))
        return;
    if (ag_file_shape(file, field, shape) == 1 && shape[0] == 2) {
        double *pair = ag_file_read(file, field, AG_KIND_DOUBLE, 1, &two);
        if (pair)
            memcpy(value, pair, 2 * sizeof *pair);
        free(pair);
    } else {
        value[0] = value[1] = ag_file_number(file, field);
    }
    for (int a = 0; a < 2 && !file->status; a++)
        if (!(isfinite(value[a]) && value[a] > 0))
            ag_file_refuse(file, field, "is %g, expected a positive number", value[a]);
}

/* Pixels of weight 0 in any frame are masked. */
static void
weights(ag_file *file, ag_draft *draft, const char *field, int64_t frames)
{
    ag_scan_info *info = &draft->scan->info;
    const int64_t area = info->rows * info->cols, shape[3] = {frames, info->rows, info->cols};
    int64_t found[AG_FILE_RANK], differ = 0;
    if (file->status || !ag_file_has(file, field))
        return;
    const int whole = ag_file_shape(file, field, found) == 3 && found[0] == frames;
    double *weight = ag_file_read(file, field, AG_KIND_DOUBLE, whole ? 3 : 2, shape + !whole);
    uint8_t *valid = (uint8_t *)info->valid;
    if (weight && !valid && (info->valid = valid = ag_calloc(area, 1)) != NULL)
        memset(valid, 1, (size_t)area);
    if (!valid && !file->status)
        ag_file_no_memory(file, field, area);
    for (int64_t i = 0; weight && valid && i < (whole ? frames : 1) * area; i++) {
        differ += (weight[i] == 0) != (weight[i % area] == 0);
        valid[i % area] &= weight[i] != 0;
    }
    free(weight);
    ag_draft_origin(draft, AG_OF_MASK, file->path, field);
    if (differ)
        ag_scan_warn(draft->scan,
                     "%s differs from frame to frame; a pixel is masked where any frame has 0.",
                     field);
}

static void
chunk(ag_file *file, ag_draft *draft, const char *name, int own_frames)
{
    char field[300];
    ag_scan_info *info = &draft->scan->info;
    const int64_t before = own_frames ? info->frames : 0;
    snprintf(field, sizeof field, "chunks/%.200s/data", name);
    if (own_frames)
        ag_draft_part(file, draft, field);
    if (file->status)
        return;
    const int64_t shape[2] = {info->frames - before, 2};
    snprintf(field, sizeof field, "chunks/%.200s/positions", name);
    if (!draft->has_positions) {
        double *value = ag_file_read(file, field, AG_KIND_DOUBLE, 2, shape);
        double *all = realloc((void *)info->position, (size_t)info->frames * 2 * sizeof *all);
        if (all)
            info->position = all;
        else
            ag_file_no_memory(file, field, info->frames * 16);
        if (value && all)
            memcpy(all + 2 * before, value, (size_t)shape[0] * 2 * sizeof *all);
        free(value);
        draft->metres = 1;
        ag_draft_origin(draft, AG_OF_POSITION, file->path, field);
    }
    snprintf(field, sizeof field, "chunks/%.200s/weights", name);
    weights(file, draft, field, shape[0]);
}

static int
by_number(const void *a, const void *b)
{
    const long long m = atoll(*(char *const *)a), n = atoll(*(char *const *)b);
    return (m > n) - (m < n);
}

/* chunks/0, chunks/1, ... 10 in the order of their numbers. */
static void
chunks(ag_file *file, ag_draft *draft)
{
    const int own = !draft->parts;
    char *rest, *names = ag_file_names(file, "chunks"), **list = NULL;
    int64_t count = 1, n = 0;
    for (const char *at = names; at && *at; at++)
        count += *at == '\n';
    list = ag_calloc(count, sizeof *list);
    if (!list)
        ag_file_no_memory(file, "chunks", count * 8);
    for (char *at = names ? strtok_r(names, "\n", &rest) : NULL; at && list;
         at = strtok_r(NULL, "\n", &rest))
        list[n++] = at;
    if (n == 0)
        ag_file_refuse(file, "chunks", "is empty, expected groups with data and positions");
    if (!own && n > 1)
        ag_file_refuse(file, "chunks",
                       "holds %lld chunks of positions, expected one beside frames "
                       "from elsewhere",
                       (long long)n);
    if (list)
        qsort(list, (size_t)n, sizeof *list, by_number);
    for (int64_t i = 0; i < n && !file->status; i++)
        chunk(file, draft, list[i], own);
    free(list);
    free(names);
}

void
ptypy_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    double energy[2] = {0, 0}, distance[2] = {0, 0};
    if (!draft->parts)
        draft->values = AG_VALUES_COUNTS;
    chunks(file, draft);
    meta(file, "meta/energy", energy);
    meta(file, "meta/distance", distance);
    meta(file, "meta/psize", info->detector_pixel);
    if (energy[0] > 0)
        info->wavelength = AG_HC / (energy[0] * 1e3 * AG_EV);
    info->distance = distance[0];
    ag_draft_origin(draft, AG_OF_WAVELENGTH, file->path, "meta/energy");
    ag_draft_origin(draft, AG_OF_DISTANCE, file->path, "meta/distance");
    ag_draft_origin(draft, AG_OF_PIXEL, file->path, "meta/psize");
    if (!file->status)
        weights(file, draft, "meta/weight2d", 1);
}
