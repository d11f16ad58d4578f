/* SPDX-License-Identifier: BSD-3-Clause */
/* t4_nets.c -- the nets against reference vectors in double precision, stage by stage, on every device.

   A stage may be off by ten times what one ordinary run in single precision is off by, as the file says, relative to
   its largest value.  An emulated GPU takes the small ones only.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nets/net.h"
#include "t4.h"

static const struct file {
    const char *name;
    int small;
} files[] = {
    {"hybrid_a_tiny_c4", 1},          {"hybrid_b_tiny_c4", 1},         {"hybrid_b_tiny_c1_ampphase", 1},
    {"hybrid_b_tiny_modecap", 1},     {"hybrid_b_tiny_skip_add", 1},   {"hybrid_b_tiny_skip_concat", 1},
    {"hybrid_b_tiny_skip_gated_add", 1}, {"hybrid_b_tiny_log1p", 1},   {"cnn_n64_gs1_f1", 0},
    {"cnn_n64_gs2_f1", 0},            {"cnn_n64_gs1", 0},              {"cnn_n64_gs2", 0},
    {"cnn_n64_gs2_nocbam_sigmoid", 0}, {"cnn_n64_gs2_realimag", 0},    {"cnn_n64_gs1_smallprobe", 0},
    {"hybrid_a_default", 0},          {"hybrid_b_default", 0},
};
#define FILES ((int)(sizeof files / sizeof *files))

typedef struct reference {
    vectors *v;
    json_t *config, *recipe, *deviation;
    uint64_t seed;
    int64_t samples, patches, side, answers;
    ag_net_options options;
    ag_real *input;
    char checkpoint[300];
    double worst;
    char worst_name[80];
} reference;

static json_t *
parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(value);
    return value;
}

static int
says(const reference *r, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(r->config, key));
    return value && !strcmp(value, text);
}

static int64_t
number(const reference *r, const char *key)
{
    return json_integer_value(json_object_get(r->config, key));
}

static void
write_checkpoint(reference *r)
{
    checkpoint c = {0};
    const char *name;
    json_t *entry;
    json_object_foreach(r->recipe, name, entry)
    {
        int64_t shape[8];
        const json_t *extents = json_object_get(entry, "shape");
        const int rank = (int)json_array_size(extents);
        for (int i = 0; i < rank; i++)
            shape[i] = json_integer_value(json_array_get(extents, (size_t)i));
        if (strcmp(name, "input") != 0)
            checkpoint_make(&c, name, rank, shape, r->seed, json_number_value(json_object_get(entry, "a")),
                            json_number_value(json_object_get(entry, "b")));
    }
    snprintf(r->checkpoint, sizeof r->checkpoint, "%s", checkpoint_write(&c, "checkpoint.safetensors"));
}

static void
begin(reference *r, const struct file *file)
{
    memset(r, 0, sizeof *r);
    r->v = vectors_open(net_vector(file->name));
    r->config = parse(vectors_metadata(r->v, "config"));
    r->recipe = parse(vectors_metadata(r->v, "weights_recipe"));
    r->deviation = parse(vectors_metadata(r->v, "deviation_f32_vs_f64"));
    r->seed = strtoull(vectors_metadata(r->v, "seed"), NULL, 0);
    r->samples = number(r, "B");
    r->patches = json_object_get(r->config, "C") ? number(r, "C") : 4;
    r->side = number(r, "N");
    ag_net_options_default(&r->options);
    r->options.rows = r->options.cols = r->side;
    r->options.transform = says(r, "transform", "log1p") ? AG_INPUT_LOG1P : AG_INPUT_AS_IS;
    r->options.sigmoid = says(r, "amp_activation", "sigmoid");
    r->options.real_imaginary = says(r, "cnn_output_mode", "real_imag");
    r->options.small_probe = json_is_false(json_object_get(r->config, "probe_big"));
    r->input = ag_calloc(r->samples * r->patches * r->side * r->side, sizeof *r->input);
    ck_assert_ptr_nonnull(r->input);
    recipe_fill(r->input, r->samples * r->patches * r->side * r->side, "input", r->seed, 0.5, 0.5);
    write_checkpoint(r);
}

static void
end(reference *r)
{
    free(r->input);
    json_decref(r->config);
    json_decref(r->recipe);
    json_decref(r->deviation);
    vectors_close(r->v);
}

/* expected[i] against found[place(i)]; the largest difference by the largest value. */
static void
compare(reference *r, const char *tensor, const char *key, int64_t count, const ag_real *found)
{
    int64_t have;
    const double *expected = vectors_f64(r->v, tensor, &have);
    const double allowed = sizeof(ag_real) == 8 ? 1e-7 : 10 * json_number_value(json_object_get(r->deviation, key));
    double difference = 0, largest = 0;
    ck_assert_int_eq(have, count);
    for (int64_t i = 0; i < count; i++) {
        difference = fmax(difference, isfinite(found[i]) ? fabs((double)found[i] - expected[i]) : INFINITY);
        largest = fmax(largest, fabs(expected[i]));
    }
    ck_assert_msg(allowed > 0 && difference <= allowed * largest, "%s: off by %.2e, allowed %.2e", tensor,
                  difference / largest, allowed);
    if (difference / largest / allowed > r->worst) {
        r->worst = difference / largest / allowed;
        snprintf(r->worst_name, sizeof r->worst_name, "%s %.1e", key, difference / largest);
    }
}

/* A stage, or the part of it that the file has. */
static void
compare_stage(reference *r, ag_net *net, const char *tensor)
{
    const int part = !strncmp(tensor, "stagesub.", 9);
    const char *name = tensor + (part ? 9 : 6);
    int64_t shape[3];
    ag_real *stage = ag_net_stage(net, name, r->samples, shape);
    ck_assert_msg(stage != NULL, "no stage %s", name);
    json_t *sub = part ? parse(vectors_metadata(r->v, "stagesub")) : NULL;
    const int64_t c_step = part ? json_integer_value(json_object_get(sub, "channel_step")) : 1;
    const int64_t p_step = part ? json_integer_value(json_object_get(sub, "pixel_step")) : 1;
    const int64_t samples = part ? 1 : r->samples;
    int64_t n = 0;
    for (int64_t b = 0; b < samples; b++)
        for (int64_t c = 0; c < shape[0]; c += c_step)
            for (int64_t y = 0; y < shape[1]; y += p_step)
                for (int64_t x = 0; x < shape[2]; x += p_step)
                    stage[n++] = stage[((b * shape[0] + c) * shape[1] + y) * shape[2] + x];
    char key[80];
    snprintf(key, sizeof key, "stage.%s", name);
    compare(r, tensor, key, n, stage);
    json_decref(sub);
    free(stage);
}

static void
compare_output(reference *r, const char *tensor, ag_real *const plane[2], int64_t answers)
{
    const int64_t area = r->side * r->side, count = r->samples * answers * area;
    if (!strcmp(tensor, "output")) {
        ag_real *pair = ag_calloc(2 * count, sizeof *pair);
        ck_assert_ptr_nonnull(pair);
        for (int64_t i = 0; i < 2 * count; i++) {
            const int64_t b = i / (2 * answers * area), c = i / 2 % answers, at = i / 2 / answers % area;
            pair[i] = plane[i % 2][(b * answers + c) * area + at];
        }
        compare(r, tensor, tensor, 2 * count, pair);
        free(pair);
    } else {
        compare(r, tensor, tensor, count, plane[!strcmp(tensor, "output.phase") || !strcmp(tensor, "output.imag")]);
    }
}

START_TEST(test_file)
{
    const struct file *file = &files[_i % FILES];
    const int number_of_device = _i / FILES;
    ag_message message;
    ag_net *net;
    reference r;
    if ((test_emulated(number_of_device) || getenv("AG_SLOW")) && !file->small) {
        printf("skip: %s on %s: too long where it is emulated or watched\n", file->name, test_device(number_of_device));
        return;
    }
    if (!net_vector(file->name)) {
        printf("skip: %s: ARGAND_DATA is not set, or has no ../vectors/nets beside it\n", file->name);
        return;
    }
    begin(&r, file);
    ag_device *device = test_open(number_of_device);
    /* One sample at a time or all: the answer must not depend on it. */
    for (int keep = 0; keep < 2; keep++) {
        r.options.batch = keep ? r.samples : 1;
        ck_assert_msg(ag_net_make(&net, device, r.checkpoint, &r.options, keep, &message) == AG_OK, "%s", message.text);
        const int64_t answers = ag_net_content(net)->answers, count = r.samples * answers * r.side * r.side;
        ag_real *plane[2] = {ag_calloc(count, sizeof(ag_real)), ag_calloc(count, sizeof(ag_real))};
        ck_assert(plane[0] && plane[1]);
        ck_assert_msg(ag_net_planes(net, r.samples, r.input, plane[0], plane[1]) == AG_OK, "%s", ag_device_message(device));
        for (int i = 0; vectors_name(r.v, i); i++) {
            const char *name = vectors_name(r.v, i);
            if (!strncmp(name, "output", 6))
                compare_output(&r, name, plane, answers);
            else if (keep && !strncmp(name, "stage", 5))
                compare_stage(&r, net, name);
        }
        free(plane[0]);
        free(plane[1]);
        ag_net_destroy(net);
    }
    printf("%-30s %-10s worst %.2f of what is allowed: %s\n", file->name, ag_device_name(device), r.worst, r.worst_name);
    fflush(stdout);
    ag_device_close(device);
    end(&r);
}
END_TEST

TCase *
nets_vectors(void)
{
    TCase *c = tcase_create("vectors");
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, test_file, 0, FILES * test_devices());
    return c;
}

int
main(void)
{
    Suite *suite = suite_create("nets");
    suite_add_tcase(suite, nets_files());
    suite_add_tcase(suite, nets_assembly());
    suite_add_tcase(suite, nets_vectors());
    suite_add_tcase(suite, nets_half());
    suite_add_tcase(suite, nets_ptychonn());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
