/* SPDX-License-Identifier: BSD-3-Clause */
/* positions.c -- where the windows of the frames lie, and how they are found better.

   A window begins at a whole pixel; what is left of a position becomes the probe's shift or the weights of a
   bilinear window.  From option position_start on each iteration ends with a step of every position: of
   the exit wave's slopes g_y, g_x along rows and columns and the change chi that the data want, the shift d minimises

       sum |chi - d_y g_y - d_x g_x|^2 + slack (d_y^2 mean |g_y|^2 + d_x^2 mean |g_x|^2)

   and the position goes by gain d, by at most a limit, less the mean over all frames, which no data tell.  The gain
   grows where one iteration's shifts go on with those of the one before, and shrinks where they turn back.  With
   option position_affine all positions go together: by the affine map from where they began that is nearest
   to where they would go alone.

   Every ten iterations a frame that is lost begins anew: one whose misfit is 20 times the (geometric) mean
   and the largest of those around it.  The first time it begins at its first position, then near it.

   (M. Odstrcil, A. Menzel, M. Guizar-Sicairos, Opt. Express 26, 3108 (2018); the gain: F. Zhang et al., Opt.
   Express 21, 13592 (2013).)  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

#define SUMS  5 /* that the kernel leaves of a frame */
#define SLACK 0.01
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
    ag_array *partial, *sums;
    ag_real *host, *error, *fraction;
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
    int whole = !s->options.position && s->options.position_start < 0;
    for (int64_t i = 0; i < 2 * s->frames; i++)
        whole = whole && fabs(from[i] - nearbyint(from[i])) < 1e-9;
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
    if (own && s->comm->size > 1 && s->options.position_start >= 0)
        return ag_device_fail(s->device, AG_BAD_ARGUMENT, "ranks: found %d, expected 1 where positions are refined",
                              s->comm->size);
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
    const int64_t n = s->frames, parts = s->plan.tops / s->rows * ((s->rows + 15) / 16);
    if (s->options.position_start < 0)
        return ag_device_status(s->device);
    own->partial = ag_new(s->device, AG_REAL, SUMS * s->slots * parts, "sums of positions");
    own->sums = ag_new(s->device, AG_REAL, SUMS * n, "sums of positions");
    own->host = ag_calloc(SUMS * n, sizeof *own->host);
    own->error = ag_calloc(n * s->strips, sizeof *own->error);
    if (!own->host || !own->error)
        return ag_device_fail(s->device, AG_NO_MEMORY, "positions: out of host memory");
    return ag_device_status(s->device);
}

void
ag_positions_destroy(ag_solver *s)
{
    ag_positions *own = s->positions;
    if (!own)
        return;
    ag_array_destroy(own->partial);
    ag_array_destroy(own->sums);
    void *const memory[] = {own->at, own->first, own->shift, own->before,
                            own->tries, own->host, own->error, own->fraction};
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
    ag_record_host(record, "positions", AG_KIND_DOUBLE, 2 * s->frames, own->at);
    ag_record_host(record, "first_positions", AG_KIND_DOUBLE, 2 * s->frames, own->first);
    ag_record_host(record, "shifts", AG_KIND_DOUBLE, 2 * s->frames, own->before);
    ag_record_host(record, "tries", AG_KIND_INT32, s->frames, own->tries);
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
    memcpy(position, s->positions->at, (size_t)(2 * s->frames) * sizeof *position);
}

static int
refines(const ag_solver *s)
{
    return s->options.position_start >= 0 && s->done >= s->options.position_start;
}

void
ag_positions_look(ag_solver *s, int64_t first, const ag_pass *p, const ag_array *stack, int whole)
{
    ag_positions *own = s->positions;
    if (!refines(s))
        return;
    ag_array sums = ag_view(own->sums, SUMS * first);
    ag_step(s->device, "positions");
    ag_run_position_sums(s->program, p->slots, own->partial, whole, &p->frame, s->corner, s->fraction, s->object,
                         s->object_cols, &p->probe, p->probe_step, stack);
    ag_run_lsq_frames(s->program, SUMS * p->slots, &sums, own->partial);
}

/* What the sums say, without the gain. */
static void
solve(ag_solver *s)
{
    ag_positions *own = s->positions;
    const double frames = (double)s->frames;
    double mean[2] = {0, 0};
    for (int64_t i = 0; i < s->frames; i++)
        for (int a = 0; a < 2; a++)
            mean[a] += (double)own->host[SUMS * i + a];
    for (int64_t i = 0; i < s->frames; i++) {
        const ag_real *sum = own->host + SUMS * i;
        double *d = own->shift + 2 * s->order[i];
        const double yy = (double)sum[0] + SLACK * mean[0] / frames, xx = (double)sum[1] + SLACK * mean[1] / frames;
        const double yx = (double)sum[2], y = (double)sum[3], x = (double)sum[4], below = yy * xx - yx * yx;
        d[0] = below > 0 ? (xx * y - yx * x) / below : 0;
        d[1] = below > 0 ? (yy * x - yx * y) / below : 0;
    }
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
    for (int64_t i = 0; i < 2 * s->frames; i++)
        own->at[i] += own->shift[i] - mean[i % 2] / (double)s->frames;
}

/* Positions become A (first - its mean) + b, by least squares. */
static void
make_affine(ag_solver *s)
{
    ag_positions *own = s->positions;
    double middle[4] = {0, 0, 0, 0}, square[3] = {0, 0, 0}, cross[4] = {0, 0, 0, 0}, map[4];
    for (int64_t i = 0; i < 2 * s->frames; i++) {
        middle[i % 2] += own->first[i];
        middle[2 + i % 2] += own->at[i];
    }
    for (int k = 0; k < 4; k++)
        middle[k] /= (double)s->frames;
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

/* Whether no frame around has a larger misfit than frame j; misfits are in `shift'. */
static int
is_worst(const ag_solver *s, int64_t j)
{
    const ag_positions *own = s->positions;
    const double reach = (double)AG_MIN(s->rows, s->cols) / 2;
    for (int64_t i = 0; i < s->frames; i++)
        if (own->shift[2 * i] > own->shift[2 * j] &&
            hypot(own->at[2 * i] - own->at[2 * j], own->at[2 * i + 1] - own->at[2 * j + 1]) < reach)
            return 0;
    return 1;
}

static void
start_anew(ag_solver *s)
{
    ag_positions *own = s->positions;
    const double frames = (double)s->frames;
    double logs = 0, mean[2] = {0, 0}, square = 0;
    if (ag_array_read(s->error, 0, s->frames * s->strips, own->error))
        return;
    for (int64_t i = 0; i < s->frames; i++) {
        const double found = own->shift[2 * s->order[i]] = misfit(s, i);
        logs += log(fmax(found, 1e-300));
        for (int a = 0; a < 2; a++) {
            const double d = own->at[2 * i + a] - own->first[2 * i + a];
            mean[a] += d;
            square += d * d;
        }
    }
    const double usual = exp(logs / frames), my = mean[0] / frames, mx = mean[1] / frames;
    const double spread = sqrt(fmax(0, square / frames - my * my - mx * mx) / 2);
    for (int64_t j = 0; j < s->frames; j++) {
        ag_random random;
        if (own->shift[2 * j] < LOST * usual || own->tries[j] >= CHANCES || !is_worst(s, j))
            continue;
        ag_random_seed(&random, s->options.seed + (uint64_t)(j * CHANCES + own->tries[j]));
        for (int a = 0; a < 2; a++)
            own->at[2 * j + a] = own->first[2 * j + a] + (a ? mx : my) +
                                 (own->tries[j] ? spread * ag_random_normal(&random) : 0);
        own->tries[j]++;
    }
}

int
ag_positions_move(ag_solver *s)
{
    ag_positions *own = s->positions;
    if (!refines(s) || ag_array_read(own->sums, 0, SUMS * s->frames, own->host))
        return 0;
    solve(s);
    adapt(s);
    step(s);
    if (s->options.position_affine)
        make_affine(s);
    else if ((s->done - s->options.position_start) % PERIOD == PERIOD - 1)
        start_anew(s);
    ag_positions_put(s);
    return 1;
}
