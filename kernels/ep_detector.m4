/* ep_detector -- PtychoEP at the detector: ep_start, ep_weigh, ep_project.
   SPDX-License-Identifier: BSD-3-Clause

   ep_start keeps the transform of the exit waves as the first message u, of precision unit.

   ep_weigh: with Z = F(exit wave) of precision g = pixels / sum spread, and the last message u of
   precision g', the cavity is z = (g Z - g' u) / tau, tau = max(g - g', unit), and what amplitude a says of
   it, with noise v and w = 1 / tau,

       zhat = z / |z| (w a + 2 v |z|) / (w + 2 v)      vhat = w (w a + 4 v |z|) / (2 |z| (w + 2 v))

   (Laplace's approximation: S. Shastri, P. Schniter, IEEE Trans. Signal Process. (2024), eqs. 38, 39;
   PtychoEP, github.com/sacbow/PtychoEP, ptychoep/likelihood.py).  |z| and vhat are at least 1e-8 in units of the
   amplitudes, 1 / sqrt(unit) and 1 / unit.  z stays in the scratch.  Of each strip

       variance = sum vhat,   error = sum (|z| - a)^2,   noise = sum (zhat . z / |z| - a)^2 + vhat / 2

   the last two over measured pixels.  The others have zhat = z, vhat = w.

   ep_project: with g_b = pixels / sum variance and what ep_weigh left the new message is

       m = (g_b zhat - tau z) / g_r,   g_r = max(g_b - tau, unit)
       u' = d m + (1 - d) u,           gamma' = (d / sqrt(g_r) + (1 - d) / sqrt(gamma))^-2

   gamma', one for each slot, goes to `fresh' and to `weight', the precision of what the object is told.  The wave that
   goes back is u' where probes come and go (`apart'), else gamma' u' - weight_before u, what is new to the object; with
   `starts' it was told nothing before.  With `cautious' a frame whose g_b is not above tau keeps its message.
   (ptychoep/fft_channel.py.)  */

COST(items * PIXELS, 8, 2)
DETECTOR_SUMS(ep_start, `OUT(real, state), IN(real, scratch), IN(cplx, table), VAL(real, scale)', `
        EACH_TILE(q, l, DEPTH, TILE)
            STATE_RE = scale * RE(q, l);
            STATE_IM = scale * IM(q, l);
        END_TILE
')

m4_define(`EP_CAVITY', `REDUCE_SUM(spreads, i, 0, STRIPS_X)
            spreads += spread[s * STRIPS_X + i];
        END_SUM(spreads)
        const real pixels = (real)(ROWS * (index)COLS), here = pixels / spreads, there = gamma[s];
        const real tau = larger(here - there, unit), v = variance_of_noise[0], w = 1 / tau, all = 1 / (w + 2 * v);
        const real least = REAL(1e-16) / unit + TINY;')
m4_define(`EP_LIKELIHOOD', `const lanes a = AMPLITUDE_AT, modulus = ROOT(1, LARGER(re * re + im * im, least));
        const lanes ratio = QUOTIENT(a, modulus), shrunk = BELOW(a, UNMEASURED, (w * all) * ratio + 2 * v * all, 1);')
COST(items * PIXELS, 8 + AMPLITUDE_BYTES, 32)
TO_DETECTOR_PASS(ep_weigh, `OUT(real, variance), OUT(real, error), OUT(real, noise), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), IN(real, state), IN(real, spread), IN(real, gamma),
           IN(real, variance_of_noise), VAL(real, unit)', `
        EP_CAVITY
        const real this_part = here * scale * w, last_part = there * w, floor = REAL(1e-8) / unit;
        LANES_SUM(variances) LANES_SUM(misses) LANES_SUM(rests) LANES_SUM(seen)', `
        re = this_part * re - last_part * STATE_RE;
        im = this_part * im - last_part * STATE_IM;
        EP_LIKELIHOOD
        const lanes vhat = LARGER((w * w * all / 2) * ratio + 2 * v * w * all, floor);
        const lanes miss = modulus - a, rest = shrunk * modulus - a;
        SUM_OF(variances) += BELOW(a, UNMEASURED, vhat, 0);
        SUM_OF(misses) += BELOW(a, UNMEASURED, miss * miss, 0);
        SUM_OF(rests) += BELOW(a, UNMEASURED, rest * rest, 0);
        SUM_OF(seen) += BELOW(a, UNMEASURED, 1, 0);', `
        END_LANES_SUM(variances)
        END_LANES_SUM(misses)
        END_LANES_SUM(rests)
        END_LANES_SUM(seen)
        ONE_LANE
            variance[s * STRIPS + strip] = variances + w * ((real)(DEPTH * height) - seen);
            error[s * STRIPS + strip] = misses;
            noise[s * STRIPS + strip] = rests + variances / 2;
        END_ONE')

COST(items * PIXELS, 16 + AMPLITUDE_BYTES, 22)
FROM_DETECTOR_PASS(ep_project, `OUT(real, state), OUT(real, fresh), OUT(real, weight), IN(int, frame), VAL(index, first),
           IN(real, amplitude), VAL(real, scale), IN(real, spread), IN(real, variance), IN(real, gamma),
           IN(real, weight_before), IN(real, variance_of_noise), VAL(real, unit), VAL(real, damping), VAL(int, cautious),
           VAL(int, apart), VAL(int, starts)', `
        EP_CAVITY
        REDUCE_SUM(variances, i, 0, STRIPS)
            variances += variance[s * STRIPS + i];
        END_SUM(variances)
        const real belief = pixels / variances, told = larger(belief - tau, unit);
        const real d = cautious && !(belief > tau) ? 0 : damping;
        const real deviation = d / SQRT(told) + (1 - d) / SQRT(there), sure = 1 / (deviation * deviation);
        const real with_zhat = d * belief / told, with_z = d * tau / told;
        const real now = apart ? scale : scale * sure, before = apart || starts ? 0 : scale * weight_before[s];', `
        EP_LIKELIHOOD
        const lanes old_re = STATE_RE, old_im = STATE_IM, factor = with_zhat * shrunk - with_z;
        const lanes new_re = factor * re + (1 - d) * old_re, new_im = factor * im + (1 - d) * old_im;
        PUT_STATE(new_re, new_im);
        re = now * new_re - before * old_re;
        im = now * new_im - before * old_im;', `
        if (strip == 0) {
        ONE_LANE
            fresh[s] = sure;
            weight[s] = sure;
        END_ONE
        }')
