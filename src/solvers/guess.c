/* SPDX-License-Identifier: BSD-3-Clause */
/* guess.c -- a start for the probe of a scan that brings none.

   The mean pattern's amplitude says how large the probe's spectrum is; with a flat phase it gives
   the focus, and its power.  A focus of a few pixels would leave most of the window dark, so it
   is spread by a defocus phase until its mean radius is that of a disc of a quarter of the window.

   In the near field the mean pattern is the probe's own on the detector, and is propagated back.  */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "solver.h"

#define PI 3.14159265358979323846

/* Naive transform along one axis of an n x m array, orthonormal, centred: small and once. */
static ag_status
transform_axis(double complex *z, int64_t n, int64_t m, int64_t step, int64_t skip, int sign)
{
    double complex *turn = ag_calloc(n, sizeof *turn), *line = ag_calloc(n, sizeof *line);
    const double scale = 1 / sqrt((double)n);
    if (turn && line)
        for (int64_t k = 0; k < n; k++)
            turn[k] = cos(2 * PI * (double)k / (double)n) + sign * I * sin(2 * PI * (double)k / (double)n);
    for (int64_t i = 0; turn && line && i < m; i++) {
        for (int64_t k = 0; k < n; k++)
            line[k] = z[i * skip + k * step];
        for (int64_t x = 0; x < n; x++) {
            double complex sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += line[k] * turn[(k - n / 2 + n) * (x - n / 2 + n) % n];
            z[i * skip + x * step] = sum * scale;
        }
    }
    const ag_status status = turn && line ? AG_OK : AG_NO_MEMORY;
    free(turn);
    free(line);
    return status;
}

/* Inverse for sign 1. */
static ag_status
transform(double complex *z, int64_t rows, int64_t cols, int sign)
{
    const ag_status status = transform_axis(z, rows, cols, cols, 1, sign);
    return status ? status : transform_axis(z, cols, rows, 1, cols, sign);
}

/* From the detector back to the sample. */
static ag_status
near_back(const ag_scan_info *info, const double *amplitude, double complex *z)
{
    const int64_t rows = info->rows, cols = info->cols;
    for (int64_t i = 0; i < rows * cols; i++)
        z[i] = sqrt(amplitude[i] / (double)info->frames);
    ag_status status = transform(z, rows, cols, -1);
    for (int64_t i = 0; !status && i < rows * cols; i++)
        z[i] *= cexp(-I * ag_near_phase(info, (double)(i / cols - rows / 2) / (double)rows,
                                        (double)(i % cols - cols / 2) / (double)cols));
    return status ? status : transform(z, rows, cols, 1);
}

/* Root mean square radius in windows, per axis squared. */
static double
radius(const double complex *z, int64_t rows, int64_t cols)
{
    double weight = 0, moment = 0;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < cols; x++) {
            const double p = creal(z[y * cols + x] * conj(z[y * cols + x]));
            const double dy = (double)(y - rows / 2) / (double)rows, dx = (double)(x - cols / 2) / (double)cols;
            weight += p;
            moment += p * (dy * dy + dx * dx);
        }
    return weight > 0 ? sqrt(moment / weight) : 0;
}

ag_status
ag_probe_guess(const ag_scan *scan, ag_complex *probe, ag_message *message)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t rows = info->rows, cols = info->cols, window = rows * cols;
    double *amplitude = ag_calloc(window, sizeof *amplitude);
    double complex *z = ag_calloc(window, sizeof *z);
    ag_real *frame = ag_calloc(window, sizeof *frame);
    ag_status status = amplitude && z && frame ? AG_OK : AG_NO_MEMORY;
    for (int64_t j = 0; !status && j < info->frames; j++) {
        status = ag_scan_frames(scan, j, 1, frame, message);
        if (status) {
            free(frame);
            free(amplitude);
            free(z);
            return status;
        }
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < cols; x++) {
                const int64_t from = y * cols + x;
                const int64_t to = info->zero_in_corner
                                       ? (y + rows / 2) % rows * cols + (x + cols / 2) % cols : from;
                const double v = (double)frame[from];
                if (!info->valid || info->valid[from])
                    amplitude[to] += info->data_are_amplitudes ? v * v : v;
            }
    }
    free(frame);
    if (!status && info->geometry == AG_NEAR_FIELD)
        status = near_back(info, amplitude, z);
    /* Each try begins at the mean pattern; the phase grows until the spot is wide enough. */
    for (double defocus = 0; !status && info->geometry == AG_FAR_FIELD; defocus = defocus == 0 ? 1 : defocus * 1.3) {
        for (int64_t i = 0; i < window; i++) {
            const double dy = (double)(i / cols - rows / 2) / (double)rows;
            const double dx = (double)(i % cols - cols / 2) / (double)cols;
            const double a = sqrt(amplitude[i] / (double)info->frames);
            z[i] = a * cexp(-I * PI * defocus * (dy * dy + dx * dx));
        }
        status = transform(z, rows, cols, 1);
        if (status || radius(z, rows, cols) > 0.125 || defocus > 4 * (double)AG_MAX(rows, cols))
            break;
    }
    for (int64_t i = 0; !status && i < window; i++) {
        probe[i].re = (ag_real)creal(z[i]);
        probe[i].im = (ag_real)cimag(z[i]);
    }
    free(amplitude);
    free(z);
    return status ? ag_fail(message, status, "probe: out of host memory") : AG_OK;
}
