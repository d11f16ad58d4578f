/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_device.c -- opening devices, and how their failures are told. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t1.h"
#include "kernels.h"

/* Opening `name' fails, in words that contain each of two. */
static void
cannot_open(const char *name, const char *one, const char *two)
{
    ag_message message = {""};
    ag_device *device = (ag_device *)&message; /* must be set to NULL */
    ck_assert_int_eq(ag_device_open(&device, name, &message), AG_NO_DEVICE);
    ck_assert_ptr_null(device);
    ck_assert_msg(strstr(message.text, one) && strstr(message.text, two), "device %s: \"%s\"",
                  name ? name : "NULL", message.text);
    ck_assert_int_eq(ag_device_open(&device, name, NULL), AG_NO_DEVICE);
}

START_TEST(test_names_that_fail)
{
    cannot_open("abacus", "abacus", "cpu");
    cannot_open("abacus:0", "abacus:0", "cpu");
    cannot_open("cp", "unknown", "cpu");
    cannot_open("cpu,opencl", "unknown", "cpu");
    cannot_open("a_name_that_is_longer_than_any_backend", "unknown", "cpu");
    cannot_open("cpu:", "number", "cpu:0");
    cannot_open("cpu:one", "number", "cpu:0");
    cannot_open("cpu:-1", "number", "cpu:0");
    cannot_open("cpu:0x", "number", "cpu:0");
    cannot_open("cpu:99999999999999999999", "number", "cpu:0");
    cannot_open("cpu:1", "cpu:1", "only cpu:0");
    setenv("ARGAND_DEVICE", "abacus", 1);
    cannot_open(NULL, "abacus", "unknown");
    cannot_open("", "abacus", "unknown");
}
END_TEST

START_TEST(test_names_that_open)
{
    static const char *const names[] = {"cpu", "cpu:0", NULL};
    setenv("ARGAND_DEVICE", "cpu", 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ag_device *device;
        ag_message message;
        ck_assert_int_eq(ag_device_open(&device, names[i], &message), AG_OK);
        ck_assert_str_eq(ag_device_name(device), "cpu");
        ck_assert_ptr_nonnull(strstr(ag_device_description(device), "thread"));
        ck_assert_int_eq(ag_device_status(device), AG_OK);
        ck_assert_str_eq(ag_device_message(device), "");
        ag_device_close(device);
    }
    ag_device_close(NULL);
}
END_TEST

START_TEST(test_processor_settings)
{
    static const char *const threads[] = {"0", "-1", "two", "3x", "5000"};
    setenv("ARGAND_ISA", "abacus", 1);
    cannot_open("cpu", "ARGAND_ISA", "abacus");
    setenv("ARGAND_ISA", "", 1);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        setenv("ARGAND_THREADS", threads[i], 1);
        cannot_open("cpu", "ARGAND_THREADS", threads[i]);
    }
    setenv("ARGAND_THREADS", "3", 1);
    setenv("ARGAND_ISA", "baseline", 1);
    ag_device *device;
    ck_assert_int_eq(ag_device_open(&device, "cpu", NULL), AG_OK);
    ck_assert_ptr_nonnull(strstr(ag_device_description(device), "3 threads, baseline"));
    ag_device_close(device);
}
END_TEST

START_TEST(test_missing_module)
{
    for (const char *p = AG_BACKENDS; *p;) {
        const size_t n = strcspn(p, ",");
        char name[32], path[4096];
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        snprintf(path, sizeof path, "%s/%s.so", PKGLIBDIR, name);
        setenv("ARGAND_BACKEND_PATH", new_folder(), 1);
        if (strcmp(name, "cpu") && access(path, F_OK)) /* it may be installed */
            cannot_open(name, "module", name);
        p += n + (p[n] == ',');
    }
}
END_TEST

typedef struct visits {
    int count, stop_at, named;
} visits;

static int
visit(void *user, const char *name, ag_status status, const char *text)
{
    visits *v = user;
    v->named += !strncmp(name, "cpu", 3) && status == AG_OK;
    ck_assert(*text);
    return ++v->count == v->stop_at ? 17 : 0;
}

START_TEST(test_list)
{
    visits all = {0, -1, 0}, one = {0, 1, 0};
    ck_assert_int_eq(ag_device_list(visit, &all), 0);
    ck_assert_int_eq(all.named, 1);
    ck_assert_int_eq(ag_device_list(visit, &one), 17);
    ck_assert_int_eq(one.count, 1);
}
END_TEST

/* The first failure sticks, and nothing happens after it. */
START_TEST(test_sticky_status)
{
    ag_device *const d = test_open(_i);
    ag_plan plan;
    ck_assert_int_eq(ag_plan_create(&plan, d, 8, 8, 0, NULL), AG_OK);
    const int list[] = {AG_KERNEL_maximum};
    ag_program *const program = ag_program_create(d, &plan.shape, 1, list);
    ck_assert_ptr_nonnull(program);
    const ag_real value[3] = {1, 7, 2}, untouched = -1;
    ag_array *const v = ag_new_from(d, AG_REAL, 3, value, "v");
    ag_array *const top = ag_new_from(d, AG_REAL, 1, &untouched, "t");
    ag_array *const wrong = ag_new(d, AG_COMPLEX, 3, "w");
    ag_real found = 0;
    ag_run_maximum(program, 1, top, v, 3);
    ck_assert_int_eq(ag_array_read(top, 0, 1, &found), AG_OK);
    ck_assert(found == 7);
    ck_assert_int_eq(ag_device_status(d), AG_OK);

    ag_run_maximum(program, 1, top, wrong, 3);
    ck_assert_int_eq(ag_device_status(d), AG_BAD_ARGUMENT);
    char first[1024];
    snprintf(first, sizeof first, "%s", ag_device_message(d));
    ck_assert(strstr(first, "maximum") && strstr(first, "value") && strstr(first, "type"));

    found = 5;
    ag_run_total(program, 1, top, 0, v, 3); /* was not built */
    ck_assert_int_eq(ag_array_read(top, 0, 1, &found), AG_BAD_ARGUMENT);
    ck_assert(found == 5);
    ck_assert_int_eq(ag_array_write(top, 0, 1, value), AG_BAD_ARGUMENT);
    ck_assert_int_eq(ag_device_synchronize(d), AG_BAD_ARGUMENT);
    ag_array *none;
    ck_assert_int_eq(ag_array_create(&none, d, AG_REAL, 1), AG_BAD_ARGUMENT);
    ck_assert_ptr_null(none);
    ck_assert_ptr_null(ag_program_create(d, &plan.shape, 1, list));
    ck_assert_ptr_null(ag_record_begin(d, NULL));
    ag_plan other;
    ck_assert_int_eq(ag_plan_create(&other, d, 0, 0, 0, NULL), AG_BAD_ARGUMENT);
    ck_assert_str_eq(ag_device_message(d), first);

    ag_array_destroy(v);
    ag_array_destroy(top);
    ag_array_destroy(wrong);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    ag_device_close(d);
}
END_TEST

START_TEST(test_kernel_not_built)
{
    ag_device *const d = test_open(_i);
    ag_plan plan;
    ck_assert_int_eq(ag_plan_create(&plan, d, 8, 8, 0, NULL), AG_OK);
    const int list[] = {AG_KERNEL_maximum};
    ag_program *const program = ag_program_create(d, &plan.shape, 1, list);
    ag_run_total(program, 1, plan.table_y, 0, plan.table_y, 3);
    ck_assert_int_eq(ag_device_status(d), AG_BAD_ARGUMENT);
    ck_assert_str_eq(ag_device_message(d), "kernel total was not built");
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    ag_device_close(d);
}
END_TEST

START_TEST(test_words)
{
    ck_assert_str_eq(ag_version(), PACKAGE_VERSION);
    for (int i = AG_OK; i <= AG_CANCELLED; i++)
        for (int k = AG_OK; k <= AG_CANCELLED; k++)
            ck_assert((i == k) ==
                      !strcmp(ag_status_name((ag_status)i), ag_status_name((ag_status)k)));
    ck_assert_str_eq(ag_status_name(AG_BAD_ARGUMENT), "bad argument");
    ck_assert_str_eq(ag_status_name((ag_status)99), "unknown status");
    ag_message message;
    ck_assert_int_eq(ag_fail(&message, AG_BAD_FILE, "%s: %d", "words", 3), AG_BAD_FILE);
    ck_assert_str_eq(message.text, "words: 3");
    ck_assert_int_eq(ag_fail(NULL, AG_BAD_FILE, "words"), AG_BAD_FILE);
    ck_assert_ptr_null(ag_calloc(-1, 1));
#ifndef __SANITIZE_ADDRESS__ /* which ends a program that asks for too much */
    ck_assert_ptr_null(ag_calloc(INT64_MAX, 16));
#endif
}
END_TEST

/* Where the folders of all tests lie. */
static char root[4096];

const char *
new_folder(void)
{
    static char path[4200];
    snprintf(path, sizeof path, "%s/XXXXXX", root);
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void
add_open(Suite *suite)
{
    TCase *open = tcase_create("open"), *sticky = tcase_create("sticky");
    tcase_set_timeout(open, 120); /* kernels may be compiled */
    tcase_set_timeout(sticky, 120);
    tcase_add_test(open, test_words);
    tcase_add_test(open, test_names_that_fail);
    tcase_add_test(open, test_names_that_open);
    tcase_add_test(open, test_processor_settings);
    tcase_add_test(open, test_missing_module);
    tcase_add_test(open, test_list);
    tcase_add_loop_test(sticky, test_sticky_status, 0, test_devices());
    tcase_add_loop_test(sticky, test_kernel_not_built, 0, test_devices());
    suite_add_tcase(suite, open);
    suite_add_tcase(suite, sticky);
}

int
main(void)
{
    const char *const parent = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/argandXXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(root)) {
        perror(root);
        return 99;
    }
    Suite *suite = suite_create("devices");
    add_open(suite);
    add_arrays(suite);
    add_launches(suite);
    add_plans(suite);
    add_cache(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return failed != 0;
}
