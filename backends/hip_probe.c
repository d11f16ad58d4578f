/* SPDX-License-Identifier: BSD-3-Clause */
/* hip_probe.c -- a program: can this hiprtc compile with these options?

       hip_probe LIBRARY OPTION...

   hiprtc aborts its process where its LLVM or its device libraries lack the architecture that it is
   given, so the HIP module asks in a process that may die.  Prints "ok", or what hiprtc says.  */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static struct {
    int (*create)(void **program, const char *text, const char *name, int headers, const char **header,
                  const char **header_name);
    int (*compile)(void *program, int options, const char **option);
    const char *(*words)(int error);
} hiprtc;

static int
find(void *library, const char *name, void *pointer)
{
    void *address = dlsym(library, name);
    memcpy(pointer, &address, sizeof address);
    return address != NULL;
}

int
main(int count, char **argument)
{
    static const char text[] = "extern \"C\" __global__ void probe(float *a) { *a = 0; }";
    const struct rlimit none = {0, 0}; /* an abort that is expected leaves no core file */
    setrlimit(RLIMIT_CORE, &none);
    void *program, *library = count > 1 ? dlopen(argument[1], RTLD_NOW) : NULL;
    if (!library || !find(library, "hiprtcCreateProgram", &hiprtc.create) ||
        !find(library, "hiprtcCompileProgram", &hiprtc.compile) || !find(library, "hiprtcGetErrorString", &hiprtc.words)) {
        printf("%s is no hiprtc\n", count > 1 ? argument[1] : "nothing");
        return 1;
    }
    int error = hiprtc.create(&program, text, "probe", 0, NULL, NULL);
    if (!error)
        error = hiprtc.compile(program, count - 2, (const char **)argument + 2);
    printf("%s\n", error ? hiprtc.words(error) : "ok");
    return error != 0;
}
