/* SPDX-License-Identifier: BSD-3-Clause */
/* matrix.c -- matrix units of the emulated GPU: the lanes of a wave bring words of two matrices, and each gets its
   sums of the product.

   Which lane has what: PTX ISA, "Matrix Fragments for mma.m16n8k16"; AMD CDNA 3 ISA, v_mfma_f32_16x16x16; RDNA 3 ISA,
   v_wmma_f32_16x16x16, where the upper half of a wave must bring what the lower half does.  */
#include <math.h>
#include <string.h>

#include "emulate.h"

enum { UNIT_16, UNIT_8, UNIT_MFMA, UNIT_WMMA };
static const struct unit {
    int wave, columns, sums, rows, cols; /* words and sums of a lane */
} units[] = {{32, 8, 4, 4, 2}, {32, 8, 4, 4, 2}, {64, 16, 4, 2, 2}, {32, 16, 8, 8, 8}};

static struct {
    int unit, store;
    unsigned row[64][8], col[64][8];
    float sum[64][8];
} now;

void ag_emulate_multiply(int unit, int store, float *sum, const unsigned *rows, const unsigned *cols);

static float
value(unsigned word, int upper)
{
    const unsigned h = upper ? word >> 16 : word & 0xffff;
    float x;
    if (now.store == 2) {
        const unsigned bits = h << 16;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    x = exponent == 31 ? (fraction ? NAN : INFINITY)
                       : ldexpf((float)(exponent ? fraction + 1024 : fraction), (exponent ? exponent : 1) - 25);
    return h & 0x8000 ? -x : x;
}

/* The number of a row, and which of the 16 it is, that half `upper' of word i of a lane is. */
static void
row_of(int lane, int i, int upper, int *row, int *k)
{
    const int old = now.unit <= UNIT_8;
    *row = old ? lane / 4 + i % 2 * 8 : lane % 16;
    *k = upper + (old ? lane % 4 * 2 + i / 2 * 8 : now.unit == UNIT_MFMA ? lane / 16 * 4 + i * 2 : i * 2);
}

static void
col_of(int lane, int i, int upper, int *col, int *k)
{
    const int old = now.unit <= UNIT_8;
    *col = old ? lane / 4 : lane % 16;
    *k = upper + (old ? lane % 4 * 2 + i * 8 : now.unit == UNIT_MFMA ? lane / 16 * 4 + i * 2 : i * 2);
}

/* What all lanes have brought. */
static void
multiply(void)
{
    const struct unit *u = &units[now.unit];
    float a[16][16], b[16][16];
    int row, col, k;
    for (int lane = 0; lane < u->wave; lane++)
        for (int upper = 0; upper < 2; upper++) {
            for (int i = 0; i < u->rows; i++) {
                row_of(lane, i, upper, &row, &k);
                a[row][k] = value(now.row[lane][i], upper);
            }
            for (int i = 0; i < u->cols; i++) {
                col_of(lane, i, upper, &col, &k);
                b[k][col] = value(now.col[lane][i], upper);
            }
            if (now.unit == UNIT_WMMA && lane >= 16 &&
                (memcmp(now.row[lane], now.row[lane - 16], sizeof now.row[0]) || memcmp(now.col[lane], now.col[lane - 16], sizeof now.col[0])))
                em_blame(EM_LAUNCH_FAILED, "matrix unit: lane %d brings other words than lane %d", lane, lane - 16);
        }
    for (int lane = 0; lane < u->wave; lane++)
        for (int e = 0; e < u->sums; e++) {
            const int old = now.unit <= UNIT_8;
            row = old ? lane / 4 + e / 2 * 8 : now.unit == UNIT_MFMA ? lane / 16 * 4 + e : 2 * e + lane / 16;
            col = old ? lane % 4 * 2 + e % 2 : lane % 16;
            float sum = 0;
            for (k = 0; k < 16; k++)
                sum += a[row][k] * b[k][col];
            now.sum[lane][e] = sum;
        }
}

void
ag_emulate_multiply(int unit, int store, float *sum, const unsigned *rows, const unsigned *cols)
{
    const struct unit *u = &units[unit];
    const int lane = em_at.item % u->wave;
    if (unit == UNIT_8 && store == 2)
        em_blame(EM_LAUNCH_FAILED, "matrix unit: bfloat16 before compute capability 8.0");
    if (lane && (now.unit != unit || now.store != store))
        em_blame(EM_LAUNCH_FAILED, "matrix unit: lanes of a wave ask for different products");
    now.unit = unit;
    now.store = store;
    memcpy(now.row[lane], rows, (size_t)u->rows * sizeof *rows);
    memcpy(now.col[lane], cols, (size_t)u->cols * sizeof *cols);
    em_meet(u->wave, multiply);
    for (int e = 0; e < u->sums; e++)
        sum[e] += now.sum[lane][e];
}
