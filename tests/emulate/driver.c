/* SPDX-License-Identifier: BSD-3-Clause */
/* driver.c -- the emulated driver: its device, context, memory and modules. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cuda.h"
#include "emulate.h"

typedef struct pinned {
    struct pinned *next;
    void *memory;
    size_t bytes;
} pinned;

int em_error;
static int started, retained;
static pinned *page_locked;

int
em_setting(const char *variable, int otherwise)
{
    const char *text = getenv(variable);
    const int value = text ? atoi(text) : 0;
    return value > 0 ? value : otherwise;
}

int
em_state(void)
{
    return !started ? EM_NOT_STARTED : em_error ? em_error : retained ? EM_OK : EM_NO_CONTEXT;
}

int
cuInit(unsigned flags)
{
    started = 1;
    return flags ? EM_BAD_VALUE : EM_OK;
}

int
cuDriverGetVersion(int *version)
{
    *version = 13000;
    return EM_OK;
}

int
cuGetErrorName(int error, const char **name)
{
    static const struct {
        int error;
        const char *name;
    } known[] = {
        {EM_OK, "CUDA_SUCCESS"},
        {EM_BAD_VALUE, "CUDA_ERROR_INVALID_VALUE"},
        {EM_NO_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {EM_NOT_STARTED, "CUDA_ERROR_NOT_INITIALIZED"},
        {EM_NO_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
        {EM_BAD_IMAGE, "CUDA_ERROR_INVALID_IMAGE"},
        {EM_NO_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {EM_BAD_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
        {EM_NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {EM_BAD_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {EM_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
        {EM_CAPTURING, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].error == error) {
            *name = known[i].name;
            return EM_OK;
        }
    *name = NULL;
    return EM_BAD_VALUE;
}

int
cuDeviceGetCount(int *count)
{
    *count = 1;
    return started ? EM_OK : EM_NOT_STARTED;
}

int
cuDeviceGet(int *device, int number)
{
    *device = number;
    return number ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceGetName(char *name, int size, int device)
{
    snprintf(name, (size_t)size, "emulated GPU %08x", em_compiler_state());
    return device ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    *bytes = (size_t)em_setting("AG_EMULATE_MEMORY", EM_MEMORY_MIB) << 20;
    return device ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceGetAttribute(int *value, int attribute, int device)
{
    const int local = em_setting("AG_EMULATE_LOCAL", EM_LOCAL), warp = em_setting("AG_EMULATE_WARP", 32);
    /* Threads and local memory of a group, warp, units, compute capability. */
    const int known[][2] = {{1, EM_MAX_ITEMS}, {8, local}, {10, warp}, {16, 1}, {75, 9}, {76, 0}, {97, local}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i][0] == attribute) {
            *value = known[i][1];
            return device ? EM_NO_DEVICE : EM_OK;
        }
    return EM_BAD_VALUE;
}

int
cuDevicePrimaryCtxRetain(void **context, int device)
{
    if (!started || device)
        return started ? EM_NO_DEVICE : EM_NOT_STARTED;
    *context = &retained;
    retained++;
    return EM_OK;
}

/* The last one ends the context with all that it holds, and its error. */
int
cuDevicePrimaryCtxRelease_v2(int device)
{
    if (!retained || device)
        return retained ? EM_NO_DEVICE : EM_NO_CONTEXT;
    if (--retained)
        return EM_OK;
    em_run_all();
    em_forget_streams();
    em_free_all();
    em_error = EM_OK;
    return EM_OK;
}

int
cuCtxSetCurrent(void *context)
{
    return !context || context == &retained ? EM_OK : EM_NO_CONTEXT;
}

/* ---- memory -------------------------------------------------------------------------------- */

int
cuMemAlloc_v2(unsigned long long *address, size_t bytes)
{
    uint64_t at = 0;
    const int error = em_state() ? em_state() : em_alloc(bytes, &at);
    *address = at;
    return error;
}

int
cuMemFree_v2(unsigned long long address)
{
    if (em_state())
        return em_state();
    em_run_all();
    return em_error ? em_error : em_free(address);
}

int
cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    pinned *p = flags || em_state() ? NULL : calloc(1, sizeof *p);
    if (!p || !(p->memory = malloc(bytes))) {
        free(p);
        return em_state() ? em_state() : EM_NO_MEMORY;
    }
    p->bytes = bytes;
    p->next = page_locked;
    page_locked = p;
    *memory = p->memory;
    return EM_OK;
}

int
cuMemFreeHost(void *memory)
{
    em_run_all();
    for (pinned **p = &page_locked; *p; p = &(*p)->next)
        if ((*p)->memory == memory) {
            pinned *gone = *p;
            *p = gone->next;
            free(gone->memory);
            free(gone);
            return em_error;
        }
    return EM_BAD_VALUE;
}

int
em_page_locked(const void *memory, size_t bytes)
{
    for (const pinned *p = page_locked; p; p = p->next)
        if ((const char *)memory >= (char *)p->memory && (const char *)memory + bytes <= (char *)p->memory + p->bytes)
            return 1;
    return 0;
}

/* ---- modules ------------------------------------------------------------------------------- */

/* dlopen wants a file. */
static void *
open_object(const char *object, size_t bytes)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    void *opened = NULL;
    if (snprintf(path, sizeof path, "%s/argand-kernel-XXXXXX", folder ? folder : "/tmp") >= (int)sizeof path)
        return NULL;
    const int file = mkstemp(path);
    if (file < 0)
        return NULL;
    if (write(file, object, bytes) == (ssize_t)bytes)
        opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened)
        fprintf(stderr, "emulated GPU: a binary cannot be loaded: %s\n", dlerror());
    close(file);
    unlink(path);
    return opened;
}

int
cuModuleLoadData(void **module, const void *image)
{
    em_image head;
    Dl_info self;
    memcpy(&head, image, sizeof head);
    if (em_state())
        return em_state();
    if (memcmp(head.magic, EM_MAGIC, sizeof head.magic))
        return EM_BAD_IMAGE;
    /* What the binary calls is found here once this library's symbols are seen by all. */
    if (!dladdr((void *)&em_error, &self) || !dlopen(self.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD))
        return EM_BAD_IMAGE;
    em_module *m = calloc(1, sizeof *m);
    if (!m)
        return EM_NO_MEMORY;
    m->object = open_object((const char *)image + sizeof head, head.bytes);
    if (!m->object) {
        free(m);
        return EM_BAD_IMAGE;
    }
    char **shared = dlsym(m->object, "ag_emulate_shared");
    if (shared && shared[0]) {
        m->shared = shared[0];
        m->shared_bytes = (size_t)(shared[1] - shared[0]);
    }
    if (m->shared_bytes > (size_t)em_setting("AG_EMULATE_LOCAL", EM_LOCAL)) {
        fprintf(stderr, "emulated GPU: a kernel's arrays take %zu bytes of shared memory, there are %d\n", m->shared_bytes,
                em_setting("AG_EMULATE_LOCAL", EM_LOCAL));
        cuModuleUnload(m);
        return EM_BAD_IMAGE;
    }
    *module = m;
    return EM_OK;
}

int
cuModuleUnload(void *module)
{
    em_module *m = module;
    em_run_all();
    while (m->function) {
        em_function *next = m->function->next;
        free(m->function);
        m->function = next;
    }
    dlclose(m->object);
    free(m);
    return em_error;
}

int
cuModuleGetFunction(void **function, void *module, const char *name)
{
    em_module *m = module;
    char symbol[128];
    int (*sizes)(int *);
    if (em_state())
        return em_state();
    em_function *f = calloc(1, sizeof *f);
    if (!f)
        return EM_NO_MEMORY;
    snprintf(symbol, sizeof symbol, "ag_entry_%s", name);
    void *run = dlsym(m->object, symbol);
    snprintf(symbol, sizeof symbol, "ag_sizes_%s", name);
    void *list = dlsym(m->object, symbol);
    if (!run || !list) {
        free(f);
        return EM_NOT_FOUND;
    }
    memcpy(&f->run, &run, sizeof run);
    memcpy(&sizes, &list, sizeof list);
    snprintf(f->name, sizeof f->name, "%s", name);
    f->parameters = sizes(f->size);
    f->module = m;
    f->next = m->function;
    m->function = f;
    *function = f;
    return EM_OK;
}
