/* SPDX-License-Identifier: BSD-3-Clause */
/* nvrtc_check.c -- compiles the CUDA text for real architectures; needs no GPU, only NVRTC.

       nvrtc_check kernels.cu             every kernel for every architecture
       nvrtc_check --text ROWS COLS LINEAR LOCAL
                                          prints what stands before the text, for other compilers

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

/* Rows, columns, bilinear windows, bytes of local memory: a power of two, Bluestein's, and (for
   one architecture) tiles that do not fit in local memory. */
static const int shapes[][4] = {{128, 128, 0, 49152}, {131, 37, 1, 49152}, {131, 37, 1, 1}};
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
    int (*binary_size)(nvrtc_program *, size_t *);
    int (*binary)(nvrtc_program *, char *);
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
        {"nvrtcGetCUBINSize", &nvrtc.binary_size},
        {"nvrtcGetCUBIN", &nvrtc.binary},
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

/* The defines for all kernels at one shape. */
static void
shape_lines(char *text, size_t room, const int *at)
{
    const ag_room gpu = {16, 256, 8, at[3], INT64_MAX, INT64_MAX, NULL};
    ag_plan plan;
    ag_message message;
    if (ag_plan_shape(&plan, &gpu, at[0], at[1], at[2], &message)) {
        fprintf(stderr, "%s\n", message.text);
        exit(1);
    }
    shape_text(text, room, ag_kernels[0].name, &plan.shape);
    for (int i = 1; i < AG_KERNELS; i++) {
        const size_t n = strlen(text);
        snprintf(text + n, room - n, "#define AG_KERNEL_%s\n", ag_kernels[i].name);
    }
}

static char *
read_text(const char *path)
{
    static char text[1 << 20];
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

static int
contains(const char *bytes, size_t count, const char *word)
{
    const size_t length = strlen(word) + 1;
    for (size_t i = 0; i + length <= count; i++)
        if (!memcmp(bytes + i, word, length))
            return 1;
    return 0;
}

static void
words_of_compiler(nvrtc_program *program)
{
    size_t size = 0;
    if (nvrtc.log_size(program, &size) || size < 2)
        return;
    char *log = malloc(size);
    if (log && !nvrtc.log(program, log))
        puts(log);
    free(log);
}

/* All kernels at one shape for one architecture; the number of failures. */
static int
compile(const char *text, const int *at, int arch)
{
    static char whole[(1 << 20) + 8192];
    char option[64];
    const char *const options[] = {option, "--fmad=true", "--prec-div=true", "--prec-sqrt=true",
                                   /* a kernel does not use all that its building blocks name */
                                   "--diag-suppress=177"};
    nvrtc_program *program;
    size_t size = 0;
    int failed = 0;
    shape_lines(whole, sizeof whole, at);
    strcat(whole, text);
    snprintf(option, sizeof option, "--gpu-architecture=sm_%d", arch);
    int status = nvrtc.create(&program, whole, "kernels.cu", 0, NULL, NULL);
    if (!status)
        status = nvrtc.compile(program, COUNT(options), options);
    words_of_compiler(program);
    if (!status)
        status = nvrtc.binary_size(program, &size);
    char *const binary = malloc(size + 1);
    if (!status && binary)
        status = nvrtc.binary(program, binary);
    if (status || !binary) {
        printf("sm_%d %dx%d: %s\n", arch, at[0], at[1], nvrtc.error(status));
        failed = AG_KERNELS;
    }
    for (int i = 0; i < AG_KERNELS && !failed; i++) {
        char section[64];
        snprintf(section, sizeof section, ".text.%s", ag_kernels[i].name);
        const int found = contains(binary, size, section);
        printf("sm_%-4d %dx%d%s%s %s%s\n", arch, at[0], at[1], at[2] ? " linear" : "",
               at[3] == 1 ? " spilt" : "", ag_kernels[i].name, found ? "" : ": not in the binary");
        failed += !found;
    }
    free(binary);
    nvrtc.destroy(&program);
    return failed;
}

int
main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "--text")) {
        char text[8192];
        const int at[4] = {atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5])};
        shape_lines(text, sizeof text, at);
        fputs(text, stdout);
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: nvrtc_check kernels.cu | --text ROWS COLS LINEAR LOCAL\n");
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
    printf("NVRTC %d.%d\n", major, minor);
    for (size_t i = 0; i < COUNT(wanted); i++)
        for (int k = 0; k < count; k++)
            for (size_t s = 0; s < COUNT(shapes) - (i > 0) && known[k] == wanted[i];
                 s++, compiled++)
                failed += compile(text, shapes[s], wanted[i]);
    printf("%d programs, %d failures\n", compiled, failed);
    return failed || !compiled;
}
