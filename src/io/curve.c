/* SPDX-License-Identifier: BSD-3-Clause */
/* curve.c -- a plot of an error against the iteration, the error logarithmic. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

enum { WIDTH = 640, HEIGHT = 400, LEFT = 76, RIGHT = 20, TOP = 18, BOTTOM = 34, FONT = 2 };
enum { PAPER = 255, GRID = 222, FRAME = 96, TEXT = 40 };

/* 5 x 7 dots each, a row an octet, for 0..9, e and -. */
static const unsigned char dots[12][7] = {
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},    {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2},   {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},     {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {0, 0, 14, 17, 31, 16, 14}, {0, 0, 0, 31, 0, 0, 0},
};

/* A plot: what the left, right, lower and upper edge stand for. */
typedef struct plot {
    unsigned char *pixel; /* HEIGHT x WIDTH x 3 */
    double first, last, low, high;
} plot;

static double
across(const plot *p, double x)
{
    return LEFT + (x - p->first) / (p->last - p->first) * (WIDTH - LEFT - RIGHT);
}

static double
down(const plot *p, double value)
{
    const double part = (log10(value) - log10(p->low)) / (log10(p->high) - log10(p->low));
    return TOP + (1 - part) * (HEIGHT - TOP - BOTTOM);
}

static void
fill(const plot *p, double x0, double y0, double width, double height, int grey)
{
    for (int y = (int)y0; y < (int)y0 + (int)height; y++)
        for (int x = (int)x0; x < (int)x0 + (int)width; x++)
            if (x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT)
                memset(p->pixel + 3 * (y * WIDTH + x), grey, 3);
}

/* Right of x; where `align` is 1 left of it, 0.5 around it. */
static void
write_text(const plot *p, double x, double y, double align, const char *text)
{
    x -= align * (6.0 * (double)strlen(text) - 1) * FONT;
    for (; *text; text++, x += 6 * FONT) {
        const int symbol = *text == 'e' ? 10 : *text == '-' ? 11 : *text - '0';
        for (int i = 0; i < 35; i++)
            if (dots[symbol][i / 5] >> (4 - i % 5) & 1)
                fill(p, x + i % 5 * FONT, y + i / 5 * FONT, FONT, FONT, TEXT);
    }
}

/* A blue line of two pixels' width with soft edges. */
static void
draw_line(const plot *p, double x0, double y0, double x1, double y1)
{
    static const double ink[3] = {31, 97, 180};
    const double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy;
    const int top = AG_MAX((int)fmin(y0, y1) - 2, 0), left = AG_MAX((int)fmin(x0, x1) - 2, 0);
    const int below = AG_MIN((int)fmax(y0, y1) + 3, HEIGHT);
    const int right = AG_MIN((int)fmax(x0, x1) + 3, WIDTH);
    for (int y = top; y < below; y++)
        for (int x = left; x < right; x++) {
            const double along = square > 0 ? ((x - x0) * dx + (y - y0) * dy) / square : 0;
            const double t = fmin(fmax(along, 0), 1);
            const double away = hypot(x - x0 - t * dx, y - y0 - t * dy);
            const double cover = fmin(fmax(1.5 - away, 0), 1);
            unsigned char *rgb = p->pixel + 3 * (y * WIDTH + x);
            for (int c = 0; c < 3; c++)
                rgb[c] = (unsigned char)fmin(rgb[c], rgb[c] + cover * (ink[c] - rgb[c]) + 0.5);
        }
}

/* 10^decade times 1, 2 or 5. */
static double
tick(int number)
{
    static const double part[3] = {1, 2, 5};
    const int decade = (int)floor(number / 3.0);
    return part[number - 3 * decade] * pow(10, decade);
}

static int
drawable(double value)
{
    return value > 0 && isfinite(value);
}

/* The ticks around the values; where all are equal, one more below, to be off the edge. */
static int
find_axes(plot *p, int64_t count, const double *value, int number[2])
{
    double least = INFINITY, most = 0;
    for (int64_t i = 0; i < count; i++)
        if (drawable(value[i])) {
            least = fmin(least, value[i]);
            most = fmax(most, value[i]);
        }
    if (most == 0)
        return 0;
    /* outside of these, powers of ten are no longer exact enough to be told apart */
    least = fmin(fmax(least, 1e-280), 1e280);
    most = fmin(fmax(most, 1e-280), 1e280);
    number[0] = 3 * (int)floor(log10(least)) + 3;
    while (tick(number[0]) > least * (1 + 1e-12))
        number[0]--;
    number[1] = number[0] + 1;
    while (tick(number[1]) < most * (1 - 1e-12))
        number[1]++;
    if (least == most)
        number[0]--;
    p->low = tick(number[0]);
    p->high = tick(number[1]);
    p->first = count > 1 ? 1 : 0;
    p->last = count > 1 ? (double)count : 2;
    return 1;
}

/* Lines at whole decades, at 2 and 5 too where there are few; a label on at most eight. */
static void
draw_value_axis(const plot *p, const int number[2])
{
    const int fine = number[1] - number[0] <= 8;
    const int step = fine ? 1 : 3 * ((number[1] - number[0]) / 24 + 1);
    for (int i = number[0]; i <= number[1]; i++) {
        char text[16];
        const int decade = (int)floor(i / 3.0);
        const double y = down(p, tick(i));
        if (i % step)
            continue;
        snprintf(text, sizeof text, "%de%d", "125"[i - 3 * decade] - '0', decade);
        fill(p, LEFT, y, WIDTH - LEFT - RIGHT, 1, GRID);
        write_text(p, LEFT - 8, y - 3.5 * FONT + 1, 1, text);
    }
}

static void
draw_iteration_axis(const plot *p)
{
    int number = 0;
    while ((p->last - p->first) / tick(number) > 8)
        number++;
    const double step = tick(number);
    for (double i = step * ceil(p->first / step); i <= p->last; i += step) {
        char text[16];
        const double x = across(p, i);
        snprintf(text, sizeof text, "%.0f", i);
        fill(p, x, TOP, 1, HEIGHT - TOP - BOTTOM, GRID);
        if (x < WIDTH - 2 * RIGHT || strlen(text) < 4)
            write_text(p, x, HEIGHT - BOTTOM + 10, 0.5, text);
    }
}

/* At most two points a pixel; gaps where there is nothing to draw, a dash for a lone value. */
static void
draw_curve(const plot *p, int64_t count, const double *value)
{
    const int64_t stride = count / (2 * WIDTH) + 1;
    double x0 = 0, y0 = 0;
    int drawing = 0;
    for (int64_t i = 0; i < count; i += stride) {
        const int here = drawable(value[i]);
        const int goes_on = i + stride < count && drawable(value[i + stride]);
        const double x = across(p, (double)i + 1);
        const double y = here ? down(p, fmin(fmax(value[i], p->low), p->high)) : 0;
        if (here && drawing)
            draw_line(p, x0, y0, x, y);
        else if (here && !goes_on)
            draw_line(p, x - 4, y, x + 4, y);
        drawing = here;
        x0 = x;
        y0 = y;
    }
}

ag_status
ag_curve_write(const char *path, int64_t count, const double *value, ag_message *message)
{
    ag_image image = {.rows = HEIGHT, .cols = WIDTH, .channels = 3};
    plot p = {0};
    int number[2];
    if (count < 1 || !find_axes(&p, count, value, number))
        return ag_fail(message, AG_BAD_ARGUMENT, "%s: a curve needs a positive value", path);
    image.pixel = p.pixel = ag_calloc(HEIGHT * WIDTH, 3);
    if (!image.pixel)
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory for a curve", path);
    memset(image.pixel, PAPER, HEIGHT * WIDTH * 3);
    draw_value_axis(&p, number);
    draw_iteration_axis(&p);
    fill(&p, LEFT - 1, TOP, 1, HEIGHT - TOP - BOTTOM, FRAME);
    fill(&p, LEFT - 1, HEIGHT - BOTTOM, WIDTH - LEFT - RIGHT + 1, 1, FRAME);
    draw_curve(&p, count, value);
    const ag_status status = ag_image_write(path, &image, message);
    free(image.pixel);
    return status;
}
