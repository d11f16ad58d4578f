/* SPDX-License-Identifier: BSD-3-Clause */
/* shape.h -- the numbers that a kernel is built for: constants of the text on a GPU, read at
   run time in C.  */
#ifndef AG_SHAPE_H
#define AG_SHAPE_H

#include <stdint.h>

/* Pixels of a row that one group of a gathering kernel takes: SEGMENT in gen/common.m4. */
#define AG_SEGMENT 128
#define AG_LONGEST 16384 /* rows or columns of a frame */
#define AG_MAX_STAGES 12 /* LAST_STAGE in gen/gpu.m4 is one less */

/* A one-dimensional transform of `length` points in place, see gen/fft.m4.  `points` is
   `length` itself when that is 7-smooth, else a 7-smooth length of at least 2 length - 1 on
   which Bluestein's algorithm works.  The table holds the twiddle factors of the stages and,
   for Bluestein, the chirp (length) and the spectrum of its inverse (points), or, where a frame lies in
   registers, exp(-2 pi i k / length), k < length.  */
typedef struct ag_axis {
    int length, points, stages;
    int radix[AG_MAX_STAGES];
    int chirp; /* where the chirp begins in the table; 0: no Bluestein */
    int turns; /* where that of registers begins; 0: it is not there */
} ag_axis;

typedef struct ag_shape {
    ag_axis y, x;  /* rows and columns of a frame */
    int tile;      /* columns of a transform tile */
    int strips_x;  /* tiles that cover the columns: ceil(x.length / tile) */
    int strips_y;  /* tiles that cover the row frequencies: ceil(y.length / tile) */
    int lanes;     /* work-items per group; 1 in C */
    int modes;     /* of the probe, whose intensities add up */
    int linear;    /* object windows at sub-pixel positions by bilinear interpolation */
    int spill;     /* tiles lie in global memory because local memory is too small */
    int whole;     /* one group keeps a frame, 1 in local memory, 2 in registers; of a plan: it may */
    int unfused;   /* a library transforms: frames in natural order between the passes */
    int words;     /* amplitudes: 0 reals, 1 words of 16 bits */
    int store;     /* activations of a net: 0 reals, 1 IEEE half, 2 bfloat16 */
    int mma;       /* convolutions take matrix units, and their weights in the same 16 bits */
} ag_shape;

#endif
