/* SPDX-License-Identifier: BSD-3-Clause */
/* t4_checkpoint.c -- checkpoints for the tests, written byte by byte. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t4.h"

void
recipe_fill(ag_real *value, int64_t count, const char *name, uint64_t seed, double a, double b)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    for (int64_t k = 0; k < count; k++) {
        uint64_t z = (seed ^ hash) + (uint64_t)(k + 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        value[k] = (ag_real)(float)(((double)(z >> 11) * 0x1p-52 - 1) * a + b);
    }
}

void
checkpoint_add(checkpoint *c, const char *name, int rank, const int64_t *shape, const ag_real *value)
{
    int64_t count = 1;
    char extents[200] = "";
    for (int i = 0, n = 0; i < rank; i++) {
        count *= shape[i];
        n += snprintf(extents + n, sizeof extents - (size_t)n, "%s%lld", i ? "," : "", (long long)shape[i]);
    }
    const size_t bytes = (size_t)count * 4, room = strlen(name) + 400;
    c->header = realloc(c->header, c->header_size + room);
    c->data = realloc(c->data, c->data_size + bytes + 1);
    ck_assert(c->header && c->data);
    c->header_size += (size_t)snprintf(c->header + c->header_size, room,
                                       "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                                       c->header_size ? "," : "{", name, extents, c->data_size, c->data_size + bytes);
    for (int64_t i = 0; i < count; i++) {
        const float number = (float)value[i];
        memcpy(c->data + c->data_size + 4 * i, &number, 4);
    }
    c->data_size += bytes;
}

void
checkpoint_make(checkpoint *c, const char *name, int rank, const int64_t *shape, uint64_t seed, double a, double b)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    ag_real *value = ag_calloc(count, sizeof *value);
    ck_assert_ptr_nonnull(value);
    recipe_fill(value, count, name, seed, a, b);
    checkpoint_add(c, name, rank, shape, value);
    free(value);
}

/* ---- a small net ----------------------------------------------------------------------------- */

enum { HIDDEN = 4, MODES = 2 };

static void
add(tiny *t, const char *name, int rank, const int64_t *shape, double a, double b)
{
    char whole[200];
    if (t->without && !strcmp(t->without, name))
        return;
    snprintf(whole, sizeof whole, "%s%s", t->prefix ? t->prefix : "", name);
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    ag_real *value = ag_calloc(count, sizeof *value);
    ck_assert_ptr_nonnull(value);
    recipe_fill(value, count, name, TINY_SEED, a, b);
    if (t->poisoned && !strcmp(t->poisoned, name))
        value[count - 1] = (ag_real)NAN;
    checkpoint_add(&t->file, whole, rank, shape, value);
    free(value);
}

/* NAME.weight, outputs x inputs x side x side, and NAME.bias. */
static void
conv(tiny *t, const char *base, int first, int second, int side, int biases)
{
    char name[100];
    snprintf(name, sizeof name, "%s.weight", base);
    add(t, name, 4, (const int64_t[]){first, second, side, side}, 0.3, 0);
    snprintf(name, sizeof name, "%s.bias", base);
    add(t, name, 1, (const int64_t[]){biases}, 0.1, 0);
}

static void
norm(tiny *t, const char *base, int channels)
{
    char name[100];
    snprintf(name, sizeof name, "%s.weight", base);
    add(t, name, 1, (const int64_t[]){channels}, 0.25, 1);
    snprintf(name, sizeof name, "%s.bias", base);
    add(t, name, 1, (const int64_t[]){channels}, 0.1, 0);
}

void
make_tiny(tiny *t)
{
    const int width[3] = {HIDDEN, 2 * HIDDEN, 4 * HIDDEN};
    char name[100];
    conv(t, "lifter.conv1", HIDDEN, 1, 3, HIDDEN);
    conv(t, "lifter.conv2", HIDDEN, HIDDEN, 3, HIDDEN);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "encoder_blocks.%d.spectral.weights", i);
        add(t, name, 5, (const int64_t[]){width[i], width[i], MODES, MODES, 2}, 0.3, 0);
        snprintf(name, sizeof name, "encoder_blocks.%d.local_conv", i);
        conv(t, name, width[i], width[i], 3, width[i]);
        snprintf(name, sizeof name, "downsample.%d", i);
        if (i < 2)
            conv(t, name, width[i + 1], width[i], 2, width[i + 1]);
    }
    conv(t, "resnet.blocks.0.block.1", width[2], width[2], 3, width[2]);
    norm(t, "resnet.blocks.0.block.2", width[2]);
    conv(t, "resnet.blocks.0.block.5", width[2], width[2], 3, width[2]);
    norm(t, "resnet.blocks.0.block.6", width[2]);
    conv(t, "up1.block.0", width[2], width[1], 3, width[1]);
    norm(t, "up1.block.1", width[1]);
    conv(t, "up2.block.0", width[1], width[0], 3, width[0]);
    norm(t, "up2.block.1", width[0]);
    conv(t, "output_proj", 2, HIDDEN, 1, 2);
}

/* ---- files ------------------------------------------------------------------------------------ */

static char folder[64];

static void
clean(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command))
        fprintf(stderr, "%s stays\n", folder);
}

const char *
scratch_path(const char *name)
{
    static char path[256];
    if (!*folder) {
        strcpy(folder, "/tmp/argand-nets.XXXXXX");
        ck_assert_msg(mkdtemp(folder) != NULL, "%s", strerror(errno));
        atexit(clean);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *
checkpoint_write(checkpoint *c, const char *name)
{
    const char *path = strchr(name, '/') ? name : scratch_path(name);
    FILE *file = fopen(path, "wb");
    unsigned char eight[8];
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 8; i++)
        eight[i] = (unsigned char)((uint64_t)(c->header_size + 1) >> 8 * i);
    ck_assert(fwrite(eight, 8, 1, file) == 1 && fwrite(c->header, c->header_size, 1, file) == 1 &&
              fputc('}', file) == '}' && fwrite(c->data, c->data_size, 1, file) == 1 && !fclose(file));
    free(c->header);
    free(c->data);
    memset(c, 0, sizeof *c);
    return path;
}

const char *
net_vector(const char *name)
{
    static char path[4200];
    const char *data = getenv("ARGAND_DATA");
    struct stat found;
    snprintf(path, sizeof path, "%s/../vectors/nets/%s.safetensors", data ? data : "", name);
    if (data && !stat(path, &found))
        return path;
    char file[100];
    snprintf(file, sizeof file, "%s.safetensors", name);
    snprintf(path, sizeof path, "%s", test_data(file));
    return stat(path, &found) ? NULL : path;
}
