/* SPDX-License-Identifier: BSD-3-Clause */
/* io.h -- what readers and writers of files share: replacing a file, and fields of files in few
   words: HDF5, and for reading also npz, npy and tables of numbers (pack.c).

   A file is opened or created, then read or written field by field ("entry_1/probe/data").
   The first failure sticks in the file, later calls do nothing and return 0 or NULL; the
   words name the file, the field, what was found and what was expected.  */
#ifndef AG_IO_H
#define AG_IO_H

#include <hdf5.h>

#include "core.h"

#define AG_FILE_RANK 8               /* axes of an array at most */
#define AG_HC        1.98644586e-25  /* photon energy times wavelength, J m */
#define AG_EV        1.602176634e-19 /* J */

/* ---- replacing a file (replace.c) ------------------------------------------------------ */

/* The end of a long path, so that the words after it fit into a message. */
const char *ag_path_tail(const char *path);

/* A new file under a temporary name beside the one that it is going to replace. */
typedef struct ag_replacement {
    const char *path;
    char *temporary;
    int descriptor;
} ag_replacement;

ag_status ag_replacement_begin(ag_replacement *replacement, const char *path, ag_message *message);
/* The same under one temporary name, PATH.part, for a file that is written again and again: what a
   process that was killed left behind is replaced.  */
ag_status ag_replacement_again(ag_replacement *replacement, const char *path, ag_message *message);
/* Finds out whether the disk takes so many bytes; it keeps them where it knows how. */
ag_status ag_replacement_reserve(ag_replacement *replacement, int64_t bytes, ag_message *message);
ag_status ag_replacement_put(ag_replacement *replacement, int64_t offset, const void *bytes,
                             size_t count, ag_message *message);
ag_status ag_replacement_write(ag_replacement *replacement, const void *bytes, size_t count,
                               ag_message *message);
/* Renames when `status` is AG_OK, else removes; returns the first failure. */
ag_status ag_replacement_end(ag_replacement *replacement, ag_status status, ag_message *message);

/* ---- HDF5 (hdf5.c, hdf5_read.c, hdf5_write.c) --------------------------------------------- */

typedef struct ag_file {
    const char *path;
    ag_message *message;
    ag_status status;
    hid_t id;
    struct ag_pack *pack; /* what is no HDF5 */
    int printing;         /* HDF5's own error printing is to be restored */
    H5E_auto2_t print;
    void *print_data;
    ag_replacement replacement; /* while writing */
} ag_file;

/* Opens what a path holds, whatever its name: HDF5, npz (also within bzip2) or npy.  Until the
   file is closed no other thread gets into HDF5 through this library.  */
ag_status ag_file_open(ag_file *file, const char *path, ag_message *message);
/* The same, and text too: a table of numbers is the field "table", a column with a name in its
   first line a field of that name.  */
ag_status ag_file_open_table(ag_file *file, const char *path, ag_message *message);
/* Takes the form "FILE: FIELD: words", status AG_BAD_FILE. */
ag_status ag_file_refuse(ag_file *file, const char *field, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
/* The same for memory that does not suffice, status AG_NO_MEMORY. */
void ag_file_no_memory(ag_file *file, const char *field, int64_t bytes);
/* Ends reading; the status stays in the file. */
void ag_file_close(ag_file *file);

/* Enters and leaves HDF5, which one thread may do repeatedly; for ag_file_open, ag_file_create and
   their ends, and around uses of a file that stays open.  */
void ag_file_enter(ag_file *file);
void ag_file_leave(ag_file *file);
/* The innermost reason that HDF5 gave for its last failure. */
const char *ag_file_reason(char *text, size_t size);
/* The memory type of a kind; the names of a complex number's parts.  To be closed. */
hid_t ag_file_type(ag_kind kind, const char *re, const char *im);
/* Whether a shape is the expected one but for leading axes of length 1; refuses where not. */
int ag_file_fits(ag_file *file, const char *field, int rank, const int64_t *shape,
                 int expected_rank, const int64_t *expected);
/* "(3, 128, 128)" */
const char *ag_file_shape_text(char *text, size_t size, int rank, const int64_t *shape);

/* The names in a group ("/": the top) one a line, sorted, to be freed; NULL when there are none. */
char *ag_file_names(ag_file *file, const char *group);
/* 1 when there is such a name, even one that leads nowhere. */
int ag_file_named(ag_file *file, const char *field);
/* 1 when the name leads to a dataset that is not empty. */
int ag_file_has(ag_file *file, const char *field);
/* The number of axes and their lengths; -1 after a failure. */
int ag_file_shape(ag_file *file, const char *field, int64_t shape[AG_FILE_RANK]);
/* The whole array, to be freed.  Its shape has to be the expected one, but for leading axes
   of length 1.  */
void *ag_file_read(ag_file *file, const char *field, ag_kind kind, int rank,
                   const int64_t *expected);
double ag_file_number(ag_file *file, const char *field);
/* What can be known of an array of frames without reading it: refuses missing filters, linked
   files that are not there, and more than the file can hold.  */
void ag_file_check(ag_file *file, const char *field);
/* Frames first ... first + count - 1 of an array (..., rows, cols) of at least two axes, all axes
   but the last two being one; with `last`, of an array (rows, cols, frames).  `known` is (frames, rows,
   cols) as it was found; a file that has changed since is refused.  */
void ag_file_read_frames(ag_file *file, const char *field, int last, const int64_t known[3],
                         int64_t first, int64_t count, ag_real *destination);
/* Whether a shape still is what it was. */
int ag_file_unchanged(ag_file *file, const char *field, int last, const int64_t known[3], int rank,
                      const int64_t *shape);
/* The text of a field, to be freed; NULL when there is none. */
char *ag_file_text(ag_file *file, const char *field);
/* The same of an attribute of a field or group. */
char *ag_file_attribute(ag_file *file, const char *field, const char *name);
/* Reads up to `most` numbers of an attribute; returns how many it has, 0 when there is none. */
int ag_file_attribute_numbers(ag_file *file, const char *field, const char *name, int most,
                              double *value);
/* Reads two integers from an attribute of a field; 0 when they are not there. */
int ag_file_pair(ag_file *file, const char *field, const char *attribute, int64_t pair[2]);

ag_status ag_file_create(ag_file *file, const char *path, ag_message *message);
/* Completes the file and gives it its name. */
ag_status ag_file_finish(ag_file *file);
/* The root and its one entry, as CXI and NeXus want them; `shown`: the group in the entry that viewers show first. */
void ag_file_write_entry(ag_file *file, const char *shown);
void ag_file_write_group(ag_file *file, const char *field, const char *nexus_class);
void ag_file_write(ag_file *file, const char *field, ag_kind kind, int rank, const int64_t *shape,
                   const void *value);
/* One compressed chunk per frame; `fill` makes frame j, or fails. */
typedef ag_status ag_frame_fill(void *user, int64_t j, ag_real *frame, ag_message *message);
void ag_file_write_frames(ag_file *file, const char *field, const int64_t shape[3],
                          ag_frame_fill *fill, void *user);
void ag_file_write_mask(ag_file *file, const char *field, int64_t rows, int64_t cols,
                        const uint32_t *mask);
void ag_file_write_number(ag_file *file, const char *field, double value, const char *unit);
void ag_file_write_int(ag_file *file, const char *field, int64_t value);
/* Nothing when `text` is NULL. */
void ag_file_write_text(ag_file *file, const char *field, const char *text);
void ag_file_write_attribute(ag_file *file, const char *field, const char *name, const char *text);
void ag_file_write_pair(ag_file *file, const char *field, const char *name, const int64_t pair[2]);
void ag_file_write_link(ag_file *file, const char *field, const char *target);

#endif
