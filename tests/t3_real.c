/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_real.c -- the measured scans, where ARGAND_DATA has them: every device finds the stars. */
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

/* The near-field star with a guessed probe; the file does not say how far the focus is. */
static ag_scan *
near_star(void)
{
    char path[4096];
    ag_scan *scan, *begun;
    ag_message message;
    ag_import import;
    snprintf(path, sizeof path, "%s/xray-siemens-nearfield/PETRAIII_P25_Near_Field_Ptycho.cxi", getenv("ARGAND_DATA"));
    ag_import_default(&import);
    import.path = path;
    import.geometry = AG_NEAR_FIELD;
    import.focus_distance = 3.65e-3;
    if (ag_scan_open(&scan, &import, &message))
        ck_abort_msg("%s", message.text);
    ag_scan_info info = *ag_scan_content(scan);
    ck_assert_double_eq_tol(ag_scan_magnification(&info), 307.85, 0.01);
    ck_assert_double_eq_tol(ag_scan_effective_distance(&info), 3.6381e-3, 1e-7);
    ck_assert_double_eq_tol(info.pixel[0], 178.66e-9, 1e-11);
    ag_complex *probe = ag_calloc(info.rows * info.cols, sizeof *probe);
    ck_assert_ptr_nonnull(probe);
    info.probe = probe;
    info.modes = 1;
    if (ag_probe_guess(scan, probe, &message) || ag_scan_create(&begun, &info, &message))
        ck_abort_msg("%s", message.text);
    free(probe);
    ag_scan_destroy(scan);
    return begun;
}

/* Each device goes the same way, and the processor to the end. */
START_TEST(near_field)
{
    ag_scan *scan = near_star();
    ag_options o = test_options("rpie");
    ag_quality first = {0, 0}, quality;
    for (int i = 0; i < test_devices(); i++) {
        if (test_emulated(i)) {
            printf("skip: the measured scan on %s, which is emulated\n", test_device(i));
            continue;
        }
        trial t = trial_begin(i, NULL, scan, &o);
        trial_run(&t, 5);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        printf("near star, rpie, 5 iterations on %s: relative_l2 %.5f\n", ag_device_name(t.device), quality.relative_l2);
        if (first.relative_l2 == 0)
            first = quality;
        ck_assert_double_eq_tol(quality.relative_l2, first.relative_l2, 1e-5);
        if (!strcmp(test_device(i), "cpu")) {
            trial_run(&t, 95);
            ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
            printf("near star, rpie, 100 iterations: relative_l2 %.5f\n", quality.relative_l2);
            ck_assert_double_le(quality.relative_l2, 0.063);
        }
        trial_end(&t);
    }
    ag_scan_destroy(scan);
}
END_TEST

/* Both stars lie as their files say; in the far field that is also upside down. */
START_TEST(orientations)
{
    ag_scan *scan = _i ? near_star() : star();
    ag_device *device;
    ag_orientation found;
    ag_message message;
    if (ag_device_open(&device, "cpu", &message))
        ck_abort_msg("%s", message.text);
    if (ag_orientation_find(device, scan, &found))
        ck_abort_msg("%s", ag_device_message(device));
    printf("%s star: %s, margin %.1f %%\n", _i ? "near" : "far", ag_orientation_name(found.best), 100 * found.margin);
    ck_assert(found.decided && found.best == 0);
    ck_assert_int_eq(found.group[AG_FLIP_ROWS | AG_FLIP_COLS], _i ? AG_FLIP_ROWS | AG_FLIP_COLS : 0);
    ag_device_close(device);
    ag_scan_destroy(scan);
}
END_TEST

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
    } row[] = {{"rpie", 0.122}, {"epie", 0.125}, {"ap", 0.122}, {"raar", 0.16}, {"dm", 0.21},
             {"ep-em", 0.122}};
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
    const char *why = sizeof(ag_real) > sizeof(float) ? "double precision is for the reference vectors"
                      : getenv("AG_SLOW")             ? "AG_SLOW asks for small sizes"
                      : !getenv("ARGAND_DATA")        ? "ARGAND_DATA is not set"
                                                      : NULL;
    if (why) {
        printf("skip: the measured scan, because %s\n", why);
        return;
    }
    TCase *tests = tcase_create("real");
    tcase_set_timeout(tests, 900);
    tcase_add_test(tests, devices_agree);
    tcase_add_loop_test(tests, star_of_each_method, 0, 6);
    tcase_add_test(tests, near_field);
    tcase_add_loop_test(tests, orientations, 0, 2);
    suite_add_tcase(suite, tests);
}
