/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_read.c -- fields of an HDF5 file, which may be damaged or made with ill intent. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hdf5.h"
#include "pack.h"

#define LONGEST_TEXT ((size_t)1 << 20)

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
    if (file->pack)
        return ag_pack_named(file, field);
    resolve(file, field, &named, why, sizeof why);
    return named;
}

hid_t
ag_hdf5_field(ag_file *file, const char *field, int *rank, int64_t shape[AG_FILE_RANK],
              int64_t *count)
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
    if (file->pack)
        return ag_file_named(file, field);
    quiet.message = NULL;
    const hid_t id = ag_hdf5_field(&quiet, field, &rank, shape, &count);
    if (id >= 0)
        H5Oclose(id);
    return id >= 0;
}

int
ag_file_shape(ag_file *file, const char *field, int64_t shape[AG_FILE_RANK])
{
    int rank;
    int64_t count;
    if (file->pack)
        return ag_pack_shape(file, field, shape);
    const hid_t id = ag_hdf5_field(file, field, &rank, shape, &count);
    if (id < 0)
        return -1;
    H5Oclose(id);
    return rank;
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

int
ag_file_fits(ag_file *file, const char *field, int rank, const int64_t *shape, int expected_rank,
             const int64_t *expected)
{
    char found[200], wanted[200];
    int n = rank, m = expected_rank;
    while (n > 0 && shape[rank - n] == 1)
        n--;
    while (m > 0 && expected[expected_rank - m] == 1)
        m--;
    if (n == m && (n == 0 || !memcmp(shape + rank - n, expected + expected_rank - n,
                                     (size_t)n * sizeof *shape)))
        return 1;
    ag_file_refuse(file, field, "has shape %s, expected %s",
                   ag_file_shape_text(found, sizeof found, rank, shape),
                   ag_file_shape_text(wanted, sizeof wanted, expected_rank, expected));
    return 0;
}

void *
ag_file_read(ag_file *file, const char *field, ag_kind kind, int rank, const int64_t *expected)
{
    char why[256];
    int has;
    int64_t shape[AG_FILE_RANK], count;
    if (file->pack)
        return ag_pack_read(file, field, kind, rank, expected);
    const hid_t id = ag_hdf5_field(file, field, &has, shape, &count);
    if (id < 0)
        return NULL;
    if (ag_file_fits(file, field, has, shape, rank, expected))
        ag_hdf5_check(file, field, id, count);
    const hid_t type = file->status ? -1 : memory_type(file, field, id, kind);
    void *value = NULL;
    if (!file->status) {
        value = ag_calloc(count, H5Tget_size(type));
        if (!value) {
            ag_file_no_memory(file, field, count * (int64_t)H5Tget_size(type));
        } else if (H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) {
            ag_file_refuse(file, field, "cannot be read: %s", ag_file_reason(why, sizeof why));
            free(value);
            value = NULL;
        }
        H5Tclose(type);
    }
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

/* The text of a dataset or an attribute of one element; `variable` text belongs to HDF5. */
static char *
take_text(hid_t id, int is_attribute)
{
    char *text = NULL, *variable = NULL;
    const hid_t type = is_attribute ? H5Aget_type(id) : H5Dget_type(id);
    const hid_t space = is_attribute ? H5Aget_space(id) : H5Dget_space(id);
    const size_t size = H5Tget_size(type);
    const int is_text =
        H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
    const int is_variable = is_text && H5Tis_variable_str(type) > 0;
    if (is_text && size < LONGEST_TEXT)
        text = is_variable ? NULL : ag_calloc((int64_t)size + 1, 1);
    void *to = is_variable ? (void *)&variable : text;
    const hid_t memory = H5Tcopy(type);
    if (to && (is_attribute ? H5Aread(id, memory, to)
                            : H5Dread(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to)) < 0) {
        free(text);
        text = NULL;
    } else if (variable) {
        text = strndup(variable, LONGEST_TEXT);
        H5free_memory(variable);
    }
    H5Tclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    return text;
}

char *
ag_file_text(ag_file *file, const char *field)
{
    if (file->pack || !ag_file_has(file, field))
        return NULL;
    const hid_t id = H5Oopen(file->id, field, H5P_DEFAULT);
    char *text = take_text(id, 0);
    H5Oclose(id);
    return text;
}

/* An attribute of what exists, or -1. */
static hid_t
open_attribute(ag_file *file, const char *field, const char *name)
{
    if (file->status || file->pack || (strcmp(field, "/") && !ag_file_named(file, field)) ||
        H5Oexists_by_name(file->id, field, H5P_DEFAULT) <= 0 ||
        H5Aexists_by_name(file->id, field, name, H5P_DEFAULT) <= 0)
        return -1;
    return H5Aopen_by_name(file->id, field, name, H5P_DEFAULT, H5P_DEFAULT);
}

char *
ag_file_attribute(ag_file *file, const char *field, const char *name)
{
    const hid_t id = open_attribute(file, field, name);
    char *text = id < 0 ? NULL : take_text(id, 1);
    if (id >= 0)
        H5Aclose(id);
    return text;
}

int
ag_file_attribute_numbers(ag_file *file, const char *field, const char *name, int most,
                          double *value)
{
    const hid_t id = open_attribute(file, field, name);
    if (id < 0)
        return 0;
    const hid_t type = H5Aget_type(id), space = H5Aget_space(id);
    const H5T_class_t class = H5Tget_class(type);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    int found = 0;
    if ((class == H5T_INTEGER || class == H5T_FLOAT) && count > 0 && count <= most &&
        H5Aread(id, H5T_NATIVE_DOUBLE, value) >= 0)
        found = (int)count;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(id);
    return found;
}

int
ag_file_pair(ag_file *file, const char *field, const char *attribute, int64_t pair[2])
{
    double value[2];
    if (ag_file_attribute_numbers(file, field, attribute, 2, value) != 2)
        return 0;
    for (int a = 0; a < 2; a++)
        pair[a] = fabs(value[a]) < 0x1p52 ? (int64_t)value[a] : -1;
    return 1;
}
