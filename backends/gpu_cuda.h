/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_cuda.h -- CUDA's names, numbers and ways for gpu.h.

   Only what the driver's and the compiler's binary interfaces promise is written down here, so
   that this backend is built without NVIDIA's headers and opens their libraries at run time.  */
#ifndef AG_GPU_CUDA_H
#define AG_GPU_CUDA_H

#include "text_cuda.h"

#define GPU_BACKEND "cuda"
#define GPU_VENDOR "CUDA"
#define GPU_TEXT ag_text_cuda

typedef unsigned long long gpu_pointer; /* an address in device memory */
typedef void *gpu_context;

/* ---- libraries: an environment variable names the file, or these are tried in turn ------- */

#define GPU_DRIVER_VARIABLE "ARGAND_CUDA_DRIVER"
#define GPU_DRIVER_FILES "libcuda.so.1", "libcuda.so"
#define GPU_DRIVER_ADVICE "it comes with NVIDIA's GPU driver (nvidia-driver in Debian, akmod-nvidia in Fedora)"
#define GPU_COMPILER_VARIABLE "ARGAND_CUDA_COMPILER"
#define GPU_COMPILER_FILES "libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"
#define GPU_COMPILER_ADVICE \
    "it comes with the CUDA toolkit (NVIDIA's installer, or nvidia-cuda-toolkit in Debian); CUDA_PATH says where that is"
#define GPU_TOOLKIT_VARIABLE "CUDA_PATH"
#define GPU_TOOLKIT "/usr/local/cuda"
#define GPU_COMPILER_IN_DRIVER 0

/* ---- symbols ------------------------------------------------------------------------------- */

#define GPU_init "cuInit"
#define GPU_driver_version "cuDriverGetVersion"
#define GPU_device_count "cuDeviceGetCount"
#define GPU_device_get "cuDeviceGet"
#define GPU_device_name "cuDeviceGetName"
#define GPU_device_memory "cuDeviceTotalMem_v2"
#define GPU_device_attribute "cuDeviceGetAttribute"
#define GPU_context_retain "cuDevicePrimaryCtxRetain"
#define GPU_context_release "cuDevicePrimaryCtxRelease_v2"
#define GPU_context_enter "cuCtxSetCurrent"
#define GPU_alloc "cuMemAlloc_v2"
#define GPU_free "cuMemFree_v2"
#define GPU_host_alloc "cuMemHostAlloc"
#define GPU_host_free "cuMemFreeHost"
#define GPU_copy_to "cuMemcpyHtoDAsync_v2"
#define GPU_copy_from "cuMemcpyDtoHAsync_v2"
#define GPU_stream_create "cuStreamCreate"
#define GPU_stream_destroy "cuStreamDestroy_v2"
#define GPU_stream_synchronize "cuStreamSynchronize"
#define GPU_stream_wait "cuStreamWaitEvent"
#define GPU_event_create "cuEventCreate"
#define GPU_event_destroy "cuEventDestroy_v2"
#define GPU_event_record "cuEventRecord"
#define GPU_event_synchronize "cuEventSynchronize"
#define GPU_module_load "cuModuleLoadData"
#define GPU_module_unload "cuModuleUnload"
#define GPU_module_function "cuModuleGetFunction"
#define GPU_launch "cuLaunchKernel"
#define GPU_launch_together "cuLaunchCooperativeKernel"
#define GPU_groups_of_unit "cuOccupancyMaxActiveBlocksPerMultiprocessor"
#define GPU_capture_begin "cuStreamBeginCapture_v2"
#define GPU_capture_end "cuStreamEndCapture"
#define GPU_graph_instantiate "cuGraphInstantiateWithFlags"
#define GPU_graph_launch "cuGraphLaunch"
#define GPU_graph_destroy "cuGraphDestroy"
#define GPU_exec_destroy "cuGraphExecDestroy"

#define GPU_compiler_version "nvrtcVersion"
#define GPU_program_create "nvrtcCreateProgram"
#define GPU_program_destroy "nvrtcDestroyProgram"
#define GPU_program_compile "nvrtcCompileProgram"
#define GPU_program_log_size "nvrtcGetProgramLogSize"
#define GPU_program_log "nvrtcGetProgramLog"
#define GPU_program_code_size "nvrtcGetCUBINSize"
#define GPU_program_code "nvrtcGetCUBIN"

#define GPU_OWN_DRIVER_FUNCTIONS(X) \
    X(int, error_name, (int error, const char **name)) \
    X(int, context_retain, (gpu_context *context, int device)) \
    X(int, context_release, (int device)) \
    X(int, function_attribute, (void *function, int attribute, int value))
#define GPU_error_name "cuGetErrorName"
#define GPU_function_attribute "cuFuncSetAttribute"
#define GPU_OWN_COMPILER_FUNCTIONS(X) \
    X(int, arch_count, (int *count)) \
    X(int, arch_list, (int *list)) \
    X(int, portable_size, (void *program, size_t *bytes)) \
    X(int, portable_code, (void *program, char *code))
#define GPU_arch_count "nvrtcGetNumSupportedArchs"
#define GPU_arch_list "nvrtcGetSupportedArchs"
#define GPU_portable_size "nvrtcGetPTXSize"
#define GPU_portable_code "nvrtcGetPTX"

/* ---- numbers --------------------------------------------------------------------------------- */

#define GPU_NO_DEVICE 100
#define GPU_BAD_DEVICE 101
#define GPU_NO_MEMORY 2
#define GPU_ATTRIBUTE_LOCAL 97 /* as much as a launch may ask for */
#define GPU_ATTRIBUTE_WARP 10
#define GPU_ATTRIBUTE_UNITS 16
#define GPU_ATTRIBUTE_COOPERATIVE 95
#define GPU_ATTRIBUTE_MAJOR 75
#define GPU_ATTRIBUTE_MINOR 76
#define GPU_FUNCTION_LOCAL 8
#define GPU_LOCAL_ANYWHERE 49152
#define GPU_STREAM_NONBLOCKING 1u
#define GPU_EVENT_NO_TIMING 2u
#define GPU_CAPTURE_RELAXED 2
#define GPU_MAX_GROUPS 2147483647

#endif
