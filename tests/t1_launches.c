/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_launches.c -- the trace, the ledger and recordings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t1.h"
#include "backend.h"
#include "device.h"
#include "kernels.h"

extern const ag_kernel ag_kernels[];

#define LINES  64
#define VALUES 40

/* The lines that a device emitted, the trace's and the ledger's. */
typedef struct lines {
    int traces, ledgers;
    char trace[LINES][256], ledger[LINES][256];
} lines;

static void
on_trace(void *user, const char *line)
{
    lines *const l = user;
    ck_assert_int_lt(l->traces, LINES);
    snprintf(l->trace[l->traces++], sizeof l->trace[0], "%s", line);
}

static void
on_ledger(void *user, const char *line)
{
    lines *const l = user;
    ck_assert_int_lt(l->ledgers, LINES);
    snprintf(l->ledger[l->ledgers++], sizeof l->ledger[0], "%s", line);
}

/* A device with three kernels and something for them to do. */
typedef struct work {
    ag_device *device;
    ag_plan plan;
    ag_program *program;
    ag_array *value, *top, *total, *number, *density, *x;
} work;

static work
begin(int device)
{
    static const int list[] = {AG_KERNEL_maximum, AG_KERNEL_total, AG_KERNEL_divide};
    work w = {.device = test_open(device)};
    ag_real value[VALUES];
    ag_complex wave[VALUES];
    for (int i = 0; i < VALUES; i++) {
        value[i] = (ag_real)(1 + i * 7 % VALUES);
        wave[i].re = (ag_real)i;
        wave[i].im = (ag_real)(VALUES - i);
    }
    ck_assert_int_eq(ag_plan_create(&w.plan, w.device, 6, 8, 0, NULL), AG_OK);
    w.program = ag_program_create(w.device, &w.plan.shape, 3, list);
    w.value = ag_new_from(w.device, AG_REAL, VALUES, value, "value");
    w.density = ag_new_from(w.device, AG_REAL, VALUES, value, "density");
    w.number = ag_new_from(w.device, AG_COMPLEX, VALUES, wave, "number");
    w.x = ag_new_from(w.device, AG_COMPLEX, VALUES, wave, "x");
    w.top = ag_new(w.device, AG_REAL, 1, "top");
    w.total = ag_new(w.device, AG_REAL, 4, "total");
    ck_assert_msg(ag_device_status(w.device) == AG_OK, "%s", ag_device_message(w.device));
    return w;
}

static void
run(work *w)
{
    ag_run_maximum(w->program, 1, w->top, w->value, VALUES);
    ag_run_total(w->program, 1, w->total, 3, w->value, VALUES);
    ag_run_total(w->program, 0, w->total, 2, w->value, VALUES); /* no items: no step */
    ag_run_divide(w->program, VALUES, w->x, w->number, w->density, w->top, 0.5, 2);
}

/* Two runs, begun from x as `begin' left it, change x to what this fetches. */
static void
end(work *w, ag_complex *x)
{
    ck_assert_int_eq(ag_array_read(w->x, 0, VALUES, x), AG_OK);
    ag_array_destroy(w->value);
    ag_array_destroy(w->density);
    ag_array_destroy(w->number);
    ag_array_destroy(w->x);
    ag_array_destroy(w->top);
    ag_array_destroy(w->total);
    ag_program_destroy(w->program);
    ag_plan_destroy(&w->plan);
    ag_device_close(w->device);
}

/* One trace: the kernel, rows x columns, items, and the bits of each scalar. */
static const char *const steps[] = {
    "maximum 6x8 1 n=28",
    "total 6x8 1 at=3 n=28",
#ifdef AG_DOUBLE
    "divide 6x8 40 inertia=3fe0000000000000 guard=4000000000000000",
#else
    "divide 6x8 40 inertia=3f000000 guard=40000000",
#endif
};
#define STEPS ((int)(sizeof steps / sizeof *steps))

static void
check_lines(const work *w, const lines *l, int runs)
{
    ck_assert_int_eq(l->traces, runs * STEPS);
    ck_assert_int_eq(l->ledgers, runs * STEPS);
    for (int i = 0; i < l->traces; i++) {
        char expected[256];
        const int name = (int)strcspn(steps[i % STEPS], " ");
        const int64_t items = i % STEPS == 2 ? VALUES : 1;
        ck_assert_str_eq(l->trace[i], steps[i % STEPS]);
        const int n =
            snprintf(expected, sizeof expected, "%d %.*s groups %lld lanes %d local ", i + 1, name,
                     steps[i % STEPS], (long long)items, ag_device_room(w->device).lanes);
        ck_assert_msg(!strncmp(l->ledger[i], expected, (size_t)n), "%s: %s", l->ledger[i],
                      expected);
    }
}

START_TEST(test_trace)
{
    static lines l;
    ag_complex x[VALUES];
    work w = begin(_i);
    run(&w); /* nobody listens */
    ag_device_trace(w.device, on_trace, on_ledger, &l);
    run(&w);
    run(&w);
    check_lines(&w, &l, 2);
    ag_device_trace(w.device, NULL, on_ledger, &l);
    run(&w);
    ck_assert_int_eq(l.traces, 2 * STEPS);
    ck_assert_int_eq(l.ledgers, 3 * STEPS);
    ck_assert(!strncmp(l.ledger[2 * STEPS], "1 maximum ", 10)); /* steps count from here again */
    ag_device_trace(w.device, NULL, NULL, NULL);
    run(&w);
    ck_assert_int_eq(l.ledgers, 3 * STEPS);
    end(&w, x);
}
END_TEST

START_TEST(test_replay_is_as_running)
{
    static lines plain, replayed;
    ag_complex x[2][VALUES];
    work w = begin(_i);
    ag_device_trace(w.device, on_trace, on_ledger, &plain);
    run(&w);
    run(&w);
    check_lines(&w, &plain, 2);
    end(&w, x[0]);

    w = begin(_i);
    ag_device_trace(w.device, on_trace, on_ledger, &replayed);
    ag_recording *const recording = ag_record_begin(w.device, NULL);
    run(&w);
    ag_record_end(recording);
    ag_complex before[VALUES];
    ck_assert_int_eq(ag_array_read(w.x, 0, VALUES, before), AG_OK);
    ck_assert(before[3].re == 3 && replayed.traces == 0); /* kept, not run */
    ag_replay(recording);
    ag_replay(recording);
    check_lines(&w, &replayed, 2);
    ag_recording_destroy(recording);
    ag_recording_destroy(NULL);
    end(&w, x[1]);
    ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
}
END_TEST

/* The launches that a device told the times of. */
typedef struct timings {
    int count;
    ag_timing timing[LINES];
} timings;

static void
on_timing(void *user, const ag_timing *timing)
{
    timings *const t = user;
    ck_assert_int_lt(t->count, LINES);
    t->timing[t->count++] = *timing;
}

static void
check_timing(const ag_timing *t, const char *kernel, const char *step, double bytes, double flops)
{
    ck_assert_str_eq(t->kernel, kernel);
    ck_assert_str_eq(t->step, step);
    ck_assert(t->seconds >= 0 && t->seconds < 60);
    ck_assert_double_eq(t->bytes, bytes);
    ck_assert_double_eq(t->flops, flops);
}

START_TEST(test_profile)
{
    static timings t;
    ag_complex x[VALUES];
    work w = begin(_i);
    t.count = 0;
    run(&w); /* nobody listens */
    ag_device_profile(w.device, on_timing, &t);
    run(&w);
    ag_step(w.device, "object");
    run(&w);
    ck_assert_int_eq(t.count, 6);
    for (int i = 0; i < 6; i += 3) {
        check_timing(&t.timing[i], "maximum", i ? "object" : "", 4 * VALUES, VALUES);
        check_timing(&t.timing[i + 1], "total", i ? "object" : "", 4 * VALUES, VALUES);
        check_timing(&t.timing[i + 2], "divide", i ? "object" : "", 28 * VALUES, 9 * VALUES);
    }
    ag_recording *const recording = ag_record_begin(w.device, NULL);
    run(&w);
    ag_record_end(recording);
    ck_assert_int_eq(t.count, 6);
    ag_replay(recording);
    ck_assert_int_eq(t.count, 7);
    check_timing(&t.timing[6], "recording", "object", 36 * VALUES, 11 * VALUES);
    ag_recording_destroy(recording);
    ag_device_profile(w.device, NULL, NULL);
    run(&w);
    ck_assert_int_eq(t.count, 7);
    end(&w, x);
}
END_TEST

/* More steps than a recording has room for at first, and launches after it run as ever. */
START_TEST(test_long_recording)
{
    enum { RUNS = 300 };
    ag_complex x[2][VALUES];
    work w = begin(_i);
    for (int i = 0; i < RUNS; i++)
        run(&w);
    run(&w);
    end(&w, x[0]);
    w = begin(_i);
    ag_recording *const recording = ag_record_begin(w.device, NULL);
    for (int i = 0; i < RUNS; i++)
        run(&w);
    ag_record_end(recording);
    ag_replay(recording);
    run(&w);
    ag_recording_destroy(recording);
    end(&w, x[1]);
    ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
}
END_TEST

/* What one launch does for many items is kept as that, and nothing else is. */
START_TEST(test_visits)
{
    static lines l;
    ag_device *const d = test_open(_i);
    const int together = ag_device_cooperative(d);
    ag_plan plan;
    static const int list[] = {AG_KERNEL_load_exit_tops, AG_KERNEL_modulus};
    ck_assert_int_eq(ag_plan_create(&plan, d, 6, 8, 0, NULL), AG_OK);
    ag_program *const program = ag_program_create(d, &plan.shape, 2, list);
    ag_program_add(program, AG_KERNEL_visits);
    ck_assert_msg(ag_device_status(d) == AG_OK, "%s", ag_device_message(d));
    ck_assert_int_eq(ag_program_together(program) != NULL, together);
    ag_device_trace(d, on_trace, on_ledger, &l);
    ag_recording *const recording = together ? ag_record_begin(d, program) : NULL;
    if (_i % 2 && together)
        ag_run_modulus(program, 1, NULL, NULL, NULL, NULL, 0, NULL, 1, 1, 1, NULL);
    ag_record_end(recording);
    ck_assert_int_eq(ag_device_status(d), together ? AG_BAD_ARGUMENT : AG_OK);
    ck_assert_ptr_nonnull(strstr(ag_device_message(d), !together ? ""
                                                       : _i % 2  ? "launch 1, modulus, is none of those that visits does in one"
                                                                 : "visits cannot do its 0 launches in one"));
    ag_replay(recording);
    ck_assert_int_eq(l.traces + l.ledgers, 0);
    ag_recording_destroy(recording);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    ag_device_close(d);
}
END_TEST

START_TEST(test_table)
{
    ag_plan plan;
    const ag_room room = {16, 64, 8, 32768, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL};
    ag_arg one[AG_MAX_ARGS], rising[AG_MAX_ARGS]; /* so that what ends lies after what begins */
    for (int i = 0; i < AG_MAX_ARGS; i++) {
        one[i] = (ag_arg){NULL, 0, 1, 1, 1};
        rising[i] = (ag_arg){NULL, 0, i + 1, i + 1, i + 1};
    }
    ck_assert_int_eq(ag_plan_shape(&plan, &room, 12, 20, 0, NULL), AG_OK);
    for (int i = 0; i < AG_KERNELS; i++) {
        const ag_kernel *const k = &ag_kernels[i];
        ck_assert_int_eq(k->id, i);
        ck_assert(k->nargs > 0 && k->nargs <= AG_MAX_ARGS);
        /* What stands in for it takes the same arguments. */
        const ag_kernel *const form = k->unfused < 0 ? k : &ag_kernels[k->unfused];
        ck_assert(form->nargs == k->nargs && form->unfused == k->unfused);
        for (int a = 0; a < k->nargs; a++)
            ck_assert(form->arg[a].kind == k->arg[a].kind && form->arg[a].type == k->arg[a].type &&
                      !strcmp(form->arg[a].name, k->arg[a].name));
        ck_assert(k->parts(&plan.shape) >= 1 && k->local(&plan.shape) >= 0);
        for (int a = 0; a < k->nargs; a++)
            for (int b = 0; b < a; b++)
                ck_assert_msg(strcmp(k->arg[a].name, k->arg[b].name),
                              "kernel %s: two arguments are called %s", k->name, k->arg[a].name);
        ck_assert_msg(k->cost(&plan.shape, 1000, rising).bytes > 0, "kernel %s moves nothing", k->name);
    }
    /* Of three frames: scratch, probe and object, or scratch there and back and the amplitudes. */
    const double pixels = 3 * 12 * 20;
    const ag_cost first = ag_kernels[AG_KERNEL_load_exit].cost(&plan.shape, 3, one);
    const ag_cost middle = ag_kernels[AG_KERNEL_modulus].cost(&plan.shape, 3, one);
    ck_assert_double_eq(first.bytes, pixels * (8 + 8 + 8));
    ck_assert_double_eq_tol(first.flops, pixels * (6 + 5 * log2(12)), 1e-6);
    ck_assert_double_eq(middle.bytes, pixels * (8 + 8 + 4));
    ck_assert_double_eq_tol(middle.flops, pixels * (12 + 2 * 5 * log2(20)), 1e-6);
}
END_TEST

void
add_launches(Suite *suite)
{
    TCase *launches = tcase_create("launches");
    const int n = test_devices();
    tcase_set_timeout(launches, 120);
    tcase_add_test(launches, test_table);
    tcase_add_loop_test(launches, test_trace, 0, n);
    tcase_add_loop_test(launches, test_replay_is_as_running, 0, n);
    tcase_add_loop_test(launches, test_profile, 0, n);
    tcase_add_loop_test(launches, test_long_recording, 0, n);
    tcase_add_loop_test(launches, test_visits, 0, n);
    suite_add_tcase(suite, launches);
}
