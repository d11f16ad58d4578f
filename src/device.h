/* SPDX-License-Identifier: BSD-3-Clause */
/* device.h -- what device.c, launch.c and array.c know of a device; nobody else includes it. */
#ifndef AG_DEVICE_H
#define AG_DEVICE_H

#include "backend.h"
#include "core.h"

struct ag_device {
    const ag_backend *backend;
    ag_handle *handle;
    void *module; /* from dlopen; NULL: built in */
    char name[32];
    ag_limits limits;
    ag_status status;
    ag_message message; /* of the failure that sticks */
    ag_message last;    /* where the backend writes */
    int64_t bytes, peak;
    int count_only; /* see ag_device_count_only */
    int64_t counted;
    ag_line_sink *trace, *ledger;
    void *sink;
    int64_t steps; /* launched so far */
    ag_recording *recording;
};

/* Makes the backend's last words stick. */
ag_status ag_device_stick(ag_device *device, ag_status status);

/* cache.c */
void *ag_cache_get(const char *key, size_t *bytes);
void ag_cache_put(const char *key, const void *data, size_t bytes);

#endif
