/* SPDX-License-Identifier: BSD-3-Clause */
/* files_formats.c -- the small scan as each format has it. */
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t frames_shape[3] = {FRAMES, SIZE, SIZE}, window[2] = {SIZE, SIZE};
static const double ev = 1.602176634e-19, hc = 1.98644586e-25;

static double
energy_ev(const small_scan *s)
{
    return hc / s->wavelength / ev;
}

/* One coordinate of each position. */
static void
coordinate(const small_scan *s, int axis, double unit, double *to)
{
    for (int j = 0; j < FRAMES; j++)
        to[j] = s->place[j][axis] * unit;
}

void
write_tike(const small_scan *s, const char *path, int deflate)
{
    static float corner[FRAMES][SIZE][SIZE];
    for (int j = 0; j < FRAMES; j++)
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                corner[j][y][x] = s->count[j][(y + SIZE / 2) % SIZE][(x + SIZE / 2) % SIZE];
    const int64_t data[4] = {1, FRAMES, SIZE, SIZE}, scan[3] = {1, FRAMES, 2};
    const int64_t probe[6] = {1, 1, 1, 1, SIZE, SIZE};
    npz(path, deflate,
        (const member[]){{"data", npy("<f4", 0, 4, data, corner)},
                         {"scan", npy("<f8", 0, 3, scan, s->place)},
                         {"probe", npy("<c8", 0, 6, probe, s->probe)},
                         {NULL, {NULL, 0}}});
}

void
write_pinn(const small_scan *s, const char *path, int kind)
{
    static float value[FRAMES * SIZE * SIZE];
    static int32_t whole[FRAMES * SIZE * SIZE];
    const float *from = &s->count[0][0][0];
    const int area = SIZE * SIZE;
    const int64_t turned[3] = {SIZE, SIZE, FRAMES}, list = FRAMES;
    double row[FRAMES], col[FRAMES];
    for (int i = 0; i < FRAMES * area; i++) {
        const int j = i / area, y = i % area / SIZE, x = i % SIZE;
        const float amplitude = (float)sqrt((double)from[i]);
        whole[i] = (int32_t)from[i];
        if (kind == 2)
            value[(y * SIZE + x) * FRAMES + j] = amplitude;
        else if (kind == 3)
            value[(x * SIZE + y) * FRAMES + j] = amplitude;
        else
            value[i] = amplitude;
        if (kind == 4) {
            unsigned char *b = (unsigned char *)&value[i], t[4];
            memcpy(t, b, 4);
            for (int k = 0; k < 4; k++)
                b[k] = t[3 - k];
        }
    }
    coordinate(s, 0, 1, row);
    coordinate(s, 1, 1, col);
    npz(path, kind != 1,
        (const member[]){{kind == 2 ? "diff3d" : "diffraction",
                          kind == 1 ? npy("<i4", 0, 3, frames_shape, whole)
                          : kind == 2
                              ? npy("<f4", 0, 3, turned, value)
                              : npy(kind == 4 ? ">f4" : "<f4", kind == 3, 3, frames_shape, value)},
                         {"xcoords", npy("<f8", 0, 1, &list, col)},
                         {"ycoords", npy("<f8", 0, 1, &list, row)},
                         {"probeGuess", npy("<c8", 0, 2, window, s->probe)},
                         {NULL, {NULL, 0}}});
}

void
write_ptypy(const small_scan *s, const char *path, const char *linked)
{
    static const int first = 7;
    double place[FRAMES][2];
    hid_t file = new_file(path), other;
    for (int i = 0; i < 2 * FRAMES; i++)
        place[i / 2][i % 2] = s->place[i / 2][i % 2] * s->pixel;
    put(file, "chunks/0/data", H5T_NATIVE_FLOAT, 3, (int64_t[]){first, SIZE, SIZE}, s->count);
    put(file, "chunks/0/positions", H5T_NATIVE_DOUBLE, 2, (int64_t[]){first, 2}, place);
    other = linked ? new_file(linked) : file;
    const char *group = linked ? "" : "chunks/1/";
    char name[2][40];
    snprintf(name[0], sizeof name[0], "%sdata", group);
    snprintf(name[1], sizeof name[1], "%spositions", group);
    put(other, name[0], H5T_NATIVE_FLOAT, 3, (int64_t[]){FRAMES - first, SIZE, SIZE},
        s->count[first]);
    put(other, name[1], H5T_NATIVE_DOUBLE, 2, (int64_t[]){FRAMES - first, 2}, place[first]);
    if (linked) {
        H5Fclose(other);
        const char *slash = strrchr(linked, '/');
        H5Lcreate_external(slash ? slash + 1 : linked, "/", file, "chunks/1", H5P_DEFAULT,
                           H5P_DEFAULT);
    }
    put_number(file, "meta/energy", energy_ev(s) * 1e-3);
    put_number(file, "meta/distance", s->distance);
    put(file, "meta/psize", H5T_NATIVE_DOUBLE, 1, (int64_t[]){2},
        (double[]){s->detector_pixel, s->detector_pixel});
    H5Fclose(file);
}

void
write_product(const small_scan *s, const char *path, const char *frames)
{
    static float mixed[FRAMES][SIZE][SIZE];
    const hid_t file = new_file(path), complex_type = put_complex();
    const int64_t list = FRAMES;
    const double energy = energy_ev(s), zero = 0;
    int64_t index[FRAMES];
    double row[FRAMES], col[FRAMES];
    coordinate(s, 0, s->pixel, row);
    coordinate(s, 1, s->pixel, col);
    for (int j = 0; j < FRAMES; j++) {
        index[j] = frames ? j : j * 5 % FRAMES;
        memcpy(mixed[index[j]], s->count[j], sizeof mixed[0]);
    }
    put(file, "probe_position_y_m", H5T_NATIVE_DOUBLE, 1, &list, row);
    put(file, "probe_position_x_m", H5T_NATIVE_DOUBLE, 1, &list, col);
    put(file, "probe_position_indexes", H5T_NATIVE_INT64, 1, &list, index);
    put(file, "probe", complex_type, 4, (int64_t[]){1, 1, SIZE, SIZE}, s->probe);
    /* Old files have no pixel of the probe and an infinite distance of layers. */
    put_attribute(file, "probe", "pixel_width_m", 1, &zero);
    put_attribute(file, "probe", "pixel_height_m", 1, &zero);
    put(file, "object", complex_type, 3, (int64_t[]){1, SIZE, SIZE}, s->probe);
    put_attribute(file, "object", "pixel_width_m", 1, &s->pixel);
    put_attribute(file, "object", "pixel_height_m", 1, &s->pixel);
    put(file, "object_layer_distance_m", H5T_NATIVE_DOUBLE, 1, (int64_t[]){1},
        (double[]){INFINITY});
    put_attribute(file, "/", "probe_energy_eV", 1, &energy);
    put_attribute(file, "/", "detector_object_distance_m", 1, &s->distance);
    H5Tclose(complex_type);
    const hid_t other = frames ? new_file(frames) : file;
    put(other, frames ? "dp" : "entry/data/data", H5T_NATIVE_FLOAT, 3, frames_shape, mixed);
    H5Fclose(other);
    if (frames)
        H5Fclose(file);
}

void
write_product_npz(const small_scan *s, const char *path)
{
    const int64_t list = FRAMES;
    const double energy = energy_ev(s);
    double row[FRAMES], col[FRAMES];
    coordinate(s, 0, s->pixel, row);
    coordinate(s, 1, s->pixel, col);
    npz(path, 1,
        (const member[]){{"probe_position_y_m", npy("<f8", 0, 1, &list, row)},
                         {"probe_position_x_m", npy("<f8", 0, 1, &list, col)},
                         {"probe", npy("<c8", 0, 2, window, s->probe)},
                         {"probe_energy_eV", npy("<f8", 0, 0, NULL, &energy)},
                         {"detector_object_distance_m", npy("<f8", 0, 0, NULL, &s->distance)},
                         {"probe_pixel_width_m", npy("<f8", 0, 0, NULL, &s->pixel)},
                         {"probe_pixel_height_m", npy("<f8", 0, 0, NULL, &s->pixel)},
                         {"patterns", npy("<f4", 0, 3, frames_shape, s->count)},
                         {NULL, {NULL, 0}}});
}

void
write_nexus(const small_scan *s, const char *path, int raster)
{
    static const char detector[] = "entry_1/instrument_1/detector_1";
    char field[100];
    const hid_t file = new_file(path);
    const int64_t four[4] = {SLOW, FAST, SIZE, SIZE};
    double row[FRAMES], col[FRAMES], translation[FRAMES][3] = {{0}};
    put_text(file, "entry_1/definition", "NXcxi_ptycho");
    put_number(file, "entry_1/instrument_1/source_1/energy", 3); /* GeV, the ring's */
    put_number(file, "entry_1/instrument_1/beam_1/energy", energy_ev(s));
    put_words(file, "entry_1/instrument_1/beam_1/energy", "units", "eV");
    snprintf(field, sizeof field, "%s/data", detector);
    put(file, field, H5T_NATIVE_FLOAT, raster ? 4 : 3, raster ? four : frames_shape, s->count);
    snprintf(field, sizeof field, "%s/distance", detector);
    put_number(file, field, s->distance * 1e3);
    put_words(file, field, "units", "mm");
    for (int a = 0; a < 2; a++) {
        snprintf(field, sizeof field, "%s/%c_pixel_size", detector, a ? 'x' : 'y');
        put_number(file, field, s->detector_pixel * 1e6);
        put_words(file, field, "units", "um");
    }
    if (raster) {
        static const char y[] = "entry_1/sample_1/transformations/py";
        static const char x[] = "entry_1/sample_1/transformations/px";
        /* This one's vector points down, hence the sign. */
        coordinate(s, 0, -s->pixel * 1e6, row);
        coordinate(s, 1, s->pixel * 1e6, col);
        put(file, y, H5T_NATIVE_DOUBLE, 2, four, row);
        put(file, x, H5T_NATIVE_DOUBLE, 2, four, col);
        put_words(file, y, "units", "um");
        put_words(file, x, "units", "um");
        put_attribute(file, y, "vector", 3, (double[]){0, -1, 0});
        put_attribute(file, x, "vector", 3, (double[]){1, 0, 0});
        put_number(file, "entry_1/sample_1/transformations/rotation", 12);
    } else {
        static const char name[] = "entry_1/sample_1/geometry_1/translation";
        for (int j = 0; j < FRAMES; j++) {
            translation[j][0] = s->place[j][1] * s->pixel * 1e3;
            translation[j][1] = s->place[j][0] * s->pixel * 1e3;
        }
        put(file, name, H5T_NATIVE_DOUBLE, 2, (int64_t[]){FRAMES, 3}, translation);
        put_words(file, name, "units", "mm");
    }
    H5Fclose(file);
}

int
write_eiger(const small_scan *s, const char *path, const char *const part[2], int is_virtual,
            H5Z_filter_t filter)
{
    static const int first = 5;
    const hid_t file = new_file(path), layout = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t all[3] = {FRAMES, SIZE, SIZE};
    const hid_t space = H5Screate_simple(3, all, NULL);
    uint32_t mask[SIZE][SIZE] = {{0}};
    int good = 1;
    for (int k = 0; k < 2; k++) {
        const int begin = k ? first : 0, count = k ? FRAMES - first : first;
        const hid_t other = new_file(part[k]);
        const char *slash = strrchr(part[k], '/'), *name = slash ? slash + 1 : part[k];
        good = put_filtered(other, "entry/data/data", filter, count, s->count[begin]) && good;
        H5Fclose(other);
        char link[40];
        snprintf(link, sizeof link, "entry/data/data_%06d", k + 1);
        if (is_virtual) {
            const hsize_t start[3] = {(hsize_t)begin, 0, 0}, size[3] = {(hsize_t)count, SIZE, SIZE};
            const hid_t source = H5Screate_simple(3, size, NULL);
            H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL);
            H5Pset_virtual(layout, space, name, "entry/data/data", source);
            H5Sclose(source);
        } else {
            const hid_t create = H5Pcreate(H5P_LINK_CREATE);
            H5Pset_create_intermediate_group(create, 1);
            H5Lcreate_external(name, "entry/data/data", file, link, create, H5P_DEFAULT);
            H5Pclose(create);
        }
    }
    if (is_virtual) {
        H5Sselect_all(space);
        const hid_t link = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(link, 1);
        H5Dclose(H5Dcreate2(file, "entry/data/data", H5T_NATIVE_FLOAT, space, link, layout,
                            H5P_DEFAULT));
        H5Pclose(link);
    }
    H5Sclose(space);
    H5Pclose(layout);
    put_number(file, "entry/instrument/beam/incident_wavelength", s->wavelength * 1e10);
    put_number(file, "entry/instrument/detector/detector_distance", s->distance * 1e3);
    put_words(file, "entry/instrument/detector/detector_distance", "units", "mm");
    put_number(file, "entry/instrument/detector/x_pixel_size", s->detector_pixel);
    put_number(file, "entry/instrument/detector/y_pixel_size", s->detector_pixel);
    put(file, "entry/instrument/detector/detectorSpecific/pixel_mask", H5T_NATIVE_UINT32, 2, window,
        mask);
    H5Fclose(file);
    return good;
}

void
write_positions(const small_scan *s, const char *path, const char *head, double unit)
{
    FILE *file = fopen(path, "w");
    fprintf(file, "# positions of the small scan\n%s", head);
    for (int j = 0; j < FRAMES; j++)
        fprintf(file, "%.17g, %.17g\n", s->place[j][0] * s->pixel / unit,
                s->place[j][1] * s->pixel / unit);
    fclose(file);
}
