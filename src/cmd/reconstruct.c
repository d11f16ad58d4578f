/* SPDX-License-Identifier: BSD-3-Clause */
/* reconstruct.c -- `argand reconstruct`: from a scan to object and probe. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

static void
print_progress(const run *r, const ag_progress *p)
{
    /* Numbers are those of all stages, rates those since the solver paused. */
    const int64_t total = run_total(r), iteration = r->base + p->iteration;
    const double left = p->seconds / (double)p->iteration * (double)(total - iteration);
    const double frames = (double)ag_scan_content(r->scan)->frames * (double)p->iteration /
                          (p->seconds > 0 ? p->seconds : 1e-9);
    const double *curve[RUN_CURVES];
    char residuals[64] = "";
    const int64_t at = ag_solver_history(r->solver, &curve[RUN_ERROR], &curve[RUN_SECONDS]) - 1;
    ag_solver_residuals(r->solver, &curve[RUN_MODULUS], &curve[RUN_OVERLAP]);
    if (curve[RUN_MODULUS] && isfinite(curve[RUN_MODULUS][at]))
        snprintf(residuals, sizeof residuals, ", residuals %.5f %.5f", curve[RUN_MODULUS][at], curve[RUN_OVERLAP][at]);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%6lld/%lld  error %.5f%s  %.0f frames/s  %.0f s left   %s",
                (long long)iteration, (long long)total, p->error, residuals, frames, left,
                iteration == total ? "\n" : "");
    else if (iteration % (total / 10 + 1) == 0 || iteration == total)
        fprintf(stderr, "iteration %lld of %lld, error %.5f%s, %.0f frames/s\n", (long long)iteration,
                (long long)total, p->error, residuals, frames);
}

static int
report_progress(void *user, const ag_progress *p)
{
    run *r = user;
    if (!r->quiet)
        print_progress(r, p);
    return run_pauses(r, r->base + p->iteration);
}

/* Where positions are refined, the object gets a margin, and each stage begins where the one before ended. */
static int
free_positions(run *r)
{
    ag_message message;
    int first = 0;
    while (first < r->stages && r->stage[first].options.position_start < 0)
        first++;
    if (first == r->stages)
        return 0;
    const ag_scan_info *info = ag_scan_content(r->scan);
    const size_t bytes = (size_t)(2 * info->frames) * sizeof *r->position;
    if (ag_scan_widen(r->scan, RUN_POSITION_MARGIN, &message))
        return cmd_fail(name, "%s", message.text);
    r->position = malloc(bytes);
    r->begun = malloc(bytes);
    if (!r->position || !r->begun)
        return cmd_fail(name, "positions: out of host memory");
    memcpy(r->position, info->position, bytes);
    for (int k = first; k < r->stages; k++)
        r->stage[k].options.position = r->begun;
    return 0;
}

/* Room for what a stage finds of a probe that varies. */
static int
free_probes(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    int64_t most = 0;
    for (int k = 0; k < r->stages; k++)
        if (r->stage[k].options.opr_modes > most)
            most = r->stage[k].options.opr_modes;
    if (!most)
        return 0;
    r->eigen = calloc((size_t)(most * info->rows * info->cols), sizeof *r->eigen);
    r->eigen_weight = calloc((size_t)(info->frames * (most + 1)), sizeof *r->eigen_weight);
    return r->eigen && r->eigen_weight ? 0 : cmd_fail(name, "%s: out of host memory", r->scan_path);
}

/* Room for a background, if a stage estimates one. */
static int
free_background(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    for (int k = 0; k < r->stages && !r->background; k++)
        if (r->stage[k].options.background_start >= 0 &&
            !(r->background = calloc((size_t)(info->rows * info->cols), sizeof *r->background)))
            return cmd_fail(name, "%s: out of host memory", r->scan_path);
    return 0;
}

/* Plans of --wisdom for the devices; where it has none the usual one stays, and that is said. */
static int
take_wisdom(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t size[3] = {info->rows, info->cols, r->modes};
    ag_device *device;
    for (int k = 0; r->wisdom && (device = run_device(r, k)); k++) {
        int found = 0;
        const int status = cmd_wisdom_take(name, r->wisdom, r->plans, device, size, &found);
        if (status)
            return status;
        r->planned += found;
        if (!found && !r->quiet)
            fprintf(stderr, "argand %s: warning: %s: has no plan for %s (%s), frames of %lld x %lld and modes %lld; the usual one is taken\n",
                    name, r->wisdom, ag_device_name(device), ag_device_description(device), (long long)size[0], (long long)size[1],
                    (long long)size[2]);
    }
    return 0;
}

/* The image of --spectrum-from for all stages. */
static int
take_spectrum(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    ag_message message;
    if (!r->spectrum_from)
        return 0;
    r->spectrum = calloc((size_t)(info->rows * info->cols), sizeof *r->spectrum);
    if (!r->spectrum)
        return cmd_fail(name, "%s: out of host memory", r->spectrum_from);
    if (ag_picture_read(r->spectrum_from, info->rows, info->cols, r->spectrum, &message))
        return cmd_fail(name, "--spectrum-from: %s", message.text);
    for (int k = 0; k < r->stages; k++)
        r->stage[k].options.spectrum = r->spectrum;
    return 0;
}

/* Modes `given` of the start, of which some are taken and some must be made up. */
static int
take_modes(run *r, const ag_complex *probe, int64_t given)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t window = info->rows * info->cols, taken = given < r->modes ? given : r->modes;
    ag_message message;
    memmove(r->probe_host, probe, (size_t)(taken * window) * sizeof *r->probe_host);
    if (!r->quiet && taken < given)
        fprintf(stderr, "argand %s: warning: %lld of %lld probe modes are used\n", name, (long long)taken,
                (long long)given);
    return ag_probe_modes(r->probe_host, r->modes, taken, info->rows, info->cols, r->mode_share, &message)
               ? cmd_fail(name, "%s", message.text)
               : 0;
}

/* The start: what --start or the file holds, else an object of ones and a guessed probe. */
static int
begin(run *r, const ag_result *start)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = info->rows * info->cols;
    ag_message message;
    r->object_host = calloc((size_t)pixels, sizeof *r->object_host);
    r->probe_host = calloc((size_t)(r->modes * window), sizeof *r->probe_host);
    if (!r->object_host || !r->probe_host)
        return cmd_fail(name, "%s: out of host memory", r->scan_path);
    for (int64_t i = 0; i < pixels; i++)
        r->object_host[i].re = 1;
    if (r->resume)
        return 0; /* a checkpoint has both */
    if (start) {
        const int fits = start->object_rows == info->object_rows &&
                         start->object_cols == info->object_cols && start->rows == info->rows &&
                         start->cols == info->cols;
        if (!fits)
            return cmd_fail(name,
                     "%s: entry_1/object/data, entry_1/probe/data: found %lld x %lld and %lld x "
                     "%lld, expected "
                     "%lld x %lld and %lld x %lld",
                     r->start, (long long)start->object_rows, (long long)start->object_cols,
                     (long long)start->rows, (long long)start->cols, (long long)info->object_rows,
                     (long long)info->object_cols, (long long)info->rows, (long long)info->cols);
        memcpy(r->object_host, start->object, (size_t)pixels * sizeof *r->object_host);
        return take_modes(r, start->probe, start->modes);
    }
    if (info->probe)
        return take_modes(r, info->probe, info->modes);
    if (ag_probe_guess(r->scan, r->probe_host, &message))
        return cmd_fail(name, "%s", message.text);
    return take_modes(r, r->probe_host, 1);
}

static int
solve_stage(run *r)
{
    run_stage *stage = &r->stage[r->now];
    ag_status status;
    r->taken = 0;
    run_team_wait(r); /* for their positions */
    if (r->position)
        memcpy(r->begun, r->position, (size_t)(2 * ag_scan_content(r->scan)->frames) * sizeof *r->begun);
    run_team_tell(r, RUN_TEAM_CREATE);
    if (ag_solver_create(&r->solver, r->device, run_comm(r), r->scan, &stage->options, r->object, r->probe))
        return run_failed(r);
    if (((r->checkpoint || r->resume) && run_team_alike(r)) || (r->resume && run_resume_stage(r)))
        return 1;
    if (r->position)
        ag_solver_positions(r->solver, r->position);
    snprintf(r->plan, sizeof r->plan, "%s", ag_solver_plan(r->solver));
    if (run_stopped(r))
        return run_keep(r), 0;
    /* What all ranks do together, as to save, cannot begin within an iteration, where one may have failed. */
    do {
        r->base = r->done;
        run_team_tell(r, RUN_TEAM_RUN);
        run_profile_watch(r, 1);
        status = ag_solver_run(r->solver, stage->iterations - r->taken, report_progress, r);
        run_profile_watch(r, 0);
        if (status && status != AG_CANCELLED)
            return run_failed(r);
        if (run_collect(r))
            return 1;
        run_keep(r);
    } while (status == AG_CANCELLED && !r->signal && r->taken < stage->iterations);
    if (r->position)
        ag_solver_positions(r->solver, r->position);
    if (stage->options.opr_modes && ag_solver_opr(r->solver, r->eigen, r->eigen_weight))
        return run_failed(r);
    return stage->options.background_start >= 0 && ag_solver_background(r->solver, r->background) ? run_failed(r) : 0;
}

static int
solve(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = r->modes * info->rows * info->cols;
    int64_t now;
    if (ag_array_create(&r->object, r->device, AG_COMPLEX, pixels) ||
        ag_array_create(&r->probe, r->device, AG_COMPLEX, window) ||
        ag_array_write(r->object, 0, pixels, r->object_host) ||
        ag_array_write(r->probe, 0, window, r->probe_host))
        return cmd_fail(name, "%s", ag_device_message(r->device));
    int status = run_memory(r) || run_team_begin(r);
    run_watch(r);
    while (!status && !(status = solve_stage(r)) && !r->signal && r->now < r->stages - 1) {
        ag_solver_destroy(r->solver);
        r->solver = NULL;
        r->now++;
    }
    if (!status)
        run_team_tell(r, RUN_TEAM_MEASURE);
    if (!status && ag_solver_measure(r->solver, &r->quality))
        status = run_failed(r);
    run_team_end(r);
    if (!status)
        status = run_fetch(r);
    ag_device_memory(r->device, &now, &r->peak);
    /* What is on the device is needed no more when the outcome is written. */
    ag_solver_destroy(r->solver);
    ag_array_destroy(r->object);
    ag_array_destroy(r->probe);
    r->solver = NULL;
    r->object = r->probe = NULL;
    return status;
}

static int
work(run *r)
{
    char algorithm[RUN_PATH];
    ag_message message;
    ag_result *start = NULL;
    int status = run_places(r);
    run_lean();
    if (!status && r->wisdom)
        status = cmd_wisdom_read(name, r->wisdom, &r->plans);
    if (status)
        return status;
    status = run_devices(r);
    if (status)
        return status;
    if (ag_scan_open(&r->scan, &r->input.import, &message))
        return cmd_fail(name, "%s", message.text);
    if (!r->quiet)
        cmd_input_warnings(name, r->scan);
    status = cmd_orient(name, &r->input, r->device, r->quiet, r->scan, &r->orientation);
    if (!status && r->start && ag_result_read(&start, r->start, &message))
        status = cmd_fail(name, "%s", message.text);
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t given = start ? start->modes : info->probe ? info->modes : 1;
    if (!r->modes)
        r->modes = given < RUN_MODES ? given : RUN_MODES;
    for (int k = 0; k < r->stages; k++)
        r->stage[k].options.modes = r->modes;
    if (!status)
        status = take_wisdom(r);
    if (!status)
        status = free_positions(r);
    if (!status)
        status = run_resume(r);
    if (!status)
        status = free_probes(r) || free_background(r);
    if (!status)
        status = take_spectrum(r);
    if (!status)
        status = begin(r, start);
    ag_result_destroy(start);
    if (!status)
        status = solve(r);
    if (r->signal)
        fprintf(stderr, "argand %s: stopped by %s after %lld of %lld iterations\n", name,
                r->signal == SIGINT ? "SIGINT" : "SIGTERM", (long long)r->done, (long long)run_total(r));
    if (!status && r->output)
        status = run_result(r);
    if (!status && r->png)
        status = run_pictures(r, "--png", r->png);
    if (!status && r->json)
        status = run_json(r);
    if (!status && r->profile)
        run_profile_table(r, r->json && !strcmp(r->json, "-") ? stderr : stdout);
    if (!status && !r->quiet)
        fprintf(stderr, "%s, %s: relative_l2 %.5f, r_factor %.5f, %.2f s\n", run_algorithm(r, algorithm),
                r->devices, r->quality.relative_l2, r->quality.r_factor, r->seconds);
    if (!status && r->unsaved)
        status = 1; /* the last checkpoint or preview, which has been told */
    return !status && r->signal ? 128 + r->signal : status;
}

int
cmd_reconstruct(int argc, char **argv)
{
    run r;
    memset(&r, 0, sizeof r);
    int status = run_parse(&r, argc, argv);
    if (!status)
        status = work(&r);
    if (status && r.png_made)
        rmdir(r.png); /* unless there are pictures in it */
    if (status && r.preview_made)
        rmdir(r.preview);
    run_team_end(&r);
    ag_solver_destroy(r.solver);
    ag_array_destroy(r.object);
    ag_array_destroy(r.probe);
    ag_device_close(r.device);
    ag_scan_destroy(r.scan);
    free(r.position);
    free(r.begun);
    free(r.spectrum);
    free(r.eigen);
    free(r.eigen_weight);
    free(r.background);
    free(r.object_host);
    free(r.probe_host);
    for (int k = 0; k < RUN_CURVES; k++)
        free(r.curve[k]);
    free(r.chain);
    json_decref(r.plans);
    free(r.profile);
    return status < 0 ? 0 : status;
}
