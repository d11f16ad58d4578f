/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c -- the program: its subcommands and what they share. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "argand.h"
#include "cmd.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} command[] = {
    {"devices", cmd_devices, "list the devices that can be used"},
    {"info", cmd_info, "show the geometry of a scan as it is interpreted"},
    {"convert", cmd_convert, "write a scan of any format as a CXI file"},
    {"simulate", cmd_simulate, "make a scan to try things with"},
    {"infer", cmd_infer, "run a trained net on a scan"},
    {"reconstruct", cmd_reconstruct, "reconstruct object and probe from a scan"},
    {"bench", cmd_bench, "measure which plans are the fastest"},
};
#define COMMANDS ((int)(sizeof command / sizeof *command))

static void
help(FILE *out)
{
    fprintf(out,
            "argand %s: ptychography on CPUs and GPUs\n\n"
            "Usage: argand COMMAND [OPTIONS]\n\n",
            ag_version());
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-12s %s\n", command[i].name, command[i].about);
    fprintf(out,
            "\nargand COMMAND --help tells a command's options; argand --version the version.\n");
}

static void
say(const char *name, const char *format, va_list list)
{
    fflush(stdout);
    fprintf(stderr, "argand %s: ", name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

int
cmd_fail(const char *name, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(name, format, list);
    va_end(list);
    return 1;
}

int
cmd_usage(const char *name, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    say(name, format, list);
    va_end(list);
    fprintf(stderr, "Try argand %s --help.\n", name);
    return 2;
}

int
cmd_wrong_option(const char *name, int c, char **argv)
{
    const char *text = argv[optind - 1];
    const char letter[] = {'-', (char)optopt, 0};
    const int is_long = !strncmp(text, "--", 2);
    if (c == ':')
        return cmd_usage(name, "%s: found no value, expected one", text);
    if (is_long && optopt)
        return cmd_usage(name, "%s: found a value, expected none", text);
    return cmd_usage(name, "found \"%s\", expected an option", is_long || !optopt ? text : letter);
}

int
cmd_integer(const char *name, const char *option, const char *text, int64_t least, int64_t most,
            int64_t *value)
{
    char *end;
    errno = 0;
    const long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < least || v > most) {
        cmd_usage(name, "%s: found \"%s\", expected a whole number from %lld to %lld", option, text,
                  (long long)least, (long long)most);
        return 0;
    }
    *value = v;
    return 1;
}

int
cmd_real(const char *name, const char *option, const char *text, double least, double most,
         double *value)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end || !(v >= least && v <= most)) {
        cmd_usage(name, "%s: found \"%s\", expected a number from %g to %g", option, text, least,
                  most);
        return 0;
    }
    *value = v;
    return 1;
}

int
cmd_word(const char *name, const char *option, const char *text, const char *const *word, int *which)
{
    char all[128] = "";
    for (*which = 0; word[*which]; (*which)++) {
        if (!strcmp(word[*which], text))
            return 1;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *which ? ", " : "", word[*which]);
    }
    cmd_usage(name, "%s: found \"%s\", expected %s", option, text, all);
    return 0;
}

double
cmd_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    int status = 2;
#ifdef SIGXFSZ
    /* A file that grows beyond a limit is a failure to be told of, like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
#endif
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        help(stdout);
        status = 0;
    } else if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        printf("argand %s\n", ag_version());
        status = 0;
    } else if (!*name) {
        help(stderr);
    } else {
        int i = 0;
        while (i < COMMANDS && strcmp(command[i].name, name))
            i++;
        if (i < COMMANDS) {
            status = command[i].run(argc - 1, argv + 1);
        } else {
            fprintf(stderr, "argand: found \"%s\", expected a command\nTry argand --help.\n", name);
        }
    }
    /* What could not be printed has not been done. */
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "argand: standard output: %s\n", strerror(errno));
        status = status ? status : 1;
    }
    return status;
}
