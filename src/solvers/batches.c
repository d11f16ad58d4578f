/* SPDX-License-Identifier: BSD-3-Clause */
/* batches.c -- which frames are worked on together: the order of an iteration.

   Random: a new order each time, cut into pieces.  Compact: the scan is halved across its longer
   side, and the halves likewise, until each part is a batch of neighbours.  Uniform: the scan is
   halved into cells of as many neighbours as there are batches, and each batch takes one of each
   cell, so every batch covers the scan alike; it is made once, the batches come in a new order
   each time.  Within a batch frames ascend.

   Side by side: one frame after another, where the probe stays, frames whose windows do not overlap may
   change places and bits stay the same.  A frame's level is one more than the highest of the frames before it whose
   windows overlap its own; those of a level are worked on at once, the levels one after the other.  */
#include <stdlib.h>
#include <string.h>

#include "solver.h"

typedef struct place {
    int32_t row, col, frame;
} place;

static int
by_row(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->row != y->row ? (x->row > y->row) - (x->row < y->row) : (x->frame > y->frame) - (x->frame < y->frame);
}

static int
by_col(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->col != y->col ? (x->col > y->col) - (x->col < y->col) : (x->frame > y->frame) - (x->frame < y->frame);
}

static int
ascending(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Orders n places so that parts k ... k + count - 1 of `parts` are neighbours; `at` begins with part k. */
static void
halve(place *at, int64_t n, int64_t parts, int64_t k, int64_t count)
{
    if (count < 2)
        return;
    const int64_t begin = ag_part_begin(n, parts, k), end = ag_part_begin(n, parts, k + count);
    const int64_t middle = ag_part_begin(n, parts, k + count / 2) - begin;
    int32_t low[2] = {INT32_MAX, INT32_MAX}, high[2] = {INT32_MIN, INT32_MIN};
    for (int64_t i = 0; i < end - begin; i++) {
        low[0] = AG_MIN(low[0], at[i].row);
        high[0] = AG_MAX(high[0], at[i].row);
        low[1] = AG_MIN(low[1], at[i].col);
        high[1] = AG_MAX(high[1], at[i].col);
    }
    qsort(at, (size_t)(end - begin), sizeof *at, high[0] - low[0] < high[1] - low[1] ? by_col : by_row);
    halve(at, n, parts, k, count / 2);
    halve(at + middle, n, parts, k + count / 2, count - count / 2);
}

/* Exchanges n things with one another at random (Fisher and Yates). */
static void
shuffle(ag_random *random, int32_t *order, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = (int64_t)(ag_random_uniform(random) * (double)(i + 1));
        const int32_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
}

static int
is_mine(const ag_solver *s, int64_t frame)
{
    return frame >= s->first && frame < s->first + s->frames;
}

typedef struct spot {
    int32_t band, along, across, frame;
} spot;

static int
along_the_way(const void *a, const void *b)
{
    const spot *x = a, *y = b;
    const int32_t difference[] = {x->band - y->band, x->along - y->along, x->across - y->across, x->frame - y->frame};
    int i = 0;
    while (i < 3 && !difference[i])
        i++;
    return difference[i];
}

void
ag_solver_sort(ag_solver *s)
{
    for (int64_t j = 0; j < s->frames; j++)
        s->order[j] = (int32_t)j;
    if (!s->method->any_order)
        return;
    const int64_t height = AG_MAX(1, s->rows / 2);
    spot *way = ag_calloc(s->frames, sizeof *way);
    s->places = ag_calloc(s->frames, sizeof *s->places);
    if (!way || !s->places) {
        ag_device_fail(s->device, AG_NO_MEMORY, "order: out of host memory");
        free(way);
        return;
    }
    for (int64_t j = 0; j < s->frames; j++) {
        const int32_t across = s->corners[2 * j], along = s->corners[2 * j + 1], band = (int32_t)(across / height);
        way[j] = (spot){band, band % 2 ? -along : along, across, (int32_t)j};
    }
    qsort(way, (size_t)s->frames, sizeof *way, along_the_way);
    for (int64_t i = 0; i < s->frames; i++) {
        s->order[i] = way[i].frame;
        s->places[way[i].frame] = (int32_t)i;
    }
    free(way);
}

void
ag_solver_take_order(ag_solver *s)
{
    for (int64_t i = 0, n = 0; s->everyone && i < s->all; i++)
        if (is_mine(s, s->everyone[i]))
            s->order[n++] = (int32_t)(s->everyone[i] - s->first);
    ag_array_write(s->frame, 0, s->frames, s->order);
    if (s->options.shuffle || s->options.batches)
        ag_stack_reorder(&s->amplitude, s->order);
}

void
ag_solver_shuffle(ag_solver *s, ag_random *random)
{
    const int64_t batch = s->options.batch;
    int32_t *const order = s->everyone ? s->everyone : s->order;
    shuffle(random, order, s->all);
    for (int64_t i = 0; i < s->all; i += batch)
        qsort(order + i, (size_t)AG_MIN(batch, s->all - i), sizeof *order, ascending);
    ag_solver_take_order(s);
}

ag_status
ag_batches_share(ag_solver *s)
{
    if (s->comm->size > 1 && s->plan.fft)
        return ag_device_fail(s->device, AG_BAD_ARGUMENT,
                              "ranks: found %d, expected 1 where a library transforms for %s, whose batches they share",
                              s->comm->size, s->method->name);
    return AG_OK;
}

int64_t
ag_solver_mine(const ag_solver *s, int64_t first, int64_t count)
{
    int64_t n = 0;
    for (int64_t i = first; s->everyone && i < first + count; i++)
        n += is_mine(s, s->everyone[i]);
    return s->everyone ? n : count;
}

/* Frame k of each cell goes to the batch that a shuffled list of batches names. */
static void
deal(ag_batches *b, const place *at, int64_t frames)
{
    const int64_t cells = (frames + b->count - 1) / b->count;
    for (int64_t c = 0; c < cells; c++) {
        const int64_t begin = ag_part_begin(frames, cells, c), end = ag_part_begin(frames, cells, c + 1);
        shuffle(&b->random, b->turn, b->count);
        for (int64_t i = begin; i < end; i++) {
            const int32_t k = b->turn[i - begin];
            b->frame[k * cells + b->size[k]++] = at[i].frame;
        }
    }
}

ag_status
ag_batches_create(ag_batches *b, ag_solver *s)
{
    const int64_t n = s->all, batch = s->options.batch;
    memset(b, 0, sizeof *b);
    ag_random_seed(&b->random, s->options.seed);
    b->count = (n + batch - 1) / batch;
    b->room = (n + b->count - 1) / b->count;
    int64_t **const places[] = {&b->first, &b->of, &b->before};
    for (int i = 0; i < 3; i++)
        *places[i] = ag_calloc(b->count + 1, sizeof **places[i]);
    b->size = ag_calloc(b->count, sizeof *b->size);
    b->turn = ag_calloc(b->count, sizeof *b->turn);
    b->frame = ag_calloc(b->count * b->room, sizeof *b->frame);
    place *at = ag_calloc(n, sizeof *at);
    if (!b->first || !b->of || !b->before || !b->size || !b->turn || !b->frame || !at) {
        free(at);
        return ag_device_fail(s->device, AG_NO_MEMORY, "batches: out of host memory");
    }
    const int compact = s->options.batches == AG_BATCHES_COMPACT;
    const int64_t parts = compact ? b->count : b->room;
    for (int64_t j = 0; j < n; j++)
        at[j] = (place){ag_solver_corner(s, j)[0], ag_solver_corner(s, j)[1], (int32_t)j};
    for (int64_t k = 0; k < b->count; k++)
        b->turn[k] = (int32_t)k;
    if (s->options.batches != AG_BATCHES_RANDOM)
        halve(at, n, parts, 0, parts);
    if (s->options.batches == AG_BATCHES_UNIFORM)
        deal(b, at, n);
    for (int64_t k = 0; compact && k < b->count; k++)
        for (int64_t i = ag_part_begin(n, parts, k); i < ag_part_begin(n, parts, k + 1); i++)
            b->frame[k * b->room + b->size[k]++] = at[i].frame;
    for (int64_t k = 0; k < b->count; k++)
        qsort(b->frame + k * b->room, (size_t)b->size[k], sizeof *b->frame, ascending);
    free(at);
    return AG_OK;
}

void
ag_batches_destroy(ag_batches *b)
{
    free(b->first);
    free(b->of);
    free(b->before);
    free(b->size);
    free(b->turn);
    free(b->frame);
}

/* The batches as they were made, in turn. */
static void
deal_out(ag_batches *b, ag_solver *s)
{
    int32_t *const order = s->everyone ? s->everyone : s->order;
    for (int64_t k = 0; k < b->count; k++)
        b->turn[k] = (int32_t)k;
    if (s->options.batches == AG_BATCHES_UNIFORM && s->options.shuffle)
        shuffle(&b->random, b->turn, b->count);
    for (int64_t i = 0; i < b->count; i++) {
        const int32_t k = b->turn[i];
        memcpy(order + b->of[i], b->frame + k * b->room, (size_t)b->size[k] * sizeof *order);
        b->of[i + 1] = b->of[i] + b->size[k];
    }
    ag_solver_take_order(s);
}

void
ag_batches_next(ag_batches *b, ag_solver *s)
{
    for (int64_t k = 0; k <= b->count; k++)
        b->of[k] = AG_MIN(k * s->options.batch, s->all);
    if (s->options.batches != AG_BATCHES_RANDOM)
        deal_out(b, s);
    else if (s->options.shuffle)
        ag_solver_shuffle(s, &b->random);
    for (int64_t k = 0; k < b->count; k++) {
        b->before[k] = 0;
        for (int64_t i = b->of[k]; s->everyone && i < b->of[k + 1]; i++)
            b->before[k] += s->everyone[i] < s->first;
        b->first[k + 1] = b->first[k] + ag_solver_mine(s, b->of[k], b->of[k + 1] - b->of[k]);
    }
}

ag_status
ag_beside_create(ag_beside *b, ag_solver *s)
{
    /* A processor's threads take a frame of 128 x 128 each, which stays in their caches from pass to pass. */
    b->most = ag_device_room(s->device).lanes > 1 ? s->slots : AG_MAX(1, s->slots / 4);
    b->grain = AG_MAX(1, AG_MIN(s->rows, s->cols) / 16);
    b->cols = s->object_cols / b->grain + 1;
    b->cells = (s->object_rows / b->grain + 1) * b->cols;
    b->reached = ag_calloc(b->cells, sizeof *b->reached);
    b->order = ag_calloc(s->frames, sizeof *b->order);
    b->level = ag_calloc(s->frames, sizeof *b->level);
    b->first = ag_calloc(s->frames + 2, sizeof *b->first);
    if (!b->reached || !b->order || !b->level || !b->first)
        return ag_device_fail(s->device, AG_NO_MEMORY, "order: out of host memory");
    return AG_OK;
}

void
ag_beside_destroy(ag_beside *b)
{
    free(b->reached);
    free(b->order);
    free(b->level);
    free(b->first);
}

/* One more than the highest level that has reached the cells of a window, which it reaches now. */
static int32_t
reach(ag_beside *b, const ag_solver *s, const int32_t corner[2])
{
    const int linear = s->options.subpixel == AG_SUBPIXEL_LINEAR;
    const int64_t bottom = AG_MIN(corner[0] + s->rows + linear, s->object_rows) - 1;
    const int64_t right = AG_MIN(corner[1] + s->cols + linear, s->object_cols) - 1;
    const int64_t begin = corner[1] / b->grain, end = right / b->grain + 1;
    int32_t level = 0;
    for (int64_t y = corner[0] / b->grain; y <= bottom / b->grain; y++)
        for (int64_t x = begin; x < end; x++)
            level = AG_MAX(level, b->reached[y * b->cols + x]);
    for (int64_t y = corner[0] / b->grain; y <= bottom / b->grain; y++)
        for (int64_t x = begin; x < end; x++)
            b->reached[y * b->cols + x] = level + 1;
    return level;
}

void
ag_beside_begin(ag_beside *b, ag_solver *s)
{
    memset(b->reached, 0, (size_t)b->cells * sizeof *b->reached);
    memset(b->first, 0, (size_t)(s->frames + 2) * sizeof *b->first);
    memcpy(b->order, s->order, (size_t)s->frames * sizeof *b->order);
    for (int64_t i = 0; i < s->frames; i++) {
        const int32_t j = s->order[i];
        b->level[j] = reach(b, s, s->corners + 2 * j);
        b->first[b->level[j] + 2]++;
    }
    for (int64_t k = 0; k < s->frames; k++)
        b->first[k + 2] += b->first[k + 1];
    /* Frames ascend within a level; where one ends the next begins. */
    for (int64_t j = 0; j < s->frames; j++)
        s->order[b->first[b->level[j] + 1]++] = (int32_t)j;
    ag_stack_reorder(&s->amplitude, s->order);
    ag_solver_take_order(s);
}

int64_t
ag_beside_count(const ag_beside *b, const ag_solver *s, int64_t at)
{
    return AG_MIN(b->first[b->level[s->order[at]] + 1] - at, b->most);
}

void
ag_beside_end(ag_beside *b, ag_solver *s)
{
    memcpy(s->order, b->order, (size_t)s->frames * sizeof *s->order);
    ag_stack_reorder(&s->amplitude, s->order);
    ag_solver_take_order(s);
}
