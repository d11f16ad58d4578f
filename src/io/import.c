/* SPDX-License-Identifier: BSD-3-Clause */
/* import.c -- a scan opened from files: its format told by the content, what the caller says put in
   the place of what the file says, frames picked and cut, positions placed in the object.

   The object's pixel follows from the frames after cropping and binning; positions in pixels scale
   with it.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"
#include "stream.h"

void
ag_import_default(ag_import *import)
{
    *import = (ag_import){.centre = {-1, -1}, .bin = 1};
}

static ag_status
check_import(const ag_import *import, ag_message *message)
{
    const struct {
        const char *name;
        double value, least;
    } number[] = {
        {"wavelength", import->wavelength, 0},
        {"distance", import->distance, 0},
        {"detector_pixel[0]", import->detector_pixel[0], 0},
        {"detector_pixel[1]", import->detector_pixel[1], 0},
        {"crop[0]", (double)import->crop[0], 0},
        {"crop[1]", (double)import->crop[1], 0},
        {"bin", (double)import->bin, 1},
        {"focus_distance", import->focus_distance, 0},
    };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (!isfinite(number[i].value) || number[i].value < number[i].least)
            return ag_fail(message, AG_BAD_ARGUMENT, "%s: is %g, expected a number from %g on",
                           number[i].name, number[i].value, number[i].least);
    if (import->position_unit && ag_unit_metres(import->position_unit) < 0)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "position_unit: is \"%.40s\", expected m, mm, um, nm "
                       "or px",
                       import->position_unit);
    if (import->orientation < 0 || import->orientation >= AG_ORIENTATIONS)
        return ag_fail(message, AG_BAD_ARGUMENT, "orientation: is %d, expected 0 to %d",
                       import->orientation, AG_ORIENTATIONS - 1);
    if (!import->path && (!import->frames || (!import->positions && !import->frames_only)))
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "path: is missing, expected a scan, or frames and "
                       "positions");
    return AG_OK;
}

/* ---- reading the files ------------------------------------------------------------------------- */

static ag_status
read_path(ag_file *file, ag_draft *draft, ag_message *message)
{
    const ag_format *format = ag_formats;
    while (format->name && !format->recognise(file))
        format++;
    if (format->name) {
        format->read(file, draft);
        return file->status;
    }
    char *names = ag_file_names(file, "/");
    for (char *at = names; at && *at; at++)
        if (*at == '\n')
            *at = ' ';
    ag_fail(
        message, AG_BAD_FILE,
        "%s: is no scan of a known format, expected CXI, NXcxi_ptycho, ptypy, ptychodus, Eiger, "
        "tike, PtychoPINN or PtychoNN, or frames and positions named one by one (--frames FILE:FIELD "
        "--positions FILE:FIELD); it holds: %.300s",
        ag_path_tail(file->path), names ? names : "nothing");
    free(names);
    return file->status = AG_BAD_FILE;
}

/* Frames from elsewhere: their file becomes the stream's.  What PtychoPINN calls diffraction may be
   amplitudes, other frames are counts.  */
static ag_status
read_frames(ag_stream *stream, const ag_import *import, ag_draft *draft, ag_message *message)
{
    ag_place place;
    ag_status status = ag_place_parse(&place, import->frames, message);
    if (status)
        return status;
    stream->path = place.path;
    place.path = NULL;
    status = ag_file_open(&stream->file, stream->path, message);
    char *field = status ? NULL : ag_place_frames(&stream->file, &place);
    if (field) {
        ag_draft_frames(&stream->file, draft, field);
        ag_draft_masks(&stream->file, draft);
        draft->values = strstr(field, "diff") ? AG_VALUES_AUTO : AG_VALUES_COUNTS;
    }
    free(field);
    ag_place_end(&place);
    if (!status)
        return stream->file.status;
    free(stream->path);
    stream->path = NULL;
    return status;
}

/* Everything but the frames themselves. */
static ag_status
read_all(ag_stream *stream, const ag_import *import, ag_draft *draft, int64_t *count,
         ag_message *message)
{
    ag_status status = AG_OK;
    if (import->positions) {
        draft->has_positions = 1;
        status = ag_place_positions(import, draft, count, message);
    }
    if (!status && import->frames)
        status = read_frames(stream, import, draft, message);
    if (status || !import->path)
        return status;
    ag_file own, *file = import->frames ? &own : &stream->file;
    if (!import->frames && (stream->path = strdup(import->path)) == NULL)
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(import->path));
    status = ag_file_open(file, import->frames ? import->path : stream->path, message);
    if (!status) {
        status = read_path(file, draft, message);
        if (import->frames)
            ag_file_close(file);
    } else if (!import->frames) {
        free(stream->path);
        stream->path = NULL;
    }
    return status;
}

/* ---- putting it together ------------------------------------------------------------------------ */

static ag_status
load(ag_stream *s, ag_scan *scan, ag_message *message)
{
    ag_scan_info *info = &scan->info;
    const int64_t area = info->rows * info->cols;
    ag_real *data = ag_calloc(info->frames * area, sizeof *data);
    info->data = data;
    if (!data)
        return ag_fail(message, AG_NO_MEMORY, "%s: %s: no memory for %lld frames of %lld x %lld",
                       ag_path_tail(s->path), s->field, (long long)info->frames,
                       (long long)info->rows, (long long)info->cols);
    return ag_stream_read(s, 0, info->frames, data, message);
}

static ag_status
read_lazily(void *user, int64_t first, int64_t count, ag_real *destination, ag_message *message)
{
    return ag_stream_read(user, first, count, destination, message);
}

static void
close_source(void *user)
{
    ag_stream_close(user);
}

/* Words about a member of the scan become words about the field that it came from. */
static ag_status
explain(const ag_draft *draft, ag_status status, const ag_message *inner, ag_message *message)
{
    static const struct {
        const char *member;
        int origin;
    } member[] = {
        {"data", AG_OF_DATA},
        {"position", AG_OF_POSITION},
        {"valid", AG_OF_MASK},
        {"probe", AG_OF_PROBE},
        {"object", AG_OF_OBJECT},
        {"wavelength", AG_OF_WAVELENGTH},
        {"distance", AG_OF_DISTANCE},
        {"object_rows, object_cols", AG_OF_POSITION},
        {"focus_distance", AG_OF_FOCUS},
        {"detector_pixel[0]", AG_OF_PIXEL_ROWS},
        {"detector_pixel[1]", AG_OF_PIXEL},
        {"pixel[0]", AG_OF_PIXEL_ROWS},
        {"pixel[1]", AG_OF_PIXEL},
        {"pixel", AG_OF_PIXEL},
        {"geometry", AG_ORIGINS},
        {"zero_in_corner", AG_ORIGINS},
    };
    const size_t length = strcspn(inner->text, ":");
    int origin = AG_OF_DATA;
    for (size_t i = 0; i < sizeof member / sizeof *member; i++)
        if (strlen(member[i].member) == length && !memcmp(member[i].member, inner->text, length))
            origin = member[i].origin;
    /* What the caller said is no word of a file. */
    if (origin == AG_ORIGINS || !draft->origin[origin].path)
        return ag_fail(message, status, "%s", inner->text);
    return ag_fail(message, status == AG_BAD_ARGUMENT ? AG_BAD_FILE : status, "%s: %s%.560s",
                   ag_path_tail(draft->origin[origin].path), draft->origin[origin].field,
                   inner->text + length);
}

/* From what the files hold to a scan. */
static ag_status
complete(ag_stream *s, ag_draft *draft, int64_t count, ag_message *message)
{
    const ag_import *import = draft->import;
    ag_scan *scan = draft->scan;
    ag_scan_info *info = &scan->info;
    ag_message inner = {""};
    const int64_t positions = draft->has_positions ? count
                              : draft->pick        ? draft->picked
                                                   : info->frames;
    if (draft->has_positions && positions != info->frames)
        return ag_fail(message, AG_BAD_FILE,
                       "%s: %s: holds %lld positions, expected %lld, one for each frame of %s",
                       ag_path_tail(draft->origin[AG_OF_POSITION].path),
                       draft->origin[AG_OF_POSITION].field, (long long)count,
                       (long long)info->frames, draft->origin[AG_OF_DATA].field);
    if (!info->position && import->frames_only) {
        info->position = ag_calloc(2 * info->frames, sizeof *info->position);
        ag_scan_warn(scan, "There are no positions.");
    }
    if (!info->position)
        return ag_fail(message, AG_BAD_FILE,
                       "%s: holds no positions, expected some, or some from "
                       "elsewhere (--positions FILE:FIELD)",
                       ag_path_tail(s->path));
    info->frames = positions;
    s->info = info;
    ag_status status = ag_stream_settle(s, draft, message);
    if (status)
        return status;
    status = ag_scan_finish(scan, &inner);
    if (status)
        return explain(draft, status, &inner, message);
    if (!import->lazy)
        status = load(s, scan, message);
    char clipped[80] = "";
    if (!import->lazy)
        snprintf(clipped, sizeof clipped, "; %lld of them fell below 0 and are set to 0",
                 (long long)s->clipped);
    if (s->dark && !status)
        ag_scan_warn(scan, "The dark frame (%s) is subtracted from the counts%s.",
                     import->dark ? import->dark : "data_dark, dark", clipped);
    if (!status && !import->lazy && (status = ag_scan_check_data(scan, &inner)) != AG_OK)
        status = explain(draft, status, &inner, message);
    return status;
}

ag_status
ag_scan_open(ag_scan **scan, const ag_import *import, ag_message *message)
{
    int64_t count = 0;
    if (!scan || !import)
        return ag_fail(message, AG_BAD_ARGUMENT, "scan, import: NULL, expected both");
    *scan = NULL;
    ag_status status = check_import(import, message);
    if (status)
        return status;
    ag_draft draft = {.import = import, .values = AG_VALUES_AUTO};
    ag_stream *stream = ag_calloc(1, sizeof *stream);
    draft.scan = ag_calloc(1, sizeof *draft.scan);
    if (!stream || !draft.scan) {
        free(stream);
        free(draft.scan);
        return ag_fail(message, AG_NO_MEMORY, "scan: no memory left");
    }
    draft.scan->info.geometry = import->geometry;
    draft.scan->info.focus_distance = import->focus_distance;
    status = read_all(stream, import, &draft, &count, message);
    if (!status)
        status = complete(stream, &draft, count, message);
    if (stream->path)
        ag_file_leave(&stream->file);
    if (!status && import->lazy) {
        draft.scan->source.read = read_lazily;
        draft.scan->source.close = close_source;
        draft.scan->source.user = stream;
    } else {
        ag_stream_close(stream);
    }
    ag_draft_end(&draft);
    if (status)
        ag_scan_destroy(draft.scan);
    else
        *scan = draft.scan;
    return status;
}

ag_status
ag_scan_read(ag_scan **scan, const char *path, ag_message *message)
{
    ag_import import;
    if (!scan || !path)
        return ag_fail(message, AG_BAD_ARGUMENT, "scan, path: NULL, expected both");
    ag_import_default(&import);
    import.path = path;
    return ag_scan_open(scan, &import, message);
}
