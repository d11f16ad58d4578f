/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c -- device memory of the emulated GPU.

   An address is never given twice, so what was freed is known as such.  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"

#define UNITS (ARENA >> UNIT_BITS)

char *em_arena;
uint32_t *em_owner;
allocation *em_list;
uint32_t em_count;
static uint64_t next_unit = 1, held;
static uint32_t room;

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
    if (!em_arena && (!(em_arena = reserve(ARENA, PROT_NONE)) || !(em_owner = reserve(UNITS * sizeof *em_owner, PROT_READ | PROT_WRITE))))
        return EM_NO_MEMORY;
    if (em_count == room) {
        allocation *grown = realloc(em_list, (size_t)(2 * room + 64) * sizeof *em_list);
        if (!grown)
            return EM_NO_MEMORY;
        em_list = grown;
        room = 2 * room + 64;
    }
    /* A unit at least stays free behind it. */
    const uint64_t units = (bytes >> UNIT_BITS) + 2;
    if (next_unit + units > UNITS)
        return EM_NO_MEMORY;
    char *base = em_arena + (next_unit << UNIT_BITS);
    cell *cells = reserve((bytes + 3) / 4 * sizeof *cells, PROT_READ | PROT_WRITE);
    if (!cells || mprotect(base, bytes, PROT_READ | PROT_WRITE))
        return EM_NO_MEMORY;
    em_list[em_count].base = (uint64_t)(uintptr_t)base;
    em_list[em_count].bytes = bytes;
    em_list[em_count].live = 1;
    em_list[em_count].grain = 4;
    em_list[em_count++].cells = cells;
    for (uint64_t u = 0; u < units; u++)
        em_owner[next_unit + u] = em_count;
    next_unit += units;
    held += bytes;
    *address = (uint64_t)(uintptr_t)base;
    return EM_OK;
}

static size_t
cells_size(const allocation *a)
{
    return em_in_cells(a->bytes + a->grain - 1, a->grain) * sizeof *a->cells;
}

void
em_split(allocation *a)
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
    allocation *a = em_find(address);
    if (!a || !a->live || a->base != address)
        return EM_BAD_VALUE;
    drop(a);
    return EM_OK;
}

void
em_free_all(void)
{
    for (uint32_t i = 0; i < em_count; i++)
        if (em_list[i].live)
            drop(&em_list[i]);
}

int
em_copy(void *host, uint64_t device, size_t bytes, int to_device)
{
    allocation *a = em_find(device);
    if (!a || !a->live || device - a->base > a->bytes || bytes > a->bytes - (device - a->base))
        return EM_BAD_VALUE;
    if (!to_device) {
        memcpy(host, (void *)(uintptr_t)device, bytes);
        return EM_OK;
    }
    memcpy((void *)(uintptr_t)device, host, bytes);
    for (uint64_t at = device - a->base; at < device - a->base + bytes; at += a->grain - (at & (a->grain - 1)))
        a->cells[em_in_cells(at, a->grain)].written = COPIED;
    return EM_OK;
}

