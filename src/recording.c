/* SPDX-License-Identifier: BSD-3-Clause */
/* recording.c -- launches that are kept, to be run again. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

extern const ag_kernel ag_kernels[];

/* The lines of a recording are kept so that each replay traces alike. */
struct ag_recording {
    ag_device *device;
    ag_tape *tape;
    /* Of one that becomes one launch there is no tape: */
    ag_program *program;
    const ag_kernel *kernel; /* what does them all; NULL: there is a tape */
    ag_asked first[3];       /* the launches of the first item */
    int64_t launches;        /* so far */
    ag_arg arg[AG_MAX_ARGS];
    int64_t count, room;
    char **trace, **ledger;
    ag_cost cost; /* of all that was recorded */
};

void
ag_recording_keep(ag_recording *r, const char *trace, const char *ledger)
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

void
ag_recording_cost(ag_recording *r, const ag_cost *cost)
{
    r->cost.bytes += cost->bytes;
    r->cost.flops += cost->flops;
}

int
ag_recording_visits(const ag_recording *r)
{
    return r->kernel != NULL;
}

static int
equal(const ag_arg *a, const ag_arg *b, int64_t further)
{
    return a->memory == b->memory && a->offset + further == b->offset && a->as_index == b->as_index &&
           a->as_int == b->as_int && a->as_real == b->as_real;
}

/* Like that of the first item, but that frames and errors are the item's own. */
void
ag_recording_visit(ag_recording *r, const ag_program *program, const ag_shape *shape, const ag_asked *launch)
{
    ag_asked *const first = &r->first[r->launches % 3];
    const ag_kernel *const kernel = &ag_kernels[launch->number];
    const int64_t item = r->launches++ / 3;
    if (!item)
        *first = *launch;
    int like = program == r->program && launch->number == r->kernel->visit[first - r->first] && launch->items == 1;
    for (int i = 0; i < kernel->nargs && like; i++) {
        const char *const name = kernel->arg[i].name;
        const int64_t own = !strcmp(name, "frame") ? 1 : !strcmp(name, "error") ? kernel->parts(shape) : 0;
        like = equal(&first->arg[i], &launch->arg[i], item * own);
    }
    if (!like)
        ag_device_fail(r->device, AG_BAD_ARGUMENT, "recording: launch %lld, %s, is none of those that %s does in one",
                       (long long)r->launches, kernel->name, r->kernel->name);
}

/* The arguments of all of them by their names; where two share one, they must agree. */
static void
gather(ag_recording *r)
{
    int good = r->launches > 0 && r->launches % 3 == 0;
    for (int i = 0; i < r->kernel->nargs && good; i++) {
        int found = 0;
        for (int part = 0; part < 3; part++) {
            const ag_kernel *const kernel = &ag_kernels[r->kernel->visit[part]];
            for (int k = 0; k < kernel->nargs; k++) {
                const char *name = kernel->arg[k].name;
                if (!strcmp(name, "table"))
                    name = part == 1 ? "table_x" : "table_y";
                else if (part == 1 && !strcmp(name, "frame"))
                    name = "data_frame";
                if (strcmp(name, r->kernel->arg[i].name))
                    continue;
                good = good && (!found++ || equal(&r->arg[i], &r->first[part].arg[k], 0));
                r->arg[i] = r->first[part].arg[k];
            }
        }
        good = good && found;
    }
    if (!good)
        ag_device_fail(r->device, AG_BAD_ARGUMENT, "recording: %s cannot do its %lld launches in one", r->kernel->name,
                       (long long)r->launches);
}

ag_recording *
ag_record_begin(ag_device *device, ag_program *program)
{
    ag_recording *r = device->status ? NULL : calloc(1, sizeof *r);
    if (!r) {
        ag_device_fail(device, AG_NO_MEMORY, "recording: out of host memory");
        return NULL;
    }
    r->program = program;
    r->kernel = ag_program_together(program);
    if (!r->kernel && ag_device_stick(device, device->backend->record(device->handle, AG_RECORD_BEGIN, &r->tape))) {
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
    if (!r->kernel)
        ag_device_stick(r->device, r->device->backend->record(r->device->handle, AG_RECORD_END, &r->tape));
    else if (!r->device->status)
        gather(r);
}

void
ag_replay(ag_recording *r)
{
    if (!r || r->device->status)
        return;
    ag_device *d = r->device;
    for (int64_t i = 0; i < r->count && (d->trace || d->ledger); i++)
        ag_device_emit(d, r->trace[i], r->ledger[i]);
    if (r->kernel) {
        ag_program_run(r->program, r->kernel, r->launches / 3, r->arg);
        return;
    }
    const double begin = ag_time_begin(d);
    ag_device_stick(d, d->backend->replay(d->handle, r->tape, 1));
    ag_time_end(d, begin, "recording", &r->cost);
}

void
ag_recording_destroy(ag_recording *r)
{
    if (!r)
        return;
    if (!r->kernel)
        r->device->backend->replay(r->device->handle, r->tape, 0);
    for (int64_t i = 0; i < r->count; i++) {
        free(r->trace[i]);
        free(r->ledger[i]);
    }
    free(r->trace);
    free(r->ledger);
    free(r);
}
