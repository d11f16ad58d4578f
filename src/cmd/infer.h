/* SPDX-License-Identifier: BSD-3-Clause */
/* infer.h -- what `argand infer` was asked for and what it has in hand. */
#ifndef AG_INFER_H
#define AG_INFER_H

#include "argand_nets.h"
#include "cmd.h"

enum { CONTRACT_AMPLITUDE, CONTRACT_COUNTS };
/* infer_options.c: the words of a choice by its number, then NULL. */
extern const char *const infer_contracts[], *const infer_transforms[], *const infer_paddings[],
    *const infer_amplitudes[], *const infer_precisions[], *const infer_weightings[];

typedef struct infer {
    const char *model, *output, *device_name, *png, *json;
    int quiet, profile, png_made;
    int64_t batch;         /* 0: auto */
    int64_t trim;          /* 0: half a patch */
    int uniform;           /* the patches' pixels weigh alike */
    int contract;          /* what PtychoPINN's nets take */
    double scale;          /* of the input; 0: from the data */
    int64_t threshold;     /* PtychoNN: counts below it become 0 */
    cmd_input input;
    ag_net_options options;

    ag_device *device;
    ag_net *net;
    const ag_net_info *info;
    ag_scan *scan;
    int64_t frames, rows, cols;
    ag_real *pattern;      /* frames x rows x cols: the input of the net */
    int64_t *group;        /* frames x patches: the frames of each sample */
    int64_t *own;          /* frames: which patch of its sample is the frame's own */
    double *position;      /* frames x 2: centres of the patches */
    int placed;            /* the positions tell where patches go */
    ag_real *amplitude, *phase;
    ag_complex *object;
    ag_real *weights;
    ag_assembly assembly;
    int64_t used;          /* patches in the object */
    int64_t peak;          /* bytes that the device held at most while the net ran */
    double deviation;      /* from single precision, relative L2; negative: unknown */
    double seconds;
} infer;

/* Each returns 0 or the exit status after saying why. */
/* infer_options.c: 0 to go on, else the exit status (-1: done, as after --help). */
int infer_parse(infer *r, int argc, char **argv);
/* infer_data.c: the scan, as the net takes it. */
int infer_open(infer *r);
int infer_prepare(infer *r);
/* infer_report.c */
ag_complex infer_polar(ag_real amplitude, ag_real phase);
int infer_places(infer *r);
int infer_write(const infer *r);
int infer_json(const infer *r);
int infer_pictures(const infer *r);
void infer_profile(const infer *r);

#endif
