/* SPDX-License-Identifier: BSD-3-Clause */
/* t1_plans.c -- how transforms are planned, and the disk cache of built kernels. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "t1.h"
#include "device.h"
#include "kernels.h"

#define PI 3.14159265358979323846

static int
smooth(int n)
{
    for (int p = 2; p <= 7; p++)
        while (n % p == 0)
            n /= p;
    return n == 1;
}

/* Every length up to 1100 and some large ones. */
static int
length_at(int i)
{
    static const int large[] = {2187, 2401, 3125, 4093,  4096,  5040,
                                8191, 8192, 9973, 14406, 16381, 16384};
    return i < 1099 ? i + 2 : i - 1099 < (int)(sizeof large / sizeof *large) ? large[i - 1099] : 0;
}

START_TEST(test_axes)
{
    static char seen[1 << 16];
    for (int i = 0, n; (n = length_at(i)); i++) {
        ag_axis axis;
        int product = 1;
        ag_axis_choose(&axis, n, 3 + n % 2, n % 3);
        ck_assert_int_eq(axis.length, n);
        ck_assert_int_le(axis.stages, AG_MAX_STAGES);
        for (int s = 0; s < axis.stages; s++) {
            const int r = axis.radix[s];
            ck_assert(r == 2 || r == 3 || r == 4 || r == 5 || r == 7 || r == 8 || r == 16);
            product *= r;
        }
        ck_assert_int_eq(product, axis.points);
        ck_assert(smooth(axis.points));
        ck_assert(smooth(n) ? axis.points == n && !axis.chirp
                            : axis.points >= 2 * n - 1 && axis.chirp >= axis.points);
        memset(seen, 0, (size_t)n);
        for (int p = 0; p < n; p++) {
            const int k = ag_axis_frequency(&axis, p);
            ck_assert_msg(k >= 0 && k < n && !seen[k], "length %d: frequency %d at position %d", n,
                          k, p);
            seen[k] = 1;
        }
        ck_assert_int_eq(ag_axis_frequency(&axis, 0), 0);
        const int64_t least = axis.chirp ? (int64_t)2 * axis.points + n : axis.points;
        ck_assert_int_ge(ag_axis_table_size(&axis), least - 1);
    }
}
END_TEST

/* Each twiddle factor and chirp has modulus 1; the first stage turns by n k / points. */
START_TEST(test_tables)
{
    static const int lengths[] = {2, 12, 16, 97, 100, 131, 256};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ag_axis axis;
        ag_axis_choose(&axis, lengths[i], 4, 0);
        ag_complex *const table = ag_calloc(ag_axis_table_size(&axis), sizeof *table);
        ck_assert_ptr_nonnull(table);
        ck_assert_int_eq(ag_axis_table(&axis, table), AG_OK);
        for (int k = 0; k < axis.points - 1; k++)
            ck_assert_double_eq_tol(hypot((double)table[k].re, (double)table[k].im), 1, 1e-6);
        const int r = axis.radix[0], m = axis.points / r;
        for (int n = 0; n < m; n++)
            for (int k = 1; k < r; k++) {
                const double angle = -2 * PI * n * k / axis.points;
                ck_assert_double_eq_tol((double)table[n * (r - 1) + k - 1].re, cos(angle), 1e-6);
                ck_assert_double_eq_tol((double)table[n * (r - 1) + k - 1].im, sin(angle), 1e-6);
            }
        for (int n = 0; n < axis.length && axis.chirp; n++)
            ck_assert_double_eq_tol((double)table[axis.chirp + n].re, cos(PI * n * n / axis.length),
                                    1e-6);
        free(table);
    }
}
END_TEST

START_TEST(test_shapes)
{
    ag_plan a, b;
    ag_message message;
    const ag_room gpu = {16, 256, 8, 32768, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL};
    static const int64_t bad[][2] = {{1, 8}, {8, 1}, {0, 8}, {-4, 8}, {16385, 8}, {8, 16385}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ag_plan_shape(&a, &gpu, bad[i][0], bad[i][1], 0, &message),
                         AG_BAD_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(message.text, "expected 2 to 16384"));
    }
    ck_assert_int_eq(ag_plan_shape(&a, &gpu, 128, 100, 1, &message), AG_OK);
    ck_assert_int_eq(ag_plan_shape(&b, &gpu, 128, 100, 1, &message), AG_OK);
    ck_assert_str_eq(a.id, b.id);
    ck_assert_str_eq(a.id, "passes3 rows 128=16.8 cols 100=4.5.5 tile 16");
    ck_assert(a.shape.strips_x == 7 && a.shape.strips_y == 8 && a.shape.linear && !a.shape.spill &&
              !a.spill);
    ck_assert_int_eq(a.scratch, 8 * 100 * 2 * 16);
    ck_assert_int_eq(a.amplitude, 8 * 100 * 16);
    /* A whole frame: in registers where the table's radices are, else in local memory where there is room. */
    const ag_room little = {16, 256, 8, 65536, INT64_MAX, INT64_MAX, NULL, 512, 0, NULL};
    const ag_room much = {16, 256, 8, 232448, INT64_MAX, INT64_MAX, NULL, 256, 0, NULL};
    ck_assert_int_eq(ag_plan_shape(&b, &little, 128, 128, 0, &message), AG_OK);
    ck_assert_str_eq(b.id, "passes1 registers rows 128=16.8 cols 128=16.8 tile 16");
    ck_assert(b.shape.whole == 2 && ag_axis_table_size(&b.shape.x) == 256);
    ck_assert_int_eq(ag_plan_read(&b, &little, "passes1 registers rows 128=16.8 cols 128=16.8 tile 8", &message), AG_OK);
    ck_assert_int_eq(ag_plan_read(&b, &little, "passes1 registers rows 128=8.16 cols 128=16.8 tile 16", &message), AG_BAD_ARGUMENT);
    ag_plan_in_passes(&b);
    ck_assert(!b.shape.whole && !b.shape.y.turns && !strncmp(b.id, "passes3 rows 128=8.16", 21));
    ck_assert_int_eq(ag_plan_shape(&b, &much, 128, 128, 0, &message), AG_OK); /* its groups are too small */
    ck_assert_str_eq(b.id, "passes1 rows 128=16.8 cols 128=16.8 tile 16");
    ck_assert_int_eq(ag_plan_read(&b, &much, "passes1 registers rows 64=8.8 cols 64=8.8 tile 16", &message), AG_OK);
    ck_assert_int_eq(ag_plan_read(&b, &much, "passes1 rows 64=8.8 cols 64=8.8 tile 16", &message), AG_OK);
    ck_assert_int_eq(ag_plan_shape(&b, &gpu, 131, 512, 0, &message), AG_OK);
    ck_assert_str_eq(b.id, "passes3 rows 131b=2.5.3.3.3 cols 512=8.8.8 tile 4");
    ck_assert_int_eq(ag_plan_shape(&b, &gpu, 16384, 2, 0, &message), AG_OK);
    ck_assert(b.shape.spill && b.spill >= 2 * 16 * (int64_t)16384 && strstr(b.id, " spill"));
    /* On a processor Bluestein's points are the cheapest, not the fewest. */
    const ag_room cpu = {8, 1, 8, INT64_MAX, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL};
    ck_assert_int_eq(ag_plan_shape(&b, &cpu, 131, 251, 0, &message), AG_OK);
    ck_assert_str_eq(b.id, "passes3 rows 131b=7.5.8 cols 251b=8.8.8 tile 8");
    /* An id has room for the longest lists of radices. */
    ck_assert_int_eq(ag_plan_shape(&b, &gpu, 16381, 16381, 0, &message), AG_OK);
    ck_assert(strlen(b.id) < sizeof b.id - 1 && strstr(b.id, " spill"));
}
END_TEST

/* An id read is the plan that it names, whatever the order of its radices. */
START_TEST(test_ids)
{
    const ag_room room[] = {{16, 256, 8, 32768, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL},
                            {16, 256, 8, 232448, INT64_MAX, INT64_MAX, NULL, 512, 0, NULL},
                            {8, 1, 8, INT64_MAX, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL}};
    static const int sizes[][2] = {{128, 100}, {131, 512}, {16384, 2}, {16381, 97}, {80, 112}, {64, 64}};
    static ag_axis list[64];
    ag_message message;
    for (size_t k = 0; k < sizeof room / sizeof *room; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            ag_plan usual, plan, again;
            ck_assert_int_eq(ag_plan_shape(&usual, &room[k], sizes[i][0], sizes[i][1], 0, &message), AG_OK);
            const int n = ag_axis_orders(list, 64, &usual.shape.y);
            ck_assert(n >= 1 && n <= 64 && !memcmp(list, &usual.shape.y, sizeof *list));
            ck_assert(n > 1 || sizes[i][0] == 16384);
            for (int j = 0; j < n; j++) {
                for (int other = 0; other < j; other++)
                    ck_assert(memcmp(&list[j], &list[other], sizeof *list) != 0);
                plan = usual;
                plan.shape.y = list[j];
                ag_plan_settle(&plan, &room[k]);
                ck_assert_msg(ag_plan_read(&again, &room[k], plan.id, &message) == AG_OK, "%s: %s", plan.id, message.text);
                ck_assert_str_eq(again.id, plan.id);
                ck_assert_msg(!memcmp(&again.shape, &plan.shape, sizeof plan.shape), "%s: another shape", plan.id);
                ck_assert(again.spill == plan.spill && again.scratch == plan.scratch && again.tops == plan.tops &&
                          again.amplitude == plan.amplitude);
                ag_room wish = room[k];
                wish.plan = plan.id;
                ck_assert_int_eq(ag_plan_shape(&again, &wish, sizes[i][0], sizes[i][1], 1, &message), AG_OK);
                ck_assert(again.shape.linear && !strcmp(again.id, plan.id));
                ck_assert_int_eq(ag_plan_shape(&again, &wish, 12, 20, 0, &message), AG_OK);
                ck_assert_ptr_nonnull(strstr(again.id, " rows 12=4.3 cols 20=4.5 "));
            }
        }
}
END_TEST

/* What anybody may write in place of an id: where it is wrong, what was found and what was expected. */
START_TEST(test_bad_ids)
{
    static const struct {
        const char *id, *words;
    } bad[] = {
        {"", "found \"\", expected passes1 or passes3"},
        {"passes2 rows 8=8 cols 8=8 tile 8", "found \"passes2 rows 8=8 cols 8=\", expected passes1"},
        {"passes3 Rows 8=8 cols 8=8 tile 8", "found the byte 82"},
        {"passes3 rows 8=8\ncols 8=8 tile 8", "found the byte 10"},
        {"passes3 cols 8=8 rows 8=8 tile 8", "expected \" rows \""},
        {"passes3 rows 8=8 tile 8", "expected \" cols \""},
        {"passes3 rows 8=8 cols 8=8", "found \"\", expected \" tile \""},
        {"passes3 rows 1=1 cols 8=8 tile 8", "rows: found 1 pixels, expected 2 to 16384"},
        {"passes3 rows =8 cols 8=8 tile 8", "rows: found 0 pixels"},
        {"passes3 rows 8=8 cols 16385=8 tile 8", "cols: found 16385 pixels"},
        {"passes3 rows 99999999999999999999=8 cols 8=8 tile 8", "rows: found 0 pixels"},
        {"passes3 rows 8=8 cols 12=2.6 tile 8", "cols: found a radix of 6, expected 2, 3, 4, 5, 7, 8 or 16"},
        {"passes3 rows 8=8 cols 8=8. tile 8", "cols: found a radix of 0"},
        {"passes3 rows 8=8 cols 8=8.1 tile 8", "cols: found a radix of 1"},
        {"passes3 rows 8=8 cols 16=2.4 tile 8", "cols: found radices whose product is 8, expected 16"},
        {"passes3 rows 8 cols 16=16 tile 8", "rows: found radices whose product is 1, expected 8"},
        {"passes3 rows 8=2.2.2.2.2.2.2.2.2.2.2.2.2 cols 8=8 tile 8", "rows: found more than 12 radices"},
        {"passes3 rows 8=16.16.16.16.16.16.16.16.16.16.16.16 cols 8=8 tile 8", "whose product is 281474976710656, expected 8"},
        {"passes3 rows 8b=16 cols 8=8 tile 8", "rows: found 8b, expected 8"},
        {"passes3 rows 11=16 cols 8=8 tile 8", "rows: found 11, expected 11b"},
        {"passes3 rows 11b=4.5 cols 8=8 tile 8", "rows: found radices whose product is 20, expected 21 to twice that"},
        {"passes3 rows 11b=5.3.3 cols 8=8 tile 8", "rows: found radices whose product is 45"},
        {"passes3 rows 8=8 cols 8=8 tile 16", "tile: found 16 columns, expected 8 on this device"},
        {"passes3 rows 8=8 cols 8=8 tile 8 spill", "spill\", expected \"passes3 rows 8=8 cols 8=8 tile 8\" on this device"},
        {"passes1 rows 8=8 cols 8=8 tile 8", "found \"passes1"},
        {"passes3 rows 08=8 cols 8=8 tile 8", "rows 08=8"},
        {"passes3 rows 8=8 cols 8=8 tile 8 ", "expected \"passes3"},
    };
    const ag_room room = {8, 1, 8, 1 << 20, INT64_MAX, INT64_MAX, NULL, 0, 0, NULL};
    const ag_room gpu = {16, 256, 8, 32768, INT64_MAX, INT64_MAX, NULL, 256, 0, NULL};
    char text[400];
    ag_message message;
    ag_plan plan;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ag_plan_read(&plan, &room, bad[i].id, &message), AG_BAD_ARGUMENT);
        ck_assert_msg(!strncmp(message.text, "plan", 4) && strstr(message.text, bad[i].words), "%s: %s", bad[i].id, message.text);
    }
    memset(text, 'p', sizeof text - 1);
    text[sizeof text - 1] = 0;
    ck_assert_int_eq(ag_plan_read(&plan, &room, text, &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "found 399 characters, expected at most 159"));
    /* A tile halves; what it needs of local memory follows. */
    ck_assert_int_eq(ag_plan_read(&plan, &gpu, "passes3 rows 8=8 cols 8=8 tile 12", &message), AG_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(message.text, "found 12 columns, expected 16, or that halved down to 4, on this device"));
    ck_assert_int_eq(ag_plan_read(&plan, &gpu, "passes1 rows 8=8 cols 8=8 tile 4", &message), AG_OK);
    ck_assert_int_eq(ag_plan_read(&plan, &gpu, "passes1 rows 512=8.8.8 cols 8=8 tile 4", &message), AG_BAD_ARGUMENT);
    ck_assert_int_eq(ag_plan_read(&plan, &gpu, "passes3 rows 512=8.8.8 cols 8=8 tile 16", &message), AG_BAD_ARGUMENT);
    ck_assert_int_eq(ag_plan_read(&plan, &gpu, "passes3 rows 512=8.8.8 cols 8=8 tile 16 spill", &message), AG_OK);

    ag_device *const d = test_open(0);
    ck_assert_int_eq(ag_device_plan(d, "passes3", &message), AG_BAD_ARGUMENT);
    ck_assert_int_eq(ag_device_status(d), AG_OK);
    ck_assert_int_eq(ag_device_plan(d, NULL, NULL), AG_OK);
    ag_device_close(d);
}
END_TEST

/* ---- the cache --------------------------------------------------------------------------- */

/* Files below `folder'/argand; the path of the largest, a kernel: a backend may keep small notes
   beside it, such as which architectures its compiler knows. */
static int
cache_files(const char *folder, char *path, size_t room)
{
    char name[4096], one[4400];
    int count = 0;
    off_t most = -1;
    snprintf(name, sizeof name, "%s/argand", folder);
    DIR *const list = opendir(name);
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (entry->d_name[0] != '.') {
            struct stat info;
            snprintf(one, sizeof one, "%s/%.250s", name, entry->d_name);
            ck_assert_int_eq(stat(one, &info), 0);
            if (info.st_size > most)
                snprintf(path, room, "%s", one);
            most = info.st_size > most ? info.st_size : most;
            count++;
        }
    if (list)
        closedir(list);
    return count;
}

static int
hit(const char *key, const char *content)
{
    size_t bytes = 0;
    char *const found = ag_cache_get(key, &bytes);
    const int same = found && bytes == strlen(content) && !memcmp(found, content, bytes);
    ck_assert(!found || same);
    free(found);
    return same;
}

/* Adds one to a byte; at -1 cuts the file's last byte off. */
static void
damage(const char *path, long at)
{
    char content[4096];
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t n = fread(content, 1, sizeof content, file);
    fclose(file);
    if (at < 0)
        n--;
    else
        content[at]++;
    file = fopen(path, "wb");
    fwrite(content, 1, n, file);
    fclose(file);
}

START_TEST(test_cache)
{
    char path[4400], other[4400];
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", new_folder());
    setenv("XDG_CACHE_HOME", folder, 1);
    ck_assert(!hit("key", "content"));
    ag_cache_put("key", "content", 7);
    ck_assert(hit("key", "content") && !hit("kez", "content"));
    ag_cache_put("key", "new", 3);
    ck_assert(hit("key", "new"));
    ck_assert_int_eq(cache_files(folder, path, sizeof path), 1); /* and nothing temporary */

    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    for (long at = -1; at < (long)info.st_size; at++) { /* any damage is a miss */
        ag_cache_put("key", "new", 3);
        damage(path, at);
        ck_assert_msg(!hit("key", "new"), "a cached file with byte %ld changed is used", at);
    }
    ag_cache_put("key", "new", 3);
    ck_assert(hit("key", "new"));

    /* A file under another key's name is a miss. */
    setenv("XDG_CACHE_HOME", new_folder(), 1);
    ag_cache_put("kez", "other", 5);
    ck_assert_int_eq(cache_files(getenv("XDG_CACHE_HOME"), other, sizeof other), 1);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert(!hit("kez", "new"));
}
END_TEST

/* No folder, one that cannot be made, one that is a file: no cache, no failure. */
START_TEST(test_no_cache)
{
    char home[4096];
    snprintf(home, sizeof home, "%s", new_folder());
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", home, 1);
    ag_cache_put("key", "content", 7);
    ck_assert(hit("key", "content")); /* ~/.cache is made */
    setenv("XDG_CACHE_HOME", "relative", 1);
    ck_assert(hit("key", "content")); /* only an absolute one counts */
    unsetenv("HOME");
    ag_cache_put("key", "content", 7);
    ck_assert(!hit("key", "content"));
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    ag_cache_put("key", "content", 7);
    ck_assert(!hit("key", "content"));
    setenv("XDG_CACHE_HOME", "/nowhere/at/all", 1);
    ag_cache_put("key", "content", 7);
    ck_assert(!hit("key", "content"));
}
END_TEST

static void
build_and_run(int device)
{
    ag_device *const d = test_open(device);
    ag_plan plan;
    const int list[] = {AG_KERNEL_maximum};
    const ag_real value[3] = {1, 7, 2};
    ag_real found = 0;
    ck_assert_int_eq(ag_plan_create(&plan, d, 8, 8, 0, NULL), AG_OK);
    ag_program *const program = ag_program_create(d, &plan.shape, 1, list);
    ck_assert_msg(program != NULL, "%s", ag_device_message(d));
    ag_array *const v = ag_new_from(d, AG_REAL, 3, value, "v");
    ag_array *const top = ag_new(d, AG_REAL, 1, "t");
    ag_run_maximum(program, 1, top, v, 3);
    ck_assert_int_eq(ag_array_read(top, 0, 1, &found), AG_OK);
    ck_assert(found == 7);
    ag_array_destroy(v);
    ag_array_destroy(top);
    ag_program_destroy(program);
    ag_plan_destroy(&plan);
    ag_device_close(d);
}

/* A device that builds kernels leaves a file; a damaged one is built again, and replaced. */
START_TEST(test_rebuilt)
{
    char folder[4096], path[4400];
    snprintf(folder, sizeof folder, "%s", new_folder());
    setenv("XDG_CACHE_HOME", folder, 1);
    build_and_run(_i);
    if (!cache_files(folder, path, sizeof path))
        return; /* such as cpu, which builds nothing */
    struct stat info;
    build_and_run(_i);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs("nonsense", file);
    fclose(file);
    build_and_run(_i);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_gt(info.st_size, 100);
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    build_and_run(_i);
}
END_TEST

void
add_plans(Suite *suite)
{
    TCase *plans = tcase_create("plans");
    tcase_set_timeout(plans, 60);
    tcase_add_test(plans, test_axes);
    tcase_add_test(plans, test_tables);
    tcase_add_test(plans, test_shapes);
    tcase_add_test(plans, test_ids);
    tcase_add_test(plans, test_bad_ids);
    suite_add_tcase(suite, plans);
}

void
add_cache(Suite *suite)
{
    TCase *cache = tcase_create("cache");
    tcase_set_timeout(cache, 120);
    tcase_add_test(cache, test_cache);
    tcase_add_test(cache, test_no_cache);
    tcase_add_loop_test(cache, test_rebuilt, 0, test_devices());
    suite_add_tcase(suite, cache);
}
