/* SPDX-License-Identifier: BSD-3-Clause */
/* launch.c -- building and launching kernels; the trace, the ledger and timings. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "kernels.h"

extern const ag_kernel ag_kernels[];

struct ag_program {
    ag_device *device;
    ag_shape shape;
    ag_binary *binary[AG_KERNELS];
    /* Between ag_program_join and the next the launches that a kernel for whole frames may do in one. */
    int joins, held;
    ag_asked hold[3];
};

/* The kernel that does what this one does for frames of a shape; -1: none. */
static int
form(const ag_shape *shape, int number)
{
    return shape->unfused ? ag_kernels[number].unfused : number;
}

/* What a kernel is built for. */
static ag_shape
shape_of(const ag_device *device, const ag_shape *shape, const ag_kernel *kernel)
{
    ag_shape own = *shape;
    own.whole = kernel->whole[0] >= 0 ? shape->whole : 0;
    own.lanes = !own.whole ? device->limits.lanes : own.whole == 2 ? 4 * shape->y.length : device->limits.whole;
    return own;
}

static void
build(ag_program *program, int number)
{
    ag_device *device = program->device;
    const ag_kernel *kernel = &ag_kernels[number];
    const ag_shape shape = shape_of(device, &program->shape, kernel);
    const int64_t local = kernel->local(&shape);
    if (program->binary[number])
        return;
    if (local > device->limits.local)
        ag_device_fail(device, AG_DEVICE_ERROR,
                       "device %s: kernel %s needs %lld bytes of local memory, there are %lld",
                       device->name, kernel->name, (long long)local, (long long)device->limits.local);
    else
        ag_device_stick(device, device->backend->build(device->handle, kernel, &shape, &program->binary[number]));
}

ag_program *
ag_program_create(ag_device *device, const ag_shape *shape, int n, const int *list)
{
    if (device->status)
        return NULL;
    ag_program *program = calloc(1, sizeof *program);
    if (!program) {
        ag_device_fail(device, AG_NO_MEMORY, "kernels: out of host memory");
        return NULL;
    }
    program->device = device;
    program->shape = *shape;
    program->shape.lanes = device->limits.lanes;
    for (int i = 0; i < n && !device->status && !device->count_only; i++) {
        if ((ag_kernels[list[i]].whole[0] >= 0 && !shape->whole) ||
            (ag_kernels[list[i]].kind == AG_TOGETHER && !device->limits.cooperative))
            continue;
        const int number = form(shape, list[i]);
        if (number < 0) {
            ag_device_fail(device, AG_BAD_ARGUMENT, "kernel %s transforms by itself: no library can do it instead",
                           ag_kernels[list[i]].name);
            break;
        }
        build(program, number);
    }
    if (device->status) {
        ag_program_destroy(program);
        return NULL;
    }
    return program;
}

void
ag_program_add(ag_program *program, int number)
{
    if (program && program->device->limits.cooperative && !program->device->status && !program->device->count_only)
        build(program, number);
}

const ag_kernel *
ag_program_together(const ag_program *program)
{
    for (int i = 0; program && i < AG_KERNELS; i++)
        if (program->binary[i] && ag_kernels[i].kind == AG_TOGETHER)
            return &ag_kernels[i];
    return NULL;
}

void
ag_program_destroy(ag_program *program)
{
    if (!program)
        return;
    for (int i = 0; i < AG_KERNELS; i++)
        if (program->binary[i])
            program->device->backend->unbuild(program->device->handle, program->binary[i]);
    free(program);
}

void
ag_device_emit(ag_device *d, const char *trace, const char *ledger)
{
    char line[1024];
    if (d->trace && *trace)
        d->trace(d->sink, trace);
    d->steps += *ledger != 0;
    if (d->ledger && *ledger) {
        snprintf(line, sizeof line, "%lld %s", (long long)d->steps, ledger);
        d->ledger(d->sink, line);
    }
}

/* Scalars are traced by their bits, so that equal lines mean equal work. */
static void
describe(char *line, size_t room, const ag_program *program, const ag_asked *launch)
{
    const ag_kernel *kernel = &ag_kernels[launch->number];
    const ag_arg *arg = launch->arg;
    int n = snprintf(line, room, "%s %dx%d %lld", kernel->name, program->shape.y.length,
                     program->shape.x.length, (long long)launch->items);
    for (int i = 0; i < kernel->nargs && n < (int)room; i++) {
        uint64_t bits = 0;
        if (kernel->arg[i].kind == AG_ARG_INDEX)
            bits = (uint64_t)arg[i].as_index;
        else if (kernel->arg[i].kind == AG_ARG_INT)
            bits = (uint32_t)arg[i].as_int;
        else if (kernel->arg[i].kind == AG_ARG_REAL)
            memcpy(&bits, &arg[i].as_real, sizeof arg[i].as_real);
        else
            continue;
        n += snprintf(line + n, room - (size_t)n, " %s=%" PRIx64, kernel->arg[i].name, bits);
    }
}

double
ag_time_begin(ag_device *d)
{
    return d->timing && !d->recording ? ag_device_seconds(d) : 0;
}

void
ag_time_end(ag_device *d, double begin, const char *kernel, const ag_cost *cost)
{
    if (!d->timing || d->recording || d->status)
        return;
    const double seconds = ag_device_seconds(d) - begin;
    const ag_timing timing = {kernel, d->step ? d->step : "", seconds, cost->bytes, cost->flops};
    d->timing(d->timing_user, &timing);
}

/* The values as the backend takes them; 0 and a failure that sticks where one is wrong. */
static int
take(ag_device *d, const ag_kernel *kernel, const ag_value *value, ag_arg *arg)
{
    memset(arg, 0, AG_MAX_ARGS * sizeof *arg);
    for (int i = 0; i < kernel->nargs; i++) {
        const int kind = kernel->arg[i].kind;
        if (kind == AG_ARG_INDEX) {
            arg[i].as_index = value[i].as_index;
        } else if (kind == AG_ARG_INT) {
            arg[i].as_int = value[i].as_int;
        } else if (kind == AG_ARG_REAL) {
            arg[i].as_real = (ag_real)value[i].as_real;
        } else if (value[i].array) {
            if (value[i].array->type != kernel->arg[i].type || value[i].array->device != d) {
                ag_device_fail(d, AG_BAD_ARGUMENT, "kernel %s: argument %s has the wrong type or device",
                               kernel->name, kernel->arg[i].name);
                return 0;
            }
            arg[i].memory = value[i].array->memory;
            arg[i].offset = value[i].array->offset;
        }
    }
    return 1;
}

static void
tell(ag_device *d, const char *trace, const char *ledger)
{
    if (d->recording)
        ag_recording_keep(d->recording, trace, ledger);
    else
        ag_device_emit(d, trace, ledger);
}

/* The trace's line of what was asked for. */
static void
tell_asked(ag_program *program, const ag_asked *asked)
{
    const ag_device *d = program->device;
    char line[1024];
    if (d->trace || d->recording) {
        describe(line, sizeof line, program, asked);
        tell(program->device, line, "");
    }
}

void
ag_program_run(ag_program *program, const ag_kernel *kernel, int64_t items, const ag_arg *arg)
{
    ag_device *d = program->device;
    const int told = d->ledger || d->recording;
    ag_cost cost = {0, 0};
    if (told || d->timing) {
        const ag_shape shape = shape_of(d, &program->shape, kernel);
        char line[256];
        cost = kernel->cost(&shape, items, arg);
        snprintf(line, sizeof line, "%s groups %lld lanes %d local %lld", kernel->name,
                 (long long)(kernel->parts(&shape) * (kernel->kind == AG_TOGETHER ? 1 : items)), shape.lanes,
                 (long long)kernel->local(&shape));
        if (told)
            tell(d, "", line);
    }
    const double begin = ag_time_begin(d);
    ag_device_stick(d, d->backend->launch(d->handle, program->binary[kernel->id], items, arg));
    ag_time_end(d, begin, kernel->name, &cost);
    if (d->recording)
        ag_recording_cost(d->recording, &cost);
}

/* Runs what is held. */
static void
release(ag_program *program)
{
    for (int i = 0; i < program->held && !program->device->status; i++) {
        const ag_asked *const l = &program->hold[i];
        tell_asked(program, l);
        ag_program_run(program, &ag_kernels[l->number], l->items, l->arg);
    }
    program->held = 0;
}

/* Load, middle and store as one: their arguments in the order that WHOLE_PASS has them (gen/passes.m4). */
static void
run_whole(ag_program *program, const ag_kernel *kernel)
{
    const ag_asked *const load = program->hold, *const middle = load + 1, *const store = load + 2;
    ag_arg arg[AG_MAX_ARGS];
    int n = 0;
    arg[n++] = store->arg[0];
    arg[n++] = load->arg[0];
    arg[n++] = load->arg[1];
    arg[n++] = middle->arg[1];
    for (int i = 2; i < ag_kernels[load->number].nargs - 1; i++)
        arg[n++] = load->arg[i];
    for (int i = 2; i < ag_kernels[middle->number].nargs - 1; i++)
        arg[n++] = middle->arg[i];
    for (int i = 0; i < 3; i++)
        tell_asked(program, &load[i]);
    ag_program_run(program, kernel, middle->items, arg);
    program->held = 0;
}

/* Whether the launch waits for those that may follow it, or was the last of a frame's three. */
static int
joined(ag_program *program, const ag_asked *launch)
{
    ag_asked *const hold = program->hold;
    const int n = program->held;
    for (int i = 0; i < AG_KERNELS; i++) {
        const int *const part = ag_kernels[i].whole;
        if (!program->binary[i] || part[n] != launch->number || (n > 0 && part[0] != hold[0].number) ||
            (n > 1 && part[1] != hold[1].number))
            continue;
        hold[program->held++] = *launch;
        if (program->held == 3)
            run_whole(program, &ag_kernels[i]);
        return 1;
    }
    return 0;
}

void
ag_program_join(ag_program *program, int on)
{
    if (!program)
        return;
    release(program);
    program->joins = on && program->shape.whole;
}

void
ag_launch(ag_program *program, int number, int64_t items, const ag_value *value)
{
    if (!program || program->device->status || program->device->count_only || items < 1)
        return;
    ag_device *d = program->device;
    const int built = form(&program->shape, number);
    const ag_kernel *kernel = &ag_kernels[built < 0 ? number : built];
    ag_asked launch;
    launch.number = kernel->id;
    launch.items = items;
    if (!program->binary[kernel->id]) {
        ag_device_fail(d, AG_BAD_ARGUMENT, "kernel %s was not built", kernel->name);
        return;
    }
    if (!take(d, kernel, value, launch.arg))
        return;
    if (d->recording && ag_recording_visits(d->recording)) {
        tell_asked(program, &launch);
        ag_recording_visit(d->recording, program, &program->shape, &launch);
        return;
    }
    if (program->joins) {
        if (joined(program, &launch))
            return;
        release(program);
    }
    tell_asked(program, &launch);
    ag_program_run(program, kernel, items, launch.arg);
}

void
ag_step(ag_device *device, const char *name)
{
    device->step = name;
}

void
ag_device_profile(ag_device *device, ag_timing_sink *sink, void *user)
{
    device->timing = sink;
    device->timing_user = user;
}

int
ag_device_profiled(const ag_device *device)
{
    return device->timing != NULL;
}

void
ag_device_trace(ag_device *device, ag_line_sink *trace, ag_line_sink *ledger, void *user)
{
    device->trace = trace;
    device->ledger = ledger;
    device->sink = user;
    device->steps = 0;
}

void
ag_upload(ag_array *array, int64_t count, const void *source)
{
    ag_device *d = array->device;
    const int64_t size = ag_type_bytes(array->type);
    ag_mark *mark = NULL;
    /* What computes from the array's old content must be done first. */
    if (d->status || d->count_only || ag_device_stick(d, d->backend->mark(d->handle, AG_LANE_COMPUTE, &mark)) ||
        ag_device_stick(d, d->backend->wait(d->handle, AG_LANE_TRANSFER, mark)) ||
        ag_device_stick(d, d->backend->copy(d->handle, AG_LANE_TRANSFER, AG_TO_DEVICE, array->memory,
                                            array->offset * size, (void *)(uintptr_t)source,
                                            count * size)) ||
        ag_device_stick(d, d->backend->mark(d->handle, AG_LANE_TRANSFER, &mark)))
        return;
    ag_device_stick(d, d->backend->wait(d->handle, AG_LANE_COMPUTE, mark));
}
