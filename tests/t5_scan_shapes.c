/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_shapes.c -- positions and basis vectors in all the layouts that occur. */
#include "t5_scan.h"

/* Puts the translations of `frames` places as (frames, axes) or (axes, frames). */
static void
put_places(hid_t file, int64_t frames, int64_t axes, int transposed, double z)
{
    double t[FRAMES * 3], value[FRAMES * 3];
    const int64_t size[2] = {transposed ? axes : frames, transposed ? frames : axes};
    translations(frames, t);
    for (int64_t j = 0; j < frames; j++)
        for (int64_t k = 0; k < axes; k++)
            value[transposed ? k * frames + j : j * axes + k] =
                k == 2 ? z * (double)j : t[3 * j + k];
    drop(file, TRANSLATION);
    put(file, TRANSLATION, H5T_NATIVE_DOUBLE, 2, size, value);
}

static ag_scan *
read_places(int64_t frames, int64_t axes, int transposed, double z)
{
    const char *path = file_named("places.cxi");
    hid_t file = scan_file(path, frames);
    put_places(file, frames, axes, transposed, z);
    H5Fclose(file);
    return must_read(path);
}

START_TEST(four_frames)
{
    for (int k = 0; k < 4; k++) {
        ag_scan *scan = read_places(FRAMES, 2 + k / 2, k & 1, 0);
        must_have_places(scan);
        ck_assert_str_eq(ag_scan_warnings(scan), "");
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(three_frames)
{
    for (int transposed = 0; transposed < 2; transposed++) {
        ag_scan *scan = read_places(3, 3, transposed, 0);
        must_have_places(scan);
        ck_assert_str_eq(ag_scan_warnings(scan), "");
        ag_scan_destroy(scan);
        scan = read_places(3, 2, transposed, 0);
        must_have_places(scan);
        ck_assert_str_eq(ag_scan_warnings(scan), "");
        ag_scan_destroy(scan);
    }
    ag_scan *scan = read_places(3, 3, 0, 1e-6);
    must_have_places(scan);
    must_warn(scan, "shape (3, 3) does not tell frames from axes");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(two_frames)
{
    for (int transposed = 0; transposed < 2; transposed++) {
        ag_scan *scan = read_places(2, 3, transposed, 0);
        must_have_places(scan);
        ck_assert_str_eq(ag_scan_warnings(scan), "");
        ag_scan_destroy(scan);
    }
    ag_scan *scan = read_places(2, 2, 0, 0);
    must_have_places(scan);
    must_warn(scan, "shape (2, 2) does not tell frames from axes");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(one_frame)
{
    ag_scan *scan = read_places(1, 3, 0, 0);
    ck_assert(ag_scan_content(scan)->position[0] == 2);
    ag_scan_destroy(scan);
}
END_TEST

static ag_scan *
read_basis(const int64_t size[2], const double *basis)
{
    const char *path = file_named("basis.cxi");
    hid_t file = scan_file(path, FRAMES);
    drop(file, BASIS);
    if (size)
        put(file, BASIS, H5T_NATIVE_DOUBLE, 2, size, basis);
    H5Fclose(file);
    return must_read(path);
}

START_TEST(basis_layouts)
{
    const double rows[6] = {0, -pixel_high, 0, -pixel_wide, 0, 0};
    const double columns[6] = {0, -pixel_wide, -pixel_high, 0, 0, 0};
    ag_scan *scan = read_basis((const int64_t[]){2, 3}, rows);
    must_have_places(scan);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
    scan = read_basis((const int64_t[]){3, 2}, columns);
    must_have_places(scan);
    ag_scan_destroy(scan);
    scan = read_basis(NULL, NULL);
    must_have_places(scan);
    must_warn(scan, BASIS " is missing");
    ag_scan_destroy(scan);
}
END_TEST

/* Rows along +y and columns along -x: rows of positions are mirrored. */
START_TEST(basis_mirrored)
{
    const double rows[6] = {0, pixel_high, 0, -pixel_wide, 0, 0};
    ag_scan *scan = read_basis((const int64_t[]){2, 3}, rows);
    const ag_scan_info *info = ag_scan_content(scan);
    for (int j = 0; j < FRAMES; j++) {
        ck_assert_double_eq_tol(info->position[2 * j], 15 - places[j][0] + 2, 1e-6);
        ck_assert_double_eq_tol(info->position[2 * j + 1], places[j][1] - 20 + 2, 1e-6);
    }
    ag_scan_destroy(scan);
}
END_TEST

/* A detector on its side: rows along -x have the pixel size of x. */
START_TEST(basis_turned)
{
    const double rows[6] = {-pixel_wide, 0, 0, 0, -pixel_high, 0};
    ag_scan *scan = read_basis((const int64_t[]){2, 3}, rows);
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert(info->detector_pixel[0] == pixel_wide && info->detector_pixel[1] == pixel_high);
    const double pixel = length_of_wave * length_to_detector / (ROWS * pixel_wide);
    ck_assert_double_eq_tol(info->pixel[0], pixel, 1e-15);
    for (int j = 0; j < FRAMES; j++)
        ck_assert_double_eq_tol(info->position[2 * j],
                                (places[j][1] - 20) * object_pixel(1) / pixel + 2, 1e-6);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(basis_of_another_length)
{
    const double rows[6] = {0, -2 * pixel_high, 0, -pixel_wide, 0, 0};
    ag_scan *scan = read_basis((const int64_t[]){2, 3}, rows);
    must_have_places(scan);
    must_warn(scan, "vector 0 has length");
    ag_scan_destroy(scan);
}
END_TEST

TCase *
cases_shapes(void)
{
    TCase *tcase = tcase_create("shapes");
    tcase_add_test(tcase, four_frames);
    tcase_add_test(tcase, three_frames);
    tcase_add_test(tcase, two_frames);
    tcase_add_test(tcase, one_frame);
    tcase_add_test(tcase, basis_layouts);
    tcase_add_test(tcase, basis_mirrored);
    tcase_add_test(tcase, basis_turned);
    tcase_add_test(tcase, basis_of_another_length);
    return tcase;
}
