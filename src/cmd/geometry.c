/* SPDX-License-Identifier: BSD-3-Clause */
/* geometry.c -- what the user knows better than a scan's file: near field, which way positions run. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

int
cmd_geometry_option(const char *command, int c, const char *value, cmd_geometry *g)
{
    switch (c) {
    case CMD_NEAR_FIELD:
        g->geometry = AG_NEAR_FIELD;
        return 1;
    case CMD_FOCUS_DISTANCE:
        g->geometry = AG_NEAR_FIELD;
        return cmd_real(command, "--focus-distance", value, 1e-9, 1e4, &g->focus_distance);
    default:
        g->orientation = value;
        if (!strcmp(value, "search"))
            return 1;
        for (int i = 0; ag_orientation_name(i); i++)
            if (!strcmp(ag_orientation_name(i), value))
                return 1;
        cmd_usage(command,
                  "--orientation: found \"%s\", expected search or one of as-is, swap, flip-rows, "
                  "flip-cols, "
                  "flip-both, swap-flip-rows, swap-flip-cols, swap-flip-both",
                  value);
        return 0;
    }
}

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
cmd_orient(const char *command, const char *path, const cmd_geometry *g, ag_device *device,
           int quiet, ag_scan *scan, int *orientation)
{
    ag_message message;
    ag_orientation found;
    *orientation = 0;
    if (!g->orientation)
        return 0;
    if (strcmp(g->orientation, "search")) {
        while (strcmp(ag_orientation_name(*orientation), g->orientation))
            ++*orientation;
    } else {
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
    }
    return ag_scan_orient(scan, *orientation, &message)
               ? cmd_fail(command, "%s: %s", path, message.text)
               : 0;
}
