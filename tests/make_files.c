/* SPDX-License-Identifier: BSD-3-Clause */
/* make_files.c -- writes damaged and hostile scans into the folder it is started in, and prints for each
   one the arguments that read it and words that the refusal has to hold:

       ARGUMENTS|WORDS|WORDS...

   tests/t5_hostile.sh runs them.  */
#include "make_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

small_scan scan;
static const int64_t shape3[3] = {FRAMES, SIZE, SIZE}, pairs[2] = {FRAMES, 2}, list = FRAMES;
static const member end = {NULL, {NULL, 0}};

#define GEOMETRY " --energy 8 --distance 2 --pixel 100um"

void
row(const char *arguments, const char *words)
{
    printf("%s|%s\n", arguments, words);
}

/* ---- zip, bzip2, npy -------------------------------------------------------------------------- */

/* A tike file whose frames, and where given positions, are these arrays. */
static void
tike(const char *path, bytes frames, bytes places, const char *words)
{
    char arguments[200];
    npz(path, 1,
        (const member[]){{"data", frames},
                         {"scan", places.data ? places : npy("<f8", 0, 2, pairs, scan.place)},
                         end});
    snprintf(arguments, sizeof arguments, "%s" GEOMETRY, path);
    row(arguments, words);
}

static const bytes none = {NULL, 0};

static bytes
good_frames(void)
{
    return npy("<f4", 0, 3, shape3, scan.count);
}

void
cut(const char *from, const char *to, double part, const char *words)
{
    bytes b = load(from);
    save(to, b.data, part < 1 ? (size_t)((double)b.size * part) : b.size - 1);
    free(b.data);
    row(to, words);
}

static char *
find(bytes b, const char *what, size_t size, int nth)
{
    for (size_t i = 0; i + size <= b.size; i++)
        if (!memcmp(b.data + i, what, size) && nth-- == 0)
            return b.data + i;
    exit(99);
}

static void
archives(void)
{
    write_tike(&scan, "good.npz", 1);
    write_tike(&scan, "stored.npz", 0);
    pack_bzip2("good.npz", "good.npz.bz2");
    cut("good.npz", "cut-10.npz", 0.1, "cut-10.npz|zip archive");
    cut("good.npz", "cut-50.npz", 0.5, "cut-50.npz|damaged or truncated zip archive");
    cut("good.npz", "cut-1.npz", 1, "cut-1.npz|zip archive");
    cut("good.npz.bz2", "cut-20.npz.bz2", 0.2, "cut-20.npz.bz2|truncated bzip2");
    cut("good.npz.bz2", "cut-1.npz.bz2", 1, "cut-1.npz.bz2|truncated bzip2");
    save("garbage.bz2", "BZh91AY&SY garbage, garbage and more of it", 42);
    row("garbage.bz2", "garbage.bz2|damaged or truncated bzip2");
    save("words.txt", "no scan at all, only words", 26);
    pack_bzip2("words.txt", "words.bz2");
    row("words.bz2", "words.bz2|holds no npz");
    row("words.txt", "words.txt|is not an HDF5 file, npz or npy");

    const size_t large = (size_t)160 << 20;
    char *zeros = calloc(large, 1);
    save("zeros", zeros, large);
    pack_bzip2("zeros", "bomb.bz2");
    remove("zeros");
    row("bomb.bz2", "bomb.bz2|unpacks to more than|times its size");
    const int64_t huge[3] = {160, 512, 512};
    tike("bomb.npz", npy("<f4", 0, 3, huge, zeros), none, "bomb.npz|data|unpacks|500 times");
    free(zeros);

    /* Both entries of the directory lead to the same data. */
    bytes b = load("stored.npz");
    char *first = find(b, "PK\1\2", 4, 0), *second = find(b, "PK\1\2", 4, 1);
    memcpy(second + 42, first + 42, 4);
    save("overlap.npz", b.data, b.size);
    row("overlap.npz", "overlap.npz|damaged or truncated zip archive");
    free(b.data);
    b = load("stored.npz");
    find(b, "\x93NUMPY", 6, 0)[5000] ^= 1;
    save("checksum.npz", b.data, b.size);
    row("checksum.npz" GEOMETRY, "checksum.npz|data|is damaged|CRC");
    free(b.data);
    b = load("stored.npz");
    find(b, "PK\3\4", 4, 0)[6] |= 1;
    find(b, "PK\1\2", 4, 0)[8] |= 1;
    save("locked.npz", b.data, b.size);
    row("locked.npz", "locked.npz|data|cannot be unpacked|assword");
    free(b.data);
    npz("names.npz", 1,
        (const member[]){
            {"../data", good_frames()}, {"/etc/scan", npy("<f8", 0, 2, pairs, scan.place)}, end});
    row("names.npz", "names.npz|no scan of a known format|it holds: ../data /etc/scan|--frames");
}

static void
arrays(void)
{
    static float bad[FRAMES][SIZE][SIZE];
    double places[FRAMES][2];
    const int64_t eleven[2] = {FRAMES - 1, 2}, empty[3] = {0, SIZE, SIZE}, flat[2] = {FRAMES, SIZE};
    const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const char pickle[] = "\x80\x02]q\0(cos\nsystem\n";
    tike("objects.npz",
         npy_text("{'descr': '|O', 'fortran_order': False, 'shape': (12, 32, 32), }\n", pickle,
                  sizeof pickle),
         none, "objects.npz|data|Python objects|never unpickled");
    tike("records.npz",
         npy_text(
             "{'descr': [('a', '<f4'), ('b', '<f8')], 'fortran_order': False, 'shape': (3,), }\n",
             NULL, 0),
         none, "records.npz|data|records as elements");
    tike("text.npz",
         npy_text("{'descr': '<U5', 'fortran_order': False, 'shape': (3,), }\n", NULL, 0), none,
         "text.npz|data|type <U5, expected numbers");
    tike("absurd.npz",
         npy_text("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 32, "
                  "32), }\n",
                  scan.count, 100),
         none, "absurd.npz|data|claims to hold");
    tike("overflow.npz",
         npy_text("{'descr': '<f4', 'fortran_order': False, 'shape': "
                  "(4611686018427387904, 32, 32), }\n",
                  NULL, 0),
         none, "overflow.npz|data|more elements than memory");
    tike("negative-shape.npz",
         npy_text("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 32, 32), }\n", NULL, 0),
         none, "negative-shape.npz|data|its shape is none");
    tike("no-order.npz", npy_text("{'descr': '<f4', 'shape': (12, 32, 32), }\n", NULL, 0), none,
         "no-order.npz|data|lacks descr, fortran_order or shape");
    tike("no-end.npz", npy_text("{'descr': '<f4', 'fortran_order': False, 'shape': (12, ", NULL, 0),
         none, "no-end.npz|data|header ends early");
    bytes b = good_frames();
    b.data[6] = 9;
    tike("version.npz", b, none, "version.npz|data|version 9, expected 1 to 3");
    b = good_frames();
    b.size = 40;
    tike("short.npz", b, none, "short.npz|data|ends within its header");
    b = good_frames();
    b.size -= 1000;
    tike("short-data.npz", b, none,
         "short-data.npz|data|claims to hold 49152 bytes, of which 48152");
    b = good_frames();
    memcpy(b.data, "NUMBER", 6);
    tike("magic.npz", b, none, "magic.npz|data|is no npy array");
    tike("axes.npz", npy("<f4", 0, 9, nine, scan.count), none, "axes.npz|data|more than 8 axes");
    tike("complex.npz", npy("<c8", 0, 3, (int64_t[]){FRAMES, SIZE, SIZE / 2}, scan.count), none,
         "complex.npz|data|complex values");
    tike("empty.npz", npy("<f4", 0, 3, empty, NULL), none, "empty.npz|data|is empty");
    tike("flat.npz", npy("<f4", 0, 2, flat, scan.count), none,
         "flat.npz|data|(12, 32), expected (frames, rows, columns)");
    tike("few.npz", good_frames(), npy("<f8", 0, 2, eleven, scan.place),
         "few.npz|scan|(11, 2), expected (frames, 2) = (12, 2)");
    memcpy(bad, scan.count, sizeof bad);
    bad[3][4][5] = NAN;
    tike("nan.npz", npy("<f4", 0, 3, shape3, bad), none,
         "nan.npz|data|frame 3 has|nan|expected a finite");
    bad[3][4][5] = -5;
    tike("minus.npz", npy("<f4", 0, 3, shape3, bad), none,
         "minus.npz|data|frame 3 has -5|not negative");
    row("minus.npz --bin 2 --crop 24" GEOMETRY, "minus.npz|data|frame 3 has -5|not negative");
    memset(bad, 0, sizeof bad);
    tike("dark.npz", npy("<f4", 0, 3, shape3, bad), none, "data|all counts of all 12 frames are 0");
    memcpy(places, scan.place, sizeof places);
    places[7][1] = NAN;
    tike("nowhere.npz", good_frames(), npy("<f8", 0, 2, pairs, places),
         "nowhere.npz|scan|frame 7 is at|expected finite numbers");
    places[7][1] = 1e12;
    tike("far.npz", good_frames(), npy("<f8", 0, 2, pairs, places), "far.npz|scan|probably wrong");
    npz("pinn-none.npz", 1,
        (const member[]){{"xcoords", npy("<f8", 0, 1, &list, scan.place)},
                         {"ycoords", npy("<f8", 0, 1, &list, scan.place)},
                         end});
    row("pinn-none.npz", "pinn-none.npz|diffraction|is missing and so is diff3d");
    npz("pinn-few.npz", 1,
        (const member[]){{"diffraction", good_frames()},
                         {"xcoords", npy("<f8", 0, 1, &list, scan.place)},
                         {"ycoords", npy("<f8", 0, 1, eleven, scan.place)},
                         end});
    row("pinn-few.npz", "pinn-few.npz|ycoords|(11), expected (12)");
}

/* ---- what the options name --------------------------------------------------------------------------- */

static void
options(void)
{
    static double image[SIZE][SIZE];
    const int64_t window[2] = {SIZE, SIZE};
    static const char ragged[] = "1,2\n3,4\n5\n", words[] = "1,2\n3,4\nfive,six\n";
    save("ragged.csv", ragged, strlen(ragged));
    save("words.csv", words, strlen(words));
    row("--frames dp.h5:dp --positions ragged.csv --position-unit px",
        "ragged.csv|line 3 has 1 numbers, expected 2");
    row("--frames dp.h5:dp --positions words.csv --position-unit px",
        "words.csv|line 3 is \"five,six\"");
    row("--frames dp.h5:dp --positions um.csv --position-unit um",
        "um.csv|object's pixel is unknown|--energy");
    row("--frames dp.h5:dp --positions gone.csv --position-unit um", "gone.csv|No such file");
    row("good.npz --positions dp.h5", "dp.h5|no positions under a usual name|FILE:ROWS,COLUMNS");
    row("product.h5 --frames dp.h5:dp --positions um.csv --position-unit m",
        "um.csv|probably wrong");
    save("three.csv", "1,2\n3,4\n5,6\n", 12);
    row("good.npz --positions three.csv --position-unit px", "three.csv|3 positions, expected 12");
    bytes b = npy("<f8", 0, 2, (int64_t[]){SIZE / 2, SIZE}, image);
    save("small.npy", b.data, b.size);
    free(b.data);
    row("good.npz --mask small.npy", "small.npy|(16, 32), expected (32, 32)");
    for (int i = 0; i < SIZE * SIZE; i++)
        image[i / SIZE][i % SIZE] = 1;
    b = npy("<f8", 0, 2, window, image);
    save("ones.npy", b.data, b.size);
    free(b.data);
    row("good.npz --mask ones.npy", "ones.npy|all 1024 pixels are masked");
    memset(image, 0, sizeof image);
    b = npy("<f8", 0, 2, window, image);
    save("zeros.npy", b.data, b.size);
    free(b.data);
    row("good.npz --flat zeros.npy", "zeros.npy|all 1024 pixels are masked");
    image[3][4] = NAN;
    b = npy("<f8", 0, 2, window, image);
    save("nan.npy", b.data, b.size);
    free(b.data);
    row("good.npz --dark nan.npy", "nan.npy|row 3, column 4, expected a finite number");
    row("good.npz --select 3:99", "select|3:99|from 0 to 11");
    row("good.npz --select 1:0", "select|1:0");
    row("good.npz --bad-frames 0:12", "leave none of 12 frames");
    save("bad.txt", "3\n12\n", 5);
    row("good.npz --bad-frames bad.txt",
        "bad.txt|names frame 12, expected whole numbers from 0 to 11");
    row("good.npz --crop 40", "crop, centre|40 rows|within the 32");
    row("good.npz --centre 31,16 --crop 20", "crop, centre|20 rows around 31");
    row("good.npz --bin 3", "bin|found 3|divides the 32 rows (crop to 30)");
    row("good.npz", "out.cxi|wavelength of the scan is unknown|--energy");
}

int
main(void)
{
    small_scan_make(&scan);
    archives();
    arrays();
    eigers();
    hdf5s();
    options();
    return 0;
}
