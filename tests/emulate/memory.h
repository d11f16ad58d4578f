/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h -- the device's allocations, and what is known of each word of them: memory.c makes them, access.c looks at
   each access. */
#ifndef AG_EMULATE_MEMORY_H
#define AG_EMULATE_MEMORY_H

#include "emulate.h"

#define ARENA ((uint64_t)1 << 38)
#define UNIT_BITS 16 /* an allocation begins at a multiple of 64 KiB */

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

extern char *em_arena;
extern uint32_t *em_owner; /* of each unit: its allocation + 1 */
extern allocation *em_list;
extern uint32_t em_count;

static inline allocation *
em_find(uint64_t address)
{
    const uint64_t at = address - (uint64_t)(uintptr_t)em_arena;
    const uint32_t number = em_arena && at < ARENA ? em_owner[at >> UNIT_BITS] : 0;
    return number ? &em_list[number - 1] : NULL;
}

/* Faster than a division; it stands in the way of every access. */
static inline uint64_t
em_in_cells(uint64_t bytes, unsigned grain)
{
    return bytes >> (grain == 4 ? 2 : 1);
}

/* A cell for each half of a word from now on. */
void em_split(allocation *a);

#endif
