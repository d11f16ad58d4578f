/* SPDX-License-Identifier: BSD-3-Clause */
/* hybrid.c -- the Hybrid-ResNet generator of PtychoPINN (github.com/hoidn/PtychoPINN, ptycho_torch/generators):
   lifter, Fourier encoder, residual bottleneck, decoder; both layouts of its checkpoints.  */
#include <stdlib.h>
#include <string.h>

#include "net.h"

static const char *
recognise(const ag_tensors *tensors)
{
    return ag_find_prefix(tensors, "lifter.conv1.weight");
}

/* What the names and shapes of the tensors say. */
typedef struct hybrid {
    int newer;            /* the later layout of names */
    int hidden, channels; /* of the lifter's output and input */
    int blocks, residuals, steps, side;
    int gated;            /* the residual blocks have their common factor, and GELU */
    double factor;
    int width;            /* of the bottleneck */
} hybrid;

static int
count(const ag_build *build, const char *before, const char *after)
{
    int n = 0;
    while (n < 1000 && ag_build_look(build, "%s%d%s", before, n, after))
        n++;
    return n;
}

/* Options of the family that are not built, by what they leave in the file. */
static void
refuse_others(ag_build *build, const hybrid *h)
{
    static const char *const names[][2] = {
        {"encoder_blocks.0.spectral_in.weight", "a scaled spectral branch"},
        {"encoder_blocks.0.conv_in.weight", "a scaled local branch"},
        {"encoder_blocks.0.encoder_layerscale", "an encoder with layer scale"},
        {"encoder_blocks.0.spectral_branch_gate", "gated encoder branches"},
        {"encoder_layerscale", "an encoder with layer scale"},
        {"downsample_layers.0.proj.weight", "pooled down-sampling"},
        {"resnet.blocks.0.depthwise.weight", "a ConvNeXt bottleneck"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ag_build_look(build, "%s", names[i][0]))
            ag_build_fail(build, AG_BAD_FILE, "is a Hybrid-ResNet with %s (tensor %s), which argand does not compute",
                          names[i][1], names[i][0]);
    if (h->blocks < 3 || h->residuals < 1)
        ag_build_fail(build, AG_BAD_FILE,
                      "looks like a Hybrid-ResNet with %d encoder blocks and %d residual blocks, expected at least 3 "
                      "(encoder_blocks.0.spectral.weights and .local_conv.weight) and 1 (resnet.blocks.0.block.1.weight)",
                      h->blocks, h->residuals);
    if (h->side != 3 && h->side != 4)
        ag_build_fail(build, AG_BAD_FILE, "has a decoder of %d x %d taps, expected 3 or 4", h->side, h->side);
}

static void
look(ag_build *build, hybrid *h)
{
    const ag_tensor *lifter = ag_build_look(build, "lifter.conv1.weight");
    h->newer = !ag_build_look(build, "up1.block.0.weight");
    h->hidden = ag_extent(lifter, 4, 0);
    h->channels = ag_extent(lifter, 4, 1);
    h->blocks = AG_MIN(count(build, "encoder_blocks.", ".spectral.weights"), count(build, "encoder_blocks.", ".local_conv.weight"));
    h->residuals = count(build, "resnet.blocks.", ".block.1.weight");
    h->steps = count(build, h->newer ? "downsample_layers." : "downsample.", h->newer ? ".conv.weight" : ".weight");
    const ag_tensor *up = ag_build_look(build, "%s", h->newer ? "upsample_layers.0.block.0.weight" : "up1.block.0.weight");
    h->side = ag_extent(up, 4, 2);
    h->width = ag_extent(up, 4, 0);
    h->gated = ag_build_look(build, "resnet.layerscale") != NULL;
    h->factor = 1;
    if (h->gated) {
        ag_real *g = ag_build_take(build, 0, NULL, "resnet.layerscale");
        h->factor = g ? (double)*g : 1;
        free(g);
    }
    refuse_others(build, h);
    if (h->hidden < 1 || h->channels < 1 || h->width < 4 || h->width % 4 || (h->steps != 1 && h->steps != 2))
        ag_build_fail(build, AG_BAD_FILE,
                      "looks like a Hybrid-ResNet, but with %d channels after %d in the lifter, a bottleneck of %d and %d "
                      "down-samplings; expected 1 or more, a multiple of 4, and 1 or 2",
                      h->hidden, h->channels, h->width, h->steps);
}

static ag_image
encoder(ag_build *build, ag_image x, int i, int reflect)
{
    const ag_tensor *w = ag_build_look(build, "encoder_blocks.%d.spectral.weights", i);
    const int64_t rows = w && w->rank >= 4 ? w->shape[2] : 0, cols = w && w->rank >= 4 ? w->shape[3] : 0;
    ag_image local = ag_layer_conv(
        build, x, ag_build_weights(build, x.channels, x.channels, 3, "encoder_blocks.%d.local_conv", i),
        (ag_conv_options){.reflect = reflect});
    if (rows < 1 || cols < 1 || rows > 4096 || cols > 4096)
        ag_build_fail(build, AG_BAD_FILE, "tensor encoder_blocks.%d.spectral.weights has %d axes, expected (in, out, rows, "
                      "columns) of complex numbers", i, w ? w->rank : 0);
    ag_real *weight = ag_build_take(build, 5, (const int64_t[]){x.channels, x.channels, rows, cols, 2},
                                    "encoder_blocks.%d.spectral.weights", i);
    return ag_layer_spectral(build, x, local, weight, (int)rows, (int)cols);
}

/* Gain and shift of a norm, times a factor. */
static ag_real *
vector(ag_build *build, int n, double factor, const char *name, int block, const char *rest)
{
    ag_real *value = ag_build_take(build, 1, (const int64_t[]){n}, "%s%d%s", name, block, rest);
    for (int i = 0; value && i < n; i++)
        value[i] = (ag_real)(factor * (double)value[i]);
    return value;
}

static ag_kernel_weights
without_bias(ag_kernel_weights w)
{
    free(w.bias); /* a norm follows */
    w.bias = NULL;
    return w;
}

static ag_image
residual(ag_build *build, ag_image x, int j, const hybrid *h)
{
    const int r = x.channels;
    const ag_conv_options options = {.reflect = 1, .keep = 1};
    ag_image y = ag_layer_conv(build, x, without_bias(ag_build_weights(build, r, r, 3, "resnet.blocks.%d.block.1", j)), options);
    y = ag_layer_norm(build, y, h->gated ? AG_GELU : AG_RELU, vector(build, r, 1, "resnet.blocks.", j, ".block.2.weight"),
                      vector(build, r, 1, "resnet.blocks.", j, ".block.2.bias"));
    y = ag_layer_conv(build, y, without_bias(ag_build_weights(build, r, r, 3, "resnet.blocks.%d.block.5", j)), options);
    y = ag_layer_norm(build, y, AG_SAME, vector(build, r, h->factor, "resnet.blocks.", j, ".block.6.weight"),
                      vector(build, r, h->factor, "resnet.blocks.", j, ".block.6.bias"));
    return ag_layer_residual(build, x, y);
}

/* What an encoder left joins what the decoder made of the same size. */
static ag_image
fuse(ag_build *build, ag_image x, ag_image tap, const char *key)
{
    const ag_tensor *projection = ag_build_look(build, "skip_fusion_projections.%s.weight", key);
    if (!projection || build->status)
        return x;
    const int both = projection->rank == 4 && projection->shape[1] == x.channels + tap.channels;
    ag_kernel_weights w = ag_build_weights(build, x.channels, both ? x.channels + tap.channels : tap.channels, 1,
                                           "skip_fusion_projections.%s", key);
    ag_real gate = 1;
    if (ag_build_look(build, "skip_fusion_gates.%s", key)) {
        ag_real *value = ag_build_take(build, 0, NULL, "skip_fusion_gates.%s", key);
        gate = value ? *value : 1;
        free(value);
    }
    if (both && w.weight && w.bias) {
        /* The columns of x and of the tap are two convolutions, the second added to the first. */
        ag_kernel_weights own = {x.channels, x.channels, 1, ag_calloc((int64_t)x.channels * x.channels, sizeof(ag_real)), w.bias};
        ag_kernel_weights other = {x.channels, tap.channels, 1, ag_calloc((int64_t)x.channels * tap.channels, sizeof(ag_real)), NULL};
        for (int o = 0; own.weight && other.weight && o < x.channels; o++) {
            memcpy(own.weight + (int64_t)o * x.channels, w.weight + (int64_t)o * w.inputs, (size_t)x.channels * sizeof(ag_real));
            memcpy(other.weight + (int64_t)o * tap.channels, w.weight + (int64_t)o * w.inputs + x.channels,
                   (size_t)tap.channels * sizeof(ag_real));
        }
        free(w.weight);
        if (!own.weight || !other.weight)
            ag_build_fail(build, AG_NO_MEMORY, "no memory left");
        const ag_image sum = ag_layer_conv(build, x, own, (ag_conv_options){0});
        return ag_layer_conv(build, tap, other, (ag_conv_options){.add = sum.value + 1});
    }
    for (int64_t i = 0; w.weight && i < (int64_t)w.outputs * w.inputs; i++)
        w.weight[i] *= gate;
    for (int i = 0; w.bias && i < w.outputs; i++)
        w.bias[i] *= gate;
    return ag_layer_conv(build, tap, w, (ag_conv_options){.add = x.value + 1});
}

static ag_image
upsample(ag_build *build, ag_image x, int i, const hybrid *h, ag_image tap)
{
    char name[40];
    snprintf(name, sizeof name, h->newer ? "upsample_layers.%d.block" : "up%d.block", i + !h->newer);
    const int o = x.channels / 2;
    ag_real *weight = ag_build_take(build, 4, (const int64_t[]){x.channels, o, h->side, h->side}, "%s.0.weight", name);
    free(ag_build_take(build, 1, (const int64_t[]){o}, "%s.0.bias", name)); /* a norm follows */
    x = ag_layer_transposed(build, x, o, weight, h->side);
    ag_real *gain = ag_build_take(build, 1, (const int64_t[]){o}, "%s.1.weight", name);
    ag_real *shift = ag_build_take(build, 1, (const int64_t[]){o}, "%s.1.bias", name);
    x = ag_layer_norm(build, x, h->gated ? AG_GELU : AG_RELU, gain, shift);
    const int skip = ag_build_look(build, "skip_fusion_projections.d%d.weight", h->steps - i) != NULL;
    /* The next convolution norms on the way. */
    if (!skip && !build->net->keep)
        return x;
    x = ag_layer_settle(build, x);
    if (skip)
        ag_build_name(build, x, "up%d_prefusion", i + 1);
    snprintf(name, sizeof name, "d%d", h->steps - i);
    return skip ? fuse(build, x, tap, name) : x;
}

static void
heads(ag_build *build, ag_image x)
{
    ag_net *net = build->net;
    const ag_image none = {.value = -1};
    const ag_tensor *amp = ag_build_look(build, "output_amp.weight"), *both = ag_build_look(build, "output_proj.weight");
    const int64_t c = amp ? ag_extent(amp, 4, 0) : ag_extent(both, 4, 0) / 2;
    net->info.answers = c;
    if (c < 1)
        ag_build_fail(build, AG_BAD_FILE, "found neither output_proj.weight nor output_amp.weight of four axes");
    if (amp) {
        const ag_image a = ag_layer_conv(build, x, ag_build_weights(build, (int)c, x.channels, 1, "output_amp"), (ag_conv_options){0});
        const ag_image p = ag_layer_conv(build, x, ag_build_weights(build, (int)c, x.channels, 1, "output_phase"), (ag_conv_options){0});
        net->planes[0] = ag_layer_head(build, a, (int)c, 0, 0, AG_SIGMOID, none);
        net->planes[1] = ag_layer_head(build, p, (int)c, 0, 0, AG_PI_TANH, none);
        return;
    }
    const int logits = net->options.logits;
    const ag_image y = ag_layer_conv(build, x, ag_build_weights(build, (int)(2 * c), x.channels, 1, "output_proj"), (ag_conv_options){0});
    ag_build_name(build, y, "output_proj");
    net->planes[0] = ag_layer_head(build, y, (int)c, 0, 0, logits ? AG_SIGMOID : AG_SAME, none);
    net->planes[1] = ag_layer_head(build, y, (int)c, (int)c, 0, logits ? AG_PI_TANH : AG_SAME, none);
    net->cartesian = !logits;
}

static void
make(ag_build *build)
{
    ag_net *net = build->net;
    hybrid h;
    ag_image tap[2];
    look(build, &h);
    const int divisor = 1 << h.steps;
    net->info.patches = h.channels;
    net->info.rows = net->options.rows ? net->options.rows : net->options.data_rows ? net->options.data_rows : 128;
    net->info.cols = net->options.cols ? net->options.cols : net->options.data_cols ? net->options.data_cols : 128;
    if (!build->status && (net->info.rows % divisor || net->info.cols % divisor))
        ag_build_fail(build, AG_BAD_ARGUMENT, "patterns of %lld x %lld, expected sides that %d divides",
                      (long long)net->info.rows, (long long)net->info.cols, divisor);
    if (build->status)
        return;
    const int reflect = net->options.padding == AG_PADDING_AUTO ? h.newer : net->options.padding == AG_PADDING_REFLECT;
    snprintf(net->architecture, sizeof net->architecture, "Hybrid-ResNet (layout %s), %d patterns a sample",
             h.newer ? "B" : "A", h.channels);
    ag_build_stage(build, "lifter");
    ag_image x = ag_layer_input(build, h.channels, (int)net->info.rows, (int)net->info.cols);
    x = ag_layer_conv(build, x, ag_build_weights(build, h.hidden, h.channels, 3, "lifter.conv1"), (ag_conv_options){.after = AG_GELU});
    x = ag_layer_conv(build, x, ag_build_weights(build, h.hidden, h.hidden, 3, "lifter.conv2"), (ag_conv_options){0});
    ag_build_name(build, x, "lifter");
    for (int i = 0; i < h.blocks && !build->status; i++) {
        ag_build_stage(build, "encoder_block%d", i);
        x = encoder(build, x, i, reflect);
        ag_build_name(build, x, "encoder%d", i);
        if (i >= h.steps)
            continue;
        tap[i] = x;
        const ag_tensor *w = h.newer ? ag_build_look(build, "downsample_layers.%d.conv.weight", i)
                                     : ag_build_look(build, "downsample.%d.weight", i);
        char base[40];
        snprintf(base, sizeof base, h.newer ? "downsample_layers.%d.conv" : "downsample.%d", i);
        ag_build_stage(build, "downsample%d", i);
        x = ag_layer_conv(build, x, ag_build_weights(build, ag_extent(w, 4, 0), x.channels, 2, "%s", base),
                          (ag_conv_options){.stride = 2});
        ag_build_name(build, x, "downsample%d", i);
    }
    if (ag_build_look(build, "adapter.weight")) {
        ag_build_stage(build, "adapter");
        x = ag_layer_conv(build, x, ag_build_weights(build, h.width, x.channels, 1, "adapter"), (ag_conv_options){0});
        ag_build_name(build, x, "adapter");
    }
    for (int j = 0; j < h.residuals && !build->status; j++) {
        ag_build_stage(build, "resnet_block%d", j);
        x = residual(build, x, j, &h);
        ag_build_name(build, x, "resnet%d", j);
    }
    if (x.channels != h.width)
        ag_build_fail(build, AG_BAD_FILE, "the decoder takes %d channels, the bottleneck leaves %d", h.width, x.channels);
    for (int i = 0; i < h.steps && !build->status; i++) {
        ag_build_stage(build, "up%d", i + 1);
        x = upsample(build, x, i, &h, tap[h.steps - 1 - i]);
        ag_build_name(build, x, "up%d", i + 1);
    }
    ag_build_stage(build, "output_proj");
    heads(build, x);
}

const ag_architecture ag_hybrid_resnet = {"Hybrid-ResNet", recognise, make};
