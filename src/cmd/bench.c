/* SPDX-License-Identifier: BSD-3-Clause */
/* bench.c -- `argand bench tune`: which plans are the fastest here, and the file that reconstruct --wisdom reads. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const char name[] = "bench";
static const char help[] =
    "Usage: argand bench tune [-o FILE] [OPTIONS] [SIZE...]\n"
    "Measures how frames of each SIZE, N or ROWSxCOLS pixels, are transformed the fastest on a device: plans\n"
    "in turn on noise, medians. Without a SIZE: 64 96 100 128 160 192 256 320 384 512.\n"
    "\n"
    "  -o, --output FILE   plans that beat the table's, for reconstruct --wisdom; what FILE has of\n"
    "                      other devices and sizes stays\n"
    "  -d, --device NAME   see argand devices (ARGAND_DEVICE, else the first)\n"
    "      --threads N     of the cpu device (all cores)\n"
    "  -m, --modes N       of the probe (1)\n"
    "      --gain PERCENT  by which a plan has to beat the table's (2)\n"
    "      --repeat N      measurements of each plan (21)\n"
    "      --orders N      of radices, for rows and for columns at most (64; 8 where kernels are compiled)\n"
    "      --frames N      of a measurement (cpu: 32; else those of a solver's pass)\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 the command line or FILE is wrong.\n";

enum { THREADS = 256, GAIN, REPEAT, ORDERS, FRAMES };
static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                        {"device", required_argument, NULL, 'd'},
                                        {"threads", required_argument, NULL, THREADS},
                                        {"modes", required_argument, NULL, 'm'},
                                        {"gain", required_argument, NULL, GAIN},
                                        {"repeat", required_argument, NULL, REPEAT},
                                        {"orders", required_argument, NULL, ORDERS},
                                        {"frames", required_argument, NULL, FRAMES},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

typedef struct request {
    const char *output, *device;
    ag_tuning tuning; /* what all sizes share */
    int64_t repeat, orders;
} request;

static int
take(request *q, int c)
{
    int64_t threads;
    switch (c) {
    case 'o':
        q->output = optarg;
        return 1;
    case 'd':
        q->device = optarg;
        return 1;
    case 'm':
        return cmd_integer(name, "--modes", optarg, 1, 64, &q->tuning.modes);
    case GAIN:
        if (!cmd_real(name, "--gain", optarg, 0, 99, &q->tuning.gain))
            return 0;
        q->tuning.gain /= 100;
        return 1;
    case REPEAT:
        return cmd_integer(name, "--repeat", optarg, 1, 1000, &q->repeat);
    case ORDERS:
        return cmd_integer(name, "--orders", optarg, 1, 256, &q->orders);
    case FRAMES:
        return cmd_integer(name, "--frames", optarg, 1, 1000000, &q->tuning.frames);
    default:
        return cmd_integer(name, "--threads", optarg, 1, 4096, &threads) && !setenv("ARGAND_THREADS", optarg, 1);
    }
}

static int
take_size(const char *text, int64_t *rows, int64_t *cols)
{
    char part[2][16] = {"", ""}, end;
    const int n = sscanf(text, "%15[0-9]x%15[0-9]%c", part[0], part[1], &end);
    *rows = atoll(part[0]);
    *cols = n == 2 ? atoll(part[1]) : *rows;
    if ((n == 2 || (n == 1 && !strchr(text, 'x'))) && strlen(text) < 12 && *rows >= 2 && *cols >= 2 && *rows <= 16384 &&
        *cols <= 16384 && text[strspn(text, "0123456789x")] == 0)
        return 1;
    cmd_usage(name, "size: found \"%.40s\", expected N or ROWSxCOLS, each from 2 to 16384", text);
    return 0;
}

static int
save(const request *q, const json_t *wisdom)
{
    char *text = json_dumps(wisdom, JSON_INDENT(1));
    const int status = text ? cmd_write_text(name, "--output", q->output, text) : cmd_fail(name, "%s: out of host memory", q->output);
    free(text);
    return status;
}

static int
tune(const request *q, ag_device *device, json_t *wisdom, int sizes, int64_t (*size)[2])
{
    printf("%s: %s; microseconds a frame%s\n%11s %10s %10s %7s %6s  %s\n", ag_device_name(device), ag_device_description(device),
           q->tuning.modes > 1 ? ", of all modes" : "", "frame", "table's", "fastest", "gain, %", "plans", "plan");
    for (int i = 0; i < sizes; i++) {
        ag_tuning t = q->tuning;
        t.rows = size[i][0];
        t.cols = size[i][1];
        t.repeats = (int)q->repeat;
        t.orders = q->orders ? (int)q->orders : strncmp(ag_device_name(device), "cpu", 3) ? 8 : 64;
        if (ag_plan_tune(device, &t))
            return cmd_fail(name, "%lld x %lld: %s", (long long)t.rows, (long long)t.cols, ag_device_message(device));
        printf("%4lld x %-4lld %10.2f %10.2f %7.1f %6d  %s\n", (long long)t.rows, (long long)t.cols, 1e6 * t.usual_seconds,
               1e6 * t.seconds, 100 * (1 - t.seconds / t.usual_seconds), t.plans, strcmp(t.plan, t.usual) ? t.plan : "the table's");
        fflush(stdout);
        if (wisdom && cmd_wisdom_put(wisdom, device, &t))
            return cmd_fail(name, "%s: out of host memory", q->output);
        /* What has been found stays, whatever comes. */
        if (wisdom && save(q, wisdom))
            return 1;
    }
    return 0;
}

int
cmd_bench(int argc, char **argv)
{
    static const int usual[] = {64, 96, 100, 128, 160, 192, 256, 320, 384, 512};
    request q = {.tuning = {.modes = 1, .gain = 0.02}, .repeat = 21};
    const int tunes = argc > 1 && !strcmp(argv[1], "tune");
    int c;
    argc -= tunes;
    argv += tunes;
    while ((c = getopt_long(argc, argv, ":o:d:m:h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (c == '?' || c == ':')
            return cmd_wrong_option(name, c, argv);
        if (!take(&q, c))
            return 2;
    }
    if (!tunes)
        return cmd_usage(name, "found \"%.40s\", expected tune", optind < argc ? argv[optind] : "");
    const int given = argc - optind, sizes = given ? given : (int)(sizeof usual / sizeof *usual);
    int64_t(*size)[2] = calloc((size_t)sizes, sizeof *size);
    if (!size)
        return cmd_fail(name, "sizes: out of host memory");
    for (int i = 0; i < sizes; i++) {
        size[i][0] = size[i][1] = given ? 0 : usual[i];
        if (given && !take_size(argv[optind + i], &size[i][0], &size[i][1])) {
            free(size);
            return 2;
        }
    }
    json_t *wisdom = NULL;
    ag_device *device = NULL;
    ag_message message;
    int status = 0;
    if (q.output && !access(q.output, F_OK))
        status = cmd_wisdom_read(name, q.output, &wisdom);
    else if (q.output && !(wisdom = cmd_wisdom_new()))
        status = cmd_fail(name, "%s: out of host memory", q.output);
    if (!status && q.output)
        status = cmd_try_output(name, "--output", q.output, 0);
    if (!status && ag_device_open(&device, q.device, &message))
        status = cmd_fail(name, "%s", message.text);
    if (!status)
        status = tune(&q, device, wisdom, sizes, size);
    ag_device_close(device);
    json_decref(wisdom);
    free(size);
    return status;
}
