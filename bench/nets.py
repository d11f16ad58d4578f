#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Nets on the CPU beside PyTorch, in one process: medians of alternating runs.

    bench/nets.py BUILD_FOLDER [--threads 2] [--repeat 9] [--batches 1,8,16] [--side 128]
                  [--precision fp32] [--layouts A,B] [--stages] [--cpu-time]

needs torch and numpy.  PyTorch runs with its default layout and with channels_last; the ratio is
to the faster of them.  The answers are compared.  --stages: times of each stage, of both.
--cpu-time: seconds of the processor instead of the clock's, for one thread on a busy machine.
"""
import argparse
import ctypes
import json
import os
import statistics
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))


class Options(ctypes.Structure):
    """ag_net_options."""

    _fields_ = [(name, ctypes.c_int64) for name in ("batch", "rows", "cols", "data_rows", "data_cols")]
    _fields_ += [("scale", ctypes.c_double)]
    _fields_ += [(name, ctypes.c_int) for name in ("transform", "padding", "precision", "logits", "sigmoid",
                                                   "real_imaginary", "small_probe")]


class Info(ctypes.Structure):
    """ag_net_info."""

    _fields_ = [("architecture", ctypes.c_char_p)]
    _fields_ += [(name, ctypes.c_int64) for name in ("patches", "answers", "rows", "cols", "batch", "weight_bytes",
                                                     "activation_bytes")]


class Time(ctypes.Structure):
    """ag_net_time."""

    _fields_ = [("stage", ctypes.c_char_p)] + [(name, ctypes.c_double) for name in ("seconds", "conv", "spectral", "other")]


class Net:
    """A net of argand's, from a dictionary of tensors."""

    def __init__(self, library, weights, batch, side, precision):
        self.argand, message = library, ctypes.create_string_buffer(4096)
        self.device, self.net = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options()
        library.ag_net_options_default(ctypes.byref(options))
        options.batch, options.rows, options.cols = batch, side, side
        options.precision = ["fp32", "fp16", "bf16"].index(precision)
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            write_safetensors(file, weights)
            if library.ag_device_open(ctypes.byref(self.device), b"cpu", message) or library.ag_net_create(
                    ctypes.byref(self.net), self.device, file.name.encode(), ctypes.byref(options), message):
                sys.exit(message.raw.split(b"\0")[0].decode())
        self.info = library.ag_net_content(self.net).contents

    def run(self, samples, amplitude, phase):
        pointers = [ctypes.c_void_p(a.data_ptr()) for a in (samples, amplitude, phase)]
        if self.argand.ag_net_run(self.net, ctypes.c_int64(samples.shape[0]), *pointers):
            sys.exit(self.argand.ag_device_message(self.device).decode())

    def times(self):
        room, total = (Time * 256)(), ctypes.c_double()
        count = self.argand.ag_net_times(self.net, ctypes.c_int64(256), room, ctypes.byref(total))
        return {t.stage.decode(): t.seconds for t in room[:count]}

    def close(self):
        self.argand.ag_net_destroy(self.net)
        self.argand.ag_device_close(self.device)


def load_library(build):
    library = ctypes.CDLL(os.path.join(build, ".libs", "libargand.so"))
    library.ag_net_content.restype = ctypes.POINTER(Info)
    library.ag_device_message.restype = ctypes.c_char_p
    library.ag_net_times.restype = ctypes.c_int64
    library.ag_version.restype = ctypes.c_char_p
    for name in ("ag_net_destroy", "ag_device_close", "ag_net_options_default", "ag_net_profile"):
        getattr(library, name).restype = None
    return library


def write_safetensors(file, weights):
    header, data = {}, b""
    for name, tensor in weights.items():
        raw = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    file.write(struct.pack("<Q", len(text)) + text + data)
    file.flush()


def seconds(work, clock):
    begin = clock()
    work()
    return clock() - begin


def laid_out(model, torch):
    """The same model with weights in channels_last."""
    other = type(model).__new__(type(model))
    other.__dict__.update(model.__dict__)
    other.weights = {n: w.contiguous(memory_format=torch.channels_last) if w.dim() == 4 else w
                     for n, w in model.weights.items()}
    return other


def stage_times(model, samples):
    """Seconds of PyTorch's stages."""
    times, last = {}, [time.perf_counter()]

    def mark(stage):
        now = time.perf_counter()
        times[stage], last[0] = now - last[0], now

    model(samples, mark)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--batches", default="1,8,16")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "fp16", "bf16"))
    parser.add_argument("--layouts", default="A,B")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--cpu-time", action="store_true")
    options = parser.parse_args()
    if options.cpu_time and options.threads != 1:
        parser.error("--cpu-time: expected one thread")
    clock = time.process_time if options.cpu_time else time.perf_counter
    os.environ.update(ARGAND_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads),
                      ARGAND_BACKEND_PATH=os.path.join(options.build, ".libs"))
    import torch
    import torch_nets
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    library = load_library(options.build)
    print("argand %s, PyTorch %s, %d threads, %s, medians of %d alternating runs, %s time" % (
        library.ag_version().decode(), torch.__version__, options.threads, options.precision, options.repeat,
        "processor" if options.cpu_time else "clock"))
    print("%-16s %5s %10s %13s %10s %7s %10s" % ("Hybrid-ResNet", "batch", "torch ms", "channels_last", "argand ms",
                                                 "ratio", "difference"))
    for layout in options.layouts.split(","):
        model = torch_nets.HybridResNet(layout == "B")
        last = laid_out(model, torch)
        for batch in map(int, options.batches.split(",")):
            samples = torch.rand(batch, model.patches, options.side, options.side)
            samples_last = samples.contiguous(memory_format=torch.channels_last)
            amplitude, phase = torch.empty_like(samples), torch.empty_like(samples)
            net = Net(library, model.weights, batch, options.side, options.precision)
            net.run(samples, amplitude, phase)
            expected = torch.polar(*model.parts(samples, options.side))
            difference = (torch.polar(amplitude, phase) - expected).norm() / expected.norm()
            taken = [[], [], []]
            for _ in range(options.repeat):
                for k, work in enumerate((lambda: model(samples), lambda: last(samples_last),
                                          lambda: net.run(samples, amplitude, phase))):
                    time.sleep(0.05)  # until the threads of the one before no longer spin
                    taken[k].append(1e3 * seconds(work, clock))
            plain, channels, own = map(statistics.median, taken)
            print("layout %-9s %5d %10.1f %13.1f %10.1f %7.2f %10.1e" % (
                layout, batch, plain, channels, own, min(plain, channels) / own, difference), flush=True)
            if options.stages:
                print_stages(library, net, model, samples, (amplitude, phase), options.repeat)
            net.close()


def print_stages(library, net, model, samples, answer, repeat):
    theirs, ours = [], []
    for _ in range(repeat):
        theirs.append(stage_times(model, samples))
        library.ag_net_profile(net.net, 1)
        net.run(samples, *answer)
        ours.append(net.times())
    library.ag_net_profile(net.net, 0)
    print("    weights %.1f MB, activations %.1f MB" % (net.info.weight_bytes * 1e-6, net.info.activation_bytes * 1e-6))
    for stage in ours[0]:
        own = 1e3 * statistics.median(t[stage] for t in ours)
        peer = 1e3 * statistics.median(t[stage] for t in theirs) if stage in theirs[0] else float("nan")
        print("    %-16s %10.2f ms, PyTorch %10.2f ms, %6.2f times" % (stage, own, peer, peer / own if own else 0), flush=True)


main()
