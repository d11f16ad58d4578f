/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c -- what a run will take, said before it begins, and the limit that it keeps to. */
#ifdef __linux__
#include <malloc.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

#define MIB 1048576.0
/* By which files that are written grow in memory. */
#define GROWTH ((int64_t)4 << 20)

int
run_memory_option(run *r, const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    const double value = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    double bytes = value;
    for (int i = 0; unit && i <= unit - units; i++)
        bytes *= 1024;
    const int part = !strcmp(end, "%");
    if (end == text || !(value > 0) || !(part ? value <= 100 : bytes < 9e18) ||
        !(part || !*end || (unit && (!end[1] || !strcmp(end + 1, "iB") || !strcmp(end + 1, "B"))))) {
        cmd_usage(name, "--memory: found \"%s\", expected bytes, as in 512M or 2G, or a part of the device's "
                        "memory, as in 50%%", text);
        return 0;
    }
    r->memory = part ? 0 : (int64_t)bytes;
    r->memory_part = part ? value / 100 : 0;
    return 1;
}

static int64_t
larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A line of /proc/self/status in bytes; -1: there is none. */
static int64_t
status_line(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long long kilobytes = -1;
    while (file && kilobytes < 0 && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key)))
            sscanf(line + strlen(key), ": %lld kB", &kilobytes);
    if (file)
        fclose(file);
    return kilobytes < 0 ? -1 : kilobytes * 1024;
}

void
run_host_memory(int64_t *now, int64_t *peak)
{
    *now = status_line("VmRSS");
    *peak = status_line("VmHWM");
    if (*now < 0 || *peak < 0) {
        /* At most: it may be that of the program that started this one. */
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        *now = *peak = (int64_t)usage.ru_maxrss * 1024;
    }
}

void
run_lean(void)
{
#ifdef M_MMAP_THRESHOLD
    /* Else the C library keeps what has been freed, for the next blocks of that size. */
    mallopt(M_MMAP_THRESHOLD, 1 << 17);
#endif
}

/* What comes on top of what the program has now, while the solver works and when it writes the outcome. */
static void
host_bytes(const run *r, int64_t *working, int64_t *writing)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = r->modes * info->rows * info->cols;
    const int64_t complex = (int64_t)sizeof(ag_complex), real = (int64_t)sizeof(ag_real);
    const int64_t pictures = r->png || r->preview ? pixels * (complex + real + 4) : 0;
    const int64_t result = r->output ? 2 * (pixels + window) * complex + GROWTH : 0;
    *working = (r->preview ? pictures : 0) + (r->checkpoint ? GROWTH : 0);
    *writing = larger(pictures, result);
}

/* The need of the stage that has most of it. */
static int
stages_need(run *r, int64_t memory, ag_need *need)
{
    memset(need, 0, sizeof *need);
    for (int k = 0; k < r->stages; k++) {
        ag_need one;
        r->stage[k].options.memory = memory;
        if (ag_solver_memory(r->device, r->scan, &r->stage[k].options, &one))
            return cmd_fail(name, "%s", ag_device_message(r->device));
        need->device = larger(need->device, one.device);
        need->host = larger(need->host, one.host);
        need->file = larger(need->file, one.file);
        need->least = larger(need->least, one.least);
    }
    return 0;
}

int
run_memory(run *r)
{
    const int is_host = !strncmp(ag_device_name(r->device), "cpu", 3);
    int64_t held, peak, own, before, working, writing;
    char file[64] = "";
    ag_device_memory(r->device, &held, &peak);
    run_host_memory(&own, &before);
    host_bytes(r, &working, &writing);
    const int64_t limit =
        r->memory_part > 0 ? (int64_t)(r->memory_part * (double)ag_device_size(r->device)) : r->memory;
    /* The host's memory is the cpu device's. */
    own -= is_host ? held : 0;
    working += own;
    writing += own;
    const int64_t counts = is_host ? working : 0;
    if (stages_need(r, limit ? larger(1, limit - counts) : 0, &r->need))
        return 1;
    const int64_t least = larger(r->need.least + held + counts, is_host ? larger(writing, before) : 0);
    if (limit && limit < least)
        /* With a margin: what a program takes differs a little from run to run. */
        return cmd_fail(name, "--memory: found %.1f MiB, expected at least %.0f MiB for this scan",
                        (double)limit / MIB, ceil(1.02 * (double)least / MIB));
    r->need.device += held;
    r->need.host += working;
    /* A cpu device's memory is free again when the outcome is written, and was when the scan was read. */
    const int64_t other = larger(writing, before);
    r->need.host = larger(r->need.host, is_host ? other - r->need.device : other);
    if (r->need.file)
        snprintf(file, sizeof file, ", %.1f MiB in a temporary file", (double)r->need.file / MIB);
    if (!r->quiet)
        fprintf(stderr, "memory: %s%.1f MiB on the device, %.1f MiB on the host%s\n", r->team ? "at most " : "",
                (double)r->need.device / MIB, (double)r->need.host / MIB, file);
    return 0;
}
