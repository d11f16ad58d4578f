/* SPDX-License-Identifier: BSD-3-Clause */
/* layers.c -- convolutions, norms and what joins them; each layer is one or two launches. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

static int
blocks_of(int channels)
{
    return (channels + AG_BLOCK - 1) / AG_BLOCK;
}

ag_image
ag_image_new(ag_build *build, int channels, int height, int width)
{
    const int blocks = blocks_of(channels);
    const int64_t reals = ag_net_reals(build->net, (int64_t)blocks * AG_BLOCK * height * width);
    return (ag_image){.value = ag_build_value(build, reals, channels, height, width),
                      .channels = channels,
                      .blocks = blocks,
                      .of = blocks,
                      .height = height,
                      .width = width,
                      .before = -1,
                      .scale = -1,
                      .offset = -1,
                      .sums = -1};
}

/* ---- input --------------------------------------------------------------------------- */

static void
forward_input(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    ag_array result = ag_net_at(net, layer->value[1]);
    const ag_array plane = ag_net_at(net, layer->value[0]);
    ag_run_to_blocks(net->program, samples * n[3] * n[1], &result, &plane, (int)n[0], (int)n[1], (int)n[2]);
}
static const ag_operation input_operation = {forward_input, AG_CLASS_OTHER, 1, {AG_KERNEL_to_blocks}};

ag_image
ag_layer_input(ag_build *build, int channels, int height, int width)
{
    const int plane = ag_build_value(build, (int64_t)channels * height * width, channels, height, width);
    ag_image image = ag_image_new(build, channels, height, width);
    ag_layer *layer = ag_build_layer(build, &input_operation);
    if (layer) {
        build->net->input = plane;
        layer->value[0] = plane;
        layer->value[1] = image.value;
        memcpy(layer->number, (int64_t[]){channels, height, width, image.blocks}, 4 * sizeof(int64_t));
    }
    return image;
}

/* ---- convolutions ----------------------------------------------------------------------- */

/* Places in layer->value and layer->number that all convolutions share. */
enum { RESULT, SUMS, IMAGE, SCALE, OFFSET, BASE };
enum { HEIGHT, WIDTH, BLOCKS, INPUTS, OUTPUT_BLOCKS, FIRST, BEFORE, AFTER, KEEP, TILES, REFLECT, ROWS, COLS, TAPS, PLACE, EXTRA };

/* What a layer reads, less its first reals; where it has nothing to read, anything. */
static ag_array
view(const ag_net *net, int value, int64_t skip)
{
    const ag_array whole = ag_net_at(net, value < 0 ? 0 : value);
    return ag_view(&whole, value < 0 ? 0 : skip);
}

static void
forward_conv3(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    const int64_t first = n[FIRST] * AG_BLOCK;
    ag_array result = ag_net_at(net, layer->value[RESULT]), sums = view(net, layer->value[SUMS], 0);
    const ag_array image = view(net, layer->value[IMAGE], ag_net_reals(net, first * n[HEIGHT] * n[WIDTH]));
    const ag_array scale = view(net, layer->value[SCALE], first), offset = view(net, layer->value[OFFSET], first);
    const int64_t unit = n[KEEP] ? 1 : samples;
    const int64_t all = unit * ((n[HEIGHT] + 3) / 4) * ((n[WIDTH] + 3) / 4);
    const int64_t blocks = (all + n[TILES] - 1) / n[TILES] * (samples / unit);
    /* Few pixels: their outputs are shared out too. */
    const int64_t groups = AG_MIN((n[OUTPUT_BLOCKS] + 1) / 2, AG_MAX(1, 8 / blocks));
    ag_run_conv3(net->program, blocks * groups, &result, &sums, &image, &scale, &offset, layer->weights[0],
                 layer->weights[1], (int)n[HEIGHT], (int)n[WIDTH], (int)n[BLOCKS], (int)n[INPUTS],
                 (int)n[OUTPUT_BLOCKS], (int)n[TILES], (int)unit, (int)groups, (int)n[REFLECT], (int)n[BEFORE],
                 (int)n[AFTER], (int)n[KEEP], (int)n[EXTRA], (int)n[TAPS]);
}
static const ag_operation conv3_operation = {forward_conv3, AG_CLASS_CONV, 1, {AG_KERNEL_conv3}};

static void
forward_conv(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    const int64_t first = n[FIRST] * AG_BLOCK, phase_rows = n[ROWS] * ((n[COLS] + 31) / 32);
    const int64_t panels = (n[OUTPUT_BLOCKS] + 1) / 2;
    const int spread = (int)(n[EXTRA] & 3), add = n[EXTRA] & 4 ? 1 : 0, phase = (int)(n[EXTRA] >> 3);
    ag_array result = ag_net_at(net, layer->value[RESULT]), sums = view(net, layer->value[SUMS], 0);
    const ag_array image = view(net, layer->value[IMAGE], ag_net_reals(net, first * n[HEIGHT] * n[WIDTH]));
    const ag_array scale = view(net, layer->value[SCALE], first), offset = view(net, layer->value[OFFSET], first);
    const ag_array base = view(net, layer->value[BASE], 0);
    ag_run_conv(net->program, samples * panels * phase_rows, &result, &sums, &image, &scale, &offset,
                layer->weights[0], layer->weights[1], &base, (int)n[HEIGHT], (int)n[WIDTH], (int)n[BLOCKS], (int)n[INPUTS],
                (int)n[OUTPUT_BLOCKS], (int)n[ROWS], (int)n[COLS], (int)n[TAPS], (int)n[PLACE], spread,
                (int)n[BEFORE], (int)n[AFTER], add, n[KEEP] ? (int)(1 + phase * phase_rows) : 0,
                (int)(spread * spread * phase_rows));
}
static const ag_operation conv_operation = {forward_conv, AG_CLASS_CONV, 1, {AG_KERNEL_conv}};

/* Rows of statistics of a result. */
static void
keep_sums(ag_build *build, ag_image *result, int64_t rows)
{
    result->rows = (int)rows;
    result->sums = ag_build_value(build, rows * AG_STATISTICS * AG_BLOCK * result->blocks, 0, 0, 0);
}

static ag_layer *
begin_conv(ag_build *build, const ag_operation *operation, const ag_image *image, const ag_image *result, int after)
{
    ag_layer *layer = ag_build_layer(build, operation);
    if (!layer)
        return NULL;
    const int value[5] = {result->value, result->sums, image->value, image->scale, image->offset};
    memcpy(layer->value, value, sizeof value);
    const int64_t number[9] = {image->height, image->width, image->of,     image->channels, result->blocks,
                               image->first,  image->before, after, result->sums >= 0};
    memcpy(layer->number, number, sizeof number);
    return layer;
}

/* Winograd's transforms cost more than they save where there are fewer. */
#define FEW_INPUTS 8

/* Tiles of a block, so that their transforms fit the store of conv3; 0: too many inputs. */
static int
tiles_for(int inputs)
{
    const int fit = 128 * 32 / (blocks_of(inputs) * AG_BLOCK);
    return fit >= 32 ? 32 : fit >= 16 ? 16 : fit >= 8 ? 8 : 0;
}

static void
build_conv(ag_build *build, const ag_image *image, ag_image *result, ag_kernel_weights w, ag_conv_options options)
{
    int place[49];
    if (w.side > 7) {
        ag_build_fail(build, AG_BAD_FILE, "a convolution has %d x %d taps, expected 7 x 7 at most", w.side, w.side);
        return;
    }
    for (int i = 0; i < w.side * w.side; i++)
        place[i] = i;
    if (options.keep)
        keep_sums(build, result, result->height * (int64_t)((result->width + 31) / 32));
    ag_layer *layer = begin_conv(build, &conv_operation, image, result, options.after);
    if (!layer)
        return;
    const int stride = options.stride ? options.stride : 1;
    layer->number[ROWS] = result->height;
    layer->number[COLS] = result->width;
    layer->number[TAPS] = w.side | w.side << 8 | stride << 16;
    layer->number[PLACE] = w.side == 3 ? 1 | 1 << 8 : 0; /* padded */
    layer->number[EXTRA] = 1 | (options.add ? 4 : 0);
    layer->value[BASE] = options.add - 1;
    ag_round(build->net->options.precision, (int64_t)w.outputs * w.inputs * w.side * w.side, w.weight);
    const int taps = w.side * w.side;
    int64_t reals;
    ag_real *packed = ag_pack_conv(&reals, w.outputs, w.inputs, w.weight, (int64_t)w.inputs * taps, taps, taps, place,
                                   build->net->matrix);
    layer->weights[0] = ag_build_upload(build, reals, packed);
}

static void
build_conv3(ag_build *build, const ag_image *image, ag_image *result, ag_kernel_weights w, ag_conv_options options)
{
    const int tiles = tiles_for(w.inputs), solo = ag_device_room(build->net->device).lanes == 1;
    const int64_t all = (int64_t)((image->height + 3) / 4) * ((image->width + 3) / 4);
    if (!tiles) {
        ag_build_fail(build, AG_BAD_FILE, "a convolution has %d channels, expected 512 at most", w.inputs);
        return;
    }
    if (options.reflect && (image->height < 2 || image->width < 2)) {
        ag_build_fail(build, AG_BAD_ARGUMENT, "patterns of %d x %d leave nothing to mirror", image->height, image->width);
        return;
    }
    if (solo && w.inputs < FEW_INPUTS && !options.reflect) {
        build_conv(build, image, result, w, options);
        return;
    }
    if (options.keep)
        keep_sums(build, result, (all + 1) / 2);
    ag_layer *layer = begin_conv(build, &conv3_operation, image, result, options.after);
    if (!layer)
        return;
    layer->number[TILES] = tiles;
    layer->number[REFLECT] = options.reflect;
    layer->number[EXTRA] = 1;
    layer->number[TAPS] = 0x5050; /* all points */
    ag_round(build->net->options.precision, (int64_t)w.outputs * w.inputs * 9, w.weight);
    int64_t reals;
    ag_real *packed = ag_pack_conv3(&reals, w.outputs, w.inputs, w.weight, solo, build->net->matrix);
    layer->weights[0] = ag_build_upload(build, reals, packed);
}

ag_image
ag_layer_conv(ag_build *build, ag_image image, ag_kernel_weights w, ag_conv_options options)
{
    const int stride = options.stride ? options.stride : 1;
    ag_image result = image;
    if (!build->status && w.weight) {
        const int loss = w.side == 3 ? 0 : w.side - 1;
        result = ag_image_new(build, w.outputs, (image.height - loss - 1) / stride + 1,
                           (image.width - loss - 1) / stride + 1);
        if (image.channels != w.inputs)
            ag_build_fail(build, AG_BAD_FILE, "a convolution of %d channels follows %d of them", w.inputs, image.channels);
        const int layers = build->net->layers;
        (w.side == 3 ? build_conv3 : build_conv)(build, &image, &result, w, options);
        if (build->net->layers > layers) {
            ag_real *bias = w.bias ? ag_pack_vector(w.outputs, w.bias)
                                   : ag_calloc(result.blocks * AG_BLOCK, sizeof *bias);
            w.bias = NULL;
            ag_array *array = ag_build_upload(build, (int64_t)result.blocks * AG_BLOCK, bias);
            build->net->layer[layers].weights[1] = array;
        }
    }
    free(w.weight);
    free(w.bias);
    return result;
}

/* As one convolution of 3 x 3: of Winograd's 144 products those 100 (4 x 4 taps) or 81 (3 x 3) that are not 0, where a
   direct one has 256 and 144. */
static ag_image
transposed_by_conv3(ag_build *build, ag_image image, int outputs, const ag_real *weight, int side)
{
    /* Of rows and columns of each parity: which tap meets the pixel before, the pixel, the one behind. */
    static const int taps[2][2][3] = {{{-1, 1, -1}, {-1, 2, 0}}, {{3, 1, -1}, {-1, 2, 0}}};
    const int(*const tap)[3] = taps[side == 4];
    ag_image result = ag_image_new(build, outputs, 2 * image.height, 2 * image.width);
    const int wide = result.blocks * AG_BLOCK, inputs = image.channels;
    const int64_t tiles = (int64_t)((image.height + 3) / 4) * ((image.width + 3) / 4);
    keep_sums(build, &result, 4 * ((tiles + 1) / 2));
    ag_layer *layer = begin_conv(build, &conv3_operation, &image, &result, AG_SAME);
    ag_real *w = layer ? ag_calloc((int64_t)4 * wide * inputs * 9, sizeof *w) : NULL;
    for (int64_t k = 0; w && k < (int64_t)4 * outputs * inputs * 9; k++) {
        const int b = (int)(k % 3), a = (int)(k / 3 % 3), i = (int)(k / 9 % inputs), o = (int)(k / 9 / inputs % outputs);
        const int phase = (int)(k / 9 / inputs / outputs), y = tap[phase / 2][a], x = tap[phase % 2][b];
        if (y >= 0 && x >= 0)
            w[(((int64_t)phase * wide + o) * inputs + i) * 9 + 3 * a + b] = weight[((int64_t)i * outputs + o) * side * side + side * y + x];
    }
    if (layer) {
        const int number = build->net->layers - 1;
        layer->number[OUTPUT_BLOCKS] = 4 * result.blocks;
        layer->number[TILES] = tiles_for(inputs);
        layer->number[EXTRA] = 4;
        /* A panel of two phases takes all points. */
        layer->number[TAPS] = result.blocks % 2 ? 0x5050 : side == 4 ? 0x5140 : 0x5141;
        int64_t reals = 0;
        ag_real *reordered = w ? ag_pack_conv3(&reals, 4 * wide, inputs, w, 1, AG_FP32) : NULL;
        ag_array *packed = ag_build_upload(build, reals, reordered);
        ag_array *bias = ag_build_upload(build, 4 * wide, ag_calloc(4 * wide, sizeof(ag_real)));
        build->net->layer[number].weights[0] = packed;
        build->net->layer[number].weights[1] = bias;
    }
    free(w);
    return result;
}

ag_image
ag_layer_transposed(ag_build *build, ag_image image, int outputs, ag_real *weight, int side)
{
    /* Of rows and columns of each parity: taps that reach them, the image's row before, the taps. */
    static const struct axis {
        int taps, up, place[2];
    } axis[2][2] = {{{1, 0, {1, 0}}, {2, 0, {2, 0}}}, {{2, 1, {3, 1}}, {2, 0, {2, 0}}}};
    ag_image result = image;
    const int solo = ag_device_room(build->net->device).lanes == 1;
    if (!build->status && weight)
        ag_round(build->net->options.precision, (int64_t)image.channels * outputs * side * side, weight);
    if (!build->status && weight && solo && tiles_for(image.channels) && (side == 4 || blocks_of(outputs) % 2 == 0)) {
        result = transposed_by_conv3(build, image, outputs, weight, side);
        free(weight);
        return result;
    }
    if (!build->status && weight) {
        result = ag_image_new(build, outputs, 2 * image.height, 2 * image.width);
        keep_sums(build, &result, 4 * image.height * (int64_t)((image.width + 31) / 32));
    }
    for (int phase = 0; phase < 4 && !build->status && weight; phase++) {
        const struct axis *y = &axis[side == 4][phase / 2], *x = &axis[side == 4][phase % 2];
        int place[4];
        for (int a = 0; a < y->taps; a++)
            for (int b = 0; b < x->taps; b++)
                place[a * x->taps + b] = y->place[a] * side + x->place[b];
        ag_layer *layer = begin_conv(build, &conv_operation, &image, &result, AG_SAME);
        if (!layer)
            break;
        const int number = build->net->layers - 1, taps = y->taps * x->taps;
        layer->number[ROWS] = image.height;
        layer->number[COLS] = image.width;
        layer->number[TAPS] = y->taps | x->taps << 8 | 1 << 16;
        layer->number[PLACE] = y->up | x->up << 8 | (phase / 2) << 16 | (phase % 2) << 24;
        layer->number[EXTRA] = 2 | phase << 3;
        int64_t reals;
        ag_real *reordered = ag_pack_conv(&reals, outputs, image.channels, weight, side * side, (int64_t)outputs * side * side,
                                          taps, place, build->net->matrix);
        ag_array *packed = ag_build_upload(build, reals, reordered);
        /* A norm follows, which takes the bias away. */
        ag_array *bias = ag_build_upload(build, (int64_t)result.blocks * AG_BLOCK,
                                         ag_calloc(result.blocks * AG_BLOCK, sizeof(ag_real)));
        build->net->layer[number].weights[0] = packed;
        build->net->layer[number].weights[1] = bias;
    }
    free(weight);
    return result;
}

/* ---- norms --------------------------------------------------------------------------------- */

static void
forward_norm(ag_net *net, const ag_layer *layer, int64_t samples)
{
    ag_array scale = ag_net_at(net, layer->value[0]), offset = ag_net_at(net, layer->value[1]);
    const ag_array sums = ag_net_at(net, layer->value[2]);
    const int channels = (int)layer->number[0];
    ag_run_norm_scale(net->program, samples * channels, &scale, &offset, &sums, layer->weights[0], layer->weights[1],
                      channels, (int)layer->number[1], 1e-5);
}
static const ag_operation norm_operation = {forward_norm, AG_CLASS_OTHER, 1, {AG_KERNEL_norm_scale}};

ag_image
ag_layer_norm(ag_build *build, ag_image image, int act, ag_real *gain, ag_real *shift)
{
    const int channels = image.blocks * AG_BLOCK;
    image.scale = ag_build_value(build, channels, 0, 0, 0);
    image.offset = ag_build_value(build, channels, 0, 0, 0);
    image.before = act;
    ag_layer *layer = ag_build_layer(build, &norm_operation);
    if (layer) {
        const int number = build->net->layers - 1;
        layer->value[0] = image.scale;
        layer->value[1] = image.offset;
        layer->value[2] = image.sums;
        layer->number[0] = channels;
        layer->number[1] = image.rows;
        ag_array *first = ag_build_upload(build, channels, ag_pack_vector(image.channels, gain));
        ag_array *second = ag_build_upload(build, channels, ag_pack_vector(image.channels, shift));
        build->net->layer[number].weights[0] = first;
        build->net->layer[number].weights[1] = second;
    } else {
        free(gain);
        free(shift);
    }
    return image;
}

static void
forward_affine(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    ag_array result = ag_net_at(net, layer->value[0]);
    const ag_array image = ag_net_at(net, layer->value[1]), scale = ag_net_at(net, layer->value[2]),
                   offset = ag_net_at(net, layer->value[3]), base = view(net, layer->value[4], 0);
    ag_run_affine(net->program, samples * n[0] * n[1], &result, &image, &scale, &offset, &base, (int)n[1], (int)n[2],
                  (int)n[3], (int)n[4]);
}
static const ag_operation affine_operation = {forward_affine, AG_CLASS_OTHER, 1, {AG_KERNEL_affine}};

static ag_image
affine(ag_build *build, ag_image image, int base)
{
    const ag_image result = ag_image_new(build, image.channels, image.height, image.width);
    ag_layer *layer = ag_build_layer(build, &affine_operation);
    if (layer) {
        const int value[5] = {result.value, image.value, image.scale, image.offset, base};
        memcpy(layer->value, value, sizeof value);
        const int64_t number[5] = {image.blocks, image.height, image.width, image.before, base >= 0};
        memcpy(layer->number, number, sizeof number);
    }
    return result;
}

ag_image
ag_layer_settle(ag_build *build, ag_image image)
{
    return affine(build, image, -1);
}

ag_image
ag_layer_residual(ag_build *build, ag_image base, ag_image image)
{
    return affine(build, image, base.value);
}
