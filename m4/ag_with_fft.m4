# SPDX-License-Identifier: BSD-3-Clause
# ag_with_fft.m4 -- --with-fft: libraries that may transform in place of the kernels, a module for each
# library and backend.

# AG_FFT_COMPILES(NAME, FLAGS, LIBS, HEADERS AND CODE): whether such a module would link.
AC_DEFUN([AG_FFT_COMPILES], [
AC_MSG_CHECKING([for $1])
ag_save_CPPFLAGS=$CPPFLAGS
ag_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $2"
LIBS="$3 $LIBS"
AC_LINK_IFELSE([AC_LANG_SOURCE([$4])], [ag_have=yes], [ag_have=no])
CPPFLAGS=$ag_save_CPPFLAGS
LIBS=$ag_save_LIBS
AC_MSG_RESULT([$ag_have])])

# AG_FFT_MODULE(NAME, BACKEND, HAVE, WHY): a module of a library that was asked for, where its backend is
# built; WHY is kept where it cannot be.
AC_DEFUN([AG_FFT_MODULE], [
AS_CASE([",$AG_BACKENDS,"],
    [*",$2,"*], [AS_IF([test "$3" = yes],
        [AG_FFTS=$AG_FFTS${AG_FFTS:+,}$1_$2 ag_served=yes],
        [ag_missing="$ag_missing; for $2: $4"])],
    [ag_missing="$ag_missing; the backend $2 is not built (--with-backend)"])])

# VkFFT for one backend: its header compiled with what the backend's own toolkit has.
AC_DEFUN([AG_FFT_VKFFT], [
AG_FFT_COMPILES([VkFFT for $1], [$VKFFT_CFLAGS $3 -DVKFFT_BACKEND=$2], [$4 $LIBM], [[
#include <vkFFT.h>
int main(void) { VkFFTApplication a = {0}; VkFFTConfiguration c = {0}; return initializeVkFFT(&a, c); }]])
AG_FFT_MODULE([vkfft], [$1], [$ag_have], [$5])])

AC_DEFUN([AG_WITH_FFT], [
AC_ARG_WITH([fft],
    [AS_HELP_STRING([--with-fft=LIST],
        [libraries that may transform instead of the kernels, comma separated: fftw (cpu), clfft (opencl),
         vkfft (opencl, cuda, hip), cufft (cuda), or "all" of them, or "auto", those that are found;
         default: none])],
    [], [with_fft=none])
AC_ARG_WITH([vkfft],
    [AS_HELP_STRING([--with-vkfft=DIR], [the folder of vkFFT.h])],
    [AS_IF([test ! -f "$withval/vkFFT.h"], [AC_MSG_ERROR([--with-vkfft: there is no $withval/vkFFT.h])])
    VKFFT_CFLAGS="-isystem $withval"], [VKFFT_CFLAGS=])
AS_CASE([$with_fft],
    [no | none], [ag_asked=],
    [all | auto | yes], [ag_asked="fftw clfft cufft vkfft"],
    [ag_asked=`AS_ECHO(["$with_fft"]) | tr ',' ' '`])
AG_FFTS=
ag_cuda=${CUDA_PATH:-/usr/local/cuda}
CUDART_CFLAGS="-I$ag_cuda/include"
CUDART_LIBS="-L$ag_cuda/lib64 -L$ag_cuda/lib64/stubs -lcudart -lnvrtc -lcuda"
HIPRT_CFLAGS="-I${ROCM_PATH:-/opt/rocm}/include -D__HIP_PLATFORM_AMD__ -D__HIP_PLATFORM_HCC__"
HIPRT_LIBS="-L${ROCM_PATH:-/opt/rocm}/lib -lamdhip64"
for ag_name in $ag_asked; do
    ag_served=no ag_missing=
    AS_CASE(["$ag_name,$AG_FFTS"], [*",${ag_name}_"*], [continue])
    AS_CASE([$ag_name],
        [fftw], [AG_LIBRARY([FFTW], [fftw3f], [fftw3.h], [fftwf_plan_dft_2d], [fftw3f])
            AG_FFT_MODULE([fftw], [cpu], [$ag_have_FFTW],
                [install libfftw3-dev (Debian, Ubuntu) or fftw-devel (Fedora), or set FFTW_CFLAGS and FFTW_LIBS])],
        [clfft], [AG_LIBRARY([CLFFT], [clFFT], [clFFT.h], [clfftSetup], [clFFT])
            AG_FFT_MODULE([clfft], [opencl], [$ag_have_CLFFT],
                [install libclfft-dev (Debian, Ubuntu), or set CLFFT_CFLAGS and CLFFT_LIBS])],
        [cufft], [AG_FFT_MODULE([cufft], [cuda], [yes], [])],
        [vkfft], [
            AG_FFT_VKFFT([opencl], [3], [$OPENCL_CFLAGS], [$OPENCL_LIBS],
                [vkFFT.h is missing: install libvkfft-dev (Debian, Ubuntu), or give --with-vkfft=DIR])
            AG_FFT_VKFFT([cuda], [1], [$CUDART_CFLAGS], [$CUDART_LIBS],
                [vkFFT.h (see --with-vkfft), or the headers and libraries of the CUDA toolkit in CUDA_PATH, are missing])
            AG_FFT_VKFFT([hip], [2], [$HIPRT_CFLAGS], [$HIPRT_LIBS],
                [vkFFT.h (see --with-vkfft), or the headers and libraries of ROCm in ROCM_PATH, are missing])],
        [AC_MSG_ERROR([no library of transforms is called "$ag_name"; known are fftw, clfft, cufft, vkfft, or one of all, auto, none])])
    ag_missing=`AS_ECHO(["$ag_missing"]) | $SED 's/^; //'`
    AS_IF([test $ag_served = no && test "$with_fft" != auto], [AC_MSG_ERROR([--with-fft: $ag_name cannot be built: $ag_missing])])
    AS_IF([test -n "$ag_missing"], [AC_MSG_NOTICE([--with-fft: $ag_name: $ag_missing])])
done
AC_SUBST([AG_FFTS])
AC_SUBST([VKFFT_CFLAGS])
AC_SUBST([CUDART_CFLAGS])
AC_SUBST([CUDART_LIBS])
AC_SUBST([HIPRT_CFLAGS])
AC_SUBST([HIPRT_LIBS])
AC_DEFINE_UNQUOTED([AG_FFTS_BUILT], ["$AG_FFTS"],
    [The modules of libraries that transform, as name_backend; the code uses AG_FFTS.])
m4_foreach_w([ag_module], [fftw_cpu clfft_opencl cufft_cuda vkfft_opencl vkfft_cuda vkfft_hip],
    [AS_CASE([",$AG_FFTS,"], [*",ag_module,"*], [ag_build=yes], [ag_build=no])
    AM_CONDITIONAL([FFT_]m4_toupper(ag_module), [test $ag_build = yes])
])])
