/* SPDX-License-Identifier: BSD-3-Clause */
/* infer_options.c -- the command line of `argand infer`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer.h"

static const char name[] = "infer";

static const char help[] =
    "Usage: argand infer --model MODEL.safetensors SCAN -o OUT.h5 [OPTIONS]\n"
    "Amplitude and phase of each frame from a trained net, and the object put together from them.\n"
    "The architecture is recognised: Hybrid-ResNet and CNN of PtychoPINN, PtychoNN.\n"
    "\n"
    "  -m, --model FILE         the checkpoint, safetensors (doc/nets.md: from .pth and .ckpt)\n"
    "  -o, --output FILE        the result, HDF5 with CXI names\n"
    "  -d, --device NAME        see argand devices (ARGAND_DEVICE, else the first)\n"
    "      --batch-size N|auto  samples that run at a time (auto); halved where memory does not suffice\n"
    "      --precision P        fp32, fp16 or bf16: how activations are kept (fp32)\n"
    "      --side N             rows and columns of a pattern (what the net was made for)\n"
    "      --contract WHAT      PtychoPINN: the net takes amplitude or counts (amplitude)\n"
    "      --input-scale X      PtychoPINN: factor of the input (N/2 by the root of the mean sum of squares)\n"
    "      --threshold N        PtychoNN: counts below it become 0 (3)\n"
    "      --transform HOW      Hybrid-ResNet: none, sqrt, log1p or norm (none)\n"
    "      --padding HOW        Hybrid-ResNet, encoder: auto, zero or reflect (auto)\n"
    "      --logits             Hybrid-ResNet: the net's answer is amplitude and phase before sigmoid and tanh\n"
    "      --amplitude HOW      PtychoPINN CNN: silu or sigmoid (silu)\n"
    "      --real-imaginary     PtychoPINN CNN: the net's answer is real and imaginary part\n"
    "      --small-probe        PtychoPINN CNN: nothing outside of the central half\n"
    "      --trim N             the central N x N pixels of a patch go into the object (half of them)\n"
    "      --weighting HOW      of a patch's pixels: probe (its intensity, where the scan has one) or uniform\n"
    "                           (probe)\n"
    "      --threads N          of the cpu device (all cores)\n"
    "      --profile            the time of each stage of the net\n"
    "      --png DIR            pictures: object amplitude and phase, first patch\n"
    "      --json FILE          a report; - is the standard output\n"
    "  -q, --quiet              no progress\n"
    "  -h, --help               this text\n"
    "\n";
static const char help_exit[] = "\nExit status: 0 done, 1 failed, 2 the command line is wrong.\n";

enum {
    BATCH = 256,
    PRECISION,
    SIDE,
    CONTRACT,
    SCALE,
    THRESHOLD,
    TRANSFORM,
    PADDING,
    LOGITS,
    AMPLITUDE,
    REAL_IMAGINARY,
    SMALL_PROBE,
    TRIM,
    WEIGHTING,
    THREADS,
    PROFILE,
    PNG,
    JSON
};

static const struct option long_options[] = {{"model", required_argument, NULL, 'm'},
                                             {"output", required_argument, NULL, 'o'},
                                             {"device", required_argument, NULL, 'd'},
                                             {"batch-size", required_argument, NULL, BATCH},
                                             {"precision", required_argument, NULL, PRECISION},
                                             {"side", required_argument, NULL, SIDE},
                                             {"contract", required_argument, NULL, CONTRACT},
                                             {"input-scale", required_argument, NULL, SCALE},
                                             {"threshold", required_argument, NULL, THRESHOLD},
                                             {"transform", required_argument, NULL, TRANSFORM},
                                             {"padding", required_argument, NULL, PADDING},
                                             {"logits", no_argument, NULL, LOGITS},
                                             {"amplitude", required_argument, NULL, AMPLITUDE},
                                             {"real-imaginary", no_argument, NULL, REAL_IMAGINARY},
                                             {"small-probe", no_argument, NULL, SMALL_PROBE},
                                             {"trim", required_argument, NULL, TRIM},
                                             {"weighting", required_argument, NULL, WEIGHTING},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"profile", no_argument, NULL, PROFILE},
                                             {"png", required_argument, NULL, PNG},
                                             {"json", required_argument, NULL, JSON},
                                             {"quiet", no_argument, NULL, 'q'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

const char *const infer_contracts[] = {"amplitude", "counts", NULL};
const char *const infer_transforms[] = {"none", "sqrt", "log1p", "norm", NULL};
const char *const infer_paddings[] = {"auto", "zero", "reflect", NULL};
const char *const infer_amplitudes[] = {"silu", "sigmoid", NULL};
const char *const infer_precisions[] = {"fp32", "fp16", "bf16", NULL};
const char *const infer_weightings[] = {"probe", "uniform", NULL};

static int
take_threads(void)
{
    int64_t threads;
    if (!cmd_integer(name, "--threads", optarg, 1, 4096, &threads))
        return 0;
    setenv("ARGAND_THREADS", optarg, 1);
    return 1;
}

/* 1 when the option is good. */
static int
take(infer *r, int c)
{
    const struct {
        int id;
        const char *option;
        const char *const *words;
        int *value;
    } choice[] = {
        {CONTRACT, "--contract", infer_contracts, &r->contract},
        {TRANSFORM, "--transform", infer_transforms, (int *)&r->options.transform},
        {PADDING, "--padding", infer_paddings, (int *)&r->options.padding},
        {AMPLITUDE, "--amplitude", infer_amplitudes, &r->options.sigmoid},
        {PRECISION, "--precision", infer_precisions, (int *)&r->options.precision},
        {WEIGHTING, "--weighting", infer_weightings, &r->uniform},
    };
    const struct {
        int id;
        const char **value;
    } text[] = {{'m', &r->model}, {'o', &r->output}, {'d', &r->device_name}, {PNG, &r->png}, {JSON, &r->json}};
    const struct {
        int id;
        int *value;
    } flag[] = {{LOGITS, &r->options.logits},
                {REAL_IMAGINARY, &r->options.real_imaginary},
                {SMALL_PROBE, &r->options.small_probe},
                {PROFILE, &r->profile},
                {'q', &r->quiet}};
    for (size_t i = 0; i < sizeof choice / sizeof *choice; i++)
        if (choice[i].id == c)
            return cmd_word(name, choice[i].option, optarg, choice[i].words, choice[i].value);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (text[i].id == c) {
            *text[i].value = optarg;
            return 1;
        }
    for (size_t i = 0; i < sizeof flag / sizeof *flag; i++)
        if (flag[i].id == c) {
            *flag[i].value = 1;
            return 1;
        }
    switch (c) {
    case BATCH:
        r->batch = 0;
        return !strcmp(optarg, "auto") || cmd_integer(name, "--batch-size", optarg, 1, 1 << 20, &r->batch);
    case SIDE:
        if (!cmd_integer(name, "--side", optarg, 4, 16384, &r->options.rows))
            return 0;
        r->options.cols = r->options.rows;
        return 1;
    case SCALE:
        return cmd_real(name, "--input-scale", optarg, 1e-30, 1e30, &r->scale);
    case THRESHOLD:
        return cmd_integer(name, "--threshold", optarg, 0, 1 << 30, &r->threshold);
    case TRIM:
        return cmd_integer(name, "--trim", optarg, 1, 16384, &r->trim);
    case THREADS:
        return take_threads();
    default:
        return cmd_input_is(c) && cmd_input_take(name, c, &r->input);
    }
}

int
infer_parse(infer *r, int argc, char **argv)
{
    const struct option *options = cmd_input_options(long_options);
    for (int c; (c = getopt_long(argc, argv, ":m:o:d:qh", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            fputs(cmd_input_help, stdout);
            fputs(help_exit, stdout);
            return -1;
        }
        if (c == '?' || c == ':')
            return cmd_wrong_option(name, c, argv);
        if (!take(r, c))
            return 2;
    }
    if (!r->model)
        return cmd_usage(name, "--model: found nothing, expected a checkpoint");
    if (!cmd_input_scan(name, argc, argv, &r->input))
        return 2;
    if (r->input.search)
        return cmd_usage(name, "--orientation: found search, expected an orientation (argand info finds it)");
    if (!r->output && !r->png && !r->json && !r->profile)
        return cmd_usage(name, "nothing to leave: give --output, --png, --json or --profile");
    return 0;
}
