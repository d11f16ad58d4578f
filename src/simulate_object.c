/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate_object.c -- the object and the probes of a simulated scan. */
#include <math.h>

#include "simulate.h"

#define PI 3.14159265358979323846

/* Places are in units of the frame, from the object's centre, so that a larger object shows
   more of the same; edges are one pixel soft.  */

static double
clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

/* 0 outside, 1 inside of an edge; `depth` in pixels. */
static double
edge(double depth)
{
    return clamp(depth + 0.5, 0, 1);
}

/* Waves in all directions, of about equal length: smooth blobs between -1 and 1. */
static double
blobs(double y, double x, double waves_per_frame, int seed)
{
    double sum = 0;
    for (int k = 0; k < 10; k++) {
        const double angle = GOLDEN_ANGLE * (k + 10 * seed);
        const double q = 2 * PI * waves_per_frame * (0.7 + 0.06 * k);
        sum += cos(q * (x * cos(angle) + y * sin(angle)) + (k + 1) * (k + 3.7 * seed));
    }
    return tanh(sum / 3);
}

/* Spokes up to radius 0.6, interrupted by two rings; bent by `twist` radians per frame. */
static double
star(double y, double x, double pixels, int spokes, double twist)
{
    const double r = hypot(y, x), angle = spokes * (atan2(y, x) + twist * r);
    const double spoke = edge(asin(sin(angle)) / spokes * r * pixels);
    const double rings =
        edge((fabs(r - 0.22) - 0.012) * pixels) * edge((fabs(r - 0.41) - 0.012) * pixels);
    return spoke * rings * edge((0.6 - r) * pixels);
}

/* Discs of several sizes on a lattice, away from the star. */
static double
discs(double y, double x, double pixels)
{
    const double pitch = 0.37, row = floor(y / pitch);
    const double shifted = x / pitch + 0.5 * fmod(fabs(row), 2), column = floor(shifted);
    const double dy = y - (row + 0.5) * pitch, dx = (shifted - column - 0.5) * pitch;
    const double radius = 0.09 + 0.05 * sin(3 * row + 5 * column);
    const int clear = hypot(y - dy, x - dx) > 0.64 + radius;
    return clear ? edge((radius - hypot(dy, dx)) * pixels) : 0;
}

void
ag_simulated_object(ag_complex *object, int64_t size, int64_t frame)
{
    const double pixels = (double)frame;
    for (int64_t row = 0; row < size; row++)
        for (int64_t column = 0; column < size; column++) {
            const double y = (double)(row - size / 2) / pixels;
            const double x = (double)(column - size / 2) / pixels;
            const double dark = star(y, x, pixels, 20, 0) + discs(y, x, pixels);
            const double raised = star(y, x, pixels, 7, 2) - discs(x, y, pixels);
            const double amplitude = clamp(0.85 - 0.5 * dark + 0.15 * blobs(y, x, 3, 1), 0.2, 1);
            const double phase = 0.8 * PI * clamp(0.7 * blobs(y, x, 2, 3) + 0.5 * raised, -1, 1);
            object[row * size + column] =
                (ag_complex){(ag_real)(amplitude * cos(phase)), (ag_real)(amplitude * sin(phase))};
        }
}

/* ---- the probe ---------------------------------------------------------------------------- */

/* The integral over a half turn; exact for the r < 40 that occur. */
static double
bessel_j1(double r)
{
    enum { STEPS = 48 };
    double sum = 0;
    for (int i = 0; i < STEPS; i++) {
        const double t = (i + 0.5) * PI / STEPS;
        sum += cos(t - r * sin(t));
    }
    return sum / STEPS;
}

/* At half height the spot is an eighth of the frame wide. */
void
ag_simulated_probe(ag_complex *probe, int64_t frame)
{
    const double half_height = 2.215, scale = half_height * 16 / (double)frame;
    for (int64_t y = 0; y < frame; y++)
        for (int64_t x = 0; x < frame; x++) {
            const double r = scale * hypot((double)(y - frame / 2), (double)(x - frame / 2));
            probe[y * frame + x].re = (ag_real)(r > 0 ? fabs(2 * bessel_j1(r) / r) : 1);
        }
}

/* A disc with a soft edge, five eighths of the frame wide, behind a diffuser: the speckle without which
   neighbouring frames of a near field would differ by little more than a shift. */
void
ag_simulated_near_probe(ag_complex *probe, int64_t frame)
{
    const double pixels = (double)frame;
    for (int64_t row = 0; row < frame; row++)
        for (int64_t column = 0; column < frame; column++) {
            const double y = (double)(row - frame / 2) / pixels,
                         x = (double)(column - frame / 2) / pixels;
            const double amplitude =
                clamp((0.3125 - hypot(y, x)) * 16 + 0.5, 0, 1) * (0.8 + 0.2 * blobs(y, x, 7, 5));
            const double phase = 2 * blobs(y, x, 8, 7);
            probe[row * frame + column] =
                (ag_complex){(ag_real)(amplitude * cos(phase)), (ag_real)(amplitude * sin(phase))};
        }
}
