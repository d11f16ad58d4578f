# SPDX-License-Identifier: BSD-3-Clause
# ag_isa.m4 -- one instruction set that the C kernels have an instance for.

# AG_ISA(NAME, VARIABLE, FLAGS, DEFINE): substitutes VARIABLE and sets the automake condition
# and the C macro DEFINE where the compiler takes the flags, which it does for its own
# processor only.
AC_DEFUN([AG_ISA], [
AG_FLAGS_TOGETHER([$2], [$3])
AS_IF([test -n "$$2"], [ag_isas="$ag_isas $1"
    AC_DEFINE([$4], [1], [Define to 1 where the kernels have an instance for $1.])])
AM_CONDITIONAL([$4], [test -n "$$2"])])
