#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The solvers of argand written with NumPy: a yardstick for time and for values.

    numpy_solvers.py --solver pie -n 50 [--scan FILE.cxi] [--noise V] [--seed S] [--array cupy] [--json]
    numpy_solvers.py --check DIRECTORY

The first form times one solver on the profiling problem of PtychoEP (200 points of a Fermat
spiral, frames of 128 x 128, object of 512 x 512), made here or read from a file of `argand
simulate`.  Arrays are complex64 and float32, the start is the true probe and a random object.
Only the iterations are timed.  The second form repeats the committed reference vectors in double
precision.  Formulas: PtychoEP (github.com/sacbow/PtychoEP), with max |P| as the normaliser;
RAAR: Luke, Inverse Problems 21, 37 (2005), one overlap projection per iteration.
"""
import argparse
import importlib
import json
import os
import sys
import time

import numpy as host

np = host  # or CuPy, see main()

GUARD = 1e-7  # added to the modulus before dividing by it
CHUNK = 20  # frames at a time in the batched solvers: 2.5 MiB of exit waves, stays in cache


# ---- the problem -------------------------------------------------------------------------


class Problem:
    """Amplitudes (frames, n, n) with the zero frequency at (0, 0), window corners, starts."""

    def __init__(self, amplitude, corner, probe, start, order=None):
        self.amplitude, self.corner = np.asarray(amplitude), corner
        self.place = np.asarray(corner)
        self.probe, self.start = np.asarray(probe), np.asarray(start)
        self.order = range(len(corner)) if order is None else order
        self.size = probe.shape[-1]

    def window(self, image, j):
        y, x = self.corner[j]
        return image[y : y + self.size, x : x + self.size]

    def windows(self, image, part):
        """Copies of the windows of a slice of frames."""
        view = np.lib.stride_tricks.sliding_window_view(image, (self.size, self.size))
        return view[self.place[part, 0], self.place[part, 1]]

    def parts(self):
        return [slice(i, i + CHUNK) for i in range(0, len(self.corner), CHUNK)]

    def illumination(self, probe):
        """Sum over the frames of |probe|^2, where each lies on the object."""
        total = np.zeros(self.start.shape, self.amplitude.dtype)
        power = (probe * probe.conj()).real
        for j in range(len(self.corner)):
            self.window(total, j)[...] += power
        return total

    def error(self, image, probe):
        """Mean over frames and pixels of (measured - predicted amplitude)^2."""
        total = 0.0
        for part in self.parts():
            model = np.abs(np.fft.fft2(probe * self.windows(image, part), norm="ortho"))
            total += np.square(self.amplitude[part] - model, dtype=np.float64).sum()
        return total / self.amplitude.size


def complex_normal(rng, shape):
    parts = rng.standard_normal((2,) + shape, dtype=host.float32) * host.float32(0.5**0.5)
    return parts[0] + 1j * parts[1]


def airy_spot(size):
    """|2 J1(r) / r|, 16 pixels wide at half height in a frame of 128, J1 by its integral."""
    y, x = host.indices((size, size)) - size // 2
    r = host.maximum(host.hypot(y, x) * (4.43 * 8 / size), 1e-6)
    t = (host.arange(64) + 0.5) * host.pi / 64
    bessel = host.mean([host.cos(u - r * host.sin(u)) for u in t], axis=0)
    return host.abs(2 * bessel / r)


def spiral(points, step, centre):
    i = host.arange(points)
    r, angle = step * host.sqrt(i), 2.399967 * i
    return host.stack([centre + r * host.sin(angle), centre + r * host.cos(angle)], 1).astype(host.int64)


def simulate(rng, noise, size=128, field=512, points=200, step=5.0):
    y, x = (host.indices((field, field)) - field // 2) / field
    spokes = host.tanh(4 * host.sin(18 * host.arctan2(y, x))) * (host.hypot(y, x) > 0.02)
    amplitude = 0.6 + 0.25 * spokes + 0.15 * host.sin(40 * x + 10 * host.sin(9 * y))
    phase = 2.4 * host.sin(23 * y + 3 * host.cos(17 * x)) * host.cos(13 * x - 2 * host.sin(11 * y))
    truth = (amplitude * host.exp(1j * phase)).astype(host.complex64)
    probe = airy_spot(size).astype(host.complex64)
    corner = spiral(points, step, field / 2) - size // 2
    frames = [truth[r : r + size, c : c + size] * probe for r, c in corner]
    data = host.stack([host.abs(host.fft.fft2(frame, norm="ortho")) for frame in frames])
    if noise > 0:
        data += host.sqrt(noise).astype(host.float32) * rng.standard_normal(data.shape, host.float32)
    return Problem(data, corner, probe, complex_normal(rng, truth.shape))


def read_cxi(path, rng):
    """A file of `argand simulate`: counts, or amplitudes of any sign, rows along -y."""
    import h5py

    with h5py.File(path, "r") as file:
        source = file["entry_1/instrument_1/source_1"]
        detector = file["entry_1/instrument_1/detector_1"]
        translation = file["entry_1/sample_1/geometry_1/translation"]
        if "amplitude" in detector:
            data = detector["amplitude"][()].astype(host.float32)
        else:
            data = host.sqrt(detector["data"][()].astype(host.float32))
        probe = source["illumination"][()].astype(host.complex64)
        steps = host.array([detector[name][()] for name in ("y_pixel_size", "x_pixel_size")])
        wavelength = 6.62607015e-34 * 299792458.0 / source["energy"][()]
        place = translation[()][:, 1::-1] * data.shape[1:] * steps.ravel()
        corner = host.rint(place / (wavelength * detector["distance"][()])).astype(host.int64)
        shape = translation.attrs.get("object_shape")
    size = data.shape[-1]
    if shape is None:
        corner -= corner.min(axis=0)
        shape = corner.max(axis=0) + size
    data = host.ascontiguousarray(host.fft.ifftshift(data, axes=(-2, -1)))
    start = complex_normal(rng, tuple(int(n) for n in shape))
    return Problem(data, corner, probe.reshape((-1, size, size))[0], start)


# ---- the solvers: each takes a problem and yields (object, probe, error) per iteration -------


def project(wave, amplitude):
    """The exit wave with the measured modulus, and the modulus it had."""
    spectrum = np.fft.fft2(wave, norm="ortho")
    modulus = np.abs(spectrum)
    spectrum *= amplitude / (modulus + GUARD)
    return np.fft.ifft2(spectrum, norm="ortho"), modulus


def pie(problem, alpha=0.1):
    image, probe = problem.start.copy(), problem.probe
    size = np.abs(probe)
    top = size.max()
    weight = size * probe.conj() / (top * (size**2 + alpha * top**2))
    while True:
        error = 0.0
        for j in problem.order:
            window = problem.window(image, j)
            wave = probe * window
            amplitude = problem.amplitude[j]
            projected, modulus = project(wave, amplitude)
            error += np.mean(np.square(amplitude - modulus))
            projected -= wave
            window += weight * projected
        yield image, probe, error / len(problem.corner)


def blind_pie(problem, alpha, beta, relaxed):
    image, probe = problem.start.copy(), problem.probe.copy()
    while True:
        error = 0.0
        for j in problem.order:
            window = problem.window(image, j)
            wave = probe * window
            amplitude = problem.amplitude[j]
            change, modulus = project(wave, amplitude)
            error += np.mean(np.square(amplitude - modulus))
            change -= wave
            power = np.square(probe.real) + np.square(probe.imag)
            divisor = power.max()
            if relaxed:
                divisor = (1 - alpha) * power + alpha * divisor
            seen = (np.square(window.real) + np.square(window.imag)).max()
            probe_change = (beta / seen) * window.conj() * change
            window += (alpha / divisor) * probe.conj() * change
            probe += probe_change
        yield image, probe, error / len(problem.corner)


def epie(problem, alpha=0.1, beta=0.1):
    return blind_pie(problem, alpha, beta, False)


def rpie(problem, alpha=0.1, beta=0.2):
    return blind_pie(problem, alpha, beta, True)


def object_from(problem, waves, probe, guard=1e-10):
    """Least squares: sum of conj(probe) wave over sum of |probe|^2, where each frame lies."""
    image = np.zeros_like(problem.start)
    conj = probe.conj()
    for part in problem.parts():
        for j, wave in zip(range(part.start, part.stop), conj * waves[part]):
            problem.window(image, j)[...] += wave
    return image / (problem.illumination(probe) + guard)


def probe_from(problem, waves, image, guard=1e-10):
    above = np.zeros_like(problem.probe)
    below = np.zeros(problem.probe.shape, problem.amplitude.dtype)
    for part in problem.parts():
        windows = problem.windows(image, part)
        above += np.einsum("jyx,jyx->yx", windows.conj(), waves[part])
        below += (np.square(windows.real) + np.square(windows.imag)).sum(axis=0)
    return above / (below + guard)


def first_waves(problem):
    waves = np.empty(problem.amplitude.shape, problem.start.dtype)
    for part in problem.parts():
        waves[part] = problem.probe * problem.windows(problem.start, part)
    return waves


def dm(problem):
    waves = first_waves(problem)
    for part in problem.parts():
        waves[part] = project(waves[part], problem.amplitude[part])[0]
    probe = problem.probe
    while True:
        image = object_from(problem, waves, probe)
        probe = probe_from(problem, waves, image)
        for part in problem.parts():
            model = probe * problem.windows(image, part)
            waves[part] += project(2 * model - waves[part], problem.amplitude[part])[0] - model
        yield image, probe, None


def ap(problem):
    image, probe = problem.start, problem.probe
    waves = np.empty(problem.amplitude.shape, image.dtype)
    while True:
        for part in problem.parts():
            model = probe * problem.windows(image, part)
            waves[part] = project(model, problem.amplitude[part])[0]
        image = object_from(problem, waves, probe)
        probe = probe_from(problem, waves, image)
        yield image, probe, None


def raar(problem, beta=0.75, guard=1e-10):
    """`waves` lacks the term 2 beta times the overlap, which the next pass adds."""
    image, probe = problem.start, problem.probe
    waves = (1 - 2 * beta) * first_waves(problem)
    conj = probe.conj()
    density = problem.illumination(probe) + guard
    while True:
        total = np.zeros_like(image)
        for part in problem.parts():
            model = probe * problem.windows(image, part)
            wave = waves[part] + 2 * beta * model
            projected = project(wave, problem.amplitude[part])[0]
            waves[part] = beta * (wave - model) + (1 - 2 * beta) * projected
            for j, patch in zip(range(part.start, part.stop), conj * projected):
                problem.window(total, j)[...] += patch
        image = total / density
        yield image, probe, None


def ep(problem, damping=0.7, precision=1000.0, steps=0):
    """PtychoEP; `steps` of EM refine the probe after each iteration, 0: it is known."""
    window, real = problem.window, problem.amplitude.dtype.type
    probe, least, variance = problem.probe.copy(), 1e-6, real(1 / precision)
    density = np.ones(problem.start.shape, problem.amplitude.dtype)
    for j in range(len(problem.corner)):
        window(density, j)[...] += 1
    total = (density - 1) * problem.start
    waves = np.empty(problem.amplitude.shape, problem.start.dtype)
    spectra = np.empty_like(waves)
    for part in problem.parts():
        waves[part] = probe * problem.windows(problem.start, part)
        spectra[part] = np.fft.fft2(waves[part], norm="ortho")
    gamma = np.ones(len(waves), problem.amplitude.dtype)
    told, shape, power = gamma.copy(), None, None
    while True:
        old_shape, old_power = shape, power
        shape = probe.conj()
        power = np.maximum(np.square(probe.real) + np.square(probe.imag), real(least))
        error = 0.0
        for j in problem.order:
            sums, sure = window(total, j), window(density, j)
            spectrum = np.fft.fft2(probe * (sums / sure), norm="ortho")
            here, there = real(1 / np.maximum(power / sure, real(1e-8)).mean()), gamma[j]
            tau = max(here - there, real(1))
            w, a = 1 / tau, problem.amplitude[j]
            spectrum = (here * spectrum - there * spectra[j]) * w
            modulus = np.abs(spectrum)
            error += np.mean(np.square(modulus - a))
            modulus = np.maximum(modulus, real(1e-8))
            believed = w * (w * a + 4 * variance * modulus) / (2 * modulus * (w + 2 * variance))
            belief = real(1 / np.maximum(believed, real(1e-8)).mean())
            new = max(belief - tau, real(1))
            factor = (w * a + 2 * variance * modulus) * (belief / (w + 2 * variance)) / modulus - tau
            spectra[j] = real(damping) * (factor * spectrum / new) + real(1 - damping) * spectra[j]
            fresh = real((damping / np.sqrt(new) + (1 - damping) / np.sqrt(there)) ** -2)
            wave = np.fft.ifft2(spectra[j], norm="ortho")
            if old_shape is None:
                sums += fresh * shape * wave - window(problem.start, j)
                sure += fresh * power - 1
            else:
                sums += shape * (fresh * wave) - old_shape * (told[j] * waves[j])
                sure += fresh * power - told[j] * old_power
            waves[j], gamma[j], told[j] = wave, fresh, fresh
        image = total / density
        for _ in range(steps):
            above, below = np.zeros_like(probe), np.zeros_like(power)
            for j, wave in enumerate(waves):
                o = window(image, j)
                above += gamma[j] * (o.conj() * wave)
                below += gamma[j] * (np.square(o.real) + np.square(o.imag) + 1 / window(density, j))
            probe = above / below
            size = np.square(probe.real) + np.square(probe.imag)
            for j, wave in enumerate(waves):
                rest = wave - window(image, j) * probe
                rest = np.square(rest.real) + np.square(rest.imag) + size / window(density, j)
                gamma[j] = max(1 / rest.mean(), 1e-8)
            least = 1e-8
        yield image, probe, error / len(problem.corner)


def ep_em(problem, damping=0.7, precision=1000.0, steps=1):
    return ep(problem, damping, precision, steps)


SOLVERS = {"pie": pie, "epie": epie, "rpie": rpie, "dm": dm, "ap": ap, "raar": raar, "ep": ep, "ep-em": ep_em}


# ---- what the programs beside this one share ---------------------------------------------------


def peer_parser(text, solvers):
    parser = argparse.ArgumentParser(description=text.split("\n")[0])
    parser.add_argument("--solver", choices=solvers, required=True)
    parser.add_argument("-n", type=int, default=10, help="iterations")
    parser.add_argument("--scan", metavar="FILE", required=True)
    parser.add_argument("--json", action="store_true")
    return parser


def peer_report(given, seconds):
    if given.json:
        print(json.dumps({"algorithm": given.solver, "iterations": given.n, "seconds": seconds}))
    else:
        print(f"{given.solver}: {seconds:.3f} s for {given.n} iterations")


# ---- the two forms of the program ------------------------------------------------------------


def check(directory):
    """Compares states and errors with the reference vectors; the worst relative difference."""
    from safetensors.numpy import load_file

    def pairs(tensor):
        return tensor[..., 0] + 1j * tensor[..., 1]

    cases = {
        "pie": (pie, {}),
        "epie": (epie, {}),
        "epie_unit": (epie, {"alpha": 1.0, "beta": 1.0}),
        "rpie": (rpie, {}),
        "dm": (dm, {}),
        "ep": (ep, {}),
        "ep_em": (ep_em, {}),
        "ep_em2": (ep_em, {"damping": 0.5, "steps": 2}),
    }
    worst = 0.0
    for name in ("small_clean", "small_gauss"):
        vectors = load_file(os.path.join(directory, name + ".safetensors"))
        inside = vectors["mask"].astype(bool)
        for case, (solver, options) in cases.items():
            probe = pairs(vectors["probe_true" if case in ("pie", "ep") else "probe0"])
            if case.startswith("ep_em") or case == "ep":
                options = {**options, "precision": vectors["gamma_w"][0]}
            start = pairs(vectors["object0"])
            problem = Problem(
                vectors["amplitudes"], vectors["corners"], probe, start, vectors["order"]
            )
            running, model = [], problem.error(start, probe)
            for iteration, (image, shape, error) in zip((1, 2), solver(problem, **options)):
                running.append(model if error is None else error)
                model = problem.error(image, shape)
                found = [(image[inside], "object", inside), (shape, "probe", ...)]
                for value, what, where in found:
                    key = f"{case}.it{iteration}.{what}"
                    if key in vectors:
                        truth = pairs(vectors[key])[where]
                        off = np.linalg.norm(value - truth) / np.linalg.norm(truth)
                        worst = max(worst, off)
                        print(f"{name} {key} {off:.1e}")
            truth = vectors[case + ".error"][:2]
            off = np.abs(running / truth - 1).max()
            worst = max(worst, off)
            print(f"{name} {case}.error {off:.1e}")
    return worst


def main():
    global np
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--solver", choices=SOLVERS, default="pie")
    parser.add_argument("-n", type=int, default=50, help="iterations")
    parser.add_argument("--scan", metavar="FILE", help="a CXI file; default: a problem made here")
    parser.add_argument("--noise", type=float, default=0.0, help="variance, on the amplitudes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--array", choices=("numpy", "cupy"), default="numpy", help="cupy: arrays and transforms on a GPU")
    parser.add_argument("--check", metavar="DIRECTORY", help="of the reference vectors")
    given = parser.parse_args()
    if given.check:
        worst = check(given.check)
        print(f"worst {worst:.1e}")
        return 0 if worst < 1e-9 else 1

    np = importlib.import_module(given.array)
    rng = host.random.default_rng(given.seed)
    problem = read_cxi(given.scan, rng) if given.scan else simulate(rng, given.noise)
    begin = time.perf_counter()
    for _, (image, probe, _) in zip(range(given.n), SOLVERS[given.solver](problem)):
        pass
    if given.array == "cupy":
        np.cuda.Device().synchronize()
    seconds = time.perf_counter() - begin
    error = float(problem.error(image, probe))
    power = float(np.square(problem.amplitude, dtype=np.float64).mean())
    result = {
        "program": given.array + " " + np.__version__,
        "algorithm": given.solver,
        "iterations": given.n,
        "positions": len(problem.corner),
        "frame": [problem.size, problem.size],
        "seconds": seconds,
        "mean_square_error": error,
        "relative_l2": float(np.sqrt(error / power)),
        "frames_per_second": given.n * len(problem.corner) / seconds,
    }
    if given.json:
        print(json.dumps(result))
    else:
        print(f"{given.solver}: {seconds:.3f} s for {given.n} iterations", end="")
        print(f", error {error:.3e}, relative L2 {result['relative_l2']:.3e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
