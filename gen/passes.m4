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

   A frame has MODES waves, one for each probe mode, next to each other in a stack: first, last and middle
   passes see waves, s being wave MODES slot + mode.  A detector sees frames, whose intensity is the sum
   over their modes; where there are several, their strips are transformed in place one after the other,
   the text runs, and they are transformed back.

   Each pass also becomes a kernel NAME_unfused for where a library transforms: the same text over
   frames in natural order, (re, im) by (re, im), without tiles and transforms.

   A transform of n points counts as 5 n log2 n flops, whatever it takes: so do those of FFTW's and other
   libraries' speeds.  Each pass moves a pixel's 8 bytes of scratch, the middle one there and back; what
   LOAD, STORE and the text between the transforms add is in their files (COST, which all kernels of a word
   share).  */
m4_define(`FRAME_ARGS', `IN(cplx, table), WINDOW_ARGS')
m4_define(`WINDOW_ARGS', `IN(int, frame), IN(int, corner), IN(real, fraction), IN(cplx, object), VAL(index, object_cols), IN(cplx, probe), VAL(index, probe_step)')
m4_define(`UPDATE_ARGS', `IN(cplx, table), UPDATED_ARGS')
m4_define(`UPDATED_ARGS', `IN(int, frame), IN(int, corner), IN(real, fraction),
           OUT(cplx, object), VAL(index, object_cols), OUT(cplx, probe), VAL(index, probe_step)')
m4_define(`SCRATCH_AT', `(WAVE * STRIPS_Y + ($1) / TILE) * (COLS * (index)(2 * TILE)) + ($2) * (2 * TILE) + ($1) % TILE')
/* A pixel of frame $1 in natural order. */
m4_define(`NATURAL_AT', `((($1) * ROWS + $2) * (index)COLS + $3)')
m4_define(`PIXEL', `(y * (index)COLS + x)')
/* The wave that is worked on, in the stack; `s' but where a detector goes through its modes. */
m4_define(`WAVE', `s')
m4_define(`EACH_MODE', `for (int mode = 0; mode < MODES; mode++) {
        m4_pushdef(`WAVE', `(s * MODES + mode)')')
m4_define(`END_MODE', `m4_popdef(`WAVE')}')
m4_define(`PROBE', `WAVES(probe, PROBE_AT + PIXEL)')
m4_define(`PROBE_AT', `s * probe_step')
m4_define(`PROBE_OF', `($1) * probe_step + ($2) * (ROWS * (index)COLS)')
m4_define(`WINDOW', `const index j = frame[m4_ifelse(`$1', `', `s', `$1')], window = corner[2 * j] * object_cols + corner[2 * j + 1];
        const real fy = fraction[2 * j], fx = fraction[2 * j + 1];')
m4_define(`WAVE_WINDOW', `WINDOW(`s / MODES')
        const index probe_at = PROBE_OF(`s / MODES', `s % MODES');m4_pushdef(`PROBE_AT', `probe_at')')
m4_define(`END_WINDOW', `m4_popdef(`PROBE_AT')')
/* $1 once for each way to reach OBJECT, if PASS_TEXT does at all. */
m4_define(`EACH_OBJECT', `m4_ifelse(m4_regexp(m4_defn(`PASS_TEXT'), `\bOBJECT\b'), -1, `$1', `if (LINEAR) { m4_define(`OBJECT', `OBJECT_LINEAR')$1
        } else { m4_define(`OBJECT', `OBJECT_WHOLE')$1
        }m4_undefine(`OBJECT')')')
m4_define(`OBJECT_AT', `window + y * object_cols + x')
m4_define(`OBJECT_WHOLE', `WAVES(object, OBJECT_AT)')
m4_define(`OBJECT_LINEAR', `linear_tap(WAVES(object, OBJECT_AT), WAVES(object, OBJECT_AT + 1), WAVES(object, OBJECT_AT + object_cols), WAVES(object, OBJECT_AT + object_cols + 1), fy, fx)')
m4_define(`COLUMNS_OF_STRIP', `const int x0 = strip * TILE, width = COLS - x0 < TILE ? COLS - x0 : TILE;')
m4_define(`PART_OF_STRIP', `const int p0 = strip * TILE, height = EXTENT - p0 < TILE ? EXTENT - p0 : TILE;')
/* Below what squares and divisors matter, but no denormal, so that estimates of ROOT and QUOTIENT hold. */
m4_define(`TINY', `REAL(1e-37)')

/* FIRST_PASS(name, text, more arguments, text before, text after): the last three for what it finds by the way. */
m4_define(`FIRST_PASS', `m4_define(`LOAD_$1', `$2')m4_define(`BEFORE_$1', `$4')m4_define(`AFTER_$1', `$5')m4_define(`PASS_TEXT', `$2')KERNEL($1_unfused, OUT(real, scratch), FRAME_ARGS, m4_ifelse(`$3', `', `', `$3, ')OUT(real, spill))
    PASS_COST(1)
    m4_ifelse(`$3', `', `', `REDUCE_BUFFER')
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WAVE_WINDOW
        $4
        EACH_OBJECT(`TILE_WAVES(`y', `c', ROWS, width, `
            const int x = x0 + c;
            PASS_TEXT
            PUT_PAIR(scratch, NATURAL_AT(s, y, x), wave.re, wave.im);')')
        END_WINDOW
        $5
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, OUT(real, scratch), FRAME_ARGS, m4_ifelse(`$3', `', `', `$3, ')OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    m4_ifelse(`$3', `', `', `REDUCE_BUFFER')
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WAVE_WINDOW
        $4
        FIRST_TILE`'END_WINDOW
        $5
    END_GROUP
END_KERNEL')

/* UPDATE_PASS(name, more arguments, text before, text): a last pass that changes object and probe in place. */
m4_define(`LAST_PASS', `m4_define(`STORE_$1', `$2')LAST_KERNELS(`$1', `OUT(cplx, result), IN(real, scratch), FRAME_ARGS', `', `', `$2')')
m4_define(`UPDATE_PASS', `m4_define(`STORE_$1', `$4')m4_define(`BEFORE_$1', `$3')m4_define(`UPDATE_ARGS_$1', `$2')LAST_KERNELS(`$1', `IN(real, scratch), UPDATE_ARGS, $2', `REDUCE_BUFFER', `$3', `$4')')
m4_define(`LAST_KERNELS', `m4_define(`PASS_TEXT', `$5')KERNEL($1_unfused, $2, OUT(real, spill))
    PASS_COST(1)
    $3
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WAVE_WINDOW
        $4
        EACH_OBJECT(`TILE_WAVES(`y', `c', ROWS, width, `
            const int x = x0 + c;
            const waves wave = {PAIR_RE(scratch, NATURAL_AT(s, y, x)), PAIR_IM(scratch, NATURAL_AT(s, y, x))};
            PASS_TEXT')')
        END_WINDOW
    END_GROUP
END_KERNEL
SAME_COST`'KERNEL($1, $2, OUT(real, spill))
    PASS_COST(ROWS)
    TILE_BUFFER(y)
    $3
    GROUP(s, strip, STRIPS_X)
        COLUMNS_OF_STRIP
        WAVE_WINDOW
        $4
        LAST_TILE`'END_WINDOW
    END_GROUP
END_KERNEL')

/* At the detector.  What is kept there lies in strips: of row frequencies in the far field, of columns in
   the near field. */
/* Which data slot s has. */
m4_define(`DATA_FRAME', `frame')
m4_define(`FAR_STRIPS', `m4_define(`STRIPS', `STRIPS_Y')m4_define(`DEPTH', `COLS')m4_define(`EXTENT', `ROWS')')
m4_define(`NEAR_STRIPS', `m4_define(`STRIPS', `STRIPS_X')m4_define(`DEPTH', `ROWS')m4_define(`EXTENT', `COLS')')
FAR_STRIPS
m4_define(`STRIP_AT', `((WAVE * STRIPS + strip) * DEPTH + q) * (index)(2 * TILE)')
m4_define(`FACTOR_PLACE', `((index)strip * DEPTH + q) * (2 * TILE)')
m4_define(`AMPLITUDE_PLACE', `(((index)strip * DEPTH + q) * TILE)')
/* Amplitudes of frame $1, AMPLITUDE_REALS of them: reals, or where SHAPE(words) zero and step in two reals, then
   words of 16 bits, whose values are (word - zero) step; 65535 was not measured. */
m4_define(`AMPLITUDES_OF', `(amplitude + ($1) * AMPLITUDE_REALS)')
m4_define(`REALS_OF', `(SHAPE(words) ? (index)((2 * ($1) + sizeof(real) - 1) / sizeof(real)) + 2 : ($1))')
m4_define(`AMPLITUDE_REALS', `REALS_OF(STRIPS * DEPTH * (index)TILE)')
m4_define(`AMPLITUDE_BYTES', `(SHAPE(words) ? 2 : 4)')

/* MIDDLE_PASS(name, more arguments, text): the text for re and im between the transforms along the rows;
   q is the column of the frame, the lanes are the row frequencies from position p0 on. */
m4_define(`MIDDLE_PASS', `m4_define(`PASS_TEXT', `$3')m4_define(`SUMMED', 0)NATURAL_PASS($1, `$2')
SAME_COST`'STRIP_PASS($1, `$2', `MIDDLE_BUFFER', `MIDDLE_TILE', COLS)')
/* MODULUS_PASS(name, more arguments, begin, text): the same in the far field and, as near_name, in the near
   field, where the wave has come through free space (kernel transfer) and the detector sees pixels: row q of
   a tile is row q of the frame.  The begin says with POWER(x), MODEL_POWER(x) what the modes add up to `power'
   and `model_power'; the text that follows gives each mode re and im, and the frame's MISS(x), whose squares
   a strip adds up in error[s, strip].  Begin and text see one mode. */
m4_define(`MODULUS_PASS', `m4_define(`BEGIN_$1', `$3')m4_define(`DETECTOR_$1', `$3$4')m4_define(`DETECTOR_ARGS_$1', `$2')m4_define(`BEGIN_TEXT', `$3')m4_define(`PASS_TEXT', `$3$4')m4_define(`SUMMED', 1)NATURAL_PASS($1, `$2')
SAME_COST`'STRIP_PASS($1, `$2', `MIDDLE_BUFFER', `IF_MODES(`MODES_MIDDLE_TILE', `MIDDLE_TILE')', COLS, MODES)
NEAR_STRIPS`'SAME_COST`'STRIP_PASS(near_$1, `$2', `NEAR_BUFFER', `IF_MODES(`MODES_NEAR_TILE', `NEAR_TILE')', ROWS, MODES)`'FAR_STRIPS')
m4_define(`POWER', `const lanes power = $1;')
m4_define(`MODEL_POWER', `const lanes model_power = $1;')
m4_define(`MISS', `total += ($1) * ($1);')
/* DETECT_MODES(re, im, put): the begin of all modes, then the text of each. */
m4_define(`SUMS_WORDS', ``POWER', `MODEL_POWER'')
m4_define(`ADD_POWER', `power += $1;')
m4_define(`ADD_MODEL_POWER', `model_power += $1;')
m4_define(`MODE_POWER', `')
m4_define(`MODE_MODEL_POWER', `')
m4_define(`MODE_MISS', `if (!mode) total += ($1) * ($1);')
m4_define(`DETECT_MODES', `lanes power = NO_LANES, model_power = NO_LANES;
            EACH_MODE
                const lanes re = $1, im = $2;
                USE(`ADD', SUMS_WORDS)BEGIN_TEXT`'NO_USE(SUMS_WORDS)
            END_MODE
            EACH_MODE
                lanes re = $1, im = $2;
                USE(`MODE', `MISS', SUMS_WORDS)PASS_TEXT`'NO_USE(`MISS', SUMS_WORDS)
                $3
            END_MODE
            (void)model_power;')
m4_define(`MIDDLE_BUFFER', `TILE_BUFFER(x)')
m4_define(`NEAR_BUFFER', `TILE_BUFFER(y)')
m4_define(`STRIP_PASS', `KERNEL($1, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    PASS_COST($5, $6) PASS_COST($5, $6)
    $3
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        STRIP_WORDS`'$4`'STRIP_WORDS_END
    END_GROUP
END_KERNEL')
m4_define(`NATURAL_PASS', `KERNEL($1_unfused, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    PASS_COST(1, m4_ifelse(SUMMED, 1, MODES)) PASS_COST(1, m4_ifelse(SUMMED, 1, MODES))
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        NATURAL_WAVES_WORDS`'m4_ifelse(SUMMED, 1, `IF_MODES(`MODES_NATURAL_TILE', `NATURAL_TILE')', `NATURAL_TILE')`'NATURAL_WAVES_WORDS_END
    END_GROUP
END_KERNEL')
/* TO_DETECTOR_PASS(name, more arguments, text before, text, text after): the way there alone, where all of a frame must be
   known before the way back.  What the text makes of re and im stays in the scratch, FROM_DETECTOR_PASS takes it
   there.  Each is three kernels as MODULUS_PASS is; they know one mode, and their strips sum with LANES_SUM. */
m4_define(`TO_DETECTOR_PASS', `HALF_PASS(`TO', `$1', `$2', `$3', `$4', `$5')')
m4_define(`FROM_DETECTOR_PASS', `HALF_PASS(`FROM', `$1', `$2', `$3', `$4', `$5')')
m4_define(`HALF_PASS', `m4_define(`PASS_TEXT', `$5')m4_define(`SUMMED', 0)HALF_KERNEL($2_unfused, `$3', `', `$4', `NATURAL_WAVES_WORDS`'NATURAL_TILE`'NATURAL_WAVES_WORDS_END', `$6', 1)
SAME_COST`'HALF_KERNEL($2, `$3', `MIDDLE_BUFFER', `$4', `STRIP_WORDS`'$1_FAR_TILE`'STRIP_WORDS_END', `$6', COLS)
NEAR_STRIPS`'SAME_COST`'HALF_KERNEL(near_$2, `$3', `NEAR_BUFFER', `$4', `STRIP_WORDS`'$1_NEAR_TILE`'STRIP_WORDS_END', `$6', ROWS)`'FAR_STRIPS')
m4_define(`HALF_KERNEL', `KERNEL($1, OUT(real, scratch), IN(cplx, table), $2, OUT(real, spill))
    PASS_COST($7) PASS_COST(1)
    $3
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        $4
        $5
        $6
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
m4_define(`STRIP_AMPLITUDE_AT', `AMPLITUDE_STREAM(AMPLITUDES_OF(DATA_FRAME[s] - first), AMPLITUDE_PLACE, DEPTH * TILE)')
m4_define(`STRIP_STATE_RE', `STREAM(state, STRIP_AT, DEPTH * 2 * TILE)')
m4_define(`STRIP_STATE_IM', `STREAM(state, STRIP_AT + TILE, DEPTH * 2 * TILE)')
m4_define(`STRIP_PUT_STATE', `PUT_REALS(state, STRIP_AT, $1); PUT_REALS(state, STRIP_AT + TILE, $2)')
m4_define(`STRIP_FACTOR_RE', `STREAM(factor, FACTOR_PLACE, DEPTH * 2 * TILE)')
m4_define(`STRIP_FACTOR_IM', `STREAM(factor, FACTOR_PLACE + TILE, DEPTH * 2 * TILE)')
m4_define(`RAMP_OF', `frame[s / MODES] * (index)(ROWS + COLS)')
m4_define(`STRIP_RAMP', `product(FIRST_WAVES(ramp, RAMP_OF + p0, height), SAME_WAVES(ramp, RAMP_OF + ROWS + q))')
m4_define(`NATURAL_WAVES_WORDS', `USE(`PIXELS', PLACES)')
m4_define(`NATURAL_WAVES_WORDS_END', `NO_USE(PLACES)')
m4_define(`PIXELS_AMPLITUDE_AT', `AMPLITUDE_ROW((amplitude + (frame[s] - first) * NATURAL_AMPLITUDE_REALS), NATURAL_AT(0, p0 + l, q))')
m4_define(`PIXELS_STATE_RE', `PAIR_RE(state, NATURAL_AT(WAVE, p0 + l, q))')
m4_define(`PIXELS_STATE_IM', `PAIR_IM(state, NATURAL_AT(WAVE, p0 + l, q))')
m4_define(`PIXELS_PUT_STATE', `PUT_PAIR(state, NATURAL_AT(WAVE, p0 + l, q), $1, $2)')
m4_define(`PIXELS_FACTOR_RE', `PAIR_RE(factor, NATURAL_AT(0, p0 + l, q))')
m4_define(`PIXELS_FACTOR_IM', `PAIR_IM(factor, NATURAL_AT(0, p0 + l, q))')
m4_define(`PIXELS_RAMP', `product(SAME_WAVES(ramp, RAMP_OF + p0 + l), WAVES(ramp, RAMP_OF + ROWS + q))')

/* WHOLE_PASS(name, load, middle, store): the three of them, in the far field, as one kernel, whose group keeps the
   frame in local memory or in registers; not in C.  It has the arguments of all of them, the data's frame apart from
   the window's.  Waves of several modes come to the detector one after the other and wait in the scratch. */
m4_define(`WHOLE_PASS', `KERNEL($1, OUT(cplx, result), OUT(real, scratch), IN(cplx, table_y), IN(cplx, table_x), WINDOW_ARGS,
           m4_patsubst(m4_defn(`DETECTOR_ARGS_$3'), `(int, frame)', `(int, data_frame)'))
    WHOLE_PARTS(`$2', `$3', `$4')
    WHOLE_BUFFERS
    GROUP(slot, part, 1)
        (void)part;
        m4_pushdef(`DATA_FRAME', `data_frame')WHOLE_FRAME(`$2', `$3', `$4')m4_popdef(`DATA_FRAME')
    END_GROUP
END_KERNEL')

/* Texts for a tile, in words of its own loops: for what needs more than one of them.
   DETECTOR_PASS(name, more arguments, text) is two kernels as MODULUS_PASS; DETECTOR_SUMS for those that
   only look, which know one mode; MODEL_SUMS looks at all modes: POWER_OF_MODES(power), the intensity, or with a
   second text the sum of that, which knows one mode's re and im.
   A strip's depth is DEPTH rows, there are STRIPS of them; l < height is inside of the frame. */
m4_define(`AMPLITUDE_PIXEL', `(AMPLITUDE_PLACE + l)')
m4_define(`AMPLITUDE_AT', `AMPLITUDE(AMPLITUDES_OF(frame[s] - first), AMPLITUDE_PIXEL)')
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
m4_define(`MODEL_SUMS', `BOTH_FIELDS($1, `$2', `$3', 0, 1)')
m4_define(`POWER_OF_MODES', `m4_ifelse(`$2', `', `const real $1 = RE(q, l) * RE(q, l) + IM(q, l) * IM(q, l);', `real $1 = 0;
            {
                const real re = RE(q, l), im = IM(q, l);
                $1 = $2;
            }')')
m4_define(`ALL_POWER_OF_MODES', `real $1 = 0;
            EACH_MODE
                const real re = l < height ? MODE_RE : 0, im = l < height ? MODE_IM : 0;
                $1 += m4_ifelse(`$2', `', `re * re + im * im', `$2');
            END_MODE')
/* The tile of each mode, transformed, and back where it came from. */
m4_define(`STRIP_RE', `scratch[STRIP_AT + l]')
m4_define(`STRIP_IM', `scratch[STRIP_AT + TILE + l]')
m4_define(`NEAR_RE', `scratch[SCRATCH_AT(q, p0 + l)]')
m4_define(`NEAR_IM', `scratch[SCRATCH_AT(q, p0 + l) + TILE]')
m4_define(`EACH_STRIP', `EACH_MODE
            STRIP_TO_TILE
            EACH_TILE(q, l, COLS, TILE)
                STRIP_RE = RE(q, l);
                STRIP_IM = IM(q, l);
            END_TILE
        END_MODE')
m4_define(`EACH_STRIP_BACK', `EACH_MODE
            EACH_TILE(q, l, COLS, TILE)
                RE(q, l) = STRIP_RE;
                IM(q, l) = STRIP_IM;
            END_TILE
            TILE_TO_STRIP
        END_MODE')
m4_define(`EACH_NEAR', `COLUMNS_OF_STRIP
        EACH_MODE
            SCRATCH_TO_TILE
            FFT(inverse, y)
            TILE_TO_SCRATCH
        END_MODE')
m4_define(`EACH_NEAR_BACK', `EACH_MODE
            SCRATCH_TO_TILE
            FFT(forward, y)
            TILE_TO_SCRATCH
        END_MODE')
m4_define(`OVER_MODES', `USE(`ALL', `POWER_OF_MODES')m4_pushdef(`MODE_RE', m4_defn(`$1_RE'))m4_pushdef(`MODE_IM', m4_defn(`$1_IM'))$2`'m4_popdef(`MODE_RE')m4_popdef(`MODE_IM')NO_USE(`POWER_OF_MODES')')
m4_define(`BOTH_FIELDS', `m4_define(`MODES_COUNTED', m4_ifelse($5, 1, MODES))NATURALLY(`KERNEL($1_unfused, $2, OUT(real, spill))
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        PASS_COST(1, MODES_COUNTED)m4_ifelse($4, 1, ` PASS_COST(1)')
        m4_ifelse($5, 1, `OVER_MODES(`FRAME', `$3')', `$3')
    END_GROUP
END_KERNEL')
SAME_COST`'DETECTOR_KERNEL($1, `$2', x, `STRIP_TO_TILE', `$3', m4_ifelse($4, 1, ``TILE_TO_STRIP''), $5, `STRIP')
NEAR_STRIPS`'SAME_COST`'DETECTOR_KERNEL(near_$1, `$2', y, `NEAR_TO_TILE', `$3', m4_ifelse($4, 1, ``TILE_TO_NEAR''), $5, `NEAR')`'FAR_STRIPS')
m4_define(`DETECTOR_KERNEL', `KERNEL($1, $2, OUT(real, spill))
    TILE_BUFFER($3)
    REDUCE_BUFFER
    GROUP(s, strip, STRIPS)
        PART_OF_STRIP
        m4_ifelse($7, 1, `IF_MODES(`EACH_$8
        OVER_MODES(`$8', `$5')', `$4
        $5')', `$4
        $5
        $6')
    END_GROUP
END_KERNEL')
/* NATURALLY(text): in the text for a tile these words mean frames in natural order. */
m4_define(`NATURAL_PIXEL', `NATURAL_AT($1, p0 + ($3), $2)')
m4_define(`NATURAL_RE', `scratch[2 * NATURAL_PIXEL(WAVE, $1, $2)]')
m4_define(`NATURAL_IM', `scratch[2 * NATURAL_PIXEL(WAVE, $1, $2) + 1]')
m4_define(`FRAME_RE', `RE(q, l)')
m4_define(`FRAME_IM', `IM(q, l)')
m4_define(`NATURAL_AMPLITUDE_PIXEL', `NATURAL_PIXEL(0, q, l)')
m4_define(`NATURAL_AMPLITUDE_REALS', `REALS_OF(ROWS * (index)COLS)')
m4_define(`NATURAL_STATE_RE', `state[2 * NATURAL_PIXEL(WAVE, q, l)]')
m4_define(`NATURAL_STATE_IM', `state[2 * NATURAL_PIXEL(WAVE, q, l) + 1]')
m4_define(`NATURAL_TILE_SUM', `PIXEL_SUM($1, $3, $2, height, $4)')
m4_define(`NATURAL_END_TILE_SUM', `END_PIXEL_SUM($1)')
m4_define(`NATURAL_EACH_TILE', `FULL_EACH_TILE(`$1', `$2', `$3', `height')')
m4_define(`TILE_WORDS', ``RE', `IM', `AMPLITUDE_PIXEL', `AMPLITUDE_REALS', `STATE_RE', `STATE_IM', `TILE_SUM', `END_TILE_SUM', `EACH_TILE'')
m4_define(`NATURALLY', `m4_define(`FULL_EACH_TILE', m4_defn(`EACH_TILE'))USE(`NATURAL', TILE_WORDS)$1`'NO_USE(TILE_WORDS)')
m4_divert(0)m4_dnl
