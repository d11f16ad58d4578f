/* amplitude -- measured frames as the middle passes read them.  SPDX-License-Identifier: BSD-3-Clause

       a[s, strip, q, l] = sqrt(data[s, row(p), column(q)]),  p = strip TILE + l

   row(p) and column(q) (in `place': rows, then cols) say where the data hold the frequency at a
   position of the transform.  `square_root' 0: the data are amplitudes already; `clip': negative
   amplitudes become 0.  Pixels that are not valid, and the padding, become unmeasured.

   Moves 12 bytes per pixel, once per scan.  */

KERNEL(amplitude, OUT(real, amplitude), IN(real, data), IN(int, valid), IN(int, place),
           VAL(int, square_root), VAL(int, clip))
    GROUP(s, strip, STRIPS_Y)
        const int p0 = strip * TILE;
        EACH_TILE(q, l, COLS, TILE)
            const int inside = p0 + l < ROWS;
            const int pixel = place[inside ? p0 + l : 0] * COLS + place[ROWS + q];
            const real value = data[s * (ROWS * (index)COLS) + pixel];
            const real a = square_root ? SQRT(value > 0 ? value : 0) : clip && value < 0 ? 0 : value;
            amplitude[((s * STRIPS_Y + strip) * COLS + q) * (index)TILE + l] = inside && valid[pixel] ? a : REAL(2e30);
        END_TILE
    END_GROUP
END_KERNEL
