/* SPDX-License-Identifier: BSD-3-Clause */
/* t5_image.c -- pictures and curves, read back from the PNG files. */
#include <check.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "argand.h"

#define PI 3.14159265358979323846

static char folder[] = "/tmp/argand-XXXXXX";
static char path[64];

static void
make_folder(void)
{
    strcpy(folder, "/tmp/argand-XXXXXX");
    ck_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/picture.png", folder);
}

/* Fails where something but the picture was left. */
static void
remove_folder(void)
{
    remove(path);
    ck_assert(rmdir(folder) == 0);
}

/* The file as `channels` octets a pixel; the caller frees. */
static unsigned char *
read_back(int64_t rows, int64_t cols, int channels)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    ck_assert(png_image_begin_read_from_file(&image, path));
    ck_assert(image.height == rows && image.width == cols);
    ck_assert(!(image.format & PNG_FORMAT_FLAG_COLOR) == (channels == 1));
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    unsigned char *pixel = malloc((size_t)(rows * cols * channels));
    ck_assert(pixel && png_image_finish_read(&image, NULL, pixel, 0, NULL));
    return pixel;
}

static unsigned char *
picture(ag_picture kind, int64_t rows, int64_t cols, const ag_complex *value, const ag_real *weight)
{
    ag_message message = {""};
    const ag_status status = ag_picture_write(path, kind, rows, cols, value, weight, &message);
    ck_assert_msg(status == AG_OK, "%s", message.text);
    return read_back(rows, cols, kind == AG_HUE ? 3 : 1);
}

static ag_complex
polar(double amplitude, double phase)
{
    return (ag_complex){(ag_real)(amplitude * cos(phase)), (ag_real)(amplitude * sin(phase))};
}

START_TEST(test_amplitude)
{
    ag_complex value[8 * 16];
    for (int k = 0; k < 8 * 16; k++)
        value[k] = polar(3.0 * (k % 16), 0.7 * k);
    unsigned char *pixel = picture(AG_AMPLITUDE, 8, 16, value, NULL);
    for (int k = 0; k < 8 * 16; k++)
        ck_assert_int_eq(pixel[k], 17 * (k % 16));
    free(pixel);
}
END_TEST

/* A wave on a ramp: the ramp goes, whatever lies outside of the illumination. */
START_TEST(test_phase)
{
    enum { N = 64, EDGE = 8, ALL = N + 2 * EDGE };
    static ag_complex value[ALL * ALL];
    static ag_real weight[ALL * ALL];
    const double high = 0.4 * cos(PI / 16);
    for (int k = 0; k < ALL * ALL; k++) {
        const int y = k / ALL - EDGE, x = k % ALL - EDGE;
        const int inside = y >= 0 && y < N && x >= 0 && x < N;
        weight[k] = (ag_real)(inside ? 1 + 0.3 * sin(PI * (x + 0.5) / N) : 0.05);
        value[k] = inside ? polar(2, 1.9 + 0.31 * y - 0.74 * x + 0.4 * cos(PI * (x + 0.5) / 8))
                          : polar(50, 1.1 * y * x);
    }
    unsigned char *pixel = picture(AG_PHASE, ALL, ALL, value, weight);
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            const double expected = (0.4 * cos(PI * (x + 0.5) / 8) + high) / (2 * high) * 255;
            ck_assert_double_eq_tol(pixel[(y + EDGE) * ALL + x + EDGE], expected, 1);
        }
    free(pixel);
}
END_TEST

START_TEST(test_flat)
{
    ag_complex value[6 * 6];
    for (int k = 0; k < 36; k++)
        value[k] = polar(0.5, 1.2);
    unsigned char *grey = picture(AG_PHASE, 6, 6, value, NULL);
    unsigned char *colour = picture(AG_HUE, 6, 6, value, NULL);
    for (int k = 0; k < 36; k++) {
        ck_assert_int_ge(grey[k], 127);
        ck_assert_int_le(grey[k], 128);
        ck_assert_int_eq(colour[3 * k], 255);
        ck_assert_int_le(colour[3 * k + 1] + colour[3 * k + 2], 1);
    }
    free(grey);
    free(colour);
}
END_TEST

START_TEST(test_hue)
{
    static const double angle[] = {0, PI / 3, 2 * PI / 3, PI, -2 * PI / 3, -PI / 3};
    static const int colour[][3] = {{255, 0, 0},   {255, 255, 0}, {0, 255, 0},
                                    {0, 255, 255}, {0, 0, 255},   {255, 0, 255}};
    enum { N = 4001 };
    static ag_complex value[N];
    for (int k = 0; k < N; k++)
        value[k] = polar(1, k == N / 2 ? angle[_i] : 0);
    value[10] = polar(0.5, 0);
    unsigned char *pixel = picture(AG_HUE, 1, N, value, NULL);
    for (int c = 0; c < 3; c++) {
        ck_assert_double_eq_tol(pixel[N / 2 * 3 + c], colour[_i][c], 2);
        ck_assert_double_eq_tol(pixel[10 * 3 + c], c ? 0 : 128, 1);
    }
    free(pixel);
}
END_TEST

START_TEST(test_not_finite)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 0, 1e38};
    for (int kind = AG_AMPLITUDE; kind <= AG_HUE; kind++)
        for (int all = 0; all < 2; all++) {
            ag_complex value[5 * 5];
            ag_real weight[5 * 5];
            for (int k = 0; k < 25; k++) {
                value[k] = polar(1, 0.1 * k);
                if (all || k == 12)
                    value[k].im = (ag_real)odd[_i];
                weight[k] = (ag_real)(k == 3 ? odd[_i] : 1);
            }
            unsigned char *pixel = picture(kind, 5, 5, value, all ? NULL : weight);
            if (!isfinite(odd[_i]))
                ck_assert_int_eq(pixel[kind == AG_HUE ? 36 : 12], 0);
            free(pixel);
        }
    const ag_complex nothing[4] = {{0, 0}};
    const ag_real dark[4] = {0};
    free(picture(_i % 3, 2, 2, nothing, dark));
    free(picture(_i % 3, 1, 1, nothing, NULL));
}
END_TEST

START_TEST(test_picture_errors)
{
    const ag_complex value = {1, 0};
    const double error = 1;
    ag_message message = {""};
    char nowhere[80];
    snprintf(nowhere, sizeof nowhere, "%s/none/picture.png", folder);
    ck_assert(ag_picture_write(nowhere, AG_HUE, 1, 1, &value, NULL, &message) == AG_FILE_ERROR);
    ck_assert_msg(strstr(message.text, nowhere) && strstr(message.text, "No such file"), "%s",
                  message.text);
    ck_assert(ag_curve_write(nowhere, 1, &error, &message) == AG_FILE_ERROR);
    ck_assert_msg(strstr(message.text, nowhere) != NULL, "%s", message.text);
    ck_assert(ag_picture_write(folder, AG_HUE, 1, 1, &value, NULL, &message) == AG_FILE_ERROR);
    ck_assert(ag_picture_write(path, AG_HUE, 0, 1, &value, NULL, &message) == AG_BAD_ARGUMENT);
    ck_assert(strstr(message.text, "0 x 1") != NULL);
    ck_assert(ag_picture_write(path, AG_HUE, 1, -1, &value, NULL, NULL) == AG_BAD_ARGUMENT);
    ck_assert(ag_picture_write(path, AG_HUE, INT64_MAX, 2, &value, NULL, NULL) == AG_BAD_ARGUMENT);
    ck_assert(ag_picture_write(path, (ag_picture)7, 1, 1, &value, NULL, NULL) == AG_BAD_ARGUMENT);
    ck_assert(access(path, F_OK) != 0);
}
END_TEST

/* The lowest row of each column that is more blue than red, or -1. */
static int
ink(const unsigned char *pixel, int x)
{
    int lowest = -1;
    for (int y = 0; y < 400; y++)
        if (pixel[3 * (y * 640 + x) + 2] > pixel[3 * (y * 640 + x)] + 60)
            lowest = y;
    return lowest;
}

START_TEST(test_curve)
{
    ag_message message = {""};
    double error[100];
    for (int k = 0; k < 100; k++)
        error[k] = pow(10, -4 * k / 99.0);
    error[50] = NAN;
    ck_assert(ag_curve_write(path, 100, error, &message) == AG_OK);
    unsigned char *pixel = read_back(400, 640, 3);
    const int left = ink(pixel, 80), right = ink(pixel, 615);
    ck_assert(left >= 18 && left < 30 && right > 350 && right < 368);
    ck_assert_double_eq_tol(ink(pixel, 212), left + (right - left) * 132 / 535.0, 3);
    ck_assert_int_eq(ink(pixel, 40), -1);
    free(pixel);
}
END_TEST

static const double odd_curve[][3] = {
    {1, 1, 1},           {1e-300, 1, 1e300},  {0, 5e-3, -1},     {INFINITY, 2, NAN},
    {1e-320, 1e-320, 0}, {9.999, 10, 10.001}, {1e308, 1e308, 1}, {1.9e-7, 2e-7, 5e-7},
};

START_TEST(test_odd_curves)
{
    ag_message message = {""};
    for (int count = 2; count <= 3; count++) {
        ck_assert(ag_curve_write(path, count, odd_curve[_i], &message) == AG_OK);
        free(read_back(400, 640, 3));
    }
}
END_TEST

START_TEST(test_curve_sizes)
{
    const double nothing[3] = {0, -1, NAN}, one = 0.3;
    ag_message message = {""};
    ck_assert(ag_curve_write(path, 3, nothing, &message) == AG_BAD_ARGUMENT);
    ck_assert(strstr(message.text, "positive") != NULL);
    ck_assert(ag_curve_write(path, 0, &one, &message) == AG_BAD_ARGUMENT);
    ck_assert(ag_curve_write(path, 1, &one, &message) == AG_OK);
    unsigned char *pixel = read_back(400, 640, 3);
    ck_assert_int_ne(ink(pixel, 348), -1);
    free(pixel);

    enum { MANY = 100000 };
    double *many = malloc(MANY * sizeof *many);
    ck_assert(many != NULL);
    for (int k = 0; k < MANY; k++)
        many[k] = 1.0 / (k + 1);
    ck_assert(ag_curve_write(path, MANY, many, &message) == AG_OK);
    free(many);
    free(read_back(400, 640, 3));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

int
main(void)
{
    Suite *suite = suite_create("image");
    TCase *tests = tcase_create("image");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, test_amplitude);
    tcase_add_test(tests, test_phase);
    tcase_add_test(tests, test_flat);
    tcase_add_loop_test(tests, test_hue, 0, 6);
    tcase_add_loop_test(tests, test_not_finite, 0, 5);
    tcase_add_test(tests, test_picture_errors);
    tcase_add_test(tests, test_curve);
    tcase_add_loop_test(tests, test_odd_curves, 0, COUNT(odd_curve));
    tcase_add_test(tests, test_curve_sizes);
    tcase_set_timeout(tests, 300);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
