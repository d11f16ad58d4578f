/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_background.c -- a background that all frames share is found, and the object in spite of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

/* A third of all counts, as a ramp, with a pixel far above its neighbours. */
static void
make_background(const ag_scan_info *info, double *background)
{
    double mean = 0;
    for (int64_t i = 0; i < info->frames * info->rows * info->cols; i++)
        mean += (info->data_are_amplitudes ? (double)info->data[i] * (double)info->data[i] : (double)info->data[i]) /
                (double)(info->frames * info->rows * info->cols);
    for (int64_t i = 0; i < info->rows * info->cols; i++)
        background[i] = mean * (0.2 + 0.6 * (double)(i % info->cols) / (double)info->cols);
    background[info->cols + 3] = 9 * mean;
}

static ag_scan *
with_background(const ag_scan *scan, const double *background)
{
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t window = info.rows * info.cols, n = info.frames * window;
    ag_real *const data = ag_calloc(n, sizeof *data);
    ag_scan *made;
    ag_message message;
    ck_assert_ptr_nonnull(data);
    for (int64_t i = 0; i < n; i++) {
        const double v = (double)info.data[i], b = background[i % window];
        data[i] = (ag_real)(info.data_are_amplitudes ? sqrt(v * v + b) : v + b);
    }
    info.data = data;
    if (ag_scan_create(&made, &info, &message))
        ck_abort_msg("%s", message.text);
    free(data);
    return made;
}

static const struct {
    const char *method;
    int near;
    double object, background; /* errors that it may have: the object in parts of that without the estimate */
} found[] = {{"raar", 0, 0.002, 0.005}, {"raar", 1, 0.1, 0.02}, {"dm", 0, 0.2, 0.5}, {"ap", 0, 0.05, 0.06}};
#define FOUND ((int)(sizeof found / sizeof *found))

START_TEST(finds)
{
    const int device = _i / FOUND, k = _i % FOUND;
    const int slow = test_emulated(device) || getenv("AG_SLOW"), points = slow ? 20 : 80;
    if (slow && k > 1) {
        printf("skip: two of four where that is slow\n");
        return;
    }
    ag_scan *const clean = (found[k].near ? test_near_scan : test_scan)(32, 80, points, 0);
    const ag_scan_info *info = ag_scan_content(clean);
    const int64_t window = info->rows * info->cols;
    double *const truth = ag_calloc(window, sizeof *truth), *const seen = ag_calloc(window, sizeof *seen);
    double *const weight = trial_weight(clean), error[2], off = 0, size = 0;
    make_background(info, truth);
    ag_scan *const scan = with_background(clean, truth);
    for (int with = 0; with < 2; with++) {
        ag_options o = test_options(found[k].method);
        o.background_start = with ? 1 : -1;
        o.background_period = slow ? 2 : 5;
        o.probe_start = -1;
        trial t = trial_begin(device, NULL, scan, &o);
        trial_run(&t, slow ? 24 : 120);
        ag_complex *const object = trial_object(&t);
        error[with] = trial_distance(info->object, object, weight, t.pixels, 0);
        ck_assert_int_eq(ag_solver_background(t.solver, seen), AG_OK);
        for (int64_t i = 0; i < window; i++)
            ck_assert(seen[i] >= 0 && (with || seen[i] <= 0));
        free(object);
        trial_end(&t);
    }
    for (int64_t i = 0; i < window; i++) {
        off += (seen[i] - truth[i]) * (seen[i] - truth[i]);
        size += truth[i] * truth[i];
    }
    off = sqrt(off / size);
    printf("%s, %s field: error of the object %.4f with a background, %.4f where it is estimated, that to %.4f\n", found[k].method,
           found[k].near ? "near" : "far", error[0], error[1], off);
    ck_assert_double_lt(error[1], (slow ? 0.5 : found[k].object) * error[0]);
    ck_assert_double_lt(off, slow ? 0.3 : found[k].background);
    free(truth);
    free(seen);
    free(weight);
    ag_scan_destroy(scan);
    ag_scan_destroy(clean);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *method;
        int64_t start, period;
        int data_type, negative;
        const char *words;
    } row[] = {{"rpie", 0, 5, 0, 0, "background start: found 0, expected none: rpie does not"},
               {"ep-em", 3, 5, 0, 0, "background start: found 3, expected none: ep-em does not"},
               {"raar", -1, 0, 0, 0, "background period: found 0, expected 1 or more"},
               {"raar", 0, 5, 1, 0, "data type: found uint16, expected float32"},
               {"dm", 0, 5, 0, 1, "negative amplitudes: found them kept"}};
    ag_scan *scan = test_scan(32, 80, 9, 0);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        o.background_start = row[k].start;
        o.background_period = row[k].period;
        o.data_type = row[k].data_type ? AG_DATA_UINT16 : AG_DATA_FLOAT32;
        o.clip_amplitudes = !row[k].negative;
        trial_refused(scan, &o, row[k].words);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_background_tests(Suite *suite)
{
    TCase *tests = tcase_create("background");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, finds, 0, FOUND * test_machines());
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
}
