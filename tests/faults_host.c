/* SPDX-License-Identifier: BSD-3-Clause */
/* faults_host.c -- allocations of host memory that are counted, and of which one fails: the linker puts
   these functions (--wrap) before those of the C library.

   Threads other than the test's allocate nothing.  */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "t1_faults.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t bytes);
char *__real_strdup(const char *text);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument);
void __real_free(void *memory);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t bytes);
char *__wrap_strdup(const char *text);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument);
void __wrap_free(void *memory);

static int armed, calls, fail_at, alive;

void
host_arm(int n)
{
    armed = 1;
    calls = alive = 0;
    fail_at = n;
}

int
host_disarm(int *allocations)
{
    armed = 0;
    *allocations = calls;
    return alive;
}

static int
fails(void)
{
    return armed && ++calls == fail_at;
}

static void *
count(void *memory)
{
    alive += armed && memory;
    return memory;
}

void *
__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : count(__real_malloc(bytes));
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}

void *
__wrap_realloc(void *memory, size_t bytes)
{
    if (fails())
        return NULL;
    void *grown = __real_realloc(memory, bytes);
    return memory ? grown : count(grown);
}

char *
__wrap_strdup(const char *text)
{
    return fails() ? NULL : count(__real_strdup(text));
}

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    if (fails())
        return ENOMEM;
    const int error = __real_posix_memalign(memory, alignment, bytes);
    if (!error)
        count(*memory);
    return error;
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *argument)
{
    return fails() ? EAGAIN : __real_pthread_create(thread, how, run, argument);
}

void
__wrap_free(void *memory)
{
    alive -= armed && memory;
    __real_free(memory);
}
