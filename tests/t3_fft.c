/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_fft.c -- solvers whose transforms a library does, against the fused path, and what must fail. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3_fft.h"

/* The libraries of this build. */
static const char modules[] = AG_FFTS;

typedef struct found {
    const char *name;
    ag_status status; /* AG_CANCELLED: not for this device */
    char words[1024];
} found;

static int
look(void *user, const char *name, ag_status status, const char *text)
{
    found *f = user;
    if (strcmp(name, f->name))
        return 0;
    f->status = status;
    snprintf(f->words, sizeof f->words, "%s", text);
    return 1;
}

int
module_count(void)
{
    int n = modules[0] != 0;
    for (const char *p = modules; *p; p++)
        n += *p == ',';
    return n;
}

ag_device *
open_with(int i, char name[32], int aloud)
{
    char module[64];
    ag_message message;
    const char *p = modules;
    for (; i > 0; i--) {
        p += strcspn(p, ",");
        p += *p == ',';
    }
    snprintf(module, sizeof module, "%.*s", (int)strcspn(p, ","), p);
    const char *const backend = strchr(module, '_') + 1;
    snprintf(name, 32, "%.*s", (int)(backend - module - 1), module);
    for (int k = 0; k < test_devices(); k++) {
        if (strncmp(test_device(k), backend, strlen(backend)))
            continue;
        ag_device *const device = test_open(k);
        found f = {.name = name, .status = AG_CANCELLED};
        ck_assert_int_eq(ag_fft_list(ag_device_name(device), look, &f), 1);
        const ag_status status = ag_device_fft(device, name, &message);
        ck_assert_int_eq(status, f.status);
        if (!status)
            return device;
        /* Only a vendor's driver may be missing. */
        ck_assert_msg(strstr(message.text, f.words) && strcmp(backend, "cpu") &&
                          strcmp(backend, "opencl"),
                      "%s: %s", message.text, f.words);
        if (aloud)
            printf("skip %s\n", message.text);
        ag_device_close(device);
        return NULL;
    }
    if (aloud)
        printf("skip %s on %s: the device is not among those to be tested\n", name, backend);
    return NULL;
}

double
apart_by(const ag_complex *a, const ag_complex *b, int64_t count)
{
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < count; i++) {
        const double re = (double)b[i].re, im = (double)b[i].im;
        difference += pow((double)a[i].re - re, 2) + pow((double)a[i].im - im, 2);
        norm += re * re + im * im;
    }
    return sqrt(difference / norm);
}

/* ---- solvers --------------------------------------------------------------------------------------- */

typedef struct lines {
    int transforms, unfused; /* lines of the trace */
    int plain;               /* of kernels that transform by themselves */
} lines;

static void
count_line(void *user, const char *line)
{
    lines *l = user;
    l->transforms += !strncmp(line, "transform ", 10);
    l->unfused += strstr(line, "_unfused ") != NULL;
    l->plain += !strncmp(line, "load_exit ", 10) || !strncmp(line, "modulus ", 8) ||
                !strncmp(line, "shift ", 6);
}

static ag_quality
solve(ag_device *d, const ag_scan *scan, const ag_options *options, ag_complex *object,
      double *error, char *plan, lines *trace)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t pixels = info->object_rows * info->object_cols;
    const double *history, *seconds;
    ag_array *objects, *probes;
    ag_solver *solver;
    ag_quality quality;
    for (int64_t i = 0; i < pixels; i++)
        object[i] = (ag_complex){1, 0};
    ag_array_create(&objects, d, AG_COMPLEX, pixels);
    ag_array_create(&probes, d, AG_COMPLEX, info->rows * info->cols);
    ag_array_write(objects, 0, pixels, object);
    ag_array_write(probes, 0, info->rows * info->cols, info->probe);
    ag_device_trace(d, count_line, NULL, trace);
    if (ag_solver_create(&solver, d, ag_comm_self(), scan, options, objects, probes) ||
        ag_solver_run(solver, 3, NULL, NULL) || ag_solver_measure(solver, &quality))
        ck_abort_msg("%s", ag_device_message(d));
    ag_device_trace(d, NULL, NULL, NULL);
    ck_assert_int_eq(ag_array_read(objects, 0, pixels, object), AG_OK);
    ck_assert_int_eq(ag_solver_history(solver, &history, &seconds), 3);
    *error = history[2];
    snprintf(plan, 160, "%s", ag_solver_plan(solver));
    ag_solver_destroy(solver);
    ag_array_destroy(objects);
    ag_array_destroy(probes);
    return quality;
}

START_TEST(solvers)
{
    static const struct {
        const char *method;
        int64_t batch;
        ag_subpixel subpixel;
        ag_geometry geometry;
    } row[] = {{"rpie", 1, AG_SUBPIXEL_NONE, AG_FAR_FIELD},
               {"rpie", 3, AG_SUBPIXEL_FOURIER, AG_FAR_FIELD},
               {"raar", 1, AG_SUBPIXEL_LINEAR, AG_FAR_FIELD},
               {"dm", 1, AG_SUBPIXEL_NONE, AG_FAR_FIELD},
               {"rpie", 3, AG_SUBPIXEL_FOURIER, AG_NEAR_FIELD},
               {"raar", 1, AG_SUBPIXEL_NONE, AG_NEAR_FIELD},
               {"dm", 1, AG_SUBPIXEL_LINEAR, AG_NEAR_FIELD}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char name[32], plan[2][160];
        ag_device *const d = open_with(_i, name, 0);
        if (!d)
            return;
        const int slow = strstr(ag_device_description(d), "emulated") != NULL;
        const int64_t frame = slow ? 16 : 32, span = slow ? 32 : 80, points = slow ? 8 : 20;
        const int near = row[i].geometry == AG_NEAR_FIELD;
        ag_scan *const scan =
            near ? test_near_scan(frame, span, points, 0.5) : test_scan(frame, span, points, 0.5);
        const ag_scan_info *info = ag_scan_content(scan);
        const int64_t pixels = info->object_rows * info->object_cols;
        ag_options o = test_options(row[i].method);
        o.batch = row[i].batch;
        o.subpixel = row[i].subpixel;
        o.probe_start = 1;
        ag_complex *const object[2] = {ag_calloc(pixels, sizeof **object),
                                       ag_calloc(pixels, sizeof **object)};
        ck_assert(object[0] && object[1]);
        double error[2];
        lines trace[2] = {{0, 0, 0}, {0, 0, 0}};
        ag_quality quality[2];
        quality[0] = solve(d, scan, &o, object[0], &error[0], plan[0], &trace[0]);
        ck_assert_int_eq(ag_device_fft(d, NULL, NULL), AG_OK);
        quality[1] = solve(d, scan, &o, object[1], &error[1], plan[1], &trace[1]);
        const double difference = apart_by(object[0], object[1], pixels);
        printf("%s on %s, %s, %s, batch %d, sub-pixel %d: object %.2g, error %.6f and %.6f, %s\n",
               name, ag_device_name(d), near ? "near field" : "far field", row[i].method,
               (int)o.batch, (int)o.subpixel, difference, error[0], error[1], plan[0]);
        /* An iteration amplifies rounding up to tenfold (tests/data/README.md). */
        ck_assert_double_le(difference, 1e-4);
        ck_assert_double_le(fabs(error[0] / error[1] - 1), 1e-4);
        ck_assert_double_le(fabs(quality[0].relative_l2 / quality[1].relative_l2 - 1), 1e-4);
        ck_assert_double_le(fabs(quality[0].r_factor / quality[1].r_factor - 1), 1e-4);
        ck_assert(!strncmp(plan[0], name, strlen(name)) && !strncmp(plan[1], "passes", 6));
        ck_assert(trace[0].transforms > 6 && trace[0].unfused > trace[0].transforms &&
                  !trace[0].plain);
        ck_assert(!trace[1].transforms && !trace[1].unfused && trace[1].plain);
        free(object[0]);
        free(object[1]);
        ag_scan_destroy(scan);
        ag_device_close(d);
    }
}
END_TEST

/* ---- what must fail ---------------------------------------------------------------------------------- */

START_TEST(wrong_names)
{
    static const char *const bad[] = {
        "",         "nobody",
        "../fftw",  "fftw_cpu",
        "fused ",   "FUSED",
        "%s%s%s%n", "a name that is much longer than any library's name may ever become"};
    ag_device *const d = test_open(_i);
    ag_message message;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ag_device_fft(d, bad[i], &message), AG_BAD_ARGUMENT);
        ck_assert_msg(strstr(message.text, "expected one of") && strstr(message.text, "fused"),
                      "%s", message.text);
        ck_assert_int_eq(ag_device_status(d), AG_OK);
    }
    ck_assert_int_eq(ag_device_fft(d, "fused", &message), AG_OK);
    found f = {.name = "fftw", .status = AG_CANCELLED};
    ck_assert_int_eq(ag_fft_list("no such device", look, &f), 0);
    ag_device_close(d);
}
END_TEST

START_TEST(missing_module)
{
    char name[32], path[4096];
    ag_message message;
    ag_device *const d = open_with(_i, name, 0);
    const char *before = getenv("ARGAND_BACKEND_PATH");
    if (!d)
        return;
    ag_device_fft(d, NULL, NULL);
    snprintf(path, sizeof path, "%s", before ? before : "");
    setenv("ARGAND_BACKEND_PATH", "/nonexistent", 1);
    const ag_status status = ag_device_fft(d, name, &message);
    setenv("ARGAND_BACKEND_PATH", path, 1);
    if (status) { /* else it is also installed */
        ck_assert_int_eq(status, AG_NO_DEVICE);
        ck_assert_msg(strstr(message.text, "cannot be loaded") != NULL, "%s", message.text);
    }
    ag_device_close(d);
}
END_TEST

/* Frames that the library was not prepared for, and recordings, fail with words. */
START_TEST(unprepared)
{
    for (int what = 0; what < 3; what++) {
        char name[32];
        ag_device *const d = open_with(_i, name, 0);
        const int64_t passes[] = {2};
        ag_plan plan;
        if (!d)
            return;
        ck_assert_int_eq(ag_plan_create(&plan, d, 8, 8, 0, NULL), AG_OK);
        if (what)
            ck_assert_int_eq(ag_plan_passes(&plan, d, 1, passes), AG_OK);
        ag_array *const scratch = ag_new(d, AG_REAL, 3 * plan.scratch, "test");
        ag_clear(scratch);
        ag_recording *const recording = what == 2 ? ag_record_begin(d, NULL) : NULL;
        ag_plan_transform(&plan, what == 2 ? 2 : 3, scratch, 0);
        ag_record_end(recording);
        ck_assert_int_eq(ag_device_status(d), AG_BAD_ARGUMENT);
        ck_assert(strstr(ag_device_message(d),
                         what == 2 ? "cannot be recorded" : "was not prepared for 3 frames") !=
                  NULL);
        ag_recording_destroy(recording);
        ag_array_destroy(scratch);
        ag_plan_destroy(&plan);
        ag_device_close(d);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("t3_fft");
    TCase *names = tcase_create("names"), *libraries = tcase_create("libraries");
    if (!module_count())
        puts("skip libraries that transform: none was built (--with-fft)");
    tcase_add_loop_test(names, wrong_names, 0, test_devices());
    suite_add_tcase(suite, names);
    add_propagations(suite);
    tcase_set_timeout(libraries, 240);
    tcase_add_loop_test(libraries, solvers, 0, module_count());
    tcase_add_loop_test(libraries, missing_module, 0, module_count());
    tcase_add_loop_test(libraries, unprepared, 0, module_count());
    suite_add_tcase(suite, libraries);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
