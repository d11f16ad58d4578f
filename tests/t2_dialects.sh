# SPDX-License-Identifier: BSD-3-Clause
# t2_dialects.sh -- compiles the CUDA and HIP text of every kernel for real architectures, and the
# OpenCL text for AMD's; needs compilers, no GPU.  What is missing is skipped with the reason.
set -u
: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
text=$abs_top_srcdir/generated tool=$abs_top_builddir/tests/nvrtc_check
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

# compile WHAT COMMAND...: COMMAND succeeds.
compile() {
    what=$1
    shift
    checks=$((checks + 1))
    if "$@" >"$work/log" 2>&1; then
        echo "ok   $what"
    else
        failures=$((failures + 1))
        echo "FAIL $what"
        head -n 40 "$work/log"
    fi
}

# ---- CUDA ------------------------------------------------------------------------------

"$tool" "$text/kernels.cu" >"$work/cuda"
case $? in
0) checks=$((checks + 1)) ;;
77) ;;
*) checks=$((checks + 1)) failures=$((failures + 1)) ;;
esac
cat "$work/cuda"

# ---- AMD's targets, by clang 15 or newer -------------------------------------------------

clang=
for name in ${CLANG:-clang} clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15; do
    version=$("$name" --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\)\..*/\1/p')
    if [ "${version:-0}" -ge 15 ]; then
        clang=$name
        break
    fi
done

# knows TARGET: clang can compile for it.
knows() {
    "$clang" -x cl -nogpulib -target amdgcn-amd-amdhsa -mcpu="$1" -S -o /dev/null /dev/null \
        >/dev/null 2>&1
}

# hip TARGET FILE, opencl TARGET FILE.  The maths library of the device is left out: whether it
# is installed for a target does not matter here.
hip() {
    "$clang" -x hip --cuda-device-only --offload-arch="$1" --rocm-path="$rocm" -nogpulib \
        -std=c++17 -O2 -S -o /dev/null "$2"
}
opencl() {
    "$clang" -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -nogpulib \
        -target amdgcn-amd-amdhsa -mcpu="$1" -O2 -S -o /dev/null "$2"
}

shapes='128:128:0:49152 131:37:1:49152 131:37:1:1'
for shape in $shapes; do
    # shellcheck disable=SC2046 # four words
    "$tool" --text $(echo "$shape" | tr : ' ') >"$work/$shape" || exit 99
    cat "$work/$shape" "$text/kernels.hip" >"$work/$shape.hip"
    cat "$work/$shape" "$text/kernels.cl" >"$work/$shape.cl"
done

if [ -z "$clang" ]; then
    echo "skip HIP and AMD's OpenCL: there is no clang 15 or newer (CLANG names one)"
else
    echo '#include <hip/hip_runtime.h>' >"$work/empty.hip"
    for rocm in "${ROCM_PATH:-/opt/rocm}" /usr; do
        hip gfx90a "$work/empty.hip" >"$work/log" 2>&1 && break
        rocm=
    done
    if [ -z "$rocm" ]; then
        echo "skip HIP: $clang finds no usable hip/hip_runtime.h (see ROCM_PATH):"
        sed 's/^/skip     /' "$work/log" | head -n 3
    fi
    for target in gfx908 gfx90a gfx942 gfx1030 gfx1100 gfx1201; do
        if ! knows $target; then
            echo "skip $target: $clang does not know it"
            continue
        fi
        for shape in $shapes; do
            case $target in
            gfx908 | gfx90a | gfx1030)
                [ -z "$rocm" ] || compile "$target HIP $shape" hip $target "$work/$shape.hip"
                ;;
            *) compile "$target OpenCL $shape" opencl $target "$work/$shape.cl" ;;
            esac
        done
    done
fi

[ "$checks" != 0 ] || exit 77
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
