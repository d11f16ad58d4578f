/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_residuals.c -- the residuals of raar and ap, against the iterations written out in double. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t3.h"

#define PI         3.14159265358979323846
#define SIDE       16
#define PIXELS     (SIDE * SIDE)
#define ITERATIONS 6

typedef double complex wave;

int
trial_same_history(const trial *a, const trial *b, int64_t iterations)
{
    const double *x[4], *y[4];
    const int64_t n = ag_solver_history(a->solver, &x[0], &x[1]), m = ag_solver_history(b->solver, &y[0], &y[1]);
    int same = n >= iterations && m >= iterations;
    ag_solver_residuals(a->solver, &x[2], &x[3]);
    ag_solver_residuals(b->solver, &y[2], &y[3]);
    for (int k = 0; k < 4; k++)
        same = same && !x[k] == !y[k] && (k == 1 || !x[k] || !memcmp(x[k], y[k], (size_t)iterations * sizeof *x[k]));
    return same;
}

/* Both ways, orthonormal, zero frequency at (0, 0); as slow as the formula. */
static void
transform(wave *z, int sign)
{
    for (int axis = 0; axis < 2; axis++)
        for (int line = 0; line < SIDE; line++) {
            const int step = axis ? 1 : SIDE;
            wave *const at = z + (axis ? line * SIDE : line), value[SIDE];
            for (int i = 0; i < SIDE; i++)
                value[i] = at[i * step];
            for (int k = 0; k < SIDE; k++) {
                wave sum = 0;
                for (int i = 0; i < SIDE; i++)
                    sum += value[i] * cexp(sign * 2 * I * PI * (double)(k * i % SIDE) / SIDE);
                at[k * step] = sum / sqrt(SIDE);
            }
        }
}

/* The problem in double. */
typedef struct plain {
    const ag_scan_info *info;
    const ag_options *o;
    int modes;
    double *a; /* frames x PIXELS, zero frequency at (0, 0); below 0: masked */
    double energy, least;
    wave *object, *probe, *z, *w, *d; /* stacks: frames x modes x PIXELS */
} plain;

static wave *
window(const plain *p, int64_t j, int i)
{
    return p->object + ((int64_t)p->info->position[2 * j] + i / SIDE) * p->info->object_cols +
           (int64_t)p->info->position[2 * j + 1] + i % SIDE;
}

/* P_Q of the stack d, the object from it on the way: O, then P where it is due. */
static void
overlap(plain *p, int with_probe)
{
    const int64_t pixels = p->info->object_rows * p->info->object_cols;
    wave *const number = ag_calloc(pixels, sizeof *number);
    double *const density = ag_calloc(pixels, sizeof *density), guard = strcmp(p->o->method, "raar") ? 1e-10 : 1e-8, top = 0;
    for (int64_t j = 0; j < p->info->frames; j++)
        for (int i = 0; i < p->modes * PIXELS; i++) {
            const int64_t at = window(p, j, i % PIXELS) - p->object;
            number[at] += conj(p->probe[i]) * p->d[j * p->modes * PIXELS + i];
            density[at] += creal(p->probe[i] * conj(p->probe[i]));
            top = fmax(top, density[at]);
        }
    for (int64_t i = 0; i < pixels; i++) {
        const double c = p->o->object_inertia * top;
        p->object[i] = (number[i] + c * p->object[i]) / (density[i] + c + guard);
    }
    double weight[PIXELS] = {0}, most = 0;
    for (int64_t j = 0; j < p->info->frames; j++)
        for (int i = 0; i < PIXELS; i++)
            most = fmax(most, weight[i] += creal(*window(p, j, i) * conj(*window(p, j, i))));
    for (int i = 0; i < p->modes * PIXELS && with_probe; i++) {
        wave sum = 0;
        for (int64_t j = 0; j < p->info->frames; j++)
            sum += conj(*window(p, j, i % PIXELS)) * p->d[j * p->modes * PIXELS + i];
        const double c = p->o->probe_inertia * most;
        p->probe[i] = (sum + c * p->probe[i]) / (weight[i % PIXELS] + c + guard);
    }
    for (int64_t j = 0; j < p->info->frames; j++)
        for (int i = 0; i < p->modes * PIXELS; i++)
            p->w[j * p->modes * PIXELS + i] = p->probe[i] * *window(p, j, i % PIXELS);
    free(number);
    free(density);
}

/* d becomes what the data say of z; the misfit of z. */
static double
to_data(plain *p)
{
    double miss = 0;
    for (int64_t j = 0; j < p->info->frames; j++) {
        wave *const d = p->d + j * p->modes * PIXELS;
        memcpy(d, p->z + j * p->modes * PIXELS, (size_t)(p->modes * PIXELS) * sizeof *d);
        for (int k = 0; k < p->modes; k++)
            transform(d + k * PIXELS, -1);
        for (int i = 0; i < PIXELS; i++) {
            const double a = p->a[j * PIXELS + i];
            double power = 0;
            for (int k = 0; k < p->modes; k++)
                power += creal(d[k * PIXELS + i] * conj(d[k * PIXELS + i]));
            const double factor = a < 0 ? 1 : a / (fmax(sqrt(power), p->least) + p->o->modulus_guard);
            miss += a < 0 ? 0 : pow(sqrt(power) - a, 2);
            for (int k = 0; k < p->modes; k++)
                d[k * PIXELS + i] *= factor;
        }
        for (int k = 0; k < p->modes; k++)
            transform(d + k * PIXELS, 1);
    }
    return miss;
}

static plain
plain_begin(const ag_scan *scan, const ag_options *o)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t frames = info->frames, stack = frames * o->modes * PIXELS, pixels = info->object_rows * info->object_cols;
    plain p = {.info = info, .o = o, .modes = (int)o->modes};
    p.a = ag_calloc(frames * PIXELS, sizeof *p.a);
    p.object = ag_calloc(pixels, sizeof *p.object);
    p.probe = ag_calloc(o->modes * PIXELS, sizeof *p.probe);
    p.z = ag_calloc(stack, sizeof *p.z);
    p.w = ag_calloc(stack, sizeof *p.w);
    p.d = ag_calloc(stack, sizeof *p.d);
    for (int64_t i = 0; i < frames * PIXELS; i++) {
        const int half = info->zero_in_corner ? 0 : SIDE / 2;
        const int64_t y = (i / SIDE + half) % SIDE, x = (i + half) % SIDE, at = i / PIXELS * PIXELS + y * SIDE + x;
        const double value = (double)info->data[at];
        p.a[i] = info->valid && !info->valid[y * SIDE + x] ? -1 : info->data_are_amplitudes ? fmax(value, 0) : sqrt(value);
        p.energy += p.a[i] < 0 ? 0 : p.a[i] * p.a[i];
    }
    p.least = o->modulus_floor * sqrt(p.energy / (double)(frames * PIXELS));
    for (int64_t i = 0; i < pixels; i++)
        p.object[i] = 1;
    for (int64_t i = 0; i < o->modes * PIXELS; i++)
        p.probe[i] = (double)info->probe[i].re + I * (double)info->probe[i].im;
    for (int64_t i = 0; i < stack; i++)
        p.z[i] = p.w[i] = p.probe[i % (o->modes * PIXELS)] * *window(&p, i / (o->modes * PIXELS), (int)(i % PIXELS));
    return p;
}

/* An iteration: (2.2a) of Marchesini's RAAR with beta, or AP; the residuals that it has. */
static void
plain_iterate(plain *p, int with_probe, double residual[2])
{
    const int64_t stack = p->info->frames * p->modes * PIXELS;
    const double beta = p->o->beta;
    double away = 0;
    residual[0] = sqrt(to_data(p) / p->energy);
    wave *const before = ag_calloc(stack, sizeof *before);
    memcpy(before, p->w, (size_t)stack * sizeof *before);
    overlap(p, with_probe);
    for (int64_t i = 0; i < stack; i++) {
        away += pow(cabs(p->w[i] - p->d[i]), 2);
        p->z[i] = strcmp(p->o->method, "raar") ? p->w[i]
                                               : 2 * beta * p->w[i] + (1 - 2 * beta) * p->d[i] + beta * (p->z[i] - before[i]);
    }
    residual[1] = sqrt(away / p->energy);
    free(before);
}

static void
plain_end(plain *p)
{
    free(p->a);
    free(p->object);
    free(p->probe);
    free(p->z);
    free(p->w);
    free(p->d);
}

static const struct {
    const char *method;
    int64_t modes, probe_start, every;
} plainly[] = {{"raar", 1, 2, 1}, {"raar", 2, -1, 2}, {"ap", 2, 1, 1}};
#define PLAINLY ((int)(sizeof plainly / sizeof *plainly))

/* A scan of whole pixels with a mask, whose probe has the modes. */
static ag_scan *
masked_scan(int64_t modes)
{
    ag_scan *const one = test_scan(SIDE, 48, 12, 0), *scan;
    ag_scan_info info = *ag_scan_content(one);
    uint8_t valid[PIXELS];
    ag_complex *const probe = ag_calloc(modes * PIXELS, sizeof *probe);
    ag_message message;
    for (int i = 0; i < PIXELS; i++)
        valid[i] = i % 23 != 7;
    memcpy(probe, info.probe, PIXELS * sizeof *probe);
    if (ag_probe_modes(probe, modes, 1, SIDE, SIDE, 0.3, &message))
        ck_abort_msg("%s", message.text);
    info.valid = valid;
    info.modes = modes;
    info.probe = probe;
    if (ag_scan_create(&scan, &info, &message))
        ck_abort_msg("%s", message.text);
    free(probe);
    ag_scan_destroy(one);
    return scan;
}

START_TEST(as_written_out)
{
    const int k = _i % PLAINLY;
    ag_scan *const scan = masked_scan(plainly[k].modes);
    ag_options o = test_options(plainly[k].method);
    const double *found[2];
    double most = 0;
    o.modes = plainly[k].modes;
    o.probe_start = plainly[k].probe_start;
    o.residuals = plainly[k].every;
    plain p = plain_begin(scan, &o);
    trial t = trial_begin(_i / PLAINLY, NULL, scan, &o);
    trial_run(&t, 2);
    trial_run(&t, ITERATIONS - 2);
    ag_solver_residuals(t.solver, &found[0], &found[1]);
    for (int i = 0; i < ITERATIONS; i++) {
        double expected[2];
        plain_iterate(&p, o.probe_start >= 0 && i >= o.probe_start, expected);
        for (int r = 0; r < 2; r++)
            if ((i + 1) % o.residuals == 0)
                most = fmax(most, fabs(found[r][i] / expected[r] - 1));
            else
                ck_assert(isnan(found[r][i]));
    }
    printf("%s on %s, %d modes: residuals %.4f and %.4f, within %.1e of what they are in double\n", o.method,
           test_device(_i / PLAINLY), (int)o.modes, found[0][ITERATIONS - 1], found[1][ITERATIONS - 1], most);
    fflush(stdout);
    ck_assert_double_le(most, sizeof(ag_real) == 8 ? 1e-10 : 2e-5);
    plain_end(&p);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

/* In AP the waves that are projected are those of the model, whose error all iterations have; they leave the iterations alone. */
START_TEST(as_errors)
{
    ag_scan *const scan = (_i % 2 ? test_near_scan : test_scan)(32, 80, 12, 0.8);
    ag_options o = test_options("ap");
    const double *error, *seconds, *modulus, *overlap;
    o.subpixel = _i % 2 ? AG_SUBPIXEL_FOURIER : AG_SUBPIXEL_LINEAR;
    ag_complex *const without = trial_after(_i / 2, scan, &o, 3);
    o.residuals = 1;
    trial t = trial_begin(_i / 2, NULL, scan, &o);
    trial_run(&t, 3);
    ag_complex *const with = trial_object(&t);
    ag_solver_history(t.solver, &error, &seconds);
    ag_solver_residuals(t.solver, &modulus, &overlap);
    for (int i = 0; i < 3; i++) {
        ck_assert_double_le(fabs(modulus[i] / error[i] - 1), sizeof(ag_real) == 8 ? 1e-12 : 2e-6);
        ck_assert(overlap[i] > 0 && overlap[i] < 1.001 * modulus[i]);
    }
    ck_assert(!memcmp(with, without, (size_t)t.pixels * sizeof *with));
    free(with);
    free(without);
    trial_end(&t);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *method;
        int64_t every;
        const char *words;
    } row[] = {{"dm", 1, "residuals: found 1, expected 0: dm is neither raar nor ap"},
               {"lsqml", 5, "residuals: found 5, expected 0: lsqml is"},
               {"raar", -1, "residuals: found -1, expected 0 or more"}};
    ag_scan *scan = test_scan(32, 80, 9, 0);
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        ag_options o = test_options(row[k].method);
        o.residuals = row[k].every;
        trial_refused(scan, &o, row[k].words);
    }
    ag_scan_destroy(scan);
}
END_TEST

void
add_residual_tests(Suite *suite)
{
    TCase *tests = tcase_create("residuals");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, as_written_out, 0, PLAINLY * test_devices());
    tcase_add_loop_test(tests, as_errors, 0, 2 * test_devices());
    tcase_add_test(tests, refused);
    suite_add_tcase(suite, tests);
}
