/* SPDX-License-Identifier: BSD-3-Clause */
/* run.c -- a net's passes: input, layers, answer; stages for the tests; times. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

/* ---- running --------------------------------------------------------------------------------- */

/* One pattern: scale, then transform. */
static void
transform(const ag_net *net, ag_real *to, const ag_real *from, int64_t count)
{
    const double scale = net->options.scale;
    double mean = 0, variance = 0;
    switch (net->options.transform) {
    case AG_INPUT_SQRT:
        for (int64_t i = 0; i < count; i++)
            to[i] = (ag_real)sqrt(fmax(scale * (double)from[i], 0));
        break;
    case AG_INPUT_LOG1P:
        for (int64_t i = 0; i < count; i++)
            to[i] = (ag_real)log1p(fmax(scale * (double)from[i], 0));
        break;
    case AG_INPUT_NORM:
        for (int64_t i = 0; i < count; i++)
            mean += scale * (double)from[i] / (double)count;
        for (int64_t i = 0; i < count; i++)
            variance += (scale * (double)from[i] - mean) * (scale * (double)from[i] - mean) / (double)count;
        for (int64_t i = 0; i < count; i++)
            to[i] = (ag_real)((scale * (double)from[i] - mean) / sqrt(variance + 1e-6));
        break;
    default:
        for (int64_t i = 0; i < count; i++)
            to[i] = (ag_real)scale * from[i];
    }
}

static void
run_layers(ag_net *net, int64_t samples)
{
    double before = net->profile ? ag_device_seconds(net->device) : 0;
    for (int i = 0; i < net->layers; i++) {
        ag_layer *layer = &net->layer[i];
        ag_step(net->device, layer->stage);
        layer->operation->forward(net, layer, samples);
        if (net->profile) {
            const double now = ag_device_seconds(net->device);
            layer->seconds += now - before;
            before = now;
        }
    }
    ag_step(net->device, "output");
}

/* The planes as they leave the net, or (`polar') modulus and phase of them. */
static ag_status
run(ag_net *net, int64_t samples, const ag_real *input, ag_real *first, ag_real *second, int polar)
{
    const int64_t pattern = net->info.rows * net->info.cols, sample = net->info.patches * pattern;
    const int64_t answer = net->info.answers * pattern;
    const double begin = net->profile ? ag_device_seconds(net->device) : 0;
    for (int64_t at = 0, n; at < samples && !ag_device_status(net->device); at += n) {
        n = AG_MIN(samples - at, net->together);
        const double start = net->profile ? ag_device_seconds(net->device) : 0;
        for (int64_t i = 0; i < n * net->info.patches; i++)
            transform(net, net->host + i * pattern, input + at * sample + i * pattern, pattern);
        ag_array planes = ag_net_at(net, net->input);
        ag_array_write(&planes, 0, n * sample, net->host);
        if (net->profile)
            net->input_seconds += ag_device_seconds(net->device) - start;
        run_layers(net, n);
        const double end = net->profile ? ag_device_seconds(net->device) : 0;
        if (polar) {
            ag_array re = ag_net_at(net, net->planes[0]), im = ag_net_at(net, net->planes[1]);
            ag_run_polar(net->program, n * answer, &re, &im);
        }
        for (int k = 0; k < 2; k++) {
            ag_real *to = k ? second : first;
            if (!to || net->planes[k] < 0)
                continue;
            const ag_array plane = ag_net_at(net, net->planes[k]);
            ag_array_read(&plane, 0, n * answer, to + at * answer);
        }
        if (net->profile)
            net->output_seconds += ag_device_seconds(net->device) - end;
    }
    if (net->profile)
        net->run_seconds += ag_device_seconds(net->device) - begin;
    return ag_device_status(net->device);
}

ag_status
ag_net_planes(ag_net *net, int64_t samples, const ag_real *input, ag_real *first, ag_real *second)
{
    return run(net, samples, input, first, second, 0);
}

ag_status
ag_net_run(ag_net *net, int64_t samples, const ag_real *input, ag_real *amplitude, ag_real *phase)
{
    if (samples < 0 || !input || !amplitude || !phase)
        return ag_device_fail(net->device, AG_BAD_ARGUMENT, "net: found %lld samples and %s, expected 0 or more and three arrays",
                              (long long)samples, input && amplitude && phase ? "three arrays" : "NULL");
    const int64_t count = samples * net->info.answers * net->info.rows * net->info.cols;
    const ag_status status = run(net, samples, input, amplitude, phase, net->cartesian);
    for (int64_t i = 0; i < count && !status && net->planes[0] < 0; i++)
        amplitude[i] = 1;
    return status;
}

ag_real *
ag_net_stage(ag_net *net, const char *name, int64_t samples, int64_t shape[3])
{
    for (int v = 0; v < net->values; v++) {
        const ag_net_value *value = &net->value[v];
        if (strcmp(value->stage, name))
            continue;
        const int64_t area = (int64_t)value->height * value->width, blocks = (value->channels + AG_BLOCK - 1) / AG_BLOCK;
        const int64_t reals = ag_net_reals(net, samples * blocks * AG_BLOCK * area);
        ag_real *whole = ag_calloc(reals, sizeof *whole);
        ag_real *plane = ag_calloc(samples * value->channels * area, sizeof *plane);
        const ag_array array = ag_net_at(net, v);
        if (whole && plane && !ag_array_read(&array, 0, reals, whole))
            for (int64_t i = 0; i < samples * value->channels * area; i++) {
                const int64_t n = i / area / value->channels, c = i / area % value->channels;
                const int64_t at = ((n * blocks + c / AG_BLOCK) * area + i % area) * AG_BLOCK + c % AG_BLOCK;
                uint16_t bits;
                memcpy(&bits, (const char *)whole + (net->options.precision ? 2 * at : 0), sizeof bits);
                plane[i] = net->options.precision ? ag_widen(net->options.precision, bits) : whole[at];
            }
        free(whole);
        shape[0] = value->channels;
        shape[1] = value->height;
        shape[2] = value->width;
        return plane;
    }
    return NULL;
}

/* ---- times ----------------------------------------------------------------------------------- */

void
ag_net_profile(ag_net *net, int on)
{
    net->profile = on;
    net->run_seconds = net->input_seconds = net->output_seconds = 0;
    for (int i = 0; i < net->layers; i++)
        net->layer[i].seconds = 0;
}

static ag_net_time *
stage(ag_net_time *time, int64_t *count, int64_t room, const char *name)
{
    int64_t i = 0;
    while (i < *count && i < room && strcmp(time[i].stage, name))
        i++;
    if (i == *count) {
        if (i < room)
            time[i] = (ag_net_time){.stage = name};
        ++*count;
    }
    return i < room ? &time[i] : NULL;
}

int64_t
ag_net_times(const ag_net *net, int64_t room, ag_net_time *time, double *total)
{
    int64_t count = 0;
    ag_net_time *one = stage(time, &count, room, "input");
    if (one)
        one->seconds = one->other = net->input_seconds;
    for (int i = 0; i < net->layers; i++) {
        const ag_layer *layer = &net->layer[i];
        one = stage(time, &count, room, layer->stage);
        if (!one)
            continue;
        double *const kinds[AG_CLASSES] = {&one->conv, &one->spectral, &one->other};
        one->seconds += layer->seconds;
        *kinds[layer->operation->kind] += layer->seconds;
    }
    one = stage(time, &count, room, "output");
    if (one)
        one->seconds = one->other = net->output_seconds;
    *total = net->run_seconds;
    return count;
}
