# SPDX-License-Identifier: BSD-3-Clause
# ag_library.m4 -- one library: by pkg-config where it has a .pc file, else by header and name.

# AG_LIBRARY(NAME, PC-FILES, HEADER, FUNCTION, LIBRARY): sets ag_have_NAME to yes or no and
# substitutes NAME_CFLAGS and NAME_LIBS, which the user may set.  The first of the .pc files
# that exists is taken; a program is linked in any case.
AC_DEFUN([AG_LIBRARY], [
AC_ARG_VAR([$1_CFLAGS], [C compiler flags for $1, instead of what is found])
AC_ARG_VAR([$1_LIBS], [linker flags for $1, instead of what is found])
AC_MSG_CHECKING([for $1])
AS_IF([test -z "$$1_LIBS"], [
    $1_LIBS=-l$5
    for ag_pc in $2; do
        AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists $ag_pc 2>/dev/null], [
            $1_CFLAGS=`$PKG_CONFIG --cflags $ag_pc`
            $1_LIBS=`$PKG_CONFIG --libs $ag_pc`
            break])
    done])
ag_save_CFLAGS=$CFLAGS
ag_save_LIBS=$LIBS
CFLAGS="$CFLAGS $$1_CFLAGS"
LIBS="$$1_LIBS $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>
#include <$3>]], [[void *volatile p = (void *)$4; return !p;]])],
    [ag_have_$1=yes; AC_MSG_RESULT([yes, $$1_LIBS])],
    [ag_have_$1=no; AC_MSG_RESULT([no])])
CFLAGS=$ag_save_CFLAGS
LIBS=$ag_save_LIBS])

# AG_LIBRARY_NEEDED(NAME, DEBIAN, FEDORA): its absence is an error.
AC_DEFUN([AG_LIBRARY_NEEDED], [
AS_IF([test "$ag_have_$1" = no], [
    AS_IF([test -n "$PKG_CONFIG"], [ag_also=], [ag_also='pkg-config and '])
    AC_MSG_ERROR([$1 is missing: install ${ag_also}$2 (Debian, Ubuntu) or ${ag_also}$3 (Fedora), or set $1_CFLAGS and $1_LIBS])])])
