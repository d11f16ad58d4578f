/* SPDX-License-Identifier: BSD-3-Clause */
/* info.c -- `argand info`: the geometry of a scan as the other commands will take it. */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argand.h"
#include "cmd.h"

static const char name[] = "info";

static const char help[] =
    "Usage: argand info SCAN [--json] [INPUT OPTIONS]\n"
    "Prints the geometry of a scan as argand interprets it: frames, lengths, positions, counts,\n"
    "and what had to be assumed.\n"
    "\n"
    "  -j, --json               one JSON object, lengths in metres\n"
    "      --find-orientation   try all orientations on some frames and say which one fits\n"
    "  -d, --device NAME        where they are tried: see argand devices\n"
    "  -h, --help               this text\n"
    "\n";
static const char help_end[] =
    "\nExit status: 0 done, 1 the file cannot be used, 2 the command line is wrong.\n";

/* What is computed from a scan, in pixels and counts. */
struct summary {
    double span[2];     /* largest minus smallest position */
    double spacing;     /* mean distance to the nearest other position */
    double overlap;     /* of two windows that far apart, 0..1 along the shorter side */
    double total, most; /* counts */
    double centre[2];   /* of the counts, in pixels from the zero frequency */
    int64_t masked;
    int64_t empty, first_empty; /* frames without counts */
    int far;
    const ag_orientation *orientation; /* NULL: not asked for */
};

/* The widest offset of the centre of the counts that is not worth a warning, pixels. */
static const double usual_offset = 2;

static int
count(struct summary *s, const ag_scan *scan, const char *path, ag_message *message)
{
    const ag_scan_info *info = ag_scan_content(scan);
    ag_real *frame = malloc((size_t)(info->rows * info->cols) * sizeof *frame);
    const int64_t middle[2] = {info->zero_in_corner ? 0 : info->rows / 2,
                               info->zero_in_corner ? 0 : info->cols / 2};
    double moment[2] = {0, 0};
    if (!frame)
        snprintf(message->text, sizeof message->text, "%s: out of host memory", path);
    for (int64_t j = 0; j < info->frames; j++) {
        const ag_real *value = frame;
        if (!frame || ag_scan_frames(scan, j, 1, frame, message)) {
            free(frame);
            return 0;
        }
        const double before = s->total;
        for (int64_t y = 0; y < info->rows; y++)
            for (int64_t x = 0; x < info->cols; x++, value++) {
                const double v = (double)*value, n = info->data_are_amplitudes ? v * v : v;
                /* Frequencies above the highest one are the negative ones. */
                const int64_t fy =
                    y - middle[0] - (y - middle[0] >= (info->rows + 1) / 2 ? info->rows : 0);
                const int64_t fx =
                    x - middle[1] - (x - middle[1] >= (info->cols + 1) / 2 ? info->cols : 0);
                s->total += n;
                s->most = fmax(s->most, n);
                moment[0] += n * (double)fy;
                moment[1] += n * (double)fx;
            }
        if (s->total == before && s->empty++ == 0)
            s->first_empty = j;
    }
    free(frame);
    if (s->empty == info->frames) {
        snprintf(message->text, sizeof message->text,
                 "%s: all counts of all %lld frames are 0 in the pixels that are not masked, expected a "
                 "measurement", path, (long long)info->frames);
        return 0;
    }
    for (int a = 0; a < 2; a++)
        s->centre[a] = moment[a] / s->total;
    for (int64_t i = 0; info->valid && i < info->rows * info->cols; i++)
        s->masked += !info->valid[i];
    return 1;
}

static int
summarise(struct summary *s, const ag_scan *scan, const char *path, ag_message *message)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const double side = (double)(info->rows < info->cols ? info->rows : info->cols);
    *s = (struct summary){.far = info->geometry == AG_FAR_FIELD};
    for (int a = 0; a < 2; a++) {
        double least = INFINITY, most = -INFINITY;
        for (int64_t j = 0; j < info->frames; j++) {
            least = fmin(least, info->position[2 * j + a]);
            most = fmax(most, info->position[2 * j + a]);
        }
        s->span[a] = most - least;
    }
    s->spacing = ag_scan_spacing(scan);
    s->overlap = fmax(0, 1 - s->spacing / side);
    return count(s, scan, path, message);
}

/* The reader's warnings and this command's own, one a line; to be freed. */
static char *
warnings(const ag_scan *scan, const struct summary *s)
{
    const int64_t frames = ag_scan_content(scan)->frames;
    const char *had = ag_scan_warnings(scan);
    const size_t size = strlen(had) + 512;
    char *text = malloc(size);
    if (!text)
        return NULL;
    strcpy(text, had);
    if (s->empty)
        snprintf(text + strlen(text), size - strlen(text),
                 "%s%lld of %lld frames hold no counts, the first is frame %lld.", *text ? "\n" : "",
                 (long long)s->empty, (long long)frames, (long long)s->first_empty);
    if (s->far && (fabs(s->centre[0]) > usual_offset || fabs(s->centre[1]) > usual_offset))
        snprintf(text + strlen(text), size - strlen(text),
                 "%sThe counts are centred %.1f rows and %.1f columns away from the zero "
                 "frequency: the frames may be cut off centre or in FFT order.",
                 *text ? "\n" : "", s->centre[0], s->centre[1]);
    return text;
}

/* The criterion of the transfer function, which should be at least 1. */
static double
sampling(const ag_scan_info *info)
{
    const double reach = info->wavelength * ag_scan_effective_distance(info);
    return fmin((double)info->rows * info->pixel[0] * info->pixel[0],
                (double)info->cols * info->pixel[1] * info->pixel[1]) /
           reach;
}

static void
print_length(const char *what, double metres, double unit, const char *unit_name)
{
    if (metres > 0)
        printf("%-18s %.6g %s\n", what, metres / unit, unit_name);
    else
        printf("%-18s unknown\n", what);
}

static void
print_pair(const char *what, const double metres[2], double unit, const char *unit_name)
{
    if (metres[0] > 0 && metres[1] > 0)
        printf("%-18s %.6g x %.6g %s\n", what, metres[0] / unit, metres[1] / unit, unit_name);
    else
        printf("%-18s unknown\n", what);
}

static void
print_text(const char *path, const ag_scan_info *info, const struct summary *s, const char *words)
{
    const double metres[2] = {s->span[0] * info->pixel[0], s->span[1] * info->pixel[1]};
    printf("%-18s %s\n", "file", path);
    printf("%-18s %lld of %lld x %lld pixels%s\n", "frames", (long long)info->frames,
           (long long)info->rows, (long long)info->cols,
           info->data_are_amplitudes ? ", amplitudes" : "");
    print_pair("detector pixel", info->detector_pixel, 1e-6, "um");
    print_length("distance", info->distance, 1, "m");
    if (info->geometry == AG_NEAR_FIELD) {
        const double m = ag_scan_magnification(info);
        printf("%-18s magnification %.6g, effective distance %.6g mm, ", "near field", m,
               ag_scan_effective_distance(info) * 1e3);
        printf("N pixel^2 / (wavelength distance) %.4g\n", sampling(info));
        print_length("focus to sample", info->focus_distance, 1e-3, "mm");
    }
    print_length("wavelength", info->wavelength, 1e-9, "nm");
    if (info->wavelength > 0)
        printf("%-18s %.6g keV\n", "photon energy", CMD_KEV_M / info->wavelength);
    print_pair("object pixel", info->pixel, 1e-9, "nm");
    printf("%-18s %lld x %lld pixels\n", "object", (long long)info->object_rows,
           (long long)info->object_cols);
    printf("%-18s %.2f x %.2f pixels\n", "position span", s->span[0], s->span[1]);
    print_pair("", metres, 1e-6, "um");
    if (s->spacing > 0)
        printf("%-18s %.2f pixels to the nearest position (mean); windows overlap by %.1f %%\n",
               "spacing", s->spacing, 100 * s->overlap);
    printf("%-18s %.6g, per frame %.6g, largest %.6g\n", "counts", s->total,
           s->total / (double)info->frames, s->most);
    printf("%-18s row %+.2f, column %+.2f from the %s\n", "centre of counts", s->centre[0],
           s->centre[1], s->far ? "zero frequency" : "middle");
    printf("%-18s %lld\n", "masked pixels", (long long)s->masked);
    printf("%-18s %lld\n", "probe modes", (long long)info->modes);
    if (s->orientation)
        cmd_print_orientation(stdout, s->orientation);
    for (size_t at = 0, length; words[at]; at += length + (words[at + length] == '\n')) {
        length = strcspn(words + at, "\n");
        printf("%-18s %.*s\n", "warning", (int)length, words + at);
    }
}

/* null for a length that is not known */
static json_t *
length_pair(const double metres[2])
{
    return metres[0] > 0 && metres[1] > 0 ? json_pack("[f, f]", metres[0], metres[1]) : json_null();
}

static json_t *
length(double metres)
{
    return metres > 0 ? json_real(metres) : json_null();
}

/* null where it was not asked for */
static json_t *
verdict(const ag_orientation *found)
{
    if (!found)
        return json_null();
    json_t *errors = json_object(), *groups = json_object();
    for (int i = 0; i < AG_ORIENTATIONS; i++) {
        json_object_set_new(errors, ag_orientation_name(i), json_real(found->error[i]));
        json_object_set_new(groups, ag_orientation_name(i),
                            json_string(ag_orientation_name(found->group[i])));
    }
    return json_pack("{s:b, s:s, s:s?, s:f, s:f, s:I, s:I, s:o, s:o}", "decided", found->decided,
                     "best", ag_orientation_name(found->best), "second",
                     ag_orientation_name(found->second), "margin", found->margin, "decided_from",
                     AG_ORIENTATION_MARGIN, "frames", (json_int_t)found->frames, "iterations",
                     (json_int_t)found->iterations, "errors", errors, "same_in_principle_as", groups);
}

static int
print_json(const char *path, const ag_scan_info *info, const struct summary *s, const char *words)
{
    json_t *list = json_array();
    for (size_t at = 0, length; words[at]; at += length + (words[at + length] == '\n')) {
        length = strcspn(words + at, "\n");
        json_array_append_new(list, json_stringn(words + at, length));
    }
    json_t *root = json_pack(
        "{s:s, s:I, s:[I, I], s:b, s:o, s:o, s:o, s:o, s:o, s:[I, I], s:[f, f], s:o, s:f, s:f,"
        " s:f, s:f, s:f, s:[f, f], s:I, s:I, s:o, s:s, s:o, s:f, s:o, s:o}",
        "file", path, "frames", (json_int_t)info->frames, "frame", (json_int_t)info->rows,
        (json_int_t)info->cols, "amplitudes", info->data_are_amplitudes, "detector_pixel_m",
        length_pair(info->detector_pixel), "distance_m", length(info->distance), "wavelength_m",
        length(info->wavelength), "photon_energy_kev",
        info->wavelength > 0 ? json_real(CMD_KEV_M / info->wavelength) : json_null(), "object_pixel_m",
        length_pair(info->pixel), "object", (json_int_t)info->object_rows,
        (json_int_t)info->object_cols, "position_span_px", s->span[0], s->span[1],
        "position_span_m",
        length_pair((const double[]){s->span[0] * info->pixel[0], s->span[1] * info->pixel[1]}),
        "spacing_px", s->spacing, "window_overlap", s->overlap, "counts_total", s->total,
        "counts_per_frame", s->total / (double)info->frames, "counts_largest", s->most,
        "centre_offset_px", s->centre[0], s->centre[1], "masked_pixels", (json_int_t)s->masked,
        "probe_modes", (json_int_t)info->modes, "warnings", list,
        "geometry", s->far ? "far field" : "near field", "focus_distance_m",
        length(info->focus_distance), "magnification", ag_scan_magnification(info),
        "effective_distance_m", length(ag_scan_effective_distance(info)), "orientation",
        verdict(s->orientation));
    const int done = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    json_decref(root);
    printf("\n");
    return done;
}

/* What the command line asks for. */
struct request {
    int json, find;
    const char *device;
    cmd_input input;
};

/* 0 to go on, else the exit status (-1: done, as after --help). */
static int
parse(struct request *r, int argc, char **argv)
{
    static const struct option own[] = {{"json", no_argument, NULL, 'j'},
                                        {"find-orientation", no_argument, NULL, 'f'},
                                        {"device", required_argument, NULL, 'd'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};
    const struct option *options = cmd_input_options(own);
    for (int c; (c = getopt_long(argc, argv, ":jd:h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            fputs(cmd_input_help, stdout);
            fputs(help_end, stdout);
            return -1;
        }
        if (c == ':' || c == '?')
            return cmd_wrong_option(name, c, argv);
        if (c == 'j')
            r->json = 1;
        else if (c == 'f')
            r->find = 1;
        else if (c == 'd')
            r->device = optarg;
        else if (!cmd_input_take(name, c, &r->input))
            return 2;
    }
    return cmd_input_scan(name, argc, argv, &r->input) ? 0 : 2;
}

static int
show(const struct request *r, ag_device *device, ag_scan *scan)
{
    const char *path = cmd_input_name(&r->input);
    ag_message message;
    struct summary summary;
    ag_orientation found;
    int orientation;
    const ag_scan_info *info = ag_scan_content(scan);
    int status = cmd_orient(name, &r->input, device, 0, scan, &orientation);
    if (!status && r->find && ag_orientation_find(device, scan, &found))
        status = cmd_fail(name, "%s", ag_device_message(device));
    if (!status && !summarise(&summary, scan, path, &message))
        status = cmd_fail(name, "%s", message.text);
    if (status)
        return status;
    summary.orientation = r->find ? &found : NULL;
    char *words = warnings(scan, &summary);
    if (!words)
        status = cmd_fail(name, "%s: out of host memory", path);
    else if (!r->json)
        print_text(path, info, &summary, words);
    else if (!print_json(path, info, &summary, words))
        status = cmd_fail(name, "%s: the report cannot be made", path);
    free(words);
    return status;
}

int
cmd_info(int argc, char **argv)
{
    struct request r = {0};
    ag_device *device = NULL;
    ag_scan *scan;
    ag_message message;
    ag_import_default(&r.input.import);
    int status = parse(&r, argc, argv);
    if (status)
        return status < 0 ? 0 : status;
    r.input.import.lazy = 1;
    if (ag_scan_open(&scan, &r.input.import, &message))
        return cmd_fail(name, "%s", message.text);
    if ((r.find || r.input.search) && ag_device_open(&device, r.device, &message))
        status = cmd_fail(name, "%s", message.text);
    if (!status)
        status = show(&r, device, scan);
    ag_device_close(device);
    ag_scan_destroy(scan);
    return status;
}
