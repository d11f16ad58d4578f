/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_physics.c -- that the solvers solve the right problem: sub-pixel positions, masks, convergence. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

#define PI 3.14159265358979323846

double
trial_distance(const ag_complex *a, const ag_complex *b, const double *weight, int64_t count, int phase)
{
    double complex overlap = 0;
    double most = 0, norm_a = 0, norm_b = 0;
    for (int64_t i = 0; weight && i < count; i++)
        most = AG_MAX(most, weight[i]);
    for (int64_t i = 0; i < count; i++) {
        if (weight && weight[i] < 0.1 * most)
            continue;
        const double complex x = (double)a[i].re + I * (double)a[i].im, y = (double)b[i].re + I * (double)b[i].im;
        overlap += conj(y) * x;
        norm_a += creal(x * conj(x));
        norm_b += creal(y * conj(y));
    }
    /* |a - c b|^2 with the best c, of modulus 1 or any. */
    const double left = phase ? norm_a + norm_b - 2 * cabs(overlap)
                              : norm_a - creal(overlap * conj(overlap)) / norm_b;
    return sqrt(AG_MAX(left, 0) / norm_a);
}

double *
trial_weight(const ag_scan *scan)
{
    const ag_scan_info *info = ag_scan_content(scan);
    double *weight = ag_calloc(info->object_rows * info->object_cols, sizeof *weight);
    ck_assert_ptr_nonnull(weight);
    for (int64_t j = 0; j < info->frames; j++)
        for (int64_t y = 0; y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++) {
                const ag_complex p = info->probe[y * info->cols + x];
                weight[((int64_t)info->position[2 * j] + y) * info->object_cols + (int64_t)info->position[2 * j + 1] +
                       x] += (double)p.re * (double)p.re + (double)p.im * (double)p.im;
            }
    return weight;
}

/* What a detector sees of a wave of 24 x 24 pixels: |F wave|, or in the near field |F^-1 H conj(R) F wave|,
   R the shift that the probe was given.  Fresnel's form of H, which is exact to 1e-6 here. */
static void
detect(const ag_scan_info *info, const double complex *wave, const double *shift, ag_real *amplitude)
{
    const int64_t n = 24;
    double complex w[24], spectrum[24 * 24];
    const double z = info->distance * info->focus_distance / (info->focus_distance + info->distance);
    for (int64_t k = 0; k < n; k++)
        w[k] = cexp(-2 * I * PI * (double)k / (double)n);
    for (int64_t ky = 0; ky < n; ky++)
        for (int64_t kx = 0; kx < n; kx++) {
            const double fy = (double)(ky < n / 2 ? ky : ky - n) / (double)n, fx = (double)(kx < n / 2 ? kx : kx - n) / (double)n;
            double complex sum = 0;
            for (int64_t y = 0; y < n; y++)
                for (int64_t x = 0; x < n; x++)
                    sum += wave[y * n + x] * w[ky * y % n] * w[kx * x % n];
            amplitude[ky * n + kx] = (ag_real)(cabs(sum) / (double)n);
            spectrum[ky * n + kx] = sum / (double)n * cexp(2 * I * PI * (fy * shift[0] + fx * shift[1])) *
                                    cexp(-I * PI * info->wavelength * z * (fy * fy + fx * fx) / (info->pixel[0] * info->pixel[0]));
        }
    for (int64_t y = 0; y < n && info->geometry == AG_NEAR_FIELD; y++)
        for (int64_t x = 0; x < n; x++) {
            double complex sum = 0;
            for (int64_t ky = 0; ky < n; ky++)
                for (int64_t kx = 0; kx < n; kx++)
                    sum += spectrum[ky * n + kx] * conj(w[ky * y % n]) * conj(w[kx * x % n]);
            amplitude[y * n + x] = (ag_real)(cabs(sum) / (double)n);
        }
}

/* The truth fits its own data, also at sub-pixel positions, whose frames are made here. */
START_TEST(truth_fits)
{
    const int linear = _i % 2, near = _i / 2 % 2;
    ag_scan *scan = (near ? test_near_scan : test_scan)(24, 64, 12, 0.8);
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t n = 24, pixels = 64 * 64;
    ag_real *data = ag_calloc(info.frames * n * n, sizeof *data);
    double complex *shifted = ag_calloc(n * n, sizeof *shifted), *wave = ag_calloc(n * n, sizeof *wave);
    double complex w[24 * 24];
    ck_assert(data && shifted && wave);
    for (int64_t k = 0; k < n; k++)
        for (int64_t x = 0; x < n; x++)
            w[k * n + x] = cexp(-2 * I * PI * (double)(k * x) / (double)n);
    for (int64_t j = 0; j < info.frames; j++) {
        double base[2], f[2];
        for (int a = 0; a < 2; a++) {
            base[a] = linear ? floor(info.position[2 * j + a]) : nearbyint(info.position[2 * j + a]);
            f[a] = info.position[2 * j + a] - base[a];
        }
        /* P(x - f) = sum_k P^(k) exp(2 pi i k (x - f) / n) / n^2, k signed; or P itself. */
        for (int64_t y = 0; y < n; y++)
            for (int64_t x = 0; x < n; x++)
                shifted[y * n + x] = (double)info.probe[y * n + x].re + I * (double)info.probe[y * n + x].im;
        for (int axis = 0; axis < 2 && !linear; axis++)
            for (int64_t line = 0; line < n; line++) {
                double complex v[24], spectrum[24];
                const int64_t step = axis ? 1 : n, at = axis ? line * n : line;
                for (int64_t x = 0; x < n; x++)
                    v[x] = shifted[at + x * step];
                for (int64_t k = 0; k < n; k++) {
                    spectrum[k] = 0;
                    for (int64_t x = 0; x < n; x++)
                        spectrum[k] += v[x] * w[k * n + x];
                    spectrum[k] *= cexp(-2 * I * PI * (double)(k < n / 2 ? k : k - n) * f[axis] / (double)n);
                }
                for (int64_t x = 0; x < n; x++) {
                    v[x] = 0;
                    for (int64_t k = 0; k < n; k++)
                        v[x] += spectrum[k] * conj(w[k * n + x]);
                    shifted[at + x * step] = v[x] / (double)n;
                }
            }
        for (int64_t y = 0; y < n; y++)
            for (int64_t x = 0; x < n; x++) {
                const ag_complex *o = info.object + ((int64_t)base[0] + y) * 64 + (int64_t)base[1] + x;
                double complex value = (double)o[0].re + I * (double)o[0].im;
                if (linear)
                    value = (1 - f[0]) * ((1 - f[1]) * value + f[1] * ((double)o[1].re + I * (double)o[1].im)) +
                            f[0] * ((1 - f[1]) * ((double)o[64].re + I * (double)o[64].im) +
                                    f[1] * ((double)o[65].re + I * (double)o[65].im));
                wave[y * n + x] = shifted[y * n + x] * value;
            }
        static const double none[2] = {0, 0};
        detect(&info, wave, linear ? none : f, data + j * n * n);
    }
    info.data = data;
    info.data_are_amplitudes = 1;
    info.zero_in_corner = !near;
    ag_scan *exact;
    ag_message message;
    if (ag_scan_create(&exact, &info, &message))
        ck_abort_msg("%s", message.text);
    ag_options o = test_options("rpie");
    o.subpixel = linear ? AG_SUBPIXEL_LINEAR : AG_SUBPIXEL_FOURIER;
    trial t = trial_begin(_i / 4, NULL, exact, &o);
    ck_assert_int_eq(ag_array_write(t.object, 0, pixels, info.object), AG_OK);
    ag_quality quality;
    ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
    printf("%s field, %s positions on %s: relative_l2 of the truth %.1e\n", near ? "near" : "far",
           linear ? "linear" : "fourier", ag_device_name(t.device), quality.relative_l2);
    ck_assert_double_lt(quality.relative_l2, 2e-6);
    trial_end(&t);
    ag_scan_destroy(exact);
    ag_scan_destroy(scan);
    free(data);
    free(shifted);
    free(wave);
}
END_TEST

/* What masked pixels hold has no influence, and the others still lead to the object. */
START_TEST(masks)
{
    ag_scan *scan = test_scan(32, 80, 40, 0), *masked[2];
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t window = 32 * 32;
    uint8_t *valid = ag_calloc(window, 1);
    ag_real *data = ag_calloc(info.frames * window, sizeof *data);
    ag_message message;
    ck_assert(valid && data);
    for (int64_t i = 0; i < window; i++)
        valid[i] = i % 13 != 0;
    info.valid = valid;
    ag_options o = test_options(ag_method_name(_i % METHODS));
    o.probe_start = -1;
    ag_complex *object[2];
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < info.frames * window; i++)
            data[i] = valid[i % window] ? ag_scan_content(scan)->data[i] : (ag_real)(k * 1e6);
        info.data = data;
        if (ag_scan_create(&masked[k], &info, &message))
            ck_abort_msg("%s", message.text);
        object[k] = trial_after(_i / METHODS, masked[k], &o, 5);
    }
    ck_assert_int_eq(memcmp(object[0], object[1], 80 * 80 * sizeof **object), 0);
    for (int k = 0; k < 2; k++) {
        free(object[k]);
        ag_scan_destroy(masked[k]);
    }
    free(valid);
    free(data);
    ag_scan_destroy(scan);
}
END_TEST

/* Every method finds the object of clean data with a known probe; RAAR at each relaxation that its
   sign must allow, 0.9 above all. */
START_TEST(converges)
{
    static const struct {
        const char *method;
        double beta, most;
        int64_t batch, iterations;
    } row[] = {{"pie", 1, 0.1, 1, 100},      {"epie", 1, 0.08, 1, 100},   {"rpie", 1, 0.015, 1, 100},
               {"rpie", 1, 0.02, 10, 150},   {"dm", 0, 8e-3, 1, 200},     {"ap", 0, 8e-3, 1, 200},
               {"raar", 0.6, 2e-3, 1, 200},  {"raar", 0.75, 1e-4, 1, 200}, {"raar", 0.9, 1e-4, 1, 200},
               {"ep", 0, 0.02, 1, 100}};
    const int rows = (int)(sizeof row / sizeof *row);
    if (test_emulated(_i)) {
        printf("skip: hundreds of iterations on %s, which is emulated\n", test_device(_i));
        return;
    }
    for (int k = 0; k < rows; k++) {
        ag_scan *scan = test_scan(32, 80, 100, 0);
        ag_options o = test_options(row[k].method);
        o.batch = row[k].batch;
        if (row[k].beta > 0)
            o.beta = row[k].beta;
        o.probe_start = -1;
        o.object_step = 1;
        o.alpha = strcmp(row[k].method, "epie") ? 0.1 : 1;
        trial t = trial_begin(_i, NULL, scan, &o);
        trial_run(&t, row[k].iterations);
        ag_complex *object = trial_object(&t);
        double *weight = trial_weight(scan);
        ag_quality quality;
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        const double d = trial_distance(ag_scan_content(scan)->object, object, weight, t.pixels, !o.rescale);
        printf("%s beta %.2f batch %lld on %s: object within %.1e, relative_l2 %.1e\n", row[k].method, o.beta,
               (long long)o.batch, ag_device_name(t.device), d, quality.relative_l2);
        ck_assert_double_le(d, row[k].most);
        free(object);
        free(weight);
        trial_end(&t);
        ag_scan_destroy(scan);
    }
}
END_TEST

/* PtychoEP knows no units: powers of two in the data, and any power of the probe at the start,
   change no digit of the object. */
START_TEST(any_units)
{
    ag_scan *scan = test_scan(24, 64, 20, 0), *scaled;
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t count = info.frames * info.rows * info.cols;
    ag_real *data = ag_calloc(count, sizeof *data);
    ag_complex *probe = ag_calloc(info.rows * info.cols, sizeof *probe);
    ag_options o = test_options("ep-em");
    ag_message message;
    ck_assert(data && probe);
    o.probe_start = 1;
    for (int64_t i = 0; i < count; i++)
        data[i] = info.data[i] * (info.data_are_amplitudes ? 128 : 128 * 128);
    for (int64_t i = 0; i < info.rows * info.cols; i++) {
        probe[i].re = info.probe[i].re / 4;
        probe[i].im = info.probe[i].im / 4;
    }
    ag_complex *expected = trial_after(_i, scan, &o, 3);
    info.data = data;
    info.probe = probe;
    if (ag_scan_create(&scaled, &info, &message))
        ck_abort_msg("%s", message.text);
    ag_complex *found = trial_after(_i, scaled, &o, 3);
    ck_assert(memcmp(found, expected, 64 * 64 * sizeof *found) == 0);
    free(found);
    free(expected);
    free(data);
    free(probe);
    ag_scan_destroy(scaled);
    ag_scan_destroy(scan);
}
END_TEST

/* Told of more noise than the data have, EM lets the probe fall to 0, and says so. */
START_TEST(collapse)
{
    ag_scan *scan = test_scan(32, 80, 40, 0);
    ag_options o = test_options("ep-em");
    o.noise_precision = 1e-4;
    trial t = trial_begin(_i, NULL, scan, &o);
    ck_assert_int_eq(ag_solver_run(t.solver, 30, NULL, NULL), AG_DEVICE_ERROR);
    const char *words = ag_device_message(t.device);
    ck_assert_msg(strstr(words, "ep-em: the probe has collapsed") != NULL, "%s", words);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

/* In the near field, too, every method finds the object at sub-pixel positions, with a known probe. */
START_TEST(converges_near)
{
    static const struct {
        const char *method;
        double most;
    } row[] = {{"pie", 0.02}, {"epie", 0.02}, {"rpie", 0.01}, {"dm", 0.05}, {"ap", 0.05}, {"raar", 0.01},
             {"ep", 0.02}};
    if (test_emulated(_i)) {
        printf("skip: hundreds of iterations on %s, which is emulated\n", test_device(_i));
        return;
    }
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_scan *scan = test_near_scan(32, 80, 100, 0);
        ag_options o = test_options(row[k].method);
        o.probe_start = -1;
        o.object_step = 1;
        trial t = trial_begin(_i, NULL, scan, &o);
        trial_run(&t, 150);
        ag_complex *object = trial_object(&t);
        double *weight = trial_weight(scan);
        ag_quality quality;
        ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
        const double d = trial_distance(ag_scan_content(scan)->object, object, weight, t.pixels, !o.rescale);
        printf("near field, %s on %s: object within %.1e, relative_l2 %.1e\n", row[k].method,
               ag_device_name(t.device), d, quality.relative_l2);
        ck_assert_double_le(d, row[k].most);
        free(object);
        free(weight);
        trial_end(&t);
        ag_scan_destroy(scan);
    }
}
END_TEST

void
add_physics_tests(Suite *suite)
{
    TCase *tests = tcase_create("physics");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, truth_fits, 0, 4 * test_machines());
    tcase_add_loop_test(tests, masks, 0, METHODS * test_machines());
    tcase_add_loop_test(tests, converges, 0, getenv("AG_SLOW") ? 0 : test_devices());
    tcase_add_loop_test(tests, converges_near, 0, getenv("AG_SLOW") ? 0 : test_devices());
    tcase_add_loop_test(tests, any_units, 0, test_machines());
    tcase_add_loop_test(tests, collapse, 0, getenv("AG_SLOW") ? 0 : test_devices());
    suite_add_tcase(suite, tests);
}
