/* SPDX-License-Identifier: BSD-3-Clause */
/* momentum.c -- LSQ-ML's momentum: what an iteration changes goes on in the next ones.

   With g the change of an iteration and h_i those of the ones before, each divided by its root mean square, newest first,

       C_i = Re mean( h_i conj(h_0) ),  i = 1 ... M

   If the error falls and all C_i are positive, a line through log C_i and (0, 0) has slope p, and

       v <- (1 - friction) v + g,   friction = max(0, -p) / 2,      x <- x + gain w v

   else v <- v / 2.  On the host, once an iteration.  (M. Odstrcil et al., Opt. Express 26, 3108 (2018); pty-chi,
   github.com/AdvancedPhotonSource/pty-chi, and PtychoShelves for what the paper leaves open.)  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solver.h"

ag_status
ag_momentum_create(ag_momentum *m, ag_solver *s, int64_t count, int depth)
{
    memset(m, 0, sizeof *m);
    m->count = count;
    m->depth = depth;
    m->x = ag_calloc(count, sizeof *m->x);
    m->before = ag_calloc(count, sizeof *m->before);
    m->weight = ag_calloc(count, sizeof *m->weight);
    m->velocity = ag_calloc(2 * count, sizeof *m->velocity);
    m->updates = ag_calloc(2 * count, (size_t)(depth + 1) * sizeof *m->updates);
    if (!m->x || !m->before || !m->weight || !m->velocity || !m->updates)
        return ag_device_fail(s->device, AG_NO_MEMORY, "momentum: out of host memory");
    return AG_OK;
}

void
ag_momentum_destroy(ag_momentum *m)
{
    free(m->x);
    free(m->before);
    free(m->weight);
    free(m->velocity);
    free(m->updates);
}

void
ag_momentum_begin(ag_momentum *m, const ag_array *x)
{
    ag_array_read(x, 0, m->count, m->before);
}

/* Whether the last errors fall: pty-chi's words for it. */
static int
falls(const ag_solver *s)
{
    const double *e = s->history + s->done - 3;
    return s->done >= 3 && fmax(e[0], e[1]) > fmin(e[1], e[2]);
}

/* The change g of an iteration takes the place of the oldest of the updates, which move on by one; its root mean square. */
static double
remember(ag_momentum *m, double share)
{
    const int64_t n = 2 * m->count;
    double *const h = m->updates, square = 0;
    memmove(h + n, h, (size_t)(m->depth * n) * sizeof *h);
    for (int64_t i = 0; i < m->count; i++) {
        h[2 * i] = share * ((double)m->x[i].re - (double)m->before[i].re);
        h[2 * i + 1] = share * ((double)m->x[i].im - (double)m->before[i].im);
        square += h[2 * i] * h[2 * i] + h[2 * i + 1] * h[2 * i + 1];
    }
    const double size = sqrt(square / (double)m->count);
    for (int64_t i = 0; i < n && size > 0; i++)
        h[i] /= size;
    return size;
}

/* The friction that the updates ask for; below 0: they do not go on. */
static double
friction(const ag_momentum *m)
{
    const int64_t n = 2 * m->count;
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int k = 1; k <= m->depth; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += m->updates[i] * m->updates[k * n + i];
        if (!(sum > 0))
            return -1;
        const double value = log(sum / (double)m->count);
        x += k;
        y += value;
        xx += (double)k * k;
        xy += k * value;
    }
    const double points = m->depth + 1;
    return fmax(0, -(points * xy - x * y) / (points * xx - x * x)) / 2;
}

void
ag_momentum_end(ag_momentum *m, ag_solver *s, ag_array *x, double share, const ag_array *illumination)
{
    double top = 0;
    if (ag_array_read(x, 0, m->count, m->x) || (illumination && ag_array_read(illumination, 0, m->count, m->weight)))
        return;
    const double size = remember(m, share), f = m->known >= m->depth && falls(s) ? friction(m) : -1;
    m->known = AG_MIN(m->known + 1, m->depth);
    for (int64_t i = 0; i < m->count && illumination; i++)
        top = fmax(top, (double)m->weight[i]);
    for (int64_t i = 0; i < 2 * m->count; i++)
        m->velocity[i] = f < 0 ? m->velocity[i] / 2 : (1 - f) * m->velocity[i] + size * m->updates[i];
    if (f < 0)
        return;
    for (int64_t i = 0; i < m->count; i++) {
        const double w = (double)m->weight[i], gain = s->options.momentum * (top > 0 ? w / (0.1 * top + w) : 1);
        m->x[i].re += (ag_real)(gain * m->velocity[2 * i]);
        m->x[i].im += (ag_real)(gain * m->velocity[2 * i + 1]);
    }
    ag_array_write(x, 0, m->count, m->x);
}

void
ag_momentum_state(ag_momentum *m, ag_record *record, const char *velocity, const char *updates, const char *known)
{
    ag_record_host(record, velocity, AG_KIND_DOUBLE, 2 * m->count, m->velocity);
    ag_record_host(record, updates, AG_KIND_DOUBLE, 2 * m->count * (m->depth + 1), m->updates);
    ag_record_host(record, known, AG_KIND_INT32, m->count ? 1 : 0, &m->known);
}
