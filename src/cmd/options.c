/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c -- the command line of `argand reconstruct`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

/* From one checkpoint to the next. */
#define USUAL_SECONDS 600

/* Before and after the names of the methods. */
static const char help_begin[] =
    "Usage: argand reconstruct SCAN [-a ALGORITHM] [-n N] [-o OUT.cxi] [OPTIONS]\n"
    "Reconstructs object and probe from a ptychographic scan, in the far or near field.\n"
    "\n"
    "  -a, --algorithm NAME    ";
static const char help_end[] =
    " (rpie)\n"
    "                           several one after another: raar:200,rpie:50:beta=0.5\n"
    "  -n, --iterations N       passes over all positions (100); also --niter\n"
    "  -o, --output FILE        the result, HDF5 with CXI names\n"
    "  -d, --device NAME[,...]  see argand devices (ARGAND_DEVICE, else the first); several share the frames\n"
    "      --fft NAME           who transforms: fused (the kernels themselves), or a library that\n"
    "                           argand devices lists for the device (fused)\n"
    "      --wisdom FILE        plans that argand bench tune has found; sizes that it lacks take the usual ones\n"
    "      --start FILE         begin with the object and probe of a result\n"
    "  -m, --modes N            modes of the probe, whose intensities add up (those of the start)\n"
    "      --mode-share X       of the power, where modes beyond the start's begin (0.1)\n"
    "      --orthogonalise N    make the modes orthogonal after every N iterations; not dm, raar (0:\n"
    "                           in the result alone)\n"
    "      --subpixel HOW       fourier (the probe is shifted), linear (the object is\n"
    "                           interpolated) or none (positions are rounded) (fourier)\n"
    "      --data-type NAME     of the amplitudes on the device: float32 or uint16 (float32)\n"
    "      --sums HOW           of the object: fixed order, or atomic additions; dm, ap, raar (fixed)\n"
    "      --seed N             of the order of positions (0)\n"
    "      --threads N          of the cpu device (all cores)\n"
    "      --png DIR            pictures: object amplitude and phase, probe, error curve\n"
    "      --json FILE          a report; - is the standard output\n"
    "      --checkpoint FILE    what --resume needs, rewritten during the run\n"
    "      --preview DIR        pictures as of --png, rewritten during the run\n"
    "      --every N            iterations, or with an s seconds, between the two's writings (600s)\n"
    "      --resume[=FILE]      go on from FILE, or from the checkpoint if there is one yet\n"
    "      --profile            a table of the time of each kernel, each launch timed alone;\n"
    "                           the whole takes longer than without\n"
    "      --memory LIMIT       on the device (cpu: in all), as 2G, 512M or 50%; what does not fit\n"
    "                           waits in host memory (cpu: in a temporary file)\n"
    "  -q, --quiet              no progress\n"
    "  -h, --help               this text\n"
    "\n"
    "The defaults of what follows depend on the algorithm; argand(1) gives them and the formulas.\n"
    "      --batch N            PIE family, lsqml: positions per update, 1 is one after another\n"
    "      --batches HOW        lsqml: random, uniform (each covers the scan) or compact\n"
    "                           (neighbours; the object goes once an iteration)\n"
    "      --noise-model NAME   lsqml: gaussian or poisson\n"
    "      --alpha X            PIE family, lsqml: regularisation of the object step, 0 to 1\n"
    "      --beta X             PIE family: of the probe step; lsqml: of the steps; raar: relaxation\n"
    "      --object-step X      PIE family, lsqml: factor of the object step\n"
    "      --probe-step X       PIE family, lsqml: factor of the probe step\n"
    "      --momentum X         lsqml: gain of what the changes of successive iterations add up to (0)\n"
    "      --opr-modes N        lsqml: eigen-probes of which each frame adds its own weights to the probe (0)\n"
    "      --opr-start K        first iteration that refines them (10)\n"
    "      --opr-intensity      frames have a weight of the probe itself, too\n"
    "      --probe-start K      first iteration, from 0, that refines the probe; -1: never\n"
    "      --probe-period K     projections: iterations from one refinement to the next\n"
    "      --object-inertia X   projections: weight of the old object\n"
    "      --probe-inertia X    projections: weight of the old probe\n"
    "      --damping X          ep: weight of a frame's new message\n"
    "      --sparsity X         ep: share of the object's pixels that are not 0; 0: any object\n"
    "      --noise-precision X  ep: 1 / variance of the amplitudes' noise; 0: estimated\n"
    "      --probe-steps N      ep-em: steps of the probe in an iteration\n"
    "      --position-start K   first iteration, from 0, that refines positions; -1: none\n"
    "      --position-method M  gradient or correlation (of exit waves)\n"
    "      --position-step X    factor of their steps at the start\n"
    "      --position-limit X   pixels that a position goes in an iteration at most\n"
    "      --position-affine    positions go together, by an affine map\n"
    "      --probe-support X    the probe is 0 outside a disc, in parts of half the window\n"
    "      --object-least X     bounds of the object's modulus;\n"
    "      --object-most X      0: none\n"
    "      --phase-least X      bounds of its phase, radians;\n"
    "      --phase-most X       both 0: none\n"
    "      --object-smoothing X part of a pixel's modulus that each of its 8 neighbours gives, 0 to 0.125,\n"
    "      --smoothing-period N after every so many iterations\n"
    "      --probe-power X      sum of |P|^2 that a refined probe keeps to; 0: as it comes\n"
    "      --probe-centre X     pixels that its centre may be off the middle; 0: any\n"
    "      --probe-spectrum HOW any, mask (where there is light) or intensity: of the probe at the detector\n"
    "      --spectrum-from FILE[:FIELD]  counts of it, as the frames lie (their mean)\n"
    "      --spectrum-least X   mask: there is light from so many parts of the largest on (0.01)\n"
    "      --saturation X       data from this value on were not measured; 0: all were\n"
    "      --background-start K dm, ap, raar: first iteration that estimates a background of all frames; -1: none\n"
    "      --background-period N iterations from one estimate to the next (5)\n"
    "      --residuals N        ap, raar: how far the waves are from data and overlap, every N iterations (0: never)\n"
    "      --overlap-steps N    dm, ap, raar: object and probe in turn so often in an iteration\n"
    "      --no-rescale         lsqml, ep: the probe keeps its power at the start\n"
    "      --guard-bursts       ep: a frame whose data say nothing new keeps its message\n"
    "      --no-shuffle         PIE family, lsqml: positions in the order of the file\n"
    "      --keep-negative      amplitudes below 0 are not made 0\n"
    "\n";
static const char help_exit[] =
    "\nExit status: 0 done, 1 failed, 2 the command line is wrong, 128 + N stopped by signal N.\n";

enum { FFT = 256, WISDOM, START, THREADS, PNG, JSON, CHECKPOINT, EVERY, RESUME, PREVIEW, MEMORY, PROFILE, MODE_SHARE, SPECTRUM, SETTING };

static const struct option long_options[] = {
    {"algorithm", required_argument, NULL, 'a'},
    {"iterations", required_argument, NULL, 'n'},
    {"niter", required_argument, NULL, 'n'},
    {"output", required_argument, NULL, 'o'},
    {"device", required_argument, NULL, 'd'},
    {"fft", required_argument, NULL, FFT},
    {"wisdom", required_argument, NULL, WISDOM},
    {"start", required_argument, NULL, START},
    {"modes", required_argument, NULL, 'm'},
    {"mode-share", required_argument, NULL, MODE_SHARE},
    {"orthogonalise", required_argument, NULL, SETTING},
    {"subpixel", required_argument, NULL, SETTING},
    {"data-type", required_argument, NULL, SETTING},
    {"sums", required_argument, NULL, SETTING},
    {"seed", required_argument, NULL, SETTING},
    {"threads", required_argument, NULL, THREADS},
    {"png", required_argument, NULL, PNG},
    {"json", required_argument, NULL, JSON},
    {"checkpoint", required_argument, NULL, CHECKPOINT},
    {"every", required_argument, NULL, EVERY},
    {"resume", optional_argument, NULL, RESUME},
    {"preview", required_argument, NULL, PREVIEW},
    {"memory", required_argument, NULL, MEMORY},
    {"profile", no_argument, NULL, PROFILE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"batch", required_argument, NULL, SETTING},
    {"batches", required_argument, NULL, SETTING},
    {"noise-model", required_argument, NULL, SETTING},
    {"alpha", required_argument, NULL, SETTING},
    {"beta", required_argument, NULL, SETTING},
    {"object-step", required_argument, NULL, SETTING},
    {"probe-step", required_argument, NULL, SETTING},
    {"momentum", required_argument, NULL, SETTING},
    {"opr-modes", required_argument, NULL, SETTING},
    {"opr-start", required_argument, NULL, SETTING},
    {"opr-intensity", no_argument, NULL, SETTING},
    {"probe-start", required_argument, NULL, SETTING},
    {"probe-period", required_argument, NULL, SETTING},
    {"object-inertia", required_argument, NULL, SETTING},
    {"probe-inertia", required_argument, NULL, SETTING},
    {"damping", required_argument, NULL, SETTING},
    {"sparsity", required_argument, NULL, SETTING},
    {"noise-precision", required_argument, NULL, SETTING},
    {"probe-steps", required_argument, NULL, SETTING},
    {"position-start", required_argument, NULL, SETTING},
    {"position-method", required_argument, NULL, SETTING},
    {"position-step", required_argument, NULL, SETTING},
    {"position-limit", required_argument, NULL, SETTING},
    {"position-affine", no_argument, NULL, SETTING},
    {"probe-support", required_argument, NULL, SETTING},
    {"object-least", required_argument, NULL, SETTING},
    {"object-most", required_argument, NULL, SETTING},
    {"phase-least", required_argument, NULL, SETTING},
    {"phase-most", required_argument, NULL, SETTING},
    {"object-smoothing", required_argument, NULL, SETTING},
    {"smoothing-period", required_argument, NULL, SETTING},
    {"probe-power", required_argument, NULL, SETTING},
    {"probe-centre", required_argument, NULL, SETTING},
    {"probe-spectrum", required_argument, NULL, SETTING},
    {"spectrum-from", required_argument, NULL, SPECTRUM},
    {"spectrum-least", required_argument, NULL, SETTING},
    {"saturation", required_argument, NULL, SETTING},
    {"background-start", required_argument, NULL, SETTING},
    {"background-period", required_argument, NULL, SETTING},
    {"residuals", required_argument, NULL, SETTING},
    {"overlap-steps", required_argument, NULL, SETTING},
    {"no-rescale", no_argument, NULL, SETTING},
    {"guard-bursts", no_argument, NULL, SETTING},
    {"no-shuffle", no_argument, NULL, SETTING},
    {"keep-negative", no_argument, NULL, SETTING},
    {NULL, 0, NULL, 0}};
static const char short_options[] = ":a:n:o:d:m:qh";

/* "20": iterations, "90s": seconds. */
static int
take_every(run *r, const char *text)
{
    char *end;
    const double seconds = strtod(text, &end);
    r->every = 0;
    if (end != text && !strcmp(end, "s") && seconds > 0 && seconds < 1e9) {
        r->every_seconds = seconds;
        return 1;
    }
    return cmd_integer(name, "--every", text, 1, 1000000000, &r->every);
}

static int
take_setting(run *r, const char *setting)
{
    for (int k = 0; k < r->stages; k++)
        if (!run_set(&r->stage[k].options, setting, optarg))
            return 0;
    return 1;
}

static int
take(run *r, int c, const char *option)
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
    case 'm':
        return cmd_integer(name, "--modes", optarg, 1, RUN_MODES, &r->modes);
    case MODE_SHARE:
        return cmd_real(name, "--mode-share", optarg, 1e-9, 0.999999, &r->mode_share);
    case SPECTRUM:
        r->spectrum_from = optarg;
        return 1;
    case FFT:
        r->fft = optarg;
        return 1;
    case WISDOM:
        r->wisdom = optarg;
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
    case CHECKPOINT:
        r->checkpoint = optarg;
        return 1;
    case EVERY:
        return take_every(r, optarg);
    case RESUME:
        r->resume = optarg ? optarg : "";
        return 1;
    case PREVIEW:
        r->preview = optarg;
        return 1;
    case MEMORY:
        return run_memory_option(r, optarg);
    case PROFILE:
        return r->profile || !run_profile_begin(r);
    case 'n':
        return cmd_integer(name, "--iterations", optarg, 0, 1000000000, &r->iterations);
    case THREADS:
        return cmd_integer(name, "--threads", optarg, 1, 4096, &threads) &&
               !setenv("ARGAND_THREADS", optarg, 1);
    default:
        return take_setting(r, option);
    }
}

/* What has to be given together. */
static int
check(const run *r)
{
    if (!r->output && !r->png && !r->json && !r->profile)
        return cmd_usage(name, "nothing to leave: give --output, --png, --json or --profile");
    int spectrum = !r->spectrum_from;
    for (int k = 0; k < r->stages; k++)
        spectrum |= r->stage[k].options.probe_spectrum != AG_SPECTRUM_ANY;
    if (!spectrum)
        return cmd_usage(name, "--spectrum-from: expected with it --probe-spectrum");
    if (r->wisdom && r->fft && strcmp(r->fft, "fused") != 0)
        return cmd_usage(name, "--wisdom: found a file and --fft %s, expected --fft fused, whose plans it has", r->fft);
    if (r->resume && !*r->resume && !r->checkpoint)
        return cmd_usage(name, "--resume: found no file, expected one, or --checkpoint");
    if ((r->every || r->every_seconds > 0) && !r->checkpoint && !r->preview)
        return cmd_usage(name, "--every: expected with it --checkpoint or --preview");
    if (r->device_name && strchr(r->device_name, ',') && (r->memory || r->memory_part > 0))
        return cmd_usage(name, "--memory: found one, expected none where --device names several: each device has a memory of its own");
    return 0;
}

int
run_parse(run *r, int argc, char **argv)
{
    const char *algorithm = "rpie", *after_resume = NULL;
    const struct option *options = cmd_input_options(long_options);
    int c, index = 0;
    while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
        if (c == 'a')
            algorithm = optarg;
        /* Before getopt has moved the scan behind the options. */
        if (c == RESUME)
            after_resume = optarg || optind >= argc ? NULL : argv[optind];
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
    if (!run_chain(r, algorithm))
        return 2;
    r->iterations = 100;
    r->mode_share = 0.1;
    ag_import_default(&r->input.import);
    for (optind = 1; (c = getopt_long(argc, argv, short_options, options, &index)) != -1;)
        if (!(cmd_input_is(c) ? cmd_input_take(name, c, &r->input) : take(r, c, options[index].name)))
            return 2;
    if (!run_set_stages(r))
        return 2;
    /* "--resume FILE SCAN" and "SCAN --resume FILE" */
    for (int i = optind; i < argc && argc - optind == 2 && after_resume; i++)
        if (argv[i] == after_resume) {
            r->resume = after_resume;
            argv[i] = argv[optind++];
            after_resume = NULL;
        }
    if (!cmd_input_scan(name, argc, argv, &r->input))
        return 2;
    r->scan_path = cmd_input_name(&r->input);
    r->input.import.lazy = r->memory || r->memory_part > 0;
    const int status = check(r);
    if (!r->every && !(r->every_seconds > 0))
        r->every_seconds = USUAL_SECONDS;
    return status;
}
