#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# solvers.sh -- seconds for 50 iterations of the profiling problem: argand on each device and number
# of threads beside the NumPy transcription, in one run on one machine; medians of REPEAT runs.
#
#     bench/solvers.sh BUILD_FOLDER       PYTHON in the environment needs numpy and h5py; without, no NumPy
set -eu
build=$1
python=${PYTHON:-python3}
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
repeat=${REPEAT:-5} iterations=${ITERATIONS:-50} devices=${DEVICES:-cpu}
ARGAND_BACKEND_PATH=$build/.libs
export ARGAND_BACKEND_PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/argand" simulate -o "$work/scan.cxi" --frame "${FRAME:-128}" --image "${IMAGE:-512}" --points "${POINTS:-200}" | sed "s,^[^ ]* ,,"
[ -z "$python" ] || "$python" -c 'import numpy, h5py' 2>/dev/null || python=''

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) printf "%.4g\n", v[int((NR + 1) / 2)] }'; }
field() { sed -n "s/^ *\"$1\": *\([0-9.e+-]*\).*/\1/p"; }

# argand_once METHOD DEVICE THREADS: seconds of the iterations.  The settings of PtychoEP's profiling
# scripts: storage order, whole positions, the blind methods refine the probe from the start.
argand_once() {
    case $1 in
    pie | raar | ep) refine=-1 ;;
    *) refine=0 ;;
    esac
    case $1 in
    pie) steps='--alpha 0.1 --object-step 1' ;;
    epie) steps='--object-step 0.1 --probe-step 0.1' ;;
    rpie) steps='--alpha 0.1 --object-step 0.1 --probe-step 0.2' ;;
    ep*) steps='--noise-precision 1000 --no-rescale' ;;
    *) steps='--object-inertia 0 --probe-inertia 0' ;;
    esac
    # shellcheck disable=SC2086 # a list of options
    "$build/argand" reconstruct "$work/scan.cxi" -a "$1" -n "$iterations" -q -d "$2" --threads "$3" \
        --no-shuffle --probe-start $refine $steps --json - | field run_seconds
}
numpy_once() {
    [ -n "$python" ] || return 0
    OMP_NUM_THREADS=1 "$python" "$top/bench/peers/numpy_solvers.py" --solver "$1" -n "$iterations" \
        --scan "$work/scan.cxi" --json | tr ',{}' '\n\n\n' | field seconds
}

[ -z "$python" ] || "$python" -c 'import numpy, platform; print("NumPy", numpy.__version__, "Python", platform.python_version())'
"$build/argand" --version
"$build/argand" devices
printf '%d iterations, medians of %d runs, seconds\n' "$iterations" "$repeat"
printf '%-6s %-10s %8s %8s %8s %10s\n' method device numpy 1thread 2threads 'numpy/2thr'
for method in pie epie rpie dm ap raar ep ep-em; do
    for device in $devices; do
        : >"$work/n" && : >"$work/1" && : >"$work/2"
        i=0
        while [ $i -lt "$repeat" ]; do # in turn, so that a drift of the machine meets all alike
            numpy_once $method >>"$work/n"
            argand_once $method "$device" 1 >>"$work/1"
            case $device in cpu*) argand_once $method "$device" 2 >>"$work/2" ;; esac # a GPU has no threads
            i=$((i + 1))
        done
        n=$(median <"$work/n") one=$(median <"$work/1") two=$(median <"$work/2")
        [ -n "$one" ] || exit 1 # argand said why
        echo "$method $device ${n:--} $one ${two:--}" | awk '{
            printf "%-6s %-10s %8s %8s %8s %10s\n", $1, $2, $3, $4, $5, ($3 * $5 ? sprintf("%.1f", $3 / $5) : "-") }'
    done
done
