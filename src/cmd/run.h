/* SPDX-License-Identifier: BSD-3-Clause */
/* run.h -- what `argand reconstruct` was asked for and what it has in hand. */
#ifndef AG_RUN_H
#define AG_RUN_H

#include <jansson.h>
#include <stdio.h>

#include "cmd.h"

enum { RUN_PATH = CMD_PATH, RUN_STAGES = 64, RUN_MODES = 64, RUN_POSITION_MARGIN = 16 /* pixels */ };

typedef struct run_stage {
    int64_t iterations; /* -1: as -n says */
    ag_options options;
    const char *settings; /* "beta=0.5:no-shuffle" of its own; NULL: none */
} run_stage;

/* What is kept of each iteration, and its name. */
enum { RUN_ERROR, RUN_SECONDS, RUN_MODULUS, RUN_OVERLAP, RUN_CURVES };
extern const char *const run_curve_name[RUN_CURVES];

typedef struct run {
    const char *scan_path, *output, *device_name, *fft, *start, *png, *json;
    const char *wisdom; /* file of plans; NULL: none */
    json_t *plans;      /* what it holds */
    int planned;           /* devices that it has a plan for */
    const char *checkpoint, *resume, *preview; /* resume "": the checkpoint, if there is one */
    int quiet;
    int png_made, preview_made; /* the folder was not there */
    int64_t iterations;         /* -n */
    int64_t modes;              /* of the probe; 0: as many as the start has */
    double mode_share;          /* of those that the start lacks, together */
    double power[RUN_MODES];    /* of each, largest first, when the probe has been fetched */
    int64_t every;              /* iterations, or */
    double every_seconds;
    int64_t memory;     /* bytes, or */
    double memory_part; /* a part of the device's; 0: no limit */
    char *chain;        /* what stages point into */
    int stages, now;    /* `now`: the stage at work */
    run_stage stage[RUN_STAGES];
    cmd_input input;
    int orientation; /* that positions were turned by */
    ag_scan *scan;
    ag_device *device;  /* the first; */
    struct team *team;  /* the others; NULL: there are none */
    char devices[1024]; /* the names of all */
    ag_solver *solver;
    ag_array *object, *probe;
    ag_complex *object_host, *probe_host;
    double *position; /* as found so far; NULL: no stage refines them; and */
    double *begun;    /* where the stage at work began */
    const char *spectrum_from; /* NULL: the frames */
    double *spectrum;
    ag_complex *eigen; /* of the last stage at work, where that has options.opr_modes */
    double *eigen_weight;
    double *background; /* of the last stage at work, where that estimates one */
    ag_need need; /* on the device, and on the host the program's part too */
    /* History of all stages, and how much of it came from the solver at work. */
    int64_t done, taken, base; /* base: before the present ag_solver_run */
    double *curve[RUN_CURVES]; /* of each iteration */
    char plan[160];
    int64_t peak; /* bytes on the device */
    ag_quality quality;
    double seconds; /* of the iterations */
    int64_t saved_at;   /* iteration, and */
    double saved_seconds;
    int unsaved; /* a checkpoint or preview could not be written */
    int signal;  /* that stopped the run */
    struct profile *profile; /* NULL: not asked for */
} run;

/* options.c: 0 to go on, else the exit status (-1: done, as after --help). */
int run_parse(run *r, int argc, char **argv);
/* chain.c: the stages of `text`; 1 when they are good.  Settings are the options of one stage, by the
   names of the long options.  */
int run_chain(run *r, const char *text);
int run_set(ag_options *options, const char *setting, const char *text);
int run_set_stages(run *r);
int64_t run_total(const run *r);
/* "rpie", or "raar:200,rpie:50"; its options as one JSON object, or a list of them. */
const char *run_algorithm(const run *r, char text[RUN_PATH]);
json_t *run_stage_json(const run_stage *stage);
json_t *run_options_json(const run *r);
/* memory.c: "2G", "512M", "50%"; 1 when it is good.  Then what the run will take, which is said. */
int run_memory_option(run *r, const char *text);
int run_memory(run *r);
/* Lets memory that is freed go back at once. */
void run_lean(void);
/* Bytes of host memory that the program takes now, and took at most. */
void run_host_memory(int64_t *now, int64_t *peak);
/* keep.c: checkpoints, previews and signals.  Each returns 0 or the exit status after saying why. */
int run_resume(run *r);
int run_resume_stage(run *r);
int run_collect(run *r);
/* So many of the values of curve k; null where there is none. */
json_t *run_curve_json(const run *r, int k, int64_t count);
/* Object and probe, its modes orthogonal unless the first one varies. */
int run_fetch(run *r);
void run_watch(run *r);
int run_stopped(run *r);
/* Whether the solver is to pause when so many iterations are done, for run_keep or because the run is stopped. */
int run_pauses(run *r, int64_t done);
/* When the solver pauses: leaves what is due by then. */
void run_keep(run *r);
/* outcome.c: tries where the outcome is to go and makes the folders of pictures; each returns 0
   or the exit status after saying why.  */
int run_places(run *r);
int run_json(const run *r);
int run_result(const run *r);
/* team.c: opens the devices of --device, by which the frames of a run are divided: 0, or the exit status after saying
   why. */
int run_devices(run *r);
/* The k-th of them, from 0; NULL after the last. */
ag_device *run_device(const run *r, int k);
/* The threads of the others, with object and probe as they are on the host. */
int run_team_begin(run *r);
/* What all of them do next, beside the program, when they have done what they were told before. */
enum { RUN_TEAM_CREATE, RUN_TEAM_LOAD, RUN_TEAM_RUN, RUN_TEAM_SAVE, RUN_TEAM_MEASURE, RUN_TEAM_END };
void run_team_tell(run *r, int what);
/* Until they have done it. */
void run_team_wait(run *r);
/* Whether all transform alike, as a checkpoint must: 0, or 1 after saying who does not. */
int run_team_alike(run *r);
/* Why a step failed for all, where the first says `words`: those of the device that was the cause. */
const char *run_team_words(run *r, const char *words);
void run_team_end(run *r);
ag_comm *run_comm(const run *r);
/* Says why a step on the devices failed; returns 1. */
int run_failed(run *r);
/* profile.c: the launches between watch 1 and watch 0, added up for each kernel of each step. */
int run_profile_begin(run *r);
void run_profile_watch(run *r, int on);
void run_profile_table(const run *r, FILE *file);
json_t *run_profile_object(const run *r);
/* pictures.c */
int run_pictures(const run *r, const char *option, const char *folder);

#endif
