m4_divert(-1)
/* mma.m4 -- matrix units: 16 rows of 16 numbers in 16 bits times 8 or 16 columns, added up in single precision.
   SPDX-License-Identifier: BSD-3-Clause

   Which lane of a wave holds which numbers is the architecture's: NVIDIA's PTX ISA (mma.m16n8k16, twice m16n8k8 before
   8.0), AMD's ISA documents (CDNA: v_mfma_f32_16x16x16, RDNA 3: v_wmma_f32_16x16x16).  Rows and columns are 16 numbers one
   after the other.  */
m4_define(`MMA_TEXT', `
#if SHAPE_mma
#if defined __gfx908__ || defined __gfx90a__ || defined __gfx940__ || defined __gfx941__ || defined __gfx942__ || defined __gfx950__
#define MMA_MFMA
#define MMA_WAVE 64
#define MMA_N 16 /* columns */
#define MMA_SUMS 4 /* of a lane */
#define MMA_ROWS 2 /* words of a lane: of the rows, of the columns */
#define MMA_COLS 2
#define MMA_LANE (LANE % MMA_WAVE)
#define MMA_ROW(i) (MMA_LANE % 16) /* row i = 0, 1 of which a lane has numbers */
#define MMA_COL (MMA_LANE % 16)
#define MMA_SUM_ROW(e) (MMA_LANE / 16 * 4 + (e))
#define MMA_SUM_COL(e) (MMA_LANE % 16)
#define MMA_FROM (MMA_LANE / 16 * 2) /* word of a row or column that a lane begins with */
#elif defined __GFX11__
#define MMA_WMMA
#define MMA_WAVE 32
#define MMA_N 16
#define MMA_SUMS 8
#define MMA_ROWS 8
#define MMA_COLS 8
#define MMA_LANE (LANE % MMA_WAVE)
#define MMA_ROW(i) (MMA_LANE % 16)
#define MMA_COL (MMA_LANE % 16)
#define MMA_SUM_ROW(e) (2 * (e) + MMA_LANE / 16)
#define MMA_SUM_COL(e) (MMA_LANE % 16)
#define MMA_FROM 0
#else
#define MMA_WAVE 32
#define MMA_N 8
#define MMA_SUMS 4
#define MMA_ROWS 4
#define MMA_COLS 2
#define MMA_LANE (LANE % MMA_WAVE)
#define MMA_ROW(i) (MMA_LANE / 4 + 8 * (i))
#define MMA_COL (MMA_LANE / 4)
#define MMA_SUM_ROW(e) (MMA_LANE / 4 + (e) / 2 * 8)
#define MMA_SUM_COL(e) (MMA_LANE % 4 * 2 + (e) % 2)
#define MMA_FROM (MMA_LANE % 4)
#endif
typedef struct { unsigned int word[MMA_ROWS]; } mma_rows;
typedef struct { unsigned int word[MMA_COLS]; } mma_cols;
/* Of rows MMA_ROW(0) and MMA_ROW(1). */
HELPER mma_rows mma_load_rows(const unsigned short *first, const unsigned short *second)
{
    const unsigned int *const a = (const unsigned int *)(const void *)first + MMA_FROM;
    mma_rows r;
#if defined MMA_MFMA || defined MMA_WMMA
#pragma unroll
    for (int i = 0; i < MMA_ROWS; i++)
        r.word[i] = a[i];
#else
    const unsigned int *const b = (const unsigned int *)(const void *)second + MMA_FROM;
    r.word[0] = a[0];
    r.word[1] = b[0];
    r.word[2] = a[4];
    r.word[3] = b[4];
#endif
    return r;
}
/* Of column MMA_COL. */
HELPER mma_cols mma_load_cols(const unsigned short *column)
{
    const unsigned int *const a = (const unsigned int *)(const void *)column + MMA_FROM;
    mma_cols c;
#if defined MMA_MFMA || defined MMA_WMMA
#pragma unroll
    for (int i = 0; i < MMA_COLS; i++)
        c.word[i] = a[i];
#else
    c.word[0] = a[0];
    c.word[1] = a[4];
#endif
    return c;
}
#ifdef MMA_EMULATED
#if defined MMA_MFMA
#define MMA_UNIT MMA_EMULATED_MFMA
#elif defined MMA_WMMA
#define MMA_UNIT MMA_EMULATED_WMMA
#elif __CUDA_ARCH__ >= 800
#define MMA_UNIT MMA_EMULATED_16
#else
#define MMA_UNIT MMA_EMULATED_8
#endif
#elif defined MMA_MFMA || defined MMA_WMMA
typedef float mma_vector __attribute__((ext_vector_type(MMA_SUMS)));
#if SHAPE_store == 1
typedef _Float16 mma_half __attribute__((ext_vector_type(2 * MMA_ROWS)));
#else
typedef short mma_half __attribute__((ext_vector_type(2 * MMA_ROWS)));
#endif
#endif
/* sum += rows times columns; all lanes of a wave together. */
HELPER void mma_multiply(float *sum, const mma_rows *rows, const mma_cols *cols)
{
#ifdef MMA_EMULATED
    MMA_EMULATED(MMA_UNIT, SHAPE_store, sum, rows->word, cols->word);
#elif defined MMA_MFMA || defined MMA_WMMA
    mma_vector s;
    mma_half a, b;
    __builtin_memcpy(&s, sum, sizeof s);
    __builtin_memcpy(&a, rows, sizeof a);
    __builtin_memcpy(&b, cols, sizeof b);
#if defined MMA_MFMA && SHAPE_store == 1
    s = __builtin_amdgcn_mfma_f32_16x16x16f16(a, b, s, 0, 0, 0);
#elif defined MMA_MFMA
    s = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(a, b, s, 0, 0, 0);
#elif SHAPE_store == 1
    s = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(a, b, s);
#else
    s = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(a, b, s);
#endif
    __builtin_memcpy(sum, &s, sizeof s);
#elif __CUDA_ARCH__ >= 800
#if SHAPE_store == 1
#define MMA_TYPE "f16"
#else
#define MMA_TYPE "bf16"
#endif
    asm("mma.sync.aligned.m16n8k16.row.col.f32." MMA_TYPE "." MMA_TYPE ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(rows->word[0]), "r"(rows->word[1]), "r"(rows->word[2]), "r"(rows->word[3]), "r"(cols->word[0]), "r"(cols->word[1]));
#else
#pragma unroll
    for (int i = 0; i < 2; i++)
        asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
            : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
            : "r"(rows->word[2 * i]), "r"(rows->word[2 * i + 1]), "r"(cols->word[i]));
#endif
}
#endif')
m4_divert(0)m4_dnl
