/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_kernels.c -- every kernel, at many shapes and on every device, against its formula in double.

   One row of the table (t2_table.c) for each kernel.  On the processor each instruction set runs, with one,
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

/* 13, 17, 31, 37 and 131 go through Bluestein's algorithm. */
static const shape_row shapes[] = {
    {16, 15, 1, 0, ALWAYS, 1, 0},       {2, 3, 0, 0, ALWAYS, 1, 0},         {13, 17, 1, 0, ALWAYS, 1, 0},
    {17, 31, 1, 1, ALWAYS, 1, 0},       {100, 100, 1, 8192, USUALLY, 1, 0}, {131, 270, 1, 0, USUALLY, 1, 0},
    {128, 128, 0, 0, USUALLY, 1, 0},    {8, 8, 0, 0, NO_BUILDING, 1, 0},    {15, 16, 1, 0, NO_BUILDING, 1, 0},
    {32, 32, 0, 0, NO_BUILDING, 1, 0},  {31, 64, 0, 0, NO_BUILDING, 1, 0},  {30, 42, 0, 1, NO_BUILDING, 1, 0},
    {131, 37, 0, 0, NO_BUILDING, 1, 0}, {16, 24, 1, 0, ALWAYS, 3, 0},    {13, 17, 0, 1, USUALLY, 2, 0},
    {128, 40, 0, 0, NO_BUILDING, 2, 0}, {31, 64, 1, 0, NO_BUILDING, 3, 0}, {15, 9, 0, 0, USUALLY, 1, 1},
    {32, 40, 1, 0, NO_BUILDING, 1, 1}, {16, 24, 0, 0, NO_BUILDING, 3, 1},
    {64, 64, 1, 0, FRAMES, 1, 0},       {64, 64, 0, 0, FRAMES, 3, 0},       {128, 128, 1, 0, FRAMES, 2, 0},
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

static const char *const instructions[] = {"baseline", "avx2", "avx512"};

/* ---- the table --------------------------------------------------------------------------- */

typedef struct outcome {
    double error, tolerance; /* of the shape with the largest error */
    uint64_t digest;
    char shapes[256];
} outcome;

/* Few of them also where only the wavefront is another one. */
static int
skips(const kernel_row *row, const shape_row *at, int processor, int another)
{
    const int few = another || getenv("AG_SLOW") || (row->unfused && !processor);
    if (at->when == FRAMES && ag_kernels[row->number].whole[0] < 0)
        return 1;
    if (at->modes > 1 && !(row->kind & MANY))
        return 1;
    if (at->words && (!(row->kind & WORDS) || sizeof(ag_real) == 8))
        return 1;
    return (few && at->when != ALWAYS) || (!processor && at->when == NO_BUILDING) ||
           (KIND_OF(row->kind) >= PLAIN && at != shapes) || (KIND_OF(row->kind) == WINDOW && at->local && !row->unfused);
}

/* One kernel on one device at all its shapes. */
static outcome
run_row(const kernel_row *row, ag_device *device, int another, int compares)
{
    static problem p;
    outcome result = {0, 0, 0xcbf29ce484222325u, ""};
    size_t n = 0;
    const int net = KIND_OF(row->kind) == NET, matrix = row->kind & MATRIX ? ag_device_room(device).matrix : 0;
    for (int k = 0; k < (net ? 5 : SHAPES); k++) {
        /* One rounding to 11 or 8 bits. */
        static const double rounding[3] = {0, 4e-4, 3.2e-3};
        const int mma = net && k > 2, store = net ? k - 2 * mma : 0;
        const shape_row *const at = &shapes[net ? 0 : k];
        if ((mma && !(matrix & store)) || skips(row, at, ag_device_room(device).lanes == 1, another))
            continue;
        memset(&p, 0, sizeof p);
        p.compares = compares;
        p.store = store;
        p.mma = mma;
        p.digest = result.digest;
        p.unfused = row->unfused;
        problem_begin(&p, device, row->name, row->number, at, SLOTS);
        const int chirp = KIND_OF(row->kind) == TRANSFORM && (p.plan.shape.y.chirp || p.plan.shape.x.chirp);
        p.tolerance = (sizeof(ag_real) == 8 ? 1e-12 : (chirp ? 2 : 1) * row->tolerance) + rounding[store];
        row->check(&p);
        if (p.error >= result.error && !store) {
            result.error = p.error;
            result.tolerance = p.tolerance;
        }
        result.digest = p.digest;
        if (!p.left_out)
            n += (size_t)snprintf(result.shapes + n, sizeof result.shapes - n, " %dx%d%s%s", at->rows,
                                  at->cols, at->linear ? "l" : "", p.plan.shape.spill ? "s" : "");
        if (store)
            n += (size_t)snprintf(result.shapes + n, sizeof result.shapes - n, " %s%s %.1e", store == 1 ? "fp16" : "bf16",
                                  mma ? " by matrix units" : "", p.error);
        if (at->words)
            n += (size_t)snprintf(result.shapes + n, sizeof result.shapes - n, "w");
        if (p.modes > 1)
            n += (size_t)snprintf(result.shapes + n, sizeof result.shapes - n, "x%d", at->modes);
        problem_end(&p);
    }
    return result;
}

static void
report(const kernel_row *row, const ag_device *device, const char *how, const outcome *result)
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
run_processor(const kernel_row *row, int variant)
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
            const int ordered = !(row->kind & UNORDERED);
            const outcome result = run_row(row, device, 0, threads == 1 || !ordered);
            if (threads > 1 && ordered)
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
    const kernel_row *const row = &kernel_table[_i % kernel_rows];
    int variant = _i / kernel_rows;
    const char *const name = test_device(variant), *const only = getenv("ARGAND_TEST_ROWS");
    if (only && !strstr(only, row->name))
        return;
    const int processor = !strcmp(name, "cpu") || !strcmp(name, "cpu:0");
    const int together = ag_kernels[row->number].kind == AG_TOGETHER;
    if (processor && ag_kernels[row->number].whole[0] >= 0) {
        printf("skip: %s: C has no kernel that keeps a frame, see gen/c_passes.m4\n", row->name);
        test_ran(variant, row->number);
    } else if (together && (processor || !strncmp(name, "opencl", 6))) {
        printf("skip: %s: on %s groups cannot wait for one another\n", row->name, name);
        test_ran(variant, row->number);
    } else if (processor) {
        run_processor(row, variant);
    } else {
        ag_device *const device = test_open(variant);
        ag_device_trace(device, NULL, on_launch, &variant);
        const outcome result = run_row(row, device, strchr(name, '@') != NULL, 1);
        report(row, device, "", &result);
        ag_device_close(device);
    }
}
END_TEST

START_TEST(test_each_kernel_has_a_row)
{
    ck_assert_int_eq(kernel_rows, AG_KERNELS);
    for (int i = 0; i < AG_KERNELS; i++) {
        int found = 0;
        for (int k = 0; k < kernel_rows; k++)
            found +=
                !strcmp(ag_kernels[i].name, kernel_table[k].name) && kernel_table[k].number == ag_kernels[i].id;
        ck_assert_msg(found == 1, "kernel %s has %d rows in the table", ag_kernels[i].name, found);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kernels");
    TCase *rows = tcase_create("table"), *kernels = tcase_create("kernels");
    /* PoCL takes longer to compile a kernel than to run it. */
    setenv("POCL_EXTRA_BUILD_FLAGS", "-cl-opt-disable", 0);
    tcase_add_test(rows, test_each_kernel_has_a_row);
    suite_add_tcase(suite, rows);
    tcase_set_timeout(kernels, 300);
    tcase_add_loop_test(kernels, test_kernel, 0, kernel_rows * test_variants());
    suite_add_tcase(suite, kernels);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    if (!getenv("CK_RUN_CASE") && !getenv("CK_RUN_SUITE"))
        failed += test_summary("kernels", AG_KERNELS, kernel_name);
    srunner_free(runner);
    return failed != 0;
}
