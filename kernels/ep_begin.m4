/* ep_begin -- the first belief in the object.  SPDX-License-Identifier: BSD-3-Clause

       G = 1 + frames that cover the pixel,   T = (G - 1) O,   O <- T / G

   `start' keeps O.  (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/accumulative_uncertain_array.py.)  */

COST(items, 44, 5)
KERNEL(ep_begin, OUT(cplx, object), OUT(cplx, number), OUT(real, precision), OUT(cplx, start), IN(int, covers))
    EACH(i)
        const cplx o = object[i];
        const real frames = (real)covers[i], all = 1 + frames;
        start[i].re = o.re;
        start[i].im = o.im;
        number[i].re = frames * o.re;
        number[i].im = frames * o.im;
        precision[i] = all;
        object[i].re = frames * o.re / all;
        object[i].im = frames * o.im / all;
    END_EACH
END_KERNEL
