# SPDX-License-Identifier: BSD-3-Clause
# t6_bench.sh -- bench/kernels and bench/solvers.py at tiny sizes, so that they cannot rot: every kernel on the
# processor, some on the other devices; what they print adds up.
set -u
: "${abs_top_builddir:?}" "${AG_BACKENDS:?}"
bench=$abs_top_builddir/bench/kernels
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

# check WHAT COMMAND...: COMMAND succeeds.
check() {
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
tiny() { "$bench" --frame 16 --pixels 1 --repeat 1 "$@"; }
usage() {
    "$bench" "$@"
    [ $? = 2 ]
}
lists() {
    [ "$(sed -n 's/^ *"kernel": "\(.*\)".*/\1/p' "$work/json" | sort | tr '\n' ' ')" = "$* " ]
}
# Every time and amount of memory is a number above 0.
positive() {
    awk -F '[:,]' '/"(seconds|bytes|items)"/ { n++; if (!($2 + 0 > 0)) bad = 1 } END { exit bad || !n }' "$work/json"
}

check "every kernel on cpu" tiny -d cpu --json "$work/json"
# shellcheck disable=SC2046 # a list of names
check "each has its line, but those that C lacks" \
    lists $(sed -n 's/^    AG_KERNEL_\(.*\),$/\1/p' "${abs_top_srcdir:?}/generated/kernels.h" | grep -v '^whole_\|^visits$' | sort)
check "each took time and moved bytes" positive
for device in $(echo "${ARGAND_TEST_DEVICES:-$AG_BACKENDS}" | tr ',' ' '); do
    [ "$device" != cpu ] || continue
    check "two kernels on $device" tiny -d "$device" --json "$work/json" modulus object_step
    check "they and what measures the device" lists copy modulus multiply_add object_step
    check "each took time and moved bytes on $device" positive
done
check "bilinear windows" tiny -d cpu --linear load_exit
check "a kernel that is not there" usage -d cpu nothing
check "a size that is none" usage --frame 1
check "help" "$bench" --help
if command -v python3 >/dev/null 2>&1; then
    check "bench/solvers.py" python3 "$abs_top_srcdir/bench/solvers.py" "$abs_top_builddir" --problems 6x16 \
        --methods pie,dm --threads 1 --peers none --repeat 1 -n 2
else
    echo "skip bench/solvers.py: no python3"
fi

printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
