/* SPDX-License-Identifier: BSD-3-Clause */
/* residuals.c -- how far the waves of a projection method are from the data and from the overlap: kernels residuals.

   In parts of the root of the sum of a^2: of the waves that are about to be projected, how far their moduli are from the
   measured ones; of what the projection made of them, how far they are from probe times object as the iteration leaves
   these.  (S. Marchesini et al., J. Appl. Cryst. 49, 1245 (2016).)  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

struct ag_residuals {
    int64_t parts;               /* of a frame in the sums of the overlap */
    ag_array *modulus, *overlap; /* sums of squares: frames x strips, frames x parts */
    ag_array *total;             /* of both */
    double *history[2];          /* NaN where they were not due */
};

ag_status
ag_residuals_check(const ag_options *o, const ag_method *method, ag_message *message)
{
    if (o->residuals < 0)
        return ag_fail(message, AG_BAD_ARGUMENT, "residuals: found %lld, expected 0 or more", (long long)o->residuals);
    if (o->residuals && method && !method->residuals)
        return ag_fail(message, AG_BAD_ARGUMENT, "residuals: found %lld, expected 0: %s is neither raar nor ap",
                       (long long)o->residuals, o->method);
    return AG_OK;
}

int
ag_residuals_kernels(const ag_solver *s, int *list)
{
    int n = 0;
    if (s->options.residuals) {
        list[n++] = ag_solver_kernel(s, AG_KERNEL_modulus_residual);
        list[n++] = AG_KERNEL_overlap_residual;
    }
    return n;
}

ag_status
ag_residuals_create(ag_solver *s)
{
    ag_device *d = s->device;
    if (!s->options.residuals)
        return ag_device_status(d);
    ag_residuals *own = s->residuals = calloc(1, sizeof *own);
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "residuals: out of host memory");
    own->parts = s->plan.tops / s->rows * ((s->rows + 15) / 16);
    own->modulus = ag_new(d, AG_REAL, s->frames * s->strips, "residuals of moduli");
    own->overlap = ag_new(d, AG_REAL, s->frames * own->parts, "residuals of the overlap");
    own->total = ag_new(d, AG_REAL, 2, "residuals");
    return ag_device_status(d);
}

void
ag_residuals_destroy(ag_solver *s)
{
    ag_residuals *own = s->residuals;
    if (!own)
        return;
    ag_array_destroy(own->modulus);
    ag_array_destroy(own->overlap);
    ag_array_destroy(own->total);
    free(own->history[0]);
    free(own->history[1]);
    free(own);
}

int
ag_residuals_due(const ag_solver *s)
{
    return s->residuals && (s->done + 1) % s->options.residuals == 0;
}

typedef struct looked {
    ag_detector *detector;
    ag_array error;
    double model, kept;
} looked;

static void
look(const ag_pass *p, void *what)
{
    looked *w = what;
    const ag_detector *d = w->detector;
    const ag_solver *s = d->solver;
    const int keeps = w->kept < 0 || w->kept > 0;
    ag_solver_free_space(p, s, 1);
    (s->near ? ag_run_near_modulus_residual
             : ag_run_modulus_residual)(p->program, p->slots, &w->error, p->scratch, ag_solver_table(s), keeps ? &d->state : NULL,
                                        &d->frame, d->first, &d->amplitude, w->model * s->detector_scale, w->kept, keeps,
                                        p->spill);
}

void
ag_residuals_modulus(ag_solver *s, int64_t first, const ag_pass *pass, ag_detector *detector, double model, double kept)
{
    if (!ag_residuals_due(s))
        return;
    looked what = {detector, ag_view(s->residuals->modulus, first * s->strips), model, kept};
    ag_step(s->device, "residuals");
    ag_propagate(pass, ag_run_load_exit, look, &what, NULL, NULL);
}

void
ag_residuals_overlap(ag_solver *s, int64_t first, const ag_pass *pass, const ag_array *wave)
{
    ag_array error = ag_view(s->residuals->overlap, first * s->residuals->parts);
    ag_step(s->device, "residuals");
    ag_run_overlap_residual(s->program, pass->slots, &error, &pass->frame, s->corner, s->fraction, s->object, s->object_cols,
                            &pass->probe, pass->probe_step, wave);
}

void
ag_residuals_total(ag_solver *s)
{
    ag_residuals *own = s->residuals;
    ag_step(s->device, "residuals");
    ag_run_total(s->program, 1, own->total, 0, own->modulus, s->frames * s->strips);
    ag_run_total(s->program, 1, own->total, 1, own->overlap, s->frames * own->parts);
    s->comm->sum(s->comm, own->total, NULL);
}

void
ag_residuals_take(ag_solver *s)
{
    ag_residuals *own = s->residuals;
    ag_real total[2] = {0, 0};
    const int due = ag_residuals_due(s);
    if (!own || (due && ag_array_read(own->total, 0, 2, total)))
        return;
    for (int k = 0; k < 2; k++)
        own->history[k][s->done] = due ? sqrt((double)total[k] / s->energy) : (double)NAN;
}

ag_status
ag_residuals_grow(ag_solver *s, int64_t room)
{
    ag_residuals *own = s->residuals;
    for (int k = 0; own && k < 2; k++) {
        double *more = realloc(own->history[k], (size_t)room * sizeof *more);
        if (!more)
            return ag_device_fail(s->device, AG_NO_MEMORY, "history: out of host memory");
        own->history[k] = more;
    }
    return AG_OK;
}

void
ag_residuals_state(ag_solver *s, ag_record *record, int64_t iterations)
{
    if (!s->residuals)
        return;
    ag_record_host(record, "modulus_residual", AG_KIND_DOUBLE, iterations, s->residuals->history[0]);
    ag_record_host(record, "overlap_residual", AG_KIND_DOUBLE, iterations, s->residuals->history[1]);
}

void
ag_solver_residuals(const ag_solver *s, const double **modulus, const double **overlap)
{
    *modulus = s->residuals ? s->residuals->history[0] : NULL;
    *overlap = s->residuals ? s->residuals->history[1] : NULL;
}
