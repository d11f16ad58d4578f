/* SPDX-License-Identifier: BSD-3-Clause */
/* draft.h -- a scan on its way: what a format's reader takes from a file, before frames are picked,
   cropped and binned, and positions are placed in an object.  */
#ifndef AG_DRAFT_H
#define AG_DRAFT_H

#include "io.h"

/* What words about a scan name. */
enum {
    AG_OF_DATA,
    AG_OF_POSITION,
    AG_OF_MASK,
    AG_OF_PROBE,
    AG_OF_OBJECT,
    AG_OF_WAVELENGTH,
    AG_OF_DISTANCE,
    AG_OF_PIXEL,
    AG_OF_PIXEL_ROWS,
    AG_OF_FOCUS,
    AG_OF_DARK,
    AG_OF_FLAT,
    AG_ORIGINS
};

/* Frames are one array after another. */
typedef struct ag_part {
    char *field;
    int64_t frames;
} ag_part;

typedef struct ag_draft {
    const ag_import *import; /* what it gives need not be read */
    ag_scan
        *scan; /* info is that of the file: its frames, rows, cols, valid (1 = good), probe, ... */
    ag_part *part;
    int parts;
    int last;          /* the one array is (rows, cols, frames) */
    int values;        /* AG_VALUES_...; AUTO: whole numbers are counts, others amplitudes */
    int has_positions; /* they need not be read */
    int metres;        /* info.position is in metres, else in object pixels */
    double *corner;    /* frames x 2: positions in pixels as argand wrote them, beside metres */
    int64_t *pick;     /* the file's frame of each position; NULL: all in order */
    int64_t picked;
    double *dark, *white; /* rows x cols */
    struct {
        const char *path;
        char field[256];
    } origin[AG_ORIGINS];
} ag_draft;

/* Notes where something comes from and returns the field. */
const char *ag_draft_origin(ag_draft *draft, int what, const char *path, const char *field);
/* One array of frames (draft.c): (frames, rows, cols), or with more leading axes; or a group whose
   arrays data_000001, data_000002, ... follow one another.  */
void ag_draft_frames(ag_file *file, ag_draft *draft, const char *field);
void ag_draft_part(ag_file *file, ag_draft *draft, const char *field);
/* A start is a help, not a need: one that does not fit is left out, with a warning.  The last three
   axes are modes, rows, cols.  */
void ag_draft_probe(ag_file *file, ag_draft *draft, const char *field);
/* Positions of `count` frames from two fields of numbers, times the unit (0: object pixels). */
void ag_draft_positions(ag_file *file, ag_draft *draft, const char *rows, const char *cols,
                        int64_t count, double unit);
/* Masks under the names of any format, unless the caller gives one: other than 0 is bad. */
void ag_draft_masks(ag_file *file, ag_draft *draft);
/* A positive number of the file. */
double ag_draft_positive(ag_file *file, const char *field);
/* The metres of a unit, 0 for pixels, -1 when it is unknown; of an energy, joules. */
double ag_unit_metres(const char *unit);
double ag_unit_joules(const char *unit);
/* The unit that the attribute `units` of a field tells; `usual` where there is none. */
double ag_draft_unit(ag_file *file, const char *field, double (*unit)(const char *), double usual,
                     const char *expected);
void ag_draft_end(ag_draft *draft);

/* The formats (formats.c), in the order in which they are tried. */
typedef struct ag_format {
    const char *name;
    int (*recognise)(ag_file *file);
    void (*read)(ag_file *file, ag_draft *draft);
} ag_format;
extern const ag_format ag_formats[]; /* ends with no name */

int cxi_recognise(ag_file *file);
void cxi_read(ag_file *file, ag_draft *draft);
int nexus_recognise(ag_file *file);
void nexus_read(ag_file *file, ag_draft *draft);
int ptypy_recognise(ag_file *file);
void ptypy_read(ag_file *file, ag_draft *draft);
int product_recognise(ag_file *file);
void product_read(ag_file *file, ag_draft *draft);

/* ---- places and lists that the caller names (place.c) ----------------------------------------- */

typedef struct ag_place {
    char *path, *field; /* field NULL: not named */
} ag_place;
ag_status ag_place_parse(ag_place *place, const char *text, ag_message *message);
void ag_place_end(ag_place *place);
/* The field of frames: the one that is named, else one with a usual name, or the only one. */
char *ag_place_frames(ag_file *file, const ag_place *place);
/* rows x cols numbers, to be freed. */
double *ag_place_image(const char *text, int64_t rows, int64_t cols, ag_message *message,
                       ag_status *status);
/* Positions that the caller names; the unit is import's or the file's. */
ag_status ag_place_positions(const ag_import *import, ag_draft *draft, int64_t *count,
                             ag_message *message);
/* Marks in keep[] (frames) what `text` lists: FIRST:END:STEP or single numbers, or a place. */
ag_status ag_list_mark(const char *name, const char *text, int may_be_place, int64_t frames,
                       uint8_t *mark, ag_message *message);

#endif
