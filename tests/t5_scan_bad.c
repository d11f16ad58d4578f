/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_bad.c -- files that have to be refused in words that help. */
#include "t5_scan.h"

#include <stdio.h>

START_TEST(not_there_or_not_hdf5)
{
    const char *path = file_named("none.cxi");
    must_refuse(path, "", "No such file");
    FILE *file = fopen(path, "w");
    fclose(file);
    must_refuse(path, "", "empty");
    file = fopen(path, "w");
    fputs("frames,rows,cols\n", file);
    fclose(file);
    must_refuse(path, "", "is not an HDF5 file");
    must_refuse("/tmp", "", "directory");
    ag_scan *scan;
    ck_assert_int_eq(ag_scan_read(&scan, NULL, NULL), AG_BAD_ARGUMENT);
}
END_TEST

/* Wherever it is cut, a file is refused. */
START_TEST(truncated)
{
    const char *path = file_named("whole.cxi"), *cut = file_named("cut.cxi");
    char bytes[1 << 16];
    H5Fclose(scan_file(path, FRAMES));
    FILE *file = fopen(path, "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert(size > 4000 && size < sizeof bytes);
    for (size_t length = size - 1; length > 101; length -= 101) {
        file = fopen(cut, "wb");
        ck_assert(fwrite(bytes, 1, length, file) == length);
        fclose(file);
        must_refuse(cut, "", "truncated");
    }
}
END_TEST

START_TEST(missing)
{
    static const char *const needed[] = {DATA, TRANSLATION, DISTANCE, X_PIXEL, Y_PIXEL};
    const char *path = file_named("missing.cxi");
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++) {
        hid_t file = scan_file(path, FRAMES);
        drop(file, needed[k]);
        H5Fclose(file);
        must_refuse(path, needed[k], "is missing");
    }
    hid_t file = scan_file(path, FRAMES);
    drop(file, "entry_1/instrument_1");
    H5Fclose(file);
    must_refuse(path, DATA, "is missing, there is no entry_1/instrument_1");
    file = scan_file(path, FRAMES);
    drop(file, ENERGY);
    drop(file, WAVELENGTH);
    H5Fclose(file);
    must_refuse(path, WAVELENGTH, "is missing and so is " ENERGY);
}
END_TEST

START_TEST(not_positive)
{
    static const char *const needed[] = {ENERGY, WAVELENGTH, DISTANCE, X_PIXEL, Y_PIXEL};
    static const struct {
        double value;
        const char *words;
    } bad[] = {{0, "is 0, expected"}, {-1e-5, "is -1e-05"}, {NAN, "nan"}, {INFINITY, "is inf"}};
    const char *path = file_named("negative.cxi");
    for (size_t k = 0; k < sizeof needed / sizeof *needed; k++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            hid_t file = scan_file(path, FRAMES);
            drop(file, needed[k]);
            put_number(file, needed[k], bad[i].value);
            H5Fclose(file);
            must_refuse(path, needed[k], bad[i].words);
        }
}
END_TEST

static void
refuse_number(const char *field, double value, const char *words)
{
    const char *path = file_named("unit.cxi");
    hid_t file = scan_file(path, FRAMES);
    if (strcmp(field, ENERGY) == 0)
        drop(file, WAVELENGTH);
    drop(file, field);
    put_number(file, field, value);
    H5Fclose(file);
    must_refuse(path, field, words);
}

START_TEST(wrong_unit)
{
    refuse_number(ENERGY, 8800, "expected joules (below 1e-10); it looks like eV");
    refuse_number(ENERGY, 8.8, "expected joules (below 1e-10); it looks like keV");
    refuse_number(WAVELENGTH, 1.4, "expected metres");
}
END_TEST

static void
refuse_array(const char *field, hid_t type, int rank, const int64_t *size, const void *value,
             const char *words)
{
    const char *path = file_named("array.cxi");
    hid_t file = scan_file(path, FRAMES);
    if (H5Lexists(file, field, H5P_DEFAULT) > 0)
        drop(file, field);
    put(file, field, type, rank, size, value);
    H5Fclose(file);
    must_refuse(path, field, words);
}

START_TEST(wrong_shape)
{
    const double zero[5 * ROWS * COLS] = {0};
    const hid_t number = H5T_NATIVE_DOUBLE;
    refuse_array(DATA, number, 2, (int64_t[]){ROWS, COLS}, zero, "(6, 8), expected (frames, rows");
    refuse_array(DATA, number, 3, (int64_t[]){FRAMES, 1, 8}, zero, "at least 2 rows");
    refuse_array(DATA, number, 3, (int64_t[]){FRAMES, 0, 8}, NULL, "is empty");
    refuse_array(TRANSLATION, number, 2, (int64_t[]){5, 3}, zero,
                 "has shape (5, 3), expected (frames, 3) = (4, 3) for the 4 frames");
    refuse_array(TRANSLATION, number, 1, (int64_t[]){12}, zero, "has shape (12)");
    refuse_array(TRANSLATION, number, 2, (int64_t[]){4, 4}, zero, "has shape (4, 4)");
    refuse_array(MASK, number, 2, (int64_t[]){COLS, ROWS}, zero, "(8, 6), expected (6, 8)");
    refuse_array(BASIS, number, 2, (int64_t[]){2, 2}, zero, "(2, 2), expected (2, 3)");
    refuse_array(BASIS, number, 2, (int64_t[]){2, 3}, zero, "expected a step of one pixel");
    refuse_array(DISTANCE, number, 1, (int64_t[]){2}, zero, "has shape (2), expected ()");
    refuse_array(DETECTOR "/data_dark", number, 2, (int64_t[]){2, 2}, zero, "(2, 2), expected");
    refuse_array(DETECTOR "/data_white", number, 1, (int64_t[]){2}, zero, "(2), expected");
}
END_TEST

START_TEST(wrong_type)
{
    const hid_t text = H5Tcopy(H5T_C_S1), pair = complex_type("r", "i");
    const double value[2 * FRAMES * ROWS * COLS] = {0};
    const char *path = file_named("group.cxi");
    refuse_array(DISTANCE, text, 0, NULL, "5", "holds text, expected numbers");
    refuse_array(DATA, pair, 3, (int64_t[]){FRAMES, ROWS, COLS}, value, "complex or compound");
    H5Tclose(text);
    H5Tclose(pair);
    hid_t file = scan_file(path, FRAMES);
    drop(file, DISTANCE);
    H5Gclose(H5Gcreate2(file, DISTANCE, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    must_refuse(path, DISTANCE, "is not a dataset");
}
END_TEST

START_TEST(wrong_values)
{
    double t[FRAMES * 3], counts[FRAMES * ROWS * COLS] = {0};
    uint32_t mask[ROWS * COLS];
    const int64_t size[3] = {FRAMES, ROWS, COLS}, places_size[2] = {FRAMES, 3};
    refuse_array(DATA, H5T_NATIVE_DOUBLE, 3, size, counts, "all counts of all 4 frames are 0");
    counts[50] = -7;
    refuse_array(DATA, H5T_NATIVE_DOUBLE, 3, size, counts, "frame 1 has -7 at row 0, column 2");
    counts[50] = NAN;
    refuse_array(DATA, H5T_NATIVE_DOUBLE, 3, size, counts, "frame 1 has");
    memset(mask, 1, sizeof mask);
    refuse_array(MASK, H5T_NATIVE_UINT32, 2, size + 1, mask, "all 48 pixels are masked");
    translations(FRAMES, t);
    t[7] = NAN;
    refuse_array(TRANSLATION, H5T_NATIVE_DOUBLE, 2, places_size, t, "frame 2 is at");
    translations(FRAMES, t);
    for (int i = 0; i < FRAMES * 3; i++)
        t[i] *= 1e6; /* micrometres */
    refuse_array(TRANSLATION, H5T_NATIVE_DOUBLE, 2, places_size, t,
                 "the unit of the positions or a pixel size is probably wrong");
}
END_TEST

START_TEST(broken_links)
{
    const char *path = file_named("links.cxi");
    hid_t file = scan_file(path, FRAMES);
    drop(file, DATA);
    H5Lcreate_soft("/elsewhere/data", file, DATA, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    must_refuse(path, DATA, "is a soft link to /elsewhere/data, which does not exist");
    file = scan_file(path, FRAMES);
    drop(file, DATA);
    H5Lcreate_external("raw_0001.h5", "/entry/data", file, DATA, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    must_refuse(path, DATA, "is an external link to /entry/data in the file raw_0001.h5");
    file = scan_file(path, FRAMES);
    drop(file, MASK);
    H5Lcreate_soft("/" MASK, file, MASK, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    must_refuse(path, MASK, "is a soft link to");
}
END_TEST

TCase *
cases_bad(void)
{
    TCase *tcase = tcase_create("bad");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, not_there_or_not_hdf5);
    tcase_add_test(tcase, truncated);
    tcase_add_test(tcase, missing);
    tcase_add_test(tcase, not_positive);
    tcase_add_test(tcase, wrong_unit);
    tcase_add_test(tcase, wrong_shape);
    tcase_add_test(tcase, wrong_type);
    tcase_add_test(tcase, wrong_values);
    tcase_add_test(tcase, broken_links);
    return tcase;
}

/* ---- filters and shapes that no file can hold ---------------------------------------------- */

static size_t
pass(unsigned flags, size_t count, const unsigned *values, size_t bytes, size_t *size, void **data)
{
    (void)flags, (void)count, (void)values, (void)size, (void)data;
    return bytes;
}

/* Puts the data in chunks of one frame, with the filter if it is not 0. */
static void
put_chunks(hid_t file, const hsize_t size[3], H5Z_filter_t filter, const void *value)
{
    const hsize_t chunk[3] = {1, ROWS, COLS};
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, size, NULL);
    H5Pset_chunk(layout, 3, chunk);
    if (filter)
        H5Pset_filter(layout, filter, H5Z_FLAG_MANDATORY, 0, NULL);
    drop(file, DATA);
    const hid_t id =
        H5Dcreate2(file, DATA, H5T_NATIVE_INT32, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    ck_assert(id >= 0);
    ck_assert(!value || H5Dwrite(id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(layout);
}

static void
refuse_filter(H5Z_filter_t id, const char *words)
{
    const H5Z_class2_t class = {H5Z_CLASS_T_VERS, id, 1, 1, "test filter", NULL, NULL, pass};
    const char *path = file_named("filter.cxi");
    int32_t counts[FRAMES * ROWS * COLS] = {1, 2, 3};
    if (H5Zfilter_avail(id) > 0) {
        printf("skip missing filter %d: its plugin is installed here\n", (int)id);
        fflush(stdout);
        return;
    }
    ck_assert(H5Zregister(&class) >= 0);
    hid_t file = scan_file(path, FRAMES);
    put_chunks(file, (const hsize_t[]){FRAMES, ROWS, COLS}, id, counts);
    H5Fclose(file);
    ag_scan *scan = must_read(path);
    ck_assert(ag_scan_content(scan)->data[2] == 3);
    ag_scan_destroy(scan);
    ck_assert(H5Zunregister(id) >= 0);
    must_refuse(path, DATA, words);
}

START_TEST(missing_filter)
{
    refuse_filter(32099, "HDF5 filter 32099 (test filter), which is not available here");
    refuse_filter(32008, "HDF5 filter 32008 (bitshuffle)");
    refuse_filter(32008, "install the package bitshuffle");
    refuse_filter(32004, "HDF5 filter 32004 (LZ4)");
    refuse_filter(32001, "HDF5 filter 32001 (Blosc)");
}
END_TEST

START_TEST(impossible_shape)
{
    static const struct {
        hsize_t size[3];
        const char *words;
    } shapes[] = {
        {{(hsize_t)1 << 40, ROWS, COLS}, "claims to hold"},
        {{(hsize_t)1 << 24, 1 << 10, 1 << 10}, "claims to hold"},
        {{FRAMES, (hsize_t)1 << 25, (hsize_t)1 << 25}, "claims to hold"},
        {{(hsize_t)1 << 58, ROWS, COLS}, "more elements than memory"},
    };
    const char *path = file_named("huge.cxi");
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        hid_t file = scan_file(path, FRAMES);
        put_chunks(file, shapes[k].size, 0, NULL);
        H5Fclose(file);
        must_refuse(path, DATA, shapes[k].words);
    }
    hid_t file = scan_file(path, FRAMES);
    drop(file, DATA);
    put(file, DATA, H5T_NATIVE_INT32, 3, (const int64_t[]){1 << 20, 1 << 10, 1 << 10}, NULL);
    H5Fclose(file);
    must_refuse(path, DATA, "claims to hold");
}
END_TEST

TCase *
cases_hostile(void)
{
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, missing_filter);
    tcase_add_test(tcase, impossible_shape);
    return tcase;
}
