/* SPDX-License-Identifier: BSD-3-Clause */
/* team.c -- several devices that share a run: `-d cuda:0,cuda:1`.

   The first device is the program's own, in its thread; each of the others has a thread that does what the program
   tells all of them at the same time: to create a solver, to go on with it, to save it.  Within these they meet in ag_comm.  */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

enum { MOST = 64 };

typedef struct member {
    struct team *team;
    ag_comm *comm;
    ag_device *device;
    ag_solver *solver;
    ag_array *object, *probe;
    pthread_t thread;
    int begun;
    ag_message message; /* why it failed in what it was told last */
} member;

typedef struct team {
    const run *run;
    int size;       /* of all, the program's own device included */
    ag_comm **comm;
    member *other;  /* size - 1 */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int told, busy; /* how often something has been; those who still do it */
    int what;       /* that is to be done */
} team;

static ag_status
do_one(member *m, int what)
{
    const run *r = m->team->run;
    const run_stage *stage = &r->stage[r->now];
    const double *error, *seconds;
    ag_quality quality;
    if (what == RUN_TEAM_CREATE) {
        ag_solver_destroy(m->solver);
        m->solver = NULL;
        return ag_solver_create(&m->solver, m->device, m->comm, r->scan, &stage->options, m->object, m->probe);
    }
    if (!m->solver || what == RUN_TEAM_END)
        return AG_OK;
    if (what == RUN_TEAM_SAVE)
        return ag_solver_save(m->solver, r->checkpoint, NULL, &m->message);
    if (what == RUN_TEAM_MEASURE)
        return ag_solver_measure(m->solver, &quality);
    const ag_status status =
        what == RUN_TEAM_LOAD
            ? ag_solver_load(m->solver, r->resume, &m->message)
            : ag_solver_run(m->solver, stage->iterations - ag_solver_history(m->solver, &error, &seconds), NULL, NULL);
    if (r->position)
        ag_solver_positions(m->solver, r->position); /* each rank its own part of it */
    if (stage->options.opr_modes)
        ag_solver_opr(m->solver, NULL, r->eigen_weight);
    return status;
}

static void *
work(void *user)
{
    member *m = user;
    team *t = m->team;
    int done = 0, what = RUN_TEAM_CREATE;
    while (what != RUN_TEAM_END) {
        pthread_mutex_lock(&t->lock);
        while (t->told == done)
            pthread_cond_wait(&t->changed, &t->lock);
        done = t->told;
        what = t->what;
        pthread_mutex_unlock(&t->lock);
        m->message.text[0] = 0;
        if (do_one(m, what) && !m->message.text[0])
            snprintf(m->message.text, sizeof m->message.text, "%s", ag_device_message(m->device));
        pthread_mutex_lock(&t->lock);
        t->busy--;
        pthread_cond_broadcast(&t->changed);
        pthread_mutex_unlock(&t->lock);
    }
    return NULL;
}

static void
wait_for_all(team *t)
{
    pthread_mutex_lock(&t->lock);
    while (t->busy)
        pthread_cond_wait(&t->changed, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void
run_team_wait(run *r)
{
    if (r->team)
        wait_for_all(r->team);
}

void
run_team_tell(run *r, int what)
{
    team *t = r->team;
    if (!t)
        return;
    wait_for_all(t);
    pthread_mutex_lock(&t->lock);
    t->what = what;
    t->busy = 0;
    for (int k = 0; k < t->size - 1; k++)
        t->busy += t->other[k].begun;
    t->told++;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

ag_comm *
run_comm(const run *r)
{
    return r->team ? r->team->comm[0] : ag_comm_self();
}

/* Who was the cause where the first device says `words`; NULL: that one. */
static const member *
cause(run *r, const char *words)
{
    static const char another[] = "another rank";
    if (!r->team || !strstr(words, another))
        return NULL;
    wait_for_all(r->team);
    for (int k = 0; k < r->team->size - 1; k++) {
        const member *m = &r->team->other[k];
        if (m->message.text[0] && !strstr(m->message.text, another))
            return m;
    }
    return NULL;
}

const char *
run_team_words(run *r, const char *words)
{
    const member *m = cause(r, words);
    return m ? m->message.text : words;
}

int
run_failed(run *r)
{
    const char *words = ag_device_message(r->device);
    const member *m = cause(r, words);
    return r->team ? cmd_fail(name, "%s: %s", ag_device_name(m ? m->device : r->device), m ? m->message.text : words)
                   : cmd_fail(name, "%s", words);
}

int
run_team_alike(run *r)
{
    const char *plan = ag_solver_plan(r->solver);
    run_team_wait(r);
    for (int k = 0; r->team && k < r->team->size - 1; k++) {
        const member *m = &r->team->other[k];
        if (strcmp(ag_solver_plan(m->solver), plan) != 0)
            return cmd_fail(name, "--checkpoint, --resume: found the plan \"%s\" on %s and \"%s\" on %s, expected the same on all devices",
                            plan, ag_device_name(r->device), ag_solver_plan(m->solver), ag_device_name(m->device));
    }
    return 0;
}

static int
open_one(const run *r, ag_device **device, const char *which)
{
    ag_message message;
    if (ag_device_open(device, which, &message))
        return cmd_fail(name, "%s", message.text);
    const ag_status fft = ag_device_fft(*device, r->fft, &message);
    if (fft)
        return fft == AG_BAD_ARGUMENT ? cmd_usage(name, "--%s", message.text) : cmd_fail(name, "--%s", message.text);
    return 0;
}

static team *
make(run *r, int size)
{
    ag_message message;
    team *t = calloc(1, sizeof *t);
    member *other = calloc((size_t)size, sizeof *other);
    if (!t || !other || ag_comm_threads(&t->comm, size, &message)) {
        cmd_fail(name, "--device: %s", t && other ? message.text : "out of host memory");
        free(t);
        free(other);
        return NULL;
    }
    t->run = r;
    t->size = size;
    t->other = other;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    for (int k = 0; k < size - 1; k++)
        other[k] = (member){.team = t, .comm = t->comm[k + 1]};
    return t;
}

int
run_devices(run *r)
{
    const char *list = r->device_name;
    int size = 1;
    size_t n = 0;
    for (const char *c = list; c && *c; c++)
        size += *c == ',';
    if (size > MOST)
        return cmd_usage(name, "--device: found %d devices, expected at most %d", size, MOST);
    if (size > 1 && !(r->team = make(r, size)))
        return 1;
    for (int k = 0; k < size; k++) {
        char one[128];
        const size_t length = list ? strcspn(list, ",") : 0;
        if (list && (!length || length >= sizeof one))
            return cmd_usage(name, "--device: found \"%.80s\", expected names with a comma between two of them", r->device_name);
        snprintf(one, sizeof one, "%.*s", (int)length, list ? list : "");
        ag_device **device = k ? &r->team->other[k - 1].device : &r->device;
        const int status = open_one(r, device, list ? one : NULL);
        if (status)
            return status;
        n += (size_t)snprintf(r->devices + n, sizeof r->devices - n, "%s%s", k ? "," : "", ag_device_name(*device));
        if (n >= sizeof r->devices)
            return cmd_usage(name, "--device: found more names than fit into %d characters", (int)sizeof r->devices);
        list = list ? list + length + 1 : NULL;
    }
    return 0;
}

ag_device *
run_device(const run *r, int k)
{
    const int size = r->team ? r->team->size : 1;
    return !k ? r->device : k < size ? r->team->other[k - 1].device : NULL;
}

int
run_team_begin(run *r)
{
    team *t = r->team;
    for (int k = 0; t && k < t->size - 1; k++) {
        member *m = &t->other[k];
        const int64_t pixels = ag_array_count(r->object), window = ag_array_count(r->probe);
        if (ag_array_create(&m->object, m->device, AG_COMPLEX, pixels) ||
            ag_array_create(&m->probe, m->device, AG_COMPLEX, window) ||
            ag_array_write(m->object, 0, pixels, r->object_host) || ag_array_write(m->probe, 0, window, r->probe_host))
            return cmd_fail(name, "%s: %s", ag_device_name(m->device), ag_device_message(m->device));
    }
    for (int k = 0; t && k < t->size - 1; k++) {
        if (pthread_create(&t->other[k].thread, NULL, work, &t->other[k]))
            return cmd_fail(name, "--device: the system has no thread for %s", ag_device_name(t->other[k].device));
        t->other[k].begun = 1;
    }
    return 0;
}

void
run_team_end(run *r)
{
    team *t = r->team;
    if (!t)
        return;
    run_team_tell(r, RUN_TEAM_END);
    for (int k = 0; k < t->size - 1; k++) {
        member *m = &t->other[k];
        if (m->begun)
            pthread_join(m->thread, NULL);
        ag_solver_destroy(m->solver);
        ag_array_destroy(m->object);
        ag_array_destroy(m->probe);
        ag_device_close(m->device);
    }
    ag_comm_threads_end(t->comm);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t->other);
    free(t);
    r->team = NULL;
}
