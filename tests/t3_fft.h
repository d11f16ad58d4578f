/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_fft.h -- what the tests of libraries that transform share. */
#ifndef AG_TESTS_T3_FFT_H
#define AG_TESTS_T3_FFT_H

#include "common.h"

/* Modules of this build: pairs of a library and a backend. */
int module_count(void);
/* Opens the device of module i with its library, whose name it writes; NULL where that is skipped,
   after saying why where `aloud`. */
ag_device *open_with(int i, char name[32], int aloud);
/* Relative 2-norm of the difference of two arrays. */
double apart_by(const ag_complex *a, const ag_complex *b, int64_t count);

void add_propagations(Suite *suite);

#endif
