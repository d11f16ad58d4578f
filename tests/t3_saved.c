/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_saved.c -- checkpoints of threads that share a reconstruction: one file, for any number of them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "solvers/solver.h"
#include "t3.h"

#define RANKS 3
#define MODES 2 /* at most */

/* One thread: loads where it is told to, goes on, saves where it is told to. */
typedef struct rank {
    ag_comm *comm, watched; /* watched: comm, which looks at the device's health */
    const ag_scan *scan;
    const ag_options *options;
    ag_device *device;
    const char *load, *save;
    int64_t iterations;
    int meetings; /* after which the device breaks, as long as it saves; 0: never */
    int saving, other_plan;
    ag_status loaded, ran, saved, went_on;
    ag_message message;
    ag_complex *object, *probe;
    double *position, error[8];
} rank;

static void
watch(rank *r)
{
    if (r->saving && r->meetings && !--r->meetings)
        ag_device_fail(r->device, AG_DEVICE_ERROR, "it breaks");
}

static void
add(ag_comm *comm, int count, double *value)
{
    rank *r = comm->data;
    r->comm->add(r->comm, count, value);
    watch(r);
}

static void
sum(ag_comm *comm, ag_array *array, const ag_real *before)
{
    rank *r = comm->data;
    r->comm->sum(r->comm, array, before);
}

static void
give(ag_comm *comm, int from, int64_t bytes, void *value)
{
    rank *r = comm->data;
    r->comm->give(r->comm, from, bytes, value);
    watch(r);
}

static void *
share(void *user)
{
    rank *r = user;
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = info->rows * info->cols, modes = r->options->modes;
    const double *error, *seconds;
    ag_array *object, *probe;
    ag_solver *solver;
    ag_array_create(&object, r->device, AG_COMPLEX, pixels);
    ag_array_create(&probe, r->device, AG_COMPLEX, modes * window);
    for (int64_t i = 0; i < pixels; i++)
        r->object[i] = (ag_complex){1, 0};
    memcpy(r->probe, info->probe, (size_t)window * sizeof *r->probe);
    ag_probe_modes(r->probe, modes, 1, info->rows, info->cols, 0.3, NULL);
    ag_array_write(object, 0, pixels, r->object);
    ag_array_write(probe, 0, modes * window, r->probe);
    r->watched = (ag_comm){r->comm->rank, r->comm->size, sum, add, give, r};
    r->message.text[0] = 0;
    if (ag_solver_create(&solver, r->device, &r->watched, r->scan, r->options, object, probe))
        ck_abort_msg("%s", ag_device_message(r->device));
    if (r->other_plan)
        solver->plan.id[0] = '?';
    r->loaded = r->load ? ag_solver_load(solver, r->load, &r->message) : AG_OK;
    r->ran = ag_solver_run(solver, r->iterations, NULL, NULL);
    r->saving = 1;
    r->saved = r->save && !r->ran ? ag_solver_save(solver, r->save, "a note", &r->message) : AG_OK;
    r->saving = 0;
    const int64_t n = ag_solver_history(solver, &error, &seconds);
    if (n)
        memcpy(r->error, error, (size_t)AG_MIN(n, 8) * sizeof *error);
    ag_array_read(object, 0, pixels, r->object);
    ag_array_read(probe, 0, modes * window, r->probe);
    if (r->position)
        ag_solver_positions(solver, r->position);
    r->went_on = ag_solver_run(solver, 1, NULL, NULL);
    ag_solver_destroy(solver);
    ag_array_destroy(object);
    ag_array_destroy(probe);
    return NULL;
}

static void
start(rank *r, int ranks, int device, const ag_scan *scan, const ag_options *o)
{
    const ag_scan_info *info = ag_scan_content(scan);
    memset(r, 0, (size_t)ranks * sizeof *r);
    for (int k = 0; k < ranks; k++) {
        r[k].scan = scan;
        r[k].options = o;
        r[k].device = test_open(device);
        r[k].object = ag_calloc(info->object_rows * info->object_cols, sizeof *r->object);
        r[k].probe = ag_calloc(MODES * info->rows * info->cols, sizeof *r->probe);
        ck_assert(r[k].object && r[k].probe);
    }
}

static void
run(rank *r, int ranks)
{
    pthread_t thread[RANKS];
    ag_comm **comm;
    ag_message message;
    ck_assert_int_eq(ag_comm_threads(&comm, ranks, &message), AG_OK);
    for (int k = 0; k < ranks; k++)
        r[k].comm = comm[k];
    for (int k = 0; k < ranks; k++)
        ck_assert_int_eq(pthread_create(&thread[k], NULL, share, &r[k]), 0);
    for (int k = 0; k < ranks; k++)
        pthread_join(thread[k], NULL);
    ag_comm_threads_end(comm);
}

static void
dismiss(rank *r, int ranks)
{
    for (int k = 0; k < ranks; k++) {
        ag_device_close(r[k].device);
        free(r[k].object);
        free(r[k].probe);
        free(r[k].position);
    }
}

/* `ranks` threads that load `from`, go on and save `to`; the caller dismisses them. */
static void
leg(rank *r, int ranks, int device, const ag_scan *scan, const ag_options *o, const char *from, int64_t iterations, const char *to)
{
    start(r, ranks, device, scan, o);
    double *position = ag_calloc(2 * ag_scan_content(scan)->frames, sizeof *position);
    ck_assert_ptr_nonnull(position);
    for (int k = 0; k < ranks; k++) {
        r[k].position = k ? NULL : position;
        r[k].load = from;
        r[k].save = to;
        r[k].iterations = iterations;
    }
    run(r, ranks);
    for (int k = 0; k < ranks; k++)
        if (r[k].loaded || r[k].ran || r[k].saved)
            ck_abort_msg("%s, rank %d of %d: %s%s", o->method, k, ranks, r[k].message.text, ag_device_message(r[k].device));
}

/* A file of this process in $TMPDIR. */
static char *
scratch_file(const char *name)
{
    char *path = ag_calloc(4096, 1);
    const char *folder = getenv("TMPDIR");
    ck_assert_ptr_nonnull(path);
    snprintf(path, 4096, "%s/argand-test-%ld-%s", folder ? folder : "/tmp", (long)getpid(), name);
    return path;
}

static int
equal(const char *path, const char *other)
{
    FILE *a = fopen(path, "rb"), *b = fopen(other, "rb");
    int c, d;
    ck_assert_msg(a && b, "%s, %s", path, other);
    do {
        c = fgetc(a);
        d = fgetc(b);
    } while (c == d && c != EOF);
    fclose(a);
    fclose(b);
    return c == d;
}

static const struct {
    const char *method;
    int64_t batch;
    ag_batching batches;
    ag_noise noise;
    int opr, near, turns, large;
    int64_t modes, position_start;
    double jitter;
} row[] = {
    {"dm", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 0, 2, 1, 0},
    {"raar", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 1, 1, 0, 1, -1, 0.8},
    {"raar", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 1, 1, -1, 0},
    {"ap", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 0, 1, -1, 0},
    {"pie", 7, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 0, 1, -1, 0},
    {"epie", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 0, 1, -1, 0},
    {"rpie", 7, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 1, 0, 2, 1, 0.8},
    {"lsqml", 7, AG_BATCHES_UNIFORM, AG_NOISE_GAUSSIAN, 2, 0, 0, 0, 1, 1, 0.8},
    {"lsqml", 7, AG_BATCHES_COMPACT, AG_NOISE_POISSON, 0, 0, 0, 0, 1, -1, 0},
    {"ep", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 0, 0, 1, -1, 0.8},
    {"ep-em", 1, AG_BATCHES_RANDOM, AG_NOISE_GAUSSIAN, 0, 0, 1, 0, 1, -1, 0},
};
#define ROWS ((int)(sizeof row / sizeof *row))

/* Interrupted after one iteration of three, three ranks go on with the same bits; from their file one rank goes on, and
   they from its; and who loads a file and saves it at once writes the same file, whoever that was. */
START_TEST(saved_together)
{
    const int i = _i % ROWS, device = _i / ROWS;
    if ((device || getenv("AG_SLOW")) && i % 5)
        return; /* what is tried here is the host's */
    if (test_emulated(device)) {
        printf("skip: three threads on %s, whose emulated driver knows one\n", test_device(device));
        return;
    }
    /* The state of the large one, 5 MiB, goes in two pieces, of which the second begins amid a rank's frames. */
    ag_scan *scan =
        (row[i].near ? test_near_scan : test_scan)(32, row[i].large ? 320 : 96, row[i].large ? 640 : 20, row[i].jitter);
    const ag_scan_info *info = ag_scan_content(scan);
    ck_assert(!ag_scan_widen(scan, 4, NULL) && (!row[i].large || info->frames > 600));
    ag_options o = test_options(row[i].method);
    o.batch = row[i].batch;
    o.batches = row[i].batches;
    o.noise = row[i].noise;
    o.momentum = row[i].noise == AG_NOISE_POISSON ? 0.5 : 0;
    o.opr_modes = row[i].opr;
    o.opr_start = 0;
    o.opr_intensity = row[i].opr > 0;
    o.modes = row[i].modes;
    o.position_start = row[i].position_start;
    o.probe_start = strcmp(o.method, "ep") ? 0 : -1;
    if (!strncmp(o.method, "ep", 2) && strcmp(o.method, "epie")) {
        o.noise_precision = 1000; /* else rounding is enough for bursts */
        o.rescale = 0;
    }
    if (row[i].turns) {
        ag_device *counts = test_open(device);
        ag_need need;
        o.memory = 1;
        ck_assert_int_eq(ag_solver_memory(counts, scan, &o, &need), AG_OK);
        o.memory = need.least + 2 * (info->object_rows * info->object_cols + MODES * 1024) * (int64_t)sizeof(ag_complex);
        ag_device_close(counts);
    }
    rank whole[RANKS], three[RANKS], again[RANKS], one[1], other[1];
    char *const by_three = scratch_file("three"), *const by_one = scratch_file("one"), *const copy = scratch_file("copy");
    const size_t pixels = (size_t)(info->object_rows * info->object_cols) * sizeof(ag_complex);
    const size_t window = (size_t)o.modes * 1024 * sizeof(ag_complex), places = (size_t)(2 * info->frames) * sizeof(double);

    leg(whole, RANKS, device, scan, &o, NULL, 3, NULL);
    leg(three, RANKS, device, scan, &o, NULL, 1, by_three);
    dismiss(three, RANKS);
    leg(three, RANKS, device, scan, &o, by_three, 2, NULL);
    for (int k = 0; k < RANKS; k++)
        ck_assert_msg(!memcmp(three[k].object, whole[k].object, pixels) && !memcmp(three[k].probe, whole[k].probe, window) &&
                          !memcmp(three[k].error, whole[k].error, 3 * sizeof(double)),
                      "%s on %s: other bits", o.method, test_device(device));
    ck_assert(!memcmp(three->position, whole->position, places));

    leg(one, 1, device, scan, &o, by_three, 0, copy);
    ck_assert_msg(equal(by_three, copy), "%s on %s: one rank has lost what three had saved", o.method, test_device(device));
    dismiss(one, 1);
    leg(one, 1, device, scan, &o, by_three, 2, NULL);
    leg(other, 1, device, scan, &o, NULL, 1, by_one);
    leg(again, RANKS, device, scan, &o, by_one, 0, copy);
    ck_assert_msg(equal(by_one, copy), "%s on %s: three ranks have lost what one had saved", o.method, test_device(device));
    dismiss(again, RANKS);
    leg(again, RANKS, device, scan, &o, by_one, 2, NULL);
    const int64_t count = info->object_rows * info->object_cols;
    const double d = trial_distance(whole->object, one->object, NULL, count, 0);
    const double e = trial_distance(whole->object, again->object, NULL, count, 0);
    printf("%s on %s: resumed by 3 of 3 the same, by 1 of 3 within %.1e, by 3 of 1 %.1e\n", o.method, test_device(device), d, e);
    fflush(stdout);
    /* Refined positions and EM amplify rounding. */
    const double most = o.position_start >= 0 || !strcmp(o.method, "ep-em") ? 1e-3 : 2e-5;
    if (sizeof(ag_real) == 8 || o.noise != AG_NOISE_POISSON)
        ck_assert(d <= most && e <= most);
    dismiss(whole, RANKS);
    dismiss(three, RANKS);
    dismiss(again, RANKS);
    dismiss(one, 1);
    dismiss(other, 1);
    unlink(by_three);
    unlink(by_one);
    unlink(copy);
    free(by_three);
    free(by_one);
    free(copy);
    ag_scan_destroy(scan);
}
END_TEST

static void
expect(const rank *r, const char *words, const char *others)
{
    for (int k = 0; k < RANKS; k++)
        if (!strstr(r[k].message.text, k == 1 ? words : others))
            ck_abort_msg("rank %d: found \"%s\", expected \"%s\"", k, r[k].message.text, k == 1 ? words : others);
}

/* One rank breaks wherever it can while all save, or cannot load: all say so, none waits, the old file stays. */
START_TEST(saved_by_none)
{
    ag_scan *scan = test_scan(32, 96, 20, 0);
    ag_options o = test_options("raar");
    rank r[RANKS];
    struct stat found;
    int broke = 0, whole = 0;
    char *const path = scratch_file("old"), *const copy = scratch_file("kept"), *const part = scratch_file("old.part");
    char *const nowhere = scratch_file("no/where");
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    leg(r, RANKS, 0, scan, &o, NULL, 1, copy);
    dismiss(r, RANKS);
    leg(r, RANKS, 0, scan, &o, copy, 0, path);
    dismiss(r, RANKS);
    for (int meetings = 1; !whole; meetings++) {
        start(r, RANKS, 0, scan, &o);
        for (int k = 0; k < RANKS; k++) {
            r[k].load = copy;
            r[k].save = path;
            r[k].iterations = 1;
        }
        r[1].meetings = meetings;
        run(r, RANKS);
        whole = !r[1].saved;
        broke += !whole;
        for (int k = 0; k < RANKS; k++) {
            ck_assert_int_eq(r[k].saved, whole ? AG_OK : AG_DEVICE_ERROR);
            ck_assert_int_eq(r[k].went_on, r[1].meetings ? AG_OK : AG_DEVICE_ERROR);
        }
        if (!whole) {
            expect(r, "it breaks", "another rank has failed");
            ck_assert(equal(path, copy));
        }
        ck_assert_int_ne(stat(part, &found), 0);
        dismiss(r, RANKS);
    }
    printf("three ranks: one broke at %d places of a save, the old file stayed\n", broke);
    ck_assert_int_gt(broke, 5);
    ck_assert(!equal(path, copy)); /* the last time it was written */

    /* The first cannot write: nobody's device fails, all go on. */
    start(r, RANKS, 0, scan, &o);
    for (int k = 0; k < RANKS; k++)
        r[k].save = nowhere;
    run(r, RANKS);
    for (int k = 0; k < RANKS; k++) {
        ck_assert_int_eq(r[k].saved, k ? AG_DEVICE_ERROR : AG_FILE_ERROR);
        ck_assert_int_eq(r[k].went_on, AG_OK);
    }
    ck_assert(strstr(r[0].message.text, "no/where") && strstr(r[2].message.text, "another rank"));
    dismiss(r, RANKS);

    /* What lies at the detector is of one plan. */
    start(r, RANKS, 0, scan, &o);
    r[1].other_plan = 1;
    for (int k = 0; k < RANKS; k++)
        r[k].save = path;
    run(r, RANKS);
    expect(r, "checkpoint: found the plan", "expected the same on all");
    dismiss(r, RANKS);

    /* One finds no file; or another one. */
    for (int kind = 0; kind < 2; kind++) {
        start(r, RANKS, 0, scan, &o);
        for (int k = 0; k < RANKS; k++)
            r[k].load = k == 1 ? kind ? path : nowhere : copy;
        run(r, RANKS);
        for (int k = 0; k < RANKS; k++)
            ck_assert(r[k].loaded && r[k].ran);
        expect(r, kind ? "another rank has found other" : "No such file", kind ? "another rank has found other" : "another rank has failed");
        dismiss(r, RANKS);
    }
    unlink(path);
    unlink(copy);
    free(path);
    free(copy);
    free(part);
    free(nowhere);
    ag_scan_destroy(scan);
}
END_TEST

void
add_saved_tests(Suite *suite)
{
    TCase *tests = tcase_create("saved");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, saved_together, 0, ROWS * test_devices());
    tcase_add_test(tests, saved_by_none);
    suite_add_tcase(suite, tests);
}
