/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_emulate.c -- wrong kernels, each of which the emulated GPU must catch, and right ones that it
   must let pass with right results. */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulate/cuda.h"

#define ITEMS 64
#define GROUPS 2
#define WORDS (ITEMS * GROUPS)
#define MOST 232448 /* bytes of shared memory that the device has */
#define HEAD "extern \"C\" __global__ void __launch_bounds__(64) kernel(float *out, const float *in, long long n)\n"
#define I "const int l = threadIdx.x; const long long i = blockIdx.x * 64LL + l;\n"

#define ASKED "extern __shared__ __attribute__((aligned(16))) float a[];\n" HEAD

enum { NONE = 0, BAD_VALUE = 1, BAD_ADDRESS = 700, LAUNCH_FAILED = 719 };
enum { PLAIN, FREED, NOTHING_WRITTEN, TOGETHER /* as PLAIN, and the launch is cooperative */ };

/* How groups wait for one another: what a lane does before, and after; how many come. */
#define GRID "static unsigned long long came;\n"
#define ARRIVE "atomicAdd(&came, 1ull);"
#define WAIT(count) "while (atomicAdd(&came, 0ull) < " #count ") ; "
#define MEET(before, wait, after) before " __syncthreads(); if (l == 0) { " ARRIVE " " wait after " } __syncthreads();\n"
#define FENCE "__threadfence();"

/* `out' and `in' have WORDS words, n is WORDS; in[i] is i. */
static const struct wrong {
    const char *name;
    int input; /* what became of `in' */
    int error;
    const char *words;  /* on stderr */
    const char *text;
    int allowed, asked; /* bytes of shared memory: of a launch at most, 0: not said; of this one */
} row[] = {
    {"right", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads(); if (i < n) out[i] = a[63 - l]; }", 0, 0},
    {"right with loops", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads();\n"
          "for (int k = 32; k > 0; k /= 2) { if (l < k) a[l] += a[l + k]; __syncthreads(); } out[i] = a[0]; }", 0, 0},
    {"right with atomics", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[1]; if (l == 0) a[0] = 0; __syncthreads();\n"
          "atomicAdd(a, in[i]); __syncthreads(); out[i] = a[0]; }", 0, 0},
    {"right with halves of a word", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads();\n"
          "unsigned short *to = (unsigned short *)(out + (i - l)), *from = (unsigned short *)a;\n"
          "for (int k = l; k < 128; k += 64) to[k] = from[2 * (63 - k / 2) + k % 2]; }", 0, 0},
    {"right with warps", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads();\n"
          "out[i] = a[l / warpSize * warpSize + warpSize - 1 - l % warpSize]; }", 0, 0},
    /* The item that runs first finds nothing where another has yet to write. */
    {"missing barrier", PLAIN, LAUNCH_FAILED, "uninitialised",
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; out[i] = a[63 - l]; }", 0, 0},
    {"missing barrier, lower neighbour", PLAIN, LAUNCH_FAILED, "race",
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; out[i] = a[l ? l - 1 : 0]; }", 0, 0},
    {"missing barrier before a store", PLAIN, LAUNCH_FAILED, "race",
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads(); out[i] = a[63 - l]; a[l] = 0; }", 0, 0},
    /* Work-items of a warp run in step on some devices; nothing may rest on that. */
    {"missing barrier in a warp", PLAIN, LAUNCH_FAILED, "race",
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads();\n"
          "for (int k = warpSize / 2; k > 0; k /= 2) if (l % warpSize < k) a[l] += a[l + k];\n"
          "__syncthreads(); out[i] = a[l / warpSize * warpSize]; }", 0, 0},
    {"missing barrier, device memory", PLAIN, LAUNCH_FAILED, "uninitialised",
     HEAD "{ " I " out[i] = in[i]; out[i] += out[i ^ 1]; }", 0, 0},
    {"two items store one word", PLAIN, LAUNCH_FAILED, "race", HEAD "{ " I " out[i / 2] = in[i]; }", 0, 0},
    {"two items store half a word", PLAIN, LAUNCH_FAILED, "race",
     HEAD "{ " I " ((unsigned short *)out)[i / 2] = (unsigned short)in[i]; }", 0, 0},
    {"two groups meet", PLAIN, LAUNCH_FAILED, "another group",
     HEAD "{ " I " out[i] = in[i]; __syncthreads(); if (i >= 64) out[i] += out[i - 64]; }", 0, 0},
    {"barrier for some", PLAIN, LAUNCH_FAILED, "barrier divergence",
     HEAD "{ " I " if (l < 32) __syncthreads(); out[i] = in[i]; }", 0, 0},
    {"one leaves early", PLAIN, LAUNCH_FAILED, "barrier divergence",
     HEAD "{ " I " if (l == 5) return; __syncthreads(); out[i] = in[i]; }", 0, 0},
    {"two barriers", PLAIN, LAUNCH_FAILED, "barrier divergence",
     HEAD "{ " I " if (l < 32) {\n__syncthreads(); out[i] = 1;\n} else {\n__syncthreads(); out[i] = in[i];\n} }", 0, 0},
    {"store behind the end", PLAIN, BAD_ADDRESS, "out of bounds: store", HEAD "{ " I " out[i + 1] = in[i]; }", 0, 0},
    {"store before the beginning", PLAIN, BAD_ADDRESS, "out of bounds: store", HEAD "{ " I " out[i - 1] = in[i]; }", 0, 0},
    {"store far away", PLAIN, BAD_ADDRESS, "out of bounds: store", HEAD "{ " I " out[i + (n << 40)] = in[i]; }", 0, 0},
    {"load behind the end", PLAIN, BAD_ADDRESS, "out of bounds: load", HEAD "{ " I " out[i] = in[i + 1]; }", 0, 0},
    {"store through a null pointer", PLAIN, BAD_ADDRESS, "null pointer", HEAD "{ " I " float *p = n ? 0 : out; p[l] = in[i]; }", 0, 0},
    {"store behind a shared array", PLAIN, BAD_ADDRESS, "out of bounds: store",
     HEAD "{ " I " __shared__ float a[64]; a[l + n] = in[i]; __syncthreads(); out[i] = a[l]; }", 0, 0},
    {"shared word never written", PLAIN, LAUNCH_FAILED, "uninitialised",
     HEAD "{ " I " __shared__ float a[64]; if (l) a[l] = in[i]; __syncthreads(); out[i] = a[l]; }", 0, 0},
    {"shared word of the group before", PLAIN, LAUNCH_FAILED, "uninitialised",
     HEAD "{ " I " __shared__ float a[64]; if (blockIdx.x == 0) a[l] = in[i]; __syncthreads(); out[i] = a[l]; }", 0, 0},
    {"device word never written", NOTHING_WRITTEN, LAUNCH_FAILED, "uninitialised", HEAD "{ " I " out[i] = in[i]; }", 0, 0},
    {"right with asked memory", PLAIN, NONE, NULL,
     ASKED "{ " I " a[l] = in[i]; __syncthreads(); if (i < n) out[i] = a[63 - l]; }", 0, 256},
    {"right with both", PLAIN, NONE, NULL,
     ASKED "{ " I " __shared__ float b[64]; a[l] = 0; b[l] = in[i]; __syncthreads(); out[i] = b[63 - l] + a[63 - l]; }", 0, 256},
    {"right with all that there is", PLAIN, NONE, NULL,
     ASKED "{ " I " a[58048 + l] = in[i]; __syncthreads(); out[i] = a[58111 - l]; }", MOST, MOST},
    {"as much as every device has", PLAIN, NONE, NULL,
     ASKED "{ " I " a[l] = in[i]; __syncthreads(); out[i] = a[63 - l]; }", 0, 49152},
    {"more than every device has", PLAIN, BAD_VALUE, NULL, ASKED "{ " I " a[l] = in[i]; out[i] = a[l]; }", 0, 49156},
    {"more beside an array of its own", PLAIN, BAD_VALUE, NULL,
     ASKED "{ " I " __shared__ float b[64]; b[l] = in[i]; a[l] = 0; __syncthreads(); out[i] = b[63 - l] + a[63 - l]; }", 0, 49152},
    {"more than was allowed", PLAIN, BAD_VALUE, NULL, ASKED "{ " I " a[l] = in[i]; out[i] = a[l]; }", 65536, 65540},
    {"more than there is", PLAIN, BAD_VALUE, NULL, ASKED "{ " I " a[l] = in[i]; out[i] = a[l]; }", MOST + 4, 256},
    {"store behind what was asked for", PLAIN, BAD_ADDRESS, "past the 252 of shared memory",
     ASKED "{ " I " a[l] = in[i]; __syncthreads(); out[i] = a[l]; }", 0, 252},
    {"asked for nothing", PLAIN, BAD_ADDRESS, "past the 0 of shared memory", ASKED "{ " I " a[l] = in[i]; out[i] = a[l]; }", 0, 0},
    {"asked memory never written", PLAIN, LAUNCH_FAILED, "uninitialised",
     ASKED "{ " I " if (l) a[l] = in[i]; __syncthreads(); out[i] = a[l]; }", 0, 256},
    {"missing barrier, asked memory", PLAIN, LAUNCH_FAILED, "race",
     ASKED "{ " I " a[l] = in[i]; out[i] = a[l ? l - 1 : 0]; }", 0, 256},
    {"right with a matrix unit", PLAIN, NONE, NULL,
     HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; __syncthreads(); float s[4] = {a[63 - l]}; unsigned w[4] = {0};\n"
          "MMA_EMULATED(0, 1, s, w, w); MMA_EMULATED(1, 1, s, w, w); __syncthreads(); if (l < 32) MMA_EMULATED(0, 2, s, w, w);\n"
          "out[i] = s[0]; }", 0, 0},
    {"matrix unit without a lane", PLAIN, LAUNCH_FAILED, "takes no part",
     HEAD "{ " I " float s[4] = {in[i]}; unsigned w[4] = {0}; if (l % 32 != 5) MMA_EMULATED(0, 1, s, w, w); out[i] = s[0]; }", 0, 0},
    {"matrix unit without the last lane", PLAIN, LAUNCH_FAILED, "takes no part",
     HEAD "{ " I " float s[4] = {in[i]}; unsigned w[4] = {0}; if (l % 32 != 31) MMA_EMULATED(0, 1, s, w, w); __syncthreads(); out[i] = s[0]; }",
     0, 0},
    {"different products in a wave", PLAIN, LAUNCH_FAILED, "different products",
     HEAD "{ " I " float s[4] = {in[i]}; unsigned w[4] = {0}; MMA_EMULATED(0, l % 2 + 1, s, w, w); out[i] = s[0]; }", 0, 0},
    {"other words in the upper half of a wave", PLAIN, LAUNCH_FAILED, "other words",
     HEAD "{ " I " float s[8] = {in[i]}; unsigned w[8] = {(unsigned)l}; MMA_EMULATED(3, 1, s, w, w); out[i] = s[0]; }", 0, 0},
    {"right with groups that meet", TOGETHER, NONE, NULL,
     GRID HEAD "{ " I " __shared__ float a[64]; a[l] = i; out[i] = in[i]; " MEET(FENCE, WAIT(2), FENCE)
          "float x = out[127 - i]; " MEET(FENCE, WAIT(4), FENCE) "out[i] = a[63 - l] + x - x; }", 0, 0},
    {"groups that do not meet", TOGETHER, LAUNCH_FAILED, "another group",
     GRID HEAD "{ " I " out[i] = in[i]; __syncthreads(); if (blockIdx.x) out[i] += out[127 - i]; }", 0, 0},
    {"groups that do not wait", TOGETHER, LAUNCH_FAILED, "another group",
     GRID HEAD "{ " I " float x = in[i]; if (blockIdx.x) out[i] = x; else out[127 - i] = x; " MEET(FENCE, "", FENCE) "out[i] = x; }", 0, 0},
    {"no fence before groups meet", TOGETHER, LAUNCH_FAILED, "another group",
     GRID HEAD "{ " I " out[i] = in[i]; " MEET("", WAIT(2), FENCE) "if (blockIdx.x) out[i] = out[127 - i]; }", 0, 0},
    {"no fence after groups meet", TOGETHER, LAUNCH_FAILED, "another group",
     GRID HEAD "{ " I " out[i] = in[i]; " MEET(FENCE, WAIT(2), "") "if (blockIdx.x) out[i] = out[127 - i]; }", 0, 0},
    {"read where another group goes on", TOGETHER, LAUNCH_FAILED, "another group",
     GRID HEAD "{ " I " out[i] = in[i]; " MEET(FENCE, WAIT(2), FENCE) "out[i] = out[127 - i]; }", 0, 0},
    {"store after another group read", TOGETHER, LAUNCH_FAILED, "beside a load by another group",
     GRID HEAD "{ " I " float x = in[blockIdx.x ? i : 127 - i]; if (blockIdx.x) ((float *)in)[i] = x; " MEET(FENCE, WAIT(2), FENCE) "out[i] = x; }", 0, 0},
    {"a group that never comes", TOGETHER, LAUNCH_FAILED, "wait for others that never come",
     GRID HEAD "{ " I " out[i] = in[i]; " MEET(FENCE, WAIT(3), FENCE) "}", 0, 0},
    {"a group that has ended", TOGETHER, LAUNCH_FAILED, "wait for others that never come",
     GRID HEAD "{ " I " out[i] = in[i]; if (blockIdx.x) return; " MEET(FENCE, WAIT(2), FENCE) "}", 0, 0},
    {"groups that meet in a plain launch", PLAIN, LAUNCH_FAILED, "does not let all of them run at once",
     GRID HEAD "{ " I " out[i] = in[i]; " MEET(FENCE, WAIT(2), FENCE) "}", 0, 0},
    {"race within a group that met others", TOGETHER, LAUNCH_FAILED, "with no barrier between",
     GRID HEAD "{ " I " __shared__ float a[64]; a[l] = in[i]; " MEET(FENCE, WAIT(2), FENCE) "a[l] = 1; out[i] = a[l ? l - 1 : 0]; }", 0, 0},
    {"more groups than run at once", TOGETHER, 720, NULL, ASKED "{ " I " a[l] = in[i]; out[i] = a[l]; }", MOST, MOST},
    {"load of what was freed", FREED, BAD_ADDRESS, "freed", HEAD "{ " I " out[i] = in[i]; }", 0, 0},
};
#define ROWS ((int)(sizeof row / sizeof *row))
#define TIMES 3
#define WARPS 2
static const int warps[WARPS] = {32, 64};

/* The functions that a run calls, by the types that cuda.h gives them. */
#define DRIVER_FUNCTIONS(X) \
    X(cuInit) X(cuDevicePrimaryCtxRetain) X(cuDevicePrimaryCtxRelease_v2) X(cuMemAlloc_v2) X(cuMemFree_v2) \
    X(cuMemcpyHtoDAsync_v2) X(cuMemcpyDtoHAsync_v2) X(cuStreamCreate) X(cuStreamSynchronize) X(cuModuleLoadData) \
    X(cuModuleGetFunction) X(cuFuncSetAttribute) X(cuLaunchKernel) X(cuLaunchCooperativeKernel)
#define COMPILER_FUNCTIONS(X) \
    X(nvrtcCreateProgram) X(nvrtcCompileProgram) X(nvrtcGetCUBINSize) X(nvrtcGetCUBIN) X(nvrtcDestroyProgram)
#define MEMBER(name) __typeof__(name) *name;
static struct {
    DRIVER_FUNCTIONS(MEMBER)
    COMPILER_FUNCTIONS(MEMBER)
} gpu;

static void
find(void *library, const char *name, void *pointer)
{
    void *address = dlsym(library, name);
    ck_assert_msg(address != NULL, "%s is missing", name);
    memcpy(pointer, &address, sizeof address);
}

static void
set(const char *variable, int value)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    setenv(variable, text, 1);
}

static void
open_emulation(void)
{
    void *driver = dlopen(getenv("ARGAND_CUDA_DRIVER"), RTLD_NOW | RTLD_LOCAL);
    void *compiler = dlopen(getenv("ARGAND_CUDA_COMPILER"), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(driver && compiler, "the emulation cannot be opened");
#define FIND_DRIVER(name) find(driver, #name, &gpu.name);
#define FIND_COMPILER(name) find(compiler, #name, &gpu.name);
    DRIVER_FUNCTIONS(FIND_DRIVER)
    COMPILER_FUNCTIONS(FIND_COMPILER)
    ck_assert_int_eq(gpu.cuInit(0), 0);
}

/* Of the text; the caller frees it. */
static char *
binary(const char *text)
{
    static const char *const option[] = {"--gpu-architecture=sm_90"};
    void *program;
    size_t bytes;
    ck_assert_int_eq(gpu.nvrtcCreateProgram(&program, text, "kernel", 0, NULL, NULL), 0);
    ck_assert_int_eq(gpu.nvrtcCompileProgram(program, 1, option), 0);
    ck_assert_int_eq(gpu.nvrtcGetCUBINSize(program, &bytes), 0);
    char *code = malloc(bytes);
    ck_assert_ptr_nonnull(code);
    ck_assert_int_eq(gpu.nvrtcGetCUBIN(program, code), 0);
    gpu.nvrtcDestroyProgram(&program);
    return code;
}

/* The launch's error at the next wait; `result' is what the kernel left in `out'. */
static int
run(const struct wrong *w, float *result)
{
    void *context, *stream, *module, *kernel;
    unsigned long long out, in;
    long long n = WORDS;
    float value[WORDS];
    char *code = binary(w->text);
    for (int i = 0; i < WORDS; i++)
        value[i] = (float)i;
    ck_assert_int_eq(gpu.cuDevicePrimaryCtxRetain(&context, 0), 0);
    ck_assert_int_eq(gpu.cuStreamCreate(&stream, 0), 0);
    ck_assert_int_eq(gpu.cuMemAlloc_v2(&in, sizeof value), 0);
    ck_assert_int_eq(gpu.cuMemAlloc_v2(&out, sizeof value), 0);
    if (w->input != NOTHING_WRITTEN)
        ck_assert_int_eq(gpu.cuMemcpyHtoDAsync_v2(in, value, sizeof value, stream), 0);
    if (w->input == FREED)
        ck_assert_int_eq(gpu.cuMemFree_v2(in), 0);
    ck_assert_int_eq(gpu.cuModuleLoadData(&module, code), 0);
    ck_assert_int_eq(gpu.cuModuleGetFunction(&kernel, module, "kernel"), 0);
    void *parameter[] = {&out, &in, &n};
    int error = w->allowed ? gpu.cuFuncSetAttribute(kernel, 8, w->allowed) : 0;
    if (!error && w->input == TOGETHER)
        error = gpu.cuLaunchCooperativeKernel(kernel, GROUPS, 1, 1, ITEMS, 1, 1, (unsigned)w->asked, stream, parameter);
    else if (!error)
        error = gpu.cuLaunchKernel(kernel, GROUPS, 1, 1, ITEMS, 1, 1, (unsigned)w->asked, stream, parameter, NULL);
    if (!error) {
        error = gpu.cuStreamSynchronize(stream);
        /* An error stays until the context has ended. */
        ck_assert_int_eq(gpu.cuMemcpyDtoHAsync_v2(result, out, sizeof value, stream), error);
    }
    ck_assert_int_eq(gpu.cuDevicePrimaryCtxRelease_v2(0), 0);
    free(code);
    return error;
}

/* Of the right kernels: the words of a group or a warp backwards, or their sum. */
static void
expected(const struct wrong *w, int warp, float *value)
{
    const int width = strstr(w->text, "warpSize") ? warp : ITEMS;
    for (int i = 0; i < WORDS; i++) {
        const int first = i / width * width, last = first + width - 1;
        value[i] = strstr(w->text, "63 - ") || strstr(w->text, "1 - l") ? (float)(first + last - i) : (float)((first + last) * ITEMS / 2);
    }
}

START_TEST(caught)
{
    const struct wrong *w = &row[_i % ROWS];
    const int warp = warps[_i / ROWS % WARPS];
    float result[WORDS], value[WORDS];
    char words[4096];
    FILE *told = tmpfile();
    ck_assert_ptr_nonnull(told);
    set("AG_EMULATE_LOCAL", MOST);
    set("AG_EMULATE_WARP", warp);
    open_emulation();
    fflush(stderr);
    const int before = dup(2);
    dup2(fileno(told), 2);
    const int error = run(w, result);
    fflush(stderr);
    dup2(before, 2);
    close(before);
    rewind(told);
    words[fread(words, 1, sizeof words - 1, told)] = 0;
    fclose(told);
    printf("%s, warp %d: %d, %s\n", w->name, warp, error, *words ? words : "nothing told");
    ck_assert_int_eq(error, w->error);
    if (w->words) {
        ck_assert_ptr_nonnull(strstr(words, w->words));
        ck_assert_ptr_nonnull(strstr(words, w->input == TOGETHER ? "kernel kernel" : "kernel kernel, group "));
    }
    if (w->error)
        return;
    expected(w, warp, value);
    ck_assert_str_eq(words, "");
    ck_assert_mem_eq(result, value, sizeof value);
}
END_TEST

int
main(void)
{
    const char *driver = getenv("ARGAND_CUDA_DRIVER");
    if (!driver || !strstr(driver, "emulated_cuda")) {
        puts("skip: ARGAND_CUDA_DRIVER does not name the emulated driver");
        return 77;
    }
    Suite *suite = suite_create("t1_emulate");
    TCase *tests = tcase_create("caught");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, caught, 0, TIMES * WARPS * ROWS);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
