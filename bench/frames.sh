#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# frames.sh -- what a frame costs by the number of frames: RAAR with a known probe on the processor.
#
#     bench/frames.sh BUILD_FOLDER [FRAMES ...]      frames of 128 x 128 on an object of 1200 x 1200 or more
#
# Seconds of the first iteration and the median of the others, in microseconds a frame, and MB at the peak and as
# estimated before the start; the number of threads changes within one number of frames, so that both meet the same machine.
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- 500 2000 10000
ARGAND_BACKEND_PATH=$build/.libs
export ARGAND_BACKEND_PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/argand" devices | head -n 1
printf '%7s %7s %7s %7s %8s %7s %9s\n' frames threads first median us/frame peak estimate
for frames; do
    image=$(echo "$frames" | awk '{ n = int(10 * sqrt($1)) + 140; print(n > 1200 ? n : 1200) }') # that holds the spiral
    "$build/argand" simulate -o "$work/scan.cxi" --frame 128 --image "$image" --points "$frames" >/dev/null
    for threads in 1 2; do
        "$build/argand" reconstruct "$work/scan.cxi" -a raar -n "${ITERATIONS:-7}" -q -d cpu --threads $threads --probe-start -1 --json "$work/report"
        sed -n '/"seconds"/,/]/s/^ *\([0-9.e+-]*\),*$/\1/p' "$work/report" >"$work/seconds"
        host() { sed -n "s/^ *\"$1\": *\([0-9]*\).*/\1/p" "$work/report" | tail -n 1; }
        sed 1d "$work/seconds" | sort -g | awk -v frames="$frames" -v threads=$threads -v first="$(head -n 1 "$work/seconds")" \
            -v peak="$(host peak_host_bytes)" -v estimate="$(($(host device_bytes) + $(host host_bytes)))" '{ v[NR] = $1 } END { m = v[int((NR + 1) / 2)]
            printf "%7d %7d %7.3f %7.3f %8.1f %7.0f %9.0f\n", frames, threads, first, m, 1e6 * m / frames, peak / 1e6, estimate / 1e6 }'
    done
    rm -f "$work/scan.cxi"
done
