/* SPDX-License-Identifier: BSD-3-Clause */
/* opencl.c -- OpenCL 1.2 devices: one in-order queue for each lane. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl.h"
#include "tape.h"

/* Contraction is on by default; division and square root are correctly rounded where the device
   can; no fast-math. */
#define OPTIONS "-cl-std=CL1.2 -cl-mad-enable"
#define ROUNDED " -cl-fp32-correctly-rounded-divide-sqrt"
#define MAX_GROUPS_EACH 4096

struct ag_mark {
    cl_event event;
};

ag_status
opencl_fail(opencl_handle *cl, ag_status status, const char *what, cl_int error)
{
    /* Some drivers make room for a buffer only when it is used. */
    if (error == CL_MEM_OBJECT_ALLOCATION_FAILURE)
        status = AG_NO_MEMORY;
    return cl->base.host->fail(cl->base.message, status, "%s: OpenCL error %d", what, (int)error);
}

/* The device of that number, counted through all platforms. */
static cl_int
find(int number, cl_device_id *device, int *count)
{
    cl_platform_id platform[16];
    cl_uint platforms = 0;
    *count = 0;
    const cl_int error = clGetPlatformIDs(16, platform, &platforms);
    for (cl_uint p = 0; !error && p < platforms && p < 16; p++) {
        cl_device_id id[32];
        cl_uint ids = 0;
        if (clGetDeviceIDs(platform[p], CL_DEVICE_TYPE_ALL, 32, id, &ids))
            continue;
        for (cl_uint i = 0; i < ids && i < 32; i++)
            if ((*count)++ == number)
                *device = id[i];
    }
    return *count > number ? CL_SUCCESS : CL_DEVICE_NOT_FOUND;
}

static void
opencl_close(ag_handle *handle)
{
    opencl_handle *cl = (opencl_handle *)handle;
    for (int i = 0; i < 2; i++)
        if (cl->lane[i]) {
            clFinish(cl->lane[i]);
            clReleaseCommandQueue(cl->lane[i]);
        }
    if (cl->context)
        clReleaseContext(cl->context);
    free(cl);
}

static ag_status
opencl_open(ag_handle **handle, int number, const ag_host *host, ag_message *message)
{
    opencl_handle *cl = calloc(1, sizeof *cl);
    cl_int error;
    int count;
    if (!cl)
        return host->fail(message, AG_NO_MEMORY, "out of host memory");
    cl->base.host = host;
    cl->base.message = message;
    if (find(number, &cl->device, &count)) {
        free(cl);
        return host->fail(message, AG_NO_DEVICE, "there are %d OpenCL devices (an OpenCL driver, for "
                                                 "example pocl-opencl-icd, brings them)", count);
    }
    char name[256] = "", driver[256] = "", version[256] = "";
    cl_device_fp_config precision = 0;
    size_t group = 0;
    clGetDeviceInfo(cl->device, CL_DEVICE_NAME, sizeof name, name, NULL);
    clGetDeviceInfo(cl->device, CL_DRIVER_VERSION, sizeof driver, driver, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_VERSION, sizeof version, version, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof precision, &precision, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof group, &group, NULL);
    for (cl->lanes = 256; cl->lanes > (int)group && cl->lanes > 1;)
        cl->lanes /= 2;
    cl_device_type type = 0;
    clGetDeviceInfo(cl->device, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    cl->whole = cl->lanes == 256 && group >= 512 ? 512 : cl->lanes;
    if (type & CL_DEVICE_TYPE_CPU && cl->lanes > 64) {
        cl->lanes = 64;
        cl->whole = 256;
    }
    snprintf(cl->options, sizeof cl->options, "%s%s", OPTIONS,
             precision & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT ? ROUNDED : "");
    snprintf(cl->identity, sizeof cl->identity, "%s|%s|%s", name, driver, version);
    cl->context = clCreateContext(NULL, 1, &cl->device, NULL, NULL, &error);
    for (int i = 0; i < 2 && !error; i++)
        cl->lane[i] = clCreateCommandQueue(cl->context, cl->device, 0, &error);
    if (error) {
        opencl_fail(cl, AG_NO_DEVICE, "opening the device", error);
        opencl_close(&cl->base);
        return AG_NO_DEVICE;
    }
    *handle = &cl->base;
    return AG_OK;
}

static void
opencl_limits(ag_handle *handle, ag_limits *limits)
{
    opencl_handle *cl = (opencl_handle *)handle;
    cl_ulong memory = 0, allocation = 0, local = 0;
    cl_uint units = 1;
    char name[192] = "";
    memset(limits, 0, sizeof *limits);
    clGetDeviceInfo(cl->device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof allocation, &allocation, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(cl->device, CL_DEVICE_NAME, sizeof name, name, NULL);
    limits->memory = (int64_t)memory;
    limits->allocation = (int64_t)allocation;
    limits->local = (int64_t)local;
    limits->lanes = cl->lanes;
    limits->whole = cl->whole;
    limits->tile = 16;
    limits->parallel = 8 * (int)units;
    snprintf(limits->description, sizeof limits->description, "%s, %u units, %d KiB local, OpenCL", name, (unsigned)units,
             (int)(local / 1024));
}

static ag_status
opencl_alloc(ag_handle *handle, int64_t bytes, ag_memory **memory)
{
    opencl_handle *cl = (opencl_handle *)handle;
    cl_int error;
    ag_memory *block = malloc(sizeof *block);
    if (!block)
        return cl->base.host->fail(cl->base.message, AG_NO_MEMORY, "out of host memory");
    block->mem = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &error);
    if (error) {
        const int full = error == CL_OUT_OF_RESOURCES || error == CL_OUT_OF_HOST_MEMORY || error == CL_INVALID_BUFFER_SIZE;
        free(block);
        return opencl_fail(cl, full ? AG_NO_MEMORY : AG_DEVICE_ERROR, "allocating", error);
    }
    *memory = block;
    return AG_OK;
}

static void
opencl_free(ag_handle *handle, ag_memory *memory)
{
    opencl_handle *cl = (opencl_handle *)handle;
    for (int i = 0; i < 2; i++)
        clFinish(cl->lane[i]);
    clReleaseMemObject(memory->mem);
    free(memory);
}

static ag_status
opencl_copy(ag_handle *handle, int lane, int direction, ag_memory *memory, int64_t offset, void *host,
            int64_t bytes)
{
    opencl_handle *cl = (opencl_handle *)handle;
    const cl_int error = direction == AG_TO_DEVICE
                             ? clEnqueueWriteBuffer(cl->lane[lane], memory->mem, CL_FALSE, (size_t)offset,
                                                    (size_t)bytes, host, 0, NULL, NULL)
                             : clEnqueueReadBuffer(cl->lane[lane], memory->mem, CL_FALSE, (size_t)offset,
                                                   (size_t)bytes, host, 0, NULL, NULL);
    return error ? opencl_fail(cl, AG_DEVICE_ERROR, "copying", error) : AG_OK;
}

/* The next argument, unless one before it was refused. */
static void
put(cl_kernel entry, cl_uint *at, cl_int *error, size_t bytes, const void *value)
{
    if (!*error)
        *error = clSetKernelArg(entry, (*at)++, bytes, value);
}

static cl_int
set(cl_kernel entry, const ag_kernel *kernel, int64_t items, const ag_arg *arg)
{
    cl_uint at = 0;
    cl_int error = CL_SUCCESS;
    put(entry, &at, &error, sizeof items, &items);
    for (int i = 0; i < kernel->nargs; i++) {
        const int kind = kernel->arg[i].kind;
        if (kind == AG_ARG_INDEX) {
            put(entry, &at, &error, sizeof arg[i].as_index, &arg[i].as_index);
        } else if (kind == AG_ARG_INT) {
            put(entry, &at, &error, sizeof arg[i].as_int, &arg[i].as_int);
        } else if (kind == AG_ARG_REAL) {
            put(entry, &at, &error, sizeof arg[i].as_real, &arg[i].as_real);
        } else {
            const cl_mem mem = arg[i].memory ? arg[i].memory->mem : NULL;
            put(entry, &at, &error, sizeof mem, &mem);
            put(entry, &at, &error, sizeof arg[i].offset, &arg[i].offset);
        }
    }
    return error;
}

static ag_status
run(opencl_handle *cl, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    const size_t lanes = (size_t)binary->shape.lanes;
    int64_t groups = items * binary->kernel->parts(&binary->shape);
    if (binary->kernel->kind == AG_EACH && (groups = (items + cl->lanes - 1) / cl->lanes) > MAX_GROUPS_EACH)
        groups = MAX_GROUPS_EACH;
    const size_t global = (size_t)groups * lanes;
    cl_int error = set(binary->entry, binary->kernel, items, arg);
    if (!error)
        error = clEnqueueNDRangeKernel(cl->lane[AG_LANE_COMPUTE], binary->entry, 1, NULL, &global, &lanes, 0,
                                       NULL, NULL);
    return error ? opencl_fail(cl, AG_DEVICE_ERROR, binary->kernel->name, error) : AG_OK;
}

static ag_status
opencl_launch(ag_handle *handle, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    opencl_handle *cl = (opencl_handle *)handle;
    return cl->tape ? tape_add(handle, cl->tape, binary, items, arg) : run(cl, binary, items, arg);
}

static ag_status
opencl_mark(ag_handle *handle, int lane, ag_mark **mark)
{
    opencl_handle *cl = (opencl_handle *)handle;
    ag_mark *made = malloc(sizeof *made);
    if (!made)
        return cl->base.host->fail(cl->base.message, AG_NO_MEMORY, "out of host memory");
    cl_int error = clEnqueueMarkerWithWaitList(cl->lane[lane], 0, NULL, &made->event);
    if (!error && (error = clFlush(cl->lane[lane])))
        clReleaseEvent(made->event);
    if (error)
        free(made);
    else
        *mark = made;
    return error ? opencl_fail(cl, AG_DEVICE_ERROR, "marking", error) : AG_OK;
}

static ag_status
opencl_wait(ag_handle *handle, int lane, ag_mark *mark)
{
    opencl_handle *cl = (opencl_handle *)handle;
    const cl_int error = clEnqueueBarrierWithWaitList(cl->lane[lane], 1, &mark->event, NULL);
    clReleaseEvent(mark->event);
    free(mark);
    return error ? opencl_fail(cl, AG_DEVICE_ERROR, "waiting", error) : AG_OK;
}

static ag_status
opencl_record(ag_handle *handle, int what, ag_tape **tape)
{
    opencl_handle *cl = (opencl_handle *)handle;
    if (what == AG_RECORD_BEGIN) {
        *tape = cl->tape = calloc(1, sizeof **tape);
        if (!*tape)
            return cl->base.host->fail(cl->base.message, AG_NO_MEMORY, "recording: out of host memory");
    } else {
        cl->tape = NULL;
    }
    return AG_OK;
}

static ag_status
opencl_replay(ag_handle *handle, ag_tape *tape, int again)
{
    ag_status status = AG_OK;
    if (!again)
        tape_end(tape);
    else
        for (int64_t i = 0; i < tape->count && !status; i++)
            status = run((opencl_handle *)handle, tape->step[i].binary, tape->step[i].items, tape->step[i].arg);
    return status;
}

static ag_status
opencl_synchronize(ag_handle *handle)
{
    opencl_handle *cl = (opencl_handle *)handle;
    const cl_int transfer = clFinish(cl->lane[AG_LANE_TRANSFER]), compute = clFinish(cl->lane[AG_LANE_COMPUTE]);
    const cl_int error = transfer ? transfer : compute;
    return error ? opencl_fail(cl, AG_DEVICE_ERROR, "waiting for the device", error) : AG_OK;
}

static ag_status
opencl_native(ag_handle *handle, ag_memory *memory, ag_native *native)
{
    opencl_handle *cl = (opencl_handle *)handle;
    const ag_native own = {.device = cl->device,
                           .context = cl->context,
                           .queue = cl->lane[AG_LANE_COMPUTE],
                           .memory = memory ? memory->mem : NULL};
    *native = own;
    return AG_OK;
}

static const ag_backend opencl = {
    AG_BACKEND_ABI, "opencl",       opencl_open,   opencl_close, opencl_limits, opencl_alloc,
    opencl_free,    opencl_copy,    opencl_build,  opencl_unbuild, opencl_launch, opencl_mark,
    opencl_wait,    opencl_record,  opencl_replay, opencl_synchronize, opencl_native,
};

__attribute__((visibility("default"))) const ag_backend *const ag_backend_module = &opencl;
