# SPDX-License-Identifier: BSD-3-Clause
# t5_hostile.sh -- damaged and hostile files: each one is refused in words that name the file, the field,
# what was found and what was expected, with exit status 1 and no output.
set -u
: "${abs_top_builddir:?}"
argand=$abs_top_builddir/argand
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
"$abs_top_builddir/tests/make_files" >list || exit 99
checks=0 failures=0

while IFS= read -r line; do
    arguments=${line%%|*} words=${line#*|}
    checks=$((checks + 1))
    # shellcheck disable=SC2086 # arguments are words
    "$argand" convert $arguments out.cxi >out 2>err
    status=$?
    : >wrong
    [ "$status" = 1 ] || echo "exit status $status, expected 1" >>wrong
    for file in out.cxi*; do [ ! -e "$file" ] || { echo "left $file" >>wrong && rm -f "$file"; }; done
    [ "$(wc -l <err)" = 1 ] || echo "more than one line, or none" >>wrong
    while [ -n "$words" ]; do
        grep -qF -e "${words%%|*}" err || echo "no '${words%%|*}'" >>wrong
        case $words in *'|'*) words=${words#*|} ;; *) words='' ;; esac
    done
    if [ -s wrong ]; then
        failures=$((failures + 1))
        printf 'FAIL %s\n' "$arguments"
        cat wrong err
    else
        printf 'ok   %s\n     %s\n' "$arguments" "$(cut -c 1-160 err)"
    fi
done <list

[ "$checks" -ge 40 ] || failures=$((failures + 1))
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
