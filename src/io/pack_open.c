/* SPDX-License-Identifier: BSD-3-Clause */
/* pack_open.c -- files of arrays that are no HDF5: told by their first bytes, opened, closed. */
#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define BLOCK ((int64_t)1 << 20) /* bytes at a time */

static ag_status
no_memory(ag_file *file)
{
    ag_file_no_memory(file, "/", BLOCK);
    return file->status;
}

static void
cannot_unpack(ag_file *file)
{
    file->status =
        ag_fail(file->message, AG_FILE_ERROR, "%s: cannot be unpacked into a temporary file: %s",
                ag_path_tail(file->path), strerror(errno));
}

/* Unpacks bzip2 into a file without a name, which the system removes. */
static FILE *
unpack(ag_file *file, FILE *packed)
{
    int error = BZ_OK;
    int64_t size = 0;
    FILE *plain = tmpfile();
    char *block = ag_calloc(BLOCK, 1);
    BZFILE *stream = BZ2_bzReadOpen(&error, packed, 0, 0, NULL, 0);
    char unused[BZ_MAX_UNUSED];
    if (!plain)
        cannot_unpack(file);
    else if (!block || error)
        no_memory(file);
    while (!file->status && error == BZ_OK) {
        const int n = BZ2_bzRead(&error, stream, block, (int)BLOCK);
        const int64_t most = AG_MAX(AG_PACK_FREE, AG_PACK_RATIO * (int64_t)ftell(packed));
        if (error != BZ_OK && error != BZ_STREAM_END)
            ag_file_refuse(file, "/", "is damaged or truncated bzip2 data (after %lld bytes)",
                           (long long)size);
        else if ((size += n) > most)
            ag_file_refuse(file, "/",
                           "unpacks to more than %lld bytes, over %d times its size: it is damaged "
                           "or made to fill the disk",
                           (long long)most, AG_PACK_RATIO);
        else if (fwrite(block, 1, (size_t)n, plain) != (size_t)n)
            cannot_unpack(file);
        /* A file may be several streams, one after the other. */
        void *left = unused;
        int count = 0;
        if (!file->status && error == BZ_STREAM_END) {
            BZ2_bzReadGetUnused(&error, stream, &left, &count);
            memcpy(unused, left, (size_t)count);
            const int next = count ? 0 : fgetc(packed);
            if (next == EOF)
                break;
            if (count == 0)
                ungetc(next, packed);
            BZ2_bzReadClose(&error, stream);
            stream = BZ2_bzReadOpen(&error, packed, 0, 0, unused, count);
            if (error)
                no_memory(file);
        }
    }
    BZ2_bzReadClose(&error, stream);
    free(block);
    fclose(packed);
    if (plain && file->status) {
        fclose(plain);
        plain = NULL;
    }
    if (plain)
        rewind(plain);
    return plain;
}

static void
open_zip(ag_file *file, ag_pack *pack, FILE *plain)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_filep_create(plain, 0, -1, &error);
    if (source)
        pack->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!pack->zip) {
        ag_file_refuse(file, "/", "is a damaged or truncated zip archive (npz): %s",
                       zip_error_strerror(&error));
        if (source)
            zip_source_free(source);
        else
            fclose(plain);
    }
    zip_error_fini(&error);
}

int
ag_pack_open(ag_file *file, const unsigned char magic[8], int text)
{
    unsigned char inner[8] = {0};
    int known = 1;
    ag_pack *pack = ag_calloc(1, sizeof *pack);
    FILE *plain = fopen(file->path, "rb");
    if (!plain)
        file->status = ag_fail(file->message, AG_FILE_ERROR, "%s: cannot be opened: %s",
                               ag_path_tail(file->path), strerror(errno));
    else if (!pack)
        no_memory(file);
    memcpy(inner, magic, sizeof inner);
    if (!file->status && !memcmp(magic, "BZh", 3)) {
        plain = unpack(file, plain);
        if (plain && fread(inner, 1, sizeof inner, plain) < 8)
            memset(inner, 0, sizeof inner);
        if (plain)
            rewind(plain);
    }
    if (file->status) {
        known = 0;
    } else if (!memcmp(inner, "PK\3\4", 4) || !memcmp(inner, "PK\5\6", 4)) {
        open_zip(file, pack, plain);
        plain = NULL;
    } else if (!memcmp(inner, "\x93NUMPY", 6)) {
        pack->plain = plain;
        plain = NULL;
    } else if (!memcmp(magic, "BZh", 3)) {
        ag_file_refuse(file, "/", "is bzip2 that holds no npz and no npy, expected one of these");
    } else {
        known = text && ag_table_read(file, plain, &pack->table);
    }
    if (plain)
        fclose(plain);
    if (file->status || !known) {
        ag_pack_close(pack);
        return 0;
    }
    file->pack = pack;
    return 1;
}

void
ag_pack_close_member(ag_pack *pack)
{
    if (pack->member)
        zip_fclose(pack->member);
    free(pack->name);
    free(pack->whole);
    pack->member = NULL;
    pack->name = NULL;
    pack->whole = NULL;
}

void
ag_pack_close(ag_pack *pack)
{
    if (!pack)
        return;
    ag_pack_close_member(pack);
    if (pack->zip)
        zip_discard(pack->zip);
    if (pack->plain)
        fclose(pack->plain);
    free(pack->table.value);
    free(pack->table.names);
    free(pack);
}
