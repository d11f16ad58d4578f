/* SPDX-License-Identifier: BSD-3-Clause */
/* constraints.c -- what is known of object and probe beforehand, imposed at the end of every iteration.

   The probe, where it is refined: its power, with the object divided by the same factor; its centre of power in the
   middle, with the object moved likewise, by whole pixels, so that the exit waves move in their windows, which no
   intensity in the far field tells; its transform (spectrum.c); a disc outside of which it is 0.  The object: bounds of modulus and phase, a
   modulus that is smoothed (pty-chi, github.com/AdvancedPhotonSource/pty-chi, and PtychoShelves).  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

static int
bounds_phase(const ag_options *o)
{
    return o->phase_least < 0 || o->phase_least > 0 || o->phase_most < 0 || o->phase_most > 0;
}

ag_status
ag_constraints_check(const ag_options *o, const ag_method *method, ag_message *message)
{
    static const double pi = 3.14159265358979323846;
    const ag_range real[] = {
        {"probe support", o->probe_support, 0, 2},
        {"probe power", o->probe_power, 0, 1e30},
        {"probe centre", o->probe_centre, 0, 1e6},
        {"object least", o->object_least, 0, 1e6},
        {"object most", o->object_most, 0, 1e6},
        {"phase least", o->phase_least, -pi, pi},
        {"phase most", o->phase_most, -pi, pi},
        {"object smoothing", o->object_smoothing, 0, 0.125},
        {"spectrum least", o->spectrum_least, 0, 1},
        {"saturation", o->saturation, 0, 1e30},
    };
    const size_t count = sizeof real / sizeof *real;
    int some = o->probe_spectrum != AG_SPECTRUM_ANY;
    if (ag_ranges_check(real, count, message))
        return AG_BAD_ARGUMENT;
    for (size_t i = 0; i < count - 2; i++) /* a detector that saturates is no constraint, nor a threshold */
        some |= real[i].value < 0 || real[i].value > 0;
    if (o->object_most > 0 && o->object_least > o->object_most)
        return ag_fail(message, AG_BAD_ARGUMENT, "object least: found %g, expected 0 to object most, %g", o->object_least,
                       o->object_most);
    if (bounds_phase(o) && !(o->phase_least < o->phase_most))
        return ag_fail(message, AG_BAD_ARGUMENT, "phase least: found %g, expected less than phase most, %g", o->phase_least,
                       o->phase_most);
    if ((unsigned)o->probe_spectrum > AG_SPECTRUM_INTENSITY)
        return ag_fail(message, AG_BAD_ARGUMENT, "probe spectrum: found %d, expected 0 to %d", (int)o->probe_spectrum,
                       (int)AG_SPECTRUM_INTENSITY);
    if (o->probe_spectrum && o->opr_modes)
        return ag_fail(message, AG_BAD_ARGUMENT, "probe spectrum: found one, expected none where the probe varies (opr modes %lld)",
                       (long long)o->opr_modes);
    if (o->smoothing_period < 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "smoothing period: found %lld, expected 1 or more",
                       (long long)o->smoothing_period);
    if (some && method && method->keeps_messages)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "probe support, power, centre and spectrum, bounds and smoothing of the object: found one, expected none: %s keeps "
                       "to no constraints",
                       o->method);
    if (o->probe_centre > 0 && method && method->keeps_waves)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "probe centre: found %g, expected 0: %s keeps waves, which stay where they are, from one iteration to the next",
                       o->probe_centre, o->method);
    return AG_OK;
}

void
ag_constraints_words(const ag_options *o, char *text, size_t room)
{
    snprintf(text, room,
             "probe_support %.15g probe_power %.15g probe_centre %.15g object_least %.15g object_most %.15g "
             "phase_least %.15g phase_most %.15g object_smoothing %.15g smoothing_period %lld saturation %.15g probe_spectrum %d spectrum_least %.15g",
             o->probe_support, o->probe_power, o->probe_centre, o->object_least, o->object_most, o->phase_least,
             o->phase_most, o->object_smoothing, (long long)o->smoothing_period, o->saturation, (int)o->probe_spectrum,
             o->spectrum_least);
}

int
ag_constraints_kernels(const ag_options *o, int *list)
{
    int n = 0;
    if (o->probe_spectrum) {
        list[n++] = AG_KERNEL_load_probe;
        list[n++] = AG_KERNEL_modulus;
        list[n++] = AG_KERNEL_store_stack;
    }
    if (o->probe_support > 0)
        list[n++] = AG_KERNEL_weigh;
    if (o->probe_power > 0)
        list[n++] = AG_KERNEL_rescale;
    if (o->object_least > 0 || o->object_most > 0)
        list[n++] = AG_KERNEL_bound;
    if (bounds_phase(o))
        list[n++] = AG_KERNEL_turn_within;
    if (o->object_smoothing > 0) {
        list[n++] = AG_KERNEL_moduli;
        list[n++] = AG_KERNEL_smooth;
    }
    return n;
}

static void
make_support(ag_solver *s)
{
    const double radius = s->options.probe_support * (double)AG_MIN(s->rows, s->cols) / 2;
    ag_real *weight = ag_calloc(s->window, sizeof *weight);
    for (int64_t i = 0; weight && i < s->window; i++) {
        const double y = (double)(i / s->cols) - (double)(s->rows / 2), x = (double)(i % s->cols) - (double)(s->cols / 2);
        weight[i] = hypot(y, x) <= radius;
    }
    if (weight)
        s->support = ag_new_from(s->device, AG_REAL, s->window, weight, "probe support");
    else
        ag_device_fail(s->device, AG_NO_MEMORY, "support: out of host memory");
    free(weight);
}

ag_status
ag_constraints_create(ag_solver *s)
{
    const ag_options *o = &s->options;
    const int64_t pixels = s->object_rows * s->object_cols;
    if (o->probe_centre > 0 && s->near)
        return ag_device_fail(s->device, AG_BAD_ARGUMENT,
                              "probe centre: found %g, expected 0 in the near field, where data tell where the probe is",
                              o->probe_centre);
    if (o->probe_support > 0)
        make_support(s);
    if (o->probe_power > 0)
        s->power = ag_new(s->device, AG_REAL, 1, "probe power");
    if (o->object_smoothing > 0)
        s->moduli = ag_new(s->device, AG_REAL, pixels, "moduli");
    if (o->probe_centre > 0)
        s->host += 2 * AG_MAX(pixels, AG_MAX(o->modes, o->opr_modes) * s->window) * (int64_t)sizeof(ag_complex);
    return ag_device_status(s->device);
}

/* x, `count` images of rows x cols, by so many rows and columns: what leaves a window comes in at its other side, at an
   object's border the nearest pixel is taken. */
static void
move_images(ag_solver *s, ag_array *x, int64_t count, int64_t rows, int64_t cols, int64_t down, int64_t right, int window)
{
    const int64_t n = count * rows * cols;
    ag_complex *from = ag_calloc(n, sizeof *from), *to = ag_calloc(n, sizeof *to);
    if (!from || !to)
        ag_device_fail(s->device, AG_NO_MEMORY, "probe centre: out of host memory");
    else if (!ag_array_read(x, 0, n, from)) {
        for (int64_t i = 0; i < n; i++) {
            int64_t y = i / cols % rows - down, c = i % cols - right;
            y = window ? (y + rows) % rows : AG_MIN(AG_MAX(y, 0), rows - 1);
            c = window ? (c + cols) % cols : AG_MIN(AG_MAX(c, 0), cols - 1);
            to[i] = from[(i / (rows * cols) * rows + y) * cols + c];
        }
        ag_array_write(x, 0, n, to);
    }
    free(from);
    free(to);
}

/* Looks at the probe's power and where it lies. */
static void
keep_probe(ag_solver *s)
{
    const ag_options *o = &s->options;
    ag_array *const eigen = ag_opr_eigen(s);
    ag_complex *probe = ag_calloc(s->windows, sizeof *probe);
    double sum[3] = {0, 0, 0};
    if (!probe)
        ag_device_fail(s->device, AG_NO_MEMORY, "probe: out of host memory");
    else if (!ag_array_read(s->probe, 0, s->windows, probe))
        for (int64_t i = 0; i < s->windows; i++) {
            const double re = (double)probe[i].re, im = (double)probe[i].im, power = re * re + im * im;
            sum[0] += power;
            sum[1] += power * (double)(i / s->cols % s->rows - s->rows / 2);
            sum[2] += power * (double)(i % s->cols - s->cols / 2);
        }
    free(probe);
    if (!(sum[0] > 0) || !isfinite(sum[0]))
        return;
    if (o->probe_power > 0) {
        ag_real power[] = {(ag_real)sum[0]}, inverse[] = {(ag_real)(o->probe_power / sum[0])};
        ag_array_write(s->power, 0, 1, power);
        ag_run_rescale(s->program, s->windows, s->probe, o->probe_power, s->power);
        ag_array_write(s->power, 0, 1, inverse);
        ag_run_rescale(s->program, s->object_rows * s->object_cols, s->object, 1, s->power);
        ag_opr_rescale(s, sqrt(o->probe_power / sum[0]));
    }
    if (o->probe_centre > 0 && hypot(sum[1], sum[2]) > o->probe_centre * sum[0]) {
        const int64_t down = -(int64_t)nearbyint(sum[1] / sum[0]), right = -(int64_t)nearbyint(sum[2] / sum[0]);
        move_images(s, s->probe, o->modes, s->rows, s->cols, down, right, 1);
        if (eigen)
            move_images(s, eigen, o->opr_modes, s->rows, s->cols, down, right, 1);
        move_images(s, s->object, 1, s->object_rows, s->object_cols, down, right, 0);
    }
}

void
ag_constraints_apply(ag_solver *s)
{
    const ag_options *o = &s->options;
    const int64_t pixels = s->object_rows * s->object_cols;
    const int refined = o->probe_start >= 0 && s->done >= o->probe_start;
    ag_step(s->device, "constraints");
    if (refined && (o->probe_power > 0 || o->probe_centre > 0))
        keep_probe(s);
    if (refined && s->spectrum)
        ag_spectrum_apply(s);
    for (int64_t k = 0; k < o->modes + o->opr_modes && s->support && refined; k++) {
        ag_array mode = k < o->modes ? ag_view(s->probe, k * s->window) : ag_view(ag_opr_eigen(s), (k - o->modes) * s->window);
        ag_run_weigh(s->program, s->window, &mode, s->support);
    }
    if (o->object_least > 0 || o->object_most > 0)
        ag_run_bound(s->program, pixels, s->object, o->object_least, o->object_most);
    if (bounds_phase(o)) {
        const double middle = (o->phase_least + o->phase_most) / 2, edge = (o->phase_most - o->phase_least) / 2;
        ag_run_turn_within(s->program, (pixels + AG_SEGMENT - 1) / AG_SEGMENT, s->object, pixels, cos(middle), sin(middle), cos(edge), sin(edge));
    }
    if (o->object_smoothing > 0 && (s->done + 1) % o->smoothing_period == 0) {
        ag_run_moduli(s->program, pixels, s->moduli, s->object);
        ag_run_smooth(s->program, pixels, s->object, s->moduli, s->object_rows, s->object_cols, o->object_smoothing);
    }
}
