m4_divert(-1)
/* whole.m4 -- what WHOLE_PASS (passes.m4) makes of three texts on a device.  SPDX-License-Identifier: BSD-3-Clause

   One group has a frame: in registers (POINT_..., registers.m4), or in local memory (PIXEL_...), rows of COLS real and COLS
   imaginary parts, so far apart that columns lie in different banks as well.  */
m4_define(`WHOLE_BUFFERS', `LOCAL_ARRAY(real, tile, LINES > WIDTH ? LINES : WIDTH);')
m4_define(`WHOLE_RE',   `tile[LINE * ($1) + ($2)]')
m4_define(`WHOLE_IM',   `tile[LINE * ($1) + COLS + ($2)]')
m4_define(`WHOLE_PARTS', `')
m4_define(`EACH_WAVE',  `for (int mode_ = 0; mode_ < MODES; mode_++) {
        const index s = slot * MODES + mode_;
        WAVE_WINDOW')
m4_define(`END_WAVE',   `END_WINDOW
        }')
m4_define(`WHOLE_FRAME', `real total = 0;
#if SHAPE_whole == 2
        FRAME_STEPS(`POINT', $@)
#else
        FRAME_STEPS(`PIXEL', $@)
#endif
        total = group_sum(tile, total);
        LANES(i_, 0, STRIPS_Y)
            error[slot * STRIPS_Y + i_] = i_ ? 0 : total;
        END_LANES
        ')
m4_define(`FRAME_STEPS', `$1_HOLD
        EACH_WAVE
        m4_define(`PASS_TEXT', m4_defn(`LOAD_$2'))$1_LOAD(`$2')
        if (MODES > 1)
            $1_KEEP
        END_WAVE
        m4_define(`BEGIN_TEXT', m4_defn(`BEGIN_$3'))m4_define(`PASS_TEXT', m4_defn(`DETECTOR_$3'))USE(`STRIP', PLACES){
        const index s = slot;
        if (MODES > 1)
            $1_DETECT_MODES
        else
            $1_DETECT(`$3')
        }NO_USE(PLACES)
        EACH_WAVE
        if (MODES > 1)
            $1_TAKE
        m4_define(`PASS_TEXT', m4_defn(`STORE_$4'))$1_STORE(`$4')
        END_WAVE')
/* In local memory; what waits in the scratch is the own lane's. */
m4_define(`PIXEL_HOLD', `')
m4_define(`PIXEL_LOAD', `EACH_OBJECT(`EACH_PIXEL(y, x, ROWS, COLS)
            PASS_TEXT
            WHOLE_RE(y, x) = wave.re; WHOLE_IM(y, x) = wave.im;
        } BARRIER')
        fft_forward_y(tile, table_y);
        fft_forward_x(tile, table_x);')
m4_define(`EACH_PLACE', `EACH_PIXEL(i_, l, STRIPS_Y * COLS, TILE)
            const int strip = i_ / COLS, q = i_ % COLS, p = strip * TILE + l;
            if (p < ROWS) {')
m4_define(`PIXEL_KEEP', `{
        EACH_PLACE
            STRIP_RE = WHOLE_RE(p, q); STRIP_IM = WHOLE_IM(p, q);
        }}
        BARRIER
        }')
m4_define(`PIXEL_TAKE', `{
        EACH_PLACE
            WHOLE_RE(p, q) = STRIP_RE; WHOLE_IM(p, q) = STRIP_IM;
        }}
        BARRIER
        }')
m4_define(`PIXEL_DETECT', `{
        EACH_PLACE
            lanes re = WHOLE_RE(p, q), im = WHOLE_IM(p, q);
            PASS_TEXT
            WHOLE_RE(p, q) = re; WHOLE_IM(p, q) = im;
        }}
        BARRIER
        }')
m4_define(`PIXEL_DETECT_MODES', `{
        EACH_PLACE
            DETECT_MODES(`STRIP_RE', `STRIP_IM', `STRIP_RE = re; STRIP_IM = im;')
        }}
        }')
m4_define(`PIXEL_STORE', `fft_inverse_x(tile, table_x);
        fft_inverse_y(tile, table_y);
        EACH_OBJECT(`EACH_PIXEL(y, x, ROWS, COLS)
            const waves wave = {WHOLE_RE(y, x), WHOLE_IM(y, x)};
            PASS_TEXT
        }')
        BARRIER')
m4_divert(0)m4_dnl
