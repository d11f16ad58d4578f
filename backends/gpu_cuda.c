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
    int major = 0, minor = 0, count = 0, best = 0, version[2] = {0, 0};
    gpu->driver.device_attribute(&major, GPU_ATTRIBUTE_MAJOR, gpu->device);
    gpu->driver.device_attribute(&minor, GPU_ATTRIBUTE_MINOR, gpu->device);
    gpu->compiler.arch_count(&count);
    int *list = calloc((size_t)count + 1, sizeof *list);
    if (!list)
        return gpu->base.host->fail(gpu->base.message, AG_NO_MEMORY, "out of host memory");
    if (!gpu->compiler.arch_list(list))
        for (int i = 0; i < count; i++)
            if (list[i] <= 10 * major + minor && list[i] > best)
                best = list[i];
    free(list);
    if (!best) {
        gpu->compiler.compiler_version(&version[0], &version[1]);
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE,
                                    "%s has compute capability %d.%d, for which NVRTC %d.%d cannot compile: "
                                    "another CUDA toolkit is needed",
                                    gpu->name, major, minor, version[0], version[1]);
    }
    gpu->portable = best / 10 != major;
    snprintf(gpu->arch, sizeof gpu->arch, "%s_%d", gpu->portable ? "compute" : "sm", best);
    /* The rest is the compiler's default: contraction, correctly rounded division and root. */
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "--gpu-architecture=%s", gpu->arch);
    return AG_OK;
}

/* An architecture that this compiler does not list was never chosen. */
ag_status
gpu_probe(gpu_handle *gpu)
{
    (void)gpu;
    return AG_OK;
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
