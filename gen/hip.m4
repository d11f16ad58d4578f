m4_divert(-1)
/* hip.m4 -- the HIP dialect: CUDA's text; where it is compiled ahead of time it needs HIP's header.
   SPDX-License-Identifier: BSD-3-Clause  */
m4_divert(0)m4_dnl
#if !defined __HIPCC_RTC__ && !defined __CUDACC_RTC__
#include <hip/hip_runtime.h>
#define index ag_index /* the header has a function of that name */
#endif
m4_include(`gen/cuda.m4')m4_dnl
