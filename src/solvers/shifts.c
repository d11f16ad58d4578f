/* SPDX-License-Identifier: BSD-3-Clause */
/* shifts.c -- by how much the data of each frame want its window to move.

   By gradient: of the exit wave's slopes g_y, g_x along rows and columns and the change chi that the data want, the
   shift d minimises

       sum |chi - d_y g_y - d_x g_x|^2 + slack (d_y^2 mean |g_y|^2 + d_x^2 mean |g_x|^2)

   By correlation: of the exit wave psi that the data want with those that the object gives around,

       F(d) = |sum conj(p(x) o(x + d)) psi(x)|^2 / sum |p(x) o(x + d)|^2

   at the nine whole lags d from -1 to 1.  The probe stays while the object moves, so the exit wave p(x) o(x) itself in the place
   of psi has its largest F at 0, but not the same F on both sides of it; that difference is taken from F, or it would move
   right positions, and what is even about 0 is that of the exit wave, which is concave whatever psi is.  The shift is the
   summit of the paraboloid that is nearest to the nine values, within the lags.

   (M. Odstrcil, A. Menzel, M. Guizar-Sicairos, Opt. Express 26, 3108 (2018); F. Zhang et al., Opt. Express 21, 13592
   (2013).)  */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

/* Sums that the kernels leave of a frame. */
#define SLOPES 5
#define LAGS   9
#define LAG_SUMS 5
#define SLACK  0.01

struct ag_shifts {
    int correlates;
    int64_t count; /* of the sums of a frame */
    ag_array *partial, *sums;
    ag_real *host;
};

ag_status
ag_shifts_create(ag_solver *s)
{
    ag_shifts *own = s->shifts = calloc(1, sizeof *own);
    const int64_t parts = s->plan.tops / s->rows * ((s->rows + 15) / 16);
    if (!own)
        return ag_device_fail(s->device, AG_NO_MEMORY, "positions: out of host memory");
    own->correlates = s->options.position_method == AG_POSITION_CORRELATION;
    own->count = own->correlates ? LAG_SUMS * LAGS : SLOPES;
    own->partial = ag_new(s->device, AG_REAL, own->count * s->slots * parts, "sums of positions");
    own->sums = ag_new(s->device, AG_REAL, own->count * s->frames, "sums of positions");
    own->host = ag_calloc(own->count * s->frames, sizeof *own->host);
    if (!own->host)
        return ag_device_fail(s->device, AG_NO_MEMORY, "positions: out of host memory");
    return ag_device_status(s->device);
}

void
ag_shifts_destroy(ag_solver *s)
{
    ag_shifts *own = s->shifts;
    if (!own)
        return;
    ag_array_destroy(own->partial);
    ag_array_destroy(own->sums);
    free(own->host);
    free(own);
}

void
ag_positions_look(ag_solver *s, int64_t first, const ag_pass *p, const ag_array *stack, int whole)
{
    ag_shifts *own = s->shifts;
    if (!ag_positions_refined(s) || p->slots < 1)
        return;
    ag_array sums = ag_view(own->sums, own->count * first);
    ag_step(s->device, "positions");
    (own->correlates ? ag_run_position_lags
                     : ag_run_position_sums)(s->program, p->slots, own->partial, whole, &p->frame, s->corner, s->fraction,
                                             s->object, s->object_cols, &p->probe, p->probe_step, stack);
    ag_run_lsq_frames(s->program, own->count * p->slots, &sums, own->partial);
}

static void
descend(const ag_solver *s, double *shift)
{
    const ag_shifts *own = s->shifts;
    const double all = (double)s->all;
    double mean[2] = {0, 0};
    for (int64_t i = 0; i < s->frames; i++)
        for (int a = 0; a < 2; a++)
            mean[a] += (double)own->host[SLOPES * i + a];
    s->comm->add(s->comm, 2, mean);
    for (int64_t i = 0; i < s->frames; i++) {
        const ag_real *sum = own->host + SLOPES * i;
        double *d = shift + 2 * s->order[i];
        const double yy = (double)sum[0] + SLACK * mean[0] / all, xx = (double)sum[1] + SLACK * mean[1] / all;
        const double yx = (double)sum[2], y = (double)sum[3], x = (double)sum[4], below = yy * xx - yx * yx;
        d[0] = below > 0 ? (xx * y - yx * x) / below : 0;
        d[1] = below > 0 ? (yy * x - yx * y) / below : 0;
    }
}

/* The summit of a + y b_y + x b_x + y^2 c_yy + x^2 c_xx + y x c_yx, fitted to f at the nine lags; none: no shift. */
static void
summit(const double f[LAGS], double d[2])
{
    const double up = f[0] + f[1] + f[2], row = f[3] + f[4] + f[5], down = f[6] + f[7] + f[8];
    const double left = f[0] + f[3] + f[6], column = f[1] + f[4] + f[7], right = f[2] + f[5] + f[8];
    const double by = (down - up) / 6, bx = (right - left) / 6, cyx = (f[0] + f[8] - f[2] - f[6]) / 4;
    const double cyy = (up + down - 2 * row) / 6, cxx = (left + right - 2 * column) / 6, below = 4 * cyy * cxx - cyx * cyx;
    d[0] = cyy < 0 && below > 0 ? fmin(fmax((cyx * bx - 2 * cxx * by) / below, -1), 1) : 0;
    d[1] = cyy < 0 && below > 0 ? fmin(fmax((cyx * by - 2 * cyy * bx) / below, -1), 1) : 0;
}

/* |sum|^2 / norm */
static double
share(double re, double im, double norm)
{
    return norm > 0 ? (re * re + im * im) / norm : 0;
}

static void
correlate(const ag_solver *s, double *shift)
{
    for (int64_t i = 0; i < s->frames; i++) {
        const ag_real *sum = s->shifts->host + LAG_SUMS * LAGS * i;
        double f[LAGS], own[LAGS];
        for (int k = 0; k < LAGS; k++, sum += LAG_SUMS) {
            f[k] = share((double)sum[0], (double)sum[1], (double)sum[4]);
            own[k] = share((double)sum[2], (double)sum[3], (double)sum[4]);
        }
        for (int k = 0; k <= LAGS / 2; k++) { /* both of a pair at once */
            const double even = (own[k] + own[LAGS - 1 - k]) / 2, odd = (f[k] - f[LAGS - 1 - k] - own[k] + own[LAGS - 1 - k]) / 2;
            f[k] = even + odd;
            f[LAGS - 1 - k] = even - odd;
        }
        summit(f, shift + 2 * s->order[i]);
    }
}

void
ag_shifts_solve(ag_solver *s, double *shift)
{
    ag_shifts *own = s->shifts;
    /* A rank that has failed goes on all the same, or the others would wait for it. */
    ag_array_read(own->sums, 0, own->count * s->frames, own->host);
    (own->correlates ? correlate : descend)(s, shift);
}
