/* SPDX-License-Identifier: BSD-3-Clause */
/* infer_report.c -- what `argand infer` leaves: the result, the report, the times, pictures. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "infer.h"

static const char name[] = "infer";
enum { STAGES = 256 };

int
infer_places(infer *r)
{
    const char *json = r->json && strcmp(r->json, "-") ? r->json : NULL;
    const char *const file[2] = {r->output, json}, *const option[2] = {"--output", "--json"};
    const char *const taken[2] = {r->model, r->output}, *const is[2] = {"the checkpoint", "the result"};
    char path[CMD_PATH];
    for (int i = 0; i < 2; i++) {
        if (file[i] && cmd_input_holds(&r->input, file[i]))
            return cmd_usage(name, "%s: found %s, which the scan is read from, expected another file", option[i], file[i]);
        for (int k = 0; file[i] && k < 1 + i; k++)
            if (taken[k] && cmd_same_file(file[i], taken[k]))
                return cmd_usage(name, "%s: found %s, which is %s, expected another file", option[i], file[i], is[k]);
    }
    for (int i = 0; i < 2; i++)
        if (file[i] && cmd_try_output(name, option[i], file[i], i))
            return 1;
    if (!r->png)
        return 0;
    r->png_made = mkdir(r->png, 0777) == 0;
    if (!r->png_made && errno != EEXIST)
        return cmd_fail(name, "--png: %s: the folder cannot be made: %s", r->png, strerror(errno));
    return cmd_picture_path(name, "--png", r->png, "patch_phase.png", path) || cmd_try_output(name, "--png", path, 0);
}

static json_t *
options_object(const infer *r)
{
    const ag_net_options *o = &r->options;
    return json_pack("{s:I s:s s:f s:s s:I s:s s:s s:b s:s s:b s:b s:I s:s s:o}", "batch_size", (json_int_t)r->batch, "precision",
                     infer_precisions[r->options.precision], "input_scale",
                     r->scale, "contract", infer_contracts[r->contract], "threshold",
                     (json_int_t)r->threshold, "transform", infer_transforms[o->transform], "padding", infer_paddings[o->padding], "logits",
                     o->logits, "amplitude", infer_amplitudes[o->sigmoid], "real_imaginary", o->real_imaginary, "small_probe",
                     o->small_probe, "trim", (json_int_t)r->assembly.trim, "weighting", infer_weightings[r->uniform], "input",
                     cmd_input_given());
}

int
infer_write(const infer *r)
{
    const ag_scan_info *scan = ag_scan_content(r->scan);
    ag_message message;
    json_t *object = options_object(r);
    char *options = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    if (!options)
        return cmd_fail(name, "%s: out of host memory", r->output);
    const ag_prediction p = {.frames = r->frames,
                             .rows = r->rows,
                             .cols = r->cols,
                             .amplitude = r->amplitude,
                             .phase = r->phase,
                             .position = r->position,
                             .object_rows = r->assembly.canvas_rows,
                             .object_cols = r->assembly.canvas_cols,
                             .object = r->object,
                             .weights = r->weights,
                             .origin = {r->assembly.origin[0], r->assembly.origin[1]},
                             .pixel = {scan->pixel[0], scan->pixel[1]},
                             .version = ag_version(),
                             .device = ag_device_name(r->device),
                             .architecture = r->info->architecture,
                             .model = r->model,
                             .source = cmd_input_name(&r->input),
                             .options = options,
                             .run_seconds = r->seconds};
    const ag_status status = ag_prediction_write(r->output, &p, &message);
    free(options);
    return status ? cmd_fail(name, "%s", message.text) : 0;
}

static json_t *
profile_object(const infer *r)
{
    ag_net_time time[STAGES];
    double total, sum = 0;
    const int64_t n = ag_net_times(r->net, STAGES, time, &total);
    json_t *stages = json_array();
    for (int64_t i = 0; i < n && i < STAGES; i++) {
        json_array_append_new(stages, json_pack("{s:s s:f s:f s:f s:f}", "stage", time[i].stage, "seconds", time[i].seconds, "conv",
                                                time[i].conv, "spectral", time[i].spectral, "other", time[i].other));
        sum += time[i].seconds;
    }
    return json_pack("{s:f s:f s:o}", "end_to_end", total, "sum", sum, "stages", stages);
}

int
infer_json(const infer *r)
{
    json_t *report = json_pack("{s:s s:s s:s s:s s:s s:I s:[I,I] s:I s:[I,I] s:I s:f s:f s:I s:I s:I s:o}", "program", "argand",
                               "version", ag_version(), "architecture", r->info->architecture, "model", r->model, "device",
                               ag_device_name(r->device), "frames", (json_int_t)r->frames, "frame", (json_int_t)r->rows,
                               (json_int_t)r->cols, "patches", (json_int_t)r->info->patches, "object",
                               (json_int_t)r->assembly.canvas_rows, (json_int_t)r->assembly.canvas_cols, "patches_used",
                               (json_int_t)r->used, "run_seconds", r->seconds, "frames_per_second",
                               r->seconds > 0 ? (double)r->frames / r->seconds : 0, "weight_bytes",
                               (json_int_t)r->info->weight_bytes, "activation_bytes", (json_int_t)r->info->activation_bytes,
                               "peak_device_bytes", (json_int_t)r->peak, "options", options_object(r));
    if (report && r->deviation >= 0)
        json_object_set_new(report, "deviation_from_fp32", json_real(r->deviation));
    if (report && r->profile)
        json_object_set_new(report, "profile", profile_object(r));
    return cmd_write_json(name, r->json, report);
}

void
infer_profile(const infer *r)
{
    ag_net_time time[STAGES];
    double total, sum[4] = {0};
    const int64_t n = ag_net_times(r->net, STAGES, time, &total);
    FILE *out = r->json && !strcmp(r->json, "-") ? stderr : stdout;
    fprintf(out, "%-18s %10s %10s %10s %10s %7s\n", "stage", "ms", "conv", "spectral", "other", "%");
    for (int64_t i = 0; i < n && i < STAGES; i++) {
        const double one[4] = {time[i].seconds, time[i].conv, time[i].spectral, time[i].other};
        fprintf(out, "%-18s", time[i].stage);
        for (int k = 0; k < 4; k++) {
            fprintf(out, " %10.3f", one[k] * 1e3);
            sum[k] += one[k];
        }
        fprintf(out, " %7.1f\n", total > 0 ? 100 * one[0] / total : 0);
    }
    fprintf(out, "%-18s %10.3f %10.3f %10.3f %10.3f %7.1f\n%-18s %10.3f\n", "sum", sum[0] * 1e3, sum[1] * 1e3, sum[2] * 1e3,
            sum[3] * 1e3, total > 0 ? 100 * sum[0] / total : 0, "end to end", total * 1e3);
}

ag_complex
infer_polar(ag_real amplitude, ag_real phase)
{
    const ag_complex z = {(ag_real)((double)amplitude * cos((double)phase)), (ag_real)((double)amplitude * sin((double)phase))};
    return z;
}

int
infer_pictures(const infer *r)
{
    const struct {
        const char *file;
        ag_picture kind;
        int patch;
    } picture[] = {{"object_amplitude.png", AG_AMPLITUDE, 0},
                   {"object_phase.png", AG_PHASE, 0},
                   {"patch_amplitude.png", AG_AMPLITUDE, 1},
                   {"patch_phase.png", AG_PHASE, 1}};
    const int64_t area = r->rows * r->cols;
    char path[CMD_PATH];
    ag_message message;
    int status = 0;
    ag_complex *patch = calloc((size_t)area, sizeof *patch);
    if (!patch)
        return cmd_fail(name, "--png: out of host memory");
    for (int64_t i = 0; i < area; i++)
        patch[i] = infer_polar(r->amplitude[i], r->phase[i]);
    for (size_t i = 0; i < sizeof picture / sizeof *picture && !status; i++) {
        const int whole = !picture[i].patch;
        if (whole && !r->object)
            continue;
        status = cmd_picture_path(name, "--png", r->png, picture[i].file, path);
        if (!status && ag_picture_write(path, picture[i].kind, whole ? r->assembly.canvas_rows : r->rows,
                                        whole ? r->assembly.canvas_cols : r->cols, whole ? r->object : patch,
                                        whole ? r->weights : NULL, &message))
            status = cmd_fail(name, "%s", message.text);
    }
    free(patch);
    return status;
}
