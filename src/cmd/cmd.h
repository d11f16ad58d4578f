/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd.h -- the subcommands of the program; each returns the exit status: 0 done, 1 failed, 2 usage. */
#ifndef AG_CMD_H
#define AG_CMD_H

#include <stdint.h>

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

/* output.c: whether two names lead to one file, or would. */
int cmd_same_file(const char *a, const char *b);
/* 0 when a file of that name can be written now, else 1 after saying why.  A device or a pipe
   will do only where `special`.  */
int cmd_try_output(const char *command, const char *option, const char *path, int special);
/* Writes a file that appears under its name only when complete: 0, or 1 after saying why. */
int cmd_write_text(const char *command, const char *option, const char *path, const char *text);

#endif
