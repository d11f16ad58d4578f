/* SPDX-License-Identifier: BSD-3-Clause */
/* t7_large.c -- rPIE with fixed probe over frames of more than 2^31 elements in all, which never are in memory:
   made in blocks on their way to the solver, they wait in a temporary file (8.6 GB in $TMPDIR).

   The first and the last frames lie on parts of the object of their own; what they make of these must have the
   bits of a run of those frames alone.  A frame elsewhere by a power of 2 of bytes has another pattern.  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "common.h"

#define SIDE     128
#define AREA     ((int64_t)SIDE * SIDE)
#define ENDS     64 /* frames at either end */
#define PATTERNS 61 /* a prime */
#define APART    180 /* rows from one part of the object to the next */
#define ROWS     (3 * APART)
#define COLS     (SIDE + 40)
#define LIMIT    ((int64_t)64 << 20)

static ag_real pattern[PATTERNS][AREA];

/* Of the large scan; the small one has its frames at both ends. */
typedef struct frames {
    int64_t all, first_of_second_half, skipped;
} frames;

static ag_status
make_frames(void *user, int64_t first, int64_t count, ag_real *destination, ag_message *message)
{
    const frames *f = user;
    (void)message;
    for (int64_t i = 0; i < count; i++) {
        const int64_t j = first + i < f->first_of_second_half ? first + i : first + i + f->skipped;
        memcpy(destination + i * AREA, pattern[j % PATTERNS], sizeof *pattern);
    }
    return AG_OK;
}

/* The object after an iteration over the frames, and the most memory that the process has held, MiB. */
static ag_complex *
reconstruct(const frames *f, int64_t memory, const char *what)
{
    const int64_t n = f->all;
    double *const position = ag_calloc(2 * n, sizeof *position);
    ag_complex *const object = ag_calloc(ROWS * COLS, sizeof *object), *const probe = ag_calloc(AREA, sizeof *probe);
    ck_assert(position && object && probe);
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = i < f->first_of_second_half ? i : i + f->skipped, last = n + f->skipped - ENDS;
        const int part = j < ENDS ? 0 : j < last ? 1 : 2;
        position[2 * i] = (double)(part * APART + j % 8 * 5);
        position[2 * i + 1] = (double)(j / 8 % 8 * 5);
    }
    for (int64_t i = 0; i < ROWS * COLS; i++)
        object[i].re = 1;
    for (int64_t i = 0; i < AREA; i++)
        probe[i].re = (ag_real)(llabs(i / SIDE - SIDE / 2) < 40 && llabs(i % SIDE - SIDE / 2) < 40);
    ag_scan scan = {.info = {.frames = n, .rows = SIDE, .cols = SIDE, .object_rows = ROWS, .object_cols = COLS,
                             .position = position, .data_are_amplitudes = 1},
                    .source = {make_frames, NULL, (void *)(uintptr_t)f}};
    ag_options o;
    ag_device *device;
    ag_message message;
    ag_array *d_object, *d_probe;
    ag_solver *solver;
    struct rusage usage;
    ck_assert_int_eq(ag_options_default(&o, "rpie", &message), AG_OK);
    o.probe_start = -1;
    o.shuffle = 0;
    o.modulus_floor = 0; /* it hangs on the mean of all frames */
    o.memory = memory;
    if (ag_device_open(&device, "cpu", &message))
        ck_abort_msg("%s", message.text);
    ag_array_create(&d_object, device, AG_COMPLEX, ROWS * COLS);
    ag_array_create(&d_probe, device, AG_COMPLEX, AREA);
    ag_array_write(d_object, 0, ROWS * COLS, object);
    ag_array_write(d_probe, 0, AREA, probe);
    const double begin = ag_device_seconds(device);
    if (ag_solver_create(&solver, device, ag_comm_self(), &scan, &o, d_object, d_probe) || ag_solver_run(solver, 1, NULL, NULL))
        ck_abort_msg("%s", ag_device_message(device));
    const double *error, *seconds;
    ag_solver_history(solver, &error, &seconds);
    ck_assert_int_eq(ag_array_read(d_object, 0, ROWS * COLS, object), AG_OK);
    getrusage(RUSAGE_SELF, &usage);
    printf("t7_large: %s: %lld frames, %lld elements, %.0f s, of them the iteration %.0f s, %ld MiB held\n", what, (long long)n,
           (long long)(n * AREA), ag_device_seconds(device) - begin, seconds[0], usage.ru_maxrss / 1024);
    ck_assert_int_lt(usage.ru_maxrss / 1024, 2 * (LIMIT >> 20));
    ag_solver_destroy(solver);
    ag_array_destroy(d_object);
    ag_array_destroy(d_probe);
    ag_device_close(device);
    free(position);
    free(probe);
    return object;
}

START_TEST(passes_2_31_elements)
{
    const frames few = {2 * ENDS, ENDS, ((int64_t)1 << 31) / AREA}, many = {2 * ENDS + few.skipped, INT64_MAX, 0};
    ag_random random;
    ag_random_seed(&random, 1);
    for (int64_t i = 0; i < PATTERNS * AREA; i++)
        pattern[i / AREA][i % AREA] = (ag_real)ag_random_uniform(&random);
    ag_complex *expected = reconstruct(&few, 0, "the ends alone"), *found = reconstruct(&many, LIMIT, "all");
    ck_assert_int_gt(many.all * AREA, (int64_t)1 << 31);
    for (int part = 0; part < 3; part += 2) {
        const int64_t at = part * (int64_t)APART * COLS;
        int64_t moved = 0;
        for (int64_t i = at; i < at + (int64_t)APART * COLS; i++)
            moved += found[i].re != 1;
        ck_assert_int_gt(moved, 80 * 80);
        ck_assert_int_eq(memcmp(found + at, expected + at, (size_t)APART * COLS * sizeof *found), 0);
    }
    free(expected);
    free(found);
}
END_TEST

int
main(void)
{
    const char *folder = getenv("TMPDIR");
    struct statvfs disk;
    folder = folder && *folder ? folder : "/tmp";
    if (statvfs(folder, &disk) || (double)disk.f_bavail * (double)disk.f_frsize < 10e9) {
        printf("SKIP: %s has no room for a temporary file of 8.6 GB\n", folder);
        return 77;
    }
    Suite *suite = suite_create("large");
    TCase *tests = tcase_create("large");
    tcase_set_timeout(tests, 1200);
    tcase_add_test(tests, passes_2_31_elements);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
