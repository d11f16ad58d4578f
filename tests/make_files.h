/* SPDX-License-Identifier: BSD-3-Clause */
/* make_files.h -- what the writers of damaged and hostile files share. */
#ifndef AG_TESTS_MAKE_FILES_H
#define AG_TESTS_MAKE_FILES_H

#include "files.h"

extern small_scan scan;
/* Prints a line: arguments that read a file, words of the refusal. */
void row(const char *arguments, const char *words);
/* A part of a file, 1: all but its last byte. */
void cut(const char *from, const char *to, double part, const char *words);

void eigers(void);
void hdf5s(void);

#endif
