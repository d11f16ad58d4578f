/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_nets.h -- tensors in blocks of 16 channels for the kernels of the nets. */
#ifndef AG_TESTS_T2_NETS_H
#define AG_TESTS_T2_NETS_H

#include "nets/net.h"
#include "t2_kernels.h"

/* Activations as the problem's shape keeps them: `value', which is rounded (NULL: to be written); what an array of
   them holds. */
ag_array *place_stored(problem *p, int64_t count, ag_real *value);
const ag_real *fetch_stored(problem *p, const ag_array *array, int64_t count);
/* Random, [n][c][h][w] in double and the same in blocks, channels beyond c being 0. */
typedef struct tensor {
    int n, c, h, w, blocks;
    double *value;
    ag_real *block;
    ag_array *array;
} tensor;
tensor random_tensor(problem *p, int n, int c, int h, int w);
/* One without numbers, to be written. */
tensor empty_tensor(problem *p, int n, int c, int h, int w);
double *at(const tensor *t, int n, int c, int y, int x);
/* What the device holds against t->value. */
void compare_tensor(problem *p, const char *what, const tensor *t);
/* The same for a constant of each channel. */
typedef struct channels {
    double *value; /* of n x c */
    ag_array *array;
} channels;
channels random_channels(problem *p, int n, int c, double least, double most);
/* Rows of statistics that a kernel left, put together, against those of the tensor. */
void compare_sums(problem *p, const tensor *t, const ag_array *sums, int rows);
/* Rows of statistics of a tensor, one of each of its rows. */
ag_array *place_sums(problem *p, const tensor *t);
double act(double x, int kind);

#endif
