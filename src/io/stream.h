/* SPDX-License-Identifier: BSD-3-Clause */
/* stream.h -- frames of a file picked and prepared: the one path from a file to a solver. */
#ifndef AG_STREAM_H
#define AG_STREAM_H

#include "draft.h"

typedef struct ag_stream {
    ag_file file;
    char *path;
    ag_part *part;
    int parts, last;
    int64_t rows, cols;        /* in the file */
    const int64_t *pick;       /* the file's frame of each frame */
    int amplitudes, in_corner; /* in_corner: zero frequency in the file */
    uint8_t *valid;            /* rows x cols in the file; NULL: all */
    double *dark, *scale;      /* rows x cols; NULL: none */
    int64_t start[2], size[2],
        bin; /* cut from the file's frame, its zero frequency at the centre */
    int cut; /* anything is */
    const ag_scan_info *info;
    int64_t clipped;   /* counts that fell below 0 */
    ag_real *block;    /* of the file's frames, where anything is cut */
    const char *field; /* for words */
} ag_stream;
ag_status ag_stream_read(ag_stream *stream, int64_t first, int64_t count, ag_real *destination,
                         ag_message *message);
/* One frame or more as the file has them; returns how many they are. */
int64_t ag_stream_fetch(ag_stream *stream, int64_t first, int64_t most, ag_real *to);
/* Where the file's frame has the pixel (row, col) of what is cut. */
int64_t ag_stream_place(const ag_stream *stream, int64_t row, int64_t col);
/* Takes over what the draft holds for frames; the scan's geometry, mask and positions follow
   (settle.c).  */
ag_status ag_stream_settle(ag_stream *stream, ag_draft *draft, ag_message *message);
void ag_stream_close(ag_stream *stream);

#endif
