/* SPDX-License-Identifier: BSD-3-Clause */
/* net.c -- a net from a checkpoint: made, run, timed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

static const ag_architecture *const architectures[] = {&ag_hybrid_resnet, &ag_ptychopinn_cnn, &ag_ptychonn};
#define ARCHITECTURES ((int)(sizeof architectures / sizeof *architectures))
/* No batch by itself is larger: more brings no speed. */
#define LARGEST_BATCH 16

void
ag_net_options_default(ag_net_options *options)
{
    *options = (ag_net_options){.scale = 1};
}

const char *
ag_find_prefix(const ag_tensors *tensors, const char *name)
{
    static const char *const prefixes[] = {"", "model.autoencoder.", "model.generator.", "autoencoder.", "generator.",
                                           "model.", "module."};
    char whole[256];
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        snprintf(whole, sizeof whole, "%s%s", prefixes[i], name);
        if (ag_tensors_find(tensors, whole))
            return prefixes[i];
    }
    return NULL;
}

ag_array
ag_net_at(const ag_net *net, int value)
{
    return ag_view(net->arena, net->value[value].offset * net->batch);
}

/* ---- the arena ----------------------------------------------------------------------------- */

/* From which layer to which each value must stay. */
static void
find_lives(ag_net *net)
{
    for (int i = 0; i < net->layers; i++)
        for (int k = 0; k < 6; k++) {
            const int v = net->layer[i].value[k];
            if (v < 0)
                continue;
            if (net->value[v].first < 0)
                net->value[v].first = i;
            net->value[v].last = i;
        }
    for (int v = 0; v < net->values; v++)
        if (v == net->planes[0] || v == net->planes[1] || (net->keep && *net->value[v].stage))
            net->value[v].last = net->layers;
}

static int
by_size(const void *a, const void *b)
{
    const ag_net_value *const *x = a, *const *y = b;
    return ((*x)->reals < (*y)->reals) - ((*x)->reals > (*y)->reals);
}

/* The largest first, each at the lowest place that is free as long as it lives. */
static ag_status
plan_arena(ag_net *net, ag_message *message)
{
    ag_net_value **order = ag_calloc(net->values, sizeof *order);
    if (!order)
        return ag_fail(message, AG_NO_MEMORY, "net: no memory left");
    for (int v = 0; v < net->values; v++)
        order[v] = &net->value[v];
    qsort(order, (size_t)net->values, sizeof *order, by_size);
    net->reals = 0;
    for (int v = 0; v < net->values; v++) {
        ag_net_value *value = order[v];
        int64_t at = 0;
        for (int moved = 1; moved;) {
            moved = 0;
            for (int k = 0; k < v; k++) {
                const ag_net_value *other = order[k];
                if (other->first <= value->last && value->first <= other->last && at < other->offset + other->reals &&
                    other->offset < at + value->reals) {
                    at = other->offset + other->reals;
                    moved = 1;
                }
            }
        }
        value->offset = at;
        net->reals = AG_MAX(net->reals, at + value->reals);
    }
    free(order);
    return AG_OK;
}

/* ---- making ------------------------------------------------------------------------------- */

/* How many samples fit into half of what is left of the device's memory. */
static int64_t
choose_batch(const ag_net *net)
{
    const ag_room room = ag_device_room(net->device);
    const int64_t left = AG_MAX(0, room.memory - net->weight_bytes) / 2;
    const int64_t bytes = net->reals * (int64_t)sizeof(ag_real);
    return AG_MAX(1, AG_MIN(LARGEST_BATCH, AG_MIN(left, room.allocation) / bytes));
}

static ag_status
finish(ag_net *net, ag_message *message)
{
    const ag_shape shape = {.y = {.length = 1}, .x = {.length = 1}, .tile = 16};
    int list[AG_KERNELS], kernels = 0;
    find_lives(net);
    ag_status status = plan_arena(net, message);
    if (status)
        return status;
    net->batch = net->options.batch ? net->options.batch : choose_batch(net);
    if (net->batch > INT64_MAX / 64 / net->reals)
        return ag_fail(message, AG_BAD_ARGUMENT, "net: %lld samples at a time are too many", (long long)net->batch);
    const int64_t sample = net->info.patches * net->info.rows * net->info.cols;
    net->host = ag_calloc(net->batch * sample, sizeof(ag_real));
    if (!net->host)
        return ag_fail(message, AG_NO_MEMORY, "net: no memory for %lld samples at a time", (long long)net->batch);
    net->arena = ag_new(net->device, AG_REAL, net->batch * net->reals, "the activations of a net");
    for (int i = 0; i < net->layers; i++)
        for (int k = 0; k < net->layer[i].operation->kernels; k++) {
            int known = 0;
            for (int j = 0; j < kernels; j++)
                known |= list[j] == net->layer[i].operation->kernel[k];
            if (!known)
                list[kernels++] = net->layer[i].operation->kernel[k];
        }
    net->program = ag_program_create(net->device, &shape, kernels, list);
    if (ag_device_status(net->device))
        return ag_fail(message, ag_device_status(net->device), "%s", ag_device_message(net->device));
    net->info.architecture = net->architecture;
    net->info.batch = net->batch;
    net->info.weight_bytes = net->weight_bytes;
    net->info.activation_bytes = net->batch * net->reals * (int64_t)sizeof(ag_real);
    return AG_OK;
}

ag_status
ag_net_make(ag_net **out, ag_device *device, const char *path, const ag_net_options *options, int keep,
            ag_message *message)
{
    ag_tensors *tensors;
    *out = NULL;
    if (options->batch < 0 || options->rows < 0 || options->cols < 0 || options->rows > 16384 || options->cols > 16384 ||
        !isfinite(options->scale))
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "net: found a batch of %lld, patterns of %lld x %lld and a scale of %g, expected none negative, "
                       "sides of 16384 at most and a finite scale",
                       (long long)options->batch, (long long)options->rows, (long long)options->cols, options->scale);
    ag_status status = ag_tensors_open(&tensors, path, message);
    if (status)
        return status;
    ag_net *net = calloc(1, sizeof *net);
    ag_build build = {.net = net, .tensors = tensors, .message = message};
    int i = 0;
    while (i < ARCHITECTURES && !(build.prefix = architectures[i]->recognise(tensors)))
        i++;
    if (!net) {
        status = ag_fail(message, AG_NO_MEMORY, "net: no memory left");
    } else if (i == ARCHITECTURES) {
        status = ag_build_fail(&build, AG_BAD_FILE,
                               "its %lld tensors (%.60s, ...) are of no architecture that argand knows: Hybrid-ResNet "
                               "(lifter.conv1.weight) or CNN (encoder.blocks.0.conv1.weight) of PtychoPINN, PtychoNN "
                               "(encoder.0.weight)",
                               (long long)ag_tensors_count(tensors),
                               ag_tensors_count(tensors) ? ag_tensors_at(tensors, 0)->name : "none");
    } else {
        net->device = device;
        net->options = *options;
        net->keep = keep;
        net->planes[0] = net->planes[1] = -1;
        architectures[i]->build(&build);
        status = build.status ? build.status : finish(net, message);
    }
    ag_tensors_close(tensors);
    if (status)
        ag_net_destroy(net);
    else
        *out = net;
    return status;
}

ag_status
ag_net_create(ag_net **net, ag_device *device, const char *path, const ag_net_options *options, ag_message *message)
{
    if (!net || !device || !path || !options)
        return ag_fail(message, AG_BAD_ARGUMENT, "net, device, path, options: NULL, expected all four");
    return ag_net_make(net, device, path, options, 0, message);
}

void
ag_net_destroy(ag_net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->layers; i++)
        for (int k = 0; k < 5; k++)
            ag_array_destroy(net->layer[i].weights[k]);
    ag_array_destroy(net->arena);
    ag_program_destroy(net->program);
    free(net->value);
    free(net->layer);
    free(net->host);
    free(net);
}

const ag_net_info *
ag_net_content(const ag_net *net)
{
    return &net->info;
}

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
        layer->operation->forward(net, layer, samples);
        if (net->profile) {
            const double now = ag_device_seconds(net->device);
            layer->seconds += now - before;
            before = now;
        }
    }
}

ag_status
ag_net_planes(ag_net *net, int64_t samples, const ag_real *input, ag_real *first, ag_real *second)
{
    const int64_t pattern = net->info.rows * net->info.cols, sample = net->info.patches * pattern;
    const int64_t answer = net->info.answers * pattern;
    const double begin = net->profile ? ag_device_seconds(net->device) : 0;
    for (int64_t at = 0, n; at < samples && !ag_device_status(net->device); at += n) {
        n = AG_MIN(samples - at, net->batch);
        const double start = net->profile ? ag_device_seconds(net->device) : 0;
        for (int64_t i = 0; i < n * net->info.patches; i++)
            transform(net, net->host + i * pattern, input + at * sample + i * pattern, pattern);
        ag_array planes = ag_net_at(net, net->input);
        ag_array_write(&planes, 0, n * sample, net->host);
        if (net->profile)
            net->input_seconds += ag_device_seconds(net->device) - start;
        run_layers(net, n);
        const double end = net->profile ? ag_device_seconds(net->device) : 0;
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
ag_net_run(ag_net *net, int64_t samples, const ag_real *input, ag_real *amplitude, ag_real *phase)
{
    if (samples < 0 || !input || !amplitude || !phase)
        return ag_device_fail(net->device, AG_BAD_ARGUMENT, "net: found %lld samples and %s, expected 0 or more and three arrays",
                              (long long)samples, input && amplitude && phase ? "three arrays" : "NULL");
    const int64_t count = samples * net->info.answers * net->info.rows * net->info.cols;
    const ag_status status = ag_net_planes(net, samples, input, amplitude, phase);
    if (status)
        return status;
    const double end = net->profile ? ag_device_seconds(net->device) : 0;
    if (net->planes[0] < 0)
        for (int64_t i = 0; i < count; i++)
            amplitude[i] = 1;
    else if (net->cartesian)
        for (int64_t i = 0; i < count; i++) {
            const ag_real re = amplitude[i], im = phase[i];
            amplitude[i] = (ag_real)hypot((double)re, (double)im);
            phase[i] = (ag_real)atan2((double)im, (double)re);
        }
    if (net->profile) {
        const double now = ag_device_seconds(net->device);
        net->output_seconds += now - end;
        net->run_seconds += now - end;
    }
    return AG_OK;
}

ag_real *
ag_net_stage(ag_net *net, const char *name, int64_t samples, int64_t shape[3])
{
    for (int v = 0; v < net->values; v++) {
        const ag_net_value *value = &net->value[v];
        if (strcmp(value->stage, name))
            continue;
        const int64_t area = (int64_t)value->height * value->width, blocks = (value->channels + AG_BLOCK - 1) / AG_BLOCK;
        ag_real *whole = ag_calloc(samples * blocks * AG_BLOCK * area, sizeof *whole);
        ag_real *plane = ag_calloc(samples * value->channels * area, sizeof *plane);
        const ag_array array = ag_net_at(net, v);
        if (whole && plane && !ag_array_read(&array, 0, samples * blocks * AG_BLOCK * area, whole))
            for (int64_t i = 0; i < samples * value->channels * area; i++) {
                const int64_t n = i / area / value->channels, c = i / area % value->channels;
                plane[i] = whole[((n * blocks + c / AG_BLOCK) * area + i % area) * AG_BLOCK + c % AG_BLOCK];
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
