/* SPDX-License-Identifier: BSD-3-Clause */
/* outcome.c -- what a reconstruction leaves: the result file, the report, the pictures. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

static json_t *
options_object(const run *r)
{
    static const char *const subpixel[] = {"fourier", "linear", "none"};
    const ag_options *o = &r->options;
    return json_pack("{s:s s:I s:I s:f s:f s:f s:f s:I s:I s:f s:f s:f s:b s:b s:I s:s}", "algorithm", o->method,
                     "iterations", (json_int_t)r->iterations, "batch", (json_int_t)o->batch, "alpha", o->alpha,
                     "beta", o->beta, "object_step", o->object_step, "probe_step", o->probe_step, "probe_start",
                     (json_int_t)o->probe_start, "probe_period", (json_int_t)o->probe_period, "object_inertia",
                     o->object_inertia, "probe_inertia", o->probe_inertia, "modulus_guard", o->modulus_guard,
                     "clip_amplitudes", o->clip_amplitudes, "shuffle", o->shuffle, "seed", (json_int_t)o->seed,
                     "subpixel", subpixel[o->subpixel]);
}

char *
run_options(const run *r)
{
    json_t *object = options_object(r);
    char *text = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    return text;
}

int
run_result(const run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const double *error, *seconds;
    ag_message message;
    char *options = run_options(r);
    if (!options)
        return cmd_fail(name, "%s: out of host memory", r->output);
    const int64_t done = ag_solver_history(r->solver, &error, &seconds);
    const ag_result result = {
        .layers = 1, .object_rows = info->object_rows, .object_cols = info->object_cols,
        .object = r->object_host, .modes = 1, .rows = info->rows, .cols = info->cols, .probe = r->probe_host,
        .frames = info->frames, .corner = info->position, .valid = info->valid, .wavelength = info->wavelength,
        .distance = info->distance, .pixel = {info->pixel[0], info->pixel[1]},
        .detector_pixel = {info->detector_pixel[0], info->detector_pixel[1]}, .iterations = done, .error = error,
        .seconds = seconds, .quality = r->quality, .version = ag_version(), .device = ag_device_name(r->device),
        .plan = ag_solver_plan(r->solver), .source = r->scan_path, .options = options, .seed = r->options.seed,
        .run_seconds = r->seconds};
    const ag_status status = ag_result_write(r->output, &result, &message);
    free(options);
    return status ? cmd_fail(name, "%s", message.text) : 0;
}

int
run_pictures(const run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols;
    const double *error, *seconds;
    const int64_t done = ag_solver_history(r->solver, &error, &seconds);
    char path[4096];
    ag_message message;
    if (mkdir(r->png, 0777) && errno != EEXIST)
        return cmd_fail(name, "--png: folder %s cannot be made: %s", r->png, strerror(errno));
    /* Where the probe has been: pictures take their range from there. */
    ag_real *weight = calloc((size_t)pixels, sizeof *weight);
    if (!weight)
        return cmd_fail(name, "--png: out of host memory");
    for (int64_t j = 0; j < info->frames; j++)
        for (int64_t y = 0; y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++) {
                const ag_complex p = r->probe_host[y * info->cols + x];
                weight[((int64_t)info->position[2 * j] + y) * info->object_cols +
                       (int64_t)info->position[2 * j + 1] + x] += p.re * p.re + p.im * p.im;
            }
    const struct {
        const char *file;
        ag_picture kind;
        int probe;
    } picture[] = {{"object_amplitude.png", AG_AMPLITUDE, 0},
                   {"object_phase.png", AG_PHASE, 0},
                   {"probe.png", AG_HUE, 1}};
    ag_status status = AG_OK;
    for (size_t i = 0; i < sizeof picture / sizeof *picture && !status; i++) {
        if (snprintf(path, sizeof path, "%s/%s", r->png, picture[i].file) >= (int)sizeof path)
            status = AG_BAD_ARGUMENT;
        else if (picture[i].probe)
            status = ag_picture_write(path, picture[i].kind, info->rows, info->cols, r->probe_host, NULL, &message);
        else
            status = ag_picture_write(path, picture[i].kind, info->object_rows, info->object_cols, r->object_host,
                                      weight, &message);
    }
    free(weight);
    int positive = 0;
    for (int64_t i = 0; i < done; i++)
        positive = positive || error[i] > 0;
    if (!status && positive && snprintf(path, sizeof path, "%s/error.png", r->png) < (int)sizeof path)
        status = ag_curve_write(path, done, error, &message);
    return status ? cmd_fail(name, "%s", status == AG_BAD_ARGUMENT ? "--png: the path is too long" : message.text) : 0;
}

int
run_json(const run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const double *error, *seconds;
    const int64_t done = ag_solver_history(r->solver, &error, &seconds);
    const double visits = (double)done * (double)info->frames;
    int64_t now, peak;
    struct rusage usage;
    ag_device_memory(r->device, &now, &peak);
    getrusage(RUSAGE_SELF, &usage);
    json_t *curve = json_array(), *times = json_array();
    for (int64_t i = 0; i < done; i++) {
        json_array_append_new(curve, json_real(error[i]));
        json_array_append_new(times, json_real(seconds[i]));
    }
    json_t *report = json_pack(
        "{s:s s:s s:s s:s s:s s:I s:I s:[I,I] s:i s:o s:o s:f s:f s:f s:f s:f s:I s:I s:o}", "program", "argand",
        "version", ag_version(), "algorithm", r->options.method, "device", ag_device_name(r->device), "plan",
        ag_solver_plan(r->solver), "iterations", (json_int_t)done, "positions", (json_int_t)info->frames, "frame",
        (json_int_t)info->rows, (json_int_t)info->cols, "modes", 1, "seconds", times, "error", curve,
        "relative_l2", r->quality.relative_l2, "r_factor", r->quality.r_factor, "run_seconds", r->seconds,
        "frames_per_second", r->seconds > 0 ? visits / r->seconds : 0, "ns_per_pixel",
        visits > 0 ? r->seconds * 1e9 / (visits * (double)(info->rows * info->cols)) : 0, "peak_device_bytes",
        (json_int_t)peak, "peak_host_bytes", (json_int_t)usage.ru_maxrss * 1024, "options", options_object(r));
    if (!report)
        return cmd_fail(name, "--json: out of host memory");
    int failed = 0;
    if (!strcmp(r->json, "-")) {
        failed = json_dumpf(report, stdout, JSON_INDENT(1)) || putchar('\n') < 0;
    } else {
        char temporary[4096];
        failed = snprintf(temporary, sizeof temporary, "%s.part", r->json) >= (int)sizeof temporary ||
                 json_dump_file(report, temporary, JSON_INDENT(1)) || rename(temporary, r->json);
        if (failed)
            remove(temporary);
    }
    json_decref(report);
    return failed ? cmd_fail(name, "--json: %s cannot be written: %s", r->json, strerror(errno)) : 0;
}
