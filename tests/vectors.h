/* SPDX-License-Identifier: BSD-3-Clause */
/* vectors.h -- the reference vectors of the tests, from safetensors files.

   Whatever is wrong with a file ends the running test with the words why.  */
#ifndef AG_TESTS_VECTORS_H
#define AG_TESTS_VECTORS_H

#include <stdint.h>

typedef struct vectors vectors;

vectors *vectors_open(const char *path);
/* The tensor `name` (F64, F32, I64 or U8) as doubles, row-major, complex as pairs; `count` (may
   be NULL) receives the number of doubles.  Belongs to `v`; the same pointer each time. */
const double *vectors_f64(vectors *v, const char *name, int64_t *count);
/* The name of the i-th tensor, NULL after the last; an entry of the file's metadata, which is JSON. */
const char *vectors_name(vectors *v, int i);
const char *vectors_metadata(vectors *v, const char *key);
void vectors_close(vectors *v);

#endif
