/* ep_prior -- a sparse object: each pixel is 0 or drawn from a Gaussian.
   SPDX-License-Identifier: BSD-3-Clause

   A spike at 0 and, with probability rho, a slab CN(0, 1).  With the cavity (m, g) = (T, G) without
   the prior's message (m_p, g_p), v = 1 / g,

       slab = rho exp(-|m|^2 / (1 + v)) / (1 + v),  spike = (1 - rho) exp(-|m|^2 / v) / v,  w = slab / (slab + spike)
       mu = w m / (1 + v),  var = w (|m|^2 / (1 + v)^2 + v / (1 + v)) - |mu|^2

   and the new message is (mu, 1 / var) without the cavity.  A precision without another is at least 1.
   (PtychoEP, github.com/sacbow/PtychoEP, ptychoep/prior.py.)  */

COST(items, 48, 58)
KERNEL(ep_prior, OUT(cplx, number), OUT(real, precision), OUT(cplx, message),
           OUT(real, message_precision), VAL(real, rho))
    EACH(i)
        const cplx t = number[i], p = message[i];
        const real all = precision[i], mine = message_precision[i], g = larger(all - mine, 1), v = 1 / g;
        const real re = (t.re - mine * p.re) / g, im = (t.im - mine * p.im) / g, square = re * re + im * im;
        const real slab = rho * EXP(-square / (1 + v)) / (1 + v), spike = (1 - rho) * EXP(-square / v) / v;
        const real w = slab / (slab + spike + REAL(1e-8)), shrink = w / (1 + v);
        const real variance = larger(w * (square / ((1 + v) * (1 + v)) + v / (1 + v)) - shrink * shrink * square, REAL(1e-8));
        const real belief = 1 / variance, told = larger(belief - g, 1);
        const real new_re = (belief * shrink - g) * re / told, new_im = (belief * shrink - g) * im / told;
        const real sum = all - mine + told;
        const real sum_re = t.re - mine * p.re + told * new_re, sum_im = t.im - mine * p.im + told * new_im;
        message[i].re = new_re;
        message[i].im = new_im;
        message_precision[i] = told;
        number[i].re = sum_re;
        number[i].im = sum_im;
        precision[i] = sum;
    END_EACH
END_KERNEL
