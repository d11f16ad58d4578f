/* SPDX-License-Identifier: BSD-3-Clause */
/* output.c -- files that a command leaves: tried before the work begins, written whole. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

int
cmd_same_file(const char *a, const char *b)
{
    struct stat first, second;
    if (!strcmp(a, b))
        return 1;
    return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* A new file in the folder of `path`, its name in `temporary`; NULL and errno on failure. */
static FILE *
begin(const char *path, char temporary[CMD_PATH])
{
    FILE *file = NULL;
    errno = EEXIST;
    for (int i = 0; i < 100 && !file && errno == EEXIST; i++) {
        const int n = snprintf(temporary, CMD_PATH, "%s.%ld-%d.part", path, (long)getpid(), i);
        if (n >= CMD_PATH) {
            errno = ENAMETOOLONG;
            return NULL;
        }
        file = fopen(temporary, "wx");
    }
    return file;
}

/* Devices and pipes are written to; a regular file, or none, is replaced. */
static int
is_special(const char *path, mode_t *mode)
{
    struct stat found;
    *mode = stat(path, &found) ? 0 : found.st_mode;
    return *mode && !S_ISREG(*mode);
}

static int
fail(const char *command, const char *option, const char *path)
{
    return cmd_fail(command, "%s: %s: cannot be written: %s", option, path, strerror(errno));
}

int
cmd_try_output(const char *command, const char *option, const char *path, int special)
{
    char temporary[CMD_PATH];
    mode_t mode;
    if (is_special(path, &mode)) {
        if (special && !S_ISDIR(mode))
            return 0;
        return cmd_fail(command, "%s: %s: is %s, expected a regular file or none", option, path,
                        S_ISDIR(mode) ? "a folder" : "no regular file");
    }
    FILE *file = begin(path, temporary);
    if (!file)
        return fail(command, option, path);
    fclose(file);
    remove(temporary);
    return 0;
}

int
cmd_write_text(const char *command, const char *option, const char *path, const char *text)
{
    char temporary[CMD_PATH] = "";
    mode_t mode;
    FILE *file = is_special(path, &mode) ? fopen(path, "w") : begin(path, temporary);
    if (!file)
        return fail(command, option, path);
    int bad = fprintf(file, "%s\n", text) < 0;
    bad = fclose(file) || bad;
    if (!bad && *temporary)
        bad = rename(temporary, path) != 0;
    if (!bad)
        return 0;
    const int status = fail(command, option, path);
    if (*temporary)
        remove(temporary);
    return status;
}

int
cmd_write_json(const char *command, const char *path, json_t *report)
{
    char *text = report ? json_dumps(report, JSON_INDENT(1)) : NULL;
    int status = 0;
    json_decref(report);
    if (!text)
        return cmd_fail(command, "--json: out of host memory");
    if (strcmp(path, "-"))
        status = cmd_write_text(command, "--json", path, text);
    else
        puts(text); /* main looks whether that went well */
    free(text);
    return status;
}

int
cmd_picture_path(const char *command, const char *option, const char *folder, const char *file, char path[CMD_PATH])
{
    const int n = snprintf(path, CMD_PATH, "%s/%s", folder, file);
    return n < CMD_PATH ? 0 : cmd_fail(command, "%s: %s: the path is too long", option, folder);
}
