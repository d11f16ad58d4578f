/* SPDX-License-Identifier: BSD-3-Clause */
/* kernels.c -- how fast each kernel is: the rows of the tests' table (tests/t2_table.c), at sizes
   that fill a device, beside what the device itself can do.

       bench/kernels [-d DEVICE,...] [OPTIONS] [KERNEL...]       --help has the options

   The rows' own functions make the arrays and launch.  Their launches come here, because they are
   compiled with another name for ag_launch; of each kernel the one that moves most bytes is timed:
   batches that are waited for, each from the same content of the arrays, and their median.  Bytes
   and flops are those that the templates state (kernels/README): caches may serve some of the
   bytes, so that a kernel can be faster than a copy.  */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "t2_kernels.h"

#include "backend.h"

#undef ag_launch
void ag_launch(ag_program *program, int kernel, int64_t items, const ag_value *value);
void bench_launch(ag_program *program, int kernel, int64_t items, const ag_value *value);

extern const ag_kernel ag_kernels[];

enum { BATCH = 8, REPEATS = 101 };

static struct {
    const char *json;
    int64_t frame, pixels, repeats;
    int linear;
    char **kernel; /* names; NULL: all */
} want = {.frame = 256, .repeats = 9};

typedef struct speed {
    int64_t items;
    double bytes, flops, seconds; /* seconds: the median */
} speed;

static speed found[AG_KERNELS]; /* on the present device */
static int unfused;            /* the row wants the form of its kernel for where a library transforms */
static ag_device *device;
static json_t *report;

/* ---- one launch -------------------------------------------------------------------------- */

static void
take_cost(void *user, const ag_timing *timing)
{
    speed *const s = user;
    s->bytes = timing->bytes;
    s->flops = timing->flops;
    s->seconds = timing->seconds;
}

static int
ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Copies what the kernel writes to or from the host. */
static void
keep(const ag_kernel *kernel, const ag_value *value, void **copy, int back)
{
    for (int i = 0; i < kernel->nargs; i++) {
        const ag_array *const array = value[i].array;
        if (kernel->arg[i].kind != AG_ARG_OUT || !array)
            continue;
        if (!back)
            ck_assert_ptr_nonnull(copy[i] =
                                      ag_calloc(array->count, (size_t)ag_type_bytes(array->type)));
        if (back)
            ag_array_write((ag_array *)(uintptr_t)array, 0, array->count, copy[i]);
        else
            ag_array_read(array, 0, array->count, copy[i]);
    }
}

void
bench_launch(ag_program *program, int number, int64_t items, const ag_value *value)
{
    const ag_kernel *const kernel = &ag_kernels[number];
    speed *const best = &found[unfused ? kernel->unfused : number];
    speed now = {items, 0, 0, 0};
    void *copy[AG_MAX_ARGS] = {NULL};
    double seconds[REPEATS];
    keep(kernel, value, copy, 0);
    ag_device_profile(device, take_cost, &now);
    ag_launch(program, number, items, value); /* also brings the kernel in */
    ag_device_profile(device, NULL, NULL);
    const int repeats = now.bytes > best->bytes ? (int)want.repeats : 0;
    const int batch = now.seconds > 0 ? (int)AG_MIN(BATCH, 1 + 0.005 / now.seconds) : 1;
    for (int r = 0; r < repeats; r++) {
        keep(kernel, value, copy, 1);
        const double begin = ag_device_seconds(device);
        for (int i = 0; i < batch; i++)
            ag_launch(program, number, items, value);
        seconds[r] = (ag_device_seconds(device) - begin) / batch;
    }
    if (repeats) { /* the row finds what one launch leaves */
        keep(kernel, value, copy, 1);
        ag_launch(program, number, items, value);
    }
    for (int i = 0; i < kernel->nargs; i++)
        free(copy[i]);
    ck_assert_msg(!ag_device_status(device), "%s", ag_device_message(device));
    if (!repeats)
        return;
    qsort(seconds, (size_t)want.repeats, sizeof *seconds, ascending);
    now.seconds = seconds[want.repeats / 2];
    ck_assert_msg(now.seconds > 0, "%s: the device's clock stood still", kernel->name);
    *best = now;
}

/* ---- one device ------------------------------------------------------------------------------ */

static int
wanted(const kernel_row *row)
{
    if (row->number == AG_KERNEL_copy || row->number == AG_KERNEL_multiply_add || !*want.kernel)
        return 1;
    for (char **name = want.kernel; *name; name++)
        if (!strcmp(*name, row->name))
            return 1;
    return 0;
}

/* A number, or a dash where a kernel does none of it. */
static void
put_number(double value, const char *unit)
{
    if (value > 0)
        printf(value < 1000 ? " %9.4g%s" : " %9.0f%s", value, unit);
    else
        printf(" %9s%*s", "-", (int)strlen(unit), "");
}

static json_t *
put(const char *name, const speed *s)
{
    const speed *const copy = &found[AG_KERNEL_copy], *const fma = &found[AG_KERNEL_multiply_add];
    const double bytes = s->bytes / s->seconds, flops = s->flops / s->seconds;
    const double of_copy = bytes / (copy->bytes / copy->seconds),
                 of_fma = flops / (fma->flops / fma->seconds);
    if (!want.json || strcmp(want.json, "-")) {
        printf("%-17s %10lld", name, (long long)s->items);
        put_number(s->seconds * 1e6, "");
        put_number(bytes / 1e9, "");
        put_number(100 * of_copy, "%");
        put_number(flops / 1e9, "");
        put_number(100 * of_fma, "%");
        putchar('\n');
        fflush(stdout);
    }
    return json_pack("{s:s s:I s:f s:f s:f s:f s:f}", "kernel", name, "items", (json_int_t)s->items,
                     "seconds", s->seconds, "bytes", s->bytes, "flops", s->flops, "of_copy",
                     of_copy, "of_multiply_add", of_fma);
}

static void
bench_row(const kernel_row *row, int64_t slots)
{
    static problem p;
    const shape_row at = {(int)want.frame, (int)want.frame, want.linear, 0, ALWAYS, 1, 0};
    memset(&p, 0, sizeof p);
    unfused = p.unfused = row->unfused;
    problem_begin(&p, device, row->name, row->number, &at, slots);
    row->check(&p);
    problem_end(&p);
    ck_assert_msg(found[row->number].bytes > 0, "%s: nothing was launched", row->name);
}

START_TEST(bench_device)
{
    const int64_t pixels =
        want.pixels ? want.pixels : (int64_t)1 << (ag_device_room(device).lanes > 1 ? 23 : 22);
    const int64_t slots = AG_MAX(SLOTS, pixels / (want.frame * want.frame));
    json_t *const list = json_array();
    memset(found, 0, sizeof found);
    if (!want.json || strcmp(want.json, "-"))
        printf("%s: %s\n%lld frames of %lld x %lld%s, medians of %lld\n%-17s %10s %9s %9s %10s %9s "
               "%10s\n",
               ag_device_name(device), ag_device_description(device), (long long)slots,
               (long long)want.frame, (long long)want.frame,
               want.linear ? " in bilinear windows" : "", (long long)want.repeats, "kernel",
               "items", "us", "GB/s", "of copy", "GFLOP/s", "of FMA");
    /* What the others are parts of comes first. */
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < kernel_rows; i++) {
            const kernel_row *const row = &kernel_table[i];
            if (turn != (row->number != AG_KERNEL_copy && row->number != AG_KERNEL_multiply_add) ||
                !wanted(row) || (ag_kernels[row->number].whole[0] >= 0 && !ag_device_room(device).whole) ||
                (ag_kernels[row->number].kind == AG_TOGETHER && !ag_device_cooperative(device)))
                continue;
            bench_row(row, slots);
            if (turn)
                json_array_append_new(list, put(row->name, &found[row->number]));
        }
    json_array_append_new(list, put("copy", &found[AG_KERNEL_copy]));
    json_array_append_new(list, put("multiply_add", &found[AG_KERNEL_multiply_add]));
    json_array_append_new(
        report, json_pack("{s:s s:s s:I s:b s:I s:I s:o}", "device", ag_device_name(device),
                          "description", ag_device_description(device), "frame",
                          (json_int_t)want.frame, "linear", want.linear, "frames",
                          (json_int_t)slots, "repeats", (json_int_t)want.repeats, "kernels", list));
}
END_TEST

/* Check's assertions in the rows' functions need a runner; it runs in this process, and is silent. */
static int
run_device(const char *name)
{
    ag_message message;
    if (ag_device_open(&device, name, &message)) {
        fprintf(stderr, "bench/kernels: %s\n", message.text);
        return 1;
    }
    Suite *const suite = suite_create("bench");
    TCase *const test = tcase_create(name);
    tcase_add_test(test, bench_device);
    suite_add_tcase(suite, test);
    SRunner *const runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    const int failed = srunner_ntests_failed(runner);
    TestResult **const result = srunner_failures(runner);
    for (int i = 0; i < failed; i++)
        fprintf(stderr, "bench/kernels: %s: %s\n", name, tr_msg(result[i]));
    free(result);
    srunner_free(runner);
    ag_device_close(device);
    return failed;
}

/* ---- the command line ------------------------------------------------------------------------- */

static const char help[] =
    "Usage: bench/kernels [-d DEVICE,...] [OPTIONS] [KERNEL...]\n"
    "Times the kernels (all of them, or those named) on each device.\n"
    "\n"
    "  -d, --device LIST   devices (ARGAND_TEST_DEVICES, else one of each backend)\n"
    "      --frame N       rows and columns of a frame (256)\n"
    "      --pixels N      of a stack of frames (4194304 on a processor, else twice as many)\n"
    "      --linear        bilinear object windows\n"
    "      --repeat N      timings of each kernel, 1 to 101 (9)\n"
    "      --json FILE     the figures; - is the standard output, instead of the table\n";

static int
number(const char *option, int64_t least, int64_t most, int64_t *value)
{
    char *end;
    *value = strtoll(optarg, &end, 10);
    if (*optarg && !*end && *value >= least && *value <= most)
        return 1;
    fprintf(stderr, "bench/kernels: %s: found \"%s\", expected %lld to %lld\n", option, optarg,
            (long long)least, (long long)most);
    return 0;
}

/* 0 to go on, else the exit status + 1. */
static int
parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"device", required_argument, NULL, 'd'}, {"frame", required_argument, NULL, 'f'},
        {"pixels", required_argument, NULL, 'p'}, {"linear", no_argument, NULL, 'l'},
        {"repeat", required_argument, NULL, 'r'}, {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    int c, good = 1;
    while (good && (c = getopt_long(argc, argv, "d:", options, NULL)) != -1) {
        if (c == 'h')
            return fputs(help, stdout) < 0 ? 2 : 1;
        else if (c == 'd')
            good = !setenv("ARGAND_TEST_DEVICES", optarg, 1);
        else if (c == 'f')
            good = number("--frame", 2, 16384, &want.frame);
        else if (c == 'p')
            good = number("--pixels", 1, (int64_t)1 << 32, &want.pixels);
        else if (c == 'l')
            want.linear = 1;
        else if (c == 'r')
            good = number("--repeat", 1, REPEATS, &want.repeats);
        else if (c == 'j')
            want.json = optarg;
        else
            good = 0;
    }
    want.kernel = argv + optind;
    for (char **name = want.kernel; good && *name; name++) {
        int known = 0;
        for (int i = 0; i < AG_KERNELS; i++)
            known = known || !strcmp(*name, ag_kernels[i].name);
        if (!known)
            fprintf(stderr, "bench/kernels: no kernel is called %s\n", *name);
        good = known;
    }
    return good ? 0 : 3;
}

int
main(int argc, char **argv)
{
    const int status = parse(argc, argv);
    if (status)
        return status - 1;
    int failed = 0;
    report = json_array();
    for (int i = 0; i < test_devices(); i++)
        failed += run_device(test_device(i));
    FILE *const file = !want.json ? NULL : strcmp(want.json, "-") ? fopen(want.json, "w") : stdout;
    if (want.json && (!file || json_dumpf(report, file, JSON_INDENT(1)) || fputc('\n', file) < 0 ||
                      fflush(file))) {
        perror(want.json);
        failed++;
    }
    json_decref(report);
    return failed != 0;
}
