m4_divert(-1)
/* passes.m4 -- the fused propagation: three passes over a stack of frames.
   SPDX-License-Identifier: BSD-3-Clause

       first pass    LOAD makes the wave of a tile of columns; forward transform down the columns
       middle pass   forward along the rows, what the detector says, inverse along the rows
       last pass     inverse down the columns; STORE keeps the result

   A kernel supplies its LOAD (sets wave from the frame's object window and probe), its STORE (uses
   wave) or what happens at the detector (changes re and im), as a text for a few adjacent pixels:
   `lanes' is a real number and `waves' a complex one for each of them, in C vectors as wide as a tile,
   on a device one of each.  In it s is the slot of the frame in the stack, j its number in the scan,
   (y, x) the first pixel; OBJECT is the object there and PROBE the probe.  Between the passes a frame
   is STRIPS_Y strips: strip i holds the row frequencies at positions i TILE ... of every column, as a
   tile with one row a column.

   How the passes go about it is the dialect's: FIRST_TILE, LAST_TILE, MIDDLE_TILE and NEAR_TILE, tile
   by tile in gpu.m4; in c_passes.m4 the texts run between the butterflies.

   Each pass also becomes a kernel NAME_unfused for where a library transforms: the same text over
   frames in natural order, (re, im) by (re, im), without tiles and transforms.

   A transform of n points counts as 5 n log2 n flops, whatever it takes: so do those of FFTW's and other
   libraries' speeds.  Each pass moves a pixel's 8 bytes of scratch, the middle one there and back; what
   LOAD, STORE and the text between the transforms add is in their files (COST, which all kernels of a word
   share).  */
m4_define(`FRAME_ARGS', `IN(cplx, table), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step)')
m4_define(`SCRATCH_AT', `(s * STRIPS_Y + ($1) / TILE) * (COLS * (index)(2 * TILE)) + ($2) * (2 * TILE) + ($1) % TILE')
/* A pixel of frame $1 in natural order. */
m4_define(`NATURAL_AT', `((($1) * ROWS + $2) * (index)COLS + $3)')
m4_define(`PIXEL', `(y * (index)COLS + x)')
m4_define(`PROBE', `WAVES(probe, s * probe_step + PIXEL)')
m4_define(`WINDOW', `const index j = frame[s], window = corner[2 * j] * object_cols + corner[2 * j + 1];
        const real fy = fraction[2 * j], fx = fraction[2 * j + 1];')
/* $1 once for each way to reach OBJECT, if PASS_TEXT does at all. */
m4_define(`EACH_OBJECT', `m4_ifelse(m4_regexp(m4_defn(`PASS_TEXT'), `\bOBJECT\b'), -1, `$1', `if (LINEAR) {
        m4_define(`OBJECT', `OBJECT_LINEAR')$1
        } else {
        m4_define(`OBJECT', `OBJECT_WHOLE')$1
        }m4_undefine(`OBJECT')')')
m4_define(`OBJECT_AT', `window + y * object_cols + x')
m4_define(`OBJECT_WHOLE', `WAVES(object, OBJECT_AT)')
m4_define(`OBJECT_LINEAR', `linear_tap(WAVES(object, OBJECT_AT), WAVES(object, OBJECT_AT + 1),
                WAVES(object, OBJECT_AT + object_cols), WAVES(object, OBJECT_AT + object_cols + 1), fy, fx)')
m4_define(`COLUMNS_OF_STRIP', `const int x0 = strip * TILE, width = COLS - x0 < TILE ? COLS - x0 : TILE;')
m4_define(`PART_OF_STRIP', `const int p0 = strip * TILE, height = EXTENT - p0 < TILE ? EXTENT - p0 : TILE;')
/* Below what squares and divisors matter, but no denormal, so that estimates of ROOT and QUOTIENT hold. */
m4_define(`TINY', `REAL(1e-37)')

m4_define(`FIRST_PASS', `m4_define(`PASS_TEXT', `$2')KERNEL($1_unfused, OUT(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(1)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        EACH_OBJECT(`TILE_WAVES(`y', `c', ROWS, width, `
            const int x = x0 + c;
            PASS_TEXT
            PUT_PAIR(scratch, NATURAL_AT(s, y, x), wave.re, wave.im);')')
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, OUT(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        FIRST_TILE
    END_GROUP
END_KERNEL')

m4_define(`LAST_PASS', `m4_define(`PASS_TEXT', `$2')KERNEL($1_unfused, OUT(cplx, result), IN(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(1)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        EACH_OBJECT(`TILE_WAVES(`y', `c', ROWS, width, `
            const int x = x0 + c;
            const waves wave = {PAIR_RE(scratch, NATURAL_AT(s, y, x)), PAIR_IM(scratch, NATURAL_AT(s, y, x))};
            PASS_TEXT')')
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, OUT(cplx, result), IN(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        LAST_TILE
    END_GROUP
END_KERNEL')

/* At the detector.  What is kept there lies in strips: of row frequencies in the far field, of columns in
   the near field. */
m4_define(`FAR_STRIPS', `m4_define(`STRIPS', `STRIPS_Y')m4_define(`DEPTH', `COLS')m4_define(`EXTENT', `ROWS')')
m4_define(`NEAR_STRIPS', `m4_define(`STRIPS', `STRIPS_X')m4_define(`DEPTH', `ROWS')m4_define(`EXTENT', `COLS')')
FAR_STRIPS
m4_define(`STRIP_AT', `((s * STRIPS + strip) * DEPTH + q) * (index)(2 * TILE)')
m4_define(`FACTOR_PLACE', `((index)strip * DEPTH + q) * (2 * TILE)')
m4_define(`AMPLITUDE_PLACE', `(($1) * STRIPS + strip) * (DEPTH * (index)TILE) + q * TILE')

/* MIDDLE_PASS(name, more arguments, text): the text for re and im between the transforms along the rows;
   q is the column of the frame, the lanes are the row frequencies from position p0 on. */
m4_define(`MIDDLE_PASS', `m4_define(`PASS_TEXT', `$3')m4_define(`SUMMED', 0)NATURAL_PASS($1, `$2')
SAME_COST`'STRIP_PASS($1, `$2', `MIDDLE_BUFFER', `MIDDLE_TILE', COLS)')
/* MODULUS_PASS(name, more arguments, text): the same in the far field and, as near_name, in the near field,
   where the wave has come through free space (kernel transfer) and the detector sees pixels: row q of
   a tile is row q of the frame.  The text adds to `total', whose sum over a strip becomes error[s, strip]. */
m4_define(`MODULUS_PASS', `m4_define(`PASS_TEXT', `$3')m4_define(`SUMMED', 1)NATURAL_PASS($1, `$2')
SAME_COST`'STRIP_PASS($1, `$2', `MIDDLE_BUFFER', `MIDDLE_TILE', COLS)
NEAR_STRIPS`'SAME_COST`'STRIP_PASS(near_$1, `$2', `TILE_BUFFER(y)', `NEAR_TILE', ROWS)`'FAR_STRIPS')
m4_define(`MIDDLE_BUFFER', `TILE_BUFFER(x)')
m4_define(`STRIP_PASS', `KERNEL($1, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    PASS_COST($5) PASS_COST($5)
    $3
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        STRIP_WORDS`'$4`'STRIP_WORDS_END
    END_GROUP
END_KERNEL')
m4_define(`NATURAL_PASS', `KERNEL($1_unfused, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    PASS_COST(1) PASS_COST(1)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        NATURAL_WAVES_WORDS`'NATURAL_TILE`'NATURAL_WAVES_WORDS_END
    END_GROUP
END_KERNEL')
/* STRIP_SUM(text): the text, which adds to total, and where the total goes. */
m4_define(`ERROR_OF_STRIP', `error[s * STRIPS + strip]')
/* USE(words, form): each of the words means FORM_WORD until NO_USE(words). */
m4_define(`USE', `m4_ifelse(`$2', `', `', `m4_pushdef(`$2', m4_defn(`$1_$2'))USE(`$1', m4_shift(m4_shift($@)))')')
m4_define(`NO_USE', `m4_ifelse(`$1', `', `', `m4_popdef(`$1')NO_USE(m4_shift($@))')')
m4_define(`PLACES', ``AMPLITUDE_AT', `STATE_RE', `STATE_IM', `PUT_STATE', `FACTOR_RE', `FACTOR_IM', `RAMP'')
m4_define(`STRIP_WORDS', `USE(`STRIP', PLACES)')
m4_define(`STRIP_WORDS_END', `NO_USE(PLACES)')
m4_define(`STRIP_AMPLITUDE_AT', `STREAM(amplitude, AMPLITUDE_PLACE(frame[s] - first), DEPTH * TILE)')
m4_define(`STRIP_STATE_RE', `STREAM(state, STRIP_AT, DEPTH * 2 * TILE)')
m4_define(`STRIP_STATE_IM', `STREAM(state, STRIP_AT + TILE, DEPTH * 2 * TILE)')
m4_define(`STRIP_PUT_STATE', `PUT_REALS(state, STRIP_AT, $1); PUT_REALS(state, STRIP_AT + TILE, $2)')
m4_define(`STRIP_FACTOR_RE', `STREAM(factor, FACTOR_PLACE, DEPTH * 2 * TILE)')
m4_define(`STRIP_FACTOR_IM', `STREAM(factor, FACTOR_PLACE + TILE, DEPTH * 2 * TILE)')
m4_define(`RAMP_OF', `frame[s] * (index)(ROWS + COLS)')
m4_define(`STRIP_RAMP', `product(FIRST_WAVES(ramp, RAMP_OF + p0, height), SAME_WAVES(ramp, RAMP_OF + ROWS + q))')
m4_define(`NATURAL_WAVES_WORDS', `USE(`PIXELS', PLACES)')
m4_define(`NATURAL_WAVES_WORDS_END', `NO_USE(PLACES)')
m4_define(`PIXELS_AMPLITUDE_AT', `ROW_REALS(amplitude, NATURAL_AT(frame[s] - first, p0 + l, q))')
m4_define(`PIXELS_STATE_RE', `PAIR_RE(state, NATURAL_AT(s, p0 + l, q))')
m4_define(`PIXELS_STATE_IM', `PAIR_IM(state, NATURAL_AT(s, p0 + l, q))')
m4_define(`PIXELS_PUT_STATE', `PUT_PAIR(state, NATURAL_AT(s, p0 + l, q), $1, $2)')
m4_define(`PIXELS_FACTOR_RE', `PAIR_RE(factor, NATURAL_AT(0, p0 + l, q))')
m4_define(`PIXELS_FACTOR_IM', `PAIR_IM(factor, NATURAL_AT(0, p0 + l, q))')
m4_define(`PIXELS_RAMP', `product(SAME_WAVES(ramp, RAMP_OF + p0 + l), WAVES(ramp, RAMP_OF + ROWS + q))')

/* Texts for a tile, in words of its own loops: for what needs more than one of them.
   DETECTOR_PASS(name, more arguments, text) is two kernels as MODULUS_PASS; DETECTOR_SUMS for those that
   only look.  A strip's depth is DEPTH rows, there are STRIPS of them; l < height is inside of the frame. */
m4_define(`AMPLITUDE_OF', `amplitude[AMPLITUDE_PLACE($1) + l]')
m4_define(`AMPLITUDE_AT', `AMPLITUDE_OF(frame[s] - first)')
m4_define(`STATE_RE', `state[STRIP_AT + l]')
m4_define(`STATE_IM', `state[STRIP_AT + TILE + l]')
m4_define(`TILE_TO_SCRATCH', `EACH_TILE(y, c, ROWS, width)
            scratch[SCRATCH_AT(y, x0 + c)] = RE(y, c);
            scratch[SCRATCH_AT(y, x0 + c) + TILE] = IM(y, c);
        END_TILE')
m4_define(`SCRATCH_TO_TILE', `EACH_TILE(y, c, ROWS, TILE)
            RE(y, c) = c < width ? scratch[SCRATCH_AT(y, x0 + c)] : 0;
            IM(y, c) = c < width ? scratch[SCRATCH_AT(y, x0 + c) + TILE] : 0;
        END_TILE')
m4_define(`STRIP_TO_TILE', `EACH_TILE(q, l, COLS, TILE)
            RE(q, l) = l < height ? scratch[STRIP_AT + l] : 0;
            IM(q, l) = l < height ? scratch[STRIP_AT + TILE + l] : 0;
        END_TILE
        FFT(forward, x)
        PASS_COST(COLS)')
m4_define(`TILE_TO_STRIP', `FFT(inverse, x)
        PASS_COST(COLS)
        EACH_TILE(q, l, COLS, TILE)
            scratch[STRIP_AT + l] = RE(q, l);
            scratch[STRIP_AT + TILE + l] = IM(q, l);
        END_TILE')
m4_define(`NEAR_TO_TILE', `COLUMNS_OF_STRIP
        SCRATCH_TO_TILE
        FFT(inverse, y)
        PASS_COST(ROWS)')
m4_define(`TILE_TO_NEAR', `FFT(forward, y)
        PASS_COST(ROWS)
        TILE_TO_SCRATCH')
m4_define(`DETECTOR_PASS', `BOTH_FIELDS($1, `OUT(real, scratch), IN(cplx, table), $2', `$3', 1)')
m4_define(`DETECTOR_SUMS', `BOTH_FIELDS($1, `$2', `$3', 0)')
m4_define(`BOTH_FIELDS', `NATURALLY(`KERNEL($1_unfused, $2, OUT(real, spill))
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        PASS_COST(1)m4_ifelse($4, 1, ` PASS_COST(1)')
        $3
    END_GROUP
END_KERNEL')
SAME_COST`'DETECTOR_KERNEL($1, `$2', x, `STRIP_TO_TILE', `$3', m4_ifelse($4, 1, ``TILE_TO_STRIP''))
NEAR_STRIPS`'SAME_COST`'DETECTOR_KERNEL(near_$1, `$2', y, `NEAR_TO_TILE', `$3', m4_ifelse($4, 1, ``TILE_TO_NEAR''))`'FAR_STRIPS')
m4_define(`DETECTOR_KERNEL', `KERNEL($1, $2, OUT(real, spill))
    TILE_BUFFER($3)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        $4
        $5
        $6
    END_GROUP
END_KERNEL')
/* NATURALLY(text): in the text for a tile these words mean frames in natural order. */
m4_define(`NATURAL_PIXEL', `NATURAL_AT($1, p0 + ($3), $2)')
m4_define(`NATURAL_RE', `scratch[2 * NATURAL_PIXEL(s, $1, $2)]')
m4_define(`NATURAL_IM', `scratch[2 * NATURAL_PIXEL(s, $1, $2) + 1]')
m4_define(`NATURAL_AMPLITUDE_OF', `amplitude[NATURAL_PIXEL($1, q, l)]')
m4_define(`NATURAL_STATE_RE', `state[2 * NATURAL_PIXEL(s, q, l)]')
m4_define(`NATURAL_STATE_IM', `state[2 * NATURAL_PIXEL(s, q, l) + 1]')
m4_define(`NATURAL_TILE_SUM', `PIXEL_SUM($1, $3, $2, height, $4)')
m4_define(`NATURAL_END_TILE_SUM', `END_PIXEL_SUM($1)')
m4_define(`NATURAL_EACH_TILE', `FULL_EACH_TILE(`$1', `$2', `$3', `height')')
m4_define(`TILE_WORDS', ``RE', `IM', `AMPLITUDE_OF', `STATE_RE', `STATE_IM', `TILE_SUM', `END_TILE_SUM', `EACH_TILE'')
m4_define(`NATURALLY', `m4_define(`FULL_EACH_TILE', m4_defn(`EACH_TILE'))USE(`NATURAL', TILE_WORDS)$1`'NO_USE(TILE_WORDS)')
m4_divert(0)m4_dnl
