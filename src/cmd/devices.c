/* SPDX-License-Identifier: BSD-3-Clause */
/* devices.c -- `argand devices`: what can be used, and why the rest cannot. */
#include <getopt.h>
#include <stdio.h>

#include "argand.h"
#include "cmd.h"

static int
show_fft(void *user, const char *name, ag_status status, const char *text)
{
    (void)user;
    printf("    --fft %-8s %s%s\n", name, status ? "not usable: " : "", text);
    return 0;
}

static int
show(void *user, const char *name, ag_status status, const char *text)
{
    int *usable = user;
    printf("%-12s %s%s\n", name, status ? "not usable: " : "", text);
    *usable += !status;
    if (!status)
        ag_fft_list(name, show_fft, NULL);
    return 0;
}

int
cmd_devices(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int usable = 0, c;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (c != 'h')
            return cmd_wrong_option("devices", c, argv);
        printf("Usage: argand devices\n"
               "Lists the devices of the backends that argand was built with, in their order of\n"
               "preference; the names are what -d takes.  Below a device stand the libraries\n"
               "that can transform on it in place of argand's kernels, for --fft.\n"
               "\n"
               "  -h, --help   this text\n"
               "\n"
               "Exit status: 0 done, 1 no device can be used, 2 the command line is wrong.\n");
        return 0;
    }
    if (optind < argc)
        return cmd_usage("devices", "found \"%s\", expected no arguments", argv[optind]);
    ag_device_list(show, &usable);
    return usable ? 0 : 1;
}
