/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_read.c -- CXI files as different programs write them, and real ones. */
#include "t5_scan.h"

#include <stdio.h>

START_TEST(plain)
{
    const char *path = file_named("plain.cxi");
    H5Fclose(scan_file(path, FRAMES));
    ag_scan *scan = must_read(path);
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert(info->frames == FRAMES && info->rows == ROWS && info->cols == COLS);
    for (int64_t i = 0; i < FRAMES * ROWS * COLS; i++)
        ck_assert(info->data[i] == (ag_real)count_at(i / (ROWS * COLS), i % (ROWS * COLS)));
    must_have_places(scan);
    ck_assert(info->wavelength == length_of_wave && info->distance == length_to_detector);
    ck_assert(info->detector_pixel[0] == pixel_high && info->detector_pixel[1] == pixel_wide);
    ck_assert_double_eq_tol(info->pixel[0], object_pixel(0), 1e-15);
    ck_assert_double_eq_tol(info->pixel[1], object_pixel(1), 1e-15);
    ck_assert(!info->valid && !info->probe && !info->object && !info->zero_in_corner);
    ck_assert(!info->data_are_amplitudes);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(counts_of_any_type)
{
    const hid_t types[] = {H5T_STD_U8BE,  H5T_STD_I16LE,  H5T_STD_U32BE,
                           H5T_STD_I64LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE};
    const char *path = file_named("types.cxi");
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        int32_t counts[FRAMES * ROWS * COLS];
        hid_t file = scan_file(path, FRAMES);
        hid_t id = H5Dopen2(file, DATA, H5P_DEFAULT);
        H5Dread(id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
        H5Dclose(id);
        drop(file, DATA);
        put(file, DATA, types[k], 3, (const int64_t[]){FRAMES, ROWS, COLS}, NULL);
        id = H5Dopen2(file, DATA, H5P_DEFAULT);
        H5Dwrite(id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, counts);
        H5Dclose(id);
        H5Fclose(file);
        ag_scan *scan = must_read(path);
        for (int64_t i = 0; i < FRAMES * ROWS * COLS; i++)
            ck_assert(ag_scan_content(scan)->data[i] == (ag_real)counts[i]);
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(data_1_present_empty_or_broken)
{
    const char *path = file_named("data_1.cxi");
    for (int k = 0; k < 4; k++) {
        hid_t file = scan_file(path, FRAMES);
        H5Gclose(H5Gcreate2(file, LINK, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        if (k == 1) /* usual */
            H5Lcreate_soft("/" DATA, file, LINK "/data", H5P_DEFAULT, H5P_DEFAULT);
        if (k == 2) /* leads nowhere */
            H5Lcreate_soft("/none", file, LINK "/data", H5P_DEFAULT, H5P_DEFAULT);
        if (k == 3) { /* the only way to the data */
            H5Lmove(file, DATA, file, LINK "/data", H5P_DEFAULT, H5P_DEFAULT);
            H5Lmove(file, TRANSLATION, file, LINK "/translation", H5P_DEFAULT, H5P_DEFAULT);
        }
        H5Fclose(file);
        ag_scan *scan = must_read(path);
        ck_assert(ag_scan_content(scan)->data[1] == (ag_real)count_at(0, 1));
        must_have_places(scan);
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(mask_bits)
{
    const char *path = file_named("mask.cxi");
    uint32_t mask[ROWS * COLS] = {1, 2, 4, 8, 16, 128, 512, 1024, 4096, 4097, 0x80000000u, 0};
    hid_t file = scan_file(path, FRAMES);
    drop(file, MASK);
    put(file, MASK, H5T_NATIVE_UINT32, 2, (const int64_t[]){ROWS, COLS}, mask);
    H5Fclose(file);
    ag_scan *scan = must_read(path);
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert_ptr_nonnull(info->valid);
    for (int i = 0; i < ROWS * COLS; i++) {
        ck_assert_int_eq(info->valid[i], mask[i] == 0 || mask[i] == 4096);
        ck_assert(info->valid[i] || info->data[i] == 0);
    }
    ag_scan_destroy(scan);

    file = scan_file(path, FRAMES);
    drop(file, MASK);
    H5Fclose(file);
    scan = must_read(path);
    ck_assert_ptr_null(ag_scan_content(scan)->valid);
    ag_scan_destroy(scan);
}
END_TEST

static ag_scan *
read_with(const char *name, double energy, double wavelength)
{
    const char *path = file_named(name);
    hid_t file = scan_file(path, FRAMES);
    drop(file, ENERGY);
    drop(file, WAVELENGTH);
    if (energy > 0)
        put_number(file, ENERGY, energy);
    if (wavelength > 0)
        put_number(file, WAVELENGTH, wavelength);
    H5Fclose(file);
    return must_read(path);
}

START_TEST(energy_and_wavelength)
{
    const double energy = 1.98644586e-25 / length_of_wave;
    ag_scan *scan = read_with("energy.cxi", energy, 0);
    ck_assert_double_eq_tol(ag_scan_content(scan)->wavelength, length_of_wave, 1e-18);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
    scan = read_with("energy.cxi", 0, length_of_wave);
    ck_assert(ag_scan_content(scan)->wavelength == length_of_wave);
    ag_scan_destroy(scan);
    scan = read_with("energy.cxi", energy * 1.0005, length_of_wave);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
    scan = read_with("energy.cxi", energy * 1.01, length_of_wave);
    must_warn(scan, "the wavelength is used");
    ck_assert(ag_scan_content(scan)->wavelength == length_of_wave);
    ag_scan_destroy(scan);
    scan = read_with("energy.cxi", 12398, length_of_wave); /* eV */
    must_warn(scan, "the wavelength is used");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(energy_of_each_frame)
{
    const char *path = file_named("energies.cxi");
    const double e = 1.98644586e-25 / length_of_wave;
    const double energy[FRAMES] = {e * 0.99, e * 1.01, e * 0.98, e * 1.02};
    hid_t file = scan_file(path, FRAMES);
    drop(file, ENERGY);
    drop(file, WAVELENGTH);
    put(file, ENERGY, H5T_NATIVE_DOUBLE, 1, (const int64_t[]){FRAMES}, energy);
    H5Fclose(file);
    ag_scan *scan = must_read(path);
    must_warn(scan, ENERGY " differs from frame to frame");
    ck_assert_double_eq_tol(ag_scan_content(scan)->wavelength, length_of_wave, 1e-16);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(numbers_in_arrays_of_one)
{
    const char *path = file_named("ones.cxi");
    const float distance = 1.5f;
    hid_t file = scan_file(path, FRAMES);
    drop(file, DISTANCE);
    put(file, DISTANCE, H5T_NATIVE_FLOAT, 2, (const int64_t[]){1, 1}, &distance);
    H5Fclose(file);
    ag_scan *scan = must_read(path);
    ck_assert(ag_scan_content(scan)->distance == length_to_detector);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(dark_and_white)
{
    const char *const names[] = {DETECTOR "/data_dark", DETECTOR "/dark"};
    const char *path = file_named("dark.cxi");
    double dark[ROWS * COLS] = {0}, white[ROWS * COLS];
    dark[0] = 1000;
    dark[1] = 2;
    for (int i = 0; i < ROWS * COLS; i++)
        white[i] = 10;
    white[2] = 5;
    white[3] = 15;
    for (int k = 0; k < 2; k++) {
        hid_t file = scan_file(path, FRAMES);
        put(file, names[k], H5T_NATIVE_DOUBLE, 2, (const int64_t[]){ROWS, COLS}, dark);
        put(file, DETECTOR "/data_white", H5T_NATIVE_DOUBLE, 2, (const int64_t[]){ROWS, COLS},
            white);
        H5Fclose(file);
        ag_scan *scan = must_read(path);
        const ag_real *data = ag_scan_content(scan)->data;
        ck_assert(data[0] == 0 && data[1] == (ag_real)(count_at(0, 1) - 2));
        ck_assert(data[2] == (ag_real)(2 * count_at(0, 2)));
        ck_assert(data[5] == (ag_real)count_at(0, 5));
        must_warn(scan, "4 of them fell below 0");
        must_warn(scan, "data_white");
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(illumination)
{
    const char *path = file_named("probe.cxi");
    double value[2 * 3 * ROWS * COLS];
    for (int i = 0; i < 2 * 3 * ROWS * COLS; i++)
        value[i] = i;
    for (int k = 0; k < 3; k++) {
        const hid_t type = k ? complex_type("real", "imag") : complex_type("r", "i");
        const int64_t size[3] = {3, ROWS, k == 2 ? COLS + 1 : COLS};
        double wide[2 * 3 * ROWS * (COLS + 1)] = {0};
        hid_t file = scan_file(path, FRAMES);
        put(file, ILLUMINATION, type, k == 0 ? 2 : 3, k == 0 ? size + 1 : size,
            k == 2 ? wide : value);
        H5Fclose(file);
        H5Tclose(type);
        ag_scan *scan = must_read(path);
        const ag_scan_info *info = ag_scan_content(scan);
        if (k == 2) {
            ck_assert_ptr_null(info->probe);
            must_warn(scan, ILLUMINATION ": has shape (3, 6, 9), expected (3, 6, 8)");
        } else {
            ck_assert_int_eq(info->modes, k ? 3 : 1);
            ck_assert(info->probe[47].re == 94 && info->probe[47].im == 95);
        }
        ag_scan_destroy(scan);
    }
}
END_TEST

TCase *
cases_read(void)
{
    TCase *tcase = tcase_create("read");
    tcase_add_test(tcase, plain);
    tcase_add_test(tcase, counts_of_any_type);
    tcase_add_test(tcase, data_1_present_empty_or_broken);
    tcase_add_test(tcase, mask_bits);
    tcase_add_test(tcase, energy_and_wavelength);
    tcase_add_test(tcase, energy_of_each_frame);
    tcase_add_test(tcase, numbers_in_arrays_of_one);
    tcase_add_test(tcase, dark_and_white);
    tcase_add_test(tcase, illumination);
    return tcase;
}

/* ---- measured files ---------------------------------------------------------------------- */

/* NULL, and the reason on the screen, when the file is not here. */
static ag_scan *
read_real(const char *name)
{
    char path[1000];
    const char *folder = getenv("ARGAND_DATA"), *source = getenv("srcdir");
    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("skip %s: not found, set ARGAND_DATA to the folder of measured scans\n", path);
        fflush(stdout);
        return NULL;
    }
    fclose(file);
    return must_read(path);
}

static void
span(const ag_scan_info *info, double found[2])
{
    for (int a = 0; a < 2; a++) {
        double least = INFINITY, most = -INFINITY;
        for (int64_t j = 0; j < info->frames; j++) {
            least = fmin(least, info->position[2 * j + a]);
            most = fmax(most, info->position[2 * j + a]);
        }
        ck_assert_double_eq_tol(least, 2, 1e-9);
        found[a] = most - least;
    }
}

START_TEST(far_field)
{
    double found[2];
    ag_scan *scan = read_real("xray-siemens-farfield/siemens_farfield.cxi");
    if (!scan)
        return;
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert(info->frames == 516 && info->rows == 128 && info->cols == 128);
    ck_assert_double_eq_tol(info->pixel[0], 29.35e-9, 0.005e-9);
    ck_assert_double_eq_tol(info->wavelength, 1.40891e-10, 1e-15);
    span(info, found);
    ck_assert_double_eq_tol(found[0], 332, 0.5);
    ck_assert_double_eq_tol(found[1], 329, 0.5);
    ck_assert(info->modes == 1 && !info->valid);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(near_field)
{
    double found[2];
    ag_scan *scan = read_real("xray-siemens-nearfield/PETRAIII_P25_Near_Field_Ptycho.cxi");
    if (!scan)
        return;
    const ag_scan_info *info = ag_scan_content(scan);
    int masked = 0;
    ck_assert(info->frames == 200 && info->rows == 100 && info->cols == 100);
    span(info, found);
    ck_assert_double_eq_tol(found[0] * info->pixel[0], 19e-6, 0.5e-6);
    ck_assert_double_eq_tol(found[1] * info->pixel[1], 20e-6, 0.5e-6);
    ck_assert_ptr_nonnull(info->valid);
    for (int i = 0; i < 100 * 100; i++)
        masked += !info->valid[i];
    ck_assert_int_eq(masked, 5);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
}
END_TEST

TCase *
cases_real(void)
{
    TCase *tcase = tcase_create("real");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, far_field);
    tcase_add_test(tcase, near_field);
    return tcase;
}
