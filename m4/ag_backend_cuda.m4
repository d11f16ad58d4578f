# SPDX-License-Identifier: BSD-3-Clause
# ag_backend_cuda.m4 -- the CUDA backend: in this version only its kernel text exists.

AC_DEFUN([AG_BACKEND_CUDA], [
ag_have_cuda=no
ag_why_cuda="argand $PACKAGE_VERSION has no cuda backend yet: its kernel text is generated and compile-checked, but the module that runs it is not there; use --with-backend=opencl for this vendor's devices"])
