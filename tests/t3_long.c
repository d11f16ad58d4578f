/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_long.c -- runs that are too large or too long: turns on the device, checkpoints. */
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "t3.h"

/* What is varied beside the method and the device. */
static const struct {
    double jitter;
    int64_t batch, probe_start;
} kind[] = {{0, 1, 1}, {0.8, 1, 1}, {0.8, 7, 1}, {0, 7, -1}};
#define KINDS ((int)(sizeof kind / sizeof *kind))

static ag_options
options_of(int i)
{
    ag_options o = test_options(ag_method_name(i % METHODS));
    const int k = i / METHODS % KINDS;
    if (strstr(o.method, "pie"))
        o.batch = kind[k].batch;
    o.probe_start = kind[k].probe_start;
    return o;
}

static ag_scan *
scan_of(int i, int64_t points)
{
    return test_scan(32, 96, points, kind[i / METHODS % KINDS].jitter);
}

static int
device_of(int i)
{
    return i / METHODS / KINDS;
}

/* ---- turns ------------------------------------------------------------------------------- */

/* From the least memory that works to almost enough: the same bits, and no more than was said. */
START_TEST(turns)
{
    const int slow = test_emulated(device_of(_i)) || getenv("AG_SLOW");
    const int64_t iterations = slow ? 2 : 3;
    ag_scan *scan = scan_of(_i, slow ? 14 : 40);
    const ag_scan_info *info = ag_scan_content(scan);
    ag_options o = options_of(_i);
    trial whole = trial_begin(device_of(_i), NULL, scan, &o);
    const double *error, *seconds;
    ag_quality expected, found;
    trial_run(&whole, iterations);
    ag_solver_measure(whole.solver, &expected);
    ag_complex *object = trial_object(&whole), *probe = trial_probe(&whole);
    ag_solver_history(whole.solver, &error, &seconds);
    const int64_t caller = (whole.pixels + whole.window) * (int64_t)sizeof(ag_complex);
    for (int part = 0; part < 5; part += slow ? 2 : 1) {
        ag_device *device = test_open(device_of(_i));
        ag_need all, need;
        int64_t now, peak;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &all), AG_OK);
        o.memory = 1;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
        o.memory = caller + need.least + (all.least - need.least) * part / 5;
        trial t = trial_begin(0, device, scan, &o);
        trial_run(&t, iterations);
        ag_solver_measure(t.solver, &found);
        ag_device_memory(device, &now, &peak);
        ck_assert_int_lt(peak - caller, all.device);
        ck_assert_int_le(peak, o.memory);
        ag_complex *o2 = trial_object(&t), *p2 = trial_probe(&t);
        const double *e2;
        ag_solver_history(t.solver, &e2, &seconds);
        if (memcmp(object, o2, (size_t)whole.pixels * sizeof *object) ||
            memcmp(probe, p2, (size_t)whole.window * sizeof *probe))
            ck_abort_msg("%s on %s, %lld frames, %lld bytes of %lld: other bits", o.method, ag_device_name(device),
                         (long long)info->frames, (long long)(o.memory - caller), (long long)all.device);
        ck_assert_int_eq(memcmp(error, e2, (size_t)iterations * sizeof *error), 0);
        ck_assert(found.relative_l2 == expected.relative_l2 && found.r_factor == expected.r_factor);
        free(o2);
        free(p2);
        trial_end(&t);
        o.memory = 0;
    }
    free(object);
    free(probe);
    trial_end(&whole);
    ag_scan_destroy(scan);
}
END_TEST

/* A device too small by itself takes turns unasked; one that is much too small says what it needs. */
START_TEST(small_device)
{
    ag_scan *scan = test_scan(32, 96, 40, 0);
    ag_options o = test_options("raar");
    ag_device *device = test_open(_i);
    ag_need need;
    ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
    const int64_t caller = (96 * 96 + 32 * 32) * (int64_t)sizeof(ag_complex);
    device->limits.memory = caller + need.device * 2 / 3;
    trial t = trial_begin(0, device, scan, &o);
    int64_t now, peak;
    ag_device_memory(device, &now, &peak);
    ck_assert_int_le(peak, device->limits.memory);
    trial_run(&t, 2);
    trial_end(&t);

    device = test_open(_i);
    ag_solver *solver;
    o.memory = 1;
    ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, NULL), AG_NO_MEMORY);
    ck_assert_ptr_nonnull(strstr(ag_device_message(device), "expected at least"));
    ag_device_close(device);
    ag_scan_destroy(scan);
}
END_TEST

void
add_long_tests(Suite *suite)
{
    TCase *tests = tcase_create("long");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, turns, 0, METHODS * KINDS * test_devices());
    tcase_add_loop_test(tests, small_device, 0, test_devices());
    suite_add_tcase(suite, tests);
}
