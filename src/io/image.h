/* SPDX-License-Identifier: BSD-3-Clause */
/* image.h -- a picture in memory and its way to a file. */
#ifndef AG_IMAGE_H
#define AG_IMAGE_H

#include "core.h"

/* 8 bits; one channel (grey) or three (red, green, blue). */
typedef struct ag_image {
    int64_t rows, cols;
    int channels;
    unsigned char *pixel; /* rows x cols x channels */
} ag_image;

/* As PNG; under another name first, so that `path` is never half a file. */
ag_status ag_image_write(const char *path, const ag_image *image, ag_message *message);

#endif
