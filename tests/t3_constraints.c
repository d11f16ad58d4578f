/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_constraints.c -- what is known of object and probe beforehand holds after every iteration. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

static const char *const method[] = {"pie", "epie", "rpie", "lsqml", "dm", "ap", "raar"};
#define KEPT ((int)(sizeof method / sizeof *method))

START_TEST(hold)
{
    ag_scan *scan = test_scan(32, 80, 9, 0.8);
    ag_options o = test_options(method[_i % KEPT]);
    o.probe_start = 0;
    o.probe_support = 0.6;
    o.object_least = 0.7;
    o.object_most = 0.9;
    trial t = trial_begin(_i / KEPT, NULL, scan, &o);
    trial_run(&t, 2);
    ag_complex *const object = trial_object(&t), *const probe = trial_probe(&t);
    int within = 0, bounded[2] = {0, 0};
    for (int i = 0; i < 32 * 32; i++) {
        const double modulus = hypot((double)probe[i].re, (double)probe[i].im);
        const int inside = hypot(i / 32 - 16, i % 32 - 16) <= 0.6 * 16;
        ck_assert(inside || modulus == 0);
        within += inside && modulus > 0;
    }
    for (int i = 0; i < 80 * 80; i++) {
        const double modulus = hypot((double)object[i].re, (double)object[i].im);
        ck_assert_double_ge(modulus, 0.7 - 1e-5);
        ck_assert_double_le(modulus, 0.9 + 1e-5);
        bounded[0] += modulus < 0.7 + 1e-5;
        bounded[1] += modulus > 0.9 - 1e-5;
    }
    ck_assert_int_gt(within, 200);
    ck_assert_int_gt(bounded[0] + bounded[1], 0);
    free(object);
    free(probe);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

/* Object and probe in turn on the same waves, which have the measured moduli, come nearer to these, so that the
   distance to the data, which is no larger, has less room. */
START_TEST(overlap)
{
    static const int64_t steps[] = {1, 3, 20};
    ag_scan *scan = test_scan(32, 80, 30, 0);
    ag_quality quality[3];
    for (int k = 0; k < 3; k++) {
        ag_options o = test_options("ap");
        o.probe_start = 0;
        o.overlap_steps = steps[k];
        trial t = trial_begin(0, NULL, scan, &o);
        trial_run(&t, 1);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality[k]), AG_OK);
        trial_end(&t);
        printf("ap, one iteration: relative_l2 %.4f after %lld overlap steps\n", quality[k].relative_l2, (long long)steps[k]);
        ck_assert(k == 0 || quality[k].relative_l2 < quality[k - 1].relative_l2);
    }
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *method;
        double support, least, most;
        const char *words;
    } row[] = {{"ep", 0.5, 0, 0, "ep keeps to no constraints"},
               {"ep-em", 0, 0.1, 0, "ep-em keeps to no constraints"},
               {"rpie", 0, 2, 1, "object least: found 2, expected 0 to object most, 1"},
               {"rpie", 3, 0, 0, "probe support: found 3, expected 0 to 2"},
               {"rpie", 0, -1, 0, "object least: found -1"},
               {"rpie", 0, 0, NAN, "object most: found"}};
    ag_scan *scan = test_scan(32, 80, 9, 0.8);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        ag_need need;
        ag_device *device = test_open(0);
        o.probe_support = row[k].support;
        o.object_least = row[k].least;
        o.object_most = row[k].most;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_BAD_ARGUMENT);
        ck_assert_msg(strstr(ag_device_message(device), row[k].words) != NULL, "%s", ag_device_message(device));
        ag_device_close(device);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_constraint_tests(Suite *suite)
{
    TCase *tests = tcase_create("constraints");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, hold, 0, KEPT * test_devices());
    tcase_add_test(tests, overlap);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
}
