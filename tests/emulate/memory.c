/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c -- device memory of the emulated GPU, and the checks of each access to it.

   An address is never given twice, so what was freed is known as such.  For each word, or half of one, it is known
   who wrote and who read it last and in which interval between barriers: an interval has a number
   of its own over all groups and launches.  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "emulate.h"

#define ARENA ((uint64_t)1 << 38)
#define UNIT_BITS 16 /* an allocation begins at a multiple of 64 KiB */
#define UNITS (ARENA >> UNIT_BITS)
#define MANY 0xffffu

/* 0: never; COPIED: by a copy, in no interval. */
typedef struct cell {
    uint32_t written, read; /* the interval */
    uint16_t writer, reader; /* the item */
} cell;
#define COPIED 1

typedef struct allocation {
    uint64_t base, bytes;
    int live;
    unsigned grain; /* bytes of a cell: 4, or 2 once half a word was touched */
    cell *cells;
} allocation;

static char *arena;
static uint32_t *owner; /* of each unit: its allocation + 1 */
static uint64_t next_unit = 1, held;
static allocation *list;
static uint32_t count, room;

static uint32_t interval = COPIED, first_of_launch, first_of_group;
/* A group's arrays: the module's own, and what the launch asked for. */
static struct {
    char *base;
    size_t bytes, room;
    unsigned grain;
    cell *cells; /* room for one of each half of a word */
} shared[2];

static void *
reserve(uint64_t bytes, int access)
{
    void *memory = mmap(NULL, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int
em_alloc(size_t bytes, uint64_t *address)
{
    const uint64_t limit = (uint64_t)em_setting("AG_EMULATE_MEMORY", EM_MEMORY_MIB) << 20;
    if (!bytes)
        return EM_BAD_VALUE;
    if (bytes > limit - held)
        return EM_NO_MEMORY;
    if (!arena && (!(arena = reserve(ARENA, PROT_NONE)) || !(owner = reserve(UNITS * sizeof *owner, PROT_READ | PROT_WRITE))))
        return EM_NO_MEMORY;
    if (count == room) {
        allocation *grown = realloc(list, (size_t)(2 * room + 64) * sizeof *list);
        if (!grown)
            return EM_NO_MEMORY;
        list = grown;
        room = 2 * room + 64;
    }
    /* A unit at least stays free behind it. */
    const uint64_t units = (bytes >> UNIT_BITS) + 2;
    if (next_unit + units > UNITS)
        return EM_NO_MEMORY;
    char *base = arena + (next_unit << UNIT_BITS);
    cell *cells = reserve((bytes + 3) / 4 * sizeof *cells, PROT_READ | PROT_WRITE);
    if (!cells || mprotect(base, bytes, PROT_READ | PROT_WRITE))
        return EM_NO_MEMORY;
    list[count].base = (uint64_t)(uintptr_t)base;
    list[count].bytes = bytes;
    list[count].live = 1;
    list[count].grain = 4;
    list[count++].cells = cells;
    for (uint64_t u = 0; u < units; u++)
        owner[next_unit + u] = count;
    next_unit += units;
    held += bytes;
    *address = (uint64_t)(uintptr_t)base;
    return EM_OK;
}

static allocation *
find(uint64_t address)
{
    const uint64_t at = address - (uint64_t)(uintptr_t)arena;
    const uint32_t number = arena && at < ARENA ? owner[at >> UNIT_BITS] : 0;
    return number ? &list[number - 1] : NULL;
}

/* Faster than a division; it stands in the way of every access. */
static inline uint64_t
in_cells(uint64_t bytes, unsigned grain)
{
    return bytes >> (grain == 4 ? 2 : 1);
}

static size_t
cells_size(const allocation *a)
{
    return in_cells(a->bytes + a->grain - 1, a->grain) * sizeof *a->cells;
}

/* A cell for each half of a word from now on. */
static void
split(allocation *a)
{
    const uint64_t words = cells_size(a) / sizeof(cell);
    cell *halves = reserve(2 * words * sizeof *halves, PROT_READ | PROT_WRITE);
    if (!halves)
        em_blame(EM_NO_MEMORY, "no memory for what is known of %llu bytes", (unsigned long long)a->bytes);
    for (uint64_t i = 0; i < 2 * words; i++)
        halves[i] = a->cells[i / 2];
    munmap(a->cells, cells_size(a));
    a->cells = halves;
    a->grain = 2;
}

static void
drop(allocation *a)
{
    mmap((void *)(uintptr_t)a->base, a->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    munmap(a->cells, cells_size(a));
    a->live = 0;
    held -= a->bytes;
}

int
em_free(uint64_t address)
{
    allocation *a = find(address);
    if (!a || !a->live || a->base != address)
        return EM_BAD_VALUE;
    drop(a);
    return EM_OK;
}

void
em_free_all(void)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].live)
            drop(&list[i]);
}

int
em_copy(void *host, uint64_t device, size_t bytes, int to_device)
{
    allocation *a = find(device);
    if (!a || !a->live || device - a->base > a->bytes || bytes > a->bytes - (device - a->base))
        return EM_BAD_VALUE;
    if (!to_device) {
        memcpy(host, (void *)(uintptr_t)device, bytes);
        return EM_OK;
    }
    memcpy((void *)(uintptr_t)device, host, bytes);
    for (uint64_t at = device - a->base; at < device - a->base + bytes; at += a->grain - (at & (a->grain - 1)))
        a->cells[in_cells(at, a->grain)].written = COPIED;
    return EM_OK;
}

void
em_phase(void)
{
    interval++;
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
    first_of_launch = interval + 1;
    share(0, module->shared, module->shared_bytes);
    share(1, module->dynamic, launch->dynamic);
}

void
em_begin_group(void)
{
    first_of_group = interval + 1;
    for (int i = 0; i < 2; i++)
        if (shared[i].bytes)
            memset(shared[i].cells, 0, in_cells(shared[i].bytes + shared[i].grain - 1, shared[i].grain) * sizeof *shared[i].cells);
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

/* As `split'. */
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
    else if (a && a + 1 < list + count && a[1].base - address < address - a->base - a->bytes)
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

/* One word; inline in those who know whether it is written.  Groups run one after another, so each pair of them is seen in that order. */
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
        if (c->written >= first_of_launch && c->written < first_of_group)
            race_of_groups(address, "load", "store");
        c->reader = c->read == interval && c->reader != me ? MANY : me;
        c->read = interval;
        return;
    }
    if (c->written == interval && c->writer != me)
        race(address, "store", "store", c->writer, is_shared);
    if (c->read == interval && c->reader != me)
        race(address, "store", "load", c->reader == MANY ? -1 : c->reader, is_shared);
    if (c->written >= first_of_launch && c->written < first_of_group)
        race_of_groups(address, "store", "store");
    if (c->read >= first_of_launch && c->read < first_of_group)
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
        c = &shared[i].cells[in_cells(at, grain)];
    } else {
        allocation *a = find(address);
        if (!a || !a->live || address - a->base >= a->bytes || bytes > a->bytes - (address - a->base))
            stray(address, bytes, write, a);
        if (bytes < 4 && a->grain == 4)
            split(a);
        grain = a->grain;
        c = &a->cells[in_cells(address - a->base, grain)];
    }
    for (uint64_t cells = in_cells((address & (grain - 1)) + bytes + grain - 1, grain); cells; cells--)
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
    const allocation *a = i < 0 ? find(address) : NULL;
    if (i < 0 && (!a || !a->live || address - a->base >= a->bytes))
        stray(address, sizeof *p, 1, a);
    const cell *c = i < 0 ? &a->cells[in_cells(address - a->base, a->grain)]
                          : &shared[i].cells[in_cells(address - (uint64_t)(uintptr_t)shared[i].base, shared[i].grain)];
    if (!c->written)
        em_blame(EM_LAUNCH_FAILED, "uninitialised: atomic addition at %#llx to what was never written",
                 (unsigned long long)address);
    const float before = *p;
    *p = before + value;
    return before;
}
