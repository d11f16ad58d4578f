# SPDX-License-Identifier: BSD-3-Clause
# ag_backend_hip.m4 -- the HIP backend: in this version only its kernel text exists.

AC_DEFUN([AG_BACKEND_HIP], [
ag_have_hip=no
ag_why_hip="argand $PACKAGE_VERSION has no hip backend yet: its kernel text is generated and compile-checked, but the module that runs it is not there; use --with-backend=opencl for this vendor's devices"])
