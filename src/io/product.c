/* SPDX-License-Identifier: BSD-3-Clause */
/* product.c -- the products of ptychodus (github.com/AdvancedPhotonSource/ptychodus), which pty-chi
   reads too: positions in metres, probe, geometry; as HDF5 or, flattened, as npz.  The frames lie
   beside them or in a file of their own.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

#define ROWS  "probe_position_y_m"
#define COLS  "probe_position_x_m"
#define INDEX "probe_position_indexes"

static const char *const frames[] = {"dp",   "patterns", "diffraction", "entry/data/data",
                                     "data", NULL};

int
product_recognise(ag_file *file)
{
    return ag_file_named(file, ROWS) && ag_file_named(file, COLS);
}

/* A number that is an attribute in HDF5 and an array in npz; 0 where it is missing or no length. */
static double
known(ag_file *file, const char *field, const char *name, const char *flat)
{
    double value = 0;
    if (file->pack && ag_file_named(file, flat))
        value = ag_file_number(file, flat);
    else if (!file->pack)
        ag_file_attribute_numbers(file, field, name, 1, &value);
    return isfinite(value) && value > 0 ? value : 0;
}

static void
read_frames(ag_file *file, ag_draft *draft)
{
    int i = 0;
    while (frames[i] && !ag_file_has(file, frames[i]))
        i++;
    if (!frames[i]) {
        ag_file_refuse(file, "/",
                       "is a ptychodus product, which has no frames, expected them from "
                       "elsewhere (--frames FILE:FIELD)");
        return;
    }
    ag_draft_part(file, draft, frames[i]);
    ag_draft_masks(file, draft);
    draft->values = AG_VALUES_COUNTS;
}

/* Which frame belongs to each position. */
static void
read_index(ag_file *file, ag_draft *draft, int64_t count)
{
    const int64_t all = draft->scan->info.frames;
    if (!ag_file_named(file, INDEX))
        return;
    int64_t *index = ag_file_read(file, INDEX, AG_KIND_INT, 1, &count);
    /* A list that only counts says no more than the number of positions. */
    int64_t plain = 0;
    while (index && plain < count && index[plain] == plain)
        plain++;
    if (plain == count && count > all) {
        free(index);
        return;
    }
    for (int64_t j = 0; index && j < count; j++)
        if (index[j] < 0 || index[j] >= all) {
            ag_file_refuse(file, INDEX, "names frame %lld for position %lld, expected 0 to %lld",
                           (long long)index[j], (long long)j, (long long)all - 1);
            break;
        }
    draft->pick = index;
    draft->picked = count;
}

/* The object's pixel is that of frames as large as the probe, which may have been cut from those that
   are here: the detector's pixel holds for both.  */
static void
settle_pixel(ag_file *file, ag_scan_info *info)
{
    const int64_t size[2] = {info->rows, info->cols};
    const double length = info->wavelength * info->distance;
    int64_t shape[AG_FILE_RANK];
    ag_file quiet = *file;
    quiet.message = NULL;
    const int rank = ag_file_named(file, "probe") ? ag_file_shape(&quiet, "probe", shape) : 0;
    for (int a = 0; rank >= 2 && length > 0 && a < 2; a++) {
        const int64_t n = shape[rank - 2 + a];
        if (n == size[a] || !(info->pixel[a] > 0))
            continue;
        info->detector_pixel[a] = length / ((double)n * info->pixel[a]);
        info->pixel[a] = 0;
    }
}

void
product_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    int64_t shape[AG_FILE_RANK];
    if (!draft->parts)
        read_frames(file, draft);
    if (file->status)
        return;
    if (!draft->has_positions && ag_file_shape(file, ROWS, shape) == 1) {
        const int64_t count = shape[0];
        read_index(file, draft, count);
        if (!draft->pick && count != info->frames)
            ag_file_refuse(file, ROWS,
                           "has shape (%lld), expected (frames) = (%lld) for the frames "
                           "of the data",
                           (long long)count, (long long)info->frames);
        ag_draft_positions(file, draft, ROWS, COLS, count, 1);
    }
    const double energy = known(file, "/", "probe_energy_eV", "probe_energy_eV");
    info->wavelength = energy > 0 ? AG_HC / (energy * AG_EV) : 0;
    info->distance = known(file, "/", "detector_object_distance_m", "detector_object_distance_m");
    /* The object's pixel is the probe's; old files have 0 there. */
    info->pixel[0] = known(file, "probe", "pixel_height_m", "probe_pixel_height_m");
    info->pixel[1] = known(file, "probe", "pixel_width_m", "probe_pixel_width_m");
    if (!(info->pixel[0] > 0 && info->pixel[1] > 0)) {
        info->pixel[0] = known(file, "object", "pixel_height_m", "object_pixel_height_m");
        info->pixel[1] = known(file, "object", "pixel_width_m", "object_pixel_width_m");
    }
    settle_pixel(file, info);
    ag_draft_origin(draft, AG_OF_WAVELENGTH, file->path, "probe_energy_eV");
    ag_draft_origin(draft, AG_OF_DISTANCE, file->path, "detector_object_distance_m");
    ag_draft_probe(file, draft, "probe");
}
