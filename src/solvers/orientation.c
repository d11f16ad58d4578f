/* SPDX-License-Identifier: BSD-3-Clause */
/* orientation.c -- which way the positions run, by trying all eight on some neighbouring frames.

   A wrong orientation lets the frames contradict each other where they overlap, so its error stays high.
   What cannot be told apart is grouped before anything is tried: in the far field an orientation
   and the same with rows and columns flipped (see ag_orientation), and any two that put the windows at the
   same places, as in a scan along a line.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

/* Frames that are tried: many small ones, fewer large ones, whose time grows with their pixels. */
enum { LEAST_FRAMES = 32, MOST_FRAMES = 96, MOST_PIXELS = 1 << 23, ITERATIONS = 20 };

const char *
ag_orientation_name(int orientation)
{
    static const char *const name[AG_ORIENTATIONS] = {
        "as-is",     "swap",           "flip-rows", "swap-flip-rows",
        "flip-cols", "swap-flip-cols", "flip-both", "swap-flip-both"};
    return orientation >= 0 && orientation < AG_ORIENTATIONS ? name[orientation] : NULL;
}

typedef struct neighbour {
    double distance;
    int64_t frame;
} neighbour;

static int
nearer(const void *a, const void *b)
{
    const neighbour *x = a, *y = b;
    return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance)
                                      : (x->frame > y->frame) - (x->frame < y->frame);
}

static int
ascending(const void *a, const void *b)
{
    const neighbour *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

/* Sorts the frames by their distance from a place, in pixels of rows. */
static void
sort(neighbour *list, const ag_scan_info *info, double y, double x)
{
    const double ratio =
        info->pixel[0] > 0 && info->pixel[1] > 0 ? info->pixel[1] / info->pixel[0] : 1;
    for (int64_t j = 0; j < info->frames; j++) {
        list[j].frame = j;
        list[j].distance =
            hypot(info->position[2 * j] - y, (info->position[2 * j + 1] - x) * ratio);
    }
    qsort(list, (size_t)info->frames, sizeof *list, nearer);
}

/* A scan of the frames around the one in the middle, in the order of the file, with `probe' to start from. */
static ag_status
some_frames(ag_scan **some, const ag_scan *scan, const ag_complex *probe, ag_message *message)
{
    ag_scan_info info = *ag_scan_content(scan);
    const int64_t window = info.rows * info.cols;
    const int64_t n =
        AG_MIN(info.frames, AG_MAX(LEAST_FRAMES, AG_MIN(MOST_FRAMES, MOST_PIXELS / window)));
    neighbour *list = ag_calloc(info.frames, sizeof *list);
    ag_real *data = ag_calloc(n * window, sizeof *data);
    double *position = ag_calloc(2 * n, sizeof *position), middle[2] = {0, 0};
    ag_status status = list && data && position
                           ? AG_OK
                           : ag_fail(message, AG_NO_MEMORY, "orientation: out of host memory");
    if (!status) {
        for (int64_t j = 0; j < 2 * info.frames; j++)
            middle[j & 1] += info.position[j] / (double)info.frames;
        sort(list, &info, middle[0], middle[1]);
        const double *centre = info.position + 2 * list[0].frame;
        sort(list, &info, centre[0], centre[1]);
        qsort(list, (size_t)n, sizeof *list, ascending);
        for (int64_t i = 0; i < n && !status; i++) {
            status = ag_scan_frames(scan, list[i].frame, 1, data + i * window, message);
            memcpy(position + 2 * i, info.position + 2 * list[i].frame, 2 * sizeof *position);
        }
        info.frames = n;
        info.data = data;
        info.position = position;
        info.object = NULL;
        info.object_rows = info.object_cols = 0;
        info.probe = probe;
        info.modes = 1;
        if (!status)
            status = ag_scan_create(some, &info, message);
    }
    free(list);
    free(data);
    free(position);
    return status;
}

/* The error that the frames reach at their present positions. */
static ag_status
try(ag_device *device, const ag_scan *scan, double *error)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t pixels = info->object_rows * info->object_cols;
    ag_complex *one = ag_calloc(pixels, sizeof *one);
    ag_options options;
    ag_solver *solver = NULL;
    ag_quality quality = {0, 0};
    if (!one)
        return ag_device_fail(device, AG_NO_MEMORY, "orientation: out of host memory");
    for (int64_t i = 0; i < pixels; i++)
        one[i].re = 1;
    ag_options_default(&options, "rpie", NULL);
    ag_array *object = ag_new_from(device, AG_COMPLEX, pixels, one, "object");
    ag_array *probe =
        ag_new_from(device, AG_COMPLEX, info->rows * info->cols, info->probe, "probe");
    if (!ag_device_status(device) &&
        !ag_solver_create(&solver, device, ag_comm_self(), scan, &options, object, probe) &&
        !ag_solver_run(solver, ITERATIONS, NULL, NULL))
        ag_solver_measure(solver, &quality);
    *error = quality.relative_l2;
    ag_solver_destroy(solver);
    ag_array_destroy(object);
    ag_array_destroy(probe);
    free(one);
    return ag_device_status(device);
}

/* Turns the frames from the places that they had at first; orientation 0 must be the first. */
static ag_status
turn(ag_scan *scan, const double *first, int orientation, ag_message *message)
{
    memcpy((double *)scan->info.position, first, (size_t)scan->info.frames * 2 * sizeof *first);
    return ag_scan_orient(scan, orientation, message);
}

static int
same_places(const double *a, const double *b, int64_t frames)
{
    for (int64_t j = 0; j < 2 * frames; j++)
        if (fabs(a[j] - b[j]) > 1e-6)
            return 0;
    return 1;
}

static void
join(int *group, int a, int b)
{
    const int from = AG_MAX(group[a], group[b]), to = AG_MIN(group[a], group[b]);
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        if (group[i] == from)
            group[i] = to;
}

/* The first member of the group with the smallest error, but for one group; -1 where there is none. */
static int
best_group(const ag_orientation *found, int but, double *error)
{
    int best = -1;
    *error = INFINITY;
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        if (found->group[i] != but && found->error[i] < *error) {
            *error = found->error[i];
            best = found->group[i];
        }
    return best;
}

/* `place': of the frames, for each orientation. */
static void
judge(ag_orientation *found, const double *place, int far)
{
    const int64_t size = 2 * found->frames;
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        found->group[i] = i;
    for (int i = 0; i < AG_ORIENTATIONS; i++)
        for (int k = 0; k < i; k++)
            if ((far && (i ^ k) == (AG_FLIP_ROWS | AG_FLIP_COLS)) ||
                same_places(place + i * size, place + k * size, found->frames))
                join(found->group, i, k);
    double least, next;
    found->best = best_group(found, -1, &least);
    found->second = best_group(found, found->best, &next);
    found->margin = found->second < 0 || least <= 0 ? 0 : next / least - 1;
    found->decided = found->margin >= AG_ORIENTATION_MARGIN;
}

ag_status
ag_orientation_find(ag_device *device, const ag_scan *scan, ag_orientation *found)
{
    const ag_scan_info *info = ag_scan_content(scan);
    ag_scan *some = NULL;
    ag_message message = {""};
    ag_complex *probe = ag_calloc(info->rows * info->cols, sizeof *probe);
    double *place = ag_calloc((int64_t)AG_ORIENTATIONS * 2 * MOST_FRAMES, sizeof *place);
    ag_status status =
        probe && place ? AG_OK : ag_fail(&message, AG_NO_MEMORY, "orientation: out of host memory");
    memset(found, 0, sizeof *found);
    if (!status && info->probe)
        memcpy(probe, info->probe, (size_t)(info->rows * info->cols) * sizeof *probe);
    else if (!status)
        status = ag_probe_guess(scan, probe, &message);
    if (!status)
        status = some_frames(&some, scan, probe, &message);
    if (!status) {
        found->frames = ag_scan_content(some)->frames;
        found->iterations = ITERATIONS;
        memcpy(place, ag_scan_content(some)->position, (size_t)found->frames * 2 * sizeof *place);
    }
    for (int i = 0; !status && i < AG_ORIENTATIONS; i++) {
        status = turn(some, place, i, &message);
        memcpy(place + i * 2 * found->frames, ag_scan_content(some)->position,
               (size_t)found->frames * 2 * sizeof *place);
        if (!status)
            status = try(device, some, &found->error[i]);
    }
    if (!status)
        judge(found, place, info->geometry == AG_FAR_FIELD);
    else
        status = ag_device_fail(device, status, "%s", message.text);
    ag_scan_destroy(some);
    free(probe);
    free(place);
    return status;
}
