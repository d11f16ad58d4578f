/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu.h -- what the files of the CUDA and the HIP backend share: one source, compiled once for
   each vendor.

   gpu_cuda.h and gpu_hip.h give names and numbers; gpu_cuda.c and gpu_hip.c do what the vendors
   do in different ways.  */
#ifndef AG_GPU_H
#define AG_GPU_H

#include <stddef.h>

#include "backend.h"

#ifdef AG_GPU_HIP
#include "gpu_hip.h"
#else
#include "gpu_cuda.h"
#endif

/* Functions of the driver and of the compiler; an int is the vendor's error, 0 being none. */
#define GPU_DRIVER_FUNCTIONS(X) \
    X(int, init, (unsigned flags)) \
    X(int, driver_version, (int *version)) \
    X(int, device_count, (int *count)) \
    X(int, device_get, (int *device, int number)) \
    X(int, device_name, (char *name, int room, int device)) \
    X(int, device_memory, (size_t *bytes, int device)) \
    X(int, device_attribute, (int *value, int attribute, int device)) \
    X(int, context_enter, (gpu_context context)) \
    X(int, alloc, (gpu_pointer *memory, size_t bytes)) \
    X(int, free, (gpu_pointer memory)) \
    X(int, host_alloc, (void **memory, size_t bytes, unsigned flags)) \
    X(int, host_free, (void *memory)) \
    X(int, copy_to, (gpu_pointer to, const void *from, size_t bytes, void *stream)) \
    X(int, copy_from, (void *to, gpu_pointer from, size_t bytes, void *stream)) \
    X(int, stream_create, (void **stream, unsigned flags)) \
    X(int, stream_destroy, (void *stream)) \
    X(int, stream_synchronize, (void *stream)) \
    X(int, stream_wait, (void *stream, void *event, unsigned flags)) \
    X(int, event_create, (void **event, unsigned flags)) \
    X(int, event_destroy, (void *event)) \
    X(int, event_record, (void *event, void *stream)) \
    X(int, event_synchronize, (void *event)) \
    X(int, module_load, (void **module, const void *image)) \
    X(int, module_unload, (void *module)) \
    X(int, module_function, (void **function, void *module, const char *name)) \
    X(int, launch, \
      (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, \
       unsigned local, void *stream, void **parameter, void **extra)) \
    X(int, capture_begin, (void *stream, int mode)) \
    X(int, capture_end, (void *stream, void **graph)) \
    X(int, graph_instantiate, (void **exec, void *graph, unsigned long long flags)) \
    X(int, graph_launch, (void *exec, void *stream)) \
    X(int, graph_destroy, (void *graph)) \
    X(int, exec_destroy, (void *exec)) \
    GPU_OWN_DRIVER_FUNCTIONS(X)

/* Those that a driver may lack: then no launch is cooperative. */
#define GPU_COOPERATIVE_FUNCTIONS(X) \
    X(int, launch_together, \
      (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, \
       unsigned local, void *stream, void **parameter)) \
    X(int, groups_of_unit, (int *groups, void *function, int lanes, size_t local))

#define GPU_COMPILER_FUNCTIONS(X) \
    X(int, compiler_version, (int *major, int *minor)) \
    X(int, program_create, \
      (void **program, const char *text, const char *name, int headers, const char *const *header, \
       const char *const *header_name)) \
    X(int, program_destroy, (void **program)) \
    X(int, program_compile, (void *program, int options, const char *const *option)) \
    X(int, program_log_size, (void *program, size_t *bytes)) \
    X(int, program_log, (void *program, char *log)) \
    X(int, program_code_size, (void *program, size_t *bytes)) \
    X(int, program_code, (void *program, char *code)) \
    GPU_OWN_COMPILER_FUNCTIONS(X)

#define GPU_MEMBER(type, name, parameters) type(*name) parameters;
typedef struct gpu_driver {
    GPU_DRIVER_FUNCTIONS(GPU_MEMBER)
    GPU_COOPERATIVE_FUNCTIONS(GPU_MEMBER)
} gpu_driver;
typedef struct gpu_compiler {
    GPU_COMPILER_FUNCTIONS(GPU_MEMBER)
} gpu_compiler;

/* Copies go through page-locked pieces, so that they are asynchronous whatever memory the
   caller has; a lane has two, one being filled while the other is on its way. */
#define GPU_PIECES 2
#define GPU_PIECE_BYTES ((size_t)4 << 20)

typedef struct gpu_piece {
    char *memory;
    void *event;   /* passed when the driver is done with the piece */
    int busy;      /* the event was recorded and nobody has waited for it */
    void *host;    /* where bytes from the device go then; NULL: nowhere */
    size_t bytes;
} gpu_piece;

typedef struct gpu_lane {
    void *stream;
    int next; /* piece to be used next */
    gpu_piece piece[GPU_PIECES];
} gpu_lane;

#define GPU_MAX_OPTIONS 4

typedef struct gpu_handle {
    ag_handle base;
    gpu_driver driver;
    gpu_compiler compiler;
    int number, device;
    int local, units, warp, cooperative, version; /* bytes of local memory of a group; of the driver */
    int matrix; /* see ag_limits */
    size_t memory;
    int compiler_major, compiler_minor;
    int retained; /* the context has been begun */
    gpu_context context;
    gpu_lane lane[2];
    char name[128];
    char arch[96];     /* what kernels are compiled for */
    char option[GPU_MAX_OPTIONS][128];
    int options;
    int portable;      /* the compiler does not know this architecture: the driver translates */
    char identity[512]; /* device, driver, compiler, for the cache */
    int recording;
} gpu_handle;

struct ag_memory {
    gpu_pointer pointer;
};

struct ag_binary {
    const ag_kernel *kernel;
    ag_shape shape;
    void *module, *function;
    int64_t together; /* groups that run at once; of kernels of that kind */
};

/* ---- gpu_library.c ------------------------------------------------------------------------- */

/* Opens the driver's and the compiler's library; AG_NO_DEVICE with words on what is missing. */
ag_status gpu_open_libraries(gpu_handle *gpu);

/* ---- gpu.c ----------------------------------------------------------------------------------- */

/* What the module exports. */
extern const ag_backend *const ag_backend_module;
/* "WHAT: CUDA error 700 (NAME)"; AG_OK where the error is none, AG_NO_MEMORY where it is that. */
ag_status gpu_check(gpu_handle *gpu, ag_status status, const char *what, int error);
/* Makes the device the calling thread's. */
ag_status gpu_enter(gpu_handle *gpu);

/* ---- gpu_build.c: the vtable's build and unbuild ------------------------------------------------ */

ag_status gpu_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **binary);
void gpu_unbuild(ag_handle *handle, ag_binary *binary);
/* Compiles text to malloc'd bytes; `name` is for messages. */
ag_status gpu_compile(gpu_handle *gpu, const char *name, const char *text, void **code, size_t *bytes);

/* ---- gpu_cuda.c, gpu_hip.c ------------------------------------------------------------------------ */

const char *gpu_error_name(const gpu_handle *gpu, int error);
int gpu_retain(gpu_handle *gpu);
void gpu_release(gpu_handle *gpu);
/* Chooses arch, options and portable; fails where the compiler does not know the device. */
ag_status gpu_target(gpu_handle *gpu);
/* Lets launches of a function have so many bytes of local memory. */
int gpu_allow_local(const gpu_handle *gpu, void *function, int64_t bytes);
/* What was compiled: its size, then its bytes. */
int gpu_code_size(const gpu_handle *gpu, void *program, size_t *bytes);
int gpu_code(const gpu_handle *gpu, void *program, char *code);

/* ---- gpu_graph.c: the vtable's record and replay ------------------------------------------------ */

ag_status gpu_record(ag_handle *handle, int what, ag_tape **tape);
ag_status gpu_replay(ag_handle *handle, ag_tape *tape, int again);

#endif
