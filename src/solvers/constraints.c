/* SPDX-License-Identifier: BSD-3-Clause */
/* constraints.c -- what is known of object and probe beforehand, imposed at the end of every iteration: bounds of the
   object's modulus, and a disc outside of which the probe is 0.  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

ag_status
ag_constraints_create(ag_solver *s)
{
    const double radius = s->options.probe_support * (double)AG_MIN(s->rows, s->cols) / 2;
    if (!(radius > 0))
        return ag_device_status(s->device);
    ag_real *weight = ag_calloc(s->window, sizeof *weight);
    if (!weight)
        return ag_device_fail(s->device, AG_NO_MEMORY, "support: out of host memory");
    for (int64_t i = 0; i < s->window; i++) {
        const double y = (double)(i / s->cols) - (double)(s->rows / 2), x = (double)(i % s->cols) - (double)(s->cols / 2);
        weight[i] = hypot(y, x) <= radius;
    }
    s->support = ag_new_from(s->device, AG_REAL, s->window, weight, "probe support");
    free(weight);
    return ag_device_status(s->device);
}

void
ag_constraints_apply(ag_solver *s)
{
    const ag_options *o = &s->options;
    ag_step(s->device, "constraints");
    for (int64_t k = 0; k < o->modes && s->support && o->probe_start >= 0 && s->done >= o->probe_start; k++) {
        ag_array mode = ag_view(s->probe, k * s->window);
        ag_run_weigh(s->program, s->window, &mode, s->support);
    }
    if (o->object_least > 0 || o->object_most > 0)
        ag_run_bound(s->program, s->object_rows * s->object_cols, s->object, o->object_least, o->object_most);
}
