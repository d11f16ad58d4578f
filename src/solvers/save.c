/* SPDX-License-Identifier: BSD-3-Clause */
/* save.c -- checkpoints: everything that the next iteration depends on, so that a run that was cut off
   goes on with the same bits.

   Every solver has object, probe, history and the order of the frames; a method names what else is
   its state.  The words tell that scan, method, options and transform are the same.  */
#include <stdlib.h>
#include <string.h>

#include "solver.h"

static ag_status
move(const ag_field *f, int64_t first, int64_t rows, void *host, int put, ag_message *message)
{
    const int64_t from = first * f->cols, n = rows * f->cols;
    const ag_device *device = f->stack ? f->stack->part[0]->device : f->array ? f->array->device : NULL;
    ag_status status = AG_OK;
    if (f->stack) {
        status = ag_stack_copy(f->stack, first, rows, host, put);
    } else if (f->array) {
        status = put ? ag_array_write(f->array, from, n, host) : ag_array_read(f->array, from, n, host);
    } else {
        const size_t size = f->kind == AG_KIND_INT32 ? 4 : 8;
        char *at = (char *)f->host + (size_t)from * size;
        memcpy(put ? at : host, put ? host : at, (size_t)n * size);
    }
    return status ? ag_fail(message, status, "%s", ag_device_message(device)) : AG_OK;
}

void
ag_record_host(ag_record *record, const char *name, ag_kind kind, int64_t count, void *host)
{
    if (count > 0)
        record->field[record->fields++] = (ag_field){.name = name, .kind = kind, .rows = count, .cols = 1, .host = host};
}

void
ag_record_host_frames(ag_record *record, const char *name, ag_kind kind, int64_t cols, void *host)
{
    record->field[record->fields++] =
        (ag_field){.name = name, .kind = kind, .rows = record->frames, .cols = cols, .host = host, .shared = 1};
}

static ag_kind
kind_of(const ag_array *array)
{
    return array->type == AG_COMPLEX ? AG_KIND_COMPLEX : AG_KIND_REAL;
}

void
ag_record_array(ag_record *record, const char *name, ag_array *array, int64_t cols)
{
    if (array)
        record->field[record->fields++] =
            (ag_field){.name = name, .kind = kind_of(array), .rows = array->count / cols, .cols = cols, .array = array};
}

void
ag_record_frames(ag_record *record, const char *name, ag_array *array, int64_t cols)
{
    if (array)
        record->field[record->fields++] = (ag_field){
            .name = name, .kind = kind_of(array), .rows = record->frames, .cols = cols, .array = array, .shared = 1};
}

void
ag_record_stack(ag_record *record, const char *name, ag_stack *stack)
{
    if (stack->part)
        record->field[record->fields++] = (ag_field){.name = name,
                                                     .kind = kind_of(stack->part[0]),
                                                     .rows = record->frames,
                                                     .cols = stack->frame,
                                                     .stack = stack,
                                                     .shared = 1};
}

static void
add_words(ag_record *record, const ag_solver *s)
{
    const ag_options *o = &s->options;
    const uint64_t *id = s->identity;
    const size_t room = sizeof record->word[0].text;
    int n = 0;
    record->word[n].name = "scan";
    snprintf(record->word[n++].text, room,
             "%lld frames of %lld x %lld, object %lld x %lld; positions %016llx, mask %016llx, data %016llx",
             (long long)s->all, (long long)s->rows, (long long)s->cols, (long long)s->object_rows,
             (long long)s->object_cols, (unsigned long long)id[AG_IDENTITY_POSITIONS],
             (unsigned long long)id[AG_IDENTITY_MASK], (unsigned long long)id[AG_IDENTITY_DATA]);
    /* All options but the memory, which changes no bit. */
    record->word[n].name = "options";
    snprintf(record->word[n++].text, room,
             "%s batch %lld alpha %.15g beta %.15g object_step %.15g probe_step %.15g probe_start %lld "
             "probe_period %lld object_inertia %.15g probe_inertia %.15g modulus_guard %.15g "
             "modulus_floor %.15g clip_amplitudes %d shuffle %d seed %llu subpixel %d damping %.15g sparsity %.15g "
             "noise_precision %.15g probe_steps %lld rescale %d guard_bursts %d batches %d noise %d position_start %lld "
             "position_step %.15g position_limit %.15g position_affine %d position_method %d overlap_steps %lld modes %lld "
             "orthogonalise %lld momentum %.15g data_type %d opr_modes %lld opr_start %lld opr_intensity %d background_start %lld "
             "background_period %lld residuals %lld sums %d",
             o->method, (long long)o->batch, o->alpha, o->beta, o->object_step, o->probe_step,
             (long long)o->probe_start, (long long)o->probe_period, o->object_inertia, o->probe_inertia,
             o->modulus_guard, o->modulus_floor, o->clip_amplitudes, o->shuffle, (unsigned long long)o->seed,
             (int)o->subpixel, o->damping, o->sparsity, o->noise_precision, (long long)o->probe_steps, o->rescale,
             o->guard_bursts, (int)o->batches, (int)o->noise, (long long)o->position_start, o->position_step,
             o->position_limit, o->position_affine, (int)o->position_method, (long long)o->overlap_steps,
             (long long)o->modes, (long long)o->orthogonalise, o->momentum, (int)o->data_type,
             (long long)o->opr_modes, (long long)o->opr_start, o->opr_intensity, (long long)o->background_start,
             (long long)o->background_period, (long long)o->residuals, (int)o->sums);
    record->word[n].name = "constraints";
    ag_constraints_words(o, record->word[n].text, room);
    const size_t end = strlen(record->word[n].text);
    snprintf(record->word[n++].text + end, room - end, " spectrum %016llx", (unsigned long long)ag_spectrum_identity(s));
    record->word[n].name = "plan";
    snprintf(record->word[n++].text, room, "%s", s->plan.id);
    record->words = n;
}

static void
describe(ag_record *record, ag_solver *s, int64_t iterations)
{
    memset(record, 0, sizeof *record);
    record->comm = s->comm;
    record->frames = s->all;
    record->move = move;
    record->iterations = iterations;
    add_words(record, s);
    ag_record_array(record, "object", s->object, s->object_cols);
    ag_record_array(record, "probe", s->probe, s->cols);
    ag_record_host(record, "error", AG_KIND_DOUBLE, iterations, s->history);
    ag_record_host(record, "seconds", AG_KIND_DOUBLE, iterations, s->seconds);
    if (!s->places)
        ag_record_host(record, "order", AG_KIND_INT32, s->all, s->everyone ? s->everyone : s->order);
    ag_positions_state(s, record);
    ag_opr_state(s, record);
    ag_background_state(s, record);
    ag_residuals_state(s, record, iterations);
    s->method->state(s, record);
}

ag_status
ag_solver_save(ag_solver *s, const char *path, const char *note, ag_message *message)
{
    ag_record record;
    ag_status status = ag_device_status(s->device);
    if (status)
        ag_fail(message, status, "%s", ag_device_message(s->device));
    status = ag_comm_agree(s->comm, status, message);
    if (status)
        return status;
    if (!ag_comm_same(s->comm, s->plan.id, strlen(s->plan.id)))
        return ag_fail(message, AG_BAD_ARGUMENT, "checkpoint: found the plan \"%s\" on %s and another one on another rank, "
                       "expected the same on all", s->plan.id, ag_device_name(s->device));
    describe(&record, s, s->done);
    record.note = note;
    return ag_record_write(path, &record, message);
}

/* Each frame once, whatever the file says. */
static int
is_order(const int32_t *order, int64_t frames)
{
    uint8_t *seen = ag_calloc(frames, 1);
    int64_t n = 0;
    for (int64_t i = 0; seen && i < frames; i++)
        if (order[i] >= 0 && order[i] < frames && !seen[order[i]]) {
            seen[order[i]] = 1;
            n++;
        }
    free(seen);
    return n == frames;
}

static ag_status
load(ag_solver *s, const char *path, ag_message *message)
{
    ag_record record;
    int64_t iterations = 0;
    ag_status status = ag_record_look(path, &iterations, NULL, message);
    if (status)
        return status;
    if (ag_solver_grow(s, iterations))
        return ag_fail(message, AG_NO_MEMORY, "%s: no memory for %lld iterations", path, (long long)iterations);
    describe(&record, s, iterations);
    status = ag_record_read(path, &record, message);
    if (!status && !is_order(s->everyone ? s->everyone : s->order, s->all))
        status = ag_fail(message, AG_BAD_FILE, "%s: checkpoint/order: is no order of %lld frames", path, (long long)s->all);
    s->done = iterations;
    return status;
}

ag_status
ag_solver_load(ag_solver *s, const char *path, ag_message *message)
{
    ag_message words;
    if (s->done)
        return ag_fail(message, AG_BAD_ARGUMENT, "solver: found one that has run, expected a new one");
    ag_status status = load(s, path, &words);
    if (!status) {
        if (!s->places)
            ag_solver_take_order(s);
        if (ag_positions_put(s))
            status = ag_fail(&words, ag_device_status(s->device), "%s", ag_device_message(s->device));
    }
    status = ag_comm_agree(s->comm, status, &words);
    if (!status && !ag_comm_same(s->comm, s->history, (size_t)s->done * sizeof *s->history))
        status = ag_fail(&words, AG_BAD_FILE, "%s: checkpoint/error: another rank has found other ones", path);
    if (!status)
        return AG_OK;
    ag_device_fail(s->device, status, "%s", words.text);
    return ag_fail(message, status, "%s", words.text);
}

ag_status
ag_checkpoint_note(char **note, const char *path, ag_message *message)
{
    *note = NULL;
    return ag_record_look(path, NULL, note, message);
}
