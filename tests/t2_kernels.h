/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_kernels.h -- a problem of one shape, on which each kernel is held against its formula. */
#ifndef AG_TESTS_T2_KERNELS_H
#define AG_TESTS_T2_KERNELS_H

#include <complex.h>

#include "common.h"
#include "kernels.h"

#define PI         3.14159265358979323846
#define SLOTS      3   /* frames in a stack of the tests */
#define TAKEN      512 /* blocks of memory and arrays of a problem at most */
#define UNMEASURED 2e30
#define PERIOD     8191 /* random values after which an array repeats itself, a prime */

typedef double complex wave;

static inline wave
wave_at(const ag_complex *z, int64_t i)
{
    return (double)z[i].re + I * (double)z[i].im;
}

/* When a shape is run: not where kernels are built for each shape; not where that is slow. */
enum { NO_BUILDING, USUALLY, ALWAYS, FRAMES /* usually, with kernels of whole frames alone */ };

typedef struct shape_row {
    int rows, cols, linear;
    int64_t local; /* bytes of local memory that the plan may use; 0: all */
    int when;
    int modes; /* of the probe; 0 and 1: one, others for kernels that know modes */
    int words; /* amplitudes in 16 bits, for kernels that look at them */
} shape_row;

/* What the memory of a device around an array must still hold after the kernel. */
typedef struct guarded {
    ag_array *whole, view;
} guarded;

typedef struct problem {
    ag_device *device;
    ag_program *program;
    ag_plan plan;
    const char *kernel;
    const shape_row *at;
    int unfused;  /* the kernel's form for where a library transforms */
    int store;    /* of the shape: how activations are kept, and whether by matrix units */
    int mma;
    int compares; /* 0: only the digest of the results is wanted */
    int left_out; /* the plan of the shape has no use for the kernel */
    double tolerance, error;
    uint64_t digest;
    ag_random random;

    int near;                   /* a kernel of the near field, whose strips hold columns of the frame */
    int64_t strips, amplitudes; /* of a frame as the detector's passes see it: strips, pixels */
    int64_t stored;             /* reals of its amplitudes */
    int64_t rows, cols, pixels, object_rows, object_cols;
    int64_t slots, frames; /* in a stack; of the scan, of which a stack lists some */
    int64_t modes, waves;  /* of a frame; of the stack: slots x modes */
    int64_t windows;       /* modes x pixels */
    int32_t *frequency; /* rows + cols: what each position of the transforms holds */
    ag_complex *object, *probe, *stack; /* probe, stack: waves */
    int32_t *frame, *corner; /* slots; 2 x frames */
    ag_real *fraction;       /* 2 x frames */
    ag_array *d_object, *d_probe, *d_stack, *d_frame, *d_corner, *d_fraction, *spill;

    int taken, arrays;
    void *memory[TAKEN];
    guarded array[TAKEN];
} problem;

void problem_begin(problem *p, ag_device *device, const char *kernel, int number,
                   const shape_row *at, int64_t slots);
void problem_end(problem *p);
/* Zeroed host memory that lives as long as the problem. */
void *take(problem *p, int64_t count, size_t size);
/* Normal ones; a longer array than any test has repeats itself. */
ag_real *random_reals(problem *p, int64_t count);
ag_complex *random_complex(problem *p, int64_t count);
/* Values that are not negative, the first of them 0; *top becomes the largest. */
ag_real *random_densities(problem *p, int64_t count, double *top);
/* An array between guards; without `source' it holds NaN. */
ag_array *place(problem *p, ag_type type, int64_t count, const void *source);
/* What an array holds; its guards are looked at. */
void *fetch(problem *p, const ag_array *array);
/* Relative L2 of found - expected, both `count' reals; ends the test where it is too large. */
void compare(problem *p, const char *what, int64_t count, const ag_real *found,
             const double *expected);

/* ---- t2_reference.c: what the formulas say, in double and as slow as they are ------------- */

/* Of n values, `step' apart, in place: sum_x v[x] exp(sign 2 pi i k x / n), k = frequency of the
   position; x is a pixel and k in positions for sign -1, the other way round for +1. */
void reference_dft(double complex *value, int64_t n, int64_t step, const int32_t *frequency,
                   int sign);
/* Down the columns or along the rows of `count' frames, unless a library does that. */
void reference_columns(const problem *p, double complex *frame, int64_t count, int sign);
void reference_rows(const problem *p, double complex *frame, int64_t count, int sign);
/* The object at pixel (y, x) of the window of frame j; the probe of wave w, where frames are
   `step' apart. */
double complex reference_window(const problem *p, int64_t j, int64_t y, int64_t x);
double complex reference_probe(const problem *p, int64_t w, int64_t y, int64_t x, int64_t step);
/* Between frames (waves x rows x cols, row frequencies by position) and strips, or natural order where a
   library transforms; what the strips hold beyond a frame is NaN.  `near': strips of columns rather than of
   row frequencies. */
double complex *from_strips(problem *p, int near, const ag_real *strips);
ag_real *to_strips(problem *p, int near, const double complex *frame);
/* Reals of the strips of all waves. */
int64_t strip_reals(const problem *p, int near);
/* The same for `count' frames of amplitudes, as the kernel sees them; beyond a frame they are
   unmeasured.  Where the shape has words of 16 bits `amplitude' becomes what these say. */
ag_real *to_amplitudes(problem *p, double *amplitude, int64_t count);
/* Zero and step of a frame's words. */
ag_complex range_of_words(const problem *p, const double *amplitude);

/* ---- t2_passes.c: what the kernels at the detector share --------------------------------------- */

/* What a detector's pass starts from; in the near field positions are rows and columns. */
typedef struct middle {
    int64_t first;     /* the frame that the amplitudes begin with */
    double scale;      /* makes the transforms orthonormal */
    double *amplitude; /* of frames first ... */
    double complex *psi;         /* the waves at the detector, by position */
    double complex *phi;         /* the kept state, by position */
    ag_real *source, *state;
    ag_array *scratch, *measured, *error, *kept;
} middle;
middle middle_begin(problem *p, int64_t first);
/* The data of pixel i of the stack. */
double data_at(const problem *p, const middle *m, int64_t i);
/* The strip that pixel i of the stack lies in. */
int64_t strip_of(const problem *p, int64_t i);
/* The modulus at pixel i of the stack, of all modes of the frame. */
double modulus_of(const problem *p, const double complex *w, int64_t i);
void compare_strips(problem *p, int near, const char *what, const ag_array *strips,
                    const double complex *expected);

/* The options of the methods at the detector in these tests. */
#define GUARD 1e-3
#define LEAST 0.25
#define BETA  0.75
/* What a method makes of the waves psi, scaled to go back, and the state that it keeps. */
enum { MODULUS, DM, RAAR };
double complex *detect(problem *p, const middle *m, int kind, int start, double complex **kept);

/* ---- t2_ep.c ------------------------------------------------------------------------------------ */

/* Reals from `least' up. */
ag_real *precisions(problem *p, int64_t count, double least);

/* ---- one function for each kernel ------------------------------------------------------------ */

typedef void check_kernel(problem *p);
check_kernel check_load_exit, check_load_probe, check_store_difference, check_store_stack;
check_kernel check_load_exit_tops, check_update;
check_kernel check_modulus, check_modulus_dm, check_modulus_raar, check_measure, check_shift;
check_kernel check_transfer, check_near_modulus, check_near_modulus_dm, check_near_modulus_raar;
check_kernel check_near_measure, check_near_amplitude;
check_kernel check_power, check_near_power, check_rescale;
check_kernel check_lsq_direction, check_lsq_sums, check_lsq_frames, check_lsq_solve, check_lsq_mean;
check_kernel check_lsq_norm, check_lsq_scale, check_move_along, check_average;
check_kernel check_poisson, check_poisson_sums, check_near_poisson, check_near_poisson_sums;
check_kernel check_bound, check_turn_within, check_weigh, check_moduli, check_smooth, check_position_sums, check_position_lags, check_poisson_mean, check_poisson_alpha;
check_kernel check_object_scatter, check_object_sum, check_object_coverage, check_object_step;
check_kernel check_probe_terms, check_probe_step, check_probe_sum;
check_kernel check_conv, check_conv3, check_spectral_add, check_spectral_mix, check_spectral_sum;
check_kernel check_affine, check_norm_scale, check_channel_gate, check_channel_pool, check_spatial_gate;
check_kernel check_pool, check_enlarge, check_to_blocks, check_head, check_polar, check_place_patches;
check_kernel check_amplitude, check_divide, check_maximum, check_ramp, check_total;
check_kernel check_ep_begin, check_load_exit_spread, check_ep_start, check_ep_weigh, check_ep_project;
check_kernel check_near_ep_start, check_near_ep_weigh, check_near_ep_project;
check_kernel check_ep_update, check_ep_mean, check_ep_terms, check_ep_residual, check_ep_gamma, check_ep_prior, check_ep_noise;
check_kernel check_projected, check_near_projected, check_background_sums, check_background_step, check_without_background;
check_kernel check_modulus_residual, check_near_modulus_residual, check_overlap_residual;
check_kernel check_copy, check_multiply_add;
check_kernel check_opr_probe, check_opr_project, check_opr_direction, check_opr_turn, check_opr_sums, check_opr_weights;
check_kernel check_whole_ap, check_whole_dm, check_whole_raar, check_whole_difference;
check_kernel check_visits;

/* Which shapes a kernel is run at: all, those without a limit on local memory, the first, the first with
   activations in each precision. */
enum { TRANSFORM, WINDOW, PLAIN, NET, MANY = 4 /* added: knows several modes */, WORDS = 8 /* reads or makes amplitudes */,
       MATRIX = 16 /* also by matrix units */, UNORDERED = 32 /* its sums round by the order that threads come in */ };
#define KIND_OF(kind) ((kind) & 3)

typedef struct kernel_row {
    const char *name;
    int number, kind;
    double tolerance;
    check_kernel *check;
    int unfused; /* the form for where a library transforms */
} kernel_row;
extern const kernel_row kernel_table[];
extern const int kernel_rows;

#endif
