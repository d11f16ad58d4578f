/* SPDX-License-Identifier: BSD-3-Clause */
/* outcome.c -- what a reconstruction leaves: where it goes, the result file, the report. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

static char *
options_text(const run *r)
{
    json_t *object = run_options_json(r);
    char *text = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    return text;
}

int
run_places(run *r)
{
    const char *json = r->json && strcmp(r->json, "-") ? r->json : NULL;
    const struct {
        const char *option, *path;
        int special;
        const char *taken[4], *is[4]; /* what must not be overwritten */
    } file[] = {
        {"--output",
         r->output,
         0,
         {r->scan_path, r->resume, r->wisdom},
         {"the scan", "the checkpoint to resume", "the wisdom"}},
        {"--json",
         json,
         1,
         {r->scan_path, r->output, r->start, r->wisdom},
         {"the scan", "the result", "the start", "the wisdom"}},
        {"--checkpoint",
         r->checkpoint,
         0,
         {r->scan_path, r->output, json, r->wisdom},
         {"the scan", "the result", "the report", "the wisdom"}},
    };
    const struct {
        const char *option, *path;
        int *made;
    } folder[] = {{"--png", r->png, &r->png_made}, {"--preview", r->preview, &r->preview_made}};
    char path[RUN_PATH];
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        for (size_t k = 0; file[i].path && k < 4; k++)
            if (file[i].taken[k] && cmd_same_file(file[i].path, file[i].taken[k]))
                return cmd_usage(name, "%s: found %s, which is %s, expected another file",
                                 file[i].option, file[i].path, file[i].is[k]);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (file[i].path && cmd_input_holds(&r->input, file[i].path))
            return cmd_usage(name, "%s: found %s, which the scan is read from, expected another file",
                             file[i].option, file[i].path);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (file[i].path && cmd_try_output(name, file[i].option, file[i].path, file[i].special))
            return 1;
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        const char *option = folder[i].option;
        if (!folder[i].path)
            continue;
        *folder[i].made = mkdir(folder[i].path, 0777) == 0;
        if (!*folder[i].made && errno != EEXIST)
            return cmd_fail(name, "%s: %s: the folder cannot be made: %s", option, folder[i].path, strerror(errno));
        if (cmd_picture_path(name, option, folder[i].path, "object_phase.png", path) ||
            cmd_try_output(name, option, path, 0))
            return 1;
    }
    return 0;
}

static int
has_residuals(const run *r)
{
    int has = 0;
    for (int k = 0; k < r->stages; k++)
        has = has || r->stage[k].options.residuals;
    return has;
}

int
run_result(const run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    ag_message message;
    char *options = options_text(r);
    if (!options)
        return cmd_fail(name, "%s: out of host memory", r->output);
    const ag_result result = {.layers = 1,
                              .object_rows = info->object_rows,
                              .object_cols = info->object_cols,
                              .object = r->object_host,
                              .modes = r->modes,
                              .rows = info->rows,
                              .cols = info->cols,
                              .probe = r->probe_host,
                              .power = r->power,
                              .opr_modes = r->stage[r->now].options.opr_modes,
                              .eigen = r->eigen,
                              .eigen_weight = r->eigen_weight,
                              .background = r->stage[r->now].options.background_start < 0 ? NULL : r->background,
                              .frames = info->frames,
                              .corner = r->position ? r->position : info->position,
                              .valid = info->valid,
                              .wavelength = info->wavelength,
                              .geometry = info->geometry,
                              .distance = info->distance,
                              .focus_distance = info->focus_distance,
                              .pixel = {info->pixel[0], info->pixel[1]},
                              .detector_pixel = {info->detector_pixel[0], info->detector_pixel[1]},
                              .iterations = r->done,
                              .error = r->curve[RUN_ERROR],
                              .seconds = r->curve[RUN_SECONDS],
                              .modulus_residual = has_residuals(r) ? r->curve[RUN_MODULUS] : NULL,
                              .overlap_residual = has_residuals(r) ? r->curve[RUN_OVERLAP] : NULL,
                              .quality = r->quality,
                              .version = ag_version(),
                              .device = r->devices,
                              .plan = r->plan,
                              .source = r->scan_path,
                              .options = options,
                              .seed = r->stage[0].options.seed,
                              .run_seconds = r->seconds};
    const ag_status status = ag_result_write(r->output, &result, &message);
    free(options);
    return status ? cmd_fail(name, "%s", message.text) : 0;
}

int
run_json(const run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const double visits = (double)r->done * (double)info->frames;
    char algorithm[RUN_PATH];
    int64_t now, peak;
    run_host_memory(&now, &peak);
    json_t *powers = json_array();
    for (int64_t k = 0; k < r->modes; k++)
        json_array_append_new(powers, json_real(r->power[k]));
    json_t *report = json_pack(
        "{s:s s:s s:s s:s s:s s:I s:I s:[I,I] s:I s:o s:o s:o s:f s:f s:f s:f s:f s:I s:I s:{s:I s:I s:I} s:i s:o}",
        "program", "argand", "version", ag_version(), "algorithm", run_algorithm(r, algorithm), "device",
        r->devices, "plan", r->plan, "iterations",
        (json_int_t)r->done, "positions", (json_int_t)info->frames, "frame", (json_int_t)info->rows,
        (json_int_t)info->cols, "modes", (json_int_t)r->modes, "mode_powers", powers, "seconds",
        run_curve_json(r, RUN_SECONDS, r->done), "error", run_curve_json(r, RUN_ERROR, r->done), "relative_l2",
        r->quality.relative_l2, "r_factor", r->quality.r_factor, "run_seconds", r->seconds,
        "frames_per_second", r->seconds > 0 ? visits / r->seconds : 0, "ns_per_pixel",
        visits > 0 ? r->seconds * 1e9 / (visits * (double)(info->rows * info->cols)) : 0,
        "peak_device_bytes", (json_int_t)r->peak, "peak_host_bytes",
        (json_int_t)peak, "estimate", "device_bytes", (json_int_t)r->need.device, "host_bytes",
        (json_int_t)r->need.host, "file_bytes", (json_int_t)r->need.file, "signal", r->signal, "options", run_options_json(r));
    for (int k = RUN_MODULUS; report && k < RUN_CURVES && has_residuals(r); k++)
        json_object_set_new(report, run_curve_name[k], run_curve_json(r, k, r->done));
    if (report && r->wisdom)
        json_object_set_new(report, "wisdom", json_pack("{s:s s:i}", "file", r->wisdom, "devices_with_a_plan", r->planned));
    if (report && r->profile && json_object_set_new(report, "profile", run_profile_object(r))) {
        json_decref(report);
        report = NULL;
    }
    return cmd_write_json(name, r->json, report);
}
