/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_faults.c -- call N of a job fails, for N = 1, 2, ...: of the backend's functions, of the GPU's driver
   and run-time compiler below them, of the allocations of host memory.

   Each failure must be told with its status and its words; nothing is begun after it, all that was made is
   ended once, and the next job is as if nothing had been.  Of the driver's calls in a whole job the first and
   the last of each kind fail, and some between; AG_FAULTS_ALL asks for all of them.  */
#include <dlfcn.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulate/cuda.h"
#include "t1_faults.h"

/* Jobs in which a call of the same kind as many others fails, where not all do. */
#define SOME 12
#define MOST 4096 /* calls of the driver in a job */

/* The backend of test_device(i). */
static const ag_backend *
backend_of(int i)
{
    char name[16];
    ag_message message;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(test_device(i), ":@"), test_device(i));
    const ag_backend *backend = ag_backend_load(name, &message);
    ck_assert_msg(backend != NULL, "%s", message.text);
    return backend;
}

static outcome
undisturbed(const ag_scan *scan, const ag_backend *backend)
{
    outcome o = job_run(scan, backend);
    ck_assert_msg(o.status == AG_OK, "%s", o.words);
    return o;
}

static void
same(const outcome *a, const outcome *b, const char *after)
{
    ck_assert_msg(!memcmp(&a->found, &b->found, sizeof a->found), "the job differs after the failure of %s", after);
}

/* ---- the backend's functions ----------------------------------------------------------------------- */

/* Call n of the job fails in that way. */
static void
fail_call(const ag_scan *scan, const ag_backend *backend, int n, ag_status status)
{
    char words[80];
    faulty_arm(n, status);
    const outcome o = job_run(scan, backend);
    faulty_settle();
    ck_assert_int_eq(o.left, 0);
    snprintf(words, sizeof words, "%.39s fails on purpose", faulty_label(n));
    ck_assert_msg(o.status == status && strstr(o.words, words) && strstr(o.words, backend->name),
                  "%s (call %d): status %d, \"%s\"", faulty_label(n), n, (int)o.status, o.words);
}

START_TEST(backend_calls)
{
    static const ag_status way[] = {AG_DEVICE_ERROR, AG_NO_MEMORY};
    const int fast = !strncmp(test_device(_i), "cpu", 3);
    const ag_backend *const backend = faulty(backend_of(_i));
    ag_scan *const scan = job_scan();
    faulty_arm(0, AG_OK);
    const outcome expected = undisturbed(scan, backend);
    const int calls = faulty_calls();
    for (int n = 1; n <= calls; n++) { /* in either way, on a slow device in one */
        fail_call(scan, backend, n, way[n % 2]);
        if (fast)
            fail_call(scan, backend, n, way[1 - n % 2]);
        if (fast || n % 8 == 0) {
            faulty_arm(0, AG_OK);
            const outcome again = undisturbed(scan, backend);
            same(&again, &expected, "a call of the backend");
        }
    }
    faulty_arm(calls + 1, AG_DEVICE_ERROR);
    const outcome last = undisturbed(scan, backend);
    same(&last, &expected, "nothing");
    printf("%s: each of %d calls of the backend failed in turn, nothing leaked\n", test_device(_i), calls);
    ag_scan_destroy(scan);
}
END_TEST

/* ---- host memory ------------------------------------------------------------------------------------- */

START_TEST(host_memory)
{
    ag_scan *const scan = job_scan();
    const outcome expected = undisturbed(scan, &ag_backend_cpu);
    int calls, n = 0, more;
    host_arm(0);
    job_run(scan, &ag_backend_cpu);
    ck_assert_int_eq(host_disarm(&calls), 0);
    do {
        host_arm(++n);
        const outcome o = job_run(scan, &ag_backend_cpu);
        const int left = host_disarm(&more);
        ck_assert_int_eq(o.left, 0);
        ck_assert_msg(left == 0, "allocation %d: %d were not freed after \"%s\"", n, left, o.words);
        if (more < n)
            break;
        ck_assert_msg(o.status == AG_NO_MEMORY, "allocation %d: status %d, \"%s\"", n, (int)o.status, o.words);
        ck_assert_msg(strstr(o.words, "memory") || strstr(o.words, "threads cannot be started"), "allocation %d: \"%s\"", n,
                      o.words);
        const outcome again = undisturbed(scan, &ag_backend_cpu);
        same(&again, &expected, "an allocation");
    } while (n <= calls);
    ck_assert_int_eq(n, calls + 1);
    printf("cpu: each of %d allocations of host memory failed in turn, nothing leaked\n", calls);
    ag_scan_destroy(scan);
}
END_TEST

/* ---- the GPU's driver and compiler -------------------------------------------------------------------- */

static struct {
    __typeof__(ag_emulate_fail) *fail;
    __typeof__(ag_emulate_call) *call;
    __typeof__(ag_emulate_leaks) *leaks;
} gpu;

static void
find(void *library, const char *name, void *pointer)
{
    void *const address = dlsym(library, name);
    ck_assert_msg(address != NULL, "%s is missing", name);
    memcpy(pointer, &address, sizeof address);
}

/* Whether test_device(i) is on the emulation, which is then told what fails. */
static int
find_emulation(int i)
{
    if (!test_emulated(i))
        return 0;
    void *const library = dlopen(getenv("ARGAND_CUDA_DRIVER"), RTLD_NOW | RTLD_LOCAL);
    ck_assert_ptr_nonnull(library);
    find(library, "ag_emulate_fail", &gpu.fail);
    find(library, "ag_emulate_call", &gpu.call);
    find(library, "ag_emulate_leaks", &gpu.leaks);
    return 1;
}

/* The failure of a driver call, told as it must be.  Without harm fail: a binary from the cache that
   the driver does not take, for it is made anew; waiting before something is ended; the choice of the
   device that the thread has already. */
static void
check_told(const outcome *o, const outcome *expected, const char *function, int n, int lasting)
{
    const int compiler = !strncmp(function, "nvrtc", 5), memory = strstr(function, "Alloc") != NULL;
    const char *const words = compiler                                     ? "error 11"
                              : lasting && strstr(o->words, "error 719")   ? "CUDA_ERROR_LAUNCH_FAILED"
                              : memory                                     ? "error 2 (CUDA_ERROR_OUT_OF_MEMORY)"
                                                                           : "error 999 (CUDA_ERROR_UNKNOWN)";
    if (o->status == AG_OK && (!strcmp(function, "cuModuleLoadData") || !strcmp(function, "cuStreamSynchronize") ||
                               !strcmp(function, "cuCtxSetCurrent")))
        same(o, expected, function);
    else
        ck_assert_msg((o->status == AG_DEVICE_ERROR || o->status == AG_NO_DEVICE ||
                       (memory && o->status == AG_NO_MEMORY)) && strstr(o->words, words),
                      "%s (call %d): status %d, \"%s\"", function, n, (int)o->status, o->words);
}

/* Call n is the first or the last of its function, or one of some. */
static int
chosen(char (*function)[40], int n, int calls)
{
    int before = 0, after = 0;
    for (int i = 0; i < n - 1 && !before; i++)
        before = !strcmp(function[i], function[n - 1]);
    for (int i = n; i < calls && !after; i++)
        after = !strcmp(function[i], function[n - 1]);
    return !before || !after || n % (calls / SOME + 1) == 0;
}

/* The calls of a job fail, all of them or some. */
static void
driver_faults(int device, int every, int lasting, outcome (*run)(const ag_scan *, const ag_backend *))
{
    static char function[MOST][40];
    const ag_backend *const backend = backend_of(device);
    ag_scan *const scan = job_scan();
    const outcome expected = run(scan, backend);
    ck_assert_msg(expected.status == AG_OK, "%s", expected.words);
    const int before = gpu.leaks();
    int failures = 0;
    gpu.fail(0, 0);
    run(scan, backend);
    const int calls = gpu.fail(0, 0);
    ck_assert_int_le(calls, MOST);
    for (int n = 1; n <= calls; n++)
        snprintf(function[n - 1], sizeof function[0], "%s", gpu.call(n));
    for (int n = 1; n <= calls; n++) {
        if (!every && !getenv("AG_FAULTS_ALL") && !chosen(function, n, calls))
            continue;
        gpu.fail(n, lasting);
        const outcome o = run(scan, backend);
        gpu.fail(0, 0);
        check_told(&o, &expected, function[n - 1], n, lasting);
        /* What a useless context holds cannot be ended but with it. */
        ck_assert_msg(lasting || gpu.leaks() == before, "%s (call %d): %d things were not ended", function[n - 1], n,
                      gpu.leaks() - before);
        if (++failures % 8 == 0 || lasting) {
            const outcome again = run(scan, backend);
            ck_assert_msg(again.status == AG_OK, "%s", again.words);
            same(&again, &expected, function[n - 1]);
        }
    }
    printf("%s: %d of %d calls of the driver and the compiler failed in turn%s\n", test_device(device), failures, calls,
           lasting ? " and for good" : ", nothing leaked");
    ag_scan_destroy(scan);
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

/* Where no kernel is cached by argand; what the emulation compiled before may stay. */
static outcome
build_anew(const ag_scan *scan, const ag_backend *backend)
{
    const char *const cache = getenv("XDG_CACHE_HOME"), *const parent = getenv("TMPDIR");
    char kept[4096], folder[4096], there[4200], link[4200];
    (void)scan;
    snprintf(kept, sizeof kept, "%s", cache ? cache : "/nowhere");
    snprintf(there, sizeof there, "%s/emulate", kept);
    snprintf(folder, sizeof folder, "%s/argandXXXXXX", parent && *parent ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(link, sizeof link, "%s/emulate", folder);
    ck_assert_int_eq(symlink(there, link), 0);
    setenv("XDG_CACHE_HOME", folder, 1);
    const outcome o = job_launch(backend);
    setenv("XDG_CACHE_HOME", kept, 1);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return o;
}

static outcome
launch_only(const ag_scan *scan, const ag_backend *backend)
{
    (void)scan;
    return job_launch(backend);
}

START_TEST(driver_calls)
{
    if (find_emulation(_i))
        driver_faults(_i, 0, 0, job_run);
}
END_TEST

START_TEST(compiler_calls)
{
    if (find_emulation(_i))
        driver_faults(_i, 1, 0, build_anew);
}
END_TEST

/* CUDA's context ends with the device, and its error with it; HIP's lasts as long as the process. */
START_TEST(lasting_faults)
{
    if (!strncmp(test_device(_i), "cuda", 4) && find_emulation(_i))
        driver_faults(_i, 0, 1, launch_only);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("t1_faults");
    TCase *tests = tcase_create("faults");
    const int n = test_devices();
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, backend_calls, 0, n);
    tcase_add_test(tests, host_memory);
    tcase_add_loop_test(tests, driver_calls, 0, n);
    tcase_add_loop_test(tests, compiler_calls, 0, n);
    tcase_add_loop_test(tests, lasting_faults, 0, n);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
