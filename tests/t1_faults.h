/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_faults.h -- the parts of the test in which one call after another fails. */
#ifndef AG_TESTS_T1_FAULTS_H
#define AG_TESTS_T1_FAULTS_H

#include "common.h"
#include "device.h"
#undef fail /* Check's; a backend calls its host's function of that name */

/* ---- faults_job.c: a small but whole job --------------------------------------------------------- */

#define JOB_FRAME  16
#define JOB_OBJECT 24
#define JOB_METHODS 3
#define JOB_VALUES 8

/* What a job found. */
typedef struct result {
    ag_complex object[JOB_METHODS][JOB_OBJECT * JOB_OBJECT];
    ag_quality quality[JOB_METHODS];
    ag_real value[JOB_VALUES];
} result;

typedef struct outcome {
    ag_status status;
    char words[sizeof(ag_message)];
    int64_t left; /* bytes of device memory that were not ended */
    result found;
} outcome;

ag_scan *job_scan(void);
/* Opens a device, makes a solver of three methods on it, runs and measures them, records, replays,
   uploads and closes.  The first failure is the outcome.  No function of Check is called where nothing
   else is wrong: it allocates. */
outcome job_run(const ag_scan *scan, const ag_backend *backend);
/* The opening, two kernels, what is recorded and uploaded, and closing. */
outcome job_launch(const ag_backend *backend);

/* ---- faults_backend.c: a backend that fails when it is told to ------------------------------------ */

/* Stands before `real` and checks that all that is made is ended once, that nothing is used that was
   not made, and that nothing is begun after a failure. */
const ag_backend *faulty(const ag_backend *real);
/* Call n (0: none) of those that follow fails, in this way. */
void faulty_arm(int n, ag_status status);
/* How many calls there were; what call n (from 1 on) was, such as "launch total". */
int faulty_calls(void);
const char *faulty_label(int n);
/* Ends the test where the job left something behind. */
void faulty_settle(void);

/* ---- faults_host.c: allocations of host memory ----------------------------------------------------- */

/* Allocation n (0: none) of those that follow fails. */
void host_arm(int n);
/* Ends that; the allocations, less those that were ended; how many there were. */
int host_disarm(int *allocations);

#endif
