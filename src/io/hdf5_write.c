/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5_write.c -- HDF5 files made in memory and then written in one go.

   HDF5 cannot let go of a file whose last bytes do not fit on the disk, so that the disk is
   left to plain system calls, whose failures are clear and without consequence.  */
#include <stdlib.h>
#include <string.h>

#include "io.h"

#define GROWTH        ((size_t)4 << 20) /* bytes by which the file in memory grows */
#define CHUNK_PIXELS  ((int64_t)1 << 22)
#define DEFLATE_LEVEL 4

ag_status
ag_file_create(ag_file *file, const char *path, ag_message *message)
{
    char reason[256];
    *file = (ag_file){.path = path, .message = message, .id = -1};
    /* First, so that a folder that cannot be written is found out before the work is done. */
    file->status = ag_replacement_begin(&file->replacement, path, message);
    if (file->status)
        return file->status;
    ag_file_enter(file);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_fapl_core(access, GROWTH, 0);
    file->id = H5Fcreate(file->replacement.temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (file->id < 0) {
        file->status = ag_fail(message, AG_FILE_ERROR, "%s: cannot be created: %s",
                               ag_path_tail(path), ag_file_reason(reason, sizeof reason));
        ag_file_leave(file);
        ag_replacement_end(&file->replacement, file->status, message);
    }
    return file->status;
}

/* Takes note of a failure of HDF5, which can only be a lack of memory. */
static void
check(ag_file *file, const char *field, int64_t returned)
{
    char reason[256];
    if (returned >= 0 || file->status)
        return;
    ag_file_refuse(file, field, "cannot be written: %s", ag_file_reason(reason, sizeof reason));
    file->status = AG_FILE_ERROR;
}

ag_status
ag_file_finish(ag_file *file)
{
    void *image = NULL;
    ssize_t size = -1;
    if (!file->status) {
        check(file, "/", H5Fflush(file->id, H5F_SCOPE_GLOBAL));
        size = H5Fget_file_image(file->id, NULL, 0);
        check(file, "/", size);
    }
    if (!file->status) {
        image = ag_calloc(size, 1);
        if (!image)
            ag_file_no_memory(file, "/", size);
        else
            check(file, "/", H5Fget_file_image(file->id, image, (size_t)size));
    }
    check(file, "/", H5Fclose(file->id));
    ag_file_leave(file);
    if (!file->status)
        file->status = ag_replacement_write(&file->replacement, image, (size_t)size, file->message);
    free(image);
    file->status = ag_replacement_end(&file->replacement, file->status, file->message);
    return file->status;
}

/* A new dataset; its groups are made on the way. */
static hid_t
create(ag_file *file, const char *field, hid_t type, hid_t space, hid_t layout)
{
    const hid_t link = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    /* Without times, equal content makes equal files. */
    H5Pset_obj_track_times(layout, 0);
    const hid_t id = H5Dcreate2(file->id, field, type, space, link, layout, H5P_DEFAULT);
    check(file, field, id);
    H5Pclose(link);
    return id;
}

static void
write_any(ag_file *file, const char *field, hid_t memory, hid_t disk, int rank,
          const int64_t *shape, const void *value)
{
    hsize_t size[AG_FILE_RANK];
    if (file->status)
        return;
    for (int a = 0; a < rank; a++)
        size[a] = (hsize_t)shape[a];
    const hid_t space = rank ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR);
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t id = create(file, field, disk, space, layout);
    if (id >= 0) {
        check(file, field, H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, value));
        check(file, field, H5Dclose(id));
    }
    H5Pclose(layout);
    H5Sclose(space);
}

void
ag_file_write(ag_file *file, const char *field, ag_kind kind, int rank, const int64_t *shape,
              const void *value)
{
    const hid_t type = ag_file_type(kind, "r", "i");
    write_any(file, field, type, type, rank, shape, value);
    H5Tclose(type);
}

void
ag_file_write_mask(ag_file *file, const char *field, int64_t rows, int64_t cols,
                   const uint32_t *mask)
{
    const int64_t shape[2] = {rows, cols};
    write_any(file, field, H5T_NATIVE_UINT32, H5T_STD_U32LE, 2, shape, mask);
}

void
ag_file_write_frames(ag_file *file, const char *field, const int64_t shape[3], ag_frame_fill *fill,
                     void *user)
{
    if (file->status)
        return;
    const hsize_t size[3] = {(hsize_t)shape[0], (hsize_t)shape[1], (hsize_t)shape[2]};
    const hsize_t one[3] = {1, size[1], size[2]};
    const hsize_t wide = AG_MIN(size[2], (hsize_t)CHUNK_PIXELS);
    const hsize_t high = AG_MIN(size[1], AG_MAX(1, (hsize_t)CHUNK_PIXELS / wide));
    const hsize_t chunk[3] = {1, high, wide};
    ag_real *frame = ag_calloc(shape[1] * shape[2], sizeof *frame);
    if (!frame) {
        ag_file_no_memory(file, field, shape[1] * shape[2] * (int64_t)sizeof *frame);
        return;
    }
    const hid_t type = ag_file_type(AG_KIND_REAL, NULL, NULL);
    const hid_t space = H5Screate_simple(3, size, NULL), memory = H5Screate_simple(3, one, NULL);
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, 3, chunk);
    if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
        H5Pset_shuffle(layout);
        H5Pset_deflate(layout, DEFLATE_LEVEL);
    }
    const hid_t id = create(file, field, type, space, layout);
    for (int64_t j = 0; j < shape[0] && !file->status; j++) {
        const hsize_t start[3] = {(hsize_t)j, 0, 0};
        file->status = fill(user, j, frame, file->message);
        if (file->status)
            break;
        check(file, field, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, one, NULL));
        check(file, field, H5Dwrite(id, type, memory, space, H5P_DEFAULT, frame));
    }
    if (id >= 0)
        check(file, field, H5Dclose(id));
    H5Pclose(layout);
    H5Sclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    free(frame);
}

void
ag_file_write_number(ag_file *file, const char *field, double value, const char *unit)
{
    write_any(file, field, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, 0, NULL, &value);
    if (unit)
        ag_file_write_attribute(file, field, "units", unit);
}

void
ag_file_write_int(ag_file *file, const char *field, int64_t value)
{
    write_any(file, field, H5T_NATIVE_INT64, H5T_STD_I64LE, 0, NULL, &value);
}

static hid_t
text_type(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

void
ag_file_write_text(ag_file *file, const char *field, const char *text)
{
    if (!text)
        return;
    const hid_t type = text_type(strlen(text) + 1);
    write_any(file, field, type, type, 0, NULL, text);
    H5Tclose(type);
}

static void
write_attribute(ag_file *file, const char *field, const char *name, hid_t type, hid_t space,
                const void *value)
{
    if (file->status)
        return;
    const hid_t id = H5Acreate_by_name(file->id, field, name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                       H5P_DEFAULT);
    check(file, field, id);
    if (id >= 0) {
        check(file, field, H5Awrite(id, type, value));
        check(file, field, H5Aclose(id));
    }
}

void
ag_file_write_attribute(ag_file *file, const char *field, const char *name, const char *text)
{
    /* Of variable length: h5py hands these out as str, others as bytes. */
    const hid_t type = text_type(H5T_VARIABLE), space = H5Screate(H5S_SCALAR);
    write_attribute(file, field, name, type, space, &text);
    H5Sclose(space);
    H5Tclose(type);
}

void
ag_file_write_pair(ag_file *file, const char *field, const char *name, const int64_t pair[2])
{
    const hsize_t two = 2;
    const hid_t space = H5Screate_simple(1, &two, NULL);
    write_attribute(file, field, name, H5T_NATIVE_INT64, space, pair);
    H5Sclose(space);
}

void
ag_file_write_group(ag_file *file, const char *field, const char *nexus_class)
{
    if (file->status)
        return;
    if (strcmp(field, "/") != 0) {
        const hid_t id = H5Gcreate2(file->id, field, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        check(file, field, id);
        if (id >= 0)
            check(file, field, H5Gclose(id));
    }
    ag_file_write_attribute(file, field, "NX_class", nexus_class);
}

void
ag_file_write_link(ag_file *file, const char *field, const char *target)
{
    if (!file->status)
        check(file, field, H5Lcreate_soft(target, file->id, field, H5P_DEFAULT, H5P_DEFAULT));
}

void
ag_file_write_entry(ag_file *file, const char *shown)
{
    ag_file_write_group(file, "/", "NXroot");
    ag_file_write_attribute(file, "/", "default", "entry_1");
    ag_file_write_attribute(file, "/", "creator", "argand " PACKAGE_VERSION);
    ag_file_write_int(file, "cxi_version", 160);
    ag_file_write_int(file, "number_of_entries", 1);
    ag_file_write_group(file, "entry_1", "NXentry");
    ag_file_write_attribute(file, "entry_1", "default", shown);
}
