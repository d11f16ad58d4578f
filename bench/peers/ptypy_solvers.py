#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ptypy on the processor: seconds of ePIE, DM or RAAR on a file of `argand simulate`.

    ptypy_solvers.py --solver dm -n 10 --scan FILE.cxi [--json]

One iteration goes before the timed ones; positions, data and probe are the file's, the engines' settings
ptypy's own but for what would move positions or the object.  ptypy: github.com/ptycho/ptypy.
"""
import logging
import time

import numpy as np
from numpy_solvers import peer_parser, peer_report, read_cxi

from ptypy import utils as u
from ptypy.core import Ptycho
from ptypy.core.data import PtyScan
from ptypy.experiment import register

ENGINES = {"epie": "EPIE", "dm": "DM", "raar": "RAAR"}
problem = None  # what the scan below gives out


@register()
class ReadScan(PtyScan):
    """
    Defaults:

    [name]
    default = ReadScan
    type = str
    help = Frames that are in memory
    """

    def __init__(self, pars=None, **kwargs):
        given = self.DEFAULT.copy(depth=99)
        given.update(pars)
        given.num_frames = len(problem.corner)
        super().__init__(given, **kwargs)

    def load_positions(self):
        return problem.corner * 1e-6  # pixels are 1 um, see main()

    def load(self, indices):
        frames = {j: np.fft.fftshift(problem.amplitude[j]) ** 2 for j in indices}
        return frames, {}, {}


def main():
    global problem
    parser = peer_parser(__doc__, ENGINES)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    problem = read_cxi(given.scan, np.random.default_rng(0))
    size = problem.size

    p = u.Param(verbose_level="ERROR")
    p.io = u.Param(autosave=u.Param(active=False), autoplot=u.Param(active=False), interaction=u.Param(active=False))
    # Far field: wavelength x distance = pixel x size x 1 um, so that a pixel of the object is 1 um; ptypy wants keV.
    wavelength = 1e-9
    data = u.Param(name="ReadScan", shape=size, energy=1.2398419843320026e-9 / wavelength,
                   distance=1.0, psize=wavelength / (size * 1e-6), save=None, auto_center=False)
    scan = u.Param(name="BlockFull", data=data)
    scan.illumination = u.Param(model=problem.probe[None], photons=None, aperture=u.Param(form=None))
    p.scans = u.Param(scan=scan)
    p.engines = u.Param(engine=u.Param(name=ENGINES[given.solver], numiter=given.n + 1, probe_update_start=0, probe_support=None))
    whole = Ptycho(p, level=4)
    whole.runtime.iter_info = []
    engine = list(whole.engines.values())[0]
    engine.initialize()
    engine.prepare()
    engine.iterate(1)
    begin = time.perf_counter()
    engine.iterate(given.n)
    peer_report(given, time.perf_counter() - begin)


if __name__ == "__main__":
    main()
