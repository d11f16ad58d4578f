/* SPDX-License-Identifier: BSD-3-Clause */
/* hdf5.h -- what the files that read HDF5 share. */
#ifndef AG_HDF5_H
#define AG_HDF5_H

#include "io.h"

/* Opens a dataset and takes its shape, refusing what no array can have; -1 then. */
hid_t ag_hdf5_field(ag_file *file, const char *field, int *rank, int64_t shape[AG_FILE_RANK],
                    int64_t *count);
/* Refuses what cannot be read (hdf5_check.c). */
void ag_hdf5_check(ag_file *file, const char *field, hid_t id, int64_t count);

#endif
