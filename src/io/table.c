/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c -- text that is a table of numbers: columns divided by commas, semicolons or blanks, a
   first line of names or not, comments after #.  */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

static const char dividers[] = ",; \t\r";
#define LONGEST_LINE 65536

/* The numbers of a line: how many, -1 when it holds something else. */
static int64_t
numbers(const char *line, double *value, int64_t most)
{
    int64_t n = 0;
    for (const char *at = line + strspn(line, dividers); *at; at += strspn(at, dividers)) {
        char *end;
        const double v = strtod(at, &end);
        if (end == at || (*end && !strchr(dividers, *end)))
            return -1;
        if (n < most)
            value[n] = v;
        n++;
        at = end;
    }
    return n;
}

/* The words of a line, one a line. */
static int64_t
words(const char *line, char *names)
{
    int64_t n = 0;
    for (const char *at = line + strspn(line, dividers); *at; at += strspn(at, dividers)) {
        const size_t length = strcspn(at, dividers);
        sprintf(names + strlen(names), "%s%.*s", n++ ? "\n" : "", (int)length, at);
        at += length;
    }
    return n;
}

/* One line that is not empty; 0 when it is no table. */
static int
take_line(ag_file *file, ag_table *table, const char *line, int64_t number, int64_t *room)
{
    const int64_t n = numbers(line, NULL, 0);
    if (n < 0 && !table->cols && !table->names) {
        table->names = ag_calloc((int64_t)strlen(line) + 2, 1);
        if (table->names)
            words(line, table->names);
        return table->names != NULL;
    }
    if (n < 0) {
        if (table->rows)
            ag_file_refuse(file, "table", "line %lld is \"%.40s\", expected numbers",
                           (long long)number, line);
        return 0;
    }
    if (!table->cols)
        table->cols = n;
    if (n != table->cols) {
        ag_file_refuse(file, "table", "line %lld has %lld numbers, expected %lld",
                       (long long)number, (long long)n, (long long)table->cols);
        return 0;
    }
    if ((table->rows + 1) * n > *room) {
        *room = 2 * (table->rows + 1) * n;
        double *more = realloc(table->value, (size_t)*room * sizeof *more);
        if (!more) {
            ag_file_no_memory(file, "table", *room * 8);
            return 0;
        }
        table->value = more;
    }
    numbers(line, table->value + table->rows++ * n, n);
    return 1;
}

/* Names fit when there is one for each column. */
static void
check_names(ag_table *table)
{
    int64_t lines = 1;
    for (const char *at = table->names; at && *at; at++)
        lines += *at == '\n';
    if (table->names && lines != table->cols) {
        free(table->names);
        table->names = NULL;
    }
}

int
ag_table_read(ag_file *file, FILE *plain, ag_table *table)
{
    int64_t room = 0, number = 0;
    int good = 1;
    char *line = ag_calloc(LONGEST_LINE, 1);
    if (!line)
        ag_file_no_memory(file, "table", LONGEST_LINE);
    while (good && line && fgets(line, LONGEST_LINE, plain)) {
        number++;
        for (const char *at = line; *at; at++)
            good = good && (isspace((unsigned char)*at) || (unsigned char)*at >= ' ');
        line[strcspn(line, "#\n")] = 0;
        if (good && line[strspn(line, dividers)])
            good = take_line(file, table, line, number, &room);
    }
    free(line);
    check_names(table);
    return good && table->rows > 0 && !file->status;
}
