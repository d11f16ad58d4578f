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
    o.phase_least = -0.05;
    o.phase_most = 0.2;
    trial t = trial_begin(_i / KEPT, NULL, scan, &o);
    trial_run(&t, 2);
    ag_complex *const object = trial_object(&t), *const probe = trial_probe(&t);
    int within = 0, bounded[2] = {0, 0}, turned = 0;
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
        const double phase = atan2((double)object[i].im, (double)object[i].re);
        ck_assert(phase >= -0.05 - 1e-5 && phase <= 0.2 + 1e-5);
        turned += phase < -0.05 + 1e-5 || phase > 0.2 - 1e-5;
        bounded[0] += modulus < 0.7 + 1e-5;
        bounded[1] += modulus > 0.9 - 1e-5;
    }
    ck_assert_int_gt(within, 200);
    ck_assert_int_gt(bounded[0] + bounded[1], 0);
    ck_assert_int_gt(turned, 0);
    free(object);
    free(probe);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

/* The scan with its probe moved by so many rows and columns, as a start. */
static ag_scan *
off_centre(const ag_scan *scan, int down, int right)
{
    ag_scan_info info = *ag_scan_content(scan);
    ag_complex *probe = ag_calloc(info.rows * info.cols, sizeof *probe);
    ag_scan *moved;
    ag_message message;
    for (int64_t i = 0; i < info.rows * info.cols; i++)
        probe[(i / info.cols + down + info.rows) % info.rows * info.cols + (i % info.cols + right + info.cols) % info.cols] =
            info.probe[i];
    info.probe = probe;
    if (ag_scan_create(&moved, &info, &message))
        ck_abort_msg("%s", message.text);
    free(probe);
    return moved;
}

/* Of the model: sum |P|^2, where that lies. */
static void
look(const ag_complex *probe, double power[3])
{
    power[0] = power[1] = power[2] = 0;
    for (int i = 0; i < 32 * 32; i++) {
        const double square = (double)probe[i].re * (double)probe[i].re + (double)probe[i].im * (double)probe[i].im;
        power[0] += square;
        power[1] += square * (i / 32 - 16);
        power[2] += square * (i % 32 - 16);
    }
    power[1] /= power[0];
    power[2] /= power[0];
}

/* A power that the probe keeps to and a place that it is put back to leave the model as it is. */
START_TEST(power_and_centre)
{
    static const char *const some[] = {"rpie", "lsqml", "ap"};
    ag_scan *const scan = test_scan(32, 96, 40, 0.8), *const moved = off_centre(scan, 4, -3);
    ag_quality quality[2];
    double power[2][3], error = 0;
    for (int k = 0; k < 2; k++) {
        ag_options o = test_options(some[_i % 3]);
        o.probe_start = 0;
        o.probe_power = k ? 1.5e3 : 0;
        o.probe_centre = k ? 1 : 0;
        trial t = trial_begin(_i / 3, NULL, moved, &o);
        trial_run(&t, 2);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality[k]), AG_OK);
        ag_complex *const probe = trial_probe(&t);
        look(probe, power[k]);
        free(probe);
        trial_end(&t);
    }
    error = fabs(quality[1].relative_l2 / quality[0].relative_l2 - 1);
    printf("%s: power %.4g, now %.4g; centre (%.2f, %.2f), now (%.2f, %.2f); relative_l2 %.4f, %.4f\n", some[_i % 3],
           power[0][0], power[1][0], power[0][1], power[0][2], power[1][1], power[1][2], quality[0].relative_l2,
           quality[1].relative_l2);
    ck_assert_double_ge(hypot(power[0][1], power[0][2]), 2);
    ck_assert_double_le(hypot(power[1][1], power[1][2]), 1);
    ck_assert_double_le(fabs(power[1][0] / 1.5e3 - 1), 1e-4);
    ck_assert_double_le(error, 0.02);
    ag_scan_destroy(scan);
    ag_scan_destroy(moved);
}
END_TEST

/* Every second iteration the modulus is that of an iteration without, folded with the nine weights. */
START_TEST(smoothing)
{
    ag_scan *const scan = test_scan(32, 80, 9, 0.8);
    ag_complex *object[3];
    for (int k = 0; k < 3; k++) {
        ag_options o = test_options("rpie");
        o.object_smoothing = k ? 0.1 : 0;
        o.smoothing_period = 3 - k;
        trial t = trial_begin(_i, NULL, scan, &o);
        trial_run(&t, 1);
        object[k] = trial_object(&t);
        trial_end(&t);
    }
    ck_assert(!memcmp(object[0], object[1], 80 * 80 * sizeof **object));
    for (int i = 0; i < 80 * 80; i++) {
        double modulus = 0;
        for (int k = 0; k < 9; k++) {
            const int y = AG_MIN(AG_MAX(i / 80 + k / 3 - 1, 0), 79), x = AG_MIN(AG_MAX(i % 80 + k % 3 - 1, 0), 79);
            modulus += (k == 4 ? 0.2 : 0.1) * hypot((double)object[0][80 * y + x].re, (double)object[0][80 * y + x].im);
        }
        const double found = hypot((double)object[2][i].re, (double)object[2][i].im);
        ck_assert_double_le(fabs(found - modulus), 1e-5);
        ck_assert_double_le(fabs((double)object[2][i].re * (double)object[0][i].im -
                                 (double)object[2][i].im * (double)object[0][i].re), 1e-5);
    }
    for (int k = 0; k < 3; k++)
        free(object[k]);
    ag_scan_destroy(scan);
}
END_TEST

/* A detector that counts to a limit only: the truth agrees with what lies below it, in every method and field. */
START_TEST(saturated)
{
    ag_scan *const scan = _i % 2 ? test_near_scan(32, 80, 9, 0) : test_scan(32, 80, 9, 0);
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t n = info.frames * info.rows * info.cols;
    ag_real *const data = ag_calloc(n, sizeof *data), top = info.data[0];
    ag_scan *cut;
    ag_message message;
    int over = 0;
    double limit = (double)top;
    for (int64_t i = 0; i < n; i++)
        limit = fmax(limit, (double)info.data[i]);
    limit /= 4;
    for (int64_t i = 0; i < n; i++) {
        data[i] = (double)info.data[i] < limit ? info.data[i] : (ag_real)limit;
        over += data[i] < info.data[i];
    }
    info.data = data;
    ck_assert_int_gt(over, 9);
    if (ag_scan_create(&cut, &info, &message))
        ck_abort_msg("%s", message.text);
    for (int k = 0; k < 2; k++) {
        ag_options o = test_options("rpie");
        ag_quality quality;
        o.saturation = k ? limit : 0;
        trial t = trial_begin(_i / 2, NULL, cut, &o);
        ag_array_write(t.object, 0, t.pixels, info.object);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        printf("%d saturated pixels, %s: relative_l2 of the truth %.1e\n", over, k ? "left out" : "taken", quality.relative_l2);
        ck_assert(k ? quality.relative_l2 < 1e-5 : quality.relative_l2 > 0.05);
        trial_end(&t);
    }
    free(data);
    ag_scan_destroy(scan);
    ag_scan_destroy(cut);
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
               {"rpie", 0, 0, NAN, "object most: found"},
               {"dm", 0, -2, 0, "dm keeps waves"},
               {"rpie", 0, -3, 0, "phase least: found 1, expected less than phase most, 0.5"},
               {"rpie", 0, -4, 0, "smoothing period: found 0"},
               {"ep", 0, -4, 0, "smoothing period: found 0"},
               {"ep-em", 0, -3, 0, "phase least: found 1, expected"},
               {"ep", 0, -5, 0, "ep keeps to no constraints"}};
    ag_scan *scan = test_scan(32, 80, 9, 0.8);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        ag_need need;
        ag_device *device = test_open(0);
        o.probe_support = row[k].support;
        o.object_least = row[k].least < -1 ? 0 : row[k].least;
        o.probe_centre = row[k].least == -2;
        o.phase_least = row[k].least == -3;
        o.phase_most = row[k].least == -3 ? 0.5 : 0;
        o.smoothing_period = row[k].least != -4;
        o.object_smoothing = row[k].least == -5 ? 0.1 : 0;
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
    tcase_add_loop_test(tests, power_and_centre, 0, 3 * test_devices());
    tcase_add_loop_test(tests, smoothing, 0, test_devices());
    tcase_add_loop_test(tests, saturated, 0, 2 * test_devices());
    tcase_add_test(tests, overlap);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
}
