/* SPDX-License-Identifier: BSD-3-Clause */
/* files.c -- the means: HDF5 fields, npy and npz, and the scan that all formats hold. */
#include "files.h"

#include <bzlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(99);
    }
}

void
small_scan_make(small_scan *s)
{
    s->wavelength = 1.5e-10;
    s->distance = 2;
    s->detector_pixel = 1e-4;
    s->pixel = s->wavelength * s->distance / (SIZE * s->detector_pixel);
    for (int j = 0; j < FRAMES; j++) {
        s->place[j][0] = 4.25 * (j / FAST) + 0.3 * sin(j * 1.7);
        s->place[j][1] = 3.75 * (j % FAST) + 0.3 * cos(j * 2.3);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++) {
                const double r = hypot(y - SIZE / 2 - 0.5, x - SIZE / 2 + 0.25);
                s->count[j][y][x] = (float)floor(4000 * exp(-r * r / 30) * (2 + cos(0.7 * r + j)) +
                                                 (y * 3 + x * 5 + j * 7) % 4);
            }
    }
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const double r = hypot(y - SIZE / 2, x - SIZE / 2);
            s->probe[y][x][0] = (float)(exp(-r * r / 60) * cos(0.02 * r * r));
            s->probe[y][x][1] = (float)(exp(-r * r / 60) * sin(0.02 * r * r));
        }
}

/* ---- HDF5 -------------------------------------------------------------------------------------- */

hid_t
new_file(const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    must(file >= 0, path);
    return file;
}

static void
put_with(hid_t file, const char *field, hid_t type, int rank, const int64_t *size,
         const void *value, hid_t layout)
{
    hsize_t length[8];
    for (int a = 0; a < rank; a++)
        length[a] = (hsize_t)size[a];
    const hid_t link = H5Pcreate(H5P_LINK_CREATE);
    const hid_t space = rank ? H5Screate_simple(rank, length, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(link, 1);
    const hid_t id = H5Dcreate2(file, field, type, space, link, layout, H5P_DEFAULT);
    must(id >= 0 && (!value || H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0),
         field);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(link);
}

void
put(hid_t file, const char *field, hid_t type, int rank, const int64_t *size, const void *value)
{
    put_with(file, field, type, rank, size, value, H5P_DEFAULT);
}

int
put_filtered(hid_t file, const char *field, H5Z_filter_t filter, int64_t frames, const void *value)
{
    const hsize_t chunk[3] = {1, SIZE, SIZE};
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    unsigned can = 0;
    H5Pset_chunk(layout, 3, chunk);
    if (filter && (H5Zfilter_avail(filter) <= 0 || H5Zget_filter_info(filter, &can) < 0 ||
                   !(can & H5Z_FILTER_CONFIG_ENCODE_ENABLED))) {
        H5Pclose(layout);
        return 0;
    }
    /* bitshuffle: blocks of its own choice, then LZ4; LZ4 alone: blocks of its own choice */
    const unsigned how[2] = {0, 2};
    if (filter)
        H5Pset_filter(layout, filter, H5Z_FLAG_MANDATORY, filter == 32008 ? 2 : 0, how);
    put_with(file, field, H5T_NATIVE_FLOAT, 3, (int64_t[]){frames, SIZE, SIZE}, value, layout);
    H5Pclose(layout);
    return 1;
}

void
put_number(hid_t file, const char *field, double value)
{
    put(file, field, H5T_NATIVE_DOUBLE, 0, NULL, &value);
}

static hid_t
text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    return type;
}

void
put_text(hid_t file, const char *field, const char *text)
{
    const hid_t type = text_type();
    put(file, field, type, 0, NULL, &text);
    H5Tclose(type);
}

void
put_attribute(hid_t file, const char *field, const char *name, int count, const double *value)
{
    const hsize_t size = (hsize_t)count;
    const hid_t space = count > 1 ? H5Screate_simple(1, &size, NULL) : H5Screate(H5S_SCALAR);
    const hid_t id = H5Acreate_by_name(file, field, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    must(id >= 0 && H5Awrite(id, H5T_NATIVE_DOUBLE, value) >= 0, name);
    H5Aclose(id);
    H5Sclose(space);
}

void
put_words(hid_t file, const char *field, const char *name, const char *text)
{
    const hid_t space = H5Screate(H5S_SCALAR), type = text_type();
    const hid_t id =
        H5Acreate_by_name(file, field, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    must(id >= 0 && H5Awrite(id, type, &text) >= 0, name);
    H5Aclose(id);
    H5Tclose(type);
    H5Sclose(space);
}

hid_t
put_complex(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(float));
    H5Tinsert(type, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(type, "i", sizeof(float), H5T_NATIVE_FLOAT);
    return type;
}

/* ---- npy, npz, bytes ------------------------------------------------------------------------------ */

bytes
npy_text(const char *dictionary, const void *value, size_t size)
{
    const size_t text = strlen(dictionary);
    bytes b = {malloc(10 + text + size), 10 + text + size};
    must(b.data != NULL, "memory");
    memcpy(b.data, "\x93NUMPY\x01\0", 8);
    b.data[8] = (char)(text & 255);
    b.data[9] = (char)(text >> 8);
    memcpy(b.data + 10, dictionary, text);
    if (size)
        memcpy(b.data + 10 + text, value, size);
    return b;
}

bytes
npy(const char *type, int fortran, int rank, const int64_t *shape, const void *value)
{
    char text[300];
    size_t used, size = (size_t)atoi(type + 2);
    used = (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': (",
                            type, fortran ? "True" : "False");
    for (int a = 0; a < rank; a++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%lld, ", (long long)shape[a]);
        size *= (size_t)shape[a];
    }
    snprintf(text + used, sizeof text - used, "), }   \n");
    return npy_text(text, value, size);
}

void
npz(const char *path, int deflate, const member *members)
{
    remove(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    must(zip != NULL, path);
    for (int i = 0; members[i].name; i++) {
        char name[100];
        snprintf(name, sizeof name, "%s.npy", members[i].name);
        zip_source_t *source =
            zip_source_buffer(zip, members[i].content.data, members[i].content.size, 1);
        const zip_int64_t k = zip_file_add(zip, name, source, 0);
        must(k >= 0 && !zip_set_file_compression(zip, (zip_uint64_t)k,
                                                 deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0),
             name);
    }
    must(zip_close(zip) == 0, path);
}

bytes
load(const char *path)
{
    FILE *file = fopen(path, "rb");
    must(file != NULL, path);
    fseek(file, 0, SEEK_END);
    bytes b = {NULL, (size_t)ftell(file)};
    rewind(file);
    b.data = malloc(b.size + 1);
    must(b.data && fread(b.data, 1, b.size, file) == b.size, path);
    fclose(file);
    return b;
}

void
save(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    must(file && (size == 0 || fwrite(data, 1, size, file) == size), path);
    must(fclose(file) == 0, path);
}

void
pack_bzip2(const char *from, const char *to)
{
    bytes plain = load(from);
    unsigned size = (unsigned)(plain.size + plain.size / 50 + 1000);
    char *packed = malloc(size);
    must(packed && BZ2_bzBuffToBuffCompress(packed, &size, plain.data, (unsigned)plain.size, 9, 0,
                                            0) == BZ_OK,
         to);
    save(to, packed, size);
    free(packed);
    free(plain.data);
}
