/* SPDX-License-Identifier: BSD-3-Clause */
/* fft.c -- transforms by a library between unfused passes: choosing one, its plans, running them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "device.h"

/* The modules of this build, as name_backend: "fftw_cpu,vkfft_opencl". */
static const char modules[] = AG_FFTS;

/* Those plans are kept that a solver's passes need. */
#define MOST 8

struct ag_transforms {
    ag_device *device;
    const ag_fft *fft;
    ag_shape shape;
    int count;
    int64_t frames[MOST]; /* ascending */
    ag_transform *transform[MOST];
};

static const ag_host host = {ag_cache_get, ag_cache_put, ag_fail};

/* The next of the modules for a backend, from *place on: its name, NULL after the last. */
static const char *
next_name(const char **place, const char *backend, size_t length, char *name, size_t room)
{
    while (**place) {
        const char *const module = *place;
        const size_t n = strcspn(module, ","), stem = strcspn(module, "_");
        *place += n + (module[n] == ',');
        if (n - stem - 1 == length && !memcmp(module + stem + 1, backend, length)) {
            snprintf(name, room, "%.*s", (int)stem, module);
            return name;
        }
    }
    return NULL;
}

/* "fused, fftw": what can be asked for on a backend. */
static void
list_names(const char *backend, char *text, size_t room)
{
    char name[32];
    size_t n = (size_t)snprintf(text, room, "fused");
    for (const char *place = modules;
         next_name(&place, backend, strlen(backend), name, sizeof name) && n < room;)
        n += (size_t)snprintf(text + n, room - n, ", %s", name);
}

/* Loads a module and opens its library; *words say which it is, or why not. */
static ag_status
open_fft(const ag_fft **fft, const char *name, const char *backend, size_t length,
         ag_message *words)
{
    char module[64], reason[900];
    snprintf(module, sizeof module, "fft_%s_%.*s", name, (int)length, backend);
    *fft = ag_module_load(module, AG_FFT_SYMBOL, AG_FFT_ABI, reason, sizeof reason);
    if (!*fft)
        return ag_fail(words, AG_NO_DEVICE, "the module cannot be loaded: %s", reason);
    return (*fft)->open(&host, words);
}

ag_status
ag_device_fft(ag_device *device, const char *name, ag_message *message)
{
    const char *const backend = device->backend->name;
    char known[32], names[256];
    if (!name || !strcmp(name, "fused")) {
        device->fft = NULL;
        return AG_OK;
    }
    for (const char *place = modules;
         next_name(&place, backend, strlen(backend), known, sizeof known);)
        if (!strcmp(known, name)) {
            const ag_fft *fft;
            ag_message words;
            const ag_status status = open_fft(&fft, name, backend, strlen(backend), &words);
            if (status)
                return ag_fail(message, status, "fft %s on %s: %.900s", name, device->name,
                               words.text);
            device->fft = fft;
            return AG_OK;
        }
    list_names(backend, names, sizeof names);
    return ag_fail(message, AG_BAD_ARGUMENT,
                   "fft: found \"%.40s\", expected one of those that this build has for %s: %s",
                   name, backend, names);
}

int
ag_fft_list(const char *device, ag_device_visit *visit, void *user)
{
    const size_t length = strcspn(device, ":");
    char name[32];
    int stop = 0;
    for (const char *place = modules;
         !stop && next_name(&place, device, length, name, sizeof name);) {
        const ag_fft *fft;
        ag_message words;
        const ag_status status = open_fft(&fft, name, device, length, &words);
        stop = visit(user, name, status, words.text);
    }
    return stop;
}

ag_status
ag_plan_passes(ag_plan *plan, ag_device *device, int n, const int64_t *frames)
{
    if (!plan->fft || device->status || device->count_only)
        return device->status;
    ag_transforms_destroy(plan->transforms);
    ag_transforms *t = plan->transforms = calloc(1, sizeof *t);
    if (!t)
        return ag_device_fail(device, AG_NO_MEMORY, "transforms: out of host memory");
    t->device = device;
    t->fft = plan->fft;
    t->shape = plan->shape;
    for (int64_t last = 0; t->count < MOST && !device->status; t->count++) {
        int64_t least = 0;
        for (int i = 0; i < n; i++)
            if (frames[i] > last && (!least || frames[i] < least))
                least = frames[i];
        if (!least)
            break;
        t->frames[t->count] = last = least;
        ag_device_stick(device,
                        t->fft->create(&t->transform[t->count], device->backend, device->handle,
                                       t->shape.y.length, t->shape.x.length, least));
    }
    return device->status;
}

void
ag_transforms_destroy(ag_transforms *t)
{
    if (!t)
        return;
    t->device->backend->synchronize(t->device->handle);
    for (int i = 0; i < t->count; i++)
        if (t->transform[i])
            t->fft->destroy(t->transform[i]);
    free(t);
}

void
ag_plan_transform(const ag_plan *plan, int64_t frames, const ag_array *scratch, int inverse)
{
    ag_transforms *t = plan->transforms;
    if (!plan->fft || !scratch || scratch->device->status || scratch->device->count_only)
        return;
    ag_device *d = scratch->device;
    int i = 0;
    while (t && i < t->count && t->frames[i] < frames)
        i++;
    if (!t || i == t->count || scratch->offset || scratch->count < t->frames[i] * plan->scratch) {
        ag_device_fail(d, AG_BAD_ARGUMENT, "%s was not prepared for %lld frames in this memory",
                       plan->fft->name, (long long)frames);
        return;
    }
    if (d->recording) {
        ag_device_fail(d, AG_BAD_ARGUMENT, "%s: transforms by a library cannot be recorded",
                       plan->fft->name);
        return;
    }
    if (d->trace || d->ledger) {
        char trace[96], ledger[96];
        snprintf(trace, sizeof trace, "transform %dx%d %lld inverse=%d", t->shape.y.length,
                 t->shape.x.length, (long long)frames, inverse);
        snprintf(ledger, sizeof ledger, "transform %s batch %lld", t->fft->name,
                 (long long)t->frames[i]);
        ag_device_emit(d, trace, ledger);
    }
    const double pixels = (double)t->shape.y.length * t->shape.x.length * (double)t->frames[i];
    const ag_cost cost = {16 * pixels, 5 * pixels * log2((double)t->shape.y.length * t->shape.x.length)};
    const double begin = ag_time_begin(d);
    ag_device_stick(
        d, t->fft->execute(t->transform[i], inverse ? AG_INVERSE : AG_FORWARD, scratch->memory));
    ag_time_end(d, begin, t->fft->name, &cost);
}
