/* SPDX-License-Identifier: BSD-3-Clause */
/* positions.c -- where the windows of the frames lie, and how they are found better.

   A window begins at a whole pixel; what is left of a position becomes the probe's shift or the weights of a
   bilinear window.  From option position_start on each iteration ends with a step of every position: by gain
   times the shift that its frame asks for (shifts.c), by at most a limit, less the mean over all frames, which no data
   tell.  The gain grows where one iteration's shifts go on with those of the one before, and shrinks where they turn
   back.  With option position_affine all positions go together: by the affine map from where they began that is nearest
   to where they would go alone.  All frames are those of all ranks.

   Every ten iterations a frame that is lost begins anew: one whose misfit is 20 times the (geometric) mean
   and the largest of those around it.  The first time it begins at its first position, then near it.

   (The gain: F. Zhang et al., Opt. Express 21, 13592 (2013).)  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

/* The gain: where the cosine between successive shifts is above or below, by so much, and within what. */
#define ONWARD 0.3
#define BACK   (-0.1)
#define FASTER 1.1
#define SLOWER 0.8
#define SPAN   8
/* Frames that are lost. */
#define PERIOD 10
#define LOST   20
#define CHANCES 5

struct ag_positions {
    double *at, *first, *shift, *before; /* frames x 2: positions now and at the start, the last steps */
    int32_t *tries;
    double gain;
    int32_t moved; /* there is a step before */
    ag_real *error, *fraction;
    ag_real *all;     /* of the frames of all ranks: misfit, row, column */
    ag_array *shared; /* the same on its way between ranks */
};

/* Corners and fractions of the present positions, on the host. */
static void
place(ag_solver *s)
{
    ag_positions *own = s->positions;
    const int linear = s->options.subpixel == AG_SUBPIXEL_LINEAR;
    for (int64_t i = 0; i < 2 * s->frames; i++) {
        const double base = linear ? floor(own->at[i]) : nearbyint(own->at[i]);
        s->corners[i] = (int32_t)base;
        own->fraction[i] = s->options.subpixel == AG_SUBPIXEL_NONE ? 0 : (ag_real)(own->at[i] - base);
    }
}

/* The largest position along rows (0) or columns (1). */
static double
room(const ag_solver *s, int64_t axis)
{
    return (double)(axis % 2 ? s->object_cols - s->cols : s->object_rows - s->rows) -
           (s->options.subpixel == AG_SUBPIXEL_LINEAR);
}

static ag_status
take(ag_solver *s, const ag_scan_info *info)
{
    ag_positions *own = s->positions;
    const double *from = s->options.position ? s->options.position + 2 * s->first : info->position;
    const double *all = info->position - 2 * s->first;
    int whole = !s->options.position && s->options.position_start < 0;
    for (int64_t i = 0; i < 2 * s->all; i++)
        whole = whole && fabs(all[i] - nearbyint(all[i])) < 1e-9;
    if (whole)
        s->options.subpixel = AG_SUBPIXEL_NONE;
    s->fourier = s->options.subpixel == AG_SUBPIXEL_FOURIER;
    const int linear = s->options.subpixel == AG_SUBPIXEL_LINEAR;
    for (int64_t i = 0; i < 2 * s->frames; i++) {
        const double base = linear ? floor(from[i]) : nearbyint(from[i]);
        if (!(base >= 0 && base <= room(s, i)))
            return ag_device_fail(s->device, AG_BAD_ARGUMENT,
                                  "position of frame %lld: found %s %g, expected 0 to %lld in an object of %lld x %lld",
                                  (long long)(i / 2), i % 2 ? "column" : "row", from[i], (long long)room(s, i),
                                  (long long)s->object_rows, (long long)s->object_cols);
        own->at[i] = own->first[i] = from[i];
    }
    place(s);
    return AG_OK;
}

ag_status
ag_positions_create(ag_solver *s, const ag_scan_info *info)
{
    ag_positions *own = s->positions = calloc(1, sizeof *own);
    const int64_t n = s->frames;
    if (own) {
        own->at = ag_calloc(2 * n, sizeof *own->at);
        own->first = ag_calloc(2 * n, sizeof *own->first);
        own->shift = ag_calloc(2 * n, sizeof *own->shift);
        own->before = ag_calloc(2 * n, sizeof *own->before);
        own->tries = ag_calloc(n, sizeof *own->tries);
        own->fraction = ag_calloc(2 * n, sizeof *own->fraction);
        own->gain = s->options.position_step;
    }
    if (!own || !own->at || !own->first || !own->shift || !own->before || !own->tries || !own->fraction)
        return ag_device_fail(s->device, AG_NO_MEMORY, "positions: out of host memory");
    if (take(s, info))
        return ag_device_status(s->device);
    s->corner = ag_new_from(s->device, AG_INT, 2 * n, s->corners, "positions");
    s->fraction = ag_new_from(s->device, AG_REAL, 2 * n, own->fraction, "positions");
    return ag_device_status(s->device);
}

ag_status
ag_positions_prepare(ag_solver *s)
{
    ag_positions *own = s->positions;
    if (s->options.position_start < 0)
        return ag_device_status(s->device);
    own->error = ag_calloc(s->frames * s->strips, sizeof *own->error);
    own->all = ag_calloc(3 * s->all, sizeof *own->all);
    if (s->comm->size > 1)
        own->shared = ag_new(s->device, AG_REAL, 3 * s->all, "positions of all ranks");
    if (!own->error || !own->all)
        return ag_device_fail(s->device, AG_NO_MEMORY, "positions: out of host memory");
    return ag_shifts_create(s);
}

void
ag_positions_destroy(ag_solver *s)
{
    ag_positions *own = s->positions;
    if (!own)
        return;
    ag_shifts_destroy(s);
    ag_array_destroy(own->shared);
    void *const memory[] = {own->at, own->first, own->shift, own->before, own->tries, own->all, own->error, own->fraction};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        free(memory[i]);
    free(own);
}

void
ag_positions_state(ag_solver *s, ag_record *record)
{
    ag_positions *own = s->positions;
    if (!s->options.position && s->options.position_start < 0)
        return;
    ag_record_host_frames(record, "positions", AG_KIND_DOUBLE, 2, own->at);
    ag_record_host_frames(record, "first_positions", AG_KIND_DOUBLE, 2, own->first);
    ag_record_host_frames(record, "shifts", AG_KIND_DOUBLE, 2, own->before);
    ag_record_host_frames(record, "tries", AG_KIND_INT32, 1, own->tries);
    ag_record_host(record, "gain", AG_KIND_DOUBLE, 1, &own->gain);
    ag_record_host(record, "moved", AG_KIND_INT32, 1, &own->moved);
}

/* What depends on positions, on the device. */
ag_status
ag_positions_put(ag_solver *s)
{
    ag_positions *own = s->positions;
    for (int64_t i = 0; i < 2 * s->frames; i++)
        own->at[i] = fmin(fmax(own->at[i], 0), room(s, i));
    place(s);
    ag_array_write(s->corner, 0, 2 * s->frames, s->corners);
    ag_array_write(s->fraction, 0, 2 * s->frames, own->fraction);
    if (s->fourier)
        ag_run_ramp(s->program, s->frames * (s->rows + s->cols), s->ramp, s->fraction, s->plan.frequency);
    return ag_device_status(s->device);
}

void
ag_solver_positions(const ag_solver *s, double *position)
{
    memcpy(position + 2 * s->first, s->positions->at, (size_t)(2 * s->frames) * sizeof *position);
}

int
ag_positions_refined(const ag_solver *s)
{
    return s->options.position_start >= 0 && s->done >= s->options.position_start;
}

static void
adapt(ag_solver *s)
{
    ag_positions *own = s->positions;
    const double step = s->options.position_step;
    double dot[3] = {0, 0, 0};
    for (int64_t i = 0; i < 2 * s->frames; i++) {
        dot[0] += own->shift[i] * own->before[i];
        dot[1] += own->shift[i] * own->shift[i];
        dot[2] += own->before[i] * own->before[i];
    }
    s->comm->add(s->comm, 3, dot);
    const double cosine = dot[1] > 0 && dot[2] > 0 ? dot[0] / sqrt(dot[1] * dot[2]) : 0;
    if (own->moved && cosine > ONWARD)
        own->gain *= FASTER;
    else if (own->moved && cosine < BACK)
        own->gain *= SLOWER;
    own->gain = fmin(fmax(own->gain, step / SPAN), step * SPAN);
    memcpy(own->before, own->shift, (size_t)(2 * s->frames) * sizeof *own->before);
    own->moved = 1;
}

static void
step(ag_solver *s)
{
    ag_positions *own = s->positions;
    double mean[2] = {0, 0};
    for (int64_t j = 0; j < s->frames; j++) {
        double *d = own->shift + 2 * j;
        const double length = own->gain * hypot(d[0], d[1]), limit = s->options.position_limit;
        const double factor = own->gain * (length > limit ? limit / length : 1);
        for (int a = 0; a < 2; a++)
            mean[a] += d[a] *= factor;
    }
    s->comm->add(s->comm, 2, mean);
    for (int64_t i = 0; i < 2 * s->frames; i++)
        own->at[i] += own->shift[i] - mean[i % 2] / (double)s->all;
}

/* Positions become A (first - its mean) + b, by least squares. */
static void
make_affine(ag_solver *s)
{
    ag_positions *own = s->positions;
    double middle[4] = {0, 0, 0, 0}, sum[7] = {0}, map[4];
    double *const square = sum, *const cross = sum + 3;
    for (int64_t i = 0; i < 2 * s->frames; i++) {
        middle[i % 2] += own->first[i];
        middle[2 + i % 2] += own->at[i];
    }
    s->comm->add(s->comm, 4, middle);
    for (int k = 0; k < 4; k++)
        middle[k] /= (double)s->all;
    for (int64_t j = 0; j < s->frames; j++) {
        const double y = own->first[2 * j] - middle[0], x = own->first[2 * j + 1] - middle[1];
        square[0] += y * y;
        square[1] += x * x;
        square[2] += y * x;
        for (int a = 0; a < 2; a++) {
            cross[2 * a] += (own->at[2 * j + a] - middle[2 + a]) * y;
            cross[2 * a + 1] += (own->at[2 * j + a] - middle[2 + a]) * x;
        }
    }
    s->comm->add(s->comm, 7, sum);
    const double below = square[0] * square[1] - square[2] * square[2];
    if (!(below > 1e-9 * square[0] * square[1]))
        return; /* all on a line */
    for (int a = 0; a < 2; a++) {
        map[2 * a] = (cross[2 * a] * square[1] - cross[2 * a + 1] * square[2]) / below;
        map[2 * a + 1] = (cross[2 * a + 1] * square[0] - cross[2 * a] * square[2]) / below;
    }
    for (int64_t j = 0; j < s->frames; j++) {
        const double y = own->first[2 * j] - middle[0], x = own->first[2 * j + 1] - middle[1];
        for (int a = 0; a < 2; a++)
            own->at[2 * j + a] = middle[2 + a] + map[2 * a] * y + map[2 * a + 1] * x;
    }
}

static double
misfit(const ag_solver *s, int64_t place)
{
    double sum = 0;
    for (int64_t k = 0; k < s->strips; k++)
        sum += (double)s->positions->error[place * s->strips + k];
    return sum;
}

/* Whether no frame around, of any rank, has a larger misfit than frame j of all. */
static int
is_worst(const ag_solver *s, int64_t j)
{
    const ag_real *all = s->positions->all, *one = all + 3 * j;
    const double reach = (double)AG_MIN(s->rows, s->cols) / 2;
    for (int64_t i = 0; i < s->all; i++)
        if (all[3 * i] > one[0] && hypot((double)(all[3 * i + 1] - one[1]), (double)(all[3 * i + 2] - one[2])) < reach)
            return 0;
    return 1;
}

static void
start_anew(ag_solver *s)
{
    ag_positions *own = s->positions;
    double mean[4] = {0, 0, 0, 0};
    memset(own->all, 0, (size_t)(3 * s->all) * sizeof *own->all);
    ag_array_read(s->error, 0, s->frames * s->strips, own->error);
    for (int64_t i = 0; i < s->frames; i++) {
        const int64_t j = s->order[i];
        ag_real *const one = own->all + 3 * (s->first + j);
        one[0] = (ag_real)misfit(s, i);
        mean[0] += log(fmax((double)one[0], 1e-300));
        for (int a = 0; a < 2; a++) {
            const double d = own->at[2 * j + a] - own->first[2 * j + a];
            one[1 + a] = (ag_real)own->at[2 * j + a];
            mean[1 + a] += d;
            mean[3] += d * d;
        }
    }
    s->comm->add(s->comm, 4, mean);
    if (own->shared) {
        ag_array_write(own->shared, 0, 3 * s->all, own->all);
        s->comm->sum(s->comm, own->shared, NULL);
        ag_array_read(own->shared, 0, 3 * s->all, own->all);
    }
    const double all = (double)s->all, usual = exp(mean[0] / all), my = mean[1] / all, mx = mean[2] / all;
    const double spread = sqrt(fmax(0, mean[3] / all - my * my - mx * mx) / 2);
    for (int64_t j = 0; j < s->frames; j++) {
        ag_random random;
        const int64_t of_all = s->first + j;
        if ((double)own->all[3 * of_all] < LOST * usual || own->tries[j] >= CHANCES || !is_worst(s, of_all))
            continue;
        ag_random_seed(&random, s->options.seed + (uint64_t)(of_all * CHANCES + own->tries[j]));
        for (int a = 0; a < 2; a++)
            own->at[2 * j + a] = own->first[2 * j + a] + (a ? mx : my) +
                                 (own->tries[j] ? spread * ag_random_normal(&random) : 0);
        own->tries[j]++;
    }
}

int
ag_positions_move(ag_solver *s)
{
    if (!ag_positions_refined(s))
        return 0;
    ag_shifts_solve(s, s->positions->shift);
    adapt(s);
    step(s);
    if (s->options.position_affine)
        make_affine(s);
    else if ((s->done - s->options.position_start) % PERIOD == PERIOD - 1)
        start_anew(s);
    ag_positions_put(s);
    return 1;
}
