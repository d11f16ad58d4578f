/* SPDX-License-Identifier: BSD-3-Clause */
/* pie.c -- PIE, ePIE and rPIE, one position after another or in mini-batches.

   For the frames j of a batch, with windows o_j and probes p_j and d_j = P_a(p_j o_j) - p_j o_j:

       O += step_o sum_j conj(p_j) d_j / ((1 - alpha) W + alpha W_max)          ePIE: alpha = 1
       P += step_p sum_j conj(o_j) d_j / ((1 - beta) D + beta D_max),   D = sum_j |o_j|^2

   Where the probe has modes, each makes its own step, and W and the sum for the object run over them too.

   PIE weights the object by sqrt(W / W_max) / (W + alpha W_max).  One position at a time W is
   |p_j|^2; in a batch it is the illumination by all positions, so the step does not grow with the
   overlap.  Positions whose windows do not overlap are done at once where the probe stays, to the same
   bits.  (J. M. Rodenburg, H. M. L. Faulkner, Appl. Phys. Lett. 85, 4795 (2004); A. M. Maiden,
   J. M. Rodenburg, Ultramicroscopy 109, 1256 (2009); A. Maiden, D. Johnson, P. Li, Optica 4, 736
   (2017).)  */
#include <stdlib.h>
#include <string.h>

#include "solver.h"

typedef struct pie {
    ag_array *difference, *term; /* stacks of a batch */
    ag_array *number, *density, *density_top, *probe_top, *object_top;
    ag_array *coverage, *coverage_top;       /* batches only */
    ag_random random;
    ag_beside beside;
    int alone; /* one position at a time, of one rank, without a library: some are done side by side */
    ag_real *before; /* several ranks: the object and the probe that a batch begins with */
    int fused; /* one position at a time, at whole pixels that stay, one mode: the steps are made as the wave comes back */
    int keep;    /* terms stay single: they must be shifted, or there is one */
    ag_recording *refining; /* the launches of an iteration that refines the probe, where all are alike; one where groups may wait */
    int32_t covered; /* coverage and probe_top belong to the present probe */
} pie;

static ag_status
create(ag_solver *s)
{
    pie *own = s->own = calloc(1, sizeof *own);
    if (!own)
        return ag_device_fail(s->device, AG_NO_MEMORY, "solver: out of host memory");
    own->alone = s->options.batch == 1 && s->comm->size == 1 && !s->plan.fft;
    if (own->alone && ag_beside_create(&own->beside, s))
        return ag_device_status(s->device);
    const int64_t b = s->options.batch, most = own->alone ? own->beside.most : b;
    own->fused = b == 1 && s->options.modes == 1 && !s->fourier && !s->plan.shape.linear && s->options.position_start < 0;
    if (ag_batches_share(s))
        return ag_device_status(s->device);
    if (s->comm->size > 1) {
        own->before = ag_calloc(s->object_rows * s->object_cols + s->windows, sizeof(ag_complex));
        if (!own->before)
            return ag_device_fail(s->device, AG_NO_MEMORY, "ranks: out of host memory");
    }
    ag_random_seed(&own->random, s->options.seed);
    if (own->fused) {
        if (own->alone && s->options.probe_start >= 0 && !s->near && !s->turns.stacks)
            ag_program_add(s->program, AG_KERNEL_visits);
        own->probe_top = ag_new(s->device, AG_REAL, s->plan.shape.strips_x, "probe maximum");
        own->object_top = ag_new(s->device, AG_REAL, s->plan.shape.strips_x, "object maximum");
        return ag_device_status(s->device);
    }
    own->difference = ag_new(s->device, AG_COMPLEX, most * s->windows, "exit wave differences");
    own->keep = s->fourier || b == 1;
    if (own->keep)
        own->term = ag_new(s->device, AG_COMPLEX, b * s->windows, "probe terms");
    else
        own->number = ag_new(s->device, AG_COMPLEX, s->windows, "probe numerator");
    own->density = ag_new(s->device, AG_REAL, s->window, "probe density");
    own->density_top = ag_new(s->device, AG_REAL, s->plan.tops, "probe density");
    own->probe_top = ag_new(s->device, AG_REAL, s->plan.tops, "probe maximum");
    if (b > 1) {
        own->coverage = ag_new(s->device, AG_REAL, s->object_rows * s->object_cols, "illumination");
        own->coverage_top = ag_new(s->device, AG_REAL, 1, "illumination");
    } else if (own->difference) {
        /* The first probe_terms is asked for the probe's maximum alone, and reads this too. */
        ag_clear(own->difference);
    }
    return ag_device_status(s->device);
}

static void
destroy(ag_solver *s)
{
    pie *own = s->own;
    ag_array *const array[] = {own->difference,  own->term,      own->number,   own->density,
                               own->density_top, own->probe_top, own->object_top, own->coverage, own->coverage_top};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_beside_destroy(&own->beside);
    ag_recording_destroy(own->refining);
    free(own->before);
    free(own);
}

/* What the steps divide by comes from the probe before the first iteration, where it is not refined. */
static void
state(ag_solver *s, ag_record *record)
{
    pie *own = s->own;
    ag_record_host(record, "random", AG_KIND_INT, 4, own->random.state);
    if (own->fused)
        return; /* the maximum is of the present probe, and found anew */
    ag_record_host(record, "covered", AG_KIND_INT32, 1, &own->covered);
    ag_record_array(record, "coverage", own->coverage, s->object_cols);
    ag_record_array(record, "coverage_top", own->coverage_top, 1);
    if (!own->coverage)
        ag_record_array(record, "probe_top", own->probe_top, 1);
}

static void
load_with_tops(const ag_solver *s, const ag_pass *p)
{
    const pie *own = s->own;
    ag_run_load_exit_tops(p->program, p->slots, p->scratch, p->plan->table_y, &p->frame, p->corner, p->fraction,
                          p->object, p->object_cols, &p->probe, p->probe_step, own->probe_top, own->object_top,
                          p->spill);
}

/* What the steps divide by, for a probe that the coming iteration begins with. */
static void
cover(ag_solver *s)
{
    pie *own = s->own;
    const ag_pass pass = ag_solver_pass(s, 0, 1, NULL);
    ag_step(s->device, "illumination");
    if (own->fused) {
        load_with_tops(s, &pass);
    } else if (s->options.batch > 1) {
        const ag_box b = ag_solver_whole(s);
        ag_run_object_coverage(s->program, b.items, own->coverage, s->object_cols, b.top, b.left, b.right,
                               b.segments, s->frames, s->frame, s->corner, s->fraction, s->probe, 0);
        s->comm->sum(s->comm, own->coverage, NULL);
        ag_run_maximum(s->program, 1, own->coverage_top, own->coverage, s->object_rows * s->object_cols);
    } else {
        ag_run_probe_terms(s->program, s->rows * s->options.modes, own->number, own->term, own->density, own->density_top,
                           own->probe_top, 1, 1, own->keep, &pass.frame, s->corner, s->fraction, s->object, s->object_cols, s->probe, 0,
                           own->difference);
    }
    own->covered = 1;
}

/* Around a step: what all ranks' frames ask for is added to what all of them had. */
static ag_real *
before(const ag_solver *s, const ag_array *array)
{
    const pie *own = s->own;
    return own->before ? own->before + (array == s->probe ? 2 * s->object_rows * s->object_cols : 0) : NULL;
}

static void
part(const ag_solver *s, const ag_array *array)
{
    if (s->comm->size > 1)
        ag_array_read(array, 0, ag_array_count(array), before(s, array));
}

static void
join(const ag_solver *s, ag_array *array)
{
    s->comm->sum(s->comm, array, before(s, array));
}

/* One position, or some that do not overlap: load, modulus, update.  Where there are several ranks it may be none of this
   one's. */
static void
position(ag_solver *s, int64_t first, int64_t slots, int refine)
{
    pie *own = s->own;
    const ag_options *o = &s->options;
    part(s, s->object);
    if (refine)
        part(s, s->probe);
    for (int64_t at = 0, n; at < slots; at += n) {
        ag_detector detector;
        const ag_pass p = ag_solver_pass(s, first + at, slots - at, &detector);
        n = p.slots;
        ag_step(s->device, "detector");
        if (refine)
            load_with_tops(s, &p);
        ag_propagate(&p, refine ? NULL : ag_run_load_exit, ag_solver_modulus, &detector, NULL, NULL);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
        ag_step(s->device, "object");
        ag_plan_transform(p.plan, n, p.scratch, 1);
        ag_run_update(p.program, n, p.scratch, p.plan->table_y, &p.frame, p.corner, p.fraction, s->object, s->object_cols,
                      s->probe, 0, own->probe_top, own->object_top, o->alpha, !strcmp(o->method, "pie"), o->object_step,
                      refine, o->beta, o->probe_step, p.spill);
    }
    join(s, s->object);
    if (refine)
        join(s, s->probe);
}

/* The passes of a batch: all of it, or as much as lies in one block of amplitudes at a time.  Where there
   are several ranks none of its frames may be this one's. */
static void
batch(ag_solver *s, int64_t first, int64_t slots, int refine)
{
    pie *own = s->own;
    const ag_options *o = &s->options;
    const int sequential = o->batch == 1;
    ag_pass pass = ag_solver_pass(s, 0, 1, NULL);
    for (int64_t at = 0; at < slots; at += pass.slots) {
        ag_detector detector;
        pass = ag_solver_pass(s, first + at, slots - at, &detector);
        ag_array difference = ag_view(own->difference, at * s->windows);
        if (s->fourier) {
            ag_array shifted = ag_view(s->shifted, at * s->windows);
            ag_solver_shift(s, &pass, s->probe, 0, &shifted, 1);
            pass.probe = shifted;
            pass.probe_step = s->windows;
        }
        ag_step(s->device, "detector");
        ag_propagate(&pass, ag_run_load_exit, ag_solver_modulus, &detector, ag_run_store_difference,
                     &difference);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
    }
    /* The whole batch from here on. */
    const ag_box b = ag_solver_box(s, first, slots);
    if (slots)
        pass.frame = ag_view(s->frame, first);
    pass.slots = slots;
    pass.probe = ag_view(s->fourier ? s->shifted : s->probe, 0);
    ag_positions_look(s, first, &pass, own->difference, 0);
    ag_step(s->device, "probe");
    if (refine)
        ag_run_probe_terms(s->program, s->rows * s->options.modes, own->number, own->term, own->density, own->density_top,
                           own->probe_top, slots, 1, own->keep, &pass.frame, s->corner, s->fraction, s->object, s->object_cols, &pass.probe,
                           pass.probe_step, own->difference);
    if (refine && s->comm->size > 1) {
        /* The maxima of the ranks' own segments are smaller. */
        s->comm->sum(s->comm, own->density, NULL);
        ag_run_maximum(s->program, 1, own->density_top, own->density, s->window);
    }
    ag_step(s->device, "object");
    part(s, s->object);
    if (slots)
        ag_run_object_step(s->program, b.items, s->object, s->object_cols, b.top, b.left, b.right, b.segments,
                       slots, &pass.frame, s->corner, s->fraction, &pass.probe, pass.probe_step,
                       own->difference, own->coverage, !sequential,
                       sequential ? own->probe_top : own->coverage_top, sequential ? (int)s->plan.tops : 1,
                       o->alpha, !strcmp(o->method, "pie"), o->object_step);
    join(s, s->object);
    if (refine) {
        part(s, s->probe);
        if (s->fourier && slots)
            ag_solver_shift(s, &pass, own->term, s->windows, own->term, -1);
        ag_step(s->device, "probe");
        ag_run_probe_step(s->program, s->rows * s->options.modes, s->probe, own->keep ? own->term : own->number, own->density,
                          own->density_top, own->keep ? slots : 1, o->beta, o->probe_step);
        join(s, s->probe);
    }
}

/* Position after position, whose launches are the same in every iteration: only the order, on the device, is not. */
static void
replay(ag_solver *s)
{
    pie *own = s->own;
    if (!own->refining) {
        own->refining = ag_record_begin(s->device, s->program);
        for (int64_t at = 0; at < s->frames; at++)
            position(s, at, 1, 1);
        ag_record_end(own->refining);
    }
    ag_replay(own->refining);
}

static void
iterate(ag_solver *s, int64_t iteration)
{
    pie *own = s->own;
    const ag_options *o = &s->options;
    const int refine = o->probe_start >= 0 && iteration >= o->probe_start;
    if (o->shuffle)
        ag_solver_shuffle(s, &own->random);
    if (!own->covered || (refine && o->batch > 1))
        cover(s);
    const int beside = own->alone && !refine;
    const int alike = refine && own->fused && own->alone && s->amplitude.blocks == 1 && !ag_device_profiled(s->device);
    if (beside)
        ag_beside_begin(&own->beside, s);
    if (alike)
        replay(s);
    for (int64_t first = 0, at = 0, count, mine; first < s->all && !alike; first += count, at += mine) {
        count = beside ? ag_beside_count(&own->beside, s, first) : AG_MIN(o->batch, s->all - first);
        mine = ag_solver_mine(s, first, count);
        (own->fused ? position : batch)(s, at, mine, refine);
    }
    ag_solver_total(s);
    if (ag_positions_move(s))
        own->covered = 0;
    if (beside)
        ag_beside_end(&own->beside, s);
}

static void
defaults(ag_options *o)
{
    o->batch = 1;
    o->alpha = o->beta = 1;
    o->object_step = 0.3;
    o->probe_step = 0.1; /* above, the early probe amplifies rounding tenfold an iteration */
    o->probe_start = 2;
    o->shuffle = 1;
}

static void
pie_defaults(ag_options *o)
{
    defaults(o);
    o->alpha = 0.1;
    o->object_step = 1;
    o->probe_start = -1;
}

static void
rpie_defaults(ag_options *o)
{
    defaults(o);
    o->alpha = 0.5;
}

#define METHOD \
    .create = create, .iterate = iterate, .destroy = destroy, .state = state, \
    .joins = 1, .kernels = 11, .kernel = { \
        AG_KERNEL_modulus, AG_KERNEL_store_difference, AG_KERNEL_whole_difference, AG_KERNEL_object_step, \
        AG_KERNEL_object_coverage, AG_KERNEL_maximum, AG_KERNEL_probe_terms, \
        AG_KERNEL_probe_step, AG_KERNEL_store_stack, AG_KERNEL_load_exit_tops, \
        AG_KERNEL_update}

const ag_method ag_method_pie = {.name = "pie", .defaults = pie_defaults, METHOD};
const ag_method ag_method_epie = {.name = "epie", .defaults = defaults, METHOD};
const ag_method ag_method_rpie = {.name = "rpie", .defaults = rpie_defaults, METHOD};
