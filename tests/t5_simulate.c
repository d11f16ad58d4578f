/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_simulate.c -- the simulated scan against the formulas that define it. */
#include <check.h>
#include <complex.h>
#include <math.h>
#include <string.h>

#include "argand.h"

#define PI 3.14159265358979323846

static ag_scan *
simulate(const ag_simulation *s)
{
    ag_scan *scan;
    ag_message message = {""};
    ck_assert_msg(ag_scan_simulate(&scan, s, &message) == AG_OK, "%s", message.text);
    return scan;
}

static ag_simulation
small(void)
{
    return (ag_simulation){.frame = 32, .object = 128, .points = 40, .step = 3, .seed = 1, .modes = 1};
}

/* P O of frame j at (y, x). */
static double complex
exit_wave(const ag_scan_info *i, int64_t j, int64_t y, int64_t x)
{
    const int64_t row = (int64_t)i->position[2 * j] + y;
    const int64_t column = (int64_t)i->position[2 * j + 1] + x;
    const ag_complex o = i->object[row * i->object_cols + column], p = i->probe[y * i->cols + x];
    return ((double)p.re + I * (double)p.im) * ((double)o.re + I * (double)o.im);
}

START_TEST(test_profiling_problem)
{
    ag_simulation s;
    ag_simulation_default(&s);
    ck_assert(s.frame == 128 && s.object == 512 && s.points == 200 && s.step == 5);
    ck_assert(s.noise == 0 && s.photons == 0);
    ag_scan *scan = simulate(&s);
    const ag_scan_info *i = ag_scan_content(scan);
    ck_assert(i->frames == 200 && i->rows == 128 && i->cols == 128 && i->modes == 1);
    ck_assert(i->object_rows == 512 && i->object_cols == 512);
    ck_assert(!i->data_are_amplitudes && !i->zero_in_corner);

    const double power[2] = {1e-3, 8e-3}; /* PtychoEP's own pictures: 2.7e-3 */
    double sum = 0;
    for (int64_t j = 0; j < 200; j++) {
        double wave = 0, frame = 0;
        const double r = 5 * sqrt((double)j), angle = 2.399967 * (double)j;
        ck_assert(i->position[2 * j] == (double)(int)(256 + r * sin(angle)) - 64);
        ck_assert(i->position[2 * j + 1] == (double)(int)(256 + r * cos(angle)) - 64);
        for (int64_t y = 0; y < 128; y++)
            for (int64_t x = 0; x < 128; x++) {
                const double a = cabs(exit_wave(i, j, y, x));
                wave += a * a;
                frame += (double)i->data[(j * 128 + y) * 128 + x];
            }
        ck_assert_double_eq_tol(frame / wave, 1, 1e-5);
        sum += frame;
    }
    ck_assert_double_ge(sum / (200 * 128 * 128), power[0]);
    ck_assert_double_le(sum / (200 * 128 * 128), power[1]);

    const ag_complex *middle = i->probe + 64 * 128 + 64;
    ck_assert(middle->re == 1);
    ck_assert_double_eq_tol((double)middle[8].re, 0.5, 0.01);
    for (int k = 0; k < 128 * 128; k++)
        ck_assert(i->probe[k].re >= 0 && i->probe[k].re <= 1 && i->probe[k].im == 0);
    for (int k = 0; k < 512 * 512; k++) {
        const double a = hypot((double)i->object[k].re, (double)i->object[k].im);
        ck_assert(a > 0.2 - 1e-6 && a < 1 + 1e-6);
    }

    ck_assert_double_eq_tol(i->wavelength, 1.23984198e-10, 1e-17);
    ck_assert_double_eq_tol(i->pixel[0] * 128 * 75e-6 / (i->wavelength * 2), 1, 1e-12);
    ck_assert(i->distance == 2 && i->detector_pixel[1] == 75e-6);
    ag_scan_destroy(scan);
}
END_TEST

static const int64_t frame_size[] = {2, 7, 8, 12, 13, 15, 22};

/* Every pixel of one pattern against the sum that defines it. */
START_TEST(test_transform)
{
    const int64_t n = frame_size[_i];
    const ag_simulation s = {.frame = n, .object = 3 * n, .points = 5, .step = 2, .modes = 1};
    ag_scan *scan = simulate(&s);
    const ag_scan_info *i = ag_scan_content(scan);
    const int64_t j = i->frames - 1;
    for (int64_t v = 0; v < n; v++)
        for (int64_t u = 0; u < n; u++) {
            double complex sum = 0;
            for (int64_t y = 0; y < n; y++)
                for (int64_t x = 0; x < n; x++)
                    sum +=
                        exit_wave(i, j, y, x) *
                        cexp(-2 * PI * I * (double)((v - n / 2) * y + (u - n / 2) * x) / (double)n);
            const double power = pow(cabs(sum) / (double)n, 2);
            ck_assert_double_eq_tol((double)i->data[(j * n + v) * n + u], power, 1e-6);
        }
    ag_scan_destroy(scan);
}
END_TEST

/* Every pixel of one near-field pattern against the sums that define it, with Fresnel's transfer function. */
START_TEST(test_near_field)
{
    const int64_t n = frame_size[_i];
    const ag_simulation s = {.frame = n, .object = 3 * n, .points = 5, .step = 2, .modes = 1,
                             .geometry = AG_NEAR_FIELD};
    ag_scan *scan = simulate(&s);
    const ag_scan_info *i = ag_scan_content(scan);
    const int64_t j = i->frames - 1;
    const double m = ag_scan_magnification(i), z = i->distance / m;
    double complex spectrum[22 * 22];
    ck_assert_double_eq_tol(m, 1 + i->distance / i->focus_distance, 1e-9);
    ck_assert_double_eq_tol(i->pixel[0], 75e-6 / m, 1e-15);
    ck_assert_double_eq_tol((double)n * i->pixel[0] * i->pixel[0] / (i->wavelength * z), 4, 1e-6);
    for (int64_t v = 0; v < n; v++)
        for (int64_t u = 0; u < n; u++) {
            const double fy = (double)(2 * v < n ? v : v - n) / (double)n, fx = (double)(2 * u < n ? u : u - n) / (double)n;
            double complex sum = 0;
            for (int64_t y = 0; y < n; y++)
                for (int64_t x = 0; x < n; x++)
                    sum += exit_wave(i, j, y, x) * cexp(-2 * PI * I * (double)(v * y + u * x) / (double)n);
            spectrum[v * n + u] =
                sum * cexp(-I * PI * i->wavelength * z * (fy * fy + fx * fx) / (i->pixel[0] * i->pixel[0]));
        }
    for (int64_t y = 0; y < n; y++)
        for (int64_t x = 0; x < n; x++) {
            double complex sum = 0;
            for (int64_t v = 0; v < n; v++)
                for (int64_t u = 0; u < n; u++)
                    sum += spectrum[v * n + u] * cexp(2 * PI * I * (double)(v * y + u * x) / (double)n);
            const double power = pow(cabs(sum) / (double)(n * n), 2);
            ck_assert_double_eq_tol((double)i->data[(j * n + y) * n + x], power, 2e-6);
        }
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(test_points_outside)
{
    ag_simulation s = small();
    s.step = 20;
    ag_scan *scan = simulate(&s);
    const ag_scan_info *i = ag_scan_content(scan);
    ck_assert(i->frames > 1 && i->frames < s.points);
    for (int64_t k = 0; k < 2 * i->frames; k++)
        ck_assert(i->position[k] >= 0 && i->position[k] <= 128 - 32);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(test_gaussian)
{
    ag_simulation s = small();
    ag_scan *clean = simulate(&s);
    s.noise = 1e-3;
    ag_scan *noisy = simulate(&s);
    const ag_scan_info *i = ag_scan_content(noisy);
    const int64_t count = i->frames * i->rows * i->cols;
    double sum = 0, square = 0;
    int64_t negative = 0;
    ck_assert(i->data_are_amplitudes);
    for (int64_t k = 0; k < count; k++) {
        const double n = (double)i->data[k] - sqrt((double)ag_scan_content(clean)->data[k]);
        sum += n;
        square += n * n;
        negative += i->data[k] < 0;
    }
    ck_assert_double_eq_tol(sum / (double)count, 0, 5 * sqrt(s.noise / (double)count));
    ck_assert_double_eq_tol(square / (double)count / s.noise, 1, 5 * sqrt(2 / (double)count));
    ck_assert(negative > 0);
    ag_scan_destroy(clean);
    ag_scan_destroy(noisy);
}
END_TEST

/* Mean and variance are equal, where the mean is small and where it is large. */
START_TEST(test_poisson)
{
    ag_simulation s = small();
    ag_scan *clean = simulate(&s);
    s.photons = 30000;
    ag_scan *noisy = simulate(&s);
    const ag_scan_info *i = ag_scan_content(noisy), *c = ag_scan_content(clean);
    const int64_t middle = 16 * 32 + 16;
    const double scale = pow((double)i->probe[middle].re / (double)c->probe[middle].re, 2);
    const double edge[4] = {0.1, 3, 10, INFINITY};
    double count[3] = {0}, sum[3] = {0}, square[3] = {0}, total = 0;
    ck_assert(!i->data_are_amplitudes);
    for (int64_t k = 0; k < i->frames * 32 * 32; k++) {
        const double mean = scale * (double)c->data[k], value = (double)i->data[k];
        ck_assert(value >= 0 && value == floor(value));
        total += value;
        for (int b = 0; b < 3; b++)
            if (mean >= edge[b] && mean < edge[b + 1]) {
                count[b]++;
                sum[b] += (value - mean) / sqrt(mean);
                square[b] += (value - mean) * (value - mean) / mean;
            }
    }
    const double average = total / (double)i->frames;
    ck_assert_double_eq_tol(average, 30000, 5 * sqrt(30000.0 / (double)i->frames));
    for (int b = 0; b < 3; b++) {
        ck_assert(count[b] > 500);
        ck_assert_double_eq_tol(sum[b] / count[b], 0, 5 / sqrt(count[b]));
        /* the squares' own variance is 2 + 1/mean */
        ck_assert_double_eq_tol(square[b] / count[b], 1, 5 * sqrt((2 + 1 / edge[b]) / count[b]));
    }
    ag_scan_destroy(clean);
    ag_scan_destroy(noisy);
}
END_TEST

START_TEST(test_seed)
{
    ag_simulation s = small();
    s.photons = _i ? 1e4 : 0;
    s.noise = _i ? 0 : 1e-3;
    ag_scan *first = simulate(&s), *again = simulate(&s);
    s.seed++;
    ag_scan *other = simulate(&s);
    const ag_scan_info *i = ag_scan_content(first);
    const size_t bytes = (size_t)(i->frames * 32 * 32) * sizeof(ag_real);
    ck_assert(memcmp(i->data, ag_scan_content(again)->data, bytes) == 0);
    ck_assert(memcmp(i->data, ag_scan_content(other)->data, bytes) != 0);
    ag_scan_destroy(first);
    ag_scan_destroy(again);
    ag_scan_destroy(other);
}
END_TEST

static const struct {
    ag_simulation simulation;
    const char *word;
} refused[] = {
    {{.frame = 1, .object = 64, .points = 9, .step = 5}, "frame"},
    {{.frame = INT64_MAX, .object = INT64_MAX, .points = 9, .step = 5}, "frame"},
    {{.frame = 32, .object = 31, .points = 9, .step = 5}, "object"},
    {{.frame = 32, .object = INT64_MAX, .points = 9, .step = 5}, "object"},
    {{.frame = 32, .object = 64, .points = 0, .step = 5}, "points"},
    {{.frame = 32, .object = 64, .points = 9, .step = 0}, "step"},
    {{.frame = 32, .object = 64, .points = 9, .step = NAN}, "step"},
    {{.frame = 32, .object = 64, .points = 9, .step = 5, .noise = -1}, "noise"},
    {{.frame = 32, .object = 64, .points = 9, .step = 5, .noise = INFINITY}, "noise"},
    {{.frame = 32, .object = 64, .points = 9, .step = 5, .photons = -1}, "photons"},
    {{.frame = 32, .object = 64, .points = 9, .step = 5, .photons = NAN}, "photons"},
    {{.frame = 32, .object = 64, .points = 9, .step = 5, .noise = 1, .photons = 1}, "both"},
};

START_TEST(test_refused)
{
    ag_scan *scan;
    ag_message message = {""};
    ck_assert(ag_scan_simulate(&scan, &refused[_i].simulation, &message) == AG_BAD_ARGUMENT);
    ck_assert(scan == NULL);
    ck_assert_msg(strstr(message.text, refused[_i].word) != NULL, "%s", message.text);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int
main(void)
{
    Suite *suite = suite_create("simulate");
    TCase *tests = tcase_create("simulate");
    tcase_add_test(tests, test_profiling_problem);
    tcase_add_loop_test(tests, test_transform, 0, COUNT(frame_size));
    tcase_add_loop_test(tests, test_near_field, 0, COUNT(frame_size));
    tcase_add_test(tests, test_points_outside);
    tcase_add_test(tests, test_gaussian);
    tcase_add_test(tests, test_poisson);
    tcase_add_loop_test(tests, test_seed, 0, 2);
    tcase_add_loop_test(tests, test_refused, 0, COUNT(refused));
    tcase_set_timeout(tests, 300);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
