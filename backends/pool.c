/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c -- threads that share out short jobs, thousands a second.

   A job is cut into one chunk for each thread; a thread does its own chunk, whose data its cache may
   still hold, then those that others have not begun.  A chunk is claimed by moving its word to the
   job's generation with a compare-and-swap.  That succeeds only while nobody has claimed the chunk,
   so the job cannot have ended and its fields are those of that generation.  Idle threads look for a
   new generation for a while, then sleep.  */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Looks for a job before an idle thread sleeps: some tens of microseconds, more than the gaps
   between the launches of a sequential solver. */
#define LOOKS 4000

struct pool {
    _Alignas(128) _Atomic uint32_t generation; /* of the latest job */
    _Alignas(128) _Atomic uint32_t done;       /* its chunks that are done */
    _Alignas(128) _Atomic int sleepers;
    pool_work *work;
    void *job;
    int64_t items;
    int threads, started, ended;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct member {
        _Alignas(128) _Atomic uint32_t claimed; /* the last generation whose chunk was claimed */
        pool *pool;
        pthread_t thread;
        int number;
    } *member;
};

static void
relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

/* Does one chunk of job `generation`, if there is one that nobody has begun. */
static int
step(pool *p, uint32_t generation, int thread)
{
    for (int k = 0; k < p->threads; k++) {
        const int64_t i = (thread + k) % p->threads;
        /* Jobs follow one another, so an unclaimed chunk was last claimed for the job before; a thread
           that looks at a job of the past finds none. */
        uint32_t before = generation - 1;
        if (atomic_load(&p->member[i].claimed) == before &&
            atomic_compare_exchange_strong(&p->member[i].claimed, &before, generation)) {
            const int64_t begin = p->items * i / p->threads, end = p->items * (i + 1) / p->threads;
            if (begin < end)
                p->work(p->job, begin, end, thread);
            atomic_fetch_add(&p->done, 1);
            return 1;
        }
    }
    return 0;
}

static void *
serve(void *argument)
{
    const struct member *m = argument;
    pool *p = m->pool;
    uint32_t seen = 0;
    for (;;) {
        for (int looks = 0; looks < LOOKS; looks++) {
            const uint32_t generation = atomic_load(&p->generation);
            if (generation != seen) {
                while (step(p, generation, m->number))
                    continue;
                seen = generation;
                looks = 0;
            }
            relax();
        }
        pthread_mutex_lock(&p->lock);
        atomic_fetch_add(&p->sleepers, 1);
        while (!p->ended && atomic_load(&p->generation) == seen)
            pthread_cond_wait(&p->wake, &p->lock);
        atomic_fetch_sub(&p->sleepers, 1);
        const int ended = p->ended;
        pthread_mutex_unlock(&p->lock);
        if (ended)
            return NULL;
    }
}

static void
wake(pool *p)
{
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

pool *
pool_create(int threads)
{
    pool *p = NULL;
    if (posix_memalign((void **)&p, 128, sizeof *p))
        return NULL;
    *p = (pool){.threads = threads};
    if (posix_memalign((void **)&p->member, 128, (size_t)threads * sizeof *p->member)) {
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    for (int i = 0; i < threads; i++)
        p->member[i] = (struct member){.pool = p, .number = i};
    for (p->started = 1; p->started < threads; p->started++)
        if (pthread_create(&p->member[p->started].thread, NULL, serve, &p->member[p->started])) {
            pool_destroy(p);
            return NULL;
        }
    return p;
}

void
pool_destroy(pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ended = 1;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    for (int i = 1; i < p->started; i++)
        pthread_join(p->member[i].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p->member);
    free(p);
}

void
pool_run(pool *p, pool_work *work, void *job, int64_t items)
{
    if (p->threads == 1) {
        work(job, 0, items, 0);
        return;
    }
    p->work = work;
    p->job = job;
    p->items = items;
    atomic_store(&p->done, 0);
    const uint32_t generation = atomic_fetch_add(&p->generation, 1) + 1;
    if (atomic_load(&p->sleepers))
        wake(p);
    while (step(p, generation, 0))
        continue;
    for (int looks = 0; atomic_load(&p->done) < (uint32_t)p->threads; looks++) {
        /* Another thread is at its last chunk; if it lost its core, give it this one. */
        if (looks > LOOKS)
            sched_yield();
        else
            relax();
    }
}
