#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whole solvers: argand on each device and number of threads, beside other programs, in one run on one machine.

    bench/solvers.py BUILD_FOLDER [--problems profile,10000x128] [--methods pie,raar] [--devices cpu]
                     [--threads 1,2] [--peers numpy,ptychi,ptypy] [--repeat 5] [-n 50]

A problem is FRAMESxSIZE or a name of the table below.  Medians of the repeats, which all take turns: seconds of an iteration;
nanoseconds for an iteration, a position, a pixel and a mode of the probe; the share of the floor (doc/performance.md: the
bytes and flops that no order of work saves, at the speed of the device's copies and multiplications, of which the longer
time counts); seconds from the program's start to its first iteration and from the last to its end.  A peer's column is
its time of an iteration by argand's with as many threads; a peer that this Python (or --python) lacks has none.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# frames, side of a frame, side of the object
PROBLEMS = {
    "profile": (200, 128, 512),
    "profile512": (200, 512, 1024),
    "10000x128": (10000, 128, 1200),
    "2000x256": (2000, 256, 1400),
    "500x512": (500, 512, 1600),
    "2000x100": (2000, 100, 1000),
    "2000x192": (2000, 192, 1200),
}
# The settings of PtychoEP's profiling scripts: storage order, whole positions; the blind methods refine the probe from the start.
STEPS = {
    "pie": "--alpha 0.1 --object-step 1 --probe-start -1",
    "epie": "--object-step 0.1 --probe-step 0.1 --probe-start 0",
    "rpie": "--alpha 0.1 --object-step 0.1 --probe-step 0.2 --probe-start 0",
    "dm": "--object-inertia 0 --probe-inertia 0 --probe-start 0",
    "ap": "--object-inertia 0 --probe-inertia 0 --probe-start 0",
    "raar": "--object-inertia 0 --probe-inertia 0 --probe-start -1",
    "lsqml": "--probe-start 0 --batch 96",
    "ep": "--noise-precision 1000 --no-rescale --probe-start -1",
    "ep-em": "--noise-precision 1000 --no-rescale --probe-start 0",
}
# Floor: bytes and flops of a pixel beside 20 log2 n; dm and ap also read their waves and frames for the probe.
FLOOR = {
    "pie": (20, 44), "epie": (36, 70), "rpie": (36, 70), "dm": (52, 65), "ap": (36, 65), "raar": (36, 51),
    "lsqml": (28, 68), "ep": (44, 84), "ep-em": (76, 131),
}
PEERS = {
    "numpy": ("numpy_solvers.py", "numpy h5py", ("pie", "epie", "rpie", "dm", "ap", "raar", "ep", "ep-em")),
    "cupy": ("numpy_solvers.py --array cupy", "cupy h5py", ("pie", "epie", "rpie", "dm", "ap", "raar", "ep", "ep-em")),
    "ptychi": ("ptychi_solvers.py", "ptychi h5py", ("epie", "rpie", "dm", "lsqml")),
    "ptypy": ("ptypy_solvers.py", "ptypy h5py", ("epie", "dm", "raar")),
}
SLOW = ("ptychi", "ptypy")  # few iterations, once


def run(command, **environment):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip() or 'ends with ' + str(done.returncode)}")
    return done.stdout


class Bench:
    def __init__(self, given, work):
        self.given, self.work = given, work
        self.argand = os.path.join(given.build, "argand")
        self.scan = os.path.join(work, "scan.cxi")
        os.environ.setdefault("ARGAND_BACKEND_PATH", os.path.join(given.build, ".libs"))

    def speeds(self, device, threads, size, pixels):
        """Bytes and flops a second of the device's copies and multiplications; None without bench/kernels."""
        program = os.path.join(self.given.build, "bench", "kernels")
        if not os.path.exists(program):
            return None
        command = [program, "-d", device, "--frame", str(size), "--pixels", str(min(pixels, 1 << 22)), "--repeat", "3", "--json", "-",
                   "copy", "multiply_add"]
        report = json.loads(run(command, **({"ARGAND_THREADS": threads} if threads else {})))
        by_name = {k["kernel"]: k for k in report[0]["kernels"]}
        return (by_name["copy"]["bytes"] / by_name["copy"]["seconds"],
                by_name["multiply_add"]["flops"] / by_name["multiply_add"]["seconds"])

    def once(self, method, device, threads, iterations):
        """Seconds of an iteration, and of what is not iterations."""
        report = os.path.join(self.work, "report")
        command = [self.argand, "reconstruct", self.scan, "-a", method, "-n", str(iterations), "-q", "-d", device,
                   "--no-shuffle", "--json", report] + STEPS[method].split()
        if method.startswith("ep"):
            command.remove("--no-shuffle")
        begin = time.perf_counter()
        run(command + (["--threads", threads] if threads else []))
        whole = time.perf_counter() - begin
        with open(report) as file:
            seconds = json.load(file)["run_seconds"]
        return seconds / iterations, whole - seconds

    def peer(self, name, method, threads, iterations):
        script, _, methods = PEERS[name]
        if method not in methods:
            return None
        program, *options = script.split()
        command = [self.given.python, os.path.join(HERE, "peers", program), *options, "--solver", method, "-n", str(iterations),
                   "--scan", self.scan, "--json"]
        if name == "ptychi" and method == "lsqml":
            command += ["--batch", "96"]
        answer = run(command, OMP_NUM_THREADS=threads or "1").splitlines()[-1] # some talk before it
        return json.loads(answer)["seconds"] / iterations


def has(python, modules):
    text = "import " + ", ".join(modules.split())
    return subprocess.run([python, "-c", text], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def floor(method, frames, size, speeds):
    data, flops = FLOOR[method]
    pixels = frames * size * size
    return max(pixels * data / speeds[0], pixels * (20 * math.log2(size) + flops) / speeds[1])


def measure(bench, name, peers):
    given = bench.given
    frames, size, image = PROBLEMS.get(name) or [int(n) for n in name.split("x")] + [0]
    image = image or size + int(5 * math.sqrt(frames))
    print(f"\n{frames} frames of {size} x {size}, object {image} x {image}")
    run([bench.argand, "simulate", "-o", bench.scan, "--frame", str(size), "--image", str(image), "--points", str(frames)])
    print(f"{'method':6} {'device':10} {'threads':>7} {'s/iter':>9} {'ns/px':>7} {'floor':>6} {'start':>6}", end="")
    print("".join(f" {p:>8}" for p in peers))
    # Whole runs of about as many positions as 50 iterations of the profiling problem have.
    iterations = given.n or max(2, min(50, 10000 * 128 * 128 // (frames * size * size)))
    threads = {d: given.threads.split(",") if d.startswith("cpu") else [""] for d in given.devices.split(",")}
    speeds = {(d, t): bench.speeds(d, t, size, frames * size * size) for d in threads for t in threads[d]}
    for method in given.methods.split(","):
        for device, counts in threads.items():
            took, starts, theirs = {t: [] for t in counts}, {t: [] for t in counts}, {}
            for i in range(given.repeat):
                for t in counts:
                    seconds, start = bench.once(method, device, t, iterations)
                    took[t].append(seconds)
                    starts[t].append(start)
                    for p in peers:
                        if i == 0 or p not in SLOW:
                            n = 1 if p in SLOW else max(1, iterations // 10)
                            theirs.setdefault((p, t), []).append(bench.peer(p, method, t, n))
            for t in counts:
                seconds, speed = statistics.median(took[t]), speeds[device, t]
                share = f"{floor(method, frames, size, speed) / seconds:.2f}" if speed else "-"
                print(f"{method:6} {device:10} {t or '-':>7} {seconds:9.4g} {1e9 * seconds / (frames * size * size):7.3g} {share:>6} "
                      f"{statistics.median(starts[t]):6.2f}", end="")
                for p in peers:
                    values = theirs[p, t]
                    print(f" {statistics.median(values) / seconds:8.1f}" if values[0] else f" {'-':>8}", end="")
                print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--problems", default="profile", help="all: " + ",".join(PROBLEMS))
    parser.add_argument("--methods", default="pie,epie,rpie,dm,ap,raar")
    parser.add_argument("--devices", default="cpu")
    parser.add_argument("--threads", default="1,2", help="of the processor")
    parser.add_argument("--peers", default="numpy", help=",".join(PEERS) + "; none")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the peers")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("-n", type=int, default=0, help="iterations")
    given = parser.parse_args()
    problems = list(PROBLEMS) if given.problems == "all" else given.problems.split(",")
    for what, names, known in (("peer", given.peers, [*PEERS, "none"]), ("method", given.methods, STEPS)):
        for name in names.split(","):
            if name not in known:
                parser.error(f"{what}: found \"{name}\", expected some of {', '.join(known)}")
    for name in problems:
        if name not in PROBLEMS and not (name.count("x") == 1 and name.replace("x", "").isdigit()):
            parser.error(f"problem: found \"{name}\", expected FRAMESxSIZE or some of {', '.join(PROBLEMS)}")
    peers = []
    for name in given.peers.split(","):
        if name != "none" and has(given.python, PEERS[name][1]):
            peers.append(name)
        elif name != "none":
            print(f"{name}: {given.python} cannot import {PEERS[name][1]}")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(given, work)
        print(run([bench.argand, "--version"]).split("\n")[0])
        print(run([bench.argand, "devices"]).strip())
        for name in problems:
            measure(bench, name, peers)


if __name__ == "__main__":
    main()
