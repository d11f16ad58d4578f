/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.h -- threads that share out short jobs. */
#ifndef AG_POOL_H
#define AG_POOL_H

#include <stdint.h>

typedef struct pool pool;
/* Items begin ... end - 1 of a job, in thread `thread` (0: the caller's). */
typedef void pool_work(void *job, int64_t begin, int64_t end, int thread);

/* The caller and threads - 1 others; NULL when they cannot be had. */
pool *pool_create(int threads);
void pool_destroy(pool *p);
/* Runs all items and returns when they are done.  A thread that is late finds nothing left to do and
   is not waited for, so a busy machine costs little. */
void pool_run(pool *p, pool_work *work, void *job, int64_t items);

#endif
