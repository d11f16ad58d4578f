/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_hip.c -- what HIP does in its own way: architectures as words, a compiler that may abort. */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu.h"

#define PROBE_VARIABLE "ARGAND_HIP_PROBE"
#define PROBE_MILLISECONDS 60000

extern char **environ;

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

/* The file that an address of the program lies in. */
static const char *
file_of(const void *address)
{
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

/* All that a child writes until it ends, without the newline; a child that hangs is ended. */
static void
hear(int from, pid_t child, char *answer, size_t room)
{
    struct pollfd end = {from, POLLIN, 0};
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n + 1 < room) {
        const int ready = poll(&end, 1, PROBE_MILLISECONDS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready != 1)
            break;
        got = read(from, answer + n, room - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (got)
        kill(child, SIGKILL);
    answer[n] = 0;
    answer[strcspn(answer, "\n")] = 0;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Runs the helper on the compiler's library and the options; its answer, empty where it died. */
static int
ask_helper(const gpu_handle *gpu, const char *helper, char *answer, size_t room)
{
    void *compiler;
    char *argument[GPU_MAX_OPTIONS + 3] = {(char *)(uintptr_t)helper};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return errno;
    memcpy(&compiler, &gpu->compiler.program_compile, sizeof compiler);
    argument[1] = (char *)(uintptr_t)file_of(compiler);
    for (int i = 0; i < gpu->options; i++)
        argument[2 + i] = (char *)(uintptr_t)gpu->option[i];
    int error = posix_spawn_file_actions_init(&actions);
    if (!error) {
        error = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        if (!error)
            error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        if (!error)
            error = posix_spawn(&child, helper, &actions, NULL, argument, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (!error)
        hear(ends[0], child, answer, room);
    close(ends[0]);
    return error;
}

/* hiprtc aborts where its LLVM or its device libraries lack an architecture, so a process of its own
   goes first; that it came back is kept in the cache. */
static ag_status
probe(gpu_handle *gpu)
{
    const ag_host *host = gpu->base.host;
    const char *chosen = getenv(PROBE_VARIABLE), *module = file_of(&ag_backend_module), *slash = strrchr(module, '/');
    char key[640], helper[4096], answer[256] = "";
    size_t bytes;
    snprintf(key, sizeof key, "probe|%s|%s|driver %d|compiler %d.%d", gpu->name, gpu->arch, gpu->version,
             gpu->compiler_major, gpu->compiler_minor);
    void *known = host->cache_get(key, &bytes);
    free(known);
    if (known)
        return AG_OK;
    if (chosen && *chosen)
        snprintf(helper, sizeof helper, "%s", chosen);
    else
        snprintf(helper, sizeof helper, "%.*s/hip_probe", slash ? (int)(slash - module) : 1, slash ? module : ".");
    const int error = ask_helper(gpu, helper, answer, sizeof answer);
    if (error)
        return host->fail(gpu->base.message, AG_NO_DEVICE,
                          "%s, which says whether hiprtc knows %s, cannot be run (%s): it is installed beside hip.so, or "
                          PROBE_VARIABLE " names it",
                          helper, gpu->arch, strerror(error));
    if (strcmp(answer, "ok"))
        return host->fail(gpu->base.message, AG_NO_DEVICE,
                          "the installed hiprtc %d.%d cannot compile for %s (%s): %s; another ROCm may", gpu->compiler_major,
                          gpu->compiler_minor, gpu->arch, gpu->name, *answer ? answer : "it aborts");
    host->cache_put(key, "1", 1);
    return AG_OK;
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
    const int error = gpu->driver.device_properties(properties, gpu->device);
    if (!error)
        for (int i = NAME; i < ROOM - (int)sizeof gpu->arch && !gpu->arch[0]; i++)
            if (!memcmp(properties + i, "gfx", 3) && isdigit((unsigned char)properties[i + 3]))
                snprintf(gpu->arch, sizeof gpu->arch, "%.95s", properties + i);
    free(properties);
    if (error)
        return gpu_check(gpu, AG_NO_DEVICE, "asking for the architecture", error);
    if (!gpu->arch[0])
        return gpu->base.host->fail(gpu->base.message, AG_NO_DEVICE, "the driver does not say what architecture %s has",
                                    gpu->name);
    static const struct {
        const char *arch;
        int matrix;
    } known[] = {{"gfx908", 1}, {"gfx90a", 3}, {"gfx94", 3}, {"gfx950", 3}, {"gfx11", 3}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(gpu->arch, known[i].arch, strlen(known[i].arch)))
            gpu->matrix = known[i].matrix;
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "--offload-arch=%s", gpu->arch);
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "-ffp-contract=fast");
    snprintf(gpu->option[gpu->options++], sizeof gpu->option[0], "-O3");
    return probe(gpu);
}

/* All that there is may be asked for at a launch. */
int
gpu_allow_local(const gpu_handle *gpu, void *function, int64_t bytes)
{
    (void)gpu;
    (void)function;
    (void)bytes;
    return 0;
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
