/* SPDX-License-Identifier: BSD-3-Clause */
/* infer_data.c -- from a scan to the input of a net: cut, resized, scaled, in groups of neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer.h"

static const char name[] = "infer";

static int
is_ptychonn(const infer *r)
{
    return !strncmp(r->info->architecture, "PtychoNN", 8);
}

int
infer_open(infer *r)
{
    ag_message message;
    if (ag_scan_open(&r->scan, &r->input.import, &message))
        return cmd_fail(name, "%s", message.text);
    r->frames = ag_scan_content(r->scan)->frames;
    return 0;
}

/* PtychoNN was trained on the middle three quarters of its frames; without --crop these are taken. */
static int
cut_for_ptychonn(infer *r)
{
    const ag_scan_info *info = ag_scan_content(r->scan);
    if (r->input.import.crop[0] || (info->rows == r->info->rows && info->cols == r->info->cols))
        return 0;
    r->input.import.crop[0] = info->rows * 3 / 8 * 2;
    r->input.import.crop[1] = info->cols * 3 / 8 * 2;
    ag_scan_destroy(r->scan);
    r->scan = NULL;
    return infer_open(r);
}

/* ---- resizing: Gaussian blur, then bilinear, rims mirrored ------------------------------------ */

static int64_t
mirror(int64_t i, int64_t n)
{
    const int64_t period = n > 1 ? 2 * (n - 1) : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

/* One axis of `count` lines: from `n` to `m` pixels; `step` between pixels, `apart` between lines. */
static int
resize_axis(double *to, const double *from, int64_t n, int64_t m, int64_t count, int along)
{
    const double factor = (double)n / (double)m, sigma = fmax(0, (factor - 1) / 2);
    const int64_t reach = (int64_t)(4 * sigma + 0.5);
    double *weight = calloc((size_t)(2 * reach + 1), sizeof *weight), *line = calloc((size_t)n, sizeof *line), sum = 0;
    for (int64_t k = -reach; weight && k <= reach; k++)
        sum += weight[k + reach] = sigma > 0 ? exp(-(double)(k * k) / (2 * sigma * sigma)) : 1;
    for (int64_t l = 0; weight && line && l < count; l++) {
        for (int64_t i = 0; i < n; i++) {
            line[i] = 0;
            for (int64_t k = -reach; k <= reach; k++) {
                const int64_t j = mirror(i + k, n);
                line[i] += weight[k + reach] / sum * from[along ? l * n + j : j * count + l];
            }
        }
        for (int64_t i = 0; i < m; i++) {
            const double at = ((double)i + 0.5) * factor - 0.5, whole = floor(at);
            const double value = (1 - (at - whole)) * line[mirror((int64_t)whole, n)] +
                                 (at - whole) * line[mirror((int64_t)whole + 1, n)];
            to[along ? l * m + i : i * count + l] = value;
        }
    }
    const int bad = !weight || !line;
    free(weight);
    free(line);
    return bad;
}

static int
resize(ag_real *to, const ag_real *from, int64_t rows, int64_t cols, int64_t to_rows, int64_t to_cols)
{
    double *first = calloc((size_t)(rows * cols), sizeof *first), *second = calloc((size_t)(to_rows * cols), sizeof *second);
    double *third = calloc((size_t)(to_rows * to_cols), sizeof *third);
    int bad = !first || !second || !third;
    for (int64_t i = 0; !bad && i < rows * cols; i++)
        first[i] = (double)from[i];
    bad = bad || resize_axis(second, first, rows, to_rows, cols, 0) || resize_axis(third, second, cols, to_cols, to_rows, 1);
    for (int64_t i = 0; !bad && i < to_rows * to_cols; i++)
        to[i] = (ag_real)third[i];
    free(first);
    free(second);
    free(third);
    return bad;
}

/* ---- what each family takes --------------------------------------------------------------------- */

/* Faint counts become 0; each pixel less its mean over the frames, all less their mean, by their
   standard deviation. */
static void
normalise_ptychonn(infer *r)
{
    const int64_t area = r->rows * r->cols, all = r->frames * area;
    double mean = 0, square = 0;
    for (int64_t i = 0; i < all; i++)
        if (r->pattern[i] < (ag_real)r->threshold)
            r->pattern[i] = 0;
    for (int64_t i = 0; i < area; i++) {
        double sum = 0;
        for (int64_t j = 0; j < r->frames; j++)
            sum += (double)r->pattern[j * area + i];
        for (int64_t j = 0; j < r->frames; j++)
            r->pattern[j * area + i] = (ag_real)((double)r->pattern[j * area + i] - sum / (double)r->frames);
    }
    for (int64_t i = 0; i < all; i++)
        mean += (double)r->pattern[i] / (double)all;
    for (int64_t i = 0; i < all; i++)
        square += ((double)r->pattern[i] - mean) * ((double)r->pattern[i] - mean) / (double)all;
    for (int64_t i = 0; i < all; i++)
        r->pattern[i] = (ag_real)(square > 0 ? ((double)r->pattern[i] - mean) / sqrt(square) : 0);
}

/* Amplitudes, or counts, times one factor for all: sqrt((N / 2)^2 / mean of a pattern's sum of squares). */
static void
scale_ptychopinn(infer *r, int amplitudes)
{
    const int64_t area = r->rows * r->cols, all = r->frames * area;
    double sum = 0;
    for (int64_t i = 0; i < all; i++) {
        const double value = (double)r->pattern[i];
        if (r->contract == CONTRACT_AMPLITUDE && !amplitudes)
            r->pattern[i] = (ag_real)sqrt(value);
        else if (r->contract == CONTRACT_COUNTS && amplitudes)
            r->pattern[i] = (ag_real)(value * value);
        sum += (double)r->pattern[i] * (double)r->pattern[i];
    }
    if (!(r->scale > 0))
        r->scale = sum > 0 ? (double)r->rows / 2 / sqrt(sum / (double)r->frames) : 1;
    for (int64_t i = 0; i < all; i++)
        r->pattern[i] = (ag_real)((double)r->pattern[i] * r->scale);
}

/* Zero frequency from the corner to the middle. */
static void
centre(ag_real *to, const ag_real *from, int64_t rows, int64_t cols)
{
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < cols; x++)
            to[(y + rows / 2) % rows * cols + (x + cols / 2) % cols] = from[y * cols + x];
}

static int
read_patterns(infer *r, const ag_scan_info *info)
{
    const int64_t area = info->rows * info->cols, net = r->rows * r->cols;
    ag_real *frame = calloc((size_t)area, sizeof *frame), *turned = calloc((size_t)area, sizeof *turned);
    ag_message message;
    int status = 0;
    r->pattern = calloc((size_t)(r->frames * net), sizeof *r->pattern);
    if (!frame || !turned || !r->pattern)
        status = cmd_fail(name, "no memory for %lld patterns of %lld x %lld", (long long)r->frames, (long long)r->rows,
                          (long long)r->cols);
    for (int64_t j = 0; j < r->frames && !status; j++) {
        if (ag_scan_frames(r->scan, j, 1, frame, &message))
            status = cmd_fail(name, "%s", message.text);
        for (int64_t i = 0; i < area && info->valid; i++)
            if (!info->valid[i])
                frame[i] = 0;
        const ag_real *whole = frame;
        if (info->zero_in_corner && !status) {
            centre(turned, frame, info->rows, info->cols);
            whole = turned;
        }
        if (!status && (info->rows != r->rows || info->cols != r->cols))
            status = resize(r->pattern + j * net, whole, info->rows, info->cols, r->rows, r->cols)
                         ? cmd_fail(name, "no memory to resize frames")
                         : 0;
        else if (!status)
            memcpy(r->pattern + j * net, whole, (size_t)net * sizeof *whole);
    }
    free(frame);
    free(turned);
    return status;
}

/* ---- groups: a frame and its nearest neighbours ----------------------------------------------------- */

/* The frames of sample j in the order of a grid's cells: rows from above, in a row from the left. */
static void
order_group(const infer *r, int64_t j, int64_t *group, int64_t n)
{
    int64_t side = 1;
    while (side * side < n)
        side++;
    for (int axis = 0; axis < 2; axis++)
        for (int64_t i = 1; i < n; i++)
            for (int64_t k = i; k > 0 && (axis == 0 || k / side == (k - 1) / side); k--)
                if (r->position[2 * group[k] + axis] < r->position[2 * group[k - 1] + axis]) {
                    const int64_t other = group[k];
                    group[k] = group[k - 1];
                    group[k - 1] = other;
                }
    for (int64_t k = 0; k < n; k++)
        if (group[k] == j)
            r->own[j] = k;
}

static int
make_groups(infer *r)
{
    const int64_t n = r->info->patches;
    r->group = calloc((size_t)(r->frames * n), sizeof *r->group);
    r->own = calloc((size_t)r->frames, sizeof *r->own);
    double *nearest = calloc((size_t)n, sizeof *nearest);
    if (!r->group || !r->own || !nearest) {
        free(nearest);
        return cmd_fail(name, "no memory left");
    }
    if (n > r->frames) {
        free(nearest);
        return cmd_fail(name, "%s: holds %lld frames, expected at least the %lld that a sample of the net has",
                        cmd_input_name(&r->input), (long long)r->frames, (long long)n);
    }
    for (int64_t j = 0; j < r->frames; j++) {
        int64_t *group = r->group + j * n, have = 0;
        for (int64_t k = 0; k < r->frames; k++) {
            /* The frame itself comes first whatever lies in the same place. */
            const double d = k == j ? -1 : hypot(r->position[2 * k] - r->position[2 * j], r->position[2 * k + 1] - r->position[2 * j + 1]);
            int64_t at = have;
            while (at > 0 && nearest[at - 1] > d)
                at--;
            if (at >= n)
                continue;
            have = have < n ? have + 1 : n;
            for (int64_t i = have - 1; i > at; i--) {
                nearest[i] = nearest[i - 1];
                group[i] = group[i - 1];
            }
            nearest[at] = d;
            group[at] = k;
        }
        order_group(r, j, group, n);
    }
    free(nearest);
    return 0;
}

int
infer_prepare(infer *r)
{
    const int nn = is_ptychonn(r);
    int status = nn ? cut_for_ptychonn(r) : 0;
    if (status)
        return status;
    const ag_scan_info *info = ag_scan_content(r->scan);
    if (!r->quiet)
        cmd_input_warnings(name, r->scan);
    r->rows = r->info->rows;
    r->cols = r->info->cols;
    if (!nn && (info->rows != r->rows || info->cols != r->cols))
        return cmd_fail(name, "%s: frames are %lld x %lld, expected %lld x %lld for %s (see --crop, --bin, --side)",
                        cmd_input_name(&r->input), (long long)info->rows, (long long)info->cols, (long long)r->rows,
                        (long long)r->cols, r->info->architecture);
    status = read_patterns(r, info);
    if (status)
        return status;
    r->position = calloc((size_t)(2 * r->frames), sizeof *r->position);
    if (!r->position)
        return cmd_fail(name, "no memory left");
    for (int64_t i = 0; i < 2 * r->frames; i++) {
        r->position[i] = info->position[i] + (double)((i % 2 ? info->cols : info->rows) / 2);
        r->placed = r->placed || r->position[i] != r->position[i % 2];
    }
    r->placed = r->placed || r->frames == 1;
    if (nn)
        normalise_ptychonn(r);
    else
        scale_ptychopinn(r, info->data_are_amplitudes);
    return make_groups(r);
}
