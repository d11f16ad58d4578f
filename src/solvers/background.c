/* SPDX-License-Identifier: BSD-3-Clause */
/* background.c -- a background that all frames share, estimated from them: kernels background.

   Where an iteration is due, each frame's intensity is taken of the wave that is about to be projected, and sums run over
   the frames in the solver's order; the iteration ends with the step.  In all iterations the data are the amplitudes without
   the background as it is.  (SHARP: S. Marchesini et al., J. Appl. Cryst. 49, 1245 (2016).)  */
#include <stdlib.h>
#include <string.h>

#include "solver.h"

#define SUMS 5 /* of a pixel, see the kernel */

struct ag_background {
    int zero_in_corner;
    ag_array *value, *sums; /* as amplitudes lie */
    ag_array *data;         /* of a pass: intensities of its waves, then amplitudes without the background */
    ag_array *valid;        /* rows x cols: 1 */
};

ag_status
ag_background_check(const ag_options *o, const ag_method *method, ag_message *message)
{
    if (o->background_period < 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "background period: found %lld, expected 1 or more",
                       (long long)o->background_period);
    if (o->background_start < 0)
        return AG_OK;
    if (method && !method->knows_background)
        return ag_fail(message, AG_BAD_ARGUMENT, "background start: found %lld, expected none: %s does not estimate a background",
                       (long long)o->background_start, o->method);
    if (o->data_type != AG_DATA_FLOAT32)
        return ag_fail(message, AG_BAD_ARGUMENT, "data type: found uint16, expected float32 where a background is estimated");
    if (!o->clip_amplitudes)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "negative amplitudes: found them kept, expected them to become 0 where a background is estimated");
    return AG_OK;
}

int
ag_background_kernels(const ag_solver *s, int *list)
{
    int n = 0;
    if (s->options.background_start >= 0) {
        list[n++] = ag_solver_kernel(s, AG_KERNEL_projected);
        list[n++] = AG_KERNEL_background_sums;
        list[n++] = AG_KERNEL_background_step;
        list[n++] = AG_KERNEL_without_background;
    }
    return n;
}

ag_status
ag_background_create(ag_solver *s, const ag_scan_info *info)
{
    ag_device *d = s->device;
    if (s->options.background_start < 0)
        return ag_device_status(d);
    ag_background *own = s->background = calloc(1, sizeof *own);
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "background: out of host memory");
    own->zero_in_corner = info->zero_in_corner != 0;
    own->value = ag_new(d, AG_REAL, s->amplitudes, "background");
    own->sums = ag_new(d, AG_REAL, SUMS * s->amplitudes, "sums of the background");
    own->data = ag_new(d, AG_REAL, s->slots * s->amplitudes, "amplitudes without the background");
    int32_t *valid = ag_calloc(s->window, sizeof *valid);
    for (int64_t i = 0; valid && i < s->window; i++)
        valid[i] = 1;
    if (valid)
        own->valid = ag_new_from(d, AG_INT, s->window, valid, "background");
    else
        ag_device_fail(d, AG_NO_MEMORY, "background: out of host memory");
    free(valid);
    if (own->value)
        ag_clear(own->value);
    return ag_device_status(d);
}

void
ag_background_destroy(ag_solver *s)
{
    ag_background *own = s->background;
    if (!own)
        return;
    ag_array_destroy(own->value);
    ag_array_destroy(own->sums);
    ag_array_destroy(own->data);
    ag_array_destroy(own->valid);
    free(own);
}

void
ag_background_state(ag_solver *s, ag_record *record)
{
    if (s->background)
        ag_record_array(record, "background", s->background->value, s->near ? s->rows : s->cols);
}

/* Whether the present iteration estimates it. */
static int
is_due(const ag_solver *s)
{
    const int64_t since = s->done - s->options.background_start;
    return s->background && since >= 0 && since % s->options.background_period == 0;
}

typedef struct projected {
    ag_detector *detector;
    ag_array *result;
    double model, kept;
} projected;

static void
project(const ag_pass *p, void *what)
{
    const projected *w = what;
    const ag_solver *s = w->detector->solver;
    const int keeps = w->kept < 0 || w->kept > 0;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_projected
             : ag_run_projected)(p->program, p->slots, w->result, p->scratch, ag_solver_table(s),
                                 keeps ? &w->detector->state : NULL, w->model * s->detector_scale, w->kept, keeps, p->spill);
}

void
ag_background_look(ag_solver *s, const ag_pass *pass, ag_detector *detector, int begin, double model, double kept)
{
    ag_background *own = s->background;
    const int64_t n = s->amplitudes;
    if (!is_due(s))
        return;
    projected what = {detector, own->data, model, kept};
    ag_step(s->device, "background");
    ag_propagate(pass, ag_run_load_exit, project, &what, NULL, NULL);
    ag_run_background_sums(s->program, n, own->sums, own->value, &detector->frame, detector->first,
                           &detector->amplitude, own->data, n, pass->slots, begin);
}

void
ag_background_leave(ag_solver *s, const ag_pass *pass, ag_detector *detector)
{
    ag_background *own = s->background;
    if (!own)
        return;
    ag_step(s->device, "background");
    ag_run_without_background(s->program, s->amplitudes, own->data, &detector->frame, detector->first,
                              &detector->amplitude, own->value, s->amplitudes, pass->slots);
    detector->amplitude = ag_view(own->data, 0);
    detector->frame = ag_view(s->place, 0);
    detector->first = 0;
}

void
ag_background_step(ag_solver *s)
{
    ag_background *own = s->background;
    if (!is_due(s))
        return;
    ag_step(s->device, "background");
    s->comm->sum(s->comm, own->sums, NULL);
    ag_run_background_step(s->program, s->amplitudes, own->value, own->sums, s->amplitudes);
}

/* Which pixel of the data each element is says kernel amplitude, from their rows, then their columns. */
ag_status
ag_solver_background(ag_solver *s, double *background)
{
    ag_device *d = s->device;
    ag_background *own = s->background;
    const int64_t n = s->amplitudes;
    memset(background, 0, (size_t)s->window * sizeof *background);
    if (!own)
        return ag_device_status(d);
    ag_real *image = ag_calloc(s->window, sizeof *image), *lies = ag_calloc(3 * n, sizeof *lies);
    if (!image || !lies)
        ag_device_fail(d, AG_NO_MEMORY, "background: out of host memory");
    for (int axis = 0; axis < 2 && !ag_device_status(d); axis++) {
        for (int64_t i = 0; i < s->window; i++)
            image[i] = (ag_real)(axis ? i % s->cols : i / s->cols);
        ag_array_write(own->sums, 0, s->window, image);
        if (s->near)
            ag_run_near_amplitude(s->program, 1, own->data, own->sums, own->valid, 0, 0, 0, NULL);
        else
            ag_run_amplitude(s->program, 1, own->data, own->sums, own->valid, s->plan.place[own->zero_in_corner], 0, 0, 0, NULL);
        ag_array_read(own->data, 0, n, lies + axis * n);
    }
    if (!ag_device_status(d) && !ag_array_read(own->value, 0, n, lies + 2 * n))
        for (int64_t i = 0; i < n; i++)
            if (lies[i] < (ag_real)s->rows)
                background[(int64_t)lies[i] * s->cols + (int64_t)lies[n + i]] = (double)lies[2 * n + i];
    free(image);
    free(lies);
    return ag_device_status(d);
}
