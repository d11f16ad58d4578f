m4_include(`gen/passes.m4')m4_include(`gen/gather.m4')m4_include(`gen/nets.m4')m4_include(`gen/visits.m4')m4_dnl
m4_divert(-1)
/* host.m4 -- the host's view of the kernels.  SPDX-License-Identifier: BSD-3-Clause

   With -D AG_EMIT=header: one typed launcher for each kernel.  With -D AG_EMIT=table: the
   table of kernels, their arguments, groups, local memory and costs.  The text of a kernel's body
   is thrown away, but for the words that say how its items are laid out and what they cost.  */
m4_define(`RESET', `m4_define(`PARAMS', `')m4_define(`VALUES', `')m4_define(`DESCRIBED', `')m4_define(`NARGS', 0)m4_dnl
m4_define(`LOCAL', `0')m4_define(`KIND', `')m4_define(`PARTS', `1')m4_define(`TRANSFORMS', 0)m4_define(`WHOLE', `-1, -1, -1')m4_define(`VISIT', `-1, -1, -1')m4_dnl
m4_define(`SCALARS', `')m4_define(`STATED', m4_ifdef(`COSTS', `m4_defn(`COSTS')'))m4_define(`COSTS', `')m4_define(`PASS_COSTS', `')')
RESET
m4_define(`IDS', `')m4_define(`ENTRIES', `')
m4_define(`APPEND', `m4_define(`$1', m4_defn(`$1')`$2')')
m4_define(`ENUM', `m4_ifelse($1, real, AG_REAL, $1, cplx, AG_COMPLEX, AG_INT)')
m4_define(`ARG', `APPEND(`PARAMS', `, $2 $3')APPEND(`VALUES', ` {$4},')APPEND(`DESCRIBED', `{$1, $5, "$3"}, ')m4_define(`NARGS', m4_incr(NARGS))')
m4_define(`IN',  `ARG(AG_ARG_IN, `const ag_array *', `$2', `.array = $2', ENUM($1))')
m4_define(`OUT', `ARG(AG_ARG_OUT, `ag_array *', `$2', `.array = $2', ENUM($1))')
m4_define(`VAL', `m4_ifelse($1, real, `', `APPEND(`SCALARS', `    const $1 $2 = arg['NARGS`].as_$1; (void)$2;
')')m4_ifelse($1, index, `ARG(AG_ARG_INDEX, `int64_t', `$2', `.as_index = $2', AG_INT)',
$1, int, `ARG(AG_ARG_INT, `int', `$2', `.as_int = $2', AG_INT)',
`ARG(AG_ARG_REAL, `double', `$2', `.as_real = $2', AG_REAL)')')
m4_define(`KERNEL', `m4_define(`THIS', `$1')')
m4_define(`COST', `APPEND(`COSTS', `    tally(&cost, $1, $2, $3);
')')
m4_define(`SAME_COST', `m4_define(`COSTS', m4_defn(`STATED'))')
m4_define(`PASS_COST', `APPEND(`PASS_COSTS', `    tally(&cost, items * PIXELS'm4_ifelse(`$2', `', `', `* $2')`, 8, 5 * log2($1));
')')
m4_define(`PIXELS', `(double)ROWS * COLS')
m4_define(`EACH', `m4_define(`KIND', `AG_EACH')')
m4_define(`GROUP', `m4_define(`KIND', `AG_GROUPS')m4_define(`PARTS', `$3')')
m4_define(`TOGETHER', `m4_define(`KIND', `AG_TOGETHER')m4_define(`PARTS', `$2')')
m4_define(`BYTES_real', `sizeof(ag_real)')
m4_define(`BYTES_cplx', `sizeof(ag_complex)')
m4_define(`SHARED', `APPEND(`LOCAL', ` + AG_LOCAL_BYTES(BYTES_$1, $3)')')
m4_define(`TILE_BUFFER', `SHARED(real, tile, TILE_REALS($1) * !shape->spill)')
m4_define(`REDUCE_BUFFER', `SHARED(real, part_, shape->lanes)')
m4_define(`SUMS_BUFFER', `SHARED(cplx, sums, SOLO(0, SEGMENT))SHARED(real, squares, SOLO(0, SEGMENT))')
m4_define(`FFT', `m4_define(`TRANSFORMS', 1)')
m4_define(`FIRST_TILE', `FFT')m4_define(`LAST_TILE', `FFT')m4_define(`MIDDLE_TILE', `FFT')m4_define(`NEAR_TILE', `FFT')
m4_define(`TO_FAR_TILE', `FFT')m4_define(`FROM_FAR_TILE', `FFT')m4_define(`TO_NEAR_TILE', `FFT')m4_define(`FROM_NEAR_TILE', `FFT')
m4_define(`WHOLE_BUFFERS', `SHARED(real, tile, AG_MAX((shape->whole == 2 ? COLS : (2 * COLS + 31) / 32 * 32 + 17) * ROWS, shape->lanes))')
m4_define(`WHOLE_FRAME', `FFT')
m4_define(`WHOLE_PARTS', `m4_define(`WHOLE', `AG_KERNEL_$1, AG_KERNEL_$2, AG_KERNEL_$3')')
m4_define(`VISIT_PARTS', `m4_define(`VISIT', `AG_KERNEL_$1, AG_KERNEL_$2, AG_KERNEL_$3')')
m4_define(`NEAR_BUFFER', `SHARED(real, tile, TILE_REALS(y) * !shape->spill * (shape->lanes == 1 ? MODES : 1))')
m4_define(`IF_MODES', `$2')
m4_define(`SOLO', `(shape->lanes == 1 ? $1 : $2)')
m4_define(`SHAPE', `shape->$1')
m4_define(`TILE', `shape->tile')
m4_define(`END_KERNEL', `m4_divert(2)EMIT`'m4_divert(-1)RESET')
/* What stands in for this kernel where a library transforms, which comes before it: what was made of its text, in
   either field, or itself; -1: nothing can. */
m4_define(`UNFUSED', `UNFUSED_OF(THIS, m4_patsubst(THIS, `^near_', `'))')
m4_define(`UNFUSED_OF', `m4_ifdef(`KNOWN_$1_unfused', `AG_KERNEL_$1_unfused', `m4_ifdef(`KNOWN_$2_unfused', `AG_KERNEL_$2_unfused',
`m4_ifelse(TRANSFORMS, 1, `-1', `AG_KERNEL_$1')')')')
m4_define(`EMIT_header', `APPEND(`IDS', `    AG_KERNEL_'THIS`,
')static inline void
ag_run_`'THIS`'(ag_program *program, int64_t items`'PARAMS)
{
    const ag_value value_[] = {VALUES };
    ag_launch(program, AG_KERNEL_`'THIS, items, value_);
}

')
m4_define(`EMIT_table', `static int64_t
parts_`'THIS`'(const ag_shape *shape)
{
    (void)shape;
    return PARTS;
}

static int64_t
local_`'THIS`'(const ag_shape *shape)
{
    (void)shape;
    return LOCAL;
}

static ag_cost
cost_`'THIS`'(const ag_shape *shape, const index items, const ag_arg *arg)
{
    ag_cost cost = {0, 0};
    (void)shape; (void)items; (void)arg;
SCALARS`'PASS_COSTS`'COSTS`'m4_ifelse(m4_defn(`COSTS'), `', `m4_errprint(`kernel 'THIS` has no COST, see kernels/README
')m4_m4exit(1)')    return cost;
}

APPEND(`ENTRIES', `    {"'THIS`", AG_KERNEL_'THIS`, 'UNFUSED`, {'m4_defn(`WHOLE')`}, {'m4_defn(`VISIT')`}, 'KIND`, 'NARGS`,
     {'m4_defn(`DESCRIBED')`},
     parts_'THIS`, local_'THIS`, cost_'THIS`},
')m4_define(`KNOWN_'THIS)')
m4_define(`EMIT', `m4_indir(EMIT_`'AG_EMIT)')
m4_ifelse(AG_EMIT, header, `m4_m4wrap(`m4_divert(1)enum {
IDS    AG_KERNELS
};

m4_divert(3)#endif
')', `m4_m4wrap(`m4_divert(3)const ag_kernel ag_kernels[] = {
ENTRIES};
')')
m4_divert(0)m4_dnl
/* Generated from the templates in kernels/ by gen/host.m4. */
m4_ifelse(AG_EMIT, header, `#ifndef AG_KERNELS_H
#define AG_KERNELS_H

#include "core.h"
', `#include <math.h>

#include "backend.h"
#include "kernels.h"

typedef int64_t index;

#define AG_LOCAL_BYTES(size, count) (((int64_t)(size) * (count) + 127) / 128 * 128)

static void
tally(ag_cost *cost, double count, double bytes, double flops)
{
    cost->bytes += count * bytes;
    cost->flops += count * flops;
}

')
m4_divert(-1)
