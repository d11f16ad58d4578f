/* SPDX-License-Identifier: BSD-3-Clause */
/* shelf.c -- where frames lie that are not on the device: host memory, or, for a device whose memory
   that is, a temporary file in $TMPDIR that has no name any more, so that nothing can leave it behind.  */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

/* Bytes that a thread copies between file and memory at a time. */
#define PIECE ((int64_t)1 << 18)

struct ag_shelf {
    ag_device *device;
    const char *name; /* of what it holds */
    int64_t bytes;
    char *memory; /* NULL: it is in the file */
    int file;     /* -1: host memory */
};

static ag_status
fail(const ag_shelf *shelf, const char *what)
{
    const char *folder = getenv("TMPDIR");
    return ag_device_fail(shelf->device, AG_FILE_ERROR, "%s: a temporary file of %lld bytes in %.500s %s: %s",
                          shelf->name, (long long)shelf->bytes, folder && *folder ? folder : "/tmp", what,
                          strerror(errno));
}

static int
open_file(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    if (snprintf(path, sizeof path, "%s/argand-XXXXXX", folder && *folder ? folder : "/tmp") >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int file = mkstemp(path);
    if (file >= 0)
        unlink(path);
    return file;
}

/* Takes the space now, where the file system can, so that a full disk is not found out in the midst
   of a run. */
static ag_status
reserve(const ag_shelf *shelf)
{
#ifdef FALLOC_FL_KEEP_SIZE
    if (fallocate(shelf->file, 0, 0, shelf->bytes) == 0)
        return AG_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return fail(shelf, "cannot be had");
#endif
    return ftruncate(shelf->file, shelf->bytes) ? fail(shelf, "cannot be had") : AG_OK;
}

ag_shelf *
ag_shelf_create(ag_device *device, int64_t bytes, const char *name)
{
    if (device->status)
        return NULL;
    const int in_file = ag_device_is_host(device);
    ag_shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf) {
        ag_device_fail(device, AG_NO_MEMORY, "%s: out of host memory", name);
        return NULL;
    }
    shelf->device = device;
    shelf->name = name;
    shelf->bytes = bytes;
    shelf->file = -1;
    if (device->count_only) {
        device->counted.file += in_file ? bytes : 0;
        device->counted.host += in_file ? 0 : bytes;
        return shelf;
    }
    shelf->memory = in_file ? NULL : ag_calloc(bytes, 1);
    if (!in_file && !shelf->memory)
        ag_device_fail(device, AG_NO_MEMORY, "%s: no host memory for %lld bytes", name, (long long)bytes);
    else if (in_file && (shelf->file = open_file()) < 0)
        fail(shelf, "cannot be made");
    else if (in_file)
        reserve(shelf);
    return shelf;
}

void
ag_shelf_destroy(ag_shelf *shelf)
{
    if (!shelf)
        return;
    if (shelf->file >= 0)
        close(shelf->file);
    free(shelf->memory);
    free(shelf);
}

/* All of `count' bytes from or to the file; 0, or the errno of what went wrong. */
static int
file_copy(int file, int64_t offset, int64_t count, char *host, int direction)
{
    while (count > 0) {
        const ssize_t n = direction == AG_TO_DEVICE ? pread(file, host, (size_t)count, offset)
                                                    : pwrite(file, host, (size_t)count, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : EIO;
        host += n;
        offset += n;
        count -= n;
    }
    return 0;
}

static ag_status
told(const ag_shelf *shelf, int error, int direction)
{
    errno = error;
    return error ? fail(shelf, direction == AG_TO_DEVICE ? "cannot be read" : "cannot be written") : AG_OK;
}

/* Between the file and the memory of the processor, whose threads share out the pieces. */
typedef struct pieces {
    const ag_shelf *shelf;
    int64_t offset, bytes;
    char *memory;
    int direction;
    atomic_int error;
} pieces;

static void
some_pieces(void *job, int64_t begin, int64_t end, int thread)
{
    pieces *p = job;
    const int64_t from = begin * PIECE, n = AG_MIN(p->bytes, end * PIECE) - from;
    const int error = file_copy(p->shelf->file, p->offset + from, n, p->memory + from, p->direction);
    (void)thread;
    if (error)
        atomic_store(&p->error, error);
}

ag_status
ag_shelf_copy(ag_shelf *shelf, int64_t offset, int64_t bytes, const ag_array *array, int64_t at, int direction)
{
    ag_device *d = array->device;
    ag_native native;
    if (d->status || d->count_only)
        return d->status;
    if (shelf->file < 0)
        return ag_device_stick(d, d->backend->copy(d->handle, AG_LANE_TRANSFER, direction, array->memory, at,
                                                   shelf->memory + offset, bytes));
    if (ag_device_stick(d, d->backend->native(d->handle, array->memory, &native)))
        return d->status;
    pieces job = {.shelf = shelf, .offset = offset, .bytes = bytes, .memory = (char *)native.memory + at, .direction = direction};
    native.share(native.queue, some_pieces, &job, (bytes + PIECE - 1) / PIECE);
    return told(shelf, atomic_load(&job.error), direction);
}

ag_status
ag_shelf_host(ag_shelf *shelf, int64_t offset, int64_t bytes, void *host, int direction)
{
    if (shelf->device->status)
        return shelf->device->status;
    if (shelf->file >= 0)
        return told(shelf, file_copy(shelf->file, offset, bytes, host, direction), direction);
    if (direction == AG_TO_DEVICE)
        memcpy(host, shelf->memory + offset, (size_t)bytes);
    else
        memcpy(shelf->memory + offset, host, (size_t)bytes);
    return AG_OK;
}

void
ag_shelf_ahead(const ag_shelf *shelf, int64_t offset, int64_t bytes)
{
    if (shelf->file >= 0)
        posix_fadvise(shelf->file, offset, bytes, POSIX_FADV_WILLNEED);
}
