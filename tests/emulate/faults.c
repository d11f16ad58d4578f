/* SPDX-License-Identifier: BSD-3-Clause */
/* faults.c -- calls of the emulated driver and compiler that fail when they are told to, and what is not
   given back. */
#include <string.h>

#include "cuda.h"
#include "emulate.h"

#define MOST_CALLS 65536

int em_alive, em_leaks;
static int calls, fail_at, fail_lasts;
static const char *called[MOST_CALLS]; /* the function of each */

int
em_fails(const char *function)
{
    const int compiler = !strncmp(function, "nvrtc", 5);
    static int launches;
    if (!strcmp(function, "cuLaunchKernel") && ++launches == em_setting("AG_EMULATE_FULL", 0))
        return EM_NO_MEMORY;
    if (calls < MOST_CALLS)
        called[calls] = function;
    if (++calls != fail_at)
        return EM_OK;
    if (fail_lasts && !compiler && !em_state())
        return em_error = EM_LAUNCH_FAILED;
    return compiler ? EM_COMPILER_FAILED : strstr(function, "Alloc") ? EM_NO_MEMORY : EM_UNKNOWN;
}

int
ag_emulate_fail(int n, int lasting)
{
    const int before = calls;
    calls = 0;
    fail_at = n;
    fail_lasts = lasting;
    return before;
}

const char *
ag_emulate_call(int n)
{
    return called[n - 1];
}

int
ag_emulate_leaks(void)
{
    return em_leaks + em_alive;
}
