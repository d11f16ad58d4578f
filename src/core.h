/* SPDX-License-Identifier: BSD-3-Clause */
/* core.h -- what the floors above the devices use: arrays, launches, plans, sums over ranks.

   Steps return void: the first failure sticks in the device, later steps do nothing.  */
#ifndef AG_CORE_H
#define AG_CORE_H

#include <stdarg.h>
#include <stdio.h>

#include "argand.h"
#include "shape.h"

#define AG_MIN(a, b) ((a) < (b) ? (a) : (b))
#define AG_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Writes the words of a failure (message may be NULL) and returns the status. */
ag_status ag_fail(ag_message *message, ag_status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* calloc of count x size bytes, NULL also when that overflows or is negative. */
void *ag_calloc(int64_t count, size_t size);

/* Where part k of n things in so many parts begins; the first parts have one more where they are not alike. */
int64_t ag_part_begin(int64_t n, int64_t parts, int64_t k);

/* Goes on with a hash over `count` bytes: it tells damage and mistakes, not malice. */
uint64_t ag_hash(uint64_t hash, const void *bytes, size_t count);

typedef struct ag_stack ag_stack;

/* ---- scans (scan.c, io/) ------------------------------------------------------------- */

struct ag_scan {
    ag_scan_info info; /* its pointers belong to the scan */
    char warnings[4096];
    /* Where the frames of a lazy scan come from. */
    struct {
        ag_status (*read)(void *user, int64_t first, int64_t count, ag_real *destination,
                          ag_message *message);
        void (*close)(void *user);
        void *user;
    } source;
    /* A rank's part of a scan: the frame of the whole that it begins with, and their number; 0: the whole. */
    int64_t first, all;
};
/* The frames of one rank of so many, a view that borrows everything. */
ag_scan ag_scan_share(const ag_scan *scan, int rank, int size);
/* Turns positions by an orientation.  They may become negative; moving them into an object comes after.
   pixel[] are the lengths of the object's pixels along rows and columns, 0: equal. */
void ag_positions_orient(double *position, int64_t frames, const double pixel[2], int orientation);
/* Adds a sentence to the warnings. */
void ag_scan_warn(ag_scan *scan, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* The object's pixel along rows (0) or columns (1) that wavelength, distances and detector make, m. */
double ag_scan_pixel(const ag_scan_info *info, int axis);
/* The phase that free space adds, radians, at a frequency of a frame in the near field, cycles per
   pixel (near.c). */
double ag_near_phase(const ag_scan_info *info, double row_frequency, double col_frequency);

/* ---- checkpoints (io/checkpoint.c) ------------------------------------------------------- */

/* What an array holds in memory: ag_real, double, int64_t, ag_complex, int32_t. */
typedef enum ag_kind { AG_KIND_REAL, AG_KIND_DOUBLE, AG_KIND_INT, AG_KIND_COMPLEX, AG_KIND_INT32 } ag_kind;

/* One array of rows x cols, and where it is: in one of the three. */
typedef struct ag_field {
    const char *name;
    ag_kind kind;
    int64_t rows, cols;
    void *host;
    ag_array *array;
    ag_stack *stack; /* of cols elements a frame */
    int shared;      /* its rows are the frames of all ranks, of which this one has its own */
} ag_field;
/* What is saved: words that have to be the same when it is loaded, then arrays. */
typedef struct ag_record {
    ag_comm *comm;      /* ranks that save together one file, that of one rank */
    int64_t frames;     /* of all of them */
    const char *note;   /* the caller's own words */
    int64_t iterations; /* done */
    int words, fields;
    struct {
        const char *name;
        char text[1536];
    } word[8];
    ag_field field[32];
    /* Rows of a field, counted as they are here, from where it is to `host`, or from there where `put`. */
    ag_status (*move)(const ag_field *field, int64_t first, int64_t rows, void *host, int put,
                      ag_message *message);
} ag_record;
/* Replaces `path` when the disk has all of it.  The first rank writes; where one fails all do. */
ag_status ag_record_write(const char *path, const ag_record *record, ag_message *message);
/* Puts the arrays of a file whose words, shapes and check sums are right in their places. */
ag_status ag_record_read(const char *path, const ag_record *record, ag_message *message);
/* Its iterations and its note, to be freed; either may be NULL. */
ag_status ag_record_look(const char *path, int64_t *iterations, char **note, ag_message *message);

/* A repeatable random source (xoshiro256**, Blackman and Vigna 2018). */
typedef struct ag_random {
    uint64_t state[4];
} ag_random;
void ag_random_seed(ag_random *random, uint64_t seed);
double ag_random_uniform(ag_random *random); /* in [0, 1) */
double ag_random_normal(ag_random *random);  /* mean 0, variance 1 */

/* ---- arrays (array.c) ------------------------------------------------------------------- */

struct ag_memory;
struct ag_array {
    ag_device *device;
    struct ag_memory *memory;
    int64_t offset, count; /* elements */
    ag_type type;
};
int64_t ag_type_bytes(ag_type type);
/* The array from element `first` on; it borrows the memory. */
ag_array ag_view(const ag_array *array, int64_t first);
/* ag_array_create that reports to the device alone: NULL on failure, `name` for the message. */
ag_array *ag_new(ag_device *device, ag_type type, int64_t count, const char *name);
/* The same with content; `source` is copied. */
ag_array *ag_new_from(ag_device *device, ag_type type, int64_t count, const void *source,
                      const char *name);
/* Sets all bytes to 0. */
void ag_clear(ag_array *array);

/* ---- stacks of frames (stack.c, shelf.c) ------------------------------------------------- */

/* One of the two blocks on the device of a stack that takes turns. */
typedef struct ag_turn {
    int64_t block; /* -1: none */
    int changed;   /* by kernels, since the shelf had it */
    int marked[2]; /* for each lane whether there is a mark that the other has not heeded */
    struct ag_mark *mark[2];
} ag_turn;
/* A list of blocks no larger than the device's largest allocation; or a shelf (host memory, for the cpu
   device a temporary file), of which two blocks are on the device by turns. */
struct ag_stack {
    int64_t frames, frame; /* in all; elements of one */
    int64_t block;         /* frames in each block but the last */
    int64_t blocks, parts; /* blocks in all, on the device */
    ag_array **part;
    struct ag_shelf *shelf; /* NULL: all blocks are on the device */
    const int32_t *order;  /* with a shelf: the frames at places 0, 1, ...; NULL: 0, 1, ... */
    const int32_t *places; /* of frames 0, 1, ..., for ag_stack_copy; NULL: 0, 1, ... */
    ag_turn turn[2];
    int now;
};
/* `turn` frames take turns with the next `turn`; 0: all are on the device. */
ag_status ag_stack_create(ag_stack *stack, ag_device *device, ag_type type, int64_t frames,
                          int64_t frame, int64_t turn, const char *name);
void ag_stack_destroy(ag_stack *stack);
enum { AG_STACK_READ = 1, AG_STACK_WRITE = 2 };
/* From place `first` on, to be read or written (all of it, where it is not read) until the next view;
   *frames becomes how many of those wanted lie in the same block. */
ag_array ag_stack_view(ag_stack *stack, int64_t first, int64_t *frames, int how);
/* To be called when kernels work on the view: brings the next block meanwhile. */
void ag_stack_ahead(ag_stack *stack, int how);
/* Another order of places, to stay until the next; without a shelf nothing. */
void ag_stack_reorder(ag_stack *stack, const int32_t *order);
/* Frames from the stack to the host, or to the stack where `put`. */
ag_status ag_stack_copy(ag_stack *stack, int64_t first, int64_t frames, void *host, int put);

/* ---- devices and launches (device.c, launch.c) --------------------------------------------- */

/* Makes a failure stick, unless one does already; returns the status that sticks. */
ag_status ag_device_fail(ag_device *device, ag_status status, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* Between on and off, allocations are only counted and nothing runs: how ag_solver_memory takes
   the very path that create takes.  Off returns the bytes counted. */
typedef struct ag_counted {
    int64_t now, device; /* held, and at most */
    int64_t host, file;  /* of shelves */
} ag_counted;
ag_counted ag_device_count_only(ag_device *device, int on);
int ag_device_counts(const ag_device *device);
/* Of the device: columns of a transform tile at most, lanes of a group, frames that keep it busy,
   bytes of local memory of a group, of the largest allocation, in all; who transforms; lanes of a group that has
   a whole frame, 0: none has; its matrix units (ag_limits). */
typedef struct ag_room {
    int tile, lanes, parallel;
    int64_t local, allocation, memory;
    const struct ag_fft *fft; /* the library that transforms; NULL: the kernels do */
    int whole;
    int matrix;
    const char *plan; /* in place of the table's, for frames of its size; NULL: none */
} ag_room;
ag_room ag_device_room(const ag_device *device);
/* The groups of a launch may wait for one another. */
int ag_device_cooperative(const ag_device *device);
/* Its memory is the host's. */
int ag_device_is_host(const ag_device *device);
/* A clock that has seen all work asked for so far, seconds. */
double ag_device_seconds(ag_device *device);

/* Names what the launches from here on are for, see ag_device_profile; `name' is a constant. */
void ag_step(ag_device *device, const char *name);

/* Kernels built for one shape. */
typedef struct ag_program ag_program;
/* `list` names `n` kernels by number (AG_KERNEL_... in kernels.h). */
ag_program *ag_program_create(ag_device *device, const ag_shape *shape, int n, const int *list);
void ag_program_destroy(ag_program *program);
/* One more kernel, of those whose groups wait for one another; nothing where the device cannot do that. */
void ag_program_add(ag_program *program, int number);

typedef union ag_value {
    const ag_array *array; /* NULL where a kernel does not look */
    int64_t as_index;
    int as_int;
    double as_real;
} ag_value;
/* What the typed launchers of kernels.h call: `items` of the kernel's kind. */
void ag_launch(ag_program *program, int kernel, int64_t items, const ag_value *value);

/* While on, a load, a middle and a store that follow one another become one launch where a kernel for them is built,
   whatever the number of frames, because the bits of an error depend on it.  The trace has the three, the ledger the
   one. */
void ag_program_join(ag_program *program, int on);

/* Whether each launch is timed: then none are kept. */
int ag_device_profiled(const ag_device *device);
/* Launches between begin and end are kept, not run; replay runs them again.  Where `program' (NULL: none) has a kernel that
   does a load, a middle and an update for one item after another (ag_program_add), all must be such, and are kept as
   the one launch: the trace has them all, the ledger the one. */
typedef struct ag_recording ag_recording;
ag_recording *ag_record_begin(ag_device *device, ag_program *program);
void ag_record_end(ag_recording *recording);
void ag_replay(ag_recording *recording);
void ag_recording_destroy(ag_recording *recording);

/* Host to device in the transfer lane, beside what the compute lane does.  ag_upload returns at
   once; the compute lane goes on only after it, and `source` must stay until a later
   ag_device_synchronize or, where something failed, until the array is destroyed.  */
void ag_upload(ag_array *array, int64_t count, const void *source);

/* ---- plans (plan.c) and propagation (propagate.c) --------------------------------------------- */

/* The transform of frames of rows x cols on a device. */
typedef struct ag_plan {
    ag_shape shape;
    ag_array *table_y, *table_x;
    ag_array *frequency;   /* rows + cols: signed frequency at each position, see ramp */
    ag_array *place[2];    /* the same as an index into frames, zero frequency at the centre [0]
                              or in the corner [1] */
    int64_t scratch;       /* reals of scratch per frame */
    int64_t amplitude;     /* reals of amplitudes per frame */
    int64_t tops;          /* maxima that probe_terms leaves: of each segment of a row */
    int64_t spill;         /* reals of spilt tiles per frame; 0: none */
    const struct ag_fft *fft; /* the library that transforms; NULL: the kernels do, which is fused */
    struct ag_transforms *transforms;  /* see ag_plan_passes */
    char id[AG_PLAN_ID];
} ag_plan;
/* Only the sizes and the id; no arrays. */
ag_status ag_plan_shape(ag_plan *plan, const ag_room *room, int64_t rows, int64_t cols,
                        int linear, ag_message *message);
/* plan_id.c: what an id says, for such a device; the words of a failure name what is wrong with it.  And the id. */
ag_status ag_plan_read(ag_plan *plan, const ag_room *room, const char *id, ag_message *message);
void ag_plan_name(ag_plan *plan);
/* All that follows from the axes, the tile and `whole`, which is how a group may have a frame: 2 in registers, else, or 1, in
   local memory, else, or 0, not at all. */
void ag_plan_settle(ag_plan *plan, const ag_room *room);
/* For `room`, NULL: the device's. */
ag_status ag_plan_create(ag_plan *plan, ag_device *device, int64_t rows, int64_t cols, int linear,
                         const ag_room *room);
/* Three passes also where a group could have a whole frame. */
void ag_plan_in_passes(ag_plan *plan);
void ag_plan_destroy(ag_plan *plan);
/* Where a library transforms, prepares it for passes of the `n` counts of frames (those below 1 do not
   count); a pass of another count takes the next larger.  Its own memory is not counted. */
ag_status ag_plan_passes(ag_plan *plan, ag_device *device, int n, const int64_t *frames);
/* The library transforms the frames of a pass in its scratch; nothing where the kernels do.  `inverse`:
   0 or 1. */
void ag_plan_transform(const ag_plan *plan, int64_t frames, const ag_array *scratch, int inverse);
/* Frequency (0 ... length - 1) that position p of the transform holds. */
int ag_axis_frequency(const ag_axis *axis, int p);
/* Fills a table (see shape.h) of ag_axis_table_size elements. */
int64_t ag_axis_table_size(const ag_axis *axis);
ag_status ag_axis_table(const ag_axis *axis, ag_complex *table);
/* Radices up to 2^most; Bluestein's algorithm on the fewest points, or on those that are the cheapest on a processor. */
void ag_axis_choose(ag_axis *axis, int length, int most, int cheapest);
/* What the kernels have, ends with 0. */
extern const int ag_radix[];
int ag_is_smooth(int n);
/* Other ways to transform a length, `most` at most: the usual one first, then those of few stages, in all orders; for
   Bluestein's algorithm other numbers of points.  Returns how many there are. */
int ag_axis_orders(ag_axis *list, int most, const ag_axis *usual);

typedef struct ag_transforms ag_transforms;
void ag_transforms_destroy(ag_transforms *transforms);

/* What the passes of one stack of frames share: slots 0 ... slots - 1 hold the frames that
   `frame` lists; a frame has plan->shape.modes waves, one after the other. */
typedef struct ag_pass {
    ag_program *program;
    const ag_plan *plan;
    int64_t slots;
    ag_array *scratch, *spill;
    ag_array frame; /* of the first slot on */
    const ag_array *corner, *fraction;
    const ag_array *object;
    int64_t object_cols;
    ag_array probe; /* its modes; probe_step elements from one slot to the next; 0: one probe for all */
    int64_t probe_step;
} ag_pass;
/* The launchers of the kernels that begin and end a propagation have these types. */
typedef void ag_load(ag_program *, int64_t, ag_array *, const ag_array *, const ag_array *,
                     const ag_array *, const ag_array *, const ag_array *, int64_t,
                     const ag_array *, int64_t, ag_array *);
typedef void ag_store(ag_program *, int64_t, ag_array *, const ag_array *, const ag_array *,
                      const ag_array *, const ag_array *, const ag_array *, const ag_array *,
                      int64_t, const ag_array *, int64_t, ag_array *);
/* What happens at the detector. */
typedef void ag_middle(const ag_pass *pass, void *what);
/* load, forward transform, middle, inverse transform, store: the only path to the detector.
   `result` is what the store writes; load NULL begins, store NULL ends at the middle. */
void ag_propagate(const ag_pass *pass, ag_load *load, ag_middle *middle, void *what, ag_store *store,
                  ag_array *result);

/* ---- sums over ranks (comm.c) --------------------------------------------------------------------- */

#define AG_COMM_MOST 8
struct ag_comm {
    int rank, size;
    /* Each element becomes its sum over the ranks, the same bits for all of them; with `before`, what
       all ranks had, only what has been added to that is summed.  Where one of the devices has failed
       all do. */
    void (*sum)(ag_comm *comm, ag_array *array, const ag_real *before);
    /* The same for `count` doubles, at most AG_COMM_MOST, in host memory. */
    void (*add)(ag_comm *comm, int count, double *value);
    /* Bytes of rank `from`, in host memory, become those of rank 0; all ranks call it. */
    void (*give)(ag_comm *comm, int from, int64_t bytes, void *value);
    void *data;
};
/* AG_OK where all ranks come with that, else `status`, or that another rank has failed. */
ag_status ag_comm_agree(ag_comm *comm, ag_status status, ag_message *message);
/* The sum over the ranks modulo 2^64. */
uint64_t ag_comm_add_word(ag_comm *comm, uint64_t word);
/* Whether all ranks have the same bytes, by their hashes. */
int ag_comm_same(ag_comm *comm, const void *bytes, size_t count);

#endif
