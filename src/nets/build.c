/* SPDX-License-Identifier: BSD-3-Clause */
/* build.c -- a net in the making: tensors of the file, values, layers; the first failure sticks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum { NAME = 256 };

ag_status
ag_build_fail(ag_build *build, ag_status status, const char *format, ...)
{
    char text[900];
    va_list list;
    if (build->status)
        return build->status;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return build->status = ag_fail(build->message, status, "%s: %s", ag_tensors_path(build->tensors), text);
}

static void
set_name(char name[32], const char *format, va_list list)
{
    vsnprintf(name, 32, format, list);
}

void
ag_build_stage(ag_build *build, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    set_name(build->stage, format, list);
    va_end(list);
}

void
ag_build_name(ag_build *build, ag_image image, const char *format, ...)
{
    va_list list;
    if (build->status)
        return;
    va_start(list, format);
    set_name(build->net->value[image.value].stage, format, list);
    va_end(list);
}

/* Room for one more element; the old array stays when there is none. */
static void *
grow(void *array, int count, int *room, size_t size)
{
    if (count < *room)
        return array;
    const int more = *room ? 2 * *room : 64;
    void *grown = realloc(array, (size_t)more * size);
    if (grown)
        *room = more;
    return grown;
}

int
ag_build_value(ag_build *build, int64_t reals, int channels, int height, int width)
{
    ag_net *net = build->net;
    if (build->status)
        return 0;
    ag_net_value *value = grow(net->value, net->values, &net->room_values, sizeof *value);
    if (!value) {
        ag_build_fail(build, AG_NO_MEMORY, "no memory left");
        return 0;
    }
    net->value = value;
    value[net->values] = (ag_net_value){
        .reals = (reals + 63) / 64 * 64, .channels = channels, .height = height, .width = width, .first = -1};
    return net->values++;
}

ag_layer *
ag_build_layer(ag_build *build, const ag_operation *operation)
{
    ag_net *net = build->net;
    if (build->status)
        return NULL;
    ag_layer *layer = grow(net->layer, net->layers, &net->room_layers, sizeof *layer);
    if (!layer) {
        ag_build_fail(build, AG_NO_MEMORY, "no memory left");
        return NULL;
    }
    net->layer = layer;
    layer += net->layers++;
    *layer = (ag_layer){.operation = operation, .value = {-1, -1, -1, -1, -1, -1}};
    memcpy(layer->stage, build->stage, sizeof layer->stage);
    return layer;
}

static const ag_tensor *
look(const ag_build *build, char name[NAME], const char *format, va_list list)
{
    const int n = snprintf(name, NAME, "%s", build->prefix);
    vsnprintf(name + n, (size_t)(NAME - n), format, list);
    return ag_tensors_find(build->tensors, name);
}

const ag_tensor *
ag_build_look(const ag_build *build, const char *format, ...)
{
    char name[NAME];
    va_list list;
    va_start(list, format);
    const ag_tensor *tensor = look(build, name, format, list);
    va_end(list);
    return tensor;
}

int
ag_extent(const ag_tensor *tensor, int rank, int axis)
{
    return tensor && tensor->rank == rank && tensor->shape[axis] <= 4096 ? (int)tensor->shape[axis] : 0;
}

static void
shape_words(char text[120], int rank, const int64_t *shape)
{
    int n = snprintf(text, 120, "(");
    for (int i = 0; i < rank && n < 100; i++)
        n += snprintf(text + n, (size_t)(120 - n), "%s%lld", i ? ", " : "", (long long)shape[i]);
    snprintf(text + n, (size_t)(120 - n), ")");
}

/* A scalar may come as one number, and complex numbers as pairs. */
static int
fits(const ag_tensor *tensor, int rank, const int64_t *shape)
{
    int64_t count = 1;
    const int pairs = !strcmp(tensor->dtype, "C64");
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    if (count != tensor->count)
        return 0;
    if (count == 1)
        return 1;
    if (tensor->rank + pairs != rank)
        return 0;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->shape[i] != shape[i])
            return 0;
    return 1;
}

static ag_real *
take(ag_build *build, int rank, const int64_t *shape, const char *name, const ag_tensor *tensor)
{
    char found[120], expected[120];
    if (build->status)
        return NULL;
    shape_words(expected, rank, shape);
    if (!tensor) {
        ag_build_fail(build, AG_BAD_FILE, "found no tensor %s, expected one of shape %s", name, expected);
        return NULL;
    }
    shape_words(found, tensor->rank, tensor->shape);
    if (!fits(tensor, rank, shape)) {
        ag_build_fail(build, AG_BAD_FILE, "tensor %s has type %.20s and shape %s, expected shape %s", name,
                      tensor->dtype, found, expected);
        return NULL;
    }
    ag_real *value = ag_calloc(tensor->count, sizeof *value);
    if (!value) {
        ag_build_fail(build, AG_NO_MEMORY, "no memory left for tensor %s of shape %s", name, found);
        return NULL;
    }
    build->status = ag_tensors_read(build->tensors, tensor, value, build->message);
    if (!build->status)
        return value;
    free(value);
    return NULL;
}

ag_real *
ag_build_take(ag_build *build, int rank, const int64_t *shape, const char *format, ...)
{
    char name[NAME];
    va_list list;
    va_start(list, format);
    const ag_tensor *tensor = look(build, name, format, list);
    va_end(list);
    return take(build, rank, shape, name, tensor);
}

ag_kernel_weights
ag_build_weights(ag_build *build, int outputs, int inputs, int side, const char *format, ...)
{
    ag_kernel_weights w = {outputs, inputs, side, NULL, NULL};
    char base[NAME];
    va_list list;
    va_start(list, format);
    vsnprintf(base, sizeof base, format, list);
    va_end(list);
    w.weight = ag_build_take(build, 4, (const int64_t[]){outputs, inputs, side, side}, "%s.weight", base);
    w.bias = ag_build_take(build, 1, (const int64_t[]){outputs}, "%s.bias", base);
    return w;
}

void
ag_build_fold_norm(ag_build *build, ag_kernel_weights *w, const char *name)
{
    static const char *const part[4] = {"weight", "bias", "running_mean", "running_var"};
    ag_real *norm[4];
    for (int i = 0; i < 4; i++)
        norm[i] = ag_build_take(build, 1, (const int64_t[]){w->outputs}, "%s.%s", name, part[i]);
    const int64_t each = (int64_t)w->inputs * w->side * w->side;
    for (int o = 0; o < w->outputs && !build->status; o++) {
        const double variance = (double)norm[3][o];
        if (!(variance >= 0))
            ag_build_fail(build, AG_BAD_FILE, "tensor %s%s.running_var has %g, expected none below 0", build->prefix, name,
                          variance);
        const double factor = (double)norm[0][o] / sqrt(variance + 1e-5);
        for (int64_t i = 0; i < each; i++)
            w->weight[o * each + i] = (ag_real)(factor * (double)w->weight[o * each + i]);
        w->bias[o] = (ag_real)(factor * ((double)w->bias[o] - (double)norm[2][o]) + (double)norm[1][o]);
    }
    for (int i = 0; i < 4; i++)
        free(norm[i]);
}

ag_array *
ag_build_upload(ag_build *build, int64_t count, ag_real *value)
{
    ag_array *array = NULL;
    if (!build->status && !value)
        ag_build_fail(build, AG_NO_MEMORY, "no memory left");
    if (!build->status) {
        array = ag_new_from(build->net->device, AG_REAL, count, value, "the weights of a net");
        build->net->weight_bytes += count * (int64_t)sizeof *value;
        if (!array)
            ag_build_fail(build, ag_device_status(build->net->device), "%s",
                          ag_device_message(build->net->device));
    }
    free(value);
    return array;
}
