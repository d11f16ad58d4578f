/* SPDX-License-Identifier: BSD-3-Clause */
/* fft_clfft.c -- transforms on OpenCL devices by clFFT, of lengths whose prime factors are at most 13. */
#define CL_TARGET_OPENCL_VERSION 120
#include <clFFT.h>
#include <pthread.h>
#include <stdlib.h>

#include "backend.h"

struct ag_transform {
    const ag_backend *backend;
    ag_handle *handle;
    clfftPlanHandle plan;
    int counted, made;
    cl_mem work;
};

/* The library is set up while there are plans: it complains on the terminal when it is not ended. */
static pthread_mutex_t setup = PTHREAD_MUTEX_INITIALIZER;
static int64_t plans;

static ag_status
start(const ag_host *host, ag_message *words)
{
    cl_uint major = 0, minor = 0, patch = 0;
    clfftGetVersion(&major, &minor, &patch);
    return host->fail(words, AG_OK, "clFFT %u.%u.%u", (unsigned)major, (unsigned)minor,
                      (unsigned)patch);
}

static ag_status
check(ag_handle *handle, const char *what, int error)
{
    return error ? handle->host->fail(handle->message, AG_DEVICE_ERROR, "%s: clFFT error %d", what,
                                      error)
                 : AG_OK;
}

static int
count_plan(int step)
{
    clfftSetupData data;
    int error = 0;
    pthread_mutex_lock(&setup);
    if (step > 0 && plans == 0 && !(error = clfftInitSetupData(&data)))
        error = clfftSetup(&data);
    plans += error ? 0 : step;
    if (step < 0 && plans == 0)
        error = clfftTeardown();
    pthread_mutex_unlock(&setup);
    return error;
}

static void
destroy_plan(ag_transform *t)
{
    if (t->work)
        clReleaseMemObject(t->work);
    if (t->made)
        clfftDestroyPlan(&t->plan);
    if (t->counted)
        count_plan(-1);
    free(t);
}

/* The library says "not implemented" of other lengths, but not before it has allocated. */
static int
possible(int64_t n)
{
    static const int prime[] = {2, 3, 5, 7, 11, 13};
    for (size_t i = 0; i < sizeof prime / sizeof *prime; i++)
        while (n % prime[i] == 0)
            n /= prime[i];
    return n == 1;
}

static int
make(ag_transform *t, const ag_native *native, int64_t rows, int64_t cols, int64_t batch)
{
    const size_t length[2] = {(size_t)cols, (size_t)rows}, pixels = length[0] * length[1];
    cl_command_queue queue = native->queue;
    size_t bytes = 0;
    int error = count_plan(1);
    t->counted = !error;
    if (!error)
        error = clfftCreateDefaultPlan(&t->plan, native->context, CLFFT_2D, length);
    t->made = !error;
    if (!error)
        error = clfftSetPlanPrecision(t->plan, CLFFT_SINGLE);
    if (!error)
        error = clfftSetLayout(t->plan, CLFFT_COMPLEX_INTERLEAVED, CLFFT_COMPLEX_INTERLEAVED);
    if (!error)
        error = clfftSetResultLocation(t->plan, CLFFT_INPLACE);
    if (!error)
        error = clfftSetPlanScale(t->plan, CLFFT_BACKWARD, 1);
    if (!error)
        error = clfftSetPlanBatchSize(t->plan, (size_t)batch);
    if (!error)
        error = clfftSetPlanDistance(t->plan, pixels, pixels);
    if (!error)
        error = clfftBakePlan(t->plan, 1, &queue, NULL, NULL);
    if (!error)
        error = clfftGetTmpBufSize(t->plan, &bytes);
    if (!error && bytes)
        t->work = clCreateBuffer(native->context, CL_MEM_READ_WRITE, bytes, NULL, &error);
    return error;
}

static ag_status
create_plan(ag_transform **out, const ag_backend *backend, ag_handle *handle, int64_t rows,
            int64_t cols, int64_t batch)
{
    ag_native native;
    if (!possible(rows) || !possible(cols))
        return handle->host->fail(
            handle->message, AG_BAD_ARGUMENT,
            "clFFT: found %lld x %lld pixels, expected lengths without prime factors above 13",
            (long long)rows, (long long)cols);
    ag_transform *t = calloc(1, sizeof *t);
    if (!t)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "clFFT: out of host memory");
    t->backend = backend;
    t->handle = handle;
    ag_status status = backend->native(handle, NULL, &native);
    if (!status)
        status = check(handle, "making a plan", make(t, &native, rows, cols, batch));
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
    if (status)
        return status;
    cl_command_queue queue = native.queue;
    cl_mem buffer = native.memory;
    return check(t->handle, "transforming",
                 clfftEnqueueTransform(t->plan,
                                       direction == AG_INVERSE ? CLFFT_BACKWARD : CLFFT_FORWARD, 1,
                                       &queue, 0, NULL, NULL, &buffer, NULL, t->work));
}

static const ag_fft fft = {AG_FFT_ABI,  "clfft",      "opencl",    start,
                           create_plan, execute_plan, destroy_plan};

__attribute__((visibility("default"))) const ag_fft *const ag_fft_module = &fft;
