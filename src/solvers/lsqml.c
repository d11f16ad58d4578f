/* SPDX-License-Identifier: BSD-3-Clause */
/* lsqml.c -- LSQ-ML: least-squares steps of the maximum-likelihood method, in mini-batches.

   For the frames j of a batch with exit waves p_j o_j the data want the change chi_j: the modulus
   constraint's (Gaussian noise on amplitudes) or a step along the gradient of the Poisson likelihood.
   Object and probe have the directions

       dO = sum_j conj(p_j) chi_j / sqrt(W^2 + (alpha W_max)^2),    dP = sum_j conj(o_j) chi_j

   W being the illumination by all frames.  Each frame's steps minimise |chi_j - x1 dO p_j - x2 dP o_j|^2;
   the object goes by their trimmed mean, the probe by their mean (kernels lsq_*).  With compact batches
   the object's direction grows over the iteration and the object goes once, by the smallest step.
   A probe shifted to a sub-pixel position takes the probe's place; what it says of P is shifted back.

   (M. Odstrcil, A. Menzel, M. Guizar-Sicairos, Opt. Express 26, 3108 (2018); what is not in the paper
   follows pty-chi, github.com/AdvancedPhotonSource/pty-chi.)  */
#include <stdlib.h>

#include "solver.h"

/* Rows whose sums one group of lsq_sums makes. */
#define ROWS 16
/* The frames' smallest and largest steps do not count: this part of them at each end. */
#define TRIM 0.1
/* Iterations from one look at object's and probe's power, and at the illumination, to the next. */
#define PERIOD 10
/* A frame's first step along the Poisson gradient, and sweeps that refine it. */
#define FIRST_ALPHA 0.5
/* Changes that momentum looks back at. */
#define OBJECT_DEPTH 2
#define PROBE_DEPTH  3
#define SWEEPS      2

typedef struct lsqml {
    ag_batches batches;
    ag_array *difference, *term; /* stacks of a batch */
    ag_array *direction, *number; /* of the object; its numerator where that grows over batches */
    ag_array *probe_direction, *density, *density_top, *probe_top;
    ag_array *illumination, *latest, *illumination_top;
    ag_array *partial, *sums, *step_of, *step; /* steps: of frames, and [object, probe] */
    ag_array *norm, *scale;
    ag_array *alpha, *now, *mean, *above, *below; /* Poisson: steps of frames, of slots */
    ag_momentum object, probe; /* the object's: where it goes once an iteration */
    int32_t started, fresh; /* the illumination is to be made anew, not averaged */
} lsqml;

static int64_t
parts(const ag_solver *s)
{
    return s->plan.tops / s->rows * ((s->rows + ROWS - 1) / ROWS);
}

static ag_status
create(ag_solver *s)
{
    lsqml *own = s->own = calloc(1, sizeof *own);
    ag_device *d = s->device;
    const int64_t b = s->options.batch, pixels = s->object_rows * s->object_cols;
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "solver: out of host memory");
    if (ag_batches_share(s) || ag_batches_create(&own->batches, s))
        return ag_device_status(d);
    own->difference = ag_new(d, AG_COMPLEX, b * s->windows, "exit wave differences");
    own->direction = ag_new(d, AG_COMPLEX, pixels, "object direction");
    if (s->options.batches == AG_BATCHES_COMPACT)
        own->number = ag_new(d, AG_COMPLEX, pixels, "object numerator");
    if (s->options.probe_start >= 0) {
        own->probe_direction = ag_new(d, AG_COMPLEX, s->windows, "probe direction");
        if (s->shifted)
            own->term = ag_new(d, AG_COMPLEX, b * s->windows, "probe terms");
        own->density = ag_new(d, AG_REAL, s->window, "probe density");
        own->density_top = ag_new(d, AG_REAL, s->plan.tops, "probe density");
        own->probe_top = ag_new(d, AG_REAL, s->plan.tops, "probe maximum");
        own->latest = ag_new(d, AG_REAL, pixels, "illumination");
        own->norm = ag_new(d, AG_REAL, 2 * ag_solver_whole(s).items, "powers");
        own->scale = ag_new(d, AG_REAL, 2, "powers");
    }
    own->illumination = ag_new(d, AG_REAL, pixels, "illumination");
    own->illumination_top = ag_new(d, AG_REAL, 1, "illumination");
    own->partial = ag_new(d, AG_REAL, 6 * b * parts(s), "sums");
    own->sums = ag_new(d, AG_REAL, 6 * b, "sums");
    own->step_of = ag_new(d, AG_REAL, 2 * b, "steps");
    own->step = ag_new(d, AG_REAL, 2, "steps");
    if (s->options.momentum > 0 && own->number)
        ag_momentum_create(&own->object, s, pixels, OBJECT_DEPTH);
    if (s->options.momentum > 0 && own->probe_direction)
        ag_momentum_create(&own->probe, s, s->window, PROBE_DEPTH);
    if (s->options.noise == AG_NOISE_POISSON) {
        own->alpha = ag_new(d, AG_REAL, s->frames, "steps");
        own->now = ag_new(d, AG_REAL, b, "steps");
        own->mean = ag_new(d, AG_REAL, 1, "steps");
        own->above = ag_new(d, AG_REAL, b * s->strips, "sums");
        own->below = ag_new(d, AG_REAL, b * s->strips, "sums");
    }
    return ag_device_status(d);
}

static void
destroy(ag_solver *s)
{
    lsqml *own = s->own;
    ag_array *const array[] = {
        own->difference, own->term,   own->direction,    own->number,           own->probe_direction,
        own->density,    own->latest, own->density_top,  own->probe_top,        own->illumination,
        own->partial,    own->sums,   own->step_of,      own->illumination_top, own->step,
        own->norm,       own->scale,  own->alpha,        own->mean,             own->above,
        own->below,      own->now};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_momentum_destroy(&own->object);
    ag_momentum_destroy(&own->probe);
    ag_batches_destroy(&own->batches);
    free(own);
}

static void
state(ag_solver *s, ag_record *record)
{
    lsqml *own = s->own;
    ag_record_host(record, "random", AG_KIND_INT, 4, own->batches.random.state);
    ag_record_host(record, "started", AG_KIND_INT32, 1, &own->started);
    ag_record_host(record, "fresh", AG_KIND_INT32, 1, &own->fresh);
    ag_record_array(record, "illumination", own->illumination, s->object_cols);
    ag_record_array(record, "illumination_top", own->illumination_top, 1);
    ag_record_frames(record, "alpha", own->alpha, 1);
    ag_momentum_state(&own->object, record, "object_velocity", "object_updates", "object_known");
    ag_momentum_state(&own->probe, record, "probe_velocity", "probe_updates", "probe_known");
}

/* The illumination, averaged with the one before, so that the preconditioner changes slowly. */
static void
illuminate(ag_solver *s)
{
    lsqml *own = s->own;
    const int64_t pixels = s->object_rows * s->object_cols;
    const ag_box b = ag_solver_whole(s);
    ag_array *to = own->fresh ? own->illumination : own->latest;
    ag_step(s->device, "illumination");
    ag_run_object_coverage(s->program, b.items, to, s->object_cols, b.top, b.left, b.right, b.segments, s->frames,
                           s->frame, s->corner, s->fraction, s->probe, 0);
    s->comm->sum(s->comm, to, NULL);
    if (!own->fresh)
        ag_run_average(s->program, pixels, own->illumination, own->latest);
    ag_run_maximum(s->program, 1, own->illumination_top, own->illumination, pixels);
    own->fresh = 0;
}

/* The scan's middle gets an object of mean modulus 1; the probe takes the power. */
static void
share_power(ag_solver *s)
{
    lsqml *own = s->own;
    const ag_box b = ag_solver_covered(s);
    const double pixels = (double)(b.items / b.segments) * (double)(b.right - b.left);
    ag_array inverse = ag_view(own->scale, 1), *const eigen = ag_opr_eigen(s);
    ag_step(s->device, "powers");
    ag_run_lsq_norm(s->program, b.items, own->norm, b.items, s->object_cols, b.top, b.left, b.right, b.segments, s->object,
                    own->illumination);
    ag_run_lsq_scale(s->program, 1, own->scale, own->norm, b.items, pixels);
    ag_run_rescale(s->program, s->object_rows * s->object_cols, s->object, 1, own->scale);
    ag_run_rescale(s->program, s->windows, s->probe, 1, &inverse);
    if (eigen)
        ag_run_rescale(s->program, ag_array_count(eigen), eigen, 1, &inverse);
    own->fresh = 1;
}

/* ---- what the data want ----------------------------------------------------------------------- */

static void
poisson_sums(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    const lsqml *own = s->own;
    ag_array above = ag_view(own->above, d->at * s->strips), below = ag_view(own->below, d->at * s->strips);
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_poisson_sums
             : ag_run_poisson_sums)(p->program, p->slots, &above, &below, p->scratch, ag_solver_table(s), &d->frame,
                                    d->first, &d->amplitude, s->detector_scale, s->least * s->least, own->mean,
                                    p->spill);
}

static void
poisson(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    const lsqml *own = s->own;
    const ag_array now = ag_view(own->now, d->at);
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_poisson : ag_run_poisson)(p->program, p->slots, p->scratch, ag_solver_table(s), &d->error,
                                                     &d->frame, d->first, &d->amplitude, s->detector_scale,
                                                     s->least * s->least, &now, p->spill);
    ag_solver_free_space(p, s, -1);
}

/* The next frames of the batch that lie in one block of amplitudes, from `at` on; a later sweep finds their probes. */
static ag_pass
next(ag_solver *s, int64_t first, int64_t slots, int64_t at, int sweep, ag_detector *detector)
{
    ag_pass pass = ag_solver_pass(s, first + at, slots - at, detector);
    detector->at = at;
    if (s->shifted) {
        ag_array shifted = ag_view(s->shifted, at * s->windows);
        if (!sweep)
            ag_solver_probes(s, &pass, &shifted);
        pass.probe = shifted;
        pass.probe_step = s->windows;
    }
    return pass;
}

static void
listen(ag_solver *s, int64_t k)
{
    lsqml *own = s->own;
    const ag_batches *b = &own->batches;
    const int64_t first = b->first[k], slots = b->first[k + 1] - first;
    const int counts = s->options.noise == AG_NOISE_POISSON;
    const ag_array frame = ag_view(s->frame, first);
    ag_detector detector;
    ag_pass pass;
    for (int sweep = 0; counts && sweep < SWEEPS; sweep++) {
        ag_run_poisson_mean(s->program, 1, own->mean, &frame, own->alpha, slots, b->of[k + 1] - b->of[k]);
        s->comm->sum(s->comm, own->mean, NULL);
        for (int64_t at = 0; at < slots; at += pass.slots) {
            pass = next(s, first, slots, at, sweep, &detector);
            ag_step(s->device, "detector");
            ag_propagate(&pass, ag_run_load_exit, poisson_sums, &detector, NULL, NULL);
            ag_stack_ahead(&s->amplitude, AG_STACK_READ);
        }
        if (slots)
            ag_run_poisson_alpha(s->program, slots, own->alpha, own->now, &frame, own->above, own->below, s->strips, own->mean);
    }
    for (int64_t at = 0; at < slots; at += pass.slots) {
        pass = next(s, first, slots, at, counts, &detector);
        ag_array difference = ag_view(own->difference, at * s->windows);
        ag_step(s->device, "detector");
        ag_propagate(&pass, ag_run_load_exit, counts ? poisson : ag_solver_modulus, &detector, ag_run_store_difference,
                     &difference);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
    }
}

/* ---- directions and steps --------------------------------------------------------------------- */

static void
batch(ag_solver *s, int64_t k, int refine, int varies)
{
    lsqml *own = s->own;
    const ag_options *o = &s->options;
    const int compact = o->batches == AG_BATCHES_COMPACT;
    const ag_batches *list = &own->batches;
    const int64_t first = list->first[k], slots = list->first[k + 1] - first, all = list->of[k + 1] - list->of[k];
    const int ranks = s->comm->size > 1; /* then none of the batch may be this one's */
    listen(s, k);
    /* The whole batch from here on. */
    ag_pass pass = ag_solver_pass(s, 0, 1, NULL);
    if (slots)
        pass.frame = ag_view(s->frame, first);
    pass.slots = slots;
    pass.probe = ag_view(s->shifted ? s->shifted : s->probe, 0);
    pass.probe_step = s->shifted ? s->windows : 0;
    ag_positions_look(s, first, &pass, own->difference, 0);
    const ag_box b = ranks || (compact && !k) ? ag_solver_whole(s) : ag_solver_box(s, first, slots);
    ag_step(s->device, "object");
    ag_run_lsq_direction(s->program, b.items, own->direction, own->number, s->object_cols, b.top, b.left, b.right,
                         b.segments, slots, !compact || !k, compact, &pass.frame, s->corner, s->fraction, &pass.probe,
                         pass.probe_step, own->difference, own->illumination, own->illumination_top, o->alpha);
    s->comm->sum(s->comm, own->direction, NULL);
    if (refine) {
        ag_step(s->device, "probe");
        ag_run_probe_terms(s->program, s->rows * s->options.modes, own->probe_direction, own->term, own->density, own->density_top,
                           own->probe_top, slots, 1, s->shifted != NULL, &pass.frame, s->corner, s->fraction, s->object,
                           s->object_cols, &pass.probe, pass.probe_step, own->difference);
        if (s->fourier && slots)
            ag_solver_shift(s, &pass, own->term, s->windows, own->term, -1);
        if (s->shifted) {
            ag_step(s->device, "probe");
            ag_run_probe_sum(s->program, s->windows, own->probe_direction, own->term, slots, 1);
        }
        s->comm->sum(s->comm, own->probe_direction, NULL);
    }
    if (varies)
        ag_opr_step(s, &pass, own->term, own->probe_direction, list->before[k], all);
    ag_step(s->device, "steps");
    if (ranks)
        ag_clear(own->sums); /* each rank adds its frames' at their places */
    if (slots) {
        ag_array sums = ag_view(own->sums, 6 * list->before[k]);
        ag_run_lsq_sums(s->program, slots, own->partial, refine, &pass.frame, s->corner, s->fraction, s->object,
                    own->direction, s->object_cols, &pass.probe, pass.probe_step, own->probe_direction,
                    own->difference);
        ag_run_lsq_frames(s->program, 6 * slots, &sums, own->partial);
    }
    s->comm->sum(s->comm, own->sums, NULL);
    ag_run_lsq_solve(s->program, all, own->step_of, own->sums, all, o->beta);
    ag_run_lsq_mean(s->program, 1, own->step, own->step_of, all, TRIM, o->object_step, o->probe_step, compact && k);
    ag_step(s->device, "step");
    if (!compact)
        ag_run_move_along(s->program, b.items, s->object, s->object_cols, b.top, b.left, b.right, b.segments,
                       own->direction, own->step, 1);
    if (refine) {
        const int64_t segments = s->plan.tops / s->rows;
        const ag_array step = ag_view(own->step, 1);
        ag_run_move_along(s->program, s->rows * s->options.modes * segments, s->probe, s->cols, 0, 0, s->cols, segments, own->probe_direction,
                       &step, compact ? 1 / (double)own->batches.count : 1);
    }
}

static void
start(ag_solver *s)
{
    lsqml *own = s->own;
    if (s->options.rescale)
        ag_solver_rescale_probe(s);
    if (own->alpha)
        ag_solver_fill(s, own->alpha, FIRST_ALPHA);
    own->started = own->fresh = 1;
}

static void
iterate(ag_solver *s, int64_t iteration)
{
    lsqml *own = s->own;
    const ag_options *o = &s->options;
    const int64_t begun = iteration - o->probe_start; /* iterations with a probe that changes */
    const int refine = o->probe_start >= 0 && begun >= 0, varies = ag_opr_refined(s, iteration);
    if (!own->started)
        start(s);
    ag_batches_next(&own->batches, s);
    if (own->fresh || (refine && (begun < PERIOD || iteration % PERIOD == 0)))
        illuminate(s);
    if (own->object.count)
        ag_momentum_begin(&own->object, s->object);
    if (own->probe.count)
        ag_momentum_begin(&own->probe, s->probe);
    for (int64_t k = 0; k < own->batches.count && !ag_device_status(s->device); k++)
        batch(s, k, refine, varies);
    if (o->batches == AG_BATCHES_COMPACT) {
        const ag_box b = ag_solver_whole(s);
        ag_run_move_along(s->program, b.items, s->object, s->object_cols, b.top, b.left, b.right, b.segments,
                       own->direction, own->step, 1);
    }
    if (own->object.count)
        ag_momentum_end(&own->object, s, s->object, 1, own->illumination);
    if (own->probe.count && refine)
        ag_momentum_end(&own->probe, s, s->probe, own->number ? 1 : 1 / (double)own->batches.count, NULL);
    ag_solver_total(s);
    if (refine && (iteration + 1) % PERIOD == 0)
        share_power(s);
    if (varies)
        ag_opr_end(s);
    if (ag_positions_move(s))
        own->fresh = 1;
}

static void
defaults(ag_options *o)
{
    o->batch = 96;
    o->alpha = o->beta = 0.1;
    o->object_step = o->probe_step = 0.9;
    o->probe_start = 2;
    o->rescale = 1;
    o->shuffle = 1;
}

#define METHOD \
    .create = create, .iterate = iterate, .destroy = destroy, .state = state, \
    .joins = 1, .kernels = 23, .kernel = { \
        AG_KERNEL_modulus, AG_KERNEL_store_difference, AG_KERNEL_whole_difference, AG_KERNEL_power, AG_KERNEL_rescale, \
        AG_KERNEL_object_coverage, AG_KERNEL_maximum, AG_KERNEL_average, \
        AG_KERNEL_lsq_direction, AG_KERNEL_probe_terms, AG_KERNEL_probe_sum, \
        AG_KERNEL_store_stack, AG_KERNEL_lsq_sums, AG_KERNEL_lsq_frames, AG_KERNEL_lsq_solve, \
        AG_KERNEL_lsq_mean, AG_KERNEL_move_along, AG_KERNEL_lsq_norm, AG_KERNEL_lsq_scale, \
        AG_KERNEL_poisson_mean, AG_KERNEL_poisson_sums, AG_KERNEL_poisson_alpha, \
        AG_KERNEL_poisson}

const ag_method ag_method_lsqml = {.name = "lsqml", .varies_probe = 1, .defaults = defaults, METHOD};
