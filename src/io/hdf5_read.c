/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_read.c -- fields of an HDF5 file, which may be damaged or made with ill intent. */
#include <stdlib.h>
#include <string.h>

#include "io.h"

/* A dataset of more bytes than this has to be backed by at least one byte in the file for
   each MAX_RATIO bytes; gzip reaches about 1030.  */
#define FREE_BYTES ((int64_t)1 << 28)
#define MAX_RATIO  4096

static const struct {
    int id;
    const char *name, *advice;
} filters[] = {
    {H5Z_FILTER_DEFLATE, "gzip", "an HDF5 library built with zlib"},
    {H5Z_FILTER_SZIP, "szip", "an HDF5 library built with szip"},
    {307, "bzip2", "the package hdf5-filter-plugin"},
    {32000, "LZF", "the package hdf5-plugin-lzf"},
    {32001, "Blosc", "the package hdf5-filter-plugin-blosc-serial"},
    {32004, "LZ4", "the package hdf5-filter-plugin"},
    {32008, "bitshuffle", "the package hdf5-filter-plugin"},
    {32013, "ZFP", "the package hdf5-filter-plugin-zfp-serial"},
    {32015, "Zstandard", "its HDF5 plugin"},
    {32026, "Blosc2", "its HDF5 plugin"},
};

static void
describe_link(ag_file *file, const char *part, char *why, size_t size)
{
    char value[512] = "";
    const char *target = "", *other = "";
    unsigned flags;
    H5L_info_t info;
    if (H5Lget_info(file->id, part, &info, H5P_DEFAULT) < 0 || info.u.val_size >= sizeof value ||
        H5Lget_val(file->id, part, value, sizeof value, H5P_DEFAULT) < 0)
        snprintf(why, size, "%s leads nowhere", part);
    else if (info.type == H5L_TYPE_SOFT)
        snprintf(why, size, "%s is a soft link to %s, which does not exist", part, value);
    else if (info.type == H5L_TYPE_EXTERNAL &&
             H5Lunpack_elink_val(value, info.u.val_size, &flags, &other, &target) >= 0)
        snprintf(why, size, "%s is an external link to %s in the file %s, which cannot be opened",
                 part, target, other);
    else
        snprintf(why, size, "%s is damaged", part);
}

/* Walks down to `field`: 1 when it leads to something, else 0 and the reason.  `named` tells
   whether each step has at least a name.  */
static int
resolve(ag_file *file, const char *field, int *named, char *why, size_t size)
{
    char part[256];
    const char *end = field;
    *named = 0;
    while (*end) {
        end += strcspn(end, "/");
        snprintf(part, sizeof part, "%.*s", (int)(end - field), field);
        if (H5Lexists(file->id, part, H5P_DEFAULT) <= 0) {
            snprintf(why, size, "is missing%s%s", *end ? ", there is no " : "", *end ? part : "");
            return 0;
        }
        if (H5Oexists_by_name(file->id, part, H5P_DEFAULT) <= 0) {
            *named = 1;
            describe_link(file, part, why, size);
            return 0;
        }
        end += *end == '/';
    }
    *named = 1;
    return 1;
}

int
ag_file_named(ag_file *file, const char *field)
{
    char why[600];
    int named;
    if (file->status)
        return 0;
    resolve(file, field, &named, why, sizeof why);
    return named;
}

/* Opens a dataset and takes its shape, refusing what no array can have. */
static hid_t
open_field(ag_file *file, const char *field, int *rank, int64_t shape[AG_FILE_RANK], int64_t *count)
{
    char why[600];
    int named;
    hsize_t size[H5S_MAX_RANK];
    if (file->status)
        return -1;
    if (!resolve(file, field, &named, why, sizeof why)) {
        ag_file_refuse(file, field, "%s", why);
        return -1;
    }
    const hid_t id = H5Oopen(file->id, field, H5P_DEFAULT);
    if (id < 0) {
        ag_file_refuse(file, field, "cannot be opened: %s", ag_file_reason(why, sizeof why));
        return -1;
    }
    if (H5Iget_type(id) != H5I_DATASET) {
        ag_file_refuse(file, field, "is not a dataset, expected one");
        H5Oclose(id);
        return -1;
    }
    const hid_t space = H5Dget_space(id);
    const int null = H5Sget_simple_extent_type(space) == H5S_NULL;
    *rank = H5Sget_simple_extent_ndims(space);
    *count = null ? 0 : 1;
    if (*rank < 0 || *rank > AG_FILE_RANK)
        ag_file_refuse(file, field, "has %d axes, expected at most %d", *rank, AG_FILE_RANK);
    else if (H5Sget_simple_extent_dims(space, size, NULL) != *rank)
        ag_file_refuse(file, field, "has no shape: %s", ag_file_reason(why, sizeof why));
    for (int a = 0; !file->status && a < *rank; a++) {
        const uint64_t most = (uint64_t)INT64_MAX / sizeof(ag_complex) / sizeof(double);
        if (size[a] > most || (*count > 0 && size[a] > most / (uint64_t)*count))
            ag_file_refuse(file, field,
                           "axis %d has length %llu: more elements than memory can "
                           "address",
                           a, (unsigned long long)size[a]);
        else
            *count *= (int64_t)size[a];
        shape[a] = (int64_t)size[a];
    }
    H5Sclose(space);
    if (!file->status && *count == 0)
        ag_file_refuse(file, field, "is empty, expected numbers; its shape is %s",
                       ag_file_shape_text(why, sizeof why, *rank, shape));
    if (file->status) {
        H5Oclose(id);
        return -1;
    }
    return id;
}

int
ag_file_has(ag_file *file, const char *field)
{
    ag_file quiet = *file;
    int rank;
    int64_t shape[AG_FILE_RANK], count;
    quiet.message = NULL;
    const hid_t id = open_field(&quiet, field, &rank, shape, &count);
    if (id >= 0)
        H5Oclose(id);
    return id >= 0;
}

int
ag_file_shape(ag_file *file, const char *field, int64_t shape[AG_FILE_RANK])
{
    int rank;
    int64_t count;
    const hid_t id = open_field(file, field, &rank, shape, &count);
    if (id < 0)
        return -1;
    H5Oclose(id);
    return rank;
}

static void
check_filters(ag_file *file, const char *field, hid_t layout)
{
    const int count = H5Pget_nfilters(layout);
    for (int i = 0; i < count && !file->status; i++) {
        unsigned flags, info;
        size_t none = 0;
        char name[64] = "";
        const char *advice = "its HDF5 plugin";
        const H5Z_filter_t id =
            H5Pget_filter2(layout, (unsigned)i, &flags, &none, NULL, sizeof name, name, &info);
        if (id >= 0 && H5Zfilter_avail(id) > 0)
            continue;
        for (size_t k = 0; k < sizeof filters / sizeof *filters; k++)
            if (filters[k].id == id) {
                snprintf(name, sizeof name, "%s", filters[k].name);
                advice = filters[k].advice;
            }
        ag_file_refuse(file, field,
                       "is compressed with HDF5 filter %d (%.60s), which is not available here; "
                       "install %s, or set HDF5_PLUGIN_PATH to the folder that has the plugin",
                       (int)id, *name ? name : "no name", advice);
    }
}

/* A few bytes can claim any shape; this is found out before memory is asked for. */
static void
check_storage(ag_file *file, const char *field, hid_t id, hid_t layout, int64_t count)
{
    const hid_t type = H5Dget_type(id), holder = H5Iget_file_id(id);
    const int64_t element = (int64_t)H5Tget_size(type);
    const H5D_layout_t kind = H5Pget_layout(layout);
    hsize_t bytes = 0;
    if (element <= 0 || count > INT64_MAX / element)
        ag_file_refuse(file, field, "has %lld elements of %lld bytes, more than fits",
                       (long long)count, (long long)element);
    else if (kind != H5D_VIRTUAL && H5Pget_external_count(layout) == 0 &&
             count * element > FREE_BYTES && H5Fget_filesize(holder, &bytes) >= 0) {
        const hsize_t stored = AG_MIN(H5Dget_storage_size(id), bytes);
        const hsize_t ratio = kind == H5D_CHUNKED ? MAX_RATIO : 1;
        if ((hsize_t)(count * element) / ratio > stored)
            ag_file_refuse(file, field,
                           "claims to hold %lld bytes, of which the file stores only %llu: it is "
                           "damaged or was never filled",
                           (long long)(count * element), (unsigned long long)stored);
    }
    H5Fclose(holder);
    H5Tclose(type);
}

/* Whether a member of a compound is a number that lies within it, which HDF5 leaves unchecked. */
static int
is_part(hid_t type, int member)
{
    if (member < 0 || H5Tget_member_class(type, (unsigned)member) != H5T_FLOAT)
        return 0;
    const hid_t part = H5Tget_member_type(type, (unsigned)member);
    const size_t offset = H5Tget_member_offset(type, (unsigned)member), whole = H5Tget_size(type);
    const int fits = offset < whole && H5Tget_size(part) <= whole - offset;
    H5Tclose(part);
    return fits;
}

/* The memory type that suits the numbers in the file, or a failure. */
static hid_t
memory_type(ag_file *file, const char *field, hid_t id, ag_kind kind)
{
    static const char *const names[][2] = {{"r", "i"}, {"real", "imag"}, {"re", "im"}};
    const hid_t type = H5Dget_type(id);
    const H5T_class_t class = H5Tget_class(type);
    hid_t result = -1;
    if (kind != AG_KIND_COMPLEX) {
        if (class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM)
            result = ag_file_type(kind, NULL, NULL);
        else
            ag_file_refuse(file, field, "holds %s, expected numbers",
                           class == H5T_STRING     ? "text"
                           : class == H5T_COMPOUND ? "complex or compound values"
                                                   : "values of an unknown type");
    } else if (class == H5T_COMPOUND && H5Tget_nmembers(type) == 2) {
        for (size_t k = 0; k < sizeof names / sizeof *names && result < 0; k++) {
            const int re = H5Tget_member_index(type, names[k][0]);
            const int im = H5Tget_member_index(type, names[k][1]);
            if (is_part(type, re) && is_part(type, im))
                result = ag_file_type(kind, names[k][0], names[k][1]);
        }
    }
    if (result < 0)
        ag_file_refuse(file, field,
                       "holds no complex numbers, expected a compound of r and i or of real and "
                       "imag");
    H5Tclose(type);
    return result;
}

static int
same_shape(int rank, const int64_t *shape, int expected_rank, const int64_t *expected)
{
    while (rank > 0 && *shape == 1)
        rank--, shape++;
    while (expected_rank > 0 && *expected == 1)
        expected_rank--, expected++;
    return rank == expected_rank &&
           (rank == 0 || memcmp(shape, expected, (size_t)rank * sizeof *shape) == 0);
}

void *
ag_file_read(ag_file *file, const char *field, ag_kind kind, int rank, const int64_t *expected)
{
    char found[100], wanted[256];
    int has;
    int64_t shape[AG_FILE_RANK], count;
    const hid_t id = open_field(file, field, &has, shape, &count);
    if (id < 0)
        return NULL;
    const hid_t layout = H5Dget_create_plist(id);
    if (!same_shape(has, shape, rank, expected))
        ag_file_refuse(file, field, "has shape %s, expected %s",
                       ag_file_shape_text(found, sizeof found, has, shape),
                       ag_file_shape_text(wanted, sizeof wanted, rank, expected));
    if (!file->status)
        check_filters(file, field, layout);
    if (!file->status)
        check_storage(file, field, id, layout, count);
    const hid_t type = file->status ? -1 : memory_type(file, field, id, kind);
    void *value = NULL;
    if (!file->status) {
        value = ag_calloc(count, H5Tget_size(type));
        if (!value) {
            ag_file_no_memory(file, field, count * (int64_t)H5Tget_size(type));
        } else if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) {
            ag_file_refuse(file, field, "cannot be read: %s",
                           ag_file_reason(wanted, sizeof wanted));
            free(value);
            value = NULL;
        }
        H5Tclose(type);
    }
    H5Pclose(layout);
    H5Oclose(id);
    return value;
}

double
ag_file_number(ag_file *file, const char *field)
{
    double *value = ag_file_read(file, field, AG_KIND_DOUBLE, 0, NULL);
    const double result = value ? *value : 0;
    free(value);
    return result;
}

char *
ag_file_text(ag_file *file, const char *field)
{
    if (!ag_file_has(file, field))
        return NULL;
    char *text = NULL;
    const hid_t id = H5Oopen(file->id, field, H5P_DEFAULT);
    const hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    const size_t size = H5Tget_size(type);
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        H5Sget_simple_extent_npoints(space) == 1 && size < (size_t)FREE_BYTES) {
        text = ag_calloc((int64_t)size + 1, 1);
        if (text && H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
            free(text);
            text = NULL;
        }
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Oclose(id);
    return text;
}

int
ag_file_pair(ag_file *file, const char *field, const char *attribute, int64_t pair[2])
{
    if (!ag_file_has(file, field) ||
        H5Aexists_by_name(file->id, field, attribute, H5P_DEFAULT) <= 0)
        return 0;
    const hid_t id = H5Aopen_by_name(file->id, field, attribute, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    const int found = H5Tget_class(type) == H5T_INTEGER &&
                      H5Sget_simple_extent_npoints(space) == 2 &&
                      H5Aread(id, H5T_NATIVE_INT64, pair) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(id);
    return found;
}
