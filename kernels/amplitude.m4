/* amplitude -- measured frames as the middle passes read them.  SPDX-License-Identifier: BSD-3-Clause

       a[s, strip, q, l] = sqrt(data[s, pixel]),

   far field: the pixel is (row(p), column(q)) with p = strip TILE + l, where `place' (rows, then
   cols) says where the data hold the frequency at a position of the transform;
   near field: the pixel is (q, strip TILE + l).
   `square_root' 0: the data are amplitudes already; `clip': negative amplitudes become 0.  Pixels
   that are not valid, and the padding, become unmeasured.

   Moves 12 bytes per pixel, once per scan.  */

/* The kernel's text for a pixel that is `$1', where the strip is inside of the frame up to `$2'. */
m4_define(`MEASURED_PIXELS', `GROUP(s, strip, STRIPS)
        const int p0 = strip * TILE;
        EACH_TILE(q, l, DEPTH, TILE)
            const int inside = p0 + l < $2, p = inside ? p0 + l : 0;
            const int pixel = $1;
            const real value = data[s * (ROWS * (index)COLS) + pixel];
            const real a = square_root ? SQRT(value > 0 ? value : 0) : clip && value < 0 ? 0 : value;
            amplitude[((s * STRIPS + strip) * DEPTH + q) * (index)TILE + l] = inside && valid[pixel] ? a : REAL(2e30);
        END_TILE
    END_GROUP')

KERNEL(amplitude, OUT(real, amplitude), IN(real, data), IN(int, valid), IN(int, place),
           VAL(int, square_root), VAL(int, clip))
    MEASURED_PIXELS(`place[p] * COLS + place[ROWS + q]', `ROWS')
END_KERNEL

NEAR_STRIPS
KERNEL(near_amplitude, OUT(real, amplitude), IN(real, data), IN(int, valid), VAL(int, square_root), VAL(int, clip))
    MEASURED_PIXELS(`q * COLS + p', `COLS')
END_KERNEL
FAR_STRIPS
