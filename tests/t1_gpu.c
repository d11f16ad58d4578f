/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_gpu.c -- what a GPU has and what its libraries lack, on the emulation: local memory, wavefronts,
   architectures, libraries that are missing. */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "device.h"

/* Whether test_device(i) is an emulated GPU of the vendor (NULL: of either). */
static int
is(int i, const char *vendor)
{
    const int gpu = !strncmp(test_device(i), "cuda", 4) || !strncmp(test_device(i), "hip", 3);
    return gpu && (!vendor || !strncmp(test_device(i), vendor, strlen(vendor))) && test_emulated(i);
}

static void
set(const char *variable, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    setenv(variable, text, 1);
}

/* Opening fails in words that contain each of three. */
static void
cannot_open(int i, const char *one, const char *two, const char *three)
{
    ag_device *device;
    ag_message message;
    ck_assert_int_eq(ag_device_open(&device, test_device(i), &message), AG_NO_DEVICE);
    ck_assert_ptr_null(device);
    printf("%s\n", message.text);
    ck_assert_msg(strstr(message.text, one) && strstr(message.text, two) && strstr(message.text, three),
                  "\"%s\" lacks \"%s\", \"%s\" or \"%s\"", message.text, one, two, three);
}

/* ---- local memory and wavefronts ------------------------------------------------------------------- */

START_TEST(limits)
{
    static const int64_t local[] = {49152, 65536, 102400, 232448};
    for (size_t k = 0; k < sizeof local / sizeof *local && is(_i, NULL); k++)
        for (int warp = 32; warp <= 64; warp *= 2) {
            char words[64];
            set("AG_EMULATE_LOCAL", local[k]);
            set("AG_EMULATE_WARP", warp);
            ag_device *const d = test_open(_i);
            snprintf(words, sizeof words, "warp %d, %d KiB local, cooperative launch", warp, (int)(local[k] / 1024));
            ck_assert_int_eq(ag_device_room(d).local, local[k]);
            ck_assert_int_eq(d->limits.warp, warp);
            ck_assert_int_eq(d->limits.cooperative, 1);
            ck_assert_msg(strstr(ag_device_description(d), words), "%s", ag_device_description(d));
            printf("%s: %s\n", test_where(d), ag_device_description(d));
            ag_device_close(d);
        }
}
END_TEST

/* Frames of 8 x `cols' pixels. */
static ag_scan *
wide_scan(int64_t cols)
{
    static ag_real data[2 * 8 * 2048];
    static ag_complex probe[8 * 2048];
    static const double position[] = {0, 0, 3, 5};
    for (int i = 0; i < 2 * 8 * 2048; i++)
        data[i] = (ag_real)(1 + i * 11 % 17);
    for (int i = 0; i < 8 * 2048; i++) {
        probe[i].re = (ag_real)(1 + i % 7);
        probe[i].im = (ag_real)(i % 4);
    }
    const ag_scan_info info = {.frames = 2, .rows = 8, .cols = cols, .data = data, .position = position,
                               .object_rows = 12, .object_cols = cols + 8, .probe = probe, .modes = 1};
    ag_scan *scan;
    ag_message message;
    if (ag_scan_create(&scan, &info, &message))
        ck_abort_msg("%s", message.text);
    return scan;
}

/* The object after an iteration, and what the plan was; the caller frees it. */
static ag_complex *
solve(int i, const ag_scan *scan, char *plan, size_t room)
{
    const ag_scan_info *const info = ag_scan_content(scan);
    const int64_t pixels = info->object_rows * info->object_cols;
    ag_options options = test_options("ap");
    ag_device *const d = test_open(i);
    ag_complex *const z = ag_calloc(pixels, sizeof *z);
    ag_solver *solver;
    options.probe_start = -1;
    for (int64_t k = 0; k < pixels; k++)
        z[k].re = 1;
    ag_array *const object = ag_new_from(d, AG_COMPLEX, pixels, z, "object");
    ag_array *const probe = ag_new_from(d, AG_COMPLEX, info->rows * info->cols, info->probe, "probe");
    if (ag_solver_create(&solver, d, ag_comm_self(), scan, &options, object, probe) ||
        ag_solver_run(solver, 1, NULL, NULL) || ag_array_read(object, 0, pixels, z))
        ck_abort_msg("%s", ag_device_message(d));
    snprintf(plan, room, "%s", ag_solver_plan(solver));
    printf("%s: %s\n", test_where(d), plan);
    ag_solver_destroy(solver);
    ag_array_destroy(object);
    ag_array_destroy(probe);
    ag_device_close(d);
    return z;
}

/* More local memory makes wider tiles, or tiles at all, and changes no bit. */
START_TEST(tiles)
{
    static const struct {
        int64_t cols;
        const char *tile[4];
    } row[] = {{512, {"tile 8", "tile 8", "tile 16", "tile 16"}}, {2048, {"spill", "spill", "tile 4", "tile 8"}}};
    static const int64_t local[] = {49152, 65536, 102400, 232448};
    for (int k = 0; k < 2 && is(_i, NULL); k++) {
        ag_scan *const scan = wide_scan(row[k].cols);
        ag_complex *first = NULL;
        const int64_t pixels = 12 * (row[k].cols + 8);
        for (int m = 0; m < 4; m++) {
            char plan[200];
            set("AG_EMULATE_LOCAL", local[m]);
            ag_complex *const z = solve(_i, scan, plan, sizeof plan);
            ck_assert_msg(strstr(plan, row[k].tile[m]), "%s, expected %s", plan, row[k].tile[m]);
            if (first)
                ck_assert_msg(!memcmp(first, z, (size_t)pixels * sizeof *z), "%lld bytes of local memory change bits",
                              (long long)local[m]);
            if (first)
                free(z);
            else
                first = z;
        }
        free(first);
        ag_scan_destroy(scan);
    }
}
END_TEST

/* ---- libraries ---------------------------------------------------------------------------------------- */

START_TEST(missing_libraries)
{
    const int cuda = is(_i, "cuda");
    const char *const driver = cuda ? "ARGAND_CUDA_DRIVER" : "ARGAND_HIP_DRIVER";
    const char *const compiler = cuda ? "ARGAND_CUDA_COMPILER" : "ARGAND_HIP_COMPILER";
    if (!is(_i, NULL))
        return;
    setenv(compiler, "/nowhere/libcompiler.so", 1);
    cannot_open(_i, "run-time compiler cannot be opened", "/nowhere/libcompiler.so", compiler);
    cannot_open(_i, cuda ? "CUDA_PATH" : "ROCM_PATH", "it comes with", compiler);
    setenv(compiler, "libm.so.6", 1);
    cannot_open(_i, "run-time compiler", "has no", cuda ? "nvrtc" : "hiprtc");
    setenv(driver, "/nowhere/libdriver.so", 1);
    cannot_open(_i, "driver library cannot be opened", "/nowhere/libdriver.so", driver);
    setenv(driver, "libm.so.6", 1);
    cannot_open(_i, "driver library", "has no", cuda ? "cuInit" : "hipInit");
}
END_TEST

/* ---- architectures --------------------------------------------------------------------------------------- */

/* A device that computes something right. */
static void
works(int i, const char *arch)
{
    char plan[200];
    ag_device *const d = test_open(i);
    ck_assert_msg(strstr(ag_device_description(d), arch), "%s", ag_device_description(d));
    ag_device_close(d);
    ag_scan *const scan = wide_scan(16);
    ag_complex *const z = solve(i, scan, plan, sizeof plan);
    free(z);
    ag_scan_destroy(scan);
}

/* The emulated NVRTC knows 7.5, 8.0 and 9.0: binaries of the same major version are taken, PTX for a
   later one; there is nothing for an earlier one.  The driver refuses what does not fit. */
START_TEST(capabilities)
{
    static const struct {
        int capability;
        const char *arch;
    } row[] = {{75, ", sm_75,"}, {80, ", sm_80,"}, {86, ", sm_80,"}, {90, ", sm_90,"}, {100, ", compute_90,"}, {121, ", compute_90,"}};
    for (size_t k = 0; k < sizeof row / sizeof *row && is(_i, "cuda"); k++) {
        set("AG_EMULATE_CAPABILITY", row[k].capability);
        works(_i, row[k].arch);
    }
    if (is(_i, "cuda")) {
        set("AG_EMULATE_CAPABILITY", 70);
        cannot_open(_i, "compute capability 7.0", "NVRTC 13.0 cannot compile", "another CUDA toolkit");
    }
}
END_TEST

/* The emulated hiprtc aborts where it does not know an architecture, as the real one does. */
START_TEST(unknown_architecture)
{
    if (!is(_i, "hip"))
        return;
    works(_i, "gfx90a");
    setenv("AG_EMULATE_ARCH", "gfx1201", 1);
    cannot_open(_i, "hiprtc", "cannot compile for gfx1201", "it aborts");
    cannot_open(_i, "another ROCm", "gfx1201", "emulated GPU"); /* and is asked again */
    setenv("ARGAND_HIP_PROBE", "/nowhere/hip_probe", 1);
    cannot_open(_i, "/nowhere/hip_probe", "No such file", "ARGAND_HIP_PROBE");
    setenv("ARGAND_HIP_PROBE", "/bin/true", 1); /* says nothing */
    cannot_open(_i, "cannot compile for gfx1201", "hiprtc", "aborts");
    setenv("AG_EMULATE_ARCH", "abacus", 1);
    cannot_open(_i, "does not say what architecture", "emulated GPU", "hip:0");
}
END_TEST

/* What the helper says of an architecture, asking the hiprtc of this machine. */
static void
ask_installed(const char *arch, char *answer, size_t room)
{
    char command[160];
    snprintf(command, sizeof command, "{ \"$ARGAND_HIP_PROBE\" libamdhip64.so.5 --offload-arch=%s; } 2>/dev/null", arch);
    FILE *const said = popen(command, "r");
    ck_assert_ptr_nonnull(said);
    answer[fread(answer, 1, room - 1, said)] = 0;
    pclose(said);
    printf("hiprtc of this machine, %s: %s\n", arch, *answer ? answer : "aborts");
}

START_TEST(installed_hiprtc)
{
    char answer[256];
    if (!is(_i, "hip"))
        return;
    ask_installed("gfx90a", answer, sizeof answer);
    if (strstr(answer, "is no hiprtc")) {
        puts("skip: libamdhip64.so.5 is not installed");
        return;
    }
    ck_assert_str_eq(answer, "ok\n");
    ask_installed("gfx1", answer, sizeof answer);
    ck_assert_str_ne(answer, "ok\n");
}
END_TEST

int
main(void)
{
    const int n = test_devices();
    Suite *suite = suite_create("t1_gpu");
    TCase *tests = tcase_create("gpu");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, limits, 0, n);
    tcase_add_loop_test(tests, tiles, 0, n);
    tcase_add_loop_test(tests, missing_libraries, 0, n);
    tcase_add_loop_test(tests, capabilities, 0, n);
    tcase_add_loop_test(tests, unknown_architecture, 0, n);
    tcase_add_loop_test(tests, installed_hiprtc, 0, n);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
