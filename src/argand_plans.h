/* SPDX-License-Identifier: BSD-3-Clause */
/* argand_plans.h -- how frames are transformed: plans, and which one is the fastest; the end of argand.h.  */
#ifndef ARGAND_PLANS_H
#define ARGAND_PLANS_H

#define AG_PLAN_ID 160 /* bytes of an id with its end */

/* The identity of the transform plan: equal ids compute alike. */
const char *ag_solver_plan(const ag_solver *solver);

/* A plan by its id, which names the size of frames that it is for; what is made for them on the device from now on takes it in
   place of the table's, others take the table's, and so do all after NULL.  Its results differ by rounding.  What is no
   plan for such a device is AG_BAD_ARGUMENT with words, what was found and what was expected, and changes nothing.  A library
   that transforms (ag_device_fft) has plans of its own. */
ag_status ag_device_plan(ag_device *device, const char *id, ag_message *message);

/* Plans measured on the fused step (exit wave, transform, modulus, transform back, update or store) of noise. */
typedef struct ag_tuning {
    /* Asked for: pixels of a frame, modes of the probe; */
    int64_t rows, cols, modes;
    int64_t frames; /* of a measurement; 0: 32 one after the other on a processor with one mode, else a solver's pass */
    int orders;     /* of radices, tried for an axis at most; 1..256 */
    int repeats;    /* of each measurement, whose median counts; 1..1000 */
    double gain;    /* part of the time below which a plan is not taken for faster, such as 0.02 */
    /* Found: the fastest plan and the table's, the same where no plan gains so much; how many were measured; */
    char plan[AG_PLAN_ID], usual[AG_PLAN_ID];
    int plans;
    double seconds, usual_seconds; /* of a frame, in one and the same comparison */
} ag_tuning;
/* Ends a profile of the device (ag_device_profile), and needs the kernels to transform ("fused"). */
ag_status ag_plan_tune(ag_device *device, ag_tuning *tuning);

#endif
