/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_scan_check.c -- what cannot be true of a scan is refused, what is odd is a warning; near-field files. */
#include "t5_scan.h"

enum { N = 64, SIDE = 5, COUNT = SIDE * SIDE };

static ag_real counts[COUNT * N * N];
static double at[COUNT][2];
static ag_complex spot[N * N];
static ag_scan_info scan;

/* 8.9 keV, 2 m, 75 um: object pixels of 58.3 nm; steps of 8 pixels; a probe of 20 pixels. */
static void
make_scan(void)
{
    for (int i = 0; i < COUNT * N * N; i++)
        counts[i] = (ag_real)(1 + i % 7);
    for (int i = 0; i < N * N; i++) {
        const double y = i / N - N / 2, x = i % N - N / 2;
        spot[i] = (ag_complex){hypot(y, x) < 10, 0};
    }
    for (int j = 0; j < COUNT; j++) {
        at[j][0] = 8 * (j / SIDE);
        at[j][1] = 8 * (j % SIDE) + 0.1 * (j / SIDE);
    }
    scan = (ag_scan_info){.frames = COUNT,
                          .rows = N,
                          .cols = N,
                          .data = counts,
                          .position = at[0],
                          .wavelength = 1.4e-10,
                          .distance = 2,
                          .detector_pixel = {75e-6, 75e-6},
                          .pixel = {5.8333e-8, 5.8333e-8},
                          .probe = spot,
                          .modes = 1};
}

/* The warnings of the scan as it stands, or the words of its refusal. */
static const char *
said(ag_status expected)
{
    static char words[4096];
    ag_scan *made;
    ag_message message = {""};
    const ag_status status = ag_scan_create(&made, &scan, &message);
    ck_assert_msg(status == expected, "status %d: %s", status, message.text);
    snprintf(words, sizeof words, "%s", status ? message.text : ag_scan_warnings(made));
    if (!status)
        ag_scan_destroy(made);
    make_scan();
    return words;
}

static void
refuses(const char *first, const char *second)
{
    const char *words = said(AG_BAD_ARGUMENT);
    ck_assert_msg(strstr(words, first) && strstr(words, second), "no '%s', '%s' in: %s", first,
                  second, words);
}

static void
warns(const char *first, const char *second)
{
    const char *words = said(AG_OK);
    ck_assert_msg(strstr(words, first) && strstr(words, second), "no '%s', '%s' in: %s", first,
                  second, words);
}

START_TEST(units)
{
    ck_assert_str_eq(said(AG_OK), "");
    scan.wavelength = 1.4,
    refuses("wavelength: is 1.4 m, expected metres from 1e-13 to 0.001", "in angstrom: 1.4e-10 m");
    scan.wavelength = 0.14, refuses("wavelength: is 0.14 m", "in nm: 1.4e-10 m");
    /* Energies taken for joules: keV and eV */
    scan.wavelength = 1.98644586e-25 / 8.9,
    refuses("photons of 8.9 J", "it looks like keV (0.1393 nm)");
    scan.wavelength = 1.98644586e-25 / 8900,
    refuses("photons of 8900 J", "it looks like eV (0.1393 nm)");
    scan.wavelength = 1.98644586e-25 / 100,
    refuses("eV (12.4 nm) or keV (0.0124 nm)", "wavelength");
    scan.distance = 2e6, refuses("distance: is 2e+06 m", "in um: 2 m");
    scan.distance = 2000, warns("distance of 2000 m is unusual", "in mm: 2 m");
    scan.detector_pixel[1] = 75, refuses("detector_pixel[1]: is 75 m", "in um: 7.5e-05 m");
    scan.detector_pixel[0] = 0.075, refuses("detector_pixel[0]: is 0.075 m", "in mm: 7.5e-05 m");
    scan.pixel[0] = 58, refuses("pixel[0]: is 58 m", "in nm: 5.8e-08 m");
    scan.distance = 2e-3, warns("0.0048 x 0.0048 m large at a distance of 0.002 m", "another unit");
    scan.distance = NAN, refuses("distance: is nan", "positive");
    scan.focus_distance = 0.1, refuses("focus_distance: is 0.1 m in the far field", "near");
}
END_TEST

static void
scale_positions(double factor)
{
    for (int j = 0; j < COUNT; j++)
        for (int a = 0; a < 2; a++)
            at[j][a] *= factor;
}

START_TEST(positions)
{
    scale_positions(1e6),
        refuses("unit of the positions", "in um in place of m neighbours would be 8 pixels apart");
    scale_positions(5.8333e-8),
        refuses("position: 25 frames span 1.867e-06 x", "metres taken for pixels?");
    scale_positions(2.2), warns("17.6 pixels apart, the probe is about 19", "an overlap of 1");
    scan.probe = NULL, scale_positions(7),
    warns("56", "the window is about 64 pixels wide: an overlap of 12 %");
    scale_positions(12), warns("96", "do not overlap");
    scale_positions(0.01), warns("an overlap of 99.", "is the unit");
    scale_positions(0), warns("All 25 frames are at the same position", "100 %");
    scan.frames = 1;
    ck_assert_str_eq(said(AG_OK), "");
}
END_TEST

/* M = 200, so pixels of 375 nm, an effective distance of 10 mm: N pixel^2 = 6.4 wavelength z. */
static void
to_near(double focus)
{
    scan.geometry = AG_NEAR_FIELD;
    scan.focus_distance = focus;
    scan.pixel[0] = scan.pixel[1] = 0;
}

START_TEST(near)
{
    to_near(2 / 199.0);
    ck_assert_str_eq(said(AG_OK), "");
    to_near(2 / 1999.0), warns("undersampled along rows: N pixel^2 = 9e-14 m^2 is less than "
                               "wavelength x distance / M = 1.4e-13",
                               "above 64 % of");
    to_near(2 / 9999.0),
        refuses("distance: the transfer function is undersampled", "2.8e-14 m^2 (M = 1e+04)");
    to_near(-1), refuses("focus_distance: is -1 m", "positive");
    to_near(0.01), scan.wavelength = 0, refuses("wavelength: is unknown", "near field");
    to_near(0.01), scan.distance = 0, refuses("distance: is unknown", "near field");
    to_near(0.01), scan.detector_pixel[1] = 0, refuses("detector_pixel[1]: is unknown", "pixel[1]");
    to_near(0.01), scan.pixel[0] = 1e-7,
                   refuses("pixel[0]: is 1e-07 m, expected detector_pixel / M", "3.73");
    to_near(0.01), scan.zero_in_corner = 1, refuses("zero_in_corner: is 1", "near field");
    to_near(0), scan.detector_pixel[0] = scan.detector_pixel[1] = 3e-7, scan.wavelength = 6e-7,
                scan.distance = 1e-6;
    refuses("pixel: is 3e-07 x 3e-07 m", "evanescent");
    scan.geometry = (ag_geometry)2, refuses("geometry: is 2", "near field");
}
END_TEST

static ag_simulation
small(double focus)
{
    ag_simulation s;
    ag_simulation_default(&s);
    s.frame = 24, s.object = 64, s.points = 12, s.step = 2;
    s.geometry = AG_NEAR_FIELD;
    s.focus_distance = focus;
    return s;
}

START_TEST(near_round_trip)
{
    const ag_simulation s = small(_i ? 0.09 : 0);
    const char *path = file_named("near.cxi");
    ag_scan *made;
    ag_message message = {""};
    ck_assert_msg(!ag_scan_simulate(&made, &s, &message) && !ag_scan_write(made, path, &message),
                  "%s", message.text);
    ag_scan *read = must_read(path);
    const ag_scan_info *a = ag_scan_content(made), *b = ag_scan_content(read);
    ck_assert_str_eq(ag_scan_warnings(read), "");
    ck_assert(b->geometry == AG_NEAR_FIELD && b->focus_distance == a->focus_distance &&
              b->focus_distance > 0);
    ck_assert(b->distance == a->distance && b->wavelength == a->wavelength);
    ck_assert_double_eq_tol(b->pixel[0], a->pixel[0], 1e-12 * a->pixel[0]);
    ck_assert_int_eq(memcmp(a->position, b->position, (size_t)a->frames * 2 * sizeof(double)), 0);
    ck_assert_int_eq(memcmp(a->data, b->data, (size_t)(a->frames * 24 * 24) * sizeof *a->data), 0);
    ag_scan_destroy(read);
    /* What the caller knows wins over the file; positions keep their metres. */
    ag_import import;
    ag_import_default(&import);
    import.path = path;
    import.geometry = AG_NEAR_FIELD;
    import.focus_distance = 0.2;
    ck_assert_int_eq(ag_scan_open(&read, &import, &message), AG_OK);
    b = ag_scan_content(read);
    ck_assert(b->focus_distance == 0.2);
    ck_assert_double_eq_tol(b->pixel[0], 75e-6 / 11, 1e-12);
    ag_scan_destroy(read);
    ag_scan_destroy(made);
}
END_TEST

START_TEST(near_bad_files)
{
    const ag_simulation s = small(0);
    const char *path = file_named("near-bad.cxi");
    ag_scan *made;
    ag_message message = {""};
    ck_assert(!ag_scan_simulate(&made, &s, &message) && !ag_scan_write(made, path, &message));
    ag_scan_destroy(made);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    drop(file, SOURCE "/focus_distance");
    put_number(file, SOURCE "/focus_distance", -0.1);
    H5Fclose(file);
    must_refuse(path, SOURCE "/focus_distance", "is -0.1, expected a positive number");
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    drop(file, DETECTOR "/propagation");
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 8);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t id = H5Dcreate2(file, DETECTOR "/propagation", text, space, H5P_DEFAULT,
                                H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(id, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, "contact");
    H5Dclose(id);
    H5Sclose(space);
    H5Tclose(text);
    H5Fclose(file);
    must_refuse(path, DETECTOR "/propagation", "is \"contact\", expected \"near field\"");
}
END_TEST

START_TEST(near_result)
{
    static const ag_complex one[4] = {{1, 0}, {1, 0}, {1, 0}, {1, 0}};
    static const double corner[2] = {0, 0};
    const ag_result made = {.layers = 1,
                            .object_rows = 2,
                            .object_cols = 2,
                            .object = one,
                            .modes = 1,
                            .rows = 2,
                            .cols = 2,
                            .probe = one,
                            .frames = 1,
                            .corner = corner,
                            .geometry = AG_NEAR_FIELD,
                            .focus_distance = 0.125,
                            .distance = 2};
    const char *path = file_named("near-result.cxi");
    ag_result *read;
    ag_message message = {""};
    ck_assert_msg(!ag_result_write(path, &made, &message) && !ag_result_read(&read, path, &message),
                  "%s", message.text);
    ck_assert(read->geometry == AG_NEAR_FIELD && read->focus_distance == 0.125 &&
              read->distance == 2);
    ag_result_destroy(read);
}
END_TEST

TCase *
cases_check(void)
{
    TCase *tcase = tcase_create("check");
    tcase_add_checked_fixture(tcase, make_scan, NULL);
    tcase_add_test(tcase, units);
    tcase_add_test(tcase, positions);
    tcase_add_test(tcase, near);
    tcase_add_loop_test(tcase, near_round_trip, 0, 2);
    tcase_add_test(tcase, near_bad_files);
    tcase_add_test(tcase, near_result);
    return tcase;
}
