/* SPDX-License-Identifier: BSD-3-Clause */
/* net.h -- what a net is made of: values in one arena, layers that run in order, the words that build them. */
#ifndef AG_NET_H
#define AG_NET_H

#include "argand_nets.h"
#include "core.h"
#include "kernels.h"
#include "tensors.h"

#define AG_BLOCK 16 /* BLOCK and PANEL of gen/nets.m4 */
#define AG_PANEL 32
#define AG_STATISTICS 4

/* activate() in gen/nets.m4; the first three may stand before and after a convolution. */
enum { AG_SAME, AG_RELU, AG_GELU, AG_SILU, AG_SIGMOID, AG_PI_TANH, AG_TANH_RAISED, AG_TANH_WIDE };
enum { AG_CLASS_CONV, AG_CLASS_SPECTRAL, AG_CLASS_OTHER, AG_CLASSES };

/* What a layer leaves for others, `reals` of them for a sample; between its first and its last
   layer it has its place in the arena. */
typedef struct ag_net_value {
    int64_t reals, offset;
    int channels, height, width;
    int first, last;
    char stage[32]; /* the name under which a test finds it; "": none */
} ag_net_value;

typedef struct ag_layer ag_layer;
typedef void ag_forward(ag_net *net, const ag_layer *layer, int64_t samples);
/* What layers of a kind share. */
typedef struct ag_operation {
    ag_forward *forward;
    int kind; /* AG_CLASS_... */
    int kernels, kernel[3];
} ag_operation;
struct ag_layer {
    char stage[32]; /* layers of one stage are timed together */
    const ag_operation *operation;
    int value[6]; /* what it touches, -1: nothing; which is which is the layer's affair */
    ag_array *weights[5];
    int64_t number[16];
    double seconds; /* since the profile began */
};

struct ag_net {
    ag_device *device;
    ag_net_options options;
    ag_net_info info;
    char architecture[64];
    ag_precision matrix; /* options.precision where the device has matrix units for it, else AG_FP32 */
    ag_program *program;
    int values, layers, room_values, room_layers;
    ag_net_value *value;
    ag_layer *layer;
    int planes[2]; /* values: amplitude and phase, or real and imaginary part; [0] -1: amplitude 1 */
    int input;     /* value: planes of the input */
    int64_t batch, together; /* samples of a batch; those that go through the layers at a time */
    int64_t reals;           /* of the arena, for a sample */
    int64_t weight_bytes;
    ag_array *arena;
    ag_real *host; /* the input of a batch, transformed */
    int keep;       /* every stage keeps its place, for tests */
    int profile;
    int cartesian; /* the planes are real and imaginary part */
    double run_seconds, input_seconds, output_seconds;
};
/* Reals that so many activations take. */
int64_t ag_net_reals(const ag_net *net, int64_t activations);
/* The arena from a value's place on. */
ag_array ag_net_at(const ag_net *net, int value);

/* ---- building (build.c) ------------------------------------------------------------------ */

/* A net being made from a file; the first thing that is wrong sticks. */
typedef struct ag_build {
    ag_net *net;
    ag_tensors *tensors;
    const char *prefix; /* of the names in the file */
    char stage[32];     /* of the layers to come */
    ag_status status;
    ag_message *message;
} ag_build;
ag_status ag_build_fail(ag_build *build, ag_status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
void ag_build_stage(ag_build *build, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
int ag_build_value(ag_build *build, int64_t reals, int channels, int height, int width);
/* A layer of the stage; NULL when something is wrong already. */
ag_layer *ag_build_layer(ag_build *build, const ag_operation *operation);
/* Whether the file has a tensor of that name. */
const ag_tensor *ag_build_look(const ag_build *build, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
/* The length of an axis, 0 where the tensor has not that rank or is absurdly long. */
int ag_extent(const ag_tensor *tensor, int rank, int axis);
/* The numbers of a tensor, malloc'd; its shape must be the `rank` extents. */
ag_real *ag_build_take(ag_build *build, int rank, const int64_t *shape, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 4, 5)))
#endif
    ;
/* Upload to the device and free. */
ag_array *ag_build_upload(ag_build *build, int64_t count, ag_real *value);

/* A picture on its way through a net: blocks of channels, and what the next convolution does with
   them first. */
typedef struct ag_image {
    int value, channels, blocks, height, width;
    int first;         /* block of the value that it begins with */
    int of;            /* blocks that the value has */
    int before;        /* -1: nothing; else an activation after scale and offset */
    int scale, offset; /* values */
    int sums, rows;    /* rows of statistics that its convolution left, or -1 */
} ag_image;
/* An image of whole blocks, with a value of its own. */
ag_image ag_image_new(ag_build *build, int channels, int height, int width);
/* Marks the value of an image as what a stage leaves. */
void ag_build_name(ag_build *build, ag_image image, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* Weights of a convolution, malloc'd: [outputs][inputs][side][side] and [outputs]. */
typedef struct ag_kernel_weights {
    int outputs, inputs, side;
    ag_real *weight, *bias;
} ag_kernel_weights;
/* From NAME.weight and NAME.bias. */
ag_kernel_weights ag_build_weights(ag_build *build, int outputs, int inputs, int side, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 5, 6)))
#endif
    ;

/* Batch norm of inference (NAME.weight, .bias, .running_mean, .running_var; epsilon 1e-5) is a factor and a
   constant for each output: it goes into the weights. */
void ag_build_fold_norm(ag_build *build, ag_kernel_weights *weights, const char *name);

/* ---- layers (layers.c, spectral.c, attention.c) ---------------------------------------------- */

ag_image ag_layer_input(ag_build *build, int channels, int height, int width);
typedef struct ag_conv_options {
    int reflect; /* of 3 x 3 */
    int stride;  /* of others; 0: 1 */
    int after;   /* activation */
    int keep;    /* statistics are wanted */
    int add;     /* value that the result is added to, plus 1; 0: none (not 3 x 3) */
} ag_conv_options;
/* Takes the weights, which are freed; sides other than 3 are not padded. */
ag_image ag_layer_conv(ag_build *build, ag_image image, ag_kernel_weights weights, ag_conv_options options);
/* Transposed, stride 2: weights [inputs][outputs][side][side], side 3 or 4. */
ag_image ag_layer_transposed(ag_build *build, ag_image image, int outputs, ag_real *weight, int side);
/* What an instance norm and an activation make of an image that has statistics; takes gain and
   shift.  The next convolution does it, unless ag_layer_settle is called. */
ag_image ag_layer_norm(ag_build *build, ag_image image, int act, ag_real *gain, ag_real *shift);
ag_image ag_layer_settle(ag_build *build, ag_image image);
/* base + image with its norm. */
ag_image ag_layer_residual(ag_build *build, ag_image base, ag_image image);
/* image + gelu(spectral(image) + local), in the place of local; takes the weights
   [in][out][rows][cols][2]. */
ag_image ag_layer_spectral(ag_build *build, ag_image image, ag_image local, ag_real *weight, int rows, int cols);
/* Channel and spatial attention with weights under the prefix, then 2 x 2 pooling. */
ag_image ag_layer_attention(ag_build *build, ag_image image, int index);
ag_image ag_layer_pool(ag_build *build, ag_image image);
ag_image ag_layer_enlarge(ag_build *build, ag_image image, int bilinear);
/* Channels first ... of inner, padded by `pad`, and outer (value -1: none) around it, as planes;
   returns the value. */
int ag_layer_head(ag_build *build, ag_image inner, int channels, int first, int pad, int act, ag_image outer);

/* ---- weights as the kernels take them (weights.c); all malloc'd ------------------------------- */

/* conv3: in Winograd's form where a group has one lane.  `matrix': in the bits of that precision, for matrix units;
   AG_FP32: not.  *reals become the array's. */
ag_real *ag_pack_conv3(int64_t *reals, int outputs, int inputs, const ag_real *weight, int solo, ag_precision matrix);
/* conv: taps [down][across], each its place in the side x side of a weight; strides of the weight's
   outputs and inputs. */
ag_real *ag_pack_conv(int64_t *reals, int outputs, int inputs, const ag_real *weight, int64_t output_step, int64_t input_step,
                      int taps, const int *place, ag_precision matrix);
/* Numbers as they are kept in a precision, rounded to nearest, ties to even; what 16 bits stand for; the bits of a
   number that has been rounded. */
void ag_round(ag_precision precision, int64_t count, ag_real *value);
ag_real ag_widen(ag_precision precision, uint16_t bits);
uint16_t ag_narrow(ag_precision precision, ag_real value);
/* spectral_mix: from [in][out][all_rows][all_cols][2], its first rows and cols. */
ag_real *ag_pack_spectral(int outputs, int inputs, const ag_real *weight, int all_rows, int all_cols, int rows,
                          int cols);
/* A vector filled up with 0 to whole blocks; takes and frees. */
ag_real *ag_pack_vector(int count, ag_real *value);

/* ---- architectures ----------------------------------------------------------------------------- */

typedef struct ag_architecture {
    const char *name;
    /* Whether the file looks like one, and where its names begin. */
    const char *(*recognise)(const ag_tensors *tensors);
    void (*build)(ag_build *build);
} ag_architecture;
extern const ag_architecture ag_hybrid_resnet, ag_ptychopinn_cnn, ag_ptychonn;
/* The first of the prefixes under which the file has the name; NULL: none. */
const char *ag_find_prefix(const ag_tensors *tensors, const char *name);

/* ---- for tests ---------------------------------------------------------------------------------- */

/* As ag_net_create; `keep`: every stage can be read. */
ag_status ag_net_make(ag_net **net, ag_device *device, const char *path, const ag_net_options *options, int keep,
                      ag_message *message);
/* The planes as they leave the net; first may be NULL where the amplitude is 1. */
ag_status ag_net_planes(ag_net *net, int64_t samples, const ag_real *input, ag_real *first, ag_real *second);
/* A stage of the last batch as planes [sample][channel][row][col], malloc'd; NULL: none of that name. */
ag_real *ag_net_stage(ag_net *net, const char *name, int64_t samples, int64_t shape[3]);

#endif
