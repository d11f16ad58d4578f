/* SPDX-License-Identifier: BSD-3-Clause */
/* stream.c -- streams, events and graphs of the emulated GPU.

   A stream does nothing until somebody waits for it, and then no more than it must: work that
   does not wait for what it needs finds that not done.  */
#include <stdlib.h>
#include <string.h>

#include "cuda.h"
#include "emulate.h"

typedef struct stream stream;

typedef struct task {
    enum { LAUNCH, TO_DEVICE, FROM_DEVICE, WAIT } what;
    em_launch launch;
    void *host;
    uint64_t device;
    size_t bytes;
    stream *other; /* to be waited for, until it has done so many tasks */
    int64_t until;
} task;

typedef struct tasks {
    task *list;
    int64_t count, room;
} tasks;

struct stream {
    stream *next;
    tasks queue;
    int64_t base, done; /* tasks done in all before the queue's first; done of all */
    int destroyed, capturing;
    tasks captured;
};

typedef struct event {
    stream *of;
    int64_t until;
} event;

static stream *streams;

static task *
add(tasks *t)
{
    if (t->count == t->room) {
        const int64_t room = 2 * t->room + 16;
        task *list = realloc(t->list, (size_t)room * sizeof *list);
        if (!list)
            return NULL;
        t->list = list;
        t->room = room;
    }
    return memset(&t->list[t->count++], 0, sizeof(task));
}

/* A launch owns a copy of its parameters' values. */
static int
set_launch(task *t, em_function *f, unsigned groups, unsigned items, size_t dynamic, int together, void **parameter)
{
    t->what = LAUNCH;
    t->launch.together = together;
    t->launch.dynamic = dynamic;
    t->launch.function = f;
    t->launch.groups = groups;
    t->launch.items = items;
    t->launch.blob = calloc(EM_MAX_PARAMETERS, 16);
    if (!t->launch.blob)
        return EM_NO_MEMORY;
    for (int i = 0; i < f->parameters; i++)
        memcpy(t->launch.blob + 16 * i, parameter[i], (size_t)f->size[i]);
    return EM_OK;
}

static void
clear(tasks *t)
{
    for (int64_t i = 0; i < t->count; i++)
        free(t->list[i].launch.blob);
    free(t->list);
    memset(t, 0, sizeof *t);
}

static void run(stream *s, int64_t until);

static void
perform(task *t)
{
    int error = EM_OK;
    if (em_error)
        return;
    if (t->what == WAIT) {
        run(t->other, t->until);
    } else if (t->what == LAUNCH) {
        for (int i = 0; i < t->launch.function->parameters; i++)
            t->launch.parameter[i] = t->launch.blob + 16 * i;
        em_run(&t->launch);
    } else {
        error = em_copy(t->host, t->device, t->bytes, t->what == TO_DEVICE);
    }
    em_error = em_error ? em_error : error ? EM_BAD_ADDRESS : EM_OK;
}

static void
run(stream *s, int64_t until)
{
    while (s->done < until) {
        task *next = &s->queue.list[s->done++ - s->base], now = *next;
        next->launch.blob = NULL;
        perform(&now);
        free(now.launch.blob);
    }
    if (s->done == s->base + s->queue.count) {
        s->base = s->done;
        clear(&s->queue);
    }
}

static int64_t
end_of(const stream *s)
{
    return s->base + s->queue.count;
}

void
em_run_all(void)
{
    for (stream *s = streams; s; s = s->next)
        run(s, end_of(s));
}

void
em_forget_streams(void)
{
    while (streams) {
        stream *next = streams->next;
        clear(&streams->queue);
        clear(&streams->captured);
        free(streams);
        streams = next;
    }
}

/* The error of a call on a stream: its state, no stream, or a capture that it would disturb. */
static int
usable(const stream *s)
{
    return em_state() ? em_state() : !s || s->destroyed ? EM_BAD_HANDLE : s->capturing ? EM_CAPTURING : EM_OK;
}

int
cuStreamCreate(void **out, unsigned flags)
{
    EM_CAN_FAIL
    (void)flags;
    if (em_state())
        return em_state();
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return EM_NO_MEMORY;
    s->next = streams;
    streams = s;
    em_alive++;
    *out = s;
    return EM_OK;
}

/* Kept until the context ends, because events speak of it. */
int
cuStreamDestroy_v2(void *handle)
{
    stream *s = handle;
    run(s, end_of(s));
    s->destroyed = 1;
    em_alive--;
    return em_error;
}

int
cuStreamSynchronize(void *handle)
{
    EM_CAN_FAIL
    stream *s = handle;
    if (usable(s))
        return usable(s);
    run(s, end_of(s));
    return em_error;
}

static int
copy(stream *s, int what, void *host, uint64_t device, size_t bytes)
{
    if (usable(s))
        return usable(s);
    task *t = add(&s->queue);
    if (!t)
        return EM_NO_MEMORY;
    t->what = what;
    t->host = host;
    t->device = device;
    t->bytes = bytes;
    /* Only what is page-locked is copied later. */
    if (!em_page_locked(host, bytes))
        run(s, end_of(s));
    return em_error;
}

int
cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes, void *handle)
{
    EM_CAN_FAIL
    return copy(handle, TO_DEVICE, (void *)(uintptr_t)from, to, bytes);
}

int
cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *handle)
{
    EM_CAN_FAIL
    return copy(handle, FROM_DEVICE, to, from, bytes);
}

static int
launch(em_function *f, unsigned groups, unsigned items, unsigned others, unsigned shared, stream *s, int together, void **parameter)
{
    if (em_state() || !s || s->destroyed)
        return em_state() ? em_state() : EM_BAD_HANDLE;
    if (!groups || !items || items > EM_MAX_ITEMS || others != 1 || shared > f->most_dynamic)
        return EM_BAD_VALUE;
    task *const t = add(s->capturing ? &s->captured : &s->queue);
    return t ? set_launch(t, f, groups, items, shared, together, parameter) : EM_NO_MEMORY;
}

int
cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
               unsigned shared, void *handle, void **parameter, void **extra)
{
    EM_CAN_FAIL
    return extra ? EM_BAD_VALUE : launch(function, gx, bx, gy * gz * by * bz, shared, handle, 0, parameter);
}

int
cuLaunchCooperativeKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                          unsigned shared, void *handle, void **parameter)
{
    EM_CAN_FAIL
    const int fits = em_state() || !bx || gx <= em_groups_of_unit(function, bx, shared);
    return !fits ? EM_TOO_LARGE : launch(function, gx, bx, gy * gz * by * bz, shared, handle, 1, parameter);
}

/* ---- events ---------------------------------------------------------------------------------- */

int
cuEventCreate(void **out, unsigned flags)
{
    EM_CAN_FAIL
    (void)flags;
    if (em_state())
        return em_state();
    *out = calloc(1, sizeof(event));
    em_alive += *out != NULL;
    return *out ? EM_OK : EM_NO_MEMORY;
}

int
cuEventDestroy_v2(void *handle)
{
    free(handle);
    em_alive--;
    return em_error;
}

int
cuEventRecord(void *handle, void *of)
{
    EM_CAN_FAIL
    event *e = handle;
    if (usable(of))
        return usable(of);
    e->of = of;
    e->until = end_of(of);
    return EM_OK;
}

int
cuEventSynchronize(void *handle)
{
    EM_CAN_FAIL
    event *e = handle;
    if (em_state())
        return em_state();
    if (e->of)
        run(e->of, e->until);
    return em_error;
}

int
cuStreamWaitEvent(void *handle, void *what, unsigned flags)
{
    EM_CAN_FAIL
    stream *s = handle;
    event *e = what;
    (void)flags;
    if (usable(s) || !e->of)
        return usable(s);
    task *t = add(&s->queue);
    if (!t)
        return EM_NO_MEMORY;
    t->what = WAIT;
    t->other = e->of;
    t->until = e->until;
    return EM_OK;
}

/* ---- graphs ------------------------------------------------------------------------------------ */

int
cuStreamBeginCapture_v2(void *handle, int mode)
{
    EM_CAN_FAIL
    stream *s = handle;
    (void)mode;
    if (usable(s))
        return usable(s);
    s->capturing = 1;
    return EM_OK;
}

int
cuStreamEndCapture(void *handle, void **graph)
{
    stream *s = handle;
    if (em_state() || !s->capturing)
        return em_state() ? em_state() : EM_BAD_VALUE;
    const int fault = em_fails(__func__);
    if (fault) { /* the capture ends all the same */
        clear(&s->captured);
        s->capturing = 0;
        return fault;
    }
    tasks *g = calloc(1, sizeof *g);
    if (!g)
        return EM_NO_MEMORY;
    *g = s->captured;
    memset(&s->captured, 0, sizeof s->captured);
    s->capturing = 0;
    em_alive++;
    *graph = g;
    return EM_OK;
}

static int
enqueue(tasks *to, const tasks *from)
{
    for (int64_t i = 0; i < from->count; i++) {
        const em_launch *l = &from->list[i].launch;
        void *parameter[EM_MAX_PARAMETERS];
        for (int k = 0; k < EM_MAX_PARAMETERS; k++)
            parameter[k] = l->blob + 16 * k;
        task *t = add(to);
        if (!t || set_launch(t, l->function, l->groups, l->items, l->dynamic, l->together, parameter))
            return EM_NO_MEMORY;
    }
    return EM_OK;
}

int
cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags)
{
    EM_CAN_FAIL
    (void)flags;
    if (em_state())
        return em_state();
    *exec = calloc(1, sizeof(tasks));
    em_alive += *exec != NULL;
    return *exec ? enqueue(*exec, graph) : EM_NO_MEMORY;
}

int
cuGraphLaunch(void *exec, void *handle)
{
    EM_CAN_FAIL
    stream *s = handle;
    return usable(s) ? usable(s) : enqueue(&s->queue, exec);
}

int
cuGraphDestroy(void *graph)
{
    clear(graph);
    free(graph);
    em_alive--;
    return em_error;
}

int
cuGraphExecDestroy(void *exec)
{
    return cuGraphDestroy(exec);
}
