/* SPDX-License-Identifier: BSD-3-Clause */
/* util.c -- messages, checked allocation, repeatable random numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

const char *
ag_version(void)
{
    return PACKAGE_VERSION;
}

const char *
ag_status_name(ag_status status)
{
    static const char *const name[] = {
        "done",         "bad argument", "out of memory", "no such device",
        "device error", "file error",   "bad file",      "cancelled",
    };
    return (unsigned)status < sizeof name / sizeof *name ? name[status] : "unknown status";
}

ag_status
ag_fail(ag_message *message, ag_status status, const char *format, ...)
{
    if (message) {
        va_list list;
        va_start(list, format);
        vsnprintf(message->text, sizeof message->text, format, list);
        va_end(list);
    }
    return status;
}

void *
ag_calloc(int64_t count, size_t size)
{
    if (count < 0 || (uint64_t)count > SIZE_MAX)
        return NULL;
    return calloc(count ? (size_t)count : 1, size);
}

int64_t
ag_part_begin(int64_t n, int64_t parts, int64_t k)
{
    return n / parts * k + AG_MIN(k, n % parts);
}

uint64_t
ag_hash(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t n; count > 0; at += n, count -= n) {
        uint64_t word = 0;
        n = AG_MIN(count, sizeof word);
        memcpy(&word, at, n);
        hash = (hash ^ word ^ (uint64_t)n << 59) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Seeded by splitmix64 (Steele, Lea, Flood 2014), as the authors of xoshiro256** advise. */
void
ag_random_seed(ag_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        random->state[i] = z ^ z >> 31;
    }
}

static uint64_t
rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t
next(ag_random *random)
{
    uint64_t *s = random->state;
    const uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double
ag_random_uniform(ag_random *random)
{
    return (double)(next(random) >> 11) * 0x1p-53;
}

/* Box and Muller 1958, one of the pair. */
double
ag_random_normal(ag_random *random)
{
    const double u = 1 - ag_random_uniform(random), v = ag_random_uniform(random);
    return sqrt(-2 * log(u)) * cos(6.283185307179586477 * v);
}
