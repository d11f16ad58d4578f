/* SPDX-License-Identifier: BSD-3-Clause */
/* solver.h -- what the solvers share: the scan on the device, and one table of methods. */
#ifndef AG_SOLVER_H
#define AG_SOLVER_H

#include "core.h"
#include "kernels.h"

typedef struct ag_method {
    const char *name;
    void (*defaults)(ag_options *options);
    int kernels, kernel[24]; /* built beside those that every method needs */
    ag_status (*create)(ag_solver *solver);
    void (*iterate)(ag_solver *solver, int64_t iteration);
    void (*destroy)(ag_solver *solver);
    void (*state)(ag_solver *solver, ag_record *record); /* adds what the next iteration depends on */
    int any_order;   /* of the frames in an iteration: sums over all of them follow */
    double guard;    /* projections: added to the density before dividing by it */
    double kept;     /* projections: weight of the state in the wave that is projected */
    ag_middle *middle;
    int varies_probe; /* can have a probe that varies from frame to frame */
    int joins;       /* a batch goes to the detector as AG_KERNEL_whole_difference has it */
    int one_mode;    /* knows probes of one mode only */
    int keeps_waves; /* its state is of the modes' waves, which must not be exchanged */
    int knows_background; /* can estimate one that all frames share */
    int residuals;   /* has them: its waves become what the data say, then probe times object */
    int keeps_messages; /* its object is the sum of messages: no constraints, no refined positions */
} ag_method;

extern const ag_method *const ag_methods[]; /* ends with NULL */
/* NULL: there is no such method. */
const ag_method *ag_method_of(const char *name);

/* What an option may be; names the first of `count` that is not within. */
typedef struct ag_range {
    const char *name;
    double value, least, most;
} ag_range;
ag_status ag_ranges_check(const ag_range *range, size_t count, ag_message *message);
/* Names the option that is out of its range. */
ag_status ag_options_check(const ag_options *options, int64_t frames, ag_message *message);

/* Stacks too large for the device take turns there, the first `stacks` of these, so many frames at a
   time. */
enum { AG_TURNS_AMPLITUDES = 1, AG_TURNS_WAVES, AG_TURNS_STATE };
typedef struct ag_turns {
    int stacks;
    int64_t frames;
} ag_turns;

/* What tells one scan from another, by hashes. */
enum { AG_IDENTITY_POSITIONS, AG_IDENTITY_MASK, AG_IDENTITY_DATA, AG_IDENTITIES };

struct ag_solver {
    ag_device *device;
    ag_comm *comm;
    const ag_method *method;
    ag_options options;
    ag_plan plan;
    ag_program *program;
    int64_t first, all;      /* frames of all ranks, and this one's first among them */
    int64_t frames, rows, cols, window, windows; /* window = rows x cols; windows = modes x window */
    int64_t object_rows, object_cols;
    int64_t slots;           /* frames of one pass at most */
    int fourier;             /* sub-pixel positions by shifting the probe */
    double scale;            /* makes the transforms orthonormal */
    int near;                /* the detector is in the near field: */
    ag_array *transfer;      /* what free space does, see the kernel */
    double detector_scale;   /* of the waves that the detector's passes see */
    int64_t strips;          /* of a frame in those passes */
    int64_t amplitudes;      /* pixels of a frame there */
    double least; /* the modulus floor, as an amplitude */
    double energy, strength; /* sums of a^2 and |a| over measured pixels */
    ag_turns turns;
    int64_t host;            /* bytes of host memory that come and go */
    uint64_t identity[AG_IDENTITIES];
    double pixels;           /* their number */
    ag_stack amplitude;
    ag_array *place;         /* 0, 1, ...; NULL: not needed */
    ag_array *frame, *corner, *fraction, *ramp;
    int32_t *order, *corners; /* on the host: frame, corner */
    int32_t *places;          /* of each frame in an order that stays, see ag_solver_sort; NULL: the order is another */
    int32_t *everyone;        /* the order of all ranks' frames; NULL: there is one rank */
    int32_t *everywhere;      /* their corners at the start; NULL likewise */
    struct ag_positions *positions;
    struct ag_shifts *shifts; /* NULL: positions stay */
    struct ag_opr *opr;       /* NULL: one probe for all frames */
    struct ag_spectrum *spectrum; /* NULL: any */
    struct ag_background *background; /* NULL: none is estimated */
    struct ag_residuals *residuals; /* NULL: not asked for */
    ag_array *support; /* of the probe; NULL: all of the window */
    ag_array *power, *moduli; /* constraints: of the probe; of the object */
    ag_array *scratch, *spill, *shifted, *error, *total, *measured[2];
    ag_array *object, *probe; /* the caller's */
    int64_t done, room;       /* iterations: so far, that history has room for */
    double *history, *seconds;
    void *own; /* the method's */
};

/* What the middle passes read: see the kernels modulus, modulus_dm, modulus_raar. */
typedef struct ag_detector {
    const ag_solver *solver;
    ag_array frame; /* of each slot, as amplitudes are counted */
    int64_t first;  /* the frame that amplitude begins with */
    ag_array amplitude, error, state;
    int64_t at; /* where a method says so: what its first slot is counted as */
    int start;
} ag_detector;

/* As ag_solver_create, with turns as they are. */
ag_status ag_solver_make(ag_solver **solver, ag_device *device, ag_comm *comm, const ag_scan *scan,
                         const ag_options *options, ag_turns turns, ag_array *object, ag_array *probe);
/* Frames of one pass, where memory and batches allow that. */
int64_t ag_solver_slots(const ag_device *device, const ag_scan_info *info, int64_t modes);
/* The turns that the memory allows; data.c: the amplitudes. */
ag_status ag_solver_turns(ag_turns *turns, ag_device *device, const ag_scan *scan, const ag_options *options);
void ag_solver_take_frames(ag_solver *solver, const ag_scan *scan);
/* A stack of all frames; rank is one of AG_TURNS_... */
ag_status ag_solver_stack(ag_solver *solver, ag_stack *stack, int rank, ag_type type, int64_t frame,
                          const char *name);

/* The pass over slots frames from place `first` of the order on; *detector describes their data (NULL:
   they are not needed).  Fewer than asked for where the amplitudes' block ends. */
ag_pass ag_solver_pass(ag_solver *solver, int64_t first, int64_t slots, ag_detector *detector);
/* Lets the pass take the probes of its frames, which become `result', where positions ask for shifted ones or they vary;
   s->shifted, which is NULL otherwise. */
void ag_solver_shift_probe(ag_solver *solver, ag_pass *pass);
void ag_solver_probes(ag_solver *solver, ag_pass *pass, ag_array *result);
/* Moves a stack of the pass's slots by sign times the frames' fractions of a pixel, in place. */
void ag_solver_shift(ag_solver *solver, const ag_pass *pass, const ag_array *stack, int64_t step,
                     ag_array *result, int sign);
/* Reaches a detector in the near field (sign 1), or comes back (-1); nothing in the far field. */
void ag_solver_free_space(const ag_pass *pass, const ag_solver *solver, int sign);
/* The table of the transforms in the detector's pass. */
const ag_array *ag_solver_table(const ag_solver *solver);
/* Makes the transfer function on the device (near.c). */
void ag_solver_transfer(ag_solver *solver, const ag_scan_info *info);
/* The kernel that takes the place of one in the near field, or where sums are atomic; else the same. */
int ag_solver_kernel(const ag_solver *solver, int kernel);
/* The middle pass of the plain modulus constraint. */
ag_middle ag_solver_modulus;
/* save.c: adds an array to a record, if there is one, in host memory or on the device as rows of so many columns: what all
   ranks have alike; rows of this rank's frames, in their order in the scan; a stack of these. */
void ag_record_host(ag_record *record, const char *name, ag_kind kind, int64_t count, void *host);
void ag_record_array(ag_record *record, const char *name, ag_array *array, int64_t cols);
void ag_record_host_frames(ag_record *record, const char *name, ag_kind kind, int64_t cols, void *host);
void ag_record_frames(ag_record *record, const char *name, ag_array *array, int64_t cols);
void ag_record_stack(ag_record *record, const char *name, ag_stack *stack);
/* Makes room in the history for so many more. */
ag_status ag_solver_grow(ag_solver *solver, int64_t iterations);
/* Gives the probe the power that makes the model predict as many counts as were measured: kernels
   power and rescale.  */
void ag_solver_rescale_probe(ag_solver *solver);
/* Makes the probe's modes orthogonal, on the host. */
void ag_solver_orthogonalise(ag_solver *solver);
/* Every element becomes the value. */
ag_status ag_solver_fill(ag_solver *solver, ag_array *array, double value);
/* Sums the errors that the last iteration's passes left. */
void ag_solver_total(ag_solver *solver);

/* The order to begin with: that of the scan, or, for methods to which it means nothing, one for good: there and back
   in bands of half a frame's height, so that the windows of a pass lie near each other. */
void ag_solver_sort(ag_solver *solver);
/* A new random order of the frames, ascending within each batch (batches.c). */
void ag_solver_shuffle(ag_solver *solver, ag_random *random);
/* The order as it is now, on the device; of several ranks' that of this one's frames. */
void ag_solver_take_order(ag_solver *solver);
/* How many of the places first ... first + count - 1 of all ranks' order are this rank's. */
int64_t ag_solver_mine(const ag_solver *solver, int64_t first, int64_t count);
/* Refuses a library's transforms where ranks share batches, of which each has some frames. */
ag_status ag_batches_share(ag_solver *solver);
/* The batches of an iteration: batch k is at places first[k] ... first[k + 1] - 1 of the order, and at places
   of[k] ... of[k + 1] - 1 of that of all ranks' frames, where before[k] of the batch are of lower ranks. */
typedef struct ag_batches {
    int64_t count, *first, *of, *before;
    int64_t room, *size; /* batch k as it was made: size[k] frames from frame[k * room] on */
    int32_t *frame, *turn;
    ag_random random;
} ag_batches;
ag_status ag_batches_create(ag_batches *batches, ag_solver *solver);
void ag_batches_destroy(ag_batches *batches);
/* Sets the solver's order for the next iteration. */
void ag_batches_next(ag_batches *batches, ag_solver *solver);

/* Frames that may be worked on at once though they are meant one after the other.  begin changes the solver's order so that
   they follow one another: count from a place on; end brings the order back. */
typedef struct ag_beside {
    int64_t most;               /* of them */
    int64_t grain, cols, cells; /* of the object, in cells of so many pixels */
    int32_t *reached;           /* levels, of each cell */
    int32_t *order, *level;     /* as it is meant; of each frame */
    int64_t *first;             /* place of each level */
} ag_beside;
ag_status ag_beside_create(ag_beside *beside, ag_solver *solver);
void ag_beside_destroy(ag_beside *beside);
void ag_beside_begin(ag_beside *beside, ag_solver *solver);
int64_t ag_beside_count(const ag_beside *beside, const ag_solver *solver, int64_t at);
void ag_beside_end(ag_beside *beside, ag_solver *solver);

/* Momentum of an object or a probe (momentum.c): x before an iteration, now, and what else its step reads. */
typedef struct ag_momentum {
    int64_t count;
    int depth; /* updates that are looked back at */
    int32_t known;
    ag_complex *before, *x;
    ag_real *weight;
    double *velocity, *updates;
} ag_momentum;
ag_status ag_momentum_create(ag_momentum *momentum, ag_solver *solver, int64_t count, int depth);
void ag_momentum_destroy(ag_momentum *momentum);
void ag_momentum_begin(ag_momentum *momentum, const ag_array *x);
/* Moves x on by what `share' of its changes adds up to; where there is an illumination, less in the dark. */
void ag_momentum_end(ag_momentum *momentum, ag_solver *solver, ag_array *x, double share, const ag_array *illumination);
void ag_momentum_state(ag_momentum *momentum, ag_record *record, const char *velocity, const char *updates, const char *known);

/* Where windows lie, and how that is refined (positions.c).  create: corners and fractions; prepare: what
   refining takes; put: positions as they are to the device. */
typedef struct ag_positions ag_positions;
typedef struct ag_shifts ag_shifts;
ag_status ag_positions_create(ag_solver *solver, const ag_scan_info *info);
ag_status ag_positions_prepare(ag_solver *solver);
ag_status ag_positions_put(ag_solver *solver);
void ag_positions_destroy(ag_solver *solver);
void ag_positions_state(ag_solver *solver, ag_record *record);
/* Whether the present iteration refines them. */
int ag_positions_refined(const ag_solver *solver);
/* At the end of an iteration: 1 if positions have moved. */
int ag_positions_move(ag_solver *solver);

/* By how much (shifts.c).  look takes what the frames of a pass say, at places from `first` on: `stack` is the change
   that data want of the exit waves or, with `whole`, the waves that they want.  Nothing before the option's first
   iteration. */
void ag_positions_look(ag_solver *solver, int64_t first, const ag_pass *pass, const ag_array *stack, int whole);
ag_status ag_shifts_create(ag_solver *solver);
void ag_shifts_destroy(ag_solver *solver);
/* The shifts of this rank's frames, frames x 2, from what has been taken. */
void ag_shifts_solve(ag_solver *solver, double *shift);

/* A probe that varies (opr.c): the probes of a pass's frames; at the end of a batch's first `all' frames of all ranks, of which
   `before' are of lower ranks, with the terms of this rank's, shifted back, and their sum; at the end of an iteration; where the
   probe is multiplied by a factor. */
#define AG_OPR_MOST 64
typedef struct ag_opr ag_opr;
ag_status ag_opr_check(const ag_options *options, const ag_method *method, ag_message *message);
int ag_opr_kernels(const ag_options *options, int *list);
ag_status ag_opr_create(ag_solver *solver);
void ag_opr_destroy(ag_solver *solver);
void ag_opr_state(ag_solver *solver, ag_record *record);
void ag_opr_probes(ag_solver *solver, const ag_pass *pass, ag_array *result);
/* Whether an iteration refines it. */
int ag_opr_refined(const ag_solver *solver, int64_t iteration);
void ag_opr_step(ag_solver *solver, const ag_pass *pass, const ag_array *term, const ag_array *sum, int64_t before, int64_t all);
void ag_opr_end(ag_solver *solver);
void ag_opr_rescale(ag_solver *solver, double factor);
/* NULL: there are none. */
ag_array *ag_opr_eigen(const ag_solver *solver);

/* What is known beforehand (constraints.c); check names what is out of its range, kernels adds what they take to a list and
   returns how many, words tells options apart, apply ends an iteration. */
ag_status ag_constraints_check(const ag_options *options, const ag_method *method, ag_message *message);
int ag_constraints_kernels(const ag_options *options, int *list);
void ag_constraints_words(const ag_options *options, char *text, size_t room);
ag_status ag_constraints_create(ag_solver *solver);
void ag_constraints_apply(ag_solver *solver);

/* What is known of the probe's transform (spectrum.c): add takes a measured amplitude of a frame, apply changes the probe;
   identity tells images that were given. */
typedef struct ag_spectrum ag_spectrum;
ag_status ag_spectrum_create(ag_solver *solver, const ag_scan_info *info);
void ag_spectrum_destroy(ag_solver *solver);
uint64_t ag_spectrum_identity(const ag_solver *solver);
void ag_spectrum_add(ag_solver *solver, int64_t pixel, double amplitude);
void ag_spectrum_apply(ag_solver *solver);

/* A background that all frames share (background.c).  Of a pass before its propagation look, where the iteration is due, takes
   what the waves model F(exit wave) + kept state say, the first pass of an iteration to `begin'; leave makes the detector's
   amplitudes those without the background, until the next pass; step ends an iteration. */
typedef struct ag_background ag_background;
ag_status ag_background_check(const ag_options *options, const ag_method *method, ag_message *message);
int ag_background_kernels(const ag_solver *solver, int *list);
ag_status ag_background_create(ag_solver *solver, const ag_scan_info *info);
void ag_background_destroy(ag_solver *solver);
void ag_background_state(ag_solver *solver, ag_record *record);
void ag_background_look(ag_solver *solver, const ag_pass *pass, ag_detector *detector, int begin, double model, double kept);
void ag_background_leave(ag_solver *solver, const ag_pass *pass, ag_detector *detector);
void ag_background_step(ag_solver *solver);

/* Residuals of the modulus and of the overlap (residuals.c).  Of an iteration in which they are due modulus takes, before its
   propagation, each pass from place `first' on, with waves as ag_background_look; overlap takes what the projection made of
   these, when the iteration has its object and probe; total sums both.  take ends any iteration. */
typedef struct ag_residuals ag_residuals;
ag_status ag_residuals_check(const ag_options *options, const ag_method *method, ag_message *message);
int ag_residuals_kernels(const ag_solver *solver, int *list);
ag_status ag_residuals_create(ag_solver *solver);
void ag_residuals_destroy(ag_solver *solver);
ag_status ag_residuals_grow(ag_solver *solver, int64_t room);
void ag_residuals_state(ag_solver *solver, ag_record *record, int64_t iterations);
int ag_residuals_due(const ag_solver *solver);
void ag_residuals_modulus(ag_solver *solver, int64_t first, const ag_pass *pass, ag_detector *detector, double model, double kept);
void ag_residuals_overlap(ag_solver *solver, int64_t first, const ag_pass *pass, const ag_array *wave);
void ag_residuals_total(ag_solver *solver);
void ag_residuals_take(ag_solver *solver);

/* The segments of object rows that the windows of some frames touch. */
typedef struct ag_box {
    int64_t top, left, right, segments, items;
} ag_box;
/* Of places first ... first + slots - 1 of the order. */
ag_box ag_solver_box(const ag_solver *solver, int64_t first, int64_t slots);
ag_box ag_solver_whole(const ag_solver *solver);
/* Of all ranks' frames, where they began. */
ag_box ag_solver_covered(const ag_solver *solver);
/* How many of them cover each pixel of the object, as integers on the device. */
ag_array *ag_solver_covers(ag_solver *solver);
/* Where frame j of all ranks' began. */
const int32_t *ag_solver_corner(const ag_solver *solver, int64_t j);

#endif
