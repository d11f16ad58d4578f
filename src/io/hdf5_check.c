/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_check.c -- what is looked at before a dataset is read: its filters, whether the file can hold
   what it claims, and the files that a virtual dataset leads to.  */
#include <stdlib.h>
#include <string.h>

#include "hdf5.h"

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
    {32008, "bitshuffle", "the package bitshuffle"},
    {32013, "ZFP", "the package hdf5-filter-plugin-zfp-serial"},
    {32015, "Zstandard", "its HDF5 plugin"},
    {32026, "Blosc2", "its HDF5 plugin"},
};

/* Virtual datasets made of more pieces than this are left to HDF5. */
#define MAX_SOURCES 100000

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

/* Where HDF5 finds a file that another one names: in the folder of that one, as it stands, or where a
   symbolic link to that one leads; an absolute name that leads nowhere counts by its last part.  */
static hid_t
open_source(ag_file *file, const char *name)
{
    char *real = realpath(file->path, NULL), path[8192];
    const char *const beside[] = {file->path, "", real ? real : ""};
    hid_t id = *name == '/' ? H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
    if (*name == '/')
        name = strrchr(name, '/') + 1;
    for (size_t i = 0; i < sizeof beside / sizeof *beside && id < 0; i++) {
        const char *slash = strrchr(beside[i], '/');
        snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash + 1 - beside[i]) : 0, beside[i],
                 name);
        id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    }
    free(real);
    return id;
}

/* Whether a source has all that piece i takes: its axes reach as far as the selection, which has no
   axes where all of the source is taken.  */
static void
check_extent(ag_file *file, const char *field, hid_t layout, size_t i, const char *name, hid_t id)
{
    hsize_t size[H5S_MAX_RANK], first[H5S_MAX_RANK], last[H5S_MAX_RANK];
    const hid_t space = H5Dget_space(id), from = H5Pget_virtual_srcspace(layout, i),
                to = H5Pget_virtual_vspace(layout, i);
    const int rank = H5Sget_simple_extent_dims(space, size, NULL);
    const int all = H5Sget_simple_extent_ndims(from) <= 0;
    const hssize_t taken = H5Sget_select_npoints(to), found = H5Sget_simple_extent_npoints(space);
    if (all && found >= 0 && taken > found)
        ag_file_refuse(file, field,
                       "is a virtual dataset that takes %lld elements from the file %s, which has "
                       "%lld there",
                       (long long)taken, name, (long long)found);
    else if (!all && rank == H5Sget_simple_extent_ndims(from) &&
             H5Sget_select_bounds(from, first, last) >= 0)
        for (int a = 0; a < rank && !file->status; a++)
            if (last[a] >= size[a] && last[a] != H5S_UNLIMITED)
                ag_file_refuse(
                    file, field,
                    "is a virtual dataset that takes %llu elements along axis %d from the file %s, "
                    "which has %llu there",
                    (unsigned long long)last[a] + 1, a, name, (unsigned long long)size[a]);
    H5Sclose(to);
    H5Sclose(from);
    H5Sclose(space);
}

/* HDF5 fills what a virtual dataset cannot find with zeros, in silence.  -1 after a failure. */
static hid_t
open_taken(ag_file *file, const char *field, const char *name, const char *dataset)
{
    const int same = !strcmp(name, ".");
    const hid_t source = same ? file->id : open_source(file, name);
    const hid_t id = source < 0 ? -1 : H5Dopen2(source, dataset, H5P_DEFAULT);
    if (source < 0)
        ag_file_refuse(
            file, field,
            "is a virtual dataset whose frames are in the file %s, which cannot be opened", name);
    else if (id < 0)
        ag_file_refuse(file, field,
                       "is a virtual dataset whose frames are in %s of the file %s, which does not "
                       "have it",
                       dataset, same ? file->path : name);
    if (id >= 0) {
        const hid_t layout = H5Dget_create_plist(id);
        check_filters(file, field, layout);
        H5Pclose(layout);
    }
    if (source >= 0 && !same)
        H5Fclose(source);
    return id;
}

static void
check_virtual(ag_file *file, const char *field, hid_t layout)
{
    size_t count = 0;
    char last[2][1024] = {"", ""};
    hid_t id = -1; /* the dataset that `last` names */
    if (H5Pget_virtual_count(layout, &count) < 0 || count == 0 || count > MAX_SOURCES) {
        ag_file_refuse(file, field, "is a virtual dataset of %lld pieces, expected 1 to %d",
                       (long long)count, MAX_SOURCES);
        return;
    }
    for (size_t i = 0; i < count && !file->status; i++) {
        char name[2][1024] = {"", ""};
        if (H5Pget_virtual_filename(layout, i, name[0], sizeof name[0]) < 0 ||
            H5Pget_virtual_dsetname(layout, i, name[1], sizeof name[1]) < 0)
            ag_file_refuse(file, field, "is a damaged virtual dataset");
        /* Of numbered files HDF5 takes those that are there. */
        if (file->status || strstr(name[0], "%b") || strstr(name[1], "%b"))
            continue;
        if (memcmp(name, last, sizeof name)) {
            if (id >= 0)
                H5Dclose(id);
            id = open_taken(file, field, name[0], name[1]);
            memcpy(last, name, sizeof last);
        }
        if (!file->status)
            check_extent(file, field, layout, i, name[0], id);
    }
    if (id >= 0)
        H5Dclose(id);
}

void
ag_hdf5_check(ag_file *file, const char *field, hid_t id, int64_t count)
{
    const hid_t layout = H5Dget_create_plist(id);
    check_filters(file, field, layout);
    if (!file->status)
        check_storage(file, field, id, layout, count);
    if (!file->status && H5Pget_layout(layout) == H5D_VIRTUAL)
        check_virtual(file, field, layout);
    H5Pclose(layout);
}
