/* SPDX-License-Identifier: BSD-3-Clause */
/* comm.c -- sums over those who share a reconstruction: one alone, or threads of this process.

   Threads sum in the order of their ranks, in double precision, so that all get the same bits
   whenever each of them comes.  */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

ag_status
ag_comm_agree(ag_comm *comm, ag_status status, ag_message *message)
{
    double failed = status != AG_OK;
    comm->add(comm, 1, &failed);
    return !status && failed > 0 ? ag_fail(message, AG_DEVICE_ERROR, "another rank has failed") : status;
}

uint64_t
ag_comm_add_word(ag_comm *comm, uint64_t word)
{
    double half[2] = {(double)(word & 0xffffffffu), (double)(word >> 32)};
    comm->add(comm, 2, half);
    return (uint64_t)half[0] + ((uint64_t)half[1] << 32);
}

int
ag_comm_same(ag_comm *comm, const void *bytes, size_t count)
{
    const uint64_t mine = ag_hash(0, bytes, count);
    double others = ag_comm_add_word(comm, mine) != mine * (uint64_t)comm->size;
    comm->add(comm, 1, &others);
    return others == 0;
}

/* ---- one alone ------------------------------------------------------------------------------ */

static void
sum_of_one(ag_comm *comm, ag_array *array, const ag_real *before)
{
    (void)comm;
    (void)array;
    (void)before;
}

static void
add_of_one(ag_comm *comm, int count, double *value)
{
    (void)comm;
    (void)count;
    (void)value;
}

static void
give_of_one(ag_comm *comm, int from, int64_t bytes, void *value)
{
    (void)comm;
    (void)from;
    (void)bytes;
    (void)value;
}

ag_comm *
ag_comm_self(void)
{
    static ag_comm self = {0, 1, sum_of_one, add_of_one, give_of_one, NULL};
    return &self;
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct team {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    int size, here;
    unsigned meetings;
    const void **shown; /* what each rank lets the others read between two meetings; NULL: it failed */
    ag_comm *comm;
} team;

/* Returns when every rank has come. */
static void
meet(team *t)
{
    pthread_mutex_lock(&t->lock);
    const unsigned meeting = t->meetings;
    if (++t->here == t->size) {
        t->here = 0;
        t->meetings++;
        pthread_cond_broadcast(&t->all_here);
    }
    while (meeting == t->meetings)
        pthread_cond_wait(&t->all_here, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

/* The lowest rank that shows nothing, -1: all show something. */
static int
show(const ag_comm *comm, const void *what)
{
    team *t = comm->data;
    int missing = -1;
    t->shown[comm->rank] = what;
    meet(t);
    for (int r = t->size - 1; r >= 0; r--)
        if (!t->shown[r])
            missing = r;
    return missing;
}

static void
sum_of_threads(ag_comm *comm, ag_array *array, const ag_real *before)
{
    team *t = comm->data;
    const int64_t count = array ? array->count * (array->type == AG_COMPLEX ? 2 : 1) : 0;
    ag_real *mine = ag_calloc(AG_MAX(count, 1), sizeof *mine), *sum = ag_calloc(AG_MAX(count, 1), sizeof *sum);
    const int good = array && mine && sum && !ag_array_read(array, 0, array->count, mine);
    const int missing = show(comm, good ? mine : NULL);
    for (int64_t i = 0; missing < 0 && i < count; i++) {
        const double base = before ? (double)before[i] : 0;
        double total = 0;
        for (int r = 0; r < t->size; r++)
            total += (double)((const ag_real *)t->shown[r])[i] - base;
        sum[i] = (ag_real)(base + total);
    }
    meet(t);
    if (missing < 0)
        ag_array_write(array, 0, array->count, sum);
    else if (array)
        ag_device_fail(array->device, AG_DEVICE_ERROR, "sum over ranks: rank %d of %d has failed", missing, t->size);
    free(mine);
    free(sum);
}

static void
add_of_threads(ag_comm *comm, int count, double *value)
{
    team *t = comm->data;
    double total[AG_COMM_MOST] = {0};
    show(comm, value);
    for (int r = 0; r < t->size; r++)
        for (int k = 0; k < count; k++)
            total[k] += ((const double *)t->shown[r])[k];
    meet(t);
    memcpy(value, total, (size_t)count * sizeof *value);
}

static void
give_of_threads(ag_comm *comm, int from, int64_t bytes, void *value)
{
    team *t = comm->data;
    show(comm, value);
    if (!comm->rank && from)
        memcpy(value, t->shown[from], (size_t)bytes);
    meet(t);
}

ag_status
ag_comm_threads(ag_comm ***comm, int size, ag_message *message)
{
    *comm = NULL;
    if (size < 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "ranks: found %d, expected 1 or more", size);
    team *t = ag_calloc(1, sizeof *t);
    ag_comm **list = ag_calloc(size, sizeof *list);
    if (t) {
        t->shown = ag_calloc(size, sizeof *t->shown);
        t->comm = ag_calloc(size, sizeof *t->comm);
    }
    if (!t || !list || !t->shown || !t->comm) {
        if (t) {
            free(t->shown);
            free(t->comm);
        }
        free(t);
        free(list);
        return ag_fail(message, AG_NO_MEMORY, "ranks: no memory for %d of them", size);
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->all_here, NULL);
    t->size = size;
    for (int r = 0; r < size; r++) {
        t->comm[r] = (ag_comm){r, size, sum_of_threads, add_of_threads, give_of_threads, t};
        list[r] = &t->comm[r];
    }
    *comm = list;
    return AG_OK;
}

void
ag_comm_threads_end(ag_comm **comm)
{
    if (!comm)
        return;
    team *t = comm[0]->data;
    pthread_cond_destroy(&t->all_here);
    pthread_mutex_destroy(&t->lock);
    free(t->shown);
    free(t->comm);
    free(t);
    free(comm);
}
