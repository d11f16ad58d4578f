# SPDX-License-Identifier: BSD-3-Clause
# amdgcn.sh -- compiles the HIP text for AMD's architectures with the newest clang; needs no GPU.
#
#     amdgcn.sh [--opencl] SHAPE...       shapes as in nvrtc_check.c, whose lines it prints:
#                                         "ARCHITECTURE SHAPE KERNEL REGISTERS LOCAL PRIVATE"
#
# Text and options are those that hiprtc gets: __HIPCC_RTC__ is defined, HIP's device headers come
# first, AMD's device library is linked in (of that, the file that says which target it is for is
# made here, as an older library has none for the newest).  --opencl: the OpenCL text instead,
# without a library.
# Ends with 77 where something is missing.
set -u
: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
language=HIP
if [ "${1-}" = --opencl ]; then
    language=OpenCL
    shift
fi
skip() {
    echo "skip $language for AMD's GPUs: $*"
    exit 77
}

clang='' newest=14
for name in ${CLANG:-clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15}; do
    version=$("$name" --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\)\..*/\1/p')
    if [ "${version:-0}" -gt "$newest" ]; then
        clang=$name newest=$version
    fi
done
[ -n "$clang" ] || skip "there is no clang 15 or newer (CLANG names one)"
"$clang" -print-targets 2>/dev/null | grep -q amdgcn || skip "$clang cannot compile for AMD's GPUs"

# hip_files: sets `include' and `library', the folders of HIP's headers and AMD's device library.
hip_files() {
    rocm=${ROCM_PATH:-/opt/rocm}
    for include in "$rocm/include" /usr/include ''; do
        [ -f "$include/hip/hip_runtime.h" ] && break
    done
    [ -n "$include" ] || skip "hip/hip_runtime.h is missing (libamdhip64-dev, rocm-hip-devel; see ROCM_PATH)"
    for library in "$rocm/amdgcn/bitcode" /usr/lib/*/amdgcn/bitcode /usr/lib*/clang/*/lib/amdgcn/bitcode \
        /usr/lib*/clang/*/amdgcn/bitcode /usr/lib64/rocm/llvm/lib/clang/*/lib/amdgcn/bitcode ''; do
        [ -f "$library/ocml.bc" ] && break
    done
    [ -n "$library" ] || skip "AMD's device library is missing (rocm-device-libs)"
}
[ $language = OpenCL ] || hip_files

# prepare VERSION WAVEFRONT64: sets `bitcode`, the options that link the device library.
prepare() {
    echo "const __constant int __oclc_ISA_version = $1;" >"$work/version.cl"
    "$clang" -x cl -nogpulib -target amdgcn-amd-amdhsa -c -emit-llvm -o "$work/version.bc" "$work/version.cl" || return
    bitcode="-Xclang -mlink-builtin-bitcode -Xclang $work/version.bc"
    for part in hip ocml ockl oclc_abi_version_500 oclc_correctly_rounded_sqrt_on oclc_daz_opt_off oclc_finite_only_off \
        oclc_unsafe_math_off "oclc_wavefrontsize64_$2"; do
        [ ! -f "$library/$part.bc" ] || # hip.bc is gone from newer ones
            bitcode="$bitcode -Xclang -mlink-builtin-bitcode -Xclang $library/$part.bc"
    done
}

# HIP TARGET, OpenCL TARGET: from the text to the assembler's in $work/out.
OpenCL() {
    cat "$work/shape" "$abs_top_srcdir/generated/kernels.cl" >"$work/kernels.cl"
    "$clang" -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -nogpulib -target amdgcn-amd-amdhsa \
        -mcpu="$1" -O2 -S -o "$work/out" "$work/kernels.cl"
}
HIP() {
    prepare "$2" "$3" || return
    { echo '#include <hip/hip_runtime.h>' && cat "$work/shape" "$abs_top_srcdir/generated/kernels.hip"; } >"$work/kernels.hip"
    # shellcheck disable=SC2086 # a list of options
    "$clang" -x hip --cuda-device-only --offload-arch="$1" -nogpulib -D__HIPCC_RTC__ -std=c++14 \
        --rocm-path="${include%/include}" "-I$include" -mcode-object-version=5 $bitcode \
        -O3 -ffp-contract=fast -S -o "$work/out" "$work/kernels.hip"
}

# figures TARGET SHAPE: from the metadata at the end of the text; local memory that a launch of a HIP kernel
# asks for is from the host's table, which stands before the text.
figures() {
    awk -v at="$1 $2" -v language=$language '$2 == "local" && language == "HIP" { asked[$3] = $4 }
        /^amdhsa.kernels:/ { inside = 1 }
        inside && /^  - / && name != "" { print at, name, registers, local + asked[name], private; name = "" }
        inside && /^    \.name: / { name = $2 }
        inside && /\.vgpr_count: / { registers = $2 }
        inside && /\.group_segment_fixed_size: / { local = $2 }
        inside && /\.private_segment_fixed_size: / { private = $2 }
        inside && /uses_dynamic_stack: *true/ { registers = "unknown: it calls a function" }
        /^amdhsa.target:/ { print at, name, registers, local + asked[name], private; exit }' "$work/shape" "$work/out"
}

echo "compiler clang $("$clang" --version | sed -n 's/.*clang version \([0-9.]*\).*/\1/p')"
failures=0 programs=0 first=''
while read -r target version wavefront64; do
    if ! "$clang" -x cl -nogpulib -target amdgcn-amd-amdhsa -mcpu="$target" -S -o /dev/null /dev/null 2>"$work/log"; then
        echo "skip $target: $clang does not know it: $(head -n 1 "$work/log")"
        continue
    fi
    first=${first:-$target}
    for shape in "$@"; do
        case $shape,$target in
        *s,"$first" | *h,gfx90* | *h,gfx942 | *h,gfx11* | *b,gfx90a | *b,gfx942 | *b,gfx11*) ;;
        *[shb],*) continue ;;
        esac
        "$abs_top_builddir/tests/nvrtc_check" --text "$shape" 65536 >"$work/shape" || exit 99
        programs=$((programs + 1))
        if ! "$language" "$target" "$version" "$wavefront64" >"$work/log" 2>&1; then
            echo "$target $shape: $clang refuses the $language text"
            head -n 40 "$work/log"
            failures=$((failures + 1))
            continue
        fi
        figures "$target" "$shape" >"$work/lines"
        cat "$work/lines"
        # In OpenCL groups cannot wait for one another.
        [ "$language" = HIP ] || sed -i '/AG_KERNEL_visits$/d' "$work/shape"
        if [ "$(grep -c ' [0-9]* [0-9]* [0-9]*$' "$work/lines")" != "$(grep -c AG_KERNEL_ "$work/shape")" ]; then
            echo "$target $shape: there are not figures of each kernel"
            failures=$((failures + 1))
        fi
    done
done <<END
gfx908 9008 on
gfx90a 9010 on
gfx942 9402 on
gfx1030 10300 off
gfx1100 11000 off
gfx1201 12001 off
END
echo "$language: $programs programs, $failures failures"
[ "$failures" = 0 ]
