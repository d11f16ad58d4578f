/* SPDX-License-Identifier: BSD-3-Clause */
/* device.h -- what device.c, launch.c and array.c know of a device; nobody else includes it. */
#ifndef AG_DEVICE_H
#define AG_DEVICE_H

#include "backend.h"
#include "core.h"

struct ag_device {
    const ag_backend *backend;
    ag_handle *handle;
    char name[32];
    ag_limits limits;
    ag_status status;
    ag_message message; /* of the failure that sticks */
    ag_message last;    /* where the backend writes */
    int64_t bytes, peak;
    int count_only; /* see ag_device_count_only */
    ag_counted counted;
    ag_line_sink *trace, *ledger;
    void *sink;
    int64_t steps; /* launched so far */
    ag_recording *recording;
    const ag_fft *fft; /* transforms; NULL: the kernels do */
    char plan[AG_PLAN_ID]; /* see ag_device_plan; "": none */
    ag_timing_sink *timing;
    void *timing_user;
    const char *step; /* see ag_step; NULL: none yet */
};

/* The backend of that name, NULL with words. */
const ag_backend *ag_backend_load(const char *name, ag_message *message);
/* Its device of that number; how tests open a device of a backend of their own. */
ag_status ag_device_open_on(ag_device **device, const ag_backend *backend, int number, ag_message *message);

/* Makes the backend's last words stick. */
ag_status ag_device_stick(ag_device *device, ag_status status);

/* What a module NAME.so exports under `symbol`, a struct that begins with the number `abi`; NULL after
   writing why.  Looked for in ARGAND_BACKEND_PATH, then where make install puts it.  Modules stay
   loaded: the drivers that they open do not survive being unloaded. */
const void *ag_module_load(const char *name, const char *symbol, int abi, char *reason, size_t room);

/* launch.c: one step in the trace and, unless its line is empty, in the ledger, where the step's number is put
   in front. */
void ag_device_emit(ag_device *device, const char *trace, const char *ledger);
/* A launch that was asked for. */
typedef struct ag_asked {
    int number; /* the kernel's */
    int64_t items;
    ag_arg arg[AG_MAX_ARGS];
} ag_asked;
/* launch.c: the kernel of AG_TOGETHER that is built, or NULL; runs a kernel and tells the ledger alone. */
const ag_kernel *ag_program_together(const ag_program *program);
void ag_program_run(ag_program *program, const ag_kernel *kernel, int64_t items, const ag_arg *arg);
/* recording.c: whether a recording is to become one launch; takes the next of those that it does. */
int ag_recording_visits(const ag_recording *recording);
void ag_recording_visit(ag_recording *recording, const ag_program *program, const ag_shape *shape, const ag_asked *launch);
/* A launch's lines, and its cost. */
void ag_recording_keep(ag_recording *recording, const char *trace, const char *ledger);
void ag_recording_cost(ag_recording *recording, const ag_cost *cost);
/* launch.c: around what may be timed, see ag_device_profile; the name is a constant. */
double ag_time_begin(ag_device *device);
void ag_time_end(ag_device *device, double begin, const char *name, const ag_cost *cost);

/* shelf.c: where frames lie that are not on the device.  AG_TO_DEVICE is out of the shelf. */
typedef struct ag_shelf ag_shelf;
ag_shelf *ag_shelf_create(ag_device *device, int64_t bytes, const char *name);
void ag_shelf_destroy(ag_shelf *shelf);
/* In the transfer lane, from or to byte `at` of the array. */
ag_status ag_shelf_copy(ag_shelf *shelf, int64_t offset, int64_t bytes, const ag_array *array, int64_t at,
                        int direction);
/* When the device has been synchronized. */
ag_status ag_shelf_host(ag_shelf *shelf, int64_t offset, int64_t bytes, void *host, int direction);
/* Says what will be asked for soon. */
void ag_shelf_ahead(const ag_shelf *shelf, int64_t offset, int64_t bytes);

/* cache.c */
void *ag_cache_get(const char *key, size_t *bytes);
void ag_cache_put(const char *key, const void *data, size_t bytes);

#endif
