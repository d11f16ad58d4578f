/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_files.c -- makes and reads the small scans of t5_scan. */
#include "t5_scan.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

const double length_of_wave = 1e-10, length_to_detector = 1.5, pixel_high = 2e-5, pixel_wide = 1e-5;
const double places[FRAMES][2] = {{10, 20}, {12.5, 20.25}, {15, 27}, {11, 24}};

static char folder[64] = "/tmp/argand-t5-XXXXXX";

double
object_pixel(int axis)
{
    return length_of_wave * length_to_detector /
           (axis == 0 ? ROWS * pixel_high : COLS * pixel_wide);
}

int32_t
count_at(int64_t frame, int64_t pixel)
{
    return (int32_t)((frame * 7 + pixel * 13) % 101 + 3);
}

void
translations(int64_t frames, double *t)
{
    for (int64_t j = 0; j < frames; j++) {
        t[3 * j] = places[j][1] * object_pixel(1);
        t[3 * j + 1] = places[j][0] * object_pixel(0);
        t[3 * j + 2] = 0;
    }
}

void
folder_make(void)
{
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(99);
    }
}

const char *
file_named(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

int
files_with_prefix(const char *prefix)
{
    DIR *open = opendir(folder);
    int found = 0;
    ck_assert_ptr_nonnull(open);
    for (struct dirent *entry; (entry = readdir(open));)
        found += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(open);
    return found;
}

void
folder_remove(void)
{
    DIR *open = opendir(folder);
    if (!open)
        return;
    for (struct dirent *entry; (entry = readdir(open));)
        if (entry->d_name[0] != '.')
            remove(file_named(entry->d_name));
    closedir(open);
    rmdir(folder);
}

void
put(hid_t file, const char *field, hid_t type, int rank, const int64_t *size, const void *value)
{
    hsize_t length[4];
    for (int a = 0; a < rank; a++)
        length[a] = (hsize_t)size[a];
    const hid_t link = H5Pcreate(H5P_LINK_CREATE);
    const hid_t space = rank ? H5Screate_simple(rank, length, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(link, 1);
    const hid_t id = H5Dcreate2(file, field, type, space, link, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_msg(id >= 0, "%s", field);
    ck_assert(!value || H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(link);
}

void
put_number(hid_t file, const char *field, double value)
{
    put(file, field, H5T_NATIVE_DOUBLE, 0, NULL, &value);
}

void
drop(hid_t file, const char *field)
{
    ck_assert_msg(H5Ldelete(file, field, H5P_DEFAULT) >= 0, "%s", field);
}

hid_t
complex_type(const char *re, const char *im)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
    H5Tinsert(type, re, 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(type, im, sizeof(double), H5T_NATIVE_DOUBLE);
    return type;
}

hid_t
scan_file(const char *path, int64_t frames)
{
    const double basis[6] = {0, -pixel_wide, -pixel_high, 0, 0, 0};
    int32_t counts[FRAMES * ROWS * COLS];
    double t[FRAMES * 3];
    const uint32_t mask[ROWS * COLS] = {0};
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(file >= 0);
    for (int64_t j = 0; j < frames; j++)
        for (int64_t i = 0; i < ROWS * COLS; i++)
            counts[j * ROWS * COLS + i] = count_at(j, i);
    translations(frames, t);
    put(file, DATA, H5T_NATIVE_INT32, 3, (const int64_t[]){frames, ROWS, COLS}, counts);
    put(file, TRANSLATION, H5T_NATIVE_DOUBLE, 2, (const int64_t[]){frames, 3}, t);
    put(file, BASIS, H5T_NATIVE_DOUBLE, 2, (const int64_t[]){3, 2}, basis);
    put(file, MASK, H5T_NATIVE_UINT32, 2, (const int64_t[]){ROWS, COLS}, mask);
    put_number(file, WAVELENGTH, length_of_wave);
    put_number(file, ENERGY, 1.98644586e-25 / length_of_wave);
    put_number(file, DISTANCE, length_to_detector);
    put_number(file, X_PIXEL, pixel_wide);
    put_number(file, Y_PIXEL, pixel_high);
    return file;
}

ag_scan *
must_read(const char *path)
{
    ag_scan *scan;
    ag_message message = {""};
    const ag_status status = ag_scan_read(&scan, path, &message);
    ck_assert_msg(status == AG_OK, "%s", message.text);
    return scan;
}

void
must_refuse(const char *path, const char *field, const char *words)
{
    ag_scan *scan = (ag_scan *)1;
    ag_message message = {""};
    const ag_status status = ag_scan_read(&scan, path, &message);
    ck_assert_msg(status == AG_BAD_FILE || status == AG_FILE_ERROR, "%s: %s", field, words);
    ck_assert_ptr_null(scan);
    ck_assert_msg(strstr(message.text, path), "no file in: %s", message.text);
    ck_assert_msg(strstr(message.text, field), "no %s in: %s", field, message.text);
    ck_assert_msg(strstr(message.text, words), "no '%s' in: %s", words, message.text);
    ck_assert_int_eq(ag_scan_read(&scan, path, NULL), status);
}

void
must_warn(const ag_scan *scan, const char *words)
{
    ck_assert_msg(strstr(ag_scan_warnings(scan), words), "no '%s' in: %s", words,
                  ag_scan_warnings(scan));
}

void
must_have_places(const ag_scan *scan)
{
    const ag_scan_info *info = ag_scan_content(scan);
    for (int64_t j = 0; j < 2 * info->frames; j++)
        ck_assert_double_eq_tol(info->position[j], places[j / 2][j & 1] - places[0][j & 1] + 2,
                                1e-6);
}
