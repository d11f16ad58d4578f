/* SPDX-License-Identifier: BSD-3-Clause */
/* t1.h -- the parts of the test of devices, launches and plans. */
#ifndef AG_TESTS_T1_H
#define AG_TESTS_T1_H

#include "common.h"

/* Each adds its cases; those that need a device run once for each of test_devices(). */
void add_open(Suite *suite);
void add_arrays(Suite *suite);
void add_launches(Suite *suite);
void add_plans(Suite *suite);
void add_cache(Suite *suite);

/* A new folder, which is gone when the program ends. */
const char *new_folder(void);

#endif
