/* SPDX-License-Identifier: BSD-3-Clause */
/* reconstruct.c -- `argand reconstruct`: from a scan to object and probe. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* 0 to go on, else the exit status (-1: done, as after --help). */
static int
parse(run *r, int argc, char **argv)
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

static int
report_progress(void *user, const ag_progress *p)
{
    const run *r = user;
    const double left = p->seconds / (double)p->iteration * (double)(p->iterations - p->iteration);
    const double frames = (double)ag_scan_content(r->scan)->frames * (double)p->iteration /
                          (p->seconds > 0 ? p->seconds : 1e-9);
    if (r->quiet)
        return 0;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%6lld/%lld  error %.5f  %.0f frames/s  %.0f s left   %s",
                (long long)p->iteration, (long long)p->iterations, p->error, frames, left,
                p->iteration == p->iterations ? "\n" : "");
    else if (p->iteration % (p->iterations / 10 + 1) == 0 || p->iteration == p->iterations)
        fprintf(stderr, "iteration %lld of %lld, error %.5f, %.0f frames/s\n",
                (long long)p->iteration, (long long)p->iterations, p->error, frames);
    return 0;
}

/* The start: what --start or the file holds, else an object of ones and a guessed probe. */
static int
begin(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = info->rows * info->cols;
    ag_message message;
    ag_result *start = NULL;
    r->object_host = calloc((size_t)pixels, sizeof *r->object_host);
    r->probe_host = calloc((size_t)window, sizeof *r->probe_host);
    if (!r->object_host || !r->probe_host)
        return cmd_fail(name, "%s: out of host memory", r->scan_path);
    for (int64_t i = 0; i < pixels; i++)
        r->object_host[i].re = 1;
    if (r->start) {
        if (ag_result_read(&start, r->start, &message))
            return cmd_fail(name, "%s", message.text);
        const int fits = start->object_rows == info->object_rows &&
                         start->object_cols == info->object_cols && start->rows == info->rows &&
                         start->cols == info->cols;
        if (fits) {
            memcpy(r->object_host, start->object, (size_t)pixels * sizeof *r->object_host);
            memcpy(r->probe_host, start->probe, (size_t)window * sizeof *r->probe_host);
        } else {
            cmd_fail(name,
                     "%s: entry_1/object/data, entry_1/probe/data: found %lld x %lld and %lld x "
                     "%lld, expected "
                     "%lld x %lld and %lld x %lld",
                     r->start, (long long)start->object_rows, (long long)start->object_cols,
                     (long long)start->rows, (long long)start->cols, (long long)info->object_rows,
                     (long long)info->object_cols, (long long)info->rows, (long long)info->cols);
        }
        ag_result_destroy(start);
        return !fits;
    }
    if (info->probe)
        memcpy(r->probe_host, info->probe, (size_t)window * sizeof *r->probe_host);
    else if (ag_probe_guess(r->scan, r->probe_host, &message))
        return cmd_fail(name, "%s", message.text);
    if (!r->quiet && info->modes > 1)
        fprintf(stderr, "argand %s: warning: the first of %lld probe modes is used\n", name,
                (long long)info->modes);
    return 0;
}

static int
solve(run *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t pixels = info->object_rows * info->object_cols, window = info->rows * info->cols;
    if (ag_array_create(&r->object, r->device, AG_COMPLEX, pixels) ||
        ag_array_create(&r->probe, r->device, AG_COMPLEX, window) ||
        ag_array_write(r->object, 0, pixels, r->object_host) ||
        ag_array_write(r->probe, 0, window, r->probe_host) ||
        ag_solver_create(&r->solver, r->device, ag_comm_self(), r->scan, &r->options, r->object,
                         r->probe) ||
        ag_solver_run(r->solver, r->iterations, report_progress, r) ||
        ag_solver_measure(r->solver, &r->quality) ||
        ag_array_read(r->object, 0, pixels, r->object_host) ||
        ag_array_read(r->probe, 0, window, r->probe_host))
        return cmd_fail(name, "%s", ag_device_message(r->device));
    const double *error, *seconds;
    const int64_t done = ag_solver_history(r->solver, &error, &seconds);
    for (int64_t i = 0; i < done; i++)
        r->seconds += seconds[i];
    return 0;
}

static int
work(run *r)
{
    ag_message message;
    int status = run_places(r);
    if (status)
        return status;
    if (ag_device_open(&r->device, r->device_name, &message))
        return cmd_fail(name, "%s", message.text);
    const ag_status fft = ag_device_fft(r->device, r->fft, &message);
    if (fft)
        return fft == AG_BAD_ARGUMENT ? cmd_usage(name, "--%s", message.text) : cmd_fail(name, "--%s", message.text);
    if (ag_scan_open(&r->scan, &r->input.import, &message))
        return cmd_fail(name, "%s", message.text);
    if (!r->quiet)
        cmd_input_warnings(name, r->scan);
    status = cmd_orient(name, &r->input, r->device, r->quiet, r->scan, &r->orientation);
    if (!status)
        status = begin(r);
    if (!status)
        status = solve(r);
    if (!status && r->output)
        status = run_result(r);
    if (!status && r->png)
        status = run_pictures(r);
    if (!status && r->json)
        status = run_json(r);
    if (!status && !r->quiet)
        fprintf(stderr, "%s, %s: relative_l2 %.5f, r_factor %.5f, %.2f s\n", r->options.method,
                ag_device_name(r->device), r->quality.relative_l2, r->quality.r_factor, r->seconds);
    return status;
}

int
cmd_reconstruct(int argc, char **argv)
{
    run r;
    memset(&r, 0, sizeof r);
    int status = parse(&r, argc, argv);
    if (status)
        return status < 0 ? 0 : status;
    status = work(&r);
    if (status && r.png_made)
        rmdir(r.png); /* unless there are pictures in it */
    ag_solver_destroy(r.solver);
    ag_array_destroy(r.object);
    ag_array_destroy(r.probe);
    ag_device_close(r.device);
    ag_scan_destroy(r.scan);
    free(r.object_host);
    free(r.probe_host);
    return status;
}
