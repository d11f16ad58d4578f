/* SPDX-License-Identifier: BSD-3-Clause */
/* make_scan.c -- a small CXI scan with one defect, for tests of the program.

       make_scan KIND FILE          writes a scan of 16 frames of 16 x 16; kinds: see the table
       make_scan same FILE FILE     whether two results hold the same object and probe, bit for bit  */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETECTOR "entry_1/instrument_1/detector_1"
#define SOURCE   "entry_1/instrument_1/source_1"

enum { SIDE = 4, FRAMES = SIDE * SIDE, SIZE = 16, UNKNOWN_FILTER = 32008 };

static const struct kind {
    const char *name;
    const char *missing;                         /* a field that is left out */
    double wavelength, distance, pixel, spacing; /* factors; spacing is that of the positions */
    int places, rank, nan, masked, filter;
} kinds[] = {
    {"good", "", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"no-data", DETECTOR "/data", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"no-positions", "entry_1/sample_1/geometry_1/translation", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"no-wavelength", SOURCE "/wavelength", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"no-distance", DETECTOR "/distance", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"no-pixel-size", DETECTOR "/x_pixel_size", 1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"flat-data", "", 1, 1, 1, 1, FRAMES, 2, 0, 0, 0},
    {"few-positions", "", 1, 1, 1, 1, FRAMES - 2, 3, 0, 0, 0},
    {"nan-position", "", 1, 1, 1, 1, FRAMES, 3, 1, 0, 0},
    {"zero-pixel-size", "", 1, 1, 0, 1, FRAMES, 3, 0, 0, 0},
    {"negative-pixel-size", "", 1, 1, -1, 1, FRAMES, 3, 0, 0, 0},
    {"zero-wavelength", "", 0, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"negative-wavelength", "", -1, 1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"negative-distance", "", 1, -1, 1, 1, FRAMES, 3, 0, 0, 0},
    {"huge-object", "", 1, 1, 1, 1e6, FRAMES, 3, 0, 0, 0},
    {"all-masked", "", 1, 1, 1, 1, FRAMES, 3, 0, 1, 0},
    {"unknown-filter", "", 1, 1, 1, 1, FRAMES, 3, 0, 0, 1},
};

/* HDF5 says on the standard error what went wrong. */
static void
must(int64_t returned)
{
    if (returned < 0)
        exit(1);
}

static void
put(hid_t file, const struct kind *kind, const char *field, int rank, const hsize_t *size,
    const void *value, hid_t type)
{
    if (!strcmp(field, kind->missing))
        return;
    const hid_t link = H5Pcreate(H5P_LINK_CREATE), layout = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(rank, size, NULL);
    must(H5Pset_create_intermediate_group(link, 1));
    if (kind->filter && rank == 3) {
        must(H5Pset_chunk(layout, 3, size));
        must(H5Pset_filter(layout, UNKNOWN_FILTER, H5Z_FLAG_MANDATORY, 0, NULL));
    }
    const hid_t id = H5Dcreate2(file, field, type, space, link, layout, H5P_DEFAULT);
    must(id);
    must(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value));
    must(H5Dclose(id));
    H5Sclose(space);
    H5Pclose(layout);
    H5Pclose(link);
}

static void
put_number(hid_t file, const struct kind *kind, const char *field, double value)
{
    const hsize_t one = 1;
    put(file, kind, field, 1, &one, &value, H5T_NATIVE_DOUBLE);
}

/* A filter that changes nothing, under the number of one that needs a plugin. */
static size_t
as_it_is(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *room,
         void **buffer)
{
    (void)flags, (void)n, (void)values, (void)room, (void)buffer;
    return bytes;
}

static int
make(const struct kind *kind, const char *path)
{
    static float count[FRAMES][SIZE][SIZE];
    static unsigned mask[SIZE][SIZE];
    double place[FRAMES][3] = {{0}};
    const double wavelength = 1e-10, distance = 1, pixel = 1e-4;
    const double object_pixel = wavelength * distance / (SIZE * pixel);
    for (int j = 0; j < FRAMES; j++) {
        place[j][0] = kind->spacing * 3.3 * object_pixel * (j % SIDE);
        place[j][1] = kind->spacing * 3.3 * object_pixel * (j / SIDE);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++) {
                const double r = hypot(y - SIZE / 2, x - SIZE / 2);
                count[j][y][x] = (float)floor(1000 * exp(-r * r / 8) + (y * x + j) % 3);
                mask[y][x] = kind->masked ? 1 : 0;
            }
    }
    if (kind->nan)
        place[5][1] = NAN;
    static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, UNKNOWN_FILTER, 1,    1,
                                        "none",           NULL,           NULL, as_it_is};
    must(H5Zregister(&filter));
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    must(file);
    const hsize_t frames[3] = {FRAMES, SIZE, SIZE}, flat[2] = {FRAMES, SIZE * SIZE};
    const hsize_t window[2] = {SIZE, SIZE}, places[2] = {(hsize_t)kind->places, 3};
    put(file, kind, DETECTOR "/data", kind->rank, kind->rank == 3 ? frames : flat, count,
        H5T_NATIVE_FLOAT);
    put(file, kind, DETECTOR "/mask", 2, window, mask, H5T_NATIVE_UINT);
    put(file, kind, "entry_1/sample_1/geometry_1/translation", 2, places, place, H5T_NATIVE_DOUBLE);
    put_number(file, kind, DETECTOR "/distance", kind->distance * distance);
    put_number(file, kind, DETECTOR "/x_pixel_size", kind->pixel * pixel);
    put_number(file, kind, DETECTOR "/y_pixel_size", kind->pixel * pixel);
    put_number(file, kind, SOURCE "/wavelength", kind->wavelength * wavelength);
    must(H5Fclose(file));
    return 0;
}

/* The bytes of a dataset, as they are in the file. */
static char *
bytes_of(const char *path, const char *field, size_t *bytes)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    must(file);
    const hid_t id = H5Dopen2(file, field, H5P_DEFAULT);
    must(id);
    const hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    *bytes = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
    char *value = malloc(*bytes);
    must(value ? H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) : -1);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(id);
    H5Fclose(file);
    return value;
}

static int
differ(const char *first, const char *second)
{
    static const char *const field[] = {"entry_1/object/data", "entry_1/probe/data"};
    int different = 0;
    for (int i = 0; i < 2; i++) {
        size_t n, m;
        char *a = bytes_of(first, field[i], &n), *b = bytes_of(second, field[i], &m);
        if (n != m || memcmp(a, b, n)) {
            printf("%s differs\n", field[i]);
            different = 1;
        }
        free(a);
        free(b);
    }
    return different;
}

int
main(int argc, char **argv)
{
    const size_t n = sizeof kinds / sizeof *kinds;
    if (argc == 4 && !strcmp(argv[1], "same"))
        return differ(argv[2], argv[3]);
    for (size_t i = 0; argc == 3 && i < n; i++)
        if (!strcmp(kinds[i].name, argv[1]))
            return make(&kinds[i], argv[2]);
    fprintf(stderr, "usage: make_scan KIND FILE | same FILE FILE; kinds:");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, " %s", kinds[i].name);
    fprintf(stderr, "\n");
    return 2;
}
