/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_fft_passes.c -- whole propagations by a library that transforms, against their formula in double
   and against the fused path. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "t3_fft.h"

#define PI    3.14159265358979323846
#define SLOTS 3
#define ROOM  4 /* frames that the library is prepared for, so that one of them is nobody's */
typedef double complex wave;

/* clFFT does not know larger prime factors. */
static int
too_prime(const char *name, int64_t n)
{
    static const int prime[] = {2, 3, 5, 7, 11, 13};
    for (int i = 0; i < 6; i++)
        while (n % prime[i] == 0)
            n /= prime[i];
    return !strcmp(name, "clfft") && n > 1;
}

static const struct size {
    int rows, cols, emulated; /* also where that is slow */
} sizes[] = {{16, 16, 1}, {30, 42, 0}, {13, 17, 1},  {2, 3, 1},
             {15, 16, 1}, {31, 64, 0}, {37, 131, 0}, {128, 128, 0}};

typedef struct problem {
    int rows, cols;
    int64_t pixels, object_cols;
    ag_complex *object, *probe;
    ag_real *data;
    int32_t corner[2 * SLOTS];
    wave *spectrum, *result; /* by the formulas */
} problem;

static const double least = 0.1, guard = 1e-3;

static void
naive(wave *value, int n, int step, int sign)
{
    wave *const out = ag_calloc(n, sizeof *out);
    ck_assert_ptr_nonnull(out);
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            out[k] += value[(int64_t)i * step] *
                      cexp(sign * 2 * PI * I * (double)((int64_t)i * k % n) / n);
    for (int k = 0; k < n; k++)
        value[(int64_t)k * step] = out[k];
    free(out);
}

static void
naive_frame(const problem *p, wave *frame, int sign)
{
    for (int x = 0; x < p->cols; x++)
        naive(frame + x, p->rows, p->cols, sign);
    for (int y = 0; y < p->rows; y++)
        naive(frame + (int64_t)y * p->cols, p->cols, 1, sign);
}

/* Of frame s at pixel i: the probe times the window that begins at row 2 s, column s. */
static wave
exit_wave(const problem *p, int s, int64_t i)
{
    const ag_complex q = p->probe[i];
    const ag_complex o = p->object[(2 * s + i / p->cols) * p->object_cols + s + i % p->cols];
    return ((double)o.re + I * (double)o.im) * ((double)q.re + I * (double)q.im);
}

static problem
make(const struct size *at)
{
    ag_random random;
    problem p = {.rows = at->rows, .cols = at->cols};
    p.pixels = (int64_t)p.rows * p.cols;
    p.object_cols = p.cols + 5;
    const int64_t object = (at->rows + 4) * p.object_cols, all = SLOTS * p.pixels;
    ag_random_seed(&random, 5);
    p.object = ag_calloc(object, sizeof *p.object);
    p.probe = ag_calloc(p.pixels, sizeof *p.probe);
    p.data = ag_calloc(all, sizeof *p.data);
    p.spectrum = ag_calloc(all, sizeof *p.spectrum);
    p.result = ag_calloc(all, sizeof *p.result);
    ck_assert(p.object && p.probe && p.data && p.spectrum && p.result);
    for (int64_t i = 0; i < 2 * object; i++)
        ((ag_real *)p.object)[i] = (ag_real)ag_random_normal(&random);
    for (int64_t i = 0; i < 2 * p.pixels; i++)
        ((ag_real *)p.probe)[i] = (ag_real)ag_random_normal(&random);
    for (int64_t i = 0; i < all; i++)
        p.data[i] = (ag_real)fabs(ag_random_normal(&random));
    const double scale = 1 / sqrt((double)p.pixels);
    for (int s = 0; s < SLOTS; s++) {
        wave *const spectrum = p.spectrum + s * p.pixels, *const result = p.result + s * p.pixels;
        p.corner[2 * s] = 2 * s;
        p.corner[2 * s + 1] = s;
        for (int64_t i = 0; i < p.pixels; i++)
            spectrum[i] = exit_wave(&p, s, i);
        naive_frame(&p, spectrum, -1);
        for (int64_t i = 0; i < p.pixels; i++)
            result[i] = spectrum[i] * scale * scale * (double)p.data[s * p.pixels + i] /
                        (fmax(scale * cabs(spectrum[i]), least) + guard);
        naive_frame(&p, result, 1);
        for (int64_t i = 0; i < p.pixels; i++)
            result[i] -= exit_wave(&p, s, i);
    }
    return p;
}

static void
end(problem *p)
{
    free(p->object);
    free(p->probe);
    free(p->data);
    free(p->spectrum);
    free(p->result);
}

typedef struct detector {
    ag_array *error, *amplitude;
    ag_complex *spectrum; /* what the library made of the waves; NULL: not wanted */
} detector;

static void
modulus(const ag_pass *p, void *what)
{
    const detector *d = what;
    const int64_t pixels = (int64_t)p->plan->shape.y.length * p->plan->shape.x.length;
    if (d->spectrum)
        ag_array_read(p->scratch, 0, 2 * SLOTS * pixels, d->spectrum);
    ag_run_modulus(p->program, p->slots, p->scratch, p->plan->table_x, d->error, &p->frame, 0,
                   d->amplitude, 1 / sqrt((double)pixels), least, guard, p->spill);
}

static double
distance(const ag_complex *z, const wave *expected, int64_t count)
{
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < count; i++) {
        const double e = cabs((double)z[i].re + I * (double)z[i].im - expected[i]);
        difference += e * e;
        norm += pow(cabs(expected[i]), 2);
    }
    return sqrt(difference / norm);
}

/* Through the detector and back as the device does it; the distances of spectrum and result. */
static ag_status
propagate(const problem *p, ag_device *d, ag_complex *result, double far[2])
{
    static const int list[] = {AG_KERNEL_load_exit, AG_KERNEL_amplitude, AG_KERNEL_modulus,
                               AG_KERNEL_store_difference};
    const int64_t passes[] = {1, ROOM}, all = SLOTS * p->pixels;
    const int32_t frame[SLOTS] = {0, 1, 2};
    const ag_real fraction[2 * SLOTS] = {0};
    int32_t *valid = ag_calloc(p->pixels, sizeof *valid);
    ag_array *scratch[2];
    ag_plan plan;
    ck_assert_ptr_nonnull(valid);
    for (int64_t i = 0; i < p->pixels; i++)
        valid[i] = 1;
    if (ag_plan_create(&plan, d, p->rows, p->cols, 0, NULL) ||
        ag_plan_passes(&plan, d, 2, passes)) {
        free(valid);
        ag_plan_destroy(&plan);
        return ag_device_status(d);
    }
    ag_array *const array[] = {
        ag_new_from(d, AG_INT, SLOTS, frame, "test"),
        ag_new_from(d, AG_INT, 2 * SLOTS, p->corner, "test"),
        ag_new_from(d, AG_REAL, 2 * SLOTS, fraction, "test"),
        ag_new_from(d, AG_COMPLEX, (p->rows + 4) * p->object_cols, p->object, "test"),
        ag_new_from(d, AG_COMPLEX, p->pixels, p->probe, "test"),
        ag_new_from(d, AG_REAL, all, p->data, "test"),
        ag_new_from(d, AG_INT, p->pixels, valid, "test"),
        ag_new(d, AG_REAL, SLOTS * plan.amplitude, "test"),
        ag_new(d, AG_REAL, SLOTS * plan.shape.strips_y, "test"),
        ag_new(d, AG_COMPLEX, all, "test"),
    };
    ag_program *const program = ag_program_create(d, &plan.shape, 4, list);
    ag_complex *const spectrum = ag_calloc(all, sizeof *spectrum);
    ck_assert_msg(program != NULL, "%s", ag_device_message(d));
    ag_run_amplitude(program, SLOTS, array[7], array[5], array[6], plan.place[1], 0, 0, 0, NULL);
    /* Two pieces of memory in turn: a library that remembers one is wrong for the other. */
    for (int turn = 0; turn < 2; turn++) {
        scratch[turn] = ag_new(d, AG_REAL, ROOM * plan.scratch, "test");
        ag_clear(scratch[turn]);
        const ag_pass pass = {
            program,  &plan,    SLOTS,          scratch[turn],        NULL, *array[0], array[1],
            array[2], array[3], p->object_cols, ag_view(array[4], 0), 0};
        detector at = {array[8], array[7], plan.fft ? spectrum : NULL};
        ag_propagate(&pass, ag_run_load_exit, modulus, &at, ag_run_store_difference, array[9]);
        ag_array_read(array[9], 0, all, result);
        ck_assert_msg(!ag_device_status(d), "%s", ag_device_message(d));
        far[0] = plan.fft ? fmax(turn ? far[0] : 0, distance(spectrum, p->spectrum, all)) : 0;
        far[1] = fmax(turn ? far[1] : 0, distance(result, p->result, all));
    }
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_array_destroy(scratch[0]);
    ag_array_destroy(scratch[1]);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    free(spectrum);
    free(valid);
    return AG_OK;
}

/* A transform of n points adds about log2(n) roundings of 6e-8, Bluestein's three times as many. */
#define TOLERANCE 1e-6

START_TEST(propagations)
{
    char name[32];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ag_device *const d = open_with(_i, name, i == 0);
        if (!d)
            return;
        if (!sizes[i].emulated && strstr(ag_device_description(d), "emulated")) {
            ag_device_close(d);
            continue;
        }
        problem p = make(&sizes[i]);
        const int64_t all = SLOTS * p.pixels;
        double far[2] = {0, 0}, fused[2] = {0, 0};
        ag_complex *const by_library = ag_calloc(all, sizeof *by_library);
        ag_complex *const by_kernels = ag_calloc(all, sizeof *by_kernels);
        ck_assert(by_library && by_kernels);
        ag_status status = propagate(&p, d, by_library, far);
        if (too_prime(name, p.rows) || too_prime(name, p.cols)) {
            ck_assert_int_eq(status, AG_BAD_ARGUMENT);
            ck_assert(strstr(ag_device_message(d), "prime factors above 13") != NULL);
            printf("%s, %d x %d: %s\n", name, p.rows, p.cols, ag_device_message(d));
        } else {
            ck_assert_msg(!status, "%s", ag_device_message(d));
            ck_assert_int_eq(ag_device_fft(d, "fused", NULL), AG_OK);
            ck_assert_int_eq(propagate(&p, d, by_kernels, fused), AG_OK);
            const double apart = apart_by(by_library, by_kernels, all);
            printf("%s on %s, %d x %d: spectrum %.2g, result %.2g, fused %.2g, apart %.2g (at most "
                   "%.1g)\n",
                   name, ag_device_name(d), p.rows, p.cols, far[0], far[1], fused[1], apart,
                   TOLERANCE);
            ck_assert_double_le(far[0], TOLERANCE);
            ck_assert_double_le(far[1], TOLERANCE);
            ck_assert_double_le(apart, 2 * TOLERANCE);
        }
        end(&p);
        free(by_library);
        free(by_kernels);
        ag_device_close(d);
    }
}
END_TEST

/* ---- plans other than the table's --------------------------------------------------------------- */

/* On cpu, with each instruction set, all orders of radices and numbers of points; where kernels are compiled, some orders, each
   with another tile. */
START_TEST(plans)
{
    static const int size[][2] = {{128, 128}, {96, 96}, {100, 100}, {80, 112}, {64, 64}, {26, 31}};
    static const char *const isa[] = {"avx512", "avx2", "baseline"};
    static ag_axis list[2][256];
    const int devices = test_devices(); /* before the name, which it would write over */
    const char *name = test_device(_i % devices), *set = isa[_i / devices];
    const int compiled = strcmp(name, "cpu") != 0;
    ag_device *d;
    ag_message message;
    if (compiled && _i >= devices)
        return;
    if (!compiled)
        setenv("ARGAND_ISA", set, 1);
    if (!compiled && ag_device_open(&d, name, &message)) {
        printf("skip plans on cpu: %s\n", message.text);
        return;
    }
    d = compiled ? test_open(_i % devices) : d;
    int count = 0;
    double worst = 0;
    for (size_t i = compiled ? 4 : 0; i < (compiled ? 5 : sizeof size / sizeof *size); i++) {
        const struct size at = {compiled ? size[i][0] / 2 : size[i][0], compiled ? size[i][1] / 2 : size[i][1], 0};
        problem p = make(&at);
        const ag_room room = ag_device_room(d);
        ag_complex *const result = ag_calloc(SLOTS * p.pixels, sizeof *result);
        ag_plan usual;
        ck_assert_ptr_nonnull(result);
        ck_assert_int_eq(ag_plan_shape(&usual, &room, p.rows, p.cols, 0, &message), AG_OK);
        const int most = compiled ? 3 : 256;
        const int rows = ag_axis_orders(list[0], most, &usual.shape.y), cols = ag_axis_orders(list[1], most, &usual.shape.x);
        for (int k = 0; k < AG_MAX(rows, cols); k++) {
            ag_plan plan = usual;
            double far[2] = {0, 0};
            plan.shape.y = list[0][k % rows];
            plan.shape.x = list[1][k % cols];
            plan.shape.tile = compiled ? 16 >> k % 3 : usual.shape.tile;
            ag_plan_settle(&plan, &room);
            ck_assert_msg(!ag_device_plan(d, plan.id, &message), "%s: %s", plan.id, message.text);
            ck_assert_int_eq(propagate(&p, d, result, far), AG_OK);
            ck_assert_msg(far[1] <= TOLERANCE, "%s, %s: result off by %g", test_where(d), plan.id, far[1]);
            worst = fmax(worst, far[1]);
            count++;
        }
        end(&p);
        free(result);
    }
    printf("%s%s%s: %d plans, results off by at most %.2g\n", name, compiled ? "" : " ", compiled ? "" : set, count, worst);
    ag_device_close(d);
}
END_TEST

void
add_propagations(Suite *suite)
{
    TCase *tests = tcase_create("propagations");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, propagations, 0, module_count());
    suite_add_tcase(suite, tests);
    TCase *others = tcase_create("plans");
    tcase_set_timeout(others, 240);
    tcase_add_loop_test(others, plans, 0, 3 * test_devices());
    suite_add_tcase(suite, others);
}
