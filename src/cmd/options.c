/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c -- the command line of `argand reconstruct`. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

/* Before and after the names of the methods. */
static const char help_begin[] =
    "Usage: argand reconstruct SCAN [-a ALGORITHM] [-n N] [-o OUT.cxi] [OPTIONS]\n"
    "Reconstructs object and probe from a ptychographic scan, in the far or near field.\n"
    "\n"
    "  -a, --algorithm NAME    ";
static const char help_end[] =
    " (rpie)\n"
    "  -n, --iterations N       passes over all positions (100); also --niter\n"
    "  -o, --output FILE        the result, HDF5 with CXI names\n"
    "  -d, --device NAME        see argand devices (ARGAND_DEVICE, else the first)\n"
    "      --fft NAME           who transforms: fused (the kernels themselves), or a library that\n"
    "                           argand devices lists for the device (fused)\n"
    "      --start FILE         begin with the object and probe of a result\n"
    "      --subpixel HOW       fourier (the probe is shifted), linear (the object is\n"
    "                           interpolated) or none (positions are rounded) (fourier)\n"
    "      --seed N             of the order of positions (0)\n"
    "      --threads N          of the cpu device (all cores)\n"
    "      --png DIR            pictures: object amplitude and phase, probe, error curve\n"
    "      --json FILE          a report; - is the standard output\n"
    "  -q, --quiet              no progress\n"
    "  -h, --help               this text\n"
    "\n"
    "The defaults of what follows depend on the algorithm; argand(1) gives them and the formulas.\n"
    "      --batch N            PIE family: positions per update, 1 is one after another\n"
    "      --alpha X            PIE family: regularisation of the object step, 0 to 1\n"
    "      --beta X             PIE family: of the probe step; raar: relaxation\n"
    "      --object-step X      PIE family: factor of the object step\n"
    "      --probe-step X       PIE family: factor of the probe step\n"
    "      --probe-start K      first iteration, from 0, that refines the probe; -1: never\n"
    "      --probe-period K     projections: iterations from one refinement to the next\n"
    "      --object-inertia X   projections: weight of the old object\n"
    "      --probe-inertia X    projections: weight of the old probe\n"
    "      --no-shuffle         PIE family: positions in the order of the file\n"
    "      --keep-negative      amplitudes below 0 are not made 0\n"
    "\n";
static const char help_exit[] =
    "\nExit status: 0 done, 1 failed, 2 the command line is wrong.\n";

enum {
    FFT = 256,
    START,
    SUBPIXEL,
    SEED,
    THREADS,
    PNG,
    JSON,
    BATCH,
    ALPHA,
    BETA,
    OBJECT_STEP,
    PROBE_STEP,
    PROBE_START,
    PROBE_PERIOD,
    OBJECT_INERTIA,
    PROBE_INERTIA,
    NO_SHUFFLE,
    KEEP_NEGATIVE
};

static const struct option long_options[] = {
    {"algorithm", required_argument, NULL, 'a'},
    {"iterations", required_argument, NULL, 'n'},
    {"niter", required_argument, NULL, 'n'},
    {"output", required_argument, NULL, 'o'},
    {"device", required_argument, NULL, 'd'},
    {"fft", required_argument, NULL, FFT},
    {"start", required_argument, NULL, START},
    {"subpixel", required_argument, NULL, SUBPIXEL},
    {"seed", required_argument, NULL, SEED},
    {"threads", required_argument, NULL, THREADS},
    {"png", required_argument, NULL, PNG},
    {"json", required_argument, NULL, JSON},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"batch", required_argument, NULL, BATCH},
    {"alpha", required_argument, NULL, ALPHA},
    {"beta", required_argument, NULL, BETA},
    {"object-step", required_argument, NULL, OBJECT_STEP},
    {"probe-step", required_argument, NULL, PROBE_STEP},
    {"probe-start", required_argument, NULL, PROBE_START},
    {"probe-period", required_argument, NULL, PROBE_PERIOD},
    {"object-inertia", required_argument, NULL, OBJECT_INERTIA},
    {"probe-inertia", required_argument, NULL, PROBE_INERTIA},
    {"no-shuffle", no_argument, NULL, NO_SHUFFLE},
    {"keep-negative", no_argument, NULL, KEEP_NEGATIVE},
    {NULL, 0, NULL, 0}};
static const char short_options[] = ":a:n:o:d:qh";

static int
subpixel(const char *text, ag_subpixel *value)
{
    static const char *const how[] = {"fourier", "linear", "none"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(how[i], text)) {
            *value = (ag_subpixel)i;
            return 1;
        }
    cmd_usage(name, "--subpixel: found \"%s\", expected fourier, linear or none", text);
    return 0;
}

/* Options whose value is a number. */
static const struct {
    int id;
    const char *option;
    size_t offset; /* in a run: of an int64_t, or of a double where `real` */
    int real;
    double least, most;
} number[] = {
    {'n', "--iterations", offsetof(run, iterations), 0, 0, 1e9},
    {SEED, "--seed", offsetof(run, options.seed), 0, 0, 9e18},
    {BATCH, "--batch", offsetof(run, options.batch), 0, 1, 9e18},
    {ALPHA, "--alpha", offsetof(run, options.alpha), 1, 0, 1},
    {BETA, "--beta", offsetof(run, options.beta), 1, 0, 1},
    {OBJECT_STEP, "--object-step", offsetof(run, options.object_step), 1, 0, 10},
    {PROBE_STEP, "--probe-step", offsetof(run, options.probe_step), 1, 0, 10},
    {PROBE_START, "--probe-start", offsetof(run, options.probe_start), 0, -1, 1e9},
    {PROBE_PERIOD, "--probe-period", offsetof(run, options.probe_period), 0, 1, 1e9},
    {OBJECT_INERTIA, "--object-inertia", offsetof(run, options.object_inertia), 1, 0, 1},
    {PROBE_INERTIA, "--probe-inertia", offsetof(run, options.probe_inertia), 1, 0, 1},
};

/* 1 when the option is good. */
static int
take_number(run *r, int c)
{
    size_t i = 0;
    while (number[i].id != c)
        i++;
    char *place = (char *)r + number[i].offset;
    if (number[i].real)
        return cmd_real(name, number[i].option, optarg, number[i].least, number[i].most,
                        (double *)(void *)place);
    return cmd_integer(name, number[i].option, optarg, (int64_t)number[i].least,
                       (int64_t)number[i].most, (int64_t *)(void *)place);
}

static int
take(run *r, int c)
{
    int64_t threads;
    switch (c) {
    case 'a':
        return 1; /* taken before the others, whose defaults depend on it */
    case 'o':
        r->output = optarg;
        return 1;
    case 'd':
        r->device_name = optarg;
        return 1;
    case 'q':
        r->quiet = 1;
        return 1;
    case FFT:
        r->fft = optarg;
        return 1;
    case START:
        r->start = optarg;
        return 1;
    case PNG:
        r->png = optarg;
        return 1;
    case JSON:
        r->json = optarg;
        return 1;
    case SUBPIXEL:
        return subpixel(optarg, &r->options.subpixel);
    case THREADS:
        return cmd_integer(name, "--threads", optarg, 1, 4096, &threads) &&
               !setenv("ARGAND_THREADS", optarg, 1);
    case NO_SHUFFLE:
        r->options.shuffle = 0;
        return 1;
    case KEEP_NEGATIVE:
        r->options.clip_amplitudes = 0;
        return 1;
    default:
        return take_number(r, c);
    }
}

int
run_parse(run *r, int argc, char **argv)
{
    const char *algorithm = "rpie";
    const struct option *options = cmd_input_options(long_options);
    ag_message message;
    int c;
    while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
        if (c == 'a')
            algorithm = optarg;
        if (c == 'h') {
            fputs(help_begin, stdout);
            for (int i = 0; ag_method_name(i); i++)
                printf("%s%s", i ? ", " : " ", ag_method_name(i));
            fputs(help_end, stdout);
            fputs(cmd_input_help, stdout);
            fputs(help_exit, stdout);
            return -1;
        }
        if (c == '?' || c == ':')
            return cmd_wrong_option(name, c, argv);
    }
    if (ag_options_default(&r->options, algorithm, &message))
        return cmd_usage(name, "--%s", message.text);
    r->iterations = 100;
    ag_import_default(&r->input.import);
    for (optind = 1; (c = getopt_long(argc, argv, short_options, options, NULL)) != -1;)
        if (!(cmd_input_is(c) ? cmd_input_take(name, c, &r->input) : take(r, c)))
            return 2;
    if (!cmd_input_scan(name, argc, argv, &r->input))
        return 2;
    r->scan_path = cmd_input_name(&r->input);
    if (!r->output && !r->png && !r->json)
        return cmd_usage(name, "nothing to leave: give --output, --png or --json");
    return 0;
}
