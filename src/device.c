/* SPDX-License-Identifier: BSD-3-Clause */
/* device.c -- opening devices: backend modules, names, the sticky status. */
#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

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

/* A module is looked for in ARGAND_BACKEND_PATH, then where make install puts it. */
static const ag_backend *
load(const char *name, void **module, ag_message *message)
{
    const char *const folder[] = {getenv("ARGAND_BACKEND_PATH"), PKGLIBDIR};
    char reason[5000] = "";
    *module = NULL;
    if (!strcmp(name, "cpu"))
        return &ag_backend_cpu;
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        char path[4096];
        if (!folder[i] || snprintf(path, sizeof path, "%s/%s.so", folder[i], name) >= (int)sizeof path)
            continue;
        *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!*module) {
            snprintf(reason, sizeof reason, "%s", dlerror());
            continue;
        }
        const ag_backend *const *backend = dlsym(*module, AG_BACKEND_SYMBOL);
        if (backend && (*backend)->abi == AG_BACKEND_ABI)
            return *backend;
        snprintf(reason, sizeof reason, "%s: not a backend of this version", path);
        dlclose(*module);
        *module = NULL;
    }
    ag_fail(message, AG_NO_DEVICE, "device %s: the backend module cannot be loaded: %s", name, reason);
    return NULL;
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
    ag_device *d = calloc(1, sizeof *d);
    if (!d)
        return ag_fail(message, AG_NO_MEMORY, "device %s: out of host memory", name);
    d->backend = load(base, &d->module, message);
    if (!d->backend) {
        free(d);
        return AG_NO_DEVICE;
    }
    const ag_status status = d->backend->open(&d->handle, number, &host, &d->last);
    if (status) {
        ag_fail(message, status, "device %s: %s", name, d->last.text);
        if (d->module)
            dlclose(d->module);
        free(d);
        return status;
    }
    snprintf(d->name, sizeof d->name, strcmp(base, "cpu") ? "%s:%d" : "%s", base, number);
    d->backend->limits(d->handle, &d->limits);
    *device = d;
    return AG_OK;
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
    /* The module stays: the drivers that modules load do not survive being unloaded. */
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
    const ag_room room = {l->tile, l->lanes, l->parallel, l->local, l->allocation, l->memory};
    return room;
}

double
ag_device_seconds(ag_device *device)
{
    return device->status ? 0 : device->backend->seconds(device->handle);
}
