m4_include(`gen/gpu.m4')m4_dnl
m4_divert(-1)
/* cuda.m4 -- the CUDA C++ dialect.  SPDX-License-Identifier: BSD-3-Clause

   Compiled at run time; products and sums may be contracted, division and square root are
   correctly rounded, no fast-math.  */
m4_define(`QUALIFIED',  `extern "C" __global__ void __launch_bounds__(WIDTH) $1($2)')
m4_define(`GLOBAL',     `')
m4_define(`LOCAL_ARRAY', `__shared__ $1 $2[$3]')
m4_define(`LOCAL_POINTER', `')
m4_define(`LANE',       `(int)threadIdx.x')
m4_define(`GROUP_ID',   `blockIdx.x')
m4_define(`FLAT_ID',    `blockIdx.x * (index)WIDTH + threadIdx.x')
m4_define(`FLAT_SIZE',  `gridDim.x * (index)WIDTH')
m4_define(`BARRIER',    `__syncthreads();')
m4_define(`HELPER',     `static __device__ inline')
m4_define(`RESTRICT',   `__restrict__')
m4_define(`SQRT',       `sqrtf($1)')
m4_define(`COS',        `cosf($1)')
m4_define(`SIN',        `sinf($1)')
m4_define(`ERF',        `erff($1)')
m4_define(`EXP',        `expf($1)')
m4_define(`TANH',       `tanhf($1)')
m4_divert(0)m4_dnl
/* Generated from the templates in kernels/ by gen/cuda.m4. */
typedef long long index;
typedef float real;
typedef struct { real re, im; } cplx;
#define TILE_SPACE
#define AG_PASTE2(a, b) a##b
#define AG_PASTE(a, b) AG_PASTE2(a, b)
HELPERS_TEXT
NET_HELPERS_TEXT
GROUP_TEXT
FFT_TEXT

