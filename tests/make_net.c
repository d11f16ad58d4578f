/* SPDX-License-Identifier: BSD-3-Clause */
/* make_net.c -- writes the small checkpoint of the tests:  make_net FILE [TENSOR-LEFT-OUT]
   It is a suite of one test, for what it shares with the others asserts. */
#include <stdio.h>
#include <stdlib.h>

#include "t4.h"

static char path[4096];
static const char *without;

START_TEST(make)
{
    tiny t = {.without = without};
    make_tiny(&t);
    checkpoint_write(&t.file, path);
}
END_TEST

int
main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: make_net FILE [TENSOR]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s%s", argv[1][0] == '/' ? "" : "./", argv[1]);
    without = argv[2];
    Suite *suite = suite_create("make_net");
    TCase *tests = tcase_create("make");
    tcase_add_test(tests, make);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_MINIMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
