/* SPDX-License-Identifier: BSD-3-Clause */
/* t4_half.c -- nets whose activations are kept in 16 bits: how far they are from single precision, beside a
   Hybrid-ResNet in double that rounds at the same places.  */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nets/net.h"
#include "t4.h"

/* ---- the reference: one sample, [channel][row][column] ------------------------------------------ */

typedef struct picture {
    int c, h, w;
    double *value;
} picture;

typedef struct plan {
    vectors *v;
    json_t *recipe;
    uint64_t seed;
    int newer; /* layout B: mirrored encoder, 4 x 4 decoder, GELU, one factor for the residual blocks */
    ag_precision precision;
    double *made[400]; /* ends with the plan */
    int count;
} plan;

static double *
make(plan *p, int64_t count)
{
    double *value = ag_calloc(count, sizeof *value);
    ck_assert(value && p->count < 400);
    return p->made[p->count++] = value;
}

static picture
blank(plan *p, int c, int h, int w)
{
    return (picture){c, h, w, make(p, (int64_t)c * h * w)};
}

static void
rounded(const plan *p, int64_t count, double *value)
{
    for (int64_t i = 0; i < count; i++) {
        ag_real one = (ag_real)value[i];
        ag_round(p->precision, 1, &one);
        value[i] = p->precision ? (double)one : value[i];
    }
}

static picture
keep(const plan *p, picture x)
{
    rounded(p, (int64_t)x.c * x.h * x.w, x.value);
    return x;
}

/* A tensor by the recipe; NULL where there is none.  `shape' receives its extents. */
static double *
tensor(plan *p, int64_t shape[5], const char *format, ...)
{
    char name[100];
    va_list list;
    va_start(list, format);
    vsnprintf(name, sizeof name, format, list);
    va_end(list);
    const json_t *entry = json_object_get(p->recipe, name), *extents = json_object_get(entry, "shape");
    int64_t count = 1;
    if (!entry)
        return NULL;
    for (size_t i = 0; i < json_array_size(extents); i++)
        count *= shape[i] = json_integer_value(json_array_get(extents, i));
    ag_real *value = ag_calloc(count, sizeof *value);
    ck_assert_ptr_nonnull(value);
    recipe_fill(value, count, name, p->seed, json_number_value(json_object_get(entry, "a")),
                json_number_value(json_object_get(entry, "b")));
    double *wide = make(p, count);
    for (int64_t i = 0; i < count; i++)
        wide[i] = (double)value[i];
    free(value);
    return wide;
}

static int
mirrored(int i, int n)
{
    return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
}

/* NAME.weight and, with `bias', NAME.bias; 3 x 3 is padded. */
static picture
conv(plan *p, picture x, const char *name, int stride, int mirror, int bias)
{
    int64_t shape[5], one[5];
    double *w = tensor(p, shape, "%s.weight", name), *b = tensor(p, one, "%s.bias", name);
    const int side = (int)shape[2], pad = side == 3;
    picture y = blank(p, (int)shape[0], x.h / stride, x.w / stride);
    ck_assert(w && b && shape[1] == x.c);
    rounded(p, shape[0] * shape[1] * side * side, w);
    for (int o = 0; o < y.c; o++)
        for (int i = 0; i < x.c; i++)
            for (int a = 0; a < side * side; a++) {
                const double factor = w[(o * x.c + i) * side * side + a];
                for (int r = 0; r < y.h; r++) {
                    int v = r * stride + a / side - pad;
                    v = mirror ? mirrored(v, x.h) : v;
                    if (v < 0 || v >= x.h)
                        continue;
                    const double *from = x.value + ((int64_t)i * x.h + v) * x.w;
                    double *to = y.value + ((int64_t)o * y.h + r) * y.w;
                    for (int k = 0; k < y.w; k++) {
                        int u = k * stride + a % side - pad;
                        u = mirror ? mirrored(u, x.w) : u;
                        if (u >= 0 && u < x.w)
                            to[k] += factor * from[u];
                    }
                }
            }
    for (int64_t i = 0; bias && i < (int64_t)y.c * y.h * y.w; i++)
        y.value[i] += b[i / (y.h * y.w)];
    return y;
}

static picture
transposed(plan *p, picture x, const char *name)
{
    int64_t shape[5];
    double *w = tensor(p, shape, "%s.weight", name);
    const int side = (int)shape[2];
    picture y = blank(p, (int)shape[1], 2 * x.h, 2 * x.w);
    rounded(p, shape[0] * shape[1] * side * side, w);
    for (int i = 0; i < x.c; i++)
        for (int o = 0; o < y.c; o++)
            for (int a = 0; a < side * side; a++)
                for (int r = 0; r < x.h; r++)
                    for (int k = 0; k < x.w; k++) {
                        const int v = 2 * r + a / side - 1, u = 2 * k + a % side - 1;
                        if (v >= 0 && v < y.h && u >= 0 && u < y.w)
                            y.value[((int64_t)o * y.h + v) * y.w + u] +=
                                w[(i * y.c + o) * side * side + a] * x.value[((int64_t)i * x.h + r) * x.w + k];
                    }
    return y;
}

static double
gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

/* Statistics before rounding, norm of what was kept, activation: 0 none, 1 ReLU, 2 GELU. */
static picture
norm(plan *p, picture y, const char *name, int act, double factor)
{
    int64_t shape[5];
    const double *gain = tensor(p, shape, "%s.weight", name), *shift = tensor(p, shape, "%s.bias", name);
    const int64_t area = (int64_t)y.h * y.w;
    picture x = blank(p, y.c, y.h, y.w);
    double *scale = make(p, y.c), *mean = make(p, y.c);
    for (int64_t i = 0; i < y.c * area; i++)
        mean[i / area] += y.value[i] / (double)area;
    for (int64_t i = 0; i < y.c * area; i++)
        scale[i / area] += pow(y.value[i] - mean[i / area], 2) / (double)area;
    keep(p, y);
    for (int64_t i = 0; i < y.c * area; i++) {
        const int64_t c = i / area;
        const double f = factor * (gain[c] * (y.value[i] - mean[c]) / sqrt(scale[c] + 1e-5) + shift[c]);
        x.value[i] = act == 1 ? fmax(f, 0) : act == 2 ? gelu(f) : f;
    }
    return x;
}

/* Along rows, then columns, mixing, and back. */
static picture
spectral(plan *p, picture x, int block)
{
    int64_t shape[5];
    const double turn = 2 * acos(-1.0), *w = tensor(p, shape, "encoder_blocks.%d.spectral.weights", block);
    const int rows = (int)fmin((double)shape[2], x.h), cols = (int)fmin((double)shape[3], x.w / 2 + 1);
    const int64_t modes = (int64_t)rows * cols, half = (int64_t)x.h * cols;
    double complex *first = (double complex *)make(p, 2 * x.c * half), *full = (double complex *)make(p, 2 * x.c * modes),
                   *mixed = (double complex *)make(p, 2 * x.c * modes);
    picture z = blank(p, x.c, x.h, x.w);
    for (int64_t i = 0; i < x.c * half; i++)
        for (int k = 0; k < x.w; k++)
            first[i] += x.value[i / cols * x.w + k] * cexp(-I * turn * (double)(i % cols * k) / x.w);
    for (int64_t i = 0; i < x.c * modes; i++)
        for (int y = 0; y < x.h; y++)
            full[i] += first[(i / modes * x.h + y) * cols + i % cols] * cexp(-I * turn * (double)(i / cols % rows * y) / x.h);
    for (int i = 0; i < x.c; i++)
        for (int o = 0; o < x.c; o++)
            for (int64_t m = 0; m < modes; m++) {
                const double *at = w + 2 * (((i * x.c + o) * shape[2] + m / cols) * shape[3] + m % cols);
                mixed[o * modes + m] += full[i * modes + m] * (at[0] + I * at[1]);
            }
    memset(first, 0, (size_t)(x.c * half) * sizeof *first);
    for (int64_t i = 0; i < x.c * half; i++)
        for (int r = 0; r < rows; r++)
            first[i] += mixed[i / half * modes + r * cols + i % cols] * cexp(I * turn * (double)(r * (i / cols % x.h)) / x.h);
    for (int64_t i = 0; i < (int64_t)x.c * x.h * x.w; i++)
        for (int k = 0; k < cols; k++)
            z.value[i] += (k && 2 * k != x.w ? 2 : 1) *
                          creal(first[i / x.w * cols + k] * cexp(I * turn * (double)(k * (i % x.w)) / x.w)) / ((double)x.h * x.w);
    return z;
}

static void
add(picture x, picture y)
{
    for (int64_t i = 0; i < (int64_t)x.c * x.h * x.w; i++)
        x.value[i] += y.value[i];
}

static picture
activated(picture x)
{
    for (int64_t i = 0; i < (int64_t)x.c * x.h * x.w; i++)
        x.value[i] = gelu(x.value[i]);
    return x;
}

/* The channels of output_proj. */
static picture
forward(plan *p, picture input)
{
    static const char *const up[2][2] = {{"up1.block", "up2.block"}, {"upsample_layers.0.block", "upsample_layers.1.block"}};
    char name[100], other[100];
    int64_t shape[5];
    const double *factor = tensor(p, shape, "resnet.layerscale");
    picture x = keep(p, activated(conv(p, keep(p, input), "lifter.conv1", 1, 0, 1)));
    x = keep(p, conv(p, x, "lifter.conv2", 1, 0, 1));
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "encoder_blocks.%d.local_conv", i);
        picture sum = keep(p, conv(p, x, name, 1, p->newer, 1));
        add(sum, spectral(p, x, i));
        add(x, activated(sum));
        keep(p, x);
        snprintf(name, sizeof name, p->newer ? "downsample_layers.%d.conv" : "downsample.%d", i);
        if (i < 2)
            x = keep(p, conv(p, x, name, 2, 0, 1));
    }
    for (int j = 0;; j++) {
        snprintf(name, sizeof name, "resnet.blocks.%d.block.1.weight", j);
        if (!json_object_get(p->recipe, name))
            break;
        snprintf(name, sizeof name, "resnet.blocks.%d.block.1", j);
        snprintf(other, sizeof other, "resnet.blocks.%d.block.2", j);
        const picture y = keep(p, norm(p, conv(p, x, name, 1, 1, 0), other, 1 + p->newer, 1));
        snprintf(name, sizeof name, "resnet.blocks.%d.block.5", j);
        snprintf(other, sizeof other, "resnet.blocks.%d.block.6", j);
        add(x, norm(p, conv(p, y, name, 1, 1, 0), other, 0, factor ? *factor : 1));
        keep(p, x);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s.0", up[p->newer][i]);
        snprintf(other, sizeof other, "%s.1", up[p->newer][i]);
        x = keep(p, norm(p, transposed(p, x, name), other, 1 + p->newer, 1));
    }
    return keep(p, conv(p, x, "output_proj", 1, 0, 1));
}

/* ---- the test ---------------------------------------------------------------------------------------- */

static double
distance(int64_t count, const double *found, const double *expected)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        difference += (found[i] - expected[i]) * (found[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    return sqrt(difference / size);
}

static void
begin(plan *p, const char *name, ag_precision precision)
{
    *p = (plan){.v = vectors_open(net_vector(name)), .precision = precision};
    p->recipe = json_loads(vectors_metadata(p->v, "weights_recipe"), 0, NULL);
    p->seed = strtoull(vectors_metadata(p->v, "seed"), NULL, 0);
    p->newer = json_object_get(p->recipe, "up1.block.0.weight") == NULL;
    ck_assert_ptr_nonnull(p->recipe);
}

static void
end(plan *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->made[i]);
    json_decref(p->recipe);
    vectors_close(p->v);
}

/* The two planes of argand's own net. */
static double *
run(plan *p, ag_device *device, const char *path, int side, int channels, const double *input)
{
    const int64_t count = (int64_t)channels * side * side;
    ag_net_options options;
    ag_message message;
    ag_net *net;
    ag_real *from = ag_calloc(count, sizeof *from), *plane = ag_calloc(2 * count, sizeof *plane);
    double *wide = make(p, 2 * count);
    ck_assert(from && plane);
    for (int64_t i = 0; i < count; i++)
        from[i] = (ag_real)input[i];
    ag_net_options_default(&options);
    options.rows = options.cols = side;
    options.precision = p->precision;
    ck_assert_msg(!ag_net_create(&net, device, path, &options, &message), "%s", message.text);
    ck_assert_msg(!ag_net_planes(net, 1, from, plane, plane + count), "%s", ag_device_message(device));
    for (int64_t i = 0; i < 2 * count; i++)
        wide[i] = (double)plane[i];
    ag_net_destroy(net);
    free(from);
    free(plane);
    return wide;
}

static const struct half {
    const char *name;
    ag_precision precision;
    double least, most; /* relative L2 from single precision */
} halves[] = {{"hybrid_a_default", AG_FP16, 1e-4, 5e-3},
              {"hybrid_a_default", AG_BF16, 1e-3, 4e-2},
              {"hybrid_b_default", AG_FP16, 1e-4, 5e-3},
              {"hybrid_b_default", AG_BF16, 1e-3, 4e-2}};
#define HALVES ((int)(sizeof halves / sizeof *halves))

START_TEST(test_half)
{
    const struct half *h = &halves[_i % HALVES];
    const int emulated = test_emulated(_i / HALVES) || getenv("AG_SLOW"), side = emulated ? 16 : 64;
    /* Where it is emulated, or watched by something slow, a narrow one. */
    const char *name = !emulated ? h->name : h->name[7] == 'a' ? "hybrid_a_tiny_c4" : "hybrid_b_tiny_c4";
    plan p;
    if (!net_vector(name)) {
        printf("skip: %s in 16 bits: ARGAND_DATA is not set, or has no ../vectors/nets beside it\n", name);
        return;
    }
    begin(&p, name, AG_FP32);
    checkpoint c = {0};
    const char *tensor_name;
    json_t *entry;
    json_object_foreach(p.recipe, tensor_name, entry)
    {
        int64_t shape[8];
        const json_t *extents = json_object_get(entry, "shape");
        const int rank = (int)json_array_size(extents);
        for (int i = 0; i < rank; i++)
            shape[i] = json_integer_value(json_array_get(extents, (size_t)i));
        if (strcmp(tensor_name, "input") != 0)
            checkpoint_make(&c, tensor_name, rank, shape, p.seed, json_number_value(json_object_get(entry, "a")),
                            json_number_value(json_object_get(entry, "b")));
    }
    const char *path = checkpoint_write(&c, "half.safetensors");
    ag_device *device = test_open(_i / HALVES);
    const int64_t count = 2 * 4 * (int64_t)side * side;
    double *result[2][2];
    picture input = {4, side, side, make(&p, count / 2)};
    for (int64_t i = 0; i < count / 2; i++) {
        ag_real u;
        char text[20];
        snprintf(text, sizeof text, "%d", (int)i);
        recipe_fill(&u, 1, text, 5, 0.5, 0.5);
        input.value[i] = (double)(float)u;
    }
    for (int k = 0; k < 2; k++) {
        p.precision = k ? h->precision : AG_FP32;
        result[0][k] = run(&p, device, path, side, 4, input.value);
        const picture copy = blank(&p, 4, side, side);
        memcpy(copy.value, input.value, (size_t)(count / 2) * sizeof *copy.value);
        result[1][k] = forward(&p, copy).value;
    }
    const double found = distance(count, result[0][1], result[0][0]), expected = distance(count, result[1][1], result[1][0]);
    const double single = distance(count, result[0][0], result[1][0]);
    printf("%s %s on %s: %.2e from single precision, reference %.2e; single precision %.1e from double\n", name,
           h->precision == AG_FP16 ? "fp16" : "bf16", ag_device_name(device), found, expected, single);
    fflush(stdout);
    ck_assert_msg(single < 2e-5, "single precision is %.1e from double", single);
    ck_assert_msg(found <= 1.5 * expected && expected <= 1.5 * found, "%.2e beside %.2e", found, expected);
    ck_assert_msg(emulated || (found >= h->least && found <= h->most), "%.2e, expected %.0e to %.0e", found, h->least, h->most);
    ag_device_close(device);
    end(&p);
}
END_TEST

TCase *
nets_half(void)
{
    TCase *c = tcase_create("half");
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, test_half, 0, HALVES * test_devices());
    return c;
}
