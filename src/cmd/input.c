/* SPDX-License-Identifier: BSD-3-Clause */
/* input.c -- the options that say how a scan is read: one table for every command that reads one. */
#include <getopt.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

const char cmd_input_help[] =
    "Input options, for a scan that is not as its file says; FILE:FIELD is an array in an HDF5, "
    "npz,\n"
    "npy or text file:\n"
    "      --frames FILE:FIELD  frames that replace the scan's, or make one with --positions\n"
    "      --positions FILE:FIELD  (frames, 2) as row and column, or FILE:ROWS,COLUMNS\n"
    "      --position-unit U    m, mm, um, nm or px (what the file says)\n"
    "      --swap               rows and columns of the positions change places\n"
    "      --flip WHICH         rows, cols or both change their sign, after --swap\n"
    "      --orientation NAME   both at once: as-is, swap, flip-rows, flip-cols, flip-both,\n"
    "                           swap-flip-rows, ..., or search for the one that fits\n"
    "      --near-field         the detector is in the near field, the beam parallel\n"
    "      --focus-distance L   near field of a beam from a focus that far before the sample\n"
    "      --energy E           of the photons, keV, or with a unit as in 8800eV\n"
    "      --distance L         from sample to detector, m, or with a unit as in 48mm\n"
    "      --pixel L[,L]        of the detector, m, or as in 75um: rows, columns\n"
    "      --values WHAT        counts or amplitudes\n"
    "      --zero WHERE         zero frequency at the centre or in the corner of a frame\n"
    "      --mask FILE:FIELD    pixels other than 0 are bad\n"
    "      --dark FILE:FIELD    is subtracted from the counts\n"
    "      --flat FILE:FIELD    divides the counts, relative to its mean\n"
    "      --select LIST        only these frames, as in 3,10:100,200:300:2 (end not included)\n"
    "      --bad-frames LIST    not these frames; also FILE:FIELD\n"
    "      --centre ROW,COL     pixel of the zero frequency (rows/2,columns/2)\n"
    "      --crop N[,M]         keep N rows and M columns around it\n"
    "      --bin N              N x N pixels become one\n";

enum {
    FIRST = 1000,
    FRAMES = FIRST,
    POSITIONS,
    UNIT,
    SWAP,
    FLIP,
    ORIENTATION,
    NEAR_FIELD,
    FOCUS_DISTANCE,
    ENERGY,
    DISTANCE,
    PIXEL,
    VALUES,
    ZERO,
    MASK,
    DARK,
    FLAT,
    SELECT,
    BAD_FRAMES,
    CENTRE,
    CROP,
    BIN,
    LAST
};

static const struct option table[] = {
    {"frames", required_argument, NULL, FRAMES},
    {"positions", required_argument, NULL, POSITIONS},
    {"position-unit", required_argument, NULL, UNIT},
    {"swap", no_argument, NULL, SWAP},
    {"flip", required_argument, NULL, FLIP},
    {"orientation", required_argument, NULL, ORIENTATION},
    {"near-field", no_argument, NULL, NEAR_FIELD},
    {"focus-distance", required_argument, NULL, FOCUS_DISTANCE},
    {"energy", required_argument, NULL, ENERGY},
    {"distance", required_argument, NULL, DISTANCE},
    {"pixel", required_argument, NULL, PIXEL},
    {"values", required_argument, NULL, VALUES},
    {"zero", required_argument, NULL, ZERO},
    {"mask", required_argument, NULL, MASK},
    {"dark", required_argument, NULL, DARK},
    {"flat", required_argument, NULL, FLAT},
    {"select", required_argument, NULL, SELECT},
    {"bad-frames", required_argument, NULL, BAD_FRAMES},
    {"centre", required_argument, NULL, CENTRE},
    {"crop", required_argument, NULL, CROP},
    {"bin", required_argument, NULL, BIN},
};
#define INPUTS (sizeof table / sizeof *table)
/* What the command line says for each of them. */
static const char *given[INPUTS];

/* Options whose value is kept as it stands. */
static const struct {
    int id;
    size_t offset;
} text[] = {
    {FRAMES, offsetof(ag_import, frames)},
    {POSITIONS, offsetof(ag_import, positions)},
    {MASK, offsetof(ag_import, mask)},
    {DARK, offsetof(ag_import, dark)},
    {FLAT, offsetof(ag_import, flat)},
    {SELECT, offsetof(ag_import, select)},
    {BAD_FRAMES, offsetof(ag_import, bad_frames)},
};

struct unit {
    const char *name;
    double value;
};
static const struct unit lengths[] = {{"", 1},      {"m", 1},     {"cm", 1e-2}, {"mm", 1e-3},
                                      {"um", 1e-6}, {"nm", 1e-9}, {NULL, 0}};
static const struct unit energies[] = {{"", 1}, {"keV", 1}, {"eV", 1e-3}, {"MeV", 1e3}, {NULL, 0}};

const struct option *
cmd_input_options(const struct option *own)
{
    static struct option all[128];
    size_t n = 0;
    for (; own[n].name && n < sizeof all / sizeof *all - INPUTS - 1; n++)
        all[n] = own[n];
    memcpy(all + n, table, sizeof table);
    memset(all + n + INPUTS, 0, sizeof *all);
    return all;
}

int
cmd_input_is(int c)
{
    return c >= FIRST && c < LAST;
}

/* A number with its unit from `from` on, up to the end or a comma; the rest, NULL when it is none. */
static const char *
number(const char *from, const struct unit *unit, double least, double most, double *value)
{
    char *end;
    const double v = strtod(from, &end);
    const size_t length = strcspn(end, ",");
    while (unit->name && (strlen(unit->name) != length || memcmp(unit->name, end, length)))
        unit++;
    *value = v * unit->value;
    return end != from && unit->name && *value >= least && *value <= most ? end + length : NULL;
}

/* One value, or two with a comma between them, which count for rows and columns; where `same`, one
   counts for both.  */
static int
take_pair(const char *command, const char *option, const struct unit *unit, int same, double least,
          double most, const char *expected, double value[2])
{
    const char *rest = number(optarg, unit, least, most, value);
    if (rest && same)
        value[1] = value[0];
    if (rest && (*rest == ',' || !same))
        rest = *rest == ',' ? number(rest + 1, unit, least, most, value + 1) : NULL;
    if (rest && !*rest)
        return 1;
    cmd_usage(command, "--%s: found \"%s\", expected %s", option, optarg, expected);
    return 0;
}

static int
take_measure(const char *command, int c, const char *option, ag_import *import)
{
    static const struct unit none[] = {{"", 1}, {NULL, 0}};
    static const char whole[] = "whole numbers from 2 on, as 128 or 128,96";
    double value[2];
    const char *rest;
    switch (c) {
    case ENERGY:
        rest = number(optarg, energies, 1e-6, 1e4, value);
        if (!rest || *rest)
            break;
        import->wavelength = CMD_KEV_M / value[0];
        return 1;
    case DISTANCE:
    case FOCUS_DISTANCE:
        rest = number(optarg, lengths, 1e-9, 1e4, value);
        if (!rest || *rest)
            break;
        *(c == DISTANCE ? &import->distance : &import->focus_distance) = value[0];
        if (c == FOCUS_DISTANCE)
            import->geometry = AG_NEAR_FIELD;
        return 1;
    case PIXEL:
        return take_pair(
            command, option, lengths, 1, 1e-9, 1e-2,
            "metres up to 0.01, or a unit as in 75um, twice where rows and columns differ",
            import->detector_pixel);
    case CENTRE:
        return take_pair(command, option, none, 0, 0, 1e9,
                         "the row and column of a pixel, as 63.5,64", import->centre);
    default:
        if (!take_pair(command, option, none, 1, 2, 1e9, whole, value))
            return 0;
        import->crop[0] = (int64_t)value[0];
        import->crop[1] = (int64_t)value[1];
        if ((double)import->crop[0] == value[0] && (double)import->crop[1] == value[1])
            return 1;
    }
    cmd_usage(command, "--%s: found \"%s\", expected %s", option, optarg,
              c == CROP     ? whole
              : c == ENERGY ? "keV up to 10000, or a unit as in 8800eV"
                            : "metres from 1e-09 to 10000, or a unit as in 48mm");
    return 0;
}

static int
take_orientation(const char *command, cmd_input *input)
{
    input->search = !strcmp(optarg, "search");
    for (int i = 0; ag_orientation_name(i); i++)
        if (!strcmp(ag_orientation_name(i), optarg)) {
            input->import.orientation = i;
            return 1;
        }
    if (!input->search)
        cmd_usage(command,
                  "--orientation: found \"%s\", expected search or one of as-is, swap, flip-rows, "
                  "flip-cols, flip-both, swap-flip-rows, swap-flip-cols, swap-flip-both",
                  optarg);
    return input->search;
}

int
cmd_input_take(const char *command, int c, cmd_input *input)
{
    ag_import *import = &input->import;
    static const char *const flips[] = {"rows", "cols", "both", NULL};
    static const char *const values[] = {"counts", "amplitudes", NULL};
    static const char *const zeros[] = {"centre", "corner", NULL};
    static const char *const units[] = {"m", "mm", "um", "nm", "px", NULL};
    const char *option = table[c - FIRST].name;
    int which = 0;
    given[c - FIRST] = table[c - FIRST].has_arg ? optarg : "";
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (text[i].id == c) {
            memcpy((char *)import + text[i].offset, &optarg, sizeof optarg);
            return 1;
        }
    switch (c) {
    case UNIT:
        while (units[which] && strcmp(units[which], optarg))
            which++;
        import->position_unit = units[which];
        if (!units[which])
            cmd_usage(command, "--%s: found \"%s\", expected m, mm, um, nm or px", option, optarg);
        return units[which] != NULL;
    case SWAP:
        import->orientation |= AG_SWAP;
        return 1;
    case FLIP:
        if (!cmd_word(command, "--flip", optarg, flips, &which))
            return 0;
        import->orientation |= which == 0   ? AG_FLIP_ROWS
                               : which == 1 ? AG_FLIP_COLS
                                            : AG_FLIP_ROWS | AG_FLIP_COLS;
        return 1;
    case ORIENTATION:
        return take_orientation(command, input);
    case NEAR_FIELD:
        import->geometry = AG_NEAR_FIELD;
        return 1;
    case VALUES:
        if (!cmd_word(command, "--values", optarg, values, &which))
            return 0;
        import->values = which ? AG_VALUES_AMPLITUDES : AG_VALUES_COUNTS;
        return 1;
    case ZERO:
        if (!cmd_word(command, "--zero", optarg, zeros, &which))
            return 0;
        import->zero = which ? AG_ZERO_CORNER : AG_ZERO_CENTRE;
        return 1;
    case BIN:
        return cmd_integer(command, "--bin", optarg, 1, 4096, &import->bin);
    default:
        return take_measure(command, c, option, import);
    }
}

int
cmd_input_scan(const char *command, int argc, char **argv, cmd_input *input)
{
    ag_import *import = &input->import;
    const int none_needed = import->frames && (import->positions || import->frames_only);
    if (argc - optind > 1 || (argc == optind && !none_needed)) {
        cmd_usage(command, "found %d file names, expected one scan%s", argc - optind,
                  none_needed ? " or none" : "");
        return 0;
    }
    import->path = argc > optind ? argv[optind] : NULL;
    if (!input->search || !import->orientation)
        return 1;
    cmd_usage(command, "--orientation: found search beside %s, expected one of them",
              ag_orientation_name(import->orientation));
    return 0;
}

const char *
cmd_input_name(const cmd_input *input)
{
    return input->import.path ? input->import.path : input->import.frames;
}

int
cmd_input_holds(const cmd_input *input, const char *path)
{
    const ag_import *import = &input->import;
    const char *const named[] = {import->path, import->frames, import->positions, import->mask,
                                 import->dark, import->flat,   import->bad_frames};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        char *name = named[i] ? strdup(named[i]) : NULL;
        int same = name && cmd_same_file(name, path);
        /* FILE:FIELD, either of which may have colons */
        for (char *colon; name && !same && (colon = strrchr(name, ':')) != NULL;) {
            *colon = 0;
            same = cmd_same_file(name, path);
        }
        free(name);
        if (same)
            return 1;
    }
    return 0;
}

struct json_t *
cmd_input_given(void)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < INPUTS; i++)
        if (given[i])
            json_object_set_new(object, table[i].name,
                                table[i].has_arg ? json_string(given[i]) : json_true());
    return object;
}

void
cmd_input_warnings(const char *command, const ag_scan *scan)
{
    const char *words = ag_scan_warnings(scan);
    for (size_t length; *words; words += length + (words[length] == '\n')) {
        length = strcspn(words, "\n");
        fprintf(stderr, "argand %s: warning: %.*s\n", command, (int)length, words);
    }
}
