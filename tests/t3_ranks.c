/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_ranks.c -- threads that share a reconstruction. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "t3.h"

#define RANKS 3
#define ITERATIONS 4
#define REFINED    12 /* where positions are refined: frames that are lost are looked for once */

typedef struct rank {
    ag_comm *comm;
    const ag_scan *scan;
    ag_options options;
    ag_device *device;
    ag_progress_callback *progress;
    int64_t done;
    ag_status status;
    ag_complex *object, *probe;
    double error[ITERATIONS], residual[2][ITERATIONS], *position;
    int64_t iterations;
    ag_quality quality;
} rank;

static void *
share(void *user)
{
    rank *r = user;
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = info->rows * info->cols;
    ag_array *object, *probe;
    ag_solver *solver;
    const double *error, *seconds, *residual[2];
    ag_array_create(&object, r->device, AG_COMPLEX, pixels);
    ag_array_create(&probe, r->device, AG_COMPLEX, window);
    for (int64_t i = 0; i < pixels; i++)
        r->object[i] = (ag_complex){1, 0};
    ag_array_write(object, 0, pixels, r->object);
    ag_array_write(probe, 0, window, info->probe);
    r->status = ag_solver_create(&solver, r->device, r->comm, r->scan, &r->options, object, probe);
    if (!r->status)
        r->status = ag_solver_run(solver, r->iterations, r->progress, r);
    if (!r->status) {
        r->status = ag_solver_measure(solver, &r->quality);
        ck_assert_int_eq(ag_solver_history(solver, &error, &seconds), r->iterations);
        if (r->position)
            ag_solver_positions(solver, r->position);
        memcpy(r->error, error, sizeof r->error);
        ag_solver_residuals(solver, &residual[0], &residual[1]);
        for (int k = 0; k < 2 && residual[k]; k++)
            memcpy(r->residual[k], residual[k], sizeof r->residual[k]);
        ag_array_read(object, 0, pixels, r->object);
        ag_array_read(probe, 0, window, r->probe);
    }
    ag_solver_destroy(solver);
    ag_array_destroy(object);
    ag_array_destroy(probe);
    return NULL;
}

static const struct {
    const char *method;
    int64_t batch;
} shared[] = {{"dm", 1}, {"ap", 1}, {"raar", 1}, {"pie", 7}, {"epie", 1}, {"rpie", 7}, {"lsqml", 7}, {"ep", 1}, {"ep-em", 1}};
#define SHARED 9

/* Runs `ranks` threads with what r[] says; the caller frees the results with dismiss. */
static void
run(int device, rank *r, int ranks, const ag_scan *scan, const ag_options *o)
{
    const ag_scan_info *info = ag_scan_content(scan);
    pthread_t thread[RANKS];
    ag_comm **comm;
    ag_message message;
    ck_assert_int_eq(ag_comm_threads(&comm, ranks, &message), AG_OK);
    for (int k = 0; k < ranks; k++) {
        r[k].comm = comm[k];
        r[k].scan = scan;
        r[k].options = *o;
        r[k].iterations = r[k].position ? REFINED : ITERATIONS;
        r[k].device = test_open(device);
        r[k].object = ag_calloc(info->object_rows * info->object_cols, sizeof *r->object);
        r[k].probe = ag_calloc(info->rows * info->cols, sizeof *r->probe);
        ck_assert(r[k].object && r[k].probe);
    }
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
    }
}

/* One rank, three, and the solver alone: the same but for the order of sums; all ranks the same bits. */
static void
as_one(int i, ag_scan *scan, ag_noise noise, ag_batching batches)
{
    ag_options o = test_options(shared[i % SHARED].method);
    rank three[RANKS] = {{0}}, one[1] = {{0}};
    o.probe_start = strcmp(o.method, "ep") ? 1 : -1;
    o.noise = noise;
    o.batches = batches;
    o.opr_modes = batches != AG_BATCHES_RANDOM && !strcmp(o.method, "lsqml") ? 2 : 0;
    o.background_start = batches != AG_BATCHES_RANDOM && i % SHARED < 3 ? 1 : -1; /* dm, ap, raar */
    o.background_period = 2;
    o.residuals = !strcmp(o.method, "ap") || !strcmp(o.method, "raar");
    o.opr_start = 1;
    o.opr_intensity = o.opr_modes > 0;
    if (sizeof(ag_real) == 4 && !strncmp(o.method, "ep", 2) && strcmp(o.method, "epie")) {
        /* Single precision and sums of another order are enough for bursts: only sums that have one order. */
        o.rescale = 0;
        o.noise_precision = 1000;
    }
    o.batch = shared[i % SHARED].batch;
    trial alone = trial_begin(i / SHARED, NULL, scan, &o); /* first, and so its kernels are in the cache */
    trial_run(&alone, ITERATIONS);
    run(i / SHARED, three, RANKS, scan, &o);
    run(i / SHARED, one, 1, scan, &o);
    ag_complex *object = trial_object(&alone), *probe = trial_probe(&alone);
    const size_t pixels = (size_t)alone.pixels * sizeof *object, window = (size_t)alone.window * sizeof *probe;
    ck_assert_int_eq(one->status, AG_OK);
    ck_assert(!memcmp(one->object, object, pixels) && !memcmp(one->probe, probe, window));
    for (int k = 0; k < RANKS; k++) {
        if (three[k].status)
            ck_abort_msg("%s", ag_device_message(three[k].device));
        ck_assert(!memcmp(three[k].object, three[0].object, pixels) && !memcmp(three[k].probe, three[0].probe, window));
        ck_assert(!memcmp(three[k].error, three[0].error, sizeof one->error));
        ck_assert(!memcmp(three[k].residual, three[0].residual, sizeof one->residual));
        ck_assert(three[k].quality.relative_l2 == three[0].quality.relative_l2);
    }
    const double d = trial_distance(object, three[0].object, NULL, alone.pixels, 0);
    const double p = trial_distance(probe, three[0].probe, NULL, alone.window, 0);
    printf("%s on %s, %d ranks: object within %.1e, probe %.1e\n", o.method, test_device(i / SHARED), RANKS, d, p);
    fflush(stdout);
    const double most = sizeof(ag_real) == 8 ? 1e-6 : !strcmp(o.method, "ep-em") ? 1e-3 : 2e-5; /* EM amplifies rounding */
    ck_assert_double_le(d, most);
    ck_assert_double_le(p, most);
    for (int k = 0; k < ITERATIONS; k++)
        ck_assert_double_le(fabs(three[0].error[k] / one->error[k] - 1), most);
    for (int k = 0; k < 2 * ITERATIONS && o.residuals; k++)
        ck_assert_double_le(fabs(three[0].residual[k % 2][k / 2] / one->residual[k % 2][k / 2] - 1), most);
    ck_assert_double_le(fabs(three[0].quality.r_factor / one->quality.r_factor - 1), most);
    free(object);
    free(probe);
    trial_end(&alone);
    dismiss(three, RANKS);
    dismiss(one, 1);
    ag_scan_destroy(scan);
}

START_TEST(ranks)
{
    if (test_emulated(_i / SHARED)) {
        printf("skip: three threads on %s, whose emulated driver knows one\n", test_device(_i / SHARED));
        return;
    }
    as_one(_i, test_scan(32, 80, 20, 0.8), AG_NOISE_GAUSSIAN, AG_BATCHES_RANDOM); /* shifted probes */
    /* Poisson steps amplify rounding so much that single precision shows nothing. */
    as_one(_i, test_near_scan(32, 80, 20, 0), sizeof(ag_real) == 8 ? AG_NOISE_POISSON : AG_NOISE_GAUSSIAN, _i % 2 ? AG_BATCHES_COMPACT : AG_BATCHES_UNIFORM);
}
END_TEST

/* Positions that are wrong, refined by one rank and by three, whose frames are in one array. */
START_TEST(ranks_refine)
{
    static const struct {
        const char *method;
        int64_t batch;
        int affine;
        ag_position_method by;
    } row[] = {{"dm", 1, 0, AG_POSITION_GRADIENT}, {"rpie", 7, 0, AG_POSITION_CORRELATION}, {"ap", 1, 1, AG_POSITION_GRADIENT},
             {"lsqml", 8, 0, AG_POSITION_GRADIENT}};
    if (test_emulated(_i / 4)) {
        printf("skip: three threads on %s, whose emulated driver knows one\n", test_device(_i / 4));
        return;
    }
    ag_scan *scan = test_scan(32, 96, 40, 0.8);
    const ag_scan_info *info = ag_scan_content(scan);
    ag_options o = test_options(row[_i % 4].method);
    rank three[RANKS] = {{0}}, one[1] = {{0}};
    ag_random random;
    double found[2][80], most = 0, moved = 0;
    o.batch = row[_i % 4].batch;
    o.position_affine = row[_i % 4].affine;
    o.position_method = row[_i % 4].by;
    o.position_start = o.probe_start = 1;
    ck_assert(!ag_scan_widen(scan, 4, NULL) && info->frames <= 40);
    ag_random_seed(&random, 3);
    for (int64_t i = 0; i < 2 * info->frames; i++)
        ((double *)info->position)[i] += 2 * ag_random_uniform(&random) - 1;
    for (int k = 0; k < RANKS; k++)
        three[k].position = found[0];
    one->position = found[1];
    run(_i / 4, one, 1, scan, &o);
    run(_i / 4, three, RANKS, scan, &o);
    ck_assert_msg(!one->status && !three[0].status, "%s", ag_device_message(three[0].device));
    for (int64_t i = 0; i < 2 * info->frames; i++) {
        most = fmax(most, fabs(found[0][i] - found[1][i]));
        moved = fmax(moved, fabs(found[0][i] - info->position[i]));
    }
    printf("%s on %s, %d ranks: positions within %.1e, moved by up to %.2f\n", o.method, test_device(_i / 4), RANKS, most, moved);
    ck_assert_double_gt(moved, 0.2);
    ck_assert_double_le(most, 2e-3);
    ck_assert(!memcmp(three[0].object, three[2].object, (size_t)(info->object_rows * info->object_cols) * sizeof *one->object));
    dismiss(three, RANKS);
    dismiss(one, 1);
    ag_scan_destroy(scan);
}
END_TEST

static int
third_iteration(void *user, const ag_progress *p)
{
    rank *r = user;
    r->done = p->iteration;
    if (p->iteration == 3 && r->comm->rank == 1)
        ag_device_fail(r->device, AG_DEVICE_ERROR, "it breaks");
    return 0;
}

static int
second_iteration(void *user, const ag_progress *p)
{
    rank *r = user;
    r->done = p->iteration;
    return p->iteration == 2 && r->comm->rank == 2;
}

/* No rank waits for one that has failed or been cancelled, or that never began. */
START_TEST(ranks_end_together)
{
    ag_scan *scan = test_scan(32, 80, 20, 0), *small = test_scan(32, 80, 2, 0);
    ag_options o = test_options("raar");
    ag_message message;
    ag_comm **comm;
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    for (int kind = 0; kind < 4; kind++) {
        rank r[RANKS] = {{0}};
        for (int k = 0; k < RANKS; k++)
            r[k].progress = kind == 0 ? third_iteration : second_iteration;
        if (kind == 2)
            o.beta = -1;
        run(0, r, RANKS, kind == 3 ? small : scan, &o);
        for (int k = 0; k < RANKS; k++) {
            const char *const words[] = {k == 1 ? "it breaks" : "another rank", "", "beta", "found 3, expected at most"};
            ck_assert_int_eq(r[k].status, kind == 0 ? AG_DEVICE_ERROR : kind == 1 ? AG_CANCELLED : AG_BAD_ARGUMENT);
            ck_assert_int_eq(r[k].done, kind == 0 ? 3 : kind == 1 ? 2 : 0);
            if (!strstr(ag_device_message(r[k].device), words[kind]))
                ck_abort_msg("found \"%s\", expected \"%s\"", ag_device_message(r[k].device), words[kind]);
        }
        dismiss(r, RANKS);
        o = test_options("raar");
    }
    ck_assert_int_eq(ag_comm_threads(&comm, 0, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_null(comm);
    ag_scan_destroy(scan);
    ag_scan_destroy(small);
}
END_TEST

void
add_rank_tests(Suite *suite)
{
    TCase *tests = tcase_create("ranks");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, ranks, 0, SHARED * test_devices());
    tcase_add_loop_test(tests, ranks_refine, 0, 4 * test_devices());
    tcase_add_test(tests, ranks_end_together);
    suite_add_tcase(suite, tests);
}
