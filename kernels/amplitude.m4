/* amplitude -- measured frames as the middle passes read them.  SPDX-License-Identifier: BSD-3-Clause

       a[s, strip, q, l] = sqrt(data[s, pixel]),

   far field: the pixel is (row(p), column(q)) with p = strip TILE + l, where `place' (rows, then
   cols) says where the data hold the frequency at a position of the transform;
   near field: the pixel is (q, strip TILE + l).
   `square_root' 0: the data are amplitudes already; `clip': negative amplitudes become 0.  Pixels
   that are not valid or, where `saturation' is above 0, hold that or more, and the padding, become unmeasured.  */

/* MEASURED_KERNEL(name, more arguments, text): the text is the pixel of the data at row q of a tile and place p of
   its strip. */
m4_define(`MEASURED_KERNEL', `COST(items * PIXELS, 12, 1)
KERNEL($1, OUT(real, amplitude), IN(real, data), IN(int, valid)$2, VAL(int, square_root),
           VAL(int, clip), VAL(real, saturation))
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        EACH_TILE(q, l, DEPTH, TILE)
            const int inside = l < height, p = inside ? p0 + l : 0;
            const int pixel = $3;
            const real value = data[s * (ROWS * (index)COLS) + pixel];
            const real a = square_root ? SQRT(value > 0 ? value : 0) : clip && value < 0 ? 0 : value;
            const int measured = inside && valid[pixel] && !(saturation > 0 && value >= saturation);
            AMPLITUDE_OF(s) = measured ? a : REAL(2e30);
        END_TILE
    END_GROUP
END_KERNEL')
NATURALLY(`MEASURED_KERNEL(`amplitude_unfused', `, IN(int, place)', `place[p] * COLS + place[ROWS + q]')')
MEASURED_KERNEL(`amplitude', `, IN(int, place)', `place[p] * COLS + place[ROWS + q]')
NATURALLY(`MEASURED_KERNEL(`near_amplitude_unfused', `', `p * COLS + q')')
NEAR_STRIPS
MEASURED_KERNEL(`near_amplitude', `', `q * COLS + p')
FAR_STRIPS
