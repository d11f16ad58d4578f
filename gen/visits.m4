m4_divert(-1)
/* visits.m4 -- item after item in one launch.  SPDX-License-Identifier: BSD-3-Clause

   VISITS(name, load, middle, update): a FIRST_PASS with tops, a MODULUS_PASS and an UPDATE_PASS for one frame after
   another, in the far field with one wave, as one kernel whose groups wait for one another; in CUDA and HIP alone.  It has
   the arguments of all of them; frames and errors are those of the first item.  What is written and what is read lie in
   plain arrays (OUT), for what a cache keeps of an array that is only read is not renewed within a launch.  */
m4_define(`VISITS', `KERNEL($1, OUT(real, scratch), IN(cplx, table_y), IN(cplx, table_x), UPDATED_ARGS,
           m4_patsubst(m4_defn(`UPDATE_ARGS_$4'), `\bIN\b', `OUT'),
           m4_patsubst(m4_defn(`DETECTOR_ARGS_$3'), `(int, frame)', `(int, data_frame)'), OUT(real, spill))
    PASS_COST(ROWS) PASS_COST(COLS) PASS_COST(COLS) PASS_COST(ROWS)
    VISIT_PARTS(`$2', `$3', `$4')
    TILE_BUFFER(longest)
    REDUCE_BUFFER
    TOGETHER(visit, (STRIPS_X > STRIPS_Y ? STRIPS_X : STRIPS_Y))
        const index s = 0;
        EACH_STRIP_OF(STRIPS_X, table_y)
            COLUMNS_OF_STRIP
            WAVE_WINDOW
            BEFORE_$2
            m4_define(`PASS_TEXT', m4_defn(`LOAD_$2'))FIRST_TILE`'END_WINDOW
            AFTER_$2
        END_STRIP_OF
        EACH_STRIP_OF(STRIPS_Y, table_x)
            PART_OF_STRIP
            m4_pushdef(`DATA_FRAME', `data_frame')m4_define(`SUMMED', 1)m4_define(`PASS_TEXT', m4_defn(`DETECTOR_$3'))STRIP_WORDS`'MIDDLE_TILE`'STRIP_WORDS_END`'m4_popdef(`DATA_FRAME')
        END_STRIP_OF
        EACH_STRIP_OF(STRIPS_X, table_y)
            COLUMNS_OF_STRIP
            WAVE_WINDOW
            BEFORE_$4
            m4_define(`PASS_TEXT', m4_defn(`STORE_$4'))LAST_TILE`'END_WINDOW
        END_STRIP_OF
        frame++;
        data_frame++;
        error += STRIPS_Y;
    END_TOGETHER
END_KERNEL')
m4_divert(0)m4_dnl
