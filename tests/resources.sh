# SPDX-License-Identifier: BSD-3-Clause
# resources.sh -- registers, local memory and private memory of every kernel on real architectures,
# held against the table tests/data/resources.txt; needs compilers, no GPU.
#
#     resources.sh             run by `make check-full'
#
# More of any of the three fails, with kernel, architecture, before and after, and so does a kernel that is not in
# the table; less of one, or a kernel that is gone, is told.  ARGAND_UPDATE_RESOURCES=1 writes the table anew.
# Figures of another version of a compiler than the table's are not compared.
set -u
: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
table=$abs_top_srcdir/tests/data/resources.txt
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
update=${ARGAND_UPDATE_RESOURCES-}
checks=0 failures=0

# Lines "ARCHITECTURE SHAPE KERNEL REGISTERS LOCAL PRIVATE" to a table with a column for each architecture.
as_table() {
    awk '!($1 in known) { known[$1]; arch[++n] = $1 }
        { key = sprintf("%-24s %-9s", $3, $2); cell[key, $1] = $4 "/" $5 "/" $6 }
        !(key in seen) { seen[key]; row[++rows] = key }
        END {
            printf "%-24s %-9s", "kernel", "shape"
            for (i = 1; i <= n; i++) printf " %13s", arch[i]
            for (r = 1; r <= rows; r++) {
                printf "\n%s", row[r]
                for (i = 1; i <= n; i++) printf " %13s", (row[r], arch[i]) in cell ? cell[row[r], arch[i]] : "-"
            }
            print ""
        }'
}

# as_lines COMPILER: the lines of the part of the table that this compiler made.
as_lines() {
    awk -v wanted="compiler $1" '/^compiler / { inside = $0 == wanted; next }
        inside && $1 == "kernel" { for (i = 3; i <= NF; i++) arch[i] = $i; next }
        inside && NF > 2 { for (i = 3; i <= NF; i++) if ($i != "-") { split($i, f, "/"); print arch[i], $2, $1, f[1], f[2], f[3] } }
    ' "$table"
}

# compare OLD NEW: says what differs, with FAIL in front where that is wrong.
compare() {
    awk 'function say(k, what) { print what " " k }
        FILENAME == ARGV[1] { old[$1 " " $2 " " $3] = $4 "/" $5 "/" $6; next }
        { k = $1 " " $2 " " $3; now = $4 "/" $5 "/" $6 }
        !(k in old) { say(k, "FAIL not in the table, " now " now:"); next }
        {
            split(old[k], o, "/")
            if ($4 > o[1]) say(k, "FAIL registers, " o[1] " before, " $4 " now:")
            if ($5 > o[2]) say(k, "FAIL bytes of local memory, " o[2] " before, " $5 " now:")
            if ($6 > o[3]) say(k, "FAIL bytes of private memory, " o[3] " before, " $6 " now:")
            if ($4 < o[1] || $5 < o[2] || $6 < o[3]) say(k, "less, " old[k] " before, " now " now:")
            delete old[k]
        }
        END { for (k in old) say(k, "gone, " old[k] " in the table:") }' "$1" "$2" | sort
}

# start NAME COMMAND...: begins to compile; part NAME judges the figures of that compiler.
start() {
    name=$1
    shift
    { "$@" >"$work/$name.log" 2>&1; echo $? >"$work/$name.status"; } &
}
part() {
    name=$1
    cp "$work/$name.log" "$work/log"
    status=$(cat "$work/$name.status")
    if [ "$status" = 77 ]; then
        cat "$work/log"
        [ -z "$update" ] || awk -v name="$name" '/^compiler / { inside = $2 == name } inside' "$table" >>"$work/table"
        return
    fi
    checks=$((checks + 1))
    if [ "$status" != 0 ]; then
        failures=$((failures + 1))
        grep -vE '^(sm_|gfx).* [0-9]+ [0-9]+ [0-9]+$' "$work/log"
        return
    fi
    compiler=$(sed -n 's/^compiler //p' "$work/log")
    grep -E '^(sm_|gfx).* [0-9]+ [0-9]+ [0-9]+$' "$work/log" >"$work/new"
    if [ -n "$update" ]; then
        { echo && echo "compiler $compiler" && as_table <"$work/new"; } >>"$work/table"
        return
    fi
    as_lines "$compiler" >"$work/old"
    if [ ! -s "$work/old" ]; then
        checks=$((checks - 1))
        echo "skip the figures of $compiler: the table is of$(sed -n "s/^compiler \($name.*\)/ \1/p" "$table")"
        return
    fi
    compare "$work/old" "$work/new" >"$work/differences"
    if [ -s "$work/differences" ]; then
        cat "$work/differences"
        ! grep -q '^FAIL' "$work/differences" || failures=$((failures + 1))
        echo "(where that is meant: ARGAND_UPDATE_RESOURCES=1 in the environment writes the table anew)"
    else
        echo "ok   $compiler: $(wc -l <"$work/new") figures are those of the table"
    fi
}

cat >"$work/table" <<'END'
SPDX-License-Identifier: BSD-3-Clause
What a kernel takes, as REGISTERS/LOCAL/PRIVATE: vector registers of a work-item, bytes of local
memory of a group, bytes of a work-item that did not get registers (spills, arrays).  Shapes: rows x
columns of a frame, l for bilinear windows, w for kernels that keep a
whole frame, h and b for matrix units in IEEE half and bfloat16; 131 goes through Bluestein's algorithm.  Written by
tests/resources.sh.
END
set -- 128x128 256x256 131x131l 128x32w 64x64w 128x128w 8x8h 8x8b
start NVRTC "$abs_top_builddir/tests/nvrtc_check" "$abs_top_srcdir/generated/kernels.cu" "$@"
start clang sh "$abs_top_srcdir/tests/amdgcn.sh" "$@"
wait
part NVRTC
part clang
if [ -n "$update" ] && [ "$failures" = 0 ]; then
    cp "$work/table" "$table" || exit 1
    echo "written: $table"
fi

[ "$checks" != 0 ] || exit 77
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' \
    $((100 * (checks - failures) / checks)) "$checks" "$failures"
[ "$failures" = 0 ]
