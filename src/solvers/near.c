/* SPDX-License-Identifier: BSD-3-Clause */
/* near.c -- a detector in the near field: exit wave, transform, free space, transform back, what the
   detector says, and the same way back.

   Two transfer passes more than in the far field, and the detector's pass works on columns of the
   frame in place of rows of frequencies: kernels transfer and near_...  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

static const int kernels[][2] = {
    {AG_KERNEL_amplitude, AG_KERNEL_near_amplitude},
    {AG_KERNEL_ep_project, AG_KERNEL_near_ep_project},
    {AG_KERNEL_ep_start, AG_KERNEL_near_ep_start},
    {AG_KERNEL_ep_weigh, AG_KERNEL_near_ep_weigh},
    {AG_KERNEL_measure, AG_KERNEL_near_measure},
    {AG_KERNEL_poisson, AG_KERNEL_near_poisson},
    {AG_KERNEL_poisson_sums, AG_KERNEL_near_poisson_sums},
    {AG_KERNEL_power, AG_KERNEL_near_power},
    {AG_KERNEL_projected, AG_KERNEL_near_projected},
    {AG_KERNEL_modulus, AG_KERNEL_near_modulus},
    {AG_KERNEL_modulus_dm, AG_KERNEL_near_modulus_dm},
    {AG_KERNEL_modulus_residual, AG_KERNEL_near_modulus_residual},
    {AG_KERNEL_modulus_raar, AG_KERNEL_near_modulus_raar},
};

int
ag_solver_kernel(const ag_solver *s, int kernel)
{
    for (size_t i = 0; s->near && i < sizeof kernels / sizeof *kernels; i++)
        if (kernels[i][0] == kernel)
            return kernels[i][1];
    if (kernel == AG_KERNEL_object_sum && s->options.sums == AG_SUMS_ATOMIC)
        return AG_KERNEL_object_scatter;
    return kernel;
}

const ag_array *
ag_solver_table(const ag_solver *s)
{
    return s->near ? s->plan.table_y : s->plan.table_x;
}

/* Cycles per pixel at position p of an axis. */
static double
frequency(const ag_axis *axis, int p)
{
    const int n = axis->length, k = ag_axis_frequency(axis, p);
    return (double)(k < (n + 1) / 2 ? k : k - n) / n;
}

void
ag_solver_transfer(ag_solver *s, const ag_scan_info *info)
{
    const ag_shape *shape = &s->plan.shape;
    const int tile = shape->tile;
    if (ag_device_counts(s->device)) {
        s->transfer = ag_new(s->device, AG_REAL, s->plan.scratch, "transfer function");
        return;
    }
    ag_real *value = ag_calloc(s->plan.scratch, sizeof *value);
    for (int p = 0; value && p < shape->y.length; p++)
        for (int q = 0; q < shape->x.length; q++) {
            ag_real *at = value + (s->plan.fft ? 2 * ((int64_t)p * shape->x.length + q)
                                               : ((int64_t)(p / tile) * shape->x.length + q) * 2 * tile + p % tile);
            const double phase =
                ag_near_phase(info, frequency(&shape->y, p), frequency(&shape->x, q));
            at[0] = (ag_real)cos(phase);
            at[s->plan.fft ? 1 : tile] = (ag_real)sin(phase);
        }
    if (value)
        s->transfer = ag_new_from(s->device, AG_REAL, s->plan.scratch, value, "transfer function");
    else
        ag_device_fail(s->device, AG_NO_MEMORY, "transfer function: out of host memory");
    free(value);
}

void
ag_solver_free_space(const ag_pass *p, const ag_solver *s, int sign)
{
    const int64_t waves = p->slots * s->options.modes;
    if (!s->near)
        return;
    if (sign < 0)
        ag_plan_transform(p->plan, waves, p->scratch, 0);
    ag_run_transfer(p->program, waves, p->scratch, p->plan->table_x, &p->frame, s->transfer, s->ramp,
                    s->fourier, 1 / (double)s->window, sign, p->spill);
    if (sign > 0)
        ag_plan_transform(p->plan, waves, p->scratch, 1);
}
