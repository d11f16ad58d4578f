/* SPDX-License-Identifier: BSD-3-Clause */
/* ptychonn.c -- PtychoNN with batch norm (M. J. Cherukara et al., Appl. Phys. Lett. 117, 044103 (2020); as trained in
   github.com/mdw771/probe_position_correction_w_ptychonn): four levels down, one or two decoders up; phase only, or
   amplitude too.  */
#include <stdio.h>

#include "net.h"

static const char *
recognise(const ag_tensors *tensors)
{
    return ag_find_prefix(tensors, "encoder.0.weight");
}

/* conv, batch norm, ReLU twice: tensors first, first + 1, first + 3, first + 4 of a list of layers. */
static ag_image
pair(ag_build *build, ag_image x, const char *list, int first)
{
    for (int at = first; at <= first + 3; at += 3) {
        char name[64];
        const ag_tensor *w = ag_build_look(build, "%s.%d.weight", list, at);
        ag_kernel_weights weights = ag_build_weights(build, ag_extent(w, 4, 0), x.channels, 3, "%s.%d", list, at);
        snprintf(name, sizeof name, "%s.%d", list, at + 1);
        ag_build_fold_norm(build, &weights, name);
        x = ag_layer_conv(build, x, weights, (ag_conv_options){.after = AG_RELU});
    }
    return x;
}

static int
decoder(ag_build *build, ag_image x, const char *list, int levels, int act)
{
    for (int k = 0; k < levels && !build->status; k++) {
        ag_build_stage(build, "%s_%d", list, k);
        x = ag_layer_enlarge(build, pair(build, x, list, 7 * k), 1);
        ag_build_name(build, x, "%s_%d", list, k);
    }
    ag_build_stage(build, "%s_head", list);
    x = ag_layer_conv(build, x, ag_build_weights(build, 1, x.channels, 3, "%s.%d", list, 7 * levels), (ag_conv_options){0});
    return ag_layer_head(build, x, 1, 0, 0, act, (ag_image){.value = -1});
}

static void
make(ag_build *build)
{
    ag_net *net = build->net;
    int levels = 0;
    while (levels < 8 && ag_build_look(build, "encoder.%d.weight", 7 * levels))
        levels++;
    if (ag_extent(ag_build_look(build, "encoder.0.weight"), 4, 1) != 1 || !ag_build_look(build, "encoder.1.running_var") ||
        !ag_build_look(build, "decoder2.0.weight"))
        ag_build_fail(build, AG_BAD_FILE, "looks like PtychoNN, but has no encoder.0.weight of one channel, no "
                      "encoder.1.running_var (batch norm) or no decoder2.0.weight");
    net->info.patches = net->info.answers = 1;
    net->info.rows = net->options.rows ? net->options.rows : 128;
    net->info.cols = net->options.cols ? net->options.cols : 128;
    if (!build->status && (net->info.rows % (1 << levels) || net->info.cols % (1 << levels)))
        ag_build_fail(build, AG_BAD_ARGUMENT, "patterns of %lld x %lld, expected sides that %d divides",
                      (long long)net->info.rows, (long long)net->info.cols, 1 << levels);
    if (build->status)
        return;
    const int amplitude = ag_build_look(build, "decoder1.0.weight") != NULL;
    snprintf(net->architecture, sizeof net->architecture, "PtychoNN, %s", amplitude ? "amplitude and phase" : "phase only");
    ag_build_stage(build, "encoder_0");
    ag_image x = ag_layer_input(build, 1, (int)net->info.rows, (int)net->info.cols);
    for (int k = 0; k < levels && !build->status; k++) {
        ag_build_stage(build, "encoder_%d", k);
        x = ag_layer_pool(build, pair(build, x, "encoder", 7 * k));
        ag_build_name(build, x, "encoder_%d", k);
    }
    if (amplitude)
        net->planes[0] = decoder(build, x, "decoder1", levels, AG_SIGMOID);
    net->planes[1] = decoder(build, x, "decoder2", levels, AG_PI_TANH);
}

const ag_architecture ag_ptychonn = {"PtychoNN", recognise, make};
