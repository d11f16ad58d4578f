/* SPDX-License-Identifier: BSD-3-Clause */
/* fft_cufft.c -- transforms on CUDA devices by cuFFT.

   Only what cuFFT's binary interface promises is written down here, so that this module is built
   without NVIDIA's headers and opens the library at run time.  */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

#define TYPE_C2C 0x29
#define FORWARD  (-1)
#define INVERSE  1

struct ag_transform {
    const ag_backend *backend;
    ag_handle *handle;
    int plan, made;
};

static struct {
    int (*version)(int *version);
    int (*create)(int *plan);
    int (*make)(int plan, int rank, int *n, int *in_embed, int in_stride, int in_distance,
                int *out_embed, int out_stride, int out_distance, int type, int batch,
                size_t *bytes);
    int (*stream)(int plan, void *stream);
    int (*execute)(int plan, void *in, void *out, int direction);
    int (*destroy)(int plan);
} cufft;

static void *
open_library(char *why, size_t room)
{
    static const char *const file[] = {"libcufft.so", "libcufft.so.12", "libcufft.so.11",
                                       "libcufft.so.10"};
    const char *const chosen = getenv("ARGAND_CUFFT"), *const root = getenv("CUDA_PATH");
    void *library = NULL;
    if (chosen && *chosen)
        library = dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; !(chosen && *chosen) && !library && i < sizeof file / sizeof *file; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/lib64/%s", root && *root ? root : "/usr/local/cuda",
                 file[i]);
        library = dlopen(file[i], RTLD_NOW | RTLD_LOCAL);
        if (!library)
            library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    if (!library)
        snprintf(why, room, "%s", dlerror());
    return library;
}

static ag_status
start(const ag_host *host, ag_message *words)
{
    static const struct {
        const char *name;
        void *at;
    } entry[] = {
        {"cufftGetVersion", &cufft.version}, {"cufftCreate", &cufft.create},
        {"cufftMakePlanMany", &cufft.make},  {"cufftSetStream", &cufft.stream},
        {"cufftExecC2C", &cufft.execute},    {"cufftDestroy", &cufft.destroy},
    };
    char why[600] = "";
    int version = 0;
    void *library = open_library(why, sizeof why);
    if (!library)
        return host->fail(words, AG_NO_DEVICE,
                          "libcufft cannot be opened (%s): it comes with the CUDA toolkit; "
                          "CUDA_PATH says where that is",
                          why);
    for (size_t i = 0; i < sizeof entry / sizeof *entry; i++) {
        void *const address = dlsym(library, entry[i].name);
        if (!address)
            return host->fail(words, AG_NO_DEVICE, "libcufft has no %s: it is too old",
                              entry[i].name);
        memcpy(entry[i].at, &address, sizeof address);
    }
    const int error = cufft.version(&version);
    return error
               ? host->fail(words, AG_NO_DEVICE, "cuFFT does not tell its version: error %d", error)
               : host->fail(words, AG_OK, "cuFFT %d.%d.%d", version / 1000, version / 100 % 10,
                            version % 100);
}

static ag_status
check(ag_handle *handle, const char *what, int error)
{
    static const char *const name[] = {"success",          "invalid plan",  "allocation failed",
                                       "invalid type",     "invalid value", "internal error",
                                       "execution failed", "setup failed",  "invalid size"};
    if (!error)
        return AG_OK;
    return handle->host->fail(
        handle->message, error == 2 ? AG_NO_MEMORY : AG_DEVICE_ERROR, "%s: cuFFT error %d (%s)",
        what, error,
        error > 0 && error < (int)(sizeof name / sizeof *name) ? name[error] : "see its manual");
}

static void
destroy_plan(ag_transform *t)
{
    ag_native native;
    if (t->made && !t->backend->native(t->handle, NULL, &native))
        cufft.destroy(t->plan);
    free(t);
}

static ag_status
create_plan(ag_transform **out, const ag_backend *backend, ag_handle *handle, int64_t rows,
            int64_t cols, int64_t batch)
{
    int n[2] = {(int)rows, (int)cols};
    size_t bytes;
    ag_native native;
    if (batch > INT32_MAX)
        return handle->host->fail(handle->message, AG_BAD_ARGUMENT,
                                  "cuFFT: found %lld frames, expected at most %d", (long long)batch,
                                  INT32_MAX);
    ag_transform *t = calloc(1, sizeof *t);
    if (!t)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "cuFFT: out of host memory");
    t->backend = backend;
    t->handle = handle;
    ag_status status = backend->native(handle, NULL, &native);
    if (!status)
        status = check(handle, "making a plan", cufft.create(&t->plan));
    t->made = !status;
    if (!status)
        status = check(handle, "making a plan",
                       cufft.make(t->plan, 2, n, NULL, 1, (int)(rows * cols), NULL, 1,
                                  (int)(rows * cols), TYPE_C2C, (int)batch, &bytes));
    if (!status)
        status = check(handle, "choosing the stream", cufft.stream(t->plan, native.queue));
    if (status)
        destroy_plan(t);
    else
        *out = t;
    return status;
}

static ag_status
execute_plan(ag_transform *t, int direction, ag_memory *memory)
{
    ag_native native;
    const ag_status status = t->backend->native(t->handle, memory, &native);
    return status ? status
                  : check(t->handle, "transforming",
                          cufft.execute(t->plan, native.memory, native.memory,
                                        direction == AG_INVERSE ? INVERSE : FORWARD));
}

static const ag_fft fft = {AG_FFT_ABI,  "cufft",      "cuda",      start,
                           create_plan, execute_plan, destroy_plan};

__attribute__((visibility("default"))) const ag_fft *const ag_fft_module = &fft;
