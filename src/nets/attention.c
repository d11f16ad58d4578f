/* SPDX-License-Identifier: BSD-3-Clause */
/* attention.c -- channel and spatial attention, pooling, up-sampling, heads. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

/* ---- gates and pooling ------------------------------------------------------------------ */

static void
forward_channel_gate(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    ag_array gate = ag_net_at(net, layer->value[0]);
    const ag_array sums = ag_net_at(net, layer->value[1]);
    ag_run_channel_gate(net->program, samples, &gate, &sums, layer->weights[0], layer->weights[1], layer->weights[2],
                        layer->weights[3], (int)n[0], (int)n[1], (int)n[2]);
}
static const ag_operation channel_gate_operation = {forward_channel_gate, AG_CLASS_OTHER, 1, {AG_KERNEL_channel_gate}};

static void
forward_spatial_gate(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    ag_array where = ag_net_at(net, layer->value[0]), planes = ag_net_at(net, layer->value[1]);
    const ag_array image = ag_net_at(net, layer->value[2]), gate = ag_net_at(net, layer->value[3]);
    ag_run_channel_pool(net->program, samples * n[1], &planes, &image, &gate, (int)n[0], (int)n[1], (int)n[2]);
    ag_run_spatial_gate(net->program, samples * n[1], &where, &planes, layer->weights[0], (int)n[1], (int)n[2]);
}
static const ag_operation spatial_gate_operation = {forward_spatial_gate, AG_CLASS_OTHER, 2, {AG_KERNEL_channel_pool, AG_KERNEL_spatial_gate}};

static void
forward_pool(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    const int gate = layer->value[2], where = layer->value[3];
    ag_array result = ag_net_at(net, layer->value[0]);
    const ag_array image = ag_net_at(net, layer->value[1]), factor = ag_net_at(net, gate < 0 ? 0 : gate),
                   place = ag_net_at(net, where < 0 ? 0 : where);
    ag_run_pool(net->program, samples * n[0] * n[1], &result, &image, &factor, &place, (int)n[0], (int)n[1],
                (int)n[2], (int)n[3], gate >= 0, where >= 0);
}
static const ag_operation pool_operation = {forward_pool, AG_CLASS_OTHER, 1, {AG_KERNEL_pool}};

static ag_image
pool(ag_build *build, ag_image image, int side, int gate, int where)
{
    ag_image result = ag_image_new(build, image.channels, image.height / side, image.width / side);
    ag_layer *layer = ag_build_layer(build, &pool_operation);
    if (layer) {
        const int value[4] = {result.value, image.value, gate, where};
        const int64_t number[4] = {image.blocks, result.height, result.width, side};
        memcpy(layer->value, value, sizeof value);
        memcpy(layer->number, number, sizeof number);
    }
    return result;
}

ag_image
ag_layer_pool(ag_build *build, ag_image image)
{
    if (!build->status && (image.height % 2 || image.width % 2))
        ag_build_fail(build, AG_BAD_ARGUMENT, "%d x %d pixels cannot be pooled by two", image.height, image.width);
    return pool(build, image, 2, -1, -1);
}

/* [rows][cols] with the columns, or the rows, filled up to whole blocks. */
static ag_real *
widen(ag_real *matrix, int rows, int cols, int to_rows, int to_cols)
{
    ag_real *wide = matrix ? ag_calloc((int64_t)to_rows * to_cols, sizeof *wide) : NULL;
    for (int r = 0; wide && r < rows; r++)
        memcpy(wide + (int64_t)r * to_cols, matrix + (int64_t)r * cols, (size_t)cols * sizeof *wide);
    free(matrix);
    return wide;
}

ag_image
ag_layer_attention(ag_build *build, ag_image image, int index)
{
    const int c = image.channels, wide = image.blocks * AG_BLOCK, h = c / 16;
    if (!build->status && (h < 1 || h > 64 || image.height % 2 || image.width % 2))
        ag_build_fail(build, AG_BAD_FILE, "attention follows %d channels of %d x %d, expected 16 to 1024, and even sides", c,
                      image.height, image.width);
    const char *base = "encoder.blocks";
    ag_real *w1 = ag_build_take(build, 2, (const int64_t[]){h, c}, "%s.%d.attention.ChannelGate.mlp.1.weight", base, index);
    ag_real *b1 = ag_build_take(build, 1, (const int64_t[]){h}, "%s.%d.attention.ChannelGate.mlp.1.bias", base, index);
    ag_real *w2 = ag_build_take(build, 2, (const int64_t[]){c, h}, "%s.%d.attention.ChannelGate.mlp.3.weight", base, index);
    ag_real *b2 = ag_build_take(build, 1, (const int64_t[]){c}, "%s.%d.attention.ChannelGate.mlp.3.bias", base, index);
    ag_real *w7 = ag_build_take(build, 4, (const int64_t[]){1, 2, 7, 7}, "%s.%d.attention.SpatialGate.compress.weight", base,
                                index);
    const int gate = ag_build_value(build, wide, 0, 0, 0);
    const int64_t area = (int64_t)image.height * image.width;
    const int planes = ag_build_value(build, 2 * area, 0, 0, 0), where = ag_build_value(build, area, 0, 0, 0);
    ag_array *array[5] = {ag_build_upload(build, (int64_t)h * wide, widen(w1, h, c, h, wide)),
                          ag_build_upload(build, h, b1),
                          ag_build_upload(build, (int64_t)wide * h, widen(w2, c, h, wide, h)),
                          ag_build_upload(build, wide, ag_pack_vector(c, b2)), ag_build_upload(build, 98, w7)};
    ag_layer *layer = ag_build_layer(build, &channel_gate_operation);
    if (layer) {
        memcpy(layer->weights, array, 4 * sizeof *array);
        layer->value[0] = gate;
        layer->value[1] = image.sums;
        memcpy(layer->number, (int64_t[]){wide, image.rows, h}, 3 * sizeof(int64_t));
        layer = ag_build_layer(build, &spatial_gate_operation);
    }
    if (layer) {
        layer->weights[0] = array[4];
        const int value[4] = {where, planes, image.value, gate};
        memcpy(layer->value, value, sizeof value);
        memcpy(layer->number, (int64_t[]){c, image.height, image.width}, 3 * sizeof(int64_t));
    } else {
        for (int i = 0; i < 5; i++)
            ag_array_destroy(array[i]);
    }
    if (build->net->keep) {
        ag_build_name(build, pool(build, image, 1, gate, -1), "encoder%d.channelgate", index);
        ag_build_name(build, pool(build, image, 1, gate, where), "encoder%d.attention", index);
    }
    return pool(build, image, 2, gate, where);
}

/* ---- up-sampling and heads ------------------------------------------------------------------ */

static void
forward_enlarge(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    ag_array result = ag_net_at(net, layer->value[0]);
    const ag_array image = ag_net_at(net, layer->value[1]);
    ag_run_enlarge(net->program, samples * n[0] * 2 * n[1], &result, &image, (int)n[1], (int)n[2], (int)n[3]);
}
static const ag_operation enlarge_operation = {forward_enlarge, AG_CLASS_OTHER, 1, {AG_KERNEL_enlarge}};

ag_image
ag_layer_enlarge(ag_build *build, ag_image image, int bilinear)
{
    ag_image result = ag_image_new(build, image.channels, 2 * image.height, 2 * image.width);
    ag_layer *layer = ag_build_layer(build, &enlarge_operation);
    if (layer) {
        layer->value[0] = result.value;
        layer->value[1] = image.value;
        memcpy(layer->number, (int64_t[]){image.blocks, image.height, image.width, bilinear}, 4 * sizeof(int64_t));
    }
    return result;
}

static void
forward_head(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    const int outer = layer->value[2];
    ag_array result = ag_net_at(net, layer->value[0]);
    const ag_array inner = ag_net_at(net, layer->value[1]), around = ag_net_at(net, outer < 0 ? 0 : outer);
    ag_run_head(net->program, samples * n[0] * n[4], &result, &inner, &around, (int)n[0], (int)n[1], (int)n[2],
                (int)n[3], (int)n[4], (int)n[5], (int)n[6], (int)n[7], outer >= 0);
}
static const ag_operation head_operation = {forward_head, AG_CLASS_OTHER, 1, {AG_KERNEL_head}};

int
ag_layer_head(ag_build *build, ag_image inner, int channels, int first, int pad, int act, ag_image outer)
{
    const int height = inner.height + 2 * pad, width = inner.width + 2 * pad;
    const int result = ag_build_value(build, (int64_t)channels * height * width, channels, height, width);
    ag_layer *layer = ag_build_layer(build, &head_operation);
    if (layer) {
        const int64_t number[8] = {channels, first, inner.of, outer.value < 0 ? 0 : outer.of, height, width, pad, act};
        layer->value[0] = result;
        layer->value[1] = inner.value;
        layer->value[2] = outer.value;
        memcpy(layer->number, number, sizeof number);
    }
    return result;
}
