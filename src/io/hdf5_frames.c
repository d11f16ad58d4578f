/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_frames.c -- frames of an HDF5 dataset in blocks, and the names in a group. */
#include <stdlib.h>
#include <string.h>

#include "hdf5.h"
#include "pack.h"

/* Names of a group at most; a beamline writes a file or a dataset per so many frames. */
#define MAX_NAMES 100000
/* Bytes of unpacked chunks that HDF5 may keep: frames of one chunk are asked for in turn. */
#define CHUNK_CACHE ((size_t)64 << 20)

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One text of all names, which are freed. */
static char *
join(char **name, int64_t count)
{
    size_t size = 1, used = 0;
    for (int64_t i = 0; i < count; i++)
        size += strlen(name[i]) + 1;
    char *text = count ? ag_calloc((int64_t)size, 1) : NULL;
    for (int64_t i = 0; i < count; i++) {
        if (text)
            used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "\n" : "", name[i]);
        free(name[i]);
    }
    free(name);
    return text;
}

char *
ag_file_names(ag_file *file, const char *group)
{
    H5G_info_t info;
    if (file->status)
        return NULL;
    if (file->pack)
        return ag_pack_names(file);
    if (H5Gget_info_by_name(file->id, group, &info, H5P_DEFAULT) < 0 || info.nlinks > MAX_NAMES)
        return NULL;
    char **name = ag_calloc((int64_t)info.nlinks, sizeof *name);
    int64_t count = 0;
    for (hsize_t i = 0; name && i < info.nlinks; i++) {
        char text[256];
        if (H5Lget_name_by_idx(file->id, group, H5_INDEX_NAME, H5_ITER_NATIVE, i, text, sizeof text,
                               H5P_DEFAULT) > 0 &&
            (name[count] = strdup(text)) != NULL)
            count++;
    }
    if (name)
        qsort(name, (size_t)count, sizeof *name, by_name);
    return join(name, name ? count : 0);
}

void
ag_file_check(ag_file *file, const char *field)
{
    int rank;
    int64_t shape[AG_FILE_RANK], count;
    if (file->pack) {
        ag_pack_check(file, field);
        return;
    }
    const hid_t id = ag_hdf5_field(file, field, &rank, shape, &count);
    if (id < 0)
        return;
    ag_hdf5_check(file, field, id, count);
    const hid_t type = H5Dget_type(id);
    const H5T_class_t class = H5Tget_class(type);
    if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM)
        ag_file_refuse(file, field, "holds %s, expected numbers",
                       class == H5T_STRING     ? "text"
                       : class == H5T_COMPOUND ? "complex or compound values"
                                               : "values of an unknown type");
    H5Tclose(type);
    H5Oclose(id);
}

/* Selects frame j, or where only one leading axis is longer than 1 frames j ... j + count - 1. */
static int64_t
select_frames(hid_t space, int rank, const int64_t *shape, int64_t j, int64_t count)
{
    hsize_t start[AG_FILE_RANK] = {0}, size[AG_FILE_RANK];
    int longest = -1, several = 0;
    for (int a = 0; a < rank; a++) {
        size[a] = a < rank - 2 ? 1 : (hsize_t)shape[a];
        if (a < rank - 2 && shape[a] > 1) {
            several += longest >= 0;
            longest = a;
        }
    }
    for (int a = rank - 3; a >= 0; a--) {
        start[a] = (hsize_t)(j % shape[a]);
        j /= shape[a];
    }
    if (longest < 0 || several)
        count = 1;
    else
        size[longest] = (hsize_t)count;
    return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ? 0 : count;
}

int
ag_file_unchanged(ag_file *file, const char *field, int last, const int64_t known[3], int rank,
                  const int64_t *shape)
{
    char found[200], was[200];
    const int high = last ? rank - 3 : rank - 2;
    int64_t frames = last && rank > 0 ? shape[rank - 1] : 1;
    for (int a = 0; a < rank - 2 - last; a++)
        frames *= shape[a];
    if (high >= 0 && frames == known[0] && shape[high] == known[1] && shape[high + 1] == known[2])
        return 1;
    ag_file_refuse(file, field,
                   "has changed while it was open: its shape is %s, expected %lld frames of %s",
                   ag_file_shape_text(found, sizeof found, rank, shape), (long long)known[0],
                   ag_file_shape_text(was, sizeof was, 2, known + 1));
    return 0;
}

void
ag_file_read_frames(ag_file *file, const char *field, int last, const int64_t known[3],
                    int64_t first, int64_t count, ag_real *destination)
{
    char reason[256];
    int rank;
    int64_t shape[AG_FILE_RANK], all;
    if (file->pack) {
        ag_pack_read_frames(file, field, last, known, first, count, destination);
        return;
    }
    const hid_t checked = ag_hdf5_field(file, field, &rank, shape, &all);
    if (checked < 0)
        return;
    H5Oclose(checked);
    if (!ag_file_unchanged(file, field, 0, known, rank, shape))
        return;
    const hid_t access = H5Pcreate(H5P_DATASET_ACCESS),
                type = ag_file_type(AG_KIND_REAL, NULL, NULL);
    H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, CHUNK_CACHE, 1);
    const hid_t id = H5Dopen2(file->id, field, access), space = H5Dget_space(id);
    const int64_t area = known[1] * known[2];
    for (int64_t done = 0, n; done < count && !file->status; done += n) {
        n = select_frames(space, rank, shape, first + done, count - done);
        const hsize_t size = (hsize_t)(n * area);
        const hid_t memory = H5Screate_simple(1, &size, NULL);
        if (n == 0 || H5Dread(id, type, memory, space, H5P_DEFAULT, destination + done * area) < 0)
            ag_file_refuse(file, field, "cannot be read: %s",
                           ag_file_reason(reason, sizeof reason));
        H5Sclose(memory);
    }
    H5Sclose(space);
    H5Dclose(id);
    H5Tclose(type);
    H5Pclose(access);
}
