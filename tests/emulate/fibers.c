/* SPDX-License-Identifier: BSD-3-Clause */
/* fibers.c -- the work-items of a group, each with a stack of its own, and their barrier.

   Groups run one after another; the items of a group run in turn from one barrier to the next.
   Once a fiber has begun it is switched to by _longjmp, which takes no system call.  */
#undef _FORTIFY_SOURCE /* its longjmp knows one stack only */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "emulate.h"

#define STACK ((size_t)128 << 10)
#define GUARD ((size_t)4096)

enum { READY, WAITING, DONE };

typedef struct fiber {
    ucontext_t start;
    jmp_buf at;
    char *stack;
    int begun, state, line;
} fiber;

em_place em_at = {-1, 0, NULL, NULL, NULL};
static fiber *fibers[EM_MAX_ITEMS];
static fiber *current;
static jmp_buf scheduler;
static int failed;

unsigned ag_emulate_index(int which);
void ag_emulate_barrier(int line);

/* 0 item, 1 group, 2 items, 3 groups, 4 warp. */
unsigned
ag_emulate_index(int which)
{
    switch (which) {
    case 0:
        return (unsigned)em_at.item;
    case 1:
        return (unsigned)em_at.group;
    case 2:
        return em_at.launch->items;
    case 3:
        return em_at.launch->groups;
    default:
        return (unsigned)em_setting("AG_EMULATE_WARP", 32);
    }
}

static void
leave(int state)
{
    current->state = state;
    if (!_setjmp(current->at))
        _longjmp(scheduler, 1);
}

void
ag_emulate_barrier(int line)
{
    current->line = line;
    leave(WAITING);
}

static void
body(void)
{
    for (;;) {
        em_at.launch->function->run((void **)(uintptr_t)em_at.launch->parameter);
        leave(DONE);
    }
}

void
em_blame(int error, const char *format, ...)
{
    char words[512];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    fprintf(stderr, "emulated GPU: kernel %s, group %d, item %d: %s\n", em_at.launch->function->name, em_at.group,
            em_at.item, words);
    em_error = error;
    failed = 1;
    _longjmp(scheduler, 1);
}

static fiber *
fiber_of(int item)
{
    fiber *f = fibers[item];
    if (!f && (f = calloc(1, sizeof *f))) {
        f->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (f->stack == MAP_FAILED || mprotect(f->stack, GUARD, PROT_NONE)) {
            free(f);
            return NULL;
        }
        fibers[item] = f;
    }
    return f;
}

static void
resume(fiber *f)
{
    current = f;
    em_at.stack = f->stack;
    em_at.stack_end = f->stack + STACK;
    if (_setjmp(scheduler))
        return;
    if (f->begun)
        _longjmp(f->at, 1);
    f->begun = 1;
    getcontext(&f->start);
    f->start.uc_stack.ss_sp = f->stack + GUARD;
    f->start.uc_stack.ss_size = STACK - GUARD;
    f->start.uc_link = NULL;
    makecontext(&f->start, body, 0);
    setcontext(&f->start);
}

static int
diverged(int item, const char *format, int other, int line)
{
    char words[128];
    snprintf(words, sizeof words, format, other, line);
    fprintf(stderr, "emulated GPU: kernel %s, group %d, item %d: barrier divergence: waits in line %d, %s\n",
            em_at.launch->function->name, em_at.group, item, fibers[item]->line, words);
    em_error = EM_LAUNCH_FAILED;
    failed = 1;
    return 1;
}

/* 0 while all items wait at one barrier, 1 when there is no going on. */
static int
meet(int items)
{
    int ended = -1, waiting = -1;
    for (int i = 0; i < items; i++) {
        if (fibers[i]->state == DONE)
            ended = i;
        else if (waiting >= 0 && fibers[i]->line != fibers[waiting]->line)
            return diverged(i, "item %d in line %d", waiting, fibers[waiting]->line);
        else
            waiting = i;
    }
    return ended >= 0 && waiting >= 0 ? diverged(waiting, "item %d has ended", ended, 0) : ended >= 0;
}

static void
run_group(int items)
{
    em_begin_group();
    for (int i = 0; i < items; i++)
        fibers[i]->state = READY;
    do {
        em_phase();
        for (int i = 0; i < items && !failed; i++) {
            em_at.item = i;
            resume(fibers[i]);
        }
    } while (!failed && !meet(items));
}

void
em_run(const em_launch *launch)
{
    failed = 0;
    for (unsigned i = 0; i < launch->items; i++)
        if (!fiber_of((int)i)) {
            em_error = EM_NO_MEMORY;
            return;
        }
    em_at.launch = launch;
    em_begin_launch(launch);
    for (unsigned g = 0; g < launch->groups && !failed; g++) {
        em_at.group = (int)g;
        run_group((int)launch->items);
    }
    /* Fibers that were abandoned in the middle begin anew. */
    for (unsigned i = 0; i < launch->items && failed; i++)
        fibers[i]->begun = 0;
    em_at.item = -1;
}
