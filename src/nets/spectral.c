/* SPDX-License-Identifier: BSD-3-Clause */
/* spectral.c -- the spectral convolution of a block, in truncated Fourier sums: with w the weights, for the first
   R row and K column frequencies

       X[r, k] = sum_{y, x} f[y, x] exp(-2 pi i (r y / H + k x / W))      along the rows, then down the columns
       Y[o, r, k] = sum_i X[i, r, k] w[i, o, r, k]
       z[y, x] = Re sum_{r, k} e_k Y[r, k] exp(2 pi i (r y / H + k x / W)) / (H W)

   with e_0 = 1 and e_{W/2} = 1, all others 2: only one corner of the spectrum is kept, and the imaginary part of
   column 0 counts for nothing (Z. Li et al., Fourier neural operator, arXiv:2010.08895; the layer of PtychoPINN,
   github.com/hoidn/PtychoPINN).  Then image + gelu(z + local).  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define PI 3.14159265358979323846

enum { HEIGHT, WIDTH, BLOCKS, INPUTS, ROWS, COLS };
enum { IMAGE, RESULT, FIRST, SPECTRUM, MIXED };
enum { TABLE_ROWS, TABLE_COLUMNS, WEIGHTS, TABLE_BACK, TABLE_LAST };

static void
forward_spectral(ag_net *net, const ag_layer *layer, int64_t samples)
{
    const int64_t *n = layer->number;
    const int64_t h = n[HEIGHT], w = n[WIDTH], rows = n[ROWS], cols = n[COLS], all = samples * n[BLOCKS];
    const ag_array image = ag_net_at(net, layer->value[IMAGE]);
    ag_array first = ag_net_at(net, layer->value[FIRST]), spectrum = ag_net_at(net, layer->value[SPECTRUM]),
             mixed = ag_net_at(net, layer->value[MIXED]), result = ag_net_at(net, layer->value[RESULT]);
    ag_run_spectral_sum(net->program, all * h, &first, layer->weights[TABLE_ROWS], &image, (int)(2 * cols), (int)w,
                        (int)h, h * w * 16, w * 16, cols * h * 32, 32, h * 32, net->options.precision != AG_FP32);
    ag_run_spectral_sum(net->program, all * cols, &spectrum, layer->weights[TABLE_COLUMNS], &first, (int)(2 * rows),
                        (int)(2 * h), (int)cols, cols * h * 32, h * 32, 32, all * 32, cols * all * 32, 0);
    ag_run_spectral_mix(net->program, rows * cols * n[BLOCKS], &mixed, &spectrum, layer->weights[WEIGHTS], samples,
                        (int)n[INPUTS], (int)n[BLOCKS], (int)rows, (int)cols);
    ag_run_spectral_sum(net->program, all * cols, &first, layer->weights[TABLE_BACK], &mixed, (int)(2 * h),
                        (int)(2 * rows), (int)cols, cols * rows * 32, rows * 32, h * cols * 32, 32, cols * 32, 0);
    ag_run_spectral_add(net->program, all * h, &result, &image, layer->weights[TABLE_LAST], &first, (int)w,
                        (int)(2 * cols));
}
static const ag_operation spectral_operation = {forward_spectral, AG_CLASS_SPECTRAL, 3, {AG_KERNEL_spectral_sum, AG_KERNEL_spectral_mix, AG_KERNEL_spectral_add}};

static double
turn(int64_t a, int64_t b, int64_t n)
{
    return 2 * PI * (double)(a * b % n) / (double)n;
}

/* exp(sign 2 pi i k x / n) as a real matrix: places (k, part) or (x, part), terms the other way. */
static ag_real *
complex_table(int places, int terms, int n, int sign)
{
    ag_real *table = ag_calloc((int64_t)4 * places * terms, sizeof *table);
    for (int p = 0; table && p < places; p++)
        for (int j = 0; j < terms; j++) {
            const double angle = sign * turn(p, j, n);
            ag_real *at = table + (int64_t)4 * p * terms + 2 * j;
            at[0] = at[2 * terms + 1] = (ag_real)cos(angle);
            at[2 * terms] = (ag_real)sin(angle);
            at[1] = (ag_real)-sin(angle);
        }
    return table;
}

/* Real to complex along a row: places (k, part), terms x. */
static ag_real *
first_table(int cols, int width)
{
    ag_real *table = ag_calloc((int64_t)2 * cols * width, sizeof *table);
    for (int k = 0; table && k < cols; k++)
        for (int x = 0; x < width; x++) {
            table[(int64_t)2 * k * width + x] = (ag_real)cos(turn(k, x, width));
            table[((int64_t)2 * k + 1) * width + x] = (ag_real)-sin(turn(k, x, width));
        }
    return table;
}

/* And back, with e_k / (H W): places x, terms (k, part). */
static ag_real *
last_table(int cols, int height, int width)
{
    ag_real *table = ag_calloc((int64_t)2 * cols * width, sizeof *table);
    for (int x = 0; table && x < width; x++)
        for (int k = 0; k < cols; k++) {
            const double factor = (k == 0 || 2 * k == width ? 1.0 : 2.0) / ((double)height * width);
            table[(int64_t)2 * x * cols + 2 * k] = (ag_real)(factor * cos(turn(k, x, width)));
            table[(int64_t)2 * x * cols + 2 * k + 1] = (ag_real)(-factor * sin(turn(k, x, width)));
        }
    return table;
}

ag_image
ag_layer_spectral(ag_build *build, ag_image image, ag_image local, ag_real *weight, int all_rows, int all_cols)
{
    const int h = image.height, w = image.width, c = image.channels;
    const int rows = AG_MIN(all_rows, h), cols = AG_MIN(all_cols, w / 2 + 1);
    const int64_t block = (int64_t)image.blocks * 32;
    if (build->status || !weight) {
        free(weight);
        return local;
    }
    const int first = ag_build_value(build, block * h * cols, 0, 0, 0);
    const int spectrum = ag_build_value(build, block * rows * cols, 0, 0, 0);
    const int mixed = ag_build_value(build, block * rows * cols, 0, 0, 0);
    ag_layer *layer = ag_build_layer(build, &spectral_operation);
    if (layer) {
        const int64_t number[6] = {h, w, image.blocks, c, rows, cols};
        const int value[5] = {image.value, local.value, first, spectrum, mixed};
        memcpy(layer->number, number, sizeof number);
        memcpy(layer->value, value, sizeof value);
        const int at = build->net->layers - 1;
        ag_array *array[5];
        array[TABLE_ROWS] = ag_build_upload(build, (int64_t)2 * cols * w, first_table(cols, w));
        array[TABLE_COLUMNS] = ag_build_upload(build, (int64_t)4 * rows * h, complex_table(rows, h, h, -1));
        array[WEIGHTS] = ag_build_upload(build, (int64_t)rows * cols * image.blocks * c * AG_PANEL,
                                         ag_pack_spectral(c, c, weight, all_rows, all_cols, rows, cols));
        array[TABLE_BACK] = ag_build_upload(build, (int64_t)4 * rows * h, complex_table(h, rows, h, 1));
        array[TABLE_LAST] = ag_build_upload(build, (int64_t)2 * cols * w, last_table(cols, h, w));
        memcpy(build->net->layer[at].weights, array, sizeof array);
    }
    free(weight);
    return local;
}
