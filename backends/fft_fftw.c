/* SPDX-License-Identifier: BSD-3-Clause */
/* fft_fftw.c -- transforms on the processor by FFTW 3 (M. Frigo, S. G. Johnson, Proc. IEEE 93, 216 (2005)).

   One plan for a frame; the backend's threads share out the frames.  FFTW measures which of its ways is
   fastest, so bits may differ from one run to the next.  */
#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>

#include "backend.h"

/* Seconds of measuring at most; what FFTW has found by then is taken. */
#define PATIENCE 5.0

struct ag_transform {
    const ag_backend *backend;
    ag_handle *handle;
    fftwf_plan plan[2];
    int64_t pixels, batch;
};

/* FFTW plans for one thread at a time. */
static pthread_mutex_t planning = PTHREAD_MUTEX_INITIALIZER;

static ag_status
start(const ag_host *host, ag_message *words)
{
    return host->fail(words, AG_OK, "%s", fftwf_version);
}

static void
destroy_plan(ag_transform *t)
{
    pthread_mutex_lock(&planning);
    for (int i = 0; i < 2; i++)
        if (t->plan[i])
            fftwf_destroy_plan(t->plan[i]);
    pthread_mutex_unlock(&planning);
    free(t);
}

static ag_status
create_plan(ag_transform **out, const ag_backend *backend, ag_handle *handle, int64_t rows,
            int64_t cols, int64_t batch)
{
    const int64_t pixels = rows * cols;
    ag_transform *t = calloc(1, sizeof *t);
    /* Two frames, to see how the second is aligned. */
    fftwf_complex *frame = fftwf_malloc((size_t)pixels * 2 * sizeof *frame);
    if (t && frame) {
        const unsigned how =
            FFTW_MEASURE | (fftwf_alignment_of((float *)(frame + pixels)) ? FFTW_UNALIGNED : 0);
        const ag_transform own = {backend, handle, {NULL, NULL}, pixels, batch};
        *t = own;
        pthread_mutex_lock(&planning);
        fftwf_set_timelimit(PATIENCE);
        t->plan[AG_FORWARD] =
            fftwf_plan_dft_2d((int)rows, (int)cols, frame, frame, FFTW_FORWARD, how);
        t->plan[AG_INVERSE] =
            fftwf_plan_dft_2d((int)rows, (int)cols, frame, frame, FFTW_BACKWARD, how);
        pthread_mutex_unlock(&planning);
    }
    fftwf_free(frame);
    if (t && t->plan[0] && t->plan[1]) {
        *out = t;
        return AG_OK;
    }
    if (t)
        destroy_plan(t);
    return handle->host->fail(handle->message, AG_NO_MEMORY,
                              "FFTW: no plan for %lld x %lld: out of host memory", (long long)rows,
                              (long long)cols);
}

typedef struct work {
    fftwf_plan plan;
    fftwf_complex *frame;
    int64_t pixels;
} work;

static void
some_frames(void *job, int64_t begin, int64_t end, int thread)
{
    const work *w = job;
    (void)thread;
    for (int64_t i = begin; i < end; i++)
        fftwf_execute_dft(w->plan, w->frame + i * w->pixels, w->frame + i * w->pixels);
}

static ag_status
execute_plan(ag_transform *t, int direction, ag_memory *memory)
{
    ag_native native;
    const ag_status status = t->backend->native(t->handle, memory, &native);
    if (status)
        return status;
    work w = {t->plan[direction], native.memory, t->pixels};
    native.share(native.queue, some_frames, &w, t->batch);
    return AG_OK;
}

static const ag_fft fftw = {AG_FFT_ABI,  "fftw",       "cpu",       start,
                            create_plan, execute_plan, destroy_plan};

__attribute__((visibility("default"))) const ag_fft *const ag_fft_module = &fftw;
