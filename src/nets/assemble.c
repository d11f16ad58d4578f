/* SPDX-License-Identifier: BSD-3-Clause */
/* assemble.c -- patches put together: PtychoPINN's position-weighted scatter with sub-pixel places
   (github.com/hoidn/PtychoPINN, ptycho_torch/reassembly.py), as a gather that repeats to the bit.  */
#include <math.h>
#include <stdlib.h>

#include "net.h"

/* Keeps an empty pixel from being 0 / 0. */
#define LEAST_WEIGHT 1e-12

static ag_status
check(const ag_assembly *a, ag_message *message)
{
    if (!a || !a->patch || !a->position || a->count < 1 || a->rows < 1 || a->cols < 1 || a->trim < 1 ||
        a->trim > a->rows || a->trim > a->cols || a->trim > 16384)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "assembly: found %lld patches of %lld x %lld of which %lld x %lld are used, expected 1 or more, and "
                       "no more used than there are",
                       (long long)(a ? a->count : 0), (long long)(a ? a->rows : 0), (long long)(a ? a->cols : 0),
                       (long long)(a ? a->trim : 0), (long long)(a ? a->trim : 0));
    for (int64_t i = 0; i < 2 * a->count; i++)
        if (!isfinite(a->position[i]) || fabs(a->position[i]) > 1e9)
            return ag_fail(message, AG_BAD_ARGUMENT, "assembly: position %lld is %g, expected a number of pixels",
                           (long long)(i / 2), a->position[i]);
    return AG_OK;
}

ag_status
ag_assembly_size(ag_assembly *a, ag_message *message)
{
    const ag_status status = check(a, message);
    int64_t side[2];
    if (status)
        return status;
    for (int k = 0; k < 2; k++) {
        double mean = 0, farthest = 0;
        for (int64_t j = 0; j < a->count; j++)
            mean += a->position[2 * j + k] / (double)a->count;
        for (int64_t j = 0; j < a->count; j++)
            farthest = fmax(farthest, fabs(a->position[2 * j + k] - mean));
        side[k] = 2 * a->trim + 2 * (int64_t)ceil(farthest);
        a->origin[k] = mean - (double)(side[k] / 2);
    }
    if (side[0] > INT64_C(1) << 20 || side[1] > INT64_C(1) << 20)
        return ag_fail(message, AG_BAD_ARGUMENT, "assembly: the positions span %lld x %lld pixels, expected 1048576 at most",
                       (long long)side[0], (long long)side[1]);
    a->canvas_rows = side[0];
    a->canvas_cols = side[1];
    return AG_OK;
}

typedef struct work {
    ag_complex *patch;
    ag_real *weight, *fraction;
    int32_t *corner;
    int64_t used;
    ag_array *d_number, *d_density, *d_patch, *d_weight, *d_corner, *d_fraction;
    ag_program *program;
} work;

/* The patches that lie inside: their middles and where these go. */
static void
sort_out(const ag_assembly *a, work *w)
{
    const int64_t up = a->rows / 2 - a->trim / 2, left = a->cols / 2 - a->trim / 2, canvas[2] = {a->canvas_rows, a->canvas_cols};
    for (int64_t j = 0; j < a->count; j++) {
        int inside = 1;
        for (int k = 0; k < 2; k++) {
            const double at = a->position[2 * j + k] - a->origin[k] - (double)a->trim / 2, whole = floor(at);
            inside = inside && whole >= 0 && whole + (double)a->trim + 1 < (double)canvas[k];
            w->corner[2 * w->used + k] = inside ? (int32_t)whole : 0;
            w->fraction[2 * w->used + k] = (ag_real)(at - whole);
        }
        if (!inside)
            continue;
        for (int64_t y = 0; y < a->trim; y++)
            for (int64_t x = 0; x < a->trim; x++)
                w->patch[(w->used * a->trim + y) * a->trim + x] = a->patch[(j * a->rows + up + y) * a->cols + left + x];
        w->used++;
    }
}

static void
gather(const ag_assembly *a, ag_device *device, work *w)
{
    const ag_shape shape = {.y = {.length = 1}, .x = {.length = 1}, .tile = 16};
    const int list[1] = {AG_KERNEL_place_patches};
    const int64_t area = a->canvas_rows * a->canvas_cols, each = a->trim * a->trim;
    const int64_t block = AG_MAX(1, AG_MIN(w->used, ag_device_room(device).allocation / 2 / (each * (int64_t)sizeof *w->patch)));
    w->program = ag_program_create(device, &shape, 1, list);
    w->d_number = ag_new(device, AG_COMPLEX, area, "the canvas");
    w->d_density = ag_new(device, AG_REAL, area, "the weights of the canvas");
    w->d_patch = ag_new(device, AG_COMPLEX, block * each, "patches");
    w->d_weight = ag_new_from(device, AG_REAL, each, w->weight, "the weight of a patch");
    w->d_corner = ag_new_from(device, AG_INT, 2 * a->count, w->corner, "places of patches");
    w->d_fraction = ag_new_from(device, AG_REAL, 2 * a->count, w->fraction, "places of patches");
    if (ag_device_status(device))
        return;
    for (int64_t first = 0; first == 0 || first < w->used; first += block) {
        const int64_t n = AG_MIN(block, w->used - first);
        const ag_array corner = ag_view(w->d_corner, 2 * first), fraction = ag_view(w->d_fraction, 2 * first);
        ag_array_write(w->d_patch, 0, n * each, w->patch + first * each);
        ag_run_place_patches(w->program, a->canvas_rows * ((a->canvas_cols + AG_SEGMENT - 1) / AG_SEGMENT), w->d_number,
                             w->d_density, w->d_patch, w->d_weight, &corner, &fraction, n, (int)a->trim, a->canvas_cols,
                             first == 0);
    }
}

ag_status
ag_assembly_run(const ag_assembly *a, ag_device *device, ag_complex *object, ag_real *weights, int64_t *used)
{
    ag_message message;
    work w = {0};
    ag_status status = check(a, &message);
    if (!status && (a->canvas_rows < 1 || a->canvas_cols < 1 || a->canvas_rows > 1 << 20 || a->canvas_cols > 1 << 20))
        status = ag_fail(&message, AG_BAD_ARGUMENT, "assembly: found a canvas of %lld x %lld, expected 1 to 1048576 on a side",
                         (long long)a->canvas_rows, (long long)a->canvas_cols);
    if (status)
        return ag_device_fail(device, status, "%s", message.text);
    const int64_t area = a->canvas_rows * a->canvas_cols, each = a->trim * a->trim;
    w.patch = ag_calloc(a->count * each, sizeof *w.patch);
    w.weight = ag_calloc(each, sizeof *w.weight);
    w.fraction = ag_calloc(2 * a->count + 2, sizeof *w.fraction);
    w.corner = ag_calloc(2 * a->count + 2, sizeof *w.corner);
    if (!w.patch || !w.weight || !w.fraction || !w.corner) {
        ag_device_fail(device, AG_NO_MEMORY, "assembly: out of host memory");
    } else {
        for (int64_t i = 0; i < each; i++)
            w.weight[i] = a->weight ? a->weight[i] : 1;
        sort_out(a, &w);
        gather(a, device, &w);
    }
    if (!ag_device_status(device)) {
        ag_array_read(w.d_number, 0, area, object);
        ag_array_read(w.d_density, 0, area, weights);
        for (int64_t i = 0; i < area; i++) {
            const ag_real below = weights[i] + (ag_real)LEAST_WEIGHT;
            object[i].re /= below;
            object[i].im /= below;
        }
        if (used)
            *used = w.used;
    }
    ag_program_destroy(w.program);
    ag_array *const array[] = {w.d_number, w.d_density, w.d_patch, w.d_weight, w.d_corner, w.d_fraction};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    free(w.patch);
    free(w.weight);
    free(w.fraction);
    free(w.corner);
    return ag_device_status(device);
}
