/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_constraints.c -- what is known of object and probe beforehand holds after every iteration. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

#define PI 3.14159265358979323846

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

/* |F P|^2 of all modes, zero frequency at (16, 16). */
static void
intensity_of(const ag_complex *probe, int64_t modes, double *found)
{
    memset(found, 0, 32 * 32 * sizeof *found);
    for (int64_t k = 0; k < modes; k++) {
        static double complex half[32 * 32];
        for (int i = 0; i < 32 * 32; i++) {
            half[i] = 0;
            for (int x = 0; x < 32; x++) {
                const ag_complex p = probe[k * 1024 + i / 32 * 32 + x];
                half[i] += ((double)p.re + I * (double)p.im) * cexp(-2 * I * PI * (i % 32 - 16) * x / 32) / sqrt(32);
            }
        }
        for (int i = 0; i < 32 * 32; i++) {
            double complex sum = 0;
            for (int y = 0; y < 32; y++)
                sum += half[y * 32 + i % 32] * cexp(-2 * I * PI * (i / 32 - 16) * y / 32) / sqrt(32);
            found[i] += creal(sum * conj(sum));
        }
    }
}

/* A probe whose transform is 0 outside a disc, or has an intensity that is given, or where the frames have light. */
START_TEST(spectrum)
{
    static const char *const by[] = {"rpie", "lsqml", "raar"};
    static double given[32 * 32], found[32 * 32], mean[32 * 32];
    const int kind = _i / 3 % 3;
    if ((test_emulated(_i / 9) || getenv("AG_SLOW")) && _i % 9 != 5) {
        printf("skip: one of nine where that is slow\n");
        return;
    }
    ag_scan *scan = test_scan(32, 80, 9, 0.8);
    const ag_scan_info *info = ag_scan_content(scan);
    ag_options o = test_options(by[_i % 3]);
    o.modes = 1 + _i % 2;
    o.probe_start = 0;
    o.data_type = kind == 1 && _i % 2 ? AG_DATA_UINT16 : AG_DATA_FLOAT32;
    o.probe_spectrum = kind == 1 ? AG_SPECTRUM_INTENSITY : AG_SPECTRUM_MASK;
    o.spectrum = kind < 2 ? given : NULL;
    o.spectrum_least = kind < 2 ? 0.5 : 0.05;
    double top = 0, inside = 0;
    for (int i = 0; i < 32 * 32; i++) {
        const int corner = (i / 32 + 16) % 32 * 32 + (i % 32 + 16) % 32, at = info->zero_in_corner ? corner : i;
        const double r = hypot(i / 32 - 15, i % 32 - 18);
        given[at] = kind ? 100 * exp(-r * r / 30) + 10 : r < 9;
        mean[i] = 0;
        for (int64_t j = 0; j < info->frames; j++) {
            const double v = (double)info->data[j * 1024 + at];
            mean[i] += (info->data_are_amplitudes ? v * v : v) / (double)info->frames;
        }
        top = fmax(top, mean[i]);
    }
    trial t = trial_begin(_i / 9, NULL, scan, &o);
    trial_run(&t, 2);
    ag_complex *const probe = trial_probe(&t);
    intensity_of(probe, o.modes, found);
    for (int i = 0; i < 32 * 32; i++)
        inside = fmax(inside, found[i]);
    for (int i = 0; i < 32 * 32; i++) {
        const int corner = (i / 32 + 16) % 32 * 32 + (i % 32 + 16) % 32;
        const double expected = given[info->zero_in_corner ? corner : i];
        if (kind == 1)
            ck_assert_double_le(fabs(found[i] / expected - 1), 0.01);
        else if (kind == 0 ? expected < 0.5 : mean[i] < 0.0499 * top)
            ck_assert_double_le(found[i], 1e-9 * inside);
        else if (kind == 0 || mean[i] > 0.0501 * top)
            ck_assert_double_gt(found[i], 1e-9 * inside);
    }
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
               {"ep", 0, -5, 0, "ep keeps to no constraints"},
               {"ep", 0, -6, 0, "ep keeps to no constraints"},
               {"lsqml", 0, -7, 0, "expected none where the probe varies"}};
    ag_scan *scan = test_scan(32, 80, 9, 0.8);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        o.probe_support = row[k].support;
        o.object_least = row[k].least < -1 ? 0 : row[k].least;
        o.probe_centre = row[k].least == -2;
        o.phase_least = row[k].least == -3;
        o.phase_most = row[k].least == -3 ? 0.5 : 0;
        o.smoothing_period = row[k].least != -4;
        o.object_smoothing = row[k].least == -5 ? 0.1 : 0;
        o.probe_spectrum = row[k].least < -5 ? AG_SPECTRUM_MASK : AG_SPECTRUM_ANY;
        o.opr_modes = row[k].least == -7;
        o.object_most = row[k].most;
        trial_refused(scan, &o, row[k].words);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_constraint_tests(Suite *suite)
{
    TCase *tests = tcase_create("constraints");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, hold, 0, KEPT * test_machines());
    tcase_add_loop_test(tests, spectrum, 0, 9 * test_machines());
    tcase_add_loop_test(tests, power_and_centre, 0, 3 * test_machines());
    tcase_add_loop_test(tests, smoothing, 0, test_machines());
    tcase_add_loop_test(tests, saturated, 0, 2 * test_machines());
    tcase_add_test(tests, overlap);
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
}
