/* SPDX-License-Identifier: BSD-3-Clause */
/* settle.c -- from what a file holds and what the caller says to the geometry of a scan and to what its
   stream does to frames.  The object's pixel (ag_scan_pixel) is that of the frames after cropping and
   binning; positions in pixels scale with it.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"
#include "stream.h"

#define DISAGREE 1e-3
/* Positions as argand wrote them in pixels agree with those in metres to this. */
#define SAME_PIXEL 1e-6
/* Frames looked at to tell counts from amplitudes. */
#define LOOK 64

/* ---- what the caller says, and what follows ------------------------------------------------------- */

static ag_status
refuse_geometry(ag_draft *draft, ag_file *file)
{
    const ag_import *import = draft->import;
    const ag_scan_info *info = &draft->scan->info;
    const char *missing = info->wavelength <= 0 ? "photon energy (--energy)"
                          : info->distance <= 0 ? "distance (--distance)"
                                                : "detector's pixel (--pixel)";
    ag_file named = *file;
    named.path = draft->origin[AG_OF_POSITION].path;
    ag_file_refuse(&named, draft->origin[AG_OF_POSITION].field,
                   "is in metres, but the object's pixel is unknown: expected the %s%s", missing,
                   import->position_unit ? "" : ", or positions in pixels");
    return file->status = named.status;
}

/* Puts what the caller says in the place of a length of the file. */
static void
given(ag_draft *draft, int origin, double value, double *length)
{
    if (!(value > 0))
        return;
    *length = value;
    draft->origin[origin].path = NULL;
}

/* Geometry of the file's frames; the object's pixel. */
static ag_status
settle_geometry(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan_info *info = &draft->scan->info;
    const int far = info->geometry == AG_FAR_FIELD;
    const double count[2] = {(double)info->rows, (double)info->cols};
    given(draft, AG_OF_WAVELENGTH, import->wavelength, &info->wavelength);
    given(draft, AG_OF_DISTANCE, import->distance, &info->distance);
    given(draft, AG_OF_FOCUS, import->focus_distance, &info->focus_distance);
    given(draft, AG_OF_PIXEL_ROWS, import->detector_pixel[0], &info->detector_pixel[0]);
    given(draft, AG_OF_PIXEL, import->detector_pixel[1], &info->detector_pixel[1]);
    for (int a = 0; a < 2; a++) {
        const double length = info->wavelength * info->distance;
        if (far && !(info->detector_pixel[a] > 0) && info->pixel[a] > 0)
            info->detector_pixel[a] = length / (count[a] * info->pixel[a]);
        if (!(info->detector_pixel[a] > 0) || (far && !(length > 0)))
            continue;
        const double pixel = ag_scan_pixel(info, a);
        if (info->pixel[a] > 0 && fabs(info->pixel[a] / pixel - 1) > DISAGREE)
            ag_scan_warn(draft->scan,
                         "The file gives the object's pixel as %g m, but wavelength, distance and "
                         "detector pixel make it %g m, which is used.",
                         info->pixel[a], pixel);
        info->pixel[a] = pixel;
    }
    if (draft->metres && !(info->pixel[0] > 0 && info->pixel[1] > 0)) {
        if (!import->frames_only)
            return refuse_geometry(draft, &s->file);
        ag_scan_warn(draft->scan, "The positions are in metres and the object's pixel is unknown: they are left out.");
        memset((double *)info->position, 0, (size_t)info->frames * 2 * sizeof *info->position);
        draft->metres = 0;
    }
    (void)message; /* the stream has it */
    return s->file.status;
}

/* Positions in pixels of the file's frames, turned as the caller says. */
static ag_status
settle_positions(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan_info *info = &draft->scan->info;
    double *position = (double *)info->position;
    int same = draft->corner != NULL && !import->orientation;
    for (int64_t i = 0; draft->metres && i < 2 * info->frames; i++)
        position[i] /= info->pixel[i % 2];
    for (int64_t i = 0; same && i < 2 * info->frames; i++)
        same = fabs(draft->corner[i] - position[i]) < SAME_PIXEL;
    if (same)
        memcpy(position, draft->corner, (size_t)info->frames * 2 * sizeof *position);
    /* Whole pixels become whole again, which metres had blurred. */
    for (int64_t i = 0; !same && info->object_rows && i < 2 * info->frames; i++)
        if (fabs(position[i] - rint(position[i])) < 1e-9 * (1 + fabs(position[i])))
            position[i] = rint(position[i]) + 0.0;
    if (!import->orientation)
        return AG_OK;
    ag_positions_orient(position, info->frames, info->pixel, import->orientation);
    info->object_rows = info->object_cols = 0;
    (void)s, (void)message;
    return AG_OK;
}

/* Which of the file's frames are taken, in which order. */
static ag_status
settle_pick(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan_info *info = &draft->scan->info;
    double *position = (double *)info->position;
    const int64_t n = info->frames;
    uint8_t *keep = ag_calloc(n, 1), *drop = ag_calloc(n, 1);
    ag_status status = AG_OK;
    int64_t kept = 0;
    if (!draft->pick && (draft->pick = ag_calloc(n, sizeof *draft->pick)) != NULL)
        for (int64_t j = 0; j < n; j++)
            draft->pick[j] = j;
    if (!keep || !drop || !draft->pick)
        status = ag_fail(message, AG_NO_MEMORY, "frames: no memory left");
    if (!status && import->select)
        status = ag_list_mark("select", import->select, 0, n, keep, message);
    if (!status && import->bad_frames)
        status = ag_list_mark("bad_frames", import->bad_frames, 1, n, drop, message);
    for (int64_t j = 0; !status && j < n; j++)
        if ((!import->select || keep[j]) && !drop[j]) {
            draft->pick[kept] = draft->pick[j];
            position[2 * kept] = position[2 * j];
            position[2 * kept + 1] = position[2 * j + 1];
            kept++;
        }
    if (!status && kept == 0)
        status = ag_fail(message, AG_BAD_ARGUMENT,
                         "select, bad_frames: leave none of %lld frames, "
                         "expected at least one",
                         (long long)n);
    info->frames = kept;
    s->pick = draft->pick;
    draft->pick = NULL;
    free(keep);
    free(drop);
    return status;
}

/* ---- frames: what is cut, and the stream that does it ----------------------------------------------- */

static ag_status
settle_cut(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    static const char *const axis[] = {"rows", "columns"};
    ag_scan_info *info = &draft->scan->info;
    const int64_t count[2] = {info->rows, info->cols};
    double *position = (double *)info->position;
    s->bin = import->bin;
    for (int a = 0; a < 2; a++) {
        const int64_t n = count[a];
        const int64_t centre = import->centre[a] >= 0 && import->centre[a] < (double)n
                                   ? (int64_t)rint(import->centre[a])
                               : import->centre[a] < 0 ? n / 2
                                                       : n;
        const int64_t most = centre == n / 2 ? n : 2 * AG_MIN(centre, n - centre);
        s->size[a] = import->crop[a] ? import->crop[a] : most;
        s->start[a] = centre - s->size[a] / 2;
        if (s->start[a] < 0 || s->size[a] < 2 || s->start[a] + s->size[a] > n)
            return ag_fail(
                message, AG_BAD_ARGUMENT,
                "crop, centre: found %lld %s around %g, expected a part of at least 2 within "
                "the %lld of a frame",
                (long long)s->size[a], axis[a],
                import->centre[a] < 0 ? (double)centre : import->centre[a], (long long)n);
        if (s->size[a] % s->bin || s->size[a] / s->bin < 2)
            return ag_fail(
                message, AG_BAD_ARGUMENT,
                "bin: found %lld, expected a number that divides the %lld %s (crop to %lld)",
                (long long)s->bin, (long long)s->size[a], axis[a],
                (long long)(s->size[a] - s->size[a] % s->bin));
    }
    s->cut = s->bin > 1 || s->size[0] != count[0] || s->size[1] != count[1];
    if (!s->cut)
        return AG_OK;
    for (int a = 0; a < 2; a++) {
        /* Of the object's pixels: in the far field a larger detector makes them smaller, in the near field
           they are the detector's. */
        const double scale = info->geometry == AG_FAR_FIELD ? (double)s->size[a] / (double)count[a]
                                                            : 1 / (double)s->bin;
        for (int64_t j = 0; j < info->frames; j++)
            position[2 * j + a] *= scale;
        info->pixel[a] /= scale;
        info->detector_pixel[a] *= (double)s->bin;
    }
    info->rows = s->size[0] / s->bin;
    info->cols = s->size[1] / s->bin;
    info->zero_in_corner = 0;
    info->object_rows = info->object_cols = 0;
    if (info->probe)
        ag_scan_warn(draft->scan, "The probe of the file is left out, because frames are cut.");
    free((void *)info->probe);
    info->probe = NULL;
    info->modes = 0;
    return AG_OK;
}

/* Dark and flat of the file or the caller: the flat becomes a factor, dead pixels are masked. */
static ag_status
settle_corrections(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan_info *info = &draft->scan->info;
    const int64_t area = s->rows * s->cols;
    const struct {
        const char *place;
        int what;
        double **image;
    } image[] = {{import->dark, AG_OF_DARK, &draft->dark},
                 {import->flat, AG_OF_FLAT, &draft->white}};
    ag_status status = AG_OK;
    double sum = 0;
    int64_t good = 0, dead = 0;
    if (import->mask) {
        double *mask = ag_place_image(import->mask, s->rows, s->cols, message, &status);
        free(s->valid);
        s->valid = mask ? ag_calloc(area, 1) : NULL;
        for (int64_t i = 0; s->valid && i < area; i++)
            s->valid[i] = mask[i] == 0;
        if (mask && !s->valid)
            status = ag_fail(message, AG_NO_MEMORY, "mask: no memory left");
        free(mask);
        ag_draft_origin(draft, AG_OF_MASK, import->mask, "mask");
    }
    for (int k = 0; k < 2 && !status; k++) {
        if (image[k].place) {
            free(*image[k].image);
            *image[k].image = ag_place_image(image[k].place, s->rows, s->cols, message, &status);
            ag_draft_origin(draft, image[k].what, image[k].place, k ? "flat" : "dark");
        }
        for (int64_t i = 0; *image[k].image && i < area; i++)
            if (!isfinite((*image[k].image)[i]) && (!s->valid || s->valid[i]))
                return ag_fail(message, AG_BAD_FILE,
                               "%s: %s: has %g at row %lld, column %lld, expected a finite number "
                               "(mask pixels that are bad)",
                               ag_path_tail(draft->origin[image[k].what].path),
                               draft->origin[image[k].what].field, (*image[k].image)[i],
                               (long long)(i / s->cols), (long long)(i % s->cols));
    }
    if (status || (!draft->dark && !draft->white))
        return status;
    if (info->data_are_amplitudes)
        return import->dark || import->flat
                   ? ag_fail(message, AG_BAD_ARGUMENT,
                             "dark, flat: are given for amplitudes, expected "
                             "counts")
                   : AG_OK;
    s->dark = draft->dark;
    s->scale = draft->white;
    draft->dark = draft->white = NULL;
    if (s->scale && !s->valid) {
        s->valid = ag_calloc(area, 1);
        if (!s->valid)
            return ag_fail(message, AG_NO_MEMORY, "flat: no memory left");
        memset(s->valid, 1, (size_t)area);
    }
    for (int64_t i = 0; s->scale && i < area; i++) {
        dead += s->valid[i] && s->scale[i] <= 0;
        s->valid[i] &= s->scale[i] > 0;
        good += s->valid[i];
        sum += s->valid[i] ? s->scale[i] : 0;
    }
    if (dead && !draft->origin[AG_OF_MASK].path)
        ag_draft_origin(draft, AG_OF_MASK, import->flat ? import->flat : s->path, "flat field");
    for (int64_t i = 0; s->scale && i < area; i++)
        s->scale[i] = s->valid[i] ? sum / (double)good / s->scale[i] : 0;
    if (s->scale)
        ag_scan_warn(draft->scan,
                     "The counts are divided by the flat field (data_white, flat) "
                     "relative to its mean%s.",
                     dead ? "; pixels where it is not positive are masked" : "");
    return AG_OK;
}

/* The mask of what is left: a pixel is good when all that it is made of are. */
static ag_status
settle_mask(ag_stream *s, ag_draft *draft, ag_message *message)
{
    ag_scan_info *info = &draft->scan->info;
    const int64_t area = info->rows * info->cols;
    free((void *)info->valid);
    info->valid = NULL;
    if (!s->valid)
        return AG_OK;
    uint8_t *valid = ag_calloc(area, 1);
    info->valid = valid;
    if (!valid)
        return ag_fail(message, AG_NO_MEMORY, "mask: no memory left");
    if (!s->cut) {
        memcpy(valid, s->valid, (size_t)area);
        return AG_OK;
    }
    memset(valid, 1, (size_t)area);
    for (int64_t y = 0; y < s->size[0]; y++)
        for (int64_t x = 0; x < s->size[1]; x++)
            valid[y / s->bin * info->cols + x / s->bin] &= s->valid[ag_stream_place(s, y, x)];
    return AG_OK;
}

/* Whole numbers are counts, others amplitudes: says which. */
static ag_status
settle_values(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan_info *info = &draft->scan->info;
    const int64_t area = s->rows * s->cols, look = AG_MIN(LOOK, info->frames);
    double largest = 0;
    int whole = 1;
    int values = import->values != AG_VALUES_AUTO ? (int)import->values : draft->values;
    if (values == AG_VALUES_AUTO) {
        ag_real *frame = ag_calloc(area, sizeof *frame);
        if (!frame)
            ag_file_no_memory(&s->file, s->field, area * (int64_t)sizeof *frame);
        for (int64_t k = 0; k < look && !s->file.status; k++) {
            ag_stream_fetch(s, k * info->frames / look, 1, frame);
            for (int64_t i = 0; i < area && !s->file.status; i++) {
                whole = whole && (double)frame[i] == rint((double)frame[i]);
                largest = fmax(largest, (double)frame[i]);
            }
        }
        free(frame);
        values = whole ? AG_VALUES_COUNTS : AG_VALUES_AMPLITUDES;
        ag_scan_warn(draft->scan, "%s holds %s numbers up to %.6g, which are taken as %s.",
                     s->field, whole ? "whole" : "fractional", largest,
                     whole ? "counts" : "amplitudes (the roots of counts)");
    }
    info->data_are_amplitudes = s->amplitudes = values == AG_VALUES_AMPLITUDES;
    (void)message; /* the stream has it */
    return s->file.status;
}

/* The largest numbers of 16 and 32 bits are what detectors write where a pixel is bad or overflowed. */
static ag_status
settle_marks(ag_stream *s, ag_draft *draft, ag_message *message)
{
    const int64_t area = s->rows * s->cols;
    int64_t marked = 0;
    double mark = 0;
    if (s->amplitudes)
        return AG_OK;
    ag_real *frame = ag_calloc(area, sizeof *frame);
    if (!frame)
        return ag_fail(message, AG_NO_MEMORY, "frames: no memory left");
    ag_stream_fetch(s, 0, 1, frame);
    for (int64_t i = 0; i < area && !s->file.status; i++)
        if ((!s->valid || s->valid[i]) && (frame[i] == 0xffff || frame[i] >= (ag_real)0xffffffff)) {
            mark = (double)frame[i];
            marked++;
        }
    free(frame);
    if (marked)
        ag_scan_warn(
            draft->scan,
            "%s: %lld pixels of the first frame hold %.10g, which detectors write for bad or "
            "overflowed pixels: they should be masked (--mask FILE:FIELD).",
            s->field, (long long)marked, mark);
    return s->file.status;
}

ag_status
ag_stream_settle(ag_stream *s, ag_draft *draft, ag_message *message)
{
    static ag_status (*const step[])(ag_stream *, ag_draft *, ag_message *) = {
        settle_geometry,    settle_positions, settle_pick, settle_values,
        settle_corrections, settle_marks,     settle_cut,  settle_mask,
    };
    ag_scan_info *info = &draft->scan->info;
    s->rows = info->rows;
    s->cols = info->cols;
    s->part = draft->part;
    s->parts = draft->parts;
    s->last = draft->last;
    s->field = s->part[0].field;
    s->valid = (uint8_t *)info->valid;
    draft->parts = 0;
    draft->part = NULL;
    info->valid = NULL;
    if (draft->import->zero != AG_ZERO_AUTO)
        info->zero_in_corner = draft->import->zero == AG_ZERO_CORNER;
    s->in_corner = info->zero_in_corner;
    ag_status status = AG_OK;
    for (size_t i = 0; i < sizeof step / sizeof *step && !status; i++)
        status = step[i](s, draft, message);
    if (!info->object_rows) {
        free((void *)info->object);
        info->object = NULL;
    }
    return status;
}
