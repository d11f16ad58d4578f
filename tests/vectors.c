/* SPDX-License-Identifier: BSD-3-Clause */
/* vectors.c -- reads safetensors: 8-byte little-endian length, JSON header, raw data. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

enum { LARGEST_FILE = 1 << 28, LARGEST_HEADER = 1 << 20 };

/* A tensor that has been asked for. */
typedef struct converted {
    struct converted *next;
    double *value;
    int64_t count;
    char name[];
} converted;

struct vectors {
    char *path;
    unsigned char *file; /* all of it; the data begin at `data` */
    const unsigned char *data;
    uint64_t data_size;
    json_t *header;
    converted *list;
};

static uint64_t
little_endian(const unsigned char *byte, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | byte[i];
    return value;
}

static double
f64(const unsigned char *byte)
{
    const uint64_t bits = little_endian(byte, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double
f32(const unsigned char *byte)
{
    const uint32_t bits = (uint32_t)little_endian(byte, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double
i64(const unsigned char *byte)
{
    return (double)(int64_t)little_endian(byte, 8);
}

static double
u8(const unsigned char *byte)
{
    return *byte;
}

static const struct type {
    const char *name;
    uint64_t size;
    double (*value)(const unsigned char *byte);
} type_table[] = {{"F64", 8, f64}, {"F32", 4, f32}, {"I64", 8, i64}, {"U8", 1, u8}};

static void *
allocate(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        ck_abort_msg("no memory for %zu bytes of reference vectors", size);
    return memory;
}

static unsigned char *
read_all(const char *path, uint64_t *size)
{
    FILE *stream = fopen(path, "rb");
    if (!stream)
        ck_abort_msg("%s: %s", path, strerror(errno));
    const long end = fseek(stream, 0, SEEK_END) ? -1 : ftell(stream);
    if (end < 8 || end > LARGEST_FILE || fseek(stream, 0, SEEK_SET))
        ck_abort_msg("%s: %ld bytes cannot be a file of reference vectors", path, end);
    unsigned char *file = allocate((size_t)end);
    if (fread(file, 1, (size_t)end, stream) != (size_t)end)
        ck_abort_msg("%s: cannot be read", path);
    fclose(stream);
    *size = (uint64_t)end;
    return file;
}

vectors *
vectors_open(const char *path)
{
    vectors *v = allocate(sizeof *v);
    uint64_t size;
    v->file = read_all(path, &size);
    v->path = allocate(strlen(path) + 1);
    strcpy(v->path, path);
    v->list = NULL;
    const uint64_t length = little_endian(v->file, 8);
    if (length > LARGEST_HEADER || length > size - 8)
        ck_abort_msg("%s: a header of %llu bytes does not fit", path, (unsigned long long)length);
    json_error_t error;
    v->header = json_loadb((const char *)v->file + 8, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(v->header))
        ck_abort_msg("%s: header: %s", path, v->header ? "not an object" : error.text);
    v->data = v->file + 8 + length;
    v->data_size = size - 8 - length;
    return v;
}

/* The number of elements by the shape, or -1. */
static int64_t
elements(const json_t *shape, int64_t most)
{
    int64_t count = 1;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        const json_t *extent = json_array_get(shape, i);
        const json_int_t n = json_integer_value(extent);
        if (!json_is_integer(extent) || n < 0 || (n && count > most / n))
            return -1;
        count *= n;
    }
    return json_is_array(shape) ? count : -1;
}

static converted *
convert(const vectors *v, const char *name)
{
    const json_t *entry = json_object_get(v->header, name);
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_int_t begin = json_integer_value(json_array_get(offsets, 0));
    const json_int_t end = json_integer_value(json_array_get(offsets, 1));
    const struct type *type = NULL;
    if (!entry || !dtype)
        ck_abort_msg("%s: no tensor \"%s\"", v->path, name);
    for (size_t i = 0; i < sizeof type_table / sizeof *type_table; i++)
        if (!strcmp(type_table[i].name, dtype))
            type = &type_table[i];
    if (!type)
        ck_abort_msg("%s: \"%s\" has the unknown type %s", v->path, name, dtype);
    if (json_array_size(offsets) != 2 || begin < 0 || end < begin || (uint64_t)end > v->data_size)
        ck_abort_msg("%s: \"%s\" lies outside the file", v->path, name);
    const int64_t count = elements(json_object_get(entry, "shape"), LARGEST_FILE);
    if (count < 0 || (uint64_t)count * type->size != (uint64_t)(end - begin))
        ck_abort_msg("%s: the shape of \"%s\" does not fit its data", v->path, name);

    converted *tensor = allocate(sizeof *tensor + strlen(name) + 1);
    strcpy(tensor->name, name);
    tensor->count = count;
    tensor->value = allocate((size_t)count * sizeof *tensor->value);
    for (int64_t i = 0; i < count; i++)
        tensor->value[i] = type->value(v->data + begin + (uint64_t)i * type->size);
    return tensor;
}

const double *
vectors_f64(vectors *v, const char *name, int64_t *count)
{
    converted *tensor = v->list;
    while (tensor && strcmp(tensor->name, name))
        tensor = tensor->next;
    if (!tensor) {
        tensor = convert(v, name);
        tensor->next = v->list;
        v->list = tensor;
    }
    if (count)
        *count = tensor->count;
    return tensor->value;
}

const char *
vectors_name(vectors *v, int i)
{
    const char *name;
    json_t *entry;
    json_object_foreach(v->header, name, entry) if (strcmp(name, "__metadata__") != 0 && i-- == 0) return name;
    return NULL;
}

const char *
vectors_metadata(vectors *v, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(v->header, "__metadata__"), key));
    if (!text)
        ck_abort_msg("%s: no metadata \"%s\"", v->path, key);
    return text;
}

void
vectors_close(vectors *v)
{
    if (!v)
        return;
    while (v->list) {
        converted *next = v->list->next;
        free(v->list->value);
        free(v->list);
        v->list = next;
    }
    json_decref(v->header);
    free(v->file);
    free(v->path);
    free(v);
}
