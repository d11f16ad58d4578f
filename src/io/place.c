/* SPDX-License-Identifier: BSD-3-Clause */
/* place.c -- "FILE:FIELD" and lists of frames, as the caller of ag_scan_open names them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draft.h"

void
ag_place_end(ag_place *place)
{
    free(place->path);
    free(place->field);
    *place = (ag_place){NULL, NULL};
}

/* A name may hold colons itself: the longest beginning that is a file is taken. */
ag_status
ag_place_parse(ag_place *place, const char *text, ag_message *message)
{
    *place = (ag_place){strdup(text), NULL};
    if (!place->path)
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(text));
    for (char *colon; access(place->path, F_OK) && (colon = strrchr(place->path, ':')) != NULL;)
        *colon = 0;
    const size_t length = strlen(place->path);
    if (access(place->path, F_OK)) {
        const ag_status status = ag_fail(message, AG_FILE_ERROR, "%s: cannot be opened: %s",
                                         ag_path_tail(text), strerror(errno));
        ag_place_end(place);
        return status;
    }
    const char *field = text + length + 1;
    if (text[length] == ':')
        place->field = strdup(field + (field[0] == '/' && field[1]));
    return AG_OK;
}

/* The field of a place; where none is named, the only one there is. */
static char *
choose_field(ag_file *file, const ag_place *place)
{
    char *names = place->field ? strdup(place->field) : ag_file_names(file, "/");
    if (names && !place->field && strchr(names, '\n')) {
        for (char *at = names; *at; at++)
            if (*at == '\n')
                *at = ' ';
        ag_file_refuse(file, "/",
                       "holds several fields, expected one of them to be named as "
                       "FILE:FIELD: %.500s",
                       names);
    } else if (!names) {
        ag_file_refuse(file, "/", "holds no field");
    }
    return names;
}

char *
ag_place_frames(ag_file *file, const ag_place *place)
{
    static const char *const usual_frames[] = {"entry/data/data",
                                               "entry/data",
                                               "entry_1/data_1/data",
                                               "entry_1/instrument_1/detector_1/data",
                                               "dp",
                                               "diffraction",
                                               "diff3d",
                                               "patterns",
                                               "reciprocal",
                                               "data",
                                               NULL};
    for (int i = 0; !place->field && usual_frames[i]; i++)
        if (ag_file_named(file, usual_frames[i]))
            return strdup(usual_frames[i]);
    return choose_field(file, place);
}

double *
ag_place_image(const char *text, int64_t rows, int64_t cols, ag_message *message, ag_status *status)
{
    const int64_t shape[2] = {rows, cols};
    double *image = NULL;
    ag_place place;
    ag_file file;
    *status = ag_place_parse(&place, text, message);
    if (*status)
        return NULL;
    if (!ag_file_open_table(&file, place.path, message)) {
        char *field = file.pack && !place.field && ag_file_named(&file, "table")
                          ? strdup("table")
                          : choose_field(&file, &place);
        if (field && !file.status)
            image = ag_file_read(&file, field, AG_KIND_DOUBLE, 2, shape);
        free(field);
        ag_file_close(&file);
    }
    *status = file.status;
    ag_place_end(&place);
    return image;
}

/* ---- positions -------------------------------------------------------------------------------------- */

/* Names of fields with rows and columns, or with both, that files without a choice use. */
ag_status
ag_picture_read(const char *place, int64_t rows, int64_t cols, double *value, ag_message *message)
{
    ag_status status = AG_OK;
    double *const image = ag_place_image(place, rows, cols, message, &status);
    if (!status)
        memcpy(value, image, (size_t)(rows * cols) * sizeof *value);
    free(image);
    return status;
}

static const char *const usual[][2] = {
    {"probe_position_y_m", "probe_position_x_m"},
    {"ycoords", "xcoords"},
    {"y", "x"},
    {"row", "col"},
    {"rows", "cols"},
    {"position_y", "position_x"},
    {"scan", NULL},
    {"positions", NULL},
    {"position", NULL},
    {"translation", NULL},
    {"table", NULL},
    {"array", NULL},
};

/* The unit: the caller's, else that of the field, else what its name ends with. */
static double
position_unit(ag_file *file, const ag_import *import, const char *field)
{
    const size_t length = strlen(field);
    if (import->position_unit)
        return ag_unit_metres(import->position_unit);
    if (length > 2 && !strcmp(field + length - 2, "_m"))
        return 1;
    const double unit =
        ag_draft_unit(file, field, ag_unit_metres, -1, "m, mm, um, nm or px (--position-unit)");
    if (!file->status)
        return unit;
    return -1;
}

/* (frames, 2) as row, column. */
static void
read_pairs(ag_file *file, ag_draft *draft, const char *field, double unit, int64_t *count)
{
    char found[200];
    int64_t shape[AG_FILE_RANK], all = 1;
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return;
    for (int a = 0; a < rank; a++)
        all *= shape[a];
    if (rank < 2 || shape[rank - 1] != 2) {
        ag_file_refuse(file, field,
                       "has shape %s, expected (frames, 2) as row and column, or two fields named "
                       "as FILE:ROWS,COLUMNS",
                       ag_file_shape_text(found, sizeof found, rank, shape));
        return;
    }
    double *position = ag_file_read(file, field, AG_KIND_DOUBLE, rank, shape);
    for (int64_t i = 0; position && unit > 0 && i < all; i++)
        position[i] *= unit;
    draft->scan->info.position = position;
    draft->metres = unit > 0;
    *count = all / 2;
    ag_draft_origin(draft, AG_OF_POSITION, file->path, field);
}

static void
read_places(ag_file *file, const ag_import *import, ag_draft *draft, char *field, int64_t *count)
{
    char *cols = field ? strchr(field, ',') : NULL;
    const char *pair[2] = {field, cols ? cols + 1 : NULL};
    if (cols)
        *cols = 0;
    for (size_t i = 0; !field && i < sizeof usual / sizeof *usual && !pair[0]; i++)
        if (ag_file_named(file, usual[i][0]) && (!usual[i][1] || ag_file_named(file, usual[i][1])))
            memcpy(pair, usual[i], sizeof pair);
    if (!pair[0]) {
        ag_file_refuse(file, "/",
                       "holds no positions under a usual name, expected their field to be "
                       "named as FILE:FIELD or FILE:ROWS,COLUMNS");
        return;
    }
    const double unit = position_unit(file, import, pair[0]);
    if (file->status)
        return;
    if (!pair[1]) {
        read_pairs(file, draft, pair[0], unit, count);
        return;
    }
    int64_t shape[AG_FILE_RANK];
    const int rank = ag_file_shape(file, pair[0], shape);
    *count = 1;
    for (int a = 0; a < rank; a++)
        *count *= shape[a];
    if (pair[1] && *pair[1] == '/')
        pair[1]++;
    ag_draft_positions(file, draft, pair[0], pair[1], *count, unit);
}

ag_status
ag_place_positions(const ag_import *import, ag_draft *draft, int64_t *count, ag_message *message)
{
    ag_place place;
    ag_file file;
    ag_status status = ag_place_parse(&place, import->positions, message);
    if (status)
        return status;
    if (!ag_file_open_table(&file, place.path, message)) {
        read_places(&file, import, draft, place.field, count);
        ag_file_close(&file);
    }
    status = file.status;
    draft->origin[AG_OF_POSITION].path = import->positions;
    ag_place_end(&place);
    return status;
}

/* ---- lists of frames ----------------------------------------------------------------------------------- */

static ag_status
refuse_list(const char *name, const char *text, int64_t frames, ag_message *message)
{
    return ag_fail(
        message, AG_BAD_ARGUMENT,
        "%s: found \"%.100s\", expected frames such as 3,10:100,200:300:2, from 0 to %lld", name,
        text, (long long)frames - 1);
}

/* A number, or `otherwise` where there is none. */
static int64_t
list_number(const char **at, int64_t otherwise)
{
    char *end;
    errno = 0;
    const long long v = strtoll(*at, &end, 10);
    if (end == *at)
        return otherwise;
    *at = end;
    return errno ? -1 : v;
}

static ag_status
mark_place(const char *name, const char *text, int64_t frames, uint8_t *mark, ag_message *message)
{
    ag_place place;
    ag_file file;
    int64_t shape[AG_FILE_RANK], count = 1;
    ag_status status = ag_place_parse(&place, text, message);
    if (status)
        return status;
    if (!ag_file_open_table(&file, place.path, message)) {
        char *field = file.pack && !place.field && ag_file_named(&file, "table")
                          ? strdup("table")
                          : choose_field(&file, &place);
        const int rank = field ? ag_file_shape(&file, field, shape) : -1;
        for (int a = 0; a < rank; a++)
            count *= shape[a];
        double *list = rank < 0 ? NULL : ag_file_read(&file, field, AG_KIND_DOUBLE, rank, shape);
        for (int64_t i = 0; list && i < count; i++) {
            if (!(list[i] >= 0 && list[i] < (double)frames && list[i] == floor(list[i])))
                ag_file_refuse(&file, field,
                               "names frame %g, expected whole numbers from 0 to %lld "
                               "(%s)",
                               list[i], (long long)frames - 1, name);
            else
                mark[(int64_t)list[i]] = 1;
        }
        free(list);
        free(field);
        ag_file_close(&file);
    }
    status = file.status;
    ag_place_end(&place);
    return status;
}

ag_status
ag_list_mark(const char *name, const char *text, int may_be_place, int64_t frames, uint8_t *mark,
             ag_message *message)
{
    const char *at = text;
    if (may_be_place && text[strspn(text, "0123456789:,")])
        return mark_place(name, text, frames, mark, message);
    for (;;) {
        const char *before = at;
        const int64_t first = list_number(&at, 0);
        int64_t end = first + 1, step = 1;
        if (*at == ':') {
            at++;
            end = list_number(&at, frames);
            if (*at == ':')
                at++, step = list_number(&at, 1);
        } else if (at == before) {
            return refuse_list(name, text, frames, message);
        }
        if (first < 0 || first >= frames || end <= first || end > frames || step < 1 ||
            (*at && *at != ','))
            return refuse_list(name, text, frames, message);
        for (int64_t j = first; j < end; j += AG_MIN(step, frames))
            mark[j] = 1;
        if (!*at)
            return AG_OK;
        at++;
    }
}
