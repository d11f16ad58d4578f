/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats_lazy.c -- frames that stay in the file, which may be damaged or change. */
#include "t5_formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Frames of another size than was found when the scan was opened. */
START_TEST(lazy_and_changed)
{
    static ag_real block[FRAMES * AREA];
    const int64_t shape[3] = {FRAMES, SIZE, SIZE}, other[3] = {FRAMES, SIZE * 2, SIZE * 2};
    static float large[FRAMES][SIZE * 2][SIZE * 2];
    ag_message message = {""};
    write_positions(&truth, "px.csv", "", truth.pixel);
    write_eiger(&truth, "master.h5", (const char *const[]){"a.h5", "b.h5"}, 0, 0);
    bytes array = npy("<f4", 0, 3, shape, truth.count);
    save("frames.npy", array.data, array.size);
    free(array.data);
    for (int is_npy = 0; is_npy < 2; is_npy++) {
        ag_import import = import_of(is_npy ? NULL : "master.h5");
        import.frames = is_npy ? "frames.npy" : NULL;
        import.positions = "px.csv";
        import.position_unit = "px";
        import.lazy = 1;
        ag_scan *scan = open_scan(&import);
        ck_assert(!ag_scan_frames(scan, 0, FRAMES, block, &message));
        if (is_npy) {
            array = npy("<f4", 0, 3, other, large);
            save("frames.npy", array.data, array.size);
            free(array.data);
        } else {
            const hid_t file = new_file("a.h5");
            put(file, "entry/data/data", H5T_NATIVE_FLOAT, 3, other, large);
            H5Fclose(file);
        }
        ck_assert_int_eq(ag_scan_frames(scan, 0, 5, block, &message), AG_BAD_FILE);
        ck_assert_msg(
            strstr(message.text, "has changed while it was open: its shape is (12, 64, 64)"), "%s",
            message.text);
        ck_assert_int_eq(ag_scan_frames(scan, 0, 5, block, &message), AG_BAD_FILE);
        ag_scan_destroy(scan);
    }
}
END_TEST

void
add_lazy_tests(TCase *tcase)
{
    tcase_add_test(tcase, lazy);
    tcase_add_test(tcase, lazy_and_damaged);
    tcase_add_test(tcase, lazy_and_changed);
}
