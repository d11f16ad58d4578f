/* SPDX-License-Identifier: BSD-3-Clause */
/* plan_id.c -- the id of a plan, written and read.

       passes3 rows 128=16.8 cols 131b=2.5.3.3.3 tile 16 spill

   Passes (1: a group has a whole frame, in local memory or in registers, which is said), of each axis the pixels, b where
   Bluestein's algorithm transforms them, and the radices in their order, a tile's columns, and whether tiles lie in global
   memory.  What is read may be anybody's.  */
#include <ctype.h>
#include <string.h>

#include "core.h"

static int
put_axis(char *text, size_t room, const ag_axis *axis)
{
    int n = snprintf(text, room, "%d%s", axis->length, axis->chirp ? "b" : "");
    for (int i = 0; i < axis->stages && n < (int)room; i++)
        n += snprintf(text + n, room - (size_t)n, "%c%d", i ? '.' : '=', axis->radix[i]);
    return n;
}

void
ag_plan_name(ag_plan *plan)
{
    const ag_shape *s = &plan->shape;
    int n = snprintf(plan->id, sizeof plan->id, "passes%d %srows ", s->whole ? 1 : 3, s->whole == 2 ? "registers " : "");
    n += put_axis(plan->id + n, sizeof plan->id - (size_t)n, &s->y);
    n += snprintf(plan->id + n, sizeof plan->id - (size_t)n, " cols ");
    n += put_axis(plan->id + n, sizeof plan->id - (size_t)n, &s->x);
    snprintf(plan->id + n, sizeof plan->id - (size_t)n, " tile %d%s", s->tile, s->spill ? " spill" : "");
}

/* Goes behind the words, if they are next. */
static int
take(const char **at, const char *words)
{
    const size_t n = strlen(words);
    if (strncmp(*at, words, n) != 0)
        return 0;
    *at += n;
    return 1;
}

/* A whole number below 100000; 0: there is none. */
static int
take_number(const char **at)
{
    int value = 0;
    while (isdigit((unsigned char)**at) && value < 10000)
        value = 10 * value + *(*at)++ - '0';
    return isdigit((unsigned char)**at) ? 0 : value;
}

static ag_status
wrong(ag_message *message, const char *at, const char *expected)
{
    return ag_fail(message, AG_BAD_ARGUMENT, "plan: found \"%.24s\", expected %s", at, expected);
}

static ag_status
take_axis(ag_axis *axis, const char **at, const char *which, ag_message *message)
{
    const int n = axis->length = take_number(at), *r;
    if (n < 2 || n > AG_LONGEST)
        return ag_fail(message, AG_BAD_ARGUMENT, "plan, %s: found %d pixels, expected 2 to %d", which, n, AG_LONGEST);
    const int chirp = take(at, "b");
    if (chirp == ag_is_smooth(n))
        return ag_fail(message, AG_BAD_ARGUMENT, "plan, %s: found %d%s, expected %d%s", which, n, chirp ? "b" : "", n,
                       chirp ? "" : "b");
    int64_t points = 1;
    for (; take(at, axis->stages ? "." : "="); axis->radix[axis->stages++] = *r) {
        const int radix = take_number(at);
        for (r = ag_radix; *r && *r != radix;)
            r++;
        if (!*r)
            return ag_fail(message, AG_BAD_ARGUMENT, "plan, %s: found a radix of %d, expected 2, 3, 4, 5, 7, 8 or 16", which, radix);
        if (axis->stages == AG_MAX_STAGES)
            return ag_fail(message, AG_BAD_ARGUMENT, "plan, %s: found more than %d radices, expected at most that many", which,
                           AG_MAX_STAGES);
        points *= radix;
    }
    const int least = chirp ? 2 * n - 1 : n, most = chirp ? 4 * n : n;
    if (points < least || points > most)
        return ag_fail(message, AG_BAD_ARGUMENT, "plan, %s: found radices whose product is %lld, expected %d%s", which,
                       (long long)points, least, chirp ? " to twice that" : "");
    axis->points = (int)points;
    axis->chirp = chirp ? axis->points : 0;
    return AG_OK;
}

ag_status
ag_plan_read(ag_plan *plan, const ag_room *room, const char *id, ag_message *message)
{
    ag_shape *const s = &plan->shape;
    const char *at = id;
    memset(plan, 0, sizeof *plan);
    if (strlen(id) >= sizeof plan->id)
        return ag_fail(message, AG_BAD_ARGUMENT, "plan: found %lld characters, expected at most %d", (long long)strlen(id),
                       (int)sizeof plan->id - 1);
    if (id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.= ")])
        return ag_fail(message, AG_BAD_ARGUMENT, "plan: found the byte %d, expected small letters, digits, full stops, = and spaces",
                       (unsigned char)id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.= ")]);
    s->whole = take(&at, "passes1");
    if (!s->whole && !take(&at, "passes3"))
        return wrong(message, at, "passes1 or passes3");
    if (s->whole && take(&at, " registers"))
        s->whole = 2;
    if (!take(&at, " rows "))
        return wrong(message, at, "\" rows \"");
    ag_status status = take_axis(&s->y, &at, "rows", message);
    if (status)
        return status;
    if (!take(&at, " cols "))
        return wrong(message, at, "\" cols \"");
    status = take_axis(&s->x, &at, "cols", message);
    if (status)
        return status;
    if (!take(&at, " tile "))
        return wrong(message, at, "\" tile \"");
    /* A processor's tile is a vector. */
    s->tile = take_number(&at);
    int tile = room->tile;
    while (room->lanes > 1 && tile > 4 && tile != s->tile)
        tile /= 2;
    if (tile != s->tile)
        return ag_fail(message, AG_BAD_ARGUMENT, "plan, tile: found %d columns, expected %d%s on this device", s->tile, room->tile,
                       room->lanes > 1 ? ", or that halved down to 4," : "");
    ag_plan_settle(plan, room);
    return strcmp(plan->id, id) ? ag_fail(message, AG_BAD_ARGUMENT, "plan: found \"%s\", expected \"%s\" on this device", id, plan->id)
                                : AG_OK;
}
