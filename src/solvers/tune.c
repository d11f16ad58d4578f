/* SPDX-License-Identifier: BSD-3-Clause */
/* tune.c -- which plan is the fastest, measured: the fused step by several plans in turn, on noise.

   The radices of rows and columns are told apart by the launches that they serve: the first and the last pass transform along the
   columns, the middle one along the rows.  The best of each, with every tile that the device has, in passes and whole, then
   run against the table's plan, and what wins once more, for the least of many noisy medians is too small.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

/* Frames one after the other, and their pixels. */
#define IN_TURN 32
#define PIXELS  ((int64_t)1 << 23)
#define ORDERS  256
#define PLANS   24

/* What launches took: those along the columns, along the rows, all. */
enum { OUTER, INNER, ALL, PARTS };

typedef struct runner {
    ag_plan plan;
    ag_program *program;
    double *seconds[PARTS]; /* of each repeat, then their median first */
} runner;

typedef struct tuner {
    ag_device *device;
    ag_tuning *asked;
    ag_room room;
    int in_turn;
    int64_t frames, object_cols;
    ag_array *object, *probe, *frame, *corner, *fraction;
    double part[PARTS];
} tuner;

static void
add_time(void *user, const ag_timing *timing)
{
    tuner *t = user;
    const int inner = !strcmp(timing->kernel, "modulus"), whole = !strncmp(timing->kernel, "whole", 5);
    t->part[inner ? INNER : OUTER] += timing->seconds;
    t->part[INNER] += whole ? timing->seconds : 0;
    t->part[ALL] += timing->seconds;
}

static ag_array *
noise(ag_device *device, ag_type type, int64_t count)
{
    const int64_t reals = type == AG_COMPLEX ? 2 * count : count;
    ag_real *value = ag_calloc(reals, sizeof *value);
    ag_array *array = NULL;
    ag_random random;
    ag_random_seed(&random, 1);
    for (int64_t i = 0; value && i < reals; i++)
        value[i] = (ag_real)(type == AG_COMPLEX ? ag_random_uniform(&random) - 0.5 : ag_random_uniform(&random));
    if (value)
        array = ag_new_from(device, type, count, value, "noise");
    else
        ag_device_fail(device, AG_NO_MEMORY, "noise: out of host memory");
    free(value);
    return array;
}

/* What does not depend on the plan. */
static void
begin(tuner *t)
{
    const ag_tuning *a = t->asked;
    const ag_scan_info info = {.frames = INT32_MAX, .rows = a->rows, .cols = a->cols};
    const int64_t object_rows = a->rows + 100;
    t->object_cols = a->cols + 104;
    t->in_turn = t->room.lanes == 1 && a->modes == 1;
    const int64_t usual = t->in_turn ? AG_MAX(1, AG_MIN(IN_TURN, PIXELS / (a->rows * a->cols))) : ag_solver_slots(t->device, &info, a->modes);
    t->frames = a->frames ? a->frames : usual;
    if (!a->frames && t->room.whole)
        t->frames = AG_MAX(t->frames, t->room.parallel / 2);
    int32_t *list = ag_calloc(3 * t->frames, sizeof *list);
    if (!list) {
        ag_device_fail(t->device, AG_NO_MEMORY, "frames: out of host memory");
        return;
    }
    for (int64_t j = 0; j < t->frames; j++) {
        list[2 * j] = (int32_t)(j * 17 % 97);
        list[2 * j + 1] = (int32_t)(j * 13 % 101);
        list[2 * t->frames + j] = (int32_t)j;
    }
    t->corner = ag_new_from(t->device, AG_INT, 2 * t->frames, list, "corners");
    t->frame = ag_new_from(t->device, AG_INT, t->frames, list + 2 * t->frames, "frames");
    free(list);
    t->object = noise(t->device, AG_COMPLEX, object_rows * t->object_cols);
    t->probe = noise(t->device, AG_COMPLEX, a->modes * a->rows * a->cols);
    t->fraction = noise(t->device, AG_REAL, 2 * t->frames);
}

static void
end(tuner *t)
{
    ag_array *const array[] = {t->object, t->probe, t->frame, t->corner, t->fraction};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
}

typedef struct step {
    ag_array *amplitude, *error, *top, *result;
    double scale;
} step;

static void
detector(const ag_pass *p, void *what)
{
    const step *s = what;
    ag_run_modulus(p->program, p->slots, p->scratch, p->plan->table_x, s->error, &p->frame, 0, s->amplitude, s->scale, 1e-3, 1e-7,
                   p->spill);
}

/* All frames once. */
static void
visit(tuner *t, runner *r, ag_pass *p, step *s)
{
    p->program = r->program;
    p->plan = &r->plan;
    memset(t->part, 0, sizeof t->part);
    if (!t->in_turn) {
        ag_propagate(p, ag_run_load_exit, detector, s, ag_run_store_stack, s->result);
        return;
    }
    for (int64_t j = 0; j < t->frames; j++) {
        p->frame = ag_view(t->frame, j);
        ag_propagate(p, ag_run_load_exit, detector, s, NULL, NULL);
        ag_run_update(p->program, 1, p->scratch, p->plan->table_y, &p->frame, p->corner, p->fraction, t->object, p->object_cols,
                      &p->probe, 0, s->top, s->top, 1, 0, 1e-3, 0, 1, 0, p->spill);
    }
}

static int
ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Lets the plans run by turns, and leaves the medians. */
static ag_status
race(tuner *t, runner *r, int n)
{
    const int64_t modes = t->asked->modes, slots = t->in_turn ? 1 : t->frames;
    int64_t scratch = 0, amplitude = 0, spill = 0, strips = 0;
    for (int i = 0; i < n; i++) {
        scratch = AG_MAX(scratch, r[i].plan.scratch);
        amplitude = AG_MAX(amplitude, r[i].plan.amplitude);
        spill = AG_MAX(spill, r[i].plan.spill);
        strips = AG_MAX(strips, AG_MAX(r[i].plan.shape.strips_x, r[i].plan.shape.strips_y));
    }
    step s = {.amplitude = noise(t->device, AG_REAL, t->frames * amplitude), .error = noise(t->device, AG_REAL, t->frames * strips),
              .top = noise(t->device, AG_REAL, strips), .scale = 1 / sqrt((double)(t->asked->rows * t->asked->cols))};
    if (!t->in_turn)
        s.result = ag_new(t->device, AG_COMPLEX, slots * modes * t->asked->rows * t->asked->cols, "waves");
    ag_pass p = {.slots = slots, .scratch = ag_new(t->device, AG_REAL, slots * modes * scratch, "scratch"),
                 .spill = spill ? ag_new(t->device, AG_REAL, slots * modes * spill, "tiles") : NULL,
                 .corner = t->corner, .fraction = t->fraction, .object = t->object, .object_cols = t->object_cols};
    if (!ag_device_status(t->device)) {
        p.frame = ag_view(t->frame, 0);
        p.probe = ag_view(t->probe, 0);
    }
    ag_device_profile(t->device, add_time, t);
    for (int k = -1; k < t->asked->repeats; k++) /* the first time does not count */
        for (int i = 0; i < n && !ag_device_status(t->device); i++) {
            visit(t, &r[i], &p, &s);
            for (int part = 0; part < PARTS && k >= 0; part++)
                r[i].seconds[part][k] = t->part[part];
        }
    ag_device_profile(t->device, NULL, NULL);
    for (int i = 0; i < n; i++)
        for (int part = 0; part < PARTS; part++) {
            qsort(r[i].seconds[part], (size_t)t->asked->repeats, sizeof(double), ascending);
            r[i].seconds[part][0] = r[i].seconds[part][t->asked->repeats / 2];
        }
    ag_array *const array[] = {s.amplitude, s.error, s.top, s.result, p.scratch, p.spill};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    return ag_device_status(t->device);
}

static void
dismiss(runner *r, int n)
{
    for (int i = 0; r && i < n; i++) {
        ag_program_destroy(r[i].program);
        ag_plan_destroy(&r[i].plan);
        free(r[i].seconds[OUTER]);
    }
    free(r);
}

/* The plans of a race; NULL where the device has failed. */
static runner *
enlist(tuner *t, int n, char (*id)[AG_PLAN_ID])
{
    /* A processor has no kernel for a whole frame. */
    const int kernel[] = {AG_KERNEL_load_exit, AG_KERNEL_modulus, t->in_turn ? AG_KERNEL_update : AG_KERNEL_store_stack,
                          AG_KERNEL_whole_ap};
    runner *r = ag_calloc(n, sizeof *r);
    if (!r)
        ag_device_fail(t->device, AG_NO_MEMORY, "plans: out of host memory");
    for (int i = 0; i < n && !ag_device_status(t->device); i++) {
        ag_room room = t->room;
        room.plan = id[i];
        r[i].seconds[OUTER] = ag_calloc(PARTS * t->asked->repeats, sizeof(double));
        if (!r[i].seconds[OUTER]) {
            ag_device_fail(t->device, AG_NO_MEMORY, "plans: out of host memory");
            break;
        }
        for (int part = OUTER + 1; part < PARTS; part++)
            r[i].seconds[part] = r[i].seconds[OUTER] + part * t->asked->repeats;
        if (ag_plan_create(&r[i].plan, t->device, t->asked->rows, t->asked->cols, 0, &room))
            break;
        r[i].plan.shape.modes = (int)t->asked->modes;
        r[i].program = ag_program_create(t->device, &r[i].plan.shape, 4, kernel);
    }
    if (!ag_device_status(t->device) && !race(t, r, n))
        return r;
    dismiss(r, n);
    return NULL;
}

static int
fastest(const runner *r, int n, int part)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (r[i].seconds[part][0] < r[best].seconds[part][0])
            best = i;
    return best;
}

/* Adds a plan of the axes that the list does not have yet. */
static int
add_plan(tuner *t, char (*id)[AG_PLAN_ID], int n, const ag_axis *y, const ag_axis *x, int tile, int whole)
{
    ag_plan plan;
    memset(&plan, 0, sizeof plan);
    plan.shape.y = *y;
    plan.shape.x = *x;
    plan.shape.tile = tile;
    plan.shape.whole = whole;
    ag_plan_settle(&plan, &t->room);
    for (int i = 0; i < n; i++)
        if (!strcmp(id[i], plan.id))
            return n;
    snprintf(id[n], sizeof id[n], "%s", plan.id);
    return n + 1;
}

/* The axes that are the fastest with the table's tile, among `list`: of rows, then of columns. */
static void
choose_axes(tuner *t, const ag_plan *usual, ag_axis *list, char (*id)[AG_PLAN_ID], ag_axis *y, ag_axis *x)
{
    const int most = t->asked->orders;
    const int rows = ag_axis_orders(list, most, &usual->shape.y), cols = ag_axis_orders(list + ORDERS, most, &usual->shape.x);
    int n = 0;
    for (int i = 0; i < AG_MAX(rows, cols); i++)
        n = add_plan(t, id, n, list + i % rows, list + ORDERS + i % cols, usual->shape.tile, usual->shape.whole);
    runner *r = enlist(t, n, id);
    t->asked->plans += n;
    if (r) {
        *y = r[fastest(r, AG_MIN(n, rows), OUTER)].plan.shape.y;
        *x = r[fastest(r, AG_MIN(n, cols), INNER)].plan.shape.x;
    }
    dismiss(r, n);
}

/* The fastest of all tiles, in passes and whole; `id` gets its own. */
static void
choose_plan(tuner *t, const ag_plan *usual, const ag_axis *y, const ag_axis *x, char (*id)[AG_PLAN_ID])
{
    const ag_shape *s = &usual->shape;
    int n = add_plan(t, id, 0, &s->y, &s->x, s->tile, s->whole);
    for (int tile = t->room.tile; tile == t->room.tile || (t->room.lanes > 1 && tile >= 4); tile /= 2)
        for (int whole = 0; whole < 3; whole++) {
            n = add_plan(t, id, n, y, x, tile, whole);
            n = add_plan(t, id, n, &s->y, &s->x, tile, whole);
        }
    runner *r = enlist(t, n, id);
    t->asked->plans += n - 1;
    if (r)
        snprintf(t->asked->plan, sizeof t->asked->plan, "%s", id[fastest(r, n, ALL)]);
    dismiss(r, n);
}

/* Both plans once more. */
static void
confirm(tuner *t, char (*id)[AG_PLAN_ID])
{
    ag_tuning *a = t->asked;
    snprintf(id[0], sizeof id[0], "%s", a->usual);
    snprintf(id[1], sizeof id[1], "%s", a->plan);
    runner *r = enlist(t, 2, id);
    if (r) {
        a->usual_seconds = r[0].seconds[ALL][0] / (double)t->frames;
        a->seconds = r[1].seconds[ALL][0] / (double)t->frames;
        if (a->seconds > a->usual_seconds * (1 - a->gain)) {
            snprintf(a->plan, sizeof a->plan, "%s", a->usual);
            a->seconds = a->usual_seconds;
        }
    }
    dismiss(r, 2);
}

ag_status
ag_plan_tune(ag_device *device, ag_tuning *a)
{
    const ag_range range[] = {{"modes", (double)a->modes, 1, 1024}, {"frames", (double)a->frames, 0, 1e6},
                              {"orders", a->orders, 1, ORDERS}, {"repeats", a->repeats, 1, 1000}, {"gain", a->gain, 0, 1}};
    tuner t = {.device = device, .asked = a, .room = ag_device_room(device)};
    ag_plan usual;
    ag_message message;
    t.room.plan = NULL;
    ag_status status = ag_ranges_check(range, sizeof range / sizeof *range, &message);
    if (!status && t.room.fft)
        status = ag_fail(&message, AG_BAD_ARGUMENT, "fft: found a library that transforms, expected fused, whose plans are measured");
    if (!status)
        status = ag_plan_shape(&usual, &t.room, a->rows, a->cols, 0, &message);
    if (status)
        return ag_device_fail(device, status, "%s", message.text);
    snprintf(a->usual, sizeof a->usual, "%s", usual.id);
    snprintf(a->plan, sizeof a->plan, "%s", usual.id);
    a->plans = 0;
    ag_axis *list = ag_calloc(2 * ORDERS, sizeof *list), y = usual.shape.y, x = usual.shape.x;
    char(*id)[AG_PLAN_ID] = ag_calloc(ORDERS + PLANS, sizeof *id);
    if (!list || !id)
        ag_device_fail(device, AG_NO_MEMORY, "plans: out of host memory");
    if (!ag_device_status(device))
        begin(&t);
    if (!ag_device_status(device))
        choose_axes(&t, &usual, list, id, &y, &x);
    if (!ag_device_status(device))
        choose_plan(&t, &usual, &y, &x, id);
    if (!ag_device_status(device))
        confirm(&t, id);
    end(&t);
    free(list);
    free(id);
    return ag_device_status(device);
}
