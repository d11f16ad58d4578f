/* SPDX-License-Identifier: BSD-3-Clause */
/* fibers.c -- the work-items of a group, each with a stack of its own, and their barrier.

   Groups run one after another, those of a cooperative launch by turns; the items of a group run in turn from one barrier to the next.
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

typedef struct fiber {
    ucontext_t start;
    jmp_buf at;
    char *stack;
    int begun;
} fiber;

em_place em_at = {-1, 0, NULL, NULL, NULL};
static fiber **all_fibers, **fibers; /* of the running group */
static size_t fiber_room;
static jmp_buf scheduler;
static int failed;
static int met; /* lanes of a wave that wait for the others, see em_meet */

/* How far the items of the group have come since the last barrier: how many wait and how many
   have ended, the last of these, and the first that waits or waits elsewhere than that one. */
static struct interval {
    int waiting, ended, last_ended;
    int item, line, other, other_line;
} now;

/* A group of a cooperative launch whose turn is over: which of its items goes on, in which interval. */
typedef struct pause {
    enum { NOT_BEGUN, PAUSED, ENDED } state;
    int item;
    uint32_t interval;
    struct interval now;
} pause;

unsigned ag_emulate_index(int which);
void ag_emulate_barrier(int line);
static void body(void);

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
enter(int item)
{
    fiber *f = fibers[item];
    em_at.item = item;
    em_at.stack = f->stack;
    em_at.stack_end = f->stack + STACK;
    if (f->begun)
        _longjmp(f->at, 1);
    f->begun = 1;
    getcontext(&f->start);
    f->start.uc_stack.ss_sp = f->stack + GUARD;
    /* Stacks that ended at like addresses would share a few lines of the processor's cache. */
    f->start.uc_stack.ss_size = STACK - GUARD - (size_t)(item % 128) * 448;
    f->start.uc_link = NULL;
    makecontext(&f->start, body, 0);
    setcontext(&f->start);
}

/* On to the next item, after the last one back to run_group. */
static void
leave(void)
{
    if (met)
        em_blame(EM_LAUNCH_FAILED, "it takes no part in what %d lanes of its wave do together", met);
    if (_setjmp(fibers[em_at.item]->at))
        return;
    if (em_at.item + 1 < (int)em_at.launch->items)
        enter(em_at.item + 1);
    _longjmp(scheduler, 1);
}

void
ag_emulate_barrier(int line)
{
    if (!now.waiting++) {
        now.item = em_at.item;
        now.line = line;
    } else if (line != now.line) {
        now.other = em_at.item;
        now.other_line = line;
    }
    leave();
}

/* Lanes come in their order; the last one, once it has worked, lets the first go on. */
void
em_meet(int wave, void (*work)(void))
{
    const int lane = em_at.item % wave;
    if (met != lane || (!lane && em_at.item + wave > (int)em_at.launch->items))
        em_blame(EM_LAUNCH_FAILED, "lane %d of a wave comes where lane %d should", lane, met);
    met = (lane + 1) % wave;
    if (!met)
        work();
    if (!_setjmp(fibers[em_at.item]->at))
        enter(met ? em_at.item + 1 : em_at.item - lane);
}

static void
body(void)
{
    for (;;) {
        em_at.launch->function->run((void **)(uintptr_t)em_at.launch->parameter);
        now.ended++;
        now.last_ended = em_at.item;
        leave();
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

void
em_yield(void)
{
    if (!_setjmp(fibers[em_at.item]->at))
        _longjmp(scheduler, 2);
}

static fiber *
fiber_of(size_t number)
{
    if (number >= fiber_room) {
        const size_t room = 2 * number + EM_MAX_ITEMS;
        fiber **grown = realloc(all_fibers, room * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + fiber_room, 0, (room - fiber_room) * sizeof *grown);
        all_fibers = grown;
        fiber_room = room;
    }
    fiber *f = all_fibers[number];
    if (!f && (f = calloc(1, sizeof *f))) {
        f->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (f->stack == MAP_FAILED || mprotect(f->stack, GUARD, PROT_NONE)) {
            free(f);
            return NULL;
        }
        all_fibers[number] = f;
    }
    return f;
}

static void
diverged(const char *format, int other, int line)
{
    char words[128];
    snprintf(words, sizeof words, format, other, line);
    fprintf(stderr, "emulated GPU: kernel %s, group %d, item %d: barrier divergence: waits in line %d, %s\n",
            em_at.launch->function->name, em_at.group, now.item, now.line, words);
    em_error = EM_LAUNCH_FAILED;
    failed = 1;
}

/* Until all its items have ended, or one of them waits for other groups. */
static void
run_group(pause *p)
{
    if (p->state == NOT_BEGUN)
        em_begin_group();
    do {
        int item = 0;
        if (p->state == PAUSED) {
            item = p->item;
            now = p->now;
            em_resume(p->interval);
            p->state = NOT_BEGUN;
        } else {
            em_phase();
            memset(&now, 0, sizeof now);
        }
        const int how = _setjmp(scheduler);
        if (!how)
            enter(item);
        if (how == 2) {
            const pause at = {PAUSED, em_at.item, em_interval(), now};
            *p = at;
            return;
        }
        if (!failed && now.waiting && now.ended)
            diverged("item %d has ended", now.last_ended, 0);
        else if (!failed && now.other_line)
            diverged("item %d in line %d", now.other, now.other_line);
    } while (!failed && now.waiting);
    p->state = ENDED;
}

/* Groups take turns; where all of them only wait, they would for ever. */
static void
run_together(const em_launch *launch)
{
    pause *const list = calloc(launch->groups, sizeof *list);
    unsigned left = launch->groups;
    if (!list || !em_begin_together(launch)) {
        em_error = EM_NO_MEMORY;
        left = 0;
    }
    while (left && !failed) {
        const uint64_t came = em_together_met();
        const unsigned before = left;
        const uint32_t interval = em_last_interval();
        for (unsigned g = 0; g < launch->groups && !failed; g++) {
            if (list[g].state == ENDED)
                continue;
            em_at.group = (int)g;
            fibers = all_fibers + (size_t)g * launch->items;
            em_exchange_group((int)g);
            run_group(&list[g]);
            left -= list[g].state == ENDED;
        }
        if (left && !failed && left == before && came == em_together_met() && interval == em_last_interval()) {
            fprintf(stderr, "emulated GPU: kernel %s: %u of %u groups wait for others that never come\n", launch->function->name, left,
                    launch->groups);
            em_error = EM_LAUNCH_FAILED;
            failed = 1;
        }
    }
    em_end_together();
    free(list);
}

void
em_run(const em_launch *launch)
{
    failed = met = 0;
    const size_t count = (size_t)launch->items * (launch->together ? launch->groups : 1);
    for (size_t i = 0; i < count; i++)
        if (!fiber_of(i)) {
            em_error = EM_NO_MEMORY;
            return;
        }
    fibers = all_fibers;
    em_at.launch = launch;
    em_begin_launch(launch);
    if (launch->together)
        run_together(launch);
    for (unsigned g = 0; g < launch->groups && !launch->together && !failed; g++) {
        pause whole = {.state = NOT_BEGUN};
        em_at.group = (int)g;
        run_group(&whole);
    }
    /* Fibers that were abandoned in the middle begin anew. */
    for (size_t i = 0; i < count && failed; i++)
        all_fibers[i]->begun = 0;
    em_at.item = -1;
}
