/* SPDX-License-Identifier: BSD-3-Clause */
/* argand_options.h -- the options of the solvers; see argand.h.  */
#ifndef ARGAND_OPTIONS_H
#define ARGAND_OPTIONS_H

#include <stdint.h>

typedef enum ag_subpixel { AG_SUBPIXEL_FOURIER, AG_SUBPIXEL_LINEAR, AG_SUBPIXEL_NONE } ag_subpixel;

/* Which frames make a batch: any, such as cover the scan alike, or neighbours. */
typedef enum ag_batching { AG_BATCHES_RANDOM, AG_BATCHES_UNIFORM, AG_BATCHES_COMPACT } ag_batching;
/* Of amplitudes, the same variance everywhere; of counts, Poisson's. */
typedef enum ag_noise { AG_NOISE_GAUSSIAN, AG_NOISE_POISSON } ag_noise;

/* How amplitudes lie on the device: as they are; or as whole multiples of a 65533rd of the range that the frame's
   have, which is wrong by half of that at most, and 0 is 0. */
typedef enum ag_data_type { AG_DATA_FLOAT32, AG_DATA_UINT16 } ag_data_type;
/* How the frames' terms of the object are added: in the order of the frames, or by atomic additions, whose rounding
   differs from run to run. */
typedef enum ag_sums { AG_SUMS_FIXED, AG_SUMS_ATOMIC } ag_sums;
/* How positions are refined: by the slopes of the exit wave, or by the cross-correlation of exit waves. */
typedef enum ag_position_method { AG_POSITION_GRADIENT, AG_POSITION_CORRELATION } ag_position_method;

/* What is known of the probe's intensity at the detector without an object: nothing, where there is some, how much. */
typedef enum ag_spectrum_kind { AG_SPECTRUM_ANY, AG_SPECTRUM_MASK, AG_SPECTRUM_INTENSITY } ag_spectrum_kind;

/* Options of every method; ag_options_default fills in what suits one of them.
   Formulas and sources: the man page argand(1) and doc/solvers.md. */
typedef struct ag_options {
    char method[16];       /* pie, epie, rpie, lsqml, dm, ap, raar, ep, ep-em */
    int64_t batch;         /* PIE family: positions per update, 1 = sequential; lsqml: the same, at most all */
    ag_batching batches;   /* lsqml */
    ag_noise noise;        /* lsqml */
    double alpha;          /* PIE family, lsqml: regularisation of the object step, 0..1 */
    double beta;           /* PIE family: the same for the probe step; lsqml: what is added to the diagonal of
                              the steps' equations, in parts of its mean; RAAR: relaxation */
    double object_step;    /* PIE family, lsqml: factor of the object step */
    double probe_step;     /* PIE family, lsqml: factor of the probe step */
    double momentum;       /* lsqml: gain of what the probe's, and with compact batches the object's, changes add up to;
                              0: none */
    int64_t probe_start;   /* first iteration (from 0) that updates the probe; < 0: never */
    int64_t probe_period;  /* projections: iterations from one probe update to the next */
    int64_t overlap_steps; /* projections: object and probe in turn so often in an iteration that updates the probe */
    double object_inertia; /* projections: weight of the old object, of the largest illumination */
    double probe_inertia;
    double damping;         /* ep: weight of a new message about the wave at the detector, 0..1 */
    double sparsity;        /* ep: share of the object's pixels that are not 0; 0: any object */
    double noise_precision; /* ep: 1 / variance of the amplitudes' noise; 0: estimated in each iteration */
    int64_t probe_steps;    /* ep: EM steps of the probe in an iteration */
    int rescale;            /* lsqml, ep: the probe begins with the power of the data, which ep counts in units of
                               their mean square */
    int guard_bursts;       /* ep: a frame whose data say less than nothing keeps its message */
    double modulus_guard;  /* added to the modulus before dividing by it */
    double modulus_floor;  /* in parts of the data's rms amplitude: a modulus below it is divided by it
                              instead, because the phase of so dark a pixel is rounding */
    int clip_amplitudes;   /* negative amplitudes become 0 */
    ag_data_type data_type;
    ag_sums sums;          /* atomic: projections */
    int shuffle;           /* PIE family, lsqml: a new random order in each iteration */
    int64_t modes;         /* of the probe, whose intensities add up; ep: 1 */
    int64_t opr_modes;     /* lsqml: eigen-probes, of which each frame adds its own weights of to the first mode; 0: none */
    int64_t opr_start;     /* first iteration (from 0) that refines them; not before the probe is */
    int opr_intensity;     /* a weight of the first mode itself, too */
    int64_t orthogonalise; /* iterations from one orthogonalisation of the modes to the next; 0: never */
    uint64_t seed;
    ag_subpixel subpixel;
    int64_t position_start; /* first iteration (from 0) that refines positions; < 0: never; not ep */
    ag_position_method position_method;
    double position_step;   /* factor of their steps to begin with; it adapts itself */
    double position_limit;  /* pixels that a position goes in an iteration at most */
    int position_affine;    /* all go together, by one affine map */
    double probe_support;   /* radius of the disc outside of which a probe that is refined is 0, in parts of half the
                               window; 0: none; not ep */
    double object_least, object_most; /* bounds of the object's modulus; 0: none; not ep */
    double phase_least, phase_most;   /* bounds of its phase, radians; both 0: none; not ep */
    double object_smoothing;  /* 0..1/8: weight of each of the eight pixels around in a pixel's modulus, after every */
    int64_t smoothing_period; /* so many iterations; 0: none; not ep */
    double probe_power;       /* sum |P|^2 of a probe that is refined; the object is divided accordingly; 0: as it comes;
                                 not ep */
    double probe_centre;      /* pixels that a refined probe's centre of power may be off the window's middle; beyond, probe
                                 and object go back; 0: any; far field; not dm, raar, ep */
    ag_spectrum_kind probe_spectrum; /* of a probe that is refined; far field, not ep */
    double spectrum_least;    /* mask: in parts of the largest value, from where on there is light */
    const double *spectrum;   /* rows x cols counts, lying as the frames; NULL: the mean of the frames */
    double saturation;        /* values of the data (counts or amplitudes) from this one on are not measured; 0: all are */
    int64_t background_start; /* dm, ap, raar: first iteration (from 0) that estimates a background of all frames; < 0: never */
    int64_t background_period; /* iterations from one estimate to the next */
    int64_t residuals; /* ap, raar: iterations from one pair of residuals to the next, see ag_solver_residuals; 0: none */
    const double *position; /* frames x 2, of all ranks: where windows begin, NULL: as in the scan */
    int64_t memory; /* bytes that the device may hold in all; what does not fit then waits in host
                       memory, or in a temporary file for the cpu device, whose memory is the
                       host's.  The same bits.  0: what the device has */
} ag_options;

#endif
