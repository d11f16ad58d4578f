/* SPDX-License-Identifier: BSD-3-Clause */
/* projections.c -- difference map, alternating projections, RAAR: all frames, then the object.

   One iteration sends the exit waves p_j o_j of all frames through the detector, takes what it said of
   each, z_j, and makes

       O <- (sum_j conj(p_j) z_j + c O) / (sum_j |p_j|^2 + c)           the overlap projection
       P <- (sum_j conj(o_j) z_j + c' P) / (sum_j |o_j|^2 + c')         with the new O, when due

   both, where the probe is due, as often as option overlap_steps says.  Where the probe has modes, each
   has a P of its own, and the sums for the object run over them too.

   Methods differ in what happens at the detector: kernels modulus (AP), modulus_dm, modulus_raar.
   From one iteration to the next they keep object, probe and what modulus_dm and modulus_raar call
   the state.  With a probe shifted to sub-pixel positions the probe's density is that of the windows
   at whole pixels.

   The sums run over the frames in one order (ag_solver_sort) whatever the blocks, but for option sums' atomic ones.  */
#include <stdlib.h>

#include "solver.h"

typedef struct projections {
    ag_array *number, *density, *top;              /* of the object */
    ag_array *term, *probe_number, *probe_density; /* of the probe */
    ag_array *density_top, *probe_top;
    ag_stack wave;  /* what the detector said, of all frames where `whole' */
    ag_stack state; /* the method's, at the detector */
    int whole, known; /* known: the density is of the present probe and positions */
    int32_t started;
} projections;

static ag_status
create(ag_solver *s)
{
    projections *own = s->own = calloc(1, sizeof *own);
    ag_device *d = s->device;
    const int64_t pixels = s->object_rows * s->object_cols;
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "solver: out of host memory");
    own->number = ag_new(d, AG_COMPLEX, pixels, "object numerator");
    own->density = ag_new(d, AG_REAL, pixels, "object density");
    own->top = ag_new(d, AG_REAL, 1, "density maximum");
    if (own->top)
        ag_clear(own->top);
    own->whole = s->options.probe_start >= 0 || s->options.residuals;
    if (s->options.probe_start >= 0) {
        if (s->fourier)
            own->term = ag_new(d, AG_COMPLEX, s->slots * s->windows, "probe terms");
        own->probe_number = ag_new(d, AG_COMPLEX, s->windows, "probe numerator");
        own->probe_density = ag_new(d, AG_REAL, s->window, "probe density");
        own->density_top = ag_new(d, AG_REAL, s->plan.tops, "density maxima");
        own->probe_top = ag_new(d, AG_REAL, s->plan.tops, "probe maxima");
    }
    if (own->whole)
        ag_solver_stack(s, &own->wave, AG_TURNS_WAVES, AG_COMPLEX, s->windows, "waves");
    else
        ag_stack_create(&own->wave, d, AG_COMPLEX, s->slots, s->windows, 0, "waves");
    if (s->method->middle != ag_solver_modulus)
        ag_solver_stack(s, &own->state, AG_TURNS_STATE, AG_REAL, 2 * s->options.modes * s->amplitudes, "state");
    own->state.places = s->places;
    return ag_device_status(d);
}

static void
destroy(ag_solver *s)
{
    projections *own = s->own;
    ag_array *const array[] = {own->number,       own->density,       own->top,      own->term,
                               own->probe_number, own->probe_density, own->density_top, own->probe_top};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_stack_destroy(&own->wave);
    ag_stack_destroy(&own->state);
    free(own);
}

static void
state(ag_solver *s, ag_record *record)
{
    projections *own = s->own;
    ag_record_host(record, "started", AG_KIND_INT32, 1, &own->started);
    ag_record_stack(record, "state", &own->state);
}

/* The next frames, as many as lie in one block of every stack, and their waves. */
static ag_pass
next(ag_solver *s, int64_t first, ag_detector *detector, ag_array *wave)
{
    projections *own = s->own;
    int64_t slots = AG_MIN(s->slots, s->frames - first);
    *wave = ag_stack_view(&own->wave, own->whole ? first : 0, &slots, detector ? AG_STACK_WRITE : AG_STACK_READ);
    if (detector && own->state.part)
        detector->state = ag_stack_view(&own->state, first, &slots, AG_STACK_READ | AG_STACK_WRITE);
    return ag_solver_pass(s, first, slots, detector);
}

/* What the waves of the pass from place `first` on say of the object; the first pass begins the sums. */
static void
add_to_object(ag_solver *s, int64_t first, const ag_pass *p, const ag_array *wave)
{
    const projections *own = s->own;
    const ag_box b = first ? ag_solver_box(s, first, p->slots) : ag_solver_whole(s);
    ag_step(s->device, "object");
    if (s->options.sums == AG_SUMS_ATOMIC) {
        if (!first) {
            ag_clear(own->number);
            if (!own->known)
                ag_clear(own->density);
        }
        ag_run_object_scatter(s->program, p->slots * s->window, own->number, own->density, s->object_cols, !own->known, &p->frame, s->corner,
                              s->fraction, &p->probe, p->probe_step, wave);
        return;
    }
    ag_run_object_sum(s->program, b.items, own->number, own->density, s->object_cols, b.top, b.left, b.right,
                      b.segments, p->slots, !first, !own->known, &p->frame, s->corner, s->fraction, &p->probe, p->probe_step, wave);
}

static void
to_the_detector(ag_solver *s)
{
    projections *own = s->own;
    ag_array wave;
    ag_pass pass;
    /* In the wave that is projected, see the kernels. */
    const double kept = own->started ? s->method->kept : 0, model = kept < 0 ? 2 : kept > 0 ? 2 * s->options.beta : 1;
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        ag_detector detector;
        pass = next(s, first, &detector, &wave);
        detector.start = !own->started;
        ag_solver_shift_probe(s, &pass);
        ag_background_look(s, &pass, &detector, !first, model, kept);
        ag_background_leave(s, &pass, &detector);
        ag_residuals_modulus(s, first, &pass, &detector, model, kept);
        ag_step(s->device, "detector");
        ag_propagate(&pass, ag_run_load_exit, s->method->middle, &detector, ag_run_store_stack, &wave);
        ag_positions_look(s, first, &pass, &wave, 1);
        add_to_object(s, first, &pass, &wave);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
        ag_stack_ahead(&own->state, AG_STACK_READ);
        ag_stack_ahead(&own->wave, AG_STACK_WRITE);
    }
    ag_background_step(s);
    own->started = 1;
}

static void
refine_probe(ag_solver *s)
{
    projections *own = s->own;
    ag_array wave;
    ag_pass pass;
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        pass = next(s, first, NULL, &wave);
        ag_step(s->device, "probe");
        ag_run_probe_terms(s->program, s->rows * s->options.modes, own->probe_number, own->term, own->probe_density, own->density_top,
                           own->probe_top, pass.slots, !first, s->fourier, &pass.frame, s->corner, s->fraction, s->object, s->object_cols,
                           s->probe, 0, &wave);
        if (s->fourier) {
            ag_solver_shift(s, &pass, own->term, s->windows, own->term, -1);
            ag_step(s->device, "probe");
            ag_run_probe_sum(s->program, s->windows, own->probe_number, own->term, pass.slots, !first);
        }
        ag_stack_ahead(&own->wave, AG_STACK_READ);
    }
    s->comm->sum(s->comm, own->probe_number, NULL);
    s->comm->sum(s->comm, own->probe_density, NULL);
    own->known = 0;
    if (s->options.probe_inertia > 0)
        ag_run_maximum(s->program, 1, own->top, own->probe_density, s->window);
    for (int64_t k = 0; k < s->options.modes; k++) {
        ag_array probe = ag_view(s->probe, k * s->window), number = ag_view(own->probe_number, k * s->window);
        ag_run_divide(s->program, s->window, &probe, &number, own->probe_density, own->top, s->options.probe_inertia,
                      s->method->guard);
    }
}

/* The waves once more, now with the new probe. */
static void
once_more(ag_solver *s, void (*look)(ag_solver *, int64_t, const ag_pass *, const ag_array *))
{
    projections *own = s->own;
    ag_array wave;
    ag_pass pass;
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        pass = next(s, first, NULL, &wave);
        ag_solver_shift_probe(s, &pass);
        look(s, first, &pass, &wave);
        ag_stack_ahead(&own->wave, AG_STACK_READ);
    }
}

static void
divide_object(ag_solver *s)
{
    projections *own = s->own;
    const int64_t pixels = s->object_rows * s->object_cols;
    ag_step(s->device, "object");
    s->comm->sum(s->comm, own->number, NULL);
    if (!own->known)
        s->comm->sum(s->comm, own->density, NULL);
    if (s->options.object_inertia > 0)
        ag_run_maximum(s->program, 1, own->top, own->density, pixels);
    own->known = 1;
    ag_run_divide(s->program, pixels, s->object, own->number, own->density, own->top, s->options.object_inertia,
                  s->method->guard);
}

static void
iterate(ag_solver *s, int64_t iteration)
{
    projections *own = s->own;
    const ag_options *o = &s->options;
    const int refines = o->probe_start >= 0 && iteration >= o->probe_start;
    to_the_detector(s);
    ag_solver_total(s);
    divide_object(s);
    if (refines && (iteration - o->probe_start) % AG_MAX(1, o->probe_period) == 0) {
        refine_probe(s);
        for (int64_t k = 1; k < o->overlap_steps; k++) {
            once_more(s, add_to_object);
            divide_object(s);
            refine_probe(s);
        }
    }
    if (ag_residuals_due(s)) {
        once_more(s, ag_residuals_overlap);
        ag_residuals_total(s);
    }
    /* What else changes the probe does so between iterations that refine it. */
    if (ag_positions_move(s) || refines || o->orthogonalise)
        own->known = 0;
}

static void
dm_middle(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_modulus_dm
             : ag_run_modulus_dm)(p->program, p->slots, p->scratch, ag_solver_table(s), &d->error, &d->state,
                                  &d->frame, d->first, &d->amplitude, s->detector_scale, s->least,
                                  s->options.modulus_guard, d->start, p->spill);
    ag_solver_free_space(p, s, -1);
}

static void
raar_middle(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_modulus_raar
             : ag_run_modulus_raar)(p->program, p->slots, p->scratch, ag_solver_table(s), &d->error, &d->state,
                                    &d->frame, d->first, &d->amplitude, s->detector_scale, s->least,
                                    s->options.modulus_guard, s->options.beta, d->start, p->spill);
    ag_solver_free_space(p, s, -1);
}

static void
defaults(ag_options *o)
{
    o->batch = 1;
    o->probe_start = 2;
    o->probe_period = o->overlap_steps = 1;
    o->object_inertia = 1e-4;
    o->probe_inertia = 1e-4;
}

static void
raar_defaults(ag_options *o)
{
    defaults(o);
    o->beta = 0.75;
    o->position_step = 0.5; /* what the detector says swings about the model: longer steps diverge */
    o->position_limit = 0.2;
}

#define METHOD(middle_kernel, whole_kernel) \
    .create = create, .iterate = iterate, .destroy = destroy, .state = state, \
    .any_order = 1, .knows_background = 1, .kernels = 8, .kernel = { \
        middle_kernel, whole_kernel, AG_KERNEL_store_stack, AG_KERNEL_object_sum, AG_KERNEL_divide, \
        AG_KERNEL_maximum, AG_KERNEL_probe_terms, AG_KERNEL_probe_sum}

const ag_method ag_method_dm = {.name = "dm", .defaults = defaults, METHOD(AG_KERNEL_modulus_dm, AG_KERNEL_whole_dm),
                                .guard = 1e-10, .kept = -1, .middle = dm_middle, .keeps_waves = 1};
const ag_method ag_method_ap = {.name = "ap", .defaults = defaults, METHOD(AG_KERNEL_modulus, AG_KERNEL_whole_ap),
                                .guard = 1e-10, .middle = ag_solver_modulus, .residuals = 1};
const ag_method ag_method_raar = {.name = "raar", .defaults = raar_defaults, METHOD(AG_KERNEL_modulus_raar, AG_KERNEL_whole_raar),
                                  .guard = 1e-8, .kept = 1, .middle = raar_middle, .keeps_waves = 1, .residuals = 1};
