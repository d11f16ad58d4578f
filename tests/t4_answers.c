/* SPDX-License-Identifier: BSD-3-Clause */
/* t4_answers.c -- the assembly of patches against reference vectors, and PtychoNN on measured frames. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"
#include "nets/net.h"
#include "t4.h"

/* ---- assembly ----------------------------------------------------------------------------- */

typedef struct pieces {
    vectors *v;
    ag_assembly a;
    ag_complex *patch;
    double *position;
    ag_real *weight;
} pieces;

static double
deviation(const pieces *p, const char *key)
{
    json_t *list = json_loads(vectors_metadata(p->v, "deviation_f32_vs_f64"), 0, NULL);
    const double value = json_number_value(json_object_get(list, key));
    json_decref(list);
    ck_assert(value > 0);
    return value;
}

/* Patches `names`, rows x cols each, and places (x, y) times `sign`. */
static void
take(pieces *p, const char *names, const char *places, int64_t rows, int64_t cols, int sign)
{
    int64_t count, numbers;
    const double *patch = vectors_f64(p->v, names, &numbers), *place = vectors_f64(p->v, places, &count);
    count /= 2;
    ck_assert_int_eq(numbers, 2 * count * rows * cols);
    p->patch = ag_calloc(numbers / 2, sizeof *p->patch);
    p->position = ag_calloc(2 * count, sizeof *p->position);
    ck_assert(p->patch && p->position);
    for (int64_t i = 0; i < numbers / 2; i++)
        p->patch[i] = (ag_complex){(ag_real)patch[2 * i], (ag_real)patch[2 * i + 1]};
    for (int64_t i = 0; i < 2 * count; i++)
        p->position[i] = sign * place[i ^ 1];
    p->a = (ag_assembly){.count = count, .rows = rows, .cols = cols, .patch = p->patch, .position = p->position};
}

static void
end(pieces *p)
{
    free(p->patch);
    free(p->position);
    free(p->weight);
    vectors_close(p->v);
}

/* The largest difference to rows x cols of `expected` at (top, left) of the canvas, parts of complex numbers side by
   side, by its largest value. */
static double
difference(const pieces *p, const char *expected, int parts, const ag_real *found, int64_t rows, int64_t cols, int64_t top,
           int64_t left)
{
    int64_t count;
    const double *e = vectors_f64(p->v, expected, &count);
    double worst = 0, largest = 0;
    ck_assert_int_eq(count, parts * rows * cols);
    for (int64_t i = 0; i < count; i++) {
        const int64_t y = i / parts / cols + top, x = i / parts % cols + left;
        worst = fmax(worst, fabs((double)found[(y * p->a.canvas_cols + x) * parts + i % parts] - e[i]));
        largest = fmax(largest, fabs(e[i]));
    }
    return worst / largest;
}

static void
scatter(int number_of_device, const char *kind, int weighted)
{
    pieces p = {.v = vectors_open(net_vector("reassembly"))};
    char name[60], key[60];
    int64_t used;
    ag_device *device = test_open(number_of_device);
    take(&p, "scatter.patches", "scatter.positions_xy", 16, 16, 1);
    p.a.trim = 16;
    p.a.canvas_rows = 58;
    p.a.canvas_cols = 50;
    if (weighted) {
        const double *w = vectors_f64(p.v, "scatter.probe_intensity", NULL);
        p.weight = ag_calloc(256, sizeof *p.weight);
        ck_assert_ptr_nonnull(p.weight);
        for (int i = 0; i < 256; i++)
            p.weight[i] = (ag_real)w[i];
        p.a.weight = p.weight;
    }
    ag_complex *object = ag_calloc(58 * 50, sizeof *object);
    ag_real *weights = ag_calloc(58 * 50, sizeof *weights);
    ck_assert(object && weights);
    ck_assert_msg(!ag_assembly_run(&p.a, device, object, weights, &used), "%s", ag_device_message(device));
    ck_assert_int_eq(used, p.a.count - 1);
    snprintf(name, sizeof name, "scatter.%s.canvas", kind);
    snprintf(key, sizeof key, "scatter.%s.num", kind);
    const double canvas = difference(&p, name, 2, &object->re, 58, 50, 0, 0);
    snprintf(name, sizeof name, "scatter.%s.weights", kind);
    const double weight = difference(&p, name, 1, weights, 58, 50, 0, 0);
    ck_assert_msg(canvas <= 10 * deviation(&p, key) && weight <= 10 * deviation(&p, key),
                  "%s: canvas off by %.1e, weights by %.1e", kind, canvas, weight);
    free(object);
    free(weights);
    end(&p);
    ag_device_close(device);
}

START_TEST(test_scatter)
{
    scatter(_i, "probe", 1);
    scatter(_i, "uniform", 0);
}
END_TEST

/* The merge of the command line of PtychoPINN: patches cut to 20 pixels at minus their offsets from the mean; a canvas
   one pixel wider drops none. */
START_TEST(test_merge)
{
    enum { WIDE = 46 };
    pieces p = {.v = vectors_open(net_vector("reassembly"))};
    double mean[2] = {0, 0};
    int64_t used;
    ag_device *device = test_open(_i);
    take(&p, "merge_crop.patches", "merge_crop.offset_xy", 32, 32, -1);
    p.a.trim = 20;
    p.a.canvas_rows = p.a.canvas_cols = WIDE;
    for (int64_t i = 0; i < 2 * p.a.count; i++)
        mean[i % 2] += p.position[i] / (double)p.a.count;
    p.a.origin[0] = mean[0] - WIDE / 2;
    p.a.origin[1] = mean[1] - WIDE / 2;
    ag_complex object[WIDE * WIDE], numerator[WIDE * WIDE];
    ag_real weights[WIDE * WIDE];
    ck_assert_msg(!ag_assembly_run(&p.a, device, object, weights, &used), "%s", ag_device_message(device));
    ck_assert_int_eq(used, p.a.count);
    for (int i = 0; i < WIDE * WIDE; i++)
        numerator[i] = (ag_complex){object[i].re * weights[i], object[i].im * weights[i]};
    const double allowed = 10 * deviation(&p, "merge_crop");
    const double counts = difference(&p, "merge_crop.counts", 1, weights, 44, 44, 1, 1);
    const double sums = difference(&p, "merge_crop.numerator", 2, &numerator->re, 44, 44, 1, 1);
    ck_assert_msg(counts <= allowed && sums <= allowed, "counts off by %.1e, sums by %.1e, allowed %.1e", counts, sums, allowed);
    end(&p);
    ag_device_close(device);
}
END_TEST

/* A canvas of its own choice holds every patch, and a patch alone comes back. */
START_TEST(test_size)
{
    enum { SIDE = 12, COUNT = 5 };
    const double position[2 * COUNT] = {-3.25, 100.5, 7, 90, 2.5, 95.75, -20, 120, 11, 101};
    ag_complex patch[COUNT * SIDE * SIDE];
    int64_t used;
    ag_message message;
    ag_device *device = test_open(_i);
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        patch[i] = (ag_complex){2, -1};
    ag_assembly a = {.count = COUNT, .rows = SIDE, .cols = SIDE, .trim = 8, .patch = patch, .position = position};
    ck_assert_msg(!ag_assembly_size(&a, &message), "%s", message.text);
    ag_complex *object = ag_calloc(a.canvas_rows * a.canvas_cols, sizeof *object);
    ag_real *weights = ag_calloc(a.canvas_rows * a.canvas_cols, sizeof *weights);
    ck_assert(object && weights);
    ck_assert_msg(!ag_assembly_run(&a, device, object, weights, &used), "%s", ag_device_message(device));
    ck_assert_int_eq(used, COUNT);
    double total = 0;
    for (int64_t i = 0; i < a.canvas_rows * a.canvas_cols; i++) {
        total += (double)weights[i];
        ck_assert(!(weights[i] > (ag_real)1e-3) || (fabs((double)object[i].re - 2) < 1e-5 && fabs((double)object[i].im + 1) < 1e-5));
    }
    ck_assert(fabs(total - COUNT * 64) < 1e-3);
    free(object);
    free(weights);
    a.trim = 13;
    ck_assert_int_eq(ag_assembly_size(&a, &message), AG_BAD_ARGUMENT);
    ag_device_close(device);
}
END_TEST

TCase *
nets_assembly(void)
{
    TCase *c = tcase_create("assembly");
    tcase_set_timeout(c, 120);
    if (net_vector("reassembly")) {
        tcase_add_loop_test(c, test_scatter, 0, test_devices());
        tcase_add_loop_test(c, test_merge, 0, test_devices());
    } else {
        printf("skip: the reference vectors of the assembly: ARGAND_DATA has no ../vectors/nets beside it\n");
    }
    tcase_add_loop_test(c, test_size, 0, test_devices());
    return c;
}

/* ---- PtychoNN --------------------------------------------------------------------------------- */

enum { FRAMES = 20, SIDE = 128 };

static const char *
measured(const char *name)
{
    static char path[4200];
    const char *data = getenv("ARGAND_DATA");
    snprintf(path, sizeof path, "%s/neural-phase-scan235/%s", data ? data : "", name);
    FILE *file = data ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    fclose(file);
    return path;
}

/* The float32 numbers at the end of a .npy file. */
static ag_real *
read_npy(const char *name)
{
    const int64_t count = (int64_t)FRAMES * SIDE * SIDE;
    float *number = ag_calloc(count, sizeof *number);
    ag_real *value = ag_calloc(count, sizeof *value);
    FILE *file = fopen(measured(name), "rb");
    ck_assert(number && value && file && !fseek(file, -4 * (long)count, SEEK_END));
    ck_assert(fread(number, 4, (size_t)count, file) == (size_t)count);
    fclose(file);
    for (int64_t i = 0; i < count; i++)
        value[i] = (ag_real)number[i];
    free(number);
    return value;
}

START_TEST(test_ptychonn)
{
    /* In single precision, then in IEEE half. */
    const int device_number = _i / 2, half = _i % 2;
    const double allowed = half ? 2e-2 : 1e-4;
    const int64_t frames = test_emulated(device_number) ? 1 : FRAMES, count = frames * SIDE * SIDE;
    ag_net_options options;
    ag_message message;
    ag_net *net;
    ag_device *device = test_open(device_number);
    ag_real *input = read_npy("preprocessed_input_float32.npy"), *expected = read_npy("expected_phase_float32.npy");
    ag_real *amplitude = ag_calloc(count, sizeof *amplitude), *phase = ag_calloc(count, sizeof *phase);
    ck_assert(amplitude && phase);
    ag_net_options_default(&options);
    options.precision = half ? AG_FP16 : AG_FP32;
    ck_assert_msg(!ag_net_create(&net, device, measured("ptychonn_phase_only_bn.safetensors"), &options, &message), "%s",
                  message.text);
    ck_assert_msg(!ag_net_run(net, frames, input, amplitude, phase), "%s", ag_device_message(device));
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        ck_assert((double)amplitude[i] == 1);
        worst = fmax(worst, isfinite(phase[i]) ? fabs((double)phase[i] - (double)expected[i]) : INFINITY);
    }
    printf("PtychoNN, %lld measured frames, %s, %s: off by %.1e rad\n", (long long)frames, half ? "fp16" : "fp32",
           ag_device_name(device), worst);
    ck_assert_msg(worst <= allowed, "off by %.1e rad, allowed %.0e", worst, allowed);
    ag_net_destroy(net);
    ag_device_close(device);
    free(input);
    free(expected);
    free(amplitude);
    free(phase);
}
END_TEST

/* By the program, from the raw frames. */
START_TEST(test_raw)
{
    const int64_t shape[3] = {FRAMES, SIDE, SIDE};
    const char *build = getenv("abs_top_builddir");
    char command[16000], model[4200], out[300];
    ag_message message;
    ag_file file;
    ck_assert_ptr_nonnull(build);
    snprintf(model, sizeof model, "%s", measured("ptychonn_phase_only_bn.safetensors"));
    snprintf(out, sizeof out, "%s", scratch_path("raw.h5"));
    snprintf(command, sizeof command, "'%s/argand' infer -q -d cpu -m '%s' '%s' -o '%s' 2>&1", build, model,
             measured("test235_truncated.npz"), out);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(!ag_file_open(&file, out, &message), "%s", message.text);
    float *phase = ag_file_read(&file, "entry_1/patches/phase", AG_KIND_REAL, 3, shape);
    ag_real *expected = read_npy("expected_phase_float32.npy");
    ck_assert_ptr_nonnull(phase);
    double worst = 0;
    for (int64_t i = 0; i < FRAMES * SIDE * SIDE; i++)
        worst = fmax(worst, isfinite(phase[i]) ? fabs((double)phase[i] - (double)expected[i]) : INFINITY);
    printf("PtychoNN by argand infer from the raw frames: off by %.1e rad\n", worst);
    ck_assert_msg(worst <= 1e-4, "off by %.1e rad, allowed 1e-4", worst);
    ag_file_close(&file);
    free(phase);
    free(expected);
}
END_TEST

TCase *
nets_ptychonn(void)
{
    TCase *c = tcase_create("PtychoNN");
    tcase_set_timeout(c, 300);
    if (measured("ptychonn_phase_only_bn.safetensors")) {
        tcase_add_loop_test(c, test_ptychonn, 0, 2 * test_devices());
        tcase_add_test(c, test_raw);
    } else {
        printf("skip: PtychoNN on measured frames: ARGAND_DATA has no neural-phase-scan235\n");
    }
    return c;
}
