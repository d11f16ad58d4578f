/* SPDX-License-Identifier: BSD-3-Clause */
/* argand_nets.h -- nets from checkpoints, and the assembly of what they predict; see argand.h.  */
#ifndef ARGAND_NETS_H
#define ARGAND_NETS_H

#include "argand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a checkpoint does not tell. */
typedef enum ag_padding { AG_PADDING_AUTO, AG_PADDING_ZERO, AG_PADDING_REFLECT } ag_padding;
typedef enum ag_input_transform {
    AG_INPUT_AS_IS,
    AG_INPUT_SQRT,  /* sqrt(max(x, 0)) */
    AG_INPUT_LOG1P, /* log(1 + max(x, 0)) */
    AG_INPUT_NORM   /* each pattern less its mean, by sqrt(variance + 1e-6) */
} ag_input_transform;
/* How activations are kept.  With the last two they, and the weights of convolutions, are rounded to 16 bits;
   all sums, statistics, norms and spectral convolutions stay in single precision. */
typedef enum ag_precision { AG_FP32, AG_FP16, AG_BF16 } ag_precision;
typedef struct ag_net_options {
    int64_t batch;                /* samples that run at a time; 0: as suits the device's memory */
    int64_t rows, cols;           /* of a pattern; 0: what the architecture was made for */
    int64_t data_rows, data_cols; /* of the data at hand: taken where the architecture leaves it open */
    double scale;                 /* factor of the input, before its transform */
    ag_input_transform transform; /* Hybrid-ResNet */
    ag_padding padding;           /* Hybrid-ResNet: of the encoder's convolutions (auto: zero with
                                     the older names of its tensors, reflect with the newer) */
    ag_precision precision;
    int logits;                   /* Hybrid-ResNet: the parts of the answer are those of amplitude
                                     and phase, before sigmoid and pi tanh */
    int sigmoid;                  /* PtychoPINN CNN: amplitude by sigmoid, not silu */
    int real_imaginary;           /* PtychoPINN CNN: the parts are real and imaginary part */
    int small_probe;              /* PtychoPINN CNN: nothing outside of the central half */
} ag_net_options;
void ag_net_options_default(ag_net_options *options);

typedef struct ag_net ag_net;
typedef struct ag_net_info {
    const char *architecture;  /* in words; belongs to the net */
    int64_t patches;           /* patterns of a sample, and patches of its answer's input */
    int64_t answers;           /* patches of the answer of a sample */
    int64_t rows, cols;        /* of pattern and patch */
    int64_t batch;             /* samples that run at a time, on a processor maybe in parts */
    int64_t weight_bytes, activation_bytes; /* on the device */
} ag_net_info;

/* A net from a safetensors checkpoint, recognised by the names and shapes of its tensors:
   Hybrid-ResNet and CNN of PtychoPINN, PtychoNN.  doc/nets.md has the architectures, their
   options and sources.  What is wrong with the file goes to `message`, as does a failure of the
   device.  */
ag_status ag_net_create(ag_net **net, ag_device *device, const char *path,
                        const ag_net_options *options, ag_message *message);
void ag_net_destroy(ag_net *net);
const ag_net_info *ag_net_content(const ag_net *net);
/* `input`: samples x patches x rows x cols; amplitude and phase (radians, -pi ... pi): samples x
   answers x rows x cols. */
ag_status ag_net_run(ag_net *net, int64_t samples, const ag_real *input, ag_real *amplitude,
                     ag_real *phase);
/* From now on each stage is timed; what was timed is forgotten. */
void ag_net_profile(ag_net *net, int on);
typedef struct ag_net_time {
    const char *stage;
    double seconds, conv, spectral, other; /* in all, and of the kinds of its layers */
} ag_net_time;
/* The times of the stages, in order; returns how many there are, writes `room` at most.
   `total`: seconds of the runs from end to end. */
int64_t ag_net_times(const ag_net *net, int64_t room, ag_net_time *time, double *total);

/* Puts patches together at sub-pixel places: the central `trim` x `trim` pixels of each, times
   `weight` (trim x trim, NULL: 1), are spread over the four pixels that each of theirs meets
   (PtychoPINN's position-weighted reassembly).  position: count x 2, (row, column) of the
   centre of each patch in object pixels.  A patch that reaches the rim is dropped.  */
typedef struct ag_assembly {
    int64_t count, rows, cols, trim;
    const ag_complex *patch; /* count x rows x cols */
    const double *position;
    const ag_real *weight;
    int64_t canvas_rows, canvas_cols; /* from ag_assembly_size, or the caller's; then `origin` is */
    double origin[2];                 /* the position of pixel (0, 0) */
} ag_assembly;
/* Sets the canvas and its origin: 2 trim beyond the farthest position from the mean on each axis. */
ag_status ag_assembly_size(ag_assembly *assembly, ag_message *message);
/* object and weights: canvas_rows x canvas_cols; `used` (may be NULL): patches not dropped. */
ag_status ag_assembly_run(const ag_assembly *assembly, ag_device *device, ag_complex *object,
                          ag_real *weights, int64_t *used);

/* What a net leaves behind, in host memory. */
typedef struct ag_prediction {
    int64_t frames, rows, cols;
    const ag_real *amplitude, *phase; /* frames x rows x cols */
    const double *position;           /* frames x 2: row, column of each patch's centre, object pixels */
    int64_t object_rows, object_cols;
    const ag_complex *object; /* put together; NULL: not */
    const ag_real *weights;   /* of its pixels */
    double origin[2];         /* the position of the object's pixel (0, 0) */
    double pixel[2];          /* m, the object's; 0: unknown */
    const char *version, *device, *architecture, *model, *source;
    const char *options; /* all options as one JSON object */
    double run_seconds;
} ag_prediction;
/* HDF5 with CXI names; replaces `path` only when complete. */
ag_status ag_prediction_write(const char *path, const ag_prediction *prediction, ag_message *message);

#ifdef __cplusplus
}
#endif

#endif
