/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.c -- the C dialect on the processor's cores.

   A launch is shared out among the threads in ranges of groups; no group knows of another, so
   results do not depend on how.  Both lanes run at once when called; marks have nothing to wait for.  */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "kernels_c.h"
#include "pool.h"
#include "tape.h"

extern ag_c_kernel *const ag_c_kernels_baseline[];
extern ag_c_kernel *const ag_c_kernels_avx2[];
extern ag_c_kernel *const ag_c_kernels_avx512[];
extern const int ag_c_tile_baseline, ag_c_tile_avx2, ag_c_tile_avx512;

/* Below this many independent items a second thread costs more than it brings. */
#define FEW_ITEMS 8192
/* Arrays from this size on lie in pages of this size, where the system has them.  The pages are made with
   the array: to make them takes as long as some iterations, and this is where there may be no memory. */
#define HUGE_PAGE ((int64_t)2 << 20)
#define SMALL_PAGE 4096
/* Local memory of a group; tiles of 16384 rows fit. */
#define LOCAL_BYTES ((int64_t)16 << 20)

typedef struct cpu_handle {
    ag_handle base;
    ag_c_kernel *const *table;
    const char *isa;
    int tile; /* columns of a tile: a vector of the instruction set */
    int threads;
    pool *pool;
    int64_t local; /* bytes of each thread's local memory */
    char *arena;
    ag_tape *tape; /* being recorded */
} cpu_handle;

struct ag_binary {
    const ag_kernel *kernel;
    ag_shape shape;
    ag_c_kernel *run;
};

/* The instruction set: ARGAND_ISA, else the best that the processor has. */
static ag_status
choose(cpu_handle *cpu)
{
    static const struct {
        const char *name;
        ag_c_kernel *const *table;
        const int *tile;
    } isa[] = {
#if defined AG_HAVE_ISA_AVX512 && !defined AG_DOUBLE
        {"avx512", ag_c_kernels_avx512, &ag_c_tile_avx512},
#endif
#if defined AG_HAVE_ISA_AVX2 && !defined AG_DOUBLE
        {"avx2", ag_c_kernels_avx2, &ag_c_tile_avx2},
#endif
        {"baseline", ag_c_kernels_baseline, &ag_c_tile_baseline},
    };
    const char *wanted = getenv("ARGAND_ISA");
    for (size_t i = 0; i < sizeof isa / sizeof *isa; i++) {
        int has = 1;
#if defined AG_HAVE_ISA_AVX512 || defined AG_HAVE_ISA_AVX2
        if (!strcmp(isa[i].name, "avx512"))
            has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
        else if (!strcmp(isa[i].name, "avx2"))
            has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
        if (has && (!wanted || !*wanted || !strcmp(wanted, isa[i].name))) {
            cpu->isa = isa[i].name;
            cpu->table = isa[i].table;
            cpu->tile = *isa[i].tile;
            return AG_OK;
        }
    }
    return cpu->base.host->fail(cpu->base.message, AG_NO_DEVICE,
                                "ARGAND_ISA: found \"%s\", expected avx512, avx2 or baseline, and a "
                                "processor that has it",
                                wanted);
}

/* ARGAND_THREADS, else OMP_NUM_THREADS, else the cores that this process may use. */
static ag_status
count_threads(cpu_handle *cpu)
{
    static const char *const variable[] = {"ARGAND_THREADS", "OMP_NUM_THREADS"};
    cpu_set_t set;
    for (int i = 0; i < 2; i++) {
        const char *text = getenv(variable[i]);
        char *end;
        if (!text || !*text)
            continue;
        const long n = strtol(text, &end, 10);
        if ((*end && *end != ',') || n < 1 || n > 4096)
            return cpu->base.host->fail(cpu->base.message, AG_NO_DEVICE,
                                        "%s: found \"%s\", expected a number from 1 to 4096", variable[i], text);
        cpu->threads = (int)n;
        return AG_OK;
    }
    cpu->threads = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return AG_OK;
}

static void
cpu_close(ag_handle *handle)
{
    cpu_handle *cpu = (cpu_handle *)handle;
    pool_destroy(cpu->pool);
    free(cpu->arena);
    free(cpu);
}

static ag_status
cpu_open(ag_handle **handle, int number, const ag_host *host, ag_message *message)
{
    if (number)
        return host->fail(message, AG_NO_DEVICE, "there is only cpu:0");
    cpu_handle *cpu = calloc(1, sizeof *cpu);
    if (!cpu)
        return host->fail(message, AG_NO_MEMORY, "out of host memory");
    cpu->base.host = host;
    cpu->base.message = message;
    ag_status status = choose(cpu);
    if (!status)
        status = count_threads(cpu);
    if (!status && !(cpu->pool = pool_create(cpu->threads)))
        status = host->fail(message, AG_NO_MEMORY, "%d threads cannot be started", cpu->threads);
    if (status)
        cpu_close(&cpu->base);
    else
        *handle = &cpu->base;
    return status;
}

static void
model_name(char *text, size_t room)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(text, room, "processor");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!strncmp(line, "model name", 10) && colon) {
            snprintf(text, room, "%s", colon + 2);
            text[strcspn(text, "\n")] = 0;
            break;
        }
    }
    if (file)
        fclose(file);
}

static void
cpu_limits(ag_handle *handle, ag_limits *limits)
{
    const cpu_handle *cpu = (cpu_handle *)handle;
    char model[160];
    memset(limits, 0, sizeof *limits);
    limits->memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    limits->allocation = limits->memory;
    limits->local = LOCAL_BYTES;
    limits->lanes = limits->warp = 1;
    limits->tile = cpu->tile;
    limits->parallel = 8 * cpu->threads;
    model_name(model, sizeof model);
    snprintf(limits->description, sizeof limits->description, "%s, %d thread%s, %s, %s precision", model,
             cpu->threads, cpu->threads == 1 ? "" : "s", cpu->isa,
             sizeof(ag_real) == 4 ? "single" : "double");
}

/* The threads share out the pages of a large array as they do its frames. */
static void
touch(void *block, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    for (int64_t i = begin; i < end; i++)
        ((char *)block)[i * SMALL_PAGE] = 0;
}

static ag_status
cpu_alloc(ag_handle *handle, int64_t bytes, ag_memory **memory)
{
    void *block = NULL;
    const int huge = bytes >= HUGE_PAGE;
    if (posix_memalign(&block, huge ? HUGE_PAGE : 128, (size_t)bytes))
        return handle->host->fail(handle->message, AG_NO_MEMORY, "%s", strerror(ENOMEM));
    if (huge) {
        madvise(block, (size_t)bytes, MADV_HUGEPAGE); /* a wish: refused, the pages are small ones */
        pool_run(((cpu_handle *)handle)->pool, touch, block, bytes / SMALL_PAGE);
    }
    *memory = block;
    return AG_OK;
}

static void
cpu_free(ag_handle *handle, ag_memory *memory)
{
    (void)handle;
    free(memory);
}

static ag_status
cpu_copy(ag_handle *handle, int lane, int direction, ag_memory *memory, int64_t offset, void *host,
         int64_t bytes)
{
    (void)handle;
    (void)lane;
    if (direction == AG_TO_DEVICE)
        memcpy((char *)memory + offset, host, (size_t)bytes);
    else
        memcpy(host, (char *)memory + offset, (size_t)bytes);
    return AG_OK;
}

static ag_status
cpu_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **binary)
{
    cpu_handle *cpu = (cpu_handle *)handle;
    const int64_t local = (kernel->local(shape) + 4095) / 4096 * 4096;
    *binary = calloc(1, sizeof **binary);
    if (*binary && local > cpu->local) {
        free(cpu->arena);
        cpu->local = 0;
        if (posix_memalign((void **)&cpu->arena, (size_t)HUGE_PAGE, (size_t)(local * cpu->threads))) {
            cpu->arena = NULL;
            free(*binary);
            *binary = NULL;
        } else {
            cpu->local = local;
            madvise(cpu->arena, (size_t)(local * cpu->threads), MADV_HUGEPAGE); /* a wish, as above */
        }
    }
    if (!*binary)
        return handle->host->fail(handle->message, AG_NO_MEMORY, "kernel %s: out of host memory", kernel->name);
    (*binary)->kernel = kernel;
    (*binary)->shape = *shape;
    (*binary)->run = cpu->table[kernel->id];
    return AG_OK;
}

static void
cpu_unbuild(ag_handle *handle, ag_binary *binary)
{
    (void)handle;
    free(binary);
}

typedef struct launch {
    const cpu_handle *cpu;
    const ag_binary *binary;
    const ag_arg *arg;
} launch;

static void
work(void *job, int64_t begin, int64_t end, int thread)
{
    const launch *l = job;
    l->binary->run(&l->binary->shape, l->arg, begin, end, l->cpu->arena + thread * l->cpu->local);
}

static void
run(cpu_handle *cpu, const ag_binary *binary, int64_t items, const ag_arg *arg)
{
    const int64_t total = items * binary->kernel->parts(&binary->shape);
    launch l = {cpu, binary, arg};
    if (total == 1 || (binary->kernel->kind == AG_EACH && total < FEW_ITEMS))
        work(&l, 0, total, 0);
    else
        pool_run(cpu->pool, work, &l, total);
}

static ag_status
cpu_launch(ag_handle *handle, ag_binary *binary, int64_t items, const ag_arg *arg)
{
    cpu_handle *cpu = (cpu_handle *)handle;
    if (cpu->tape)
        return tape_add(handle, cpu->tape, binary, items, arg);
    run(cpu, binary, items, arg);
    return AG_OK;
}

static ag_status
cpu_mark(ag_handle *handle, int lane, ag_mark **mark)
{
    (void)handle;
    (void)lane;
    *mark = NULL;
    return AG_OK;
}

static ag_status
cpu_wait(ag_handle *handle, int lane, ag_mark *mark)
{
    (void)handle;
    (void)lane;
    (void)mark;
    return AG_OK;
}

static ag_status
cpu_record(ag_handle *handle, int what, ag_tape **tape)
{
    cpu_handle *cpu = (cpu_handle *)handle;
    if (what == AG_RECORD_BEGIN) {
        *tape = cpu->tape = calloc(1, sizeof **tape);
        if (!*tape)
            return handle->host->fail(handle->message, AG_NO_MEMORY, "recording: out of host memory");
    } else {
        cpu->tape = NULL;
    }
    return AG_OK;
}

static ag_status
cpu_replay(ag_handle *handle, ag_tape *tape, int again)
{
    if (!again)
        tape_end(tape);
    else
        for (int64_t i = 0; i < tape->count; i++)
            run((cpu_handle *)handle, tape->step[i].binary, tape->step[i].items, tape->step[i].arg);
    return AG_OK;
}

static ag_status
cpu_synchronize(ag_handle *handle)
{
    (void)handle;
    return AG_OK;
}

static void
share(void *queue, ag_share_work *some, void *job, int64_t items)
{
    pool_run(queue, some, job, items);
}

static ag_status
cpu_native(ag_handle *handle, ag_memory *memory, ag_native *native)
{
    const ag_native own = {.queue = ((cpu_handle *)handle)->pool, .memory = memory, .share = share};
    *native = own;
    return AG_OK;
}

const ag_backend ag_backend_cpu = {
    AG_BACKEND_ABI, "cpu",       cpu_open, cpu_close, cpu_limits, cpu_alloc,       cpu_free,    cpu_copy,
    cpu_build,      cpu_unbuild, cpu_launch, cpu_mark, cpu_wait,   cpu_record,      cpu_replay, cpu_synchronize,
    cpu_native,
};
