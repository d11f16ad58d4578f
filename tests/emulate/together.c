/* SPDX-License-Identifier: BSD-3-Clause */
/* together.c -- what the groups of a cooperative launch know of one another.

   An atomic addition to a count is where they meet: a group leaves there what it did before its last fence, and takes up,
   with its next fence, what the others had left.  Whatever else a group reads or writes that another one has written
   or read in the same launch is a race.  Where groups only ask for a count they wait: the others' turn comes.  */
#include <stdlib.h>
#include <string.h>

#include "emulate.h"

/* Intervals of each other group, for each group: whose work it sees, and will see with its next fence; what it did before
   its last fence, and what of that it has left. */
static struct {
    unsigned groups;
    uint32_t *sees, *takes, *fenced, *left;
    uint64_t met;
} all;

int
em_together_begin(unsigned groups)
{
    free(all.sees);
    all.groups = groups;
    all.met = 0;
    all.sees = calloc(2 * (size_t)groups * (groups + 1), sizeof *all.sees);
    all.takes = all.sees + (size_t)groups * groups;
    all.fenced = all.takes + (size_t)groups * groups;
    all.left = all.fenced + groups;
    return all.sees != NULL;
}

int
em_unseen(unsigned group, uint32_t when)
{
    return when > all.sees[(size_t)em_at.group * all.groups + group];
}

uint64_t
em_together_met(void)
{
    return all.met;
}

void ag_emulate_fence(void);
unsigned long long ag_emulate_count(unsigned long long *at, unsigned long long value);

void
ag_emulate_fence(void)
{
    if (!em_at.launch->together)
        return;
    const size_t mine = (size_t)em_at.group * all.groups;
    for (unsigned h = 0; h < all.groups; h++)
        if (all.sees[mine + h] < all.takes[mine + h])
            all.sees[mine + h] = all.takes[mine + h];
    all.fenced[em_at.group] = em_interval();
}

unsigned long long
ag_emulate_count(unsigned long long *at, unsigned long long value)
{
    if (!em_at.launch->together)
        em_blame(EM_LAUNCH_FAILED, "groups meet in a launch that does not let all of them run at once");
    if (!value)
        em_yield();
    const unsigned long long before = *at;
    *at += value;
    memcpy(all.takes + (size_t)em_at.group * all.groups, all.left, all.groups * sizeof *all.left);
    if (value) {
        all.left[em_at.group] = all.fenced[em_at.group];
        all.met++;
    }
    return before;
}
