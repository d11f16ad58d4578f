/* SPDX-License-Identifier: BSD-3-Clause */
/* common.h -- what the device and solver tests share: the devices to run on, a small scan. */
#ifndef AG_TESTS_COMMON_H
#define AG_TESTS_COMMON_H

#include <check.h>

#include "core.h"

/* The i-th name of ARGAND_TEST_DEVICES, which is all backends of the build unless the environment
   says otherwise; NULL after the last.  Behind them come "cuda@64" and "hip@32" where these are
   emulated: their devices with the other number of work-items in a warp. */
const char *test_device(int i);
/* Opens test_device(i); ends the test with the words why where that fails. */
ag_device *test_open(int i);
int test_devices(void);
/* Without HIP, the last of them, where it is CUDA's emulation: for tests of what the host does. */
int test_machines(void);
/* With those behind them, for tests of what may depend on the wavefront. */
int test_variants(void);
/* "hip:0 (warp 64, local 65536)" */
const char *test_where(const ag_device *device);

/* Notes that thing `number` was run on test_device(i). */
void test_ran(int i, int number);
/* Prints "all COUNT THINGS executed on cpu, cuda (warp 32, 227 KiB)", or what was not executed where:
   then it returns 1. */
int test_summary(const char *things, int count, const char *(*name)(int number));
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
