/* SPDX-License-Identifier: BSD-3-Clause */
/* comm.c -- sums over the processes or threads that share a reconstruction: one alone. */
#include <string.h>

#include "core.h"

static void
sum(ag_comm *comm, ag_array *array)
{
    (void)comm;
    (void)array;
}

static ag_status
gather(ag_comm *comm, int64_t count, const double *mine, double *all)
{
    (void)comm;
    memcpy(all, mine, (size_t)count * sizeof *all);
    return AG_OK;
}

static ag_status
barrier(ag_comm *comm)
{
    (void)comm;
    return AG_OK;
}

ag_comm *
ag_comm_self(void)
{
    static ag_comm self = {0, 1, sum, gather, barrier, NULL};
    return &self;
}
