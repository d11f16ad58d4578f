/* SPDX-License-Identifier: BSD-3-Clause */
/* shelf.c -- where frames lie that are not on the device: host memory, or, for a device whose memory
   that is, a temporary file in $TMPDIR that has no name any more, so that nothing can leave it behind.  */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

/* Bytes that a copy between file and device takes through the host at a time. */
#define PIECE ((int64_t)1 << 16)

struct ag_shelf {
    ag_device *device;
    const char *name; /* of what it holds */
    int64_t bytes;
    char *memory; /* all of it, or a piece on its way */
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
        device->counted.host += in_file ? AG_MIN(PIECE, bytes) : bytes;
        return shelf;
    }
    shelf->memory = ag_calloc(in_file ? AG_MIN(PIECE, bytes) : bytes, 1);
    if (!shelf->memory)
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

/* All of `count` bytes from or to the file. */
static ag_status
file_copy(const ag_shelf *shelf, int64_t offset, int64_t count, char *host, int direction)
{
    while (count > 0 && !shelf->device->status) {
        const ssize_t n = direction == AG_TO_DEVICE ? pread(shelf->file, host, (size_t)count, offset)
                                                    : pwrite(shelf->file, host, (size_t)count, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return fail(shelf, direction == AG_TO_DEVICE ? "cannot be read" : "cannot be written");
        host += n;
        offset += n;
        count -= n;
    }
    return shelf->device->status;
}

ag_status
ag_shelf_copy(ag_shelf *shelf, int64_t offset, int64_t bytes, const ag_array *array, int64_t at, int direction)
{
    ag_device *d = array->device;
    if (d->status || d->count_only)
        return d->status;
    if (shelf->file < 0)
        return ag_device_stick(d, d->backend->copy(d->handle, AG_LANE_TRANSFER, direction, array->memory, at,
                                                   shelf->memory + offset, bytes));
    /* Only for a device whose copies are done when they return. */
    for (int64_t done = 0; done < bytes && !d->status; done += PIECE) {
        const int64_t n = AG_MIN(PIECE, bytes - done);
        if (direction == AG_TO_DEVICE && file_copy(shelf, offset + done, n, shelf->memory, direction))
            break;
        ag_device_stick(d, d->backend->copy(d->handle, AG_LANE_TRANSFER, direction, array->memory, at + done,
                                            shelf->memory, n));
        if (direction == AG_FROM_DEVICE && !d->status)
            file_copy(shelf, offset + done, n, shelf->memory, direction);
    }
    return d->status;
}

ag_status
ag_shelf_host(ag_shelf *shelf, int64_t offset, int64_t bytes, void *host, int direction)
{
    if (shelf->device->status)
        return shelf->device->status;
    if (shelf->file >= 0)
        return file_copy(shelf, offset, bytes, host, direction);
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
