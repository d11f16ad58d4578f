/* SPDX-License-Identifier: BSD-3-Clause */
/* stream.c -- the one path of frames from a file to a solver: picked, dark subtracted, flat divided,
   cut around the zero frequency, binned, masked, checked.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"
#include "stream.h"

/* Bytes of the file's frames that are in memory at a time where something is cut from them. */
#define BLOCK_BYTES ((int64_t)1 << 25)

/* Frames of the file from `frame` on that lie in a row both there and in the scan: at most `most`
   of the scan's from j on.  */
static int64_t
run_length(const ag_stream *s, int64_t j, int64_t most, int64_t left_in_part)
{
    int64_t n = 1;
    most = AG_MIN(most, left_in_part);
    while (n < most && (!s->pick || s->pick[j + n] == s->pick[j] + n))
        n++;
    return n;
}

int64_t
ag_stream_fetch(ag_stream *s, int64_t j, int64_t most, ag_real *to)
{
    int64_t frame = s->pick ? s->pick[j] : j;
    int part = 0;
    while (part < s->parts - 1 && frame >= s->part[part].frames)
        frame -= s->part[part++].frames;
    const int64_t n = run_length(s, j, most, s->part[part].frames - frame);
    const int64_t known[3] = {s->part[part].frames, s->rows, s->cols};
    ag_file_read_frames(&s->file, s->part[part].field, s->last, known, frame, n, to);
    return n;
}

/* A count that is negative as it comes is an error and kept for the check that follows; one that
   the dark frame makes negative is noise and clipped.  */
static void
correct(ag_stream *s, int64_t frames, ag_real *frame)
{
    const int64_t area = s->rows * s->cols;
    for (int64_t j = 0; j < frames; j++, frame += area)
        for (int64_t i = 0; i < area; i++) {
            if ((s->valid && !s->valid[i]) || frame[i] < 0)
                continue;
            if (s->dark) {
                const double difference = (double)frame[i] - s->dark[i];
                s->clipped += difference < 0;
                frame[i] = difference < 0 ? 0 : (ag_real)difference;
            }
            if (s->scale)
                frame[i] *= (ag_real)s->scale[i];
        }
}

int64_t
ag_stream_place(const ag_stream *s, int64_t row, int64_t col)
{
    row += s->start[0] + (s->in_corner ? s->rows - s->rows / 2 : 0);
    col += s->start[1] + (s->in_corner ? s->cols - s->cols / 2 : 0);
    return row % s->rows * s->cols + col % s->cols;
}

/* Counts of a bin add up, as do the squares of amplitudes. */
static void
cut(const ag_stream *s, const ag_real *from, ag_real *to)
{
    const int squares = s->amplitudes && s->bin > 1;
    for (int64_t y = 0; y < s->size[0]; y += s->bin)
        for (int64_t x = 0; x < s->size[1]; x += s->bin) {
            double sum = 0;
            ag_real wrong = 0;
            for (int64_t i = 0; i < s->bin * s->bin; i++) {
                const int64_t at = ag_stream_place(s, y + i / s->bin, x + i % s->bin);
                if (s->valid && !s->valid[at])
                    continue;
                const double v = (double)from[at];
                if (v < 0 && !s->amplitudes)
                    wrong = from[at];
                sum += squares ? v * v : v;
            }
            *to++ = wrong < 0 ? wrong : (ag_real)(squares ? sqrt(sum) : sum);
        }
}

static ag_status
read_frames(ag_stream *s, int64_t first, int64_t count, ag_real *to)
{
    const int64_t raw = s->rows * s->cols, area = s->info->rows * s->info->cols;
    const int64_t room = s->cut ? AG_MAX(1, BLOCK_BYTES / (raw * (int64_t)sizeof *to)) : count;
    if (s->cut && !s->block && (s->block = ag_calloc(room * raw, sizeof *to)) == NULL)
        ag_file_no_memory(&s->file, s->field, room * raw * (int64_t)sizeof *to);
    for (int64_t done = 0, n; done < count && !s->file.status; done += n) {
        ag_real *block = s->cut ? s->block : to + done * area;
        n = ag_stream_fetch(s, first + done, AG_MIN(room, count - done), block);
        if (s->dark || s->scale)
            correct(s, n, block);
        for (int64_t j = 0; s->cut && j < n && !s->file.status; j++)
            cut(s, block + j * raw, to + (done + j) * area);
    }
    return s->file.status;
}

ag_status
ag_stream_read(ag_stream *s, int64_t first, int64_t count, ag_real *destination,
               ag_message *message)
{
    int64_t empty, first_empty;
    ag_message inner = {""};
    s->file.status = AG_OK;
    s->file.message = message;
    ag_file_enter(&s->file);
    read_frames(s, first, count, destination);
    ag_file_leave(&s->file);
    if (s->file.status)
        return s->file.status;
    if (ag_scan_check_frames(s->info, first, count, destination, &empty, &first_empty, &inner))
        ag_file_refuse(&s->file, s->field, "%s", inner.text + strlen("data: "));
    return s->file.status;
}

void
ag_stream_close(ag_stream *s)
{
    if (!s)
        return;
    if (s->path) {
        ag_file_enter(&s->file);
        ag_file_close(&s->file);
    }
    for (int i = 0; i < s->parts; i++)
        free(s->part[i].field);
    free(s->part);
    free(s->path);
    free((void *)s->pick);
    free(s->valid);
    free(s->dark);
    free(s->scale);
    free(s->block);
    free(s);
}
