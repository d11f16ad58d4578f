#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run-on-gpu.sh -- everything that needs a GPU, in one call of at most ten minutes: builds, runs the tests on
# each GPU backend, measures kernels, solvers and nets, and runs the kernels under compute-sanitizer.
#
#     bench/run-on-gpu.sh [--dry-run] [--prefix DIR] [--build DIR] [--budget SECONDS] [OUT]
#
#     --dry-run   the same steps on the emulated GPU, at small sizes; so also where there is no GPU
#     --prefix    a folder with what this machine lacks (bin, include, lib, lib/pkgconfig): libraries with
#                 their headers, NVRTC, compute-sanitizer
#     --build     where to build (build-gpu); a build that is there is brought up to date
#     --budget    seconds in all (570; for a dry run, which is slow, 2850)
#     OUT         where logs and tables go (results in the build folder); the tables are also put into
#                 bench/results/DEVICE, but for a dry run's
#
# Needs neither git nor a network.  What is missing is named, and the rest goes on without it.  Ends with 0
# where all that ran passed, 1 where a part failed, was cut off or nothing could be built, 2 for a wrong call.
set -u
self=$0

say() { printf '%s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# ---- the parts; each runs in a shell of its own, which timeout can end ----------------------------

# Brings the build up to date, its test programs too where Check is there.
part_build() {
    cd "$top" || return 1
    if [ ! -f "$build/config.status" ]; then
        if [ -f config.status ]; then
            say "the source folder is configured itself: run make distclean there, or name its copy"
            return 1
        fi
        if [ ! -f configure ] || [ ! -f Makefile.in ]; then
            autoreconf -fi || return 1
        fi
        mkdir -p "$build" && cd "$build" || return 1
        "$top/configure" --with-backend=all || "$top/configure" --with-backend=cuda,hip,cpu || return 1
    fi
    cd "$build" || return 1
    $MAKE -j "$processors" all || return 1
    if grep -q '^S\["HAVE_CHECK_TRUE"\]=""' config.status; then
        $MAKE -j "$processors" check TESTS=
    else
        # Only what needs no Check: HIP's runtime on CUDA's, or the emulation.
        $MAKE tests/emulated_cuda.la tests/hip_on_cuda.la
    fi
}

# On one device: the tests that run there, or all of them on the first.
part_tests() {
    [ -x tests/t2_kernels ] || { say "no Check: the tests were not built"; return 77; }
    # shellcheck disable=SC2016 # for make to expand
    case $dry,$1 in
    yes,*)
        AG_SLOW=1 && export AG_SLOW
        set -- "$1" TESTS='tests/t1_device tests/t2_kernels tests/t3_solvers'
        ;;
    no,"${devices%% *}") set -- "$1" ;;
    *) set -- "$1" TESTS='$(device_tests)' ;;
    esac
    ARGAND_TEST_DEVICES=$1
    export ARGAND_TEST_DEVICES
    shift
    $MAKE -j "$processors" check "$@"
    status=$?
    mkdir -p "$out/tests-$ARGAND_TEST_DEVICES"
    cp tests/*.log "$out/tests-$ARGAND_TEST_DEVICES/"
    return "$status"
}

part_kernels() {
    [ -x bench/kernels ] || { say "no Check: bench/kernels was not built"; return 77; }
    frames=256 small='' # making the arrays takes the time: other sizes on the first device alone
    [ "$1" != "${devices%% *}" ] || frames='256 128 512'
    [ "$dry" = no ] || frames=16 small='--pixels 1 --repeat 1'
    for frame in $frames; do
        # shellcheck disable=SC2086 # a list of options
        bench/kernels -d "$1" --frame "$frame" $small --json "$out/kernels-$1-$frame.json" || return 1
    done >"$out/kernels-$1.txt"
}

# Seconds of whole reconstructions, where they went, and what a launch for each position costs.
part_solvers() {
    set -- "$1" 128 512 200 50 '--problems profile,10000x128,2000x256 --repeat 3'
    [ "$dry" = no ] || set -- "$1" 16 40 6 2 '--problems 6x16 --repeat 1 -n 2'
    python=${PYTHON:-python3}
    if have "$python"; then
        # shellcheck disable=SC2086 # a list of options
        "$python" "$top/bench/solvers.py" "$build" --devices "$1" --peers cupy $6 >"$out/solvers-$1.txt" || return 1
    else
        say "no $python: bench/solvers.py did not run"
    fi
    ./argand simulate -o "$out/scan.cxi" --frame "$2" --image "$3" --points "$4" >/dev/null || return 1
    for how in 'rpie --batch 1' 'rpie --batch 4' 'dm --batch 1'; do
        say "$how"
        # shellcheck disable=SC2086 # a list of options
        ./argand reconstruct "$out/scan.cxi" -d "$1" -n "$5" -q --profile -a $how || return 1
    done >"$out/profile-$1.txt"
    # An iteration as one launch whose groups wait for one another, and as a replayed recording: the same bits.
    for how in epie rpie; do
        for together in on off on off; do
            seconds=$(ARGAND_COOPERATIVE=$together ./argand reconstruct "$out/scan.cxi" -d "$1" -n "$5" -q -a "$how" --subpixel none \
                --probe-start 0 --json - | sed -n 's/^ *"run_seconds": *\([0-9.e+-]*\).*/\1/p')
            [ -n "$seconds" ] || return 1
            echo "$how $together $seconds" | awk -v visits=$(($4 * $5)) '{
                printf "%s, cooperative launches %s: %.2f us a position\n", $1, $2, 1e6 * $3 / visits }'
        done
    done >"$out/positions-$1.txt"
}

# Nets beside PyTorch, where Python has it, in single precision and 16 bits.
part_nets() {
    python=${PYTHON:-python3}
    "$python" -c 'import numpy' 2>/dev/null || { say "$python has no numpy (PYTHON names another)"; return 77; }
    small=''
    [ "$dry" = no ] || small='--side 8 --batches 1 --repeat 1 --nets A'
    for how in 'fp32 on' 'fp16 on' 'bf16 on' 'fp16 off'; do
        say "matrix units ${how#* }"
        # shellcheck disable=SC2086 # a list of options
        ARGAND_MATRIX=${how#* } "$python" "$top/bench/nets.py" "$build" --device "$1" --precision "${how% *}" \
            --stages --costs 67,3.35 $small || return 1
    done >"$out/nets-$1.txt"
}

# The kernel tests at small sizes, watched by one of compute-sanitizer's tools.
part_sanitizer() {
    [ -n "$sanitizer" ] || { say "compute-sanitizer is missing"; return 77; }
    [ "$dry" = no ] || { say "compute-sanitizer needs a GPU"; return 77; }
    [ -x tests/t2_kernels ] || { say "no Check: the tests were not built"; return 77; }
    ARGAND_TEST_DEVICES=cuda AG_SLOW=1 CK_FORK=no CK_TIMEOUT_MULTIPLIER=100 abs_top_srcdir=$top \
        "$sanitizer" --tool "$1" --error-exitcode 9 tests/t2_kernels
}

if [ "${1-}" = --part ]; then
    part=$2
    shift 2
    [ "$part" = build ] || cd "$build" || exit 1
    case $part in
    build) part_build ;;
    tests) part_tests "$1" ;;
    kernels) part_kernels "$1" ;;
    solvers) part_solvers "$1" ;;
    nets) part_nets "$1" ;;
    sanitizer) part_sanitizer "$1" ;;
    esac
    exit
fi

# ---- the call ----------------------------------------------------------------------------------------

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dry=no prefix='' build=build-gpu out='' budget=''
usage() {
    sed -n 's/^# *\(bench.run-on-gpu.sh .*\)/usage: \1/p' "$self" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry=yes ;;
    --prefix | --build | --budget)
        [ $# -ge 2 ] || usage
        case $1 in
        --prefix) prefix=$2 ;;
        --build) build=$2 ;;
        --budget) budget=$2 ;;
        esac
        shift
        ;;
    -*) usage ;;
    *)
        [ -z "$out" ] || usage
        out=$1
        ;;
    esac
    shift
done
case $budget in *[!0-9]*) usage ;; esac
self=$top/bench/run-on-gpu.sh
folder() { mkdir -p "$1" && CDPATH='' cd -- "$1" && pwd; }
build=$(folder "$build") && out=$(folder "${out:-$build/results}") || exit 1
nvidia=no amd=no
[ ! -e /dev/nvidiactl ] || nvidia=yes
[ ! -e /dev/kfd ] || amd=yes
if [ $nvidia,$amd = no,no ] && [ "$dry" = no ]; then
    say "There is no GPU (neither /dev/nvidiactl nor /dev/kfd): a dry run on the emulated one."
    dry=yes
fi
patience=1
[ $dry = no ] || patience=5
budget=${budget:-$((570 * patience))}
if [ -n "$prefix" ]; then
    prefix=$(CDPATH='' cd -- "$prefix" && pwd) || exit 2
    PATH=$prefix/bin:$PATH
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$prefix/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    CPPFLAGS="-I$prefix/include ${CPPFLAGS-}"
    LDFLAGS="-L$prefix/lib -Wl,-rpath,$prefix/lib ${LDFLAGS-}"
    LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export PATH PKG_CONFIG_PATH CPPFLAGS LDFLAGS LD_LIBRARY_PATH
fi
MAKE=${MAKE:-make}
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
sanitizer=$(PATH=$PATH:${CUDA_PATH:-/usr/local/cuda}/bin command -v compute-sanitizer)
ARGAND_BACKEND_PATH=$build/.libs
XDG_CACHE_HOME=$out/cache
POCL_CACHE_DIR=$XDG_CACHE_HOME/pocl
if [ $dry = yes ]; then
    ARGAND_CUDA_DRIVER=$build/tests/.libs/emulated_cuda.so
    ARGAND_CUDA_COMPILER=$ARGAND_CUDA_DRIVER
    export ARGAND_CUDA_DRIVER ARGAND_CUDA_COMPILER
fi
if [ $amd = no ] || [ $dry = yes ]; then
    ARGAND_HIP_DRIVER=$build/tests/.libs/hip_on_cuda.so
    export ARGAND_HIP_DRIVER
fi
export top dry build out MAKE processors sanitizer ARGAND_BACKEND_PATH XDG_CACHE_HOME POCL_CACHE_DIR
mkdir -p "$POCL_CACHE_DIR"

# ---- what is missing here ------------------------------------------------------------------------------

# lacks WHAT CONSEQUENCE COMMAND...: says so unless COMMAND succeeds.
lacks() {
    what=$1 consequence=$2
    shift 2
    "$@" >/dev/null 2>&1 && return 1
    say "missing: $what: $consequence"
}
# header NAME PACKAGE: the compiler finds it.
# shellcheck disable=SC2046,SC2086,SC2317 # lists of flags; called by lacks
header() { echo "#include <$1>" | ${CC:-cc} ${CPPFLAGS-} $(pkg-config --cflags "$2" 2>/dev/null) -E -; }
# library NAME: the loader has it, or the toolkit's folder or that of --prefix.
# shellcheck disable=SC2317
library() {
    for folder in ${prefix:+"$prefix/lib"} "${CUDA_PATH:-/usr/local/cuda}/lib64" "${ROCM_PATH:-/opt/rocm}/lib"; do
        ls "$folder/$1"* 2>/dev/null && return
    done
    ldconfig -p | grep "$1"
}
{
    compiler=${CC:-cc}
    for name in "${compiler%% *}" "$MAKE" pkg-config; do
        lacks "$name" "nothing can be built (gcc, make, pkg-config)" have "$name"
    done
    [ -f "$top/configure" ] || lacks "configure, and autoreconf that makes it" "nothing can be built (autoconf, automake, libtool)" have autoreconf
    [ -d "$top/generated" ] || lacks "the generated kernels, and m4 that makes them" "nothing can be built (m4)" have m4
    for pair in hdf5.h:hdf5 jansson.h:jansson png.h:libpng; do
        lacks "${pair%:*}" "the library cannot be built without it; --prefix may bring it (libhdf5-dev, libjansson-dev, libpng-dev)" \
            header "${pair%:*}" "${pair#*:}"
    done
    lacks check.h "no tests, no bench/kernels, no sanitizers; the solvers are measured all the same (check)" header check.h check
    lacks CL/cl.h "OpenCL is left out (opencl-headers, ocl-icd-opencl-dev)" header CL/cl.h OpenCL
    [ -n "$(ls /etc/OpenCL/vendors/*.icd 2>/dev/null)" ] || say "missing: an OpenCL driver (/etc/OpenCL/vendors/*.icd): OpenCL is left out"
    [ $nvidia = no ] || lacks NVRTC "CUDA cannot compile (it comes with the CUDA toolkit; CUDA_PATH, or lib of --prefix)" library libnvrtc.so
    [ $amd = no ] || lacks hiprtc "HIP cannot compile (it comes with ROCm; ROCM_PATH)" library libhiprtc.so
    [ $nvidia = no ] || [ -n "$sanitizer" ] || say "missing: compute-sanitizer: no memcheck, racecheck, initcheck (it comes with the CUDA toolkit)"
} >"$out/missing.txt"
cat "$out/missing.txt"

# ---- one part after another -----------------------------------------------------------------------------

begin=$(date +%s)
failed=0
: >"$out/times.txt"

# part NAME SECONDS FUNCTION ARGUMENT...: for at most so long; its output is NAME.log.
part() {
    name=$1 most=$(($2 * patience))
    shift 2
    start=$(date +%s)
    left=$((budget - start + begin))
    [ "$most" -lt "$left" ] || most=$left
    if [ "$most" -lt 5 ]; then
        result='NOT RUN: no time left'
        failed=1
    else
        say "== $name"
        if have timeout; then
            timeout -k 5 "$most" "${SHELL:-/bin/sh}" "$self" --part "$@" >"$out/$name.log" 2>&1
        else
            "${SHELL:-/bin/sh}" "$self" --part "$@" >"$out/$name.log" 2>&1
        fi
        case $? in
        0) result=passed ;;
        77) result="skipped: $(tail -n 1 "$out/$name.log")" ;;
        124 | 137) result="FAILED: cut off after $most s" failed=1 ;;
        *) result=FAILED failed=1 ;;
        esac
        case $result in
        FAILED*) tail -n 40 "$out/$name.log" ;;
        esac
    fi
    printf '%-24s %5d s   %s\n' "$name" $(($(date +%s) - start)) "$result" | tee -a "$out/times.txt"
}

devices=''
export devices
part build 240 build
if [ $failed = 0 ]; then
    "$build/argand" devices >"$out/devices.txt"
    cat "$out/devices.txt"
    # A line with a device that cannot be used has no number.
    usable() { grep -q "^$1:[0-9]" "$out/devices.txt"; }
    for name in cuda hip opencl; do
        case $name,$nvidia,$amd,$dry in
        cuda,no,*,no) continue ;; # an AMD machine: nothing is emulated there
        opencl,*,yes) continue ;;
        esac
        if usable $name; then
            devices="$devices${devices:+ }$name"
        else
            say "not usable: $(grep "^$name" "$out/devices.txt")"
        fi
    done
    [ -n "$devices" ] || { say "No GPU backend can be used." && failed=1; }
    for name in $devices; do part "kernels-$name" 60 kernels "$name"; done
    for name in $devices; do part "solvers-$name" 60 solvers "$name"; done
    for name in $devices; do part "nets-$name" 60 nets "$name"; done
    for name in $devices; do part "tests-$name" 180 tests "$name"; done
    case " $devices " in
    *' cuda '*) for tool in memcheck racecheck initcheck; do part "$tool" 60 sanitizer $tool; done ;;
    esac
fi

say
cat "$out/missing.txt" "$out/times.txt"
say "$(($(date +%s) - begin)) s in all; logs and tables: $out"
if [ "$dry" = no ] && [ -n "$devices" ]; then
    words=$(sed -n "s/^${devices%% *}:0 *\([^,]*\).*/\1/p" "$out/devices.txt" | tr -cs '[:alnum:]\n' '-')
    results=$top/bench/results/${words:-unknown}
    mkdir -p "$results" && cp "$out"/*.txt "$out"/*.json "$results/" 2>/dev/null && say "tables: $results"
fi
exit $failed
