/* SPDX-License-Identifier: BSD-3-Clause */
/* tape.h -- recorded launches for backends whose driver has no graphs: a list to run again. */
#ifndef AG_TAPE_H
#define AG_TAPE_H

#include <stdlib.h>
#include <string.h>

#include "backend.h"

typedef struct tape_step {
    ag_binary *binary;
    int64_t items;
    ag_arg arg[AG_MAX_ARGS];
} tape_step;

struct ag_tape {
    int64_t count, room;
    tape_step *step;
};

static inline ag_status
tape_add(ag_handle *handle, ag_tape *tape, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    if (tape->count == tape->room) {
        const int64_t room = tape->room ? 2 * tape->room : 64;
        tape_step *step = realloc(tape->step, (size_t)room * sizeof *step);
        if (!step)
            return handle->host->fail(handle->message, AG_NO_MEMORY, "recording: out of host memory");
        tape->step = step;
        tape->room = room;
    }
    tape_step *step = &tape->step[tape->count++];
    step->binary = binary;
    step->items = items;
    memcpy(step->arg, arg, sizeof step->arg);
    return AG_OK;
}

static inline void
tape_end(ag_tape *tape)
{
    free(tape->step);
    free(tape);
}

#endif
