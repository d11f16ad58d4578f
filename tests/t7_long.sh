# SPDX-License-Identifier: BSD-3-Clause
# t7_long.sh -- long runs: chains of methods, checkpoints, signals, kill -9, previews, little memory.
#
# AG_KILLS is how often the run of the kill test is killed (15).
set -u
: "${abs_top_builddir:?}"
argand=$abs_top_builddir/argand make_scan=$abs_top_builddir/tests/make_scan
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset ARGAND_THREADS ARGAND_ISA OMP_NUM_THREADS
: "${ARGAND_BACKEND_PATH:=$abs_top_builddir/.libs}"
ARGAND_DEVICE=cpu TMPDIR=$work
export ARGAND_BACKEND_PATH ARGAND_DEVICE TMPDIR
checks=0 failures=0

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
    : >list
}

# run STATUS ARGUMENT...: argand reconstruct, output to `out` and `err`; complaints go to `list`.
run() {
    wanted=$1
    shift
    "$argand" reconstruct "$@" >out 2>err
    status=$?
    [ "$status" = "$wanted" ] || {
        echo "exit status $status, expected $wanted: argand reconstruct $*"
        cat err
    } >>list
}

# says TEXT...: the last run said each TEXT.
says() {
    for text in "$@"; do
        grep -qF -e "$text" err || { echo "no '$text' in:"; cat err; } >>list
    done
}

# refuses STATUS WHAT TEXTS ARGUMENT...: argand says TEXTS (separated by |), and leaves no bad file.
refuses() {
    wanted=$1 what=$2 texts=$3
    shift 3
    run "$wanted" "$@"
    old=$IFS IFS='|'
    # shellcheck disable=SC2086 # a list of texts
    says $texts
    IFS=$old
    ls -d bad* ./*.part >>list 2>/dev/null
    check "$what: $(sed -n 's/^argand[^:]*: //p' err | tail -n 1 | cut -c 1-110)" list
}

same() { "$make_scan" same "$1" "$2" >>list 2>&1; }
# curve FILE: the errors of a report.
curve() { sed -n '/"error": \[/,/\]/p' "$1"; }
# number FILE KEY: a number of a report.
number() { sed -n "s/.*\"$2\": *\([-+.0-9e]*\).*/\1/p" "$1" | head -n 1; }
# pause MOST: up to so many seconds, at random.
draws=0
pause() {
    draws=$((draws + 1))
    sleep "$(awk -v n="$draws" -v p="$$" -v most="$1" 'BEGIN { srand(p + 7919 * n); rand(); printf "%.3f", most * rand() }')"
}

: >list
"$argand" simulate --frame 32 --image 128 --points 60 --step 5 -o sim.cxi >out || exit 99
"$argand" simulate --frame 32 --image 128 --points 61 --step 5 -o other.cxi >out || exit 99

# ---- chains ------------------------------------------------------------------------------------

run 0 sim.cxi -a raar:7,dm,rpie:5:beta=0.5:no-shuffle --niter 3 --beta 0.9 -o chain.cxi --json chain.json -q
grep -q '"algorithm": "raar:7,dm:3,rpie:5"' chain.json || echo "the report does not name the chain" >>list
[ "$(curve chain.json | grep -c '[0-9]')" = 15 ] || echo "the curve has not 15 errors" >>list
grep '"beta"' chain.json | tr -d ' \n' | grep -qx '"beta":0.9[0-9]*,"beta":0.9[0-9]*,"beta":0.5,' ||
    { echo "beta is not 0.9, 0.9, 0.5:"; grep '"beta"' chain.json; } >>list
check "a chain: each stage has its iterations and options" list
run 0 sim.cxi -a raar -n 7 --beta 0.9 -o one.cxi -q
run 0 sim.cxi -a dm:3 --start one.cxi -o two.cxi -q
run 0 sim.cxi -a rpie:5 --beta 0.5 --no-shuffle --start two.cxi -o three.cxi --json three.json -q
same chain.cxi three.cxi
curve three.json | grep '[0-9]' >last
curve chain.json | grep '[0-9]' | tail -n 5 | diff - last >>list
check "a chain is its stages one after another" list
refuses 2 "empty stage" '--algorithm|""|expected one of' sim.cxi -o bad.cxi -a raar:3,
refuses 2 "unknown method in a chain" '"magic"|rpie' sim.cxi -o bad.cxi -a raar:3,magic:4
refuses 2 "unknown option of a stage" '"gamma"' sim.cxi -o bad.cxi -a raar:3:gamma=2
refuses 2 "bad value of a stage" '--beta|"2"|0 to 1' sim.cxi -o bad.cxi -a raar:3:beta=2
refuses 2 "no value of a stage" '--beta|no value' sim.cxi -o bad.cxi -a raar:3:beta
refuses 2 "value of a flag" '--no-shuffle|a value' sim.cxi -o bad.cxi -a rpie:3:no-shuffle=1
refuses 2 "negative iterations of a stage" '"-3"|whole number' sim.cxi -o bad.cxi -a raar:-3
refuses 1 "batch of the second stage" 'batch|found 99' sim.cxi -o bad.cxi -a raar:2,rpie:2:batch=99 -q

# ---- checkpoints --------------------------------------------------------------------------------

for chain in raar:9,rpie:6 rpie:14:batch=7 lsqml:9:position-start=1,dm:6 dm:3,ap:12; do
    rm -f ck
    run 0 sim.cxi -a $chain -o whole.cxi --json whole.json -q
    short=$(echo $chain | sed 's/:[0-9]*/:3/')
    run 0 sim.cxi -a "${short%%,*}" -o part.cxi --checkpoint ck -q
    run 0 sim.cxi -a $chain -o resumed.cxi --json resumed.json --checkpoint ck --every 4 --resume
    says "resumed after 3 of"
    same whole.cxi resumed.cxi
    curve whole.json >a
    curve resumed.json | diff a - >>list
    run 0 --resume ck sim.cxi -a $chain -o again.cxi -q
    same whole.cxi again.cxi
    run 0 sim.cxi -a $chain --resume=ck -o again.cxi -q --memory 1G
    same whole.cxi again.cxi
    check "$chain: resumed, and resumed when done" list
done
run 0 sim.cxi -a dm:3,ap:12 --checkpoint ck --resume -o again.cxi -q
run 0 sim.cxi -a dm:3,ap:20 -o longer.cxi -q
run 0 sim.cxi -a dm:3,ap:20 --resume ck -o again.cxi -q
same longer.cxi again.cxi
check "a resumed run may be longer" list
run 0 sim.cxi -n 2 --checkpoint new --resume -o again.cxi
says "new: there is none yet"
[ -f new ] || echo "no checkpoint at the end" >>list
check "--resume alone begins where there is no checkpoint" list
refuses 1 "resumed scan is another" "ck: checkpoint/scan|60 frames|61 frames" other.cxi -a dm:3,ap:12 --resume ck -o bad.cxi -q
refuses 1 "resumed with other options" "ck: checkpoint/options|beta" sim.cxi -a dm:3,ap:12:beta=0.3 --resume ck -o bad.cxi -q
refuses 1 "resumed after another stage" "ck: checkpoint/note|stage 1" sim.cxi -a dm:4,ap:12 --resume ck -o bad.cxi -q
refuses 1 "resumed chain is shorter" "ck: checkpoint/note|stage 2" sim.cxi -a dm:3 --resume ck -o bad.cxi -q
refuses 1 "resumed with fewer iterations" "ck: checkpoint/iterations|12|at most 5" sim.cxi -a dm:3,ap:5 --resume ck -o bad.cxi -q
refuses 1 "resumed from nothing" "nowhere|No such file" sim.cxi --resume nowhere -o bad.cxi -q
refuses 1 "resumed from a result" "longer.cxi|expected a checkpoint" sim.cxi --resume longer.cxi -o bad.cxi -q
head -c $(($(wc -c <ck) / 2)) ck >half
refuses 1 "resumed from half a file" "half|truncated" sim.cxi --resume half -o bad.cxi -q
echo nothing >text
refuses 1 "resumed from a text" "text|not an HDF5 file" sim.cxi --resume text -o bad.cxi -q
refuses 2 "--resume without a file" "--resume|--checkpoint" sim.cxi --resume -o bad.cxi
refuses 2 "--every alone" "--every|--checkpoint" sim.cxi --every 3 -o bad.cxi
refuses 2 "--every nothing" '--every|"0"' sim.cxi --every 0 --checkpoint ck -o bad.cxi
refuses 2 "--every some time" '--every|"3h"' sim.cxi --every 3h --checkpoint ck -o bad.cxi
refuses 2 "--checkpoint is the scan" "--checkpoint|the scan" sim.cxi --checkpoint sim.cxi -o bad.cxi
refuses 1 "--checkpoint in no folder" "--checkpoint|no/where|No such file" sim.cxi --checkpoint no/where -o bad.cxi
cp ck before
(ulimit -f 20; exec "$argand" reconstruct sim.cxi -a dm:3,ap:14 --resume --checkpoint ck --every 1 --json - -q) >out 2>err
status=$?
[ $status = 1 ] || echo "exit status $status, expected 1" >>list
says "--checkpoint: ck: cannot be written"
cmp ck before >>list 2>&1
ls ./*.part >>list 2>/dev/null
check "where a checkpoint cannot be written the old one stays: $(grep -c checkpoint err) messages" list

for chain in raar:9,rpie:6:batch=7 lsqml:9:position-start=1,dm:6; do
    rm -f ck
    run 0 sim.cxi -a $chain -d cpu,cpu -o whole.cxi --json whole.json -q
    short=$(echo $chain | sed 's/:[0-9]*/:3/')
    run 0 sim.cxi -a "${short%%,*}" -d cpu,cpu -o part.cxi --checkpoint ck -q
    cp ck early
    run 0 sim.cxi -a $chain -d cpu,cpu -o resumed.cxi --json resumed.json --checkpoint ck --every 4 --resume --preview two
    says "resumed after 3 of"
    same whole.cxi resumed.cxi
    curve whole.json >a
    curve resumed.json | diff a - >>list
    run 0 sim.cxi -a $chain -d cpu,cpu --resume ck -o again.cxi -q
    same whole.cxi again.cxi
    for device in cpu cpu,cpu,cpu; do
        run 0 sim.cxi -a $chain -d $device --resume early -o other.out --json other.json -q
        awk -v x="$(number whole.json relative_l2)" -v y="$(number other.json relative_l2)" \
            'BEGIN { if (x == "" || y == "" || x - y > 1e-3 * x || y - x > 1e-3 * x) print x, y }' >>list
    done
    check "$chain by two devices: resumed by two with the same bits, and by one and three" list
done
refuses 1 "two devices: resumed with other options" "--resume: ck: checkpoint/options|beta" \
    sim.cxi -a "$chain:beta=0.3" -d cpu,cpu --resume ck -o bad.cxi -q
cp ck before
(ulimit -f 20; exec "$argand" reconstruct sim.cxi -a lsqml:9:position-start=1,dm:8 -d cpu,cpu --resume --checkpoint ck --every 1 --json - -q) >out 2>err
status=$?
[ $status = 1 ] || echo "exit status $status, expected 1" >>list
says "--checkpoint: ck: cannot be written"
grep -q '"iterations": 17' out || echo "no report of 17 iterations" >>list
cmp ck before >>list 2>&1
ls ./*.part >>list 2>/dev/null
check "where two devices cannot write a checkpoint the old one stays, and they go on" list

# ---- signals ----------------------------------------------------------------------------------------

# stopped SIGNAL DEVICES: sends it to a run that has begun; its exit status.
stopped() {
    rm -f ck stopped.cxi
    "$argand" reconstruct sim.cxi -a dm:100000 -d "$2" --checkpoint ck --every 1 -o stopped.cxi --json stopped.json -q 2>err &
    pid=$!
    for _ in $(seq 600); do
        [ ! -f ck ] || break
        sleep 0.1
    done
    kill "-$1" $pid
    wait $pid
}
for device in cpu cpu,cpu; do
    stopped TERM "$device"
    status=$?
    [ $status = 143 ] || echo "exit status $status, expected 143" >>list
    says "stopped by SIGTERM after"
    done=$(number stopped.json iterations)
    run 0 sim.cxi -a "dm:$done" -d "$device" -o whole.cxi -q
    same whole.cxi stopped.cxi
    run 0 sim.cxi -a "dm:$((done + 2))" -d "$device" -o whole.cxi -q
    run 0 sim.cxi -a "dm:$((done + 2))" --resume ck -d "$device" -o again.cxi -q
    same whole.cxi again.cxi
    check "$device: SIGTERM leaves the result so far, and a checkpoint of iteration $done" list
done

# ---- kill -9 -------------------------------------------------------------------------------------------

"$argand" simulate --frame 48 --image 200 --points 150 --step 6 -o kill.cxi >out || exit 99
chain=raar:40,rpie:40:batch=5,dm:40

# Compares a run that came to its end after having been killed.
ends() {
    ended=$((ended + 1))
    same whole.cxi killed.cxi
    curve killed.json | diff a - >>list
    rm -f ck killed.cxi killed.json
    seen=0
}
# looks: what the run said it resumed from is no less than what was seen before.
looks() {
    at=$(sed -n 's/.*resumed after \([0-9]*\) of.*/\1/p' err)
    [ "${at:-$seen}" -ge "$seen" ] || echo "resumed after $at iterations, $seen were saved before" >>list
    [ "$seen" = 0 ] || [ -f ck ] || echo "the checkpoint is gone" >>list
    [ "$seen" = 0 ] || ! grep 'there is none yet' err >>list
    [ -z "$at" ] || { resumed=$((resumed + 1)); seen=$at; }
}
# killed_often DEVICES TIMES.  Three of four are killed only after the solver has begun, however slow the machine is.
killed_often() {
    killed=0 resumed=0 seen=0 ended=0 begun=0 half=0
    run 0 kill.cxi -a $chain -d "$1" -o whole.cxi --json whole.json -q
    curve whole.json >a
    rm -f ck
    while [ $killed -lt "$2" ] && [ ! -s list ]; do
        : >err
        "$argand" reconstruct kill.cxi -a $chain -d "$1" -o killed.cxi --json killed.json --checkpoint ck --every 1 --resume 2>err &
        pid=$!
        for _ in $(seq $((draws % 4 ? 1500 : 0))); do
            ! grep -q memory: err || break
            sleep 0.02
        done
        pause 0.4
        ! grep -q memory: err || begun=$((begun + 1))
        if kill -9 $pid 2>/dev/null; then killed=$((killed + 1)); fi
        wait $pid 2>/dev/null
        status=$?
        looks
        [ ! -f ck.part ] || half=$((half + 1))
        case $status in
        137) ;;
        0) ends ;;
        *) { echo "exit status $status after $killed kills"; cat err; } >>list ;;
        esac
    done
    run 0 kill.cxi -a $chain -d "$1" -o killed.cxi --json killed.json --checkpoint ck --every 1 --resume
    looks
    ends
    [ "$(find . -name '*.part' | wc -l)" -le 4 ] || { echo "left behind:"; ls ./*.part; } >>list
    check "$1: kill -9, $killed times, $begun when iterating, $half with half a checkpoint written; $resumed times resumed, $ended ends: nothing lost, the same bits" list
    rm -f ./*.part
}
kills=${AG_KILLS:-15}
killed_often cpu $((kills - kills / 3))
killed_often cpu,cpu $((kills / 3))

# ---- preview ------------------------------------------------------------------------------------------------

"$argand" reconstruct sim.cxi -a dm:100000 --preview show --every 2 --json - -q >out 2>err &
pid=$!
for _ in $(seq 600); do
    [ ! -f show/error.png ] || break
    sleep 0.1
done
for picture in object_amplitude object_phase probe error; do
    for _ in 1 2 3 4 5; do
        # Its last chunk says that it is whole.
        tail -c 12 "show/$picture.png" | od -A n -t x1 | tr -d ' \n' | grep -q '49454e44ae426082$' ||
            echo "$picture.png is not whole" >>list
    done
done
kill -TERM $pid
wait $pid
[ $? = 143 ] || echo "exit status is not 143" >>list
check "--preview: pictures that are whole at any time" list

# ---- memory ----------------------------------------------------------------------------------------------------

points=2400
[ -z "${AG_SLOW:-}" ] || points=300
"$argand" simulate --frame 64 --image 300 --points $points --step 2.5 -o big.cxi >out || exit 99

# measured ARGUMENT...: the memory of a run of the large scan, and what had been said of it, in MiB.
measured() {
    run 0 $scan.cxi -n 3 --json big.json -o big.out -q "$@"
    echo "$(number big.json peak_host_bytes) $(number big.json device_bytes) $(number big.json host_bytes)" |
        awk '{ printf "%.1f %.1f\n", $1 / 1048576, ($2 + $3) / 1048576 }'
}
"$argand" simulate --frame 64 --image 300 --points $points --step 2.5 --near-field -o near.cxi >out || exit 99
for options in '-a dm' '-a raar --subpixel none' '-a rpie --batch 4' '-a rpie' 'near -a dm' 'near -a rpie'; do
    scan=big
    case $options in near*) scan=near options=${options#near } ;; esac
    # shellcheck disable=SC2086 # a list of options
    whole=$(measured $options | cut -d ' ' -f 2)
    mv big.out whole.out
    # shellcheck disable=SC2086
    run 1 $scan.cxi $options --memory 1M -q -o bad.cxi
    least=$(sed -n 's/.*at least \([0-9.]*\) MiB.*/\1/p' err)
    quarter=$(awk -v w="$whole" -v l="$least" 'BEGIN { q = int(w / 4) + 1; print q < l ? l + 0.1 : q }')
    # shellcheck disable=SC2086
    figures=$(measured $options --memory "${quarter}M")
    same whole.out big.out
    echo "$figures $quarter" | awk '!($1 <= 1.1 * $2 && $1 >= 0.9 * $2 && $2 <= $3) { print }' >>list
    # shellcheck disable=SC2086
    run 0 $scan.cxi $options --memory "${least}M" -n 1 -q -o least.out
    check "$scan $options in $quarter of $whole MiB (least $least): the same bits; found and estimated $figures MiB" list
done
refuses 2 "memory that is none" '--memory|"much"' big.cxi --memory much -o bad.cxi
refuses 2 "more than all" '--memory|"120%"' big.cxi --memory 120% -o bad.cxi
refuses 1 "little memory" '--memory|found 1.0 MiB|at least' big.cxi --memory 1M -o bad.cxi -q
run 0 sim.cxi -n 1 --memory 50% -o half.cxi
says "MiB on the device"
check "a part of the memory" list
TMPDIR=$work/no
refuses 1 "no folder for the temporary file" "$work/no|No such file" big.cxi -a dm -n 1 --memory "${quarter}M" -o bad.cxi -q

printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
