/* SPDX-License-Identifier: BSD-3-Clause */
/* t3_long.c -- runs that are too large or too long: turns on the device, checkpoints. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "t3.h"

/* What is varied beside the method and the device. */
static const struct {
    double jitter;
    int64_t batch, probe_start;
    int near;
    int64_t modes;
} kind[] = {{0, 1, 1, 0, 1}, {0.8, 1, 1, 0, 1}, {0.8, 7, 1, 0, 2}, {0, 7, -1, 0, 1}, {0.8, 1, 1, 1, 2}};
#define KINDS ((int)(sizeof kind / sizeof *kind))

static ag_options
options_of(int i)
{
    ag_options o = test_options(ag_method_name(i % METHODS));
    const int k = i / METHODS % KINDS;
    if (strstr(o.method, "pie") || !strcmp(o.method, "lsqml"))
        o.batch = kind[k].batch;
    o.batches = (ag_batching)(k % 3);
    o.noise = (ag_noise)(k % 2);
    o.momentum = k % 2 ? 0 : 0.5;
    o.probe_start = kind[k].probe_start;
    o.overlap_steps = k == 1 ? 3 : 1;
    o.position_start = k == 0 && strcmp(o.method, "ep") && strcmp(o.method, "ep-em") ? 1 : -1;
    if (k > 2 && (!strcmp(o.method, "dm") || !strcmp(o.method, "ap") || !strcmp(o.method, "raar"))) {
        o.background_start = 0;
        o.background_period = 2;
    }
    if (!strcmp(o.method, "ap") || !strcmp(o.method, "raar"))
        o.residuals = 1 + k % 2;
    o.modes = trial_modes(&o, kind[k].modes);
    if (o.modes > 1 && strcmp(o.method, "dm") && strcmp(o.method, "raar"))
        o.orthogonalise = 2;
    if (k == 2 && !strcmp(o.method, "lsqml")) {
        o.orthogonalise = 0;
        o.opr_modes = 2;
        o.opr_start = o.opr_intensity = 1;
        o.probe_power = 1000;
    }
    return o;
}

static ag_scan *
scan_of(int i, int64_t points)
{
    const int k = i / METHODS % KINDS;
    return (kind[k].near ? test_near_scan : test_scan)(32, 96, points, kind[k].jitter);
}

static int
device_of(int i)
{
    return i / METHODS / KINDS;
}

/* ---- turns ------------------------------------------------------------------------------- */

/* From the least memory that works to almost enough: the same bits, and no more than was said. */
START_TEST(turns)
{
    const int slow = test_emulated(device_of(_i)) || getenv("AG_SLOW");
    const int64_t iterations = slow ? 2 : 3;
    ag_scan *scan = scan_of(_i, slow ? 14 : 40);
    const ag_scan_info *info = ag_scan_content(scan);
    ag_options o = options_of(_i);
    trial whole = trial_begin(device_of(_i), NULL, scan, &o);
    ag_quality expected, found;
    trial_run(&whole, iterations);
    ag_solver_measure(whole.solver, &expected);
    ag_complex *object = trial_object(&whole), *probe = trial_probe(&whole);
    const int64_t caller = (whole.pixels + whole.window) * (int64_t)sizeof(ag_complex);
    for (int part = 0; part < 5; part += slow ? 2 : 1) {
        ag_device *device = test_open(device_of(_i));
        ag_need all, need;
        int64_t now, peak;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &all), AG_OK);
        o.memory = 1;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
        o.memory = caller + need.least + (all.least - need.least) * part / 5;
        trial t = trial_begin(0, device, scan, &o);
        trial_run(&t, iterations);
        ag_solver_measure(t.solver, &found);
        ag_device_memory(device, &now, &peak);
        ck_assert_int_lt(peak - caller, all.device);
        ck_assert_int_le(peak, o.memory);
        ag_complex *o2 = trial_object(&t), *p2 = trial_probe(&t);
        if (memcmp(object, o2, (size_t)whole.pixels * sizeof *object) ||
            memcmp(probe, p2, (size_t)whole.window * sizeof *probe))
            ck_abort_msg("%s on %s, %lld frames, %lld bytes of %lld: other bits", o.method, ag_device_name(device),
                         (long long)info->frames, (long long)(o.memory - caller), (long long)all.device);
        ck_assert(trial_same_history(&whole, &t, iterations));
        ck_assert(found.relative_l2 == expected.relative_l2 && found.r_factor == expected.r_factor);
        free(o2);
        free(p2);
        trial_end(&t);
        o.memory = 0;
    }
    free(object);
    free(probe);
    trial_end(&whole);
    ag_scan_destroy(scan);
}
END_TEST

/* A device too small by itself takes turns unasked; one that is much too small says what it needs. */
START_TEST(small_device)
{
    ag_scan *scan = test_scan(32, 96, 40, 0);
    ag_options o = test_options("raar");
    ag_device *device = test_open(_i);
    ag_need need;
    ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
    const int64_t caller = (96 * 96 + 32 * 32) * (int64_t)sizeof(ag_complex);
    device->limits.memory = caller + need.device * 2 / 3;
    trial t = trial_begin(0, device, scan, &o);
    int64_t now, peak;
    ag_device_memory(device, &now, &peak);
    ck_assert_int_le(peak, device->limits.memory);
    trial_run(&t, 2);
    trial_end(&t);

    device = test_open(_i);
    ag_solver *solver;
    o.memory = 1;
    ck_assert_int_eq(ag_solver_create(&solver, device, ag_comm_self(), scan, &o, NULL, NULL), AG_NO_MEMORY);
    ck_assert_ptr_nonnull(strstr(ag_device_message(device), "expected at least"));
    ag_device_close(device);
    ag_scan_destroy(scan);
}
END_TEST

/* Amplitudes in words of 16 bits: nearly the same object, in less memory; and the same bits in turns. */
START_TEST(in_words)
{
    const int device = _i / METHODS, slow = test_emulated(device) || getenv("AG_SLOW");
    for (int near = 0; near < 2; near++) {
        if (slow && (near || strcmp(ag_method_name(_i % METHODS), "raar")))
            continue; /* kernels are built anew */
        ag_scan *scan = (near ? test_near_scan : test_scan)(32, 96, 20, 0.8);
        ag_options o = test_options(ag_method_name(_i % METHODS));
        /* EP hangs on the last digits: of this data in single precision, squared and rooted, by 3e-3. */
        const double most = strcmp(o.method, "ep") && strcmp(o.method, "ep-em") ? 1e-4 : 0.2;
        o.noise_precision = 1e2;
        ag_device *counts = test_open(device);
        ag_need need[2], least;
        ck_assert_int_eq(ag_solver_memory(counts, scan, &o, &need[0]), AG_OK);
        ag_complex *exact = trial_after(device, scan, &o, 3);
        o.data_type = AG_DATA_UINT16;
        ck_assert_int_eq(ag_solver_memory(counts, scan, &o, &need[1]), AG_OK);
        ck_assert_int_le(need[1].device, need[0].device - 20 * 32 * 32 * 2 * (int64_t)(sizeof(ag_real) / 4) + 20 * 64);
        ag_complex *rounded = trial_after(device, scan, &o, 3);
        o.memory = 1;
        ck_assert_int_eq(ag_solver_memory(counts, scan, &o, &least), AG_OK);
        o.memory = (96 * 96 + 32 * 32) * (int64_t)sizeof(ag_complex) + (least.least + need[1].least) / 2;
        ag_complex *shelved = trial_after(device, scan, &o, 3);
        double *weight = trial_weight(scan);
        const double distance = trial_distance(exact, rounded, weight, 96 * 96, 0);
        printf("t3_solvers: %s: %s, %s: words of 16 bits change the object by %.1e\n", test_where(counts), o.method,
               near ? "near" : "far", distance);
        fflush(stdout);
        ck_assert(distance < most);
        ck_assert(distance > 0);
        ck_assert_int_eq(memcmp(rounded, shelved, 96 * 96 * sizeof *shelved), 0);
        free(weight);
        free(exact);
        free(rounded);
        free(shelved);
        ag_device_close(counts);
        ag_scan_destroy(scan);
    }
}
END_TEST

/* ---- checkpoints ------------------------------------------------------------------------------ */

/* A file of this process in $TMPDIR. */
static const char *
scratch_file(const char *name)
{
    static char path[4096];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/argand-test-%ld-%s", folder ? folder : "/tmp", (long)getpid(), name);
    return path;
}

static trial
loaded(ag_device *device, const ag_scan *scan, const ag_options *o, const char *path)
{
    ag_message message;
    trial t = trial_begin(0, device, scan, o);
    if (ag_solver_load(t.solver, path, &message))
        ck_abort_msg("%s", message.text);
    return t;
}

/* Saved after each iteration and taken up by another solver, once with little memory: the bits, the
   errors and the quality of a run that was left alone. */
START_TEST(interrupted)
{
    const int slow = test_emulated(device_of(_i)) || getenv("AG_SLOW");
    const int64_t iterations = 3;
    ag_scan *scan = scan_of(_i, slow ? 10 : 30);
    ag_options o = options_of(_i);
    trial whole = trial_begin(device_of(_i), NULL, scan, &o);
    ag_quality expected, found;
    ag_message message;
    char *note;
    trial_run(&whole, iterations);
    ag_solver_measure(whole.solver, &expected);
    ag_complex *object = trial_object(&whole), *probe = trial_probe(&whole);
    const char *path = scratch_file("checkpoint");
    for (int64_t k = 0; k <= iterations; k++) {
        ag_device *device = test_open(device_of(_i));
        ag_need need;
        o.memory = 1;
        ck_assert_int_eq(ag_solver_memory(device, scan, &o, &need), AG_OK);
        const int64_t little = need.least + (whole.pixels + whole.window) * (int64_t)sizeof(ag_complex);
        o.memory = k == 2 ? little : 0;
        trial t = k ? loaded(device, scan, &o, path) : trial_begin(0, device, scan, &o);
        if (k == iterations) {
            ag_solver_measure(t.solver, &found);
            ag_complex *o2 = trial_object(&t), *p2 = trial_probe(&t);
            if (memcmp(object, o2, (size_t)whole.pixels * sizeof *object) ||
                memcmp(probe, p2, (size_t)whole.window * sizeof *probe))
                ck_abort_msg("%s on %s: other bits", o.method, ag_device_name(device));
            ck_assert(trial_same_history(&whole, &t, iterations));
            ck_assert(found.relative_l2 == expected.relative_l2 && found.r_factor == expected.r_factor);
            free(o2);
            free(p2);
        } else {
            trial_run(&t, 1);
            if (ag_solver_save(t.solver, path, "the caller's words", &message))
                ck_abort_msg("%s", message.text);
            ck_assert_int_eq(ag_checkpoint_note(&note, path, &message), AG_OK);
            ck_assert_str_eq(note, "the caller's words");
            free(note);
        }
        trial_end(&t);
    }
    unlink(path);
    free(object);
    free(probe);
    trial_end(&whole);
    ag_scan_destroy(scan);
}
END_TEST

static void
refused(const ag_scan *scan, const ag_options *o, const char *path, const char *words)
{
    ag_message message;
    trial t = trial_begin(0, NULL, scan, o);
    ck_assert_int_ne(ag_solver_load(t.solver, path, &message), AG_OK);
    printf("%s\n", message.text);
    if (!strstr(message.text, words) || !strstr(message.text, "argand-test-"))
        ck_abort_msg("found \"%s\", expected %s and the file's name", message.text, words);
    ck_assert_int_ne(ag_solver_run(t.solver, 1, NULL, NULL), AG_OK);
    trial_end(&t);
}

/* Where a file has these words. */
static int64_t
place_of(const char *path, int64_t size, const char *words)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc((size_t)size);
    ck_assert(file && text && fread(text, 1, (size_t)size, file) == (size_t)size);
    int64_t at = 0;
    while (at + (int64_t)strlen(words) <= size && memcmp(text + at, words, strlen(words)))
        at++;
    fclose(file);
    free(text);
    ck_assert_int_le(at + (int64_t)strlen(words), size);
    return at;
}

/* Copies a file, but for byte `at`, where that is not -1, and what lies beyond `length`. */
static const char *
damaged(const char *path, int64_t length, int64_t at)
{
    static char to[4096];
    snprintf(to, sizeof to, "%s-damaged", path);
    FILE *in = fopen(path, "rb"), *out = fopen(to, "wb");
    ck_assert(in && out);
    for (int64_t i = 0; i < length; i++) {
        const int c = fgetc(in);
        ck_assert_int_ne(c, EOF);
        fputc(i == at ? c ^ 64 : c, out);
    }
    fclose(in);
    fclose(out);
    return to;
}

START_TEST(bad_checkpoints)
{
    ag_scan *scan = test_scan(32, 96, 20, 0), *other = test_scan(32, 96, 21, 0);
    ag_options o = test_options("raar");
    ag_message message;
    struct stat found;
    const char *path = scratch_file("bad");
    setenv("ARGAND_TEST_DEVICES", "cpu", 1);
    trial t = trial_begin(0, NULL, scan, &o);
    trial_run(&t, 2);
    if (ag_solver_save(t.solver, path, "words of the caller's", &message))
        ck_abort_msg("%s", message.text);
    ck_assert_int_eq(ag_solver_load(t.solver, path, &message), AG_BAD_ARGUMENT); /* it has run */
    trial_end(&t);

    refused(other, &o, path, "checkpoint/scan");
    ag_scan_info info = *ag_scan_content(scan);
    ag_real *data = malloc((size_t)(info.frames * 1024) * sizeof *data);
    ck_assert_ptr_nonnull(data);
    memcpy(data, info.data, (size_t)(info.frames * 1024) * sizeof *data);
    data[7777] += 1;
    info.data = data;
    ag_scan *changed;
    ck_assert_int_eq(ag_scan_create(&changed, &info, &message), AG_OK);
    refused(changed, &o, path, "checkpoint/scan");
    ag_options p = o;
    p.beta = 0.5;
    refused(scan, &p, path, "checkpoint/options");
    p = test_options("dm");
    refused(scan, &p, path, "checkpoint/options");

    ck_assert_int_eq(stat(path, &found), 0);
    const int64_t size = found.st_size;
    const char *bad = damaged(path, 0, -1);
    refused(scan, &o, bad, "empty");
    for (int64_t length = 1; length < size; length = 3 * length + 100)
        refused(scan, &o, damaged(path, length, -1), "");
    refused(scan, &o, damaged(path, size - 1, -1), "");
    /* All over the arrays, each damage is found. */
    for (int64_t at = size / 8; at < size - 4096; at += size / 16 + 1)
        refused(scan, &o, damaged(path, size, at), "damaged");
    /* Another version. */
    refused(scan, &o, damaged(path, size, place_of(path, size, "argand checkpoint 2") + 18), "expected \"argand checkpoint 2\"");
    char *note;
    bad = damaged(path, size, place_of(path, size, "words of the caller's") + 3);
    ck_assert_int_eq(ag_checkpoint_note(&note, bad, &message), AG_BAD_FILE);
    ck_assert(!note && strstr(message.text, "checkpoint/note: is damaged"));
    FILE *text = fopen(bad, "wb");
    ck_assert_ptr_nonnull(text);
    fputs("no checkpoint", text);
    fclose(text);
    refused(scan, &o, bad, "not an HDF5 file");
    ck_assert_int_eq(ag_scan_write(scan, bad, &message), AG_OK);
    refused(scan, &o, bad, "expected a checkpoint");
    unlink(bad);
    refused(scan, &o, bad, "No such file");

    /* Where it cannot be written the old one stays. */
    char nowhere[4200];
    snprintf(nowhere, sizeof nowhere, "%s/no/where", path);
    t = loaded(test_open(0), scan, &o, path);
    ck_assert_int_eq(ag_solver_save(t.solver, nowhere, NULL, &message), AG_FILE_ERROR);
    trial_run(&t, 1);
    trial_end(&t);
    t = loaded(test_open(0), scan, &o, path);
    trial_end(&t);
    unlink(path);
    free(data);
    ag_scan_destroy(scan);
    ag_scan_destroy(changed);
    ag_scan_destroy(other);
}
END_TEST

void
add_long_tests(Suite *suite)
{
    TCase *tests = tcase_create("long");
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, turns, 0, METHODS * KINDS * test_machines());
    tcase_add_loop_test(tests, in_words, 0, METHODS * test_machines());
    tcase_add_loop_test(tests, small_device, 0, test_devices());
    tcase_add_loop_test(tests, interrupted, 0, METHODS * KINDS * test_machines());
    tcase_add_test(tests, bad_checkpoints);
    suite_add_tcase(suite, tests);
}
