/* SPDX-License-Identifier: BSD-3-Clause */
/* recording.c -- launches that are kept, to be run again. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

/* The lines of a recording are kept so that each replay traces alike. */
struct ag_recording {
    ag_device *device;
    ag_tape *tape;
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
