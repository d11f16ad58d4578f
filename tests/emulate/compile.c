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

/* What a kernel finds; each __shared__ array lies in a section of its own module. */
static const char prelude[] =
    "#define __CUDACC_RTC__ 1\n"
    "#define __device__\n"
    "#define __forceinline__ inline\n"
    "#define __shared__ static __attribute__((section(\"ag_shared\"), aligned(64)))\n"
    "#define __syncthreads() (ag_emulate_barrier(__LINE__), ag_fence())\n"
    "#define AG_UNSEEN __attribute__((no_sanitize_thread))\n"
    "extern \"C\" {\n"
    "unsigned ag_emulate_index(int) __attribute__((const));\n"
    "void ag_emulate_barrier(int);\n"
    "float ag_emulate_add(float *, float);\n"
    "float sqrtf(float); float sinf(float); float cosf(float); float expf(float); float logf(float); float erff(float);\n"
    "float fabsf(float); float fmaf(float, float, float); float fminf(float, float); float fmaxf(float, float);\n"
    "float floorf(float); float powf(float, float); float tanhf(float); float atan2f(float, float);\n"
    "extern char __start_ag_shared[] __attribute__((weak, visibility(\"hidden\")));\n"
    "extern char __stop_ag_shared[] __attribute__((weak, visibility(\"hidden\")));\n"
    "char *ag_emulate_shared[] = {__start_ag_shared, __stop_ag_shared};\n"
    "}\n"
    "static inline void ag_fence() { asm volatile(\"\" ::: \"memory\"); }\n"
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

static const char preprocess[] = "exec ${CXX:-c++} -std=c++17 -E \"$@\"";
static const char compile[] = "exec ${CXX:-c++} -std=c++17 -O1 -fPIC -w -fsanitize=thread -ffp-contract=off "
                              "-D__global__= '-D__launch_bounds__(...)=' -c \"$@\"";
static const char combine[] = "exec ${CXX:-c++} -shared \"$@\"";

typedef struct program {
    char *text;
    char *log;
    em_image *image; /* the binary: its head, then the object */
    char folder[64];
} program;

static uint64_t
hash(const char *data, size_t bytes, uint64_t h)
{
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
    return h;
}

unsigned
em_compiler_state(void)
{
    return (unsigned)(hash(compile, sizeof compile, hash(entry, sizeof entry, hash(prelude, sizeof prelude, 0xcbf29ce484222325u))) >> 16);
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

/* The kernels' names: what stands before the first bracket after __global__ and the bounds. */
static size_t
add_entries(const char *text, char *entries, size_t room)
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
        while (name > at && (name[-1] == '_' || (name[-1] >= '0' && name[-1] <= '9') ||
                             ((name[-1] | 32) >= 'a' && (name[-1] | 32) <= 'z')))
            name--;
        char one[64];
        snprintf(one, sizeof one, "%.*s", (int)(open - name), name);
        if (used + sizeof entry + 4 * sizeof one < room)
            used += (size_t)snprintf(entries + used, room - used, entry, one, one, one, one);
    }
    return used;
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
    char source[96], object[96], entries[4096];
    const char *piece[2] = {text, entries};
    const size_t size[2] = {bytes, add_entries(text, entries, sizeof entries)};
    const char *const first[] = {source, "-o", object}, *const second[] = {object, "-o", out};
    snprintf(source, sizeof source, "%s/kernel.cc", p->folder);
    snprintf(object, sizeof object, "%s/kernel.o", p->folder);
    return write_file(source, 2, piece, size) && command(p, compile, first, 3) && command(p, combine, second, 3);
}

static int
build(program *p, int options, const char *const *option)
{
    char raw[96], clean[96], made[96], kept[4096];
    const char *argument[27] = {raw, "-o", clean};
    const char *const piece[2] = {prelude, p->text};
    const size_t size[2] = {sizeof prelude - 1, strlen(p->text)};
    int arguments = 3;
    size_t bytes, object_bytes = 0;
    snprintf(raw, sizeof raw, "%s/raw.cc", p->folder);
    snprintf(clean, sizeof clean, "%s/clean.cc", p->folder);
    snprintf(made, sizeof made, "%s/kernel.so", p->folder);
    for (int i = 0; i < options && arguments < 27; i++)
        if (!strncmp(option[i], "-D", 2))
            argument[arguments++] = option[i];
    if (!write_file(raw, 2, piece, size) || !command(p, preprocess, argument, arguments))
        return 0;
    char *text = read_file(clean, &bytes), *object = NULL;
    if (!text)
        return 0;
    /* The marks of lines name a folder that is new each time. */
    const char *const begin = strstr(text, "ag_emulate_index");
    cache_path(kept, sizeof kept, hash(begin ? begin : text, strlen(begin ? begin : text), em_compiler_state()));
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
    *major = 13;
    *minor = 0;
    return 0;
}

int
nvrtcCreateProgram(void **out, const char *text, const char *name, int headers, const char *const *header,
                   const char *const *header_name)
{
    (void)name;
    (void)header;
    (void)header_name;
    program *p = headers ? NULL : calloc(1, sizeof *p);
    if (!p || !(p->text = strdup(text))) {
        free(p);
        return 1;
    }
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
    *handle = NULL;
    return 0;
}

int
nvrtcCompileProgram(void *handle, int options, const char *const *option)
{
    program *p = handle;
    static const char *const files[] = {"raw.cc", "clean.cc", "kernel.cc", "kernel.o", "kernel.so", "log"};
    size_t bytes;
    char path[96];
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
    const program *p = handle;
    *bytes = p->log ? strlen(p->log) + 1 : 1;
    return 0;
}

int
nvrtcGetProgramLog(void *handle, char *log)
{
    const program *p = handle;
    strcpy(log, p->log ? p->log : "");
    return 0;
}

int
nvrtcGetCUBINSize(void *handle, size_t *bytes)
{
    const program *p = handle;
    *bytes = p->image ? sizeof *p->image + p->image->bytes : 0;
    return p->image ? 0 : 3;
}

int
nvrtcGetCUBIN(void *handle, char *code)
{
    const program *p = handle;
    if (p->image)
        memcpy(code, p->image, sizeof *p->image + p->image->bytes);
    return p->image ? 0 : 3;
}

int
nvrtcGetPTXSize(void *handle, size_t *bytes)
{
    return nvrtcGetCUBINSize(handle, bytes);
}

int
nvrtcGetPTX(void *handle, char *code)
{
    return nvrtcGetCUBIN(handle, code);
}

int
nvrtcGetNumSupportedArchs(int *count)
{
    *count = 3;
    return 0;
}

int
nvrtcGetSupportedArchs(int *list)
{
    list[0] = 75;
    list[1] = 80;
    list[2] = 90;
    return 0;
}
