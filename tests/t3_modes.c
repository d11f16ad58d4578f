/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_modes.c -- probes of several modes: what they are made orthogonal by, where they begin, and that solvers
   see nothing but the sum of their intensities. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

#define MODES 3
#define FRAME 32

static const char *const method[] = {"rpie", "epie", "pie", "dm", "ap", "raar", "lsqml", "lsqml"};
#define KNOW ((int)(sizeof method / sizeof *method))

typedef double complex wave;

static wave
at(ag_complex z)
{
    return (double)z.re + I * (double)z.im;
}

static ag_complex *
random_modes(int64_t modes, int64_t pixels)
{
    ag_random random;
    ag_complex *p = ag_calloc(modes * pixels, sizeof *p);
    ck_assert_ptr_nonnull(p);
    ag_random_seed(&random, 11);
    for (int64_t i = 0; i < modes * pixels; i++)
        p[i] = (ag_complex){(ag_real)ag_random_normal(&random), (ag_real)ag_random_normal(&random)};
    return p;
}

/* sum conj(a) b */
static wave
inner(const ag_complex *a, const ag_complex *b, int64_t pixels)
{
    wave sum = 0;
    for (int64_t i = 0; i < pixels; i++)
        sum += conj(at(a[i])) * at(b[i]);
    return sum;
}

static double
intensity(const ag_complex *p, int64_t modes, int64_t pixels, int64_t i)
{
    double sum = 0;
    for (int64_t k = 0; k < modes; k++)
        sum += creal(conj(at(p[k * pixels + i])) * at(p[k * pixels + i]));
    return sum;
}

/* Any modes; two that are alike; one that is dark: orthogonal, sorted, the same intensities. */
START_TEST(orthogonal)
{
    const int64_t modes = 1 + _i % 6, pixels = 91;
    const double rounding = sizeof(ag_real) == 8 ? 1e-12 : 1e-5;
    double power[6];
    for (int variant = 0; variant < 3; variant++) {
        ag_complex *p = random_modes(modes, pixels), *before = random_modes(modes, pixels);
        for (int64_t i = 0; i < pixels && variant && modes > 1; i++)
            p[pixels + i] = before[pixels + i] = variant == 1 ? p[i] : (ag_complex){0, 0};
        ck_assert_int_eq(ag_probe_orthogonalise(p, modes, pixels, power, NULL), AG_OK);
        double all = 0;
        for (int64_t k = 0; k < modes; k++)
            all += power[k];
        for (int64_t k = 0; k < modes; k++) {
            ck_assert(!k || power[k] <= power[k - 1]);
            ck_assert_double_le(fabs(creal(inner(p + k * pixels, p + k * pixels, pixels)) - power[k]), rounding * all);
            for (int64_t l = 0; l < k; l++)
                ck_assert_double_le(cabs(inner(p + k * pixels, p + l * pixels, pixels)), rounding * all);
        }
        for (int64_t i = 0; i < pixels; i++) {
            const double expected = intensity(before, modes, pixels, i);
            ck_assert_double_le(fabs(intensity(p, modes, pixels, i) - expected), rounding * (expected + 1));
        }
        if (modes == 1)
            ck_assert_int_eq(memcmp(p, before, (size_t)pixels * sizeof *p), 0);
        free(p);
        free(before);
    }
}
END_TEST

/* Modes that are made up: orthogonal to those given, of the powers that were asked for. */
START_TEST(made_up)
{
    const int64_t rows = 9, cols = 14, pixels = rows * cols, modes = 7, given = 1 + _i;
    const double share = 0.25, rounding = sizeof(ag_real) == 8 ? 1e-12 : 1e-5;
    ag_complex *p = random_modes(modes, pixels), *again = random_modes(modes, pixels);
    double total = 0, found = 0, rest = 0;
    for (int64_t i = 0; i < pixels; i++)
        total += intensity(p, given, pixels, i);
    ck_assert_int_eq(ag_probe_modes(p, modes, given, rows, cols, share, NULL), AG_OK);
    ck_assert_int_eq(ag_probe_modes(again, modes, given, rows, cols, share, NULL), AG_OK);
    ck_assert_int_eq(memcmp(p, again, (size_t)(modes * pixels) * sizeof *p), 0);
    for (int64_t k = 0; k < modes; k++) {
        const double power = creal(inner(p + k * pixels, p + k * pixels, pixels));
        found += power;
        rest += k < given ? 0 : power;
        if (k > given)
            ck_assert_double_le(fabs(2 * power / creal(inner(p + (k - 1) * pixels, p + (k - 1) * pixels, pixels)) - 1), 1e-4);
        for (int64_t l = 0; l < k && k >= given; l++)
            ck_assert_double_le(cabs(inner(p + k * pixels, p + l * pixels, pixels)), rounding * total);
    }
    ck_assert_double_le(fabs(found / total - 1), 1e-5);
    ck_assert_double_le(fabs(rest / total - share), 1e-5);
    /* A probe of one pixel has no second mode. */
    ag_message message;
    memset(p, 0, (size_t)(modes * pixels) * sizeof *p);
    p[17].re = 1;
    ck_assert_int_eq(ag_probe_modes(p, 2, 1, rows, cols, share, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "found room for 1"));
    ck_assert_int_eq(ag_probe_modes(p, 2, 1, rows, cols, 0, &message), AG_BAD_ARGUMENT);
    ck_assert_int_eq(ag_probe_modes(p, 1, 1, rows, cols, 0, &message), AG_OK);
    ck_assert_int_eq(ag_probe_modes(p, 0, 1, rows, cols, share, &message), AG_BAD_ARGUMENT);
    free(p);
    free(again);
}
END_TEST

static ag_options
options_of(int i)
{
    ag_options o = test_options(method[i % KNOW]);
    o.noise = i % KNOW == KNOW - 1 ? AG_NOISE_POISSON : AG_NOISE_GAUSSIAN;
    o.modes = MODES;
    o.probe_start = strcmp(o.method, "pie") ? 0 : -1;
    if (!strcmp(o.method, "epie") || !strcmp(o.method, "lsqml"))
        o.batch = 5;
    return o;
}

/* Of a run from these modes: the object, and errors as many as iterations. */
static ag_complex *
run_from(int device, const ag_scan *scan, const ag_options *o, const ag_complex *modes, double *error, int64_t iterations)
{
    const double *curve, *seconds;
    ag_quality quality;
    trial t = trial_begin(device, NULL, scan, o);
    ck_assert_int_eq(ag_array_write(t.probe, 0, t.window, modes), AG_OK);
    trial_run(&t, iterations);
    ag_solver_history(t.solver, &curve, &seconds);
    memcpy(error, curve, (size_t)iterations * sizeof *error);
    ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
    error[iterations] = quality.relative_l2;
    error[iterations + 1] = quality.r_factor;
    ag_complex *object = trial_object(&t);
    trial_end(&t);
    return object;
}

static void
same(const ag_options *o, const char *what, const ag_complex *a, const ag_complex *b, int64_t pixels, const double *ea,
     const double *eb)
{
    /* The distance is the root of a difference, so half of the digits. */
    const double rounding = sizeof(ag_real) == 8 ? 1e-7 : 3e-5, d = trial_distance(a, b, NULL, pixels, 1);
    if (!(d <= rounding))
        ck_abort_msg("%s, %s: objects differ by %g, expected at most %g", o->method, what, d, rounding);
    for (int k = 0; k < 4; k++)
        if (!(fabs(ea[k] - eb[k]) <= rounding * eb[k]))
            ck_abort_msg("%s, %s: found an error of %.9g, expected %.9g", o->method, what, ea[k], eb[k]);
}

/* Modes that a unitary matrix mixes are as good; dark modes say nothing and stay dark. */
START_TEST(mixed)
{
    const int device = _i / KNOW, pixels = 80 * 80, window = FRAME * FRAME;
    for (int near = 0; near < 2; near++) {
        ag_scan *scan = (near ? test_near_scan : test_scan)(FRAME, 80, 12, near ? 0.8 : 0);
        ag_options o = options_of(_i);
        ag_complex *p = ag_calloc(MODES * window, sizeof *p), *q = ag_calloc(MODES * window, sizeof *q);
        double error[4], other[4];
        ck_assert(p && q);
        memcpy(p, ag_scan_content(scan)->probe, (size_t)window * sizeof *p);
        ag_complex *dark = run_from(device, scan, &o, p, error, 2);
        o.modes = 1;
        ag_complex *one = run_from(device, scan, &o, p, other, 2);
        same(&o, "dark modes", dark, one, pixels, error, other);
        free(dark);
        free(one);
        o.modes = MODES;
        ck_assert_int_eq(ag_probe_modes(p, MODES, 1, FRAME, FRAME, 0.4, NULL), AG_OK);
        for (int i = 0; i < window; i++)
            for (int k = 0; k < MODES; k++) {
                wave sum = 0; /* the discrete Fourier transform of the modes */
                for (int l = 0; l < MODES; l++)
                    sum += cexp(2 * I * acos(-1) * k * l / MODES) * at(p[l * window + i]) / sqrt(MODES);
                q[k * window + i] = (ag_complex){(ag_real)creal(sum), (ag_real)cimag(sum)};
            }
        ag_complex *a = run_from(device, scan, &o, p, error, 2), *b = run_from(device, scan, &o, q, other, 2);
        same(&o, "mixed modes", a, b, pixels, error, other);
        /* Nor is anything exchanged by making them orthogonal on the way. */
        if (strcmp(o.method, "dm") && strcmp(o.method, "raar")) {
            o.orthogonalise = 1;
            ag_complex *c = run_from(device, scan, &o, q, other, 2);
            same(&o, "orthogonal modes", a, c, pixels, error, other);
            free(c);
        }
        free(a);
        free(b);
        free(p);
        free(q);
        ag_scan_destroy(scan);
    }
}
END_TEST

/* Light of three modes whose powers are known: they are found, and explain what one mode cannot. */
START_TEST(powers)
{
    static const char *const name[] = {"dm", "raar", "lsqml"};
    const double truth[] = {0.7, 0.2, 0.1};
    ag_simulation simulation;
    ag_scan *scan;
    ag_message message;
    ag_simulation_default(&simulation);
    simulation.frame = 48;
    simulation.object = 120;
    simulation.points = 90;
    simulation.step = 3;
    simulation.modes = MODES;
    if (ag_scan_simulate(&scan, &simulation, &message))
        ck_abort_msg("%s", message.text);
    const int64_t window = 48 * 48;
    for (int variant = 0; variant < 4; variant++) {
        ag_options o = test_options(name[variant % 3]);
        ag_quality quality;
        double power[MODES], all = 0;
        o.modes = variant < 3 ? MODES : 1;
        o.batch = variant == 2 ? 30 : o.batch;
        trial t = trial_begin(_i, NULL, scan, &o);
        ag_complex *p = ag_calloc(MODES * window, sizeof *p);
        ck_assert_ptr_nonnull(p);
        /* Not the true modes: what the first one makes, with other powers. */
        memcpy(p, ag_scan_content(scan)->probe, (size_t)window * sizeof *p);
        ck_assert_int_eq(ag_probe_modes(p, o.modes, 1, 48, 48, 0.1, NULL), AG_OK);
        ck_assert_int_eq(ag_array_write(t.probe, 0, t.window, p), AG_OK);
        free(p);
        trial_run(&t, 120);
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        p = trial_probe(&t);
        ck_assert_int_eq(ag_probe_orthogonalise(p, o.modes, window, power, NULL), AG_OK);
        for (int64_t k = 0; k < o.modes; k++)
            all += power[k];
        printf("t3_solvers: %s, %d modes: relative_l2 %.5f, powers", o.method, (int)o.modes, quality.relative_l2);
        for (int64_t k = 0; k < o.modes; k++)
            printf(" %.4f", power[k] / all);
        printf("\n");
        fflush(stdout);
        if (o.modes == 1)
            ck_assert_double_gt(quality.relative_l2, 0.1);
        else
            ck_assert_double_lt(quality.relative_l2, 0.02);
        for (int64_t k = 0; k < o.modes && o.modes > 1; k++)
            ck_assert_double_le(fabs(power[k] / all - truth[k]), 0.01);
        free(p);
        trial_end(&t);
    }
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *method;
        int64_t modes, orthogonalise;
        const char *words;
    } bad[] = {{"ep", 2, 0, "modes: found 2, expected 1"}, {"ep-em", 3, 0, "modes: found 3"}, {"rpie", 0, 0, "modes: found 0"},
               {"rpie", 65, 0, "modes: found 65"},         {"dm", 2, 1, "orthogonalise: found 1"}, {"raar", 2, 3, "orthogonalise"},
               {"ap", 2, -1, "orthogonalise: found -1"}};
    ag_scan *scan = test_scan(FRAME, 80, 12, 0);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ag_device *device = test_open(0);
        ag_solver *solver;
        ag_options o = test_options(bad[k].method);
        o.modes = bad[k].modes;
        o.orthogonalise = bad[k].orthogonalise;
        ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, NULL), AG_BAD_ARGUMENT);
        if (!strstr(ag_device_message(device), bad[k].words))
            ck_abort_msg("found \"%s\", expected %s", ag_device_message(device), bad[k].words);
        ag_device_close(device);
    }
    /* A probe of another number of modes. */
    ag_device *device = test_open(0);
    ag_solver *solver;
    ag_array *probe;
    ag_options o = test_options("rpie");
    o.modes = 2;
    ck_assert_int_eq(ag_array_create(&probe, device, AG_COMPLEX, FRAME * FRAME), AG_OK);
    ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, probe), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ag_device_message(device), "expected 2048 complex"));
    ag_array_destroy(probe);
    ag_device_close(device);
    ag_scan_destroy(scan);
}
END_TEST

void
add_mode_tests(Suite *suite)
{
    TCase *tests = tcase_create("modes");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, orthogonal, 0, 6);
    tcase_add_loop_test(tests, made_up, 0, 3);
    tcase_add_loop_test(tests, mixed, 0, KNOW * test_machines());
    tcase_add_test(tests, refused);
    /* One device does; the others do the same steps. */
    tcase_add_loop_test(tests, powers, 0, getenv("AG_SLOW") ? 0 : 1);
    suite_add_tcase(suite, tests);
}
