/* SPDX-License-Identifier: BSD-3-Clause */
/* checkpoint.c -- arrays that may be larger than memory, saved so that they are never lost.

   HDF5 makes the file with room for the arrays and lets go of it; then their bytes go to that room by
   plain system calls, a piece at a time, whose failures are clear and without consequence, and the
   check sums last.  doc/result-file.md has the layout.  */
#include <stdlib.h>
#include <string.h>

#include "io.h"

#define ROOT        "checkpoint"
#define FORMAT      "argand checkpoint 2"
#define PIECE       ((int64_t)4 << 20)
#define ROOM_OF_MAP ((int64_t)1 << 20) /* bytes of the file beside the arrays and the note */

static int64_t
kind_bytes(ag_kind kind)
{
    return kind == AG_KIND_COMPLEX ? sizeof(ag_complex)
           : kind == AG_KIND_REAL  ? sizeof(ag_real)
           : kind == AG_KIND_INT32 ? 4
                                   : 8;
}

static int64_t
row_bytes(const ag_field *f)
{
    return f->cols * kind_bytes(f->kind);
}

static int64_t
piece_rows(const ag_field *f)
{
    return AG_MIN(f->rows, AG_MAX(1, PIECE / row_bytes(f)));
}

static void *
piece_of(const ag_record *record)
{
    int64_t most = 1;
    for (int i = 0; i < record->fields; i++)
        most = AG_MAX(most, piece_rows(&record->field[i]) * row_bytes(&record->field[i]));
    return ag_calloc(most, 1);
}

/* Rows of a field between where they are and `piece`.  Of rows that are shared out each rank moves its own, and gives them
   to the first where these are to be written. */
static ag_status
move_rows(const ag_record *record, const ag_field *f, int64_t first, int64_t n, void *piece, int put, ag_message *message)
{
    ag_comm *const comm = record->comm;
    ag_status status = AG_OK;
    if (!f->shared)
        return record->move(f, first, n, piece, put, message);
    for (int k = 0; k < comm->size; k++) {
        const int64_t own = ag_part_begin(f->rows, comm->size, k), begin = AG_MAX(first, own);
        const int64_t count = AG_MIN(first + n, ag_part_begin(f->rows, comm->size, k + 1)) - begin;
        char *const at = (char *)piece + (begin - first) * row_bytes(f);
        if (count <= 0)
            continue;
        if (k == comm->rank)
            status = record->move(f, begin - own, count, at, put, message);
        if (k && !put)
            comm->give(comm, k, count * row_bytes(f), at);
    }
    return status;
}

static const char *
place(char path[256], const char *name)
{
    snprintf(path, 256, ROOT "/%s", name);
    return path;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Room for an array that is written later: where it begins in the file, or a failure. */
static int64_t
make_room(ag_file *file, const char *field, ag_kind kind, int64_t rows, int64_t cols)
{
    char reason[256];
    if (file->status)
        return -1;
    const hsize_t size[2] = {(hsize_t)rows, (hsize_t)cols};
    const hid_t link = H5Pcreate(H5P_LINK_CREATE), layout = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(2, size, NULL), type = ag_file_type(kind, "r", "i");
    H5Pset_create_intermediate_group(link, 1);
    H5Pset_obj_track_times(layout, 0);
    H5Pset_alloc_time(layout, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER);
    const hid_t id = H5Dcreate2(file->id, field, type, space, link, layout, H5P_DEFAULT);
    const haddr_t at = id < 0 ? HADDR_UNDEF : H5Dget_offset(id);
    if (at == HADDR_UNDEF) {
        ag_file_refuse(file, field, "cannot be written: %s", ag_file_reason(reason, sizeof reason));
        file->status = AG_FILE_ERROR;
    }
    if (id >= 0)
        H5Dclose(id);
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(layout);
    H5Pclose(link);
    return file->status ? -1 : (int64_t)at;
}

/* Everything but the arrays; `at` is where these go, that of the check sums last. */
static void
write_map(ag_file *file, const ag_record *record, int64_t *at)
{
    char reason[256], path[256];
    const char *note = record->note ? record->note : "";
    ag_file_enter(file);
    file->id = H5Fcreate(file->replacement.temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file->id < 0) {
        file->status = ag_fail(file->message, AG_FILE_ERROR, "%s: cannot be created: %s",
                               ag_path_tail(file->path), ag_file_reason(reason, sizeof reason));
    } else {
        ag_file_write_group(file, "/", "NXroot");
        ag_file_write_group(file, ROOT, "NXcollection");
        ag_file_write_text(file, ROOT "/format", FORMAT);
        ag_file_write_text(file, ROOT "/note", note);
        ag_file_write_int(file, ROOT "/note_sum", (int64_t)ag_hash(0, note, strlen(note)));
        ag_file_write_int(file, ROOT "/iterations", record->iterations);
        for (int i = 0; i < record->words; i++)
            ag_file_write_text(file, place(path, record->word[i].name), record->word[i].text);
        for (int i = 0; i < record->fields; i++) {
            const ag_field *f = &record->field[i];
            at[i] = make_room(file, place(path, f->name), f->kind, f->rows, f->cols);
        }
        at[record->fields] = make_room(file, ROOT "/sums", AG_KIND_INT, record->fields, 1);
        if (H5Fclose(file->id) < 0 && !file->status)
            file->status = ag_fail(file->message, AG_FILE_ERROR, "%s: cannot be written: %s",
                                   ag_path_tail(file->path), ag_file_reason(reason, sizeof reason));
    }
    ag_file_leave(file);
}

/* All ranks go through all pieces, and meet before each.  One that has failed comes to the next meeting, so that none waits
   for it, and there all give up. */
static void
write_arrays(ag_file *file, const ag_record *record, const int64_t *at, void *piece, uint64_t *sum)
{
    for (int i = 0; i < record->fields; i++) {
        const ag_field *f = &record->field[i];
        const int64_t most = piece_rows(f), bytes = row_bytes(f);
        sum[i] = 0;
        for (int64_t first = 0, n; first < f->rows; first += n) {
            n = AG_MIN(most, f->rows - first);
            file->status = ag_comm_agree(record->comm, file->status, file->message);
            if (file->status)
                return;
            if (f->shared || !record->comm->rank)
                file->status = move_rows(record, f, first, n, piece, 0, file->message);
            if (file->status || record->comm->rank)
                continue;
            sum[i] = ag_hash(sum[i], piece, (size_t)(n * bytes));
            file->status = ag_replacement_put(&file->replacement, at[i] + first * bytes, piece, (size_t)(n * bytes),
                                              file->message);
        }
    }
    file->status = ag_comm_agree(record->comm, file->status, file->message);
}

ag_status
ag_record_write(const char *path, const ag_record *record, ag_message *message)
{
    ag_file file = {.path = path, .message = message, .id = -1};
    const int writes = !record->comm->rank;
    int64_t at[sizeof record->field / sizeof *record->field + 1];
    uint64_t sum[sizeof record->field / sizeof *record->field];
    int64_t bytes = ROOM_OF_MAP + (record->note ? (int64_t)strlen(record->note) : 0);
    for (int i = 0; i < record->fields; i++)
        bytes += record->field[i].rows * row_bytes(&record->field[i]);
    if (writes)
        file.status = ag_replacement_again(&file.replacement, path, message);
    /* HDF5 cannot let go of a file for which there is no room. */
    if (writes && !file.status)
        file.status = ag_replacement_reserve(&file.replacement, bytes, message);
    void *piece = piece_of(record);
    if (!file.status && !piece)
        file.status = ag_fail(message, AG_NO_MEMORY, "%s: no memory left", ag_path_tail(path));
    if (writes && !file.status)
        write_map(&file, record, at);
    write_arrays(&file, record, at, piece, sum);
    if (writes && !file.status)
        file.status = ag_replacement_put(&file.replacement, at[record->fields], sum,
                                         (size_t)record->fields * sizeof *sum, message);
    free(piece);
    if (writes)
        file.status = ag_replacement_end(&file.replacement, file.status, message);
    return ag_comm_agree(record->comm, file.status, message);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void
check_word(ag_file *file, const char *name, const char *expected)
{
    char path[256];
    if (file->status)
        return;
    if (!ag_file_named(file, place(path, name))) {
        ag_file_refuse(file, path, "is missing, expected a checkpoint of argand");
        return;
    }
    char *found = ag_file_text(file, path);
    if (!found || strcmp(found, expected) != 0)
        ag_file_refuse(file, path, "found \"%.300s\", expected \"%.300s\"", found ? found : "", expected);
    free(found);
}

/* The dataset of an array, when it has its shape and holds its numbers, else -1. */
static hid_t
open_array(ag_file *file, const char *field, const ag_field *f)
{
    char found[100], wanted[100];
    int64_t shape[AG_FILE_RANK] = {0};
    const int64_t expected[2] = {f->rows, f->cols};
    const int rank = ag_file_shape(file, field, shape);
    if (rank < 0)
        return -1;
    if (rank != 2 || shape[0] != f->rows || shape[1] != f->cols) {
        ag_file_refuse(file, field, "has shape %s, expected %s",
                       ag_file_shape_text(found, sizeof found, rank, shape),
                       ag_file_shape_text(wanted, sizeof wanted, 2, expected));
        return -1;
    }
    const hid_t id = H5Dopen2(file->id, field, H5P_DEFAULT), has = H5Dget_type(id);
    const hid_t type = ag_file_type(f->kind, "r", "i");
    if (H5Tequal(has, type) <= 0)
        ag_file_refuse(file, field, "holds other numbers than expected (%d bytes each, expected %d)",
                       (int)H5Tget_size(has), (int)H5Tget_size(type));
    H5Tclose(type);
    H5Tclose(has);
    return id;
}

/* Rows of an open array. */
static void
read_rows(ag_file *file, const char *field, hid_t id, const ag_field *f, int64_t first, int64_t n,
          void *destination)
{
    char reason[256];
    const hsize_t start[2] = {(hsize_t)first, 0}, size[2] = {(hsize_t)n, (hsize_t)f->cols};
    const hid_t space = H5Dget_space(id), memory = H5Screate_simple(2, size, NULL);
    const hid_t type = ag_file_type(f->kind, "r", "i");
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(id, type, memory, space, H5P_DEFAULT, destination) < 0)
        ag_file_refuse(file, field, "cannot be read: %s", ag_file_reason(reason, sizeof reason));
    H5Tclose(type);
    H5Sclose(memory);
    H5Sclose(space);
}

/* One pass over an array: its check sum, and its rows to their place where `put`. */
static void
read_field(ag_file *file, const ag_record *record, const ag_field *f, void *piece, int put, uint64_t expected)
{
    char path[256];
    const int64_t most = piece_rows(f);
    uint64_t sum = 0;
    const hid_t id = open_array(file, place(path, f->name), f);
    for (int64_t first = 0, n; !file->status && first < f->rows; first += n) {
        n = AG_MIN(most, f->rows - first);
        read_rows(file, path, id, f, first, n, piece);
        if (file->status)
            break;
        sum = ag_hash(sum, piece, (size_t)(n * row_bytes(f)));
        if (put)
            file->status = move_rows(record, f, first, n, piece, 1, file->message);
    }
    if (!file->status && sum != expected)
        ag_file_refuse(file, path, "is damaged: its check sum is %016llx, expected %016llx",
                       (unsigned long long)sum, (unsigned long long)expected);
    if (id >= 0)
        H5Dclose(id);
}

/* No npz, which would do for other files. */
static ag_status
open_record(ag_file *file, const char *path, ag_message *message)
{
    const ag_status status = ag_file_open(file, path, message);
    if (!status && file->pack)
        ag_file_refuse(file, ROOT, "is missing, expected a checkpoint of argand");
    return status;
}

ag_status
ag_record_read(const char *path, const ag_record *record, ag_message *message)
{
    ag_file file;
    ag_status status = open_record(&file, path, message);
    if (status)
        return status;
    const ag_field sums = {.name = "sums", .kind = AG_KIND_INT, .rows = record->fields, .cols = 1};
    uint64_t sum[sizeof record->field / sizeof *record->field] = {0};
    void *piece = piece_of(record);
    check_word(&file, "format", FORMAT);
    for (int i = 0; i < record->words; i++)
        check_word(&file, record->word[i].name, record->word[i].text);
    if (!piece)
        ag_file_no_memory(&file, ROOT, PIECE);
    const hid_t id = file.status ? -1 : open_array(&file, ROOT "/sums", &sums);
    if (id >= 0 && !file.status)
        read_rows(&file, ROOT "/sums", id, &sums, 0, record->fields, sum);
    if (id >= 0)
        H5Dclose(id);
    /* Nothing changes before all of it has been found whole. */
    for (int put = 0; put < 2; put++)
        for (int i = 0; !file.status && i < record->fields; i++)
            read_field(&file, record, &record->field[i], piece, put, sum[i]);
    free(piece);
    ag_file_close(&file);
    return file.status;
}

/* Its words have a check sum, as the arrays have. */
static char *
read_note(ag_file *file)
{
    char *note = file->status ? NULL : ag_file_text(file, ROOT "/note");
    int64_t *sum = file->status ? NULL : ag_file_read(file, ROOT "/note_sum", AG_KIND_INT, 0, NULL);
    if (!file->status && !note)
        ag_file_refuse(file, ROOT "/note", "is no text, expected a checkpoint of argand");
    if (!file->status && ag_hash(0, note, strlen(note)) != (uint64_t)*sum)
        ag_file_refuse(file, ROOT "/note", "is damaged: its check sum is another");
    free(sum);
    if (!file->status)
        return note;
    free(note);
    return NULL;
}

ag_status
ag_record_look(const char *path, int64_t *iterations, char **note, ag_message *message)
{
    ag_file file;
    ag_status status = open_record(&file, path, message);
    if (status)
        return status;
    check_word(&file, "format", FORMAT);
    int64_t *done = file.status ? NULL : ag_file_read(&file, ROOT "/iterations", AG_KIND_INT, 0, NULL);
    if (done && (*done < 0 || *done > INT32_MAX))
        ag_file_refuse(&file, ROOT "/iterations", "is %lld, expected 0 to %d", (long long)*done, INT32_MAX);
    if (done && iterations)
        *iterations = *done;
    free(done);
    if (note)
        *note = read_note(&file);
    ag_file_close(&file);
    return file.status;
}
