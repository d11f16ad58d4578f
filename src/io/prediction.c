/* SPDX-License-Identifier: BSD-3-Clause */
/* prediction.c -- what a net made of a scan, as an HDF5 file; doc/result-file.md has the layout. */
#include "argand_nets.h"
#include "io.h"

#define PATCHES   "entry_1/patches"
#define OBJECT    "entry_1/object"
#define POSITIONS "entry_1/positions"
#define PROCESS   "entry_1/process_1"

static void
write_object(ag_file *file, const ag_prediction *p)
{
    const int64_t shape[2] = {p->object_rows, p->object_cols}, two = 2;
    ag_file_write_group(file, OBJECT, "NXdata");
    ag_file_write_attribute(file, OBJECT, "signal", "data");
    ag_file_write(file, OBJECT "/data", AG_KIND_COMPLEX, 2, shape, p->object);
    ag_file_write(file, OBJECT "/weights", AG_KIND_REAL, 2, shape, p->weights);
    ag_file_write(file, OBJECT "/origin_px", AG_KIND_DOUBLE, 1, &two, p->origin);
    if (p->pixel[0] > 0 && p->pixel[1] > 0) {
        ag_file_write_number(file, OBJECT "/y_pixel_size", p->pixel[0], "m");
        ag_file_write_number(file, OBJECT "/x_pixel_size", p->pixel[1], "m");
    }
}

ag_status
ag_prediction_write(const char *path, const ag_prediction *p, ag_message *message)
{
    ag_file file;
    if (!path || !p || !p->amplitude || !p->phase || !p->position || p->frames < 1 || p->rows < 1 || p->cols < 1)
        return ag_fail(message, AG_BAD_ARGUMENT, "prediction: found no path, patches or positions, expected all");
    const ag_status status = ag_file_create(&file, path, message);
    if (status)
        return status;
    const int64_t shape[3] = {p->frames, p->rows, p->cols};
    const struct {
        const char *field, *text;
    } words[] = {{PROCESS "/program", "argand"},          {PROCESS "/version", p->version},
                 {PROCESS "/device", p->device},          {PROCESS "/architecture", p->architecture},
                 {PROCESS "/model", p->model},            {PROCESS "/source", p->source},
                 {PROCESS "/options", p->options}};
    ag_file_write_entry(&file, p->object ? "object" : "patches");
    ag_file_write_group(&file, PATCHES, "NXdata");
    ag_file_write_attribute(&file, PATCHES, "signal", "phase");
    ag_file_write(&file, PATCHES "/amplitude", AG_KIND_REAL, 3, shape, p->amplitude);
    ag_file_write(&file, PATCHES "/phase", AG_KIND_REAL, 3, shape, p->phase);
    if (p->object)
        write_object(&file, p);
    ag_file_write_group(&file, POSITIONS, "NXcollection");
    ag_file_write(&file, POSITIONS "/centre_px", AG_KIND_DOUBLE, 2, (const int64_t[]){p->frames, 2}, p->position);
    ag_file_write_group(&file, PROCESS, "NXprocess");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ag_file_write_text(&file, words[i].field, words[i].text);
    ag_file_write_number(&file, PROCESS "/run_seconds", p->run_seconds, "s");
    return ag_file_finish(&file);
}
