/* SPDX-License-Identifier: BSD-3-Clause */
/* data.c -- the scan's frames on their way to the device, and what is summed up on the way. */
#include <math.h>
#include <stdlib.h>

#include "solver.h"

/* Steps of a frame's range; with 0 a whole number of them from its begin there may be one more. */
#define STEPS 65533

/* What errors are measured by, what tells this scan from another, and what words of 16 bits mean in each frame:
   (word - zero) step. */
static void
sum_data(ag_solver *s, const ag_scan_info *info, const ag_real *data, int64_t first, int64_t frames, ag_complex *range)
{
    const double saturation = (double)(ag_real)s->options.saturation; /* as the kernel sees it */
    for (int64_t j = 0; j < frames; j++) {
        double squares = 0, moduli = 0, least = 0, most = 0;
        for (int64_t i = 0; i < s->window; i++) {
            double v = data[j * s->window + i];
            if ((info->valid && !info->valid[i]) || (saturation > 0 && v >= saturation))
                continue;
            if (!info->data_are_amplitudes)
                v = sqrt(AG_MAX(v, 0));
            else if (s->options.clip_amplitudes)
                v = AG_MAX(v, 0);
            s->pixels++;
            ag_spectrum_add(s, i, v);
            least = AG_MIN(least, v);
            most = AG_MAX(most, v);
            squares += v * v;
            moduli += fabs(v);
        }
        s->energy += squares;
        s->strength += moduli;
        const double step = (double)(ag_real)AG_MAX((most - least) / STEPS, 1e-37);
        range[first + j] = (ag_complex){(ag_real)ceil(-least / step), (ag_real)step};
        /* A sum over frames of any ranks, each with its place in the scan. */
        const int64_t place = s->first + first + j;
        s->identity[AG_IDENTITY_DATA] +=
            ag_hash(ag_hash(0, &place, sizeof place), data + j * s->window, (size_t)s->window * sizeof *data);
    }
}

static void
identify(ag_solver *s, const ag_scan_info *info)
{
    const int kind[] = {info->data_are_amplitudes != 0, info->zero_in_corner != 0, info->geometry};
    const double near[] = {info->wavelength, info->distance, info->focus_distance, info->detector_pixel[0],
                           info->detector_pixel[1]};
    uint64_t *id = s->identity;
    id[AG_IDENTITY_POSITIONS] = ag_hash(0, info->position - 2 * s->first, (size_t)s->all * 2 * sizeof *info->position);
    id[AG_IDENTITY_MASK] = info->valid ? ag_hash(0, info->valid, (size_t)s->window) : 0;
    id[AG_IDENTITY_DATA] = s->first ? 0 : ag_hash(0, kind, sizeof kind);
    if (s->near && !s->first)
        id[AG_IDENTITY_DATA] = ag_hash(id[AG_IDENTITY_DATA], near, sizeof near);
}

/* Frames as the scan has them: where they lie, or read into `room`. */
static const ag_real *
frames(ag_solver *s, const ag_scan *scan, int64_t first, int64_t n, ag_real *room)
{
    ag_message message;
    if (ag_scan_content(scan)->data)
        return ag_scan_content(scan)->data + first * s->window;
    /* What was there may still be on its way. */
    ag_device_synchronize(s->device);
    const ag_status status = ag_scan_frames(scan, first, n, room, &message);
    if (status)
        ag_device_fail(s->device, status, "%s", message.text);
    return room;
}

/* Frames as the scan has them become amplitudes. */
static void
put(ag_solver *s, const ag_scan_info *info, int64_t n, ag_array *to, const ag_array *raw, const ag_array *valid, const ag_array *words)
{
    if (s->near)
        ag_run_near_amplitude(s->program, n, to, raw, valid, !info->data_are_amplitudes, s->options.clip_amplitudes,
                              s->options.saturation, words);
    else
        ag_run_amplitude(s->program, n, to, raw, valid, s->plan.place[info->zero_in_corner != 0], !info->data_are_amplitudes,
                         s->options.clip_amplitudes, s->options.saturation, words);
}

/* Data go to the device in pieces, two of them in flight: one is copied while the kernel works on
   the other. */
static void
upload(ag_solver *s, const ag_scan *scan, ag_array *const raw[2], ag_array *const words[2], const ag_array *valid,
       ag_real *room, ag_complex *range)
{
    const ag_scan_info *info = ag_scan_content(scan);
    int turn = 0;
    for (int64_t first = 0, n; first < s->frames && !ag_device_status(s->device); first += n, turn ^= 1) {
        n = AG_MIN(ag_array_count(raw[0]) / s->window, s->frames - first);
        const ag_real *data = frames(s, scan, first, n, room);
        if (ag_device_status(s->device))
            return;
        ag_upload(raw[turn], n * s->window, data);
        sum_data(s, info, data, first, n, range);
        if (words[turn])
            ag_upload(words[turn], n, range + first);
        for (int64_t i = 0, run; i < n; i += run) {
            int64_t place = first + i;
            run = n - i;
            if (s->places && !s->amplitude.shelf) { /* frames to their places; a shelf keeps the scan's order */
                const int32_t *const places = s->places + place;
                place = places[0];
                for (run = 1; i + run < n && places[run] == place + run;)
                    run++;
            }
            ag_array to = ag_stack_view(&s->amplitude, place, &run, AG_STACK_WRITE);
            const ag_array from = ag_view(raw[turn], i * s->window);
            ag_array in_words = {0};
            if (words[turn])
                in_words = ag_view(words[turn], i);
            put(s, info, run, &to, &from, valid, words[turn] ? &in_words : NULL);
        }
    }
    if (s->places && s->amplitude.shelf)
        ag_stack_reorder(&s->amplitude, s->order);
    ag_device_synchronize(s->device);
}

void
ag_solver_take_frames(ag_solver *s, const ag_scan *scan)
{
    const ag_scan_info *info = ag_scan_content(scan);
    const int64_t piece = AG_MAX(1, AG_MIN(s->slots, s->frames));
    ag_array *const raw[2] = {ag_new(s->device, AG_REAL, piece * s->window, "frames on their way"),
                              ag_new(s->device, AG_REAL, piece * s->window, "frames on their way")};
    const int in_words = s->plan.shape.words;
    ag_array *const words[2] = {in_words ? ag_new(s->device, AG_COMPLEX, piece, "ranges on their way") : NULL,
                                in_words ? ag_new(s->device, AG_COMPLEX, piece, "ranges on their way") : NULL};
    ag_complex *range = ag_calloc(s->frames, sizeof *range);
    ag_real *room = info->data ? NULL : ag_calloc(piece * s->window, sizeof *room);
    int32_t *mask = ag_calloc(s->window, sizeof *mask);
    ag_array *valid = NULL;
    for (int64_t i = 0; mask && i < s->window; i++)
        mask[i] = !info->valid || info->valid[i];
    if (!mask || !range || !(room || info->data))
        ag_device_fail(s->device, AG_NO_MEMORY, "frames: out of host memory");
    else
        valid = ag_new_from(s->device, AG_INT, s->window, mask, "mask");
    if (valid && !ag_device_counts(s->device)) {
        identify(s, info);
        upload(s, scan, raw, words, valid, room, range);
    }
    s->host += (info->data ? 0 : piece * s->window * (int64_t)sizeof *room);
    ag_array_destroy(raw[0]);
    ag_array_destroy(raw[1]);
    ag_array_destroy(words[0]);
    ag_array_destroy(words[1]);
    ag_array_destroy(valid);
    free(mask);
    free(room);
    free(range);
}
