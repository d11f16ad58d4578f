/* SPDX-License-Identifier: BSD-3-Clause */
/* emulate.h -- a GPU for tests on machines that have none: CUDA's driver and run-time compiler, on
   the processor.

   The kernel text is compiled by the C++ compiler with the calls of its thread sanitizer around
   each access to memory; here those calls look at shadow memory.  Work-items are fibers, a
   barrier, or a matrix unit's product, is a switch.  What is wrong is told in one line on stderr and makes the context useless,
   as on a GPU.

   AG_EMULATE_WARP (32), AG_EMULATE_LOCAL (232448 bytes, as much as a launch may ask for), AG_EMULATE_MEMORY
   (4096 MiB), AG_EMULATE_CAPABILITY (90) set what it is; AG_EMULATE_FULL is the launch that finds no memory left.  A test makes calls fail and counts what was
   not given back (ag_emulate_fail, ag_emulate_leaks).  */
#ifndef AG_EMULATE_H
#define AG_EMULATE_H

#include <stddef.h>
#include <stdint.h>

/* The driver's errors. */
enum {
    EM_OK,
    EM_BAD_VALUE = 1,
    EM_NO_MEMORY = 2,
    EM_NOT_STARTED = 3,
    EM_COMPILER_FAILED = 11, /* NVRTC's internal error */
    EM_NO_DEVICE = 101,
    EM_BAD_IMAGE = 200,
    EM_NO_CONTEXT = 201,
    EM_NO_BINARY = 209,
    EM_BAD_PTX = 222,
    EM_BAD_HANDLE = 400,
    EM_NOT_FOUND = 500,
    EM_BAD_ADDRESS = 700,
    EM_LAUNCH_FAILED = 719,
    EM_TOO_LARGE = 720, /* a cooperative launch */
    EM_CAPTURING = 900,
    EM_UNKNOWN = 999
};

#define EM_MAX_ITEMS 1024
#define EM_MEMORY_MIB 4096
#define EM_LOCAL 49152     /* any launch may have so much */
#define EM_MOST_LOCAL 232448 /* of any device */
#define EM_MAX_PARAMETERS 64

typedef struct em_function {
    struct em_function *next;
    char name[64];
    void (*run)(void **parameter);
    int parameters, size[EM_MAX_PARAMETERS];
    struct em_module *module;
    size_t most_dynamic; /* bytes that a launch may ask for */
} em_function;

typedef struct em_module {
    void *object;
    em_function *function;
    char *shared; /* the group's arrays */
    size_t shared_bytes;
    char *dynamic; /* where what a launch asks for lies; NULL: the kernel has none */
} em_module;

typedef struct em_launch {
    em_function *function;
    unsigned groups, items;
    int together; /* all groups run at once */
    size_t dynamic; /* bytes of shared memory that it asks for */
    char *blob; /* the values of its parameters */
    void *parameter[EM_MAX_PARAMETERS];
} em_launch;

/* ---- stream.c ---------------------------------------------------------------------------------- */

/* Runs what all streams were given; forgets the streams. */
void em_run_all(void);
void em_forget_streams(void);

/* ---- driver.c ------------------------------------------------------------------------------ */

extern int em_error; /* what makes the context useless */
int em_page_locked(const void *memory, size_t bytes);
int em_setting(const char *variable, int otherwise);
/* The error that a call returns before it does anything. */
int em_state(void);
/* Groups of a function that run at once on the one unit. */
unsigned em_groups_of_unit(const em_function *function, unsigned items, size_t dynamic);

/* ---- faults.c -------------------------------------------------------------------------------- */

/* The error with which this call is to fail; EM_OK: none. */
int em_fails(const char *function);
/* First in each function that can fail. */
#define EM_CAN_FAIL \
    { \
        const int fault = em_fails(__func__); \
        if (fault) \
            return fault; \
    }
/* Things that were made and not yet ended; those that were never ended, or were ended wrongly. */
extern int em_alive, em_leaks;

/* ---- memory.c: the device's addresses, and what is known of each word ------------------------- */

int em_alloc(size_t bytes, uint64_t *address);
int em_free(uint64_t address);
void em_free_all(void);
/* A copy: the range must lie in one allocation. */
int em_copy(void *host, uint64_t device, size_t bytes, int to_device);
/* A new barrier interval of the work-items of a group. */
void em_phase(void);
/* A launch begins; a group begins, whose arrays hold nothing. */
void em_begin_launch(const em_launch *launch);
void em_begin_group(void);
/* Of a launch whose groups run at once: each has arrays of its own, which are in their place while it runs; 0: no memory. */
int em_begin_together(const em_launch *launch);
void em_exchange_group(int group);
void em_end_together(void);
/* The interval that is running, the last that has begun, and going back to one. */
uint32_t em_interval(void);
uint32_t em_last_interval(void);
void em_resume(uint32_t interval);

/* ---- together.c: what groups that run at once know of one another ------------------------------- */

int em_together_begin(unsigned groups);
/* Whether the running group may not know of what another one did in that interval. */
int em_unseen(unsigned group, uint32_t when);
/* Rises as long as groups come to where they meet. */
uint64_t em_together_met(void);

/* ---- fibers.c ----------------------------------------------------------------------------------- */

typedef struct em_place {
    int item, group; /* where the running kernel is; item -1: nowhere */
    const em_launch *launch;
    char *stack, *stack_end; /* of the item */
} em_place;
extern em_place em_at;
void em_run(const em_launch *launch);
/* The other groups' turn comes before it returns. */
void em_yield(void);
/* The items of a wave meet: it returns in each of them, once all have come and `work' was done. */
void em_meet(int wave, void (*work)(void));
/* Says what is wrong with the running item, ends it and does not return. */
_Noreturn void em_blame(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- text.c: what is added to the text of a kernel ------------------------------------------------ */

/* Stands before it. */
extern const char em_prelude[];
/* Stands after it, once it is preprocessed: how each kernel is entered.  The bytes that it takes. */
size_t em_add_entries(const char *text, char *entries, size_t room);
/* Takes the array whose size a launch says out of the text and writes its definition; 0 where there is
   more than one. */
int em_find_dynamic(char *text, char *definition, size_t room);
/* Of anything, on top of h. */
uint64_t em_hash(const char *data, size_t bytes, uint64_t h);
/* Of what this file adds. */
uint64_t em_text_state(void);

/* ---- compile.c: what a binary begins with ---------------------------------------------------------- */

#define EM_MAGIC "emulated kernel"
typedef struct em_image {
    char magic[16];
    int arch, portable; /* 90: for sm_90, or PTX of compute_90 */
    uint64_t bytes;     /* of the shared object that follows */
} em_image;
/* Changes with the way in which kernels are compiled. */
unsigned em_compiler_state(void);

#endif
