/* SPDX-License-Identifier: BSD-3-Clause */
/* faults_job.c -- a small but whole job, for the tests in which something fails on its way. */
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "t1_faults.h"

ag_scan *
job_scan(void)
{
    static ag_real data[3 * JOB_FRAME * JOB_FRAME];
    static ag_complex probe[JOB_FRAME * JOB_FRAME];
    static const double position[] = {1.3, 2.0, 3.6, 6.8, 7.0, 1.2};
    for (int i = 0; i < 3 * JOB_FRAME * JOB_FRAME; i++)
        data[i] = (ag_real)(1 + i * 7 % 13);
    for (int i = 0; i < JOB_FRAME * JOB_FRAME; i++) {
        probe[i].re = (ag_real)(1 + i % 5);
        probe[i].im = (ag_real)(i % 3);
    }
    const ag_scan_info info = {.frames = 3, .rows = JOB_FRAME, .cols = JOB_FRAME, .data = data, .position = position,
                               .object_rows = JOB_OBJECT, .object_cols = JOB_OBJECT, .probe = probe, .modes = 1};
    ag_scan *scan;
    ag_message message;
    if (ag_scan_create(&scan, &info, &message))
        ck_abort_msg("%s", message.text);
    return scan;
}

/* Two iterations of a method, with probes at sub-pixel positions but for ePIE. */
static void
solve(ag_device *d, const ag_scan *scan, const char *method, ag_complex *object, ag_quality *quality)
{
    const int64_t pixels = JOB_OBJECT * JOB_OBJECT, window = JOB_FRAME * JOB_FRAME;
    ag_options options = test_options(method);
    ag_solver *solver;
    static ag_complex one[JOB_OBJECT * JOB_OBJECT];
    for (int64_t i = 0; i < pixels; i++)
        one[i].re = 1;
    options.probe_start = 1;
    if (!strcmp(method, "epie"))
        options.subpixel = AG_SUBPIXEL_NONE;
    ag_array *const objects = ag_new_from(d, AG_COMPLEX, pixels, one, "the object");
    ag_array *const probes = ag_new_from(d, AG_COMPLEX, window, ag_scan_content(scan)->probe, "the probe");
    if (!ag_solver_create(&solver, d, ag_comm_self(), scan, &options, objects, probes) &&
        !ag_solver_run(solver, 2, NULL, NULL) && !ag_solver_measure(solver, quality))
        ag_array_read(objects, 0, pixels, object);
    ag_solver_destroy(solver);
    ag_array_destroy(objects);
    ag_array_destroy(probes);
}

/* Launches that are recorded and run again; uploads beside launches. */
static void
launches(ag_device *d, ag_real *value)
{
    static const int list[] = {AG_KERNEL_maximum, AG_KERNEL_total};
    const ag_real start[JOB_VALUES] = {3, 1, 4, 1, 5, 9, 2, 6};
    ag_plan plan = {0};
    ag_plan_create(&plan, d, 8, 8, 0, NULL);
    ag_program *const program = ag_program_create(d, &plan.shape, 2, list);
    ag_array *const a = ag_new_from(d, AG_REAL, JOB_VALUES, start, "values");
    ag_array *const b = ag_new_from(d, AG_REAL, JOB_VALUES, start, "results");
    ag_recording *const recording = ag_record_begin(d, NULL);
    ag_run_total(program, 1, b, 1, b, 2);
    ag_run_maximum(program, 1, b, a, JOB_VALUES);
    ag_record_end(recording);
    ag_replay(recording);
    ag_replay(recording);
    ag_recording_destroy(recording);
    for (int i = 2; i < 5 && a && b; i++) {
        ag_upload(a, JOB_VALUES - i, start + i);
        ag_run_total(program, 1, b, i, a, JOB_VALUES);
    }
    if (!ag_device_synchronize(d))
        ag_array_read(b, 0, JOB_VALUES, value);
    ag_array_destroy(a);
    ag_array_destroy(b);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
}

/* Plans that are measured: on the processor, where no kernel is compiled for them; of one order of radices, for what wins is
   chance, and so then are the calls. */
static void
tune(ag_device *d)
{
    ag_tuning tuning = {.rows = 4, .cols = 11, .modes = 1, .frames = 1, .orders = 1, .repeats = 1};
    if (ag_device_is_host(d))
        ag_plan_tune(d, &tuning);
}

static void
conclude(ag_device *d, outcome *o)
{
    o->status = ag_device_status(d);
    snprintf(o->words, sizeof o->words, "%s", ag_device_message(d));
    int64_t peak;
    ag_device_memory(d, &o->left, &peak);
    ag_device_close(d);
}

/* Whether the opening failed. */
static int
begin(ag_device **d, const ag_backend *backend, outcome *o)
{
    ag_message message = {""};
    memset(o, 0, sizeof *o);
    o->status = ag_device_open_on(d, backend, 0, &message);
    snprintf(o->words, sizeof o->words, "%s", message.text);
    return o->status != AG_OK;
}

outcome
job_run(const ag_scan *scan, const ag_backend *backend)
{
    static const char *const method[JOB_METHODS] = {"rpie", "dm", "epie"};
    static outcome o;
    ag_device *d;
    if (begin(&d, backend, &o))
        return o;
    for (int i = 0; i < JOB_METHODS; i++)
        solve(d, scan, method[i], o.found.object[i], &o.found.quality[i]);
    launches(d, o.found.value);
    tune(d);
    conclude(d, &o);
    return o;
}

outcome
job_launch(const ag_backend *backend)
{
    static outcome o;
    ag_device *d;
    if (begin(&d, backend, &o))
        return o;
    launches(d, o.found.value);
    conclude(d, &o);
    return o;
}
