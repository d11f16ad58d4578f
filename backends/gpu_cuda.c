/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_cuda.c -- what CUDA does in its own way: primary contexts, architectures as numbers, PTX. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu.h"

const char *
gpu_error_name(const gpu_handle *gpu, int error)
{
    const char *name = NULL;
    return gpu->driver.error_name(error, &name) || !name ? "unknown" : name;
}

int
gpu_retain(gpu_handle *gpu)
{
    const int error = gpu->driver.context_retain(&gpu->context, gpu->device);
    gpu->retained = !error;
    return error;
}

/* The last release ends the context, and with it an error that had made it useless. */
void
gpu_release(gpu_handle *gpu)
{
    gpu->driver.context_enter(NULL);
    gpu->driver.context_release(gpu->device);
}

/* Of the architectures that the compiler knows the highest that the device runs: code for sm_80
   runs on 8.6, for a later major version the driver must translate PTX. */
ag_status
gpu_target(gpu_handle *gpu)
{
    int major = 0, minor = 0, count = 0, best = 0;
    int error = gpu->driver.device_attribute(&major, GPU_ATTRIBUTE_MAJOR, gpu->device);
    if (!error)
        error = gpu->driver.device_attribute(&minor, GPU_ATTRIBUTE_MINOR, gpu->device);
    if (error)
        return gpu_check(gpu, AG_NO_DEVICE, "asking for the compute capability", error);
    error = gpu->compiler.arch_count(&count);
    int *list = calloc((size_t)count + 1, sizeof *list);
    if (!list)
        return gpu->base.host->fail(gpu->base.message, AG_NO_MEMORY, "out of host memory");
    if (!error)
        error = gpu->compiler.arch_list(list);
    for (int i = 0; i < count && !error; i++)
        if (list[i] <= 10 * major + minor && list[i] > best)
            best = list[i];
    free(list);
    if (error)
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE, "asking NVRTC for its architectures: error %d", error);
    if (!best)
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE,
                                    "%s has compute capability %d.%d, for which NVRTC %d.%d cannot compile: "
                                    "another CUDA toolkit is needed",
                                    gpu->name, major, minor, gpu->compiler_major, gpu->compiler_minor);
    gpu->portable = best / 10 != major;
    snprintf(gpu->arch, sizeof gpu->arch, "%s_%d", gpu->portable ? "compute" : "sm", best);
    gpu->matrix = best >= 80 ? 3 : best >= 75 ? 1 : 0;
    /* The rest is the compiler's default: contraction, correctly rounded division and root. */
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "--gpu-architecture=%s", gpu->arch);
    return AG_OK;
}

/* More than every device has must be asked for. */
int
gpu_allow_local(const gpu_handle *gpu, void *function, int64_t bytes)
{
    return bytes > GPU_LOCAL_ANYWHERE ? gpu->driver.function_attribute(function, GPU_FUNCTION_LOCAL, (int)bytes) : 0;
}

int
gpu_code_size(const gpu_handle *gpu, void *program, size_t *bytes)
{
    return gpu->portable ? gpu->compiler.portable_size(program, bytes) : gpu->compiler.program_code_size(program, bytes);
}

int
gpu_code(const gpu_handle *gpu, void *program, char *code)
{
    return gpu->portable ? gpu->compiler.portable_code(program, code) : gpu->compiler.program_code(program, code);
}
