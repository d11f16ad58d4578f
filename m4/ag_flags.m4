# SPDX-License-Identifier: BSD-3-Clause
# ag_flags.m4 -- compiler flags that the compiler takes.

# AG_FLAGS_TOGETHER(VARIABLE, FLAGS): substitutes VARIABLE, the flags if the compiler takes
# all of them, else nothing.  -Werror because clang only warns of what it does not know.
AC_DEFUN([AG_FLAGS_TOGETHER], [
AC_MSG_CHECKING([whether $CC accepts $2])
ag_save_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $2 -Werror"
AC_LINK_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
    [$1="$2"; AC_MSG_RESULT([yes])],
    [$1=; AC_MSG_RESULT([no])])
CFLAGS=$ag_save_CFLAGS
AC_SUBST([$1])])

# AG_FLAGS(VARIABLE, FLAGS): those of the flags that the compiler takes.
AC_DEFUN([AG_FLAGS], [
$1=
for ag_flag in m4_normalize([$2]); do
    AG_FLAGS_TOGETHER([ag_taken], [$ag_flag])
    $1="$$1${$1:+ }$ag_taken"
done
AC_SUBST([$1])])
