/* SPDX-License-Identifier: BSD-3-Clause */
/* ptychopinn.c -- the convolutional generator of PtychoPINN (github.com/hoidn/PtychoPINN, ptycho_torch/model.py): an
   encoder with attention, two decoders for the two parts of the answer, each with an inner and an outer head.  */
#include <stdlib.h>
#include <string.h>

#include "net.h"

static const char *
recognise(const ag_tensors *tensors)
{
    return ag_find_prefix(tensors, "encoder.blocks.0.conv1.weight");
}

/* A convolution of a block, and the batch norm that may follow it. */
static ag_kernel_weights
weights(ag_build *build, int inputs, const char *block, int i)
{
    const ag_tensor *w = ag_build_look(build, "%s.conv%d.weight", block, i);
    ag_kernel_weights result = ag_build_weights(build, ag_extent(w, 4, 0), inputs, 3, "%s.conv%d", block, i);
    if (!ag_build_look(build, "%s.bn%d.running_var", block, i))
        return result;
    char name[128];
    snprintf(name, sizeof name, "%s.bn%d", block, i);
    ag_build_fold_norm(build, &result, name);
    return result;
}

/* conv, ReLU, conv, ReLU. */
static ag_image
pair(ag_build *build, ag_image x, const char *block, int keep)
{
    x = ag_layer_conv(build, x, weights(build, x.channels, block, 1), (ag_conv_options){.after = AG_RELU});
    return ag_layer_conv(build, x, weights(build, x.channels, block, 2),
                         (ag_conv_options){.after = AG_RELU, .keep = keep});
}

/* The first, or last, channels of an image: the weights of the others are 0, and blocks that hold
   none of them are left out. */
static ag_image
select_channels(ag_build *build, ag_image x, int first, int count, ag_kernel_weights *w)
{
    const int block = first / AG_BLOCK, shift = first - block * AG_BLOCK;
    const int inputs = shift + count;
    ag_real *wide = w->weight ? ag_calloc((int64_t)w->outputs * inputs * 9, sizeof *wide) : NULL;
    if (w->weight && !wide)
        ag_build_fail(build, AG_NO_MEMORY, "no memory left");
    for (int64_t o = 0; wide && o < w->outputs; o++)
        memcpy(wide + (o * inputs + shift) * 9, w->weight + o * count * 9, (size_t)(count * 9) * sizeof *wide);
    free(w->weight);
    w->weight = wide;
    w->inputs = inputs;
    x.first += block;
    x.channels = inputs;
    return x;
}

/* One decoder and its head; `part` is amp or phase. */
static int
decoder(ag_build *build, ag_image x, const char *part, int act)
{
    const ag_net *net = build->net;
    char name[64];
    for (int i = 0; ag_build_look(build, "decoder_%s.blocks.%d.conv1.weight", part, i) && i < 16; i++) {
        ag_build_stage(build, "decoder_%s%d", part, i);
        snprintf(name, sizeof name, "decoder_%s.blocks.%d", part, i);
        x = ag_layer_enlarge(build, pair(build, x, name, 0), 0);
        ag_build_name(build, x, "%s.up%d", part, i);
    }
    ag_build_stage(build, "head_%s", part);
    if (!build->status && (x.height * 2 != net->info.rows || x.width * 2 != net->info.cols))
        ag_build_fail(build, AG_BAD_FILE, "decoder_%s leaves %d x %d pixels of patterns of %lld x %lld, expected half", part,
                      x.height, x.width, (long long)net->info.rows, (long long)net->info.cols);
    const ag_tensor *inner = ag_build_look(build, "decoder_%s.%s.conv1.weight", part, part);
    const ag_tensor *outer = ag_build_look(build, "decoder_%s.%s.conv_up_block.conv1.weight", part, part);
    const int o = ag_extent(inner, 4, 0), q = ag_extent(outer, 4, 1), most = x.channels;
    if (!build->status && (o < 1 || q < 1 || q >= most))
        ag_build_fail(build, AG_BAD_FILE, "decoder_%s.%s: found %d answers and %d outer channels of %d, expected 1 or more "
                      "of each", part, part, o, q, most);
    if (build->status)
        return -1;
    ag_kernel_weights w = ag_build_weights(build, o, most - q, 3, "decoder_%s.%s.conv1", part, part);
    ag_image view = select_channels(build, x, 0, most - q, &w);
    const ag_image middle = ag_layer_conv(build, view, w, (ag_conv_options){0});
    ag_build_name(build, middle, "%s.head.conv1", part);
    ag_image around = {.value = -1};
    if (!net->options.small_probe) {
        snprintf(name, sizeof name, "decoder_%s.%s.conv_up_block", part, part);
        w = weights(build, q, name, 1);
        view = select_channels(build, x, most - q, q, &w);
        around = ag_layer_conv(build, view, w, (ag_conv_options){.after = AG_RELU});
        around = ag_layer_conv(build, around, weights(build, around.channels, name, 2), (ag_conv_options){.after = AG_RELU});
        around = ag_layer_enlarge(build, around, 0);
        ag_build_name(build, around, "%s.head.conv_up", part);
        around = ag_layer_conv(build, around, ag_build_weights(build, o, around.channels, 3, "decoder_%s.%s.conv2", part, part),
                               (ag_conv_options){0});
        ag_build_name(build, around, "%s.head.conv2", part);
    }
    const int plane = ag_layer_head(build, middle, o, 0, (int)net->info.rows / 4, act, around);
    build->net->info.answers = build->net->info.answers ? AG_MIN(build->net->info.answers, o) : o;
    return plane;
}

static void
make(ag_build *build)
{
    ag_net *net = build->net;
    const ag_net_options *options = &net->options;
    int blocks = 0;
    while (ag_build_look(build, "encoder.blocks.%d.conv1.weight", blocks) && blocks < 16)
        blocks++;
    const int patches = ag_extent(ag_build_look(build, "encoder.blocks.0.conv1.weight"), 4, 1), side = 8 << blocks;
    if (blocks < 1 || blocks > 8 || patches < 1)
        ag_build_fail(build, AG_BAD_FILE, "looks like a CNN of PtychoPINN with %d encoder blocks of %d patterns, expected 1 "
                      "to 8 of 1 or more", blocks, patches);
    if (ag_build_look(build, "decoder.blocks.0.conv1.weight") || !ag_build_look(build, "decoder_amp.amp.conv1.weight"))
        ag_build_fail(build, AG_BAD_FILE, "found no tensor decoder_amp.amp.conv1.weight; of the CNNs of PtychoPINN argand "
                      "computes those with two decoders");
    net->info.patches = patches;
    net->info.rows = options->rows ? options->rows : side;
    net->info.cols = options->cols ? options->cols : side;
    if (!build->status && (net->info.rows != net->info.cols || net->info.rows % (1 << blocks)))
        ag_build_fail(build, AG_BAD_ARGUMENT, "patterns of %lld x %lld, expected squares whose side %d divides",
                      (long long)net->info.rows, (long long)net->info.cols, 1 << blocks);
    if (build->status)
        return;
    snprintf(net->architecture, sizeof net->architecture, "PtychoPINN CNN, %d pattern%s a sample", patches,
             patches == 1 ? "" : "s");
    ag_build_stage(build, "encoder0");
    ag_image x = ag_layer_input(build, patches, (int)net->info.rows, (int)net->info.cols);
    for (int i = 0; i < blocks && !build->status; i++) {
        char name[64];
        ag_build_stage(build, "encoder%d", i);
        snprintf(name, sizeof name, "encoder.blocks.%d", i);
        const int attends = ag_build_look(build, "%s.attention.ChannelGate.mlp.1.weight", name) != NULL;
        x = pair(build, x, name, attends);
        x = attends ? ag_layer_attention(build, x, i) : ag_layer_pool(build, x);
        ag_build_name(build, x, "encoder%d", i);
    }
    const int act = options->real_imaginary ? AG_TANH_RAISED : options->sigmoid ? AG_SIGMOID : AG_SILU;
    const int first = decoder(build, x, "amp", act);
    const int second = decoder(build, x, "phase", options->real_imaginary ? AG_TANH_WIDE : AG_PI_TANH);
    net->planes[0] = first;
    net->planes[1] = second;
    net->cartesian = options->real_imaginary;
    if (!build->status && net->value[first].channels != net->value[second].channels)
        ag_build_fail(build, AG_BAD_FILE, "the decoders leave %d amplitudes and %d phases, expected as many",
                      net->value[first].channels, net->value[second].channels);
}

const ag_architecture ag_ptychopinn_cnn = {"PtychoPINN CNN", recognise, make};
