/* SPDX-License-Identifier: BSD-3-Clause */
/* fft_vkfft.c -- transforms by VkFFT (D. Tolmachev, IEEE Access 11, 12039 (2023)), compiled once for each
   backend: VKFFT_BACKEND is 1 for CUDA, 2 for HIP, 3 for OpenCL.  */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The header tells of failures on the terminal; here their number says enough. */
static inline int
quiet(const char *format, ...)
{
    return format == NULL;
}
#if VKFFT_BACKEND == 3
#define CL_TARGET_OPENCL_VERSION 120
#endif
#define printf quiet
#include <vkFFT.h>
#undef printf

#include "backend.h"

struct ag_transform {
    const ag_backend *backend;
    ag_handle *handle;
    VkFFTApplication application;
    uint64_t bytes;
    int made;
#if VKFFT_BACKEND == 1
    CUdevice device;
    cudaStream_t queue;
    void *buffer;
#elif VKFFT_BACKEND == 2
    hipDevice_t device;
    hipStream_t queue;
    void *buffer;
#else
    cl_platform_id platform;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    cl_mem buffer;
#endif
};

static ag_status
start(const ag_host *host, ag_message *words)
{
    const int version = VkFFTGetVersion();
    int devices = 1;
    /* The vendor's library that this module links may be another one than the backend opened. */
#if VKFFT_BACKEND == 1
    if (cuInit(0) || cuDeviceGetCount(&devices))
        devices = 0;
#elif VKFFT_BACKEND == 2
    if (hipGetDeviceCount(&devices))
        devices = 0;
#endif
    if (devices < 1)
        return host->fail(words, AG_NO_DEVICE, "the driver that VkFFT uses has no device");
    return host->fail(words, AG_OK, "VkFFT %d.%d.%d", version / 10000, version / 100 % 100,
                      version % 100);
}

static ag_status
check(ag_handle *handle, const char *what, VkFFTResult error)
{
    const int memory =
        error == VKFFT_ERROR_MALLOC_FAILED || error == VKFFT_ERROR_FAILED_TO_ALLOCATE;
    return error ? handle->host->fail(handle->message, memory ? AG_NO_MEMORY : AG_DEVICE_ERROR,
                                      "%s: VkFFT error %d", what, (int)error)
                 : AG_OK;
}

/* The device and its compute lane, where VkFFT's configuration can point at them. */
static ag_status
look(ag_transform *t, ag_memory *memory)
{
    ag_native native;
    const ag_status status = t->backend->native(t->handle, memory, &native);
    if (status)
        return status;
#if VKFFT_BACKEND == 3
    t->device = native.device;
    t->context = native.context;
    clGetDeviceInfo(t->device, CL_DEVICE_PLATFORM, sizeof t->platform, &t->platform, NULL);
#else
    memcpy(&t->device, native.device, sizeof t->device);
#endif
    t->queue = native.queue;
    t->buffer = native.memory;
    return AG_OK;
}

static void
destroy_plan(ag_transform *t)
{
    if (t->made && !look(t, NULL))
        deleteVkFFT(&t->application);
    free(t);
}

static ag_status
create_plan(ag_transform **out, const ag_backend *backend, ag_handle *handle, int64_t rows,
            int64_t cols, int64_t batch)
{
    ag_transform *t = calloc(1, sizeof *t);
    if (!t)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "VkFFT: out of host memory");
    t->backend = backend;
    t->handle = handle;
    t->bytes = (uint64_t)(rows * cols * batch) * sizeof(ag_complex);
    ag_status status = look(t, NULL);
    if (!status) {
        VkFFTConfiguration c;
        memset(&c, 0, sizeof c);
        c.FFTdim = 2;
        c.size[0] = (uint64_t)cols;
        c.size[1] = (uint64_t)rows;
        c.numberBatches = (uint64_t)batch;
        c.bufferSize = &t->bytes;
        c.device = &t->device;
#if VKFFT_BACKEND == 3
        c.platform = &t->platform;
        c.context = &t->context;
#else
        c.stream = &t->queue;
        c.num_streams = 1;
#endif
        status = check(handle, "making a plan", initializeVkFFT(&t->application, c));
        t->made = !status; /* what fails has ended itself */
    }
    if (status)
        destroy_plan(t);
    else
        *out = t;
    return status;
}

static ag_status
execute_plan(ag_transform *t, int direction, ag_memory *memory)
{
    const ag_status status = look(t, memory);
    VkFFTLaunchParams launch;
    if (status)
        return status;
    memset(&launch, 0, sizeof launch);
    launch.buffer = &t->buffer;
#if VKFFT_BACKEND == 3
    launch.commandQueue = &t->queue;
#endif
    return check(t->handle, "transforming",
                 VkFFTAppend(&t->application, direction == AG_INVERSE ? 1 : -1, &launch));
}

static const ag_fft fft = {
    AG_FFT_ABI,  "vkfft",     VKFFT_BACKEND == 1 ? "cuda" : VKFFT_BACKEND == 2 ? "hip" : "opencl",
    start,       create_plan, execute_plan,
    destroy_plan};

__attribute__((visibility("default"))) const ag_fft *const ag_fft_module = &fft;
