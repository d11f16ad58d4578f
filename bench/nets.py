#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Nets beside PyTorch, in one process: medians of alternating runs.

    bench/nets.py BUILD_FOLDER [--device cpu] [--nets A,B,CNN] [--batches 1,8,16] [--side 0]
                  [--precision fp32] [--threads 2] [--repeat 9] [--warm 0] [--stages] [--cpu-time]
                  [--costs 67,3.35]

needs numpy; without torch argand runs alone.  A and B: default Hybrid-ResNet, N = 128, four
patterns; CNN: PtychoPINN's, N = 64, one pattern, batches 1 and 32.  On the CPU PyTorch runs with its
default layout and with channels_last, on a GPU (TF32 off, from and to the host's memory, as
argand) also through torch.compile, in 16 bits by autocast; the ratio is to the fastest of them.
The answers are compared.  Before its turn each sleeps 50 ms and makes as many runs as --warm says, 0:
as one that comes now and then, 5: as in a stream.  --stages: times of each stage, of both.  --cpu-time: seconds of the
processor instead of the clock's, for one thread on a busy machine.  --costs: what the stages move and
compute by the kernels' COST, and the least time that takes at so many TFLOP/s and TB/s.
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

import numpy

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


class Timing(ctypes.Structure):
    """ag_timing."""

    _fields_ = [("kernel", ctypes.c_char_p), ("step", ctypes.c_char_p)]
    _fields_ += [(name, ctypes.c_double) for name in ("seconds", "bytes", "flops")]


Sink = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Timing))


class Net:
    """A net of argand's, from a dictionary of tensors."""

    def __init__(self, library, device, weights, batch, side, precision):
        self.argand, message = library, ctypes.create_string_buffer(4096)
        self.device, self.net = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options()
        library.ag_net_options_default(ctypes.byref(options))
        options.batch, options.rows, options.cols = batch, side, side
        options.precision = ["fp32", "fp16", "bf16"].index(precision)
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            write_safetensors(file, weights)
            if library.ag_device_open(ctypes.byref(self.device), device.encode(), message) or library.ag_net_create(
                    ctypes.byref(self.net), self.device, file.name.encode(), ctypes.byref(options), message):
                sys.exit(message.raw.split(b"\0")[0].decode())
        self.info = library.ag_net_content(self.net).contents

    def run(self, samples, amplitude, phase):
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (samples, amplitude, phase)]
        if self.argand.ag_net_run(self.net, ctypes.c_int64(samples.shape[0]), *pointers):
            sys.exit(self.argand.ag_device_message(self.device).decode())

    def times(self):
        room, total = (Time * 256)(), ctypes.c_double()
        count = self.argand.ag_net_times(self.net, ctypes.c_int64(256), room, ctypes.byref(total))
        return {t.stage.decode(): t.seconds for t in room[:count]}

    def launches(self, *arrays):
        """Each launch of a run: stage, kernel, bytes, flops."""
        found = []

        def take(_, timing):
            t = timing.contents
            found.append((t.step.decode(), t.kernel.decode(), t.bytes, t.flops))

        sink = Sink(take)
        self.argand.ag_device_profile(self.device, sink, None)
        self.run(*arrays)
        self.argand.ag_device_profile(self.device, ctypes.cast(None, Sink), None)
        return found

    def close(self):
        self.argand.ag_net_destroy(self.net)
        self.argand.ag_device_close(self.device)


def load_library(build):
    library = ctypes.CDLL(os.path.join(build, ".libs", "libargand.so"))
    library.ag_net_content.restype = ctypes.POINTER(Info)
    library.ag_device_message.restype = ctypes.c_char_p
    library.ag_net_times.restype = ctypes.c_int64
    library.ag_version.restype = ctypes.c_char_p
    for name in ("ag_net_destroy", "ag_device_close", "ag_net_options_default", "ag_net_profile", "ag_device_profile"):
        getattr(library, name).restype = None
    return library


def write_safetensors(file, weights):
    header, data = {}, b""
    for name, tensor in weights.items():
        raw = tensor.tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    file.write(struct.pack("<Q", len(text)) + text + data)
    file.flush()


def seconds(work, clock):
    begin = clock()
    work()
    return clock() - begin


def peers(torch, model, options, place):
    """PyTorch's ways to run the net: name, and a function from samples to the answer."""
    def way(function, **layout):
        def run(samples):
            with torch.autocast(place, getattr(torch, kind), enabled=kind != "float32"):
                return function(torch.from_numpy(samples).to(place, **layout)).to("cpu", torch.float32)
        return run

    kind = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}[options.precision if place != "cpu" else "fp32"]
    plain, last = model.place(place), model.place(place, True)
    layout = {"memory_format": torch.channels_last}
    ways = {"torch": way(plain), "channels_last": way(last, **layout)}
    if place != "cpu":
        ways["compiled"] = way(torch.compile(plain.__call__))
        ways["both"] = way(torch.compile(last.__call__), **layout)
    return ways, plain


def stage_times(torch, model, samples, place):
    """Seconds of PyTorch's stages."""
    times, last = {}, [time.perf_counter()]

    def mark(stage):
        if place != "cpu":
            torch.cuda.synchronize()
        now = time.perf_counter()
        times[stage], last[0] = now - last[0], now

    model(torch.from_numpy(samples).to(place), mark)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--nets", default="A,B,CNN")
    parser.add_argument("--batches")
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "fp16", "bf16"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--warm", type=int, default=0)
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--costs")
    options = parser.parse_args()
    if options.cpu_time and options.threads != 1:
        parser.error("--cpu-time: expected one thread")
    os.environ.update(ARGAND_THREADS=str(options.threads), OMP_NUM_THREADS=str(options.threads))
    os.environ.setdefault("ARGAND_BACKEND_PATH", os.path.join(options.build, ".libs"))
    import torch_nets
    torch, place = torch_nets.torch, "cpu"
    if torch:
        torch.set_num_threads(options.threads)
        torch.set_grad_enabled(False)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        if options.device != "cpu":
            place = "cuda" if torch.cuda.is_available() else None
    library = load_library(options.build)
    print("argand %s on %s, %s, %d threads, %s, medians of %d alternating runs, %s time" % (
        library.ag_version().decode(), options.device, "PyTorch " + torch.__version__ if torch and place else "no PyTorch",
        options.threads, options.precision, options.repeat, "processor" if options.cpu_time else "clock"))
    for name in options.nets.split(","):
        model = torch_nets.Cnn() if name == "CNN" else torch_nets.HybridResNet(name == "B")
        ways, plain = peers(torch, model, options, place) if torch and place else ({}, None)
        for batch in map(int, (options.batches or ("1,32" if name == "CNN" else "1,8,16")).split(",")):
            compare(library, torch, name, model, batch, options, ways, plain, place)


def compare(library, torch, name, model, batch, options, ways, plain, place):
    clock = time.process_time if options.cpu_time else time.perf_counter
    side = options.side or model.side
    samples = numpy.random.default_rng(batch).random((batch, model.patches, side, side), numpy.float32)
    answer = numpy.empty_like(samples), numpy.empty_like(samples)
    net = Net(library, options.device, model.arrays, batch, side, options.precision)
    net.run(samples, *answer)
    own = [lambda: net.run(samples, *answer)]
    taken = [[] for _ in list(ways) + own]
    for way in ways.values():
        way(samples)
    for _ in range(options.repeat):
        for k, work in enumerate([lambda way=way: way(samples) for way in ways.values()] + own):
            time.sleep(0.05)  # until the threads of the one before no longer spin
            for _ in range(options.warm):
                work()
            taken[k].append(1e3 * seconds(work, clock))
    medians = list(map(statistics.median, taken))
    print("%-4s batch %3d: argand %8.2f ms" % (name, batch, medians[-1]), end="")
    for way, milliseconds in zip(ways, medians):
        print(", %s %8.2f" % (way, milliseconds), end="")
    if ways:
        amplitude, phase = (part.numpy() for part in model.parts(ways["torch"](samples)))
        expected, found = amplitude * numpy.exp(1j * phase), answer[0] * numpy.exp(1j * answer[1])
        print(": %.2f times, difference %.1e" % (
            min(medians[:-1]) / medians[-1], numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)), end="")
    print(flush=True)
    if options.stages:
        print_stages(library, torch, net, plain, samples, answer, options.repeat, place)
    if options.costs:
        print_costs(net.launches(samples, *answer), *(1e12 * float(x) for x in options.costs.split(",")))
    net.close()


def print_costs(launches, flops_a_second, bytes_a_second):
    for k, what in ((0, "stage"), (1, "kernel")):
        print("    %-16s %8s %10s %10s %10s" % (what, "launches", "MB", "GFLOP", "floor, us"))
        rows = {name: [l for l in launches if l[k] == name] for name in dict.fromkeys(l[k] for l in launches)}
        for name, row in list(rows.items()) + [("all", launches)]:
            least = sum(max(l[2] / bytes_a_second, l[3] / flops_a_second) for l in row)
            print("    %-16s %8d %10.1f %10.3f %10.1f" % (name, len(row), 1e-6 * sum(l[2] for l in row),
                                                         1e-9 * sum(l[3] for l in row), 1e6 * least))


def print_stages(library, torch, net, plain, samples, answer, repeat, place):
    theirs, ours = [], []
    for _ in range(repeat):
        theirs.append(stage_times(torch, plain, samples, place) if plain else {})
        library.ag_net_profile(net.net, 1)
        net.run(samples, *answer)
        ours.append(net.times())
    library.ag_net_profile(net.net, 0)
    print("    weights %.1f MB, activations %.1f MB" % (net.info.weight_bytes * 1e-6, net.info.activation_bytes * 1e-6))
    for stage in ours[0]:
        own = 1e3 * statistics.median(t[stage] for t in ours)
        print("    %-16s %10.2f ms" % (stage, own), end="")
        if stage in theirs[0]:
            peer = 1e3 * statistics.median(t[stage] for t in theirs)
            print(", PyTorch %10.2f ms, %6.2f times" % (peer, peer / own if own else 0), end="")
        print(flush=True)


main()
