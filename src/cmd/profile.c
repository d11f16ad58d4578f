/* SPDX-License-Identifier: BSD-3-Clause */
/* profile.c -- `argand reconstruct --profile': what each kernel of each step of a solver took. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

enum { ROWS = 256 };

/* Rows of a step stand together, in the order in which steps were first met. */
struct profile {
    double before; /* seconds of iterations that were resumed */
    int begun, rows;
    struct row {
        ag_timing sum;
        int64_t calls;
    } row[ROWS];
};

static void
add(ag_timing *sum, const ag_timing *one)
{
    sum->seconds += one->seconds;
    sum->bytes += one->bytes;
    sum->flops += one->flops;
}

static void
take(void *user, const ag_timing *one)
{
    struct profile *p = user;
    int i = 0, place = p->rows;
    for (; i < p->rows; i++) {
        const ag_timing *sum = &p->row[i].sum;
        if (strcmp(sum->step, one->step))
            continue;
        if (!strcmp(sum->kernel, one->kernel))
            break;
        place = i + 1;
    }
    if (i == p->rows) {
        if (p->rows == ROWS)
            return; /* it counts as other */
        memmove(&p->row[place + 1], &p->row[place], (size_t)(p->rows++ - place) * sizeof *p->row);
        p->row[i = place] = (struct row){{one->kernel, one->step, 0, 0, 0}, 0};
    }
    add(&p->row[i].sum, one);
    p->row[i].calls++;
}

int
run_profile_begin(run *r)
{
    r->profile = calloc(1, sizeof *r->profile);
    return r->profile ? 0 : cmd_fail("reconstruct", "--profile: out of host memory");
}

void
run_profile_watch(run *r, int on)
{
    struct profile *p = r->profile;
    if (!p)
        return;
    if (!p->begun++)
        p->before = r->seconds;
    ag_device_profile(r->device, on ? take : NULL, p);
}

static ag_timing
launches(const struct profile *p)
{
    ag_timing sum = {0};
    for (int i = 0; i < p->rows; i++)
        add(&sum, &p->row[i].sum);
    return sum;
}

/* An amount, or a speed, in units of 1e9, or a dash where nothing was moved or timed. */
static void
put_number(FILE *file, double amount, double seconds)
{
    const double rate = amount > 0 && seconds > 0 ? amount / seconds / 1e9 : 0;
    if (rate > 0)
        fprintf(file, rate < 1000 ? " %9.4g" : " %9.0f", rate);
    else
        fprintf(file, " %9s", "-");
}

static void
put_row(FILE *file, const char *step, const char *kernel, int64_t calls, const ag_timing *t,
        double whole)
{
    fprintf(file, "%-13s %-17s", step, kernel);
    if (calls)
        fprintf(file, " %9lld", (long long)calls);
    else
        fprintf(file, " %9s", "");
    fprintf(file, " %10.6f %6.1f%%", t->seconds, whole > 0 ? 100 * t->seconds / whole : 0);
    if (calls)
        fprintf(file, " %10.2f", t->seconds / (double)calls * 1e6);
    else
        fprintf(file, " %10s", "");
    put_number(file, t->bytes, 1);
    put_number(file, t->bytes, t->seconds);
    put_number(file, t->flops, t->seconds);
    fputc('\n', file);
}

void
run_profile_table(const run *r, FILE *file)
{
    const struct profile *p = r->profile;
    const double whole = r->seconds - p->before;
    ag_timing all = launches(p);
    const ag_timing other = {"", "", whole - all.seconds, 0, 0};
    fprintf(file, "%-13s %-17s %9s %10s %7s %10s %9s %9s %9s\n", "step", "kernel", "calls", "total s",
            "share", "mean us", "GB", "GB/s", "GFLOP/s");
    for (int i = 0; i < p->rows; i++) {
        const char *step = p->row[i].sum.step;
        const int first = !i || strcmp(step, p->row[i - 1].sum.step);
        ag_timing sum = {0};
        int64_t calls = 0;
        for (int k = i; first && k < p->rows && !strcmp(step, p->row[k].sum.step); k++) {
            add(&sum, &p->row[k].sum);
            calls += p->row[k].calls;
        }
        if (first)
            put_row(file, step, "", calls, &sum, whole);
        put_row(file, "", p->row[i].sum.kernel, p->row[i].calls, &p->row[i].sum, whole);
    }
    put_row(file, "other", "", 0, &other, whole);
    all.seconds = whole;
    put_row(file, "all", "", 0, &all, whole);
}

json_t *
run_profile_object(const run *r)
{
    const struct profile *p = r->profile;
    const double whole = r->seconds - p->before;
    json_t *list = json_array();
    for (int i = 0; i < p->rows; i++) {
        const ag_timing *t = &p->row[i].sum;
        json_array_append_new(list,
                              json_pack("{s:s s:s s:I s:f s:f s:f}", "step", t->step, "kernel",
                                        t->kernel, "calls", (json_int_t)p->row[i].calls, "seconds",
                                        t->seconds, "bytes", t->bytes, "flops", t->flops));
    }
    return json_pack("{s:f s:f s:o}", "seconds", whole, "other_seconds",
                     whole - launches(p).seconds, "kernels", list);
}
