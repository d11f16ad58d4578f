/* SPDX-License-Identifier: BSD-3-Clause */
/* opencl_build.c -- kernels from the embedded text, compiled for each shape; binaries are cached. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl.h"
#include "shape_text.h"
#include "text_opencl.h"

/* PoCL 3.1 can wait for ever where threads build at the same time, each for its own device. */
static pthread_mutex_t building = PTHREAD_MUTEX_INITIALIZER;

static ag_status
compile(opencl_handle *cl, ag_binary *binary, const char *key)
{
    const char *part[2] = {key, (const char *)ag_text_opencl};
    cl_int error;
    binary->program = clCreateProgramWithSource(cl->context, 2, part, NULL, &error);
    if (!error)
        error = clBuildProgram(binary->program, 1, &cl->device, cl->options, NULL, NULL);
    if (error) {
        char log[512] = "";
        if (binary->program)
            clGetProgramBuildInfo(binary->program, cl->device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
        return cl->base.host->fail(cl->base.message, AG_DEVICE_ERROR,
                                   "kernel %s does not compile: OpenCL error %d: %.400s", binary->kernel->name,
                                   (int)error, log);
    }
    return AG_OK;
}

/* A binary that the driver does not take is as good as none. */
static void
load(opencl_handle *cl, ag_binary *binary, const char *key)
{
    size_t bytes;
    unsigned char *data = cl->base.host->cache_get(key, &bytes);
    cl_int error, status;
    if (!data)
        return;
    const unsigned char *content = data;
    binary->program = clCreateProgramWithBinary(cl->context, 1, &cl->device, &bytes, &content, &status, &error);
    if (binary->program && (error || clBuildProgram(binary->program, 1, &cl->device, NULL, NULL, NULL))) {
        clReleaseProgram(binary->program);
        binary->program = NULL;
    }
    free(data);
}

static void
store(opencl_handle *cl, ag_binary *binary, const char *key)
{
    size_t bytes = 0;
    unsigned char *data;
    if (clGetProgramInfo(binary->program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) || !bytes ||
        !(data = malloc(bytes)))
        return;
    if (!clGetProgramInfo(binary->program, CL_PROGRAM_BINARIES, sizeof data, &data, NULL))
        cl->base.host->cache_put(key, data, bytes);
    free(data);
}

void
opencl_unbuild(ag_handle *handle, ag_binary *binary)
{
    (void)handle;
    if (binary->entry)
        clReleaseKernel(binary->entry);
    if (binary->program)
        clReleaseProgram(binary->program);
    free(binary);
}

ag_status
opencl_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **out)
{
    opencl_handle *cl = (opencl_handle *)handle;
    char text[4096];
    ag_status status = AG_OK;
    cl_int error;
    ag_binary *binary = calloc(1, sizeof *binary);
    shape_text(text, sizeof text, kernel->name, shape);
    const size_t room = strlen(text) + sizeof ag_text_opencl + sizeof cl->options + sizeof cl->identity + 8;
    char *key = malloc(room);
    if (!binary || !key) {
        free(binary);
        free(key);
        return cl->base.host->fail(cl->base.message, AG_NO_MEMORY, "kernel %s: out of host memory", kernel->name);
    }
    binary->kernel = kernel;
    binary->shape = *shape;
    snprintf(key, room, "%s|%s\n%s%s", cl->identity, cl->options, text, (const char *)ag_text_opencl);
    pthread_mutex_lock(&building);
    load(cl, binary, key);
    if (!binary->program && !(status = compile(cl, binary, text)))
        store(cl, binary, key);
    free(key);
    if (!status) {
        binary->entry = clCreateKernel(binary->program, kernel->name, &error);
        if (error)
            status = opencl_fail(cl, AG_DEVICE_ERROR, kernel->name, error);
    }
    pthread_mutex_unlock(&building);
    if (status)
        opencl_unbuild(handle, binary);
    else
        *out = binary;
    return status;
}
