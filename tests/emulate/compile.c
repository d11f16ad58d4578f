/* SPDX-License-Identifier: BSD-3-Clause */
/* compile.c -- the emulated run-time compiler: kernel text becomes a shared object.

   The C++ compiler ($CXX, else c++) puts a call before each access to memory.  Objects are kept in
   $XDG_CACHE_HOME by their preprocessed text.  */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "cuda.h"
#include "emulate.h"

static const char preprocess[] = "exec ${CXX:-c++} -std=c++17 -E -P \"$@\"";
/* What it calls is in the process already; looking through the libraries would take longer than compiling. */
static const char compile[] = "exec ${CXX:-c++} -std=c++17 -O1 -fPIC -w -fsanitize=thread -ffp-contract=off -fno-exceptions "
                              "-fno-asynchronous-unwind-tables -shared -nostdlib "
                              "-D__global__= '-D__launch_bounds__(...)=' \"$@\"";

/* The architectures that it knows. */
static const int archs[] = {75, 80, 90};
#define ARCHS ((int)(sizeof archs / sizeof *archs))

typedef struct program {
    int arch, portable;
    char *text;
    char *log;
    em_image *image; /* the binary: its head, then the object */
    char folder[64];
} program;

unsigned
em_compiler_state(void)
{
    return (unsigned)(em_hash(compile, sizeof compile, em_text_state()) >> 16);
}

static char *
read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    struct stat info;
    if (file && !fstat(fileno(file), &info) && (data = malloc((size_t)info.st_size + 1))) {
        *bytes = fread(data, 1, (size_t)info.st_size, file);
        data[*bytes] = 0;
    }
    if (file)
        fclose(file);
    return data;
}

static int
write_file(const char *path, int pieces, const char *const *piece, const size_t *bytes)
{
    FILE *file = fopen(path, "wb");
    int good = file != NULL;
    for (int i = 0; i < pieces && good; i++)
        good = fwrite(piece[i], 1, bytes[i], file) == bytes[i];
    if (file && fclose(file))
        good = 0;
    return good;
}

/* Runs a command of the shell with arguments; its messages go to FOLDER/log. */
static int
command(const program *p, const char *script, const char *const *argument, int arguments)
{
    const char *all[32] = {"sh", "-c", script, "c++"};
    char log[96];
    int status = -1;
    for (int i = 0; i < arguments && i < 27; i++)
        all[4 + i] = argument[i];
    snprintf(log, sizeof log, "%s/log", p->folder);
    const pid_t child = fork();
    if (!child) {
        const int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file >= 0)
            dup2(file, 2);
        execv("/bin/sh", (char *const *)(uintptr_t)all);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
cache_path(char *path, size_t room, uint64_t key)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    path[0] = 0;
    if (cache && *cache == '/' && snprintf(path, room, "%s/emulate", cache) < (int)room - 32) {
        mkdir(cache, 0700);
        mkdir(path, 0700);
        snprintf(path + strlen(path), room - strlen(path), "/%016llx", (unsigned long long)key);
    }
}

static em_image *
image_of(char *object, size_t bytes)
{
    em_image *image = object ? calloc(1, sizeof *image + bytes) : NULL;
    if (image) {
        memcpy(image->magic, EM_MAGIC, sizeof image->magic);
        image->bytes = bytes;
        memcpy(image + 1, object, bytes);
    }
    free(object);
    return image;
}

/* The object at OUT for the preprocessed text. */
static int
translate(program *p, const char *text, size_t bytes, const char *out)
{
    char source[96], entries[4096];
    const char *piece[2] = {text, entries};
    const size_t size[2] = {bytes, em_add_entries(text, entries, sizeof entries)};
    const char *const argument[] = {source, "-o", out};
    snprintf(source, sizeof source, "%s/kernel.cc", p->folder);
    return write_file(source, 2, piece, size) && command(p, compile, argument, 3);
}

static int
build(program *p, int options, const char *const *option)
{
    char raw[96], clean[96], made[96], arch[32], kept[4096], dynamic[512];
    const char *argument[27] = {raw, "-o", clean, arch};
    if (!em_find_dynamic(p->text, dynamic, sizeof dynamic))
        return 0;
    const char *const piece[3] = {em_prelude, p->text, dynamic};
    const size_t size[3] = {strlen(em_prelude), strlen(p->text), strlen(dynamic)};
    int arguments = 4;
    snprintf(arch, sizeof arch, "-D__CUDA_ARCH__=%d0", p->arch);
    size_t bytes, object_bytes = 0;
    snprintf(raw, sizeof raw, "%s/raw.cc", p->folder);
    snprintf(clean, sizeof clean, "%s/clean.cc", p->folder);
    snprintf(made, sizeof made, "%s/kernel.so", p->folder);
    for (int i = 0; i < options && arguments < 27; i++)
        if (!strncmp(option[i], "-D", 2))
            argument[arguments++] = option[i];
    if (!write_file(raw, 3, piece, size) || !command(p, preprocess, argument, arguments))
        return 0;
    char *text = read_file(clean, &bytes), *object = NULL;
    if (!text)
        return 0;
    cache_path(kept, sizeof kept, em_hash(text, bytes, em_compiler_state()));
    if (!(object = read_file(kept, &object_bytes)) && translate(p, text, bytes, made) &&
        (object = read_file(made, &object_bytes))) {
        char fresh[4200];
        const char *const one = object;
        snprintf(fresh, sizeof fresh, "%s.%ld", kept, (long)getpid());
        if (kept[0] && (!write_file(fresh, 1, &one, &object_bytes) || rename(fresh, kept)))
            unlink(fresh);
    }
    free(text);
    p->image = image_of(object, object_bytes);
    return p->image != NULL;
}

int
nvrtcVersion(int *major, int *minor)
{
    EM_CAN_FAIL
    *major = 13;
    *minor = 0;
    return 0;
}

int
nvrtcCreateProgram(void **out, const char *text, const char *name, int headers, const char *const *header,
                   const char *const *header_name)
{
    EM_CAN_FAIL
    (void)name;
    (void)header;
    (void)header_name;
    program *p = headers ? NULL : calloc(1, sizeof *p);
    if (!p || !(p->text = strdup(text))) {
        free(p);
        return 1;
    }
    em_alive++;
    *out = p;
    return 0;
}

int
nvrtcDestroyProgram(void **handle)
{
    program *p = *handle;
    free(p->text);
    free(p->log);
    free(p->image);
    free(p);
    em_alive--;
    *handle = NULL;
    return 0;
}

/* --gpu-architecture=sm_90 or compute_90, which must be known. */
static int
choose(program *p, int options, const char *const *option)
{
    for (int i = 0; i < options; i++)
        if (sscanf(option[i], "--gpu-architecture=sm_%d", &p->arch) != 1 &&
            sscanf(option[i], "--gpu-architecture=compute_%d", &p->arch) == 1)
            p->portable = 1;
    for (int i = 0; i < ARCHS; i++)
        if (archs[i] == p->arch)
            return 1;
    return 0;
}

int
nvrtcCompileProgram(void *handle, int options, const char *const *option)
{
    EM_CAN_FAIL
    program *p = handle;
    static const char *const files[] = {"raw.cc", "clean.cc", "kernel.cc", "kernel.so", "log"};
    size_t bytes;
    char path[96];
    if (!choose(p, options, option))
        return 5;
    strcpy(p->folder, "/tmp/argand-compile-XXXXXX");
    if (!mkdtemp(p->folder))
        return 1;
    const int good = build(p, options, option);
    snprintf(path, sizeof path, "%s/log", p->folder);
    p->log = read_file(path, &bytes);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", p->folder, files[i]);
        unlink(path);
    }
    rmdir(p->folder);
    return good ? 0 : 6;
}

int
nvrtcGetProgramLogSize(void *handle, size_t *bytes)
{
    EM_CAN_FAIL
    const program *p = handle;
    *bytes = p->log ? strlen(p->log) + 1 : 1;
    return 0;
}

int
nvrtcGetProgramLog(void *handle, char *log)
{
    EM_CAN_FAIL
    const program *p = handle;
    strcpy(log, p->log ? p->log : "");
    return 0;
}

/* A binary, or the same under the name of PTX: there is none for a virtual architecture. */
static int
give(void *handle, int portable, size_t *bytes, char *code)
{
    const program *p = handle;
    const int there = p->image && (portable || !p->portable);
    if (!p->image)
        return 3;
    if (bytes)
        *bytes = there ? sizeof *p->image + p->image->bytes : 0;
    if (code && there) {
        p->image->arch = p->arch;
        p->image->portable = portable;
        memcpy(code, p->image, sizeof *p->image + p->image->bytes);
    }
    return 0;
}

int
nvrtcGetCUBINSize(void *handle, size_t *bytes)
{
    EM_CAN_FAIL
    return give(handle, 0, bytes, NULL);
}

int
nvrtcGetCUBIN(void *handle, char *code)
{
    EM_CAN_FAIL
    return give(handle, 0, NULL, code);
}

int
nvrtcGetPTXSize(void *handle, size_t *bytes)
{
    EM_CAN_FAIL
    return give(handle, 1, bytes, NULL);
}

int
nvrtcGetPTX(void *handle, char *code)
{
    EM_CAN_FAIL
    return give(handle, 1, NULL, code);
}

int
nvrtcGetNumSupportedArchs(int *count)
{
    EM_CAN_FAIL
    *count = ARCHS;
    return 0;
}

int
nvrtcGetSupportedArchs(int *list)
{
    EM_CAN_FAIL
    memcpy(list, archs, sizeof archs);
    return 0;
}
