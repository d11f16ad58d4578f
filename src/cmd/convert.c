/* SPDX-License-Identifier: BSD-3-Clause */
/* convert.c -- `argand convert`: a scan of any format, as the options say, written as a CXI file. */
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"

static const char name[] = "convert";

static const char help[] =
    "Usage: argand convert SCAN OUT.cxi [INPUT OPTIONS]\n"
    "       argand convert --frames FILE:FIELD --positions FILE:FIELD OUT.cxi [INPUT OPTIONS]\n"
    "Reads a scan of any format and writes it, as the input options say, as a CXI file.\n"
    "\n"
    "  -q, --quiet              no warnings\n"
    "  -h, --help               this text\n"
    "\n";
static const char help_end[] = "\nExit status: 0 done, 1 failed, 2 the command line is wrong.\n";

int
cmd_convert(int argc, char **argv)
{
    static const struct option own[] = {
        {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const struct option *options = cmd_input_options(own);
    cmd_input input = {.search = 0};
    ag_scan *scan;
    ag_message message;
    int quiet = 0;
    ag_import_default(&input.import);
    for (int c; (c = getopt_long(argc, argv, ":qh", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            fputs(cmd_input_help, stdout);
            fputs(help_end, stdout);
            return 0;
        }
        if (cmd_input_is(c)) {
            if (!cmd_input_take(name, c, &input))
                return 2;
        } else if (c != 'q') {
            return cmd_wrong_option(name, c, argv);
        } else {
            quiet = 1;
        }
    }
    if (optind == argc)
        return cmd_usage(name, "found no file names, expected a scan and an output");
    const char *output = argv[argc - 1];
    if (!cmd_input_scan(name, argc - 1, argv, &input))
        return 2;
    if (cmd_input_holds(&input, output))
        return cmd_usage(name, "found %s, which the scan is read from, expected another output", output);
    if (cmd_try_output(name, "output", output, 0))
        return 1;
    input.import.lazy = 1;
    if (ag_scan_open(&scan, &input.import, &message))
        return cmd_fail(name, "%s", message.text);
    if (!quiet)
        cmd_input_warnings(name, scan);
    const ag_status status = ag_scan_write(scan, output, &message);
    const ag_scan_info *info = ag_scan_content(scan);
    if (!status)
        printf("%s: %lld frames of %lld x %lld, object %lld x %lld\n", output,
               (long long)info->frames, (long long)info->rows, (long long)info->cols,
               (long long)info->object_rows, (long long)info->object_cols);
    ag_scan_destroy(scan);
    return status ? cmd_fail(name, "%s", message.text) : 0;
}
