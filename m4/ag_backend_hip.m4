# SPDX-License-Identifier: BSD-3-Clause
# ag_backend_hip.m4 -- the HIP backend is built anywhere: it opens AMD's runtime and hiprtc at run time.

AC_DEFUN([AG_BACKEND_HIP], [
ag_have_hip=yes
ag_why_hip=])
