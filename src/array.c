/* SPDX-License-Identifier: BSD-3-Clause */
/* array.c -- arrays in device memory, and what they add up to. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

ag_counted
ag_device_count_only(ag_device *device, int on)
{
    if (on)
        memset(&device->counted, 0, sizeof device->counted);
    device->count_only = on;
    return device->counted;
}

int
ag_device_counts(const ag_device *device)
{
    return device->count_only;
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
        device->counted.now += bytes;
        device->counted.device = AG_MAX(device->counted.device, device->counted.now);
        return array;
    }
    const ag_status status = device->backend->alloc(device->handle, bytes, &array->memory);
    if (status) {
        ag_device_fail(device, status, "device %s: %s for %s: %lld bytes beside the %lld already held (%.500s)",
                       device->name, status == AG_NO_MEMORY ? "no memory" : "allocating", name, (long long)bytes,
                       (long long)device->bytes, device->last.text);
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
    const int64_t bytes = array->count * ag_type_bytes(array->type);
    if (array->memory) {
        array->device->backend->free(array->device->handle, array->memory);
        array->device->bytes -= bytes;
    } else {
        array->device->counted.now -= bytes;
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
