m4_include(`gen/gpu.m4')m4_dnl
m4_divert(-1)
/* opencl.m4 -- the OpenCL C 1.2 dialect.  SPDX-License-Identifier: BSD-3-Clause

   Options: see backends/opencl.c; products and sums may be contracted, no fast-math.  Helpers
   are always inlined: PoCL 3.1 computes nonsense where one with a barrier is called twice.  */
m4_define(`QUALIFIED',  `__kernel __attribute__((reqd_work_group_size(WIDTH, 1, 1))) void $1($2)')
m4_define(`GLOBAL',     `__global')
m4_define(`LOCAL_ARRAY', `__local $1 $2[$3]')
m4_define(`LOCAL_POINTER', `__local')
m4_define(`LANE',       `(int)get_local_id(0)')
m4_define(`GROUP_ID',   `get_group_id(0)')
m4_define(`FLAT_ID',    `get_global_id(0)')
m4_define(`FLAT_SIZE',  `get_global_size(0)')
m4_define(`BARRIER',    `barrier(TILE_FENCE);')
m4_define(`HELPER',     `static inline __attribute__((always_inline))')
m4_define(`INLINE_HELPER', m4_defn(`HELPER'))
m4_define(`RESTRICT',   `restrict')
m4_define(`SQRT',       `sqrt($1)')
m4_define(`COS',        `cos($1)')
m4_define(`SIN',        `sin($1)')
m4_define(`ERF',        `erf($1)')
m4_define(`EXP',        `exp($1)')
m4_define(`TANH',       `tanh($1)')
m4_define(`ATOMIC_ADD', `atomic_add_real(&$1, $2);')
m4_define(`BITS_OF',    `as_uint($1)')
m4_define(`FLOAT_OF',   `as_float($1)')
m4_define(`VISITS',     `') /* its groups cannot wait for one another */
m4_divert(0)m4_dnl
/* Generated from the templates in kernels/ by gen/opencl.m4. */
typedef long index;
typedef float real;
typedef struct { real re, im; } cplx;
typedef real lanes;
typedef cplx waves;
#if SHAPE_spill
#define TILE_SPACE __global
#define TILE_FENCE CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE
#else
#define TILE_SPACE __local
#define TILE_FENCE CLK_LOCAL_MEM_FENCE
#endif
/* The language has none for reals. */
static inline void atomic_add_real(volatile __global real *at, const real value)
{
    volatile __global uint *const bits = (volatile __global uint *)at;
    uint before = atomic_add(bits, 0), found; /* a plain read would race */
    while ((found = atomic_cmpxchg(bits, before, as_uint(as_float(before) + value))) != before)
        before = found;
}
#define AG_PASTE2(a, b) a##b
#define AG_PASTE(a, b) AG_PASTE2(a, b)
HELPERS_TEXT
AMPLITUDE_TEXT
NET_HELPERS_TEXT
GROUP_TEXT
FFT_TEXT
REGISTERS_TEXT

