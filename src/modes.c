/* SPDX-License-Identifier: BSD-3-Clause */
/* modes.c -- the modes of a partially coherent probe: where they begin, and made orthogonal.

   Modes whose intensities add up are known but for a unitary matrix U: P_k <- sum_l conj(U_lk) P_l gives
   the same intensities.  The columns of U are the eigenvectors of the Gram matrix G_kl = <P_k, P_l> in the
   order of the eigenvalues, which are the powers.  (P. Thibault, A. Menzel, Nature 494, 68 (2013).)  */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "core.h"

/* Sweeps of Jacobi's method at most: each squares what is left. */
#define SWEEPS 60

typedef double complex number;

static number
value(ag_complex z)
{
    return (double)z.re + I * (double)z.im;
}

/* <a, b> = sum conj(a) b */
static number
inner(const ag_complex *a, const ag_complex *b, int64_t pixels)
{
    number sum = 0;
    for (int64_t i = 0; i < pixels; i++)
        sum += conj(value(a[i])) * value(b[i]);
    return sum;
}

/* What lies beside the diagonal and on it, squared. */
static double
beside(const number *g, int64_t n, double *all)
{
    double sum = 0;
    *all = 0;
    for (int64_t i = 0; i < n * n; i++) {
        const double square = creal(g[i] * conj(g[i]));
        *all += square;
        sum += i % (n + 1) ? square : 0;
    }
    return sum;
}

/* Columns p and q of an n x n matrix turned: (p, q) <- (c p - conj(w) q, w p + c q). */
static void
turn_columns(number *m, int64_t n, int64_t p, int64_t q, double c, number w)
{
    for (int64_t i = 0; i < n; i++) {
        const number a = m[i * n + p], b = m[i * n + q];
        m[i * n + p] = c * a - conj(w) * b;
        m[i * n + q] = w * a + c * b;
    }
}

static void
turn_rows(number *m, int64_t n, int64_t p, int64_t q, double c, number w)
{
    for (int64_t i = 0; i < n; i++) {
        const number a = m[p * n + i], b = m[q * n + i];
        m[p * n + i] = c * a - w * b;
        m[q * n + i] = conj(w) * a + c * b;
    }
}

/* Jacobi's method for a Hermitian matrix: g becomes diagonal, the columns of u its eigenvectors. */
static void
diagonalise(number *g, number *u, int64_t n)
{
    double all;
    for (int64_t i = 0; i < n * n; i++)
        u[i] = i % (n + 1) ? 0 : 1;
    for (int sweep = 0; sweep < SWEEPS && beside(g, n, &all) > 1e-32 * all; sweep++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++) {
                const double size = cabs(g[p * n + q]);
                if (!(size > 0))
                    continue;
                const double theta = (creal(g[q * n + q]) - creal(g[p * n + p])) / (2 * size);
                const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                const double c = 1 / sqrt(t * t + 1);
                const number w = t * c * g[p * n + q] / size;
                turn_columns(g, n, p, q, c, w);
                turn_rows(g, n, p, q, c, w);
                turn_columns(u, n, p, q, c, w);
            }
}

/* place[k]: the column of the k-th largest eigenvalue.  The largest element of each column becomes real. */
static void
sort(const number *g, number *u, int64_t n, int64_t *place)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t at = k, top = 0;
        for (; at > 0 && creal(g[k * (n + 1)]) > creal(g[place[at - 1] * (n + 1)]); at--)
            place[at] = place[at - 1];
        place[at] = k;
        for (int64_t i = 0; i < n; i++)
            top = cabs(u[i * n + k]) > (1 + 1e-12) * cabs(u[top * n + k]) ? i : top;
        const number phase = conj(u[top * n + k]) / cabs(u[top * n + k]);
        for (int64_t i = 0; i < n; i++)
            u[i * n + k] *= phase;
    }
}

/* The modes of one pixel after the other. */
static void
rotate(ag_complex *probe, int64_t modes, int64_t pixels, const number *u, const int64_t *place, number *old)
{
    for (int64_t i = 0; i < pixels; i++) {
        for (int64_t k = 0; k < modes; k++)
            old[k] = value(probe[k * pixels + i]);
        for (int64_t k = 0; k < modes; k++) {
            number sum = 0;
            for (int64_t l = 0; l < modes; l++)
                sum += u[l * modes + place[k]] * old[l];
            probe[k * pixels + i] = (ag_complex){(ag_real)creal(sum), (ag_real)cimag(sum)};
        }
    }
}

ag_status
ag_probe_orthogonalise(ag_complex *probe, int64_t modes, int64_t pixels, double *power, ag_message *message)
{
    if (modes < 1 || pixels < 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "probe: found %lld modes of %lld pixels, expected 1 or more",
                       (long long)modes, (long long)pixels);
    number *g = modes < INT16_MAX ? ag_calloc(modes * (2 * modes + 1), sizeof *g) : NULL;
    int64_t *place = ag_calloc(modes, sizeof *place);
    const ag_status status = g && place ? AG_OK : AG_NO_MEMORY;
    if (status == AG_OK) {
        number *const u = g + modes * modes, *const old = u + modes * modes;
        for (int64_t k = 0; k < modes; k++)
            for (int64_t l = k; l < modes; l++) {
                g[k * modes + l] = inner(probe + k * pixels, probe + l * pixels, pixels);
                g[l * modes + k] = conj(g[k * modes + l]);
            }
        if (modes > 1) {
            diagonalise(g, u, modes);
            sort(g, u, modes, place);
            rotate(probe, modes, pixels, u, place, old);
        }
        for (int64_t k = 0; power && k < modes; k++)
            power[k] = fmax(0, creal(g[place[k] * (modes + 1)]));
    }
    free(g);
    free(place);
    return status ? ag_fail(message, status, "probe: out of host memory for %lld modes", (long long)modes) : AG_OK;
}

/* ---- a start ------------------------------------------------------------------------------------------ */

/* Where the power of a wave lies, pixels, and its root mean square radius. */
typedef struct spot {
    double row, col, radius;
} spot;

static spot
spot_of(const ag_complex *p, int64_t rows, int64_t cols)
{
    double weight = 0, row = 0, col = 0, square = 0;
    for (int64_t i = 0; i < rows * cols; i++) {
        const double w = creal(value(p[i]) * conj(value(p[i]))), y = (double)(i / cols), x = (double)(i % cols);
        weight += w;
        row += w * y;
        col += w * x;
        square += w * (y * y + x * x);
    }
    const double y = row / weight, x = col / weight, radius = sqrt(fmax(0, square / weight - y * y - x * x));
    return weight > 0 ? (spot){y, x, radius > 0 ? radius : 1} : (spot){0, 0, 1};
}

/* What is orthogonal to the n waves before, twice, for rounding; its norm. */
static double
set_apart(number *wave, const number *basis, int64_t n, int64_t pixels)
{
    double norm = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t k = 0; k < n; k++) {
            number along = 0;
            for (int64_t i = 0; i < pixels; i++)
                along += conj(basis[k * pixels + i]) * wave[i];
            for (int64_t i = 0; i < pixels; i++)
                wave[i] -= along * basis[k * pixels + i];
        }
    for (int64_t i = 0; i < pixels; i++)
        norm += creal(wave[i] * conj(wave[i]));
    return sqrt(norm);
}

ag_status
ag_probe_modes(ag_complex *probe, int64_t modes, int64_t given, int64_t rows, int64_t cols, double share,
               ag_message *message)
{
    const int64_t pixels = rows * cols;
    if (given < 1 || modes < given || (modes > given && !(share > 0 && share < 1)))
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "probe: found %lld modes, %lld given, a share %g of the others, expected 1 or more and between 0 and 1",
                       (long long)modes, (long long)given, share);
    if (modes == given)
        return AG_OK;
    number *basis = ag_calloc(modes, (size_t)pixels * sizeof *basis);
    if (!basis)
        return ag_fail(message, AG_NO_MEMORY, "probe: out of host memory for %lld modes", (long long)modes);
    const spot at = spot_of(probe, rows, cols);
    double total = 0;
    int64_t found = 0, n = 0; /* independent waves so far; modes made */
    for (int64_t degree = 0, down = 0, k = 0; n < modes && k < 4 * modes + given; k++) {
        number *const wave = basis + found * pixels;
        for (int64_t i = 0; i < pixels; i++)
            wave[i] = k < given ? value(probe[k * pixels + i])
                                : value(probe[i]) * pow(((double)(i / cols) - at.row) / at.radius, (double)down) *
                                      pow(((double)(i % cols) - at.col) / at.radius, (double)(degree - down));
        if (k >= given - 1) {
            degree += down == 0 || k < given;
            down = down == 0 || k < given ? degree : down - 1;
        }
        double before = 0;
        for (int64_t i = 0; i < pixels; i++)
            before += creal(wave[i] * conj(wave[i]));
        total += k < given ? before : 0;
        const double norm = set_apart(wave, basis, found, pixels);
        const int apart = norm > 1e-6 * sqrt(before);
        for (int64_t i = 0; i < pixels && apart; i++)
            wave[i] /= norm;
        const double size = sqrt(share * total * pow(0.5, (double)(n - given)) / (2 - pow(0.5, (double)(modes - given - 1))));
        for (int64_t i = 0; i < pixels && apart && k >= given; i++)
            probe[n * pixels + i] = (ag_complex){(ag_real)(size * creal(wave[i])), (ag_real)(size * cimag(wave[i]))};
        found += apart;
        n += k < given || apart;
    }
    for (int64_t i = 0; i < given * pixels; i++) {
        probe[i].re *= (ag_real)sqrt(1 - share);
        probe[i].im *= (ag_real)sqrt(1 - share);
    }
    free(basis);
    return n == modes ? AG_OK
                      : ag_fail(message, AG_BAD_ARGUMENT, "probe: found room for %lld modes in it, expected %lld: too few of its pixels are not 0",
                                (long long)n, (long long)modes);
}
