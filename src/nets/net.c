/* SPDX-License-Identifier: BSD-3-Clause */
/* net.c -- a net from a checkpoint: its places in memory, its making. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

static const ag_architecture *const architectures[] = {&ag_hybrid_resnet, &ag_ptychopinn_cnn, &ag_ptychonn};
#define ARCHITECTURES ((int)(sizeof architectures / sizeof *architectures))
/* No batch by itself is larger: more brings no speed. */
#define LARGEST_BATCH 16
/* On a processor a batch runs in parts whose activations the caches hold, but more than one sample, which share the
   reading of the weights. */
#define CACHED ((int64_t)20 << 20)

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

int64_t
ag_net_reals(const ag_net *net, int64_t activations)
{
    return net->options.precision == AG_FP32 ? activations : (activations * 2 + (int64_t)sizeof(ag_real) - 1) / (int64_t)sizeof(ag_real);
}

ag_array
ag_net_at(const ag_net *net, int value)
{
    return ag_view(net->arena, net->value[value].offset * net->together);
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
    const ag_shape shape = {.y = {.length = 1}, .x = {.length = 1}, .tile = 16,
                            .store = (int)net->options.precision, .mma = net->matrix != AG_FP32};
    int list[AG_KERNELS] = {AG_KERNEL_polar}, kernels = net->cartesian;
    find_lives(net);
    ag_status status = plan_arena(net, message);
    if (status)
        return status;
    net->batch = net->options.batch ? net->options.batch : choose_batch(net);
    if (net->batch > INT64_MAX / 64 / net->reals)
        return ag_fail(message, AG_BAD_ARGUMENT, "net: %lld samples at a time are too many", (long long)net->batch);
    const int64_t sample = net->info.patches * net->info.rows * net->info.cols;
    const int64_t cached = AG_MAX(2, CACHED / (net->reals * (int64_t)sizeof(ag_real)));
    const int parts = ag_device_room(net->device).lanes == 1 && !net->keep;
    net->together = parts ? AG_MIN(net->batch, cached) : net->batch;
    net->host = ag_calloc(net->together * sample, sizeof(ag_real));
    if (!net->host)
        return ag_fail(message, AG_NO_MEMORY, "net: no memory for %lld samples at a time", (long long)net->batch);
    net->arena = ag_new(net->device, AG_REAL, net->together * net->reals, "the activations of a net");
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
    net->info.activation_bytes = net->together * net->reals * (int64_t)sizeof(ag_real);
    return AG_OK;
}

ag_status
ag_net_make(ag_net **out, ag_device *device, const char *path, const ag_net_options *options, int keep,
            ag_message *message)
{
    ag_tensors *tensors;
    *out = NULL;
    const int64_t side[4] = {options->rows, options->cols, options->data_rows, options->data_cols};
    int bad = options->batch < 0;
    for (int i = 0; i < 4; i++)
        bad = bad || side[i] < 0 || side[i] > 16384;
    if (bad ||
        !isfinite(options->scale) || (unsigned)options->precision > AG_BF16)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "net: found a batch of %lld, patterns of %lld x %lld, a scale of %g and precision %d, expected none "
                       "negative, sides of 16384 at most, a finite scale and one of three precisions",
                       (long long)options->batch, (long long)options->rows, (long long)options->cols, options->scale,
                       (int)options->precision);
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
        net->matrix = ag_device_room(device).matrix & (int)options->precision ? options->precision : AG_FP32;
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
