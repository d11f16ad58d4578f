/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_arrays.c -- arrays, stacks of frames and the transfer lane. */
#include <stdlib.h>
#include <string.h>

#include "t1.h"
#include "device.h"
#include "kernels.h"

static void
holds(const ag_device *device, int64_t now, int64_t peak)
{
    int64_t n, p;
    ag_device_memory(device, &n, &p);
    ck_assert_int_eq(n, now);
    ck_assert_int_eq(p, peak);
}

START_TEST(test_memory)
{
    ag_device *const d = test_open(_i);
    ag_array *a, *b, *c;
    const int64_t real = sizeof(ag_real);
    holds(d, 0, 0);
    ck_assert_int_eq(ag_array_create(&a, d, AG_REAL, 100), AG_OK);
    ck_assert_int_eq(ag_array_create(&b, d, AG_COMPLEX, 10), AG_OK);
    ck_assert_int_eq(ag_array_create(&c, d, AG_INT, 3), AG_OK);
    ck_assert_int_eq(ag_array_count(b), 10);
    holds(d, 120 * real + 12, 120 * real + 12);
    ag_array_destroy(a);
    holds(d, 20 * real + 12, 120 * real + 12);
    ag_array_destroy(NULL);
    ag_array_destroy(b);
    ag_array_destroy(c);
    holds(d, 0, 120 * real + 12);
    ag_device_close(d);
}
END_TEST

START_TEST(test_bounds)
{
    static const int64_t bad[][2] = {{-1, 1}, {0, 11},        {10, 1},       {11, 0},
                                     {0, -1}, {1, INT64_MAX}, {INT64_MAX, 1}};
    const int32_t value[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int32_t found[10] = {0};
    for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
        ag_device *const d = test_open(_i);
        ag_array *const a = ag_new_from(d, AG_INT, 10, value, "a");
        ck_assert_int_eq(ag_array_read(a, 3, 4, found), AG_OK);
        ck_assert(found[0] == 3 && found[3] == 6);
        ck_assert_int_eq(ag_array_write(a, 10, 0, value), AG_OK);
        ck_assert_int_eq(i % 2 ? ag_array_read(a, bad[i / 2][0], bad[i / 2][1], found)
                               : ag_array_write(a, bad[i / 2][0], bad[i / 2][1], value),
                         AG_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(ag_device_message(d), "it has 10"));
        ag_array_destroy(a);
        ag_device_close(d);
    }
}
END_TEST

START_TEST(test_counts)
{
    static const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ag_device *const d = test_open(_i);
        ag_array *a;
        ck_assert_int_eq(ag_array_create(&a, d, AG_COMPLEX, bad[i]), AG_BAD_ARGUMENT);
        ck_assert_ptr_null(a);
        holds(d, 0, 0);
        ag_device_close(d);
    }
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which ends a program that asks for too much */
START_TEST(test_too_much)
{
    ag_device *const d = test_open(_i);
    ag_array *a;
    ck_assert_int_eq(ag_array_create(&a, d, AG_COMPLEX, (int64_t)1 << 55), AG_NO_MEMORY);
    ck_assert_ptr_null(a);
    char bytes[32];
    snprintf(bytes, sizeof bytes, "%lld bytes",
             (long long)(((int64_t)1 << 55) * (int64_t)sizeof(ag_complex)));
    ck_assert_msg(strstr(ag_device_message(d), bytes) &&
                      strstr(ag_device_message(d), ag_device_name(d)),
                  "%s", ag_device_message(d));
    holds(d, 0, 0);
    ag_device_close(d);
}
END_TEST
#endif

START_TEST(test_views)
{
    ag_device *const d = test_open(_i);
    const int32_t value[5] = {1, 2, 3, 4, 5};
    int32_t found[5];
    ag_array *const a = ag_new_from(d, AG_INT, 5, value, "a");
    const ag_array two = ag_view(a, 2), three = ag_view(&two, 1);
    ck_assert_int_eq(ag_array_count(&two), 3);
    ck_assert_int_eq(ag_array_read(&three, 1, 1, found), AG_OK);
    ck_assert_int_eq(found[0], 5);
    ag_clear(a);
    ck_assert_int_eq(ag_array_read(a, 0, 5, found), AG_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(found[i], 0);
    ck_assert_int_eq(ag_array_read(&three, 1, 2, found), AG_BAD_ARGUMENT);
    ag_array_destroy(a);
    ag_device_close(d);
}
END_TEST

/* Frames of four, blocks of three, because an allocation may hold no more. */
START_TEST(test_stack)
{
    ag_device *const d = test_open(_i);
    ag_stack stack;
    const int64_t size = 4 * ag_type_bytes(AG_INT);
    d->limits.allocation = 3 * size + 1;
    ck_assert_int_eq(ag_stack_create(&stack, d, AG_INT, 8, 4, 0, "a stack"), AG_OK);
    ck_assert(stack.block == 3 && stack.blocks == 3);
    ck_assert_int_eq(ag_array_count(stack.part[2]), 8);
    holds(d, 8 * size, 8 * size);
    for (int64_t first = 0; first < 8; first++) {
        int64_t frames = 8 - first;
        const int32_t value[4] = {(int32_t)first, 1, 2, 3};
        ag_array view = ag_stack_view(&stack, first, &frames, AG_STACK_READ);
        ck_assert_int_eq(frames, AG_MIN(3 - first % 3, 8 - first));
        ck_assert_int_eq(ag_array_write(&view, 0, 4, value), AG_OK);
    }
    for (int64_t first = 0; first < 8; first++) {
        int64_t frames = 1;
        int32_t found[4];
        const ag_array view = ag_stack_view(&stack, first, &frames, AG_STACK_READ);
        ck_assert_int_eq(frames, 1);
        ck_assert_int_eq(ag_array_read(&view, 0, 4, found), AG_OK);
        ck_assert(found[0] == first && found[3] == 3);
    }
    ag_stack_destroy(&stack);
    ag_stack_destroy(&stack); /* an ended one is empty */
    holds(d, 0, 8 * size);

    d->limits.allocation = size - 1;
    ck_assert_int_eq(ag_stack_create(&stack, d, AG_INT, 8, 4, 0, "a stack"), AG_NO_MEMORY);
    ck_assert_ptr_nonnull(strstr(ag_device_message(d), "one frame of a stack takes 16 bytes"));
    ag_stack_destroy(&stack);
    ag_device_close(d);
}
END_TEST

/* What computes before an upload sees the old content, what comes after it the new. */
START_TEST(test_upload)
{
    enum { N = 1 << 16, ROUNDS = 20 };
    ag_device *const d = test_open(_i);
    ag_plan plan;
    const int list[] = {AG_KERNEL_maximum};
    static ag_real value[ROUNDS][N];
    ag_real top[ROUNDS];
    ck_assert_int_eq(ag_plan_create(&plan, d, 8, 8, 0, NULL), AG_OK);
    ag_program *const program = ag_program_create(d, &plan.shape, 1, list);
    ag_array *const a = ag_new(d, AG_REAL, N, "a");
    ag_array *const result = ag_new(d, AG_REAL, ROUNDS, "result");
    for (int i = 0; i < ROUNDS; i++) {
        const ag_array at = ag_view(result, i);
        for (int k = 0; k < N; k++)
            value[i][k] = (ag_real)(i + 1);
        ag_upload(a, N, value[i]);
        ag_run_maximum(program, 1, (ag_array *)&at, a, N);
    }
    ag_device_synchronize(d);
    ck_assert_int_eq(ag_array_read(result, 0, ROUNDS, top), AG_OK);
    for (int i = 0; i < ROUNDS; i++)
        ck_assert(top[i] == (ag_real)(i + 1));
    ag_array_destroy(a);
    ag_array_destroy(result);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    ag_device_close(d);
}
END_TEST

START_TEST(test_count_only)
{
    ag_device *const d = test_open(_i);
    const ag_real value[4] = {0};
    ag_device_count_only(d, 1);
    ag_array *const a = ag_new_from(d, AG_REAL, 4, value, "a");
    ag_array *const b = ag_new(d, AG_COMPLEX, (int64_t)1 << 50, "b");
    ck_assert(a && b);
    ag_array_destroy(b);
    ag_array_destroy(a);
    ck_assert_int_eq(ag_device_count_only(d, 0).device,
                     (4 + ((int64_t)2 << 50)) * (int64_t)sizeof(ag_real));
    holds(d, 0, 0);
    ck_assert_int_eq(ag_device_status(d), AG_OK);
    ag_device_close(d);
}
END_TEST

void
add_arrays(Suite *suite)
{
    TCase *arrays = tcase_create("arrays");
    const int n = test_devices();
    tcase_set_timeout(arrays, 60);
    tcase_add_loop_test(arrays, test_memory, 0, n);
    tcase_add_loop_test(arrays, test_bounds, 0, n);
    tcase_add_loop_test(arrays, test_counts, 0, n);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_loop_test(arrays, test_too_much, 0, n);
#endif
    tcase_add_loop_test(arrays, test_views, 0, n);
    tcase_add_loop_test(arrays, test_stack, 0, n);
    tcase_add_loop_test(arrays, test_upload, 0, n);
    tcase_add_loop_test(arrays, test_count_only, 0, n);
    suite_add_tcase(suite, arrays);
}
