/* SPDX-License-Identifier: BSD-3-Clause */
/* nexus.c -- NXcxi_ptycho (definitions of NeXus, contributed): the names of CXI, but units as
   attributes, the photon energy in beam_1, raster scans with two axes of frames, and positions as
   motors with vectors.  The window of frame j starts as in CXI, see cxi.c.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cxi.h"

#define BEAM   "entry_1/instrument_1/beam_1"
#define MOTORS "entry_1/sample_1/transformations"

int
nexus_recognise(ag_file *file)
{
    char *text = file->pack ? NULL : ag_file_text(file, "entry_1/definition");
    const int known = text && (!strcmp(text, "NXcxi_ptycho") || !strcmp(text, "NXptycho"));
    free(text);
    return known;
}

/* A length of the file, where the caller gives none. */
static double
length(ag_file *file, ag_draft *draft, int what, const char *field, double given)
{
    if (given > 0)
        return given;
    ag_draft_origin(draft, what, file->path, field);
    return ag_draft_positive(file, field) *
           ag_draft_unit(file, field, ag_unit_metres, 1, "m, mm, um or nm");
}

static void
read_energy(ag_file *file, ag_draft *draft)
{
    static const char *const names[] = {BEAM "/energy", BEAM "/incident_beam_energy",
                                        BEAM "/incident_energy", NULL};
    int i = 0;
    if (draft->import->wavelength > 0)
        return;
    while (names[i] && !ag_file_named(file, names[i]))
        i++;
    if (!names[i]) {
        ag_file_refuse(file, names[0],
                       "is missing, expected the energy of the photons with its unit; "
                       "that of source_1 is the machine's");
        return;
    }
    const double energy = ag_draft_positive(file, names[i]) *
                          ag_draft_unit(file, names[i], ag_unit_joules, -1, "J, eV or keV");
    ag_draft_origin(draft, AG_OF_WAVELENGTH, file->path, names[i]);
    if (!file->status)
        draft->scan->info.wavelength = AG_HC / energy;
}

/* Adds what one motor does to the positions, which are along -y and -x of the detector. */
static void
read_motor(ag_file *file, ag_draft *draft, const char *field)
{
    const ag_scan_info *info = &draft->scan->info;
    double vector[3], *position = (double *)info->position;
    int64_t shape[AG_FILE_RANK], count = 1;
    char found[200];
    if (!ag_file_has(file, field))
        return;
    char *type = ag_file_attribute(file, field, "transformation_type");
    const int moves = !type || !strcmp(type, "translation");
    free(type);
    if (!moves)
        return;
    const int rank = ag_file_shape(file, field, shape);
    for (int a = 0; a < rank; a++)
        count *= shape[a];
    if (count == 1)
        return; /* the same for all frames */
    if (count != info->frames) {
        ag_file_refuse(file, field, "has shape %s, expected %lld positions, one for each frame",
                       ag_file_shape_text(found, sizeof found, rank, shape),
                       (long long)info->frames);
        return;
    }
    if (ag_file_attribute_numbers(file, field, "vector", 3, vector) != 3) {
        ag_file_refuse(file, field,
                       "has no attribute vector, expected the motor's direction (x, y, z)");
        return;
    }
    const double size = sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]);
    const double unit = ag_draft_unit(file, field, ag_unit_metres, -1, "m, mm, um or nm");
    if (!file->status && !(isfinite(size) && size > 0 && unit > 0))
        ag_file_refuse(file, field,
                       "has the vector (%g, %g, %g), expected a direction, and a unit of "
                       "length",
                       vector[0], vector[1], vector[2]);
    double *value = file->status ? NULL : ag_file_read(file, field, AG_KIND_DOUBLE, rank, shape);
    for (int64_t j = 0; value && j < count; j++)
        for (int a = 0; a < 2; a++)
            position[2 * j + a] += value[j] * unit * vector[1 - a] / size;
    free(value);
    ag_draft_origin(draft, AG_OF_POSITION, file->path, field);
}

static void
read_motors(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    char field[300], *rest, *names = ag_file_names(file, MOTORS);
    draft->metres = 1;
    info->position = ag_calloc(info->frames, 2 * sizeof *info->position);
    if (!info->position)
        ag_file_no_memory(file, MOTORS, info->frames * 16);
    for (char *name = names ? strtok_r(names, "\n", &rest) : NULL; name && !file->status;
         name = strtok_r(NULL, "\n", &rest)) {
        snprintf(field, sizeof field, MOTORS "/%.200s", name);
        read_motor(file, draft, field);
    }
    free(names);
    if (!file->status && !*draft->origin[AG_OF_POSITION].field)
        ag_file_refuse(file, CXI_TRANSLATION,
                       "is missing and " MOTORS
                       " has no motor with a position for each of the %lld frames, expected either",
                       (long long)info->frames);
}

void
nexus_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    if (!draft->parts) {
        ag_draft_part(file, draft, ag_file_has(file, CXI_LINKED_DATA) ? CXI_LINKED_DATA : CXI_DATA);
        draft->values = AG_VALUES_COUNTS;
    }
    ag_draft_masks(file, draft);
    read_energy(file, draft);
    info->distance = length(file, draft, AG_OF_DISTANCE, CXI_DISTANCE, draft->import->distance);
    info->detector_pixel[0] =
        length(file, draft, AG_OF_PIXEL_ROWS, CXI_Y_PIXEL, draft->import->detector_pixel[0]);
    info->detector_pixel[1] =
        length(file, draft, AG_OF_PIXEL, CXI_X_PIXEL, draft->import->detector_pixel[1]);
    if (!file->status && !draft->has_positions) {
        static const double step[2][3] = {{0, -1, 0}, {-1, 0, 0}};
        const char *field = cxi_translation(file);
        if (ag_file_has(file, field))
            cxi_read_positions(file, draft, field, step,
                               ag_draft_unit(file, field, ag_unit_metres, -1, "m, mm, um or nm"));
        else
            read_motors(file, draft);
    }
    ag_draft_probe(file, draft, CXI_PROBE);
}
