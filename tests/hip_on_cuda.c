/* SPDX-License-Identifier: BSD-3-Clause */
/* hip_on_cuda.c -- HIP's runtime and hiprtc, for tests, on CUDA's driver and NVRTC.

   The unmodified HIP backend opens this instead of libamdhip64: on an NVIDIA GPU its kernels then
   run for real, on a machine without one on the emulation.  CUDA's libraries are those that
   ARGAND_CUDA_DRIVER and ARGAND_CUDA_COMPILER name, else the installed ones.  The emulation is
   asked to be like AMD's: 64 work-items in a wavefront, 64 KiB of local memory.  */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/cuda.h"

/* Where hipDeviceProp_t of ROCm 5 has the architecture's name, and how large it is. */
#define PROPERTIES 792
#define ARCH_AT 396

enum { HIP_OK = 0, HIP_NO_DEVICE = 100, HIP_NOT_SUPPORTED = 801 };

int hipSetDevice(int device);
int hipDeviceGetAttribute(int *value, int number, int device);
int hipGetDeviceProperties(void *properties, int device);
const char *hipGetErrorName(int error);
const char *hiprtcGetErrorString(int error);
int hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                          unsigned shared, void *stream, void **parameter, void **extra);
int hipModuleLaunchCooperativeKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                                     unsigned bz, unsigned shared, void *stream, void **parameter);
int hiprtcCompileProgram(void *program, int options, const char *const *option);

static void *driver, *compiler, *context;

static void *
open_first(const char *variable, const char *const *names)
{
    const char *chosen = getenv(variable);
    void *library = chosen && *chosen ? dlopen(chosen, RTLD_NOW | RTLD_LOCAL) : NULL;
    for (; !library && *names; names++)
        library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    return library;
}

static int
ready(void)
{
    static const char *const drivers[] = {"libcuda.so.1", NULL};
    static const char *const compilers[] = {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12",
                                            "/usr/local/cuda/lib64/libnvrtc.so", NULL};
    setenv("AG_EMULATE_WARP", "64", 0);
    setenv("AG_EMULATE_LOCAL", "65536", 0);
    if (!driver)
        driver = open_first("ARGAND_CUDA_DRIVER", drivers);
    if (!compiler)
        compiler = open_first("ARGAND_CUDA_COMPILER", compilers);
    return driver && compiler;
}

/* FORWARD(function, library, CUDA's name, parameters, arguments): HIP's function of the same
   meaning; errors keep CUDA's numbers, which HIP's mostly are. */
#define FORWARD(function, library, name, parameters, arguments) \
    int function parameters; \
    int function parameters \
    { \
        int(*call) parameters; \
        void *address = ready() ? dlsym(library, name) : NULL; \
        if (!address) \
            return HIP_NO_DEVICE; \
        memcpy(&call, &address, sizeof call); \
        return call arguments; \
    }

FORWARD(hipInit, driver, "cuInit", (unsigned flags), (flags))
FORWARD(hipGetDeviceCount, driver, "cuDeviceGetCount", (int *count), (count))
FORWARD(hipDeviceGet, driver, "cuDeviceGet", (int *device, int number), (device, number))
FORWARD(hipDeviceGetName, driver, "cuDeviceGetName", (char *name, int room, int device), (name, room, device))
FORWARD(hipDeviceTotalMem, driver, "cuDeviceTotalMem_v2", (size_t *bytes, int device), (bytes, device))
FORWARD(hipRuntimeGetVersion, driver, "cuDriverGetVersion", (int *version), (version))
FORWARD(hipMalloc, driver, "cuMemAlloc_v2", (unsigned long long *p, size_t bytes), (p, bytes))
FORWARD(hipFree, driver, "cuMemFree_v2", (unsigned long long p), (p))
FORWARD(hipHostMalloc, driver, "cuMemHostAlloc", (void **p, size_t bytes, unsigned flags), (p, bytes, flags))
FORWARD(hipHostFree, driver, "cuMemFreeHost", (void *p), (p))
FORWARD(hipMemcpyHtoDAsync, driver, "cuMemcpyHtoDAsync_v2",
        (unsigned long long to, const void *from, size_t bytes, void *stream), (to, from, bytes, stream))
FORWARD(hipMemcpyDtoHAsync, driver, "cuMemcpyDtoHAsync_v2",
        (void *to, unsigned long long from, size_t bytes, void *stream), (to, from, bytes, stream))
FORWARD(hipStreamCreateWithFlags, driver, "cuStreamCreate", (void **stream, unsigned flags), (stream, flags))
FORWARD(hipStreamDestroy, driver, "cuStreamDestroy_v2", (void *stream), (stream))
FORWARD(hipStreamSynchronize, driver, "cuStreamSynchronize", (void *stream), (stream))
FORWARD(hipStreamWaitEvent, driver, "cuStreamWaitEvent", (void *stream, void *event, unsigned flags),
        (stream, event, flags))
FORWARD(hipEventCreateWithFlags, driver, "cuEventCreate", (void **event, unsigned flags), (event, flags))
FORWARD(hipEventDestroy, driver, "cuEventDestroy_v2", (void *event), (event))
FORWARD(hipEventRecord, driver, "cuEventRecord", (void *event, void *stream), (event, stream))
FORWARD(hipEventSynchronize, driver, "cuEventSynchronize", (void *event), (event))
FORWARD(hipModuleLoadData, driver, "cuModuleLoadData", (void **module, const void *image), (module, image))
FORWARD(hipModuleUnload, driver, "cuModuleUnload", (void *module), (module))
FORWARD(hipModuleGetFunction, driver, "cuModuleGetFunction", (void **function, void *module, const char *name),
        (function, module, name))
static FORWARD(launch, driver, "cuLaunchKernel",
        (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
         void *stream, void **parameter, void **extra),
        (function, gx, gy, gz, bx, by, bz, shared, stream, parameter, extra))
static FORWARD(launch_together, driver, "cuLaunchCooperativeKernel",
        (void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
         void *stream, void **parameter),
        (function, gx, gy, gz, bx, by, bz, shared, stream, parameter))
FORWARD(hipModuleOccupancyMaxActiveBlocksPerMultiprocessor, driver, "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        (int *groups, void *function, int lanes, size_t local), (groups, function, lanes, local))
FORWARD(hipStreamBeginCapture, driver, "cuStreamBeginCapture_v2", (void *stream, int mode), (stream, mode))
FORWARD(hipStreamEndCapture, driver, "cuStreamEndCapture", (void *stream, void **graph), (stream, graph))
FORWARD(hipGraphInstantiateWithFlags, driver, "cuGraphInstantiateWithFlags",
        (void **exec, void *graph, unsigned long long flags), (exec, graph, flags))
FORWARD(hipGraphLaunch, driver, "cuGraphLaunch", (void *exec, void *stream), (exec, stream))
FORWARD(hipGraphDestroy, driver, "cuGraphDestroy", (void *graph), (graph))
FORWARD(hipGraphExecDestroy, driver, "cuGraphExecDestroy", (void *exec), (exec))

FORWARD(hiprtcVersion, compiler, "nvrtcVersion", (int *major, int *minor), (major, minor))
FORWARD(hiprtcCreateProgram, compiler, "nvrtcCreateProgram",
        (void **program, const char *text, const char *name, int headers, const char *const *header,
         const char *const *header_name),
        (program, text, name, headers, header, header_name))
FORWARD(hiprtcDestroyProgram, compiler, "nvrtcDestroyProgram", (void **program), (program))
FORWARD(hiprtcGetProgramLogSize, compiler, "nvrtcGetProgramLogSize", (void *program, size_t *bytes), (program, bytes))
FORWARD(hiprtcGetProgramLog, compiler, "nvrtcGetProgramLog", (void *program, char *log), (program, log))
FORWARD(hiprtcGetCodeSize, compiler, "nvrtcGetCUBINSize", (void *program, size_t *bytes), (program, bytes))
FORWARD(hiprtcGetCode, compiler, "nvrtcGetCUBIN", (void *program, char *code), (program, code))

static FORWARD(set_attribute, driver, "cuFuncSetAttribute", (void *function, int number, int value),
               (function, number, value))
static FORWARD(compile, compiler, "nvrtcCompileProgram", (void *program, int options, const char *const *option),
               (program, options, option))
static FORWARD(attribute, driver, "cuDeviceGetAttribute", (int *value, int number, int device), (value, number, device))
static FORWARD(retain, driver, "cuDevicePrimaryCtxRetain", (void **where, int device), (where, device))
static FORWARD(enter, driver, "cuCtxSetCurrent", (void *where), (where))
static FORWARD(error_name, driver, "cuGetErrorName", (int error, const char **name), (error, name))

/* The first call makes the context, which stays, as in HIP; the first device is the only one. */
int
hipSetDevice(int device)
{
    const int error = context ? 0 : retain(&context, device);
    return error ? error : device ? HIP_NOT_SUPPORTED : enter(context);
}

int
hipDeviceGetAttribute(int *value, int number, int device)
{
    /* Cooperative launch, units, local memory of a group, warp. */
    static const int known[][2] = {{10, 95}, {63, 16}, {74, 97}, {87, 10}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i][0] == number)
            return attribute(value, known[i][1], device);
    return HIP_NOT_SUPPORTED;
}

/* A launch may have all of the local memory, in HIP without asking first. */
int
hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                      unsigned shared, void *stream, void **parameter, void **extra)
{
    const int error = shared > 49152 ? set_attribute(function, 8, (int)shared) : 0;
    return error ? error : launch(function, gx, gy, gz, bx, by, bz, shared, stream, parameter, extra);
}

int
hipModuleLaunchCooperativeKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                                 unsigned bz, unsigned shared, void *stream, void **parameter)
{
    const int error = shared > 49152 ? set_attribute(function, 8, (int)shared) : 0;
    return error ? error : launch_together(function, gx, gy, gz, bx, by, bz, shared, stream, parameter);
}

/* The architecture of that wavefront, or the one that AG_EMULATE_ARCH names. */
int
hipGetDeviceProperties(void *properties, int device)
{
    int warp = 0;
    const int error = hipDeviceGetAttribute(&warp, 87, device);
    memset(properties, 0, PROPERTIES);
    const char *chosen = getenv("AG_EMULATE_ARCH"), *usual = warp == 64 ? "gfx90a:sramecc+:xnack-" : "gfx1100";
    snprintf((char *)properties + ARCH_AT, PROPERTIES - ARCH_AT, "%s", chosen ? chosen : usual);
    return error ? error : hipDeviceGetName(properties, 256, device);
}

const char *
hipGetErrorName(int error)
{
    const char *name = NULL;
    return error_name(error, &name) || !name ? "unknown" : name;
}

const char *
hiprtcGetErrorString(int error)
{
    (void)error;
    return "HIPRTC_ERROR_COMPILATION";
}

/* Options for AMD's compiler become the one that NVRTC needs.  Like hiprtc it aborts where it does not
   know the architecture. */
int
hiprtcCompileProgram(void *program, int options, const char *const *option)
{
    static int major, minor;
    char arch[64];
    const char *own[3] = {arch, "-D__HIPCC_RTC__=1"};
    int count = 2;
    const int emulated = ready() && dlsym(driver, "ag_emulate_fail") != NULL;
    if (!options || !option || (!major && (attribute(&minor, 76, 0) || attribute(&major, 75, 0))))
        return HIP_NO_DEVICE;
    for (int i = 0; i < options; i++)
        if (!strncmp(option[i], "--offload-arch=", 15)) {
            const char *const name = option[i] + 15;
            const int cdna = !strncmp(name, "gfx90a", 6), rdna = !strcmp(name, "gfx1100");
            if (!cdna && !rdna && strcmp(name, "gfx1030"))
                abort();
            if (emulated && (cdna || rdna))
                own[count++] = cdna ? "-D__gfx90a__=1" : "-D__GFX11__=1";
        }
    snprintf(arch, sizeof arch, "--gpu-architecture=sm_%d%d", major, minor);
    return compile(program, count, own);
}
