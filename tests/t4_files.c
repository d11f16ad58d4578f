/* SPDX-License-Identifier: BSD-3-Clause */
/* t4_files.c -- checkpoints that are damaged, hostile or of another kind get words; types and prefixes of the good. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nets/net.h"
#include "t4.h"

enum { SIDE = 16, SEED = TINY_SEED };

/* Opens the file and, when it is good, runs it: the parts of the answer go to `plane`. */
static ag_status
try_file(const char *path, ag_real *plane, ag_message *message)
{
    ag_net_options options;
    ag_net *net;
    ag_real input[SIDE * SIDE];
    ag_device *device = test_open(0);
    ag_net_options_default(&options);
    options.rows = options.cols = SIDE;
    recipe_fill(input, SIDE * SIDE, "input", SEED, 0.5, 0.5);
    ag_status status = ag_net_create(&net, device, path, &options, message);
    if (!status) {
        status = ag_net_planes(net, 1, input, plane, plane + SIDE * SIDE);
        ag_net_destroy(net);
    } else {
        ck_assert_ptr_null(net);
        ck_assert_int_eq(ag_device_status(device), AG_OK);
    }
    ag_device_close(device);
    return status;
}

/* ---- damage ------------------------------------------------------------------------------------ */

/* One text of the header becomes another, or bytes are cut off the end, or the file is these bytes. */
static const struct damage {
    const char *what, *without, *poisoned, *text, *instead;
    int cut; /* bytes; negative: all but so many */
    const char *bytes;
    const char *words; /* part of the message */
} damages[] = {
    {.what = "empty", .bytes = "", .words = "shorter than 8 bytes"},
    {.what = "5 bytes", .cut = -5, .words = "shorter than 8 bytes"},
    {.what = "zip", .bytes = "PK\003\004 a checkpoint of PyTorch", .words = "no safetensors file, or a truncated one"},
    {.what = "no JSON", .bytes = "\010\0\0\0\0\0\0\0{\"abcdef", .words = "header:"},
    {.what = "no object", .bytes = "\010\0\0\0\0\0\0\0[1,2,3] ", .words = "is no JSON object"},
    {.what = "no tensors", .bytes = "\010\0\0\0\0\0\0\0{      }", .words = "0 tensors (none"},
    {.what = "truncated", .cut = 100, .words = "lies outside of the file"},
    {.what = "truncated far", .cut = -1000, .words = "truncated one"},
    {.what = "missing", .without = "up1.block.1.bias", .words = "no tensor up1.block.1.bias, expected one of shape (8)"},
    {.what = "first missing", .without = "lifter.conv1.weight", .words = "no architecture that argand knows"},
    {.what = "block missing", .without = "encoder_blocks.1.local_conv.weight", .words = "1 encoder blocks"},
    {.what = "NaN", .poisoned = "encoder_blocks.2.spectral.weights", .words = "encoder_blocks.2.spectral.weights: number 2047 is"},
    {.what = "integers", .text = "\"up2.block.1.bias\":{\"dtype\":\"F32\"", .instead = "\"up2.block.1.bias\":{\"dtype\":\"I32\"",
     .words = "up2.block.1.bias has type I32, expected F32"},
    {.what = "unknown type", .text = "\"up2.block.1.bias\":{\"dtype\":\"F32\"",
     .instead = "\"up2.block.1.bias\":{\"dtype\":\"F8_E5M2\"", .words = "up2.block.1.bias has type F8_E5M2"},
    {.what = "half as long", .text = "\"up2.block.1.bias\":{\"dtype\":\"F32\"",
     .instead = "\"up2.block.1.bias\":{\"dtype\":\"F16\"", .words = "do not fit its data_offsets"},
    {.what = "no type", .text = "\"dtype\":\"F32\"", .instead = "\"dtype\":7", .words = "has no dtype"},
    {.what = "other shape", .text = "[2,4,1,1]", .instead = "[4,2,1,1]", .words = "(4, 2, 1, 1)"},
    {.what = "huge shape", .text = "[2,4,1,1]", .instead = "[4611686018427387904,4611686018427387904,1,1]",
     .words = "impossible shape"},
    {.what = "negative shape", .text = "[2,4,1,1]", .instead = "[-2,-4,1,1]", .words = "impossible shape"},
    {.what = "fraction of a shape", .text = "[2,4,1,1]", .instead = "[2.0,4,1,1]", .words = "impossible shape"},
    {.what = "nine axes", .text = "[2,4,1,1]", .instead = "[2,4,1,1,1,1,1,1,1]", .words = "at most 8 axes"},
    {.what = "beyond any number", .text = "[2,4,1,1]", .instead = "[2,99999999999999999999,1,1]", .words = "header:"},
    {.what = "overlap", .text = "\"data_offsets\":[144,160]", .instead = "\"data_offsets\":[140,156]", .words = "overlap"},
    {.what = "backwards", .text = "\"data_offsets\":[144,160]", .instead = "\"data_offsets\":[160,144]",
     .words = "lies outside of the file"},
    {.what = "before the file", .text = "\"data_offsets\":[144,160]", .instead = "\"data_offsets\":[-16,0]",
     .words = "lies outside of the file"},
    {.what = "far outside", .text = "\"data_offsets\":[144,160]", .instead = "\"data_offsets\":[9223372036854775800,9223372036854775807]",
     .words = "lies outside of the file"},
    {.what = "no place", .text = "\"data_offsets\":[144,160]", .instead = "\"data_offsets\":[144]", .words = "has no data_offsets"},
    {.what = "twice", .text = "\"lifter.conv2.bias\"", .instead = "\"lifter.conv1.bias\"", .words = "header:"},
    {.what = "no description", .text = "{\"lifter.conv1.weight\":", .instead = "{\"other\":3,\"lifter.conv1.weight\":",
     .words = "tensor other is described by no JSON object"},
    {.what = "wide lifter", .text = "[4,1,3,3]", .instead = "[1,4,3,3]", .words = "lifter.conv1.bias"},
    {.what = "lifter of 5 x 5", .text = "[4,1,3,3]", .instead = "[4,9,1,1]", .words = "lifter.conv1.weight"},
};
#define DAMAGES ((int)(sizeof damages / sizeof *damages))

/* Replaces the first occurrence. */
static void
replace(checkpoint *c, const char *text, const char *instead)
{
    c->header[c->header_size] = 0;
    char *at = strstr(c->header, text);
    ck_assert_msg(at != NULL, "the header has no %s", text);
    char *header = malloc(c->header_size + strlen(instead) + 1);
    ck_assert_ptr_nonnull(header);
    const int n = sprintf(header, "%.*s%s%s", (int)(at - c->header), c->header, instead, at + strlen(text));
    free(c->header);
    c->header = header;
    c->header_size = (size_t)n;
}

static void
write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert(fwrite(bytes, 1, size, file) == size && !fclose(file));
}

static unsigned char *
read_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(1 << 20);
    ck_assert(file && bytes);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

START_TEST(test_damage)
{
    const struct damage *d = &damages[_i];
    tiny t = {.without = d->without, .poisoned = d->poisoned};
    ag_real plane[2 * SIDE * SIDE];
    ag_message message;
    char path[300];
    make_tiny(&t);
    if (d->text)
        replace(&t.file, d->text, d->instead);
    snprintf(path, sizeof path, "%s", checkpoint_write(&t.file, "damaged.safetensors"));
    size_t size;
    unsigned char *bytes = read_bytes(path, &size);
    if (d->bytes) /* none of them is longer than what begins with its own length, or with letters */
        write_bytes(path, d->bytes, d->bytes[0] == '\010' ? 16 : strlen(d->bytes));
    else if (d->cut)
        write_bytes(path, bytes, d->cut < 0 ? (size_t)-d->cut : size - (size_t)d->cut);
    free(bytes);
    const ag_status status = try_file(path, plane, &message);
    ck_assert_msg(status == AG_BAD_FILE, "%s: found status %d (%s)", d->what, status, status ? message.text : "");
    ck_assert_msg(strstr(message.text, "damaged.safetensors") && strstr(message.text, d->words),
                  "%s: found \"%s\", expected the name of the file and \"%s\"", d->what, message.text, d->words);
}
END_TEST

START_TEST(test_no_file)
{
    ag_message message;
    ag_real plane[2 * SIDE * SIDE];
    ck_assert_int_eq(try_file(scratch_path("none.safetensors"), plane, &message), AG_FILE_ERROR);
    ck_assert_ptr_nonnull(strstr(message.text, "none.safetensors"));
    ck_assert_int_ne(try_file("/", plane, &message), AG_OK);
}
END_TEST

/* Whatever is changed, it is an error or a net; each answer of a net is finite or the file's own affair. */
START_TEST(test_random_damage)
{
    tiny t = {0};
    ag_random random;
    ag_real plane[2 * SIDE * SIDE];
    ag_message message;
    int bad = 0;
    char path[300];
    size_t size;
    make_tiny(&t);
    snprintf(path, sizeof path, "%s", checkpoint_write(&t.file, "random.safetensors"));
    unsigned char *bytes = read_bytes(path, &size);
    ag_random_seed(&random, 11);
    const size_t header = (size_t)bytes[0] + 256 * (size_t)bytes[1] + 8;
    const int rounds = getenv("AG_SLOW") ? 40 : 300;
    for (int i = 0; i < rounds; i++) {
        const size_t at = (size_t)(ag_random_uniform(&random) * (double)header);
        const unsigned char kept = bytes[at];
        bytes[at] = (unsigned char)(ag_random_uniform(&random) * 256);
        write_bytes(path, bytes, size);
        bytes[at] = kept;
        const ag_status status = try_file(path, plane, &message);
        ck_assert_msg(status == AG_OK || status == AG_BAD_FILE, "byte %zu: status %d: %s", at, status, message.text);
        bad += status == AG_BAD_FILE;
    }
    free(bytes);
    ck_assert_int_gt(bad, rounds / 2);
}
END_TEST

/* ---- what is good ------------------------------------------------------------------------------- */

START_TEST(test_prefixes)
{
    static const char *const prefixes[] = {"", "model.generator.", "model.autoencoder.", "module."};
    ag_real first[2 * SIDE * SIDE], plane[2 * SIDE * SIDE];
    ag_message message;
    for (int i = 0; i < 4; i++) {
        tiny t = {.prefix = prefixes[i]};
        make_tiny(&t);
        ck_assert_msg(!try_file(checkpoint_write(&t.file, "prefix.safetensors"), i ? plane : first, &message), "%s",
                      message.text);
        ck_assert(!i || !memcmp(first, plane, sizeof plane));
    }
    for (int k = 0; k < 2 * SIDE * SIDE; k++)
        ck_assert(isfinite(first[k]));
}
END_TEST

/* To the bit, whatever runs at a time. */
START_TEST(test_batches)
{
    enum { SAMPLES = 5, COUNT = SAMPLES * SIDE * SIDE };
    static const int64_t batch[] = {5, 1, 2, 3};
    ag_net_options options;
    ag_message message;
    ag_net *net;
    tiny t = {0};
    ag_real input[COUNT], answer[4][2 * COUNT];
    ag_device *device = test_open(_i);
    char path[300];
    make_tiny(&t);
    snprintf(path, sizeof path, "%s", checkpoint_write(&t.file, "batches.safetensors"));
    recipe_fill(input, COUNT, "input", SEED, 0.5, 0.5);
    ag_net_options_default(&options);
    options.rows = options.cols = SIDE;
    for (int i = 0; i < 4; i++) {
        options.batch = batch[i];
        ck_assert_msg(!ag_net_create(&net, device, path, &options, &message), "%s", message.text);
        ck_assert_msg(!ag_net_run(net, SAMPLES, input, answer[i], answer[i] + COUNT), "%s", ag_device_message(device));
        ag_net_destroy(net);
        ck_assert_msg(!memcmp(answer[0], answer[i], sizeof answer[0]), "%lld at a time", (long long)batch[i]);
    }
    /* On a processor a batch of large patterns runs in parts. */
    enum { WIDE = 192, ALL = SAMPLES * WIDE * WIDE };
    ag_real *const large = calloc(5 * ALL, sizeof *large);
    int64_t bytes[2] = {0, 1};
    options.rows = options.cols = WIDE;
    recipe_fill(large, ALL, "input", SEED, 0.5, 0.5);
    for (int i = 0; i < 2 && ag_device_room(device).lanes == 1; i++) {
        options.batch = i ? 1 : SAMPLES;
        ck_assert_msg(!ag_net_create(&net, device, path, &options, &message), "%s", message.text);
        ck_assert_int_eq(ag_net_content(net)->batch, options.batch);
        bytes[i] = ag_net_content(net)->activation_bytes;
        ag_real *const to = large + (1 + 2 * i) * ALL;
        ck_assert_msg(!ag_net_run(net, SAMPLES, large, to, to + ALL), "%s", ag_device_message(device));
        ag_net_destroy(net);
    }
    ck_assert_int_lt(bytes[0], SAMPLES * bytes[1]);
    ck_assert(!memcmp(large + ALL, large + 3 * ALL, 2 * ALL * sizeof *large));
    free(large);
    ag_device_close(device);
}
END_TEST

/* The same numbers in other types. */
START_TEST(test_types)
{
    static const struct {
        const char *name;
        int bytes;
        unsigned char byte[3][8]; /* 1.5, -2, 2^-24 (BF16: 2^-133) */
        double last;
    } types[] = {
        {"F64", 8, {{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, {0, 0, 0, 0, 0, 0, 0, 0xc0}, {0, 0, 0, 0, 0, 0, 0x70, 0x3e}}, 0x1p-24},
        {"F32", 4, {{0, 0, 0xc0, 0x3f}, {0, 0, 0, 0xc0}, {0, 0, 0x80, 0x33}}, 0x1p-24},
        {"F16", 2, {{0, 0x3e}, {0, 0xc0}, {1, 0}}, 0x1p-24},
        {"BF16", 2, {{0xc0, 0x3f}, {0, 0xc0}, {1, 0}}, 0x1p-133},
    };
    for (int i = 0; i < 4; i++) {
        unsigned char file[200] = {0};
        ag_message message;
        ag_tensors *tensors;
        ag_real value[3];
        const int n = sprintf((char *)file + 8, "{\"x\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":[0,%d]}}", types[i].name,
                              3 * types[i].bytes);
        file[0] = (unsigned char)n;
        for (int k = 0; k < 3; k++)
            memcpy(file + 8 + n + k * types[i].bytes, types[i].byte[k], (size_t)types[i].bytes);
        write_bytes(scratch_path("types.safetensors"), file, (size_t)(8 + n + 3 * types[i].bytes));
        ck_assert_msg(!ag_tensors_open(&tensors, scratch_path("types.safetensors"), &message), "%s", message.text);
        ck_assert_msg(!ag_tensors_read(tensors, ag_tensors_find(tensors, "x"), value, &message), "%s", message.text);
        ck_assert((double)value[0] == 1.5 && (double)value[1] == -2 && (double)value[2] == types[i].last);
        ag_tensors_close(tensors);
    }
}
END_TEST

START_TEST(test_arguments)
{
    ag_net_options options, wrong[5];
    ag_message message;
    ag_net *net;
    tiny t = {0};
    ag_device *device = test_open(0);
    char path[300];
    make_tiny(&t);
    snprintf(path, sizeof path, "%s", checkpoint_write(&t.file, "arguments.safetensors"));
    ag_net_options_default(&options);
    for (int i = 0; i < 5; i++)
        wrong[i] = options;
    wrong[0].batch = -1;
    wrong[1].rows = 18;
    wrong[2].cols = 20000;
    wrong[3].scale = NAN;
    wrong[4].batch = INT64_MAX;
    for (int i = 0; i < 5; i++)
        ck_assert_msg(ag_net_create(&net, device, path, &wrong[i], &message) == AG_BAD_ARGUMENT && !net, "%d", i);
    options.rows = options.cols = SIDE;
    ck_assert_msg(!ag_net_create(&net, device, path, &options, &message), "%s", message.text);
    ag_real input[SIDE * SIDE] = {0}, plane[2 * SIDE * SIDE];
    ck_assert_int_eq(ag_net_run(net, 0, input, plane, plane + SIDE * SIDE), AG_OK);
    ck_assert_int_eq(ag_net_run(net, 1, input, NULL, plane), AG_BAD_ARGUMENT);
    ag_net_destroy(net);
    ag_device_close(device);
}
END_TEST

TCase *
nets_files(void)
{
    TCase *c = tcase_create("files");
    tcase_set_timeout(c, 300);
    tcase_add_loop_test(c, test_damage, 0, DAMAGES);
    tcase_add_test(c, test_no_file);
    tcase_add_test(c, test_random_damage);
    tcase_add_test(c, test_prefixes);
    tcase_add_loop_test(c, test_batches, 0, test_devices());
    tcase_add_test(c, test_types);
    tcase_add_test(c, test_arguments);
    return c;
}
