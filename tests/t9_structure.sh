# SPDX-License-Identifier: BSD-3-Clause
# t9_structure.sh -- the house rules that a script can see: floors, vendors, symbols, licences.
set -u
: "${abs_top_srcdir:?}" "${abs_top_builddir:?}" "${AG_BACKENDS:?}"
CC=${CC:-cc} NM=${NM:-nm} OBJDUMP=${OBJDUMP:-objdump}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$abs_top_srcdir" || exit 99
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
}

# includes DIR NAMES: lists the files of DIR that include, in quotes, what is neither one of
# NAMES (an extended regular expression) nor a header that lies in DIR.
includes() {
    for file in "$1"/*.[ch]; do
        [ -f "$file" ] || continue
        sed -n 's/^ *# *include *"\(.*\)".*/\1/p' "$file" | while read -r name; do
            name=$(echo "$name" | sed 's,^\(\.\./\)*,,')
            echo "$name" | grep -qxE "config\.h|$2" || [ -f "$1/$name" ] ||
                [ -f "$1/${name#"$(basename "$1")"/}" ] || echo "$file includes $name"
        done
    done
}

# ---- floors ----------------------------------------------------------------------------

above=$(cd src && printf '%s\n' *.h | grep -vx 'backend\.h' | paste -s -d '|' - | sed 's/\./\\./g')
{
    includes backends 'backend\.h|argand\.h|shape\.h|text_[a-z]*\.h'
    includes src 'kernels\.h'
    for floor in src/solvers src/nets src/optics; do includes "$floor" "kernels\.h|$above"; done
    includes src/io "$above"
    includes src/progressive "kernels\.h|$above|nets/.*|optics/.*"
    includes src/cmd 'argand(_nets)?\.h'
    includes bench '(argand(_nets)?|backend|core|kernels|t2_kernels)\.h' # the tests' rows, the passes
    grep -l '"backend\.h"' src/core.h
} >"$work/list" 2>/dev/null
check "no file includes upward or sideways" "$work/list"

grep -rnE '\b(cu[A-Z]|hip[A-Z]|cl[A-Z]|nvrtc|hiprtc)' src kernels bench \
    --include='*.[ch]' --include='*.m4' >"$work/list" 2>/dev/null
check "vendor words stay in backends/, gen/ and m4/" "$work/list"

# A template without COST is refused by name; what the word of a pass adds is not a kernel's own.
: >"$work/list"
if command -v "${M4:-m4}" >/dev/null 2>&1; then
    echo 'KERNEL(costless, OUT(real, x)) EACH(i) x[i] = 0; END_EACH END_KERNEL' >"$work/costless1.m4"
    echo "LAST_PASS(costless, \`result[s] = wave;')" >"$work/costless2.m4"
    for file in "$work"/costless[12].m4; do
        if "${M4:-m4}" -P -E -I . -D AG_EMIT=table gen/common.m4 gen/host.m4 "$file" >/dev/null 2>"$work/log"; then
            echo "accepted: $(cat "$file")"
        elif ! grep -q 'kernel costless[a-z_]* has no COST' "$work/log"; then
            cat "$work/log"
        fi
    done >"$work/list"
    check "a kernel that does not say what it costs is refused" "$work/list"
else
    echo "skip a kernel without COST: there is no m4"
fi

# ---- files -----------------------------------------------------------------------------

find src gen kernels backends tests bench m4 -type f \
    \( -name '*.[ch]' -o -name '*.m4' -o -name '*.sh' -o -name '*.py' \) 2>/dev/null |
    grep -vE '^m4/(libtool|lt[a-z~]*)\.m4$' | sort >"$work/files"

for file in $(cat "$work/files") bootstrap configure.ac Makefile.am .ci/run; do
    [ ! -f "$file" ] ||
        head -n 5 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' || echo "$file"
done >"$work/list"
check "each file names its licence" "$work/list"

grep -vE '^(m4|bench)/' "$work/files" | while read -r file; do
    grep -qE "(^|[[:space:]])$file([[:space:]]|\$)" Makefile.am || echo "$file"
done >"$work/list"
check "each file is in Makefile.am" "$work/list"

grep -E '^(src|backends|gen|kernels)/' "$work/files" | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 400 ] || echo "$file: $lines"
done >"$work/list"
check "no file is longer than 400 lines" "$work/list"

# Each option of a method is explained in the manual page, and has its row in the table of doc/solvers.md.
: >"$work/list"
sed -n 's/^    {"\([a-z-]*\)".*, SETTING},$/\1/p' src/cmd/options.c >"$work/settings"
[ -s "$work/settings" ] || echo "no option is found in src/cmd/options.c" >"$work/list"
while read -r name; do
    sed -n '/^## All options/,/^## Starts/p' doc/solvers.md | cut -d '|' -f 2 | grep -qF -e "\`--$name\`" ||
        echo "--$name is not in the table of doc/solvers.md"
    sed 's/\\-/-/g' doc/argand.1 | grep -qE -e "^\.B.*--$name([^a-z-]|\$)" || echo "--$name is not in doc/argand.1"
done <"$work/settings" >>"$work/list"
check "each option of a method is in the table of options and in the manual page" "$work/list"

# ---- the public headers ----------------------------------------------------------------

printf '#include "argand_nets.h"\nint main(void) { return 0; }\n' >"$work/t.c"
cp "$work/t.c" "$work/t.cc"
$CC -std=c11 -pedantic-errors -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only -Isrc \
    "$work/t.c" >"$work/list" 2>&1
check "the public headers are C11" "$work/list"
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
    "${CXX:-c++}" -std=c++11 -pedantic-errors -Wall -Wextra -Werror -fsyntax-only -Isrc \
        "$work/t.cc" >"$work/list" 2>&1
    check "the public headers are C++" "$work/list"
else
    echo "skip the public headers are C++: there is no C++ compiler"
fi

# ---- symbols ---------------------------------------------------------------------------

defined() { $NM -D --defined-only "$1" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort; }
library=$abs_top_builddir/.libs/libargand.so

# The compiler's view of the header, one declaration a line.
$CC -E -P src/argand_nets.h | tr '\n' ' ' | tr ';' '\n' | grep -v '^ *typedef' |
    sed -n 's/^[^(]*[ *]\(ag_[a-z0-9_]*\) *(.*/\1/p' | sort >"$work/declared"
[ -s "$work/declared" ] || echo "the header declares nothing" >>"$work/declared"
defined "$library" >"$work/exported"
diff "$work/declared" "$work/exported" >"$work/list"
check "libargand exports what its headers declare (< declared, > exported)" "$work/list"

echo ag_backend_module >"$work/module"
for name in $(echo "$AG_BACKENDS" | tr ',' ' '); do
    [ "$name" = cpu ] || defined "$abs_top_builddir/.libs/$name.so" | diff "$work/module" -
done >"$work/list"
check "each backend module exports ag_backend_module alone" "$work/list"

echo ag_fft_module >"$work/module"
for file in "$abs_top_builddir"/.libs/fft_*.so; do
    [ ! -f "$file" ] || defined "$file" | diff "$work/module" -
done >"$work/list"
check "each module of a library that transforms exports ag_fft_module alone" "$work/list"

$NM -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }' |
    grep -xE '(__)?v?printf(_chk)?|puts|putchar|perror|stdout|stderr|_?exit|_Exit|quick_exit|abort|__assert_fail|system' \
        >"$work/list"
check "libargand does not print, exit or abort" "$work/list"

for file in "$library" "$abs_top_builddir"/.libs/argand "$abs_top_builddir"/.libs/opencl.so; do
    [ ! -f "$file" ] || ldd "$file" | grep -i fftw | sed "s,^,${file##*/}: ,"
done >"$work/list"
check "nothing links FFTW but its module" "$work/list"

$OBJDUMP -p "$library" | grep NEEDED | grep -iE 'opencl|cuda|hip|mpi|nvrtc' >"$work/list"
check "libargand links no vendor's library" "$work/list"

printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
