/* SPDX-License-Identifier: BSD-3-Clause */
/* faults_backend.c -- a backend in front of another, of which call N fails. */
#include <stdlib.h>
#include <string.h>

#include "t1_faults.h"

enum { MEMORY, BINARY, MARK, TAPE, KINDS };
static const char *const kinds[KINDS] = {"memory", "kernels", "marks", "recordings"};

#define MOST 4096

/* Something that the backend has made. */
typedef struct thing {
    int kind;
    const void *made; /* the processor's marks are all NULL */
    int64_t bytes;    /* of memory */
    const char *name; /* of a kernel */
} thing;

static struct {
    const ag_backend *real;
    ag_backend before;
    int calls, fail_at, open;
    ag_status status;
    const char *failed; /* the call that did */
    char label[MOST][40];
    thing held[MOST];
    int things;
} f;

static void
hold(int kind, const void *made, int64_t bytes, const char *name)
{
    const thing t = {kind, made, bytes, name};
    ck_assert_int_lt(f.things, MOST);
    f.held[f.things++] = t;
}

/* What is held under that pointer; the test ends where nothing is. */
static thing *
held(int kind, const void *made, const char *user)
{
    for (int i = 0; i < f.things; i++)
        if (f.held[i].kind == kind && f.held[i].made == made)
            return &f.held[i];
    ck_abort_msg("%s: not one of the %s that there are", user, kinds[kind]);
}

static void
drop(int kind, const void *made, const char *user)
{
    *held(kind, made, user) = f.held[f.things - 1];
    f.things--;
}

/* A call that can fail: notes it and says how it ends. */
static ag_status
call(const ag_host *host, ag_message *message, const char *what, const char *name)
{
    if (f.failed)
        ck_abort_msg("%s %s is called after the failure of %s", what, name, f.failed);
    ck_assert_int_lt(f.calls, MOST);
    char *const label = f.label[f.calls++];
    snprintf(label, sizeof f.label[0], "%s%s%s", what, *name ? " " : "", name);
    if (f.calls != f.fail_at)
        return AG_OK;
    f.failed = label;
    return host->fail(message, f.status, "%s fails on purpose", label);
}

#define CALL(what, name) \
    const ag_status fault = call(handle->host, handle->message, what, name); \
    if (fault) \
        return fault;

static ag_status
faulty_open(ag_handle **handle, int number, const ag_host *host, ag_message *message)
{
    ag_status status = call(host, message, "open", "");
    if (!status)
        status = f.real->open(handle, number, host, message);
    f.open += !status;
    return status;
}

static void
faulty_close(ag_handle *handle)
{
    faulty_settle();
    f.open--;
    f.real->close(handle);
}

static void
faulty_limits(ag_handle *handle, ag_limits *limits)
{
    f.real->limits(handle, limits);
}

static ag_status
faulty_alloc(ag_handle *handle, int64_t bytes, ag_memory **memory)
{
    CALL("alloc", "")
    const ag_status status = f.real->alloc(handle, bytes, memory);
    if (!status)
        hold(MEMORY, *memory, bytes, NULL);
    return status;
}

static void
faulty_free(ag_handle *handle, ag_memory *memory)
{
    drop(MEMORY, memory, "free");
    f.real->free(handle, memory);
}

static ag_status
faulty_copy(ag_handle *handle, int lane, int direction, ag_memory *memory, int64_t offset, void *host, int64_t bytes)
{
    const thing *const t = held(MEMORY, memory, "copy");
    ck_assert(offset >= 0 && bytes >= 0 && offset + bytes <= t->bytes);
    CALL("copy", lane == AG_LANE_TRANSFER ? "beside" : direction == AG_TO_DEVICE ? "to" : "from")
    return f.real->copy(handle, lane, direction, memory, offset, host, bytes);
}

static ag_status
faulty_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **binary)
{
    CALL("build", kernel->name)
    const ag_status status = f.real->build(handle, kernel, shape, binary);
    if (!status)
        hold(BINARY, *binary, 0, kernel->name);
    return status;
}

static void
faulty_unbuild(ag_handle *handle, ag_binary *binary)
{
    drop(BINARY, binary, "unbuild");
    f.real->unbuild(handle, binary);
}

static ag_status
faulty_launch(ag_handle *handle, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    const thing *const t = held(BINARY, binary, "launch");
    for (int i = 0; i < AG_MAX_ARGS; i++)
        if (arg[i].memory)
            held(MEMORY, arg[i].memory, t->name);
    CALL("launch", t->name)
    return f.real->launch(handle, binary, items, arg);
}

static ag_status
faulty_mark(ag_handle *handle, int lane, ag_mark **mark)
{
    CALL("mark", lane == AG_LANE_TRANSFER ? "transfer" : "compute")
    const ag_status status = f.real->mark(handle, lane, mark);
    if (!status)
        hold(MARK, *mark, 0, NULL);
    return status;
}

/* Ends the mark also where it fails. */
static ag_status
faulty_wait(ag_handle *handle, int lane, ag_mark *mark)
{
    drop(MARK, mark, "wait");
    const ag_status fault = call(handle->host, handle->message, "wait", lane == AG_LANE_TRANSFER ? "transfer" : "compute");
    const ag_status status = f.real->wait(handle, lane, mark);
    return fault ? fault : status;
}

/* The end comes also after a failure, because a recording that has begun must have one. */
static ag_status
faulty_record(ag_handle *handle, int what, ag_tape **tape)
{
    const int begins = what == AG_RECORD_BEGIN;
    if (!begins)
        held(TAPE, *tape, "the end of a recording");
    const ag_status fault = f.failed && !begins ? AG_OK
                                                : call(handle->host, handle->message, "record", begins ? "begin" : "end");
    if (fault && begins)
        return fault;
    const ag_status status = f.real->record(handle, what, tape);
    if (!status && begins)
        hold(TAPE, *tape, 0, NULL);
    return fault ? fault : status;
}

static ag_status
faulty_replay(ag_handle *handle, ag_tape *tape, int again)
{
    held(TAPE, tape, "replay");
    if (again) {
        CALL("replay", "")
    } else {
        drop(TAPE, tape, "replay");
    }
    return f.real->replay(handle, tape, again);
}

/* Waits also where it fails, as a backend must. */
static ag_status
faulty_synchronize(ag_handle *handle)
{
    const ag_status fault = call(handle->host, handle->message, "synchronize", "");
    const ag_status status = f.real->synchronize(handle);
    return fault ? fault : status;
}

static ag_status
faulty_native(ag_handle *handle, ag_memory *memory, ag_native *native)
{
    return f.real->native(handle, memory, native);
}

const ag_backend *
faulty(const ag_backend *real)
{
    const ag_backend before = {
        AG_BACKEND_ABI, real->name,   faulty_open,   faulty_close,  faulty_limits, faulty_alloc,
        faulty_free,    faulty_copy,  faulty_build,  faulty_unbuild, faulty_launch, faulty_mark,
        faulty_wait,    faulty_record, faulty_replay, faulty_synchronize, faulty_native,
    };
    f.real = real;
    f.before = before;
    return &f.before;
}

void
faulty_arm(int n, ag_status status)
{
    ck_assert_int_eq(f.open, 0);
    f.calls = 0;
    f.fail_at = n;
    f.status = status;
    f.failed = NULL;
}

int
faulty_calls(void)
{
    return f.calls;
}

const char *
faulty_label(int n)
{
    return f.label[n - 1];
}

void
faulty_settle(void)
{
    if (f.things)
        ck_abort_msg("%d things were not ended, of the %s one, after the failure of %s", f.things, kinds[f.held[0].kind],
                     f.failed ? f.failed : "nothing");
}
