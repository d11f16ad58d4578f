/* SPDX-License-Identifier: BSD-3-Clause */
/* common.h -- what the device and solver tests share: the devices to run on, a small scan. */
#ifndef AG_TESTS_COMMON_H
#define AG_TESTS_COMMON_H

#include <check.h>

#include "core.h"

/* The i-th name of ARGAND_TEST_DEVICES, which is all backends of the build unless the environment
   says otherwise; NULL after the last. */
const char *test_device(int i);
/* Opens test_device(i); ends the test with the words why where that fails. */
ag_device *test_open(int i);
int test_devices(void);
/* Device i is an emulated GPU, a thousand times slower than one: tests leave out what is long. */
int test_emulated(int i);

/* A simulated scan without noise; `jitter` moves each position by up to half a pixel, so that it
   is a sub-pixel one (the data stay those of whole pixels). */
ag_scan *test_scan(int64_t frame, int64_t object, int64_t points, double jitter);
/* The same in the near field. */
ag_scan *test_near_scan(int64_t frame, int64_t object, int64_t points, double jitter);

/* Path of a file in tests/data. */
const char *test_data(const char *name);

/* Every method's defaults, or the words why not end the test. */
ag_options test_options(const char *method);

#endif
