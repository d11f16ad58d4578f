# SPDX-License-Identifier: BSD-3-Clause
# ag_prog_m4.m4 -- GNU m4, which a tarball does not need: it has the generated files.

AC_DEFUN([AG_PROG_M4], [
AC_ARG_VAR([M4], [GNU m4, which generates the kernels])
AC_CHECK_PROGS([M4], [gm4 m4 gnum4], [false])
AC_MSG_CHECKING([whether $M4 is GNU m4])
# Pasted in the shell, because autoconf would expand the word.
ag_word=m4
AS_IF([test "x`echo "${ag_word}_len(argand)" | $M4 -P 2>/dev/null`" = x6],
    [AC_MSG_RESULT([yes]); ag_m4_words=$M4],
    [AC_MSG_RESULT([no]); ag_m4_words="none, as generated in the tarball"
     AS_IF([test ! -f "$srcdir/generated/kernels.c"],
        [AC_MSG_ERROR([GNU m4 is missing: install m4 (Debian, Ubuntu, Fedora), or set M4])])])])
