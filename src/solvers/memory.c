/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c -- what a solver will take, and which of its stacks have to take turns on the device.

   Both come from making the solver with allocations only counted.  Amplitudes take turns first,
   which are copied once an iteration, then waves and state, which are copied twice.  */
#include "solver.h"

/* Of a device's memory, what its driver and others are left. */
#define DRIVERS_PART 16

/* What counts against the limit: the host's memory is the cpu device's. */
static int64_t
total(const ag_device *device, const ag_need *need)
{
    return need->device + (ag_device_is_host(device) ? need->host : 0);
}

static ag_status
count(ag_device *device, const ag_scan *scan, const ag_options *options, ag_turns turns, ag_need *need)
{
    ag_solver *solver;
    int64_t host = 0;
    ag_device_count_only(device, 1);
    const ag_status status = ag_solver_make(&solver, device, ag_comm_self(), scan, options, turns, NULL, NULL);
    if (solver)
        host = solver->host;
    ag_solver_destroy(solver);
    const ag_counted counted = ag_device_count_only(device, 0);
    *need = (ag_need){counted.device, counted.host + host, counted.file, 0};
    need->least = total(device, need);
    return status;
}

/* The most frames at a time that fit; 0 where not even one does. */
static ag_status
fit(ag_device *device, const ag_scan *scan, const ag_options *options, int stacks, int64_t limit,
    int64_t *frames)
{
    int64_t low = 0, high = ag_scan_content(scan)->frames;
    while (low < high) {
        const ag_turns turns = {stacks, high - (high - low) / 2};
        ag_need need;
        const ag_status status = count(device, scan, options, turns, &need);
        if (status)
            return status;
        if (total(device, &need) <= limit)
            low = turns.frames;
        else
            high = turns.frames - 1;
    }
    *frames = low;
    return AG_OK;
}

/* turns->stacks > 0 and turns->frames 0: it does not fit. */
static ag_status
decide(ag_turns *turns, ag_device *device, const ag_scan *scan, const ag_options *options, ag_need *need)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t memory = ag_device_room(device).memory, pass = ag_solver_slots(device, info, options->modes);
    const ag_turns least = {AG_TURNS_STATE, 1};
    int64_t held, peak;
    ag_need small = {0};
    ag_device_memory(device, &held, &peak);
    const int64_t limit = (options->memory ? options->memory : memory - memory / DRIVERS_PART) - held;
    *turns = (ag_turns){0, 0};
    ag_status status = count(device, scan, options, *turns, need);
    if (status || total(device, need) <= limit)
        return status;
    status = count(device, scan, options, least, &small);
    /* As few stacks as leave whole passes to the others, else as large turns as can be. */
    for (int k = AG_TURNS_AMPLITUDES; !status && k <= AG_TURNS_STATE && turns->frames < pass; k++) {
        int64_t frames = 0;
        status = fit(device, scan, options, k, limit, &frames);
        if (frames > turns->frames || !turns->stacks)
            *turns = (ag_turns){k, frames};
    }
    if (!status && turns->frames)
        status = count(device, scan, options, *turns, need);
    need->least = total(device, &small);
    return status;
}

ag_status
ag_solver_turns(ag_turns *turns, ag_device *device, const ag_scan *scan, const ag_options *options)
{
    ag_need need;
    const ag_status status = decide(turns, device, scan, options, &need);
    if (status || !turns->stacks || turns->frames)
        return status;
    return ag_device_fail(device, AG_NO_MEMORY,
                          "device %s: the memory does not suffice for %s: expected at least %lld bytes beside "
                          "what is held already",
                          ag_device_name(device), options->method, (long long)need.least);
}

ag_status
ag_solver_memory(ag_device *device, const ag_scan *scan, const ag_options *options, ag_need *need)
{
    ag_turns turns;
    ag_need found = {0};
    const ag_status status = decide(&turns, device, scan, options, &found);
    *need = found;
    return status;
}
