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
    EM_CAN_FAIL
    started = 1;
    return flags ? EM_BAD_VALUE : EM_OK;
}

int
cuDriverGetVersion(int *version)
{
    EM_CAN_FAIL
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
        {EM_NO_BINARY, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
        {EM_BAD_PTX, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
        {EM_BAD_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
        {EM_NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {EM_BAD_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {EM_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
        {EM_TOO_LARGE, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE"},
        {EM_CAPTURING, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
        {EM_UNKNOWN, "CUDA_ERROR_UNKNOWN"},
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
    EM_CAN_FAIL
    *count = 1;
    return started ? EM_OK : EM_NOT_STARTED;
}

int
cuDeviceGet(int *device, int number)
{
    EM_CAN_FAIL
    *device = number;
    return number ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceGetName(char *name, int size, int device)
{
    EM_CAN_FAIL
    snprintf(name, (size_t)size, "emulated GPU %08x", em_compiler_state());
    return device ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceTotalMem_v2(size_t *bytes, int device)
{
    EM_CAN_FAIL
    *bytes = (size_t)em_setting("AG_EMULATE_MEMORY", EM_MEMORY_MIB) << 20;
    return device ? EM_NO_DEVICE : EM_OK;
}

int
cuDeviceGetAttribute(int *value, int attribute, int device)
{
    EM_CAN_FAIL
    const int local = em_setting("AG_EMULATE_LOCAL", EM_MOST_LOCAL), warp = em_setting("AG_EMULATE_WARP", 32);
    const int capability = em_setting("AG_EMULATE_CAPABILITY", 90);
    /* Threads and local memory of a group, warp, units, compute capability, cooperative launch, and
       the local memory that may be asked for. */
    const int known[][2] = {{1, EM_MAX_ITEMS},
                            {8, local < EM_LOCAL ? local : EM_LOCAL},
                            {10, warp},
                            {16, 1},
                            {75, capability / 10},
                            {76, capability % 10},
                            {95, 1},
                            {97, local}};
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
    EM_CAN_FAIL
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
    em_leaks += em_alive;
    em_alive = 0;
    em_forget_streams();
    em_free_all();
    em_error = EM_OK;
    return EM_OK;
}

int
cuCtxSetCurrent(void *context)
{
    EM_CAN_FAIL
    return !context || context == &retained ? EM_OK : EM_NO_CONTEXT;
}

/* ---- memory -------------------------------------------------------------------------------- */

int
cuMemAlloc_v2(unsigned long long *address, size_t bytes)
{
    EM_CAN_FAIL
    uint64_t at = 0;
    const int error = em_state() ? em_state() : em_alloc(bytes, &at);
    *address = at;
    em_alive += !error;
    return error;
}

int
cuMemFree_v2(unsigned long long address)
{
    if (em_state())
        return em_state();
    em_run_all();
    if (em_error)
        return em_error;
    const int error = em_free(address);
    if (error)
        em_leaks++; /* ended twice, or never made */
    else
        em_alive--;
    return error;
}

int
cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    EM_CAN_FAIL
    pinned *p = flags || em_state() ? NULL : calloc(1, sizeof *p);
    if (!p || !(p->memory = malloc(bytes))) {
        free(p);
        return em_state() ? em_state() : EM_NO_MEMORY;
    }
    p->bytes = bytes;
    p->next = page_locked;
    page_locked = p;
    em_alive++;
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
            em_alive--;
            return em_error;
        }
    em_leaks++;
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
    EM_CAN_FAIL
    const int capability = em_setting("AG_EMULATE_CAPABILITY", 90);
    em_image head;
    Dl_info self;
    memcpy(&head, image, sizeof head);
    if (em_state())
        return em_state();
    if (memcmp(head.magic, EM_MAGIC, sizeof head.magic))
        return EM_BAD_IMAGE;
    /* A binary runs on its major version from its minor version on, PTX on all that is later. */
    if (head.portable && head.arch > capability)
        return EM_BAD_PTX;
    if (!head.portable && (head.arch / 10 != capability / 10 || head.arch > capability))
        return EM_NO_BINARY;
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
    char **shared = dlsym(m->object, "ag_emulate_shared"), **dynamic = dlsym(m->object, "ag_emulate_dynamic");
    if (shared && shared[0]) {
        m->shared = shared[0];
        m->shared_bytes = (size_t)(shared[1] - shared[0]);
    }
    m->dynamic = dynamic ? *dynamic : NULL;
    em_alive++;
    if (m->shared_bytes > EM_LOCAL) {
        fprintf(stderr, "emulated GPU: a kernel's arrays take %zu bytes of shared memory, %d is the most\n", m->shared_bytes,
                EM_LOCAL);
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
    em_alive--;
    return em_error;
}

int
cuModuleGetFunction(void **function, void *module, const char *name)
{
    EM_CAN_FAIL
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
    f->most_dynamic = EM_LOCAL - m->shared_bytes;
    f->next = m->function;
    m->function = f;
    *function = f;
    return EM_OK;
}

/* The only attribute is 8, the bytes of shared memory that a launch may ask for. */
int
cuFuncSetAttribute(void *function, int attribute, int value)
{
    EM_CAN_FAIL
    em_function *f = function;
    if (em_state())
        return em_state();
    if (attribute != 8 || value < 0 || (size_t)value + f->module->shared_bytes > (size_t)em_setting("AG_EMULATE_LOCAL", EM_MOST_LOCAL))
        return EM_BAD_VALUE;
    f->most_dynamic = (size_t)value;
    return EM_OK;
}

/* A unit has so much local memory, and room for two groups of the largest. */
unsigned
em_groups_of_unit(const em_function *f, unsigned items, size_t dynamic)
{
    const size_t local = (size_t)em_setting("AG_EMULATE_LOCAL", EM_MOST_LOCAL), each = dynamic + f->module->shared_bytes;
    const unsigned room = 2 * EM_MAX_ITEMS / items;
    return each * room > local ? (unsigned)(local / each) : room;
}

int
cuOccupancyMaxActiveBlocksPerMultiprocessor(int *groups, void *function, int items, size_t shared)
{
    EM_CAN_FAIL
    if (em_state() || items < 1)
        return em_state() ? em_state() : EM_BAD_VALUE;
    *groups = (int)em_groups_of_unit(function, (unsigned)items, shared);
    return EM_OK;
}
