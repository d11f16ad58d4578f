/* amplitude -- measured frames as the middle passes read them.  SPDX-License-Identifier: BSD-3-Clause

       a[s, strip, q, l] = sqrt(data[s, pixel]),

   far field: the pixel is (row(p), column(q)) with p = strip TILE + l, where `place' (rows, then
   cols) says where the data hold the frequency at a position of the transform;
   near field: the pixel is (q, strip TILE + l).
   `square_root' 0: the data are amplitudes already; `clip': negative amplitudes become 0.  Pixels
   that are not valid or, where `saturation' is above 0, hold that or more, and the padding, become unmeasured.
   Where the shape has words of 16 bits, `range' says zero and step of each frame.  */

/* MEASURED_KERNEL(name, more arguments, text): the text is the pixel of the data at row q of a tile and place p of
   its strip. */
m4_define(`MEASURED_KERNEL', `COST(items * PIXELS, 8 + AMPLITUDE_BYTES, 1)
KERNEL($1, OUT(real, amplitude), IN(real, data), IN(int, valid)$2, VAL(int, square_root),
           VAL(int, clip), VAL(real, saturation), IN(cplx, range))
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        GLOBAL real *const stored = AMPLITUDES_OF(s);
        if (SHAPE(words) && strip == 0) {
        ONE_LANE
            stored[0] = range[s].re;
            stored[1] = range[s].im;
        END_ONE
        }
        EACH_TILE(q, l, DEPTH, TILE)
            const int inside = l < height, p = inside ? p0 + l : 0;
            const int pixel = $3;
            const real value = data[s * (ROWS * (index)COLS) + pixel];
            const real a = square_root ? SQRT(value > 0 ? value : 0) : clip && value < 0 ? 0 : value;
            const int measured = inside && valid[pixel] && !(saturation > 0 && value >= saturation);
            const index at = AMPLITUDE_PIXEL;
            if (SHAPE(words))
                ((GLOBAL unsigned short *)(GLOBAL void *)(stored + 2))[at] =
                    (unsigned short)(measured ? (int)(a / range[s].im + range[s].re + REAL(0.5)) : 65535);
            else
                stored[at] = measured ? a : REAL(2e30);
        END_TILE
    END_GROUP
END_KERNEL')
NATURALLY(`MEASURED_KERNEL(`amplitude_unfused', `, IN(int, place)', `place[p] * COLS + place[ROWS + q]')')
MEASURED_KERNEL(`amplitude', `, IN(int, place)', `place[p] * COLS + place[ROWS + q]')
NATURALLY(`MEASURED_KERNEL(`near_amplitude_unfused', `', `p * COLS + q')')
NEAR_STRIPS
MEASURED_KERNEL(`near_amplitude', `', `q * COLS + p')
FAR_STRIPS
