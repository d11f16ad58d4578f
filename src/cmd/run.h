/* SPDX-License-Identifier: BSD-3-Clause */
/* run.h -- what `argand reconstruct` was asked for and what it has in hand. */
#ifndef AG_RUN_H
#define AG_RUN_H

#include "cmd.h"

enum { RUN_PATH = 4096 };

typedef struct run {
    const char *scan_path, *output, *device_name, *fft, *start, *png, *json;
    int quiet;
    int png_made; /* the folder was not there */
    int64_t iterations;
    ag_options options;
    cmd_input input;
    int orientation; /* that positions were turned by */
    ag_scan *scan;
    ag_device *device;
    ag_solver *solver;
    ag_array *object, *probe;
    ag_complex *object_host, *probe_host;
    ag_quality quality;
    double seconds; /* of the iterations */
} run;

/* options.c: 0 to go on, else the exit status (-1: done, as after --help). */
int run_parse(run *r, int argc, char **argv);
/* outcome.c: tries where the outcome is to go and makes the folder of pictures; each returns 0
   or the exit status after saying why.  */
int run_places(run *r);
int run_json(const run *r);
int run_result(const run *r);
/* pictures.c */
int run_pictures(const run *r);
int run_picture_path(const run *r, const char *file, char path[RUN_PATH]);

#endif
