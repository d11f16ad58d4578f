/* SPDX-License-Identifier: BSD-3-Clause */
/* common.c -- devices, scans and paths for the tests. */
#include "common.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"

#define VARIANTS 16
#define THINGS   256

/* What was executed, seen by the processes of all tests. */
static struct board {
    int warp[VARIANTS], ran[VARIANTS][THINGS];
    int64_t local[VARIANTS];
} *board;

__attribute__((constructor)) static void
share_board(void)
{
    void *memory = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board = memory == MAP_FAILED ? NULL : memory;
}

/* Whether the backend of that name is built and opens these libraries of the tests. */
static int
opens(const char *backend, const char *variable, const char *library)
{
    const char *const text = getenv(variable);
    return strstr(AG_BACKENDS, backend) && text && strstr(text, library);
}

/* The devices, and those that are tried in another way besides. */
static const char *
names(void)
{
    static char list[256];
    const char *const chosen = getenv("ARGAND_TEST_DEVICES");
    if (chosen && *chosen)
        return chosen;
    const int cuda = opens("cuda", "ARGAND_CUDA_DRIVER", "emulated_cuda");
    const int hip = opens("hip", "ARGAND_CUDA_DRIVER", "emulated_cuda") && opens("hip", "ARGAND_HIP_DRIVER", "hip_on_cuda");
    snprintf(list, sizeof list, AG_BACKENDS "%s%s", cuda ? ",cuda@64" : "", hip ? ",hip@32" : "");
    return list;
}

const char *
test_device(int i)
{
    static char name[32];
    const char *list = names();
    for (const char *p = list; *p; i--) {
        const size_t n = strcspn(p, ",");
        if (i == 0) {
            snprintf(name, sizeof name, "%.*s", (int)n, p);
            return name;
        }
        p += n + (p[n] == ',');
    }
    return NULL;
}

int
test_variants(void)
{
    int n = 0;
    while (test_device(n))
        n++;
    return n;
}

int
test_devices(void)
{
    int n = test_variants();
    while (n > 1 && strchr(test_device(n - 1), '@'))
        n--;
    return n;
}

int
test_machines(void)
{
    const int n = test_devices(), chosen = getenv("ARGAND_TEST_DEVICES") && *getenv("ARGAND_TEST_DEVICES");
    const int repeats = !chosen && n > 1 && !strcmp(test_device(n - 1), "hip") && strstr(AG_BACKENDS, "cuda") &&
                        opens("hip", "ARGAND_CUDA_DRIVER", "emulated_cuda") && opens("hip", "ARGAND_HIP_DRIVER", "hip_on_cuda");
    static int told;
    if (repeats && !told++)
        printf("skip: on hip, which is cuda's emulation, what the host does (check-full's part `hip')\n");
    return n - repeats;
}

ag_device *
test_open(int i)
{
    ag_device *device;
    ag_message message;
    char name[32];
    snprintf(name, sizeof name, "%s", test_device(i));
    char *const at = strchr(name, '@');
    if (at) {
        *at = 0;
        setenv("AG_EMULATE_WARP", at + 1, 1);
    }
    if (ag_device_open(&device, name, &message))
        ck_abort_msg("%s", message.text);
    if (at)
        unsetenv("AG_EMULATE_WARP");
    if (board && i < VARIANTS) {
        board->warp[i] = device->limits.warp;
        board->local[i] = device->limits.local;
    }
    return device;
}

const char *
test_where(const ag_device *device)
{
    static char words[96];
    snprintf(words, sizeof words, "%s (warp %d, local %lld)", device->name, device->limits.warp,
             (long long)device->limits.local);
    return words;
}

void
test_ran(int i, int number)
{
    ck_assert(board != NULL && i < VARIANTS && number < THINGS);
    board->ran[i][number]++;
}

int
test_summary(const char *things, int count, const char *(*name)(int number))
{
    char where[512] = "";
    int missing = 0;
    for (int i = 0; i < test_variants(); i++) {
        const char *const device = test_device(i);
        size_t n = strlen(where);
        n += (size_t)snprintf(where + n, sizeof where - n, "%s%.*s", n ? ", " : "", (int)strcspn(device, ":@"), device);
        if (board->warp[i] > 1)
            snprintf(where + n, sizeof where - n, " (warp %d, %d KiB)", board->warp[i], (int)(board->local[i] / 1024));
        for (int k = 0; k < count; k++)
            if (!board->ran[i][k]) {
                printf("%s was not executed on %s\n", name(k), device);
                missing++;
            }
    }
    if (missing)
        printf("%d of the %d %s were not executed everywhere\n", missing, count, things);
    else
        printf("all %d %s executed on %s\n", count, things, where);
    return missing != 0;
}

int
test_emulated(int i)
{
    ag_device *device = test_open(i);
    const int emulated = strstr(ag_device_description(device), "emulated") != NULL;
    ag_device_close(device);
    return emulated;
}

static ag_scan *
simulated(ag_geometry geometry, int64_t frame, int64_t object, int64_t points, double jitter)
{
    ag_simulation simulation;
    ag_scan *scan, *moved;
    ag_message message;
    ag_random random;
    ag_simulation_default(&simulation);
    simulation.frame = frame;
    simulation.object = object;
    simulation.points = points;
    simulation.step = (double)frame / 16;
    simulation.seed = 7;
    simulation.geometry = geometry;
    if (ag_scan_simulate(&scan, &simulation, &message))
        ck_abort_msg("%s", message.text);
    if (jitter == 0)
        return scan;
    ag_scan_info info = *ag_scan_content(scan);
    double *position = calloc((size_t)info.frames * 2, sizeof *position);
    ck_assert_ptr_nonnull(position);
    ag_random_seed(&random, 3);
    for (int64_t i = 0; i < 2 * info.frames; i++)
        position[i] = info.position[i] + jitter * (ag_random_uniform(&random) - 0.5);
    info.position = position;
    if (ag_scan_create(&moved, &info, &message))
        ck_abort_msg("%s", message.text);
    free(position);
    ag_scan_destroy(scan);
    return moved;
}

ag_scan *
test_scan(int64_t frame, int64_t object, int64_t points, double jitter)
{
    return simulated(AG_FAR_FIELD, frame, object, points, jitter);
}

ag_scan *
test_near_scan(int64_t frame, int64_t object, int64_t points, double jitter)
{
    return simulated(AG_NEAR_FIELD, frame, object, points, jitter);
}

const char *
test_data(const char *name)
{
    static char path[4096];
    const char *root = getenv("abs_top_srcdir");
    snprintf(path, sizeof path, "%s/tests/data/%s", root ? root : ".", name);
    return path;
}

ag_options
test_options(const char *method)
{
    ag_options options;
    ag_message message;
    if (ag_options_default(&options, method, &message))
        ck_abort_msg("%s", message.text);
    return options;
}
