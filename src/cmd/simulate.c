/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate.c -- `argand simulate`: a scan whose answer is known, as a CXI file. */
#include <getopt.h>
#include <stdio.h>

#include "argand.h"
#include "cmd.h"

static const char help[] =
    "Usage: argand simulate -o FILE.cxi [OPTIONS]\n"
    "Makes the profiling problem of PtychoEP: an Airy-like probe on a Fermat spiral over a\n"
    "synthetic object.  The file holds the true probe as start and the true object.\n"
    "\n"
    "  -o, --output FILE      where to write\n"
    "      --frame N          rows and columns of a frame (128)\n"
    "      --image N          rows and columns of the object (512); also --object\n"
    "      --points N         scan positions (200)\n"
    "      --step PIXELS      step of the spiral (5)\n"
    "      --noise VARIANCE   Gaussian noise on the amplitudes (0)\n"
    "      --photons N        mean photons per frame, Poisson noise (none)\n"
    "      --seed N           of the noise (0)\n"
    "      --near-field       a detector in the near field, a wide and speckled probe\n"
    "      --focus-distance X  near field: from the focus to the sample, m (one that gives\n"
    "                         N pixel^2 = 4 wavelength distance)\n"
    "  -m, --modes N          modes of the probe, whose intensities add up (1)\n"
    "      --mode-share X     of the power, in the modes after the first (0.3)\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 the command line is wrong.\n";

int
cmd_simulate(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"frame", required_argument, NULL, 'f'},
                                            {"image", required_argument, NULL, 'O'},
                                            {"object", required_argument, NULL, 'O'},
                                            {"points", required_argument, NULL, 'p'},
                                            {"step", required_argument, NULL, 's'},
                                            {"noise", required_argument, NULL, 'n'},
                                            {"photons", required_argument, NULL, 'P'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {"near-field", no_argument, NULL, 'F'},
                                            {"focus-distance", required_argument, NULL, 'D'},
                                            {"modes", required_argument, NULL, 'm'},
                                            {"mode-share", required_argument, NULL, 'M'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static const char name[] = "simulate";
    const char *output = NULL;
    ag_simulation simulation;
    ag_message message;
    int64_t seed = 0;
    int c, good = 1;
    ag_simulation_default(&simulation);
    while (good && (c = getopt_long(argc, argv, ":o:m:h", options, NULL)) != -1) {
        switch (c) {
        case 'o':
            output = optarg;
            break;
        case 'f':
            good = cmd_integer(name, "--frame", optarg, 2, 16384, &simulation.frame);
            break;
        case 'O':
            good = cmd_integer(name, "--image", optarg, 2, 1 << 20, &simulation.object);
            break;
        case 'p':
            good = cmd_integer(name, "--points", optarg, 1, 100000000, &simulation.points);
            break;
        case 's':
            good = cmd_real(name, "--step", optarg, 1e-6, 1e6, &simulation.step);
            break;
        case 'n':
            good = cmd_real(name, "--noise", optarg, 0, 1e30, &simulation.noise);
            break;
        case 'P':
            good = cmd_real(name, "--photons", optarg, 0, 1e30, &simulation.photons);
            break;
        case 'S':
            good = cmd_integer(name, "--seed", optarg, 0, INT64_MAX, &seed);
            break;
        case 'F':
            simulation.geometry = AG_NEAR_FIELD;
            break;
        case 'D':
            simulation.geometry = AG_NEAR_FIELD;
            good = cmd_real(name, "--focus-distance", optarg, 1e-9, 1e4, &simulation.focus_distance);
            break;
        case 'm':
            good = cmd_integer(name, "--modes", optarg, 1, 64, &simulation.modes);
            break;
        case 'M':
            good = cmd_real(name, "--mode-share", optarg, 1e-9, 0.999999, &simulation.mode_share);
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return cmd_wrong_option(name, c, argv);
        }
    }
    if (!good)
        return 2;
    if (optind < argc)
        return cmd_usage(name, "found \"%s\", expected only options", argv[optind]);
    if (!output)
        return cmd_usage(name, "--output: found nothing, expected a file name");
    if (cmd_try_output(name, "--output", output, 0))
        return 1;
    simulation.seed = (uint64_t)seed;
    ag_scan *scan;
    ag_status status = ag_scan_simulate(&scan, &simulation, &message);
    if (status)
        return status == AG_BAD_ARGUMENT ? cmd_usage(name, "%s", message.text)
                                         : cmd_fail(name, "%s", message.text);
    status = ag_scan_write(scan, output, &message);
    if (!status)
        printf("%s: %lld frames of %lld x %lld, object %lld x %lld\n", output,
               (long long)ag_scan_content(scan)->frames, (long long)ag_scan_content(scan)->rows,
               (long long)ag_scan_content(scan)->cols,
               (long long)ag_scan_content(scan)->object_rows,
               (long long)ag_scan_content(scan)->object_cols);
    ag_scan_destroy(scan);
    return status ? cmd_fail(name, "%s", message.text) : 0;
}
