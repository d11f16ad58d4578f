/* SPDX-License-Identifier: BSD-3-Clause */
/* opencl.h -- what the two files of the OpenCL backend share. */
#ifndef AG_OPENCL_H
#define AG_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "backend.h"

typedef struct opencl_handle {
    ag_handle base;
    cl_device_id device;
    cl_context context;
    cl_command_queue lane[2];
    char options[256];
    char identity[768]; /* device and driver, for the cache */
    int lanes, whole; /* of a group; where it has a whole frame */
    ag_tape *tape;
} opencl_handle;

struct ag_memory {
    cl_mem mem;
};

struct ag_binary {
    const ag_kernel *kernel;
    ag_shape shape;
    cl_program program;
    cl_kernel entry;
};

ag_status opencl_fail(opencl_handle *cl, ag_status status, const char *what, cl_int error);
/* The vtable's build and unbuild. */
ag_status opencl_build(ag_handle *handle, const ag_kernel *kernel, const ag_shape *shape, ag_binary **binary);
void opencl_unbuild(ag_handle *handle, ag_binary *binary);

#endif
