/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd.h -- the subcommands of the program; each returns the exit status: 0 done, 1 failed, 2 usage. */
#ifndef AG_CMD_H
#define AG_CMD_H

#include <stdint.h>
#include <stdio.h>

#include "argand.h"

int cmd_devices(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_reconstruct(int argc, char **argv);

/* Each of these prints "argand COMMAND: ..." to the standard error. */
int cmd_fail(const char *command, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ; /* returns 1 */
int cmd_usage(const char *command, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ; /* returns 2 */

/* What getopt_long found wrong, where short options begin with a colon: `c` is ':' or '?'. */
int cmd_wrong_option(const char *command, int c, char **argv);

/* The whole of `text` as a number from least to most, else a usage error: 1 when it is good. */
int cmd_integer(const char *command, const char *option, const char *text, int64_t least,
                int64_t most, int64_t *value);
int cmd_real(const char *command, const char *option, const char *text, double least, double most,
             double *value);

/* geometry.c: options of all commands that read a scan. */
enum { CMD_NEAR_FIELD = 1024, CMD_FOCUS_DISTANCE, CMD_ORIENTATION };
#define CMD_GEOMETRY_OPTIONS                                                                       \
    {"near-field", no_argument, NULL, CMD_NEAR_FIELD},                                             \
        {"focus-distance", required_argument, NULL, CMD_FOCUS_DISTANCE},                           \
        {"orientation", required_argument, NULL, CMD_ORIENTATION}
#define CMD_GEOMETRY_HELP                                                                          \
    "      --near-field         the detector is in the near field, the beam parallel\n"            \
    "      --focus-distance X   near field of a beam from a focus X m before the sample\n"          \
    "      --orientation NAME   turn the positions: as-is, swap, flip-rows, flip-cols, flip-both,\n" \
    "                           swap-flip-rows, ..., or search for the one that fits\n"
typedef struct cmd_geometry {
    ag_geometry geometry;
    double focus_distance;
    const char *orientation; /* a name or "search", NULL: none */
} cmd_geometry;
/* Takes one of the options: 1 when it is good. */
int cmd_geometry_option(const char *command, int c, const char *value, cmd_geometry *geometry);
/* Turns the positions as asked for and tells by which orientation: 0, or 1 after saying why.  Without a search no device is needed. */
int cmd_orient(const char *command, const char *path, const cmd_geometry *geometry, ag_device *device,
               int quiet, ag_scan *scan, int *orientation);
void cmd_print_orientation(FILE *out, const ag_orientation *found);

/* output.c: whether two names lead to one file, or would. */
int cmd_same_file(const char *a, const char *b);
/* 0 when a file of that name can be written now, else 1 after saying why.  A device or a pipe
   will do only where `special`.  */
int cmd_try_output(const char *command, const char *option, const char *path, int special);
/* Writes a file that appears under its name only when complete: 0, or 1 after saying why. */
int cmd_write_text(const char *command, const char *option, const char *path, const char *text);

#endif
