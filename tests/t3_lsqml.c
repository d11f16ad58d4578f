/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_lsqml.c -- LSQ-ML: what it reaches on a synthetic scan, its batches, its power, its momentum, a probe that varies;
   RAAR by its relaxation on the same scan. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

#define PI     3.14159265358979323846
#define WINDOW 32
#define SIDE   13
#define OBJECT 96

typedef struct synthetic {
    ag_scan *scan;
    ag_complex probe[WINDOW * WINDOW]; /* to start from */
    double complex truth[OBJECT * OBJECT];
} synthetic;

/* A sum of a few waves: smooth, mean 0, of the root mean square that is asked for. */
static void
smooth(ag_random *random, double rms, double *value)
{
    for (int i = 0; i < OBJECT * OBJECT; i++)
        value[i] = 0;
    for (int w = 0; w < 24; w++) {
        const double ky = ag_random_normal(random) * 5, kx = ag_random_normal(random) * 5;
        const double phase = 2 * PI * ag_random_uniform(random);
        for (int i = 0; i < OBJECT * OBJECT; i++)
            value[i] += rms * sqrt(2.0 / 24) *
                        cos(2 * PI * (ky * (double)(i / OBJECT) + kx * (double)(i % OBJECT)) / OBJECT + phase);
    }
}

static void
put(ag_complex *to, double complex value)
{
    to->re = (ag_real)creal(value);
    to->im = (ag_real)cimag(value);
}

/* 13 x 13 positions 5 pixels apart with 0 to 2 pixels of jitter, a Gaussian probe with a quadratic phase,
   a smooth object (0.85 +- 0.07, 0.6 rad), no noise; the probe to start from is the right one if `known', else astigmatic and
   tapered.  With `varies' the probe's curvature changes over the scan, and its intensity from frame to frame. */
static synthetic
synthetic_begin(int known, double varies)
{
    static double modulus[OBJECT * OBJECT], phase[OBJECT * OBJECT], position[2 * SIDE * SIDE];
    static ag_real data[SIDE * SIDE * WINDOW * WINDOW];
    static double complex wave[WINDOW * WINDOW], half[WINDOW * WINDOW], turn[WINDOW];
    ag_scan_info info = {.frames = SIDE * SIDE, .rows = WINDOW, .cols = WINDOW, .data = data,
                         .data_are_amplitudes = 1, .position = position, .zero_in_corner = 1,
                         .object_rows = OBJECT, .object_cols = OBJECT};
    double complex probe[WINDOW * WINDOW];
    synthetic s;
    ag_random random;
    ag_message message;
    ag_random_seed(&random, 11);
    smooth(&random, 0.07, modulus);
    smooth(&random, 0.6, phase);
    for (int i = 0; i < WINDOW * WINDOW; i++) {
        const double y = i / WINDOW - WINDOW / 2, x = i % WINDOW - WINDOW / 2;
        probe[i] = 10 * cexp(-(y * y + x * x) / (2 * 5.5 * 5.5) + I * 0.02 * (y * y + x * x));
        put(&s.probe[i], known ? probe[i] : probe[i] * cexp(I * 0.01 * (y * y - x * x)) * exp(-(y * y + x * x) / (2 * 12.0 * 12.0)));
    }
    for (int i = 0; i < OBJECT * OBJECT; i++)
        s.truth[i] = (0.85 + modulus[i]) * cexp(I * phase[i]);
    for (int k = 0; k < WINDOW; k++)
        turn[k] = cexp(-2 * PI * I * k / WINDOW) / sqrt(WINDOW);
    for (int64_t j = 0; j < info.frames; j++) {
        const int y0 = 1 + (int)(j / SIDE) * 5 + (int)(3 * ag_random_uniform(&random));
        const int x0 = 1 + (int)(j % SIDE) * 5 + (int)(3 * ag_random_uniform(&random));
        position[2 * j] = y0;
        position[2 * j + 1] = x0;
        const double turned = varies * sin(2 * PI * (double)j / (double)info.frames), strong = 1 + varies * sin((double)(j * j));
        for (int i = 0; i < WINDOW * WINDOW; i++) {
            const int at = (y0 + i / WINDOW) * OBJECT + x0 + i % WINDOW;
            const double y = i / WINDOW - WINDOW / 2, x = i % WINDOW - WINDOW / 2;
            wave[i] = strong * probe[i] * cexp(I * 0.06 * turned * (y * y - 0.5 * x * x)) * s.truth[at];
        }
        for (int i = 0; i < WINDOW * WINDOW; i++) {
            half[i] = 0;
            for (int k = 0; k < WINDOW; k++)
                half[i] += wave[i / WINDOW * WINDOW + k] * turn[i % WINDOW * k % WINDOW];
        }
        for (int i = 0; i < WINDOW * WINDOW; i++) {
            double complex sum = 0;
            for (int k = 0; k < WINDOW; k++)
                sum += half[k * WINDOW + i % WINDOW] * turn[i / WINDOW * k % WINDOW];
            data[j * WINDOW * WINDOW + i] = (ag_real)cabs(sum);
        }
    }
    info.probe = s.probe;
    info.modes = 1;
    if (ag_scan_create(&s.scan, &info, &message))
        ck_abort_msg("%s", message.text);
    return s;
}

static ag_quality
after(int device, const ag_scan *scan, const ag_options *o, int64_t iterations)
{
    trial t = trial_begin(device, NULL, scan, o);
    ag_quality quality;
    trial_run(&t, iterations);
    ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
    trial_end(&t);
    return quality;
}

/* The table of what a transcription of the formulas reaches in 60 iterations, or better. */
START_TEST(acceptance)
{
    /* Without momentum compact batches reach 1.4e-2. */
    static const struct {
        ag_batching batches;
        ag_noise noise;
        int64_t batch;
        double l2, r, momentum;
    } row[] = {{AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 32, 1.0e-2, 1.2e-2, 0},
               {AG_BATCHES_RANDOM, AG_NOISE_POISSON, 32, 2.9e-2, 3.7e-2, 0},
               {AG_BATCHES_COMPACT, AG_NOISE_GAUSSIAN, 32, 3.7e-2, 5.2e-2, 0},
               {AG_BATCHES_UNIFORM, AG_NOISE_GAUSSIAN, 32, 1.0e-2, 1.2e-2, 0},
               {AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 1000, 3.3e-2, 4.6e-2, 0},
               {AG_BATCHES_COMPACT, AG_NOISE_GAUSSIAN, 32, 1.2e-2, 1.5e-2, 0.5}};
    if (test_emulated(_i)) {
        printf("skip: sixty iterations on %s, which is emulated\n", test_device(_i));
        return;
    }
    const synthetic s = synthetic_begin(0, 0);
    int failed = 0;
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options("lsqml");
        o.batches = row[k].batches;
        o.noise = row[k].noise;
        o.batch = row[k].batch;
        o.momentum = row[k].momentum;
        o.probe_start = 0;
        const ag_quality q = after(_i, s.scan, &o, 60);
        printf("lsqml, batches %d of %lld, noise %d, momentum %g on %s: relative_l2 %.1e (at most %.1e), r_factor %.1e (%.1e)\n",
               (int)o.batches, (long long)o.batch, (int)o.noise, o.momentum, test_device(_i), q.relative_l2, row[k].l2, q.r_factor,
               row[k].r);
        failed |= !(q.relative_l2 <= row[k].l2 && q.r_factor <= row[k].r);
    }
    ck_assert(!failed);
    ag_scan_destroy(s.scan);
}
END_TEST

/* A probe that varies is found with eigen-probes, the frames' intensities with it, and not without. */
START_TEST(varies)
{
    if (test_emulated(_i)) {
        printf("skip: sixty iterations on %s, which is emulated\n", test_device(_i));
        return;
    }
    const synthetic s = synthetic_begin(0, 0.15);
    static double weight[2 * SIDE * SIDE];
    static ag_complex eigen[WINDOW * WINDOW];
    ag_options o = test_options("lsqml");
    ag_quality without, with;
    o.batch = 32;
    o.probe_start = 0;
    without = after(_i, s.scan, &o, 60);
    o.opr_modes = o.opr_intensity = 1;
    trial t = trial_begin(_i, NULL, s.scan, &o);
    trial_run(&t, 60);
    ck_assert_int_eq(ag_solver_measure(t.solver, &with), AG_OK);
    ck_assert_int_eq(ag_solver_opr(t.solver, eigen, weight), AG_OK);
    double error = 0, change = 0, along = 0, power = 0, mean = 0, light = 0, usual = 0, norm[2] = {0, 0};
    ag_complex *const probe = trial_probe(&t);
    for (int i = 0; i < WINDOW * WINDOW; i++)
        light += (pow((double)probe[i].re, 2) + pow((double)probe[i].im, 2)) / (WINDOW * WINDOW);
    free(probe);
    for (int j = 0; j < SIDE * SIDE; j++)
        usual += sqrt(pow(weight[2 * j], 2) + pow(weight[2 * j + 1], 2) / light) / (SIDE * SIDE);
    for (int j = 0; j < SIDE * SIDE; j++) {
        const double turned = sin(2 * PI * j / (SIDE * SIDE));
        mean += weight[2 * j] / (SIDE * SIDE);
        /* The light of a frame, of which the eigen-probe has a part. */
        error += pow(sqrt(pow(weight[2 * j], 2) + pow(weight[2 * j + 1], 2) / light) / usual - 1 - 0.15 * sin(j * j), 2);
        change += pow(0.15 * sin(j * j), 2);
        along += weight[2 * j + 1] * turned;
        norm[0] += weight[2 * j + 1] * weight[2 * j + 1];
        norm[1] += turned * turned;
    }
    for (int i = 0; i < WINDOW * WINDOW; i++)
        power += (pow((double)eigen[i].re, 2) + pow((double)eigen[i].im, 2)) / (WINDOW * WINDOW);
    const double cosine = fabs(along) / sqrt(norm[0] * norm[1]);
    printf("lsqml, a probe that varies, on %s: relative_l2 %.3f, with an eigen-probe %.3f; intensities within %.2f of their change, "
           "cosine of its weights %.3f\n",
           test_device(_i), without.relative_l2, with.relative_l2, sqrt(error / change), cosine);
    ck_assert_double_gt(without.relative_l2, 0.1);
    ck_assert_double_le(with.relative_l2, 0.03);
    ck_assert_double_le(sqrt(error / change), 0.55);
    ck_assert_double_gt(cosine, 0.95);
    ck_assert_double_le(fabs(power - 1), 1e-4);
    ck_assert_double_le(fabs(mean - 1), 1e-4);
    trial_end(&t);
    ag_scan_destroy(s.scan);
}
END_TEST

/* || O - c truth || / || O || with the best factor c, squares weighted by the illumination, where that is a tenth of its top or
   more: with the rim it stays at 4e-8 (beta 0.9, in double precision), however many the iterations. */
static double
object_error(const synthetic *s, const ag_complex *object)
{
    double *weight = trial_weight(s->scan), energy = 0, square = 0, rest = 0, most = 0;
    double complex product = 0;
    for (int i = 0; i < OBJECT * OBJECT; i++)
        most = fmax(most, weight[i]);
    for (int i = 0; i < OBJECT * OBJECT; i++) {
        weight[i] = weight[i] < 0.1 * most ? 0 : weight[i];
        const double complex o = (double)object[i].re + I * (double)object[i].im;
        product += weight[i] * conj(s->truth[i]) * o;
        square += weight[i] * creal(s->truth[i] * conj(s->truth[i]));
        energy += weight[i] * creal(o * conj(o));
    }
    for (int i = 0; i < OBJECT * OBJECT; i++) {
        const double complex d = (double)object[i].re + I * (double)object[i].im - product / square * s->truth[i];
        rest += weight[i] * creal(d * conj(d));
    }
    free(weight);
    return sqrt(rest / energy);
}

/* Known probe, 300 iterations: what 2 beta P_Q P_a + (1 - 2 beta) P_a + beta (I - P_Q) reaches. */
START_TEST(relaxation)
{
    static const double row[][2] = {{0.6, 4e-3}, {0.75, 2e-5}, {0.9, 2e-8}};
    if (test_emulated(_i)) {
        printf("skip: three hundred iterations on %s, which is emulated\n", test_device(_i));
        return;
    }
    const synthetic s = synthetic_begin(1, 0);
    int failed = 0;
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options("raar");
        o.beta = row[k][0];
        o.probe_start = -1;
        o.object_inertia = o.modulus_floor = o.modulus_guard = 0; /* the formula alone */
        ag_complex *object = trial_after(_i, s.scan, &o, 300);
        /* Single precision has its own floor, 4e-7. */
        const double error = object_error(&s, object), most = sizeof(ag_real) == 8 ? row[k][1] : fmax(row[k][1], 2e-6);
        printf("raar, beta %.2f, on %s: object error %.1e (at most %.1e)\n", o.beta, test_device(_i), error, most);
        failed |= !(error <= most);
        free(object);
    }
    ck_assert(!failed);
    ag_scan_destroy(s.scan);
}
END_TEST

/* What a probe that varies cannot be combined with, in words. */
START_TEST(opr_refused)
{
    static const struct {
        const char *method, *words;
        int64_t modes, start, probe_start, orthogonalise;
        int intensity;
    } row[] = {{"rpie", "opr modes: found 1, expected 0: rpie has one probe", 1, 0, 0, 0, 0},
               {"lsqml", "opr modes: found 65, expected 0 to 64", 65, 0, 0, 0, 0},
               {"lsqml", "opr modes: found -1, expected 0 to 64", -1, 0, 0, 0, 0},
               {"lsqml", "opr start: found -1", 1, -1, 0, 0, 0},
               {"lsqml", "the probe is not refined", 1, 0, -1, 0, 0},
               {"lsqml", "orthogonalise: found 3", 1, 0, 0, 3, 0},
               {"lsqml", "opr intensity: found it without", 0, 0, 0, 0, 1}};
    ag_scan *scan = test_scan(32, 80, 6, 0);
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        ag_device *device = test_open(0);
        ag_solver *solver;
        o.opr_modes = row[k].modes;
        o.opr_start = row[k].start;
        o.probe_start = row[k].probe_start;
        o.orthogonalise = row[k].orthogonalise;
        o.opr_intensity = row[k].intensity;
        ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, NULL), AG_BAD_ARGUMENT);
        ck_assert_msg(strstr(ag_device_message(device), row[k].words) != NULL, "found \"%s\"", ag_device_message(device));
        ag_device_close(device);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_lsqml_tests(Suite *suite)
{
    TCase *tests = tcase_create("lsqml");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, acceptance, 0, getenv("AG_SLOW") ? 0 : test_devices());
    tcase_add_loop_test(tests, varies, 0, getenv("AG_SLOW") ? 0 : test_devices());
    tcase_add_loop_test(tests, relaxation, 0, getenv("AG_SLOW") ? 0 : test_devices());
    tcase_add_test(tests, opr_refused);
    suite_add_tcase(suite, tests);
}
