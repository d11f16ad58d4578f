/* SPDX-License-Identifier: BSD-3-Clause */
/* device.c -- opening devices: backend modules, names, the sticky status. */
#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "device.h"

static const ag_host host = {ag_cache_get, ag_cache_put, ag_fail};

/* The backends that configure was told of, the first being the default: "cpu,opencl". */
static const char backends[] = AG_BACKENDS;

static int
known(const char *name, size_t length)
{
    for (const char *p = backends; *p;) {
        const size_t n = strcspn(p, ",");
        if (n == length && !memcmp(p, name, n))
            return 1;
        p += n + (p[n] == ',');
    }
    return 0;
}

const void *
ag_module_load(const char *name, const char *symbol, int abi, char *reason, size_t room)
{
    const char *const folder[] = {getenv("ARGAND_BACKEND_PATH"), PKGLIBDIR};
    *reason = 0; /* the first says more: the folder that was chosen has the module */
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        char path[4096];
        if (!folder[i] || snprintf(path, sizeof path, "%s/%s.so", folder[i], name) >= (int)sizeof path)
            continue;
        void *const module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!module) {
            const char *const why = dlerror();
            if (!*reason && why)
                snprintf(reason, room, "%s", why);
            continue;
        }
        const void *const *const entry = dlsym(module, symbol);
        if (entry && *(const int *)*entry == abi)
            return *entry;
        if (!*reason)
            snprintf(reason, room, "%s: not a module of this version", path);
        dlclose(module);
    }
    return NULL;
}

const ag_backend *
ag_backend_load(const char *name, ag_message *message)
{
    char reason[900];
    if (!strcmp(name, "cpu"))
        return &ag_backend_cpu;
    const ag_backend *backend = ag_module_load(name, AG_BACKEND_SYMBOL, AG_BACKEND_ABI, reason, sizeof reason);
    if (!backend)
        ag_fail(message, AG_NO_DEVICE, "device %s: the backend module cannot be loaded: %s", name, reason);
    return backend;
}

ag_status
ag_device_open_on(ag_device **device, const ag_backend *backend, int number, ag_message *message)
{
    static const char *const variable[] = {"ARGAND_MATRIX", "ARGAND_COOPERATIVE"};
    int off[2];
    *device = NULL;
    for (int i = 0; i < 2; i++) {
        const char *chosen = getenv(variable[i]);
        off[i] = chosen && !strcmp(chosen, "off");
        if (chosen && !off[i] && strcmp(chosen, "on"))
            return ag_fail(message, AG_BAD_ARGUMENT, "%s: found \"%.40s\", expected on or off", variable[i], chosen);
    }
    ag_device *d = calloc(1, sizeof *d);
    if (!d)
        return ag_fail(message, AG_NO_MEMORY, "device %s: out of host memory", backend->name);
    d->backend = backend;
    snprintf(d->name, sizeof d->name, strcmp(backend->name, "cpu") ? "%s:%d" : "%s", backend->name, number);
    const ag_status status = backend->open(&d->handle, number, &host, &d->last);
    if (status) {
        ag_fail(message, status, "device %s:%d: %s", backend->name, number, d->last.text);
        free(d);
        return status;
    }
    backend->limits(d->handle, &d->limits);
    if (off[0])
        d->limits.matrix = 0;
    if (off[1])
        d->limits.cooperative = 0;
    *device = d;
    return AG_OK;
}

static ag_status
open_one(ag_device **device, const char *name, ag_message *message)
{
    char base[16];
    const size_t length = strcspn(name, ":");
    int number = 0;
    if (!known(name, length) || length >= sizeof base)
        return ag_fail(message, AG_NO_DEVICE,
                       "device \"%s\": unknown; this build has the backends %s", name, backends);
    memcpy(base, name, length);
    base[length] = 0;
    if (name[length]) {
        char *end;
        const long value = strtol(name + length + 1, &end, 10);
        if (!isdigit((unsigned char)name[length + 1]) || *end || value > 1000)
            return ag_fail(message, AG_NO_DEVICE,
                           "device \"%s\": expected a number after the colon, as in %s:0", name, base);
        number = (int)value;
    }
    const ag_backend *backend = ag_backend_load(base, message);
    return backend ? ag_device_open_on(device, backend, number, message) : AG_NO_DEVICE;
}

ag_status
ag_device_open(ag_device **device, const char *name, ag_message *message)
{
    *device = NULL;
    if (!name || !*name)
        name = getenv("ARGAND_DEVICE");
    if (name && *name)
        return open_one(device, name, message);
    ag_status status = AG_NO_DEVICE;
    for (const char *p = backends; *p && status;) {
        char one[16];
        const size_t n = strcspn(p, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, p);
        status = open_one(device, one, message);
        p += n + (p[n] == ',');
    }
    return status;
}

void
ag_device_close(ag_device *device)
{
    if (!device)
        return;
    device->backend->close(device->handle);
    free(device);
}

const char *
ag_device_name(const ag_device *device)
{
    return device->name;
}

const char *
ag_device_description(const ag_device *device)
{
    return device->limits.description;
}

ag_status
ag_device_status(const ag_device *device)
{
    return device->status;
}

const char *
ag_device_message(const ag_device *device)
{
    return device->message.text;
}

ag_status
ag_device_fail(ag_device *device, ag_status status, const char *format, ...)
{
    if (!device->status && status) {
        va_list list;
        va_start(list, format);
        vsnprintf(device->message.text, sizeof device->message.text, format, list);
        va_end(list);
        device->status = status;
    }
    return device->status;
}

ag_status
ag_device_stick(ag_device *device, ag_status status)
{
    return status ? ag_device_fail(device, status, "device %s: %.900s", device->name, device->last.text)
                  : device->status;
}

ag_status
ag_device_synchronize(ag_device *device)
{
    if (device->status)
        return device->status;
    return ag_device_stick(device, device->backend->synchronize(device->handle));
}

void
ag_device_memory(const ag_device *device, int64_t *now, int64_t *peak)
{
    *now = device->bytes;
    *peak = device->peak;
}

int64_t
ag_device_size(const ag_device *device)
{
    return device->limits.memory;
}

int
ag_device_list(ag_device_visit *visit, void *user)
{
    for (const char *p = backends; *p;) {
        const size_t n = strcspn(p, ",");
        for (int number = 0; number < 64; number++) {
            char name[32];
            ag_device *device;
            ag_message message;
            snprintf(name, sizeof name, "%.*s:%d", (int)n, p, number);
            const ag_status status = ag_device_open(&device, name, &message);
            if (status && number > 0)
                break;
            const int stop = status ? visit(user, name, status, message.text)
                                    : visit(user, device->name, AG_OK, device->limits.description);
            ag_device_close(device);
            if (stop)
                return stop;
            if (status || !strncmp(name, "cpu", n))
                break;
        }
        p += n + (p[n] == ',');
    }
    return 0;
}

ag_room
ag_device_room(const ag_device *device)
{
    const ag_limits *l = &device->limits;
    const ag_room room = {l->tile, l->lanes, l->parallel, l->local, l->allocation, l->memory, device->fft, l->whole, l->matrix,
                          *device->plan ? device->plan : NULL};
    return room;
}

ag_status
ag_device_plan(ag_device *device, const char *id, ag_message *message)
{
    const ag_room room = ag_device_room(device);
    ag_plan plan;
    const ag_status status = id ? ag_plan_read(&plan, &room, id, message) : AG_OK;
    if (!status)
        snprintf(device->plan, sizeof device->plan, "%s", id ? id : "");
    return status;
}

int
ag_device_cooperative(const ag_device *device)
{
    return device->limits.cooperative;
}

int
ag_device_is_host(const ag_device *device)
{
    return device->backend == &ag_backend_cpu;
}

double
ag_device_seconds(ag_device *device)
{
    struct timespec now;
    ag_device_synchronize(device);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
