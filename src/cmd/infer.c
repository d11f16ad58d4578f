/* SPDX-License-Identifier: BSD-3-Clause */
/* infer.c -- `argand infer`: what a trained net makes of a scan, put together to one object. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer.h"

static const char name[] = "infer";

/* A device that has failed stays so: another try needs it opened again. */
static int
open_net(infer *r)
{
    ag_message message;
    for (;;) {
        ag_net_destroy(r->net);
        ag_device_close(r->device);
        r->net = NULL;
        r->device = NULL;
        if (ag_device_open(&r->device, r->device_name, &message))
            return cmd_fail(name, "%s", message.text);
        r->options.batch = r->batch;
        const ag_status status = ag_net_create(&r->net, r->device, r->model, &r->options, &message);
        if (!status)
            break;
        if (status != AG_NO_MEMORY || r->batch == 1)
            return cmd_fail(name, "%s", message.text);
        r->batch = r->batch ? r->batch / 2 : 8;
        fprintf(stderr, "argand %s: %s; going on with %lld samples at a time\n", name, message.text, (long long)r->batch);
    }
    r->info = ag_net_content(r->net);
    r->batch = r->info->batch;
    ag_net_profile(r->net, r->profile);
    return 0;
}

/* The patterns of samples first ... first + n - 1. */
static void
gather(const infer *r, int64_t first, int64_t n, ag_real *input)
{
    const int64_t area = r->rows * r->cols, patches = r->info->patches;
    for (int64_t i = 0; i < n * patches; i++)
        memcpy(input + i * area, r->pattern + r->group[first * patches + i] * area, (size_t)area * sizeof *input);
}

/* The patches of samples first ... first + n - 1, of which each gives the frame's own. */
static ag_status
run_batch(infer *r, int64_t first, int64_t n, ag_real *input, ag_real *answer[2])
{
    const int64_t area = r->rows * r->cols, patches = r->info->patches, answers = r->info->answers;
    gather(r, first, n, input);
    const ag_status status = ag_net_run(r->net, n, input, answer[0], answer[1]);
    for (int64_t j = 0; j < n && !status; j++) {
        /* A net with one answer for all patterns of a sample gives that. */
        const int64_t from = (j * answers + (answers == patches ? r->own[first + j] : 0)) * area, to = (first + j) * area;
        memcpy(r->amplitude + to, answer[0] + from, (size_t)area * sizeof *r->amplitude);
        memcpy(r->phase + to, answer[1] + from, (size_t)area * sizeof *r->phase);
    }
    return status;
}

/* How far the net is from itself in single precision: relative L2 of the first samples' patches. */
static int
compare_precisions(infer *r)
{
    const int64_t samples = r->frames < 4 ? r->frames : 4, patches = r->info->patches;
    const int64_t area = r->rows * r->cols, count = samples * r->info->answers * area;
    ag_net_options options = r->options;
    ag_message message;
    ag_net *single;
    options.precision = AG_FP32;
    options.batch = 1;
    ag_real *memory = calloc((size_t)(samples * patches * area + 4 * count), sizeof *memory);
    if (!memory)
        return cmd_fail(name, "no memory for %lld patches", (long long)(samples * patches));
    ag_real *answer[4];
    for (int k = 0; k < 4; k++)
        answer[k] = memory + samples * patches * area + k * count;
    gather(r, 0, samples, memory);
    ag_status status = ag_net_create(&single, r->device, r->model, &options, &message);
    if (!status) {
        status = ag_net_run(single, samples, memory, answer[0], answer[1]);
        ag_net_destroy(single);
    }
    if (!status)
        status = ag_net_run(r->net, samples, memory, answer[2], answer[3]);
    double difference = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        const ag_complex a = infer_polar(answer[0][i], answer[1][i]), b = infer_polar(answer[2][i], answer[3][i]);
        difference += pow((double)(a.re - b.re), 2) + pow((double)(a.im - b.im), 2);
        size += pow((double)a.re, 2) + pow((double)a.im, 2);
    }
    free(memory);
    if (status == AG_NO_MEMORY) {
        fprintf(stderr, "argand %s: %s; how far the net is from single precision is not known\n", name, message.text);
        return open_net(r);
    }
    if (status)
        return cmd_fail(name, "%s", ag_device_status(r->device) ? ag_device_message(r->device) : message.text);
    r->deviation = size > 0 ? sqrt(difference / size) : 0;
    ag_net_profile(r->net, r->profile);
    if (!r->quiet)
        fprintf(stderr, "%s: %.2e from single precision, relative L2 of the first %lld samples\n",
                infer_precisions[r->options.precision], r->deviation, (long long)samples);
    return 0;
}

static int
predict(infer *r)
{
    const int64_t area = r->rows * r->cols;
    const int terminal = isatty(2);
    int64_t present;
    int status = 0;
    r->amplitude = calloc((size_t)(r->frames * area), sizeof *r->amplitude);
    r->phase = calloc((size_t)(r->frames * area), sizeof *r->phase);
    ag_real *input = calloc((size_t)(r->batch * r->info->patches * area), sizeof *input), *answer[2];
    for (int k = 0; k < 2; k++)
        answer[k] = calloc((size_t)(r->batch * r->info->answers * area), sizeof *input);
    if (!r->amplitude || !r->phase || !input || !answer[0] || !answer[1])
        status = cmd_fail(name, "no memory for %lld patches of %lld x %lld", (long long)r->frames, (long long)r->rows,
                          (long long)r->cols);
    const double begin = cmd_seconds();
    for (int64_t first = 0, n; first < r->frames && !status; first += n) {
        n = r->frames - first < r->batch ? r->frames - first : r->batch;
        const ag_status bad = run_batch(r, first, n, input, answer);
        if (bad == AG_NO_MEMORY && r->batch > 1) {
            r->batch /= 2;
            fprintf(stderr, "%sargand %s: %s; going on with %lld samples at a time\n", terminal ? "\n" : "", name,
                    ag_device_message(r->device), (long long)r->batch);
            status = open_net(r);
            n = 0;
        } else if (bad) {
            status = cmd_fail(name, "%s", ag_device_message(r->device));
        }
        if (!r->quiet && !status)
            fprintf(stderr, terminal ? "\r%lld of %lld frames, %.1f a second " : "%lld of %lld frames, %.1f a second\n",
                    (long long)(first + n), (long long)r->frames, (double)(first + n) / (cmd_seconds() - begin + 1e-9));
    }
    if (terminal && !r->quiet)
        fputc('\n', stderr);
    r->seconds = cmd_seconds() - begin;
    ag_device_memory(r->device, &present, &r->peak);
    free(input);
    free(answer[0]);
    free(answer[1]);
    return status;
}

/* |probe|^2 of its middle, summed over its modes; NULL: none, or it does not fit. */
static ag_real *
probe_weight(const infer *r, int64_t trim)
{
    const ag_scan_info *scan = ag_scan_content(r->scan);
    if (r->uniform || !scan->probe || scan->rows != r->rows || scan->cols != r->cols)
        return NULL;
    const int64_t up = r->rows / 2 - trim / 2, left = r->cols / 2 - trim / 2;
    ag_real *weight = calloc((size_t)(trim * trim), sizeof *weight);
    for (int64_t i = 0; weight && i < scan->modes * trim * trim; i++) {
        const int64_t m = i / (trim * trim), at = i % (trim * trim);
        const ag_complex p = scan->probe[(m * r->rows + up + at / trim) * r->cols + left + at % trim];
        weight[at] += p.re * p.re + p.im * p.im;
    }
    return weight;
}

static int
assemble(infer *r)
{
    const int64_t area = r->rows * r->cols, least = r->rows < r->cols ? r->rows : r->cols;
    const int64_t trim = r->trim ? r->trim : least / 2;
    ag_message message;
    if (!r->placed) {
        if (!r->quiet)
            fprintf(stderr, "argand %s: warning: without positions the patches are not put together\n", name);
        return 0;
    }
    ag_complex *patch = calloc((size_t)(r->frames * area), sizeof *patch);
    ag_real *weight = NULL;
    if (!patch)
        return cmd_fail(name, "no memory for %lld patches", (long long)r->frames);
    for (int64_t i = 0; i < r->frames * area; i++)
        patch[i] = infer_polar(r->amplitude[i], r->phase[i]);
    r->assembly = (ag_assembly){.count = r->frames, .rows = r->rows, .cols = r->cols, .trim = trim, .patch = patch,
                                .position = r->position};
    int status = 0;
    if (ag_assembly_size(&r->assembly, &message)) {
        status = cmd_fail(name, "--trim: %s", message.text);
    } else {
        const int64_t pixels = r->assembly.canvas_rows * r->assembly.canvas_cols;
        r->assembly.weight = weight = probe_weight(r, trim);
        r->object = calloc((size_t)pixels, sizeof *r->object);
        r->weights = calloc((size_t)pixels, sizeof *r->weights);
        if (!r->object || !r->weights)
            status = cmd_fail(name, "no memory for an object of %lld x %lld", (long long)r->assembly.canvas_rows,
                              (long long)r->assembly.canvas_cols);
        else if (ag_assembly_run(&r->assembly, r->device, r->object, r->weights, &r->used))
            status = cmd_fail(name, "%s", ag_device_message(r->device));
    }
    r->assembly.patch = NULL;
    r->assembly.weight = NULL;
    free(patch);
    free(weight);
    return status;
}

static int
work(infer *r)
{
    int status = infer_places(r);
    if (!status)
        status = infer_open(r);
    if (status)
        return status;
    r->options.data_rows = ag_scan_content(r->scan)->rows;
    r->options.data_cols = ag_scan_content(r->scan)->cols;
    status = open_net(r);
    if (!status && !r->quiet)
        fprintf(stderr, "%s on %s, %lld at a time: %.1f MB of weights, %.1f MB of activations\n", r->info->architecture,
                ag_device_name(r->device), (long long)r->info->batch, (double)r->info->weight_bytes * 1e-6,
                (double)r->info->activation_bytes * 1e-6);
    if (!status)
        status = infer_prepare(r);
    if (!status && r->options.precision != AG_FP32)
        status = compare_precisions(r);
    if (!status)
        status = predict(r);
    if (!status)
        status = assemble(r);
    if (!status && r->output)
        status = infer_write(r);
    if (!status && r->png)
        status = infer_pictures(r);
    if (!status && r->profile)
        infer_profile(r);
    if (!status && r->json)
        status = infer_json(r);
    return status;
}

int
cmd_infer(int argc, char **argv)
{
    infer r = {.threshold = 3, .deviation = -1};
    ag_net_options_default(&r.options);
    ag_import_default(&r.input.import);
    r.input.import.frames_only = r.input.import.lazy = 1;
    int status = infer_parse(&r, argc, argv);
    if (!status)
        status = work(&r);
    ag_net_destroy(r.net);
    ag_device_close(r.device);
    ag_scan_destroy(r.scan);
    free(r.pattern);
    free(r.group);
    free(r.own);
    free(r.position);
    free(r.amplitude);
    free(r.phase);
    free(r.object);
    free(r.weights);
    return status < 0 ? 0 : status;
}
