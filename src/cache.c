/* SPDX-License-Identifier: BSD-3-Clause */
/* cache.c -- compiled kernels on disk, under $XDG_CACHE_HOME/argand or ~/.cache/argand.

   A key is a kernel's whole text with its options, device and driver, hundreds of kilobytes.  A file holds in its place its length and
   two hashes of 64 bits that are made differently (FNV-1a by bytes, ag_hash by words), so that a wrong binary takes a clash of
   128 bits among texts of one length: of a million keys two would clash by accident with a chance of 2^-89.  Whoever can write
   here needs no clash.  A sum over the binary makes a damaged file a miss.  Whatever fails here costs time, nothing else. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"

static const char magic[8] = "argandK2";

/* FNV-1a, Fowler, Noll, Vo. */
static uint64_t
hash(const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

typedef struct header {
    char magic[8];
    uint64_t length, key[2], bytes, sum;
} header;

static header
header_of(const char *key)
{
    const size_t length = strlen(key);
    header h = {.length = length, .key = {hash(key, length), ag_hash(0, key, length)}};
    memcpy(h.magic, magic, sizeof magic);
    return h;
}

static int
path_of(char *path, size_t room, const header *h, int make)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
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
    snprintf(path + n + 7, room - (size_t)n - 7, "/%016" PRIx64 ".bin", h->key[0]);
    return 1;
}

void *
ag_cache_get(const char *key, size_t *bytes)
{
    char path[4096];
    const header wanted = header_of(key);
    header h;
    struct stat info;
    if (!path_of(path, sizeof path, &wanted, 0))
        return NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    void *data = NULL;
    if (fread(&h, sizeof h, 1, file) == 1 && !memcmp(&h, &wanted, offsetof(header, bytes)) && !fstat(fileno(file), &info) &&
        h.bytes > 0 && (uint64_t)info.st_size == sizeof h + h.bytes && (data = malloc(h.bytes)) &&
        fread(data, 1, h.bytes, file) == h.bytes && hash(data, h.bytes) == h.sum) {
        *bytes = h.bytes;
    } else {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

void
ag_cache_put(const char *key, const void *data, size_t bytes)
{
    char path[4096], temporary[4200];
    header h = header_of(key);
    if (!path_of(path, sizeof path, &h, 1))
        return;
    h.bytes = bytes;
    h.sum = hash(data, bytes);
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return;
    const int whole = fwrite(&h, sizeof h, 1, file) == 1 && fwrite(data, 1, bytes, file) == bytes;
    if (fclose(file) || !whole || rename(temporary, path))
        remove(temporary);
}
