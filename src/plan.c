/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c -- how frames of a size are transformed: radices, tiles, tables, orders.

   Deterministic: the same size on the same device class gives the same plan.  */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "core.h"

#define PI 3.14159265358979323846

int
ag_is_smooth(int n)
{
    static const int prime[] = {2, 3, 5, 7};
    for (int i = 0; i < 4; i++)
        while (n % prime[i] == 0)
            n /= prime[i];
    return n == 1;
}

/* A last radix of 8 where there is one, for the sake of the transposition that follows it in C; the
   other powers of two first, in as few radices up to 2^most as will do; 7, 5 and 3 between. */
static void
factor(ag_axis *axis, int most)
{
    static const int odd[] = {7, 5, 3};
    int twos = 0, rest = axis->points;
    axis->stages = 0;
    for (; rest % 2 == 0; rest /= 2)
        twos++;
    const int last = twos > 2;
    for (int left = twos - 3 * last, k = (left + most - 1) / most; k > 0; k--) {
        axis->radix[axis->stages++] = 1 << left / k;
        left -= left / k;
    }
    for (int i = 0; i < 3; i++)
        for (; rest % odd[i] == 0; rest /= odd[i])
            axis->radix[axis->stages++] = odd[i];
    if (last)
        axis->radix[axis->stages++] = 8;
}

/* Instructions of all stages: for a point, of a butterfly with its twiddle factors, the loads and the stores. */
static int64_t
cost(const ag_axis *axis)
{
    static const int of_radix[] = {[2] = 8, [3] = 11, [4] = 11, [5] = 14, [7] = 17, [8] = 14, [16] = 17};
    int64_t sum = 0;
    for (int i = 0; i < axis->stages; i++)
        sum += of_radix[axis->radix[i]];
    return sum * axis->points;
}

/* The next number of points that Bluestein's algorithm can do with. */
static void
next_points(ag_axis *axis, int most)
{
    do
        axis->points++;
    while (!ag_is_smooth(axis->points));
    axis->chirp = axis->points;
    memset(axis->radix, 0, sizeof axis->radix);
    factor(axis, most);
}

void
ag_axis_choose(ag_axis *axis, int length, int most, int cheapest)
{
    memset(axis, 0, sizeof *axis);
    axis->length = axis->points = length;
    if (ag_is_smooth(length)) {
        factor(axis, most);
        return;
    }
    axis->points = 2 * length - 2;
    next_points(axis, most);
    const int fewest = axis->points;
    for (ag_axis other = *axis; cheapest && 4 * other.points < 5 * fewest;) {
        next_points(&other, most);
        if (cost(&other) < cost(axis))
            *axis = other;
    }
}

const int ag_radix[] = {16, 8, 7, 5, 4, 3, 2, 0};

/* Adds the orders of exactly `stages` more radices that make up `rest` points, but for the first of the list; returns
   how many there are then. */
static int
add_orders(ag_axis *list, int n, int most, ag_axis axis, int rest, int stages)
{
    if (!stages && rest == 1 && n < most && memcmp(&axis, list, sizeof axis) != 0)
        list[n++] = axis;
    for (const int *r = ag_radix; stages && *r; r++)
        if (rest % *r == 0) {
            ag_axis longer = axis;
            longer.radix[longer.stages++] = *r;
            n = add_orders(list, n, most, longer, rest / *r, stages - 1);
        }
    return n;
}

int
ag_axis_orders(ag_axis *list, int most, const ag_axis *usual)
{
    int n = 0, twos = 0, least = 0;
    list[n++] = *usual;
    if (usual->chirp) {
        ag_axis axis = *usual;
        for (axis.points = 2 * axis.length - 2; n < most && 4 * axis.points <= 5 * usual->points;) {
            next_points(&axis, 4);
            if (axis.points != usual->points)
                list[n++] = axis;
        }
        return n;
    }
    for (int i = 0; i < usual->stages; i++)
        if (usual->radix[i] % 2)
            least++;
        else
            for (int r = usual->radix[i]; r > 1; r /= 2)
                twos++;
    least += (twos + 3) / 4;
    /* One more than the fewest that will do: shorter butterflies may suit an instruction set. */
    for (int stages = least; stages <= AG_MIN(least + 1, AG_MAX_STAGES); stages++) {
        ag_axis empty;
        memset(&empty, 0, sizeof empty);
        empty.length = empty.points = usual->length;
        n = add_orders(list, n, most, empty, usual->points, stages);
    }
    return n;
}

int
ag_axis_frequency(const ag_axis *axis, int p)
{
    if (axis->chirp || !axis->stages)
        return p;
    int frequency = 0, step = 1, span = axis->points;
    for (int i = 0; i < axis->stages; i++) {
        span /= axis->radix[i];
        frequency += p / span * step;
        p %= span;
        step *= axis->radix[i];
    }
    return frequency;
}

int64_t
ag_axis_table_size(const ag_axis *axis)
{
    return axis->chirp ? (int64_t)axis->chirp + axis->length + axis->points : axis->points + (axis->turns ? axis->length : 0);
}

static ag_complex
turn(int64_t k, int64_t n)
{
    const double angle = -2 * PI * (double)(k % n) / (double)n;
    const ag_complex w = {(ag_real)cos(angle), (ag_real)sin(angle)};
    return w;
}

/* The chirp exp(-i pi n^2 / length), and the transform of its conjugate, wrapped, over points. */
static ag_status
chirp_table(const ag_axis *axis, ag_complex *chirp)
{
    const int n = axis->length, m = axis->points;
    double *work = ag_calloc(4 * (int64_t)m, sizeof *work);
    if (!work)
        return AG_NO_MEMORY;
    double *const wave = work, *const circle = work + 2 * m;
    for (int i = 0; i < m; i++) {
        circle[2 * i] = cos(2 * PI * i / m);
        circle[2 * i + 1] = sin(2 * PI * i / m);
    }
    for (int i = 0; i < n; i++) {
        const double angle = PI * (double)((int64_t)i * i % (2 * n)) / n;
        chirp[i].re = (ag_real)cos(angle);
        chirp[i].im = (ag_real)-sin(angle);
        wave[2 * i] = cos(angle);
        wave[2 * i + 1] = sin(angle);
        if (i) {
            wave[2 * (m - i)] = wave[2 * i];
            wave[2 * (m - i) + 1] = wave[2 * i + 1];
        }
    }
    ag_axis plain = *axis;
    plain.chirp = 0;
    for (int p = 0; p < m; p++) {
        const int64_t k = ag_axis_frequency(&plain, p);
        double re = 0, im = 0;
        for (int64_t i = 0; i < m; i++) {
            const int64_t at = i * k % m;
            const double c = circle[2 * at], s = -circle[2 * at + 1];
            re += wave[2 * i] * c - wave[2 * i + 1] * s;
            im += wave[2 * i] * s + wave[2 * i + 1] * c;
        }
        chirp[n + p].re = (ag_real)(re / m);
        chirp[n + p].im = (ag_real)(im / m);
    }
    free(work);
    return AG_OK;
}

ag_status
ag_axis_table(const ag_axis *axis, ag_complex *table)
{
    ag_complex *w = table;
    for (int s = 0, span = axis->points; s < axis->stages; s++) {
        const int m = span / axis->radix[s];
        for (int n = 0; n < m; n++)
            for (int k = 1; k < axis->radix[s]; k++)
                *w++ = turn((int64_t)n * k, span);
        span = m;
    }
    w->re = w->im = 0; /* a table has points elements, the stages use points - 1 */
    for (int k = 0; axis->turns && k < axis->length; k++)
        table[axis->turns + k] = turn(k, axis->length);
    return axis->chirp ? chirp_table(axis, table + axis->chirp) : AG_OK;
}

static int64_t
tops(int64_t rows, int64_t cols)
{
    return rows * ((cols + AG_SEGMENT - 1) / AG_SEGMENT);
}

/* A library transforms: an axis has no stages, frames lie in natural order, tiles only share out work. */
static void
natural_shape(ag_plan *plan, const ag_room *room, int rows, int cols)
{
    ag_shape *s = &plan->shape;
    s->unfused = 1;
    s->y.length = s->y.points = rows;
    s->x.length = s->x.points = cols;
    s->tile = room->tile;
    s->strips_x = (cols + s->tile - 1) / s->tile;
    s->strips_y = (rows + s->tile - 1) / s->tile;
    plan->amplitude = (int64_t)rows * cols;
    plan->scratch = 2 * plan->amplitude;
    plan->tops = tops(rows, cols);
    plan->fft = room->fft;
    snprintf(plan->id, sizeof plan->id, "%s rows %d cols %d", room->fft->name, rows, cols);
}

void
ag_plan_in_passes(ag_plan *plan)
{
    if (plan->shape.whole) {
        plan->shape.whole = plan->shape.y.turns = plan->shape.x.turns = 0;
        ag_plan_name(plan);
    }
}

/* A tile and the buffer of a sum must fit in local memory, else tiles go to global memory. */
static int
tile_fits(const ag_shape *s, const ag_room *room)
{
    const int64_t local = room->local - (int64_t)sizeof(ag_real) * room->lanes - 128;
    return 2 * (int64_t)sizeof(ag_real) * s->tile * AG_MAX(s->y.points, s->x.points) <= local;
}

/* A square frame in the registers of 4 rows work-items, one plane of it in local memory, with the frequencies where
   gen/registers.m4 has them. */
static int
registers_fit(const ag_shape *s, const ag_room *room)
{
    const int n = s->x.length;
    return s->y.length == n && (n == 64 || n == 128) && 4 * n <= room->whole && (int64_t)sizeof(ag_real) * n * n <= room->local &&
           s->y.stages == 2 && s->x.stages == 2 && s->y.radix[0] == n / 8 && s->x.radix[0] == n / 8;
}

/* A whole frame, its lines padded as LINE in gen/gpu.m4. */
static int
frame_fits(const ag_shape *s, const ag_room *room)
{
    const int64_t line = (2 * (int64_t)s->x.length + 31) / 32 * 32 + 17;
    return room->whole > 0 && !s->spill && !s->y.chirp && !s->x.chirp &&
           (int64_t)sizeof(ag_real) * AG_MAX(line * s->y.length, room->whole) + 128 <= room->local;
}

void
ag_plan_settle(ag_plan *plan, const ag_room *room)
{
    ag_shape *s = &plan->shape;
    s->modes = 1;
    s->lanes = room->lanes;
    s->spill = !tile_fits(s, room);
    if (s->whole < 2 || !registers_fit(s, room))
        s->whole = s->whole && frame_fits(s, room);
    s->y.turns = s->whole == 2 ? s->y.points : 0;
    s->x.turns = s->whole == 2 ? s->x.points : 0;
    s->strips_x = (s->x.length + s->tile - 1) / s->tile;
    s->strips_y = (s->y.length + s->tile - 1) / s->tile;
    plan->amplitude = (int64_t)s->strips_y * s->x.length * s->tile;
    plan->scratch = 2 * plan->amplitude;
    plan->tops = tops(s->y.length, s->x.length);
    plan->spill = s->spill ? (int64_t)AG_MAX(s->strips_x, s->strips_y) * 2 * s->tile * AG_MAX(s->y.points, s->x.points) : 0;
    ag_plan_name(plan);
}

ag_status
ag_plan_shape(ag_plan *plan, const ag_room *room, int64_t rows, int64_t cols, int linear,
              ag_message *message)
{
    memset(plan, 0, sizeof *plan);
    if (rows < 2 || cols < 2 || rows > AG_LONGEST || cols > AG_LONGEST)
        return ag_fail(message, AG_BAD_ARGUMENT,
                       "frame: found %lld x %lld pixels, expected 2 to %d in each direction",
                       (long long)rows, (long long)cols, AG_LONGEST);
    ag_shape *s = &plan->shape;
    if (room->plan && !room->fft) {
        const ag_status status = ag_plan_read(plan, room, room->plan, message);
        s->linear = linear;
        if (status || (s->y.length == rows && s->x.length == cols))
            return status;
        memset(plan, 0, sizeof *plan);
    }
    s->linear = linear;
    if (room->fft) {
        s->modes = 1;
        s->lanes = room->lanes;
        natural_shape(plan, room, (int)rows, (int)cols);
        return AG_OK;
    }
    /* Instruction sets with vectors below 16 lanes lack the registers for a radix of 16. */
    const int most = room->lanes > 1 || room->tile >= 16 ? 4 : 3;
    ag_axis_choose(&s->y, (int)rows, most, room->lanes == 1);
    ag_axis_choose(&s->x, (int)cols, most, room->lanes == 1);
    for (s->tile = room->tile; s->tile > 4 && !tile_fits(s, room) && room->lanes > 1;)
        s->tile /= 2;
    if (!tile_fits(s, room))
        s->tile = room->tile;
    s->whole = 2;
    ag_plan_settle(plan, room);
    return AG_OK;
}

static ag_array *
table_array(ag_device *device, const ag_axis *axis, const char *name)
{
    const int64_t size = ag_axis_table_size(axis);
    if (ag_device_counts(device))
        return ag_new(device, AG_COMPLEX, size, name);
    ag_complex *table = ag_calloc(size, sizeof *table);
    ag_array *array = NULL;
    if (!table || ag_axis_table(axis, table))
        ag_device_fail(device, AG_NO_MEMORY, "%s: out of host memory", name);
    else
        array = ag_new_from(device, AG_COMPLEX, size, table, name);
    free(table);
    return array;
}

ag_status
ag_plan_create(ag_plan *plan, ag_device *device, int64_t rows, int64_t cols, int linear,
               const ag_room *room)
{
    ag_message message;
    const ag_room whole = ag_device_room(device);
    const ag_status status = ag_plan_shape(plan, room ? room : &whole, rows, cols, linear, &message);
    if (status)
        return ag_device_fail(device, status, "%s", message.text);
    const int r = (int)rows, c = (int)cols;
    int32_t *order = ag_calloc(3 * (rows + cols), sizeof *order);
    if (!order)
        return ag_device_fail(device, AG_NO_MEMORY, "plan: out of host memory");
    int32_t *const centre = order + r + c, *const corner = centre + r + c;
    for (int i = 0; i < r + c; i++) {
        const int n = i < r ? r : c;
        const int k = i < r ? ag_axis_frequency(&plan->shape.y, i) : ag_axis_frequency(&plan->shape.x, i - r);
        order[i] = k < (n + 1) / 2 ? k : k - n;
        centre[i] = (k + n / 2) % n;
        corner[i] = k;
    }
    if (!plan->fft) {
        plan->table_y = table_array(device, &plan->shape.y, "the transform's table");
        plan->table_x = table_array(device, &plan->shape.x, "the transform's table");
    }
    plan->frequency = ag_new_from(device, AG_INT, r + c, order, "frequencies");
    plan->place[0] = ag_new_from(device, AG_INT, r + c, centre, "frequencies");
    plan->place[1] = ag_new_from(device, AG_INT, r + c, corner, "frequencies");
    free(order);
    return ag_device_status(device);
}

void
ag_plan_destroy(ag_plan *plan)
{
    ag_transforms_destroy(plan->transforms);
    ag_array_destroy(plan->table_y);
    ag_array_destroy(plan->table_x);
    ag_array_destroy(plan->frequency);
    ag_array_destroy(plan->place[0]);
    ag_array_destroy(plan->place[1]);
    memset(plan, 0, sizeof *plan);
}
