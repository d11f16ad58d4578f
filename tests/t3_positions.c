/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_positions.c -- positions with errors that are told from the data.

   ARGAND_POSITIONS makes the table of doc/solvers.md: a row of it (0 to 7), or all.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

typedef enum error_kind { ALONE, AFFINE } error_kind;

/* A simulated scan with wrong positions, and the right ones. */
typedef struct wrong {
    ag_scan *scan;
    double *truth;
    int64_t frames;
} wrong;

/* Root mean square of the distances from the truth, less what all frames have in common. */
static double
distance(const wrong *w, const double *found)
{
    double mean[2] = {0, 0}, square = 0;
    for (int64_t i = 0; i < 2 * w->frames; i++)
        mean[i % 2] += (found[i] - w->truth[i]) / (double)w->frames;
    for (int64_t i = 0; i < 2 * w->frames; i++)
        square += pow(found[i] - w->truth[i] - mean[i % 2], 2);
    return sqrt(square / (double)w->frames);
}

/* Errors of `rms` pixels, normally distributed in the plane; or a map that turns, shears and stretches. */
static wrong
wrong_begin(ag_geometry geometry, int64_t frame, int64_t points, error_kind kind, double rms, uint64_t seed)
{
    ag_simulation simulation;
    ag_message message;
    ag_random random;
    wrong w;
    ag_simulation_default(&simulation);
    simulation.frame = frame;
    simulation.object = 4 * frame;
    simulation.points = points;
    simulation.seed = seed;
    simulation.geometry = geometry;
    if (ag_scan_simulate(&w.scan, &simulation, &message) || ag_scan_widen(w.scan, 16, &message))
        ck_abort_msg("%s", message.text);
    const ag_scan_info *info = ag_scan_content(w.scan);
    double *position = (double *)info->position, middle[2] = {0, 0};
    w.frames = info->frames;
    w.truth = calloc(2 * (size_t)w.frames, sizeof *w.truth);
    ck_assert_ptr_nonnull(w.truth);
    memcpy(w.truth, position, 2 * (size_t)w.frames * sizeof *w.truth);
    ag_random_seed(&random, seed);
    for (int64_t i = 0; i < 2 * w.frames; i++)
        middle[i % 2] += position[i] / (double)w.frames;
    for (int64_t j = 0; j < w.frames; j++) {
        const double y = position[2 * j] - middle[0], x = position[2 * j + 1] - middle[1];
        position[2 * j] += kind == AFFINE ? 0.02 * y - 0.03 * x : rms * sqrt(0.5) * ag_random_normal(&random);
        position[2 * j + 1] += kind == AFFINE ? 0.03 * y - 0.01 * x : rms * sqrt(0.5) * ag_random_normal(&random);
    }
    return w;
}

static void
wrong_end(wrong *w)
{
    ag_scan_destroy(w->scan);
    free(w->truth);
}

/* The positions after so many iterations on a device. */
static double *
positions_after(int device, const wrong *w, const ag_options *o, int64_t iterations)
{
    double *found = calloc(2 * (size_t)w->frames, sizeof *found);
    ck_assert_ptr_nonnull(found);
    trial t = trial_begin(device, NULL, w->scan, o);
    trial_run(&t, iterations);
    ag_solver_positions(t.solver, found);
    trial_end(&t);
    return found;
}

static ag_options
refining(const char *method)
{
    ag_options o = test_options(method);
    if (!strcmp(method, "lsqml"))
        o.batch = 20;
    o.position_start = 5;
    return o;
}

static double
left_after(const wrong *w, const ag_options *o, int64_t iterations)
{
    double *found = positions_after(0, w, o, iterations);
    const double left = distance(w, found);
    free(found);
    return left;
}

START_TEST(corrects)
{
    static const struct {
        const char *method;
        ag_geometry geometry;
        error_kind kind;
        int64_t iterations;
        double begin, most;
        ag_position_method by;
        double rms;
    } row[] = {
        {"lsqml", AG_FAR_FIELD, ALONE, 100, 2.7, 0.1, AG_POSITION_GRADIENT, 3},
        {"lsqml", AG_NEAR_FIELD, ALONE, 120, 2.7, 0.1, AG_POSITION_GRADIENT, 3},
        {"dm", AG_FAR_FIELD, ALONE, 200, 2.7, 0.1, AG_POSITION_GRADIENT, 3},
        {"lsqml", AG_FAR_FIELD, AFFINE, 75, 1.0, 0.2, AG_POSITION_GRADIENT, 3},
        {"lsqml", AG_NEAR_FIELD, ALONE, 100, 2.7, 0.1, AG_POSITION_CORRELATION, 3},
        {"lsqml", AG_FAR_FIELD, ALONE, 100, 1.8, 0.1, AG_POSITION_CORRELATION, 2},
    };
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    wrong w = wrong_begin(row[_i].geometry, 128, 140, row[_i].kind, row[_i].rms, 1);
    ag_options o = refining(row[_i].method);
    o.position_affine = row[_i].kind == AFFINE;
    o.position_method = row[_i].by;
    const double begin = distance(&w, ag_scan_content(w.scan)->position), left = left_after(&w, &o, row[_i].iterations);
    printf("%s, %s, %s, %s errors of %.2f pixels: %.3f are left (at most %.2g)\n", o.method,
           row[_i].geometry == AG_FAR_FIELD ? "far field" : "near field",
           row[_i].by == AG_POSITION_GRADIENT ? "gradient" : "correlation", row[_i].kind == AFFINE ? "affine" : "random",
           begin, left, row[_i].most);
    ck_assert_double_gt(begin, row[_i].begin);
    ck_assert_double_le(left, row[_i].most);
    wrong_end(&w);
}
END_TEST

/* A scan with right positions keeps them. */
START_TEST(keeps)
{
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    wrong w = wrong_begin(AG_FAR_FIELD, 128, 100, ALONE, 0, 1);
    const ag_options o = refining("lsqml");
    ck_assert_double_le(left_after(&w, &o, 40), 0.1);
    wrong_end(&w);
}
END_TEST

/* The same positions on all devices, with every method that refines them. */
START_TEST(agrees)
{
    static const char *const method[] = {"rpie", "lsqml", "ap", "rpie", "dm"};
    double *found[10];
    wrong w = wrong_begin(AG_FAR_FIELD, 32, 9, ALONE, 1, 1);
    for (int k = 0; k < 10; k++) {
        ag_options o = refining(method[k % 5]);
        o.position_start = 1;
        o.position_method = k % 5 > 2 ? AG_POSITION_CORRELATION : AG_POSITION_GRADIENT;
        o.batch = k % 5 == 1 ? 4 : 1;
        if (k == 5)
            setenv("ARGAND_TEST_DEVICES", "cpu", 1);
        found[k] = positions_after(k < 5 ? _i : 0, &w, &o, 3);
    }
    for (int k = 0; k < 5; k++) {
        double most = 0, moved = 0;
        for (int64_t i = 0; i < 2 * w.frames; i++) {
            most = fmax(most, fabs(found[k][i] - found[k + 5][i]));
            moved = fmax(moved, fabs(found[k][i] - ag_scan_content(w.scan)->position[i]));
        }
        ck_assert_double_gt(moved, 0.01);
        ck_assert_double_le(most, 1e-3);
        free(found[k]);
        free(found[k + 5]);
    }
    wrong_end(&w);
}
END_TEST

START_TEST(table)
{
    static const char *const method[] = {"lsqml", "dm"};
    const char *const row = getenv("ARGAND_POSITIONS");
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    for (int rms = 1; rms <= 5 && (!strcmp(row, "all") || atoi(row) == _i); rms++) {
        wrong w = wrong_begin(_i & 2 ? AG_NEAR_FIELD : AG_FAR_FIELD, 128, 200, ALONE, rms, 1);
        double *const found = calloc(2 * (size_t)w.frames, sizeof *found), left[2];
        ag_options o = refining(method[_i & 1]);
        o.position_method = _i & 4 ? AG_POSITION_CORRELATION : AG_POSITION_GRADIENT;
        trial t = trial_begin(0, NULL, w.scan, &o);
        ck_assert_ptr_nonnull(found);
        for (int k = 0; k < 2; k++) {
            trial_run(&t, 100);
            ag_solver_positions(t.solver, found);
            left[k] = distance(&w, found);
        }
        printf("%s by %s, %s field, %d pixels: %.3f after 100 iterations, %.3f after 200\n", o.method,
               _i & 4 ? "correlation" : "gradient", _i & 2 ? "near" : "far", rms, left[0], left[1]);
        fflush(stdout);
        trial_end(&t);
        free(found);
        wrong_end(&w);
    }
}
END_TEST

void
add_position_tests(Suite *suite)
{
    TCase *tests = tcase_create("positions");
    tcase_set_timeout(tests, 1200);
    /* In one precision: they take seconds each. */
    const int slow = getenv("AG_SLOW") || sizeof(ag_real) > 4;
    tcase_add_loop_test(tests, corrects, 0, slow ? 0 : 6);
    tcase_add_loop_test(tests, keeps, 0, slow ? 0 : 1);
    tcase_add_loop_test(tests, agrees, 0, test_machines());
    if (getenv("ARGAND_POSITIONS"))
        tcase_add_loop_test(tests, table, 0, 8);
    suite_add_tcase(suite, tests);
}
