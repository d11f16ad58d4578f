/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_properties.c -- what must hold for every solver: traces, repeatability, threads, blocks,
   memory, what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "t3.h"

/* All methods on all devices: loop index to either. */
static const char *
method_of(int i)
{
    return ag_method_name(i % METHODS);
}

int64_t
trial_modes(const ag_options *options, int64_t modes)
{
    static const char *const one[] = {"ep", "ep-em"};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        modes = strcmp(options->method, one[i]) ? modes : 1;
    return modes;
}

trial
trial_begin(int i, ag_device *device, const ag_scan *scan, const ag_options *options)
{
    const ag_scan_info *info = ag_scan_content(scan);
    trial t = {.device = device ? device : test_open(i), .pixels = info->object_rows * info->object_cols,
               .window = options->modes * info->rows * info->cols};
    ag_complex *one = ag_calloc(t.pixels, sizeof *one), *probe = ag_calloc(t.window, sizeof *probe);
    const int64_t given = AG_MIN(info->modes, options->modes);
    ck_assert(one && probe);
    memcpy(probe, info->probe, (size_t)(given * info->rows * info->cols) * sizeof *probe);
    ck_assert_int_eq(ag_probe_modes(probe, options->modes, given, info->rows, info->cols, 0.3, NULL), AG_OK);
    for (int64_t k = 0; k < t.pixels; k++)
        one[k].re = 1;
    ag_array_create(&t.object, t.device, AG_COMPLEX, t.pixels);
    ag_array_create(&t.probe, t.device, AG_COMPLEX, t.window);
    ck_assert_int_eq(ag_array_write(t.object, 0, t.pixels, one), AG_OK);
    ck_assert_int_eq(ag_array_write(t.probe, 0, t.window, probe), AG_OK);
    free(probe);
    free(one);
    if (ag_solver_create(&t.solver, t.device, ag_comm_self(), scan, options, t.object, t.probe))
        ck_abort_msg("%s", ag_device_message(t.device));
    return t;
}

void
trial_run(trial *t, int64_t iterations)
{
    if (ag_solver_run(t->solver, iterations, NULL, NULL))
        ck_abort_msg("%s", ag_device_message(t->device));
}

static ag_complex *
content(const ag_array *array)
{
    const int64_t n = ag_array_count(array);
    ag_complex *z = ag_calloc(n, sizeof *z);
    ck_assert_ptr_nonnull(z);
    ck_assert_int_eq(ag_array_read(array, 0, n, z), AG_OK);
    return z;
}

ag_complex *
trial_object(trial *t)
{
    return content(t->object);
}

ag_complex *
trial_probe(trial *t)
{
    return content(t->probe);
}

void
trial_end(trial *t)
{
    ag_solver_destroy(t->solver);
    ag_array_destroy(t->object);
    ag_array_destroy(t->probe);
    int64_t now, peak;
    ag_device_memory(t->device, &now, &peak);
    ck_assert_int_eq(now, 0);
    ag_device_close(t->device);
}

/* ---- traces ------------------------------------------------------------------------------ */

typedef struct text {
    char *bytes;
    size_t length, room;
    int64_t lines;
} text;

static text trace, ledger;

static void
append(text *t, const char *line)
{
    const size_t n = strlen(line);
    if (t->length + n + 2 > t->room) {
        t->room = 2 * (t->length + n + 2);
        t->bytes = realloc(t->bytes, t->room);
        ck_assert_ptr_nonnull(t->bytes);
    }
    memcpy(t->bytes + t->length, line, n);
    t->length += n;
    t->bytes[t->length++] = '\n';
    t->bytes[t->length] = 0;
    t->lines++;
}

static void
take_trace(void *user, const char *line)
{
    (void)user;
    append(&trace, line);
}

static long long launched;

static void
take_ledger(void *user, const char *line)
{
    (void)user;
    append(&ledger, line);
    /* Each step has its launch, in order; a kernel for whole frames stands for three steps, one for the six positions in turn
       for three of each. */
    char kernel[64];
    long long step;
    ck_assert_int_eq(sscanf(line, "%lld %63s", &step, kernel), 2);
    ck_assert_int_eq(step, ledger.lines);
    launched += !strcmp(kernel, "visits") ? 18 : strncmp(kernel, "whole_", 6) ? 1 : 3;
}

static char *
whole_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    const long n = ftell(file);
    rewind(file);
    char *bytes = calloc((size_t)n + 1, 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)n, file), (size_t)n);
    fclose(file);
    return bytes;
}

/* Two iterations of every method, whole and sub-pixel positions, batches, the first two in the near field, and
   probes of two modes in either, and lsqml's with a probe that varies: the committed steps.
   ARGAND_UPDATE_TRACES=1 writes them anew. */
START_TEST(traces)
{
    const char *method = method_of(_i);
    char name[64];
    const int family = strstr(method, "pie") != NULL;
    ag_device *device = test_open(_i / METHODS);
    launched = 0;
    ag_device_trace(device, take_trace, take_ledger, NULL);
    for (int variant = 0; variant < 7; variant++) {
        const int far = variant < 3 || variant == 5, moved = variant == 1 || variant == 4 || variant == 5;
        ag_options o = test_options(method);
        o.modes = variant < 5 ? 1 : trial_modes(&o, 2);
        if (variant > 4 && o.modes == 1)
            break;
        ag_scan *scan = (far ? test_scan : test_near_scan)(32, 80, 6, moved ? 0.8 : 0);
        o.probe_start = strcmp(method, "pie") && strcmp(method, "ep") ? strcmp(method, "ep-em") != 0 : -1;
        o.sparsity = strcmp(method, "ep-em") ? 0 : 0.9;
        o.shuffle = 0;
        o.batches = variant == 2 ? AG_BATCHES_COMPACT : AG_BATCHES_RANDOM;
        o.noise = variant % 3 == 1 ? AG_NOISE_POISSON : AG_NOISE_GAUSSIAN;
        o.position_start = variant == 4 && strcmp(method, "ep") && strcmp(method, "ep-em") ? 1 : -1;
        if (!strcmp(method, "lsqml") && (variant == 2 || variant == 5)) {
            o.opr_modes = variant == 5 ? 2 : 1;
            o.opr_start = 1;
            o.opr_intensity = variant == 5;
        }
        if (o.position_start >= 0) {
            o.probe_support = 0.8;
            o.object_most = 2;
            o.overlap_steps = 2;
        }
        if (variant == 2 && (family || !strcmp(method, "lsqml")))
            o.batch = 4;
        trial t = trial_begin(0, device, scan, &o);
        trial_run(&t, 2);
        ag_solver_destroy(t.solver);
        ag_array_destroy(t.object);
        ag_array_destroy(t.probe);
        ag_scan_destroy(scan);
    }
    ck_assert_int_eq(trace.lines, launched);
    ck_assert_int_gt(trace.lines, 50);
    snprintf(name, sizeof name, "trace_%s.txt", method);
    if (getenv("ARGAND_UPDATE_TRACES")) {
        FILE *file = fopen(test_data(name), "wb");
        ck_assert_ptr_nonnull(file);
        fputs(trace.bytes, file);
        fclose(file);
    }
    char *committed = whole_file(test_data(name));
    ck_assert_ptr_nonnull(committed);
    if (device->limits.tile != 16) /* a total counts the strips */
        printf("skip the committed steps: they are those of tiles of 16 columns, here they have %d\n", device->limits.tile);
    else if (sizeof(ag_real) == 4 && strcmp(committed, trace.bytes))
        ck_abort_msg("%s: the steps on %s differ from those committed", name, test_device(_i / METHODS));
    printf("t3_solvers: %s: %s: %lld steps%s, %lld launches\n", test_where(device), method,
           (long long)trace.lines, device->limits.tile == 16 ? " as committed" : "", (long long)ledger.lines);
    test_ran(_i / METHODS, _i % METHODS);
    ag_device_close(device);
    free(committed);
    free(trace.bytes);
    free(ledger.bytes);
    trace = ledger = (text){0};
}
END_TEST

/* ---- repeatability ------------------------------------------------------------------------- */

ag_complex *
trial_after(int i, const ag_scan *scan, const ag_options *o, int64_t iterations)
{
    trial t = trial_begin(i, NULL, scan, o);
    trial_run(&t, iterations);
    ag_complex *object = trial_object(&t);
    trial_end(&t);
    return object;
}

START_TEST(repeats)
{
    ag_scan *scan = test_scan(32, 80, 20, 0.8);
    ag_options o = test_options(method_of(_i));
    o.batch = AG_MIN(o.batch, 7); /* a batch of all frames has one order */
    const size_t bytes = 80 * 80 * sizeof(ag_complex);
    ag_complex *a = trial_after(_i / METHODS, scan, &o, 3), *b = trial_after(_i / METHODS, scan, &o, 3);
    ck_assert_int_eq(memcmp(a, b, bytes), 0);
    o.seed = 5;
    ag_complex *c = trial_after(_i / METHODS, scan, &o, 3);
    ck_assert_int_eq(memcmp(a, c, bytes) != 0, o.shuffle);
    free(a);
    free(b);
    free(c);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(threads)
{
    ag_scan *scan = test_scan(40, 100, 24, 0.8);
    ag_options o = test_options(method_of(_i));
    ag_complex *object[3];
    o.modes = trial_modes(&o, 2);
    for (int k = 0; k < 3; k++) {
        setenv("ARGAND_THREADS", k == 0 ? "1" : k == 1 ? "2" : "3", 1);
        setenv("ARGAND_TEST_DEVICES", "cpu", 1);
        object[k] = trial_after(0, scan, &o, 3);
    }
    for (int k = 1; k < 3; k++)
        ck_assert_int_eq(memcmp(object[0], object[k], 100 * 100 * sizeof(ag_complex)), 0);
    for (int k = 0; k < 3; k++)
        free(object[k]);
    ag_scan_destroy(scan);
}
END_TEST

/* Stacks in several blocks, because the largest allocation is small: the same bits. */
static void
same_in_blocks(int i, ag_scan *scan, int64_t modes)
{
    ag_options o = test_options(method_of(i));
    o.modes = trial_modes(&o, modes);
    if (strstr(o.method, "pie") || !strcmp(o.method, "lsqml"))
        o.batch = 7;
    o.noise = AG_NOISE_POISSON;
    ag_complex *a = trial_after(i / METHODS, scan, &o, 3);
    ag_device *device = test_open(i / METHODS);
    device->limits.allocation = 6 * o.modes * 32 * 32 * (int64_t)sizeof(ag_complex);
    trial t = trial_begin(0, device, scan, &o);
    trial_run(&t, 3);
    ag_complex *b = trial_object(&t);
    ck_assert_int_eq(memcmp(a, b, 80 * 80 * sizeof *a), 0);
    free(a);
    free(b);
    trial_end(&t);
    ag_scan_destroy(scan);
}

START_TEST(blocks)
{
    same_in_blocks(_i, test_scan(32, 80, 20, 0.8), 1);
    same_in_blocks(_i, test_near_scan(32, 80, 20, 0.8), 2);
}
END_TEST

/* ---- the rest --------------------------------------------------------------------------------- */

static void
takes_what_it_says(int i, ag_scan *scan, int64_t modes)
{
    ag_options o = test_options(method_of(i));
    o.modes = trial_modes(&o, modes);
    ag_device *device = test_open(i / METHODS);
    int64_t now, peak;
    ag_need need;
    ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
    ag_device_memory(device, &now, &peak);
    ck_assert_int_eq(peak, 0);
    trial t = trial_begin(0, device, scan, &o);
    ag_device_memory(device, &now, &peak);
    /* Beside the caller's arrays. */
    const int64_t caller = (t.pixels + t.window) * (int64_t)sizeof(ag_complex);
    ck_assert_int_eq(peak - caller, need.device);
    const int64_t before = now;
    trial_run(&t, 2);
    ag_device_memory(device, &now, &peak);
    ck_assert_int_eq(now, before);
    trial_end(&t);
    ag_scan_destroy(scan);
}

START_TEST(memory)
{
    takes_what_it_says(_i, test_scan(32, 80, 20, 0.8), 1);
    takes_what_it_says(_i, test_near_scan(32, 80, 20, 0.8), 3);
}
END_TEST

static int
stop_at_two(void *user, const ag_progress *p)
{
    ck_assert_int_eq(p->iterations, 5);
    *(int64_t *)user = p->iteration;
    return p->iteration == 2;
}

START_TEST(cancelled_and_refused)
{
    ag_scan *scan = test_scan(32, 80, 20, 0);
    ag_options o = test_options("rpie");
    int64_t at = 0;
    trial t = trial_begin(0, NULL, scan, &o);
    ck_assert_int_eq(ag_solver_run(t.solver, 5, stop_at_two, &at), AG_CANCELLED);
    ck_assert_int_eq(at, 2);
    ck_assert_int_eq(ag_device_status(t.device), AG_OK);
    trial_run(&t, 1);
    const double *error, *seconds;
    ck_assert_int_eq(ag_solver_history(t.solver, &error, &seconds), 3);
    trial_end(&t);
    ag_message message;
    ck_assert_int_eq(ag_options_default(&o, "epi", &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "\"epi\""));
    ck_assert_ptr_nonnull(strstr(message.text, "raar"));
    static const struct {
        int64_t batch;
        double alpha;
        const char *word;
    } bad[] = {{0, .5, "batch"}, {1000, .5, "batch"}, {1, -1, "alpha"}, {1, NAN, "alpha"}};
    for (int k = 0; k < 4; k++) {
        ag_device *device = test_open(0);
        ag_solver *solver;
        o = test_options("rpie");
        o.batch = bad[k].batch;
        o.alpha = bad[k].alpha;
        ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, NULL), AG_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(ag_device_message(device), bad[k].word));
        ck_assert_ptr_null(solver);
        ag_device_close(device);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_property_tests(Suite *suite)
{
    TCase *tests = tcase_create("properties");
    const int all = METHODS * test_machines();
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, traces, 0, METHODS * test_variants());
    tcase_add_loop_test(tests, repeats, 0, all);
    tcase_add_loop_test(tests, threads, 0, METHODS);
    tcase_add_loop_test(tests, blocks, 0, all);
    tcase_add_loop_test(tests, memory, 0, all);
    tcase_add_test(tests, cancelled_and_refused);
    suite_add_tcase(suite, tests);
}
