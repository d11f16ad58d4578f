/* SPDX-License-Identifier: BSD-3-Clause */
/* tensors.h -- named arrays of numbers from a safetensors file (io/safetensors.c). */
#ifndef AG_TENSORS_H
#define AG_TENSORS_H

#include "argand.h"

#define AG_TENSOR_RANK 8

typedef struct ag_tensors ag_tensors;

typedef struct ag_tensor {
    const char *name;  /* belongs to the file */
    const char *dtype; /* as the file says: "F32", ... */
    int rank;
    int64_t shape[AG_TENSOR_RANK];
    int64_t count;       /* of numbers; a complex one counts as two */
    int64_t begin, bytes; /* where it lies */
    int known;            /* its place in the table of types, -1: of none */
} ag_tensor;

/* Reads the header alone; every tensor's place is looked at before any is trusted. */
ag_status ag_tensors_open(ag_tensors **tensors, const char *path, ag_message *message);
void ag_tensors_close(ag_tensors *tensors);
/* The end of the path, for messages. */
const char *ag_tensors_path(const ag_tensors *tensors);
int64_t ag_tensors_count(const ag_tensors *tensors);
/* The i-th in the order of their names. */
const ag_tensor *ag_tensors_at(const ag_tensors *tensors, int64_t i);
/* NULL where there is none of that name. */
const ag_tensor *ag_tensors_find(const ag_tensors *tensors, const char *name);
/* All numbers (F16, BF16, F32, F64, C64) as reals into `value`; a number that is not finite is an error. */
ag_status ag_tensors_read(ag_tensors *tensors, const ag_tensor *tensor, ag_real *value, ag_message *message);

#endif
