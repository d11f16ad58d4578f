# SPDX-License-Identifier: BSD-3-Clause
# ag_with_backend.m4 -- --with-backend: which backends are built, and in which order devices are tried.

# A backend is known here by its name and by AG_BACKEND_NAME, which sets ag_have_NAME to yes or
# no and ag_why_NAME to what an error says.
AC_DEFUN([AG_WITH_BACKEND], [
AC_ARG_WITH([backend],
    [AS_HELP_STRING([--with-backend=LIST],
        [backends, comma separated, in the order in which a device is looked for:
         cpu (always there), opencl, cuda, hip; or "all" of them, or "auto" (default): the CPU,
         then opencl where it is found. cuda and hip need no toolkit to be built])],
    [], [with_backend=auto])
AG_BACKEND_OPENCL
AG_BACKEND_CUDA
AG_BACKEND_HIP
ag_have_cpu=yes

AS_CASE([$with_backend],
    [auto | yes], [ag_asked=cpu
        AS_IF([test $ag_have_opencl = yes], [ag_asked="$ag_asked opencl"])],
    [all], [ag_asked="cpu opencl cuda hip"],
    [ag_asked=`AS_ECHO(["$with_backend"]) | tr ',' ' '`])

AC_MSG_CHECKING([for the backends])
AG_BACKENDS=
for ag_name in $ag_asked cpu; do
    AS_CASE([$ag_name],
        [cpu | opencl | cuda | hip], [],
        [AC_MSG_ERROR([no backend is called "$ag_name"; known are cpu, opencl, cuda, hip, or one of all, auto])])
    AS_CASE([",$AG_BACKENDS,"], [*",$ag_name,"*], [continue])
    eval "ag_have=\$ag_have_$ag_name ag_why=\$ag_why_$ag_name"
    AS_IF([test "$ag_have" != yes], [AC_MSG_ERROR([$ag_why])])
    AG_BACKENDS=$AG_BACKENDS${AG_BACKENDS:+,}$ag_name
done
AC_MSG_RESULT([$AG_BACKENDS])
AC_SUBST([AG_BACKENDS])
AC_DEFINE_UNQUOTED([AG_BACKENDS_BUILT], ["$AG_BACKENDS"],
    [The backends that are built, in order; the code uses AG_BACKENDS.])
for ag_name in opencl cuda hip; do
    AS_CASE([",$AG_BACKENDS,"], [*",$ag_name,"*], [ag_build=yes], [ag_build=no])
    eval "ag_build_$ag_name=\$ag_build"
done
AM_CONDITIONAL([BACKEND_OPENCL], [test $ag_build_opencl = yes])
AM_CONDITIONAL([BACKEND_CUDA], [test $ag_build_cuda = yes])
AM_CONDITIONAL([BACKEND_HIP], [test $ag_build_hip = yes])
AM_CONDITIONAL([BACKEND_GPU], [test $ag_build_cuda = yes || test $ag_build_hip = yes])])
