/* SPDX-License-Identifier: BSD-3-Clause */
/* t4.h -- what the tests of the nets share: checkpoints made by the recipe of the reference vectors. */
#ifndef AG_TESTS_T4_H
#define AG_TESTS_T4_H

#include <jansson.h>

#include "common.h"
#include "vectors.h"

/* Numbers of the recipe (its README): `count' of tensor `name', u a + b with u in [-1, 1). */
void recipe_fill(ag_real *value, int64_t count, const char *name, uint64_t seed, double a, double b);

/* A safetensors file in the making; what it is given is kept. */
typedef struct checkpoint {
    char *header, *data;
    size_t header_size, data_size;
} checkpoint;
void checkpoint_add(checkpoint *c, const char *name, int rank, const int64_t *shape, const ag_real *value);
/* Adds the tensor by the recipe. */
void checkpoint_make(checkpoint *c, const char *name, int rank, const int64_t *shape, uint64_t seed, double a, double b);
/* Writes it, and forgets all; a name without a folder is in the tests' own. */
const char *checkpoint_write(checkpoint *c, const char *name);
/* A Hybrid-ResNet of layout A as small as can be: 1 pattern, 3 encoder blocks, 1 residual block. */
typedef struct tiny {
    checkpoint file;
    const char *prefix, *without, *poisoned; /* before each name; a tensor to leave out, to give a NaN */
} tiny;
enum { TINY_SEED = 7 };
void make_tiny(tiny *t);
/* A folder for files of the tests, which ends with the program. */
const char *scratch_path(const char *name);

/* The file of reference vectors of that name: from the folder beside ARGAND_DATA, or, for a few of them without
   their stages, from tests/data; NULL: neither has it. */
const char *net_vector(const char *name);

TCase *nets_vectors(void), *nets_files(void), *nets_half(void), *nets_assembly(void), *nets_ptychonn(void);

#endif
