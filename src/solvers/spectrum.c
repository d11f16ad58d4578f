/* SPDX-License-Identifier: BSD-3-Clause */
/* spectrum.c -- what is known of the probe's transform: where it is 0, or its intensity.

   In the far field the detector sees it where no object is.  With S an image of the detector, the caller's or the mean of
   the frames, a refined probe becomes

       mask        F^-1 [ F P where S >= least max S, else 0 ]
       intensity   F^-1 [ sqrt(S) F P / |F P| ]

   with |F P| of all modes together, by kernel modulus: a frame whose amplitudes are 0 or unmeasured, or sqrt(S).
   (SHARP: S. Marchesini et al., J. Appl. Cryst. 49, 1245 (2016).)  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

struct ag_spectrum {
    double *sum, *count; /* of each pixel of the data: intensities of the frames that measured it, their number */
    int zero_in_corner, ready;
    uint64_t identity;
    ag_array *raw, *valid, *range, *amplitude, *shared;
    ag_real *host;
    int32_t *pass;
};

ag_status
ag_spectrum_create(ag_solver *s, const ag_scan_info *info)
{
    ag_device *d = s->device;
    const ag_options *o = &s->options;
    if (o->probe_spectrum == AG_SPECTRUM_ANY)
        return ag_device_status(d);
    if (s->near)
        return ag_device_fail(d, AG_BAD_ARGUMENT, "probe spectrum: found one in the near field, expected none: the detector does not see it there");
    ag_spectrum *own = s->spectrum = calloc(1, sizeof *own);
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "probe spectrum: out of host memory");
    own->zero_in_corner = info->zero_in_corner != 0;
    own->sum = ag_calloc(s->window, sizeof *own->sum);
    own->count = ag_calloc(s->window, sizeof *own->count);
    own->host = ag_calloc(2 * s->window, sizeof *own->host);
    own->pass = ag_calloc(s->window, sizeof *own->pass);
    own->raw = ag_new(d, AG_REAL, s->window, "probe spectrum");
    own->valid = ag_new(d, AG_INT, s->window, "probe spectrum");
    own->range = s->plan.shape.words ? ag_new(d, AG_COMPLEX, 1, "probe spectrum") : NULL;
    own->shared = ag_new(d, AG_REAL, 2 * s->window, "probe spectrum");
    /* As AMPLITUDE_REALS in gen/passes.m4, where words take less. */
    own->amplitude = ag_new(d, AG_REAL, s->amplitudes + 2, "probe spectrum");
    if (!own->sum || !own->count || !own->host || !own->pass)
        return ag_device_fail(d, AG_NO_MEMORY, "probe spectrum: out of host memory");
    for (int64_t i = 0; i < s->window && o->spectrum; i++) {
        own->sum[i] = o->spectrum[i];
        own->count[i] = !info->valid || info->valid[i] || o->probe_spectrum == AG_SPECTRUM_MASK;
        if (!(own->sum[i] >= 0 && own->sum[i] <= 1e30))
            return ag_device_fail(d, AG_BAD_ARGUMENT, "probe spectrum: found %g at row %lld, column %lld, expected 0 to 1e30", own->sum[i],
                                  (long long)(i / s->cols), (long long)(i % s->cols));
    }
    if (o->spectrum)
        own->identity = ag_hash(0, o->spectrum, (size_t)s->window * sizeof *o->spectrum);
    return ag_device_status(d);
}

void
ag_spectrum_destroy(ag_solver *s)
{
    ag_spectrum *own = s->spectrum;
    if (!own)
        return;
    ag_array *const array[] = {own->raw, own->valid, own->range, own->amplitude, own->shared};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    free(own->sum);
    free(own->count);
    free(own->host);
    free(own->pass);
    free(own);
}

uint64_t
ag_spectrum_identity(const ag_solver *s)
{
    return s->spectrum ? s->spectrum->identity : 0;
}

void
ag_spectrum_add(ag_solver *s, int64_t pixel, double amplitude)
{
    ag_spectrum *own = s->spectrum;
    if (!own || s->options.spectrum)
        return;
    own->sum[pixel] += amplitude * amplitude;
    own->count[pixel]++;
}

/* The frame of amplitudes that the modulus constraint is to know, at the first use, when all ranks are there. */
static void
make(ag_solver *s)
{
    ag_spectrum *own = s->spectrum;
    const int masks = s->options.probe_spectrum == AG_SPECTRUM_MASK;
    double most = 0;
    for (int64_t i = 0; i < s->window; i++) {
        own->host[i] = (ag_real)own->sum[i];
        own->host[s->window + i] = (ag_real)own->count[i];
    }
    if (!s->options.spectrum) {
        ag_array_write(own->shared, 0, 2 * s->window, own->host);
        s->comm->sum(s->comm, own->shared, NULL);
        ag_array_read(own->shared, 0, 2 * s->window, own->host);
    }
    for (int64_t i = 0; i < s->window; i++) {
        const ag_real n = own->host[s->window + i];
        own->host[i] = n > 0 ? own->host[i] / n : 0;
        most = fmax(most, (double)own->host[i]);
    }
    for (int64_t i = 0; i < s->window; i++) {
        const int known = own->host[s->window + i] > 0;
        own->pass[i] = masks ? known && (double)own->host[i] < s->options.spectrum_least * most : known;
        own->host[i] = masks ? 0 : own->host[i];
    }
    const ag_complex range = {0, (ag_real)fmax(masks ? 0 : sqrt(most) / 65533, 1e-37)};
    ag_array_write(own->raw, 0, s->window, own->host);
    ag_array_write(own->valid, 0, s->window, own->pass);
    if (own->range)
        ag_array_write(own->range, 0, 1, &range);
    ag_run_amplitude(s->program, 1, own->amplitude, own->raw, own->valid, s->plan.place[own->zero_in_corner], 1, 1, 0, own->range);
    own->ready = 1;
}

void
ag_spectrum_apply(ag_solver *s)
{
    ag_spectrum *own = s->spectrum;
    if (!own->ready)
        make(s);
    ag_pass pass = ag_solver_pass(s, 0, 1, NULL);
    ag_detector detector = {.solver = s,
                            .frame = ag_view(s->frame, 0),
                            .first = s->order[0],
                            .amplitude = ag_view(own->amplitude, 0),
                            .error = ag_view(s->measured[0], 0)};
    ag_propagate(&pass, ag_run_load_probe, ag_solver_modulus, &detector, ag_run_store_stack, s->probe);
}
