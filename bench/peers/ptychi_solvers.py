#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pty-chi on the processor: seconds of rPIE, ePIE, DM or LSQ-ML on a file of `argand simulate`.

    ptychi_solvers.py --solver rpie -n 10 --scan FILE.cxi [--batch 1] [--json]

One epoch goes before the timed ones.  The start, the steps and the fixed order of frames are those of
numpy_solvers.py; pty-chi: github.com/AdvancedPhotonSource/pty-chi.
"""
import logging
import time
import warnings

import numpy as np
from numpy_solvers import peer_parser, peer_report, read_cxi

import ptychi.api as api
from ptychi.api.task import PtychographyTask


def options(solver, batch):
    chosen = {"epie": api.EPIEOptions, "rpie": api.RPIEOptions, "dm": api.DMOptions, "lsqml": api.LSQMLOptions}[solver]()
    chosen.reconstructor_options.default_device = api.Devices.CPU
    chosen.reconstructor_options.batch_size = batch
    chosen.reconstructor_options.batching_mode = api.BatchingModes.UNIFORM
    chosen.object_options.pixel_size_m = 1e-9
    for part in (chosen.object_options, chosen.probe_options):
        part.optimizable = True
    if solver in ("epie", "rpie"):
        chosen.object_options.alpha, chosen.probe_options.alpha = 0.1, 0.2
    chosen.probe_position_options.optimizable = False
    return chosen


def main():
    parser = peer_parser(__doc__, ("epie", "rpie", "dm", "lsqml"))
    parser.add_argument("--batch", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    problem = read_cxi(given.scan, np.random.default_rng(0))
    chosen = options(given.solver, len(problem.corner) if given.solver == "dm" else given.batch)
    chosen.reconstructor_options.num_epochs = given.n + 1
    data = np.fft.fftshift(problem.amplitude, axes=(-2, -1)) ** 2
    centre = (np.array(problem.start.shape) - 1) / 2
    place = problem.corner + (problem.size - 1) / 2 - centre
    task = PtychographyTask(
        chosen,
        diffraction_data=data,
        object_data=problem.start[None],
        probe_data=problem.probe[None, None],
        probe_position_x_px=place[:, 1].astype(np.float32),
        probe_position_y_px=place[:, 0].astype(np.float32),
    )
    task.run(1)
    begin = time.perf_counter()
    task.run(given.n)
    peer_report(given, time.perf_counter() - begin)


if __name__ == "__main__":
    main()
