/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan.h -- small scans as HDF5 files for the tests of the io floor, made by HDF5 alone. */
#ifndef AG_TESTS_T5_SCAN_H
#define AG_TESTS_T5_SCAN_H

#include <check.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "argand.h"

enum { FRAMES = 4, ROWS = 6, COLS = 8 };

#define SOURCE       "entry_1/instrument_1/source_1"
#define DETECTOR     "entry_1/instrument_1/detector_1"
#define ENERGY       SOURCE "/energy"
#define WAVELENGTH   SOURCE "/wavelength"
#define ILLUMINATION SOURCE "/illumination"
#define DATA         DETECTOR "/data"
#define DISTANCE     DETECTOR "/distance"
#define X_PIXEL      DETECTOR "/x_pixel_size"
#define Y_PIXEL      DETECTOR "/y_pixel_size"
#define BASIS        DETECTOR "/basis_vectors"
#define MASK         DETECTOR "/mask"
#define TRANSLATION  "entry_1/sample_1/geometry_1/translation"
#define LINK         "entry_1/data_1"

extern const double length_of_wave, length_to_detector, pixel_high, pixel_wide;
/* Row and column of each window, before they are moved. */
extern const double places[FRAMES][2];

/* Object pixel along rows (0) or columns (1). */
double object_pixel(int axis);
/* The count of a pixel of a frame. */
int32_t count_at(int64_t frame, int64_t pixel);
/* Translations of the first `frames` places, (frames, 3). */
void translations(int64_t frames, double *t);

/* The name of a file in the folder of this run; valid for the next three calls too. */
const char *file_named(const char *name);
void folder_make(void);
void folder_remove(void);
/* Files in the folder whose name begins so. */
int files_with_prefix(const char *prefix);

/* A complete scan of the given number of frames; the caller changes it and closes it. */
hid_t scan_file(const char *path, int64_t frames);
void put(hid_t file, const char *field, hid_t type, int rank, const int64_t *size,
         const void *value);
void put_number(hid_t file, const char *field, double value);
/* Removes what is there before putting something else. */
void drop(hid_t file, const char *field);
/* A compound of two doubles with these names. */
hid_t complex_type(const char *re, const char *im);

/* Reads a scan that has to be fine. */
ag_scan *must_read(const char *path);
/* Reads a scan that has to be refused in words that hold the file, the field and `words`. */
void must_refuse(const char *path, const char *field, const char *words);
void must_warn(const ag_scan *scan, const char *words);
/* The windows of the places, moved so that the margin is left. */
void must_have_places(const ag_scan *scan);

TCase *cases_check(void);
TCase *cases_create(void);
TCase *cases_read(void);
TCase *cases_shapes(void);
TCase *cases_bad(void);
TCase *cases_hostile(void);
TCase *cases_write(void);
TCase *cases_real(void);

#endif
