/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd.h -- the subcommands of the program; each returns the exit status: 0 done, 1 failed, 2 usage. */
#ifndef AG_CMD_H
#define AG_CMD_H

#include <stdint.h>
#include <stdio.h>

#include "argand.h"

#define CMD_KEV_M 1.23984198e-9 /* photon energy in keV times wavelength in m */

int cmd_bench(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_devices(int argc, char **argv);
int cmd_infer(int argc, char **argv);
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
/* `text` as one of the words, which end with NULL: 1 and its place, else a usage error. */
int cmd_word(const char *command, const char *option, const char *text, const char *const *word, int *which);
/* Seconds of a clock that nobody sets. */
double cmd_seconds(void);

/* input.c: what the command line says about a scan, with the same options for all commands. */
typedef struct cmd_input {
    ag_import import;
    int search; /* for the orientation that fits */
} cmd_input;
struct option;
struct json_t;
/* The table of a command's own options followed by them; it stays valid until the next call. */
const struct option *cmd_input_options(const struct option *own);
extern const char cmd_input_help[];
/* Whether what getopt_long returned is one of them. */
int cmd_input_is(int c);
/* Takes its value: 1 when it is good, else a usage error. */
int cmd_input_take(const char *command, int c, cmd_input *input);
/* The scan, which is what is left of the command line, none where frames and positions are named: 1
   when all of it is good.  */
int cmd_input_scan(const char *command, int argc, char **argv, cmd_input *input);
/* The name of the scan for words and results. */
const char *cmd_input_name(const cmd_input *input);
/* Whether a path leads to one of the files that a scan is read from. */
int cmd_input_holds(const cmd_input *input, const char *path);
/* The options that were taken, as they were written, for the record. */
struct json_t *cmd_input_given(void);
/* What had to be assumed, each sentence as "argand COMMAND: warning: ..." on the standard error. */
void cmd_input_warnings(const char *command, const ag_scan *scan);

/* orient.c: searches for the orientation and turns the positions, where that is asked for, and tells which
   one the positions have been turned by: 0, or 1 after saying why.  Else no device is needed. */
int cmd_orient(const char *command, const cmd_input *input, ag_device *device, int quiet,
               ag_scan *scan, int *orientation);
void cmd_print_orientation(FILE *out, const ag_orientation *found);

/* output.c: whether two names lead to one file, or would. */
int cmd_same_file(const char *a, const char *b);
/* 0 when a file of that name can be written now, else 1 after saying why.  A device or a pipe
   will do only where `special`.  */
int cmd_try_output(const char *command, const char *option, const char *path, int special);
/* Writes a file that appears under its name only when complete: 0, or 1 after saying why. */
int cmd_write_text(const char *command, const char *option, const char *path, const char *text);
/* Writes a report, which it takes (NULL: there was no memory for it), to such a file; "-" is the standard
   output. */
int cmd_write_json(const char *command, const char *path, struct json_t *report);
/* wisdom.c: plans that were measured.  Reads a file of them: 0, or the exit status after saying why; an empty one; */
int cmd_wisdom_read(const char *command, const char *path, struct json_t **wisdom);
struct json_t *cmd_wisdom_new(void);
/* lets the device take the plan for frames of rows, columns and modes, if there is one: 0, or 2 after saying what is wrong with it;
   puts in what was found, in place of what was known of that size: other than 0 where memory does not suffice. */
int cmd_wisdom_take(const char *command, const char *path, const struct json_t *wisdom, ag_device *device, const int64_t size[3],
                    int *found);
int cmd_wisdom_put(struct json_t *wisdom, const ag_device *device, const ag_tuning *tuning);
enum { CMD_PATH = 4096 };
/* "FOLDER/FILE": 0, or 1 after saying that it is too long. */
int cmd_picture_path(const char *command, const char *option, const char *folder, const char *file, char path[CMD_PATH]);

#endif
