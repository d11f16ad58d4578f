# SPDX-License-Identifier: BSD-3-Clause
# full.sh -- the long checks, one after another, and a table of what each took.
#
#     full.sh PART...          run by `make check-full`, in the build folder
#
# A part that cannot run here says why.  All of them together take at most 3000 s: a part that is
# cut off by that fails, one that cannot begin is listed as such.  With ARGAND_BUDGET (seconds)
# they take at most that, and what does not fit is listed only.
# Each part's output goes to full-PART.log.  AG_SLOW=1 tells the tests that they run under
# something slow, ARGAND_TEST_DEVICES on which devices.
set -u
: "${MAKE:?}" "${LIBTOOL:?}" "${CC:?}" "${AG_BACKENDS:?}" "${abs_top_srcdir:?}"

say() { printf '%s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }

# Every call of a GPU's driver fails in turn, where `make check' takes some.
faults_part() {
    AG_FAULTS_ALL=1 CK_TIMEOUT_MULTIPLIER=10 $MAKE check VERBOSE=1 TESTS=tests/t1_faults
}

# Long runs, killed often.
kills_part() {
    AG_KILLS=200 $MAKE check TESTS=tests/t7_long.sh VERBOSE=1
}

# What `make check' leaves out on HIP where that is CUDA's emulation.
hip_part() {
    case ,$AG_BACKENDS, in
    *,hip,*) ;;
    *) say "SKIP: the hip backend is not built"; return 77 ;;
    esac
    ARGAND_TEST_DEVICES=hip $MAKE check VERBOSE=1 TESTS=tests/t3_solvers
}

# Frames of more than 2^31 elements, in a temporary file of 8.6 GB.
large_part() {
    $MAKE tests/t7_large && tests/t7_large
}

# The kernel tests on oclgrind's device, which watches every access to memory.
oclgrind_part() {
    have oclgrind || { say "SKIP: oclgrind is not installed"; return 77; }
    case ,$AG_BACKENDS, in
    *,opencl,*) ;;
    *) say "SKIP: the opencl backend is not built"; return 77 ;;
    esac
    $MAKE tests/t2_kernels || return 1
    # Its reports are what stands in the error output; --log would begin anew with each device.
    ARGAND_TEST_DEVICES=opencl:0 AG_SLOW=1 CK_TIMEOUT_MULTIPLIER=100 CK_FORK=no \
        oclgrind --data-races --uniform-writes --check-api --local-mem-size 65536 \
        tests/t2_kernels 2>oclgrind.log
    status=$?
    if [ -s oclgrind.log ]; then
        head -n 50 oclgrind.log
        return 1
    fi
    return $status
}

# The tests that Makefile.am names, on the CPU backend.
valgrind_part() {
    have valgrind || { say "SKIP: valgrind is not installed"; return 77; }
    # shellcheck disable=SC2086 # a list of programs
    $MAKE $VALGRIND_TESTS || return 1
    for test in $VALGRIND_TESTS; do
        say "valgrind: $test"
        ARGAND_TEST_DEVICES=cpu AG_SLOW=1 CK_FORK=no OMP_NUM_THREADS=2 \
            $LIBTOOL --mode=execute valgrind --quiet --error-exitcode=9 \
            --leak-check=full --errors-for-leak-kinds=definite "$test" || return 1
    done
}

# The test programs and argand in a build of their own; leaks are valgrind's business.
sanitizers_part() {
    if [ -f "$abs_top_srcdir/config.status" ]; then
        say "SKIP: the source folder is configured; build in a folder of its own"
        return 77
    fi
    mkdir -p sanitizers && cd sanitizers || return 1
    "$abs_top_srcdir/configure" --with-backend=cpu --enable-sanitizers CC="$CC" \
        CFLAGS='-g -O1' || return 1
    # shellcheck disable=SC2016 # for make to expand
    AG_SLOW=1 ASAN_OPTIONS=detect_leaks=0 $MAKE -j "$(getconf _NPROCESSORS_ONLN)" check VERBOSE=1 TESTS='$(sanitizer_tests)'
}

run_part() {
    case $1 in
    check) $MAKE check VERBOSE=1 ;;
    faults) faults_part ;;
    kills) kills_part ;;
    hip) hip_part ;;
    large) large_part ;;
    resources) $MAKE tests/nvrtc_check && "${SHELL:-/bin/sh}" "$abs_top_srcdir/tests/resources.sh" ;;
    gpu) "${SHELL:-/bin/sh}" "$abs_top_srcdir/bench/run-on-gpu.sh" --dry-run --build . full-gpu ;;
    oclgrind) oclgrind_part ;;
    valgrind) valgrind_part ;;
    sanitizers) sanitizers_part ;;
    # What the archive holds, on one device: the build folder's own check has been on all.
    distcheck) ARGAND_TEST_DEVICES=cpu $MAKE distcheck ;;
    *) say "no part is called $1"; return 1 ;;
    esac
}

# A part runs in a shell of its own, which timeout can end.
if [ "${1-}" = --part ]; then
    run_part "$2"
    exit
fi
limit() {
    if have timeout; then
        timeout -k 10 "$@"
    else
        shift
        "$@"
    fi
}

begin=$(date +%s)
status=0
table=''
for part in "$@"; do
    start=$(date +%s)
    left=$((${ARGAND_BUDGET:-3000} - start + begin))
    if [ "$left" -lt 60 ]; then
        result='not run: no time left'
    else
        say "== $part"
        limit "$left" "${SHELL:-/bin/sh}" "$0" --part "$part" >"full-$part.log" 2>&1
        case $? in
        0) result=passed ;;
        77) result="skipped: $(tail -n 1 "full-$part.log")" ;;
        124 | 137)
            result=${ARGAND_BUDGET:+'not finished: no time left'}
            result=${result:-'FAILED: cut off, no time left'}
            ;;
        *) result=FAILED ;;
        esac
        case $result in
        FAILED*)
            status=1
            tail -n 100 "full-$part.log"
            ;;
        *) grep -E '^([A-Z]+: tests/|[0-9]+%: Checks:)' "full-$part.log" ;;
        esac
    fi
    table="$table$(printf '%-12s %6d s   %s' "$part" $(($(date +%s) - start)) "$result")
"
done
printf '\n%s' "$table"
exit $status
