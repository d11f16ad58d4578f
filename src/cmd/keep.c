/* SPDX-License-Identifier: BSD-3-Clause */
/* keep.c -- what a long run leaves on its way: checkpoints, pictures; how it is stopped and resumed.

   The first SIGINT or SIGTERM stops the run after the iteration at work, the second ends the program
   at once, as signals do.  */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";
static volatile sig_atomic_t caught;

static void
catch (int number)
{
    caught = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void
run_watch(run *r)
{
    static const int number[] = {SIGINT, SIGTERM};
    r->saved_at = r->done;
    r->saved_seconds = cmd_seconds();
    for (int i = 0; i < 2; i++) {
        struct sigaction old, action;
        memset(&action, 0, sizeof action);
        action.sa_handler = catch;
        action.sa_flags = SA_RESTART;
        /* What the caller has told us to ignore, as nohup and & do, stays ignored. */
        if (!sigaction(number[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(number[i], &action, NULL);
    }
}

int
run_stopped(run *r)
{
    r->signal = caught;
    return r->signal != 0;
}

/* ---- history and state of all stages ------------------------------------------------------------- */

const char *const run_curve_name[RUN_CURVES] = {"error", "seconds", "modulus_residual", "overlap_residual"};

int
run_collect(run *r)
{
    const double *curve[RUN_CURVES];
    const int64_t n = ag_solver_history(r->solver, &curve[RUN_ERROR], &curve[RUN_SECONDS]), room = r->done + n - r->taken;
    ag_solver_residuals(r->solver, &curve[RUN_MODULUS], &curve[RUN_OVERLAP]);
    for (int k = 0; k < RUN_CURVES; k++) {
        double *more = realloc(r->curve[k], (size_t)(room + 1) * sizeof *more);
        if (!more)
            return cmd_fail(name, "history: out of host memory");
        r->curve[k] = more;
        for (int64_t i = r->taken; i < n; i++)
            more[r->done + i - r->taken] = curve[k] ? curve[k][i] : (double)NAN;
    }
    for (int64_t i = r->done; i < room; i++)
        r->seconds += r->curve[RUN_SECONDS][i];
    r->done = room;
    r->taken = n;
    return 0;
}

int
run_fetch(run *r)
{
    ag_message message;
    if (ag_array_read(r->object, 0, ag_array_count(r->object), r->object_host) ||
        ag_array_read(r->probe, 0, ag_array_count(r->probe), r->probe_host))
        return cmd_fail(name, "%s", ag_device_message(r->device));
    const int64_t window = ag_array_count(r->probe) / r->modes, together = r->stage[r->now].options.opr_modes ? 1 : r->modes;
    for (int64_t k = 0; k < r->modes; k += together)
        if (ag_probe_orthogonalise(r->probe_host + k * window, together, window, r->power + k, &message))
            return cmd_fail(name, "%s", message.text);
    return 0;
}

json_t *
run_curve_json(const run *r, int k, int64_t count)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++)
        json_array_append_new(list, isnan(r->curve[k][i]) ? json_null() : json_real(r->curve[k][i]));
    return list;
}

/* The stages done, what they left of history, and where positions were then; the stage at work is in the solver's hands. */
static char *
note_of(const run *r)
{
    json_t *chain = json_array();
    for (int k = 0; k < r->now; k++)
        json_array_append_new(chain, run_stage_json(&r->stage[k]));
    const int64_t places = r->position && r->now ? 2 * ag_scan_content(r->scan)->frames : 0;
    json_t *position = json_array();
    for (int64_t i = 0; i < places; i++)
        json_array_append_new(position, json_real(r->begun[i]));
    json_t *note = json_pack("{s:o s:o}", "stages_done", chain, "positions", position);
    for (int k = 0; note && k < RUN_CURVES; k++)
        json_object_set_new(note, run_curve_name[k], run_curve_json(r, k, r->done - r->taken));
    char *text = note ? json_dumps(note, JSON_COMPACT) : NULL;
    json_decref(note);
    return text;
}

static int
save(run *r)
{
    ag_message message;
    char *note = note_of(r);
    if (!note)
        return cmd_fail(name, "--checkpoint: out of host memory");
    run_team_tell(r, RUN_TEAM_SAVE);
    const int bad = ag_solver_save(r->solver, r->checkpoint, note, &message) != AG_OK;
    if (bad)
        cmd_fail(name, "--checkpoint: %s", run_team_words(r, message.text));
    free(note);
    return bad;
}

/* Whether `note` is of a run that this one can go on from; takes its history. */
static int
take_note(run *r, const json_t *note)
{
    const json_t *chain = json_object_get(note, "stages_done"), *curve[RUN_CURVES];
    int fits = json_is_array(chain);
    for (int k = 0; k < RUN_CURVES; k++) {
        curve[k] = json_object_get(note, run_curve_name[k]);
        fits = fits && json_is_array(curve[k]) && json_array_size(curve[k]) == json_array_size(curve[0]);
    }
    const size_t stages = json_array_size(chain), n = json_array_size(curve[0]);
    if (!fits)
        return cmd_fail(name, "%s: checkpoint/note: found other words than expected", r->resume);
    if (stages >= (size_t)r->stages)
        return cmd_fail(name, "%s: checkpoint/note: found a run in its stage %d, expected one of %d in all", r->resume,
                        (int)stages + 1, r->stages);
    for (size_t k = 0; k < stages; k++) {
        json_t *mine = run_stage_json(&r->stage[k]);
        const int same = json_equal(mine, json_array_get(chain, k));
        json_decref(mine);
        if (!same)
            return cmd_fail(name, "%s: checkpoint/note: its stage %d had other options or iterations", r->resume,
                            (int)k + 1);
    }
    int64_t before = 0;
    for (size_t k = 0; k < stages; k++)
        before += r->stage[k].iterations;
    if ((int64_t)n != before)
        return cmd_fail(name, "%s: checkpoint/note: found %lld errors, expected %lld", r->resume, (long long)n,
                        (long long)before);
    const json_t *position = json_object_get(note, "positions");
    const size_t places = r->position && stages ? (size_t)(2 * ag_scan_content(r->scan)->frames) : 0;
    if (!json_is_array(position) || json_array_size(position) != places)
        return cmd_fail(name, "%s: checkpoint/note: found %lld coordinates of positions, expected %lld", r->resume,
                        (long long)json_array_size(position), (long long)places);
    for (size_t i = 0; i < places; i++)
        r->position[i] = json_number_value(json_array_get(position, i));
    r->now = (int)stages;
    for (int k = 0; k < RUN_CURVES; k++) {
        r->curve[k] = calloc(n + 1, sizeof **r->curve);
        if (!r->curve[k])
            return cmd_fail(name, "history: out of host memory");
        for (size_t i = 0; i < n; i++) {
            const json_t *value = json_array_get(curve[k], i);
            r->curve[k][i] = json_is_null(value) ? (double)NAN : json_number_value(value);
        }
    }
    for (size_t i = 0; i < n; i++)
        r->seconds += r->curve[RUN_SECONDS][i];
    r->done = (int64_t)n;
    return 0;
}

int
run_resume(run *r)
{
    ag_message message;
    char *text;
    if (!r->resume)
        return 0;
    if (!*r->resume && access(r->checkpoint, F_OK) && errno == ENOENT) {
        r->resume = NULL;
        if (!r->quiet)
            fprintf(stderr, "argand %s: %s: there is none yet, the run begins\n", name, r->checkpoint);
        return 0;
    }
    if (!*r->resume)
        r->resume = r->checkpoint;
    if (ag_checkpoint_note(&text, r->resume, &message))
        return cmd_fail(name, "--resume: %s", message.text);
    json_t *note = json_loads(text, 0, NULL);
    const int status = take_note(r, note);
    json_decref(note);
    free(text);
    return status;
}

int
run_resume_stage(run *r)
{
    ag_message message;
    const double *error, *each;
    run_team_tell(r, RUN_TEAM_LOAD);
    if (ag_solver_load(r->solver, r->resume, &message))
        return cmd_fail(name, "--resume: %s", run_team_words(r, message.text));
    const int64_t n = ag_solver_history(r->solver, &error, &each), most = r->stage[r->now].iterations;
    if (n > most)
        return cmd_fail(name, "%s: checkpoint/iterations: found %lld done in stage %d, expected at most %lld", r->resume,
                        (long long)n, r->now + 1, (long long)most);
    r->resume = NULL;
    if (run_collect(r))
        return 1;
    r->saved_at = r->done;
    if (!r->quiet)
        fprintf(stderr, "argand %s: resumed after %lld of %lld iterations\n", name, (long long)r->done,
                (long long)run_total(r));
    return 0;
}

/* ---- on the way ---------------------------------------------------------------------------------- */

static int
is_due(const run *r, int64_t done)
{
    return (r->checkpoint || r->preview) && (r->every ? done - r->saved_at >= r->every
                                                      : cmd_seconds() - r->saved_seconds >= r->every_seconds);
}

int
run_pauses(run *r, int64_t done)
{
    return run_stopped(r) || is_due(r, done);
}

void
run_keep(run *r)
{
    const int stop = run_stopped(r), ends = r->done == run_total(r) && r->done > r->saved_at;
    if (!stop && !ends && !is_due(r, r->done))
        return;
    r->unsaved = r->checkpoint && save(r);
    if (r->preview && !stop)
        r->unsaved |= run_fetch(r) || run_pictures(r, "--preview", r->preview);
    r->saved_at = r->done;
    r->saved_seconds = cmd_seconds();
}
