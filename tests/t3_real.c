/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_real.c -- the measured far-field scan, where ARGAND_DATA has it: every device finds the star. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

static ag_scan *
star(void)
{
    char path[4096];
    ag_scan *scan;
    ag_message message;
    snprintf(path, sizeof path, "%s/xray-siemens-farfield/siemens_farfield.cxi", getenv("ARGAND_DATA"));
    if (ag_scan_read(&scan, path, &message))
        ck_abort_msg("%s", message.text);
    return scan;
}

/* After ten iterations the devices agree on the object where it was illuminated, but for its phase;
   rounding differs, and sequential updates let it grow. */
START_TEST(devices_agree)
{
    ag_scan *scan = star();
    double *weight = trial_weight(scan);
    ag_complex *first = NULL;
    ag_options o = test_options("rpie");
    for (int i = 0; i < test_devices(); i++) {
        if (test_emulated(i)) {
            printf("skip: the measured scan on %s, which is emulated\n", test_device(i));
            continue;
        }
        trial t = trial_begin(i, NULL, scan, &o);
        ag_quality quality;
        trial_run(&t, 10);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        ag_complex *object = trial_object(&t);
        const double d = first ? trial_distance(first, object, weight, t.pixels, 1) : 0;
        printf("star, rpie, 10 iterations on %s: relative_l2 %.5f, from the first device %.1e\n",
               ag_device_name(t.device), quality.relative_l2, d);
        ck_assert_double_lt(quality.relative_l2, 0.15);
        ck_assert_double_le(d, 1e-3);
        if (first)
            free(object);
        else
            first = object;
        trial_end(&t);
    }
    free(first);
    free(weight);
    ag_scan_destroy(scan);
}
END_TEST

/* A hundred iterations on the processor, for each method. */
START_TEST(star_of_each_method)
{
    static const struct {
        const char *method;
        double most;
    } row[] = {{"rpie", 0.122}, {"epie", 0.125}, {"ap", 0.122}, {"raar", 0.16}, {"dm", 0.21}};
    ag_scan *scan = star();
    ag_options o = test_options(row[_i].method);
    ag_quality quality;
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    trial t = trial_begin(0, NULL, scan, &o);
    trial_run(&t, 100);
    ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
    printf("star, %s, 100 iterations: relative_l2 %.5f, r_factor %.5f\n", row[_i].method, quality.relative_l2,
           quality.r_factor);
    ck_assert_double_le(quality.relative_l2, row[_i].most);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

void
add_real_tests(Suite *suite)
{
    if (!getenv("ARGAND_DATA") || getenv("AG_SLOW")) {
        printf("skip: the measured scan, because %s\n",
               getenv("AG_SLOW") ? "AG_SLOW asks for small sizes" : "ARGAND_DATA is not set");
        return;
    }
    TCase *tests = tcase_create("real");
    tcase_set_timeout(tests, 900);
    tcase_add_test(tests, devices_agree);
    tcase_add_loop_test(tests, star_of_each_method, 0, 5);
    suite_add_tcase(suite, tests);
}
