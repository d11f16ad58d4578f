/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats_truth.c -- what the tests of formats compare with: the small scan, made from its arrays, and
   what a few iterations make of it.  */
#include "t5_formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

small_scan truth;
ag_scan *plain;
char folder[] = "/tmp/argand-formats-XXXXXX";

static void
make_plain(void)
{
    ag_message message = {""};
    const ag_scan_info info = {
        .frames = FRAMES,
        .rows = SIZE,
        .cols = SIZE,
        .data = NULL,
        .position = truth.place[0],
        .wavelength = truth.wavelength,
        .distance = truth.distance,
        .detector_pixel = {truth.detector_pixel, truth.detector_pixel},
        .pixel = {truth.pixel, truth.pixel},
    };
    static ag_real data[FRAMES * AREA];
    ag_scan_info full = info;
    for (int i = 0; i < FRAMES * AREA; i++)
        data[i] = (ag_real)(&truth.count[0][0][0])[i];
    full.data = data;
    ck_assert_msg(!ag_scan_create(&plain, &full, &message), "%s", message.text);
}

void
enter(void)
{
    small_scan_make(&truth);
    make_plain();
    ck_assert(chdir(folder) == 0);
}

void
leave(void)
{
    ag_scan_destroy(plain);
}

ag_scan *
open_scan(const ag_import *import)
{
    ag_scan *scan = NULL;
    ag_message message = {""};
    ck_assert_msg(!ag_scan_open(&scan, import, &message), "%s", message.text);
    return scan;
}

ag_import
import_of(const char *path)
{
    ag_import import;
    ag_import_default(&import);
    import.path = path;
    return import;
}

void
must_warn(const ag_scan *scan, const char *words)
{
    ck_assert_msg(strstr(ag_scan_warnings(scan), words), "no '%s' in: %s", words,
                  ag_scan_warnings(scan));
}

/* ---- the same content ------------------------------------------------------------------------------- */

/* Counts of a pixel, wherever the frame has its zero frequency. */
double
counts(const ag_scan_info *info, const ag_real *data, int64_t j, int64_t y, int64_t x)
{
    if (info->zero_in_corner) {
        y = (y + info->rows - info->rows / 2) % info->rows;
        x = (x + info->cols - info->cols / 2) % info->cols;
    }
    const double v = (double)data[(j * info->rows + y) * info->cols + x];
    return info->data_are_amplitudes ? v * v : v;
}

/* Five iterations from the same start; to be freed. */
ag_complex *
reconstruct(const ag_scan *scan, double *error)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t pixels = info->object_rows * info->object_cols;
    ag_message message;
    ag_options options;
    ag_device *device;
    ag_array *object, *probe;
    ag_solver *solver;
    ag_quality quality;
    ag_complex *host = ag_calloc(pixels, sizeof *host), start[AREA];
    for (int64_t i = 0; i < pixels; i++)
        host[i].re = 1;
    for (int i = 0; i < AREA; i++)
        start[i] = (ag_complex){truth.probe[i / SIZE][i % SIZE][0] * 100,
                                truth.probe[i / SIZE][i % SIZE][1] * 100};
    ck_assert(!ag_options_default(&options, "rpie", &message));
    ck_assert_msg(!ag_device_open(&device, "cpu", &message), "%s", message.text);
    ck_assert(!ag_array_create(&object, device, AG_COMPLEX, pixels) &&
              !ag_array_create(&probe, device, AG_COMPLEX, AREA) &&
              !ag_array_write(object, 0, pixels, host) && !ag_array_write(probe, 0, AREA, start));
    ck_assert_msg(
        !ag_solver_create(&solver, device, ag_comm_self(), scan, &options, object, probe) &&
            !ag_solver_run(solver, 5, NULL, NULL) && !ag_solver_measure(solver, &quality) &&
            !ag_array_read(object, 0, pixels, host),
        "%s", ag_device_message(device));
    *error = quality.relative_l2;
    ag_solver_destroy(solver);
    ag_array_destroy(object);
    ag_array_destroy(probe);
    ag_device_close(device);
    return host;
}

/* The largest difference of two arrays of `n` reals, relative to the largest value. */
static double
distance(const void *a, const void *b, int64_t n)
{
    const ag_real *x = a, *y = b;
    double most = 0, scale = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)x[i] - (double)y[i]));
        scale = fmax(scale, fabs((double)y[i]));
    }
    return most / scale;
}

/* Compares with the truth, prints a line; amplitudes are rounded roots, geometry may be unknown. */
void
must_be_same(const char *what, const ag_scan *scan, int geometry, int probe)
{
    const ag_scan_info *info = ag_scan_content(scan), *true_info = ag_scan_content(plain);
    double data = 0, place = 0, pixel = 0, error[2];
    ck_assert_int_eq(info->frames, FRAMES);
    ck_assert(info->rows == SIZE && info->cols == SIZE && info->data);
    ck_assert(info->object_rows == true_info->object_rows &&
              info->object_cols == true_info->object_cols);
    for (int64_t j = 0; j < FRAMES; j++)
        for (int i = 0; i < AREA; i++)
            data = fmax(data, fabs(counts(info, info->data, j, i / SIZE, i % SIZE) /
                                       (double)truth.count[j][i / SIZE][i % SIZE] -
                                   1) *
                                  (truth.count[j][i / SIZE][i % SIZE] > 0));
    for (int i = 0; i < 2 * FRAMES; i++)
        place = fmax(place, fabs(info->position[i] - true_info->position[i]));
    for (int a = 0; geometry && a < 2; a++)
        pixel = fmax(pixel, fabs(info->pixel[a] / truth.pixel - 1));
    ag_complex *object = reconstruct(scan, &error[0]), *wanted = reconstruct(plain, &error[1]);
    const double away = distance(object, wanted, 2 * info->object_rows * info->object_cols);
    printf("%-34s %9.1e %9.1e %9.1e %9.1e   %.6f\n", what, data, place, pixel, away, error[0]);
    ck_assert_double_le(data, info->data_are_amplitudes ? 3e-7 : 0);
    ck_assert_double_le(place, 1e-6);
    ck_assert_double_le(pixel, 1e-6);
    ck_assert_double_le(away, 2e-4);
    ck_assert_double_eq_tol(error[0], error[1], 1e-5);
    ck_assert(error[1] > 0 && error[1] < 1);
    ck_assert_int_eq(info->modes, probe);
    ck_assert(!probe || distance(info->probe, truth.probe, 2 * AREA) == 0);
    free(object);
    free(wanted);
}
