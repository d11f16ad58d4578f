/* SPDX-License-Identifier: BSD-3-Clause */
/* formats.c -- the formats of scans, told by their content; those of tike, PtychoPINN and the Eiger
   detectors.  The larger ones have files of their own.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* ---- tike: frames in FFT order, positions in object pixels, row first --------------------------- */

static int
tike_recognise(ag_file *file)
{
    return file->pack && ag_file_named(file, "data") && ag_file_named(file, "scan");
}

static void
tike_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    char found[200];
    int64_t shape[AG_FILE_RANK];
    if (!draft->parts) {
        ag_draft_part(file, draft, "data");
        info->zero_in_corner = 1;
        draft->values = AG_VALUES_COUNTS;
    }
    const int rank = draft->has_positions ? -1 : ag_file_shape(file, "scan", shape);
    if (rank >= 0) {
        const int64_t fit[2] = {info->frames, 2};
        ag_draft_origin(draft, AG_OF_POSITION, file->path, "scan");
        if (rank < 2 || shape[rank - 1] != 2 || shape[rank - 2] != info->frames)
            ag_file_refuse(
                file, "scan", "has shape %s, expected (frames, 2) = (%lld, 2), row first",
                ag_file_shape_text(found, sizeof found, rank, shape), (long long)info->frames);
        else
            info->position = ag_file_read(file, "scan", AG_KIND_DOUBLE, 2, fit);
    }
    ag_draft_probe(file, draft, "probe");
}

/* ---- PtychoPINN: amplitudes, as a rule, and positions in object pixels ---------------------------- */

static const char *const pinn_frames[] = {"diffraction", "diff3d", NULL};

static int
pinn_recognise(ag_file *file)
{
    return file->pack && ag_file_named(file, "xcoords") && ag_file_named(file, "ycoords");
}

/* Old files have the frames along the last axis. */
static void
pinn_turn(ag_file *file, ag_draft *draft, const char *field, int64_t count)
{
    ag_scan_info *info = &draft->scan->info;
    int64_t shape[AG_FILE_RANK];
    if (ag_file_shape(file, field, shape) != 3 || shape[0] == count || shape[2] != count)
        return;
    draft->last = 1;
    draft->part[0].frames = info->frames = shape[2];
    info->rows = shape[0];
    info->cols = shape[1];
}

static void
pinn_read(ag_file *file, ag_draft *draft)
{
    int64_t shape[AG_FILE_RANK];
    int k = 0;
    while (pinn_frames[k] && !ag_file_named(file, pinn_frames[k]))
        k++;
    const int rank = ag_file_shape(file, "xcoords", shape);
    const int64_t count = rank == 1 ? shape[0] : 0;
    if (!draft->parts && !pinn_frames[k]) {
        ag_file_refuse(file, pinn_frames[0],
                       "is missing and so is diff3d: the file holds positions "
                       "without frames, expected either, or frames from elsewhere (--frames)");
    } else if (!draft->parts) {
        ag_draft_part(file, draft, pinn_frames[k]);
        if (!file->status)
            pinn_turn(file, draft, pinn_frames[k], count);
        draft->values = AG_VALUES_AUTO;
    }
    if (!file->status && !draft->has_positions)
        ag_draft_positions(file, draft, "ycoords", "xcoords", draft->scan->info.frames, 0);
    ag_draft_probe(file, draft, "probeGuess");
}

/* ---- PtychoNN: counts, and positions in metres, row first, without geometry ----------------------- */

static int
nn_recognise(ag_file *file)
{
    return file->pack && ag_file_named(file, "reciprocal");
}

static void
nn_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    char found[200];
    int64_t shape[AG_FILE_RANK];
    if (!draft->parts) {
        ag_draft_part(file, draft, "reciprocal");
        draft->values = AG_VALUES_COUNTS;
    }
    if (file->status || draft->has_positions || !ag_file_named(file, "position"))
        return;
    const int rank = ag_file_shape(file, "position", shape);
    const int64_t fit[2] = {info->frames, 2};
    ag_draft_origin(draft, AG_OF_POSITION, file->path, "position");
    draft->metres = 1;
    if (rank != 2 || shape[0] != info->frames || shape[1] != 2)
        ag_file_refuse(file, "position", "has shape %s, expected (frames, 2) = (%lld, 2), row first",
                       ag_file_shape_text(found, sizeof found, rank, shape), (long long)info->frames);
    else
        info->position = ag_file_read(file, "position", AG_KIND_DOUBLE, 2, fit);
}

/* ---- Eiger (NXmx): frames in linked files, geometry, no positions ---------------------------------- */

#define EIGER      "entry/instrument/detector"
#define EIGER_WAVE "entry/instrument/beam/incident_wavelength"

static int
eiger_recognise(ag_file *file)
{
    return !file->pack && ag_file_named(file, "entry/data") && ag_file_named(file, EIGER);
}

/* A length that is there, else 0. */
static double
eiger_length(ag_file *file, const char *field, double usual)
{
    if (!ag_file_named(file, field))
        return 0;
    return ag_draft_positive(file, field) *
           ag_draft_unit(file, field, ag_unit_metres, usual, "m, mm, um or angstrom");
}

static void
eiger_read(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    if (!draft->parts) {
        ag_draft_frames(file, draft,
                        ag_file_has(file, "entry/data/data") ? "entry/data/data" : "entry/data");
        draft->values = AG_VALUES_COUNTS;
    }
    info->wavelength = eiger_length(file, EIGER_WAVE, 1e-10);
    info->distance =
        eiger_length(file,
                     ag_file_named(file, EIGER "/detector_distance") ? EIGER "/detector_distance"
                                                                     : EIGER "/distance",
                     1);
    info->detector_pixel[0] = eiger_length(file, EIGER "/y_pixel_size", 1);
    info->detector_pixel[1] = eiger_length(file, EIGER "/x_pixel_size", 1);
    ag_draft_masks(file, draft);
    if (!file->status && !draft->has_positions)
        ag_file_refuse(file, "/",
                       "is a detector's file, which has no positions, expected them from "
                       "elsewhere (--positions FILE:FIELD --position-unit UNIT)");
}

/* ------------------------------------------------------------------------------------------------------ */

const ag_format ag_formats[] = {
    {"ptypy (.ptyd)", ptypy_recognise, ptypy_read},  {"ptychodus", product_recognise, product_read},
    {"NXcxi_ptycho", nexus_recognise, nexus_read},   {"CXI", cxi_recognise, cxi_read},
    {"Eiger", eiger_recognise, eiger_read},          {"tike (npz)", tike_recognise, tike_read},
    {"PtychoPINN (npz)", pinn_recognise, pinn_read}, {"PtychoNN (npz)", nn_recognise, nn_read},
    {NULL, NULL, NULL},
};
