# SPDX-License-Identifier: BSD-3-Clause
# ag_backend_opencl.m4 -- what the OpenCL backend is built with: headers and the ICD loader.

AC_DEFUN([AG_BACKEND_OPENCL], [
AG_LIBRARY([OPENCL], [OpenCL], [CL/cl.h], [clGetPlatformIDs], [OpenCL])
ag_have_opencl=$ag_have_OPENCL
ag_why_opencl="the opencl backend needs the OpenCL headers and loader: install opencl-headers and ocl-icd-opencl-dev (Debian, Ubuntu) or opencl-headers and ocl-icd-devel (Fedora), or set OPENCL_CFLAGS and OPENCL_LIBS"])
