/* SPDX-License-Identifier: BSD-3-Clause */
/* draft.c -- what the readers of all formats have in common: frames, positions, mask, probe, units. */
#include "cxi.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *
ag_draft_origin(ag_draft *draft, int what, const char *path, const char *field)
{
    draft->origin[what].path = path;
    snprintf(draft->origin[what].field, sizeof draft->origin[what].field, "%s", field);
    return field;
}

void
ag_draft_end(ag_draft *draft)
{
    for (int i = 0; i < draft->parts; i++)
        free(draft->part[i].field);
    free(draft->part);
    free(draft->corner);
    free(draft->pick);
    free(draft->dark);
    free(draft->white);
}

/* Links can make any number of arrays of one. */
#define MOST_FRAMES (1LL << 56)

/* ---- frames ----------------------------------------------------------------------------------- */

void
ag_draft_part(ag_file *file, ag_draft *draft, const char *field)
{
    ag_scan_info *info = &draft->scan->info;
    char found[200];
    int64_t shape[AG_FILE_RANK], frames = 1;
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return;
    const int64_t rows = rank < 3 ? 0 : shape[rank - 2], cols = rank < 3 ? 0 : shape[rank - 1];
    if (rank < 3 || rows < 2 || cols < 2) {
        ag_file_refuse(file, field,
                       "has shape %s, expected (frames, rows, columns) with at least "
                       "2 rows and 2 columns",
                       ag_file_shape_text(found, sizeof found, rank, shape));
        return;
    }
    if (draft->parts && (rows != info->rows || cols != info->cols)) {
        ag_file_refuse(file, field, "has frames of %lld x %lld, expected %lld x %lld as in %s",
                       (long long)rows, (long long)cols, (long long)info->rows,
                       (long long)info->cols, draft->part[0].field);
        return;
    }
    for (int a = 0; a < rank - 2; a++)
        frames *= shape[a];
    ag_file_check(file, field);
    if (draft->parts && frames > MOST_FRAMES - info->frames) {
        ag_file_refuse(file, field, "makes the frames more than %lld, expected fewer", MOST_FRAMES);
        return;
    }
    ag_part *more = realloc(draft->part, (size_t)(draft->parts + 1) * sizeof *more);
    if (more)
        draft->part = more;
    char *name = strdup(field);
    if (!more || !name) {
        ag_file_no_memory(file, field, (int64_t)sizeof *more);
        free(name);
        return;
    }
    draft->part[draft->parts++] = (ag_part){name, frames};
    if (draft->parts == 1) {
        info->frames = 0;
        ag_draft_origin(draft, AG_OF_DATA, file->path, field);
    }
    info->rows = rows;
    info->cols = cols;
    info->frames += frames;
}

void
ag_draft_frames(ag_file *file, ag_draft *draft, const char *field)
{
    char *names = NULL, *rest, whole[512];
    if (!file->pack && ag_file_named(file, field) && !ag_file_has(file, field))
        names = ag_file_names(file, field);
    for (char *name = names ? strtok_r(names, "\n", &rest) : NULL; name && !file->status;
         name = strtok_r(NULL, "\n", &rest))
        if (!strncmp(name, "data_", 5) && name[5] && !name[5 + strspn(name + 5, "0123456789")]) {
            snprintf(whole, sizeof whole, "%.250s/%.250s", field, name);
            ag_draft_part(file, draft, whole);
        }
    free(names);
    if (!draft->parts)
        ag_draft_part(file, draft, field);
}

/* ---- probe, positions, mask ------------------------------------------------------------------------ */

void
ag_draft_probe(ag_file *file, ag_draft *draft, const char *field)
{
    ag_scan_info *info = &draft->scan->info;
    int64_t shape[AG_FILE_RANK], fit[AG_FILE_RANK], all = 1;
    if (file->status || !ag_file_named(file, field))
        return;
    ag_message words = {""};
    ag_file quiet = *file;
    quiet.message = &words;
    const int rank = ag_file_shape(&quiet, field, shape);
    for (int a = 0; a < rank; a++) {
        fit[a] = a < rank - 2 ? shape[a] : a < rank - 1 ? info->rows : info->cols;
        all *= fit[a];
    }
    const int64_t modes = rank > 2 ? shape[rank - 3] : 1, kept = modes * info->rows * info->cols;
    if (rank == 1)
        ag_file_fits(&quiet, field, 1, shape, 2, (const int64_t[]){info->rows, info->cols});
    ag_complex *probe = ag_file_read(&quiet, field, AG_KIND_COMPLEX, AG_MAX(rank, 0), fit);
    double power = 0;
    for (int64_t i = 0; probe && i < kept; i++)
        power +=
            (double)probe[i].re * (double)probe[i].re + (double)probe[i].im * (double)probe[i].im;
    if (probe && isfinite(power) && power > 0) {
        free((void *)info->probe);
        info->probe = probe;
        info->modes = modes;
        ag_draft_origin(draft, AG_OF_PROBE, file->path, field);
        if (all > kept)
            ag_scan_warn(draft->scan, "%s holds %lld sets of modes; the first is taken.", field,
                         (long long)(all / kept));
        return;
    }
    free(probe);
    if (quiet.status)
        ag_scan_warn(draft->scan, "The probe is left out: %s.", words.text);
    else
        ag_scan_warn(draft->scan, "%s holds no power or no finite numbers; it is left out.", field);
}

void
ag_draft_positions(ag_file *file, ag_draft *draft, const char *rows, const char *cols,
                   int64_t count, double unit)
{
    const char *field[2] = {rows, cols};
    double *position = ag_calloc(count, 2 * sizeof *position);
    if (!position)
        ag_file_no_memory(file, rows, count * 16);
    for (int a = 0; a < 2; a++) {
        double *value = ag_file_read(file, field[a], AG_KIND_DOUBLE, 1, &count);
        for (int64_t j = 0; value && position && j < count; j++)
            position[2 * j + a] = unit > 0 ? value[j] * unit : value[j];
        free(value);
    }
    free((void *)draft->scan->info.position);
    draft->scan->info.position = position;
    draft->metres = unit > 0;
    ag_draft_origin(draft, AG_OF_POSITION, file->path, rows);
}

/* rows x cols flags; `ignored` bits do not count. */
static void
add_mask(ag_file *file, ag_draft *draft, const char *field, int64_t ignored)
{
    ag_scan_info *info = &draft->scan->info;
    const int64_t shape[2] = {info->rows, info->cols}, area = info->rows * info->cols;
    ag_draft_origin(draft, AG_OF_MASK, file->path, field);
    int64_t *mask = ag_file_read(file, field, AG_KIND_INT, 2, shape);
    uint8_t *valid = (uint8_t *)info->valid;
    if (!valid && (info->valid = valid = ag_calloc(area, 1)) != NULL)
        memset(valid, 1, (size_t)area);
    if (!valid)
        ag_file_no_memory(file, field, area);
    for (int64_t i = 0; mask && valid && i < area; i++)
        valid[i] &= (mask[i] & ~ignored) == 0;
    free(mask);
}

void
ag_draft_masks(ag_file *file, ag_draft *draft)
{
    static const struct {
        const char *field;
        int64_t ignored;
    } mask[] = {
        {CXI_MASK, CXI_MASK_SIGNAL},
        {"entry/instrument/detector/detectorSpecific/pixel_mask", 0}, /* Eiger */
        {"entry/instrument/detector/pixel_mask", 0},
        {"bad_pixels", 0}, /* ptychodus */
    };
    for (size_t i = 0; i < sizeof mask / sizeof *mask; i++)
        if (!draft->import->mask && !file->status && ag_file_named(file, mask[i].field))
            add_mask(file, draft, mask[i].field, mask[i].ignored);
}

/* ---- numbers and units ---------------------------------------------------------------------------- */

double
ag_draft_positive(ag_file *file, const char *field)
{
    const double value = ag_file_number(file, field);
    if (!file->status && !(isfinite(value) && value > 0))
        ag_file_refuse(file, field, "is %g, expected a positive number", value);
    return value;
}

static double
look_up(const char *unit, const char *const *name, const double *value)
{
    for (int i = 0; unit && name[i]; i++)
        if (!strcmp(unit, name[i]))
            return value[i];
    return -1;
}

double
ag_unit_metres(const char *unit)
{
    static const char *const name[] = {
        "m",          "meter", "metre",     "meters",    "metres",   "cm",      "mm",
        "millimeter", "um",    "\302\265m", "\316\274m", "micron",   "microns", "micrometer",
        "micrometre", "nm",    "nanometer", "angstrom",  "Angstrom", "A",       "pm",
        "px",         "pixel", "pixels",    NULL};
    static const double value[] = {1,    1,     1,     1,     1,     1e-2, 1e-3, 1e-3,
                                   1e-6, 1e-6,  1e-6,  1e-6,  1e-6,  1e-6, 1e-6, 1e-9,
                                   1e-9, 1e-10, 1e-10, 1e-10, 1e-12, 0,    0,    0};
    return look_up(unit, name, value);
}

double
ag_unit_joules(const char *unit)
{
    static const char *const name[] = {"J", "joule", "joules", "eV", "keV", "MeV", NULL};
    static const double value[] = {1, 1, 1, AG_EV, 1e3 * AG_EV, 1e6 * AG_EV};
    return look_up(unit, name, value);
}

double
ag_draft_unit(ag_file *file, const char *field, double (*unit)(const char *), double usual,
              const char *expected)
{
    char *text = ag_file_attribute(file, field, "units");
    double value = text ? unit(text) : usual;
    if (value < 0) {
        ag_file_refuse(file, field,
                       text ? "has the unit \"%.40s\", expected %s"
                            : "tells no unit%.0s, expected the attribute units: %s",
                       text ? text : "", expected);
        value = 0;
    }
    free(text);
    return value;
}
