/* SPDX-License-Identifier: BSD-3-Clause */
/* opr.c -- orthogonal probe relaxation: a probe that varies from frame to frame.

   The first mode of frame j's probe is w_j0 P + sum_l w_jl E_l.  The eigen-probes E_l have mean square 1 and are orthogonal: to P as
   complex vectors, to one another as real ones, because the weights are real.  Each batch makes a step of each E_l along
   what its frames say of the probe beside their mean, then of their weights (kernels opr_*); an iteration ends with the eigen-probes
   made orthogonal and of mean square 1, strongest first, and with weights that stand out cut off.

   (M. Odstrcil et al., Opt. Express 24, 8360 (2016); M. Odstrcil, A. Menzel, M. Guizar-Sicairos, Opt. Express 26, 3108
   (2018); pty-chi, github.com/AdvancedPhotonSource/pty-chi.)  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

/* Of a step of the eigen-probes, at most; of the frames' intensities; of the mean that is added to what a frame says. */
#define MOST_RELAX 0.1
#define INTENSITY  0.1
#define DAMPING    0.1
/* Weights are cut off at so many times this quantile of their size. */
#define OUTLIER  1.5
#define QUANTILE 0.95
/* Of an eigen-probe less than this left beside the others is rounding. */
#define NOTHING 1e-5

struct ag_opr {
    int64_t count;  /* of eigen-probes */
    ag_array *eigen, *weight; /* count windows; frames x (count + 1) */
    ag_array *rest, *along, *direction, *partial, *sums, *shared;
    ag_complex *probe; /* on the host: P, then the eigen-probes */
    ag_real *weights, *size;
    int32_t begun;
};

ag_status
ag_opr_check(const ag_options *o, const ag_method *method, ag_message *message)
{
    const long long n = (long long)o->opr_modes;
    if (n < 0 || n > AG_OPR_MOST)
        return ag_fail(message, AG_BAD_ARGUMENT, "opr modes: found %lld, expected 0 to %d", n, AG_OPR_MOST);
    if (o->opr_start < 0)
        return ag_fail(message, AG_BAD_ARGUMENT, "opr start: found %lld, expected 0 or more", (long long)o->opr_start);
    if (!n && o->opr_intensity)
        return ag_fail(message, AG_BAD_ARGUMENT, "opr intensity: found it without opr modes, expected 1 of them or more");
    if (n && method && !method->varies_probe)
        return ag_fail(message, AG_BAD_ARGUMENT, "opr modes: found %lld, expected 0: %s has one probe for all frames, lsqml may vary it", n,
                       o->method);
    if (n && o->probe_start < 0)
        return ag_fail(message, AG_BAD_ARGUMENT, "opr modes: found %lld, expected 0 where the probe is not refined (probe start %lld)", n,
                       (long long)o->probe_start);
    if (n && o->orthogonalise)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "orthogonalise: found %lld, expected 0: opr varies the first mode, which must not be mixed with others",
                       (long long)o->orthogonalise);
    return AG_OK;
}

int
ag_opr_kernels(const ag_options *o, int *list)
{
    static const int kernel[] = {AG_KERNEL_opr_probe, AG_KERNEL_opr_project, AG_KERNEL_opr_direction,
                                 AG_KERNEL_opr_turn,  AG_KERNEL_opr_sums,    AG_KERNEL_opr_weights};
    if (!o->opr_modes)
        return 0;
    memcpy(list, kernel, sizeof kernel);
    return sizeof kernel / sizeof *kernel;
}

ag_status
ag_opr_create(ag_solver *s)
{
    ag_device *d = s->device;
    const int64_t n = s->options.opr_modes, b = s->options.batch, parts = s->plan.tops / s->rows * ((s->rows + 15) / 16);
    if (!n)
        return ag_device_status(d);
    ag_opr *own = s->opr = calloc(1, sizeof *own);
    if (!own)
        return ag_device_fail(d, AG_NO_MEMORY, "opr: out of host memory");
    own->count = n;
    own->eigen = ag_new(d, AG_COMPLEX, n * s->window, "eigen-probes");
    own->weight = ag_new(d, AG_REAL, s->frames * (n + 1), "weights of eigen-probes");
    own->rest = ag_new(d, AG_COMPLEX, b * s->window, "probe terms");
    own->along = ag_new(d, AG_REAL, b, "sums");
    own->direction = ag_new(d, AG_COMPLEX, s->window, "direction of an eigen-probe");
    own->partial = ag_new(d, AG_REAL, 3 * b * parts, "sums");
    own->sums = ag_new(d, AG_REAL, 3 * b, "sums");
    if (s->comm->size > 1)
        own->shared = ag_new(d, AG_REAL, s->all, "weights of all ranks");
    own->probe = ag_calloc((n + 1) * s->window, sizeof *own->probe);
    own->weights = ag_calloc(s->frames * (n + 1), sizeof *own->weights);
    own->size = ag_calloc(s->all, sizeof *own->size);
    if (!own->probe || !own->weights || !own->size)
        return ag_device_fail(d, AG_NO_MEMORY, "opr: out of host memory");
    for (int64_t j = 0; j < s->frames; j++)
        own->weights[j * (n + 1)] = 1;
    ag_array_write(own->weight, 0, s->frames * (n + 1), own->weights);
    ag_array_write(own->eigen, 0, n * s->window, own->probe);
    return ag_device_status(d);
}

void
ag_opr_destroy(ag_solver *s)
{
    ag_opr *own = s->opr;
    if (!own)
        return;
    ag_array *const array[] = {own->eigen, own->weight, own->rest, own->along, own->direction, own->partial, own->sums, own->shared};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        ag_array_destroy(array[i]);
    free(own->probe);
    free(own->weights);
    free(own->size);
    free(own);
}

void
ag_opr_state(ag_solver *s, ag_record *record)
{
    ag_opr *own = s->opr;
    if (!own)
        return;
    ag_record_array(record, "eigen_probes", own->eigen, s->cols);
    ag_record_frames(record, "eigen_weights", own->weight, own->count + 1);
    ag_record_host(record, "opr_begun", AG_KIND_INT32, 1, &own->begun);
}

void
ag_opr_probes(ag_solver *s, const ag_pass *p, ag_array *result)
{
    const ag_opr *own = s->opr;
    ag_step(s->device, "varied probes");
    ag_run_opr_probe(s->program, p->slots * s->windows, result, s->probe, own->eigen, own->weight, own->count, &p->frame);
}

/* The first mode times y, x, y^2, ... about its middle, made orthogonal: what a probe that moves or grows adds first. */
static void
begin(ag_solver *s)
{
    ag_opr *own = s->opr;
    ag_message message;
    own->begun = 1;
    if (ag_array_read(s->probe, 0, s->window, own->probe))
        return;
    if (ag_probe_modes(own->probe, own->count + 1, 1, s->rows, s->cols, 0.5, &message)) {
        ag_device_fail(s->device, AG_BAD_ARGUMENT, "opr: %s", message.text);
        return;
    }
    for (int64_t l = 1; l <= own->count; l++) {
        ag_complex *const e = own->probe + l * s->window;
        double square = 0;
        for (int64_t i = 0; i < s->window; i++)
            square += (double)(e[i].re * e[i].re) + (double)(e[i].im * e[i].im);
        const ag_real factor = (ag_real)(1 / sqrt(square / (double)s->window));
        for (int64_t i = 0; i < s->window; i++)
            e[i] = (ag_complex){factor * e[i].re, factor * e[i].im};
    }
    ag_array_write(own->eigen, 0, own->count * s->window, own->probe + s->window);
}

int
ag_opr_refined(const ag_solver *s, int64_t iteration)
{
    return s->opr && iteration >= s->options.opr_start && iteration >= s->options.probe_start;
}

/* The sums of the frames about one probe, to their places among those of all ranks. */
static void
take_sums(ag_solver *s, const ag_pass *p, int64_t before, const ag_array *term, const ag_array *probe)
{
    ag_opr *own = s->opr;
    if (own->shared)
        ag_clear(own->sums);
    if (p->slots) {
        ag_array sums = ag_view(own->sums, 3 * before);
        ag_run_opr_sums(s->program, p->slots, own->partial, &p->frame, s->corner, s->fraction, s->object, s->object_cols, term,
                        own->rest, probe);
        ag_run_lsq_frames(s->program, 3 * p->slots, &sums, own->partial);
    }
    s->comm->sum(s->comm, own->sums, NULL);
}

static void
take_weights(ag_solver *s, const ag_pass *p, int64_t which, int64_t before, int64_t all, double relax, double damping)
{
    ag_opr *own = s->opr;
    if (p->slots)
        ag_run_opr_weights(s->program, p->slots, own->weight, own->count, which, &p->frame, own->sums, before, all, relax, damping);
}

void
ag_opr_step(ag_solver *s, const ag_pass *p, const ag_array *term, const ag_array *mean, int64_t before, int64_t all)
{
    ag_opr *own = s->opr;
    const double relax = fmin(MOST_RELAX, (double)all / (double)s->all);
    if (!own->begun)
        begin(s);
    ag_step(s->device, "eigen-probes");
    for (int64_t l = 1; l <= own->count && all > 1; l++) {
        ag_array eigen = ag_view(own->eigen, (l - 1) * s->window), last = ag_view(own->eigen, AG_MAX(0, l - 2) * s->window);
        ag_array sums = ag_view(own->sums, 3 * before);
        if (p->slots)
            ag_run_opr_project(s->program, p->slots, own->rest, own->along, l == 1, term, mean, 1 / (double)all, l > 1 ? &last : NULL,
                               l > 1 ? &sums : NULL, &eigen);
        ag_run_opr_direction(s->program, s->window, own->direction, own->rest, own->along, own->weight, own->count, l, &p->frame, p->slots);
        s->comm->sum(s->comm, own->direction, NULL);
        ag_run_opr_turn(s->program, 1, &eigen, own->direction, relax);
        take_sums(s, p, before, term, &eigen);
        take_weights(s, p, l, before, all, 1, DAMPING);
    }
    if (s->options.opr_intensity) {
        take_sums(s, p, before, term, s->probe);
        take_weights(s, p, 0, before, all, INTENSITY, 0);
    }
}

/* ---- the end of an iteration, on the host ------------------------------------------------------------ */

/* <a, b> = sum conj(a) b over a window. */
static void
inner(const ag_solver *s, const ag_complex *a, const ag_complex *b, double *re, double *im)
{
    *re = *im = 0;
    for (int64_t i = 0; i < s->window; i++) {
        *re += (double)a[i].re * (double)b[i].re + (double)a[i].im * (double)b[i].im;
        *im += (double)a[i].re * (double)b[i].im - (double)a[i].im * (double)b[i].re;
    }
}

static void
subtract(const ag_solver *s, ag_complex *b, const ag_complex *a, double re, double im)
{
    for (int64_t i = 0; i < s->window; i++) {
        const double x = (double)a[i].re, y = (double)a[i].im;
        b[i].re -= (ag_real)(re * x - im * y);
        b[i].im -= (ag_real)(re * y + im * x);
    }
}

/* Eigen-probe l beside P and those before it, whose weights take what leaves it. */
static void
set_apart(ag_solver *s, int64_t l)
{
    ag_opr *own = s->opr;
    ag_complex *const e = own->probe + l * s->window;
    const int64_t n = own->count + 1;
    double square, re, im;
    inner(s, e, e, &square, &im);
    const double whole = square;
    for (int64_t m = 0; m < l; m++) {
        const ag_complex *const a = own->probe + m * s->window;
        inner(s, a, a, &square, &im);
        inner(s, a, e, &re, &im);
        re = square > 0 ? re / square : 0;
        im = square > 0 && !m ? im / square : 0;
        subtract(s, e, a, re, im);
        for (int64_t j = 0; j < s->frames && (m || s->options.opr_intensity); j++)
            own->weights[j * n + m] += (ag_real)re * own->weights[j * n + l];
    }
    inner(s, e, e, &square, &im);
    const double size = square > NOTHING * NOTHING * whole ? sqrt(square / (double)s->window) : 0;
    for (int64_t i = 0; i < s->window && size > 0; i++)
        e[i] = (ag_complex){(ag_real)((double)e[i].re / size), (ag_real)((double)e[i].im / size)};
    for (int64_t j = 0; j < s->frames; j++)
        own->weights[j * n + l] *= (ag_real)size;
}

/* Eigen-probes in the order of their power over all frames. */
static void
sort(ag_solver *s)
{
    ag_opr *own = s->opr;
    const int64_t n = own->count + 1;
    double power[AG_OPR_MOST + 1];
    for (int64_t l = 1; l < n; l++) {
        power[l] = 0;
        for (int64_t j = 0; j < s->frames; j++)
            power[l] += (double)own->weights[j * n + l] * (double)own->weights[j * n + l];
        s->comm->add(s->comm, 1, &power[l]);
    }
    for (int64_t l = 1; l < n; l++)
        for (int64_t k = l; k > 1 && power[k] > power[k - 1]; k--) {
            const double p = power[k];
            power[k] = power[k - 1];
            power[k - 1] = p;
            for (int64_t i = 0; i < s->window; i++) {
                const ag_complex e = own->probe[k * s->window + i];
                own->probe[k * s->window + i] = own->probe[(k - 1) * s->window + i];
                own->probe[(k - 1) * s->window + i] = e;
            }
            for (int64_t j = 0; j < s->frames; j++) {
                const ag_real w = own->weights[j * n + k];
                own->weights[j * n + k] = own->weights[j * n + k - 1];
                own->weights[j * n + k - 1] = w;
            }
        }
}

static int
ascending(const void *a, const void *b)
{
    const ag_real x = *(const ag_real *)a, y = *(const ag_real *)b;
    return (x > y) - (x < y);
}

/* The weights of eigen-probe l, of the frames of all ranks, are cut off. */
static void
cut(ag_solver *s, int64_t l)
{
    ag_opr *own = s->opr;
    const int64_t n = own->count + 1;
    memset(own->size, 0, (size_t)s->all * sizeof *own->size);
    for (int64_t j = 0; j < s->frames; j++)
        own->size[s->first + j] = (ag_real)fabs((double)own->weights[j * n + l]);
    if (own->shared) {
        ag_array_write(own->shared, 0, s->all, own->size);
        s->comm->sum(s->comm, own->shared, NULL);
        ag_array_read(own->shared, 0, s->all, own->size);
    }
    qsort(own->size, (size_t)s->all, sizeof *own->size, ascending);
    const double at = QUANTILE * (double)(s->all - 1), low = floor(at);
    const ag_real *const size = own->size + (int64_t)low;
    const double most = OUTLIER * ((double)size[0] + (low < at ? (at - low) * (double)(size[1] - size[0]) : 0));
    for (int64_t j = 0; j < s->frames; j++)
        own->weights[j * n + l] = (ag_real)fmin(fmax((double)own->weights[j * n + l], -most), most);
}

/* The mean of the frames' intensities is P's. */
static void
take_mean(ag_solver *s)
{
    ag_opr *own = s->opr;
    const int64_t n = own->count + 1;
    double mean = 0;
    for (int64_t j = 0; j < s->frames; j++)
        mean += (double)own->weights[j * n] / (double)s->all;
    s->comm->add(s->comm, 1, &mean);
    if (!(mean > 0))
        return;
    for (int64_t j = 0; j < s->frames; j++)
        own->weights[j * n] /= (ag_real)mean;
    for (int64_t i = 0; i < s->window; i++)
        own->probe[i] = (ag_complex){(ag_real)mean * own->probe[i].re, (ag_real)mean * own->probe[i].im};
    ag_array_write(s->probe, 0, s->window, own->probe);
}

void
ag_opr_end(ag_solver *s)
{
    ag_opr *own = s->opr;
    const int64_t n = own->count + 1;
    /* A rank that has failed goes on all the same, or the others would wait for it. */
    ag_array_read(s->probe, 0, s->window, own->probe);
    ag_array_read(own->eigen, 0, own->count * s->window, own->probe + s->window);
    ag_array_read(own->weight, 0, s->frames * n, own->weights);
    for (int64_t l = 1; l < n; l++)
        set_apart(s, l);
    sort(s);
    for (int64_t l = 1; l < n; l++)
        cut(s, l);
    if (s->options.opr_intensity)
        take_mean(s);
    ag_array_write(own->eigen, 0, own->count * s->window, own->probe + s->window);
    ag_array_write(own->weight, 0, s->frames * n, own->weights);
}

void
ag_opr_rescale(ag_solver *s, double factor)
{
    ag_opr *own = s->opr;
    const int64_t n = own ? own->count + 1 : 0;
    if (!own || ag_array_read(own->weight, 0, s->frames * n, own->weights))
        return;
    for (int64_t i = 0; i < s->frames * n; i++)
        own->weights[i] *= i % n ? (ag_real)factor : 1;
    ag_array_write(own->weight, 0, s->frames * n, own->weights);
}

ag_array *
ag_opr_eigen(const ag_solver *s)
{
    return s->opr ? s->opr->eigen : NULL;
}

ag_status
ag_solver_opr(const ag_solver *s, ag_complex *eigen, double *weight)
{
    const ag_opr *own = s->opr;
    const int64_t n = own ? own->count + 1 : 0;
    ag_status status = own && eigen ? ag_array_read(own->eigen, 0, own->count * s->window, eigen) : AG_OK;
    if (own && !status)
        status = ag_array_read(own->weight, 0, s->frames * n, own->weights);
    for (int64_t i = 0; i < s->frames * n && !status; i++)
        weight[s->first * n + i] = (double)own->weights[i];
    return status;
}
