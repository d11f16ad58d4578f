m4_divert(-1)
/* passes.m4 -- the fused propagation: three passes over a stack of frames.
   SPDX-License-Identifier: BSD-3-Clause

       first pass    LOAD makes the wave of a tile of columns; forward transform down the columns
       middle pass   forward along the rows, what the detector says, inverse along the rows
       last pass     inverse down the columns; STORE keeps the result

   A kernel supplies its LOAD (sets wave from the frame's object window and probe) or its STORE
   (uses wave), between the two words of its pass.  In both, s is the slot of the frame in the
   stack, j its number in the scan, (y, x) the pixel; OBJECT is the object at that pixel and
   PROBE the probe.  Between the passes a frame is STRIPS_Y strips: strip i holds the row
   frequencies at positions i TILE ... of every column, as a tile with one row a column.

   Each pass also becomes a kernel NAME_unfused for where a library transforms: the same LOAD, STORE
   or middle over frames in natural order, (re, im) by (re, im), without tiles and transforms.

   A transform of n points counts as 5 n log2 n flops, whatever it takes: so do those of FFTW's and other
   libraries' speeds.  Each pass moves a pixel's 8 bytes of scratch, the middle one there and back; what
   LOAD, STORE and the text between the transforms add is in their files (COST, which all kernels of a word
   share).  */
m4_define(`FRAME_ARGS', `IN(cplx, table), IN(int, frame), IN(int, corner), IN(real, fraction),
           IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step)')
m4_define(`SCRATCH_AT', `(s * STRIPS_Y + ($1) / TILE) * (COLS * (index)(2 * TILE)) + ($2) * (2 * TILE) + ($1) % TILE')
m4_define(`PROBE', `probe[s * probe_step + y * COLS + x]')
m4_define(`WINDOW', `const index j = frame[s], window = corner[2 * j] * object_cols + corner[2 * j + 1];
        const real fy = fraction[2 * j], fx = fraction[2 * j + 1];')
/* EACH_WAVE ... END_WAVE: its text for the pixels of the tile, once for each way to reach OBJECT. */
m4_define(`EACH_WAVE', `if (LINEAR) {
        EACH_TILE(y, c, ROWS, width)
            const int x = x0 + c;
            m4_define(`OBJECT', `OBJECT_LINEAR')$1
        END_TILE
        } else {
        EACH_TILE(y, c, ROWS, width)
            const int x = x0 + c;
            m4_define(`OBJECT', `OBJECT_WHOLE')$1
        END_TILE
        }m4_undefine(`OBJECT')')
m4_define(`OBJECT_WHOLE', `object[window + y * object_cols + x]')
m4_define(`OBJECT_LINEAR', `linear_tap(object[window + y * object_cols + x], object[window + y * object_cols + x + 1],
                object[window + (y + 1) * object_cols + x], object[window + (y + 1) * object_cols + x + 1], fy, fx)')

/* A pixel of frame $1 in natural order. */
m4_define(`NATURAL_AT', `((($1) * ROWS + $2) * (index)COLS + $3)')

m4_define(`TILE_TO_SCRATCH', `EACH_TILE(y, c, ROWS, width)
            scratch[SCRATCH_AT(y, x0 + c)] = RE(y, c);
            scratch[SCRATCH_AT(y, x0 + c) + TILE] = IM(y, c);
        END_TILE')
m4_define(`SCRATCH_TO_TILE', `EACH_TILE(y, c, ROWS, TILE)
            RE(y, c) = c < width ? scratch[SCRATCH_AT(y, x0 + c)] : 0;
            IM(y, c) = c < width ? scratch[SCRATCH_AT(y, x0 + c) + TILE] : 0;
        END_TILE')

m4_define(`COLUMNS_OF_STRIP', `const int x0 = strip * TILE, width = COLS - x0 < TILE ? COLS - x0 : TILE;')
m4_define(`FIRST_PASS', `KERNEL($1_unfused, OUT(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(1)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        EACH_WAVE(`$2
            scratch[2 * NATURAL_AT(s, y, x)] = wave.re; scratch[2 * NATURAL_AT(s, y, x) + 1] = wave.im;')
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, OUT(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        EACH_WAVE(`$2
            RE(y, c) = wave.re; IM(y, c) = wave.im;')
        if (width < TILE) {
        EACH_TILE(y, c, ROWS, TILE)
            if (c >= width) { RE(y, c) = 0; IM(y, c) = 0; }
        END_TILE
        }
        FFT(forward, y)
        TILE_TO_SCRATCH
    END_GROUP
END_KERNEL')

m4_define(`LAST_PASS', `KERNEL($1_unfused, OUT(cplx, result), IN(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(1)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        EACH_WAVE(`const cplx wave = {scratch[2 * NATURAL_AT(s, y, x)], scratch[2 * NATURAL_AT(s, y, x) + 1]};
            $2')
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, OUT(cplx, result), IN(real, scratch), FRAME_ARGS, OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WINDOW
        SCRATCH_TO_TILE
        FFT(inverse, y)
        EACH_WAVE(`const cplx wave = {RE(y, c), IM(y, c)};
            $2')
    END_GROUP
END_KERNEL')

/* MIDDLE_PASS(name, more arguments, text): the text between the transforms; row q of the tile
   is a column of the frame, its column l the row frequency at position p0 + l. */
m4_define(`FAR_STRIPS', `m4_define(`SIDE', `FAR')m4_define(`STRIPS', `STRIPS_Y')m4_define(`DEPTH', `COLS')m4_define(`EXTENT', `ROWS')')
m4_define(`NEAR_STRIPS', `m4_define(`SIDE', `NEAR')m4_define(`STRIPS', `STRIPS_X')m4_define(`DEPTH', `ROWS')m4_define(`EXTENT', `COLS')')
FAR_STRIPS
m4_define(`STRIP_AT', `((s * STRIPS + strip) * DEPTH + q) * (index)(2 * TILE)')
m4_define(`PART_OF_STRIP', `const int p0 = strip * TILE, height = EXTENT - p0 < TILE ? EXTENT - p0 : TILE;')
m4_define(`MIDDLE_LOAD', `    PART_OF_STRIP
        EACH_TILE(q, l, COLS, TILE)
            RE(q, l) = l < height ? scratch[STRIP_AT + l] : 0;
            IM(q, l) = l < height ? scratch[STRIP_AT + TILE + l] : 0;
        END_TILE
        FFT(forward, x)
        PASS_COST(COLS)')
m4_define(`MIDDLE_PASS', `UNFUSED_PASS($1, `OUT(real, scratch), IN(cplx, table), $2', `PASS_COST(1)
        $3')
SAME_COST`'KERNEL($1, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    TILE_BUFFER(x)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS_Y)
    MIDDLE_LOAD
        $3
        FFT(inverse, x)
        EACH_TILE(q, l, COLS, TILE)
            scratch[STRIP_AT + l] = RE(q, l);
            scratch[STRIP_AT + TILE + l] = IM(q, l);
        END_TILE
        PASS_COST(COLS)
    END_GROUP
END_KERNEL')
/* Amplitudes (of slot or frame $1 of the array), the state and the factors for one frame lie as the
   scratch does. */
m4_define(`AMPLITUDE_OF', `amplitude[(($1) * STRIPS + strip) * (DEPTH * (index)TILE) + q * TILE + l]')
m4_define(`AMPLITUDE_AT', `AMPLITUDE_OF(frame[s] - first)')
m4_define(`STATE_RE', `state[STRIP_AT + l]')
m4_define(`STATE_IM', `state[STRIP_AT + TILE + l]')
m4_define(`FACTOR_RE', `factor[((index)strip * DEPTH + q) * (2 * TILE) + l]')
m4_define(`FACTOR_IM', `factor[((index)strip * DEPTH + q) * (2 * TILE) + TILE + l]')

/* DETECTOR_PASS(name, more arguments, text) is two kernels: `name' is a MIDDLE_PASS, for a detector in
   the far field, which sees the transform; near_name is for one in the near field, which sees pixels.
   There the wave has come through free space (kernel transfer), row q of the tile is row q of the
   frame and its column l the column x0 + l.  A strip's depth is DEPTH rows, there are STRIPS of them.
   DETECTOR_SUMS is the same for kernels that only look. */
m4_define(`NEAR_LOAD', `COLUMNS_OF_STRIP
        SCRATCH_TO_TILE
        FFT(inverse, y)
        PASS_COST(ROWS)')
m4_define(`DETECTOR_PASS', `MIDDLE_PASS($1, `$2', `$3')

NEAR_STRIPS`'SAME_COST`'UNFUSED_PASS(near_$1, `OUT(real, scratch), IN(cplx, table), $2', `PASS_COST(1)
        $3')
SAME_COST`'KERNEL(near_$1, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    TILE_BUFFER(y)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS_X)
        NEAR_LOAD
        $3
        FFT(forward, y)
        TILE_TO_SCRATCH
        PASS_COST(ROWS)
    END_GROUP
END_KERNEL`'FAR_STRIPS')
m4_define(`DETECTOR_SUMS', `UNFUSED_PASS($1, `$2', `$3')
SAME_COST`'KERNEL($1, $2, OUT(real, spill))
    TILE_BUFFER(x)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS_Y)
    MIDDLE_LOAD
        $3
    END_GROUP
END_KERNEL

NEAR_STRIPS`'SAME_COST`'UNFUSED_PASS(near_$1, `$2', `$3')
SAME_COST`'KERNEL(near_$1, $2, OUT(real, spill))
    TILE_BUFFER(y)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS_X)
        NEAR_LOAD
        $3
    END_GROUP
END_KERNEL`'FAR_STRIPS')

/* UNFUSED_PASS(name, arguments, text): the text of a middle pass over frames in natural order. */
m4_define(`UNFUSED_PASS', `NATURALLY(`KERNEL($1_unfused, $2, OUT(real, spill))
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        PASS_COST(1)
        $3
    END_GROUP
END_KERNEL')')
/* NATURALLY(text): in the text these words mean frames in natural order.  PIXEL(slot, q, l) is where a
   strip's pixel lies. */
m4_define(`FAR_PIXEL', `NATURAL_AT($1, p0 + ($3), $2)')
m4_define(`NEAR_PIXEL', `NATURAL_AT($1, $2, p0 + ($3))')
m4_define(`FAR_SUM', `PIXEL_SUM($1, $3, $2, height, $4)')
m4_define(`NEAR_SUM', `PIXEL_SUM($1, $2, $3, $4, height)')
m4_define(`PIXEL', `m4_indir(SIDE`'_PIXEL, `$1', `$2', `$3')')
m4_define(`NATURAL_RE', `scratch[2 * PIXEL(s, $1, $2)]')
m4_define(`NATURAL_IM', `scratch[2 * PIXEL(s, $1, $2) + 1]')
m4_define(`NATURAL_AMPLITUDE_OF', `amplitude[PIXEL($1, q, l)]')
m4_define(`NATURAL_STATE_RE', `state[2 * PIXEL(s, q, l)]')
m4_define(`NATURAL_STATE_IM', `state[2 * PIXEL(s, q, l) + 1]')
m4_define(`NATURAL_FACTOR_RE', `factor[2 * PIXEL(0, q, l)]')
m4_define(`NATURAL_FACTOR_IM', `factor[2 * PIXEL(0, q, l) + 1]')
m4_define(`NATURAL_TILE_SUM', `m4_indir(SIDE`'_SUM, `$1', `$2', `$3', `$4')')
m4_define(`NATURAL_END_TILE_SUM', `END_PIXEL_SUM($1)')
m4_define(`NATURAL_EACH_TILE', `FULL_EACH_TILE(`$1', `$2', `$3', `height')')
m4_define(`NATURAL_WORDS', ``RE', `IM', `AMPLITUDE_OF', `STATE_RE', `STATE_IM', `FACTOR_RE', `FACTOR_IM',
`TILE_SUM', `END_TILE_SUM', `EACH_TILE'')
m4_define(`TURN_NATURAL', `m4_ifelse(`$1', `', `', `m4_pushdef(`$1', m4_defn(`NATURAL_$1'))TURN_NATURAL(m4_shift($@))')')
m4_define(`TURN_BACK', `m4_ifelse(`$1', `', `', `m4_popdef(`$1')TURN_BACK(m4_shift($@))')')
m4_define(`NATURALLY', `m4_define(`FULL_EACH_TILE', m4_defn(`EACH_TILE'))TURN_NATURAL(NATURAL_WORDS)$1`'TURN_BACK(NATURAL_WORDS)')
m4_divert(0)m4_dnl
