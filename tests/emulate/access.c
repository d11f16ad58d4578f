/* SPDX-License-Identifier: BSD-3-Clause */
/* access.c -- the checks of each access to the emulated GPU's memory.

   For each word, or half of one, it is known who wrote and who read it last and in which interval between barriers: an
   interval has a number of its own over all groups and launches.  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define MANY 0xffffu

static uint32_t interval = COPIED, last_interval = COPIED, first_of_launch, first_of_group;
static uint32_t *group_of; /* of each interval of a launch whose groups run at once */
static size_t intervals;
/* A group's arrays: the module's own, and what the launch asked for. */
static struct {
    char *base;
    size_t bytes, room;
    unsigned grain;
    cell *cells; /* room for one of each half of a word */
} shared[2];


void
em_phase(void)
{
    interval = ++last_interval;
    const size_t n = interval - first_of_launch;
    if (!em_at.launch->together)
        return;
    if (n >= intervals) {
        uint32_t *grown = realloc(group_of, (2 * n + 1024) * sizeof *grown);
        if (!grown)
            abort();
        group_of = grown;
        intervals = 2 * n + 1024;
    }
    group_of[n] = (uint32_t)em_at.group;
}

uint32_t
em_interval(void)
{
    return interval;
}

uint32_t
em_last_interval(void)
{
    return last_interval;
}

void
em_resume(uint32_t before)
{
    interval = before;
}

static void
share(int i, char *base, size_t bytes)
{
    shared[i].base = base;
    shared[i].bytes = base ? bytes : 0;
    shared[i].grain = 4;
    if (bytes > shared[i].room) {
        free(shared[i].cells);
        shared[i].cells = calloc(bytes / 2 + 2, sizeof *shared[i].cells);
        shared[i].room = shared[i].cells ? bytes : 0;
        shared[i].bytes = shared[i].room;
    }
}

void
em_begin_launch(const em_launch *launch)
{
    const em_module *module = launch->function->module;
    first_of_launch = last_interval + 1;
    share(0, module->shared, module->shared_bytes);
    share(1, module->dynamic, launch->dynamic);
}

void
em_begin_group(void)
{
    first_of_group = em_at.launch->together ? UINT32_MAX : last_interval + 1;
    for (int i = 0; i < 2; i++)
        if (shared[i].bytes)
            memset(shared[i].cells, 0, em_in_cells(shared[i].bytes + shared[i].grain - 1, shared[i].grain) * sizeof *shared[i].cells);
}

/* The arrays of the groups of a launch that run at once, while they are not in their place. */
static struct {
    int groups, now;
    char *bytes[2];
    cell *cells[2];
    unsigned *grain[2];
} kept;

int
em_begin_together(const em_launch *launch)
{
    kept.groups = (int)launch->groups;
    kept.now = -1;
    for (int i = 0; i < 2; i++) {
        const size_t groups = launch->groups, cells = shared[i].bytes / 2 + 2;
        kept.bytes[i] = calloc(groups, shared[i].bytes + 1);
        kept.cells[i] = calloc(groups * cells, sizeof(cell));
        kept.grain[i] = calloc(groups, sizeof(unsigned));
        if (!kept.bytes[i] || !kept.cells[i] || !kept.grain[i])
            return 0;
        for (int g = 0; g < kept.groups; g++)
            kept.grain[i][g] = 4;
    }
    return em_together_begin(launch->groups);
}

void
em_end_together(void)
{
    for (int i = 0; i < 2; i++) {
        free(kept.bytes[i]);
        free(kept.cells[i]);
        free(kept.grain[i]);
    }
    memset(&kept, 0, sizeof kept);
}

void
em_exchange_group(int group)
{
    for (int i = 0; i < 2; i++) {
        const size_t bytes = shared[i].bytes, cells = bytes / 2 + 2;
        if (!bytes)
            continue;
        if (kept.now >= 0) {
            memcpy(kept.bytes[i] + (size_t)kept.now * bytes, shared[i].base, bytes);
            memcpy(kept.cells[i] + (size_t)kept.now * cells, shared[i].cells, cells * sizeof(cell));
            kept.grain[i][kept.now] = shared[i].grain;
        }
        memcpy(shared[i].base, kept.bytes[i] + (size_t)group * bytes, bytes);
        memcpy(shared[i].cells, kept.cells[i] + (size_t)group * cells, cells * sizeof(cell));
        shared[i].grain = kept.grain[i][group];
    }
    kept.now = group;
}

/* Which of a group's arrays an address lies in, or -1. */
static inline int
shared_at(uint64_t address)
{
    for (int i = 0; i < 2; i++)
        if (address - (uint64_t)(uintptr_t)shared[i].base < shared[i].bytes)
            return i;
    return -1;
}

/* As `em_split'. */
static void
split_shared(int i)
{
    for (size_t k = (shared[i].bytes + 3) / 4; k-- > 0;)
        shared[i].cells[2 * k + 1] = shared[i].cells[2 * k] = shared[i].cells[k];
    shared[i].grain = 2;
}

static _Noreturn void
stray(uint64_t address, size_t bytes, int write, const allocation *a)
{
    char where[160] = "an address that was never allocated";
    const uint64_t behind = address - (uint64_t)(uintptr_t)shared[1].base - shared[1].bytes;
    if (shared[1].base && behind < EM_MOST_LOCAL)
        snprintf(where, sizeof where, "%llu bytes past the %zu of shared memory that the launch asked for",
                 (unsigned long long)behind, shared[1].bytes);
    else if (a && !a->live)
        snprintf(where, sizeof where, "memory that was freed (%llu bytes at %#llx)", (unsigned long long)a->bytes,
                 (unsigned long long)a->base);
    else if (a && a + 1 < em_list + em_count && a[1].base - address < address - a->base - a->bytes)
        snprintf(where, sizeof where, "%llu bytes before an allocation of %llu bytes",
                 (unsigned long long)(a[1].base - address), (unsigned long long)a[1].bytes);
    else if (a)
        snprintf(where, sizeof where, "%lld bytes past the end of an allocation of %llu bytes",
                 (long long)(address - a->base - a->bytes), (unsigned long long)a->bytes);
    else if (address < 4096)
        snprintf(where, sizeof where, "a null pointer");
    em_blame(EM_BAD_ADDRESS, "out of bounds: %s of %zu bytes at %#llx: %s", write ? "store" : "load", bytes,
             (unsigned long long)address, where);
}

static void
race(uint64_t address, const char *mine, const char *theirs, int other, int is_shared)
{
    em_blame(EM_LAUNCH_FAILED, "race: %s at %#llx (%s memory) beside a %s by item %d with no barrier between", mine,
             (unsigned long long)address, is_shared ? "shared" : "device", theirs, other);
}

static void
race_of_groups(uint64_t address, const char *mine, const char *theirs)
{
    em_blame(EM_LAUNCH_FAILED, "race: %s at %#llx beside a %s by another group of the same launch", mine,
             (unsigned long long)address, theirs);
}

/* Whether another group of the launch did something at that time that this one may not know of. */
static inline int
by_others(uint32_t when)
{
    if (when < first_of_launch || when >= first_of_group)
        return 0;
    const uint32_t group = first_of_group == UINT32_MAX ? group_of[when - first_of_launch] : 0;
    return first_of_group != UINT32_MAX || (group != (uint32_t)em_at.group && em_unseen(group, when));
}

/* One word; inline in those who know whether it is written.  Groups run one after another, or by turns, so each pair of them
   is seen in that order. */
static inline __attribute__((always_inline)) void
look(cell *c, uint64_t address, int write, int is_shared)
{
    const uint16_t me = (uint16_t)em_at.item;
    if (!write) {
        if (!c->written)
            em_blame(EM_LAUNCH_FAILED, "uninitialised: load at %#llx (%s memory) of what was never written",
                     (unsigned long long)address, is_shared ? "shared" : "device");
        if (c->written == interval && c->writer != me)
            race(address, "load", "store", c->writer, is_shared);
        if (by_others(c->written))
            race_of_groups(address, "load", "store");
        if (by_others(c->read))
            return; /* that it read is what a store would have to know, also one of this group */
        c->reader = c->read == interval && c->reader != me ? MANY : me;
        c->read = interval;
        return;
    }
    if (c->written == interval && c->writer != me)
        race(address, "store", "store", c->writer, is_shared);
    if (c->read == interval && c->reader != me)
        race(address, "store", "load", c->reader == MANY ? -1 : c->reader, is_shared);
    if (by_others(c->written))
        race_of_groups(address, "store", "store");
    if (by_others(c->read))
        race_of_groups(address, "store", "load");
    c->written = interval;
    c->writer = me;
}

static inline __attribute__((always_inline)) void
touch(const void *pointer, size_t bytes, int write)
{
    const uint64_t address = (uint64_t)(uintptr_t)pointer;
    if (em_at.item < 0 || ((const char *)pointer >= em_at.stack && (const char *)pointer < em_at.stack_end))
        return;
    const int i = shared_at(address);
    unsigned grain;
    cell *c;
    if (i >= 0) {
        const uint64_t at = address - (uint64_t)(uintptr_t)shared[i].base;
        if (bytes > shared[i].bytes - at)
            stray(address, bytes, write, NULL);
        if (bytes < 4 && shared[i].grain == 4)
            split_shared(i);
        grain = shared[i].grain;
        c = &shared[i].cells[em_in_cells(at, grain)];
    } else {
        allocation *a = em_find(address);
        if (!a || !a->live || address - a->base >= a->bytes || bytes > a->bytes - (address - a->base))
            stray(address, bytes, write, a);
        if (bytes < 4 && a->grain == 4)
            em_split(a);
        grain = a->grain;
        c = &a->cells[em_in_cells(address - a->base, grain)];
    }
    for (uint64_t cells = em_in_cells((address & (grain - 1)) + bytes + grain - 1, grain); cells; cells--)
        look(c++, address, write, i >= 0);
}

/* ---- what the sanitizer's code calls ------------------------------------------------------------ */

#define ACCESS(bytes) \
    void __tsan_read##bytes(void *p); \
    void __tsan_write##bytes(void *p); \
    void __tsan_unaligned_read##bytes(void *p); \
    void __tsan_unaligned_write##bytes(void *p); \
    void __tsan_volatile_read##bytes(void *p); \
    void __tsan_volatile_write##bytes(void *p); \
    void __tsan_read##bytes(void *p) { touch(p, bytes, 0); } \
    void __tsan_write##bytes(void *p) { touch(p, bytes, 1); } \
    void __tsan_unaligned_read##bytes(void *p) { touch(p, bytes, 0); } \
    void __tsan_unaligned_write##bytes(void *p) { touch(p, bytes, 1); } \
    void __tsan_volatile_read##bytes(void *p) { touch(p, bytes, 0); } \
    void __tsan_volatile_write##bytes(void *p) { touch(p, bytes, 1); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(void *p, unsigned long bytes);
void __tsan_write_range(void *p, unsigned long bytes);
void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
float ag_emulate_add(float *p, float value);

void
__tsan_read_range(void *p, unsigned long bytes)
{
    touch(p, bytes, 0);
}

void
__tsan_write_range(void *p, unsigned long bytes)
{
    touch(p, bytes, 1);
}

void
__tsan_init(void)
{
}

void
__tsan_func_entry(void *caller)
{
    (void)caller;
}

void
__tsan_func_exit(void)
{
}

/* An atomic addition races with nobody; it must only be in bounds and of something written. */
float
ag_emulate_add(float *p, float value)
{
    const uint64_t address = (uint64_t)(uintptr_t)p;
    const int i = shared_at(address);
    const allocation *a = i < 0 ? em_find(address) : NULL;
    if (i < 0 && (!a || !a->live || address - a->base >= a->bytes))
        stray(address, sizeof *p, 1, a);
    const cell *c = i < 0 ? &a->cells[em_in_cells(address - a->base, a->grain)]
                          : &shared[i].cells[em_in_cells(address - (uint64_t)(uintptr_t)shared[i].base, shared[i].grain)];
    if (!c->written)
        em_blame(EM_LAUNCH_FAILED, "uninitialised: atomic addition at %#llx to what was never written",
                 (unsigned long long)address);
    const float before = *p;
    *p = before + value;
    return before;
}
