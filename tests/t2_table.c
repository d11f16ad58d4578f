/* SPDX-License-Identifier: BSD-3-Clause */
/* t2_table.c -- the table of kernels, which t2_kernels.c holds against their formulas and
   bench/kernels.c times, and the problem that a row works on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "t2_kernels.h"

#include "backend.h"

/* clang-format off */
#define ROW(name, kind, tolerance) {#name, AG_KERNEL_##name, kind, tolerance, check_##name, 0}
/* A kernel with transforms, and its form without them. */
#define ROWS2(name, kind, tolerance) \
    ROW(name, kind, tolerance), \
        {#name "_unfused", AG_KERNEL_##name##_unfused, WINDOW + ((kind) & ~3), KIND_OF(kind) == WINDOW ? tolerance : 5e-7, check_##name, 1}
const kernel_row kernel_table[] = {
    ROW(affine, NET, 5e-7),
    ROWS2(amplitude, WINDOW + WORDS, 1e-7),
    ROW(average, WINDOW, 2e-7),
    ROW(background_step, WINDOW, 5e-7),
    ROW(background_sums, WINDOW, 5e-7),
    ROW(bound, WINDOW, 3e-7),
    ROW(channel_gate, PLAIN, 5e-7),
    ROW(channel_pool, NET, 3e-7),
    ROW(conv, NET + MATRIX, 1e-6),
    ROW(conv3, NET + MATRIX, 3e-6),
    ROW(copy, PLAIN, 0),
    ROW(divide, WINDOW, 2e-7),
    ROW(enlarge, NET, 2e-7),
    ROW(ep_begin, WINDOW, 2e-7),
    ROW(ep_gamma, WINDOW, 5e-7),
    ROW(ep_mean, WINDOW, 2e-7),
    ROW(ep_noise, PLAIN, 2e-6),
    ROW(ep_prior, WINDOW, 1e-5), /* its message is what is left of larger numbers */
    ROWS2(ep_project, TRANSFORM, 2e-6),
    ROW(ep_residual, WINDOW, 5e-7),
    ROWS2(ep_start, TRANSFORM, 1e-6),
    ROW(ep_terms, WINDOW, 3e-7),
    ROWS2(ep_update, TRANSFORM, 1.5e-6),
    ROWS2(ep_weigh, TRANSFORM, 2e-6),
    ROW(head, NET, 5e-7),
    ROWS2(load_exit, TRANSFORM + MANY, 5e-7),
    ROWS2(load_exit_spread, TRANSFORM, 5e-7),
    ROWS2(load_exit_tops, TRANSFORM, 5e-7),
    ROWS2(load_probe, TRANSFORM + MANY, 5e-7),
    ROW(lsq_direction, WINDOW + MANY, 5e-7),
    ROW(lsq_frames, WINDOW, 5e-7),
    ROW(lsq_mean, PLAIN, 2e-6),
    ROW(lsq_norm, WINDOW, 5e-7),
    ROW(lsq_scale, PLAIN, 2e-6),
    ROW(lsq_solve, PLAIN, 1e-6),
    ROW(lsq_sums, WINDOW + MANY, 1e-6),
    ROW(maximum, PLAIN, 0),
    ROWS2(measure, TRANSFORM + MANY, 1e-6),
    ROWS2(modulus, TRANSFORM + MANY + WORDS, 1e-6),
    ROWS2(modulus_dm, TRANSFORM + MANY, 1e-6),
    ROWS2(modulus_raar, TRANSFORM + MANY, 1e-6),
    ROWS2(modulus_residual, TRANSFORM + MANY, 1e-6),
    ROW(moduli, WINDOW, 3e-7),
    ROW(move_along, WINDOW, 3e-7),
    ROW(multiply_add, PLAIN, 1e-6),
    ROWS2(near_amplitude, WINDOW + WORDS, 1e-7),
    ROW(near_ep_project, TRANSFORM, 2e-6),
    ROW(near_ep_start, TRANSFORM, 1e-6),
    ROW(near_ep_weigh, TRANSFORM + WORDS, 2e-6),
    ROW(near_measure, TRANSFORM + MANY, 1e-6),
    ROW(near_modulus, TRANSFORM + MANY + WORDS, 1e-6),
    ROW(near_modulus_dm, TRANSFORM + MANY, 1e-6),
    ROW(near_modulus_raar, TRANSFORM + MANY, 1e-6),
    ROW(near_modulus_residual, TRANSFORM + MANY, 1e-6),
    ROW(near_poisson, TRANSFORM + MANY, 2e-6),
    ROW(near_poisson_sums, TRANSFORM + MANY, 2e-6),
    ROW(near_power, TRANSFORM + MANY, 1e-6),
    ROW(near_projected, TRANSFORM + MANY, 1e-6),
    ROW(norm_scale, PLAIN, 5e-7),
    ROW(object_coverage, WINDOW + MANY, 2e-7),
    ROW(object_scatter, WINDOW + MANY + UNORDERED, 5e-7),
    ROW(object_step, WINDOW + MANY, 3e-7),
    ROW(object_sum, WINDOW + MANY, 2e-7),
    ROW(opr_direction, WINDOW, 1e-6),
    ROW(opr_probe, WINDOW + MANY, 5e-7),
    ROW(opr_project, WINDOW + MANY, 2e-6),
    ROW(opr_sums, WINDOW + MANY, 2e-6),
    ROW(opr_turn, WINDOW, 1e-6),
    ROW(opr_weights, WINDOW, 1e-6),
    ROW(overlap_residual, WINDOW + MANY, 1e-6),
    ROW(place_patches, PLAIN, 3e-7),
    ROWS2(poisson, TRANSFORM + MANY, 2e-6),
    ROW(poisson_alpha, WINDOW, 5e-7),
    ROW(poisson_mean, PLAIN, 5e-7),
    ROWS2(poisson_sums, TRANSFORM + MANY + WORDS, 2e-6),
    ROW(polar, PLAIN, 3e-7),
    ROW(pool, NET, 2e-7),
    ROW(position_lags, WINDOW + MANY, 2e-6),
    ROW(position_sums, WINDOW + MANY, 1e-6),
    ROWS2(power, TRANSFORM + MANY + WORDS, 1e-6),
    ROW(probe_step, WINDOW + MANY, 3e-7),
    ROW(probe_sum, WINDOW + MANY, 1e-7),
    ROW(probe_terms, WINDOW + MANY, 2e-7),
    ROWS2(projected, TRANSFORM + MANY, 1e-6),
    ROW(ramp, WINDOW, 3e-7),
    ROW(rescale, WINDOW, 2e-7),
    ROWS2(shift, TRANSFORM + MANY, 1e-6),
    ROW(smooth, WINDOW, 5e-7),
    ROW(spatial_gate, PLAIN, 5e-7),
    ROW(spectral_add, NET, 5e-7),
    ROW(spectral_mix, PLAIN, 5e-7),
    ROW(spectral_sum, NET, 5e-7),
    ROWS2(store_difference, TRANSFORM + MANY, 5e-7),
    ROWS2(store_stack, TRANSFORM + MANY, 5e-7),
    ROW(to_blocks, NET, 0),
    ROW(total, PLAIN, 2e-6),
    ROWS2(transfer, TRANSFORM + MANY, 1e-6),
    ROW(turn_within, WINDOW, 5e-7),
    ROW(weigh, WINDOW, 2e-7),
    ROWS2(update, TRANSFORM, 1.5e-6),
    ROW(visits, TRANSFORM + WORDS, 3e-6),
    ROW(without_background, WINDOW, 5e-7),
    ROW(whole_ap, TRANSFORM + MANY + WORDS, 1e-6),
    ROW(whole_difference, TRANSFORM + MANY, 1e-6),
    ROW(whole_dm, TRANSFORM + MANY, 1e-6),
    ROW(whole_raar, TRANSFORM + MANY, 1e-6),
};
/* clang-format on */
const int kernel_rows = (int)(sizeof kernel_table / sizeof *kernel_table);

/* ---- the problem ----------------------------------------------------------------------- */

void *
take(problem *p, int64_t count, size_t size)
{
    void *memory = ag_calloc(count, size);
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_lt(p->taken, TAKEN);
    p->memory[p->taken++] = memory;
    return memory;
}

ag_real *
random_reals(problem *p, int64_t count)
{
    ag_real *const value = take(p, count, sizeof *value);
    for (int64_t i = 0; i < count; i++)
        value[i] = i < PERIOD ? (ag_real)ag_random_normal(&p->random) : value[i - PERIOD];
    return value;
}

ag_complex *
random_complex(problem *p, int64_t count)
{
    return (ag_complex *)random_reals(p, 2 * count);
}

/* Elements before and behind; a frame's strips are whole vectors, other arrays begin anywhere. */
static int64_t
margin(ag_type type)
{
    return type == AG_REAL ? 64 : 61;
}

ag_array *
place(problem *p, ag_type type, int64_t count, const void *source)
{
    const int64_t size = ag_type_bytes(type), around = margin(type);
    ck_assert_int_lt(p->arrays, TAKEN);
    guarded *const g = &p->array[p->arrays];
    char *const bytes = take(p, count + 2 * around, (size_t)size);
    memset(bytes, 0xff, (size_t)((count + 2 * around) * size));
    if (source)
        memcpy(bytes + around * size, source, (size_t)(count * size));
    g->whole = ag_new_from(p->device, type, count + 2 * around, bytes, "array of a test");
    ck_assert_msg(g->whole != NULL, "%s", ag_device_message(p->device));
    g->view = ag_view(g->whole, around);
    g->view.count = count;
    p->arrays++;
    return &g->view;
}

void *
fetch(problem *p, const ag_array *array)
{
    const int64_t around = margin(array->type), size = ag_type_bytes(array->type);
    const guarded *const g =
        (const guarded *)(const void *)((const char *)array - offsetof(guarded, view));
    unsigned char *const bytes = take(p, array->count + 2 * around, (size_t)size);
    unsigned char *const end = bytes + (around + array->count) * size;
    ag_array_read(g->whole, 0, array->count + 2 * around, bytes);
    ck_assert_msg(!ag_device_status(p->device), "%s", ag_device_message(p->device));
    int64_t touched = 0;
    for (int64_t i = 0; i < around * size; i++)
        touched += bytes[i] != 0xff || end[i] != 0xff;
    ck_assert_msg(!touched, "%s writes outside of an array", p->kernel);
    for (unsigned char *b = bytes + around * size; b < end; b++)
        p->digest = (p->digest ^ *b) * 0x100000001b3u;
    return bytes + around * size;
}

void
compare(problem *p, const char *what, int64_t count, const ag_real *found, const double *expected)
{
    double difference = 0, size = 0;
    if (!p->compares)
        return;
    for (int64_t i = 0; i < count; i++) {
        difference += ((double)found[i] - expected[i]) * ((double)found[i] - expected[i]);
        size += expected[i] * expected[i];
    }
    const double error = size > 0 ? sqrt(difference / size) : sqrt(difference);
    ck_assert_msg(error <= p->tolerance, "%s, %d x %d %s, %s (%s): error %.3g, tolerance %.3g",
                  p->kernel, p->at->rows, p->at->cols, p->at->linear ? "linear" : "whole", what,
                  ag_device_description(p->device), error, p->tolerance);
    p->error = fmax(p->error, error);
}

/* Windows in two opposite corners of the object, and one frame that no stack lists. */
static void
place_frames(problem *p)
{
    const int64_t down = p->object_rows - p->rows - p->at->linear,
                  right = p->object_cols - p->cols - p->at->linear;
    static const int32_t first[SLOTS] = {3, 1, 4};
    for (int64_t s = 0; s < p->slots; s++)
        p->frame[s] = s < SLOTS ? first[s] : (int32_t)s + 2;
    for (int64_t j = 0; j < p->frames; j++) {
        p->corner[2 * j] = j == 1   ? 0
                           : j == 4 ? (int32_t)down
                                    : (int32_t)((double)down * ag_random_uniform(&p->random));
        p->corner[2 * j + 1] = j == 1   ? 0
                               : j == 4 ? (int32_t)right
                                        : (int32_t)((double)right * ag_random_uniform(&p->random));
        p->fraction[2 * j] = (ag_real)ag_random_uniform(&p->random);
        p->fraction[2 * j + 1] = (ag_real)ag_random_uniform(&p->random);
    }
}

/* Kernels alone need no library. */
static const ag_fft nobody = {AG_FFT_ABI, "nobody", "", NULL, NULL, NULL, NULL};

void
problem_begin(problem *p, ag_device *device, const char *kernel, int number, const shape_row *at,
              int64_t slots)
{
    const ag_shape *const shape = &p->plan.shape;
    ag_room room = ag_device_room(device);
    if (p->unfused)
        room.fft = &nobody;
    if (at->local && room.lanes > 1) /* a processor has room for any tile */
        room.local = at->local;
    p->device = device;
    p->kernel = kernel;
    p->at = at;
    p->rows = at->rows;
    p->cols = at->cols;
    p->pixels = p->rows * p->cols;
    p->object_rows = p->rows + 9;
    p->object_cols = p->cols + 150; /* more than one segment */
    ag_random_seed(&p->random, 1);
    p->slots = slots;
    p->modes = AG_MAX(1, at->modes);
    p->waves = slots * p->modes;
    p->windows = p->modes * p->pixels;
    if (ag_plan_create(&p->plan, device, p->rows, p->cols, at->linear, &room) == AG_OK) {
        p->plan.shape.store = p->store;
        p->plan.shape.mma = p->mma;
        p->plan.shape.modes = (int)p->modes;
        p->plan.shape.words = at->words;
        p->program = ag_program_create(device, shape, 1, &number);
    }
    ck_assert_msg(p->program != NULL, "%s", ag_device_message(device));
    p->near = !strncmp(kernel, "near_", 5);
    p->strips = p->near && !p->unfused ? shape->strips_x : shape->strips_y;
    p->amplitudes = p->unfused ? p->pixels : p->strips * shape->tile * (p->near ? p->rows : p->cols);
    p->stored = at->words ? (2 * p->amplitudes + (int64_t)sizeof(ag_real) - 1) / (int64_t)sizeof(ag_real) + 2 : p->amplitudes;
    p->frequency = take(p, p->rows + p->cols, sizeof *p->frequency);
    for (int i = 0; i < at->rows + at->cols; i++)
        p->frequency[i] = i < at->rows ? ag_axis_frequency(&shape->y, i)
                                       : ag_axis_frequency(&shape->x, i - at->rows);
    p->frames = slots + 2;
    p->frame = take(p, p->slots, sizeof *p->frame);
    p->corner = take(p, 2 * p->frames, sizeof *p->corner);
    p->fraction = take(p, 2 * p->frames, sizeof *p->fraction);
    place_frames(p);
    p->object = random_complex(p, p->object_rows * p->object_cols);
    p->probe = random_complex(p, p->waves * p->pixels);
    p->stack = random_complex(p, p->waves * p->pixels);
    p->d_object = place(p, AG_COMPLEX, p->object_rows * p->object_cols, p->object);
    p->d_probe = place(p, AG_COMPLEX, p->waves * p->pixels, p->probe);
    p->d_stack = place(p, AG_COMPLEX, p->waves * p->pixels, p->stack);
    p->d_frame = place(p, AG_INT, p->slots, p->frame);
    p->d_corner = place(p, AG_INT, 2 * p->frames, p->corner);
    p->d_fraction = place(p, AG_REAL, 2 * p->frames, p->fraction);
    p->spill = p->plan.spill ? place(p, AG_REAL, p->waves * p->plan.spill, NULL) : NULL;
}

void
problem_end(problem *p)
{
    ag_program_destroy(p->program);
    ag_plan_destroy(&p->plan);
    for (int i = 0; i < p->arrays; i++)
        ag_array_destroy(p->array[i].whole);
    for (int i = 0; i < p->taken; i++)
        free(p->memory[i]);
}
