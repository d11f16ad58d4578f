/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats.c -- one scan in every format gives the same content and the same reconstruction; what is
   picked, cut, corrected and turned; frames that stay in the file.  */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "files.h"

enum { AREA = SIZE * SIZE };

static small_scan truth;
static ag_scan *plain; /* the truth as a scan */
static char folder[] = "/tmp/argand-formats-XXXXXX";

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

static void
enter(void)
{
    small_scan_make(&truth);
    make_plain();
    ck_assert(chdir(folder) == 0);
}

static void
leave(void)
{
    ag_scan_destroy(plain);
}

static ag_scan *
open_scan(const ag_import *import)
{
    ag_scan *scan = NULL;
    ag_message message = {""};
    ck_assert_msg(!ag_scan_open(&scan, import, &message), "%s", message.text);
    return scan;
}

static ag_import
import_of(const char *path)
{
    ag_import import;
    ag_import_default(&import);
    import.path = path;
    return import;
}

static void
must_warn(const ag_scan *scan, const char *words)
{
    ck_assert_msg(strstr(ag_scan_warnings(scan), words), "no '%s' in: %s", words,
                  ag_scan_warnings(scan));
}

/* ---- the same content ------------------------------------------------------------------------------- */

/* Counts of a pixel, wherever the frame has its zero frequency. */
static double
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
static ag_complex *
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
static void
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

static void
same(const char *what, const ag_import *import, int geometry, int probe)
{
    ag_scan *scan = open_scan(import);
    must_be_same(what, scan, geometry, probe);
    ag_scan_destroy(scan);
}

static void
head(void)
{
    printf("%-34s %9s %9s %9s %9s   %s\n", "format", "counts", "position", "pixel", "object",
           "error");
}

START_TEST(arrays)
{
    static const char *const kind[] = {"PtychoPINN, amplitudes", "PtychoPINN, int32 counts",
                                       "PtychoPINN, (N, N, frames)", "PtychoPINN, Fortran order",
                                       "PtychoPINN, big-endian"};
    ag_import import = import_of("tike.npz");
    head();
    write_tike(&truth, "tike.npz", 0);
    same("tike, stored", &import, 0, 1);
    write_tike(&truth, "tike.npz", 1);
    same("tike, deflated", &import, 0, 1);
    pack_bzip2("tike.npz", "tike.png"); /* a name says nothing */
    import.path = "tike.png";
    same("tike within bzip2", &import, 0, 1);
    import.path = "pinn.npz";
    for (int k = 0; k < 5; k++) {
        write_pinn(&truth, "pinn.npz", k);
        same(kind[k], &import, 0, 1);
        ag_scan *scan = open_scan(&import);
        must_warn(scan, k == 1 ? "whole numbers up to" : "fractional numbers up to");
        must_warn(scan, k == 1 ? "taken as counts" : "taken as amplitudes");
        ag_scan_destroy(scan);
    }
    import.wavelength = truth.wavelength;
    import.distance = truth.distance;
    import.detector_pixel[0] = import.detector_pixel[1] = truth.detector_pixel;
    same("PtychoPINN, geometry given", &import, 1, 1);
}
END_TEST

START_TEST(hdf5)
{
    ag_import import = import_of("scan.ptyd");
    head();
    write_ptypy(&truth, "scan.ptyd", NULL);
    same("ptypy", &import, 1, 0);
    write_ptypy(&truth, "scan.ptyd", "chunk.ptyd");
    same("ptypy, linked chunk", &import, 1, 0);
    import.path = "product.h5";
    write_product(&truth, "product.h5", NULL);
    same("ptychodus, mixed frames", &import, 1, 1);
    write_product_npz(&truth, "product.npz");
    import.path = "product.npz";
    same("ptychodus, npz", &import, 1, 1);
    write_product(&truth, "product.h5", "dp.h5");
    import.path = "product.h5";
    import.frames = "dp.h5:dp";
    same("pty-chi, two files", &import, 1, 1);
    import = import_of("scan.nxs");
    write_nexus(&truth, "scan.nxs", 0);
    same("NXcxi_ptycho, translation in mm", &import, 1, 0);
    write_nexus(&truth, "scan.nxs", 1);
    same("NXcxi_ptycho, raster, motors", &import, 1, 0);
    ag_message message = {""};
    ck_assert_msg(!ag_scan_write(plain, "scan.cxi", &message), "%s", message.text);
    import.path = "scan.cxi";
    same("CXI", &import, 1, 0);
}
END_TEST

/* A product may have positions of some frames only, in order or not. */
START_TEST(fewer_positions_than_frames)
{
    static const char *const list[] = {"probe_position_y_m", "probe_position_x_m",
                                       "probe_position_indexes"};
    const int64_t eight = 8;
    for (int mixed = 0; mixed < 2; mixed++) {
        int64_t index[8];
        double coordinate[2][8];
        write_product(&truth, "product.h5", NULL);
        const hid_t file = H5Fopen("product.h5", H5F_ACC_RDWR, H5P_DEFAULT);
        for (int j = 0; j < 8; j++) {
            index[j] = mixed ? 7 - j : j;
            for (int a = 0; a < 2; a++)
                coordinate[a][j] = truth.place[j][a] * truth.pixel;
        }
        for (int k = 0; k < 3; k++)
            H5Ldelete(file, list[k], H5P_DEFAULT);
        put(file, list[0], H5T_NATIVE_DOUBLE, 1, &eight, coordinate[0]);
        put(file, list[1], H5T_NATIVE_DOUBLE, 1, &eight, coordinate[1]);
        put(file, list[2], H5T_NATIVE_INT64, 1, &eight, index);
        H5Fclose(file);
        ag_import import = import_of("product.h5");
        ag_scan *scan = open_scan(&import);
        const ag_scan_info *info = ag_scan_content(scan);
        ck_assert_int_eq(info->frames, 8);
        for (int j = 0; j < 8; j++) {
            int k =
                0; /* frame index[j] of the file is that of the position whose turn is index[j] */
            while (k * 5 % FRAMES != index[j])
                k++;
            ck_assert(counts(info, info->data, j, 9, 13) == (double)truth.count[k][9][13]);
        }
        ag_scan_destroy(scan);
    }
}
END_TEST

/* The pixel of a product is that of frames as large as its probe. */
START_TEST(product_of_cut_frames)
{
    static const float probe[16][16][2] = {{{1, 0}}};
    write_product(&truth, "product.h5", NULL);
    const hid_t file = H5Fopen("product.h5", H5F_ACC_RDWR, H5P_DEFAULT), type = put_complex();
    const double pixel = truth.pixel * 2; /* half the frame */
    H5Ldelete(file, "probe", H5P_DEFAULT);
    put(file, "probe", type, 2, (int64_t[]){16, 16}, probe);
    put_attribute(file, "probe", "pixel_width_m", 1, &pixel);
    put_attribute(file, "probe", "pixel_height_m", 1, &pixel);
    H5Tclose(type);
    H5Fclose(file);
    ag_import import = import_of("product.h5");
    for (int cut = 0; cut < 2; cut++) {
        import.crop[0] = import.crop[1] = cut ? 16 : 0;
        ag_scan *scan = open_scan(&import);
        const ag_scan_info *info = ag_scan_content(scan);
        ck_assert_double_eq_tol(info->detector_pixel[1], truth.detector_pixel, 1e-10);
        ck_assert_double_eq_tol(info->pixel[0], truth.pixel * (cut + 1), 1e-14);
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(linked)
{
    static const char *const part[2] = {"part_1.h5", "part_2.h5"};
    static const struct {
        const char *name;
        H5Z_filter_t filter;
        const char *package;
    } row[] = {{"plain", 0, ""},
               {"LZ4", 32004, "hdf5-filter-plugin"},
               {"bitshuffle, LZ4", 32008, "bitshuffle"}};
    ag_import import = import_of("master.h5");
    import.positions = "um.csv";
    import.position_unit = "um";
    write_positions(&truth, "um.csv", "", 1e-6);
    head();
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
        for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
            char name[60];
            snprintf(name, sizeof name, "Eiger, %s, %s", is_virtual ? "virtual" : "links",
                     row[k].name);
            if (write_eiger(&truth, "master.h5", part, is_virtual, row[k].filter))
                same(name, &import, 1, 0);
            else
                printf("skip %s: HDF5 has no plugin for filter %d (package %s)\n", name,
                       (int)row[k].filter, row[k].package);
        }
}
END_TEST

START_TEST(frames_here_positions_there)
{
    static const struct {
        const char *name, *frames, *positions, *unit;
    } row[] = {
        {"frames npy, positions csv um", "f.npy", "um.csv", "um"},
        {"positions csv with names", "f.npy", "names.csv:second,first", "m"},
        {"positions csv in px", "f.npy", "px.csv", "px"},
        {"positions h5, unit of its own", "dp.h5:dp", "motor.h5:stage", NULL},
        {"positions of two fields", "dp.h5:/dp",
         "product.h5:/probe_position_y_m,/probe_position_x_m", NULL},
        {"positions of a product", "dp.h5:dp", "product.h5", NULL},
    };
    const int64_t shape[3] = {FRAMES, SIZE, SIZE}, pairs[2] = {FRAMES, 2};
    bytes b = npy("<f4", 0, 3, shape, truth.count);
    save("f.npy", b.data, b.size);
    free(b.data);
    write_product(&truth, "product.h5", "dp.h5");
    write_positions(&truth, "um.csv", "", 1e-6);
    write_positions(&truth, "px.csv", "", truth.pixel);
    write_positions(&truth, "names.csv", "second;first\n", 1);
    double stage[FRAMES][2];
    for (int i = 0; i < 2 * FRAMES; i++)
        stage[i / 2][i % 2] = truth.place[i / 2][i % 2] * truth.pixel * 1e9;
    const hid_t file = new_file("motor.h5");
    put(file, "stage", H5T_NATIVE_DOUBLE, 2, pairs, stage);
    put_words(file, "stage", "units", "nm");
    H5Fclose(file);
    head();
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_import import = import_of(NULL);
        import.frames = row[k].frames;
        import.positions = row[k].positions;
        import.position_unit = row[k].unit;
        import.wavelength = truth.wavelength;
        import.distance = truth.distance;
        import.detector_pixel[0] = import.detector_pixel[1] = truth.detector_pixel;
        same(row[k].name, &import, 1, 0);
    }
}
END_TEST

/* ---- the eight orientations ------------------------------------------------------------------------ */

START_TEST(orientations)
{
    const int swap = (_i & AG_SWAP) != 0;
    small_scan turned = truth;
    for (int j = 0; j < FRAMES; j++) {
        double p[2] = {truth.place[j][0], truth.place[j][1]};
        /* The way back: signs first, then the exchange. */
        p[0] = _i & AG_FLIP_ROWS ? -p[0] : p[0];
        p[1] = _i & AG_FLIP_COLS ? -p[1] : p[1];
        turned.place[j][0] = p[swap];
        turned.place[j][1] = p[!swap];
    }
    write_tike(&turned, "turned.npz", 0);
    ag_import import = import_of("turned.npz");
    import.orientation = _i;
    ag_scan *scan = open_scan(&import);
    for (int i = 0; i < 2 * FRAMES; i++)
        ck_assert_double_eq_tol(ag_scan_content(scan)->position[i],
                                ag_scan_content(plain)->position[i], 1e-12);
    ag_scan_destroy(scan);
}
END_TEST

/* With pixels that differ, lengths change places, not numbers. */
START_TEST(swap_of_lengths)
{
    double p[4] = {3, 8, -1, 0};
    const double pixel[2] = {2, 1};
    ag_positions_orient(p, 2, pixel, AG_SWAP | AG_FLIP_COLS);
    ck_assert(p[0] == 4 && p[1] == -6 && p[2] == 0 && p[3] == 2);
}
END_TEST

/* ---- what is picked and cut ------------------------------------------------------------------------- */

/* In plain words: cut around a centre, correct, bin. */
static double
expected(int64_t j, int64_t y, int64_t x, const ag_import *import, const double dark[SIZE][SIZE],
         const double flat[SIZE][SIZE], double mean)
{
    double sum = 0;
    for (int64_t a = 0; a < import->bin; a++)
        for (int64_t b = 0; b < import->bin; b++) {
            const int64_t row =
                (int64_t)import->centre[0] - import->crop[0] / 2 + y * import->bin + a;
            const int64_t col =
                (int64_t)import->centre[1] - import->crop[1] / 2 + x * import->bin + b;
            sum +=
                fmax(0, (double)truth.count[j][row][col] - dark[row][col]) * mean / flat[row][col];
        }
    return sum;
}

START_TEST(picked_cut_corrected)
{
    static double dark[SIZE][SIZE], flat[SIZE][SIZE], mask[SIZE][SIZE];
    static const int64_t wanted[] = {0, 3, 6, 8, 11}, window[2] = {SIZE, SIZE};
    double mean = 0;
    int good = 0;
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            dark[y][x] = (y * 7 + x * 3) % 5;
            flat[y][x] = 1 + 0.1 * ((y + x) % 3);
            mask[y][x] = y == 12 && x == 15;
            mean += mask[y][x] != 0 ? 0 : flat[y][x];
            good += mask[y][x] == 0;
        }
    mean /= good;
    npz("images.npz", 1,
        (const member[]){{"dark", npy("<f8", 0, 2, window, dark)},
                         {"flat", npy("<f8", 0, 2, window, flat)},
                         {"mask", npy("<f8", 0, 2, window, mask)},
                         {NULL, {NULL, 0}}});
    save("bad.txt", "9\n", 2);
    for (int corner = 0; corner < 2; corner++) {
        ag_import import = import_of(corner ? "tike.npz" : "scan.nxs");
        write_tike(&truth, "tike.npz", 1);
        write_nexus(&truth, "scan.nxs", 0);
        import.select = "0:10:3,8,11";
        import.bad_frames = "bad.txt";
        import.centre[0] = 15;
        import.centre[1] = 17;
        import.crop[0] = 24;
        import.crop[1] = 20;
        import.bin = 2;
        /* Images are those of the file's frames, which tike has in FFT order. */
        if (!corner) {
            import.dark = "images.npz:dark";
            import.flat = "images.npz:flat";
            import.mask = "images.npz:mask";
        } else {
            memset(dark, 0, sizeof dark);
            for (int i = 0; i < AREA; i++)
                flat[i / SIZE][i % SIZE] = mean;
        }
        ag_scan *scan = open_scan(&import);
        const ag_scan_info *info = ag_scan_content(scan), *whole = ag_scan_content(plain);
        ck_assert(info->frames == 5 && info->rows == 12 && info->cols == 10 &&
                  !info->zero_in_corner);
        ck_assert(!info->probe && corner == !info->valid);
        for (int64_t j = 0; j < 5; j++) {
            for (int64_t y = 0; y < 12; y++)
                for (int64_t x = 0; x < 10; x++) {
                    /* (12, 15) lies in the bin of rows 11, 12 and columns 15, 16: rows from 3, columns
                       from 7 on are kept. */
                    const int masked = !corner && y == 4 && x == 4;
                    ck_assert(!info->valid || info->valid[y * 10 + x] == !masked);
                    ck_assert_double_eq_tol(
                        (double)info->data[(j * 12 + y) * 10 + x],
                        masked ? 0 : expected(wanted[j], y, x, &import, dark, flat, mean), 2e-2);
                }
            for (int a = 0; a < 2; a++)
                ck_assert_double_eq_tol(info->position[2 * j + a] - info->position[a],
                                        (whole->position[2 * wanted[j] + a] - whole->position[a]) *
                                            (a ? 20 : 24) / SIZE,
                                        1e-6);
        }
        if (!corner) {
            ck_assert_double_eq_tol(info->detector_pixel[1], 2 * truth.detector_pixel, 1e-12);
            for (int a = 0; a < 2; a++)
                ck_assert_double_eq_tol(info->pixel[a] * (a ? 10 : 12) * info->detector_pixel[a],
                                        info->wavelength * info->distance, 1e-18);
        }
        ag_scan_destroy(scan);
    }
}
END_TEST

/* Squares of amplitudes add up. */
START_TEST(bins_of_amplitudes)
{
    write_pinn(&truth, "pinn.npz", 0);
    ag_import import = import_of("pinn.npz");
    import.bin = 4;
    ag_scan *scan = open_scan(&import);
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert(info->data_are_amplitudes && info->rows == SIZE / 4);
    import.crop[0] = import.crop[1] = SIZE;
    import.centre[0] = import.centre[1] = SIZE / 2;
    static double zero[SIZE][SIZE], one[SIZE][SIZE];
    for (int i = 0; i < AREA; i++)
        one[i / SIZE][i % SIZE] = 1;
    for (int64_t i = 0; i < info->rows * info->cols; i++) {
        const double v = (double)info->data[i];
        const double sum = expected(0, i / info->cols, i % info->cols, &import, zero, one, 1);
        ck_assert_double_eq_tol(v * v, sum, 1e-6 * sum);
    }
    import.values = AG_VALUES_COUNTS;
    ag_scan *other = open_scan(&import);
    ck_assert(!ag_scan_content(other)->data_are_amplitudes);
    ag_scan_destroy(scan);
    ag_scan_destroy(other);
}
END_TEST

/* ---- frames that stay in the file --------------------------------------------------------------------- */

START_TEST(lazy)
{
    static const char *const path[] = {"scan.nxs", "tike.npz",  "tike.bz2",
                                       "pinn.npz", "scan.ptyd", "master.h5"};
    static ag_real block[FRAMES * AREA];
    ag_message message = {""};
    write_nexus(&truth, "scan.nxs", 1);
    write_tike(&truth, "tike.npz", 1);
    pack_bzip2("tike.npz", "tike.bz2");
    write_pinn(&truth, "pinn.npz", 2);
    write_ptypy(&truth, "scan.ptyd", NULL);
    write_eiger(&truth, "master.h5", (const char *const[]){"a.h5", "b.h5"}, 0, 0);
    write_positions(&truth, "px.csv", "", truth.pixel);
    for (int k = 0; k < 12; k++) {
        ag_import import = import_of(path[k % 6]);
        double error[2];
        if (k % 6 == 5) {
            import.positions = "px.csv";
            import.position_unit = "px";
        }
        if (k >= 6) {
            import.select = "1:12:2,0,4,5";
            import.crop[0] = 24;
            import.bin = 2;
        }
        ag_scan *whole = open_scan(&import);
        import.lazy = 1;
        ag_scan *scan = open_scan(&import);
        const ag_scan_info *info = ag_scan_content(scan), *known = ag_scan_content(whole);
        const int64_t n = info->frames, area = info->rows * info->cols;
        const int64_t from[] = {0, 3, 1, n - 1, n, 0}, count[] = {n, 4, 1, 1, 0, 5};
        ck_assert(!info->data && known->data && n == known->frames);
        for (int i = 0; i < 6; i++) {
            ck_assert_msg(!ag_scan_frames(scan, from[i], count[i], block, &message), "%s",
                          message.text);
            ck_assert(!memcmp(block, known->data + from[i] * area,
                              (size_t)(count[i] * area) * sizeof *block));
        }
        ck_assert_int_eq(ag_scan_frames(scan, -1, 1, block, &message), AG_BAD_ARGUMENT);
        ck_assert_int_eq(ag_scan_frames(scan, n, 1, block, &message), AG_BAD_ARGUMENT);
        ck_assert_int_eq(ag_scan_frames(scan, 1, INT64_MAX, block, &message), AG_BAD_ARGUMENT);
        if (k < 6) {
            ag_complex *a = reconstruct(scan, &error[0]), *b = reconstruct(whole, &error[1]);
            ck_assert(!memcmp(a, b, (size_t)(info->object_rows * info->object_cols) * sizeof *a));
            ck_assert(error[0] == error[1]);
            free(a);
            free(b);
            static ag_complex guess[2][AREA];
            ck_assert(!ag_probe_guess(scan, guess[0], &message) &&
                      !ag_probe_guess(whole, guess[1], &message));
            ck_assert(!memcmp(guess[0], guess[1], sizeof guess[0]));
        }
        ag_scan_destroy(scan);
        ag_scan_destroy(whole);
    }
}
END_TEST

/* A file that is damaged or vanishes while it is open fails in words, not in the solver. */
START_TEST(lazy_and_damaged)
{
    static ag_real block[FRAMES * AREA];
    small_scan bad = truth;
    ag_message message = {""};
    bad.count[7][3][4] = -2;
    write_nexus(&bad, "bad.nxs", 0);
    ag_import import = import_of("bad.nxs");
    import.lazy = 1;
    ag_scan *scan = open_scan(&import);
    ck_assert(!ag_scan_frames(scan, 0, 7, block, &message));
    ck_assert_int_eq(ag_scan_frames(scan, 5, 4, block, &message), AG_BAD_FILE);
    ck_assert_msg(strstr(message.text,
                         "bad.nxs: entry_1/instrument_1/detector_1/data: frame 7 has -2 at "
                         "row 3, column 4"),
                  "%s", message.text);
    ck_assert(!ag_scan_frames(scan, 8, 4, block, &message)); /* others still come */
    ck_assert_int_eq(ag_scan_write(scan, "never.cxi", &message), AG_BAD_FILE);
    ck_assert(access("never.cxi", F_OK));
    ag_scan_destroy(scan);
}
END_TEST

/* ---- there and back, and the measured scan ------------------------------------------------------------ */

static void
must_be_bits(const ag_scan *a, const ag_scan *b, int probe)
{
    const ag_scan_info *x = ag_scan_content(a), *y = ag_scan_content(b);
    const int64_t area = x->rows * x->cols;
    ck_assert(x->frames == y->frames && area == y->rows * y->cols);
    ck_assert(x->object_rows == y->object_rows && x->object_cols == y->object_cols);
    ck_assert(!memcmp(x->position, y->position, (size_t)x->frames * 2 * sizeof(double)));
    for (int64_t j = 0; j < x->frames; j++)
        for (int64_t i = 0; i < area; i++)
            ck_assert(counts(x, x->data, j, i / x->cols, i % x->cols) ==
                      counts(y, y->data, j, i / x->cols, i % x->cols));
    ck_assert(!probe || !memcmp(x->probe, y->probe, (size_t)(x->modes * area) * sizeof *x->probe));
}

START_TEST(there_and_back)
{
    static const char *const path[] = {"tike.npz", "pinn.npz", "product.h5", "scan.nxs"};
    ag_message message = {""};
    write_tike(&truth, "tike.npz", 1);
    write_pinn(&truth, "pinn.npz", 0);
    write_product(&truth, "product.h5", NULL);
    write_nexus(&truth, "scan.nxs", 1);
    for (int k = 0; k < 4; k++) {
        ag_import import = import_of(path[k]);
        import.wavelength = truth.wavelength;
        import.distance = truth.distance;
        import.detector_pixel[0] = import.detector_pixel[1] = truth.detector_pixel;
        ag_scan *first = open_scan(&import);
        ck_assert_msg(!ag_scan_write(first, "one.cxi", &message), "%s", message.text);
        import = import_of("one.cxi");
        ag_scan *second = open_scan(&import);
        ck_assert(!ag_scan_write(second, "two.cxi", &message));
        must_be_bits(first, second, ag_scan_content(first)->probe != NULL);
        bytes a = load("one.cxi"), b = load("two.cxi");
        ck_assert(a.size == b.size && !memcmp(a.data, b.data, a.size));
        free(a.data);
        free(b.data);
        ag_scan_destroy(first);
        ag_scan_destroy(second);
    }
}
END_TEST

START_TEST(measured)
{
    char path[2][4096];
    const char *data = getenv("ARGAND_DATA");
    if (!data) {
        printf("skip: the measured scan, because ARGAND_DATA is not set\n");
        return;
    }
    snprintf(path[0], sizeof path[0], "%s/xray-siemens-farfield/siemens_farfield.cxi", data);
    snprintf(path[1], sizeof path[1], "%s/xray-siemens-farfield/siemens-star-small.npz.bz2", data);
    ag_import import = import_of(path[0]);
    ag_scan *cxi = open_scan(&import);
    import.path = path[1];
    ag_scan *tike = open_scan(&import);
    const ag_scan_info *a = ag_scan_content(cxi), *b = ag_scan_content(tike);
    double place = 0;
    int64_t differ = 0;
    ck_assert(a->frames == 516 && b->frames == 516 && a->rows == 128 && b->rows == 128 &&
              b->zero_in_corner);
    for (int64_t j = 0; j < a->frames; j++)
        for (int64_t i = 0; i < 128 * 128; i++)
            differ +=
                counts(a, a->data, j, i / 128, i % 128) != counts(b, b->data, j, i / 128, i % 128);
    for (int64_t i = 0; i < 2 * a->frames; i++)
        place = fmax(place, fabs(a->position[i] - b->position[i]));
    printf("measured scan, CXI and npz within bzip2: %lld counts differ, positions by up to %.1e "
           "pixels\n",
           (long long)differ, place);
    ck_assert_int_eq(differ, 0);
    ck_assert_double_le(place, 1e-5);
    ck_assert(a->object_rows == b->object_rows && a->object_cols == b->object_cols);
    ag_scan_destroy(cxi);
    ag_scan_destroy(tike);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("formats");
    TCase *tcase = tcase_create("formats");
    tcase_add_checked_fixture(tcase, enter, leave);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, arrays);
    tcase_add_test(tcase, hdf5);
    tcase_add_test(tcase, fewer_positions_than_frames);
    tcase_add_test(tcase, product_of_cut_frames);
    tcase_add_test(tcase, linked);
    tcase_add_test(tcase, frames_here_positions_there);
    tcase_add_loop_test(tcase, orientations, 0, AG_ORIENTATIONS);
    tcase_add_test(tcase, swap_of_lengths);
    tcase_add_test(tcase, picked_cut_corrected);
    tcase_add_test(tcase, bins_of_amplitudes);
    tcase_add_test(tcase, lazy);
    tcase_add_test(tcase, lazy_and_damaged);
    tcase_add_test(tcase, there_and_back);
    tcase_add_test(tcase, measured);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    if (!mkdtemp(folder))
        return 99;
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 || failed != 0;
}
