/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_beside.c -- sums in another order: positions that are worked on at once give the bits of one after the other, atomic
   sums but for rounding what sums in order give. */
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "device.h"
#include "solvers/solver.h"
#include "t3.h"

#define POINTS 24

static int64_t passes, scattered;

/* A scan whose positions lie far apart. */
static ag_scan *
wide_scan(void)
{
    ag_scan *scan = test_scan(16, 72, POINTS, 0.8);
    double *const position = (double *)ag_scan_content(scan)->position;
    for (int64_t i = 0; i < 2 * ag_scan_content(scan)->frames; i++)
        position[i] = 28 + 4 * (position[i] - 28);
    return scan;
}

static void
count_launches(void *user, const char *line)
{
    (void)user;
    passes += !strncmp(line, "modulus ", 8);
    scattered += !strncmp(line, "object_scatter ", 15);
}

static const ag_backend *real;
static int64_t replays;

static ag_status
count_replay(ag_handle *handle, ag_tape *tape, int again)
{
    replays += again;
    return real->replay(handle, tape, again);
}

static void
ignore_timing(void *user, const ag_timing *timing)
{
    (void)user;
    (void)timing;
}

static void
ignore(void *user, const char *line)
{
    (void)user;
    (void)line;
}

/* The scan's frames in turn, each by a solver of its own that goes on with object and probe. */
static void
one_by_one(int device, const ag_scan *scan, ag_options o, ag_complex **object, ag_complex **probe)
{
    const ag_scan_info *info = ag_scan_content(scan);
    trial whole = trial_begin(device, NULL, scan, &o);
    for (int iteration = 0; iteration < 2; iteration++) {
        o.probe_start = iteration ? 0 : -1;
        for (int64_t j = 0; j < info->frames; j++) {
            ag_scan one = *scan;
            ag_solver *solver;
            one.info.frames = 1;
            one.info.position += 2 * j;
            one.info.data += j * info->rows * info->cols;
            if (ag_solver_create(&solver, whole.device, ag_comm_self(), &one, &o, whole.object, whole.probe) ||
                ag_solver_run(solver, 1, NULL, NULL))
                ck_abort_msg("%s", ag_device_message(whole.device));
            ag_solver_destroy(solver);
        }
    }
    *object = trial_object(&whole);
    *probe = trial_probe(&whole);
    trial_end(&whole);
}

START_TEST(beside)
{
    static const struct {
        const char *method;
        ag_subpixel subpixel;
        int64_t modes;
    } row[] = {{"pie", AG_SUBPIXEL_NONE, 1}, {"epie", AG_SUBPIXEL_FOURIER, 1}, {"rpie", AG_SUBPIXEL_LINEAR, 2}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        ag_scan *scan = wide_scan();
        const int64_t frames = ag_scan_content(scan)->frames;
        ag_options o = test_options(row[i].method);
        o.subpixel = row[i].subpixel;
        o.modes = row[i].modes;
        o.modulus_floor = 0; /* which is of all frames' data */
        o.shuffle = 0;
        o.probe_start = 1;
        trial t = trial_begin(_i, NULL, scan, &o);
        ag_device_trace(t.device, count_launches, ignore, NULL);
        passes = 0;
        trial_run(&t, 1);
        printf("%s on %s: %lld passes for %lld frames\n", o.method, test_device(_i), (long long)passes, (long long)frames);
        ck_assert_int_lt(4 * passes, 3 * frames);
        trial_run(&t, 1);
        ag_complex *a = trial_object(&t), *p = trial_probe(&t), *b, *q;
        one_by_one(_i, scan, o, &b, &q);
        ck_assert_int_eq(memcmp(a, b, (size_t)t.pixels * sizeof *a), 0);
        ck_assert_int_eq(memcmp(p, q, (size_t)t.window * sizeof *p), 0);
        trial_end(&t);
        free(a);
        free(b);
        free(p);
        free(q);
        ag_scan_destroy(scan);
    }
}
END_TEST

/* What a device is told of an iteration, and what becomes of it. */
typedef struct told {
    uint64_t trace;
    int64_t lines, replays, visits;
    ag_complex *object, *probe;
    int64_t pixels, window;
} told;

static void
take_line(void *user, const char *line)
{
    told *const t = user;
    t->trace = ag_hash(t->trace, line, strlen(line));
    t->lines++;
}

static void
count_visits(void *user, const char *line)
{
    told *const t = user;
    t->visits += !!strstr(line, " visits ");
}

static told
iterations(int device, const ag_scan *scan, const ag_options *o, int timed)
{
    told found = {0};
    trial t = trial_begin(device, NULL, scan, o);
    ag_backend counted = *t.device->backend;
    real = t.device->backend;
    counted.replay = count_replay;
    t.device->backend = &counted;
    replays = 0;
    trial_run(&t, 1); /* the probe stays */
    ag_device_trace(t.device, take_line, count_visits, &found);
    if (timed)
        ag_device_profile(t.device, ignore_timing, NULL);
    trial_run(&t, 3);
    found.replays = replays;
    found.object = trial_object(&t);
    found.probe = trial_probe(&t);
    found.pixels = t.pixels;
    found.window = t.window;
    ag_device_profile(t.device, NULL, NULL);
    ag_device_trace(t.device, NULL, NULL, NULL);
    ag_solver_destroy(t.solver);
    t.solver = NULL;
    t.device->backend = real;
    trial_end(&t);
    return found;
}

/* An iteration whose launches are kept, or are one where groups may wait for one another: the same trace and bits as where
   each is made and timed. */
START_TEST(recorded)
{
    static const struct {
        const char *method;
        ag_data_type data;
        int rows;
    } row[] = {{"epie", AG_DATA_FLOAT32, 16}, {"rpie", AG_DATA_FLOAT32, 40}, {"rpie", AG_DATA_UINT16, 40}};
    ag_device *device = test_open(_i);
    const int together = ag_device_cooperative(device);
    ag_device_close(device);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        ag_scan *scan = row[i].rows == 16 ? wide_scan() : test_scan(row[i].rows, 72, POINTS, 0.8);
        ag_options o = test_options(row[i].method);
        o.subpixel = AG_SUBPIXEL_NONE;
        o.data_type = row[i].data;
        o.probe_start = 1;
        if (sizeof(ag_real) == 8)
            o.data_type = AG_DATA_FLOAT32;
        const told expected = iterations(_i, scan, &o, 1);
        ck_assert_int_eq(expected.replays + expected.visits, 0);
        for (int off = 0; off < 2; off++) {
            if (off)
                setenv("ARGAND_COOPERATIVE", "off", 1);
            const told found = iterations(_i, scan, &o, 0);
            unsetenv("ARGAND_COOPERATIVE");
            ck_assert_int_eq(found.visits, together && !off ? 3 : 0);
            ck_assert_int_eq(found.replays, together && !off ? 0 : 3);
            ck_assert_int_eq(found.lines, expected.lines);
            ck_assert_uint_eq(found.trace, expected.trace);
            ck_assert_int_eq(memcmp(found.object, expected.object, (size_t)found.pixels * sizeof *found.object), 0);
            ck_assert_int_eq(memcmp(found.probe, expected.probe, (size_t)found.window * sizeof *found.probe), 0);
            free(found.object);
            free(found.probe);
        }
        free(expected.object);
        free(expected.probe);
        ag_scan_destroy(scan);
    }
}
END_TEST

START_TEST(atomic)
{
    static const char *const method[] = {"dm", "ap", "raar"};
    const char *const name = method[_i % 3];
    ag_scan *scan = test_scan(16, 40, POINTS, 0.8);
    ag_options o = test_options(name);
    o.probe_start = 1;
    o.subpixel = _i % 3 ? AG_SUBPIXEL_FOURIER : AG_SUBPIXEL_LINEAR;
    ag_complex *fixed = trial_after(_i / 3, scan, &o, 3);
    o.sums = AG_SUMS_ATOMIC;
    trial t = trial_begin(_i / 3, NULL, scan, &o);
    ag_device_trace(t.device, count_launches, ignore, NULL);
    scattered = 0;
    trial_run(&t, 3);
    ck_assert_int_ge(scattered, 3);
    ag_complex *sums = trial_object(&t);
    trial_end(&t);
    double *const weight = trial_weight(scan);
    const double apart = trial_distance(fixed, sums, weight, 40 * 40, 0);
    printf("%s on %s: atomic sums change the object by %.1e\n", name, test_device(_i / 3), apart);
    ck_assert_double_le(apart, sizeof(ag_real) == 8 ? 1e-7 : 2e-5); /* a root of what is left of 1: 1e-8 is rounding */
    free(weight);
    free(fixed);
    free(sums);
    ag_scan_destroy(scan);
}
END_TEST

/* A scan's order says nothing to the projections: that of their sums is one for good. */
START_TEST(backwards)
{
    static const char *const method[] = {"dm", "ap", "raar"};
    ag_scan *scan = test_scan(16, 40, POINTS, 0.8), back = *scan;
    const int64_t frames = scan->info.frames, window = 16 * 16;
    ag_options o = test_options(method[_i % 3]);
    o.probe_start = 1;
    o.modulus_floor = 0; /* of all frames' data, summed up in their order */
    ag_real *data = ag_calloc(frames * window, sizeof *data);
    double *position = ag_calloc(2 * frames, sizeof *position);
    for (int64_t j = 0; j < frames; j++) {
        memcpy(data + j * window, scan->info.data + (frames - 1 - j) * window, (size_t)window * sizeof *data);
        memcpy(position + 2 * j, scan->info.position + 2 * (frames - 1 - j), 2 * sizeof *position);
    }
    back.info.data = data;
    back.info.position = position;
    ag_complex *one = trial_after(_i / 3, scan, &o, 3), *other = trial_after(_i / 3, &back, &o, 3);
    ck_assert_int_eq(memcmp(one, other, 40 * 40 * sizeof *one), 0);
    free(one);
    free(other);
    free(data);
    free(position);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(atomic_refused)
{
    ag_options o = test_options("rpie");
    ag_message message;
    o.sums = AG_SUMS_ATOMIC;
    ck_assert_int_eq(ag_options_check(&o, 10, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "found atomic, expected fixed: only dm, ap and raar know other ones, not rpie"));
}
END_TEST

void
add_beside_tests(Suite *suite)
{
    TCase *tests = tcase_create("beside");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, beside, 0, test_devices());
    tcase_add_loop_test(tests, recorded, 0, test_devices());
    tcase_add_loop_test(tests, atomic, 0, 3 * test_devices());
    tcase_add_loop_test(tests, backwards, 0, 3 * test_devices());
    tcase_add_test(tests, atomic_refused);
    suite_add_tcase(suite, tests);
}
