/* SPDX-License-Identifier: BSD-3-Clause */
/* shape_text.h -- the lines that stand before a kernel's text: its name and its shape. */
#ifndef AG_SHAPE_TEXT_H
#define AG_SHAPE_TEXT_H

#include <stdio.h>

#include "shape.h"

static inline int
shape_text_axis(char *text, size_t room, char c, const ag_axis *axis)
{
    int n = snprintf(text, room,
                     "#define SHAPE_%c_length %d\n#define SHAPE_%c_points %d\n#define SHAPE_%c_stages %d\n"
                     "#define SHAPE_%c_chirp %d\n#define SHAPE_%c_turns %d\n",
                     c, axis->length, c, axis->points, c, axis->stages, c, axis->chirp, c, axis->turns);
    for (int i = 0, m = axis->points, table = 0; i < axis->stages; i++) {
        m /= axis->radix[i];
        n += snprintf(text + n, room - (size_t)n,
                      "#define SHAPE_%c_radix_%d %d\n#define SHAPE_%c_m_%d %d\n#define SHAPE_%c_table_%d %d\n",
                      c, i, axis->radix[i], c, i, m, c, i, table);
        table += m * (axis->radix[i] - 1);
    }
    return n;
}

/* 4096 bytes are enough. */
static inline void
shape_text(char *text, size_t room, const char *kernel, const ag_shape *s)
{
    int n = snprintf(text, room,
                     "#define AG_KERNEL_%s\n#define WIDTH %d\n#define TILE %d\n#define SHAPE_strips_x %d\n"
                     "#define SHAPE_strips_y %d\n#define SHAPE_linear %d\n#define SHAPE_spill %d\n#define SHAPE_store %d\n#define SHAPE_mma %d\n#define SHAPE_modes %d\n#define SHAPE_words %d\n"
                     "#define SHAPE_whole %d\n",
                     kernel, s->lanes, s->tile, s->strips_x, s->strips_y, s->linear, s->spill, s->store, s->mma,
                     s->modes, s->words, s->whole);
    n += shape_text_axis(text + n, room - (size_t)n, 'y', &s->y);
    shape_text_axis(text + n, room - (size_t)n, 'x', &s->x);
}

#endif
