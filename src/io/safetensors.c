/* SPDX-License-Identifier: BSD-3-Clause */
/* safetensors.c -- reads safetensors: the length of a header (8 bytes, little-endian), the header (JSON: of each
   tensor its type, shape and place), the numbers (github.com/huggingface/safetensors).  */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "tensors.h"

/* The format's own limit. */
#define LARGEST_HEADER 100000000
#define PIECE 65536 /* bytes read at a time; a multiple of each type's */

struct ag_tensors {
    char *path;
    FILE *file;
    json_t *header; /* names and types belong to it */
    int64_t count;
    ag_tensor *tensor;
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
bf16(const unsigned char *byte)
{
    const unsigned char wide[4] = {0, 0, byte[0], byte[1]};
    return f32(wide);
}

static double
f16(const unsigned char *byte)
{
    const int bits = (int)little_endian(byte, 2), exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                         : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                        : ldexp(fraction, -24);
    return bits & 0x8000 ? -value : value;
}

/* `parts` numbers of `size` bytes make an element; those without a function cannot be weights. */
static const struct type {
    const char *name;
    int size, parts;
    double (*value)(const unsigned char *byte);
} types[] = {{"F64", 8, 1, f64},   {"F32", 4, 1, f32},   {"F16", 2, 1, f16},   {"BF16", 2, 1, bf16},
             {"C64", 4, 2, f32},   {"I64", 8, 1, NULL},  {"I32", 4, 1, NULL},  {"I16", 2, 1, NULL},
             {"I8", 1, 1, NULL},   {"U8", 1, 1, NULL},   {"BOOL", 1, 1, NULL}, {"U64", 8, 1, NULL},
             {"U32", 4, 1, NULL},  {"U16", 2, 1, NULL}};
#define TYPES ((int)(sizeof types / sizeof *types))

static ag_status
fail(const ag_tensors *t, ag_status status, ag_message *message, const char *what)
{
    return ag_fail(message, status, "%s: %s", ag_path_tail(t->path), what);
}

/* Takes the shape and the place of one tensor from the header. */
static const char *
describe(ag_tensor *tensor, const json_t *entry, int64_t room)
{
    const json_t *shape = json_object_get(entry, "shape"), *place = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(place, 0), *last = json_array_get(place, 1);
    tensor->dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!tensor->dtype)
        return "has no dtype";
    tensor->known = -1;
    for (int i = 0; i < TYPES; i++)
        if (!strcmp(types[i].name, tensor->dtype))
            tensor->known = i;
    if (!json_is_array(shape) || json_array_size(shape) > AG_TENSOR_RANK)
        return "has no shape of at most 8 axes";
    tensor->rank = (int)json_array_size(shape);
    tensor->count = 1;
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *extent = json_array_get(shape, (size_t)i);
        const int64_t n = json_integer_value(extent);
        if (!json_is_integer(extent) || n < 0 || (n && tensor->count > INT64_MAX / 16 / n))
            return "has an impossible shape";
        tensor->shape[i] = n;
        tensor->count *= n;
    }
    if (json_array_size(place) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return "has no data_offsets";
    const int64_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || end > room)
        return "lies outside of the file";
    tensor->begin = begin;
    tensor->bytes = end - begin;
    if (tensor->known >= 0) {
        const struct type *type = &types[tensor->known];
        if (tensor->count * type->parts * type->size != tensor->bytes)
            return "has a shape and type that do not fit its data_offsets";
        tensor->count *= type->parts;
    }
    return NULL;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const ag_tensor *)a)->name, ((const ag_tensor *)b)->name);
}

static int
by_place(const void *a, const void *b)
{
    const ag_tensor *const *x = a, *const *y = b;
    return (*x)->begin != (*y)->begin ? ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin)
                                      : ((*x)->bytes > (*y)->bytes) - ((*x)->bytes < (*y)->bytes);
}

/* Two tensors must not share bytes. */
static ag_status
look_for_overlaps(const ag_tensors *t, ag_message *message)
{
    const ag_tensor **order = ag_calloc(t->count ? t->count : 1, sizeof *order);
    ag_status status = AG_OK;
    if (!order)
        return fail(t, AG_NO_MEMORY, message, "no memory left");
    for (int64_t i = 0; i < t->count; i++)
        order[i] = &t->tensor[i];
    qsort(order, (size_t)t->count, sizeof *order, by_place);
    for (int64_t i = 1; i < t->count && !status; i++)
        if (order[i]->begin < order[i - 1]->begin + order[i - 1]->bytes)
            status = ag_fail(message, AG_BAD_FILE, "%s: tensors %.200s and %.200s overlap",
                             ag_path_tail(t->path), order[i - 1]->name, order[i]->name);
    free(order);
    return status;
}

static ag_status
read_header(ag_tensors *t, ag_message *message)
{
    unsigned char eight[8];
    json_error_t error;
    if (fseeko(t->file, 0, SEEK_END))
        return fail(t, AG_FILE_ERROR, message, "cannot be read");
    const int64_t size = ftello(t->file);
    rewind(t->file);
    if (size < 8 || fread(eight, 8, 1, t->file) != 1)
        return fail(t, AG_BAD_FILE, message, "is no safetensors file: it is shorter than 8 bytes");
    const uint64_t length = little_endian(eight, 8);
    if (length > LARGEST_HEADER || length > (uint64_t)size - 8)
        return ag_fail(message, AG_BAD_FILE,
                       "%s: is no safetensors file, or a truncated one: found a header of %llu bytes in a file of %lld "
                       "(doc/nets.md tells how to turn .pth and .ckpt files into safetensors)",
                       ag_path_tail(t->path), (unsigned long long)length, (long long)size);
    char *text = malloc((size_t)length + 1);
    if (!text)
        return fail(t, AG_NO_MEMORY, message, "no memory left");
    if (fread(text, 1, (size_t)length, t->file) != length) {
        free(text);
        return fail(t, AG_FILE_ERROR, message, "cannot be read");
    }
    t->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!json_is_object(t->header))
        return ag_fail(message, AG_BAD_FILE, "%s: header: %s", ag_path_tail(t->path),
                       t->header ? "is no JSON object" : error.text);
    t->tensor = ag_calloc((int64_t)json_object_size(t->header) + 1, sizeof *t->tensor);
    if (!t->tensor)
        return fail(t, AG_NO_MEMORY, message, "no memory left");
    const char *name;
    json_t *entry;
    json_object_foreach(t->header, name, entry)
    {
        if (!strcmp(name, "__metadata__"))
            continue;
        ag_tensor *tensor = &t->tensor[t->count++];
        tensor->name = name;
        const char *wrong = json_is_object(entry) ? describe(tensor, entry, size - 8 - (int64_t)length)
                                                  : "is described by no JSON object";
        if (wrong)
            return ag_fail(message, AG_BAD_FILE, "%s: tensor %.300s %s", ag_path_tail(t->path), name, wrong);
        tensor->begin += 8 + (int64_t)length;
    }
    qsort(t->tensor, (size_t)t->count, sizeof *t->tensor, by_name);
    return look_for_overlaps(t, message);
}

ag_status
ag_tensors_open(ag_tensors **tensors, const char *path, ag_message *message)
{
    *tensors = NULL;
    ag_tensors *t = calloc(1, sizeof *t);
    ag_status status = AG_OK;
    if (t)
        t->path = strdup(path);
    if (!t || !t->path) {
        free(t);
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(path));
    }
    t->file = fopen(path, "rb");
    if (!t->file)
        status = fail(t, AG_FILE_ERROR, message, strerror(errno));
    else
        status = read_header(t, message);
    if (status)
        ag_tensors_close(t);
    else
        *tensors = t;
    return status;
}

void
ag_tensors_close(ag_tensors *t)
{
    if (!t)
        return;
    if (t->file)
        fclose(t->file);
    json_decref(t->header);
    free(t->tensor);
    free(t->path);
    free(t);
}

const char *
ag_tensors_path(const ag_tensors *t)
{
    return ag_path_tail(t->path);
}

int64_t
ag_tensors_count(const ag_tensors *t)
{
    return t->count;
}

const ag_tensor *
ag_tensors_at(const ag_tensors *t, int64_t i)
{
    return &t->tensor[i];
}

const ag_tensor *
ag_tensors_find(const ag_tensors *t, const char *name)
{
    const ag_tensor wanted = {.name = name};
    return bsearch(&wanted, t->tensor, (size_t)t->count, sizeof *t->tensor, by_name);
}

ag_status
ag_tensors_read(ag_tensors *t, const ag_tensor *tensor, ag_real *value, ag_message *message)
{
    unsigned char piece[PIECE];
    const struct type *type = tensor->known < 0 ? NULL : &types[tensor->known];
    if (!type || !type->value)
        return ag_fail(message, AG_BAD_FILE, "%s: tensor %.200s has type %.20s, expected F32, F16, BF16, F64 or C64",
                       ag_path_tail(t->path), tensor->name, tensor->dtype);
    if (fseeko(t->file, (off_t)tensor->begin, SEEK_SET))
        return fail(t, AG_FILE_ERROR, message, "cannot be read");
    for (int64_t i = 0, n; i < tensor->count; i += n) {
        n = AG_MIN(tensor->count - i, PIECE / type->size);
        if (fread(piece, (size_t)type->size, (size_t)n, t->file) != (size_t)n)
            return fail(t, AG_FILE_ERROR, message, "cannot be read");
        for (int64_t k = 0; k < n; k++) {
            value[i + k] = (ag_real)type->value(piece + k * type->size);
            if (!isfinite(value[i + k]))
                return ag_fail(message, AG_BAD_FILE, "%s: tensor %.200s: number %lld is %g, expected finite numbers",
                               ag_path_tail(t->path), tensor->name, (long long)(i + k), (double)value[i + k]);
        }
    }
    return AG_OK;
}
