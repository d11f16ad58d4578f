# SPDX-License-Identifier: BSD-3-Clause
# t2_dialects.sh -- compiles the CUDA and HIP text of every kernel for real architectures, and the
# OpenCL text for AMD's; needs compilers, no GPU.  What is missing is skipped with the reason.
set -u
: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
checks=0 failures=0

# compile COMMAND...: what it prints are figures of each kernel, and its words where one is refused.
compile() {
    "$@" >"$log" 2>&1
    status=$?
    cat "$log"
    [ $status != 77 ] || return
    checks=$((checks + 1))
    [ $status = 0 ] || failures=$((failures + 1))
}

# A power of two and Bluestein's algorithm; tiles that do not fit in local memory; matrix units.  `make check-full' has more.
set -- 128x37l 131x128ls 8x8h 8x8b
compile "$abs_top_builddir/tests/nvrtc_check" "$abs_top_srcdir/generated/kernels.cu" "$@"
compile sh "$abs_top_srcdir/tests/amdgcn.sh" "$@"
compile sh "$abs_top_srcdir/tests/amdgcn.sh" --opencl 128x128

[ "$checks" != 0 ] || exit 77
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
