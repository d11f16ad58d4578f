/* SPDX-License-Identifier: BSD-3-Clause */
/* pictures.c -- what people look at: the part of the object that was lit, the probe, the error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "run.h"

static const char name[] = "reconstruct";

/* Object pixels count as lit above this part of the largest illumination, as for their range. */
static const ag_real lit = (ag_real)0.1;

/* The rows and columns from `first` on that hold all pixels that were lit. */
typedef struct box {
    int64_t first[2], size[2];
} box;

/* weight = sum over frames and modes of |probe|^2 */
static box
illuminate(const run *r, ag_real *weight)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const int64_t cols = info->object_cols;
    ag_real most = 0;
    for (int64_t j = 0; j < info->frames; j++)
        for (int64_t y = 0; y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++) {
                const int64_t at = y * info->cols + x, window = info->rows * info->cols;
                const int64_t row = (int64_t)info->position[2 * j] + y;
                const int64_t col = (int64_t)info->position[2 * j + 1] + x;
                for (int64_t k = 0; k < r->modes; k++) {
                    const ag_complex p = r->probe_host[k * window + at];
                    weight[row * cols + col] += p.re * p.re + p.im * p.im;
                }
            }
    for (int64_t i = 0; i < info->object_rows * cols; i++)
        most = weight[i] > most ? weight[i] : most;
    int64_t first[2] = {info->object_rows, cols}, last[2] = {-1, -1};
    for (int64_t i = 0; i < info->object_rows * cols; i++) {
        const int64_t at[2] = {i / cols, i % cols};
        for (int a = 0; a < 2 && weight[i] > lit * most; a++) {
            first[a] = at[a] < first[a] ? at[a] : first[a];
            last[a] = at[a] > last[a] ? at[a] : last[a];
        }
    }
    /* Without any light: everything. */
    const int dark = last[0] < 0;
    const box b = {
        {dark ? 0 : first[0], dark ? 0 : first[1]},
        {dark ? info->object_rows : last[0] - first[0] + 1, dark ? cols : last[1] - first[1] + 1}};
    return b;
}

static int
write_object(const char *option, const char *folder, const ag_complex *object, const ag_real *weight, box b)
{
    static const struct {
        const char *file;
        ag_picture kind;
    } picture[] = {{"object_amplitude.png", AG_AMPLITUDE}, {"object_phase.png", AG_PHASE}};
    char path[RUN_PATH];
    ag_message message;
    for (size_t i = 0; i < sizeof picture / sizeof *picture; i++) {
        if (cmd_picture_path(name, option, folder, picture[i].file, path))
            return 1;
        if (ag_picture_write(path, picture[i].kind, b.size[0], b.size[1], object, weight, &message))
            return cmd_fail(name, "%s", message.text);
    }
    return 0;
}

static int
write_probe_and_error(const run *r, const char *option, const char *folder)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    int positive = 0;
    char path[RUN_PATH], file[48] = "probe.png";
    ag_message message;
    for (int64_t k = 0; k < r->modes; k++) {
        if (k)
            snprintf(file, sizeof file, "probe_mode%lld.png", (long long)k + 1);
        if (cmd_picture_path(name, option, folder, file, path))
            return 1;
        if (ag_picture_write(path, AG_HUE, info->rows, info->cols, r->probe_host + k * info->rows * info->cols, NULL,
                             &message))
            return cmd_fail(name, "%s", message.text);
    }
    for (int64_t i = 0; i < r->done; i++)
        positive = positive || r->curve[RUN_ERROR][i] > 0;
    if (!positive)
        return 0;
    if (cmd_picture_path(name, option, folder, "error.png", path))
        return 1;
    if (ag_curve_write(path, r->done, r->curve[RUN_ERROR], &message))
        return cmd_fail(name, "%s", message.text);
    return 0;
}

int
run_pictures(const run *r, const char *option, const char *folder)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    const size_t pixels = (size_t)(info->object_rows * info->object_cols);
    ag_real *weight = calloc(pixels, sizeof *weight);
    ag_complex *object = malloc(pixels * sizeof *object);
    int status;
    if (weight && object) {
        const box b = illuminate(r, weight);
        for (int64_t y = 0; y < b.size[0]; y++) {
            const int64_t from = (b.first[0] + y) * info->object_cols + b.first[1];
            memcpy(object + y * b.size[1], r->object_host + from,
                   (size_t)b.size[1] * sizeof *object);
            memmove(weight + y * b.size[1], weight + from, (size_t)b.size[1] * sizeof *weight);
        }
        status = write_object(option, folder, object, weight, b);
    } else {
        status = cmd_fail(name, "%s: %s: out of host memory", option, folder);
    }
    free(object);
    free(weight);
    return status ? status : write_probe_and_error(r, option, folder);
}
