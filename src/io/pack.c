/* SPDX-License-Identifier: BSD-3-Clause */
/* pack.c -- fields of files that are no HDF5: the arrays of an npz (a zip of .npy), also within
   bzip2, one .npy, a table of text.  Any of them may be damaged or made with ill intent: nothing
   is allocated or unpacked that the file's own size does not justify.  */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define BLOCK ((int64_t)1 << 20) /* bytes at a time */
#define ARRAY "array"            /* the field of a single npy */
#define TABLE "table"

/* ---- names ------------------------------------------------------------------------------------- */

/* The member of an npz, with or without the ending that NumPy gives it; -1: none. */
static zip_int64_t
locate(const ag_pack *pack, const char *field)
{
    char name[512];
    snprintf(name, sizeof name, "%.500s.npy", field);
    const zip_int64_t i = zip_name_locate(pack->zip, name, 0);
    return i >= 0 ? i : zip_name_locate(pack->zip, field, 0);
}

/* Which line of `names` it is, -1: none. */
static int64_t
line_of(const char *names, const char *name)
{
    const size_t length = strlen(name);
    for (int64_t i = 0; names && *names; i++) {
        const size_t n = strcspn(names, "\n");
        if (n == length && !memcmp(names, name, n))
            return i;
        names += n + (names[n] == '\n');
    }
    return -1;
}

int
ag_pack_named(ag_file *file, const char *field)
{
    const ag_pack *pack = file->pack;
    if (pack->zip)
        return locate(pack, field) >= 0;
    if (pack->plain)
        return !strcmp(field, ARRAY);
    return !strcmp(field, TABLE) || line_of(pack->table.names, field) >= 0;
}

char *
ag_pack_names(ag_file *file)
{
    const ag_pack *pack = file->pack;
    size_t size = 64, used = 0;
    const zip_int64_t n = pack->zip ? zip_get_num_entries(pack->zip, 0) : 0;
    for (zip_int64_t i = 0; i < n; i++)
        size += strlen(zip_get_name(pack->zip, (zip_uint64_t)i, 0)) + 1;
    char *text = ag_calloc((int64_t)size, 1);
    if (!text || !pack->zip)
        return text ? strcpy(text, pack->plain ? ARRAY : TABLE) : NULL;
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(pack->zip, (zip_uint64_t)i, 0);
        const size_t length = strlen(name);
        const size_t keep = length - (length > 4 && !strcmp(name + length - 4, ".npy") ? 4 : 0);
        used +=
            (size_t)snprintf(text + used, size - used, "%s%.*s", used ? "\n" : "", (int)keep, name);
    }
    return text;
}

/* ---- members as streams ------------------------------------------------------------------------ */

static int64_t
get_bytes(void *from, void *bytes, int64_t count)
{
    const ag_pack *pack = from;
    if (pack->member)
        return zip_fread(pack->member, bytes, (zip_uint64_t)count);
    return (int64_t)fread(bytes, 1, (size_t)count, pack->plain);
}

/* Whether the elements that the header promises are there, before memory is asked for. */
static void
check_size(ag_file *file, const char *field, int64_t bytes, int64_t packed)
{
    const ag_npy *npy = &file->pack->npy;
    const int64_t wanted = npy->count * npy->size, found = bytes - npy->header;
    if (wanted > found)
        ag_file_refuse(file, field,
                       "claims to hold %lld bytes, of which %lld are there: it is "
                       "damaged or truncated",
                       (long long)wanted, (long long)AG_MAX(found, 0));
    else if (bytes > AG_PACK_FREE && bytes / AG_PACK_RATIO > packed)
        ag_file_refuse(
            file, field,
            "unpacks %lld bytes to %lld, over %d times as many: it is damaged or made to "
            "fill the memory",
            (long long)packed, (long long)bytes, AG_PACK_RATIO);
    else if (npy->count == 0)
        ag_file_refuse(file, field, "is empty, expected numbers");
}

/* Opens a member at its first element; its header is in pack->npy. */
static ag_status
open_member(ag_file *file, const char *field)
{
    ag_pack *pack = file->pack;
    zip_stat_t entry;
    ag_pack_close_member(pack);
    zip_stat_init(&entry);
    if (pack->plain) {
        rewind(pack->plain);
        fseeko(pack->plain, 0, SEEK_END);
        entry.size = entry.comp_size = (zip_uint64_t)ftello(pack->plain);
        rewind(pack->plain);
    } else {
        const zip_int64_t i = locate(pack, field);
        if (i < 0)
            return ag_file_refuse(file, field, "is missing");
        if (zip_stat_index(pack->zip, (zip_uint64_t)i, 0, &entry) < 0 ||
            entry.size > (zip_uint64_t)INT64_MAX || entry.comp_size > (zip_uint64_t)INT64_MAX ||
            (pack->member = zip_fopen_index(pack->zip, (zip_uint64_t)i, 0)) == NULL)
            return ag_file_refuse(file, field, "cannot be unpacked: %s", zip_strerror(pack->zip));
    }
    pack->at = 0;
    if (!ag_npy_header(file, field, &pack->npy, get_bytes, pack))
        check_size(file, field, (int64_t)entry.size, (int64_t)entry.comp_size);
    return file->status;
}

/* The next elements; the last ones are checked with all others by the zip's checksum. */
static void
next_elements(ag_file *file, const char *field, ag_kind kind, size_t size, int64_t count, char *to)
{
    ag_pack *pack = file->pack;
    const ag_npy *npy = &pack->npy;
    char *block = ag_calloc(BLOCK, 1), extra;
    if (!block)
        ag_file_no_memory(file, field, BLOCK);
    while (!file->status && count > 0) {
        const int64_t n = AG_MIN(count, BLOCK / npy->size), bytes = n * npy->size;
        int64_t had = 0, got = 1;
        while (had < bytes && (got = get_bytes(pack, block + had, bytes - had)) > 0)
            had += got;
        pack->at += n;
        if (had == bytes && pack->member && pack->at == npy->count)
            got = get_bytes(pack, &extra, 1) < 0 ? -1 : 1;
        if (had < bytes || got < 0) {
            ag_file_refuse(file, field, "is damaged: %s",
                           got < 0 && pack->member ? zip_file_strerror(pack->member)
                                                   : "it ends early");
            ag_pack_close_member(pack); /* nobody goes on from here */
        } else if (to) {
            ag_npy_convert(npy, block, n, kind, to);
            to += (size_t)n * size;
        }
        count -= n;
    }
    free(block);
}

/* ---- reading ------------------------------------------------------------------------------------- */

int
ag_pack_shape(ag_file *file, const char *field, int64_t shape[AG_FILE_RANK])
{
    const ag_pack *pack = file->pack;
    if (file->status)
        return -1;
    if (pack->table.value) {
        if (!ag_pack_named(file, field))
            return ag_file_refuse(file, field, "is missing"), -1;
        shape[0] = pack->table.rows;
        shape[1] = pack->table.cols;
        return strcmp(field, TABLE) ? 1 : 2;
    }
    if (open_member(file, field))
        return -1;
    memcpy(shape, pack->npy.shape, sizeof pack->npy.shape);
    return pack->npy.rank;
}

void
ag_pack_check(ag_file *file, const char *field)
{
    if (file->pack->table.value)
        ag_file_refuse(file, field, "is text, expected frames");
    else if (!open_member(file, field) && file->pack->npy.kind == 'c')
        ag_file_refuse(file, field, "holds complex values, expected counts or amplitudes");
}

static size_t
kind_size(ag_kind kind)
{
    return kind == AG_KIND_REAL      ? sizeof(ag_real)
           : kind == AG_KIND_COMPLEX ? sizeof(ag_complex)
                                     : 8;
}

/* The open member from its first element on, in C order, to be freed. */
static void *
read_member(ag_file *file, const char *field, ag_kind kind)
{
    const ag_npy *npy = &file->pack->npy;
    const size_t size = kind_size(kind);
    char *value = file->status ? NULL : ag_calloc(npy->count, size);
    char *ordered = value && npy->fortran && npy->rank > 1 ? ag_calloc(npy->count, size) : value;
    if (!value || !ordered)
        ag_file_no_memory(file, field, npy->count * (int64_t)size);
    else
        next_elements(file, field, kind, size, npy->count, value);
    if (!file->status && ordered != value)
        ag_npy_reorder(npy, size, value, ordered);
    if (ordered != value)
        free(value);
    if (file->status) {
        free(ordered);
        ordered = NULL;
    }
    return ordered;
}

static void *
read_table(ag_file *file, const char *field, ag_kind kind)
{
    const ag_table *table = &file->pack->table;
    const int64_t column = line_of(table->names, field);
    const int64_t skip = column < 0 ? 1 : table->cols;
    const int64_t count = column < 0 ? table->rows * table->cols : table->rows;
    const ag_npy plain = {.kind = 'f', .size = 8};
    char *value = ag_calloc(count, kind_size(kind));
    if (!value)
        ag_file_no_memory(file, field, count * 8);
    for (int64_t i = 0; value && i < count; i++)
        ag_npy_convert(&plain, table->value + i * skip + AG_MAX(column, 0), 1, kind,
                       value + (size_t)i * kind_size(kind));
    return value;
}

void *
ag_pack_read(ag_file *file, const char *field, ag_kind kind, int rank, const int64_t *expected)
{
    int64_t shape[AG_FILE_RANK];
    const int has = ag_pack_shape(file, field, shape);
    if (has < 0 || !ag_file_fits(file, field, has, shape, rank, expected))
        return NULL;
    if (file->pack->table.value)
        return read_table(file, field, kind);
    if (file->pack->npy.kind == 'c' && kind != AG_KIND_COMPLEX)
        ag_file_refuse(file, field, "holds complex values, expected real numbers");
    return read_member(file, field, kind);
}

/* Frames first, from an array (rows, cols, frames). */
static void
turn(ag_file *file, const char *field, ag_real **whole)
{
    const ag_npy *npy = &file->pack->npy;
    const int64_t frames = npy->shape[npy->rank - 1], area = npy->count / frames;
    ag_real *turned = *whole ? ag_calloc(npy->count, sizeof *turned) : NULL;
    if (*whole && !turned)
        ag_file_no_memory(file, field, BLOCK);
    for (int64_t i = 0; turned && i < npy->count; i++)
        turned[i % frames * area + i / frames] = (*whole)[i];
    free(*whole);
    *whole = turned;
}

/* Opens an array of frames at the first one; where they do not lie one after the other, all are read. */
static ag_status
open_frames(ag_file *file, const char *field, int last, const int64_t known[3])
{
    ag_pack *pack = file->pack;
    const ag_npy *npy = &pack->npy;
    if (open_member(file, field) ||
        !ag_file_unchanged(file, field, last, known, npy->rank, npy->shape))
        return file->status;
    if (last || (npy->fortran && npy->rank > 1))
        pack->whole = read_member(file, field, AG_KIND_REAL);
    if (last)
        turn(file, field, &pack->whole);
    if (!file->status && (pack->name = strdup(field)) == NULL)
        ag_file_no_memory(file, field, BLOCK);
    return file->status;
}

void
ag_pack_read_frames(ag_file *file, const char *field, int last, const int64_t known[3],
                    int64_t first, int64_t count, ag_real *destination)
{
    ag_pack *pack = file->pack;
    const int64_t area = known[1] * known[2];
    const int open =
        pack->name && !strcmp(pack->name, field) && (pack->whole || pack->at <= first * area);
    if (file->status || (!open && open_frames(file, field, last, known)))
        return;
    if (pack->whole) {
        memcpy(destination, pack->whole + first * area,
               (size_t)(count * area) * sizeof *destination);
        return;
    }
    next_elements(file, field, AG_KIND_REAL, sizeof(ag_real), first * area - pack->at, NULL);
    next_elements(file, field, AG_KIND_REAL, sizeof(ag_real), count * area, (char *)destination);
}
