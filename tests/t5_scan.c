/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan.c -- scans and results: made, read, refused and written. */
#include "t5_scan.h"

/* ---- scans made by the caller ------------------------------------------------------------ */

static ag_real frames_of_ones[FRAMES * ROWS * COLS];
static double where[FRAMES][2];
static uint8_t good[ROWS * COLS];
static ag_complex beam[ROWS * COLS], sample[40 * 50];
static ag_scan_info usual;

static void
make_usual(void)
{
    for (int i = 0; i < FRAMES * ROWS * COLS; i++)
        frames_of_ones[i] = 1;
    for (int i = 0; i < ROWS * COLS; i++) {
        good[i] = 1;
        beam[i] = (ag_complex){1, 0};
    }
    sample[0].re = 1;
    memcpy(where, places, sizeof where);
    usual = (ag_scan_info){
        .frames = FRAMES,
        .rows = ROWS,
        .cols = COLS,
        .data = frames_of_ones,
        .valid = good,
        .position = where[0],
        .object_rows = 40,
        .object_cols = 50,
        .wavelength = length_of_wave,
        .distance = length_to_detector,
        .detector_pixel = {pixel_high, pixel_wide},
        .pixel = {object_pixel(0), object_pixel(1)},
        .probe = beam,
        .modes = 1,
        .object = sample,
    };
}

static void
refuse(const char *field, const char *words)
{
    ag_scan *scan = (ag_scan *)1;
    ag_message message = {""};
    ck_assert_int_eq(ag_scan_create(&scan, &usual, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_null(scan);
    ck_assert_msg(strstr(message.text, field) && strstr(message.text, words),
                  "no '%s', '%s' in: %s", field, words, message.text);
    ck_assert_int_eq(ag_scan_create(&scan, &usual, NULL), AG_BAD_ARGUMENT);
    make_usual();
}

static ag_scan *
create(void)
{
    ag_scan *scan;
    ag_message message = {""};
    ck_assert_msg(ag_scan_create(&scan, &usual, &message) == AG_OK, "%s", message.text);
    return scan;
}

START_TEST(create_copies)
{
    good[5] = 0;
    frames_of_ones[5] = NAN; /* masked, hence harmless */
    ag_scan *scan = create();
    const ag_scan_info *info = ag_scan_content(scan);
    frames_of_ones[0] = 9;
    where[0][0] = 9;
    good[0] = 0;
    beam[0].re = 9;
    sample[0].re = 9;
    ck_assert(info->data[0] == 1 && info->data[5] == 0 && info->valid[0] && !info->valid[5]);
    ck_assert(info->position[0] == places[0][0] && info->probe[0].re == 1);
    ck_assert(info->object[0].re == 1 && info->object_rows == 40 && info->object_cols == 50);
    ck_assert_str_eq(ag_scan_warnings(scan), "");
    ag_scan_destroy(scan);
    ag_scan_destroy(NULL);
}
END_TEST

START_TEST(create_derives_object)
{
    usual.object = NULL;
    usual.object_rows = usual.object_cols = 0;
    ag_scan *scan = create();
    const ag_scan_info *info = ag_scan_content(scan);
    must_have_places(scan);
    /* 5 and 7 pixels of span, the window, one pixel for interpolation, two margins */
    ck_assert_int_eq(info->object_rows, 2 + 5 + ROWS + 1 + 2);
    ck_assert_int_eq(info->object_cols, 2 + 7 + COLS + 1 + 2);
    ck_assert_ptr_null(info->valid);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(create_warns_of_empty_frames)
{
    memset(frames_of_ones + 2 * ROWS * COLS, 0, ROWS * COLS * sizeof(ag_real));
    ag_scan *scan = create();
    must_warn(scan, "1 of 4 frames hold no counts, the first is frame 2");
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(create_takes_amplitudes)
{
    usual.data_are_amplitudes = 1;
    frames_of_ones[3] = -2;
    ag_scan *scan = create();
    ck_assert(ag_scan_content(scan)->data[3] == -2);
    ag_scan_destroy(scan);
}
END_TEST

START_TEST(create_refuses_sizes)
{
    usual.frames = 0, refuse("frames: ", "is 0, expected at least 1");
    usual.frames = -3, refuse("frames: ", "is -3");
    usual.rows = 1, refuse("rows: ", "is 1, expected at least 2");
    usual.cols = -8, refuse("cols: ", "is -8");
    usual.modes = 0, refuse("modes: ", "is 0");
    usual.frames = INT64_MAX / 2, refuse("frames: ", "too many");
    usual.rows = usual.cols = INT64_MAX / 2, refuse("rows, cols: ", "2^31");
    usual.object_cols = 0, refuse("object_rows, object_cols: ", "40, 0");
    usual.object_rows = -1, refuse("object_rows: ", "is -1");
    usual.object_rows = usual.object_cols = 1 << 20, refuse("object_rows, object_cols", "2^31");
    usual.object_rows = usual.object_cols = 0, refuse("object_rows, object_cols", "size");
    usual.data = NULL, refuse("data: ", "NULL");
    usual.position = NULL, refuse("position: ", "NULL");
    ck_assert_int_eq(ag_scan_create(NULL, &usual, NULL), AG_BAD_ARGUMENT);
}
END_TEST

START_TEST(create_refuses_values)
{
    where[3][1] = NAN, refuse("position: ", "frame 3");
    where[1][0] = INFINITY, refuse("position: ", "frame 1");
    where[2][0] = 34.5, refuse("position: ", "the window of frame 2");
    where[2][1] = -0.5, refuse("position: ", "inside the object of 40 x 50");
    frames_of_ones[100] = -1, refuse("data: ", "frame 2 has -1 at row 0, column 4");
    frames_of_ones[0] = INFINITY, refuse("data: ", "frame 0 has inf");
    memset(frames_of_ones, 0, sizeof frames_of_ones), refuse("data: ", "all counts");
    memset(good, 0, sizeof good), refuse("valid: ", "all 48 pixels are masked");
    beam[7].im = NAN, refuse("probe: ", "element 7");
    memset(beam, 0, sizeof beam), refuse("probe: ", "are 0");
    memset(sample, 0, sizeof sample), refuse("object: ", "are 0");
    usual.wavelength = -1, refuse("wavelength: ", "is -1");
    usual.distance = NAN, refuse("distance: ", "is nan");
    usual.detector_pixel[1] = -2e-5, refuse("detector_pixel[1]: ", "-2e-05");
    usual.pixel[0] = INFINITY, refuse("pixel[0]: ", "is inf");
    usual.object = NULL, usual.object_rows = usual.object_cols = 0, where[0][0] = 1e9;
    refuse("position: ", "the unit of the positions or a pixel size is probably wrong");
    usual.object = NULL, usual.object_rows = usual.object_cols = 0, where[0][1] = -1e300;
    refuse("position: ", "probably wrong");
}
END_TEST

START_TEST(window_may_touch_the_edge)
{
    where[0][0] = 34, where[0][1] = 42;
    where[1][0] = 33.5, where[1][1] = 0;
    ag_scan *scan = create();
    ck_assert(ag_scan_content(scan)->position[0] == 34);
    ag_scan_destroy(scan);
}
END_TEST

TCase *
cases_create(void)
{
    TCase *tcase = tcase_create("create");
    tcase_add_checked_fixture(tcase, make_usual, NULL);
    tcase_add_test(tcase, create_copies);
    tcase_add_test(tcase, create_derives_object);
    tcase_add_test(tcase, create_warns_of_empty_frames);
    tcase_add_test(tcase, create_takes_amplitudes);
    tcase_add_test(tcase, create_refuses_sizes);
    tcase_add_test(tcase, create_refuses_values);
    tcase_add_test(tcase, window_may_touch_the_edge);
    return tcase;
}

int
main(void)
{
    TCase *(*const cases[])(void) = {cases_create,  cases_read,  cases_shapes, cases_bad,
                                     cases_hostile, cases_write, cases_real,  cases_check};
    Suite *suite = suite_create("scan");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        suite_add_tcase(suite, cases[i]());
    SRunner *runner = srunner_create(suite);
    folder_make();
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    folder_remove();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
