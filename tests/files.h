/* SPDX-License-Identifier: BSD-3-Clause */
/* files.h -- one small scan in every format, written by HDF5, libzip and hand. */
#ifndef AG_TESTS_FILES_H
#define AG_TESTS_FILES_H

#include <hdf5.h>
#include <stdint.h>
#include <zip.h>

enum { SIZE = 32, FRAMES = 12, SLOW = 3, FAST = 4 };

/* Counts with the zero frequency at the centre, whole numbers; positions in object pixels, row
   first, those of a raster that was not met exactly; a probe; all but the counts centred.  */
typedef struct small_scan {
    float count[FRAMES][SIZE][SIZE];
    double place[FRAMES][2];
    float probe[SIZE][SIZE][2];
    double wavelength, distance, detector_pixel, pixel; /* m */
} small_scan;
void small_scan_make(small_scan *scan);

/* ---- HDF5 ---- */
void put(hid_t file, const char *field, hid_t type, int rank, const int64_t *size,
         const void *value);
void put_number(hid_t file, const char *field, double value);
void put_text(hid_t file, const char *field, const char *text);
/* Attributes: of numbers, of text. */
void put_attribute(hid_t file, const char *field, const char *name, int count, const double *value);
void put_words(hid_t file, const char *field, const char *name, const char *text);
hid_t put_complex(void);
hid_t new_file(const char *path);
/* Frames in chunks of one, with a filter if it is not 0: 0 when that cannot write here. */
int put_filtered(hid_t file, const char *field, H5Z_filter_t filter, int64_t frames,
                 const void *value);

/* ---- npy, npz, bytes ---- */
typedef struct bytes {
    char *data;
    size_t size;
} bytes;
/* An npy with this header text for its dictionary. */
bytes npy_text(const char *dictionary, const void *value, size_t size);
bytes npy(const char *type, int fortran, int rank, const int64_t *shape, const void *value);
typedef struct member {
    const char *name;
    bytes content; /* freed by npz */
} member;
/* Ends with no name; `deflate` or stored. */
void npz(const char *path, int deflate, const member *members);
bytes load(const char *path);
void save(const char *path, const void *data, size_t size);
/* The file within bzip2. */
void pack_bzip2(const char *from, const char *to);

/* ---- formats ---- */
void write_tike(const small_scan *scan, const char *path, int deflate);
/* kind: 0 amplitudes, 1 counts as int32, 2 (N, N, frames), 3 Fortran order, 4 big-endian */
void write_pinn(const small_scan *scan, const char *path, int kind);
/* `linked`: the second chunk is an external link to this file. */
void write_ptypy(const small_scan *scan, const char *path, const char *linked);
/* Frames go to a file of their own where it is named, else in another order into the same. */
void write_product(const small_scan *scan, const char *path, const char *frames);
void write_product_npz(const small_scan *scan, const char *path);
/* raster: (slow, fast, rows, columns), motors in um; else translations in mm */
void write_nexus(const small_scan *scan, const char *path, int raster);
/* A master with external links to two files, or with a virtual dataset; a filter or 0. */
int write_eiger(const small_scan *scan, const char *path, const char *const part[2], int is_virtual,
                H5Z_filter_t filter);
/* Positions as text, unit in metres. */
void write_positions(const small_scan *scan, const char *path, const char *head, double unit);

#endif
