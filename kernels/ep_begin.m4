/* ep_begin -- the first belief in the object.  SPDX-License-Identifier: BSD-3-Clause

       G = 1 + frames that cover the pixel,   T = (G - 1) O

   `start' keeps O.  (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/accumulative_uncertain_array.py.)  */

COST(items, 32, 3)
KERNEL(ep_begin, IN(cplx, object), OUT(cplx, number), OUT(real, precision), OUT(cplx, start), IN(int, covers))
    EACH(i)
        const cplx o = object[i];
        const real frames = (real)covers[i];
        start[i].re = o.re;
        start[i].im = o.im;
        number[i].re = frames * o.re;
        number[i].im = frames * o.im;
        precision[i] = 1 + frames;
    END_EACH
END_KERNEL
