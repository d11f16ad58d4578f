/* ep_detector -- PtychoEP at the detector: ep_start, ep_weigh, ep_project.
   SPDX-License-Identifier: BSD-3-Clause

   ep_start keeps the transform of the exit waves as the first message u, of precision unit.

   ep_weigh: with Z = F(exit wave) of precision g = pixels / sum spread, and the last message u of
   precision g', the cavity is z = (g Z - g' u) / tau, tau = max(g - g', unit), and what amplitude a says of
   it, with noise v and w = 1 / tau,

       zhat = z / |z| (w a + 2 v |z|) / (w + 2 v)      vhat = w (w a + 4 v |z|) / (2 |z| (w + 2 v))

   (Laplace's approximation: S. Shastri, P. Schniter, IEEE Trans. Signal Process. (2024), eqs. 38, 39;
   PtychoEP, github.com/sacbow/PtychoEP, ptychoep/likelihood.py).  |z| and vhat are at least 1e-8 in units of the
   amplitudes, 1 / sqrt(unit) and 1 / unit.
   Of each strip

       variance = sum vhat,   error = sum (|z| - a)^2,   noise = sum (zhat . z / |z| - a)^2 + vhat / 2

   the last two over measured pixels.  The others have zhat = z, vhat = w.

   ep_project: with g_b = pixels / sum variance the new message is

       m = (g_b zhat - tau z) / g_r,   g_r = max(g_b - tau, unit)
       u <- d m + (1 - d) u,           gamma <- (d / sqrt(g_r) + (1 - d) / sqrt(gamma))^-2

   gamma, one for each slot, goes to `fresh' and to `weight', the precision of what the object is told.  With `cautious'
   a frame whose g_b is not above tau keeps its message.  (ptychoep/fft_channel.py.)  */

COST(items * PIXELS, 8, 2)
DETECTOR_SUMS(ep_start, `OUT(real, state), IN(real, scratch), IN(cplx, table), VAL(real, scale)', `
        EACH_TILE(q, l, DEPTH, TILE)
            STATE_RE = scale * RE(q, l);
            STATE_IM = scale * IM(q, l);
        END_TILE
')

m4_define(`EP_CAVITY', `REDUCE_SUM(spreads, i, 0, ROWS * SEGMENTS_X)
            spreads += spread[s * (ROWS * SEGMENTS_X) + i];
        END_SUM(spreads)
        const real here = (real)(ROWS * (index)COLS) / spreads, there = gamma[s];
        const real tau = larger(here - there, unit), v = variance_of_noise[0], w = 1 / tau;')
m4_define(`EP_LIKELIHOOD', `const real a = AMPLITUDE_AT;
            const real old_re = STATE_RE, old_im = STATE_IM;
            const real z_re = (here * (scale * RE(q, l)) - there * old_re) * w;
            const real z_im = (here * (scale * IM(q, l)) - there * old_im) * w;
            const real modulus = SQRT(z_re * z_re + z_im * z_im), r = larger(modulus, REAL(1e-8) / SQRT(unit));
            const int measured = a < UNMEASURED;
            const real shrunk = measured ? (w * a + 2 * v * r) / (r * (w + 2 * v)) : 1;')
m4_define(`EP_VARIANCE', `(measured ? larger(w * (w * a + 4 * v * r) / (2 * r * (w + 2 * v)), REAL(1e-8) / unit) : w)')
COST(items * PIXELS, 8 + AMPLITUDE_BYTES, 70)
DETECTOR_SUMS(ep_weigh, `OUT(real, variance), OUT(real, error), OUT(real, noise), IN(real, scratch), IN(cplx, table),
           IN(int, frame), VAL(index, first), IN(real, amplitude), VAL(real, scale), IN(real, state), IN(real, spread),
           IN(real, gamma), IN(real, variance_of_noise), VAL(real, unit)', `
        EP_CAVITY
        TILE_SUM(variances, q, l, DEPTH)
            EP_LIKELIHOOD
            variances += strip * TILE + l < EXTENT ? EP_VARIANCE : 0;
        END_TILE_SUM(variances)
        TILE_SUM(total, q, l, DEPTH)
            EP_LIKELIHOOD
            total += measured ? (modulus - a) * (modulus - a) : 0;
        END_TILE_SUM(total)
        TILE_SUM(noises, q, l, DEPTH)
            EP_LIKELIHOOD
            const real left = shrunk * modulus - a;
            noises += measured ? left * left + EP_VARIANCE / 2 : 0;
        END_TILE_SUM(noises)
        ONE_LANE
            variance[s * STRIPS + strip] = variances;
            error[s * STRIPS + strip] = total;
            noise[s * STRIPS + strip] = noises;
        END_ONE
')

COST(items * PIXELS, 16 + AMPLITUDE_BYTES, 35)
DETECTOR_PASS(ep_project, `OUT(real, state), OUT(real, fresh), OUT(real, weight), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), IN(real, spread), IN(real, variance), IN(real, gamma),
           IN(real, variance_of_noise), VAL(real, unit), VAL(real, damping), VAL(int, cautious)', `
        EP_CAVITY
        REDUCE_SUM(variances, i, 0, STRIPS)
            variances += variance[s * STRIPS + i];
        END_SUM(variances)
        const real belief = (real)(ROWS * (index)COLS) / variances, told = larger(belief - tau, unit);
        const real d = cautious && !(belief > tau) ? 0 : damping;
        const real deviation = d / SQRT(told) + (1 - d) / SQRT(there);
        EACH_TILE(q, l, DEPTH, TILE)
            EP_LIKELIHOOD
            const real new_re = d * ((belief * shrunk - tau) * z_re / told) + (1 - d) * old_re;
            const real new_im = d * ((belief * shrunk - tau) * z_im / told) + (1 - d) * old_im;
            STATE_RE = new_re;
            STATE_IM = new_im;
            RE(q, l) = new_re * scale;
            IM(q, l) = new_im * scale;
        END_TILE
        if (strip == 0) {
        ONE_LANE
            fresh[s] = 1 / (deviation * deviation);
            weight[s] = 1 / (deviation * deviation);
        END_ONE
        }
')
