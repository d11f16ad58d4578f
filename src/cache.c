/* SPDX-License-Identifier: BSD-3-Clause */
/* cache.c -- compiled kernels on disk, under $XDG_CACHE_HOME/argand or ~/.cache/argand.

   A file holds its whole key, so that a clash of names is only a miss, and a sum over its
   bytes, so that a damaged file is only a miss.  Whatever fails here costs time, nothing else. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

static const char magic[8] = "argandK1";

/* FNV-1a, Fowler, Noll, Vo. */
static uint64_t
hash(const void *data, size_t bytes, uint64_t h)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static int
path_of(char *path, size_t room, const char *key, int make)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const uint64_t name = hash(key, strlen(key), 0xcbf29ce484222325u);
    int n;
    if (xdg && *xdg == '/')
        n = snprintf(path, room, "%s", xdg);
    else if (home && *home == '/')
        n = snprintf(path, room, "%s/.cache", home);
    else
        return 0;
    if (n < 0 || n + 64 > (int)room)
        return 0;
    if (make && mkdir(path, 0700) && errno != EEXIST)
        return 0;
    strcpy(path + n, "/argand");
    if (make && mkdir(path, 0700) && errno != EEXIST)
        return 0;
    snprintf(path + n + 7, room - (size_t)n - 7, "/%016" PRIx64 ".bin", name);
    return 1;
}

typedef struct header {
    char magic[8];
    uint64_t key, bytes, sum;
} header;

void *
ag_cache_get(const char *key, size_t *bytes)
{
    char path[4096];
    header h;
    struct stat info;
    if (!path_of(path, sizeof path, key, 0))
        return NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    void *data = NULL;
    char *found = NULL;
    const size_t length = strlen(key);
    if (fread(&h, sizeof h, 1, file) == 1 && !memcmp(h.magic, magic, sizeof magic) && h.key == length &&
        !fstat(fileno(file), &info) && h.bytes > 0 && (uint64_t)info.st_size == sizeof h + length + h.bytes &&
        (found = malloc(length + 1)) && fread(found, 1, length, file) == length && !memcmp(found, key, length) &&
        (data = malloc(h.bytes)) && fread(data, 1, h.bytes, file) == h.bytes &&
        hash(data, h.bytes, 0xcbf29ce484222325u) == h.sum) {
        *bytes = h.bytes;
    } else {
        free(data);
        data = NULL;
    }
    free(found);
    fclose(file);
    return data;
}

void
ag_cache_put(const char *key, const void *data, size_t bytes)
{
    char path[4096], temporary[4200];
    header h;
    if (!path_of(path, sizeof path, key, 1))
        return;
    memcpy(h.magic, magic, sizeof magic);
    h.key = strlen(key);
    h.bytes = bytes;
    h.sum = hash(data, bytes, 0xcbf29ce484222325u);
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return;
    const int whole = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(key, 1, h.key, file) == h.key &&
                      fwrite(data, 1, bytes, file) == bytes;
    if (fclose(file) || !whole || rename(temporary, path))
        remove(temporary);
}
