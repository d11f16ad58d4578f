/* SPDX-License-Identifier: BSD-3-Clause */
/* methods.c -- the table of methods, their defaults and what their options may be. */
#include <math.h>
#include <string.h>

#include "solver.h"

extern const ag_method ag_method_pie, ag_method_epie, ag_method_rpie, ag_method_lsqml, ag_method_dm,
    ag_method_ap, ag_method_raar, ag_method_ep, ag_method_ep_em;

/* More than any beam has; a processor's local memory holds a tile of each. */
#define MOST_MODES 64

const ag_method *const ag_methods[] = {&ag_method_pie,  &ag_method_epie,  &ag_method_rpie, &ag_method_lsqml,
                                       &ag_method_dm,   &ag_method_ap,    &ag_method_raar, &ag_method_ep,
                                       &ag_method_ep_em, NULL};

const ag_method *
ag_method_of(const char *name)
{
    for (int k = 0; name && ag_methods[k]; k++)
        if (!strcmp(ag_methods[k]->name, name))
            return ag_methods[k];
    return NULL;
}

const char *
ag_method_name(int i)
{
    for (int k = 0; ag_methods[k]; k++)
        if (k == i)
            return ag_methods[k]->name;
    return NULL;
}

ag_status
ag_options_default(ag_options *options, const char *method, ag_message *message)
{
    const ag_method *known = ag_method_of(method);
    char names[128] = "";
    memset(options, 0, sizeof *options);
    for (int k = 0; !known && ag_methods[k]; k++) {
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", k ? ", " : "", ag_methods[k]->name);
    }
    if (!known)
        return ag_fail(message, AG_BAD_ARGUMENT, "algorithm: found \"%.40s\", expected one of %s",
                       method ? method : "", names);
    snprintf(options->method, sizeof options->method, "%s", method);
    options->modes = 1;
    options->modulus_guard = 1e-7;
    options->modulus_floor = 1e-3;
    options->clip_amplitudes = 1;
    options->subpixel = AG_SUBPIXEL_FOURIER;
    options->position_start = -1;
    options->background_start = -1;
    options->background_period = 5;
    options->position_step = 2;
    options->position_limit = 1;
    options->smoothing_period = 1;
    options->opr_start = 10;
    options->spectrum_least = 0.01;
    known->defaults(options);
    return AG_OK;
}

ag_status
ag_ranges_check(const ag_range *range, size_t count, ag_message *message)
{
    for (size_t i = 0; i < count; i++)
        if (!(range[i].value >= range[i].least && range[i].value <= range[i].most))
            return ag_fail(message, AG_BAD_ARGUMENT, "%s: found %g, expected %g to %g", range[i].name,
                           range[i].value, range[i].least, range[i].most);
    return AG_OK;
}

ag_status
ag_options_check(const ag_options *o, int64_t frames, ag_message *message)
{
    const ag_range real[] = {
        {"alpha", o->alpha, 0, 1},
        {"beta", o->beta, 0, 1},
        {"object step", o->object_step, 0, 10},
        {"probe step", o->probe_step, 0, 10},
        {"momentum", o->momentum, 0, 1},
        {"object inertia", o->object_inertia, 0, 1},
        {"probe inertia", o->probe_inertia, 0, 1},
        {"damping", o->damping, 0, 1},
        {"sparsity", o->sparsity, 0, 1},
        {"noise precision", o->noise_precision, 0, 1e12},
        {"modulus guard", o->modulus_guard, 0, 1},
        {"modulus floor", o->modulus_floor, 0, 1},
        {"position step", o->position_step, 0, 100},
        {"position limit", o->position_limit, 0, 1000},
    };
    if (ag_ranges_check(real, sizeof real / sizeof *real, message))
        return AG_BAD_ARGUMENT;
    if (o->batch < 1 || (o->batch > frames && strcmp(o->method, "lsqml")))
        return ag_fail(message, AG_BAD_ARGUMENT, "batch: found %lld, expected 1 to the number of frames, %lld",
                       (long long)o->batch, (long long)frames);
    const ag_method *method = ag_method_of(o->method);
    if (o->modes < 1 || o->modes > MOST_MODES)
        return ag_fail(message, AG_BAD_ARGUMENT, "modes: found %lld, expected 1 to %d", (long long)o->modes, MOST_MODES);
    if (method && method->one_mode && o->modes > 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "modes: found %lld, expected 1: %s knows probes of one mode only",
                       (long long)o->modes, o->method);
    if (o->orthogonalise < 0)
        return ag_fail(message, AG_BAD_ARGUMENT, "orthogonalise: found %lld, expected 0 or more", (long long)o->orthogonalise);
    if (method && method->keeps_waves && o->orthogonalise)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "orthogonalise: found %lld, expected 0: %s keeps a wave of each mode from one iteration to the next",
                       (long long)o->orthogonalise, o->method);
    if (o->probe_steps < 0 || o->probe_steps > 1000)
        return ag_fail(message, AG_BAD_ARGUMENT, "probe steps: found %lld, expected 0 to 1000",
                       (long long)o->probe_steps);
    if (o->overlap_steps < 0 || o->overlap_steps > 1000)
        return ag_fail(message, AG_BAD_ARGUMENT, "overlap steps: found %lld, expected 0 to 1000",
                       (long long)o->overlap_steps);
    if ((unsigned)o->batches > AG_BATCHES_COMPACT)
        return ag_fail(message, AG_BAD_ARGUMENT, "batches: found %d, expected 0 to %d", (int)o->batches,
                       (int)AG_BATCHES_COMPACT);
    if ((unsigned)o->noise > AG_NOISE_POISSON)
        return ag_fail(message, AG_BAD_ARGUMENT, "noise model: found %d, expected 0 to %d", (int)o->noise,
                       (int)AG_NOISE_POISSON);
    if ((unsigned)o->data_type > AG_DATA_UINT16)
        return ag_fail(message, AG_BAD_ARGUMENT, "data type: found %d, expected 0 to %d", (int)o->data_type, (int)AG_DATA_UINT16);
    if ((unsigned)o->sums > AG_SUMS_ATOMIC)
        return ag_fail(message, AG_BAD_ARGUMENT, "sums: found %d, expected 0 to %d", (int)o->sums, (int)AG_SUMS_ATOMIC);
    if (method && o->sums && !method->knows_background)
        return ag_fail(message, AG_BAD_ARGUMENT, "sums: found atomic, expected fixed: only dm, ap and raar know other ones, not %s",
                       o->method);
    if (method && method->keeps_messages && o->position_start >= 0)
        return ag_fail(message, AG_BAD_ARGUMENT, "position start: found %lld, expected none: %s does not refine positions",
                       (long long)o->position_start, o->method);
    if ((unsigned)o->position_method > AG_POSITION_CORRELATION)
        return ag_fail(message, AG_BAD_ARGUMENT, "position method: found %d, expected 0 to %d", (int)o->position_method,
                       (int)AG_POSITION_CORRELATION);
    if ((unsigned)o->subpixel > AG_SUBPIXEL_NONE)
        return ag_fail(message, AG_BAD_ARGUMENT, "sub-pixel method: found %d, expected 0 to %d", (int)o->subpixel,
                       (int)AG_SUBPIXEL_NONE);
    if (ag_opr_check(o, method, message) || ag_background_check(o, method, message) || ag_residuals_check(o, method, message))
        return AG_BAD_ARGUMENT;
    return ag_constraints_check(o, method, message);
}
