/* SPDX-License-Identifier: BSD-3-Clause */
/* argand.h -- the public interface: devices, arrays, scans, solvers, results, pictures.

   Conventions, valid for every function unless it says otherwise:
   - arrays are row-major; a position is (row, column); sizes are 64-bit;
   - lengths are metres, wavelengths metres, angles radians;
   - ag_..._create and _open make a thing that the caller ends with ag_..._destroy
     or _close; ending NULL is fine; arguments are borrowed, never kept;
   - a function that can fail returns ag_status.  The words go to `message` where
     there is such an argument (NULL is allowed), else they are kept in the device
     (ag_device_message).  The library never prints, exits or aborts;
   - a device and all that was made on it belong to one thread at a time; different
     devices are independent.  */
#ifndef ARGAND_H
#define ARGAND_H

#include <stddef.h>
#include <stdint.h>

#include "argand_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The library's scalar.  AG_DOUBLE is for argand's own tests; it is never installed. */
#ifdef AG_DOUBLE
typedef double ag_real;
#else
typedef float ag_real;
#endif

typedef struct ag_complex {
    ag_real re, im;
} ag_complex;

typedef enum ag_status {
    AG_OK = 0,
    AG_BAD_ARGUMENT, /* the caller's value is off */
    AG_NO_MEMORY,    /* host or device memory does not suffice */
    AG_NO_DEVICE,    /* no such device, or its backend cannot be loaded */
    AG_DEVICE_ERROR, /* the device or its compiler failed */
    AG_FILE_ERROR,   /* a file cannot be opened, read or written */
    AG_BAD_FILE,     /* a file was read but its content is wrong */
    AG_CANCELLED     /* the progress callback said stop */
} ag_status;

typedef struct ag_message {
    char text[1024];
} ag_message;

/* "1.2.3" */
const char *ag_version(void);
/* One or two words for a status, such as "bad argument". */
const char *ag_status_name(ag_status status);

/* ---- devices --------------------------------------------------------------- */

typedef struct ag_device ag_device;

/* Opens "cpu", "opencl:0", "opencl" (= "opencl:0"), ...  NULL takes the environment's
   ARGAND_DEVICE, else the first that opens in the order given to configure.  */
ag_status ag_device_open(ag_device **device, const char *name, ag_message *message);
void ag_device_close(ag_device *device);
/* The name with its number, and the hardware in words. */
const char *ag_device_name(const ag_device *device);
const char *ag_device_description(const ag_device *device);
/* The first failure since the device was opened sticks: later calls do nothing. */
ag_status ag_device_status(const ag_device *device);
const char *ag_device_message(const ag_device *device);
/* Waits until all that was asked for has been done. */
ag_status ag_device_synchronize(ag_device *device);
/* Bytes of device memory held now and at most since the device was opened. */
void ag_device_memory(const ag_device *device, int64_t *now, int64_t *peak);

/* Bytes of memory that the device has. */
int64_t ag_device_size(const ag_device *device);

/* Calls `visit` for each device that configure was told of: `status` AG_OK and the
   description, or the reason why it cannot be used.  Each backend is tried in the
   calling process.  Stops when visit returns non-zero, and returns that value.  */
typedef int ag_device_visit(void *user, const char *name, ag_status status, const char *text);
int ag_device_list(ag_device_visit *visit, void *user);

/* Receives one line (no newline) for each step: the kernel, its sizes and the bits of
   its scalars; the same on every backend.  The ledger receives one line for each real
   launch, with the number of the step that it serves.  NULL ends either.  */
typedef void ag_line_sink(void *user, const char *line);
void ag_device_trace(ag_device *device, ag_line_sink *trace, ag_line_sink *ledger, void *user);

/* Who transforms in what is made on the device from now on: "fused" or NULL, the kernels of every pass
   (so it is when the device was opened), or a library that this build can use, by its name.  An
   AG_BAD_ARGUMENT or AG_NO_DEVICE with words leaves the device as it was. */
ag_status ag_device_fft(ag_device *device, const char *name, ag_message *message);
/* Calls `visit` with each library that was built for a device of that name, and what it is or why it
   cannot be used; as ag_device_list. */
int ag_fft_list(const char *device, ag_device_visit *visit, void *user);

/* One launch: the kernel, the solver's step or net's stage that it serves ("detector", "up1"), how long it took,
   and the bytes and floating-point operations that its template counts (kernels/README). */
typedef struct ag_timing {
    const char *kernel, *step;
    double seconds, bytes, flops;
} ag_timing;
/* While there is a sink each launch is waited for and then told to it, so that every time is the launch's
   own; a run takes longer for it.  NULL ends it. */
typedef void ag_timing_sink(void *user, const ag_timing *timing);
void ag_device_profile(ag_device *device, ag_timing_sink *sink, void *user);

/* ---- arrays on a device ------------------------------------------------------ */

typedef struct ag_array ag_array;
typedef enum ag_type { AG_REAL, AG_COMPLEX, AG_INT } ag_type; /* AG_INT: int32_t */

/* `count` elements, not initialised. */
ag_status ag_array_create(ag_array **array, ag_device *device, ag_type type, int64_t count);
void ag_array_destroy(ag_array *array);
int64_t ag_array_count(const ag_array *array);
/* Copies `count` elements to or from element `first` on; done when they return. */
ag_status ag_array_write(ag_array *array, int64_t first, int64_t count, const void *source);
ag_status ag_array_read(const ag_array *array, int64_t first, int64_t count, void *destination);

/* ---- scans --------------------------------------------------------------------- */

typedef struct ag_scan ag_scan;

/* How the exit wave, probe times window, becomes the wave on the detector.
   AG_FAR_FIELD: by the orthonormal DFT.
   AG_NEAR_FIELD: through free space, by the angular spectrum: its DFT is multiplied by
   exp(-2 pi i z q^2 / (1/wavelength + sqrt(1/wavelength^2 - q^2))), q in cycles per m (Goodman,
   Introduction to Fourier Optics, chapter 3).  A beam that diverges from a focus is replaced by a
   parallel one (Fresnel scaling theorem; Paganin, Coherent X-Ray Optics, appendix B): with the
   magnification M = (focus_distance + distance) / focus_distance, z is distance / M and the
   object's pixel is the detector's divided by M.  For a parallel beam M is 1.  */
typedef enum ag_geometry { AG_FAR_FIELD, AG_NEAR_FIELD } ag_geometry;

/* A ptychographic scan.  The window of frame j covers the object's rows
   position[2j] .. +rows and columns position[2j+1] .. +cols (sub-pixel positions are
   allowed).  */
typedef struct ag_scan_info {
    int64_t frames, rows, cols;
    const ag_real *data;     /* frames x rows x cols; NULL in a lazy scan, see ag_scan_frames */
    int data_are_amplitudes; /* 0: counts, not negative; 1: amplitudes, of any sign */
    int zero_in_corner;      /* 0: zero frequency at (rows/2, cols/2); 1: at (0, 0), far field only */
    const uint8_t *valid;    /* rows x cols, 1 = use the pixel; NULL: all valid */
    const double *position;  /* frames x 2: row, column of the window's upper left pixel,
                                in object pixels */
    int64_t object_rows, object_cols; /* 0, 0: derived from the positions, which are then
                                         moved together so that a small margin is left */
    ag_geometry geometry;
    double wavelength, distance;      /* m; 0 = unknown; distance: from sample to detector */
    double focus_distance;            /* m, near field: from focus to sample; 0 = parallel beam */
    double detector_pixel[2];         /* m, row step and column step; 0 = unknown */
    double pixel[2];                  /* m, the object's; 0 = unknown, not in the near field */
    const ag_complex *probe;          /* modes x rows x cols, a start; NULL: none */
    int64_t modes;
    const ag_complex *object; /* object_rows x object_cols, a start or the truth of a
                                 simulation; NULL: none */
} ag_scan_info;

/* Copies everything in `info`, after checking it. */
ag_status ag_scan_create(ag_scan **scan, const ag_scan_info *info, ag_message *message);

/* Which way the positions run: rows and columns exchanged (of the same length in m), then rows,
   then columns negated; a sum of these. */
enum { AG_SWAP = 1, AG_FLIP_ROWS = 2, AG_FLIP_COLS = 4, AG_ORIENTATIONS = 8 };

/* What is said about a scan that is opened from files; ag_import_default sets all to "as the file
   has it".  A place is "FILE:FIELD"; FIELD may be left out where the file leaves no choice.
   Frames, positions and images are those of the file, before anything is picked or cropped.  */
typedef enum ag_values { AG_VALUES_AUTO, AG_VALUES_COUNTS, AG_VALUES_AMPLITUDES } ag_values;
typedef enum ag_zero { AG_ZERO_AUTO, AG_ZERO_CENTRE, AG_ZERO_CORNER } ag_zero;
typedef struct ag_import {
    const char *path;          /* the scan; NULL: `frames` and `positions` are all there is */
    const char *frames;        /* place of frames that replace those of `path` */
    const char *positions;     /* the same of positions: (frames, 2) as (row, column), or two
                                  fields "FILE:ROWS,COLUMNS" */
    const char *position_unit; /* m, mm, um, nm or px; NULL: as the file says */
    int orientation;           /* AG_SWAP and AG_FLIP_... that positions are turned by */
    ag_geometry geometry;      /* AG_NEAR_FIELD, with a focus distance or 0, overrides the file */
    double focus_distance;
    double wavelength, distance, detector_pixel[2]; /* m; 0: the file's */
    ag_values values;
    ag_zero zero;                   /* where the zero frequency is */
    const char *mask, *dark, *flat; /* places of images; mask: other than 0 is bad */
    const char *select;             /* frames "3,10:100,200:300:2", the end not included */
    const char *bad_frames;         /* such a list, or a place of one */
    double centre[2];               /* pixel of the zero frequency; < 0: rows / 2, cols / 2 */
    int64_t crop[2];                /* rows and columns kept around it; 0: all */
    int64_t bin;                    /* bin x bin pixels become one; 1 */
    int lazy;                       /* frames stay in the file, which stays open */
    int frames_only;                /* positions are 0, with a warning, where none can be placed */
} ag_import;
void ag_import_default(ag_import *import);
/* Opens a scan of any known format, told by its content: CXI, NXcxi_ptycho, ptypy, ptychodus,
   Eiger (HDF5), tike, PtychoPINN, PtychoNN (npz).  */
ag_status ag_scan_open(ag_scan **scan, const ag_import *import, ag_message *message);
/* ag_scan_open of a path with the defaults. */
ag_status ag_scan_read(ag_scan **scan, const char *path, ag_message *message);
/* Magnification of the near field, 1 in the far field, and the distance that it leaves. */
double ag_scan_magnification(const ag_scan_info *info);
double ag_scan_effective_distance(const ag_scan_info *info);
/* Copies frames first ... first + count - 1 (count x rows x cols), from memory or the file. */
ag_status ag_scan_frames(const ag_scan *scan, int64_t first, int64_t count, ag_real *destination, ag_message *message);
/* Writes a CXI file that ag_scan_read takes; replaces `path` only when complete. */
ag_status ag_scan_write(const ag_scan *scan, const char *path, ag_message *message);
void ag_scan_destroy(ag_scan *scan);
/* Mean distance from a position to the nearest other one, pixels; 0 for one frame. */
double ag_scan_spacing(const ag_scan *scan);

/* "as-is", "swap", "flip-rows", "swap-flip-rows", ...; NULL for no orientation. */
const char *ag_orientation_name(int orientation);
/* Turns the positions and derives the object's size anew; an object to start from is dropped. */
ag_status ag_scan_orient(ag_scan *scan, int orientation, ag_message *message);
/* Makes the object wider by so many pixels on each side, so that positions have room to move; an object to
   start from is dropped. */
ag_status ag_scan_widen(ag_scan *scan, int64_t margin, ag_message *message);
/* What is in a scan; valid as long as the scan. */
const ag_scan_info *ag_scan_content(const ag_scan *scan);
/* What the reader had to assume, a sentence a line; "" when nothing. */
const char *ag_scan_warnings(const ag_scan *scan);

/* The profiling problem of PtychoEP (github.com/sacbow/PtychoEP, profiling/): a real
   Airy-like probe and a Fermat spiral of step 5 pixels on a synthetic object. */
typedef struct ag_simulation {
    int64_t frame;  /* rows and columns of a frame: 128 */
    int64_t object; /* rows and columns of the object: 512 */
    int64_t points; /* scan positions asked for (those that leave the object are dropped): 200 */
    double step;    /* spiral step, pixels: 5 */
    double noise;   /* variance of Gaussian noise on the amplitudes: 0 */
    double photons; /* mean photons per frame for Poisson noise; 0: none */
    uint64_t seed;
    ag_geometry geometry;  /* near field: a wide, speckled probe in place of the Airy-like one */
    double focus_distance; /* near field, m: 0 chooses frame pixel^2 / (wavelength z) = 4 */
    int64_t modes;         /* of the probe, by ag_probe_modes: 1 */
    double mode_share;     /* of the power, in the modes after the first, where there are any: 0.3 */
} ag_simulation;
void ag_simulation_default(ag_simulation *simulation);
ag_status ag_scan_simulate(ag_scan **scan, const ag_simulation *simulation, ag_message *message);

/* ---- solvers -------------------------------------------------------------------- */

typedef struct ag_comm ag_comm;
typedef struct ag_solver ag_solver;

/* Who shares a reconstruction: one process that does all the work, */
ag_comm *ag_comm_self(void);
/* or threads of it: comm[0] to comm[size - 1], one for each.  All make a solver of the same scan and
   options, each on a device of its own with the same object and probe to start from, and call the same
   functions in the same order.  Frames are divided by rank; every rank ends with the same object and
   probe, those of one rank but for rounding.  Where a rank fails or is cancelled all are. */
ag_status ag_comm_threads(ag_comm ***comm, int size, ag_message *message);
void ag_comm_threads_end(ag_comm **comm);

/* Writes the defaults of `method` (a name as above) or fails with AG_BAD_ARGUMENT. */
ag_status ag_options_default(ag_options *options, const char *method, ag_message *message);
/* The name of the i-th method, NULL after the last. */
const char *ag_method_name(int i);

/* The model against the data, outside any timed loop: with Y the predicted counts, a the
   measured amplitudes and sums over valid pixels of all frames,
   relative_l2 = sqrt(sum (sqrt Y - a)^2 / sum a^2), r_factor = sum |sqrt Y - a| / sum a.  */
typedef struct ag_quality {
    double relative_l2, r_factor;
} ag_quality;

typedef struct ag_progress {
    int64_t iteration, iterations; /* done, asked for */
    double error;                  /* of this iteration: relative L2 as the kernels summed it */
    double seconds;                /* since the run began */
} ag_progress;
/* A value other than 0 ends the run with AG_CANCELLED. */
typedef int ag_progress_callback(void *user, const ag_progress *progress);

/* Bytes that a solver will take, beside what the device holds already. */
typedef struct ag_need {
    int64_t device, host; /* at most at a time */
    int64_t file;         /* of a temporary file in $TMPDIR */
    int64_t least;        /* the least limit that works, in excess of what is held now */
} ag_need;
/* Without making it. */
ag_status ag_solver_memory(ag_device *device, const ag_scan *scan, const ag_options *options, ag_need *need);
/* `object` (object_rows x object_cols) and `probe` (modes x rows x cols) are the caller's complex
   arrays; they are refined in place and must outlive the solver.  */
ag_status ag_solver_create(ag_solver **solver, ag_device *device, ag_comm *comm, const ag_scan *scan,
                           const ag_options *options, ag_array *object, ag_array *probe);
void ag_solver_destroy(ag_solver *solver);
/* Goes on for `iterations` more. */
ag_status ag_solver_run(ag_solver *solver, int64_t iterations, ag_progress_callback *progress, void *user);
/* Iterations done so far, and for each of them its error (relative L2) and its seconds;
   valid until the next run. */
int64_t ag_solver_history(const ag_solver *solver, const double **error, const double **seconds);
/* Where option residuals asks for them (else NULL), of each iteration (NaN: not due), in parts of the root of the sum of
   a^2: how far the waves' moduli are from the data, and the waves that these make of them from probe times object. */
void ag_solver_residuals(const ag_solver *solver, const double **modulus, const double **overlap);
ag_status ag_solver_measure(ag_solver *solver, ag_quality *quality);
/* Copies the positions as they are now; of several ranks each its own, to their places in frames x 2 of all. */
void ag_solver_positions(const ag_solver *solver, double *position);
/* Of a probe that varies the eigen-probes (NULL: not asked for), opr_modes x rows x cols, and the weights, frames x
   (1 + opr_modes), likewise each rank its own. */
ag_status ag_solver_opr(const ag_solver *solver, ag_complex *eigen, double *weight);
/* The counts of a background that is estimated, rows x cols, as the frames lie; 0 where none is. */
ag_status ag_solver_background(ag_solver *solver, double *background);

/* Writes a checkpoint: a file with all that the iterations to come depend on, with a note of the caller's (NULL: none).
   `path` is replaced when the disk has all of the new file, whose temporary name is PATH.part; until then, whatever
   happens, it is the old one.  Several ranks, of one plan, save one file that any number can load; the first writes.  */
ag_status ag_solver_save(ag_solver *solver, const char *path, const char *note, ag_message *message);
/* Takes a checkpoint into a solver that has not run yet, which then goes on as if it had never been
   interrupted; on the cpu device with the same bits.  Scan, options (but for memory) and plan
   have to be those of the solver that was saved.  After a failure the solver is of no use.  */
ag_status ag_solver_load(ag_solver *solver, const char *path, ag_message *message);
/* The note of a checkpoint, to be ended with free. */
ag_status ag_checkpoint_note(char **note, const char *path, ag_message *message);

/* A start for a scan that has no probe: the mean amplitude transformed back, in the far field spread by
   a defocus where that is too compact.  rows x cols. */
ag_status ag_probe_guess(const ag_scan *scan, ag_complex *probe, ag_message *message);
/* Starts the modes of a probe (modes x rows x cols) after the first `given`: the first one times y, x, y^2, yx,
   ... about its middle, made orthogonal to those before (as github.com/AdvancedPhotonSource/tike does).  They get
   `share` (0..1) of the power, each half of the one before; the given ones keep the rest. modes = given: nothing. */
ag_status ag_probe_modes(ag_complex *probe, int64_t modes, int64_t given, int64_t rows, int64_t cols, double share,
                         ag_message *message);
/* Makes the modes (modes x pixels) orthogonal, largest power first, without changing any intensity: the
   eigenvectors of their Gram matrix.  power (NULL: not asked for) becomes each one's sum |P|^2. */
ag_status ag_probe_orthogonalise(ag_complex *probe, int64_t modes, int64_t pixels, double *power, ag_message *message);

/* The orientation of the positions, found by trying all on some neighbouring frames.  Some cannot be told
   apart by any data: in the far field the probe P*(-x) and the object O*(-x) at positions -p give
   the very patterns of P and O at p, so an orientation equals that with rows and columns flipped. */
typedef struct ag_orientation {
    int64_t frames, iterations;      /* that were tried */
    double error[AG_ORIENTATIONS];   /* relative L2 at the end of them */
    int group[AG_ORIENTATIONS];      /* the first orientation that is the same in principle */
    int best;                        /* with the smallest error; of its group, the first */
    int second;                      /* likewise, of the other groups; -1: there is no other */
    double margin;                   /* error of second / error of best - 1 */
    int decided;                     /* the margin is at least AG_ORIENTATION_MARGIN */
} ag_orientation;
#define AG_ORIENTATION_MARGIN 0.05
/* Takes the probe of the scan for a start, else a guess; nothing depends on chance. */
ag_status ag_orientation_find(ag_device *device, const ag_scan *scan, ag_orientation *found);

/* ---- results ----------------------------------------------------------------------- */

/* What a reconstruction leaves behind, in host memory. */
typedef struct ag_result {
    int64_t layers, object_rows, object_cols;
    const ag_complex *object; /* layers x rows x cols */
    int64_t modes, rows, cols;
    const ag_complex *probe; /* modes x rows x cols */
    const double *power;     /* modes: sum |P|^2 of each; NULL: unknown */
    int64_t opr_modes;       /* eigen-probes, see ag_solver_opr; 0: none */
    const ag_complex *eigen;
    const double *eigen_weight;
    const double *background; /* rows x cols counts; NULL: none was estimated */
    int64_t frames;
    const double *corner; /* frames x 2: row, column of each window's upper left corner in
                             object pixels, sub-pixel, as used */
    const uint8_t *valid; /* rows x cols, NULL: all */
    ag_geometry geometry;
    double wavelength, distance, focus_distance, pixel[2], detector_pixel[2];
    int64_t iterations;
    const double *error, *seconds; /* per iteration */
    const double *modulus_residual, *overlap_residual; /* the same, see ag_solver_residuals; NULL: none */
    ag_quality quality;
    const char *version, *device, *plan, *source; /* source: the scan's file name */
    const char *options; /* all options as one JSON object */
    uint64_t seed;
    double run_seconds;
} ag_result;

/* HDF5 with CXI names; replaces `path` only when complete. */
ag_status ag_result_write(const char *path, const ag_result *result, ag_message *message);
/* Object, probe, positions and geometry of a file that ag_result_write made; other fields
   are read where present.  End it with ag_result_destroy. */
ag_status ag_result_read(ag_result **result, const char *path, ag_message *message);
void ag_result_destroy(ag_result *result);

/* ---- pictures ------------------------------------------------------------------------ */

typedef enum ag_picture { AG_AMPLITUDE, AG_PHASE, AG_HUE } ag_picture;

/* 8-bit PNG of rows x cols complex values: amplitude (grey, from 0 to its 99.5th percentile),
   phase (grey, after the mean phase and the linear ramp are removed, 1st to 99th percentile)
   or both (hue = phase, brightness = amplitude).  `weight` (rows x cols, NULL: all 1) is the
   illumination: range and ramp are taken where it is above a tenth of its maximum.  */
ag_status ag_picture_write(const char *path, ag_picture kind, int64_t rows, int64_t cols,
                           const ag_complex *value, const ag_real *weight, ag_message *message);
/* The values of an image in a file, "FILE" or "FILE:FIELD", which has to have so many rows and columns. */
ag_status ag_picture_read(const char *place, int64_t rows, int64_t cols, double *value, ag_message *message);
/* A curve of `count` positive values, logarithmic, as PNG. */
ag_status ag_curve_write(const char *path, int64_t count, const double *value, ag_message *message);

#include "argand_plans.h"

#ifdef __cplusplus
}
#endif
#endif
