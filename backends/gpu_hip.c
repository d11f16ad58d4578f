/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_hip.c -- what HIP does in its own way: architectures as words, a compiler that may abort. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gpu.h"

const char *
gpu_error_name(const gpu_handle *gpu, int error)
{
    const char *name = gpu->driver.error_name(error);
    return name ? name : "unknown";
}

int
gpu_retain(gpu_handle *gpu)
{
    gpu->context = gpu->device;
    gpu->retained = 1;
    return 0;
}

void
gpu_release(gpu_handle *gpu)
{
    (void)gpu;
}

/* The structure of properties changed from version to version; in each of them the architecture
   ("gfx90a:sramecc+:xnack-") is a string somewhere after the name, which takes 256 bytes. */
ag_status
gpu_target(gpu_handle *gpu)
{
    enum { ROOM = 16384, NAME = 256 };
    char *properties = calloc(1, ROOM);
    if (!properties)
        return gpu->base.host->fail(gpu->base.message, AG_NO_MEMORY, "out of host memory");
    if (!gpu->driver.device_properties(properties, gpu->device))
        for (int i = NAME; i < ROOM - (int)sizeof gpu->arch && !gpu->arch[0]; i++)
            if (!memcmp(properties + i, "gfx", 3) && isdigit((unsigned char)properties[i + 3]))
                snprintf(gpu->arch, sizeof gpu->arch, "%.95s", properties + i);
    free(properties);
    if (!gpu->arch[0])
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE, "the driver does not say what architecture %s has",
                                    gpu->name);
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "--offload-arch=%s", gpu->arch);
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "-ffp-contract=fast");
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "-O3");
    return AG_OK;
}

/* A child compiles an empty kernel; the parent waits for it, a minute at most. */
static int
child_survives(gpu_handle *gpu)
{
    int status = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0)
        return 1; /* no child can be had: what remains is to try */
    if (!child) {
        void *code = NULL;
        size_t bytes;
        const int failed = !freopen("/dev/null", "w", stderr) ||
                           gpu_compile(gpu, "probe", "extern \"C\" __global__ void probe(float *a) { *a = 0; }", &code, &bytes);
        _exit(failed);
    }
    for (int tick = 0; tick < 6000; tick++) {
        const struct timespec hundredth = {0, 10000000};
        const pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (ended < 0 && errno != EINTR)
            return 1;
        nanosleep(&hundredth, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return 0;
}

/* hiprtc aborts the process where it is given an architecture that its LLVM or its device
   libraries lack, so a child goes first; the answer is kept in the cache. */
ag_status
gpu_probe(gpu_handle *gpu)
{
    char key[640];
    size_t bytes;
    if (gpu->probed)
        return AG_OK;
    snprintf(key, sizeof key, "probe|%s", gpu->identity);
    char *known = gpu->base.host->cache_get(key, &bytes);
    const int survived = known || child_survives(gpu);
    if (survived && !known)
        gpu->base.host->cache_put(key, "1", 1);
    free(known);
    if (!survived)
        return gpu->base.host->fail(gpu->base.message, AG_DEVICE_ERROR,
                                    "the installed hiprtc cannot compile for %s (%s): a later ROCm may", gpu->arch,
                                    gpu->name);
    gpu->probed = 1;
    return AG_OK;
}

int
gpu_code_size(const gpu_handle *gpu, void *program, size_t *bytes)
{
    return gpu->compiler.program_code_size(program, bytes);
}

int
gpu_code(const gpu_handle *gpu, void *program, char *code)
{
    return gpu->compiler.program_code(program, code);
}
