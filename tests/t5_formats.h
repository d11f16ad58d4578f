/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_formats.h -- what the tests of formats share. */
#ifndef AG_TESTS_T5_FORMATS_H
#define AG_TESTS_T5_FORMATS_H

#include <check.h>

#include "core.h"
#include "files.h"

enum { AREA = SIZE * SIZE };

extern small_scan truth;
extern ag_scan *plain; /* the truth as a scan */
extern char folder[];  /* where the tests write */

/* Before and after each test. */
void enter(void);
void leave(void);

ag_scan *open_scan(const ag_import *import);
ag_import import_of(const char *path);
void must_warn(const ag_scan *scan, const char *words);
/* Counts of a pixel, wherever the frame has its zero frequency. */
double counts(const ag_scan_info *info, const ag_real *data, int64_t j, int64_t y, int64_t x);
/* Five iterations from the same start; to be freed. */
ag_complex *reconstruct(const ag_scan *scan, double *error);
/* Compares with the truth, prints a line; amplitudes are rounded roots, geometry may be unknown. */
void must_be_same(const char *what, const ag_scan *scan, int geometry, int probe);

void add_cut_tests(TCase *tcase);
void add_lazy_tests(TCase *tcase);

#endif
