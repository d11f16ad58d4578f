/* SPDX-License-Identifier: BSD-3-Clause */
/* steps.c -- the steps that several methods take: passes, shifted probes, boxes, error sums. */
#include <stdlib.h>

#include "solver.h"

ag_pass
ag_solver_pass(ag_solver *s, int64_t first, int64_t slots, ag_detector *detector)
{
    ag_array frame = ag_view(s->frame, first);
    int64_t n = AG_MIN(slots, s->frames - first);
    if (detector && (s->amplitude.shelf || s->places)) {
        detector->amplitude = ag_stack_view(&s->amplitude, first, &n, AG_STACK_READ);
        detector->frame = ag_view(s->place, 0);
        detector->first = 0;
    } else if (detector) {
        /* Places of the order are ascending within a pass, so that its frames lie in one block of
           amplitudes until the block ends. */
        const int64_t block = s->order[first] / s->amplitude.block, most = n;
        for (n = 1; n < most && s->order[first + n] / s->amplitude.block == block;)
            n++;
        detector->frame = frame;
        detector->first = block * s->amplitude.block;
        detector->amplitude = ag_stack_view(&s->amplitude, detector->first, NULL, AG_STACK_READ);
    }
    if (detector) {
        detector->solver = s;
        detector->error = ag_view(s->error, first * s->strips);
        detector->start = 0;
    }
    const ag_pass pass = {s->program, &s->plan,  n,         s->scratch,     s->spill,           frame,
                          s->corner,  s->fraction, s->object, s->object_cols, ag_view(s->probe, 0), 0};
    return pass;
}

static void
shift(const ag_pass *p, void *what)
{
    const struct {
        const ag_solver *solver;
        int sign;
    } *w = what;
    ag_run_shift(p->program, p->slots * p->plan->shape.modes, p->scratch, p->plan->table_x, &p->frame, w->solver->ramp,
                 w->solver->scale * w->solver->scale, w->sign, p->spill);
}

void
ag_solver_shift(ag_solver *s, const ag_pass *pass, const ag_array *stack, int64_t step, ag_array *result,
                int sign)
{
    struct {
        const ag_solver *solver;
        int sign;
    } what = {s, sign};
    ag_pass moved = *pass;
    ag_step(s->device, "shift");
    moved.probe = ag_view(stack, 0);
    moved.probe_step = step;
    ag_propagate(&moved, ag_run_load_probe, shift, &what, ag_run_store_stack, result);
}

void
ag_solver_shift_probe(ag_solver *s, ag_pass *pass)
{
    if (s->shifted)
        ag_solver_probes(s, pass, s->shifted);
}

void
ag_solver_probes(ag_solver *s, ag_pass *pass, ag_array *result)
{
    if (s->opr)
        ag_opr_probes(s, pass, result);
    if (s->fourier)
        ag_solver_shift(s, pass, s->opr ? result : s->probe, s->opr ? s->windows : 0, result, 1);
    pass->probe = ag_view(result, 0);
    pass->probe_step = s->windows;
}

void
ag_solver_modulus(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_modulus : ag_run_modulus)(p->program, p->slots, p->scratch, ag_solver_table(s),
                                                     &d->error, &d->frame, d->first, &d->amplitude,
                                                     s->detector_scale, s->least, s->options.modulus_guard, p->spill);
    ag_solver_free_space(p, s, -1);
}

static void
predict(const ag_pass *p, void *what)
{
    ag_detector *d = what;
    const ag_solver *s = d->solver;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_power : ag_run_power)(p->program, p->slots, &d->error, p->scratch, ag_solver_table(s),
                                                 &d->frame, d->first, &d->amplitude, s->detector_scale, p->spill);
}

void
ag_solver_rescale_probe(ag_solver *s)
{
    ag_detector detector;
    ag_pass pass;
    for (int64_t first = 0; first < s->frames && !ag_device_status(s->device); first += pass.slots) {
        pass = ag_solver_pass(s, first, s->slots, &detector);
        ag_solver_shift_probe(s, &pass);
        ag_step(s->device, "start");
        ag_propagate(&pass, ag_run_load_exit, predict, &detector, NULL, NULL);
        ag_stack_ahead(&s->amplitude, AG_STACK_READ);
    }
    ag_solver_total(s);
    ag_run_rescale(s->program, s->windows, s->probe, s->energy, s->total);
}

void
ag_solver_orthogonalise(ag_solver *s)
{
    ag_complex *probe = ag_calloc(s->windows, sizeof *probe);
    ag_message message;
    if (!probe)
        ag_device_fail(s->device, AG_NO_MEMORY, "probe: out of host memory");
    else if (!ag_array_read(s->probe, 0, s->windows, probe)) {
        const ag_status status = ag_probe_orthogonalise(probe, s->options.modes, s->window, NULL, &message);
        if (status)
            ag_device_fail(s->device, status, "%s", message.text);
        else
            ag_array_write(s->probe, 0, s->windows, probe);
    }
    free(probe);
}

ag_status
ag_solver_fill(ag_solver *s, ag_array *array, double value)
{
    const int64_t count = ag_array_count(array);
    ag_real *values = ag_calloc(count, sizeof *values);
    if (!values)
        return ag_device_fail(s->device, AG_NO_MEMORY, "start values: out of host memory");
    for (int64_t i = 0; i < count; i++)
        values[i] = (ag_real)value;
    ag_array_write(array, 0, count, values);
    free(values);
    return ag_device_status(s->device);
}

void
ag_solver_total(ag_solver *s)
{
    ag_step(s->device, "error");
    ag_run_total(s->program, 1, s->total, 0, s->error, s->frames * s->strips);
    s->comm->sum(s->comm, s->total, NULL);
}

static ag_box
box(int64_t top, int64_t left, int64_t bottom, int64_t right)
{
    const int64_t segments = (right - left + AG_SEGMENT - 1) / AG_SEGMENT;
    const ag_box b = {top, left, right, segments, (bottom - top) * segments};
    return b;
}

/* Around the windows of frames order[first] ... (NULL: first ...) whose corners are these. */
static ag_box
box_around(const ag_solver *s, const int32_t *corners, const int32_t *order, int64_t first, int64_t slots)
{
    const int linear = s->options.subpixel == AG_SUBPIXEL_LINEAR;
    int64_t top = s->object_rows, left = s->object_cols, bottom = 0, right = 0;
    for (int64_t i = first; i < first + slots; i++) {
        const int32_t *corner = &corners[2 * (order ? (int64_t)order[i] : i)];
        top = AG_MIN(top, corner[0]);
        left = AG_MIN(left, corner[1]);
        bottom = AG_MAX(bottom, corner[0] + s->rows + linear);
        right = AG_MAX(right, corner[1] + s->cols + linear);
    }
    return box(top, left, bottom, right);
}

ag_box
ag_solver_box(const ag_solver *s, int64_t first, int64_t slots)
{
    return box_around(s, s->corners, s->order, first, slots);
}

const int32_t *
ag_solver_corner(const ag_solver *s, int64_t j)
{
    return (s->everywhere ? s->everywhere : s->corners) + 2 * j;
}

ag_box
ag_solver_covered(const ag_solver *s)
{
    return box_around(s, ag_solver_corner(s, 0), NULL, 0, s->all);
}

ag_box
ag_solver_whole(const ag_solver *s)
{
    return box(0, 0, s->object_rows, s->object_cols);
}

ag_array *
ag_solver_covers(ag_solver *s)
{
    const int64_t pixels = s->object_rows * s->object_cols;
    int32_t *covers = ag_calloc(pixels, sizeof *covers);
    if (!covers) {
        ag_device_fail(s->device, AG_NO_MEMORY, "coverage: out of host memory");
        return NULL;
    }
    for (int64_t j = 0; j < s->all; j++)
        for (int64_t i = 0; i < s->window; i++)
            covers[(ag_solver_corner(s, j)[0] + i / s->cols) * s->object_cols + ag_solver_corner(s, j)[1] + i % s->cols]++;
    ag_array *array = ag_new_from(s->device, AG_INT, pixels, covers, "coverage");
    free(covers);
    return array;
}
