# SPDX-License-Identifier: BSD-3-Clause
# t6_program.sh -- the program as its users run it: commands, files, devices, bad input.
set -u
: "${abs_top_builddir:?}" "${AG_BACKENDS:?}"
argand=$abs_top_builddir/argand make_scan=$abs_top_builddir/tests/make_scan
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
mkdir empty
unset ARGAND_DEVICE ARGAND_THREADS ARGAND_ISA OMP_NUM_THREADS
: "${ARGAND_BACKEND_PATH:=$abs_top_builddir/.libs}"
export ARGAND_BACKEND_PATH
checks=0 failures=0 limit=''

have() { command -v "$1" >/dev/null 2>&1; }

# check WHAT FILE: WHAT holds when FILE, a list of what offends, is empty.
check() {
    checks=$((checks + 1))
    if [ -s "$2" ]; then
        failures=$((failures + 1))
        printf 'FAIL %s\n' "$1"
        sed 's/^/    /' "$2"
    else
        printf 'ok   %s\n' "$1"
    fi
}

# run STATUS ARGUMENT...: runs argand, output to `out` and `err`; complaints go to `list`.
# With `limit` set, no file may grow beyond so many blocks.
run() {
    wanted=$1
    shift
    : >list
    (
        [ -z "$limit" ] || ulimit -f "$limit"
        exec "$argand" "$@"
    ) >out 2>err
    status=$?
    [ "$status" = "$wanted" ] || {
        echo "exit status $status, expected $wanted: argand $*"
        cat err
    } >>list
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

# works WHAT ARGUMENT...: argand ends with 0 and leaves nothing unfinished.
works() {
    what=$1
    shift
    run 0 "$@"
    ls ./*.part >>list 2>/dev/null
    check "$what" list
}

# refuses STATUS WHAT TEXTS ARGUMENT...: argand says TEXTS (separated by |) on one line that
# begins with its name, and leaves neither bad.cxi nor anything unfinished.
refuses() {
    wanted=$1 what=$2 texts=$3
    shift 3
    run "$wanted" "$@"
    [ "$(grep -c '^argand' err)" = 1 ] || { echo "expected one message:"; cat err; } >>list
    ! grep -q '^iteration' err || echo "found out only after the run" >>list
    [ ! -s out ] || { echo "found on the standard output:"; cat out; } >>list
    old=$IFS IFS='|'
    # shellcheck disable=SC2086 # a list of texts
    holds err $texts
    IFS=$old
    ls -d bad* ./*.part >>list 2>/dev/null
    check "$what: $(sed -n 's/^argand[^:]*: //p' err | cut -c 1-110)" list
}

# number FILE KEY: a number of a report.
number() { sed -n "s/.*\"$2\": *\([-+.0-9e]*\).*/\1/p" "$1" | head -n 1; }

# below WHAT VALUE LIMIT
below() {
    : >list
    awk -v x="$2" -v y="$3" 'BEGIN { exit !(x != "" && x + 0 <= y + 0) }' || echo "it is '$2'" >list
    check "$1: $2, at most $3" list
}

# ---- commands and their options ----------------------------------------------------------

works "--help" --help
holds out devices info convert simulate infer reconstruct bench "--version"
check "--help names the commands" list
works "--version" --version
for command in devices info convert simulate infer reconstruct bench; do
    works "$command --help" "$command" --help
    holds out "Usage: argand $command" "-h, --help" "Exit status"
    check "$command --help explains" list
    refuses 2 "$command, wrong option" "argand $command: |--wrong" "$command" --wrong
done
run 2
check "no command" list
refuses 2 "unknown command" 'found "invent"' invent

"$make_scan" good scan.cxi || exit 99
refuses 2 "devices with a name" '"cpu"' devices cpu
refuses 2 "info without a file" "found 0 file names" info
refuses 2 "info with two files" "found 2 file names" info scan.cxi scan.cxi
refuses 2 "simulate without -o" "--output" simulate
refuses 2 "simulate with a file name" '"scan.cxi"' simulate -o bad.cxi scan.cxi
refuses 2 "simulate, no number" '--frame|"ten"|whole number' simulate -o bad.cxi --frame ten
refuses 2 "simulate, frame larger than the image" "simulation" simulate -o bad.cxi --frame 64 --image 32
refuses 2 "simulate, focus too near" "undersampled|(M = 2e+04)" simulate -o bad.cxi --frame 32 --image 64 --focus-distance 1e-4
refuses 2 "reconstruct without a scan" "found 0 file names" reconstruct -o bad.cxi
refuses 2 "reconstruct without an output" "--output|--png|--json|--profile" reconstruct scan.cxi
refuses 2 "option without a value" "-n: found no value" reconstruct scan.cxi -o bad.cxi -n
refuses 2 "value without need" "--quiet=3" reconstruct scan.cxi -o bad.cxi --quiet=3
refuses 2 "negative iterations" '--iterations|"-1"' reconstruct scan.cxi -o bad.cxi -n -1
refuses 2 "number with a tail" '--alpha|"0.5x"' reconstruct scan.cxi -o bad.cxi --alpha 0.5x
refuses 2 "number that is none" '--beta|"nan"' reconstruct scan.cxi -o bad.cxi --beta nan
refuses 2 "number out of range" '--object-step|"11"|0 to 10' reconstruct scan.cxi -o bad.cxi --object-step 11
refuses 2 "unknown sub-pixel method" '--subpixel|"best"|fourier' reconstruct scan.cxi -o bad.cxi --subpixel best
refuses 2 "unknown data type" '--data-type|"half"|float32, uint16' reconstruct scan.cxi -o bad.cxi --data-type half
refuses 2 "focus at the sample" '--focus-distance|"0"|metres from 1e-09 to 10000' reconstruct scan.cxi -o bad.cxi --focus-distance 0
refuses 2 "unknown orientation" '--orientation|"left"|swap-flip-rows' info scan.cxi --orientation left
refuses 2 "unknown algorithm" '--algorithm|"magic"|rpie' reconstruct scan.cxi -o bad.cxi -a magic
refuses 2 "unknown library of transforms" '--fft|"magic"|fused' reconstruct scan.cxi -o bad.cxi --fft magic -d cpu
refuses 2 "convert without files" "found no file names" convert
refuses 2 "convert without an output" "found 0 file names" convert scan.cxi
refuses 2 "convert onto the scan" "scan.cxi, which the scan is read from" convert scan.cxi ./scan.cxi
for command in info convert reconstruct; do
    [ "$command" = info ] && output='' || output=bad.cxi
    [ "$command" = reconstruct ] && output="-o $output"
    # refused EXPECTED OPTION VALUE
    refused() {
        # shellcheck disable=SC2086 # no output, an output, an option and an output
        refuses 2 "$command $2 $3" "$2: found \"$3\", expected|$1" "$command" "$2" "$3" scan.cxi $output
    }
    refused "keV up to 10000" --energy 88000
    refused "a unit as in 48mm" --distance 5furlong
    refused "a unit as in 75um" --pixel 75
    refused "rows and columns" --pixel 75um,80um,3
    refused "rows, cols" --flip columns
    refused "m, mm, um, nm or px" --position-unit inch
    refused "counts, amplitudes" --values phases
    refused "centre, corner" --zero middle
    refused "row and column" --centre 64
    refused "whole numbers from 2 on" --crop 1
    refused "whole numbers from 2 on" --crop 12,12.5
    refused "1 to 4096" --bin 0
done
works "convert" convert scan.cxi copy.cxi
works "convert of what convert wrote" convert copy.cxi again.cxi
: >list
cmp copy.cxi again.cxi >>list 2>&1
check "convert changes nothing in its own files" list
run 0 info copy.cxi
sed 1d out >other
run 0 info scan.cxi
sed 1d out | diff - other | grep -v 'basis_vectors' | grep '^[<>]' >>list
check "info says the same of a scan and its copy" list
works "reconstruct with input options" reconstruct scan.cxi --select 0:12 --crop 12 --bin 2 --swap \
    --flip rows -d cpu -n 1 -q --json cut.json
holds cut.json '"positions": 12' '"crop": "12"' '"swap": true' '"flip": "rows"'
check "the report has the input options" list
refuses 1 "batch larger than the scan" "batch|found 17|16" reconstruct scan.cxi -o bad.cxi --batch 17 -d cpu -q

# ---- devices ---------------------------------------------------------------------------------

works "devices" devices
holds out "cpu  "
for name in $(echo "$AG_BACKENDS" | tr ',' ' '); do holds out "$name"; done
check "devices lists every backend of this build" list

# The first device of each backend, unless others are asked for.
devices=''
for device in $(echo "${ARGAND_TEST_DEVICES:-$AG_BACKENDS}" | tr ',' ' '); do
    case $device in
    cpu | *:*) ;;
    *) device=$device:0 ;;
    esac
    if "$argand" devices | grep "^$device " | grep -qv 'not usable'; then
        devices="$devices $device"
    else
        echo "skip $device: $("$argand" devices | grep "^${device%:*}")"
    fi
done

# ---- from a simulation to pictures -------------------------------------------------------------

keys='program version algorithm device plan iterations positions frame modes seconds error
    relative_l2 r_factor run_seconds frames_per_second ns_per_pixel peak_device_bytes
    peak_host_bytes estimate signal options'

# is_report FILE: complains unless it is one JSON object with the documented keys.
is_report() {
    for key in $keys; do holds "$1" "\"$key\":"; done
    [ "$(head -c 1 "$1")" = '{' ] || echo "$1 does not begin with a brace" >>list
    if have python3; then python3 -m json.tool "$1" >json 2>&1 || cat json >>list; fi
}

# is_png FILE...
is_png() {
    for file in "$@"; do
        [ "$(od -A n -t x1 -N 8 "$file" 2>&1 | tr -d ' ')" = 89504e470d0a1a0a ] ||
            echo "$file is no PNG file" >>list
    done
}

works "simulate" simulate --frame 32 --image 96 --points 40 --step 3 -o sim.cxi
works "info" info sim.cxi
holds out "40 of 32 x 32 pixels" "96 x 96 pixels" "photon energy" "overlap"
check "info tells the simulated geometry" list
works "info --json" info --json sim.cxi
for key in file frames frame detector_pixel_m distance_m wavelength_m object_pixel_m object \
    position_span_px window_overlap counts_total centre_offset_px masked_pixels warnings; do
    holds out "\"$key\":"
done
if have python3; then python3 -m json.tool out >json 2>&1 || cat json >>list; fi
check "info --json has its keys" list
works "simulate with noise" simulate --frame 32 --image 96 --points 20 --photons 1e5 --seed 3 -o noisy.cxi
works "simulate with noise, again" simulate --frame 32 --image 96 --points 20 --photons 1e5 --seed 3 -o again.cxi
cmp noisy.cxi again.cxi >list 2>&1
check "equal seeds make equal scans" list
have python3 || echo "skip the parse of JSON: there is no python3"

# emulated DEVICE: it is a thousand times slower than a GPU.
emulated() { "$argand" devices | grep "^$1 " | grep -q emulated; }

works "simulate, small" simulate --frame 16 --image 48 --points 9 --step 2 -o small.cxi
for device in $devices; do
    sim=sim.cxi n=6 more=4
    if emulated "$device"; then sim=small.cxi n=3 more=2; fi
    works "$device: reconstruct" reconstruct $sim -n $n -d "$device" -o one.cxi --png "png-$device" --json one.json
    holds err "iteration $n of $n" "relative_l2"
    check "$device: progress" list
    is_report one.json
    holds one.json "\"device\": \"$device\"" "\"iterations\": $n"
    check "$device: the report has its keys" list
    is_png "png-$device/object_amplitude.png" "png-$device/object_phase.png" "png-$device/probe.png" \
        "png-$device/error.png"
    check "$device: pictures" list
    works "$device: --start" reconstruct $sim -n $more -d "$device" --start one.cxi -o two.cxi --json two.json -q
    [ ! -s err ] || { echo "--quiet says:"; cat err; } >list
    check "$device: --quiet" list
    below "$device: --start goes on from there, relative_l2" "$(number two.json relative_l2)" \
        "$(number one.json relative_l2)"
    works "$device: an output may replace its start" reconstruct $sim -n 0 -d "$device" --start two.cxi -o two.cxi --json zero.json -q
    awk -v x="$(number zero.json relative_l2)" -v y="$(number two.json relative_l2)" \
        'BEGIN { if (x == "" || x - y > 1e-6 || y - x > 1e-6) print x, y }' >list
    check "$device: no iteration changes nothing" list
done
run 0 reconstruct sim.cxi -n 6 -d cpu -q -o one.cxi
cp one.cxi start.cxi

if have h5ls; then
    h5ls -r one.cxi >tree 2>&1
    : >list
    holds tree /entry_1/object/data /entry_1/probe/data /entry_1/positions/corner_px /entry_1/history/error \
        /entry_1/process_1/options
    check "h5ls finds the fields of a result" list
else
    echo "skip h5ls reads a result: it is not installed"
fi
if have h5dump; then
    h5dump -d /entry_1/process_1/options -d /entry_1/object/data one.cxi >dump 2>&1 || cat dump >list
    holds dump subpixel 'DATASPACE  SIMPLE { ( 1, 96, 96 )'
    check "h5dump reads a result" list
else
    echo "skip h5dump reads a result: it is not installed"
fi

for fft in fused $("$argand" devices | sed -n '/^cpu/,/^[^c ]/s/^ *--fft \([a-z]*\) .*/\1/p'); do
    run 0 reconstruct sim.cxi -n 3 -d cpu --fft "$fft" --json "$fft.json" -q
    case $fft in
    fused) holds "$fft.json" '"plan": "passes3 ' ;;
    *) holds "$fft.json" "\"plan\": \"$fft rows " ;;
    esac
    awk -v x="$(number "$fft.json" relative_l2)" -v y="$(number fused.json relative_l2)" \
        'BEGIN { if (x == "" || x - y > 1e-4 || y - x > 1e-4) print x, y }' >>list
    check "--fft $fft: relative_l2 $(number "$fft.json" relative_l2)" list
done
run 0 reconstruct sim.cxi -n 2 -d cpu --json -
is_report out
check "--json - writes the report alone to the standard output" list
run 0 reconstruct sim.cxi -n 3 -d cpu --profile -q
holds out GFLOP/s detector load_exit update other
awk '$1 == "detector" || $1 == "object" || $1 == "probe" || $1 == "error" || $1 == "other" ||
    $1 == "illumination" { t += $(NF - ($1 == "other" ? 4 : 5)) } $1 == "all" { a = $2 }
    END { if (!(a > 0) || t < 0.99 * a || t > 1.01 * a) print "the steps are " t " s of " a }' out >>list
check "--profile is a table, and the steps make up the whole" list
run 0 reconstruct sim.cxi -n 2 -d cpu -a dm --profile --json - -q
holds err modulus_dm
is_report out
holds out '"profile":' '"other_seconds":' '"kernel": "modulus_dm"' '"step": "detector"'
check "--profile is part of the report, the table then goes to the standard error" list
run 0 reconstruct sim.cxi -n 2 -d cpu --json /dev/null -q
[ -c /dev/null ] || echo "/dev/null is a device no more" >>list
check "--json may be a device" list
for algorithm in pie epie rpie dm ap raar; do
    run 0 reconstruct sim.cxi -a "$algorithm" -n 3 -d cpu --json report -q
    holds report "\"algorithm\": \"$algorithm\""
    check "$algorithm: relative_l2 $(number report relative_l2) after 3 iterations" list
done

# ---- near field, orientation --------------------------------------------------------------------

works "near field: simulate" simulate --near-field --frame 32 --image 96 --points 40 --step 3 -o near.cxi
works "near field: info" info near.cxi
holds out "near field" magnification "focus to sample" "N pixel^2 / (wavelength distance) 4"
check "near field: info tells it" list
run 0 info near.cxi --json
holds out '"geometry": "near field"' '"focus_distance_m": 0.' '"magnification": 181'
check "near field: info --json" list
for algorithm in pie epie rpie dm ap raar; do
    run 0 reconstruct near.cxi -a "$algorithm" -n 20 -d cpu --json report -q -o near-result.cxi
    below "near field: $algorithm, relative_l2 after 20 iterations" "$(number report relative_l2)" 0.1
done
run 0 reconstruct near.cxi -n 2 -d cpu --json two.json -q
for device in $devices; do
    run 0 reconstruct near.cxi -n 2 -d "$device" --json other.json -q
    awk -v x="$(number two.json relative_l2)" -v y="$(number other.json relative_l2)" \
        'BEGIN { if (x == "" || y == "" || x - y > 1e-5 || y - x > 1e-5) print x, y }' >>list
    check "near field: $device agrees with cpu" list
done

# ---- plans that are measured ---------------------------------------------------------------------

# entry PLAN ROWS COLS [MODES]: of this processor; wisdom ENTRY...: a file of them.
hardware=$("$argand" devices 2>/dev/null | sed -n 's/^cpu  *//p')
tile=$(case $hardware in *avx512*) echo 16 ;; *avx2*) echo 8 ;; *) echo 4 ;; esac)
entry() {
    printf '{"backend": "cpu", "device": "%s", "rows": %s, "cols": %s, "modes": %s, "plan": "%s"}' "$hardware" "$2" "$3" "${4:-1}" "$1"
}
wisdom() { (IFS=,; printf '{"argand_wisdom": 1, "plans": [%s]}\n' "$*") >wisdom.json; }
refuses 2 "bench without tune" 'found "", expected tune' bench
refuses 2 "bench of something else" 'found "paint", expected tune' bench paint
for size in 1 16385 16x 12x1 x8 8x8x8 -8 ten; do
    refuses 2 "bench tune $size" 'expected N or ROWSxCOLS, each from 2 to 16384' bench tune -o bad.json -- $size
done
refuses 2 "bench tune, a gain that is none" '--gain|"100"' bench tune 8 --gain 100
refuses 2 "bench tune, no repeats" '--repeat|"0"' bench tune 8 --repeat 0
refuses 1 "bench tune, a device that is none" 'device "gpu"' bench tune 8 -d gpu -o bad.json
refuses 1 "bench tune, no such folder" "cannot be written" bench tune 8 -d cpu -o nowhere/bad.json
cp scan.cxi kept.cxi
refuses 2 "bench tune onto a scan" "scan.cxi: found no JSON in line 1" bench tune 8 -d cpu -o scan.cxi
cmp scan.cxi kept.cxi >>list 2>&1
check "bench tune leaves a file alone that is none of its own" list
works "bench tune" bench tune 16 12x20 11 -d cpu --repeat 2 --frames 2 --orders 3 -o tuned.json
holds out "16 x 16" "12 x 20" "11 x 11" "gain, %"
holds tuned.json '"argand_wisdom": 1' '"plans": ['
check "bench tune prints a table and writes a file" list
for device in $devices; do
    works "bench tune on $device" bench tune 8 -d "$device" --repeat 1 --frames 1 --orders 1 --gain 99
    holds out " 8 x 8 " "the table's"
    check "bench tune on $device prints what stays" list
done
# What is known of other devices and sizes stays; what does not beat the table's goes, also what once did.
wisdom "$(entry "passes3 rows 12=3.4 cols 20=5.4 tile $tile" 12 20)" "$(entry 'any' 99 20)" \
    '{"backend": "cuda", "device": "X", "rows": 12, "cols": 20, "modes": 1, "plan": "y", "note": [7]}'
run 0 bench tune 12x20 -d cpu --repeat 1 --frames 1 --orders 1 --gain 99 -o wisdom.json
holds wisdom.json '"rows": 99' '"cuda"' '"note"'
[ "$(grep -c '"rows"' wisdom.json)" = 2 ] || cat wisdom.json >>list
check "bench tune keeps what it did not measure" list

run 0 reconstruct scan.cxi -n 4 -d cpu -q --json usual.json
rows=$(sed -n 's/.*passes3 rows \([0-9]*\)=.*/\1/p' usual.json) other=$(sed -n 's/.*"\(passes3 .*\)".*/\1/p' usual.json)
case $rows in
16) new=4.4 ;;
32) new=2.4.4 ;;
64) new=4.4.4 ;;
*) new=none && echo "frames of $rows rows" >>list ;;
esac
new="passes3 rows $rows=$new cols $rows=$new tile $tile"
[ "$new" != "$other" ] || echo "both are $new" >>list
check "the test knows another plan than $other" list
wisdom "$(entry "$new" "$rows" "$rows")" "$(entry "passes3 rows 8=8 cols 8=8 tile $tile" 8 8)"
run 0 reconstruct scan.cxi -n 4 -d cpu --json wise.json --wisdom wisdom.json --checkpoint wise.check -o wise.cxi
holds wise.json "\"plan\": \"$new\"" '"devices_with_a_plan": 1' '"file": "wisdom.json"'
! grep -q 'has no plan' err || cat err >>list
awk -v x="$(number usual.json relative_l2)" -v y="$(number wise.json relative_l2)" \
    'BEGIN { if (x == "" || y == "" || x - y > 1e-5 || y - x > 1e-5) print x, y }' >>list
check "--wisdom: its plan is taken, said, and agrees with the usual one" list
run 0 reconstruct scan.cxi -n 6 -d cpu -q --json whole.json --wisdom wisdom.json
run 0 reconstruct scan.cxi -n 6 -d cpu -q --json resumed.json --wisdom wisdom.json --resume wise.check
[ "$(number whole.json relative_l2)" = "$(number resumed.json relative_l2)" ] || echo "another relative_l2" >>list
check "--wisdom: a run that resumes with it is the run" list
refuses 1 "--wisdom: a run that resumes without it" "checkpoint/plan" reconstruct scan.cxi -n 6 -d cpu -q --resume wise.check -o bad.cxi
wisdom "$(entry "$new" "$rows" "$rows" 3)" "$(entry "passes3 rows 8=8 cols 8=8 tile $tile" 8 8)"
run 0 reconstruct scan.cxi -n 1 -d cpu --json none.json --wisdom wisdom.json
holds err "wisdom.json: has no plan for cpu" "frames of $rows x $rows" "the usual one is taken"
holds none.json "\"plan\": \"$other\"" '"devices_with_a_plan": 0'
check "--wisdom: that it has no plan is said" list
run 0 reconstruct scan.cxi -n 1 -m 3 -d cpu,cpu -q --json three.json --wisdom wisdom.json
holds three.json "\"plan\": \"$new\"" '"devices_with_a_plan": 2'
check "--wisdom: modes count, each device takes its own" list

# What a file of plans may not be.  hostile WHAT TEXTS: refused with wisdom.json.
hostile() { refuses 2 "--wisdom: $(echo "$1" | cut -c 1-70)" "wisdom.json: $2" reconstruct scan.cxi -q -d cpu -o bad.cxi --wisdom wisdom.json; }
good=$(entry "$new" "$rows" "$rows")
refuses 1 "--wisdom: none there" "none.json2: cannot be opened" reconstruct scan.cxi -d cpu -o bad.cxi --wisdom none.json2
refuses 2 "--wisdom with a library" "--fft fftw, expected --fft fused" reconstruct scan.cxi -d cpu -o bad.cxi --wisdom wisdom.json --fft fftw
refuses 2 "--wisdom as the output" "which is the wisdom" reconstruct scan.cxi -d cpu -o wisdom.json --wisdom wisdom.json
: >wisdom.json
hostile "empty" "found no JSON in line 1"
printf '\001\000\377' >wisdom.json
hostile "bytes" "found no JSON in line 1"
head -c 100000 /dev/zero | tr '\0' '[' >wisdom.json
hostile "a deep one" "found no JSON"
echo '[]' >wisdom.json
hostile "a list" "argand_wisdom: found nothing, expected 1"
echo '{"argand_wisdom": 2, "plans": []}' >wisdom.json
hostile "of another version" "argand_wisdom: found 2, expected 1"
echo '{"argand_wisdom": 1, "plans": {}}' >wisdom.json
hostile "without a list" "plans: found {}, expected a list"
wisdom "$good" 7
hostile "an entry that is none" "plans[1]: found 7, expected an object"
for field in backend device plan rows cols modes; do
    wisdom "$good" "$(entry any 9 9 | sed "s/\"$field\"/\"not\"/")"
    hostile "without $field" "plans[1]/$field: found nothing, expected"
done
wisdom "$(entry "$new" '"64"' "$rows")"
hostile "a size that is a text" 'plans[0]/rows: found "64", expected a whole number'
wisdom "$(entry "$new" 1e9 "$rows")"
hostile "a size that is no whole number" 'plans[0]/rows: found 1'
wisdom "$good" "$good"
hostile "two plans for one" "plans[1]: found the device and frame of plans[0], expected one"
# bad PLAN TEXTS: the plan of this device and frame is wrong.
bad() {
    wisdom "$(entry "$1" "$rows" "$rows")"
    hostile "$1" "plans[0]/plan$2"
}
bad "" ': found "", expected passes1 or passes3'
bad "passes3 rows 8=8 cols 8=8 tile $tile" ": found one for frames of 8 x 8, expected $rows x $rows"
bad "passes3 rows $rows=4 cols $rows=4.4 tile $tile" ", rows: found radices whose product is 4, expected $rows"
bad "passes3 rows $rows=4.6 cols $rows=4.4 tile $tile" ", rows: found a radix of 6, expected 2, 3, 4, 5, 7, 8 or 16"
bad "passes3 rows $rows=4.7 cols $rows=4.4 tile $tile" ", rows: found radices whose product is 28, expected $rows"
bad "$(echo "$new" | sed 's/tile .*/tile 32/')" ", tile: found 32 columns, expected $tile on this device"
bad "$(echo "$new" | sed 's/passes3/passes1/')" ": found \"passes1"
bad "$new spill" ": found|expected \"$new\" on this device"
bad "$(head -c 5000 /dev/zero | tr '\0' p)" ": found 5000 characters, expected at most 159"
bad '\u001b[2J' ": found the byte 27"

# ---- several devices -----------------------------------------------------------------------------

rm -f both
for options in '-a dm -n 4' '-a rpie --batch 8 -n 3' '-a lsqml -n 3' '-a dm:3:position-start=1,ap:2'; do
    # shellcheck disable=SC2086 # a list of options
    for device in cpu cpu,cpu; do
        run 0 reconstruct scan.cxi $options -d $device --json $device.json -q -o $device.cxi --preview $device.d --every 2
        cat list >>both
    done
    mv both list
    awk -v x="$(number cpu.json relative_l2)" -v y="$(number cpu,cpu.json relative_l2)" \
        'BEGIN { if (x == "" || y == "" || x - y > 1e-5 || y - x > 1e-5) print x, y }' >>list
    holds cpu,cpu.json '"device": "cpu,cpu"'
    [ -s cpu,cpu.d/probe.png ] || echo "no pictures" >>list
    check "two devices: $options" list
done
refuses 1 "two devices: one is unknown" '"nix"' reconstruct scan.cxi -d cpu,nix -q -o bad.cxi
refuses 2 "two devices: one has no name" "--device|cpu," reconstruct scan.cxi -d cpu, -q -o bad.cxi
refuses 2 "two devices: memory" "--memory|--device" reconstruct scan.cxi -d cpu,cpu -q -o bad.cxi --memory 2G
refuses 2 "--position-method" "--position-method|gradient|correlation" reconstruct scan.cxi --position-method guess -o bad.cxi
refuses 2 "--phase-most" "--phase-most|-3.14159 to 3.14159" reconstruct scan.cxi --phase-most 4 -o bad.cxi
refuses 1 "--phase-least alone" "phase least|phase most" reconstruct scan.cxi --phase-least 0.5 -d cpu -q -o bad.cxi
refuses 1 "--probe-centre" "probe centre|dm keeps waves" reconstruct scan.cxi -a dm --probe-centre 2 -d cpu -q -o bad.cxi
refuses 1 "--probe-centre, near field" "probe centre|near field" reconstruct near.cxi --probe-centre 2 -d cpu -q -o bad.cxi
works "constraints" reconstruct scan.cxi -n 3 -d cpu -q -o kept.cxi --probe-power 1e3 --probe-centre 1 --object-smoothing 0.05 \
    --smoothing-period 2 --phase-least=-1 --phase-most 1 --saturation 1e9 --position-start 1 --position-method correlation

refuses 1 "--background-start" "background start|rpie" reconstruct scan.cxi --background-start 0 -d cpu -q -o bad.cxi
refuses 2 "--background-period" "--background-period|1 to" reconstruct scan.cxi -a raar --background-period 0 -d cpu -q -o bad.cxi
works "background" reconstruct scan.cxi -a raar --background-start 0 --background-period 2 -n 3 -d cpu -q -o ground.cxi
if have h5ls; then
    h5ls -r ground.cxi >tree 2>&1
    holds tree "/entry_1/instrument_1/detector_1/background Dataset {"
    check "background: it is in the result" list
fi

refuses 1 "--residuals" "residuals|dm is neither" reconstruct scan.cxi -a dm --residuals 1 -d cpu -q -o bad.cxi
run 0 reconstruct scan.cxi -a rpie:2,ap:4:residuals=2,raar:3:residuals=1 -d cpu -o far.cxi --json far.json
holds err ", residuals 0."
sed -n '/_residual"/,/]/p' far.json >whole.list
[ "$(grep -c null whole.list)" = 8 ] && [ "$(grep -c '0\.' whole.list)" = 10 ] || cat whole.list >>list # those of rpie and two of ap
run 0 reconstruct scan.cxi -a rpie:2,ap:4:residuals=2,raar:1:residuals=1 -d cpu --checkpoint residuals.check -q --json /dev/null
run 0 reconstruct scan.cxi -a rpie:2,ap:4:residuals=2,raar:3:residuals=1 -d cpu --resume residuals.check -q --json far.json
sed -n '/_residual"/,/]/p' far.json | cmp - whole.list >>list 2>&1
check "residuals: said, kept by a checkpoint, in the report" list
if have h5ls; then
    h5ls -r far.cxi >tree 2>&1
    holds tree "/entry_1/history/modulus_residual Dataset {9}" "/entry_1/history/overlap_residual Dataset {9}"
    check "residuals: they are in the result" list
fi

# ---- probe modes ----------------------------------------------------------------------------------

# powers REPORT: each mode's part of the power, in per cent.
powers() {
    sed -n '/"mode_powers"/,/]/s/^ *\([0-9.e+-]*\),*$/\1/p' "$1" | awk '{ v[NR] = $1; s += $1 }
        END { for (i = 1; i <= NR; i++) printf "%s%.0f", (i > 1 ? " " : ""), 100 * v[i] / s }'
}
works "modes: simulate" simulate --frame 32 --image 96 --points 60 --step 3 -m 3 --mode-share 0.4 -o light.cxi
works "modes: those of the start" reconstruct light.cxi -a dm -n 60 -d cpu -q --json report -o three.cxi --png three
[ "$(powers report)" = "60 27 13" ] || { echo "found:"; powers report; } >>list
[ -s three/probe.png ] && [ -s three/probe_mode3.png ] || echo "pictures are missing" >>list
check "modes: three are found" list
below "modes: relative_l2 of three" "$(number report relative_l2)" 0.02
if have h5ls; then
    h5ls -r three.cxi >tree 2>&1
    holds tree "/entry_1/probe/data      Dataset {3, 32, 32}" "/entry_1/probe/power     Dataset {3}"
    check "modes: the result has three and their powers" list
fi
works "modes: fewer than the start's" reconstruct light.cxi -a dm -n 60 -d cpu --json report -m 1
holds err "warning: 1 of 3 probe modes are used"
awk -v x="$(number report relative_l2)" 'BEGIN { if (!(x > 0.05)) print x }' >>list
check "modes: one does not explain the light of three" list
works "modes: more than the start's" reconstruct sim.cxi -n 3 -d cpu --json report -m 4 -q --orthogonalise 2 --data-type uint16
holds report '"data_type": "uint16"'
[ "$(powers report | wc -w)" = 4 ] || { echo "found:"; powers report; } >>list
check "modes: four in the report" list
works "modes: a result is a start" reconstruct light.cxi --start three.cxi -n 2 -d cpu -q --json report -o again.cxi
[ "$(powers report | wc -w)" = 3 ] || { echo "found:"; powers report; } >>list
check "modes: three in the report" list
run 0 reconstruct light.cxi -m 2 -a ap:3,rpie:4 --no-shuffle -d cpu -q -o whole.cxi --json /dev/null
run 0 reconstruct light.cxi -m 2 -a ap:3,rpie:2 --no-shuffle -d cpu -q --checkpoint modes.check --json /dev/null
run 0 reconstruct light.cxi -m 2 -a ap:3,rpie:4 --no-shuffle -d cpu -q --resume modes.check -o parts.cxi --json /dev/null
if have h5diff; then
    h5diff whole.cxi parts.cxi /entry_1/probe/data >>list 2>&1
    h5diff whole.cxi parts.cxi /entry_1/probe/power >>list 2>&1
fi
check "modes: a run that resumes has the same" list
# Batches of frames that lie together, or apart, are those of where the stage began.
for batches in uniform compact; do
    chain=rpie:3:position-start=0:position-limit=3,lsqml
    run 0 reconstruct light.cxi -a $chain:3:batch=7:batches=$batches -d cpu -q -o whole.cxi --json /dev/null
    run 0 reconstruct light.cxi -a $chain:2:batch=7:batches=$batches -d cpu -q --checkpoint positions.check --json /dev/null
    run 0 reconstruct light.cxi -a $chain:3:batch=7:batches=$batches -d cpu -q --resume positions.check -o parts.cxi --json /dev/null
    if have h5diff; then
        h5diff whole.cxi parts.cxi /entry_1/object/data >>list 2>&1
        h5diff whole.cxi parts.cxi /entry_1/positions/corner_px >>list 2>&1
    fi
    check "positions: a run that resumes in a stage of $batches batches has the same" list
done
works "spectrum: a probe dark where the mean frame is" reconstruct light.cxi -m 2 -a raar:3,rpie:2 --probe-spectrum mask --spectrum-least 0.02 -d cpu -q -o dark.cxi
{
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (32, 32), }"
    head -c 1024 /dev/zero | tr '\0' d
} >even.npy
works "spectrum: of a file" reconstruct light.cxi -m 2 -n 3 --probe-spectrum intensity --spectrum-from even.npy -d cpu -q -o even.cxi
refuses 2 "spectrum: nobody takes the image" "with it --probe-spectrum" reconstruct light.cxi --spectrum-from even.npy -d cpu -q -o bad.cxi
refuses 1 "spectrum: an image of another size" "(96, 96), expected (32, 32)" reconstruct light.cxi --probe-spectrum mask --spectrum-from \
    light.cxi:entry_1/image_1/data -d cpu -q -o bad.cxi
works "opr: eigen-probes of two modes" reconstruct light.cxi -m 2 -a lsqml --opr-modes 2 --opr-start 1 --opr-intensity -n 4 -d cpu -q -o varied.cxi
if have h5ls; then
    h5ls -r varied.cxi >tree 2>&1
    holds tree "/entry_1/probe/eigen_probes Dataset {2, 32, 32}" "/entry_1/probe/eigen_weights Dataset {60, 3}"
    check "opr: the result has them and each frame's weights" list
fi
refuses 1 "opr: rpie does not know it" "opr modes: found 2|lsqml may" reconstruct light.cxi --opr-modes 2 -d cpu -q -o bad.cxi
refuses 1 "modes: others than those of the checkpoint" "modes.check" reconstruct light.cxi -m 3 -a ap:3,rpie:4 \
    --no-shuffle -d cpu -q --resume modes.check -o bad.cxi
refuses 1 "modes: PtychoEP knows one" "modes: found 3|ep knows" reconstruct light.cxi -a ep -d cpu -q -o bad.cxi
refuses 1 "modes: DM keeps waves" "orthogonalise: found 2|dm keeps" reconstruct light.cxi -a dm --orthogonalise 2 -d cpu -q -o bad.cxi
refuses 2 "modes: none" "--modes: found" reconstruct light.cxi -m 0 -o bad.cxi
refuses 2 "modes: too many" "--modes: found" simulate -m 65 -o bad.cxi
refuses 2 "modes: all of the power" "--mode-share" simulate -m 2 --mode-share 1 -o bad.cxi
run 0 reconstruct light.cxi -n 2 -d cpu --json two.json -q
for device in $devices; do
    run 0 reconstruct light.cxi -n 2 -d "$device" --json other.json -q
    awk -v x="$(number two.json relative_l2)" -v y="$(number other.json relative_l2)" \
        'BEGIN { if (x == "" || y == "" || x - y > 1e-5 || y - x > 1e-5) print x, y }' >>list
    check "modes: $device agrees with cpu" list
done
for name in as-is swap-flip-rows; do
    works "orientation: info of positions turned by $name" info near.cxi --orientation "$name" --find-orientation -d cpu
    case $name in as-is) right=as-is ;; *) right=swap-flip-cols ;; esac
    holds out "verdict            $right: $right is best by"
    check "orientation: $right is found" list
done
run 0 simulate --frame 64 --image 160 --points 60 --step 3 -o dense.cxi
run 0 info dense.cxi --find-orientation -d cpu --json
holds out '"decided": true' '"best": "as-is"' '"flip-both": "as-is"'
check "orientation: the far field has twins" list
works "orientation: reconstruct searches" reconstruct near.cxi -n 2 -d cpu --orientation search --json report -o near-result.cxi
holds err "verdict            as-is"
holds report '"orientation": "as-is"'
check "orientation: reconstruct says what it found" list
run 0 simulate --points 1 --frame 32 --image 96 -o one-frame.cxi
refuses 1 "orientation: one frame does not tell" "one-frame.cxi|undecided|name one" reconstruct one-frame.cxi -d cpu \
    --orientation search -o bad.cxi -q

# ---- equal runs, equal results --------------------------------------------------------------------

# twice WHAT ARGUMENT... -- ARGUMENT...: both runs leave the same object and probe.
twice() {
    what=$1
    shift
    first=''
    while [ "$1" != -- ]; do
        first="$first $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # a list of options
    run 0 reconstruct $first -d cpu -q -o a.cxi
    cat list >both
    run 0 reconstruct "$@" -d cpu -q -o b.cxi
    cat both >>list
    "$make_scan" same a.cxi b.cxi >>list 2>&1
    check "$what" list
}

twice "equal seeds, equal objects" sim.cxi -n 3 --seed 7 -- sim.cxi -n 3 --seed 7
run 0 reconstruct sim.cxi -n 3 --seed 8 -d cpu -q -o b.cxi
"$make_scan" same a.cxi b.cxi >/dev/null 2>&1 && echo "seeds 7 and 8 order alike" >>list
check "other seeds, other objects" list
for scan in sim.cxi scan.cxi; do
    for options in '-a rpie' '-a rpie --batch 8' '-a rpie --subpixel linear' '-a dm' '-a raar'; do
        # shellcheck disable=SC2086 # a list of options
        twice "$scan $options: 1 and 2 threads agree" $scan $options -n 3 --threads 1 -- \
            $scan $options -n 3 --threads 2
    done
done

# ---- bad input -------------------------------------------------------------------------------------

# bad STATUS WHAT TEXTS FILE: neither info nor reconstruct take the scan FILE.
bad() {
    refuses "$1" "info, $2" "$3" info "$4"
    refuses "$1" "reconstruct, $2" "$3" reconstruct "$4" -d cpu -n 2 -o bad.cxi --png bad --json bad.json
}

detector=entry_1/instrument_1/detector_1 source=entry_1/instrument_1/source_1
translation=entry_1/sample_1/geometry_1/translation
# defect KIND TEXTS
defect() {
    "$make_scan" "$1" "x-$1.cxi" || exit 99
    bad 1 "$1" "x-$1.cxi|$2" "x-$1.cxi"
}

bad 1 "missing file" "nowhere.cxi|No such file" nowhere.cxi
bad 1 "a folder" "empty: " empty
: >zero.cxi
bad 1 "empty file" "zero.cxi|empty" zero.cxi
echo "frames: none" >text.cxi
bad 1 "not HDF5" "text.cxi|not an HDF5 file|expected" text.cxi
head -c $(($(wc -c <scan.cxi) / 2)) scan.cxi >half.cxi
bad 1 "truncated file" "half.cxi|truncated" half.cxi
bad 1 "a result instead of a scan" "start.cxi|$detector/data|expected a scan" start.cxi
defect no-data "$detector/data|missing"
defect no-positions "$translation|missing"
defect no-wavelength "$source/wavelength|missing|expected"
defect no-distance "$detector/distance|missing"
defect no-pixel-size "$detector/x_pixel_size|missing"
defect flat-data "$detector/data|(16, 256)|expected (frames, rows, columns)"
defect few-positions "$translation|(14, 3)|16"
defect nan-position "$translation|frame 5|nan|expected a finite number"
defect zero-pixel-size "$detector/x_pixel_size|is 0|expected a positive number"
defect negative-pixel-size "$detector/x_pixel_size|-0.0001|expected a positive number"
defect zero-wavelength "$source/wavelength|is 0|expected a positive number"
defect negative-wavelength "$source/wavelength|-1e-10|expected a positive number"
defect negative-distance "$detector/distance|is -1|expected a positive number"
defect huge-object "$translation|expected an object of at most"
defect all-masked "$detector/mask|all 256 pixels are masked|expected"
HDF5_PLUGIN_PATH=$work/empty
export HDF5_PLUGIN_PATH
defect unknown-filter "$detector/data|32008|bitshuffle|HDF5_PLUGIN_PATH"
unset HDF5_PLUGIN_PATH

refuses 1 "unknown backend" '"abacus"|cpu' reconstruct scan.cxi -d abacus -o bad.cxi -q
refuses 1 "unknown device number" "cpu:7" reconstruct scan.cxi -d cpu:7 -o bad.cxi -q
ARGAND_DEVICE=abacus
export ARGAND_DEVICE
refuses 1 "ARGAND_DEVICE unknown" '"abacus"' reconstruct scan.cxi -o bad.cxi -q
unset ARGAND_DEVICE
ARGAND_THREADS=many
export ARGAND_THREADS
refuses 1 "ARGAND_THREADS no number" 'ARGAND_THREADS|"many"' reconstruct scan.cxi -d cpu -o bad.cxi -q
unset ARGAND_THREADS

# ---- outputs that cannot be ------------------------------------------------------------------------------

refuses 1 "simulate, no such folder" "--output|no/scan.cxi|No such file" simulate -o no/scan.cxi
for option in --output --json --png; do
    refuses 1 "$option in no folder" "$option|no/where|No such file" reconstruct scan.cxi -d cpu -q $option no/where
    refuses 1 "$option below a file" "$option|text.cxi/x|Not a directory" reconstruct scan.cxi -d cpu -q $option text.cxi/x
done
refuses 1 "--output is a folder" "--output|empty|folder" reconstruct scan.cxi -d cpu -q -o empty
refuses 1 "--json is a folder" "--json|empty|folder" reconstruct scan.cxi -d cpu -q --json empty
refuses 1 "--png is a file" "--png|text.cxi" reconstruct scan.cxi -d cpu -q --png text.cxi
refuses 1 "--output is a device" "--output|/dev/null|regular file" reconstruct scan.cxi -d cpu -q -o /dev/null
if [ "$(id -u)" = 0 ]; then
    echo "skip a folder without the right to write: root may write everywhere"
else
    mkdir locked && chmod 555 locked
    refuses 1 "--output in a locked folder" "--output|locked/x|Permission denied" reconstruct scan.cxi -d cpu -q -o locked/x
fi

ln -s scan.cxi link.cxi
cp scan.cxi before.cxi
refuses 2 "--output is the scan" "--output|scan.cxi|the scan" reconstruct scan.cxi -d cpu -q -o ./scan.cxi
refuses 2 "--output is the scan, by a link" "--output|link.cxi|the scan" reconstruct scan.cxi -d cpu -q -o link.cxi
refuses 2 "--json is the scan" "--json|scan.cxi|the scan" reconstruct scan.cxi -d cpu -q --json scan.cxi
refuses 2 "--json is the result" "--json|the result" reconstruct scan.cxi -d cpu -q --json bad.cxi -o bad.cxi
cmp scan.cxi before.cxi >list 2>&1
check "the scan is as it was" list

run 0 simulate --frame 64 --image 192 --step 6 -o wide.cxi # pictures of several kilobytes
limit=1
refuses 1 "disk full, simulate" "bad.cxi|cannot be written" simulate -o bad.cxi
refuses 1 "disk full, result" "bad.cxi|cannot be written" reconstruct sim.cxi -d cpu -q -n 1 -o bad.cxi
refuses 1 "disk full, pictures" "bad/object_amplitude.png|cannot be written" reconstruct wide.cxi -d cpu -q -n 1 --png bad
refuses 1 "disk full, report" "--json|bad.json|cannot be written" reconstruct sim.cxi -d cpu -q -n 30 --json bad.json
limit=''
if [ -c /dev/full ]; then
    refuses 1 "full device" "--json|/dev/full|No space left" reconstruct sim.cxi -d cpu -q -n 1 --json /dev/full
    "$argand" info scan.cxi >/dev/full 2>err
    echo $? | grep -vx 1 >list
    holds err "standard output" "No space left"
    check "full standard output" list
else
    echo "skip full device: there is no /dev/full"
fi

# ---- bad starts -----------------------------------------------------------------------------------------------

refuses 1 "--start missing" "nowhere.cxi|No such file" reconstruct scan.cxi -d cpu -q -o bad.cxi --start nowhere.cxi
refuses 1 "--start is garbage" "text.cxi|not an HDF5 file" reconstruct scan.cxi -d cpu -q -o bad.cxi --start text.cxi
refuses 1 "--start is a scan" "scan.cxi|entry_1/object/data|missing" reconstruct scan.cxi -d cpu -q -o bad.cxi --start scan.cxi
refuses 1 "--start of another size" "start.cxi|entry_1/object/data|found 96 x 96|expected" reconstruct scan.cxi -d cpu -q -o bad.cxi --start start.cxi

# ---- the measured scan --------------------------------------------------------------------------------------------

real=${ARGAND_DATA-}/xray-siemens-farfield/siemens_farfield.cxi
if [ -z "${ARGAND_DATA-}" ] || [ ! -f "$real" ]; then
    echo "skip the measured far-field scan: ARGAND_DATA names no folder that has it"
elif [ -n "${AG_SLOW-}" ]; then
    echo "skip the measured far-field scan: AG_SLOW is set"
else
    works "far field: info" info "$real"
    holds out "516 of 128 x 128 pixels" "29.3523 x 29.3523 nm" "465 x 462 pixels"
    check "far field: geometry" list
    works "far field: 10 iterations of rpie" reconstruct "$real" -d cpu -a rpie -n 10 -q --json ten.json
    below "far field: relative_l2 after 10 iterations" "$(number ten.json relative_l2)" 0.16
    works "far field: 100 iterations of rpie" reconstruct "$real" -d cpu -a rpie -n 100 -q --json hundred.json --png star
    below "far field: relative_l2 after 100 iterations" "$(number hundred.json relative_l2)" 0.122
    echo "     r_factor $(number hundred.json r_factor), $(number hundred.json run_seconds) s on cpu," \
        "$(number hundred.json ns_per_pixel) ns per pixel"
    is_png star/object_phase.png
    check "far field: pictures" list
    run 0 reconstruct "$real" -d cpu -n 2 -q --json two.json
    for device in $devices; do
        [ "$device" != cpu ] || continue
        if emulated "$device"; then
            echo "skip far field: $device is emulated"
            continue
        fi
        works "far field: $device" reconstruct "$real" -d "$device" -n 2 -q --json other.json
        awk -v x="$(number two.json relative_l2)" -v y="$(number other.json relative_l2)" \
            'BEGIN { if (x == "" || y == "" || x - y > 1e-4 || y - x > 1e-4) print "differs" }' >list
        check "far field: relative_l2 after 2 iterations $(number two.json relative_l2) on cpu, \
$(number other.json relative_l2) on $device" list
    done
fi

real=${ARGAND_DATA-}/xray-siemens-nearfield/PETRAIII_P25_Near_Field_Ptycho.cxi
if [ -z "${ARGAND_DATA-}" ] || [ ! -f "$real" ]; then
    echo "skip the measured near-field scan: ARGAND_DATA names no folder that has it"
elif [ -n "${AG_SLOW-}" ]; then
    echo "skip the measured near-field scan: AG_SLOW is set"
else
    works "near star: info" info "$real" --focus-distance 3.65e-3
    holds out "magnification 307.849, effective distance 3.63814 mm" "178.659 x 178.659 nm"
    check "near star: geometry" list
    works "near star: 10 iterations of rpie" reconstruct "$real" --focus-distance 3.65e-3 -n 10 -d cpu -q --json ten.json
    below "near star: relative_l2 after 10 iterations" "$(number ten.json relative_l2)" 0.08
fi

printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
