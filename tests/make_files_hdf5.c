/* SPDX-License-Identifier: BSD-3-Clause */
/* make_files_hdf5.c -- the damaged and hostile HDF5 files of make_files. */
#include "make_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t list = FRAMES;

static size_t
as_it_is(unsigned flags, size_t n, const unsigned values[], size_t size, size_t *room,
         void **buffer)
{
    (void)flags, (void)n, (void)values, (void)room, (void)buffer;
    return size;
}

static hid_t
open_file(const char *path)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0)
        exit(99);
    return file;
}

static void
nexus(const char *path, const char *field, double value, const char *words)
{
    write_nexus(&scan, path, 0);
    const hid_t file = open_file(path);
    H5Ldelete(file, field, H5P_DEFAULT);
    if (value != 0)
        put_number(file, field, value);
    H5Fclose(file);
    row(path, words);
}

static void
ptypy(const char *path, const char *field, double value, const char *words)
{
    write_ptypy(&scan, path, NULL);
    const hid_t file = open_file(path);
    H5Ldelete(file, field, H5P_DEFAULT);
    if (value != 0)
        put_number(file, field, value);
    H5Fclose(file);
    row(path, words);
}

#define DETECTOR "entry_1/instrument_1/detector_1"
#define BEAM     "entry_1/instrument_1/beam_1/energy"

void
eigers(void)
{
    static const char *const part[2] = {"part-1.h5", "part-2.h5"};
    write_positions(&scan, "um.csv", "", 1e-6);
    write_eiger(&scan, "no-positions.h5", part, 0, 0);
    row("no-positions.h5", "no-positions.h5|has no positions|--positions");
    row("no-positions.h5 --positions um.csv", "um.csv|tells no unit|--position-unit");
    write_eiger(&scan, "link.h5", (const char *const[]){"part-1.h5", "gone.h5"}, 0, 0);
    write_eiger(&scan, "virtual.h5", (const char *const[]){"part-1.h5", "gone.h5"}, 1, 0);
    remove("gone.h5");
    row("link.h5 --positions um.csv --position-unit um",
        "link.h5|entry/data/data_000002|is an external link|gone.h5");
    row("virtual.h5 --positions um.csv --position-unit um",
        "virtual.h5|entry/data/data|virtual dataset|gone.h5|cannot be opened");
    write_eiger(&scan, "hollow.h5", (const char *const[]){"part-1.h5", "other.h5"}, 1, 0);
    H5Fclose(new_file("other.h5"));
    row("hollow.h5 --positions um.csv --position-unit um",
        "hollow.h5|virtual dataset|does not have it");
    write_eiger(&scan, "short.h5", (const char *const[]){"part-1.h5", "part-3.h5"}, 1, 0);
    hid_t file = new_file("part-3.h5");
    put(file, "entry/data/data", H5T_NATIVE_FLOAT, 3, (int64_t[]){4, SIZE, SIZE}, scan.count);
    H5Fclose(file);
    row("short.h5 --positions um.csv --position-unit um",
        "short.h5|virtual dataset that takes 7|from the file part-3.h5, which has 4");
    write_eiger(&scan, "narrow.h5", part, 0, 0);
    file = open_file("narrow.h5");
    put(file, "entry/data/data_000003", H5T_NATIVE_FLOAT, 3, (int64_t[]){1, SIZE, SIZE / 2},
        scan.count);
    H5Fclose(file);
    row("narrow.h5 --positions um.csv --position-unit um",
        "narrow.h5|data_000003|frames of 32 x 16, expected 32 x 32");
    file = new_file("loop.h5");
    put_number(file, "entry/instrument/detector/x_pixel_size", 1e-4);
    H5Lcreate_external("loop.h5", "/entry/data", file, "entry/data", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    row("loop.h5 --positions um.csv --position-unit um",
        "loop.h5|entry/data|external link|loop.h5");
    file = new_file("soft.cxi");
    put_number(file, DETECTOR "/distance", 1);
    H5Lcreate_soft("/" DETECTOR "/data", file, DETECTOR "/data", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    row("soft.cxi", "soft.cxi|" DETECTOR "/data|is a soft link");
    file = new_file("ring.cxi");
    put_number(file, "entry_1/distance", 1);
    H5Lcreate_hard(file, "entry_1", file, "entry_1/instrument_1", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    row("ring.cxi", "ring.cxi|" DETECTOR "/data|is missing");
    static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 32099, 1,    1,
                                        "house filter",   NULL,  NULL, as_it_is};
    H5Zregister(&filter);
    file = new_file("filter.h5");
    put_filtered(file, "frames", 32099, FRAMES, scan.count);
    H5Fclose(file);
    row("--frames filter.h5:frames --positions um.csv --position-unit px",
        "filter.h5|frames|filter 32099 (house filter)|install|HDF5_PLUGIN_PATH");
}

void
hdf5s(void)
{
    hid_t file;
    write_nexus(&scan, "good.nxs", 1);
    cut("good.nxs", "cut.nxs", 0.5, "cut.nxs|truncated HDF5");
    nexus("machine.nxs", BEAM, 0,
          "machine.nxs|" BEAM "|is missing|that of source_1 is the machine's");
    nexus("no-unit.nxs", BEAM, 8000, "no-unit.nxs|" BEAM "|tells no unit|J, eV or keV");
    nexus("minus.nxs", DETECTOR "/distance", -2,
          "minus.nxs|" DETECTOR "/distance|is -2, expected a positive");
    nexus("no-motor.nxs", "entry_1/sample_1", 0,
          "no-motor.nxs|translation|is missing|transformations");
    write_nexus(&scan, "furlong.nxs", 0);
    file = open_file("furlong.nxs");
    H5Adelete_by_name(file, DETECTOR "/distance", "units", H5P_DEFAULT);
    put_words(file, DETECTOR "/distance", "units", "furlong");
    H5Fclose(file);
    row("furlong.nxs", "furlong.nxs|" DETECTOR "/distance|unit \"furlong\", expected m, mm");
    write_nexus(&scan, "string.nxs", 0);
    file = open_file("string.nxs");
    H5Ldelete(file, DETECTOR "/distance", H5P_DEFAULT);
    put_text(file, DETECTOR "/distance", "two metres");
    H5Fclose(file);
    row("string.nxs", "string.nxs|" DETECTOR "/distance|holds text, expected numbers");
    write_nexus(&scan, "vector.nxs", 1);
    file = open_file("vector.nxs");
    H5Adelete_by_name(file, "entry_1/sample_1/transformations/py", "vector", H5P_DEFAULT);
    H5Fclose(file);
    row("vector.nxs", "vector.nxs|transformations/py|no attribute vector");
    ptypy("no-chunks.ptyd", "chunks", 0, "no-chunks.ptyd|no scan of a known format|it holds: meta");
    write_ptypy(&scan, "empty.ptyd", NULL);
    file = open_file("empty.ptyd");
    H5Ldelete(file, "chunks/0", H5P_DEFAULT);
    H5Ldelete(file, "chunks/1", H5P_DEFAULT);
    H5Fclose(file);
    row("empty.ptyd", "empty.ptyd|chunks|is empty, expected groups with data and positions");
    ptypy("no-places.ptyd", "chunks/1/positions", 0,
          "no-places.ptyd|chunks/1/positions|is missing");
    ptypy("energy.ptyd", "meta/energy", -8, "energy.ptyd|meta/energy|is -8, expected a positive");
    ptypy("unknown.ptyd", "meta/distance", 0,
          "unknown.ptyd|positions|object's pixel is unknown|--distance");
    write_product(&scan, "product.h5", "dp.h5");
    row("product.h5", "product.h5|has no frames|--frames");
    row("product.h5 --frames dp.h5:nothing", "dp.h5|nothing|is missing");
    row("--frames dp.h5:dp --positions product.h5:probe --position-unit px",
        "product.h5: probe|(1, 1, 32, 32), expected (frames, 2)");
    write_product(&scan, "index.h5", NULL);
    file = open_file("index.h5");
    H5Ldelete(file, "probe_position_indexes", H5P_DEFAULT);
    int64_t index[FRAMES] = {99};
    put(file, "probe_position_indexes", H5T_NATIVE_INT64, 1, &list, index);
    H5Fclose(file);
    row("index.h5", "index.h5|probe_position_indexes|frame 99 for position 0, expected 0 to 11");
    file = new_file("absurd.h5");
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[3] = {1, SIZE, SIZE}, size[3] = {(hsize_t)1 << 40, SIZE, SIZE};
    H5Pset_chunk(layout, 3, chunk);
    const hid_t space = H5Screate_simple(3, size, NULL);
    H5Dclose(H5Dcreate2(file, "dp", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Fclose(file);
    row("--frames absurd.h5:dp --positions um.csv --position-unit px",
        "absurd.h5|dp|claims to hold");
    file = new_file("nothing.h5");
    H5Fclose(file);
    row("nothing.h5", "nothing.h5|no scan of a known format|it holds: nothing");
    save("zero", "", 0);
    row("zero", "zero|the file is empty");
}
