/* SPDX-License-Identifier: BSD-3-Clause */
/* t3.h -- one run of a solver, for the tests of all of them. */
#ifndef AG_TESTS_T3_H
#define AG_TESTS_T3_H

#include "common.h"

/* A solver with its arrays; the object starts as ones, the probe as the scan's. */
typedef struct trial {
    ag_device *device;
    ag_solver *solver;
    ag_array *object, *probe;
    int64_t pixels, window; /* of the object; of all modes of the probe */
} trial;

/* So many modes, or 1 where the method knows no more. */
int64_t trial_modes(const ag_options *options, int64_t modes);
/* Opens device i, or takes `device` where it is given. */
trial trial_begin(int i, ag_device *device, const ag_scan *scan, const ag_options *options);
void trial_run(trial *t, int64_t iterations);
/* The object (and the probe, where asked for) in memory that the caller frees. */
ag_complex *trial_object(trial *t);
ag_complex *trial_probe(trial *t);
/* Whether the first iterations of both have the same errors and residuals, to the last bit. */
int trial_same_history(const trial *a, const trial *b, int64_t iterations);
void trial_end(trial *t);

/* Relative distance of two arrays where weight (NULL: everywhere) is above a tenth of its
   maximum, after a common phase (`phase`) or factor (else) has been removed from b. */
double trial_distance(const ag_complex *a, const ag_complex *b, const double *weight, int64_t count, int phase);
/* Summed |probe|^2 over the windows, on the object's pixels. */
double *trial_weight(const ag_scan *scan);

/* The object after so many iterations on device i. */
ag_complex *trial_after(int i, const ag_scan *scan, const ag_options *options, int64_t iterations);

/* Options that the first device must refuse in words that hold these. */
void trial_refused(const ag_scan *scan, const ag_options *options, const char *words);

#define METHODS 9

void add_mode_tests(Suite *suite);
void add_long_tests(Suite *suite);
void add_property_tests(Suite *suite);
void add_physics_tests(Suite *suite);
void add_lsqml_tests(Suite *suite);
void add_position_tests(Suite *suite);
void add_constraint_tests(Suite *suite);
void add_background_tests(Suite *suite);
void add_residual_tests(Suite *suite);
void add_orientation_tests(Suite *suite);
void add_real_tests(Suite *suite);
void add_rank_tests(Suite *suite);
void add_beside_tests(Suite *suite);
void add_saved_tests(Suite *suite);

#endif
