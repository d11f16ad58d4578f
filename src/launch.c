/* SPDX-License-Identifier: BSD-3-Clause */
/* launch.c -- building and launching kernels; the trace, the ledger, timings and recordings. */
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
};

/* The lines of a recording are kept so that each replay traces alike. */
struct ag_recording {
    ag_device *device;
    ag_tape *tape;
    int64_t count, room;
    char **trace, **ledger;
    ag_cost cost; /* of all that was recorded */
};

/* The kernel that does what this one does for frames of a shape; -1: none. */
static int
form(const ag_shape *shape, int number)
{
    return shape->unfused ? ag_kernels[number].unfused : number;
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
        const int number = form(shape, list[i]);
        if (number < 0) {
            ag_device_fail(device, AG_BAD_ARGUMENT, "kernel %s transforms by itself: no library can do it instead",
                           ag_kernels[list[i]].name);
            break;
        }
        const ag_kernel *kernel = &ag_kernels[number];
        const int64_t local = kernel->local(&program->shape);
        if (program->binary[number])
            continue;
        if (local > device->limits.local)
            ag_device_fail(device, AG_DEVICE_ERROR,
                           "device %s: kernel %s needs %lld bytes of local memory, there are %lld",
                           device->name, kernel->name, (long long)local, (long long)device->limits.local);
        else
            ag_device_stick(device, device->backend->build(device->handle, kernel, &program->shape,
                                                           &program->binary[number]));
    }
    if (device->status) {
        ag_program_destroy(program);
        return NULL;
    }
    return program;
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
    d->steps++;
    if (d->trace)
        d->trace(d->sink, trace);
    if (d->ledger) {
        snprintf(line, sizeof line, "%lld %s", (long long)d->steps, ledger);
        d->ledger(d->sink, line);
    }
}

static void
keep(ag_recording *r, const char *trace, const char *ledger)
{
    if (r->count == r->room) {
        const int64_t room = r->room ? 2 * r->room : 256;
        char **t = realloc(r->trace, (size_t)room * sizeof *t);
        if (t)
            r->trace = t;
        char **l = realloc(r->ledger, (size_t)room * sizeof *l);
        if (l)
            r->ledger = l;
        if (!t || !l) {
            ag_device_fail(r->device, AG_NO_MEMORY, "recording: out of host memory");
            return;
        }
        r->room = room;
    }
    r->trace[r->count] = strdup(trace);
    r->ledger[r->count] = strdup(ledger);
    if (!r->trace[r->count] || !r->ledger[r->count])
        ag_device_fail(r->device, AG_NO_MEMORY, "recording: out of host memory");
    r->count++;
}

/* Scalars are traced by their bits, so that equal lines mean equal work. */
static int
describe(char *line, size_t room, const ag_program *program, const ag_kernel *kernel, int64_t items,
         const ag_arg *arg)
{
    int n = snprintf(line, room, "%s %dx%d %lld", kernel->name, program->shape.y.length,
                     program->shape.x.length, (long long)items);
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
    return n;
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

void
ag_launch(ag_program *program, int number, int64_t items, const ag_value *value)
{
    if (!program || program->device->status || program->device->count_only || items < 1)
        return;
    ag_device *d = program->device;
    const int built = form(&program->shape, number);
    const ag_kernel *kernel = &ag_kernels[built < 0 ? number : built];
    ag_arg arg[AG_MAX_ARGS];
    memset(arg, 0, sizeof arg);
    if (!program->binary[kernel->id]) {
        ag_device_fail(d, AG_BAD_ARGUMENT, "kernel %s was not built", kernel->name);
        return;
    }
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
                return;
            }
            arg[i].memory = value[i].array->memory;
            arg[i].offset = value[i].array->offset;
        }
    }
    if (d->trace || d->ledger || d->recording) {
        char trace[1024], ledger[256];
        describe(trace, sizeof trace, program, kernel, items, arg);
        snprintf(ledger, sizeof ledger, "%s groups %lld lanes %d local %lld", kernel->name,
                 (long long)(items * kernel->parts(&program->shape)), program->shape.lanes,
                 (long long)kernel->local(&program->shape));
        if (d->recording)
            keep(d->recording, trace, ledger);
        else
            ag_device_emit(d, trace, ledger);
    }
    ag_cost cost = {0, 0};
    if (d->timing || d->recording)
        cost = kernel->cost(&program->shape, items, arg);
    const double begin = ag_time_begin(d);
    ag_device_stick(d, d->backend->launch(d->handle, program->binary[kernel->id], items, arg));
    ag_time_end(d, begin, kernel->name, &cost);
    if (d->recording) {
        d->recording->cost.bytes += cost.bytes;
        d->recording->cost.flops += cost.flops;
    }
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

void
ag_device_trace(ag_device *device, ag_line_sink *trace, ag_line_sink *ledger, void *user)
{
    device->trace = trace;
    device->ledger = ledger;
    device->sink = user;
    device->steps = 0;
}

ag_recording *
ag_record_begin(ag_device *device)
{
    ag_recording *r = device->status ? NULL : calloc(1, sizeof *r);
    if (!r) {
        ag_device_fail(device, AG_NO_MEMORY, "recording: out of host memory");
        return NULL;
    }
    if (ag_device_stick(device, device->backend->record(device->handle, AG_RECORD_BEGIN, &r->tape))) {
        free(r);
        return NULL;
    }
    r->device = device;
    device->recording = r;
    return r;
}

void
ag_record_end(ag_recording *r)
{
    if (!r)
        return;
    r->device->recording = NULL;
    ag_device_stick(r->device, r->device->backend->record(r->device->handle, AG_RECORD_END, &r->tape));
}

void
ag_replay(ag_recording *r)
{
    if (!r || r->device->status)
        return;
    ag_device *d = r->device;
    for (int64_t i = 0; i < r->count && (d->trace || d->ledger); i++)
        ag_device_emit(d, r->trace[i], r->ledger[i]);
    const double begin = ag_time_begin(d);
    ag_device_stick(d, d->backend->replay(d->handle, r->tape, 1));
    ag_time_end(d, begin, "recording", &r->cost);
}

void
ag_recording_destroy(ag_recording *r)
{
    if (!r)
        return;
    r->device->backend->replay(r->device->handle, r->tape, 0);
    for (int64_t i = 0; i < r->count; i++) {
        free(r->trace[i]);
        free(r->ledger[i]);
    }
    free(r->trace);
    free(r->ledger);
    free(r);
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
