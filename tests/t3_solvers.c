/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_solvers.c -- the solvers against reference vectors, and what must hold for each of them.

   Compiled twice: in single precision for every device, in double precision for the cpu.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"
#include "vectors.h"

/* One row of the reference vectors (tests/data/README.md): the amplification of rounding and the
   deviation of single precision, after one and two iterations. */
typedef struct golden {
    const char *file, *name, *method;
    double alpha, beta, object_step, probe_step;
    double amplification[2], single[2];
    double damping, sparsity; /* ep */
    int64_t probe_steps;
} golden;

static const golden row[] = {
    {"small_clean", "pie", "pie", .1, 1, 1, 0, {3, 3}, {6e-7, 6e-7}, 0, 0, 0},
    {"small_clean", "epie", "epie", 1, 1, .1, .1, {1, 1}, {1e-7, 2e-7}, 0, 0, 0},
    {"small_clean", "epie_unit", "epie", 1, 1, 1, 1, {10, 0}, {3e-6, 0}, 0, 0, 0},
    {"small_clean", "rpie", "rpie", .1, 1, .1, .2, {2, 3}, {2e-7, 3e-7}, 0, 0, 0},
    {"small_clean", "dm", "dm", 0, 0, 0, 0, {3, 3}, {3e-7, 5e-7}, 0, 0, 0},
    {"small_gauss", "pie", "pie", .1, 1, 1, 0, {1, 1}, {3e-7, 3e-7}, 0, 0, 0},
    {"small_gauss", "epie", "epie", 1, 1, .1, .1, {1, 1}, {1e-7, 2e-7}, 0, 0, 0},
    {"small_gauss", "epie_unit", "epie", 1, 1, 1, 1, {10, 0}, {2e-6, 0}, 0, 0, 0},
    {"small_gauss", "rpie", "rpie", .1, 1, .1, .2, {3, 4}, {3e-7, 7e-7}, 0, 0, 0},
    {"small_gauss", "dm", "dm", 0, 0, 0, 0, {3, 3}, {3e-7, 3e-7}, 0, 0, 0},
    {"small_clean", "ep", "ep", 0, 0, 0, 0, {9, 30}, {7e-7, 3e-6}, .7, 0, 0},
    {"small_clean", "ep_sparse", "ep", 0, 0, 0, 0, {10, 0}, {4e-6, 0}, .7, .5, 0},
    {"small_clean", "ep_em", "ep-em", 0, 0, 0, 0, {200, 100}, {8e-6, 6e-6}, .7, 0, 1},
    {"small_clean", "ep_em2", "ep-em", 0, 0, 0, 0, {200, 0}, {6e-6, 0}, .5, 0, 2},
    {"small_gauss", "ep", "ep", 0, 0, 0, 0, {10, 20}, {2e-6, 4e-6}, .7, 0, 0},
    {"small_gauss", "ep_sparse", "ep", 0, 0, 0, 0, {2, 0}, {3e-6, 0}, .7, .5, 0},
    {"small_gauss", "ep_em", "ep-em", 0, 0, 0, 0, {200, 200}, {4e-5, 3e-5}, .7, 0, 1},
    {"small_gauss", "ep_em2", "ep-em", 0, 0, 0, 0, {20, 0}, {3e-6, 0}, .5, 0, 2},
};
#define ROWS ((int)(sizeof row / sizeof *row))

static ag_complex *
complex_of(vectors *v, const char *name, int64_t *count)
{
    const double *value = vectors_f64(v, name, count);
    *count /= 2;
    ag_complex *z = ag_calloc(*count, sizeof *z);
    ck_assert_ptr_nonnull(z);
    for (int64_t i = 0; i < *count; i++) {
        z[i].re = (ag_real)value[2 * i];
        z[i].im = (ag_real)value[2 * i + 1];
    }
    return z;
}

/* The frames in visiting order. */
static ag_scan *
golden_scan(vectors *v)
{
    int64_t n, pixels;
    const double *order = vectors_f64(v, "order", &n), *corners = vectors_f64(v, "corners", NULL);
    const double *amplitudes = vectors_f64(v, "amplitudes", &pixels);
    const int64_t window = pixels / n;
    ag_real *data = ag_calloc(pixels, sizeof *data);
    double *position = ag_calloc(2 * n, sizeof *position);
    ck_assert(data && position);
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = (int64_t)order[i];
        position[2 * i] = corners[2 * j];
        position[2 * i + 1] = corners[2 * j + 1];
        for (int64_t k = 0; k < window; k++)
            data[i * window + k] = (ag_real)amplitudes[j * window + k];
    }
    ag_scan_info info = {.frames = n, .rows = 32, .cols = 32, .data = data, .data_are_amplitudes = 1,
                         .zero_in_corner = 1, .position = position, .object_rows = 96, .object_cols = 96};
    ag_scan *scan;
    ag_message message;
    if (ag_scan_create(&scan, &info, &message))
        ck_abort_msg("%s", message.text);
    free(data);
    free(position);
    return scan;
}

/* Relative 2-norm of the difference where mask (NULL: everywhere) is set. */
static double
distance(const ag_complex *z, const double *reference, const double *mask, int64_t count)
{
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < count; i++) {
        const double re = reference[2 * i], im = reference[2 * i + 1];
        if (mask && mask[i] == 0)
            continue;
        difference += ((double)z[i].re - re) * ((double)z[i].re - re) + ((double)z[i].im - im) * ((double)z[i].im - im);
        norm += re * re + im * im;
    }
    return sqrt(difference / norm);
}

static void
compare(ag_array *array, vectors *v, const char *key, const char *what, int iteration, const double *mask,
        double tolerance)
{
    char name[64];
    snprintf(name, sizeof name, "%s.it%d.%s", key, iteration, what);
    const double *reference = vectors_f64(v, name, NULL);
    const int64_t count = ag_array_count(array);
    ag_complex *z = ag_calloc(count, sizeof *z);
    ck_assert_int_eq(ag_array_read(array, 0, count, z), AG_OK);
    const double d = distance(z, reference, mask, count);
    printf("%-10s %-6s iteration %d: %.1e (at most %.1e)\n", key, what, iteration, d, tolerance);
    free(z);
    if (!(d <= tolerance))
        ck_abort_msg("%s: found a distance of %g, expected at most %g", name, d, tolerance);
}

static int
fixed_probe(const golden *g)
{
    return !strcmp(g->method, "pie") || !strcmp(g->method, "ep");
}

START_TEST(reference_vectors)
{
    const golden *g = &row[_i % ROWS];
    char path[64];
    snprintf(path, sizeof path, "%s.safetensors", g->file);
    vectors *v = vectors_open(test_data(path));
    ag_scan *scan = golden_scan(v);
    int64_t object_count, probe_count, errors;
    ag_complex *object = complex_of(v, "object0", &object_count);
    ag_complex *probe = complex_of(v, fixed_probe(g) ? "probe_true" : "probe0", &probe_count);
    const double *mask = vectors_f64(v, "mask", NULL);
    ag_options o = test_options(g->method);
    o.alpha = g->alpha;
    o.beta = g->beta;
    o.object_step = g->object_step;
    o.probe_step = g->probe_step;
    o.probe_start = fixed_probe(g) ? -1 : 0;
    o.damping = g->damping;
    o.sparsity = g->sparsity;
    o.probe_steps = g->probe_steps;
    o.rescale = 0;
    o.noise_precision = g->damping > 0 ? *vectors_f64(v, "gamma_w", NULL) : 0;
    o.object_inertia = o.probe_inertia = 0;
    o.clip_amplitudes = 0;
    o.modulus_floor = 0;
    o.shuffle = 0;
    ag_device *device = test_open(_i / ROWS);
    ag_array *objects, *probes;
    ag_solver *solver;
    ag_array_create(&objects, device, AG_COMPLEX, object_count);
    ag_array_create(&probes, device, AG_COMPLEX, probe_count);
    ag_array_write(objects, 0, object_count, object);
    ag_array_write(probes, 0, probe_count, probe);
    if (ag_solver_create(&solver, device, ag_comm_self(), scan, &o, objects, probes))
        ck_abort_msg("%s", ag_device_message(device));
    printf("%s on %s\n", g->file, test_where(device));
    for (int k = 0; k < 2; k++) {
        const double rounding = sizeof(ag_real) == 8 ? 1000 * g->amplification[k] * 1e-16 : 10 * g->single[k];
        ck_assert_int_eq(ag_solver_run(solver, 1, NULL, NULL), AG_OK);
        if (g->single[k] == 0)
            continue;
        compare(objects, v, g->name, "object", k + 1, mask, rounding);
        if (o.probe_start == 0)
            /* The columns speak of the object; the probe, divided by fewer sums, is given five times as much. */
            compare(probes, v, g->name, "probe", k + 1, NULL, 5 * rounding);
    }
    ck_assert_int_eq(ag_solver_run(solver, 8, NULL, NULL), AG_OK);
    /* The files hold mean squares, the history relative norms. */
    char name[64];
    snprintf(name, sizeof name, "%s.error", g->name);
    const double *reference = vectors_f64(v, name, &errors), *error, *seconds;
    const ag_scan_info *info = ag_scan_content(scan);
    double energy = 0;
    for (int64_t i = 0; i < info->frames * 1024; i++)
        energy += (double)info->data[i] * (double)info->data[i];
    ck_assert_int_eq(ag_solver_history(solver, &error, &seconds), 10);
    /* A burst of PtychoEP (doc/solvers.md) makes anything of rounding, in single precision after a few iterations. */
    for (int k = 0; k < (g->damping > 0 && sizeof(ag_real) == 4 ? 3 : 10); k++) {
        const double found = error[k] * error[k] * energy / (double)(info->frames * 1024);
        const double loose = !strcmp(g->name, "epie_unit") || g->damping > 0 ? 50 : 1; /* rounding grows */
        const double tolerance = (sizeof(ag_real) == 8 ? 1e-7 : 2e-3) * loose;
        if (!(fabs(found / reference[k] - 1) <= tolerance))
            ck_abort_msg("%s, iteration %d: found an error of %g, expected %g", name, k + 1, found, reference[k]);
    }
    ag_solver_destroy(solver);
    ag_array_destroy(objects);
    ag_array_destroy(probes);
    ag_device_close(device);
    ag_scan_destroy(scan);
    vectors_close(v);
    free(object);
    free(probe);
}
END_TEST

void
trial_refused(const ag_scan *scan, const ag_options *options, const char *words)
{
    ag_device *device = test_open(0);
    ag_need need;
    ck_assert_int_eq(ag_solver_memory(device, scan, options, &need), AG_BAD_ARGUMENT);
    ck_assert_msg(strstr(ag_device_message(device), words) != NULL, "%s", ag_device_message(device));
    ag_device_close(device);
}

int
main(void)
{
    Suite *suite = suite_create("t3_solvers");
    TCase *tests = tcase_create("reference");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, reference_vectors, 0, ROWS * test_devices());
    suite_add_tcase(suite, tests);
    add_property_tests(suite);
    add_long_tests(suite);
    add_mode_tests(suite);
    add_physics_tests(suite);
    add_lsqml_tests(suite);
    add_position_tests(suite);
    add_constraint_tests(suite);
    add_background_tests(suite);
    add_residual_tests(suite);
    add_orientation_tests(suite);
    add_real_tests(suite);
    add_rank_tests(suite);
    add_beside_tests(suite);
    add_saved_tests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    if (!getenv("CK_RUN_CASE") && !getenv("CK_RUN_SUITE"))
        failed += test_summary("solvers", METHODS, ag_method_name);
    srunner_free(runner);
    return failed != 0;
}
