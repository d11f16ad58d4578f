/* SPDX-License-Identifier: BSD-3-Clause */
/* chain.c -- the stages of a run: "raar:200,rpie:50:beta=0.5", and the options of each. */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";
static const char *const spectrum[] = {"any", "mask", "intensity", NULL};
static const char *const subpixel[] = {"fourier", "linear", "none", NULL};
static const char *const batches[] = {"random", "uniform", "compact", NULL};
static const char *const data_type[] = {"float32", "uint16", NULL};
static const char *const sums[] = {"fixed", "atomic", NULL};
static const char *const shifts[] = {"gradient", "correlation", NULL};
static const char *const noise[] = {"gaussian", "poisson", NULL};

enum { WHOLE, REAL, FLAG, CHOICE };
#define PI 3.14159265358979323846

/* Named as the long options. */
static const struct {
    const char *name;
    int kind;
    size_t offset; /* of an int64_t, a double, an int that becomes `least`, or an enum */
    double least, most;
    const char *const *choice; /* its names in order */
} setting[] = {
    {"subpixel", CHOICE, offsetof(ag_options, subpixel), 0, 0, subpixel},
    {"data-type", CHOICE, offsetof(ag_options, data_type), 0, 0, data_type},
    {"sums", CHOICE, offsetof(ag_options, sums), 0, 0, sums},
    {"seed", WHOLE, offsetof(ag_options, seed), 0, 9e18, NULL},
    {"batch", WHOLE, offsetof(ag_options, batch), 1, 9e18, NULL},
    {"batches", CHOICE, offsetof(ag_options, batches), 0, 0, batches},
    {"noise-model", CHOICE, offsetof(ag_options, noise), 0, 0, noise},
    {"alpha", REAL, offsetof(ag_options, alpha), 0, 1, NULL},
    {"beta", REAL, offsetof(ag_options, beta), 0, 1, NULL},
    {"object-step", REAL, offsetof(ag_options, object_step), 0, 10, NULL},
    {"probe-step", REAL, offsetof(ag_options, probe_step), 0, 10, NULL},
    {"momentum", REAL, offsetof(ag_options, momentum), 0, 1, NULL},
    {"opr-modes", WHOLE, offsetof(ag_options, opr_modes), 0, RUN_MODES, NULL},
    {"opr-start", WHOLE, offsetof(ag_options, opr_start), 0, 1e9, NULL},
    {"opr-intensity", FLAG, offsetof(ag_options, opr_intensity), 1, 1, NULL},
    {"probe-start", WHOLE, offsetof(ag_options, probe_start), -1, 1e9, NULL},
    {"probe-period", WHOLE, offsetof(ag_options, probe_period), 1, 1e9, NULL},
    {"object-inertia", REAL, offsetof(ag_options, object_inertia), 0, 1, NULL},
    {"probe-inertia", REAL, offsetof(ag_options, probe_inertia), 0, 1, NULL},
    {"damping", REAL, offsetof(ag_options, damping), 0, 1, NULL},
    {"sparsity", REAL, offsetof(ag_options, sparsity), 0, 1, NULL},
    {"noise-precision", REAL, offsetof(ag_options, noise_precision), 0, 1e12, NULL},
    {"probe-steps", WHOLE, offsetof(ag_options, probe_steps), 1, 1000, NULL},
    {"position-start", WHOLE, offsetof(ag_options, position_start), -1, 1e9, NULL},
    {"position-method", CHOICE, offsetof(ag_options, position_method), 0, 0, shifts},
    {"position-step", REAL, offsetof(ag_options, position_step), 0, 100, NULL},
    {"position-limit", REAL, offsetof(ag_options, position_limit), 0, 1000, NULL},
    {"position-affine", FLAG, offsetof(ag_options, position_affine), 1, 1, NULL},
    {"probe-support", REAL, offsetof(ag_options, probe_support), 0, 2, NULL},
    {"object-least", REAL, offsetof(ag_options, object_least), 0, 1e6, NULL},
    {"object-most", REAL, offsetof(ag_options, object_most), 0, 1e6, NULL},
    {"phase-least", REAL, offsetof(ag_options, phase_least), -PI, PI, NULL},
    {"phase-most", REAL, offsetof(ag_options, phase_most), -PI, PI, NULL},
    {"object-smoothing", REAL, offsetof(ag_options, object_smoothing), 0, 0.125, NULL},
    {"smoothing-period", WHOLE, offsetof(ag_options, smoothing_period), 1, 1e9, NULL},
    {"probe-power", REAL, offsetof(ag_options, probe_power), 0, 1e30, NULL},
    {"probe-centre", REAL, offsetof(ag_options, probe_centre), 0, 1e6, NULL},
    {"probe-spectrum", CHOICE, offsetof(ag_options, probe_spectrum), 0, 0, spectrum},
    {"spectrum-least", REAL, offsetof(ag_options, spectrum_least), 0, 1, NULL},
    {"saturation", REAL, offsetof(ag_options, saturation), 0, 1e30, NULL},
    {"background-start", WHOLE, offsetof(ag_options, background_start), -1, 1e9, NULL},
    {"background-period", WHOLE, offsetof(ag_options, background_period), 1, 1e9, NULL},
    {"residuals", WHOLE, offsetof(ag_options, residuals), 0, 1e9, NULL},
    {"overlap-steps", WHOLE, offsetof(ag_options, overlap_steps), 1, 1000, NULL},
    {"orthogonalise", WHOLE, offsetof(ag_options, orthogonalise), 0, 1e9, NULL},
    {"no-rescale", FLAG, offsetof(ag_options, rescale), 0, 0, NULL},
    {"guard-bursts", FLAG, offsetof(ag_options, guard_bursts), 1, 1, NULL},
    {"no-shuffle", FLAG, offsetof(ag_options, shuffle), 0, 0, NULL},
    {"keep-negative", FLAG, offsetof(ag_options, clip_amplitudes), 0, 0, NULL},
};
enum { SETTINGS = sizeof setting / sizeof *setting };

int
run_set(ag_options *options, const char *which, const char *text)
{
    char option[64];
    int i = 0;
    while (i < SETTINGS && strcmp(setting[i].name, which))
        i++;
    snprintf(option, sizeof option, "--%.60s", which);
    if (i == SETTINGS) {
        cmd_usage(name, "--algorithm: found \"%.60s\", expected an option of a stage, such as beta=0.5", which);
        return 0;
    }
    void *place = (char *)options + setting[i].offset;
    if ((setting[i].kind == FLAG) != !text) {
        cmd_usage(name, "%s: found %s value, expected %s", option, text ? "a" : "no", text ? "none" : "one");
        return 0;
    }
    switch (setting[i].kind) {
    case WHOLE:
        return cmd_integer(name, option, text, (int64_t)setting[i].least, (int64_t)setting[i].most, place);
    case REAL:
        return cmd_real(name, option, text, setting[i].least, setting[i].most, place);
    case FLAG:
        *(int *)place = (int)setting[i].least;
        return 1;
    default: /* an enum begins at 0 and has the size of an int */
        return cmd_word(name, option, text, setting[i].choice, place);
    }
}

/* One stage: its method, then the iterations, if a number follows, then settings. */
static int
take_stage(run_stage *stage, char *text)
{
    ag_message message;
    char *rest = strchr(text, ':');
    if (rest)
        *rest++ = 0;
    if (ag_options_default(&stage->options, text, &message)) {
        cmd_usage(name, "--%s", message.text);
        return 0;
    }
    stage->iterations = -1;
    stage->settings = rest;
    if (!rest || !(isdigit((unsigned char)*rest) || *rest == '-' || *rest == '+'))
        return 1;
    stage->settings = strchr(rest, ':');
    if (stage->settings) {
        rest[stage->settings - rest] = 0;
        stage->settings++;
    }
    return cmd_integer(name, "--algorithm", rest, 0, 1000000000, &stage->iterations);
}

int
run_chain(run *r, const char *text)
{
    free(r->chain);
    r->chain = strdup(text);
    if (!r->chain)
        return !cmd_fail(name, "--algorithm: out of host memory");
    char *part = r->chain;
    for (r->stages = 0; part; r->stages++) {
        char *next = strchr(part, ',');
        if (next)
            *next++ = 0;
        if (r->stages == RUN_STAGES) {
            cmd_usage(name, "--algorithm: found more than %d stages, expected at most that many", RUN_STAGES);
            return 0;
        }
        if (!take_stage(&r->stage[r->stages], part))
            return 0;
        part = next;
    }
    return 1;
}

int
run_set_stages(run *r)
{
    for (int k = 0; k < r->stages; k++) {
        run_stage *stage = &r->stage[k];
        if (stage->iterations < 0)
            stage->iterations = r->iterations;
        for (const char *at = stage->settings; at;) {
            char one[128];
            const size_t length = strcspn(at, ":");
            snprintf(one, sizeof one, "%.*s", (int)length, at);
            char *value = strchr(one, '=');
            if (value)
                *value++ = 0;
            if (!run_set(&stage->options, one, value))
                return 0;
            at = at[length] ? at + length + 1 : NULL;
        }
    }
    return 1;
}

int64_t
run_total(const run *r)
{
    int64_t total = 0;
    for (int k = 0; k < r->stages; k++)
        total += r->stage[k].iterations;
    return total;
}

const char *
run_algorithm(const run *r, char text[RUN_PATH])
{
    int n = 0;
    if (r->stages == 1)
        return r->stage[0].options.method;
    for (int k = 0; k < r->stages; k++)
        n += snprintf(text + n, (size_t)(RUN_PATH - n), "%s%s:%lld", k ? "," : "", r->stage[k].options.method,
                      (long long)r->stage[k].iterations);
    return text;
}

/* A setting by its name with _ for -; of a flag whether it is on, without "no-". */
static void
add_setting(json_t *object, const ag_options *options, int i)
{
    const void *place = (const char *)options + setting[i].offset;
    const int negated = setting[i].kind == FLAG && !strncmp(setting[i].name, "no-", 3);
    char key[64];
    snprintf(key, sizeof key, "%s", setting[i].name + (negated ? 3 : 0));
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
    switch (setting[i].kind) {
    case WHOLE:
        json_object_set_new(object, key, json_integer((json_int_t) * (const int64_t *)place));
        break;
    case REAL:
        json_object_set_new(object, key, json_real(*(const double *)place));
        break;
    case FLAG:
        json_object_set_new(object, key, json_boolean((*(const int *)place == (int)setting[i].least) != negated));
        break;
    default:
        json_object_set_new(object, key, json_string(setting[i].choice[*(const int *)place]));
    }
}

json_t *
run_stage_json(const run_stage *stage)
{
    const ag_options *o = &stage->options;
    json_t *object = json_pack("{s:s s:I s:I s:f s:f}", "algorithm", o->method, "iterations", (json_int_t)stage->iterations,
                               "modes", (json_int_t)o->modes, "modulus_guard", o->modulus_guard, "modulus_floor",
                               o->modulus_floor);
    for (int i = 0; object && i < SETTINGS; i++)
        add_setting(object, o, i);
    return object;
}

static json_t *
with_input(const run *r, int k)
{
    json_t *object = run_stage_json(&r->stage[k]);
    json_object_set_new(object, "orientation", json_string(ag_orientation_name(r->orientation)));
    json_object_set_new(object, "input", cmd_input_given());
    return object;
}

json_t *
run_options_json(const run *r)
{
    if (r->stages == 1)
        return with_input(r, 0);
    json_t *list = json_array();
    for (int k = 0; k < r->stages; k++)
        json_array_append_new(list, with_input(r, k));
    return list;
}
