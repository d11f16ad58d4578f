/* SPDX-License-Identifier: BSD-3-Clause */
/* propagate.c -- the fused step of the processor against FFTW's bare pair of transforms.

       bench/propagate [N | ROWSxCOLS ...]

   For each size: the whole step of ePIE with a known probe (exit wave, transform, modulus and error, transform
   back, update of the object) at 32 positions in turn, each with its own amplitudes, on one thread; beside it, in the
   same run and in turn, FFTW's forward and backward transform in single precision, planned with
   FFTW_MEASURE, the better of in and out of place.  Microseconds a frame: the least of the repeats,
   the median, and of the step's least the three launches.  ARGAND_ISA chooses the instruction set.  */
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core.h"
#include "kernels.h"

#define POSITIONS 32
#define REPEATS   101

typedef struct problem {
    ag_device *device;
    ag_plan plan;
    ag_program *program;
    ag_pass pass;
    ag_array *object, *probe, *amplitude, *error, *frame, *top;
    ag_array amplitudes[POSITIONS];
    double scale;
} problem;

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int
ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static ag_array *
noise(ag_device *device, ag_type type, int64_t count)
{
    const int64_t reals = type == AG_COMPLEX ? 2 * count : count;
    ag_real *value = ag_calloc(reals, sizeof *value);
    ag_random random;
    ag_random_seed(&random, 1);
    for (int64_t i = 0; value && i < reals; i++)
        value[i] = (ag_real)(type == AG_COMPLEX ? ag_random_normal(&random) : ag_random_uniform(&random));
    ag_array *array = ag_new_from(device, type, count, value, "noise");
    free(value);
    return array;
}

static void
prepare(problem *p, int64_t rows, int64_t cols)
{
    static const int kernels[] = {AG_KERNEL_load_exit, AG_KERNEL_modulus, AG_KERNEL_update};
    const int64_t object_rows = rows + 100, object_cols = cols + 104;
    int32_t frame[POSITIONS], corner[2 * POSITIONS];
    for (int32_t j = 0; j < POSITIONS; j++) {
        frame[j] = j;
        corner[2 * j] = j / 6 * 16 + j * 7 % 5;
        corner[2 * j + 1] = j % 6 * 16 + j * 3 % 5;
    }
    ag_plan_create(&p->plan, p->device, rows, cols, 0, NULL);
    p->program = ag_program_create(p->device, &p->plan.shape, 3, kernels);
    p->object = noise(p->device, AG_COMPLEX, object_rows * object_cols);
    p->probe = noise(p->device, AG_COMPLEX, rows * cols);
    p->amplitude = noise(p->device, AG_REAL, POSITIONS * p->plan.amplitude);
    p->error = noise(p->device, AG_REAL, p->plan.shape.strips_y);
    p->top = noise(p->device, AG_REAL, p->plan.shape.strips_x);
    p->frame = ag_new_from(p->device, AG_INT, POSITIONS, frame, "frames");
    p->scale = 1 / sqrt((double)(rows * cols));
    p->pass = (ag_pass){.program = p->program, .plan = &p->plan, .slots = 1, .object = p->object,
                        .object_cols = object_cols,
                        .scratch = noise(p->device, AG_REAL, p->plan.scratch),
                        .corner = ag_new_from(p->device, AG_INT, 2 * POSITIONS, corner, "corners"),
                        .fraction = noise(p->device, AG_REAL, 2 * POSITIONS)};
    if (ag_device_status(p->device))
        fprintf(stderr, "%s\n", ag_device_message(p->device)), exit(1);
    p->pass.probe = ag_view(p->probe, 0);
}

/* One position; took[k] grows by the time of launch k. */
static void
step(problem *p, int j, double *took)
{
    const ag_pass *q = &p->pass;
    const ag_array frame = ag_view(p->frame, j);
    const double begin = now();
    ag_run_load_exit(p->program, 1, q->scratch, p->plan.table_y, &frame, q->corner, q->fraction, p->object,
                     q->object_cols, p->probe, 0, NULL);
    const double loaded = now();
    ag_run_modulus(p->program, 1, q->scratch, p->plan.table_x, p->error, &frame, 0, p->amplitude, p->scale, 1e-3,
                   1e-7, NULL);
    const double measured = now();
    ag_run_update(p->program, 1, q->scratch, p->plan.table_y, &frame, q->corner, q->fraction, p->object,
                  q->object_cols, p->probe, 0, p->top, p->top, 1, 0, 1e-3, 0, 1, 0, NULL);
    took[0] += loaded - begin;
    took[1] += measured - loaded;
    took[2] += now() - measured;
}

static void
compare(ag_device *device, int rows, int cols)
{
    problem p = {.device = device};
    double ours[REPEATS], pair[2][REPEATS], launch[3] = {1e30, 1e30, 1e30};
    const int64_t pixels = (int64_t)rows * cols;
    fftwf_complex *a = fftwf_alloc_complex((size_t)pixels), *b = fftwf_alloc_complex((size_t)pixels);
    fftwf_plan plan[2][2];
    for (int out = 0; out < 2; out++)
        for (int back = 0; back < 2; back++)
            plan[out][back] = fftwf_plan_dft_2d(rows, cols, back && out ? b : a, back || !out ? a : b,
                                                back ? FFTW_BACKWARD : FFTW_FORWARD, FFTW_MEASURE);
    prepare(&p, rows, cols);
    for (int i = 0; i < REPEATS; i++) {
        double took[3] = {0, 0, 0};
        const double begin = now();
        for (int j = 0; j < POSITIONS; j++)
            step(&p, j, took);
        ours[i] = (now() - begin) / POSITIONS;
        for (int k = 0; k < 3; k++)
            launch[k] = fmin(launch[k], took[k] / POSITIONS);
        for (int out = 0; out < 2; out++) {
            for (int64_t k = 0; k < pixels; k++)
                a[k][0] = a[k][1] = 1e-3f * (float)(k % 1009);
            const double start = now();
            for (int j = 0; j < POSITIONS / 4; j++) {
                fftwf_execute(plan[out][0]);
                fftwf_execute(plan[out][1]);
            }
            pair[out][i] = (now() - start) / (POSITIONS / 4);
        }
    }
    qsort(ours, REPEATS, sizeof *ours, ascending);
    for (int out = 0; out < 2; out++)
        qsort(pair[out], REPEATS, sizeof *pair[out], ascending);
    const double *const best = pair[0][0] < pair[1][0] ? pair[0] : pair[1];
    printf("%4d x %-4d %8.2f %8.2f   %7.2f %7.2f %7.2f %10.2f %8.2f %8.3f %8.3f\n", rows, cols, ours[0],
           ours[REPEATS / 2], launch[0], launch[1], launch[2], best[0], best[REPEATS / 2], ours[0] / best[0],
           ours[REPEATS / 2] / best[REPEATS / 2]);
    fflush(stdout);
    for (int k = 0; k < 4; k++)
        fftwf_destroy_plan(plan[k / 2][k % 2]);
    fftwf_free(a);
    fftwf_free(b);
    ag_array *const array[] = {p.object, p.probe, p.amplitude, p.error, p.frame, p.top, p.pass.scratch};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_array_destroy((ag_array *)(uintptr_t)p.pass.corner);
    ag_array_destroy((ag_array *)(uintptr_t)p.pass.fraction);
    ag_program_destroy(p.program);
    ag_plan_destroy(&p.plan);
}

int
main(int argc, char **argv)
{
    static const char *const usual[] = {"128", "256", "512", "96", "160", "192", "320", "384"};
    const int count = argc > 1 ? argc - 1 : (int)(sizeof usual / sizeof *usual);
    ag_device *device;
    ag_message message;
    setenv("ARGAND_THREADS", "1", 1);
    if (ag_device_open(&device, "cpu", &message))
        return fprintf(stderr, "%s\n", message.text), 1;
    printf("%s; %s; microseconds a frame\n", ag_device_description(device), fftwf_version);
    printf("%11s %8s %8s   %7s %7s %7s %10s %8s %8s %8s\n", "frame", "step", "median", "first", "middle", "last",
           "FFTW pair", "median", "ratio", "median");
    for (int i = 0; i < count; i++) {
        int rows, cols;
        const int n = sscanf(argc > 1 ? argv[i + 1] : usual[i], "%dx%d", &rows, &cols);
        if (n < 1 || rows < 2 || (n > 1 && cols < 2))
            return fprintf(stderr, "size: found \"%s\", expected N or ROWSxCOLS\n", argv[i + 1]), 2;
        compare(device, rows, n > 1 ? cols : rows);
    }
    ag_device_close(device);
    return 0;
}
