# SPDX-License-Identifier: BSD-3-Clause
# driver.sh -- runs one test for automake's harness and prints its result, its seconds, the
# summary lines and, where a test was skipped or failed, why.
while [ $# -gt 0 ]; do
    case $1 in
    --test-name) name=$2; shift 2 ;;
    --log-file) log=$2; shift 2 ;;
    --trs-file) trs=$2; shift 2 ;;
    --) shift; break ;;
    *) shift 2 ;; # colours and expected failures are not used
    esac
done

begin=$(date +%s)
"$@" >"$log" 2>&1
status=$?
seconds=$(($(date +%s) - begin))

case $status in
0) result=PASS again=no ;;
77) result=SKIP again=no ;;
99) result=ERROR again=yes ;;
*) result=FAIL again=yes ;;
esac

echo "$result: $name ($seconds s)"
case $result in
PASS) grep -E '^ *[Ss][Kk][Ii][Pp]|^all [0-9]+ [a-z]+ executed| failed in turn' "$log" ;; # what could not run here, what did
SKIP) cat "$log" ;;
*) tail -n 60 "$log" | grep -v '^[0-9]*%: Checks:' ;;
esac
grep '^[0-9]*%: Checks:' "$log"

echo "$result $name (exit status $status, $seconds s)" >>"$log"
cat >"$trs" <<END
:test-result: $result
:global-test-result: $result
:recheck: $again
:copy-in-global-log: $again
END
