/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_library.c -- finding the driver's and the compiler's library when a device is opened.

   They stay loaded: GPU drivers do not survive being unloaded.  */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

typedef struct symbol {
    size_t at; /* of the pointer in its table */
    const char *name;
} symbol;

#define IN_DRIVER(type, member, parameters) {offsetof(gpu_driver, member), GPU_##member},
static const symbol driver_symbols[] = {GPU_DRIVER_FUNCTIONS(IN_DRIVER)};
static const symbol cooperative_symbols[] = {GPU_COOPERATIVE_FUNCTIONS(IN_DRIVER)};
#define IN_COMPILER(type, member, parameters) {offsetof(gpu_compiler, member), GPU_##member},
static const symbol compiler_symbols[] = {GPU_COMPILER_FUNCTIONS(IN_COMPILER)};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const driver_files[] = {GPU_DRIVER_FILES};
static const char *const compiler_files[] = {GPU_COMPILER_FILES};

static void *
open_file(const char *path, char *why, size_t room)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *words = library || *why ? NULL : dlerror();
    if (words)
        snprintf(why, room, "%s", words);
    return library;
}

/* The file that the variable names, or the first that opens: by its name alone, then in the
   toolkit's folder.  `why' becomes what is wrong with the first. */
static void *
open_library(const char *variable, const char *const *file, size_t files, char *why, size_t room)
{
    const char *chosen = getenv(variable), *folder = getenv(GPU_TOOLKIT_VARIABLE);
    const char *const roots[] = {NULL, folder && *folder ? folder : GPU_TOOLKIT, GPU_TOOLKIT};
    if (chosen && *chosen)
        return open_file(chosen, why, room);
    for (size_t root = 0; root < COUNT(roots); root++)
        for (size_t i = 0; i < files; i++) {
            static const char *const sub[] = {"lib64", "lib"};
            for (size_t k = 0; k < COUNT(sub); k++) {
                char path[4096];
                if (roots[root])
                    snprintf(path, sizeof path, "%s/%s/%s", roots[root], sub[k], file[i]);
                void *library = open_file(roots[root] ? path : file[i], why, room);
                if (library)
                    return library;
            }
        }
    return NULL;
}

/* The first name that is missing, or NULL. */
static const char *
resolve(void *library, const symbol *list, size_t count, void *table)
{
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(library, list[i].name);
        if (!address)
            return list[i].name;
        memcpy((char *)table + list[i].at, &address, sizeof address);
    }
    return NULL;
}

ag_status
gpu_open_libraries(gpu_handle *gpu)
{
    const ag_host *host = gpu->base.host;
    char why[320] = "";
    void *driver = open_library(GPU_DRIVER_VARIABLE, driver_files, COUNT(driver_files), why, sizeof why);
    if (!driver)
        return host->fail(gpu->base.message, AG_NO_DEVICE, "the " GPU_VENDOR " driver library cannot be opened (%s): " GPU_DRIVER_ADVICE
                          "; " GPU_DRIVER_VARIABLE " names the file", why);
    const char *missing = resolve(driver, driver_symbols, COUNT(driver_symbols), &gpu->driver);
    if (missing)
        return host->fail(gpu->base.message, AG_NO_DEVICE, "the " GPU_VENDOR " driver library has no %s: it is too old",
                          missing);
    if (resolve(driver, cooperative_symbols, COUNT(cooperative_symbols), &gpu->driver))
        gpu->driver.launch_together = NULL;
    const char *chosen = getenv(GPU_COMPILER_VARIABLE);
    if (GPU_COMPILER_IN_DRIVER && !(chosen && *chosen) &&
        !resolve(driver, compiler_symbols, COUNT(compiler_symbols), &gpu->compiler))
        return AG_OK;
    void *compiler = open_library(GPU_COMPILER_VARIABLE, compiler_files, COUNT(compiler_files), why, sizeof why);
    if (!compiler)
        return host->fail(gpu->base.message, AG_NO_DEVICE, "the " GPU_VENDOR " run-time compiler cannot be opened (%s): " GPU_COMPILER_ADVICE
                          "; " GPU_COMPILER_VARIABLE " names the file", why);
    missing = resolve(compiler, compiler_symbols, COUNT(compiler_symbols), &gpu->compiler);
    if (missing)
        return host->fail(gpu->base.message, AG_NO_DEVICE, "the " GPU_VENDOR " run-time compiler has no %s: it is too old",
                          missing);
    return AG_OK;
}
