m4_include(`gen/gpu.m4')m4_include(`gen/mma.m4')m4_include(`gen/visits.m4')m4_dnl
m4_divert(-1)
/* cuda.m4 -- the CUDA C++ dialect.  SPDX-License-Identifier: BSD-3-Clause

   Compiled at run time; products and sums may be contracted, division and square root are
   correctly rounded, no fast-math.  All arrays of a group lie in the local memory that the launch asks
   for, because only that may exceed 48 KiB; each begins where the host's table says that the one
   before it ends.  */
m4_define(`QUALIFIED',  `m4_define(`LOCAL_USED', `0')extern "C" __global__ void __launch_bounds__(WIDTH) $1($2)')
m4_define(`GLOBAL',     `')
m4_define(`LOCAL_ARRAY', `$1 *const $2 = ($1 *)(local_ + LOCAL_USED)`'m4_define(`LOCAL_USED', m4_defn(`LOCAL_USED')` + LOCAL_BYTES($1, $3)')')
m4_define(`LOCAL_POINTER', `')
m4_define(`LANE',       `(int)threadIdx.x')
m4_define(`GROUP_ID',   `blockIdx.x')
m4_define(`FLAT_ID',    `blockIdx.x * (index)WIDTH + threadIdx.x')
m4_define(`FLAT_SIZE',  `gridDim.x * (index)WIDTH')
m4_define(`BARRIER',    `__syncthreads();')
/* All groups do item after item together; each strip is some group's, and all are done before the next begin. */
m4_define(`TOGETHER',   `unsigned long long gate_ = 0;
    for (index $1 = 0; $1 < items_; $1++) {')
m4_define(`END_TOGETHER', `}')
m4_define(`EACH_STRIP_OF', `for (int strip = (int)GROUP_ID; strip < ($1); strip += (int)gridDim.x) {
            TABLE_POINTER const table = $2;')
m4_define(`END_STRIP_OF', `}
        grid_barrier(&gate_);')
m4_define(`VISIT_PARTS', `')
m4_define(`HELPER',     `static __device__ inline')
m4_define(`INLINE_HELPER', `static __device__ __forceinline__')
m4_define(`RESTRICT',   `__restrict__')
m4_define(`SQRT',       `sqrtf($1)')
m4_define(`COS',        `cosf($1)')
m4_define(`SIN',        `sinf($1)')
m4_define(`ERF',        `erff($1)')
m4_define(`EXP',        `expf($1)')
m4_define(`TANH',       `tanhf($1)')
m4_define(`ATOMIC_ADD', `atomicAdd(&$1, $2);')
m4_define(`BITS_OF',    `__float_as_uint($1)')
m4_define(`FLOAT_OF',   `__uint_as_float($1)')
m4_divert(0)m4_dnl
/* Generated from the templates in kernels/ by gen/cuda.m4. */
#line 2 "kernels"
typedef long long index;
typedef float real;
typedef struct { real re, im; } cplx;
typedef real lanes;
typedef cplx waves;
extern __shared__ __attribute__((aligned(16))) char local_[];
#define LOCAL_BYTES(type, count) ((int)(sizeof(type) * (count) + 127) / 128 * 128)
#define TILE_SPACE
#define AG_PASTE2(a, b) a##b
#define AG_PASTE(a, b) AG_PASTE2(a, b)
HELPERS_TEXT
AMPLITUDE_TEXT
NET_HELPERS_TEXT
MMA_TEXT
GROUP_TEXT
/* Where the groups of a launch meet.  The driver lets a launch begin only where all of them run at once.  What a
   lane wrote leaves its caches before the barrier, what it reads afterwards comes into them anew.  The count rises by
   the number of groups each time, and is never reset: a launch leaves a multiple of it. */
static __device__ unsigned long long came_;
static __device__ inline void grid_barrier(unsigned long long *gate)
{
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        const unsigned long long before = atomicAdd(&came_, 1ull);
        *gate = (*gate ? *gate : before / gridDim.x * gridDim.x) + gridDim.x;
        while (atomicAdd(&came_, 0ull) < *gate)
            ;
        __threadfence();
    }
    __syncthreads();
}
FFT_TEXT
REGISTERS_TEXT

