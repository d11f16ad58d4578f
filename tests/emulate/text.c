/* SPDX-License-Identifier: BSD-3-Clause */
/* text.c -- what makes a kernel's text C++ that runs on the processor. */
#include <stdio.h>
#include <string.h>

#include "emulate.h"

/* What a kernel finds; each __shared__ array lies in a section of its own module. */
const char em_prelude[] =
    "#define __CUDACC_RTC__ 1\n"
    "#define __device__\n"
    "#define __forceinline__ inline\n"
    "#define __shared__ static __attribute__((section(\"ag_shared\"), aligned(64)))\n"
    "#define __syncthreads() (ag_emulate_barrier(__LINE__), ag_fence())\n"
    "#define MMA_EMULATED(unit, store, sum, a, b) (ag_emulate_multiply(unit, store, sum, a, b), ag_fence())\n"
    "#define MMA_EMULATED_16 0\n"
    "#define MMA_EMULATED_8 1\n"
    "#define MMA_EMULATED_MFMA 2\n"
    "#define MMA_EMULATED_WMMA 3\n"
    "#define AG_UNSEEN __attribute__((no_sanitize_thread))\n"
    "extern \"C\" {\n"
    "unsigned ag_emulate_index(int) __attribute__((const));\n"
    "void ag_emulate_barrier(int);\n"
    "float ag_emulate_add(float *, float);\n"
    "void ag_emulate_fence(void);\n"
    "unsigned long long ag_emulate_count(unsigned long long *, unsigned long long);\n"
    "void ag_emulate_multiply(int, int, float *, const unsigned *, const unsigned *);\n"
    "float sqrtf(float); float sinf(float); float cosf(float); float expf(float); float logf(float); float erff(float);\n"
    "float fabsf(float); float fmaf(float, float, float); float fminf(float, float); float fmaxf(float, float);\n"
    "float floorf(float); float powf(float, float); float tanhf(float); float atan2f(float, float);\n"
    "extern char __start_ag_shared[] __attribute__((weak, visibility(\"hidden\")));\n"
    "extern char __stop_ag_shared[] __attribute__((weak, visibility(\"hidden\")));\n"
    "char *ag_emulate_shared[] = {__start_ag_shared, __stop_ag_shared};\n"
    "}\n"
    "static inline unsigned __float_as_uint(float x) { unsigned u; __builtin_memcpy(&u, &x, 4); return u; }\n"
    "static inline float __uint_as_float(unsigned u) { float x; __builtin_memcpy(&x, &u, 4); return x; }\n"
    "static inline void ag_fence() { asm volatile(\"\" ::: \"memory\"); }\n"
    "static inline void __threadfence() { ag_emulate_fence(); ag_fence(); }\n"
    "static inline unsigned long long atomicAdd(unsigned long long *p, unsigned long long v) { return ag_emulate_count(p, v); }\n"
    "static inline float atomicAdd(float *p, float v) { return ag_emulate_add(p, v); }\n"
    "template <int which> struct ag_index { operator unsigned() const { return ag_emulate_index(which); } };\n"
    "static struct { ag_index<0> x; } threadIdx;\n"
    "static struct { ag_index<1> x; } blockIdx;\n"
    "static struct { ag_index<2> x; } blockDim;\n"
    "static struct { ag_index<3> x; } gridDim;\n"
    "static ag_index<4> warpSize;\n"
    "template <int... I> struct ag_list {};\n"
    "template <int N, int... I> struct ag_count : ag_count<N - 1, N - 1, I...> {};\n"
    "template <int... I> struct ag_count<0, I...> { typedef ag_list<I...> type; };\n"
    "template <class... A, int... I> AG_UNSEEN void ag_run(void (*f)(A...), void **p, ag_list<I...>)\n"
    "{ void (*volatile g)(A...) = f; g(*(A *)p[I]...); }\n"
    "template <class... A> AG_UNSEEN void ag_start(void (*f)(A...), void **p)\n"
    "{ ag_run(f, p, typename ag_count<sizeof...(A)>::type()); }\n"
    "template <class... A> AG_UNSEEN int ag_measure(void (*)(A...), int *size)\n"
    "{ const int all[] = {(int)sizeof(A)..., 0}; for (int i = 0; i < (int)sizeof...(A); i++) size[i] = all[i];\n"
    "  return sizeof...(A); }\n"
    "#line 1 \"kernel\"\n";

/* How each is entered, with its name four times. */
static const char entry[] =
    "extern \"C\" __attribute__((no_sanitize_thread)) void ag_entry_%s(void **p) { ag_start(%s, p); }\n"
    "extern \"C\" __attribute__((no_sanitize_thread)) int ag_sizes_%s(int *size) { return ag_measure(%s, size); }\n";

uint64_t
em_hash(const char *data, size_t bytes, uint64_t h)
{
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
    return h;
}

uint64_t
em_text_state(void)
{
    return em_hash(entry, sizeof entry, em_hash(em_prelude, sizeof em_prelude, 0xcbf29ce484222325u));
}

static int
is_letter(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* The kernels' names: what stands before the first bracket after __global__ and the bounds. */
size_t
em_add_entries(const char *text, char *entries, size_t room)
{
    size_t used = 0;
    for (const char *at = text; (at = strstr(at, "__global__")); at++) {
        const char *open = strchr(at, '('), *bounds = strstr(at, "__launch_bounds__");
        if (open && bounds && bounds < open) {
            const char *close = strchr(open, ')');
            open = close ? strchr(close, '(') : NULL;
        }
        if (!open)
            break;
        while (open > at && (open[-1] == ' ' || open[-1] == '\n'))
            open--;
        const char *name = open;
        while (name > at && is_letter(name[-1]))
            name--;
        char one[64];
        snprintf(one, sizeof one, "%.*s", (int)(open - name), name);
        if (used + sizeof entry + 4 * sizeof one < room)
            used += (size_t)snprintf(entries + used, room - used, entry, one, one, one, one);
    }
    return used;
}

/* "extern __shared__ char all[];" is memory that each launch asks for: the word goes, and the array
   gets the most that there is.  One such array at most. */
int
em_find_dynamic(char *text, char *definition, size_t room)
{
    static const char word[] = "extern __shared__";
    char *at = strstr(text, word);
    definition[0] = 0;
    if (!at)
        return 1;
    const char *end = strchr(at, '['), *name = end;
    if (!end || strstr(at + 1, word))
        return 0;
    while (is_letter(name[-1]))
        name--;
    memset(at + 6, ' ', sizeof word - 1 - 6);
    return snprintf(definition, room, "\n%.*s[%d];\nextern \"C\" { char *ag_emulate_dynamic = (char *)%.*s; }\n",
                    (int)(end - at) - 6, at + 6, EM_MOST_LOCAL, (int)(end - name), name) < (int)room;
}
