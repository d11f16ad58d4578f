/* SPDX-License-Identifier: BSD-3-Clause */
/* array.c -- arrays and stacks in device memory, and what they add up to. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

int64_t
ag_device_count_only(ag_device *device, int on)
{
    if (on)
        device->counted = 0;
    device->count_only = on;
    return device->counted;
}

int64_t
ag_type_bytes(ag_type type)
{
    return type == AG_REAL ? sizeof(ag_real) : type == AG_COMPLEX ? sizeof(ag_complex) : 4;
}

static ag_array *
make(ag_device *device, ag_type type, int64_t count, const char *name)
{
    if (device->status)
        return NULL;
    if (count < 1 || count > INT64_MAX / 16) {
        ag_device_fail(device, AG_BAD_ARGUMENT, "array %s: found %lld elements, expected 1 or more",
                       name, (long long)count);
        return NULL;
    }
    const int64_t bytes = count * ag_type_bytes(type);
    ag_array *array = calloc(1, sizeof *array);
    if (!array) {
        ag_device_fail(device, AG_NO_MEMORY, "array %s: out of host memory", name);
        return NULL;
    }
    array->device = device;
    array->type = type;
    array->count = count;
    if (device->count_only) {
        device->counted += bytes;
        return array;
    }
    if (device->backend->alloc(device->handle, bytes, &array->memory)) {
        ag_device_fail(device, AG_NO_MEMORY,
                       "device %s: no memory for %s: %lld bytes beside the %lld already held (%.500s)",
                       device->name, name, (long long)bytes, (long long)device->bytes, device->last.text);
        free(array);
        return NULL;
    }
    device->bytes += bytes;
    device->peak = AG_MAX(device->peak, device->bytes);
    return array;
}

ag_status
ag_array_create(ag_array **array, ag_device *device, ag_type type, int64_t count)
{
    *array = make(device, type, count, "of the caller");
    return *array ? AG_OK : device->status;
}

ag_array *
ag_new(ag_device *device, ag_type type, int64_t count, const char *name)
{
    return make(device, type, count, name);
}

ag_array *
ag_new_from(ag_device *device, ag_type type, int64_t count, const void *source, const char *name)
{
    ag_array *array = make(device, type, count, name);
    if (array && ag_array_write(array, 0, count, source)) {
        ag_array_destroy(array);
        return NULL;
    }
    return array;
}

void
ag_array_destroy(ag_array *array)
{
    if (!array)
        return;
    if (array->memory) {
        array->device->backend->free(array->device->handle, array->memory);
        array->device->bytes -= array->count * ag_type_bytes(array->type);
    }
    free(array);
}

int64_t
ag_array_count(const ag_array *array)
{
    return array->count;
}

static ag_status
transfer(const ag_array *array, int64_t first, int64_t count, void *host, int direction)
{
    ag_device *d = array->device;
    const int64_t size = ag_type_bytes(array->type);
    if (d->status || d->count_only)
        return d->status;
    if (first < 0 || count < 0 || first > array->count - count)
        return ag_device_fail(d, AG_BAD_ARGUMENT, "array: %lld elements from %lld on asked for, it has %lld",
                              (long long)count, (long long)first, (long long)array->count);
    if (!ag_device_stick(d, d->backend->copy(d->handle, AG_LANE_COMPUTE, direction, array->memory,
                                             (array->offset + first) * size, host, count * size)))
        ag_device_synchronize(d);
    return d->status;
}

ag_status
ag_array_write(ag_array *array, int64_t first, int64_t count, const void *source)
{
    return transfer(array, first, count, (void *)(uintptr_t)source, AG_TO_DEVICE);
}

ag_status
ag_array_read(const ag_array *array, int64_t first, int64_t count, void *destination)
{
    return transfer(array, first, count, destination, AG_FROM_DEVICE);
}

void
ag_clear(ag_array *array)
{
    const int64_t size = ag_type_bytes(array->type), piece = AG_MIN(array->count, (int64_t)1 << 20);
    void *zero = ag_calloc(piece, (size_t)size);
    if (!zero)
        ag_device_fail(array->device, AG_NO_MEMORY, "array: out of host memory");
    for (int64_t i = 0; zero && i < array->count; i += piece)
        ag_array_write(array, i, AG_MIN(piece, array->count - i), zero);
    free(zero);
}

ag_array
ag_view(const ag_array *array, int64_t first)
{
    ag_array view = *array;
    view.offset += first;
    view.count -= first;
    return view;
}

ag_status
ag_stack_create(ag_stack *stack, ag_device *device, ag_type type, int64_t frames, int64_t frame,
                const char *name)
{
    const int64_t bytes = frame * ag_type_bytes(type);
    memset(stack, 0, sizeof *stack);
    if (device->status)
        return device->status;
    if (bytes > device->limits.allocation)
        return ag_device_fail(device, AG_NO_MEMORY,
                              "device %s: one frame of %s takes %lld bytes, the largest allocation is %lld",
                              device->name, name, (long long)bytes, (long long)device->limits.allocation);
    stack->frames = frames;
    stack->frame = frame;
    stack->block = AG_MIN(frames, device->limits.allocation / bytes);
    stack->blocks = (frames + stack->block - 1) / stack->block;
    stack->part = ag_calloc(stack->blocks, sizeof *stack->part);
    if (!stack->part)
        return ag_device_fail(device, AG_NO_MEMORY, "%s: out of host memory", name);
    for (int64_t i = 0; i < stack->blocks; i++)
        stack->part[i] = make(device, type, AG_MIN(stack->block, frames - i * stack->block) * frame, name);
    return device->status;
}

void
ag_stack_destroy(ag_stack *stack)
{
    for (int64_t i = 0; stack->part && i < stack->blocks; i++)
        ag_array_destroy(stack->part[i]);
    free(stack->part);
    memset(stack, 0, sizeof *stack);
}

ag_array
ag_stack_view(const ag_stack *stack, int64_t first, int64_t *frames)
{
    const int64_t block = first / stack->block, at = first % stack->block;
    if (frames)
        *frames = AG_MIN(*frames, stack->block - at);
    return ag_view(stack->part[block], at * stack->frame);
}
