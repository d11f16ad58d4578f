/* SPDX-License-Identifier: BSD-3-Clause */
/* cufft.c -- cuFFT of the emulated GPU: the transform by its formula, in double. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "cuda.h"
#include "emulate.h"

#define PI    3.14159265358979323846
#define PLANS 64
enum { SUCCESS, INVALID_PLAN, ALLOC_FAILED, INVALID_TYPE, INVALID_VALUE, EXEC_FAILED = 6 };

int cufftGetVersion(int *version);
int cufftCreate(int *plan);
int cufftMakePlanMany(int plan, int rank, int *n, int *in_embed, int in_stride, int in_distance,
                      int *out_embed, int out_stride, int out_distance, int type, int batch,
                      size_t *bytes);
int cufftSetStream(int plan, void *stream);
int cufftExecC2C(int plan, void *in, void *out, int direction);
int cufftDestroy(int plan);

static struct plan {
    int used, rows, cols, batch;
    void *stream;
} list[PLANS];

static struct plan *
find(int plan)
{
    return plan >= 0 && plan < PLANS && list[plan].used ? &list[plan] : NULL;
}

int
cufftGetVersion(int *version)
{
    *version = 12000;
    return SUCCESS;
}

int
cufftCreate(int *plan)
{
    static const struct plan fresh = {.used = 1};
    for (int i = 0; i < PLANS; i++)
        if (!list[i].used) {
            list[i] = fresh;
            *plan = i;
            return SUCCESS;
        }
    return ALLOC_FAILED;
}

int
cufftMakePlanMany(int plan, int rank, int *n, int *in_embed, int in_stride, int in_distance,
                  int *out_embed, int out_stride, int out_distance, int type, int batch,
                  size_t *bytes)
{
    struct plan *p = find(plan);
    if (!p)
        return INVALID_PLAN;
    if (type != 0x29)
        return INVALID_TYPE;
    if (em_state() || rank != 2 || in_embed || out_embed || in_stride != 1 || out_stride != 1 ||
        batch < 1 || in_distance != n[0] * n[1] || out_distance != n[0] * n[1])
        return INVALID_VALUE;
    p->rows = n[0];
    p->cols = n[1];
    p->batch = batch;
    *bytes = 0;
    return SUCCESS;
}

int
cufftSetStream(int plan, void *stream)
{
    struct plan *p = find(plan);
    if (!p)
        return INVALID_PLAN;
    p->stream = stream;
    return SUCCESS;
}

/* `n` values, `step' apart. */
static void
line(double complex *value, double complex *work, int n, int step, int sign)
{
    for (int k = 0; k < n; k++) {
        work[k] = 0;
        for (int i = 0; i < n; i++)
            work[k] += value[(int64_t)i * step] *
                       cexp(sign * 2 * PI * I * (double)((int64_t)i * k % n) / n);
    }
    for (int k = 0; k < n; k++)
        value[(int64_t)k * step] = work[k];
}

int
cufftExecC2C(int plan, void *in, void *out, int direction)
{
    const struct plan *p = find(plan);
    if (!p || !p->batch)
        return INVALID_PLAN;
    if (in != out || (direction != 1 && direction != -1))
        return INVALID_VALUE;
    const int64_t pixels = (int64_t)p->rows * p->cols, count = pixels * p->batch;
    float complex *host = malloc((size_t)count * sizeof *host);
    double complex *frame = malloc((size_t)(pixels + p->rows + p->cols) * sizeof *frame);
    int error = host && frame ? SUCCESS : ALLOC_FAILED;
    if (!error && (cuStreamSynchronize(p->stream) ||
                   em_copy(host, (uint64_t)(uintptr_t)in, (size_t)count * sizeof *host, 0)))
        error = EXEC_FAILED;
    for (int64_t first = 0; first < count && !error; first += pixels) {
        for (int64_t i = 0; i < pixels; i++)
            frame[i] = host[first + i];
        for (int x = 0; x < p->cols; x++)
            line(frame + x, frame + pixels, p->rows, p->cols, direction);
        for (int y = 0; y < p->rows; y++)
            line(frame + (int64_t)y * p->cols, frame + pixels, p->cols, 1, direction);
        for (int64_t i = 0; i < pixels; i++)
            host[first + i] = (float complex)frame[i];
    }
    if (!error && em_copy(host, (uint64_t)(uintptr_t)out, (size_t)count * sizeof *host, 1))
        error = EXEC_FAILED;
    free(host);
    free(frame);
    return error;
}

int
cufftDestroy(int plan)
{
    struct plan *p = find(plan);
    if (!p)
        return INVALID_PLAN;
    p->used = 0;
    return SUCCESS;
}
