/* SPDX-License-Identifier: BSD-3-Clause */
/* common.c -- devices, scans and paths for the tests. */
#include "common.h"

#include <stdlib.h>
#include <string.h>

const char *
test_device(int i)
{
    static char name[32];
    const char *list = getenv("ARGAND_TEST_DEVICES");
    if (!list || !*list)
        list = AG_BACKENDS;
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
test_devices(void)
{
    int n = 0;
    while (test_device(n))
        n++;
    return n;
}

ag_device *
test_open(int i)
{
    ag_device *device;
    ag_message message;
    if (ag_device_open(&device, test_device(i), &message))
        ck_abort_msg("%s", message.text);
    return device;
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
