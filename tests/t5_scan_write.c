/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_write.c -- scans and results written, read back, and failing without leaving anything. */
#include <math.h>
#include "t5_scan.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OBJECT_ROWS = 40, OBJECT_COLS = 50, MODES = 2, LAYERS = 1, ITERATIONS = 5 };

static ag_real frames[FRAMES * ROWS * COLS];
static double where[FRAMES][2];
static uint8_t valid[ROWS * COLS];
static ag_complex probe[MODES * ROWS * COLS], object[OBJECT_ROWS * OBJECT_COLS];

static ag_scan *
make_scan(int amplitudes, int in_corner)
{
    ag_scan *scan;
    ag_message message = {""};
    for (int i = 0; i < FRAMES * ROWS * COLS; i++)
        frames[i] = (ag_real)(0.1 * i + (amplitudes ? -3 : 0.7));
    for (int j = 0; j < FRAMES; j++)
        for (int a = 0; a < 2; a++)
            where[j][a] = places[j][a] / 3;
    where[0][0] = OBJECT_ROWS - ROWS; /* in the last corner, where no rounding is forgiven */
    where[0][1] = OBJECT_COLS - COLS;
    where[1][0] = where[1][1] = 0;
    for (int i = 0; i < ROWS * COLS; i++)
        valid[i] = i % 7 != 3;
    for (int i = 0; i < MODES * ROWS * COLS; i++)
        probe[i] = (ag_complex){(ag_real)(i / 3.0), (ag_real)-i};
    for (int i = 0; i < OBJECT_ROWS * OBJECT_COLS; i++)
        object[i] = (ag_complex){(ag_real)(1 / (i + 1.0)), (ag_real)i};
    const ag_scan_info info = {
        .frames = FRAMES,
        .rows = ROWS,
        .cols = COLS,
        .data = frames,
        .data_are_amplitudes = amplitudes,
        .zero_in_corner = in_corner,
        .valid = valid,
        .position = where[0],
        .object_rows = OBJECT_ROWS,
        .object_cols = OBJECT_COLS,
        .wavelength = length_of_wave,
        .distance = length_to_detector,
        .detector_pixel = {pixel_high, pixel_wide},
        .pixel = {object_pixel(0), object_pixel(1)},
        .probe = probe,
        .modes = MODES,
        .object = object,
    };
    ck_assert_msg(ag_scan_create(&scan, &info, &message) == AG_OK, "%s", message.text);
    return scan;
}

START_TEST(scan_round_trip)
{
    for (int k = 0; k < 4; k++) {
        const int amplitudes = k & 1, in_corner = k >> 1;
        const char *path = file_named("written.cxi");
        ag_message message = {""};
        ag_scan *made = make_scan(amplitudes, in_corner);
        ck_assert_msg(ag_scan_write(made, path, &message) == AG_OK, "%s", message.text);
        ag_scan *read = must_read(path);
        const ag_scan_info *a = ag_scan_content(made), *b = ag_scan_content(read);
        ck_assert_str_eq(ag_scan_warnings(read), ag_scan_warnings(made));
        ck_assert(b->frames == FRAMES && b->rows == ROWS && b->cols == COLS && b->modes == MODES);
        ck_assert(b->object_rows == OBJECT_ROWS && b->object_cols == OBJECT_COLS);
        ck_assert(b->data_are_amplitudes == amplitudes && !b->zero_in_corner);
        for (int j = 0; j < FRAMES; j++)
            for (int y = 0; y < ROWS; y++)
                for (int x = 0; x < COLS; x++) {
                    const int to_y = in_corner ? (y + ROWS / 2) % ROWS : y;
                    const int to_x = in_corner ? (x + COLS / 2) % COLS : x;
                    const int from = y * COLS + x, to = to_y * COLS + to_x;
                    ck_assert(a->data[j * ROWS * COLS + from] == b->data[j * ROWS * COLS + to]);
                    ck_assert(a->valid[from] == b->valid[to]);
                }
        for (int j = 0; j < 2 * FRAMES; j++)
            ck_assert(fabs(b->position[j] - a->position[j]) <= 1e-9 * a->position[j]);
        ck_assert(memcmp(a->probe, b->probe, sizeof probe) == 0);
        ck_assert(memcmp(a->object, b->object, sizeof object) == 0);
        ck_assert(b->wavelength == a->wavelength && b->distance == a->distance);
        for (int i = 0; i < 2; i++) {
            ck_assert(b->detector_pixel[i] == a->detector_pixel[i]);
            ck_assert_double_eq_tol(b->pixel[i], a->pixel[i], 1e-12 * a->pixel[i]);
        }
        ag_scan_destroy(made);
        ag_scan_destroy(read);
        ck_assert_int_eq(files_with_prefix("written.cxi"), 1);
    }
}
END_TEST

/* Equal content makes equal files. */
START_TEST(scan_twice)
{
    const char *first = file_named("first.cxi"), *second = file_named("second.cxi");
    char a[1 << 16], b[1 << 16];
    ag_scan *made = make_scan(0, 0);
    ck_assert_int_eq(ag_scan_write(made, first, NULL), AG_OK);
    sleep(1); /* so that a time, if there were one, would differ */
    ck_assert_int_eq(ag_scan_write(made, second, NULL), AG_OK);
    FILE *one = fopen(first, "rb"), *two = fopen(second, "rb");
    const size_t n = fread(a, 1, sizeof a, one), m = fread(b, 1, sizeof b, two);
    ck_assert(n == m && n < sizeof a && memcmp(a, b, n) == 0);
    fclose(one);
    fclose(two);
    ag_scan_destroy(made);
}
END_TEST

START_TEST(scan_without_geometry)
{
    const char *path = file_named("unknown.cxi");
    for (int k = 0; k < 5; k++) {
        static const char *const words[] = {"wavelength", "distance", "detector_pixel[0]",
                                            "detector_pixel[1]", "pixel[1]"};
        ag_scan *made = make_scan(0, 0), *changed;
        ag_scan_info info = *ag_scan_content(made);
        double *const member[] = {&info.wavelength, &info.distance, info.detector_pixel,
                                  info.detector_pixel + 1, info.pixel + 1};
        ag_message message = {""};
        *member[k] = k < 4 ? 0 : 1e-9;
        ck_assert_int_eq(ag_scan_create(&changed, &info, NULL), AG_OK);
        ck_assert_int_eq(ag_scan_write(changed, path, &message), AG_BAD_ARGUMENT);
        ck_assert_msg(strstr(message.text, path) && strstr(message.text, words[k]), "%s",
                      message.text);
        ck_assert_int_eq(files_with_prefix("unknown.cxi"), 0);
        ag_scan_destroy(made);
        ag_scan_destroy(changed);
    }
}
END_TEST

/* ---- results --------------------------------------------------------------------------------- */

static const double errors[ITERATIONS] = {0.5, 0.4, 0.3, 0.2, 0.1};
static const double times[ITERATIONS] = {1, 2, 3, 4, 5};
static const double moduli[ITERATIONS] = {NAN, 0.25, NAN, 0.125, NAN}, overlaps[ITERATIONS] = {NAN, 0.5, NAN, 0.25, NAN};
static const double eigen_weight[FRAMES * 2] = {1, 0.5, 0.75, -0.25};
static const double background[ROWS * COLS] = {0, 2.5, 7};

static ag_result
make_result(void)
{
    ag_scan_destroy(make_scan(0, 0));
    return (ag_result){
        .layers = LAYERS,
        .object_rows = OBJECT_ROWS,
        .object_cols = OBJECT_COLS,
        .object = object,
        .modes = MODES,
        .rows = ROWS,
        .cols = COLS,
        .probe = probe,
        .frames = FRAMES,
        .corner = where[0],
        .opr_modes = 1,
        .eigen = probe,
        .eigen_weight = eigen_weight,
        .background = background,
        .modulus_residual = moduli,
        .overlap_residual = overlaps,
        .valid = valid,
        .wavelength = length_of_wave,
        .distance = length_to_detector,
        .pixel = {1e-8, 2e-8},
        .detector_pixel = {pixel_high, pixel_wide},
        .iterations = ITERATIONS,
        .error = errors,
        .seconds = times,
        .quality = {0.25, 0.125},
        .version = "9.8.7",
        .device = "cpu",
        .plan = "p1",
        .source = "scan.cxi",
        .options = "{\"method\": \"rpie\"}",
        .seed = UINT64_MAX - 5,
        .run_seconds = 12.5,
    };
}

START_TEST(result_round_trip)
{
    const char *path = file_named("result.cxi");
    ag_message message = {""};
    const ag_result made = make_result();
    ag_result *read;
    ck_assert_msg(ag_result_write(path, &made, &message) == AG_OK, "%s", message.text);
    ck_assert_msg(ag_result_read(&read, path, &message) == AG_OK, "%s", message.text);
    ck_assert(read->layers == LAYERS && read->object_rows == OBJECT_ROWS);
    ck_assert(read->object_cols == OBJECT_COLS && read->modes == MODES && read->rows == ROWS);
    ck_assert(read->cols == COLS && read->frames == FRAMES && read->iterations == ITERATIONS);
    ck_assert(memcmp(read->object, object, sizeof object) == 0);
    ck_assert(memcmp(read->probe, probe, sizeof probe) == 0);
    ck_assert(memcmp(read->corner, where, sizeof where) == 0);
    ck_assert(read->opr_modes == 1 && memcmp(read->eigen, probe, sizeof probe / MODES) == 0);
    ck_assert(memcmp(read->eigen_weight, eigen_weight, sizeof eigen_weight) == 0);
    ck_assert(memcmp(read->background, background, sizeof background) == 0);
    ck_assert(memcmp(read->valid, valid, sizeof valid) == 0);
    ck_assert(memcmp(read->error, errors, sizeof errors) == 0);
    ck_assert(memcmp(read->seconds, times, sizeof times) == 0);
    ck_assert(isnan(read->modulus_residual[2]) && memcmp(read->modulus_residual, moduli, sizeof moduli) == 0);
    ck_assert(memcmp(read->overlap_residual, overlaps, sizeof overlaps) == 0);
    ck_assert(read->wavelength == made.wavelength && read->distance == made.distance);
    for (int a = 0; a < 2; a++)
        ck_assert(read->pixel[a] == made.pixel[a] &&
                  read->detector_pixel[a] == made.detector_pixel[a]);
    ck_assert(read->quality.relative_l2 == 0.25 && read->quality.r_factor == 0.125);
    ck_assert(read->seed == made.seed && read->run_seconds == 12.5);
    ck_assert_str_eq(read->version, made.version);
    ck_assert_str_eq(read->device, made.device);
    ck_assert_str_eq(read->plan, made.plan);
    ck_assert_str_eq(read->source, made.source);
    ck_assert_str_eq(read->options, made.options);
    ag_result_destroy(read);
    ag_result_destroy(NULL);
    ck_assert_int_eq(files_with_prefix("result.cxi"), 1);
    must_refuse(path, DATA, "the file holds a result, expected a scan");
}
END_TEST

START_TEST(result_with_little)
{
    const char *path = file_named("little.cxi");
    const ag_result full = make_result();
    const ag_result made = {.layers = LAYERS,
                            .object_rows = OBJECT_ROWS,
                            .object_cols = OBJECT_COLS,
                            .object = object,
                            .modes = MODES,
                            .rows = ROWS,
                            .cols = COLS,
                            .probe = probe,
                            .frames = FRAMES,
                            .corner = full.corner};
    ag_result *read;
    ck_assert_int_eq(ag_result_write(path, &made, NULL), AG_OK);
    ck_assert_int_eq(ag_result_read(&read, path, NULL), AG_OK);
    ck_assert(!read->opr_modes && !read->eigen && !read->eigen_weight && !read->background && !read->valid && !read->error && !read->seconds && !read->modulus_residual && !read->overlap_residual && !read->options);
    ck_assert(read->wavelength == 0 && read->pixel[1] == 0 && read->iterations == 0);
    ag_result_destroy(read);
}
END_TEST

static void
refuse_result(const char *path, const char *field, const char *words)
{
    ag_result *read = (ag_result *)1;
    ag_message message = {""};
    ck_assert_int_eq(ag_result_read(&read, path, &message), AG_BAD_FILE);
    ck_assert_ptr_null(read);
    ck_assert_msg(strstr(message.text, path) && strstr(message.text, field) &&
                      strstr(message.text, words),
                  "no '%s', '%s' in: %s", field, words, message.text);
}

START_TEST(result_bad)
{
    static const struct {
        const char *field, *words;
        int rank;
        int64_t size[3];
    } bad[] = {
        {"entry_1/object/data", "is missing", -1, {0}},
        {"entry_1/probe/data", "is missing", -1, {0}},
        {"entry_1/positions/corner_px", "is missing", -1, {0}},
        {"entry_1/object/data", "holds no complex numbers", 3, {1, 5, 5}},
        {"entry_1/probe/data", "has shape (5)", 1, {5}},
        {"entry_1/positions/corner_px", "has shape (4, 3), expected (4, 2)", 2, {4, 3}},
        {"entry_1/history/error", "has shape (4), expected (5)", 1, {4}},
        {"entry_1/instrument_1/detector_1/mask", "has shape (5, 5)", 2, {5, 5}},
        {"entry_1/instrument_1/source_1/wavelength", "is 0", 0, {0}},
        {"entry_1/object/x_pixel_size", "is 0", 0, {0}},
    };
    const char *path = file_named("bad-result.cxi");
    const double zero[100] = {0};
    const ag_result made = make_result();
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ck_assert_int_eq(ag_result_write(path, &made, NULL), AG_OK);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        drop(file, bad[k].field);
        if (bad[k].rank >= 0)
            put(file, bad[k].field, H5T_NATIVE_DOUBLE, bad[k].rank, bad[k].size, zero);
        H5Fclose(file);
        refuse_result(path, bad[k].field, bad[k].words);
    }
    ck_assert_int_eq(ag_result_write(path, &made, NULL), AG_OK);
    ck_assert_int_eq(truncate(path, 3000), 0);
    refuse_result(path, "", "truncated");
}
END_TEST

START_TEST(result_incomplete)
{
    const char *path = file_named("incomplete.cxi");
    ag_message message = {""};
    ag_result made = make_result();
    made.probe = NULL;
    ck_assert_int_eq(ag_result_write(path, &made, &message), AG_BAD_ARGUMENT);
    ck_assert_msg(strstr(message.text, path) && strstr(message.text, "probe"), "%s", message.text);
    made = make_result();
    made.object_rows = -4;
    ck_assert_int_eq(ag_result_write(path, &made, &message), AG_BAD_ARGUMENT);
    ck_assert_int_eq(files_with_prefix("incomplete.cxi"), 0);
}
END_TEST

/* ---- disks that do not take it ------------------------------------------------------------------ */

/* Both writers fail in words that hold the path and `words`. */
static void
refuse_writing(const char *path, const char *words)
{
    ag_message message = {""};
    const ag_result result = make_result();
    ag_scan *scan = make_scan(0, 0);
    ck_assert_int_eq(ag_scan_write(scan, path, &message), AG_FILE_ERROR);
    ck_assert_msg(strstr(message.text, path) && strstr(message.text, words), "%s", message.text);
    message.text[0] = 0;
    ck_assert_int_eq(ag_result_write(path, &result, &message), AG_FILE_ERROR);
    ck_assert_msg(strstr(message.text, path) && strstr(message.text, words), "%s", message.text);
    ag_scan_destroy(scan);
}

START_TEST(disk_full)
{
    const char *path = file_named("full.cxi");
    struct rlimit old, small;
    FILE *file = fopen(path, "w");
    fputs("kept", file);
    fclose(file);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 5000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    refuse_writing(path, "cannot be written: File too large");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    struct stat found;
    ck_assert(stat(path, &found) == 0 && found.st_size == 4);
    ck_assert_int_eq(files_with_prefix("full.cxi"), 1);
    ck_assert_int_eq(remove(path), 0);
}
END_TEST

START_TEST(no_place)
{
    refuse_writing(file_named("no-folder/x.cxi"), "No such file or directory");
    refuse_writing("/dev/full", "is not a regular file");
    refuse_writing("/tmp", "is not a regular file");
}
END_TEST

START_TEST(folder_not_writable)
{
    const char *folder = file_named("closed"), *path = file_named("closed/x.cxi");
    if (geteuid() == 0) {
        printf("skip folder_not_writable: the super-user may write anywhere\n");
        fflush(stdout);
        return;
    }
    ck_assert_int_eq(mkdir(folder, 0500), 0);
    refuse_writing(path, "Permission denied");
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

TCase *
cases_write(void)
{
    TCase *tcase = tcase_create("write");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, scan_round_trip);
    tcase_add_test(tcase, scan_twice);
    tcase_add_test(tcase, scan_without_geometry);
    tcase_add_test(tcase, result_round_trip);
    tcase_add_test(tcase, result_with_little);
    tcase_add_test(tcase, result_bad);
    tcase_add_test(tcase, result_incomplete);
    tcase_add_test(tcase, disk_full);
    tcase_add_test(tcase, no_place);
    tcase_add_test(tcase, folder_not_writable);
    return tcase;
}
