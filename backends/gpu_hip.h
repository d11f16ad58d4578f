/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_hip.h -- HIP's names, numbers and ways for gpu.h.

   Only what the runtime's binary interface promises is written down here, so that this backend is
   built without AMD's headers and opens their libraries at run time.  */
#ifndef AG_GPU_HIP_H
#define AG_GPU_HIP_H

#include "text_hip.h"

#define GPU_BACKEND "hip"
#define GPU_VENDOR "HIP"
#define GPU_TEXT ag_text_hip

typedef unsigned long long gpu_pointer; /* an address in device memory, passed like a pointer */
typedef int gpu_context;   /* the runtime knows contexts by their device's number */

/* ---- libraries: an environment variable names the file, or these are tried in turn ------- */

#define GPU_DRIVER_VARIABLE "ARGAND_HIP_DRIVER"
#define GPU_DRIVER_FILES "libamdhip64.so", "libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"
#define GPU_DRIVER_ADVICE "it comes with ROCm (libamdhip64-5 in Debian, rocm-hip in Fedora); ROCM_PATH says where that is"
#define GPU_COMPILER_VARIABLE "ARGAND_HIP_COMPILER"
#define GPU_COMPILER_FILES "libhiprtc.so", "libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5"
#define GPU_COMPILER_ADVICE "it comes with ROCm; ROCM_PATH says where that is"
#define GPU_TOOLKIT_VARIABLE "ROCM_PATH"
#define GPU_TOOLKIT "/opt/rocm"
#define GPU_COMPILER_IN_DRIVER 1 /* up to ROCm 6 */

/* ---- symbols ------------------------------------------------------------------------------- */

#define GPU_init "hipInit"
#define GPU_driver_version "hipRuntimeGetVersion"
#define GPU_device_count "hipGetDeviceCount"
#define GPU_device_get "hipDeviceGet"
#define GPU_device_name "hipDeviceGetName"
#define GPU_device_memory "hipDeviceTotalMem"
#define GPU_device_attribute "hipDeviceGetAttribute"
#define GPU_context_enter "hipSetDevice"
#define GPU_alloc "hipMalloc"
#define GPU_free "hipFree"
#define GPU_host_alloc "hipHostMalloc"
#define GPU_host_free "hipHostFree"
#define GPU_copy_to "hipMemcpyHtoDAsync"
#define GPU_copy_from "hipMemcpyDtoHAsync"
#define GPU_stream_create "hipStreamCreateWithFlags"
#define GPU_stream_destroy "hipStreamDestroy"
#define GPU_stream_synchronize "hipStreamSynchronize"
#define GPU_stream_wait "hipStreamWaitEvent"
#define GPU_event_create "hipEventCreateWithFlags"
#define GPU_event_destroy "hipEventDestroy"
#define GPU_event_record "hipEventRecord"
#define GPU_event_synchronize "hipEventSynchronize"
#define GPU_module_load "hipModuleLoadData"
#define GPU_module_unload "hipModuleUnload"
#define GPU_module_function "hipModuleGetFunction"
#define GPU_launch "hipModuleLaunchKernel"
#define GPU_launch_together "hipModuleLaunchCooperativeKernel"
#define GPU_groups_of_unit "hipModuleOccupancyMaxActiveBlocksPerMultiprocessor"
#define GPU_capture_begin "hipStreamBeginCapture"
#define GPU_capture_end "hipStreamEndCapture"
#define GPU_graph_instantiate "hipGraphInstantiateWithFlags"
#define GPU_graph_launch "hipGraphLaunch"
#define GPU_graph_destroy "hipGraphDestroy"
#define GPU_exec_destroy "hipGraphExecDestroy"

#define GPU_compiler_version "hiprtcVersion"
#define GPU_program_create "hiprtcCreateProgram"
#define GPU_program_destroy "hiprtcDestroyProgram"
#define GPU_program_compile "hiprtcCompileProgram"
#define GPU_program_log_size "hiprtcGetProgramLogSize"
#define GPU_program_log "hiprtcGetProgramLog"
#define GPU_program_code_size "hiprtcGetCodeSize"
#define GPU_program_code "hiprtcGetCode"

#define GPU_OWN_DRIVER_FUNCTIONS(X) \
    X(const char *, error_name, (int error)) \
    X(int, device_properties, (void *properties, int device))
#define GPU_error_name "hipGetErrorName"
#define GPU_device_properties "hipGetDeviceProperties"
#define GPU_OWN_COMPILER_FUNCTIONS(X)

/* ---- numbers --------------------------------------------------------------------------------- */

#define GPU_NO_DEVICE 100
#define GPU_BAD_DEVICE 101
#define GPU_NO_MEMORY 2
#define GPU_ATTRIBUTE_LOCAL 74
#define GPU_ATTRIBUTE_WARP 87
#define GPU_ATTRIBUTE_UNITS 63
#define GPU_ATTRIBUTE_COOPERATIVE 10
#define GPU_STREAM_NONBLOCKING 1u
#define GPU_EVENT_NO_TIMING 2u
#define GPU_CAPTURE_RELAXED 2
#define GPU_MAX_GROUPS 16777215 /* groups times work-items are counted in 32 bits */

#endif
