/* SPDX-License-Identifier: BSD-3-Clause */
/* nvrtc_check.c -- compiles the CUDA text for real architectures; needs no GPU, only NVRTC.

       nvrtc_check kernels.cu SHAPE...    every kernel for every architecture; prints for each
                                          "ARCHITECTURE SHAPE KERNEL REGISTERS LOCAL PRIVATE"
       nvrtc_check --text SHAPE ROOM      prints what stands before the text, for other compilers, and
                                          in a comment "local KERNEL BYTES" for each kernel

   A SHAPE is ROWSxCOLS, then l for bilinear windows, then s for tiles that are spilt (these for the
   first architecture alone), w for kernels of whole frames, h or b for convolutions by matrix units in IEEE half or
   bfloat16 (where the architecture has them).  ROOM is the bytes of local memory that a group has, LOCAL those that it
   asks for: a launch does, so they are from the host's table, and what is in the kernel is added.
   PRIVATE are bytes of a work-item that did not get registers: spills and arrays.
   Ends with 77 where there is no NVRTC, with 1 and the compiler's words where it refuses.  */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "core.h"
#include "kernels.h"
#include "shape_text.h"

extern const ag_kernel ag_kernels[];

#define ROOM 49152 /* bytes that every CUDA device has for a group */
#define MOST_ROOM (227 * 1024)
static const int wanted[] = {75, 80, 86, 90, 100, 120};
#define COUNT(list) (sizeof list / sizeof *list)

typedef struct nvrtc_program nvrtc_program;
static struct {
    const char *(*error)(int);
    int (*version)(int *, int *);
    int (*arch_count)(int *);
    int (*archs)(int *);
    int (*create)(nvrtc_program **, const char *, const char *, int, const char *const *,
                  const char *const *);
    int (*compile)(nvrtc_program *, int, const char *const *);
    int (*log_size)(nvrtc_program *, size_t *);
    int (*log)(nvrtc_program *, char *);
    int (*destroy)(nvrtc_program **);
} nvrtc;

static int
load(void)
{
    static const char *const folder[] = {"", "%s/lib64/", "%s/lib/"};
    static const char *const file[] = {"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"};
    static const struct {
        const char *name;
        void *at;
    } entry[] = {
        {"nvrtcGetErrorString", &nvrtc.error},
        {"nvrtcVersion", &nvrtc.version},
        {"nvrtcGetNumSupportedArchs", &nvrtc.arch_count},
        {"nvrtcGetSupportedArchs", &nvrtc.archs},
        {"nvrtcCreateProgram", &nvrtc.create},
        {"nvrtcCompileProgram", &nvrtc.compile},
        {"nvrtcGetProgramLogSize", &nvrtc.log_size},
        {"nvrtcGetProgramLog", &nvrtc.log},
        {"nvrtcDestroyProgram", &nvrtc.destroy},
    };
    const char *const root = getenv("CUDA_PATH");
    void *library = NULL;
    for (size_t i = 0; i < COUNT(folder) && !library; i++)
        for (size_t k = 0; k < COUNT(file) && !library; k++) {
            char path[4096];
            int n = snprintf(path, sizeof path, folder[i], root ? root : "/usr/local/cuda");
            snprintf(path + n, sizeof path - (size_t)n, "%s", file[k]);
            library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    for (size_t i = 0; i < COUNT(entry) && library; i++) {
        void *const symbol = dlsym(library, entry[i].name);
        if (!symbol) {
            printf("libnvrtc has no %s\n", entry[i].name);
            return 0;
        }
        memcpy(entry[i].at, &symbol, sizeof symbol);
    }
    return library != NULL;
}

/* Whether a kernel is built for a shape: those that keep a whole frame have their own, with w, as have convolutions. */
static int
belongs(int kernel, const ag_shape *shape)
{
    if (shape->mma)
        return kernel == AG_KERNEL_conv || kernel == AG_KERNEL_conv3;
    return (ag_kernels[kernel].whole[0] >= 0) == (shape->whole != 0);
}

/* The defines for all kernels at one shape, which it returns. */
static ag_shape
shape_lines(char *text, size_t room, const char *shape, int local)
{
    int rows = 0, cols = 0, end = 0;
    ag_plan plan;
    ag_message message;
    if (sscanf(shape, "%dx%d%n", &rows, &cols, &end) != 2 ||
        strspn(shape + end, "lswhb") != strlen(shape + end)) {
        fprintf(stderr, "shape: found \"%s\", expected ROWSxCOLS[l][s][w][h][b]\n", shape);
        exit(2);
    }
    const int whole = strchr(shape, 'w') ? 512 : 0;
    const ag_room gpu = {16, whole ? whole : 256, 8, strchr(shape, 's') ? 1 : local, INT64_MAX, INT64_MAX, NULL, whole, 0, NULL};
    if (ag_plan_shape(&plan, &gpu, rows, cols, strchr(shape, 'l') != NULL, &message)) {
        fprintf(stderr, "%s\n", message.text);
        exit(1);
    }
    plan.shape.store = strchr(shape, 'h') ? 1 : strchr(shape, 'b') ? 2 : 0;
    plan.shape.mma = plan.shape.store != 0;
    if (plan.shape.whole == 2)
        plan.shape.lanes = 4 * plan.shape.y.length;
    int first = 0;
    while (!belongs(first, &plan.shape))
        first++;
    shape_text(text, room, ag_kernels[first].name, &plan.shape);
    for (int i = first + 1; i < AG_KERNELS; i++) {
        const size_t n = strlen(text);
        if (belongs(i, &plan.shape))
            snprintf(text + n, room - n, "#define AG_KERNEL_%s\n", ag_kernels[i].name);
    }
    return plan.shape;
}

static char *
read_text(const char *path)
{
    static char text[1 << 21];
    FILE *file = fopen(path, "r");
    const size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    if (n == 0 || n == sizeof text - 1) {
        printf("%s: cannot be read\n", path);
        exit(1);
    }
    return text;
}

/* What the assembler said of each kernel; -1: nothing. */
typedef struct figures {
    int registers, local, private;
} figures;

/* The number that stands before `words' in a line. */
static int
number_before(const char *line, const char *words)
{
    const char *at = strstr(line, words);
    if (!at)
        return -1;
    while (at > line && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return atoi(at);
}

/* Reads the assembler's lines from the log and prints the others. */
static void
read_log(nvrtc_program *program, figures *kernel)
{
    size_t size = 0;
    figures nobody = {0}, *now = &nobody;
    char *log, *rest;
    if (nvrtc.log_size(program, &size) || size < 2 || !(log = calloc(1, size + 1)))
        return;
    if (nvrtc.log(program, log))
        *log = 0;
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *name = strstr(line, "entry function '");
        for (int i = 0; i < AG_KERNELS && name; i++) {
            const size_t n = strlen(ag_kernels[i].name);
            if (!strncmp(name + 16, ag_kernels[i].name, n) && name[16 + n] == '\'')
                now = &kernel[i];
        }
        if (number_before(line, " bytes stack frame") >= 0)
            now->private = number_before(line, " bytes stack frame");
        else if (number_before(line, " registers") >= 0) {
            now->registers = number_before(line, " registers");
            now->local += AG_MAX(0, number_before(line, " bytes smem"));
        } else if (strncmp(line, "ptxas", 5))
            puts(line);
    }
    free(log);
}

/* All kernels at one shape for one architecture; the number of failures. */
static int
compile(const char *text, const char *shape, int arch)
{
    static char whole[(1 << 21) + 8192];
    char option[64];
    const char *const options[] = {option, "--fmad=true", "--prec-div=true", "--prec-sqrt=true",
                                   "--ptxas-options=-v",
                                   /* a kernel does not use all that its building blocks name and sum up */
                                   "--diag-suppress=177,550"};
    nvrtc_program *program;
    figures kernel[AG_KERNELS];
    int failed = 0;
    const ag_shape built = shape_lines(whole, sizeof whole, shape, strchr(shape, 'w') ? MOST_ROOM : ROOM);
    for (int i = 0; i < AG_KERNELS; i++)
        kernel[i] = (figures){-1, (int)ag_kernels[i].local(&built), -1};
    strcat(whole, text);
    snprintf(option, sizeof option, "--gpu-architecture=sm_%d", arch);
    int status = nvrtc.create(&program, whole, "kernels.cu", 0, NULL, NULL);
    if (!status) {
        status = nvrtc.compile(program, COUNT(options), options);
        read_log(program, kernel);
    }
    if (status)
        printf("sm_%d %s: %s\n", arch, shape, nvrtc.error(status));
    for (int i = 0; i < AG_KERNELS && !status; i++) {
        const figures *f = &kernel[i];
        if (!belongs(i, &built))
            continue;
        failed += f->registers < 1 || f->private < 0;
        printf("sm_%d %s %s ", arch, shape, ag_kernels[i].name);
        printf(f->registers < 1 || f->private < 0 ? ": the assembler says nothing\n" : "%d %d %d\n",
               f->registers, f->local, f->private);
    }
    nvrtc.destroy(&program);
    return status ? AG_KERNELS : failed;
}

int
main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--text")) {
        char text[8192];
        const ag_shape shape = shape_lines(text, sizeof text, argv[2], atoi(argv[3]));
        fputs(text, stdout);
        for (int i = 0; i < AG_KERNELS; i++)
            if (belongs(i, &shape))
                printf("/* local %s %lld */\n", ag_kernels[i].name, (long long)ag_kernels[i].local(&shape));
        return 0;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: nvrtc_check kernels.cu SHAPE... | --text SHAPE ROOM\n");
        return 2;
    }
    if (!load()) {
        puts("skip CUDA: libnvrtc cannot be loaded (it comes with NVIDIA's CUDA toolkit; CUDA_PATH "
             "says where)");
        return 77;
    }
    const char *const text = read_text(argv[1]);
    int major = 0, minor = 0, count = 0, known[256], failed = 0, compiled = 0;
    if (nvrtc.version(&major, &minor) || nvrtc.arch_count(&count) || count > 256 ||
        nvrtc.archs(known))
        return 1;
    printf("compiler NVRTC %d.%d\n", major, minor);
    for (size_t i = 0; i < COUNT(wanted); i++)
        for (int k = 0; k < count; k++)
            for (int s = 2; s < argc && known[k] == wanted[i]; s++)
                if ((i == 0 || !strchr(argv[s], 's')) && (wanted[i] >= 80 || !strchr(argv[s], 'b'))) {
                    failed += compile(text, argv[s], wanted[i]);
                    compiled++;
                }
    printf("%d programs, %d failures\n", compiled, failed);
    return failed || !compiled;
}
