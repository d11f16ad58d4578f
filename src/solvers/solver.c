/* SPDX-License-Identifier: BSD-3-Clause */
/* solver.c -- the life of a solver: checks, the scan on the device, iterations, quality. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

/* Kernels that every method uses. */
static const int common[] = {AG_KERNEL_amplitude, AG_KERNEL_load_exit, AG_KERNEL_measure,
                             AG_KERNEL_total,     AG_KERNEL_load_probe, AG_KERNEL_shift,
                             AG_KERNEL_ramp,      AG_KERNEL_store_stack};
/* Of these, those from load_probe on only where the probe is shifted. */
#define COMMON_WITHOUT_SHIFT 4
/* Pixels of one pass: enough to fill a device with work; of a processor, for each of the eight pieces of work that
   its threads take, so that scratch and waves stay in their caches. */
#define PASS_PIXELS ((int64_t)1 << 19)
#define PIECE_PIXELS ((int64_t)1 << 13)

int64_t
ag_solver_slots(const ag_device *device, const ag_scan_info *info, int64_t modes)
{
    const ag_room room = ag_device_room(device);
    const int64_t pixels = room.lanes > 1 ? PASS_PIXELS : AG_MIN(PASS_PIXELS, PIECE_PIXELS * room.parallel);
    return AG_MAX(1, AG_MIN(info->frames, pixels / (info->rows * info->cols * AG_MAX(1, modes))));
}

static ag_status
check(const ag_solver *s, const ag_scan_info *info)
{
    const struct {
        const char *name;
        const ag_array *array;
        int64_t count;
    } given[] = {{"object", s->object, info->object_rows * info->object_cols},
                 {"probe", s->probe, s->windows}};
    for (int i = 0; i < 2; i++) {
        const ag_array *a = given[i].array;
        if (a && (a->device != s->device || a->type != AG_COMPLEX || a->count != given[i].count))
            return ag_device_fail(s->device, AG_BAD_ARGUMENT,
                                  "%s: found %lld elements, expected %lld complex ones on the device %s",
                                  given[i].name, (long long)a->count, (long long)given[i].count,
                                  ag_device_name(s->device));
    }
    return AG_OK;
}

/* 0, 1, ...: what the kernels take for the frames where amplitudes lie in the order of their places. */
static ag_array *
place_array(ag_solver *s)
{
    int32_t *place = ag_calloc(s->slots, sizeof *place);
    ag_array *array = NULL;
    for (int64_t i = 0; place && i < s->slots; i++)
        place[i] = (int32_t)i;
    if (place)
        array = ag_new_from(s->device, AG_INT, s->slots, place, "places");
    else
        ag_device_fail(s->device, AG_NO_MEMORY, "places: out of host memory");
    free(place);
    return array;
}

ag_status
ag_solver_stack(ag_solver *s, ag_stack *stack, int rank, ag_type type, int64_t frame, const char *name)
{
    return ag_stack_create(stack, s->device, type, s->frames, frame, rank <= s->turns.stacks ? s->turns.frames : 0, name);
}

static void
prepare(ag_solver *s, const ag_scan *scan)
{
    const ag_scan_info *info = ag_scan_content(scan);
    int list[sizeof common / sizeof *common + sizeof s->method->kernel / sizeof(int) + 22], n = 0;
    ag_device *d = s->device;
    s->order = ag_calloc(s->frames, sizeof *s->order);
    s->corners = ag_calloc(2 * s->frames, sizeof *s->corners);
    const int shares = s->all > s->frames;
    if (shares) {
        s->everyone = ag_calloc(s->all, sizeof *s->everyone);
        s->everywhere = ag_calloc(2 * s->all, sizeof *s->everywhere);
    }
    if (!s->order || !s->corners || (shares && !(s->everyone && s->everywhere)))
        ag_device_fail(d, AG_NO_MEMORY, "positions: out of host memory");
    else if (!ag_positions_create(s, info)) {
        for (int64_t j = 0; s->everyone && j < s->all; j++)
            s->everyone[j] = (int32_t)j;
        /* A share's positions lie in those of the whole scan. */
        const double *const all = s->options.position ? s->options.position : info->position - 2 * s->first;
        for (int64_t i = 0; s->everywhere && i < 2 * s->all; i++)
            s->everywhere[i] = (int32_t)(s->options.subpixel == AG_SUBPIXEL_LINEAR ? floor(all[i]) : nearbyint(all[i]));
        ag_solver_sort(s);
        s->frame = ag_new_from(d, AG_INT, s->frames, s->order, "order of frames");
    }
    if (ag_device_status(d) ||
        ag_plan_create(&s->plan, d, s->rows, s->cols, s->options.subpixel == AG_SUBPIXEL_LINEAR, NULL))
        return;
    const int64_t modes = s->plan.shape.modes = (int)s->options.modes;
    s->plan.shape.words = s->options.data_type == AG_DATA_UINT16;
    if (s->near || !(s->method->middle || (s->method->joins && s->options.batch > 1 && s->options.noise != AG_NOISE_POISSON)))
        ag_plan_in_passes(&s->plan);
    for (int i = 0; i < (s->fourier ? (int)(sizeof common / sizeof *common) : COMMON_WITHOUT_SHIFT); i++)
        list[n++] = ag_solver_kernel(s, common[i]);
    for (int i = 0; i < s->method->kernels; i++)
        list[n++] = ag_solver_kernel(s, s->method->kernel[i]);
    if (s->near)
        list[n++] = AG_KERNEL_transfer;
    n += ag_constraints_kernels(&s->options, list + n);
    n += ag_opr_kernels(&s->options, list + n);
    n += ag_background_kernels(s, list + n);
    n += ag_residuals_kernels(s, list + n);
    if (s->options.position_start >= 0) {
        list[n++] = s->options.position_method == AG_POSITION_CORRELATION ? AG_KERNEL_position_lags : AG_KERNEL_position_sums;
        list[n++] = AG_KERNEL_lsq_frames;
    }
    s->program = ag_program_create(d, &s->plan.shape, n, list);
    s->slots = ag_solver_slots(d, info, modes);
    if (s->plan.shape.whole && s->method->middle) /* a group has a frame: enough of them for every unit of the device */
        s->slots = AG_MAX(s->slots, AG_MIN(s->frames, ag_device_room(d).parallel / 2));
    if (s->turns.stacks)
        s->slots = AG_MIN(s->slots, s->turns.frames);
    if (s->options.batch > s->slots)
        s->slots = s->options.batch;
    const int64_t batch = s->method->middle ? 0 : s->options.batch;
    const int64_t passes[] = {modes * s->slots, modes * (s->frames % s->slots), modes * batch,
                              batch ? modes * (s->frames % batch) : 0};
    ag_plan_passes(&s->plan, d, (int)(sizeof passes / sizeof *passes), passes);
    s->scratch = ag_new(d, AG_REAL, s->slots * modes * s->plan.scratch, "scratch");
    s->spill = s->plan.spill ? ag_new(d, AG_REAL, s->slots * modes * s->plan.spill, "tiles") : NULL;
    s->strips = s->near && !s->plan.fft ? s->plan.shape.strips_x : s->plan.shape.strips_y;
    s->amplitudes = s->plan.fft ? s->window : s->strips * s->plan.shape.tile * (s->near ? s->rows : s->cols);
    s->error = ag_new(d, AG_REAL, s->frames * s->strips, "errors");
    s->total = ag_new(d, AG_REAL, 1, "error");
    for (int i = 0; i < 2; i++)
        s->measured[i] = ag_new(d, AG_REAL, s->slots * s->strips, "errors");
    if (s->fourier || s->options.opr_modes)
        s->shifted = ag_new(d, AG_COMPLEX, s->slots * s->windows, "probes of frames");
    if (s->fourier) {
        s->ramp = ag_new(d, AG_COMPLEX, s->frames * (s->rows + s->cols), "shifts");
        ag_run_ramp(s->program, s->frames * (s->rows + s->cols), s->ramp, s->fraction, s->plan.frequency);
    }
    if (s->near)
        ag_solver_transfer(s, info);
    if (s->turns.stacks || s->places || s->options.background_start >= 0)
        s->place = place_array(s);
    ag_positions_prepare(s);
    ag_constraints_create(s);
    ag_spectrum_create(s, info);
    ag_background_create(s, info);
    ag_residuals_create(s);
    ag_opr_create(s);
    /* As AMPLITUDE_REALS in gen/passes.m4. */
    const int64_t size = sizeof(ag_real), reals = s->plan.shape.words ? (2 * s->amplitudes + size - 1) / size + 2 : s->amplitudes;
    if (!ag_solver_stack(s, &s->amplitude, AG_TURNS_AMPLITUDES, AG_REAL, reals, "amplitudes"))
        ag_solver_take_frames(s, scan);
}

ag_status
ag_solver_make(ag_solver **solver, ag_device *device, ag_comm *comm, const ag_scan *scan,
               const ag_options *options, ag_turns turns, ag_array *object, ag_array *probe)
{
    const ag_scan_info *info = ag_scan_content(scan);
    *solver = NULL;
    if (ag_device_status(device))
        return ag_device_status(device);
    ag_message message;
    ag_options known;
    ag_status status = ag_options_default(&known, options->method, &message);
    if (!status)
        status = ag_options_check(options, scan->all ? scan->all : info->frames, &message);
    if (status)
        return ag_device_fail(device, status, "%s", message.text);
    ag_solver *s = calloc(1, sizeof *s);
    if (!s)
        return ag_device_fail(device, AG_NO_MEMORY, "solver: out of host memory");
    s->device = device;
    s->comm = comm;
    s->options = *options;
    s->turns = turns;
    s->method = ag_method_of(options->method);
    s->frames = info->frames;
    s->first = scan->first;
    s->all = scan->all ? scan->all : info->frames;
    s->options.batch = AG_MIN(options->batch, s->all);
    s->rows = info->rows;
    s->cols = info->cols;
    s->window = info->rows * info->cols;
    s->windows = s->options.modes * s->window;
    s->object_rows = info->object_rows;
    s->object_cols = info->object_cols;
    s->scale = 1 / sqrt((double)s->window);
    s->near = info->geometry == AG_NEAR_FIELD;
    s->detector_scale = s->near ? 1 : s->scale;
    s->object = object;
    s->probe = probe;
    if (!check(s, info))
        prepare(s, scan);
    if (!ag_device_status(device))
        s->method->create(s);
    *solver = s;
    return ag_device_status(device);
}

/* Adds up `count` values over the ranks; where one of them has failed all do. */
static ag_status
agree(ag_device *device, ag_comm *comm, int count, double *value)
{
    double sum[AG_COMM_MOST] = {ag_device_status(device) != AG_OK};
    for (int k = 0; k < count; k++)
        sum[k + 1] = value[k];
    comm->add(comm, count + 1, sum);
    for (int k = 0; k < count; k++)
        value[k] = sum[k + 1];
    return sum[0] > 0 ? ag_device_fail(device, AG_DEVICE_ERROR, "another rank has failed") : AG_OK;
}

ag_status
ag_solver_create(ag_solver **solver, ag_device *device, ag_comm *comm, const ag_scan *scan,
                 const ag_options *options, ag_array *object, ag_array *probe)
{
    const ag_scan share = ag_scan_share(scan, comm->rank, comm->size);
    const long long frames = ag_scan_content(scan)->frames;
    ag_turns turns;
    ag_status status = AG_OK;
    *solver = NULL;
    if (frames < comm->size)
        status = ag_device_fail(device, AG_BAD_ARGUMENT, "ranks: found %d, expected at most the %lld frames", comm->size, frames);
    if (!status)
        status = ag_solver_turns(&turns, device, &share, options);
    if (!status)
        status = ag_solver_make(solver, device, comm, &share, options, turns, object, probe);
    ag_solver *s = *solver;
    double sum[3] = {status ? 0 : s->energy, status ? 0 : s->strength, status ? 0 : s->pixels};
    status = agree(device, comm, 3, sum);
    if (!status && !(sum[0] > 0))
        status = ag_device_fail(device, AG_BAD_FILE, "frames: all counts of all %lld frames are 0, expected a measurement",
                                frames);
    if (!status) {
        s->energy = sum[0];
        s->strength = sum[1];
        s->pixels = sum[2];
        s->identity[AG_IDENTITY_DATA] = ag_comm_add_word(comm, s->identity[AG_IDENTITY_DATA]);
        s->least = options->modulus_floor * sqrt(s->energy / ((double)frames * (double)s->window));
    } else {
        ag_solver_destroy(s);
        *solver = NULL;
    }
    return status;
}

void
ag_solver_destroy(ag_solver *s)
{
    if (!s)
        return;
    if (s->own)
        s->method->destroy(s);
    ag_array *const array[] = {s->frame, s->corner, s->fraction, s->ramp,  s->scratch,
                               s->spill, s->shifted, s->error,    s->total, s->transfer, s->place,
                               s->measured[0], s->measured[1], s->support, s->power, s->moduli};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    ag_stack_destroy(&s->amplitude);
    ag_program_destroy(s->program);
    ag_plan_destroy(&s->plan);
    ag_positions_destroy(s);
    ag_opr_destroy(s);
    ag_spectrum_destroy(s);
    ag_background_destroy(s);
    ag_residuals_destroy(s);
    free(s->order);
    free(s->places);
    free(s->everyone);
    free(s->everywhere);
    free(s->corners);
    free(s->history);
    free(s->seconds);
    free(s);
}

ag_status
ag_solver_grow(ag_solver *s, int64_t iterations)
{
    const int64_t room = s->done + iterations;
    if (room <= s->room || ag_residuals_grow(s, room))
        return ag_device_status(s->device);
    double *history = realloc(s->history, (size_t)room * sizeof *history);
    if (history)
        s->history = history;
    double *seconds = realloc(s->seconds, (size_t)room * sizeof *seconds);
    if (seconds)
        s->seconds = seconds;
    if (!history || !seconds)
        return ag_device_fail(s->device, AG_NO_MEMORY, "history: out of host memory");
    s->room = room;
    return AG_OK;
}

ag_status
ag_solver_run(ag_solver *s, int64_t iterations, ag_progress_callback *progress, void *user)
{
    if (iterations < 0 || iterations > INT32_MAX)
        return ag_device_fail(s->device, AG_BAD_ARGUMENT, "iterations: found %lld, expected 0 or more", (long long)iterations);
    ag_solver_grow(s, iterations);
    if (agree(s->device, s->comm, 0, NULL))
        return ag_device_status(s->device);
    const double begin = ag_device_seconds(s->device);
    double before = begin;
    for (int64_t i = 0; i < iterations; i++) {
        ag_real total = 0;
        double stop = 0;
        s->method->iterate(s, s->done);
        ag_constraints_apply(s);
        if (s->options.orthogonalise && (s->done + 1) % s->options.orthogonalise == 0)
            ag_solver_orthogonalise(s);
        ag_array_read(s->total, 0, 1, &total);
        const double now = ag_device_seconds(s->device);
        if (!ag_device_status(s->device)) {
            s->history[s->done] = s->energy > 0 ? sqrt((double)total / s->energy) : 0;
            s->seconds[s->done] = now - before;
            ag_residuals_take(s);
            s->done++;
            if (!isfinite(total))
                ag_device_fail(s->device, AG_DEVICE_ERROR,
                               "%s: the error is no longer finite in iteration %lld; smaller steps may help",
                               s->method->name, (long long)s->done);
            const ag_progress report = {i + 1, iterations, s->history[s->done - 1], now - begin};
            stop = progress && !ag_device_status(s->device) && progress(user, &report);
        }
        if (agree(s->device, s->comm, 1, &stop))
            return ag_device_status(s->device);
        if (stop > 0)
            return AG_CANCELLED;
        before = ag_device_seconds(s->device); /* what the caller did is not the iteration's */
    }
    return AG_OK;
}

int64_t
ag_solver_history(const ag_solver *s, const double **error, const double **seconds)
{
    *error = s->history;
    *seconds = s->seconds;
    return s->done;
}

const char *
ag_solver_plan(const ag_solver *s)
{
    return s->plan.id;
}

typedef struct measured {
    ag_detector detector;
    ag_array *squares, *distances;
} measured;

static void
measure(const ag_pass *p, void *what)
{
    const measured *m = what;
    const ag_solver *s = m->detector.solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_measure : ag_run_measure)(p->program, p->slots, m->squares, m->distances, p->scratch,
                                                     ag_solver_table(s), &m->detector.frame, m->detector.first,
                                                     &m->detector.amplitude, s->detector_scale, p->spill);
}

ag_status
ag_solver_measure(ag_solver *s, ag_quality *quality)
{
    const int64_t strips = s->strips;
    double sum[2] = {0, 0}; /* squares, distances */
    measured m;
    m.squares = s->measured[0];
    m.distances = s->measured[1];
    ag_real *host = ag_calloc(2 * s->slots * strips, sizeof *host);
    if (!host)
        ag_device_fail(s->device, AG_NO_MEMORY, "errors: out of host memory");
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device);) {
        ag_pass pass = ag_solver_pass(s, first, s->slots, &m.detector);
        const int64_t n = pass.slots * strips;
        ag_solver_shift_probe(s, &pass);
        ag_background_leave(s, &pass, &m.detector);
        ag_propagate(&pass, ag_run_load_exit, measure, &m, NULL, NULL);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
        ag_array_read(m.squares, 0, n, host);
        ag_array_read(m.distances, 0, n, host + n);
        for (int64_t i = 0; i < n; i++) {
            sum[0] += (double)host[i];
            sum[1] += (double)host[n + i];
        }
        first += pass.slots;
    }
    free(host);
    agree(s->device, s->comm, 2, sum);
    quality->relative_l2 = s->energy > 0 ? sqrt(sum[0] / s->energy) : 0;
    quality->r_factor = s->strength > 0 ? sum[1] / s->strength : 0;
    return ag_device_status(s->device);
}
