# SPDX-License-Identifier: BSD-3-Clause
# ag_backend_cuda.m4 -- the CUDA backend is built anywhere: it opens the driver and NVRTC at run time.

AC_DEFUN([AG_BACKEND_CUDA], [
ag_have_cuda=yes
ag_why_cuda=])
