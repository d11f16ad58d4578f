/* SPDX-License-Identifier: BSD-3-Clause */
/* replace.c -- files are written under a temporary name in the same folder and renamed, each when the
   disk has it: after a crash there is the old file or the new one, whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

const char *
ag_path_tail(const char *path)
{
    const size_t length = strlen(path), most = 400;
    return length > most ? path + length - most : path;
}

static ag_status
fail(const ag_replacement *replacement, const char *what, ag_message *message)
{
    return ag_fail(message, AG_FILE_ERROR, "%s: %s: %s", ag_path_tail(replacement->path), what,
                   strerror(errno));
}

static ag_status
begin(ag_replacement *replacement, const char *path, int again, ag_message *message)
{
    const size_t size = strlen(path) + 48;
    struct stat found;
    *replacement = (ag_replacement){.path = path, .descriptor = -1};
    /* Renaming would put a file in the place of a device such as /dev/null. */
    if (stat(path, &found) == 0 && !S_ISREG(found.st_mode))
        return ag_fail(message, AG_FILE_ERROR, "%s: is not a regular file, expected one or none",
                       ag_path_tail(path));
    replacement->temporary = malloc(size);
    if (!replacement->temporary)
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(path));
    snprintf(replacement->temporary, size, "%s.part", path);
    if (again)
        unlink(replacement->temporary);
    for (int i = 0; i < (again ? 1 : 100) && replacement->descriptor < 0; i++) {
        if (!again)
            snprintf(replacement->temporary, size, "%s.%ld-%d.part", path, (long)getpid(), i);
        replacement->descriptor = open(replacement->temporary, O_RDWR | O_CREAT | O_EXCL, 0666);
        if (replacement->descriptor < 0 && errno != EEXIST)
            break;
    }
    if (replacement->descriptor >= 0)
        return AG_OK;
    const ag_status status = fail(replacement, "cannot be created", message);
    free(replacement->temporary);
    replacement->temporary = NULL;
    return status;
}

ag_status
ag_replacement_begin(ag_replacement *replacement, const char *path, ag_message *message)
{
    return begin(replacement, path, 0, message);
}

ag_status
ag_replacement_again(ag_replacement *replacement, const char *path, ag_message *message)
{
    return begin(replacement, path, 1, message);
}

ag_status
ag_replacement_reserve(ag_replacement *replacement, int64_t bytes, ag_message *message)
{
#ifdef FALLOC_FL_KEEP_SIZE
    if (fallocate(replacement->descriptor, 0, 0, bytes) == 0)
        return AG_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return fail(replacement, "cannot be written", message);
#endif
    return ftruncate(replacement->descriptor, bytes) ? fail(replacement, "cannot be written", message)
                                                     : AG_OK;
}

ag_status
ag_replacement_put(ag_replacement *replacement, int64_t offset, const void *bytes, size_t count,
                   ag_message *message)
{
    return lseek(replacement->descriptor, offset, SEEK_SET) < 0
               ? fail(replacement, "cannot be written", message)
               : ag_replacement_write(replacement, bytes, count, message);
}

ag_status
ag_replacement_write(ag_replacement *replacement, const void *bytes, size_t count,
                     ag_message *message)
{
    const char *at = bytes;
    while (count > 0) {
        /* Some systems refuse more than 2 GiB at a time. */
        const ssize_t n = write(replacement->descriptor, at, AG_MIN(count, (size_t)1 << 30));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(replacement, "cannot be written", message);
        at += n;
        count -= (size_t)n;
    }
    return AG_OK;
}

/* A name is on the disk when its folder is; a file system that does not know how is not asked. */
static int
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    const int descriptor = folder ? open(folder, O_RDONLY) : -1;
    const int bad = descriptor >= 0 && fsync(descriptor) && errno == EIO;
    if (descriptor >= 0)
        close(descriptor);
    free(folder);
    return bad;
}

ag_status
ag_replacement_end(ag_replacement *replacement, ag_status status, ag_message *message)
{
    if (!replacement->temporary)
        return status;
    if (!status && fsync(replacement->descriptor) && errno != EINVAL && errno != EROFS)
        status = fail(replacement, "cannot be written", message);
    if (close(replacement->descriptor) != 0 && !status)
        status = fail(replacement, "cannot be written", message);
    if (!status && rename(replacement->temporary, replacement->path) != 0)
        status = fail(replacement, "cannot be replaced", message);
    if (status)
        unlink(replacement->temporary);
    else if (sync_folder(replacement->path))
        status = fail(replacement, "its folder cannot be written", message);
    free(replacement->temporary);
    replacement->temporary = NULL;
    return status;
}
