/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi_write.c -- scans written as CXI files, see doc/result-file.md. */
#include <math.h>
#include <stdlib.h>

#include "cxi.h"

/* Zero frequency moves from the corner to (rows/2, cols/2). */
static int64_t
place(const ag_scan_info *info, int64_t y, int64_t x)
{
    if (info->zero_in_corner) {
        y = (y + info->rows / 2) % info->rows;
        x = (x + info->cols / 2) % info->cols;
    }
    return y * info->cols + x;
}

/* Frames as they come from the scan, on their way into a file. */
struct source {
    const ag_scan *scan;
    ag_real *frame;
    int squared, any; /* any: counts have come, of which a lazy scan is not known to have some */
};

static ag_status
fill(void *user, int64_t j, ag_real *frame, ag_message *message)
{
    struct source *from = user;
    const ag_scan_info *info = &from->scan->info;
    const ag_real *value = from->frame;
    const ag_status status = ag_scan_frames(from->scan, j, 1, from->frame, message);
    for (int64_t y = 0; y < info->rows && !status; y++)
        for (int64_t x = 0; x < info->cols; x++, value++) {
            frame[place(info, y, x)] = from->squared ? *value * *value : *value;
            from->any |= *value != 0;
        }
    return status;
}

static void
write_detector(ag_file *file, const ag_scan *scan)
{
    const ag_scan_info *info = &scan->info;
    struct source source = {scan, ag_calloc(info->rows * info->cols, sizeof(ag_real)),
                            info->data_are_amplitudes, 0};
    const int64_t shape[3] = {info->frames, info->rows, info->cols}, basis_shape[2] = {3, 2};
    const double high = info->detector_pixel[0], wide = info->detector_pixel[1];
    const double basis[6] = {0, -wide, -high, 0, 0, 0};
    const double corner[3] = {((double)(info->cols / 2) + 0.5) * wide,
                              ((double)(info->rows / 2) + 0.5) * high, info->distance};
    ag_file_write_group(file, CXI_DETECTOR, "NXdetector");
    if (!source.frame)
        ag_file_no_memory(file, CXI_DATA, info->rows * info->cols * (int64_t)sizeof(ag_real));
    ag_file_write_frames(file, CXI_DATA, shape, fill, &source);
    ag_file_write_attribute(file, CXI_DATA, "axes", "translation:y:x");
    if (!source.any)
        ag_file_refuse(file, CXI_DATA,
                       "cannot be written: all counts of all %lld frames are 0, "
                       "expected a measurement",
                       (long long)info->frames);
    source.squared = 0;
    if (info->data_are_amplitudes)
        ag_file_write_frames(file, CXI_AMPLITUDE, shape, fill, &source);
    free(source.frame);
    ag_file_write_number(file, CXI_DISTANCE, info->distance, "m");
    if (info->geometry == AG_NEAR_FIELD)
        ag_file_write_text(file, CXI_GEOMETRY, CXI_NEAR_FIELD);
    if (info->focus_distance > 0)
        ag_file_write_number(file, CXI_FOCUS, info->focus_distance, "m");
    ag_file_write_number(file, CXI_Y_PIXEL, high, "m");
    ag_file_write_number(file, CXI_X_PIXEL, wide, "m");
    ag_file_write(file, CXI_BASIS, AG_KIND_DOUBLE, 2, basis_shape, basis);
    ag_file_write(file, CXI_CORNER, AG_KIND_DOUBLE, 1, (const int64_t[]){3}, corner);
    if (info->valid) {
        uint32_t *mask = ag_calloc(info->rows * info->cols, sizeof *mask);
        for (int64_t y = 0; mask && y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++)
                mask[place(info, y, x)] = !info->valid[y * info->cols + x];
        if (mask)
            ag_file_write_mask(file, CXI_MASK, info->rows, info->cols, mask);
        else
            ag_file_no_memory(file, CXI_MASK, info->rows * info->cols * (int64_t)sizeof *mask);
        free(mask);
    }
}

/* Rows run along -y and columns along -x, which makes the translation (column, row, 0). */
static void
write_translation(ag_file *file, const ag_scan_info *info)
{
    const int64_t shape[2] = {info->frames, 3};
    const int64_t object[2] = {info->object_rows, info->object_cols};
    const double high = ag_scan_pixel(info, 0), wide = ag_scan_pixel(info, 1);
    double *translation = ag_calloc(info->frames, 3 * sizeof *translation);
    if (!translation)
        ag_file_no_memory(file, CXI_TRANSLATION, info->frames * 3 * (int64_t)sizeof *translation);
    for (int64_t j = 0; translation && j < info->frames; j++) {
        translation[3 * j] = info->position[2 * j + 1] * wide;
        translation[3 * j + 1] = info->position[2 * j] * high;
    }
    ag_file_write_group(file, "entry_1/sample_1", "NXsample");
    ag_file_write_group(file, "entry_1/sample_1/geometry_1", "NXgeometry");
    ag_file_write(file, CXI_TRANSLATION, AG_KIND_DOUBLE, 2, shape, translation);
    ag_file_write_attribute(file, CXI_TRANSLATION, "units", "m");
    ag_file_write_pair(file, CXI_TRANSLATION, CXI_OBJECT_SHAPE, object);
    ag_file_write(file, CXI_CORNER_PX, AG_KIND_DOUBLE, 2, (const int64_t[]){info->frames, 2},
                  info->position);
    free(translation);
}

/* A CXI file knows positions only in metres and the object's pixel only through the geometry. */
static ag_status
check_geometry(const ag_scan_info *info, const char *path, ag_message *message)
{
    const struct {
        const char *name;
        double value;
    } needed[] = {
        {"wavelength", info->wavelength},
        {"distance", info->distance},
        {"detector_pixel[0]", info->detector_pixel[0]},
        {"detector_pixel[1]", info->detector_pixel[1]},
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!(needed[i].value > 0))
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "%s: cannot be written: %s of the scan is unknown, expected a length in "
                           "m, which a CXI file needs (--energy, --distance, --pixel)",
                           ag_path_tail(path), needed[i].name);
    for (int a = 0; a < 2; a++) {
        const double pixel = ag_scan_pixel(info, a);
        if (info->pixel[a] > 0 && fabs(info->pixel[a] / pixel - 1) > 1e-6)
            return ag_fail(
                message, AG_BAD_ARGUMENT,
                "%s: cannot be written: pixel[%d] of the scan is %g m, expected %s = %g m, which "
                "readers of CXI files assume",
                ag_path_tail(path), a, info->pixel[a],
                info->geometry == AG_NEAR_FIELD ? "detector pixel / magnification"
                                                : "wavelength x distance / (size x detector pixel)",
                pixel);
    }
    return AG_OK;
}

ag_status
ag_scan_write(const ag_scan *scan, const char *path, ag_message *message)
{
    ag_file file;
    if (!scan || !path)
        return ag_fail(message, AG_BAD_ARGUMENT, "scan, path: NULL, expected both");
    const ag_scan_info info = scan->info;
    ag_status status = check_geometry(&info, path, message);
    if (!status)
        status = ag_file_create(&file, path, message);
    if (status)
        return status;

    ag_file_write_entry(&file, "data_1");
    ag_file_write_group(&file, "entry_1/instrument_1", "NXinstrument");
    ag_file_write_group(&file, CXI_SOURCE, "NXsource");
    ag_file_write_number(&file, CXI_WAVELENGTH, info.wavelength, "m");
    ag_file_write_number(&file, CXI_ENERGY, AG_HC / info.wavelength, "J");
    if (info.probe)
        ag_file_write(&file, CXI_PROBE, AG_KIND_COMPLEX, 3,
                      (const int64_t[]){info.modes, info.rows, info.cols}, info.probe);
    write_detector(&file, scan);
    write_translation(&file, &info);
    ag_file_write_group(&file, "entry_1/data_1", "NXdata");
    ag_file_write_attribute(&file, "entry_1/data_1", "signal", "data");
    ag_file_write_link(&file, CXI_LINKED_DATA, "/" CXI_DATA);
    ag_file_write_link(&file, CXI_LINKED_PLACES, "/" CXI_TRANSLATION);
    if (info.object) {
        ag_file_write_group(&file, "entry_1/image_1", "NXdata");
        ag_file_write_attribute(&file, "entry_1/image_1", "signal", "data");
        ag_file_write(&file, CXI_IMAGE, AG_KIND_COMPLEX, 2,
                      (const int64_t[]){info.object_rows, info.object_cols}, info.object);
    }
    return ag_file_finish(&file);
}
