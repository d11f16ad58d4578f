# SPDX-License-Identifier: BSD-3-Clause
# t6_infer.sh -- `argand infer` as its users run it: results, reports, precision, memory, bad input.
set -u
: "${abs_top_builddir:?}" "${AG_BACKENDS:?}"
argand=$abs_top_builddir/argand make_net=$abs_top_builddir/tests/make_net
[ -x "$make_net" ] || {
    echo "skip: Check is not installed, whose tests make the checkpoint"
    exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset ARGAND_DEVICE ARGAND_THREADS ARGAND_ISA
: "${ARGAND_BACKEND_PATH:=$abs_top_builddir/.libs}"
export ARGAND_BACKEND_PATH
checks=0 failures=0

# check WHAT: WHAT holds when `list`, what offends, is empty.
check() {
    checks=$((checks + 1))
    if [ -s list ]; then
        failures=$((failures + 1))
        printf 'FAIL %s\n' "$1"
        sed 's/^/    /' list
    else
        printf 'ok   %s\n' "$1"
    fi
}

# run STATUS ARGUMENT...: argand infer, output to `out` and `err`; complaints go to `list`.
run() {
    wanted=$1
    shift
    : >list
    "$argand" infer "$@" >out 2>err
    status=$?
    [ "$status" = "$wanted" ] || {
        echo "exit status $status, expected $wanted: argand infer $*"
        cat err
    } >>list
    ls ./*.part >>list 2>/dev/null
}

# holds FILE TEXT...: complains of each TEXT that FILE lacks.
holds() {
    file=$1
    shift
    for text in "$@"; do
        grep -qF -e "$text" "$file" || {
            echo "no '$text' in:"
            cat "$file"
        } >>list
    done
}

# refuses STATUS WHAT TEXT ARGUMENT...: says TEXT and leaves nothing.
refuses() {
    wanted=$1 what=$2 text=$3
    shift 3
    run "$wanted" "$@"
    holds err "argand infer: " "$text"
    ls -d bad* >>list 2>/dev/null
    check "$what: $(sed -n 's/^argand[^:]*: //p' err | head -n 1 | cut -c 1-100)"
}

# number FILE KEY: a number of a report.
number() { sed -n "s/.*\"$2\": *\([-+.0-9e]*\).*/\1/p" "$1" | head -n 1; }

# within WHAT VALUE LEAST MOST
within() {
    : >list
    awk -v x="$2" -v a="$3" -v b="$4" 'BEGIN { exit !(x != "" && x + 0 >= a + 0 && x + 0 <= b + 0) }' ||
        echo "it is '$2', expected $3 to $4" >list
    check "$1: $2"
}

"$make_net" net.safetensors >made 2>&1 || exit 99
"$argand" simulate -o scan.cxi --frame 32 --image 96 --points 30 >/dev/null || exit 99

# ---- what it leaves ----------------------------------------------------------------------

for device in $(echo "$AG_BACKENDS" | tr ',' ' '); do
    case $device in
    cuda | hip)
        upper=$(echo "$device" | tr '[:lower:]' '[:upper:]')
        eval "[ -n \"\${ARGAND_${upper}_DRIVER-}\" ]" || [ -e /dev/nvidiactl ] || [ -e /dev/kfd ] || {
            echo "skip $device: there is no such device, and no emulated one"
            continue
        } ;;
    esac
    run 0 -m net.safetensors scan.cxi -o "$device.h5" -d "$device" -q --json "$device.json" --png "$device"
    for file in "$device.h5" "$device/object_phase.png" "$device/patch_amplitude.png"; do
        [ -s "$file" ] || echo "no $file" >>list
    done
    holds "$device.json" '"architecture": "Hybrid-ResNet (layout A), 1 patterns a sample"' '"patches_used": '
    check "result, report and pictures on $device"
done

run 0 -m net.safetensors scan.cxi -d cpu --profile --json report.json --batch-size 7 -o seven.h5
holds out encoder_block0 encoder_block2 downsample1 resnet_block0 up1 up2 output_proj
holds err "7 at a time" "MB of activations" " frames, "
check "times of each stage, progress, memory"
sum=$(number report.json sum) whole=$(number report.json end_to_end)
within "the times of the stages add up" "$(awk -v a="$sum" -v b="$whole" 'BEGIN { print a / b }')" 0.95 1.05
within "the printed memory is what the device held at most" \
    "$(awk -v w="$(number report.json weight_bytes)" -v a="$(number report.json activation_bytes)" \
        -v p="$(number report.json peak_device_bytes)" 'BEGIN { print (w + a) / p }')" 0.9 1.1

for precision in fp16 bf16; do
    run 0 -m net.safetensors scan.cxi -d cpu --precision $precision --json $precision.json -o $precision.h5
    holds err "$precision: " "from single precision"
    check "$precision"
done
within "fp16 beside single precision" "$(number fp16.json deviation_from_fp32)" 1e-5 1e-2
within "bf16 beside single precision" "$(number bf16.json deviation_from_fp32)" 1e-4 1e-1

run 0 -m net.safetensors --frames scan.cxi:entry_1/instrument_1/detector_1/data -o alone.h5 -d cpu
holds err "There are no positions" "not put together"
check "frames without positions"

case ,$AG_BACKENDS, in
*,cuda,*)
    if [ -n "${ARGAND_CUDA_DRIVER-}" ]; then
        AG_EMULATE_MEMORY=8 run 0 -m net.safetensors scan.cxi -o halved.h5 -d cuda --batch-size 64
        holds err "no memory for the activations of a net" "going on with 32 samples at a time"
        check "too little memory: the batch is halved"
        run 0 -m net.safetensors scan.cxi -o four.h5 -d cuda --batch-size 4 --png four
        AG_EMULATE_FULL=90 run 0 -m net.safetensors scan.cxi -o full.h5 -d cuda --batch-size 8 --png full
        awk '/^8 of 30 frames/ { some = 1 } /CUDA error 2 .*; going on with 4 samples at a time/ { if (some) said = 1 }
            END { exit !said }' err || cat err >>list
        for file in four/*; do
            cmp "$file" "full/${file#four/}" >>list 2>&1
        done
        if command -v h5diff >/dev/null; then
            h5diff four.h5 full.h5 /entry_1/patches >>list 2>&1
            h5diff four.h5 full.h5 /entry_1/object/data >>list 2>&1
        else
            echo "skip the files' bits: h5diff is not installed"
        fi
        check "no memory left in the middle: the batch is halved, the answer is that of half the batch"
    else
        echo "skip halving of the batch: no emulated GPU"
    fi ;;
*) echo "skip halving of the batch: no emulated GPU" ;;
esac

# ---- what it refuses --------------------------------------------------------------------

refuses 2 "no checkpoint" "--model" scan.cxi -o bad.h5
refuses 2 "no scan" "found 0 file names" -m net.safetensors -o bad.h5
refuses 2 "nothing to leave" "nothing to leave" -m net.safetensors scan.cxi
refuses 2 "unknown precision" "fp32, fp16, bf16" -m net.safetensors scan.cxi -o bad.h5 --precision half
refuses 2 "no batch" "--batch-size" -m net.safetensors scan.cxi -o bad.h5 --batch-size 0
refuses 2 "search for the orientation" "found search" -m net.safetensors scan.cxi -o bad.h5 --orientation search
ARGAND_COOPERATIVE=yes refuses 1 "neither on nor off, of another" 'ARGAND_COOPERATIVE: found "yes", expected on or off' -m net.safetensors scan.cxi -o bad.h5 -d cpu
ARGAND_MATRIX=half refuses 1 "neither on nor off" 'ARGAND_MATRIX: found "half", expected on or off' -m net.safetensors scan.cxi -o bad.h5 -d cpu
refuses 2 "over the scan" "which the scan is read from" -m net.safetensors scan.cxi -o scan.cxi
refuses 2 "over the checkpoint" "which is the checkpoint" -m net.safetensors scan.cxi -o net.safetensors
refuses 1 "no such checkpoint" "none.safetensors" -m none.safetensors scan.cxi -o bad.h5
refuses 1 "a scan for a checkpoint" "no safetensors file" -m scan.cxi scan.cxi -o bad.h5
refuses 1 "sides that do not fit" "expected sides that 4 divides" -m net.safetensors scan.cxi -o bad.h5 --side 30
refuses 1 "frames of another size" "expected 64 x 64" -m net.safetensors scan.cxi -o bad.h5 --side 64
refuses 1 "too large a centre" "--trim" -m net.safetensors scan.cxi -o bad.h5 --trim 40
"$make_net" less.safetensors resnet.blocks.0.block.5.weight >made 2>&1 || exit 99
refuses 1 "a tensor is missing" "no tensor resnet.blocks.0.block.5.weight" -m less.safetensors scan.cxi -o bad.h5
head -c 20000 net.safetensors >cut.safetensors
refuses 1 "truncated checkpoint" "cut.safetensors: tensor" -m cut.safetensors scan.cxi -o bad.h5

printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' $(((checks - failures) * 100 / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
