/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats.c -- one scan in every format gives the same content and the same reconstruction. */
#include "t5_formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Frames of a master that a link leads to are beside the master. */
START_TEST(link_to_master)
{
    ag_import import = import_of("link.h5");
    import.positions = "um.csv";
    import.position_unit = "um";
    write_positions(&truth, "um.csv", "", 1e-6);
    ck_assert(mkdir("below", 0777) == 0 && symlink("below/master.h5", "link.h5") == 0);
    head();
    for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
        const char *const part[2] = {"below/one.h5", "below/two.h5"};
        write_eiger(&truth, "below/master.h5", part, is_virtual, 0);
        same(is_virtual ? "link to a master, virtual" : "link to a master, links", &import, 1, 0);
        import.path = "below/master.h5";
        same("master in another folder", &import, 1, 0);
        import.path = "link.h5";
    }
}
END_TEST

START_TEST(frames_here_positions_there)
{
    static const struct {
        const char *name, *frames, *positions, *unit;
    } row[] = {
        {"frames npy, positions csv um", "f.npy", "um.csv", "um"},
        {"frames npy, Fortran order", "turned.npy", "px.csv", "px"},
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
    static float turned[SIZE][SIZE][FRAMES];
    for (int i = 0; i < FRAMES * AREA; i++)
        turned[i % SIZE][i % AREA / SIZE][i / AREA] =
            truth.count[i / AREA][i % AREA / SIZE][i % SIZE];
    b = npy("<f4", 1, 3, shape, turned);
    save("turned.npy", b.data, b.size);
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
    tcase_add_test(tcase, link_to_master);
    tcase_add_test(tcase, frames_here_positions_there);
    add_cut_tests(tcase);
    add_lazy_tests(tcase);
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
