/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_kernels.c -- every kernel, at many shapes and on every device, against its formula in double.

   One row of the table for each kernel.  On the processor each instruction set runs, with one,
   two and three threads, which must agree in every bit.  AG_SLOW (see HACKING.md) keeps to
   a few small shapes.

   Errors are relative L2 over a whole result.  In single precision a kernel without a transform
   does a handful of roundings of 6e-8 on values that are summed with signs at random; a transform
   of n points adds about log2(n) stages of them, twice where it goes there and back, and
   Bluestein's makes three transforms out of one.  Quotients a W / |W| and cosines of a rounded
   angle are within the same; `total' adds 4099 positive values, maybe one after the other.
   A wrong pixel anywhere is 1e-3 and more.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_kernels.h"
#include "backend.h"

extern const ag_kernel ag_kernels[];

/* Which shapes a kernel is run at: all, those without a limit on local memory, the first. */
enum { TRANSFORM, WINDOW, PLAIN };

static const struct kernel_row {
    const char *name;
    int number, kind;
    double tolerance;
    check_kernel *check;
    int unfused;
} table[] = {
/* clang-format off */
#define ROW(name, kind, tolerance) {#name, AG_KERNEL_##name, kind, tolerance, check_##name, 0}
/* A kernel with transforms, and its form without them. */
#define ROWS2(name, kind, tolerance) \
    ROW(name, kind, tolerance), \
        {#name "_unfused", AG_KERNEL_##name##_unfused, WINDOW, kind == WINDOW ? tolerance : 3e-7, check_##name, 1}
    /* clang-format on */
    ROW(affine, PLAIN, 5e-7),
    ROWS2(amplitude, WINDOW, 1e-7),
    ROW(channel_gate, PLAIN, 5e-7),
    ROW(channel_pool, PLAIN, 3e-7),
    ROW(conv, PLAIN, 1e-6),
    ROW(conv3, PLAIN, 3e-6),
    ROW(divide, WINDOW, 2e-7),
    ROW(enlarge, PLAIN, 2e-7),
    ROW(head, PLAIN, 5e-7),
    ROWS2(load_exit, TRANSFORM, 5e-7),
    ROWS2(load_probe, TRANSFORM, 5e-7),
    ROW(maximum, PLAIN, 0),
    ROWS2(measure, TRANSFORM, 1e-6),
    ROWS2(modulus, TRANSFORM, 1e-6),
    ROWS2(modulus_dm, TRANSFORM, 1e-6),
    ROWS2(modulus_raar, TRANSFORM, 1e-6),
    ROWS2(near_amplitude, WINDOW, 1e-7),
    ROWS2(near_measure, TRANSFORM, 1e-6),
    ROWS2(near_modulus, TRANSFORM, 1e-6),
    ROWS2(near_modulus_dm, TRANSFORM, 1e-6),
    ROWS2(near_modulus_raar, TRANSFORM, 1e-6),
    ROW(norm_scale, PLAIN, 5e-7),
    ROW(object_coverage, WINDOW, 2e-7),
    ROW(object_step, WINDOW, 3e-7),
    ROW(object_sum, WINDOW, 2e-7),
    ROW(place_patches, PLAIN, 3e-7),
    ROW(pool, PLAIN, 2e-7),
    ROW(probe_step, WINDOW, 3e-7),
    ROW(probe_sum, WINDOW, 1e-7),
    ROW(probe_terms, WINDOW, 2e-7),
    ROW(ramp, WINDOW, 3e-7),
    ROWS2(shift, TRANSFORM, 1e-6),
    ROW(spatial_gate, PLAIN, 5e-7),
    ROW(spectral_add, PLAIN, 5e-7),
    ROW(spectral_mix, PLAIN, 5e-7),
    ROW(spectral_sum, PLAIN, 5e-7),
    ROWS2(store_difference, TRANSFORM, 5e-7),
    ROWS2(store_stack, TRANSFORM, 5e-7),
    ROW(to_blocks, PLAIN, 0),
    ROW(total, PLAIN, 2e-6),
    ROWS2(transfer, TRANSFORM, 1e-6),
};
#define ROWS ((int)(sizeof table / sizeof *table))

/* 13, 17, 31, 37 and 131 go through Bluestein's algorithm. */
static const shape_row shapes[] = {
    {16, 15, 1, 0, ALWAYS},       {2, 3, 0, 0, ALWAYS},         {13, 17, 1, 0, ALWAYS},
    {17, 31, 1, 1, ALWAYS},       {100, 100, 1, 8192, USUALLY}, {131, 270, 1, 0, USUALLY},
    {128, 128, 0, 0, USUALLY},    {8, 8, 0, 0, NO_BUILDING},    {15, 16, 1, 0, NO_BUILDING},
    {32, 32, 0, 0, NO_BUILDING},  {31, 64, 0, 0, NO_BUILDING},  {30, 42, 0, 1, NO_BUILDING},
    {131, 37, 0, 0, NO_BUILDING},
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

static const char *const instructions[] = {"baseline", "avx2", "avx512"};

/* ---- the problem ----------------------------------------------------------------------- */

void *
take(problem *p, int64_t count, size_t size)
{
    void *memory = ag_calloc(count, size);
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_lt(p->taken, TAKEN);
    p->memory[p->taken++] = memory;
    return memory;
}

ag_real *
random_reals(problem *p, int64_t count)
{
    ag_real *const value = take(p, count, sizeof *value);
    for (int64_t i = 0; i < count; i++)
        value[i] = (ag_real)ag_random_normal(&p->random);
    return value;
}

ag_complex *
random_complex(problem *p, int64_t count)
{
    return (ag_complex *)random_reals(p, 2 * count);
}

/* Elements before and behind; a frame's strips are whole vectors, other arrays begin anywhere. */
static int64_t
margin(ag_type type)
{
    return type == AG_REAL ? 64 : 61;
}

ag_array *
place(problem *p, ag_type type, int64_t count, const void *source)
{
    const int64_t size = ag_type_bytes(type), around = margin(type);
    ck_assert_int_lt(p->arrays, TAKEN);
    guarded *const g = &p->array[p->arrays];
    char *const bytes = take(p, count + 2 * around, (size_t)size);
    memset(bytes, 0xff, (size_t)((count + 2 * around) * size));
    if (source)
        memcpy(bytes + around * size, source, (size_t)(count * size));
    g->whole = ag_new_from(p->device, type, count + 2 * around, bytes, "array of a test");
    ck_assert_msg(g->whole != NULL, "%s", ag_device_message(p->device));
    g->view = ag_view(g->whole, around);
    g->view.count = count;
    p->arrays++;
    return &g->view;
}

void *
fetch(problem *p, const ag_array *array)
{
    const int64_t around = margin(array->type), size = ag_type_bytes(array->type);
    const guarded *const g =
        (const guarded *)(const void *)((const char *)array - offsetof(guarded, view));
    unsigned char *const bytes = take(p, array->count + 2 * around, (size_t)size);
    unsigned char *const end = bytes + (around + array->count) * size;
    ag_array_read(g->whole, 0, array->count + 2 * around, bytes);
    ck_assert_msg(!ag_device_status(p->device), "%s", ag_device_message(p->device));
    for (int64_t i = 0; i < around * size; i++)
        ck_assert_msg(bytes[i] == 0xff && end[i] == 0xff, "%s writes outside of an array",
                      p->kernel);
    for (unsigned char *b = bytes + around * size; b < end; b++)
        p->digest = (p->digest ^ *b) * 0x100000001b3u;
    return bytes + around * size;
}

void
compare(problem *p, const char *what, int64_t count, const ag_real *found, const double *expected)
{
    double difference = 0, size = 0;
    if (!p->compares)
        return;
    for (int64_t i = 0; i < count; i++) {
        difference += ((double)found[i] - expected[i]) * ((double)found[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    const double error = size > 0 ? sqrt(difference / size) : sqrt(difference);
    ck_assert_msg(error <= p->tolerance, "%s, %d x %d %s, %s (%s): error %.3g, tolerance %.3g",
                  p->kernel, p->at->rows, p->at->cols, p->at->linear ? "linear" : "whole", what,
                  ag_device_description(p->device), error, p->tolerance);
    p->error = fmax(p->error, error);
}

/* Windows in two opposite corners of the object, and one frame that no stack lists. */
static void
place_frames(problem *p)
{
    const int64_t down = p->object_rows - p->rows - p->at->linear,
                  right = p->object_cols - p->cols - p->at->linear;
    const int32_t frame[SLOTS] = {3, 1, 4};
    memcpy(p->frame, frame, sizeof frame);
    for (int j = 0; j < FRAMES; j++) {
        p->corner[2 * j] = j == 1   ? 0
                           : j == 4 ? (int32_t)down
                                    : (int32_t)((double)down * ag_random_uniform(&p->random));
        p->corner[2 * j + 1] = j == 1   ? 0
                               : j == 4 ? (int32_t)right
                                        : (int32_t)((double)right * ag_random_uniform(&p->random));
        p->fraction[2 * j] = (ag_real)ag_random_uniform(&p->random);
        p->fraction[2 * j + 1] = (ag_real)ag_random_uniform(&p->random);
    }
}

/* Kernels alone need no library. */
static const ag_fft nobody = {AG_FFT_ABI, "nobody", "", NULL, NULL, NULL, NULL};

void
problem_begin(problem *p, ag_device *device, const char *kernel, int number, const shape_row *at)
{
    const ag_shape *const shape = &p->plan.shape;
    ag_room room = ag_device_room(device);
    if (p->unfused)
        room.fft = &nobody;
    if (at->local && room.lanes > 1) /* a processor has room for any tile */
        room.local = at->local;
    p->device = device;
    p->kernel = kernel;
    p->at = at;
    p->rows = at->rows;
    p->cols = at->cols;
    p->pixels = p->rows * p->cols;
    p->object_rows = p->rows + 9;
    p->object_cols = p->cols + 150; /* more than one segment */
    ag_random_seed(&p->random, 1);
    if (ag_plan_create(&p->plan, device, p->rows, p->cols, at->linear, &room) == AG_OK)
        p->program = ag_program_create(device, shape, 1, &number);
    ck_assert_msg(p->program != NULL, "%s", ag_device_message(device));
    p->near = !strncmp(kernel, "near_", 5);
    p->strips = p->near ? shape->strips_x : shape->strips_y;
    p->amplitudes = p->unfused ? p->pixels : p->strips * shape->tile * (p->near ? p->rows : p->cols);
    p->frequency = take(p, p->rows + p->cols, sizeof *p->frequency);
    for (int i = 0; i < at->rows + at->cols; i++)
        p->frequency[i] = i < at->rows ? ag_axis_frequency(&shape->y, i)
                                       : ag_axis_frequency(&shape->x, i - at->rows);
    place_frames(p);
    p->object = random_complex(p, p->object_rows * p->object_cols);
    p->probe = random_complex(p, SLOTS * p->pixels);
    p->stack = random_complex(p, SLOTS * p->pixels);
    p->d_object = place(p, AG_COMPLEX, p->object_rows * p->object_cols, p->object);
    p->d_probe = place(p, AG_COMPLEX, SLOTS * p->pixels, p->probe);
    p->d_stack = place(p, AG_COMPLEX, SLOTS * p->pixels, p->stack);
    p->d_frame = place(p, AG_INT, SLOTS, p->frame);
    p->d_corner = place(p, AG_INT, 2 * FRAMES, p->corner);
    p->d_fraction = place(p, AG_REAL, 2 * FRAMES, p->fraction);
    p->spill = p->plan.spill ? place(p, AG_REAL, SLOTS * p->plan.spill, NULL) : NULL;
}

void
problem_end(problem *p)
{
    ag_program_destroy(p->program);
    ag_plan_destroy(&p->plan);
    for (int i = 0; i < p->arrays; i++)
        ag_array_destroy(p->array[i].whole);
    for (int i = 0; i < p->taken; i++)
        free(p->memory[i]);
}

/* ---- the table --------------------------------------------------------------------------- */

typedef struct outcome {
    double error, tolerance; /* of the shape with the largest error */
    uint64_t digest;
    char shapes[256];
} outcome;

static int
skips(const struct kernel_row *row, const shape_row *at, int processor)
{
    const int slow = getenv("AG_SLOW") != NULL;
    const int few = slow || (row->unfused && !processor);
    return (few && at->when != ALWAYS) || (!processor && at->when == NO_BUILDING) ||
           (row->kind == PLAIN && at != shapes) || (row->kind == WINDOW && at->local && !row->unfused);
}

/* One kernel on one device at all its shapes. */
static outcome
run_row(const struct kernel_row *row, ag_device *device, int compares)
{
    static problem p;
    outcome result = {0, 0, 0xcbf29ce484222325u, ""};
    size_t n = 0;
    for (int i = 0; i < SHAPES; i++) {
        const shape_row *const at = &shapes[i];
        if (skips(row, at, ag_device_room(device).lanes == 1))
            continue;
        memset(&p, 0, sizeof p);
        p.compares = compares;
        p.digest = result.digest;
        p.unfused = row->unfused;
        problem_begin(&p, device, row->name, row->number, at);
        const int chirp = row->kind == TRANSFORM && (p.plan.shape.y.chirp || p.plan.shape.x.chirp);
        p.tolerance = sizeof(ag_real) == 8 ? 1e-12 : (chirp ? 2 : 1) * row->tolerance;
        row->check(&p);
        if (p.error >= result.error) {
            result.error = p.error;
            result.tolerance = p.tolerance;
        }
        result.digest = p.digest;
        n += (size_t)snprintf(result.shapes + n, sizeof result.shapes - n, " %dx%d%s%s", at->rows,
                              at->cols, at->linear ? "l" : "", p.plan.shape.spill ? "s" : "");
        problem_end(&p);
    }
    return result;
}

static void
report(const struct kernel_row *row, const ag_device *device, const char *how, const outcome *result)
{
    printf("t2_kernels: %s%s: %s: error %.2g, tolerance %.1g, shapes%s\n", test_where(device), how, row->name,
           result->error, result->tolerance, result->shapes);
    fflush(stdout);
}

/* The ledger says what was launched. */
static void
on_launch(void *variant, const char *line)
{
    char kernel[64];
    ck_assert_int_eq(sscanf(line, "%*d %63s", kernel), 1);
    for (int i = 0; i < AG_KERNELS; i++)
        if (!strcmp(kernel, ag_kernels[i].name))
            test_ran(*(int *)variant, i);
}

static const char *
kernel_name(int number)
{
    return ag_kernels[number].name;
}

/* The processor's instruction sets, each with one, two and three threads. */
static void
run_processor(const struct kernel_row *row, int variant)
{
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++) {
        uint64_t digest = 0;
        for (int threads = 1; threads <= 3; threads++) {
            char text[8], how[32];
            ag_device *device;
            ag_message message;
            snprintf(text, sizeof text, "%d", threads);
            setenv("ARGAND_ISA", instructions[i], 1);
            setenv("ARGAND_THREADS", text, 1);
            if (ag_device_open(&device, "cpu", &message)) {
                ck_assert_msg(i > 0, "%s", message.text);
                break;
            }
            ag_device_trace(device, NULL, on_launch, &variant);
            const outcome result = run_row(row, device, threads == 1);
            if (threads > 1)
                ck_assert_msg(result.digest == digest, "%s: %d threads change bits", row->name,
                              threads);
            digest = result.digest;
            snprintf(how, sizeof how, " %s", instructions[i]);
            if (threads == 1)
                report(row, device, how, &result);
            ag_device_close(device);
        }
    }
    unsetenv("ARGAND_ISA");
    unsetenv("ARGAND_THREADS");
}

START_TEST(test_kernel)
{
    const struct kernel_row *const row = &table[_i % ROWS];
    int variant = _i / ROWS;
    const char *const name = test_device(variant);
    if (!strcmp(name, "cpu") || !strcmp(name, "cpu:0")) {
        run_processor(row, variant);
    } else {
        ag_device *const device = test_open(variant);
        ag_device_trace(device, NULL, on_launch, &variant);
        const outcome result = run_row(row, device, 1);
        report(row, device, "", &result);
        ag_device_close(device);
    }
}
END_TEST

START_TEST(test_each_kernel_has_a_row)
{
    ck_assert_int_eq(ROWS, AG_KERNELS);
    for (int i = 0; i < AG_KERNELS; i++) {
        int found = 0;
        for (int k = 0; k < ROWS; k++)
            found +=
                !strcmp(ag_kernels[i].name, table[k].name) && table[k].number == ag_kernels[i].id;
        ck_assert_msg(found == 1, "kernel %s has %d rows in the table", ag_kernels[i].name, found);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kernels");
    TCase *rows = tcase_create("table"), *kernels = tcase_create("kernels");
    tcase_add_test(rows, test_each_kernel_has_a_row);
    suite_add_tcase(suite, rows);
    tcase_set_timeout(kernels, 300);
    tcase_add_loop_test(kernels, test_kernel, 0, ROWS * test_variants());
    suite_add_tcase(suite, kernels);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    if (!getenv("CK_RUN_CASE") && !getenv("CK_RUN_SUITE"))
        failed += test_summary("kernels", AG_KERNELS, kernel_name);
    srunner_free(runner);
    return failed != 0;
}
