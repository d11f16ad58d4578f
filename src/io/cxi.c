/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi.c -- scans read from CXI files (cxidb.org, format 1.6) and the variations in use.

   The window of frame j starts at -(t_j . e) / dx, where t_j is the sample's translation, e the
   unit vector of the detector's row or column step, and dx the object's pixel along that axis:
   wavelength distance / (N pixel), in the near field pixel / magnification.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cxi.h"
#include "scan.h"

#define DISAGREE 1e-3

/* A positive number, or one for each frame, of which the mean is taken. */
static double
positive(ag_file *file, ag_scan *scan, const char *field, int per_frame)
{
    int64_t shape[AG_FILE_RANK];
    const int rank = ag_file_shape(file, field, shape);
    const int64_t frames = scan->info.frames;
    const int many = per_frame && rank == 1 && shape[0] == frames;
    double *value = ag_file_read(file, field, AG_KIND_DOUBLE, many, &frames);
    double sum = 0, least = INFINITY, most = -INFINITY;
    if (!value)
        return 0;
    for (int64_t j = 0; j < (many ? frames : 1); j++) {
        if (!isfinite(value[j]) || value[j] <= 0)
            ag_file_refuse(file, field, "is %g, expected a positive number", value[j]);
        sum += value[j];
        least = fmin(least, value[j]);
        most = fmax(most, value[j]);
    }
    free(value);
    if (most > least)
        ag_scan_warn(scan, "%s differs from frame to frame (%g to %g); the mean is used.", field,
                     least, most);
    return many ? sum / (double)frames : sum;
}

static void
read_wavelength(ag_file *file, ag_draft *draft)
{
    ag_scan *scan = draft->scan;
    if (draft->import->wavelength > 0)
        return;
    const int has_energy = ag_file_named(file, CXI_ENERGY);
    const int has_wavelength = ag_file_named(file, CXI_WAVELENGTH);
    if (!has_energy && !has_wavelength) {
        ag_file_refuse(file, CXI_WAVELENGTH,
                       "is missing and so is " CXI_ENERGY
                       ", expected a wavelength in m or a photon energy in J");
        return;
    }
    const double energy = has_energy ? positive(file, scan, CXI_ENERGY, 1) : 0;
    if (!has_wavelength) {
        char words[160];
        if (ag_scan_energy(energy, words, sizeof words))
            ag_file_refuse(file, CXI_ENERGY, "is %g, expected joules (below 1e-10)%s", energy,
                           words);
        else if (!file->status)
            scan->info.wavelength = AG_HC / energy;
        return;
    }
    const double wavelength = positive(file, scan, CXI_WAVELENGTH, 1);
    if (file->status)
        return;
    scan->info.wavelength = wavelength;
    if (has_energy && fabs(energy * wavelength / AG_HC - 1) > DISAGREE)
        ag_scan_warn(scan,
                     "%s is %g, but the wavelength of %g m is that of photons of %g J; "
                     "the wavelength is used.",
                     CXI_ENERGY, energy, wavelength, AG_HC / wavelength);
}

/* The unit step vectors of the detector's rows and columns, and their pixel sizes. */
static void
read_detector(ag_file *file, ag_draft *draft, double step[2][3])
{
    ag_scan *scan = draft->scan;
    static const double usual[2][3] = {{0, -1, 0}, {-1, 0, 0}};
    static const int64_t wide[2] = {2, 3}, high[2] = {3, 2};
    const double *given = draft->import->detector_pixel;
    const double size[2] = {given[1] > 0 ? given[1] : positive(file, scan, CXI_X_PIXEL, 0),
                            given[0] > 0 ? given[0] : positive(file, scan, CXI_Y_PIXEL, 0)};
    memcpy(step, usual, sizeof usual);
    if (!ag_file_named(file, CXI_BASIS)) {
        ag_scan_warn(scan, "%s is missing; rows are taken to run along -y, columns along -x.",
                     CXI_BASIS);
    } else {
        int64_t shape[AG_FILE_RANK];
        const int rank = ag_file_shape(file, CXI_BASIS, shape);
        const int is_high = rank == 2 && shape[0] == 3;
        double *basis = ag_file_read(file, CXI_BASIS, AG_KIND_DOUBLE, 2, is_high ? high : wide);
        if (!basis)
            return;
        for (int a = 0; a < 2; a++)
            for (int k = 0; k < 3; k++)
                step[a][k] = is_high ? basis[2 * k + a] : basis[3 * a + k];
        free(basis);
    }
    for (int a = 0; a < 2; a++) {
        const double length = hypot(hypot(step[a][0], step[a][1]), step[a][2]);
        const int along_y = fabs(step[a][1]) >= fabs(step[a][0]);
        scan->info.detector_pixel[a] = size[along_y];
        if (!isfinite(length) || length <= 0)
            ag_file_refuse(file, CXI_BASIS,
                           "vector %d is (%g, %g, %g), expected a step of one "
                           "pixel",
                           a, step[a][0], step[a][1], step[a][2]);
        else if (length != 1 && fabs(length / size[along_y] - 1) > DISAGREE)
            ag_scan_warn(scan,
                         "%s: vector %d has length %g m, but the pixel size is %g m, which "
                         "is used.",
                         CXI_BASIS, a, length, size[along_y]);
        for (int k = 0; k < 3; k++)
            step[a][k] /= length;
    }
    const double cosine =
        step[0][0] * step[1][0] + step[0][1] * step[1][1] + step[0][2] * step[1][2];
    if (fabs(cosine) > 0.5)
        ag_file_refuse(file, CXI_BASIS, "vectors meet at a cosine of %g, expected a right angle",
                       cosine);
    else if (fabs(cosine) > DISAGREE)
        ag_scan_warn(scan, "%s: vectors meet at a cosine of %g, expected a right angle.", CXI_BASIS,
                     cosine);
}

static int
constant(const double *value, int64_t stride)
{
    return value[0] == value[stride] && value[0] == value[2 * stride];
}

/* Whether three translations of three numbers lie in columns: z does not change in a scan. */
static int
square_in_columns(ag_scan *scan, const char *field, const double *value)
{
    const int rows_fit = constant(value + 2, 3), columns_fit = constant(value + 6, 1);
    const int in_columns = columns_fit && !rows_fit;
    if (rows_fit == columns_fit)
        ag_scan_warn(scan,
                     "%s: shape (3, 3) does not tell frames from axes; it is read as "
                     "(frames, 3).",
                     field);
    return in_columns;
}

const char *
cxi_translation(ag_file *file)
{
    return !ag_file_has(file, CXI_TRANSLATION) && ag_file_has(file, CXI_LINKED_PLACES)
               ? CXI_LINKED_PLACES
               : CXI_TRANSLATION;
}

void
cxi_read_positions(ag_file *file, ag_draft *draft, const char *field, const double step[2][3],
                   double unit)
{
    ag_scan *scan = draft->scan;
    ag_scan_info *info = &scan->info;
    const int64_t n = info->frames;
    char found[100];
    int64_t shape[AG_FILE_RANK];
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return;
    const int in_rows = rank == 2 && shape[0] == n && (shape[1] == 3 || shape[1] == 2);
    const int fits = in_rows || (rank == 2 && shape[1] == n && (shape[0] == 3 || shape[0] == 2));
    if (!fits) {
        ag_file_refuse(file, field,
                       "has shape %s, expected (frames, 3) = (%lld, 3) for the %lld "
                       "frames of the data, or (3, frames)",
                       ag_file_shape_text(found, sizeof found, rank, shape), (long long)n,
                       (long long)n);
        return;
    }
    double *value = ag_file_read(file, field, AG_KIND_DOUBLE, 2, shape);
    double *position = ag_calloc(n, 2 * sizeof *position);
    info->position = position;
    draft->metres = 1;
    ag_draft_origin(draft, AG_OF_POSITION, file->path, field);
    if (value && position) {
        const int64_t axes = shape[in_rows];
        int columns = !in_rows;
        if (n == 3 && axes == 3 && in_rows)
            columns = square_in_columns(scan, field, value);
        else if (n == 2 && axes == 2)
            ag_scan_warn(scan,
                         "%s: shape (2, 2) does not tell frames from axes; it is read as "
                         "(frames, 2).",
                         field);
        for (int64_t j = 0; j < n; j++)
            for (int a = 0; a < 2; a++) {
                double along = 0;
                for (int64_t k = 0; k < axes; k++) {
                    const double t = columns ? value[k * n + j] : value[j * axes + k];
                    if (!isfinite(t))
                        ag_file_refuse(file, field,
                                       "frame %lld is at %g on axis %lld, expected a "
                                       "finite number",
                                       (long long)j, t, (long long)k);
                    along += t * step[a][k];
                }
                position[2 * j + a] = (0 - along) * unit; /* never -0 */
            }
    } else {
        ag_file_no_memory(file, field, n * 2 * (int64_t)sizeof *position);
    }
    free(value);
}

/* Near or far, unless the caller knows. */
static void
read_propagation(ag_file *file, ag_scan *scan)
{
    ag_scan_info *info = &scan->info;
    if (info->geometry == AG_NEAR_FIELD || !ag_file_named(file, CXI_GEOMETRY))
        return;
    char *text = ag_file_text(file, CXI_GEOMETRY);
    if (text && !strcmp(text, CXI_NEAR_FIELD)) {
        info->geometry = AG_NEAR_FIELD;
        if (ag_file_named(file, CXI_FOCUS))
            info->focus_distance = positive(file, scan, CXI_FOCUS, 0);
    } else if (!file->status) {
        ag_file_refuse(file, CXI_GEOMETRY,
                       "is \"%.40s\", expected \"" CXI_NEAR_FIELD "\" or nothing",
                       text ? text : "no text");
    }
    free(text);
}

/* A file that was written from a scan tells the object's size, so that positions need not be moved,
   and the positions in pixels.  */
static void
read_object(ag_file *file, ag_draft *draft)
{
    ag_scan_info *info = &draft->scan->info;
    const int64_t shape[2] = {info->frames, 2};
    int64_t size[2];
    if (draft->has_positions || !ag_file_pair(file, CXI_TRANSLATION, CXI_OBJECT_SHAPE, size))
        return;
    info->object_rows = size[0];
    info->object_cols = size[1];
    if (ag_file_has(file, CXI_CORNER_PX))
        draft->corner = ag_file_read(file, CXI_CORNER_PX, AG_KIND_DOUBLE, 2, shape);
    if (ag_file_has(file, CXI_IMAGE))
        info->object = ag_file_read(file, CXI_IMAGE, AG_KIND_COMPLEX, 2, size);
}

int
cxi_recognise(ag_file *file)
{
    return !file->pack && (ag_file_named(file, "entry_1") || ag_file_named(file, "cxi_version"));
}

void
cxi_read(ag_file *file, ag_draft *draft)
{
    double step[2][3];
    ag_scan *scan = draft->scan;
    static const struct {
        int what;
        const char *field;
    } origin[] = {{AG_OF_DATA, CXI_DATA},          {AG_OF_POSITION, CXI_TRANSLATION},
                  {AG_OF_MASK, CXI_MASK},          {AG_OF_PROBE, CXI_PROBE},
                  {AG_OF_OBJECT, CXI_IMAGE},       {AG_OF_WAVELENGTH, CXI_WAVELENGTH},
                  {AG_OF_DISTANCE, CXI_DISTANCE},  {AG_OF_PIXEL, CXI_X_PIXEL},
                  {AG_OF_PIXEL_ROWS, CXI_Y_PIXEL}, {AG_OF_FOCUS, CXI_FOCUS}};
    for (size_t i = 0; i < sizeof origin / sizeof *origin; i++)
        if (!draft->origin[origin[i].what].path)
            ag_draft_origin(draft, origin[i].what, file->path, origin[i].field);
    if (ag_file_named(file, "entry_2"))
        ag_scan_warn(scan, "The file has several entries; only entry_1 is read.");
    cxi_read_frames(file, draft);
    if (file->status)
        return;
    read_propagation(file, scan);
    read_wavelength(file, draft);
    if (!(draft->import->distance > 0))
        scan->info.distance = positive(file, scan, CXI_DISTANCE, 0);
    read_detector(file, draft, step);
    if (!file->status && !draft->has_positions)
        cxi_read_positions(file, draft, cxi_translation(file), (const double(*)[3])step, 1);
    if (!file->status)
        read_object(file, draft);
    ag_draft_probe(file, draft, CXI_PROBE);
}
