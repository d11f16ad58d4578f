/* SPDX-License-Identifier: BSD-3-Clause */
/* result.c -- reconstructions as HDF5 files; doc/result-file.md has the layout. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cxi.h"

#define OBJECT    "entry_1/object"
#define PROBE     "entry_1/probe"
#define POSITIONS "entry_1/positions"
#define HISTORY   "entry_1/history"
#define PROCESS   "entry_1/process_1"
#define SOURCE    "entry_1/instrument_1/source_1"
#define DETECTOR  "entry_1/instrument_1/detector_1"

/* Members that are one number or one text, with their places; the order is that of writing. */
static const struct {
    const char *field, *unit;
    size_t offset;
    int positive; /* a length: 0 = unknown, and then left out */
} numbers[] = {
    {OBJECT "/y_pixel_size", "m", offsetof(ag_result, pixel), 1},
    {OBJECT "/x_pixel_size", "m", offsetof(ag_result, pixel) + sizeof(double), 1},
    {SOURCE "/wavelength", "m", offsetof(ag_result, wavelength), 1},
    {DETECTOR "/distance", "m", offsetof(ag_result, distance), 1},
    {CXI_FOCUS, "m", offsetof(ag_result, focus_distance), 1},
    {DETECTOR "/y_pixel_size", "m", offsetof(ag_result, detector_pixel), 1},
    {DETECTOR "/x_pixel_size", "m", offsetof(ag_result, detector_pixel) + sizeof(double), 1},
    {PROCESS "/relative_l2", NULL, offsetof(ag_result, quality.relative_l2), 0},
    {PROCESS "/r_factor", NULL, offsetof(ag_result, quality.r_factor), 0},
    {PROCESS "/run_seconds", "s", offsetof(ag_result, run_seconds), 0},
};
static const struct {
    const char *field;
    size_t offset;
} texts[] = {
    {PROCESS "/version", offsetof(ag_result, version)},
    {PROCESS "/device", offsetof(ag_result, device)},
    {PROCESS "/plan", offsetof(ag_result, plan)},
    {PROCESS "/source", offsetof(ag_result, source)},
    {PROCESS "/options", offsetof(ag_result, options)},
};
/* One number for each iteration. */
static const struct {
    const char *field;
    size_t offset;
} curves[] = {
    {HISTORY "/error", offsetof(ag_result, error)},
    {HISTORY "/seconds", offsetof(ag_result, seconds)},
    {HISTORY "/modulus_residual", offsetof(ag_result, modulus_residual)},
    {HISTORY "/overlap_residual", offsetof(ag_result, overlap_residual)},
};
#define COUNT(table) (sizeof table / sizeof *table)

static double *
number_at(const ag_result *result, size_t i)
{
    return (double *)((char *)result + numbers[i].offset);
}

static const char **
text_at(const ag_result *result, size_t i)
{
    return (const char **)((char *)result + texts[i].offset);
}

static const double **
curve_at(const ag_result *result, size_t i)
{
    return (const double **)((char *)result + curves[i].offset);
}

static ag_status
check(const ag_result *result, const char *path, ag_message *message)
{
    const struct {
        const char *name;
        const void *value;
        int64_t size[3];
    } array[] = {
        {"object", result->object, {result->layers, result->object_rows, result->object_cols}},
        {"probe", result->probe, {result->modes, result->rows, result->cols}},
        {"corner", result->corner, {result->frames, 2, 1}},
        {"eigen-probes", result->eigen, {result->opr_modes, result->rows, result->cols}},
        {"weights of eigen-probes", result->eigen_weight, {result->frames, 1 + result->opr_modes, 1}},
    };
    for (size_t i = 0; i < COUNT(array) - (result->opr_modes ? 0 : 2); i++) {
        int64_t left = INT64_MAX / (int64_t)sizeof(ag_complex);
        for (int a = 0; a < 3; a++)
            left = array[i].size[a] > 0 ? left / array[i].size[a] : 0;
        if (!array[i].value || left == 0)
            return ag_fail(message, AG_BAD_ARGUMENT,
                           "%s: cannot be written: the result has %s %s of %lld x %lld x %lld, "
                           "expected an array",
                           ag_path_tail(path), array[i].value ? "an" : "no", array[i].name,
                           (long long)array[i].size[0], (long long)array[i].size[1],
                           (long long)array[i].size[2]);
    }
    if (result->iterations < 0)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "%s: cannot be written: the result has %lld iterations", ag_path_tail(path),
                       (long long)result->iterations);
    return AG_OK;
}

/* Arrays that `silx view` and others plot at once. */
static void
write_plot(ag_file *file, const char *group, const char *signal)
{
    ag_file_write_group(file, group, "NXdata");
    ag_file_write_attribute(file, group, "signal", signal);
}

static void
write_detector(ag_file *file, const ag_result *result)
{
    ag_file_write_group(file, "entry_1/instrument_1", "NXinstrument");
    ag_file_write_group(file, SOURCE, "NXsource");
    ag_file_write_group(file, DETECTOR, "NXdetector");
    if (result->wavelength > 0)
        ag_file_write_number(file, SOURCE "/energy", AG_HC / result->wavelength, "J");
    if (result->geometry == AG_NEAR_FIELD)
        ag_file_write_text(file, CXI_GEOMETRY, CXI_NEAR_FIELD);
    if (result->background)
        ag_file_write(file, DETECTOR "/background", AG_KIND_DOUBLE, 2, (const int64_t[]){result->rows, result->cols}, result->background);
    if (!result->valid)
        return;
    const int64_t area = result->rows * result->cols;
    uint32_t *mask = ag_calloc(area, sizeof *mask);
    for (int64_t i = 0; mask && i < area; i++)
        mask[i] = !result->valid[i];
    if (mask)
        ag_file_write_mask(file, DETECTOR "/mask", result->rows, result->cols, mask);
    else
        ag_file_no_memory(file, DETECTOR "/mask", area * (int64_t)sizeof *mask);
    free(mask);
}

static void
write_history(ag_file *file, const ag_result *result)
{
    if (result->iterations == 0 || !(result->error || result->seconds))
        return;
    write_plot(file, HISTORY, result->error ? "error" : "seconds");
    for (size_t i = 0; i < COUNT(curves); i++)
        if (*curve_at(result, i))
            ag_file_write(file, curves[i].field, AG_KIND_DOUBLE, 1, &result->iterations, *curve_at(result, i));
    if (result->error)
        ag_file_write_attribute(file, HISTORY "/error", "long_name", "running error, relative L2 of the amplitudes");
}

ag_status
ag_result_write(const char *path, const ag_result *result, ag_message *message)
{
    ag_file file;
    if (!path || !result)
        return ag_fail(message, AG_BAD_ARGUMENT, "path, result: NULL, expected both");
    ag_status status = check(result, path, message);
    if (!status)
        status = ag_file_create(&file, path, message);
    if (status)
        return status;

    ag_file_write_entry(&file, "object");
    write_plot(&file, OBJECT, "data");
    ag_file_write(&file, OBJECT "/data", AG_KIND_COMPLEX, 3,
                  (const int64_t[]){result->layers, result->object_rows, result->object_cols},
                  result->object);
    ag_file_write_group(&file, "entry_1/image_1", "NXdata");
    ag_file_write_attribute(&file, "entry_1/image_1", "signal", "data");
    ag_file_write_link(&file, "entry_1/image_1/data", "/" OBJECT "/data");
    write_plot(&file, PROBE, "data");
    ag_file_write(&file, PROBE "/data", AG_KIND_COMPLEX, 3,
                  (const int64_t[]){result->modes, result->rows, result->cols}, result->probe);
    if (result->power)
        ag_file_write(&file, PROBE "/power", AG_KIND_DOUBLE, 1, &result->modes, result->power);
    if (result->opr_modes) {
        ag_file_write(&file, PROBE "/eigen_probes", AG_KIND_COMPLEX, 3,
                      (const int64_t[]){result->opr_modes, result->rows, result->cols}, result->eigen);
        ag_file_write(&file, PROBE "/eigen_weights", AG_KIND_DOUBLE, 2,
                      (const int64_t[]){result->frames, 1 + result->opr_modes}, result->eigen_weight);
    }
    ag_file_write_group(&file, POSITIONS, "NXcollection");
    ag_file_write(&file, POSITIONS "/corner_px", AG_KIND_DOUBLE, 2,
                  (const int64_t[]){result->frames, 2}, result->corner);
    write_detector(&file, result);
    write_history(&file, result);
    ag_file_write_group(&file, PROCESS, "NXprocess");
    ag_file_write_text(&file, PROCESS "/program", "argand");
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!numbers[i].positive || *number_at(result, i) > 0)
            ag_file_write_number(&file, numbers[i].field, *number_at(result, i), numbers[i].unit);
    for (size_t i = 0; i < COUNT(texts); i++)
        ag_file_write_text(&file, texts[i].field, *text_at(result, i));
    ag_file_write_int(&file, PROCESS "/iterations", result->iterations);
    /* A seed from 2^63 on becomes the negative number of the same bits. */
    ag_file_write_int(&file, PROCESS "/seed", (int64_t)result->seed);
    return ag_file_finish(&file);
}

/* (layers, rows, cols), or (rows, cols) for one layer. */
static ag_complex *
read_stack(ag_file *file, const char *field, int64_t *layers, int64_t *rows, int64_t *cols)
{
    char found[100];
    int64_t shape[AG_FILE_RANK];
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return NULL;
    if (rank != 2 && rank != 3) {
        ag_file_refuse(file, field, "has shape %s, expected (layers, rows, columns)",
                       ag_file_shape_text(found, sizeof found, rank, shape));
        return NULL;
    }
    *layers = rank == 3 ? shape[0] : 1;
    *rows = shape[rank - 2];
    *cols = shape[rank - 1];
    return ag_file_read(file, field, AG_KIND_COMPLEX, rank, shape);
}

static int64_t
read_int(ag_file *file, const char *field)
{
    int64_t *value =
        ag_file_named(file, field) ? ag_file_read(file, field, AG_KIND_INT, 0, NULL) : NULL;
    const int64_t result = value ? *value : 0;
    free(value);
    return result;
}

static void
read_mask(ag_file *file, ag_result *result)
{
    if (!ag_file_named(file, DETECTOR "/mask"))
        return;
    const int64_t area = result->rows * result->cols;
    int64_t *mask = ag_file_read(file, DETECTOR "/mask", AG_KIND_INT, 2,
                                 (const int64_t[]){result->rows, result->cols});
    uint8_t *valid = mask ? ag_calloc(area, 1) : NULL;
    for (int64_t i = 0; valid && i < area; i++)
        valid[i] = mask[i] == 0;
    if (mask && !valid)
        ag_file_no_memory(file, DETECTOR "/mask", area);
    result->valid = valid;
    free(mask);
}

static double *
read_curve(ag_file *file, const char *field, int64_t count)
{
    return ag_file_named(file, field) ? ag_file_read(file, field, AG_KIND_DOUBLE, 1, &count) : NULL;
}

static void
read_eigen(ag_file *file, ag_result *result)
{
    int64_t rows = 0, cols = 0;
    result->eigen = read_stack(file, PROBE "/eigen_probes", &result->opr_modes, &rows, &cols);
    if (result->eigen && (rows != result->rows || cols != result->cols))
        ag_file_refuse(file, PROBE "/eigen_probes", "has frames of %lld x %lld, expected the probe's %lld x %lld", (long long)rows,
                       (long long)cols, (long long)result->rows, (long long)result->cols);
    result->eigen_weight = ag_file_read(file, PROBE "/eigen_weights", AG_KIND_DOUBLE, 2,
                                        (const int64_t[]){result->frames, 1 + result->opr_modes});
}

static void
read_all(ag_file *file, ag_result *result)
{
    int64_t shape[AG_FILE_RANK] = {0};
    result->object = read_stack(file, OBJECT "/data", &result->layers, &result->object_rows,
                                &result->object_cols);
    result->probe = read_stack(file, PROBE "/data", &result->modes, &result->rows, &result->cols);
    result->power = read_curve(file, PROBE "/power", result->modes);
    ag_file_shape(file, POSITIONS "/corner_px", shape);
    result->frames = shape[0];
    result->corner = ag_file_read(file, POSITIONS "/corner_px", AG_KIND_DOUBLE, 2,
                                  (const int64_t[]){result->frames, 2});
    for (int64_t j = 0; result->corner && j < 2 * result->frames; j++)
        if (!isfinite(result->corner[j]))
            ag_file_refuse(file, POSITIONS "/corner_px",
                           "frame %lld has %g, expected finite numbers", (long long)(j / 2),
                           result->corner[j]);
    if (ag_file_named(file, PROBE "/eigen_probes"))
        read_eigen(file, result);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (!ag_file_named(file, numbers[i].field))
            continue;
        const double value = ag_file_number(file, numbers[i].field);
        if (numbers[i].positive && !(value > 0 && isfinite(value)))
            ag_file_refuse(file, numbers[i].field, "is %g, expected a positive number", value);
        *number_at(result, i) = value;
    }
    for (size_t i = 0; i < COUNT(texts); i++)
        *text_at(result, i) = ag_file_text(file, texts[i].field);
    char *propagation = ag_file_named(file, CXI_GEOMETRY) ? ag_file_text(file, CXI_GEOMETRY) : NULL;
    result->geometry =
        propagation && !strcmp(propagation, CXI_NEAR_FIELD) ? AG_NEAR_FIELD : AG_FAR_FIELD;
    free(propagation);
    result->iterations = read_int(file, PROCESS "/iterations");
    result->seed = (uint64_t)read_int(file, PROCESS "/seed");
    if (result->iterations < 0)
        ag_file_refuse(file, PROCESS "/iterations", "is %lld, expected 0 or more",
                       (long long)result->iterations);
    for (size_t i = 0; i < COUNT(curves); i++)
        *curve_at(result, i) = read_curve(file, curves[i].field, result->iterations);
    if (ag_file_named(file, DETECTOR "/background"))
        result->background = ag_file_read(file, DETECTOR "/background", AG_KIND_DOUBLE, 2, (const int64_t[]){result->rows, result->cols});
    read_mask(file, result);
}

ag_status
ag_result_read(ag_result **result, const char *path, ag_message *message)
{
    ag_file file;
    if (!result || !path)
        return ag_fail(message, AG_BAD_ARGUMENT, "result, path: NULL, expected both");
    *result = NULL;
    ag_result *made = ag_calloc(1, sizeof *made);
    if (!made)
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(path));
    ag_status status = ag_file_open(&file, path, message);
    if (!status) {
        read_all(&file, made);
        ag_file_close(&file);
        status = file.status;
    }
    if (status) {
        ag_result_destroy(made);
        return status;
    }
    *result = made;
    return AG_OK;
}

void
ag_result_destroy(ag_result *result)
{
    if (!result)
        return;
    free((void *)result->object);
    free((void *)result->probe);
    free((void *)result->power);
    free((void *)result->eigen);
    free((void *)result->eigen_weight);
    free((void *)result->background);
    free((void *)result->corner);
    free((void *)result->valid);
    for (size_t i = 0; i < COUNT(curves); i++)
        free((void *)*curve_at(result, i));
    for (size_t i = 0; i < COUNT(texts); i++)
        free((void *)*text_at(result, i));
    free(result);
}
