/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5.c -- HDF5 files opened for reading, and what reading and writing share. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "pack.h"

/* Most builds of HDF5 are not safe to use from two threads. */
static pthread_mutex_t lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A thread that writes a file may read frames of another one for it. */
static void
make_lock(void)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lock, &kind);
    pthread_mutexattr_destroy(&kind);
}

void
ag_file_enter(ag_file *file)
{
    pthread_once(&once, make_lock);
    pthread_mutex_lock(&lock);
    file->printing = H5Eget_auto2(H5E_DEFAULT, &file->print, &file->print_data) >= 0;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void
ag_file_leave(ag_file *file)
{
    H5garbage_collect(); /* it would keep megabytes of chunks */
    H5Eclear2(H5E_DEFAULT);
    if (file->printing)
        H5Eset_auto2(H5E_DEFAULT, file->print, file->print_data);
    pthread_mutex_unlock(&lock);
}

struct reason {
    char *text;
    size_t size;
};

static herr_t
take_first(unsigned n, const H5E_error2_t *error, void *user)
{
    const struct reason *reason = user;
    if (n == 0 && error->desc)
        snprintf(reason->text, reason->size, "%s", error->desc);
    return 0;
}

const char *
ag_file_reason(char *text, size_t size)
{
    struct reason reason = {text, size};
    snprintf(text, size, "HDF5 gives no reason");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
    return text;
}

ag_status
ag_file_refuse(ag_file *file, const char *field, const char *format, ...)
{
    if (file->status)
        return file->status;
    file->status = AG_BAD_FILE;
    if (!file->message)
        return file->status;
    char *text = file->message->text;
    const size_t size = sizeof file->message->text;
    snprintf(text, size, "%s: %s: ", ag_path_tail(file->path), field);
    const size_t used = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + used, size - used, format, list);
    va_end(list);
    return file->status;
}

void
ag_file_no_memory(ag_file *file, const char *field, int64_t bytes)
{
    if (!file->status)
        file->status = ag_fail(file->message, AG_NO_MEMORY, "%s: %s: no memory for %lld bytes",
                               ag_path_tail(file->path), field, (long long)bytes);
}

/* Tells a file that cannot be read from one that is of no known kind; its first bytes. */
static ag_status
look(const char *path, unsigned char bytes[8], ag_message *message)
{
    FILE *plain = fopen(path, "rb");
    memset(bytes, 0, 8);
    if (!plain)
        return ag_fail(message, AG_FILE_ERROR, "%s: cannot be opened: %s", ag_path_tail(path),
                       strerror(errno));
    errno = 0;
    const int readable = fread(bytes, 1, 8, plain) > 0, reason = errno;
    fclose(plain);
    if (!readable)
        return ag_fail(message, reason ? AG_FILE_ERROR : AG_BAD_FILE, "%s: cannot be read: %s",
                       ag_path_tail(path), reason ? strerror(reason) : "the file is empty");
    return AG_OK;
}

static ag_status
open_hdf5(ag_file *file)
{
    char reason[256];
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    file->id = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    if (file->id < 0)
        file->status =
            ag_fail(file->message, AG_BAD_FILE, "%s: is a damaged or truncated HDF5 file: %s",
                    ag_path_tail(file->path), ag_file_reason(reason, sizeof reason));
    H5Pclose(access);
    return file->status;
}

static ag_status
open_any(ag_file *file, const char *path, int text, ag_message *message)
{
    unsigned char bytes[8];
    *file = (ag_file){.path = path, .message = message, .id = -1};
    file->status = look(path, bytes, message);
    if (file->status)
        return file->status;
    ag_file_enter(file);
    if (H5Fis_hdf5(path) > 0)
        open_hdf5(file);
    else if (!ag_pack_open(file, bytes, text) && !file->status)
        file->status = ag_fail(message, AG_BAD_FILE,
                               "%s: is not an HDF5 file, npz or npy, expected one of these",
                               ag_path_tail(path));
    if (file->status)
        ag_file_leave(file);
    return file->status;
}

ag_status
ag_file_open(ag_file *file, const char *path, ag_message *message)
{
    return open_any(file, path, 0, message);
}

ag_status
ag_file_open_table(ag_file *file, const char *path, ag_message *message)
{
    return open_any(file, path, 1, message);
}

void
ag_file_close(ag_file *file)
{
    if (file->pack)
        ag_pack_close(file->pack);
    else
        H5Fclose(file->id);
    ag_file_leave(file);
}

hid_t
ag_file_type(ag_kind kind, const char *re, const char *im)
{
    const hid_t real = sizeof(ag_real) == sizeof(float) ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
    if (kind == AG_KIND_COMPLEX) {
        const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(ag_complex));
        H5Tinsert(type, re, offsetof(ag_complex, re), real);
        H5Tinsert(type, im, offsetof(ag_complex, im), real);
        return type;
    }
    return H5Tcopy(kind == AG_KIND_REAL     ? real
                   : kind == AG_KIND_DOUBLE ? H5T_NATIVE_DOUBLE
                   : kind == AG_KIND_INT    ? H5T_NATIVE_INT64
                                            : H5T_NATIVE_INT32);
}

const char *
ag_file_shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
    size_t used = 0;
    snprintf(text, size, "()");
    for (int a = 0; a < rank && used < size; a++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld%s", a ? ", " : "(",
                                 (long long)shape[a], a == rank - 1 ? ")" : "");
    return text;
}
