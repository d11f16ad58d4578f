/* SPDX-License-Identifier: BSD-3-Clause */
/* ptychoep.c -- PtychoEP: expectation propagation, with a known probe or one found by EM.

   What is believed of each object pixel is a Gaussian of mean O = T / G and precision G.  One frame
   after another says of it

       T += g conj(p) u,   G += g |p|^2,   u = F^-1(message about the wave at the detector), precision g

   in place of what the same frame said in the iteration before.  The belief starts with precision 1
   and mean 0 (the prior), or is made sparse before each iteration.  After the last frame the EM
   step makes

       P = sum_j g_j conj(o_j) u_j / sum_j g_j (|o_j|^2 + 1 / G),   g_j = 1 / mean(|u_j - o_j P|^2 + |P|^2 / G)

   (PtychoEP, github.com/sacbow/PtychoEP; the kernels ep_* name the parts.)  A probe shifted to a
   sub-pixel position takes the place of P; what it says of P is shifted back.  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

/* All in units of the data's mean square, where they are rescaled.
   |p|^2 counts as at least this: before and after the first EM step. */
#define LEAST_AT_FIRST 1e-6
#define LEAST_LATER    1e-8
/* The relative error of a model that is 0 is this near to 1; that of early iterations may be larger. */
#define COLLAPSED 1e-3
/* No variance is smaller; and of estimated noise: amplitudes are known no better than they are stored. */
#define LEAST_VARIANCE 1e-8
#define LEAST_NOISE    1e-10
/* What the noise is taken for before it was seen: more than it is, less than the data. */
#define FIRST_NOISE 0.1

typedef struct ptychoep {
    ag_array *number, *precision, *start; /* of the object: T, G, what it began with */
    ag_array *covers;                     /* frames on each of its pixels */
    ag_array *prior, *prior_precision;    /* the sparse prior's message */
    ag_array *gamma, *fresh;              /* of the frames' waves: now, and after the visit */
    ag_array *weight, *weight_before;     /* of what the frames told the object */
    ag_array *before, *before_shifted;    /* the probe that made those messages */
    ag_array *spread, *variance, *noise, *all_noise, *variance_of_noise;
    ag_array *term, *probe_number, *probe_density, *top;
    ag_real *held[2]; /* several ranks: number, precision that a rank's visits begin with */
    ag_stack state;       /* u at the detector */
    ag_stack told;        /* and in the object's plane, where the probe that made it comes and goes */
    double units[3];      /* by these names: */
    int32_t started;
    int starts; /* in the iteration that began with it */
} ptychoep;
/* Precisions of waves: below it nothing is known; floors of |p|^2, now and for the last messages. */
enum { UNIT, LEAST, BEFORE };

static int
refines(const ag_solver *s)
{
    return s->options.probe_start >= 0;
}

static ag_status
create(ag_solver *s)
{
    ptychoep *own = s->own = calloc(1, sizeof *own);
    ag_device *d = s->device;
    const int64_t pixels = s->object_rows * s->object_cols;
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "solver: out of host memory");
    if (s->options.subpixel == AG_SUBPIXEL_LINEAR)
        return ag_device_fail(d, AG_BAD_ARGUMENT, "sub-pixel method: found linear, expected fourier or none for %s",
                              s->method->name);
    own->covers = ag_solver_covers(s);
    own->number = ag_new(d, AG_COMPLEX, pixels, "object numerator");
    own->precision = ag_new(d, AG_REAL, pixels, "object precision");
    own->start = ag_new(d, AG_COMPLEX, pixels, "object start");
    if (own->start)
        ag_clear(own->start); /* read after a resume too, where it counts for nothing */
    if (s->options.sparsity > 0) {
        own->prior = ag_new(d, AG_COMPLEX, pixels, "prior");
        own->prior_precision = ag_new(d, AG_REAL, pixels, "prior");
    }
    ag_array **const scalars[] = {&own->gamma, &own->fresh, &own->weight, &own->weight_before};
    for (int i = 0; i < 4; i++)
        *scalars[i] = ag_new(d, AG_REAL, s->frames, "precisions");
    own->spread = ag_new(d, AG_REAL, AG_MAX(refines(s) ? s->slots * s->plan.tops : 0, s->plan.shape.strips_x), "variances");
    own->variance = ag_new(d, AG_REAL, s->strips, "variances");
    own->noise = ag_new(d, AG_REAL, s->frames * s->strips, "noise");
    own->all_noise = ag_new(d, AG_REAL, 1, "noise");
    own->variance_of_noise = ag_new(d, AG_REAL, 1, "noise");
    for (int i = 0; i < 2 && s->comm->size > 1; i++)
        if (!(own->held[i] = ag_calloc(pixels, sizeof(ag_complex))))
            return ag_device_fail(d, AG_NO_MEMORY, "ranks: out of host memory");
    if (refines(s)) {
        own->before = ag_new(d, AG_COMPLEX, s->window, "last probe");
        own->probe_number = ag_new(d, AG_COMPLEX, s->window, "probe numerator");
        own->probe_density = ag_new(d, AG_REAL, s->window, "probe density");
        own->top = ag_new(d, AG_REAL, 1, "density maximum");
        if (own->top)
            ag_clear(own->top); /* read though it counts for nothing */
        if (s->fourier) {
            own->before_shifted = ag_new(d, AG_COMPLEX, s->window, "last probe, shifted");
            own->term = ag_new(d, AG_COMPLEX, s->slots * s->window, "probe terms");
        }
    }
    if (refines(s))
        ag_solver_stack(s, &own->told, AG_TURNS_WAVES, AG_COMPLEX, s->window, "messages");
    ag_solver_stack(s, &own->state, AG_TURNS_STATE, AG_REAL, 2 * s->amplitudes, "messages at the detector");
    return ag_device_status(d);
}

static void
destroy(ag_solver *s)
{
    ptychoep *own = s->own;
    ag_array *const array[] = {own->number, own->covers, own->precision, own->start, own->prior,
                               own->prior_precision, own->gamma, own->fresh, own->weight,
                               own->weight_before, own->before, own->before_shifted,
                               own->spread, own->variance, own->noise, own->all_noise,
                               own->variance_of_noise, own->term, own->probe_number,
                               own->probe_density, own->top};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_stack_destroy(&own->told);
    ag_stack_destroy(&own->state);
    for (int i = 0; i < 2; i++)
        free(own->held[i]);
    free(own);
}

static void
state(ag_solver *s, ag_record *record)
{
    ptychoep *own = s->own;
    ag_record_host(record, "started", AG_KIND_INT32, 1, &own->started);
    ag_record_host(record, "units", AG_KIND_DOUBLE, 3, own->units);
    ag_record_array(record, "number", own->number, s->object_cols);
    ag_record_array(record, "precision", own->precision, s->object_cols);
    ag_record_array(record, "prior", own->prior, s->object_cols);
    ag_record_array(record, "prior_precision", own->prior_precision, s->object_cols);
    ag_record_frames(record, "gamma", own->gamma, 1);
    ag_record_frames(record, "weight", own->weight_before, 1);
    ag_record_array(record, "last_probe", own->before, s->cols);
    ag_record_array(record, "variance", own->variance_of_noise, 1);
    if (refines(s))
        ag_record_stack(record, "messages", &own->told);
    ag_record_stack(record, "state", &own->state);
}

/* The pass over the frames from `first` on that lie in one block of all stacks, those of the detector only
   where it takes part; `how` the messages are used, which a known probe does not need. */
static ag_pass
next(ag_solver *s, int64_t first, int64_t slots, int how, ag_detector *detector, ag_array *told)
{
    ptychoep *own = s->own;
    slots = AG_MIN(slots, s->frames - first);
    *told = refines(s) ? ag_stack_view(&own->told, first, &slots, how) : ag_view(s->object, 0);
    if (!detector)
        return ag_solver_pass(s, first, slots, NULL);
    const ag_array state = ag_stack_view(&own->state, first, &slots, AG_STACK_READ | AG_STACK_WRITE);
    const ag_pass pass = ag_solver_pass(s, first, slots, detector);
    detector->state = state;
    detector->at = first;
    return pass;
}

static void
remember(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_ep_start : ag_run_ep_start)(p->program, p->slots, &d->state, p->scratch, ag_solver_table(s),
                                                       s->detector_scale, p->spill);
}

/* The first messages: the waves that probe and object at the start make, at precision 1. */
static void
start(ag_solver *s)
{
    ptychoep *own = s->own;
    const double mean = s->energy / s->pixels;
    ag_pass pass;
    own->units[UNIT] = s->options.rescale && mean > 0 ? 1 / mean : 1;
    own->units[LEAST] = own->units[BEFORE] = LEAST_AT_FIRST / own->units[UNIT];
    if (s->options.rescale)
        ag_solver_rescale_probe(s);
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        ag_detector detector;
        ag_array told;
        pass = next(s, first, s->slots, 0, &detector, &told);
        ag_solver_shift_probe(s, &pass);
        ag_step(s->device, "start");
        ag_propagate(&pass, ag_run_load_exit, remember, &detector, NULL, NULL);
        ag_stack_ahead(&own->state, AG_STACK_READ);
    }
    const double noise = s->options.noise_precision;
    const double variance = noise > 0 ? 1 / noise : FIRST_NOISE * mean;
    ag_run_ep_begin(s->program, s->object_rows * s->object_cols, s->object, own->number, own->precision, own->start,
                    own->covers);
    if (ag_solver_fill(s, own->gamma, own->units[UNIT]) || ag_solver_fill(s, own->weight_before, 1) ||
        ag_solver_fill(s, own->variance_of_noise, variance))
        return;
    if (own->prior) {
        ag_clear(own->prior);
        ag_solver_fill(s, own->prior_precision, 1);
    }
    if (own->before)
        ag_run_probe_sum(s->program, s->window, own->before, s->probe, 1, 1);
    own->started = 1;
}

/* What the detector says of one frame. */
static void
listen(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    const ptychoep *own = s->own;
    const ag_array weight_before = ag_view(own->weight_before, d->at);
    ag_array noise = ag_view(own->noise, d->at * s->strips), gamma = ag_view(own->gamma, d->at);
    ag_array fresh = ag_view(own->fresh, d->at), weight = ag_view(own->weight, d->at);
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_ep_weigh : ag_run_ep_weigh)(
        p->program, p->slots, p->scratch, ag_solver_table(s), own->variance, &d->error, &noise, &d->frame, d->first,
        &d->amplitude, s->detector_scale, &d->state, own->spread, &gamma, own->variance_of_noise, own->units[UNIT],
        p->spill);
    (s->near ? ag_run_near_ep_project : ag_run_ep_project)(
        p->program, p->slots, p->scratch, ag_solver_table(s), &d->state, &fresh, &weight, &d->frame, d->first,
        &d->amplitude, s->detector_scale, own->spread, own->variance, &gamma, &weight_before, own->variance_of_noise,
        own->units[UNIT], s->options.damping, s->options.guard_bursts, refines(s), own->starts, p->spill);
    ag_solver_free_space(p, s, -1);
}

static void
visit(ag_solver *s, int64_t frame)
{
    ptychoep *own = s->own;
    ag_detector detector;
    ag_array told;
    const int how = own->starts ? AG_STACK_WRITE : AG_STACK_READ | AG_STACK_WRITE;
    ag_pass pass = next(s, frame, 1, how, &detector, &told);
    const ag_array *before = own->before ? own->before : s->probe;
    const ag_array weight = ag_view(own->weight, frame), weight_before = ag_view(own->weight_before, frame);
    ag_solver_shift_probe(s, &pass);
    if (own->before_shifted) {
        ag_solver_shift(s, &pass, own->before, 0, own->before_shifted, 1);
        before = own->before_shifted;
    }
    ag_step(s->device, "detector");
    ag_run_load_exit_spread(s->program, 1, pass.scratch, pass.plan->table_y, &pass.frame, s->corner, s->fraction, own->number,
                            s->object_cols, &pass.probe, pass.probe_step, own->precision, own->units[LEAST],
                            LEAST_VARIANCE / own->units[UNIT], own->spread, pass.spill);
    ag_propagate(&pass, NULL, listen, &detector, NULL, NULL);
    ag_step(s->device, "object");
    ag_plan_transform(pass.plan, 1, pass.scratch, 1);
    ag_run_ep_update(s->program, 1, pass.scratch, pass.plan->table_y, &pass.frame, s->corner, s->fraction, own->number,
                     s->object_cols, &pass.probe, pass.probe_step, own->precision, &told, before, own->start, &weight,
                     &weight_before, own->units[LEAST], own->units[BEFORE], own->starts, refines(s), pass.spill);
    ag_stack_ahead(&s->amplitude, AG_STACK_READ);
    if (refines(s))
        ag_stack_ahead(&own->told, how);
    ag_stack_ahead(&own->state, AG_STACK_READ);
}

/* All visits, in the order of all ranks' frames: a rank's follow those of the rank before. */
static void
visit_all(ag_solver *s)
{
    ptychoep *own = s->own;
    ag_array *const shared[] = {own->number, own->precision};
    for (int rank = 0; rank < s->comm->size; rank++) {
        for (int i = 0; i < 2 && s->comm->size > 1; i++)
            ag_array_read(shared[i], 0, ag_array_count(shared[i]), own->held[i]);
        for (int64_t j = 0; rank == s->comm->rank && j < s->frames && !ag_device_status(s->device); j++)
            visit(s, j);
        for (int i = 0; i < 2; i++)
            s->comm->sum(s->comm, shared[i], own->held[i]);
    }
}

static void
exchange(ag_array **a, ag_array **b)
{
    ag_array *const t = *a;
    *a = *b;
    *b = t;
}

/* One EM step: the probe, then how well each frame is explained. */
static void
refine_probe(ag_solver *s)
{
    ptychoep *own = s->own;
    ag_array told;
    ag_pass pass;
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        pass = next(s, first, s->slots, AG_STACK_READ, NULL, &told);
        ag_step(s->device, "probe");
        ag_run_ep_terms(s->program, s->rows, own->probe_number, own->term, own->probe_density, pass.slots, !first,
                        s->fourier, &pass.frame, s->corner, s->object, own->precision, s->object_cols, own->gamma,
                        &told);
        if (s->fourier) {
            ag_solver_shift(s, &pass, own->term, s->window, own->term, -1);
            ag_step(s->device, "probe");
            ag_run_probe_sum(s->program, s->window, own->probe_number, own->term, pass.slots, !first);
        }
        ag_stack_ahead(&own->told, AG_STACK_READ);
    }
    s->comm->sum(s->comm, own->probe_number, NULL);
    s->comm->sum(s->comm, own->probe_density, NULL);
    ag_run_divide(s->program, s->window, s->probe, own->probe_number, own->probe_density, own->top, 0, 0);
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        pass = next(s, first, s->slots, AG_STACK_READ, NULL, &told);
        ag_solver_shift_probe(s, &pass);
        ag_step(s->device, "probe");
        ag_run_ep_residual(s->program, pass.slots * s->rows, own->spread, &pass.frame, s->corner, s->object,
                           own->precision, s->object_cols, &pass.probe, pass.probe_step, &told);
        ag_run_ep_gamma(s->program, pass.slots, own->gamma, &pass.frame, own->spread,
                        LEAST_VARIANCE * own->units[UNIT]);
        ag_stack_ahead(&own->told, AG_STACK_READ);
    }
}

/* Where the noise is said to be larger than the data are, EM explains the data by noise alone. */
static void
report_collapse(ag_solver *s, int64_t iteration)
{
    if (iteration < 2 || fabs(s->history[iteration - 1] - 1) > COLLAPSED ||
        fabs(s->history[iteration - 2] - 1) > COLLAPSED)
        return;
    ag_device_fail(s->device, AG_DEVICE_ERROR,
                   "%s: the probe has collapsed: in iterations %lld and %lld the error was that of a dark model; a larger "
                   "noise precision (found %g; 0: estimated), or ep with a known probe, may help",
                   s->method->name, (long long)iteration - 1, (long long)iteration, s->options.noise_precision);
}

static void
iterate(ag_solver *s, int64_t iteration)
{
    ptychoep *own = s->own;
    const ag_options *o = &s->options;
    own->starts = !own->started;
    if (own->starts)
        start(s);
    ag_step(s->device, "object");
    if (own->prior)
        ag_run_ep_prior(s->program, s->object_rows * s->object_cols, own->number, own->precision, own->prior,
                        own->prior_precision, o->sparsity);
    visit_all(s);
    ag_step(s->device, "object");
    ag_run_ep_mean(s->program, s->object_rows * s->object_cols, s->object, own->number, own->precision);
    exchange(&own->gamma, &own->fresh);
    exchange(&own->weight, &own->weight_before);
    own->units[BEFORE] = own->units[LEAST];
    ag_solver_total(s);
    if (o->noise_precision <= 0) {
        ag_run_total(s->program, 1, own->all_noise, 0, own->noise, s->frames * s->strips);
        s->comm->sum(s->comm, own->all_noise, NULL);
        ag_run_ep_noise(s->program, 1, own->variance_of_noise, own->all_noise, 1, s->pixels, LEAST_NOISE / own->units[UNIT]);
    }
    if (!refines(s))
        return;
    ag_run_probe_sum(s->program, s->window, own->before, s->probe, 1, 1);
    if (iteration < o->probe_start)
        return;
    for (int64_t k = 0; k < o->probe_steps; k++)
        refine_probe(s);
    own->units[LEAST] = LEAST_LATER / own->units[UNIT];
    report_collapse(s, iteration);
}

static void
defaults(ag_options *o)
{
    o->batch = 1;
    o->damping = 0.7;
    o->rescale = 1;
    o->probe_start = -1;
}

static void
em_defaults(ag_options *o)
{
    defaults(o);
    o->probe_start = 5; /* EM that begins with an object at its prior lets the probe fall */
    o->probe_steps = 1;
}

#define METHOD \
    .create = create, .iterate = iterate, .destroy = destroy, .state = state, .one_mode = 1, .keeps_messages = 1, \
    .kernels = 16, .kernel = { \
        AG_KERNEL_power, AG_KERNEL_rescale, AG_KERNEL_ep_begin, AG_KERNEL_ep_start, AG_KERNEL_load_exit_spread, \
        AG_KERNEL_ep_weigh, AG_KERNEL_ep_project, AG_KERNEL_ep_update, AG_KERNEL_ep_mean, AG_KERNEL_ep_terms, \
        AG_KERNEL_probe_sum, AG_KERNEL_divide, AG_KERNEL_ep_residual, AG_KERNEL_ep_gamma, AG_KERNEL_ep_prior, \
        AG_KERNEL_ep_noise}

const ag_method ag_method_ep = {.name = "ep", .defaults = defaults, METHOD};
const ag_method ag_method_ep_em = {.name = "ep-em", .defaults = em_defaults, METHOD};
