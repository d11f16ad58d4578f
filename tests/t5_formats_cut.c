/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats_cut.c -- what is turned, picked, cut and corrected. */
#include "t5_formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- bad pixels ---- */

/* Masks come with frames, by whatever way these are named; one that is given replaces them. */
START_TEST(masks_beside_frames)
{
    static const char *const detector[] = {"entry/instrument/detector/detectorSpecific/pixel_mask",
                                           "bad_pixels"};
    static uint32_t bad[SIZE][SIZE];
    static double given[SIZE][SIZE];
    const int64_t shape[2] = {SIZE, SIZE};
    bad[3][4] = 2;
    given[5][6] = 1;
    npz("mask.npz", 1,
        (const member[]){{"mask", npy("<f8", 0, 2, shape, given)}, {NULL, {NULL, 0}}});
    write_positions(&truth, "px.csv", "", truth.pixel);
    write_eiger(&truth, "eiger.h5", (const char *const[]){"c.h5", "d.h5"}, 0, 0);
    write_product(&truth, "product.h5", NULL);
    for (int k = 0; k < 6; k++) {
        const char *const path = k % 2 ? "product.h5" : "eiger.h5";
        if (k < 2) {
            const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
            if (k == 0)
                H5Ldelete(file, detector[k], H5P_DEFAULT);
            put(file, detector[k], H5T_NATIVE_UINT32, 2, shape, bad);
            H5Fclose(file);
        }
        ag_import import = import_of(k < 2 ? path : NULL);
        import.frames = k < 2 ? NULL : k % 2 ? "product.h5:entry/data/data" : "eiger.h5:entry/data";
        import.positions = "px.csv";
        import.position_unit = "px";
        import.mask = k < 4 ? NULL : "mask.npz";
        ag_scan *scan = open_scan(&import);
        const uint8_t *valid = ag_scan_content(scan)->valid;
        ck_assert(valid != NULL);
        for (int i = 0; i < AREA; i++)
            ck_assert_int_eq(!valid[i], i == (k < 4 ? 3 * SIZE + 4 : 5 * SIZE + 6));
        ag_scan_destroy(scan);
    }
}
END_TEST

/* The largest number of 16 bits is no count. */
START_TEST(marked_pixels)
{
    static double mask[SIZE][SIZE];
    small_scan bad = truth;
    bad.count[0][3][4] = bad.count[0][5][6] = 65535;
    mask[3][4] = mask[5][6] = 1;
    write_nexus(&bad, "marked.nxs", 0);
    npz("mask.npz", 1,
        (const member[]){{"mask", npy("<f8", 0, 2, (const int64_t[]){SIZE, SIZE}, mask)},
                         {NULL, {NULL, 0}}});
    ag_import import = import_of("marked.nxs");
    for (import.lazy = 0; import.lazy < 2; import.lazy++) {
        import.mask = NULL;
        ag_scan *scan = open_scan(&import);
        must_warn(scan, "2 pixels of the first frame hold 65535");
        ag_scan_destroy(scan);
        import.mask = "mask.npz";
        scan = open_scan(&import);
        ck_assert(!strstr(ag_scan_warnings(scan), "65535"));
        ag_scan_destroy(scan);
    }
}
END_TEST

/* A dark frame may hold anything where the caller's mask has a bad pixel. */
START_TEST(dark_of_bad_pixels)
{
    static double dark[SIZE][SIZE], bad[SIZE][SIZE];
    const int64_t shape[2] = {SIZE, SIZE};
    ag_message message = {""};
    dark[3][4] = NAN;
    bad[3][4] = 1;
    ck_assert_msg(!ag_scan_write(plain, "dark.cxi", &message), "%s", message.text);
    const hid_t file = H5Fopen("dark.cxi", H5F_ACC_RDWR, H5P_DEFAULT);
    put(file, "entry_1/instrument_1/detector_1/data_dark", H5T_NATIVE_DOUBLE, 2, shape, dark);
    H5Fclose(file);
    npz("bad.npz", 1, (const member[]){{"bad", npy("<f8", 0, 2, shape, bad)}, {NULL, {NULL, 0}}});
    ag_import import = import_of("dark.cxi");
    ag_scan *scan;
    ck_assert_int_eq(ag_scan_open(&scan, &import, &message), AG_BAD_FILE);
    ck_assert_msg(strstr(message.text, "detector_1/data_dark: has nan at row 3, column 4"), "%s",
                  message.text);
    import.mask = "bad.npz";
    scan = open_scan(&import);
    must_warn(scan, "dark frame");
    ag_scan_destroy(scan);
}
END_TEST

void
add_cut_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, orientations, 0, AG_ORIENTATIONS);
    tcase_add_test(tcase, swap_of_lengths);
    tcase_add_test(tcase, picked_cut_corrected);
    tcase_add_test(tcase, bins_of_amplitudes);
    tcase_add_test(tcase, masks_beside_frames);
    tcase_add_test(tcase, marked_pixels);
    tcase_add_test(tcase, dark_of_bad_pixels);
}
