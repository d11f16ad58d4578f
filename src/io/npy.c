/* SPDX-License-Identifier: BSD-3-Clause */
/* npy.c -- the array format of NumPy (NumPy Enhancement Proposal 1), headers of versions 1 to 3.

   Elements are numbers of a plain type; Python objects are refused, for they are pickles.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define LONGEST_HEADER 65536

static ag_status
damaged(ag_file *file, const char *field, const char *what)
{
    return ag_file_refuse(file, field, "is a damaged npy array: %s", what);
}

/* '<f4' and such. */
static ag_status
take_type(ag_file *file, const char *field, ag_npy *npy, const char *type, size_t length)
{
    static const char *const sizes[] = {"b1", "i1", "i2", "i4", "i8", "u1", "u2",
                                        "u4", "u8", "f2", "f4", "f8", "c8", "c16"};
    const uint16_t one = 1;
    const int little = *(const uint8_t *)&one;
    if (length > 1 && (type[1] == 'O' || type[0] == 'O'))
        return ag_file_refuse(file, field,
                              "holds Python objects (type %.*s), which are never unpickled, "
                              "expected numbers",
                              (int)AG_MIN(length, 20), type);
    for (size_t i = 0; length > 2 && i < sizeof sizes / sizeof *sizes; i++)
        if (strlen(sizes[i]) == length - 1 && !memcmp(sizes[i], type + 1, length - 1) &&
            strchr("<>|=", type[0])) {
            npy->kind = sizes[i][0];
            npy->size = atoi(sizes[i] + 1);
            npy->swapped = npy->size > 1 && (type[0] == '<' ? !little : type[0] == '>' && little);
            return AG_OK;
        }
    return ag_file_refuse(file, field, "has elements of type %.*s, expected numbers",
                          (int)AG_MIN(length, 40), type);
}

/* (516, 128, 128) */
static ag_status
take_shape(ag_file *file, const char *field, ag_npy *npy, const char *text, const char *end)
{
    npy->rank = 0;
    npy->count = 1;
    for (const char *at = text + 1; at < end && *at != ')';) {
        char *next;
        if (*at == ' ' || *at == ',') {
            at++;
            continue;
        }
        const long long size = strtoll(at, &next, 10);
        if (next == at || size < 0)
            return damaged(file, field, "its shape is none");
        if (npy->rank == AG_FILE_RANK)
            return ag_file_refuse(file, field, "has more than %d axes", AG_FILE_RANK);
        if (size > 0 && npy->count > INT64_MAX / 16 / size)
            return ag_file_refuse(file, field,
                                  "axis %d has length %lld: more elements than memory can address",
                                  npy->rank, size);
        npy->shape[npy->rank++] = size;
        npy->count *= size;
        at = next + (*next == 'L');
    }
    return AG_OK;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (516, 128, 128), } */
static ag_status
take_dictionary(ag_file *file, const char *field, ag_npy *npy, const char *text)
{
    int has = 0;
    for (const char *at = strchr(text, '{'); at && (at = strpbrk(at, "'\"")) != NULL;) {
        const char *name = at + 1, *name_end = strchr(name, *at);
        const char *value = name_end ? name_end + 1 + strspn(name_end + 1, ": ") : "";
        const char *end = *value == '(' ? strchr(value, ')') : strpbrk(value, ",}");
        if (!end || *value == '[')
            return !end ? damaged(file, field, "its header ends early")
                        : ag_file_refuse(file, field, "has records as elements, expected numbers");
        const size_t length = (size_t)(name_end - name);
        ag_status status = AG_OK;
        if (length == 5 && !memcmp(name, "descr", 5)) {
            end = strchr(value + 1, *value);
            if (!end)
                return damaged(file, field, "its header ends early");
            status = take_type(file, field, npy, value + 1, (size_t)(end - value - 1));
            has |= 1;
        } else if (length == 13 && !memcmp(name, "fortran_order", 13)) {
            npy->fortran = *value == 'T';
            has |= 2;
        } else if (length == 5 && !memcmp(name, "shape", 5)) {
            if (*value != '(')
                return damaged(file, field, "its shape is none");
            status = take_shape(file, field, npy, value, end);
            has |= 4;
        }
        if (status)
            return status;
        at = end + 1;
    }
    return has == 7 ? AG_OK
                    : damaged(file, field, "its header lacks descr, fortran_order or shape");
}

ag_status
ag_npy_header(ag_file *file, const char *field, ag_npy *npy, ag_bytes *get, void *from)
{
    unsigned char b[12];
    memset(npy, 0, sizeof *npy);
    if (get(from, b, 8) != 8 || memcmp(b, "\x93NUMPY", 6) != 0)
        return ag_file_refuse(file, field, "is no npy array, expected one");
    const int wide = b[6] >= 2 ? 4 : 2;
    if (b[6] < 1 || b[6] > 3 || get(from, b + 8, wide) != wide)
        return ag_file_refuse(file, field, "is an npy array of version %d, expected 1 to 3", b[6]);
    const int64_t length = (int64_t)b[8] | (int64_t)b[9] << 8 |
                           (wide == 4 ? (int64_t)b[10] << 16 | (int64_t)b[11] << 24 : 0);
    if (length > LONGEST_HEADER)
        return damaged(file, field, "its header is longer than any");
    char *text = ag_calloc(length + 1, 1);
    if (!text) {
        ag_file_no_memory(file, field, length);
        return file->status;
    }
    npy->header = 8 + wide + length;
    const ag_status status = get(from, text, length) == length
                                 ? take_dictionary(file, field, npy, text)
                                 : damaged(file, field, "it ends within its header");
    free(text);
    return status;
}

/* IEEE 754 binary16 */
static double
half(uint16_t h)
{
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                        : exponent == 0 ? ldexp(fraction, -24)
                                        : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -size : size;
}

/* One number of `size` bytes in this machine's order. */
static double
number(char kind, int size, const unsigned char *b)
{
    union {
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
        uint16_t u2;
        uint32_t u4;
        uint64_t u8;
        float f4;
        double f8;
    } v;
    memcpy(&v, b, (size_t)size);
    switch (kind == 'f' || kind == 'c' ? size + 20 : kind == 'i' ? size + 10 : size) {
    case 1:
        return b[0];
    case 2:
        return v.u2;
    case 4:
        return v.u4;
    case 8:
        return (double)v.u8;
    case 11:
        return v.i1;
    case 12:
        return v.i2;
    case 14:
        return v.i4;
    case 18:
        return (double)v.i8;
    case 22:
        return half(v.u2);
    case 24:
        return (double)v.f4;
    default:
        return v.f8;
    }
}

void
ag_npy_convert(const ag_npy *npy, const void *bytes, int64_t count, ag_kind kind, void *value)
{
    const int parts = npy->kind == 'c' ? 2 : 1, size = npy->size / parts;
    const unsigned char *at = bytes;
    if (kind == AG_KIND_REAL && npy->kind == 'f' && size == (int)sizeof(ag_real) && !npy->swapped) {
        memcpy(value, bytes, (size_t)count * sizeof(ag_real));
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        double part[2] = {0, 0};
        for (int k = 0; k < parts; k++, at += size) {
            unsigned char b[8];
            for (int n = 0; n < size; n++)
                b[n] = at[npy->swapped ? size - 1 - n : n];
            part[k] = number(npy->kind, size, b);
        }
        if (kind == AG_KIND_COMPLEX)
            ((ag_complex *)value)[i] = (ag_complex){(ag_real)part[0], (ag_real)part[1]};
        else if (kind == AG_KIND_REAL)
            ((ag_real *)value)[i] = (ag_real)part[0];
        else if (kind == AG_KIND_DOUBLE)
            ((double *)value)[i] = part[0];
        else
            ((int64_t *)value)[i] = fabs(part[0]) < 0x1p63 ? (int64_t)part[0] : INT64_MIN;
    }
}

void
ag_npy_reorder(const ag_npy *npy, size_t size, const void *from, void *to)
{
    int64_t at[AG_FILE_RANK] = {0}, step[AG_FILE_RANK], source = 0;
    for (int64_t a = 0, all = 1; a < npy->rank; all *= npy->shape[a++])
        step[a] = all;
    for (int64_t i = 0; i < npy->count; i++) {
        memcpy((char *)to + (size_t)i * size, (const char *)from + (size_t)source * size, size);
        for (int a = npy->rank - 1; a >= 0; a--) {
            source += step[a];
            if (++at[a] < npy->shape[a])
                break;
            source -= step[a] * npy->shape[a];
            at[a] = 0;
        }
    }
}
