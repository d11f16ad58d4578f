/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu.c -- CUDA and HIP devices through the driver: a stream for each lane, events as marks,
   recorded launches as graphs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define LANES 256
#define LANES_OF_FRAME 512
#define MAX_GROUPS_EACH 4096

struct ag_mark {
    void *event;
};

ag_status
gpu_check(gpu_handle *gpu, ag_status status, const char *what, int error)
{
    if (error == GPU_NO_MEMORY && status == AG_DEVICE_ERROR)
        status = AG_NO_MEMORY; /* also in the middle of a run */
    return error ? gpu->base.host->fail(gpu->base.message, status, "%s: " GPU_VENDOR " error %d (%s)", what, error,
                                        gpu_error_name(gpu, error))
                 : AG_OK;
}

ag_status
gpu_enter(gpu_handle *gpu)
{
    return gpu_check(gpu, AG_DEVICE_ERROR, "choosing the device", gpu->driver.context_enter(gpu->context));
}

/* Waits until the driver is done with a piece and hands on what it brought. */
static int
settle(gpu_handle *gpu, gpu_piece *piece)
{
    if (!piece->busy)
        return 0;
    const int error = gpu->driver.event_synchronize(piece->event);
    if (!error && piece->host)
        memcpy(piece->host, piece->memory, piece->bytes);
    piece->host = NULL;
    piece->busy = 0;
    return error;
}

/* Oldest first, so that of two copies to one place the later wins. */
static int
settle_lane(gpu_handle *gpu, gpu_lane *lane)
{
    int error = 0;
    for (int i = 0; i < GPU_PIECES; i++) {
        const int one = settle(gpu, &lane->piece[(lane->next + i) % GPU_PIECES]);
        error = error ? error : one;
    }
    return error;
}

/* ---- open and close ---------------------------------------------------------------------- */

static void
gpu_close(ag_handle *handle)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    const gpu_driver *driver = &gpu->driver;
    if (gpu->retained) {
        driver->context_enter(gpu->context);
        for (int i = 0; i < 2; i++) {
            gpu_lane *lane = &gpu->lane[i];
            if (lane->stream)
                driver->stream_synchronize(lane->stream);
            for (int k = 0; k < GPU_PIECES; k++) {
                if (lane->piece[k].event)
                    driver->event_destroy(lane->piece[k].event);
                if (lane->piece[k].memory)
                    driver->host_free(lane->piece[k].memory);
            }
            if (lane->stream)
                driver->stream_destroy(lane->stream);
        }
        gpu_release(gpu);
    }
    free(gpu);
}

static int
open_lane(gpu_handle *gpu, gpu_lane *lane)
{
    int error = gpu->driver.stream_create(&lane->stream, GPU_STREAM_NONBLOCKING);
    for (int i = 0; i < GPU_PIECES && !error; i++) {
        void *memory = NULL;
        error = gpu->driver.host_alloc(&memory, GPU_PIECE_BYTES, 0);
        lane->piece[i].memory = memory;
        if (!error)
            error = gpu->driver.event_create(&lane->piece[i].event, GPU_EVENT_NO_TIMING);
    }
    return error;
}

/* What the driver says of the device. */
static int
ask(gpu_handle *gpu)
{
    const struct {
        int number, *value;
    } attribute[] = {{GPU_ATTRIBUTE_LOCAL, &gpu->local},
                     {GPU_ATTRIBUTE_UNITS, &gpu->units},
                     {GPU_ATTRIBUTE_WARP, &gpu->warp},
                     {GPU_ATTRIBUTE_COOPERATIVE, &gpu->cooperative}};
    int error = gpu->driver.driver_version(&gpu->version);
    if (!error)
        error = gpu->driver.device_get(&gpu->device, gpu->number);
    if (!error)
        error = gpu->driver.device_name(gpu->name, (int)sizeof gpu->name, gpu->device);
    if (!error)
        error = gpu->driver.device_memory(&gpu->memory, gpu->device);
    for (size_t i = 0; i < sizeof attribute / sizeof *attribute && !error; i++)
        error = gpu->driver.device_attribute(attribute[i].value, attribute[i].number, gpu->device);
    gpu->cooperative = gpu->cooperative && gpu->driver.launch_together;
    return error;
}

static ag_status
find_device(gpu_handle *gpu)
{
    int count = 0;
    int error = gpu->driver.init(0);
    if (!error)
        error = gpu->driver.device_count(&count);
    if (error && error != GPU_NO_DEVICE && error != GPU_BAD_DEVICE)
        return gpu_check(gpu, AG_NO_DEVICE, "starting the driver", error);
    if (gpu->number >= count)
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE,
                                    count == 1 ? "there is %d " GPU_VENDOR " device" : "there are %d " GPU_VENDOR " devices",
                                    count);
    ag_status status = gpu_check(gpu, AG_NO_DEVICE, "asking the device", ask(gpu));
    if (!status && (error = gpu->compiler.compiler_version(&gpu->compiler_major, &gpu->compiler_minor)))
        status = gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE, "asking the run-time compiler: error %d", error);
    if (!status)
        status = gpu_target(gpu);
    snprintf(gpu->identity, sizeof gpu->identity, GPU_BACKEND "|%s|%s|driver %d|compiler %d.%d", gpu->name, gpu->arch,
             gpu->version, gpu->compiler_major, gpu->compiler_minor);
    return status;
}

static ag_status
gpu_open(ag_handle **handle, int number, const ag_host *host, ag_message *message)
{
    gpu_handle *gpu = calloc(1, sizeof *gpu);
    if (!gpu)
        return host->fail(message, AG_NO_MEMORY, "out of host memory");
    gpu->base.host = host;
    gpu->base.message = message;
    gpu->number = number;
    ag_status status = gpu_open_libraries(gpu);
    if (!status)
        status = find_device(gpu);
    if (!status)
        status = gpu_check(gpu, AG_NO_DEVICE, "opening the device", gpu_retain(gpu));
    if (!status)
        status = gpu_enter(gpu);
    for (int i = 0; i < 2 && !status; i++)
        status = gpu_check(gpu, AG_NO_DEVICE, "opening a stream", open_lane(gpu, &gpu->lane[i]));
    if (status)
        gpu_close(&gpu->base);
    else
        *handle = &gpu->base;
    return status;
}

static void
gpu_limits(ag_handle *handle, ag_limits *limits)
{
    const gpu_handle *gpu = (gpu_handle *)handle;
    memset(limits, 0, sizeof *limits);
    limits->memory = (int64_t)gpu->memory;
    limits->allocation = (int64_t)gpu->memory;
    limits->local = gpu->local;
    limits->lanes = LANES;
    limits->whole = LANES_OF_FRAME;
    limits->warp = gpu->warp;
    limits->cooperative = gpu->cooperative;
    limits->tile = 16;
    limits->parallel = 8 * gpu->units;
    limits->matrix = gpu->matrix;
    snprintf(limits->description, sizeof limits->description, "%.80s, %.64s, %d units, warp %d, %d KiB local, %s" GPU_VENDOR,
             gpu->name, gpu->arch, gpu->units, gpu->warp, gpu->local / 1024, gpu->cooperative ? "cooperative launch, " : "");
}

/* ---- memory and copies --------------------------------------------------------------------- */

static ag_status
gpu_alloc(ag_handle *handle, int64_t bytes, ag_memory **memory)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    ag_memory *block = malloc(sizeof *block);
    if (!block)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "out of host memory");
    ag_status status = gpu_enter(gpu);
    if (!status)
        status = gpu_check(gpu, AG_DEVICE_ERROR, "allocating", gpu->driver.alloc(&block->pointer, (size_t)bytes));
    if (status)
        free(block);
    else
        *memory = block;
    return status;
}

static void
gpu_free(ag_handle *handle, ag_memory *memory)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    gpu->driver.context_enter(gpu->context);
    for (int i = 0; i < 2; i++)
        gpu->driver.stream_synchronize(gpu->lane[i].stream);
    gpu->driver.free(memory->pointer);
    free(memory);
}

static int
copy_piece(gpu_handle *gpu, gpu_lane *lane, int direction, gpu_pointer device, char *host, size_t bytes)
{
    gpu_piece *piece = &lane->piece[lane->next];
    int error = settle(gpu, piece);
    if (error)
        return error;
    if (direction == AG_TO_DEVICE) {
        memcpy(piece->memory, host, bytes);
        error = gpu->driver.copy_to(device, piece->memory, bytes, lane->stream);
    } else {
        error = gpu->driver.copy_from(piece->memory, device, bytes, lane->stream);
    }
    if (!error)
        error = gpu->driver.event_record(piece->event, lane->stream);
    piece->busy = !error;
    piece->host = direction == AG_TO_DEVICE ? NULL : host;
    piece->bytes = bytes;
    lane->next = (lane->next + 1) % GPU_PIECES;
    return error;
}

static ag_status
gpu_copy(ag_handle *handle, int number, int direction, ag_memory *memory, int64_t offset, void *host, int64_t bytes)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    gpu_lane *lane = &gpu->lane[number];
    const ag_status status = gpu_enter(gpu);
    int error = 0;
    if (status)
        return status;
    /* What the device has sent must be with the host before the host's bytes are sent. */
    if (direction == AG_TO_DEVICE)
        error = settle_lane(gpu, lane);
    for (int64_t done = 0; done < bytes && !error; done += (int64_t)GPU_PIECE_BYTES) {
        const int64_t left = bytes - done;
        error = copy_piece(gpu, lane, direction, memory->pointer + (gpu_pointer)(offset + done), (char *)host + done,
                           left < (int64_t)GPU_PIECE_BYTES ? (size_t)left : GPU_PIECE_BYTES);
    }
    return gpu_check(gpu, AG_DEVICE_ERROR, "copying", error);
}

/* ---- launches -------------------------------------------------------------------------------- */

static ag_status
gpu_launch(ag_handle *handle, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    const ag_kernel *kernel = binary->kernel;
    int64_t groups = items * kernel->parts(&binary->shape);
    gpu_pointer pointer[AG_MAX_ARGS];
    void *parameter[2 * AG_MAX_ARGS + 1];
    int n = 0;
    const int together = kernel->kind == AG_TOGETHER;
    if (together)
        groups = binary->together;
    if (kernel->kind == AG_EACH && (groups = (items + LANES - 1) / LANES) > MAX_GROUPS_EACH)
        groups = MAX_GROUPS_EACH;
    if (groups > GPU_MAX_GROUPS)
        return handle->host->fail(handle->message, AG_DEVICE_ERROR, "kernel %s: %lld groups, %d is the most", kernel->name,
                                  (long long)groups, GPU_MAX_GROUPS);
    /* The driver takes the addresses of the values, which it only reads. */
    parameter[n++] = (void *)&items;
    for (int i = 0; i < kernel->nargs; i++) {
        const int kind = kernel->arg[i].kind;
        if (kind == AG_ARG_INDEX) {
            parameter[n++] = (void *)(uintptr_t)&arg[i].as_index;
        } else if (kind == AG_ARG_INT) {
            parameter[n++] = (void *)(uintptr_t)&arg[i].as_int;
        } else if (kind == AG_ARG_REAL) {
            parameter[n++] = (void *)(uintptr_t)&arg[i].as_real;
        } else {
            pointer[i] = arg[i].memory ? arg[i].memory->pointer : 0;
            parameter[n++] = &pointer[i];
            parameter[n++] = (void *)(uintptr_t)&arg[i].offset;
        }
    }
    const unsigned lanes = (unsigned)binary->shape.lanes, local = (unsigned)kernel->local(&binary->shape);
    void *const stream = gpu->lane[AG_LANE_COMPUTE].stream;
    const ag_status status = gpu_enter(gpu);
    if (status)
        return status;
    return gpu_check(gpu, AG_DEVICE_ERROR, kernel->name,
                     together ? gpu->driver.launch_together(binary->function, (unsigned)groups, 1, 1, lanes, 1, 1, local, stream, parameter)
                              : gpu->driver.launch(binary->function, (unsigned)groups, 1, 1, lanes, 1, 1, local, stream, parameter, NULL));
}

static ag_status
gpu_mark(ag_handle *handle, int lane, ag_mark **out)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    ag_mark *mark = calloc(1, sizeof *mark);
    if (!mark)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "out of host memory");
    ag_status status = gpu_enter(gpu);
    if (!status) {
        int error = gpu->driver.event_create(&mark->event, GPU_EVENT_NO_TIMING);
        if (!error && (error = gpu->driver.event_record(mark->event, gpu->lane[lane].stream)))
            gpu->driver.event_destroy(mark->event);
        status = gpu_check(gpu, AG_DEVICE_ERROR, "marking", error);
    }
    if (status)
        free(mark);
    else
        *out = mark;
    return status;
}

static ag_status
gpu_wait(ag_handle *handle, int lane, ag_mark *mark)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    ag_status status = gpu_enter(gpu);
    if (!status)
        status = gpu_check(gpu, AG_DEVICE_ERROR, "waiting", gpu->driver.stream_wait(gpu->lane[lane].stream, mark->event, 0));
    gpu->driver.event_destroy(mark->event);
    free(mark);
    return status;
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static ag_status
gpu_synchronize(ag_handle *handle)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    const ag_status status = gpu_enter(gpu);
    int error = 0;
    if (status)
        return status;
    for (int i = 0; i < 2; i++) {
        const int lane = gpu->driver.stream_synchronize(gpu->lane[i].stream);
        const int pieces = settle_lane(gpu, &gpu->lane[i]);
        error = error ? error : lane ? lane : pieces;
    }
    return gpu_check(gpu, AG_DEVICE_ERROR, "waiting for the device", error);
}

static ag_status
gpu_native(ag_handle *handle, ag_memory *memory, ag_native *native)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    const ag_native own = {.device = &gpu->device,
                           .queue = gpu->lane[AG_LANE_COMPUTE].stream,
                           .memory = memory ? (void *)(uintptr_t)memory->pointer : NULL};
    *native = own;
    return gpu_enter(gpu);
}

static const ag_backend backend = {
    AG_BACKEND_ABI, GPU_BACKEND,  gpu_open,   gpu_close,  gpu_limits, gpu_alloc,
    gpu_free,       gpu_copy,     gpu_build,  gpu_unbuild, gpu_launch, gpu_mark,
    gpu_wait,       gpu_record,   gpu_replay, gpu_synchronize, gpu_native,
};

__attribute__((visibility("default"))) const ag_backend *const ag_backend_module = &backend;
