/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_orientation.c -- which way positions run: turned on purpose, then found; and what cannot be found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

static ag_scan *
scan_of(int near)
{
    return (near ? test_near_scan : test_scan)(32, 80, 60, 0);
}

/* The largest difference of two sets of positions. */
static double
apart(const ag_scan *a, const ag_scan *b)
{
    const ag_scan_info *x = ag_scan_content(a), *y = ag_scan_content(b);
    double most = 0;
    for (int64_t j = 0; j < 2 * x->frames; j++)
        most = fmax(most, fabs((x->position[j] - x->position[j & 1]) -
                               (y->position[j] - y->position[j & 1])));
    return most;
}

/* Positions that were turned by one orientation are put right by another. */
static int
inverse_of(const ag_scan *scan, int orientation)
{
    int found = -1;
    for (int i = 0; i < AG_ORIENTATIONS; i++) {
        ag_scan *twice;
        ag_scan_info open = *ag_scan_content(scan);
        ag_message message;
        open.object = NULL;
        open.object_rows = open.object_cols = 0;
        if (ag_scan_create(&twice, &open, &message) ||
            ag_scan_orient(twice, orientation, &message) || ag_scan_orient(twice, i, &message))
            ck_abort_msg("%s", message.text);
        if (apart(twice, scan) < 1e-9) {
            ck_assert_int_eq(found, -1);
            found = i;
        }
        ag_scan_destroy(twice);
    }
    ck_assert_int_ge(found, 0);
    return found;
}

static ag_orientation
find(const ag_scan *scan)
{
    ag_device *device;
    ag_message message;
    ag_orientation found;
    if (ag_device_open(&device, "cpu", &message))
        ck_abort_msg("%s", message.text);
    if (ag_orientation_find(device, scan, &found))
        ck_abort_msg("%s", ag_device_message(device));
    int64_t now, peak;
    ag_device_memory(device, &now, &peak);
    ck_assert_int_eq(now, 0);
    ag_device_close(device);
    return found;
}

START_TEST(turned_and_found)
{
    const int near = _i / AG_ORIENTATIONS, orientation = _i % AG_ORIENTATIONS;
    ag_scan *scan = scan_of(near);
    ag_message message;
    const int right = inverse_of(scan, orientation);
    if (ag_scan_orient(scan, orientation, &message))
        ck_abort_msg("%s", message.text);
    ck_assert((ag_scan_content(scan)->object == NULL) == (orientation != 0));
    const ag_orientation found = find(scan);
    printf("%s field, turned by %s: found %s, margin %.1f %%\n", near ? "near" : "far",
           ag_orientation_name(orientation), ag_orientation_name(found.best), 100 * found.margin);
    ck_assert(found.decided);
    ck_assert_int_eq(found.best, found.group[right]);
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        ck_assert_int_eq(found.group[i], near ? i : i < (i ^ 6) ? i : i ^ 6);
    ag_scan_destroy(scan);
}
END_TEST

/* The twin: with P*(-x), O*(-x) and -p in place of P, O and p the far-field model is the same. */
START_TEST(twins_in_the_far_field)
{
    ag_scan *scan = test_scan(32, 80, 30, 0), *twin;
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t window = 32 * 32, pixels = 80 * 80;
    ag_complex *probe = ag_calloc(window, sizeof *probe),
               *object = ag_calloc(pixels, sizeof *object);
    double *position = ag_calloc(2 * info.frames, sizeof *position);
    ag_message message;
    ck_assert(probe && object && position);
    for (int64_t i = 0; i < window; i++)
        probe[i] = (ag_complex){info.probe[window - 1 - i].re, -info.probe[window - 1 - i].im};
    for (int64_t i = 0; i < pixels; i++)
        object[i] = (ag_complex){info.object[pixels - 1 - i].re, -info.object[pixels - 1 - i].im};
    for (int64_t j = 0; j < 2 * info.frames; j++)
        position[j] = 80 - 32 - info.position[j];
    info.probe = probe;
    info.object = object;
    info.position = position;
    if (ag_scan_create(&twin, &info, &message))
        ck_abort_msg("%s", message.text);
    ag_options o = test_options("rpie");
    trial t = trial_begin(0, NULL, twin, &o);
    ag_quality quality;
    ck_assert_int_eq(ag_array_write(t.object, 0, pixels, object), AG_OK);
    ck_assert_int_eq(ag_solver_measure(t.solver, &quality), AG_OK);
    printf("relative_l2 of the twin: %.1e\n", quality.relative_l2);
    ck_assert_double_lt(quality.relative_l2, 2e-6);
    trial_end(&t);
    ag_scan_destroy(twin);
    ag_scan_destroy(scan);
    free(probe);
    free(object);
    free(position);
}
END_TEST

static ag_orientation
find_with(const ag_scan *scan, int64_t frames, const double *position, const ag_real *data)
{
    ag_scan_info info = *ag_scan_content(scan);
    ag_scan *other;
    ag_message message;
    info.frames = frames;
    info.position = position ? position : info.position;
    info.data = data ? data : info.data;
    info.object = NULL;
    info.object_rows = info.object_cols = 0;
    if (ag_scan_create(&other, &info, &message))
        ck_abort_msg("%s", message.text);
    const ag_orientation found = find(other);
    ag_scan_destroy(other);
    return found;
}

/* One frame has no orientation, a line has two; frames of noise fit no orientation better than another. */
START_TEST(undecided)
{
    ag_scan *scan = scan_of(1);
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t n = info->frames, pixels = n * info->rows * info->cols;
    double *line = ag_calloc(2 * n, sizeof *line);
    ag_real *noise = ag_calloc(pixels, sizeof *noise);
    ag_random random;
    ck_assert(line && noise);
    ag_orientation found = find_with(scan, 1, NULL, NULL);
    ck_assert(!found.decided && found.second == -1 && found.best == 0);
    for (int64_t j = 0; j < n; j++)
        line[2 * j + 1] = 2 * (double)j;
    found = find_with(scan, n, line, NULL);
    ck_assert_int_eq(found.group[AG_FLIP_ROWS], 0);
    ck_assert_int_eq(found.group[AG_FLIP_COLS | AG_FLIP_ROWS], AG_FLIP_COLS);
    ck_assert_int_eq(found.group[AG_SWAP | AG_FLIP_COLS], AG_SWAP);
    ag_random_seed(&random, 2);
    for (int64_t i = 0; i < pixels; i++)
        noise[i] = (ag_real)ag_random_uniform(&random);
    found = find_with(scan, n, NULL, noise);
    printf("noise: margin %.2f %%\n", 100 * found.margin);
    ck_assert(!found.decided);
    ag_scan_destroy(scan);
    free(line);
    free(noise);
}
END_TEST

/* Lengths stay the same where pixels are not square. */
START_TEST(oblong_pixels)
{
    ag_scan *scan = test_scan(32, 80, 20, 0);
    ag_scan_info info = *ag_scan_content(scan);
    ag_message message;
    info.pixel[0] = 2e-8;
    info.pixel[1] = 5e-8;
    info.detector_pixel[0] = info.detector_pixel[1] = 0;
    info.object = NULL;
    info.object_rows = info.object_cols = 0;
    ag_scan *turned;
    if (ag_scan_create(&turned, &info, &message) || ag_scan_orient(turned, AG_SWAP, &message))
        ck_abort_msg("%s", message.text);
    const double *was = info.position, *is = ag_scan_content(turned)->position;
    for (int64_t j = 1; j < info.frames; j++) {
        ck_assert_double_eq_tol((is[2 * j] - is[0]) * 2e-8, (was[2 * j + 1] - was[1]) * 5e-8,
                                1e-15);
        ck_assert_double_eq_tol((is[2 * j + 1] - is[1]) * 5e-8, (was[2 * j] - was[0]) * 2e-8,
                                1e-15);
    }
    ck_assert_int_eq(ag_scan_orient(turned, 8, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "orientation: is 8"));
    ck_assert_ptr_null(ag_orientation_name(8));
    ag_scan_destroy(turned);
    ag_scan_destroy(scan);
}
END_TEST

void
add_orientation_tests(Suite *suite)
{
    TCase *tests = tcase_create("orientation");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, twins_in_the_far_field);
    tcase_add_test(tests, undecided);
    tcase_add_test(tests, oblong_pixels);
    /* Beside the solvers' own tests nothing here depends on a device: the cpu alone. */
    tcase_add_loop_test(tests, turned_and_found, 0, getenv("AG_SLOW") ? 2 : 2 * AG_ORIENTATIONS);
    suite_add_tcase(suite, tests);
}
