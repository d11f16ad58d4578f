/* SPDX-License-Identifier: BSD-3-Clause */
/* pack.h -- files of arrays that are no HDF5: npz, npy, text; see io.h, which calls these. */
#ifndef AG_PACK_H
#define AG_PACK_H

#include <zip.h>

#include "io.h"

/* What the header of an .npy says (npy.c). */
typedef struct ag_npy {
    char kind;   /* b: bool, i: int, u: unsigned, f: float, c: complex */
    int size;    /* bytes of an element */
    int swapped; /* bytes in the other order than here */
    int fortran; /* the first axis runs fastest */
    int rank;
    int64_t shape[AG_FILE_RANK], count;
    int64_t header; /* bytes before the elements */
} ag_npy;

/* Reads bytes in order: how many came, -1 when that failed. */
typedef int64_t ag_bytes(void *from, void *bytes, int64_t count);
/* Takes the header from the beginning of a stream. */
ag_status ag_npy_header(ag_file *file, const char *field, ag_npy *npy, ag_bytes *get, void *from);
/* Elements as memory of a kind. */
void ag_npy_convert(const ag_npy *npy, const void *bytes, int64_t count, ag_kind kind, void *value);
/* Brings an array in Fortran order into that of C; `size` bytes an element. */
void ag_npy_reorder(const ag_npy *npy, size_t size, const void *from, void *to);

/* Text as a table (table.c): rows x cols numbers, and the first line's names, one a line. */
typedef struct ag_table {
    double *value;
    int64_t rows, cols;
    char *names;
} ag_table;
/* 1 when the file holds a table, 0 when it is no text, and a failure in the file. */
int ag_table_read(ag_file *file, FILE *plain, ag_table *table);

/* What is larger than AG_PACK_FREE bytes has to shrink no further than this when packed; counts of a
   large detector shrink up to about a hundredfold.  */
#define AG_PACK_FREE  ((int64_t)1 << 26)
#define AG_PACK_RATIO 500

typedef struct ag_pack {
    FILE *plain; /* npy; of an npz the zip owns it */
    zip_t *zip;
    ag_table table;
    /* The member that is open, and its name where it is being read in blocks. */
    zip_file_t *member;
    char *name;
    ag_npy npy;
    int64_t at;     /* elements that have been read */
    ag_real *whole; /* all of it, frames first, where they do not lie so */
} ag_pack;

/* 1 when the file is of such a kind, or a failure in the file. */
int ag_pack_open(ag_file *file, const unsigned char magic[8], int text);
void ag_pack_close(ag_pack *pack);
void ag_pack_close_member(ag_pack *pack);
int ag_pack_named(ag_file *file, const char *field);
char *ag_pack_names(ag_file *file);
int ag_pack_shape(ag_file *file, const char *field, int64_t shape[AG_FILE_RANK]);
/* Refuses what are no frames, without reading them. */
void ag_pack_check(ag_file *file, const char *field);
void *ag_pack_read(ag_file *file, const char *field, ag_kind kind, int rank,
                   const int64_t *expected);
void ag_pack_read_frames(ag_file *file, const char *field, int last, const int64_t known[3],
                         int64_t first, int64_t count, ag_real *destination);

#endif
