/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_constraints.c -- kernels of what is known of object and probe, against their formulas. */
#include <math.h>
#include <stdlib.h>

#include "t2_kernels.h"

void
check_bound(problem *p)
{
    const int64_t n = p->pixels;
    for (int variant = 0; variant < 2; variant++) {
        ag_complex *const a = random_complex(p, n);
        const double least = 0.5, most = variant ? 1.25 : 0;
        a[0].re = a[0].im = 0;
        ag_array *const x = place(p, AG_COMPLEX, n, a);
        wave *const expected = take(p, n, sizeof *expected);
        ag_run_bound(p->program, n, x, least, most);
        for (int64_t i = 0; i < n; i++) {
            const double modulus = cabs(wave_at(a, i)), low = fmax(modulus, least), to = most > 0 ? fmin(low, most) : low;
            expected[i] = modulus > 0 ? wave_at(a, i) * to / modulus : to;
        }
        compare(p, "bounds", 2 * n, fetch(p, x), (const double *)expected);
    }
}

void
check_weigh(problem *p)
{
    const int64_t n = p->pixels;
    const ag_complex *const a = random_complex(p, n);
    const ag_real *const w = random_reals(p, n);
    ag_array *const x = place(p, AG_COMPLEX, n, a);
    wave *const expected = take(p, n, sizeof *expected);
    ag_run_weigh(p->program, n, x, place(p, AG_REAL, n, w));
    for (int64_t i = 0; i < n; i++)
        expected[i] = (double)w[i] * wave_at(a, i);
    compare(p, "product", 2 * n, fetch(p, x), (const double *)expected);
}

/* Sectors narrower and wider than half a turn, whose middles are anywhere. */
void
check_turn_within(problem *p)
{
    static const double bounds[][2] = {{-0.5, 0.25}, {1, 3}, {-3, 2.5}, {-3.1, -0.1}};
    const int64_t n = p->pixels;
    for (int variant = 0; variant < 4; variant++) {
        const double centre = (bounds[variant][0] + bounds[variant][1]) / 2, edge = (bounds[variant][1] - bounds[variant][0]) / 2;
        ag_complex *const a = random_complex(p, n);
        a[0].re = a[0].im = 0;
        ag_array *const x = place(p, AG_COMPLEX, n, a);
        wave *const expected = take(p, n, sizeof *expected);
        ag_run_turn_within(p->program, (n + AG_SEGMENT - 1) / AG_SEGMENT, x, n, cos(centre), sin(centre), cos(edge), sin(edge));
        for (int64_t i = 0; i < n; i++) {
            const double off = carg(wave_at(a, i) * cexp(-I * centre));
            expected[i] = fabs(off) <= edge ? wave_at(a, i) : cabs(wave_at(a, i)) * cexp(I * (centre + copysign(edge, off)));
        }
        compare(p, "phases", 2 * n, fetch(p, x), (const double *)expected);
    }
}

void
check_moduli(problem *p)
{
    const int64_t n = p->pixels;
    const ag_complex *const a = random_complex(p, n);
    ag_array *const m = place(p, AG_REAL, n, NULL);
    double *const expected = take(p, n, sizeof *expected);
    ag_run_moduli(p->program, n, m, place(p, AG_COMPLEX, n, a));
    for (int64_t i = 0; i < n; i++)
        expected[i] = cabs(wave_at(a, i));
    compare(p, "moduli", n, fetch(p, m), expected);
}

void
check_smooth(problem *p)
{
    const double alpha = 0.1;
    const int64_t n = p->pixels;
    ag_complex *const a = random_complex(p, n);
    a[0].re = a[0].im = 0;
    ag_real *const m = take(p, n, sizeof *m);
    for (int64_t i = 0; i < n; i++)
        m[i] = (ag_real)cabs(wave_at(a, i));
    ag_array *const x = place(p, AG_COMPLEX, n, a);
    wave *const expected = take(p, n, sizeof *expected);
    ag_run_smooth(p->program, n, x, place(p, AG_REAL, n, m), p->rows, p->cols, alpha);
    for (int64_t i = 0; i < n; i++) {
        double to = (double)m[i];
        for (int64_t k = 0; k < 9; k++) {
            const int64_t y = AG_MIN(AG_MAX(i / p->cols + k / 3 - 1, 0), p->rows - 1);
            const int64_t c = AG_MIN(AG_MAX(i % p->cols + k % 3 - 1, 0), p->cols - 1);
            to += alpha * ((double)m[y * p->cols + c] - (double)m[i]);
        }
        expected[i] = cabs(wave_at(a, i)) > 0 ? wave_at(a, i) * to / cabs(wave_at(a, i)) : to;
    }
    compare(p, "smooth", 2 * n, fetch(p, x), (const double *)expected);
}
