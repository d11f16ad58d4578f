/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_build.c -- kernels from the embedded text, compiled for each shape; binaries are cached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"
#include "shape_text.h"

static ag_status
no_memory(gpu_handle *gpu, const char *name)
{
    return gpu->base.host->fail(gpu->base.message, AG_NO_MEMORY, "kernel %s: out of host memory", name);
}

static ag_status
refused(gpu_handle *gpu, const char *name, void *program, int error)
{
    size_t bytes = 0;
    char *log = NULL;
    if (program && !gpu->compiler.program_log_size(program, &bytes) && bytes && (log = calloc(1, bytes + 1)))
        gpu->compiler.program_log(program, log);
    gpu->base.host->fail(gpu->base.message, AG_DEVICE_ERROR, "kernel %s does not compile: compiler error %d: %.600s", name,
                         error, log ? log : "");
    free(log);
    return AG_DEVICE_ERROR;
}

ag_status
gpu_compile(gpu_handle *gpu, const char *name, const char *text, void **code, size_t *bytes)
{
    const gpu_compiler *compiler = &gpu->compiler;
    const char *option[GPU_MAX_OPTIONS];
    void *program = NULL;
    ag_status status = AG_OK;
    for (int i = 0; i < gpu->options; i++)
        option[i] = gpu->option[i];
    int error = compiler->program_create(&program, text, name, 0, NULL, NULL);
    if (!error)
        error = compiler->program_compile(program, gpu->options, option);
    if (!error)
        error = gpu_code_size(gpu, program, bytes);
    if (error)
        status = refused(gpu, name, program, error);
    else if (!(*code = malloc(*bytes + 1)))
        status = no_memory(gpu, name);
    else if ((error = gpu_code(gpu, program, *code)))
        status = refused(gpu, name, program, error);
    if (status) {
        free(*code);
        *code = NULL;
    }
    if (program)
        compiler->program_destroy(&program);
    return status;
}

/* The module of what the cache holds, else of what the compiler makes.  A binary that the driver
   does not take is as good as none. */
static ag_status
load(gpu_handle *gpu, ag_binary *binary, const char *key, const char *text)
{
    size_t bytes = 0;
    void *code = gpu->base.host->cache_get(key, &bytes);
    if (code && gpu->driver.module_load(&binary->module, code))
        binary->module = NULL;
    free(code);
    if (binary->module)
        return AG_OK;
    code = NULL;
    ag_status status = gpu_compile(gpu, binary->kernel->name, text, &code, &bytes);
    if (!status)
        status = gpu_check(gpu, AG_DEVICE_ERROR, binary->kernel->name, gpu->driver.module_load(&binary->module, code));
    if (!status)
        gpu->base.host->cache_put(key, code, bytes);
    free(code);
    return status;
}

/* As many groups as a kernel has use for and as run at once: they wait for one another. */
static ag_status
count_together(gpu_handle *gpu, ag_binary *binary)
{
    const ag_kernel *kernel = binary->kernel;
    const int64_t wanted = kernel->parts(&binary->shape);
    int each = 0;
    const int error = gpu->driver.groups_of_unit(&each, binary->function, binary->shape.lanes, (size_t)kernel->local(&binary->shape));
    binary->together = (int64_t)each * gpu->units < wanted ? (int64_t)each * gpu->units : wanted;
    if (!error && each < 1)
        return gpu->base.host->fail(gpu->base.message, AG_DEVICE_ERROR, "kernel %s: no group of it fits on a unit of the device",
                                    kernel->name);
    return gpu_check(gpu, AG_DEVICE_ERROR, kernel->name, error);
}

ag_status
gpu_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **out)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    char head[4096];
    shape_text(head, sizeof head, kernel->name, shape);
    const size_t room = strlen(head) + sizeof GPU_TEXT + sizeof gpu->identity + sizeof gpu->option + 16;
    ag_binary *binary = calloc(1, sizeof *binary);
    char *key = malloc(room);
    if (!binary || !key) {
        free(binary);
        free(key);
        return no_memory(gpu, kernel->name);
    }
    int n = snprintf(key, room, "%s", gpu->identity);
    for (int i = 0; i < gpu->options; i++)
        n += snprintf(key + n, room - (size_t)n, " %s", gpu->option[i]);
    key[n++] = '\n';
    snprintf(key + n, room - (size_t)n, "%s%s", head, (const char *)GPU_TEXT);
    binary->kernel = kernel;
    binary->shape = *shape;
    ag_status status = gpu_enter(gpu);
    if (!status)
        status = load(gpu, binary, key, key + n);
    if (!status) {
        int error = gpu->driver.module_function(&binary->function, binary->module, kernel->name);
        if (!error)
            error = gpu_allow_local(gpu, binary->function, kernel->local(shape));
        status = gpu_check(gpu, AG_DEVICE_ERROR, kernel->name, error);
    }
    if (!status && kernel->kind == AG_TOGETHER)
        status = count_together(gpu, binary);
    free(key);
    if (status)
        gpu_unbuild(handle, binary);
    else
        *out = binary;
    return status;
}

void
gpu_unbuild(ag_handle *handle, ag_binary *binary)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    if (binary->module) {
        gpu->driver.context_enter(gpu->context);
        /* It may still be running. */
        gpu->driver.stream_synchronize(gpu->lane[AG_LANE_COMPUTE].stream);
        gpu->driver.module_unload(binary->module);
    }
    free(binary);
}
