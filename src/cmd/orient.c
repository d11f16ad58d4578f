/* SPDX-License-Identifier: BSD-3-Clause */
/* orient.c -- which way the positions of a scan run, where a command is to find out. */
#include <stdio.h>

#include "cmd.h"

void
cmd_print_orientation(FILE *out, const ag_orientation *found)
{
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        fprintf(out, "%-18s %-14s error %.5f%s%s\n", i ? "" : "orientation", ag_orientation_name(i),
                found->error[i], found->group[i] == i ? "" : ", the same in principle as ",
                found->group[i] == i ? "" : ag_orientation_name(found->group[i]));
    fprintf(out, "%-18s %s", "verdict",
            found->decided ? ag_orientation_name(found->best) : "undecided");
    if (found->second < 0)
        fprintf(out, ": all of them put the windows at places that no data tell apart\n");
    else
        fprintf(out,
                ": %s is best by %.1f %%, then %s (decided from %.0f %% on; %lld frames, %lld "
                "iterations)\n",
                ag_orientation_name(found->best), 100 * found->margin,
                ag_orientation_name(found->second), 100 * AG_ORIENTATION_MARGIN,
                (long long)found->frames, (long long)found->iterations);
}

int
cmd_orient(const char *command, const cmd_input *input, ag_device *device, int quiet,
           ag_scan *scan, int *orientation)
{
    const char *path = cmd_input_name(input);
    ag_message message;
    ag_orientation found;
    *orientation = input->import.orientation;
    if (!input->search)
        return 0;
    if (ag_orientation_find(device, scan, &found))
        return cmd_fail(command, "%s", ag_device_message(device));
    if (!quiet || !found.decided)
        cmd_print_orientation(stderr, &found);
    if (!found.decided)
        return cmd_fail(
            command,
            "%s: --orientation search: undecided, expected a margin of %.0f %%; name one", path,
            100 * AG_ORIENTATION_MARGIN);
    *orientation = found.best;
    return ag_scan_orient(scan, *orientation, &message)
               ? cmd_fail(command, "%s: %s", path, message.text)
               : 0;
}
