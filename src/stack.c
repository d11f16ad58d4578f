/* SPDX-License-Identifier: BSD-3-Clause */
/* stack.c -- stacks of frames: whole on the device, or in a shelf, from where they take turns.

   A whole stack is a list of blocks.  Of one that takes turns, two blocks are on the device: kernels
   work on one while the transfer lane takes the other back to the shelf and brings the next.  What
   the lanes may touch when:

       transfer lane, before it copies from or to a turn    after the kernels that had it (`used')
       compute lane, before its kernels get a turn          after the copies for it (`ready')  */
#include <stdlib.h>
#include <string.h>

#include "device.h"

static int64_t
frame_bytes(const ag_stack *stack)
{
    return stack->frame * ag_type_bytes(stack->part[0]->type);
}

ag_status
ag_stack_create(ag_stack *stack, ag_device *device, ag_type type, int64_t frames, int64_t frame,
                int64_t turn, const char *name)
{
    const int64_t bytes = frame * ag_type_bytes(type), most = device->limits.allocation / AG_MAX(bytes, 1);
    memset(stack, 0, sizeof *stack);
    if (device->status)
        return device->status;
    if (most < 1)
        return ag_device_fail(device, AG_NO_MEMORY,
                              "device %s: one frame of %s takes %lld bytes, the largest allocation is %lld",
                              device->name, name, (long long)bytes, (long long)device->limits.allocation);
    stack->frames = frames;
    stack->frame = frame;
    stack->block = AG_MIN(AG_MIN(frames, most), turn ? turn : frames);
    stack->blocks = (frames + stack->block - 1) / stack->block;
    stack->parts = turn ? AG_MIN(2, stack->blocks) : stack->blocks;
    stack->turn[0].block = stack->turn[1].block = -1;
    stack->part = ag_calloc(stack->parts, sizeof *stack->part);
    if (!stack->part)
        return ag_device_fail(device, AG_NO_MEMORY, "%s: out of host memory", name);
    for (int64_t i = 0; i < stack->parts; i++) {
        const int64_t n = turn ? stack->block : AG_MIN(stack->block, frames - i * stack->block);
        stack->part[i] = ag_new(device, type, n * frame, name);
    }
    if (turn)
        stack->shelf = ag_shelf_create(device, frames * bytes, name);
    return device->status;
}

/* ---- turns ------------------------------------------------------------------------------------ */

/* A mark waits in a turn until the other lane asks for it: at most one of each kind. */
static void
put_mark(ag_device *d, int lane, ag_turn *turn)
{
    if (!turn->marked[lane] && !d->count_only &&
        !ag_device_stick(d, d->backend->mark(d->handle, lane, &turn->mark[lane])))
        turn->marked[lane] = 1;
}

/* The other lane goes on only after this lane's mark. */
static void
heed_mark(ag_device *d, int lane, ag_turn *turn)
{
    if (turn->marked[lane])
        ag_device_stick(d, d->backend->wait(d->handle, !lane, turn->mark[lane]));
    turn->marked[lane] = 0;
}

/* Frames of a block between the shelf and the device; runs of the shelf go in one piece. */
static void
copy_block(ag_stack *stack, const ag_turn *turn, const ag_array *part, int direction)
{
    const int64_t bytes = frame_bytes(stack), first = turn->block * stack->block;
    const int64_t n = AG_MIN(stack->block, stack->frames - first);
    for (int64_t i = 0, run; i < n; i += run) {
        const int64_t from = stack->order ? stack->order[first + i] : first + i;
        run = 1;
        while (i + run < n && (!stack->order || stack->order[first + i + run] == from + run))
            run++;
        if (ag_shelf_copy(stack->shelf, from * bytes, run * bytes, part, i * bytes, direction))
            return;
    }
}

static void
put_back(ag_stack *stack, int i)
{
    ag_turn *turn = &stack->turn[i];
    ag_device *d = stack->part[i]->device;
    if (!turn->changed)
        return;
    put_mark(d, AG_LANE_COMPUTE, turn);
    heed_mark(d, AG_LANE_COMPUTE, turn);
    copy_block(stack, turn, stack->part[i], AG_FROM_DEVICE);
    put_mark(d, AG_LANE_TRANSFER, turn);
    turn->changed = 0;
}

static void
bring(ag_stack *stack, int i, int64_t block, int how)
{
    ag_turn *turn = &stack->turn[i];
    ag_device *d = stack->part[i]->device;
    put_back(stack, i);
    turn->block = block;
    if (!(how & AG_STACK_READ))
        return;
    heed_mark(d, AG_LANE_COMPUTE, turn);
    heed_mark(d, AG_LANE_TRANSFER, turn);
    copy_block(stack, turn, stack->part[i], AG_TO_DEVICE);
    put_mark(d, AG_LANE_TRANSFER, turn);
}

ag_array
ag_stack_view(ag_stack *stack, int64_t place, int64_t *places, int how)
{
    const int64_t block = place / stack->block, at = place % stack->block;
    if (places)
        *places = AG_MIN(*places, AG_MIN(stack->block, stack->frames - block * stack->block) - at);
    if (!stack->shelf)
        return ag_view(stack->part[block], at * stack->frame);
    ag_device *d = stack->part[0]->device;
    ag_turn *turn = &stack->turn[stack->now];
    if (turn->block != block) {
        if (turn->block >= 0)
            put_mark(d, AG_LANE_COMPUTE, turn);
        if (stack->parts > 1)
            stack->now = !stack->now;
        turn = &stack->turn[stack->now];
        if (turn->block != block)
            bring(stack, stack->now, block, how);
        /* A mark of kernels that had it before says nothing of those that come. */
        heed_mark(d, AG_LANE_COMPUTE, turn);
        heed_mark(d, AG_LANE_TRANSFER, turn);
    }
    turn->changed |= how & AG_STACK_WRITE;
    return ag_view(stack->part[stack->now], at * stack->frame);
}

void
ag_stack_ahead(ag_stack *stack, int how)
{
    if (!stack->shelf || stack->parts < 2)
        return;
    int64_t next = stack->turn[stack->now].block + 1;
    if (next == stack->blocks && how & AG_STACK_READ && !stack->order)
        next = 0; /* for the next sweep, whose order is the same */
    if (next == stack->blocks || stack->turn[!stack->now].block == next)
        return;
    bring(stack, !stack->now, next, how);
    if (!stack->order && next + 1 < stack->blocks)
        ag_shelf_ahead(stack->shelf, (next + 1) * stack->block * frame_bytes(stack),
                       stack->block * frame_bytes(stack));
}

void
ag_stack_reorder(ag_stack *stack, const int32_t *order)
{
    for (int i = 0; stack->shelf && i < stack->parts; i++) {
        put_back(stack, i);
        if (stack->turn[i].block >= 0)
            put_mark(stack->part[i]->device, AG_LANE_COMPUTE, &stack->turn[i]);
        stack->turn[i].block = -1;
    }
    stack->order = order;
}

/* ---- the host's access -------------------------------------------------------------------------- */

ag_status
ag_stack_copy(ag_stack *stack, int64_t first, int64_t frames, void *host, int put)
{
    ag_device *d = stack->part[0]->device;
    const int64_t bytes = frame_bytes(stack);
    if (stack->shelf) {
        ag_stack_reorder(stack, stack->order); /* what the device has goes back, and is brought anew */
        ag_device_synchronize(d);
    }
    for (int64_t i = 0, n; i < frames && !d->status; i += n) {
        const int64_t place = stack->places ? stack->places[first + i] : first + i;
        n = stack->places ? 1 : frames - i;
        if (stack->shelf) {
            ag_shelf_host(stack->shelf, place * bytes, n * bytes, (char *)host + i * bytes, put ? AG_FROM_DEVICE : AG_TO_DEVICE);
            continue;
        }
        ag_array view = ag_stack_view(stack, place, &n, AG_STACK_READ);
        char *at = (char *)host + i * bytes;
        if (put)
            ag_array_write(&view, 0, n * stack->frame, at);
        else
            ag_array_read(&view, 0, n * stack->frame, at);
    }
    return d->status;
}

void
ag_stack_destroy(ag_stack *stack)
{
    for (int64_t i = 0; stack->part && i < stack->parts; i++) {
        for (int lane = 0; lane < 2 && i < 2 && stack->part[i]; lane++)
            heed_mark(stack->part[i]->device, lane, &stack->turn[i]);
        ag_array_destroy(stack->part[i]);
    }
    free(stack->part);
    ag_shelf_destroy(stack->shelf);
    memset(stack, 0, sizeof *stack);
}
