/* SPDX-License-Identifier: BSD-3-Clause */
/* wisdom.c -- files of plans that were measured: JSON, one entry for each device, size of frames and number of modes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

#define FORMAT 1
static const char *const words[] = {"backend", "device", "plan"}, *const numbers[] = {"rows", "cols", "modes"};

/* A value in a few words. */
static void
show(const json_t *value, char text[64])
{
    char *json = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    snprintf(text, 64, "%.60s", json ? json : "nothing");
    free(json);
}

static int
wrong(const char *command, const char *path, int entry, const char *field, const json_t *value, const char *expected)
{
    char found[64], place[48] = "";
    show(value, found);
    if (entry >= 0)
        snprintf(place, sizeof place, "plans[%d]%s", entry, *field ? "/" : "");
    return cmd_usage(command, "%s: %s%s: found %s, expected %s", path, place, field, found, expected);
}

static int
check(const char *command, const char *path, const json_t *wisdom)
{
    const json_t *format = json_object_get(wisdom, "argand_wisdom"), *plans = json_object_get(wisdom, "plans");
    if (!json_is_integer(format) || json_integer_value(format) != FORMAT)
        return wrong(command, path, -1, "argand_wisdom", format, "1");
    if (!json_is_array(plans))
        return wrong(command, path, -1, "plans", plans, "a list");
    for (int i = 0; i < (int)json_array_size(plans); i++) {
        const json_t *entry = json_array_get(plans, (size_t)i);
        if (!json_is_object(entry))
            return wrong(command, path, i, "", entry, "an object");
        for (int k = 0; k < 3; k++) {
            const json_t *word = json_object_get(entry, words[k]), *number = json_object_get(entry, numbers[k]);
            if (!json_is_string(word))
                return wrong(command, path, i, words[k], word, "a text");
            if (!json_is_integer(number) || json_integer_value(number) < 1)
                return wrong(command, path, i, numbers[k], number, "a whole number from 1 on");
        }
    }
    return 0;
}

int
cmd_wisdom_read(const char *command, const char *path, json_t **wisdom)
{
    json_error_t error;
    *wisdom = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return cmd_fail(command, "%s: cannot be opened", path);
    *wisdom = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    const int status = *wisdom ? check(command, path, *wisdom)
                               : cmd_usage(command, "%s: found no JSON in line %d, expected a file of argand bench tune", path, error.line);
    if (status) {
        json_decref(*wisdom);
        *wisdom = NULL;
    }
    return status;
}

json_t *
cmd_wisdom_new(void)
{
    return json_pack("{s:i s:[]}", "argand_wisdom", FORMAT, "plans");
}

static int
is_of(const json_t *entry, const ag_device *device, const int64_t size[3])
{
    const char *name = ag_device_name(device), *backend = json_string_value(json_object_get(entry, "backend"));
    const size_t n = strcspn(name, ":");
    int same = strlen(backend) == n && !strncmp(backend, name, n) &&
               !strcmp(json_string_value(json_object_get(entry, "device")), ag_device_description(device));
    for (int k = 0; k < 3; k++)
        same = same && json_integer_value(json_object_get(entry, numbers[k])) == size[k];
    return same;
}

int
cmd_wisdom_take(const char *command, const char *path, const json_t *wisdom, ag_device *device, const int64_t size[3], int *found)
{
    const json_t *plans = json_object_get(wisdom, "plans");
    ag_message message;
    int before = -1;
    for (int i = 0; i < (int)json_array_size(plans); i++) {
        const json_t *entry = json_array_get(plans, (size_t)i);
        if (!is_of(entry, device, size))
            continue;
        if (before >= 0)
            return cmd_usage(command, "%s: plans[%d]: found the device and frame of plans[%d], expected one plan for them", path, i, before);
        const char *plan = json_string_value(json_object_get(entry, "plan"));
        long long rows, cols;
        if (ag_device_plan(device, plan, &message))
            return cmd_usage(command, "%s: plans[%d]/%s", path, i, message.text);
        if (sscanf(plan, "passes%*d rows %lld%*[^ ] cols %lld", &rows, &cols) != 2 || rows != size[0] || cols != size[1])
            return cmd_usage(command, "%s: plans[%d]/plan: found one for frames of %lld x %lld, expected %lld x %lld", path, i, rows,
                             cols, (long long)size[0], (long long)size[1]);
        before = i;
    }
    *found = before >= 0;
    return 0;
}

int
cmd_wisdom_put(json_t *wisdom, const ag_device *device, const ag_tuning *t)
{
    json_t *plans = json_object_get(wisdom, "plans");
    const int64_t size[3] = {t->rows, t->cols, t->modes};
    const char *name = ag_device_name(device);
    for (size_t i = json_array_size(plans); i-- > 0;)
        if (is_of(json_array_get(plans, i), device, size))
            json_array_remove(plans, i);
    if (!strcmp(t->plan, t->usual))
        return 0;
    return json_array_append_new(
        plans, json_pack("{s:s% s:s s:I s:I s:I s:s s:f s:s s:f s:s}", "backend", name, strcspn(name, ":"), "device",
                         ag_device_description(device), "rows", (json_int_t)t->rows, "cols", (json_int_t)t->cols, "modes",
                         (json_int_t)t->modes, "plan", t->plan, "microseconds", 1e6 * t->seconds, "table", t->usual,
                         "table_microseconds", 1e6 * t->usual_seconds, "argand", ag_version()));
}
