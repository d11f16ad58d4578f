/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu_graph.c -- recorded launches as the driver's graphs. */
#include <stdlib.h>

#include "gpu.h"

struct ag_tape {
    void *exec;
};

static ag_status
record_begin(gpu_handle *gpu, ag_tape **tape)
{
    ag_tape *made = calloc(1, sizeof *made);
    if (!made)
        return gpu->base.host->fail(gpu->base.message, AG_NO_MEMORY, "recording: out of host memory");
    const int error = gpu->driver.capture_begin(gpu->lane[AG_LANE_COMPUTE].stream, GPU_CAPTURE_RELAXED);
    gpu->recording = !error;
    if (error)
        free(made);
    else
        *tape = made;
    return gpu_check(gpu, AG_DEVICE_ERROR, "recording", error);
}

static ag_status
record_end(gpu_handle *gpu, ag_tape *tape)
{
    void *graph = NULL;
    if (!gpu->recording)
        return AG_OK;
    gpu->recording = 0;
    int error = gpu->driver.capture_end(gpu->lane[AG_LANE_COMPUTE].stream, &graph);
    if (!error)
        error = gpu->driver.graph_instantiate(&tape->exec, graph, 0);
    if (graph)
        gpu->driver.graph_destroy(graph);
    return gpu_check(gpu, AG_DEVICE_ERROR, "recording", error);
}

ag_status
gpu_record(ag_handle *handle, int what, ag_tape **tape)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    const ag_status status = gpu_enter(gpu);
    if (status)
        return status;
    return what == AG_RECORD_BEGIN ? record_begin(gpu, tape) : record_end(gpu, *tape);
}

ag_status
gpu_replay(ag_handle *handle, ag_tape *tape, int again)
{
    gpu_handle *gpu = (gpu_handle *)handle;
    void *stream = gpu->lane[AG_LANE_COMPUTE].stream;
    const ag_status status = gpu_enter(gpu);
    if (again)
        return status ? status : gpu_check(gpu, AG_DEVICE_ERROR, "replaying", gpu->driver.graph_launch(tape->exec, stream));
    if (tape->exec) {
        gpu->driver.stream_synchronize(stream);
        gpu->driver.exec_destroy(tape->exec);
    }
    free(tape);
    return AG_OK;
}
