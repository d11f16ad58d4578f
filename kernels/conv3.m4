/* conv3 -- 3 x 3 convolution, stride 1.  SPDX-License-Identifier: BSD-3-Clause

       result[n, o, y, x] = after( bias[o] + sum_{i, a, b} w[o, i, a, b] f[n, i, y + a - 1, x + b - 1] ),
       f = before( scale[n, i] image[n, i] + offset[n, i] )

   with f padded by zeros or (`reflect') mirrored without its rim.  `before' -1 takes the image as it is.
   With `keep', for which `unit' must be 1, a row of statistics of the result for every two tiles, see
   gen/nets.m4.

   In plain C Winograd's F(4 x 4, 3 x 3) with the points 0, +-sqrt(1/2), +-sqrt(2), infinity, whose rounding is a
   third of that of the usual ones (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin, S. Gray,
   CVPR 2016, 4013): 2.25 products for 9.  On a GPU the nine products.  The weights are packed to suit
   (src/nets/weights.c).

   With `phases' 4 a quarter of the output channels is for the pixels of either parity of a picture of twice the
   sides, even rows first (a transposed convolution of stride 2); statistics phase after phase.  Bytes of `points'
   are the first and (times 16) the last of Winograd's six points with weights, in even and in odd rows and columns: an
   axis whose outer tap is 0 needs no product there.

   An item is a block of `tiles' tiles of 4 x 4 pixels of `unit' samples, and every `groups'-th panel of output
   channels.  */

m4_define(`INPUT_TRANSFORM', `const real e1 = d4 - 2 * d2, o1 = d3 - 2 * d1, e2 = d4 - REAL(0.5) * d2, o2 = d3 - REAL(0.5) * d1;
                const real r0 = d0 - REAL(2.5) * d2 + d4, r5 = d1 - REAL(2.5) * d3 + d5;
                const real r1 = e1 + REAL(0.70710678118654752440) * o1, r2 = e1 - REAL(0.70710678118654752440) * o1;
                const real r3 = e2 + REAL(1.41421356237309504880) * o2, r4 = e2 - REAL(1.41421356237309504880) * o2;')
/* OUTPUT_TRANSFORM(j, element k of six): declares four values, numbered. */
m4_define(`OUTPUT_TRANSFORM', `const real sa$1 = $3 + $4, da$1 = $3 - $4, sb$1 = $5 + $6, db$1 = $5 - $6;
                const real y0$1 = $2 + sa$1 + sb$1, y2$1 = REAL(0.5) * sa$1 + 2 * sb$1;
                const real y1$1 = REAL(0.70710678118654752440) * da$1 + REAL(1.41421356237309504880) * db$1;
                const real y3$1 = REAL(0.35355339059327376220) * da$1 + REAL(2.82842712474619009760) * db$1 + $7;')
m4_define(`SIX', `FOR(`I', 0, 5, `$1')')
m4_define(`PRODUCT_AT', `m[($1) * m_step + t * wide + j * BLOCK + l]')
/* Where pixel (y, x) of output block o lies; row r of the statistics of the item's tiles. */
m4_define(`PIXEL_OF', `(((($1) * own + ($2) % own) * height + ($3)) * spread + ($2) / own / 2) * width * (spread * BLOCK) + (($4) * spread + ($2) / own % 2) * BLOCK')
m4_define(`STATISTICS_OF', `((sample * phases + ($1) / own) * sums_rows + first / 2 + ($2)) * (STATISTICS * BLOCK * (index)own) + ($1) % own * BLOCK')
/* Reals: the transformed input, the products, six rows of a run of tiles, two tiles of the result. */
m4_define(`WINOGRAD_INPUT', `(36 * (128 * 32 + 16))')
m4_define(`WINOGRAD_PRODUCTS', `(36 * (32 * PANEL + 16))')
m4_define(`WINOGRAD_ROWS', `(6 * (32 * 4 + 2) * BLOCK)')
m4_define(`WINOGRAD_LOADED', `(shape->store ? WINOGRAD_ROWS : 0)')

COST(items / groups / (((height + 3) / 4 * ((width + 3) / 4) * (index)unit + tiles - 1) / tiles) * unit * (double)height * width,
     4 * (inputs + BLOCK * output_blocks), 18.0 * inputs * BLOCK * output_blocks)
KERNEL(conv3, OUT(real, result), OUT(real, sums), IN(real, image), IN(real, scale), IN(real, offset), IN(real, weights),
           IN(real, bias), VAL(int, height), VAL(int, width), VAL(int, image_blocks), VAL(int, inputs),
           VAL(int, output_blocks), VAL(int, tiles), VAL(int, unit), VAL(int, groups), VAL(int, reflect),
           VAL(int, before), VAL(int, after), VAL(int, keep), VAL(int, phases), VAL(int, points))
    SHARED(real, work, SOLO(WINOGRAD_INPUT + WINOGRAD_PRODUCTS + WINOGRAD_ROWS + WINOGRAD_LOADED, 2 * TILE_PIXELS * BLOCK))
    SHARED(real, values, 2 * BLOCK * PANEL)
    GROUP(item, part, SOLO(1, 16))
        const int across = (width + 3) / 4, down = (height + 3) / 4, panels = (output_blocks + 1) / 2;
        const index all = (index)unit * across * down, blocks = (all + tiles - 1) / tiles;
        const index block = item / groups % blocks, sample = item / groups / blocks * unit, first = block * tiles;
        const int count = all - first < tiles ? (int)(all - first) : tiles, share = (int)(item % groups);
        const int chunks = (inputs + BLOCK - 1) / BLOCK, inner = SHAPE(mma) || inputs >= BLOCK ? BLOCK : inputs;
        const index plane = (index)height * width * BLOCK, sums_rows = (all + 1) / 2;
        const int own = output_blocks / phases, spread = phases == 4 ? 2 : 1;
SOLO(`
        /* Points lie 64 bytes more than a power of two apart, lest they share the sets of a cache. */
        const index v_step = (index)chunks * tiles * BLOCK + 16, m_step = tiles * PANEL + 16;
        real *const v = work, *const m = work + WINOGRAD_INPUT, *const six = m + WINOGRAD_PRODUCTS;
        real *const loaded = six + WINOGRAD_ROWS; /* rows of an image that is kept in 16 bits */
        static const real zeros[(4 * 32 + 2) * BLOCK] = {0}; /* a row of padding */
        for (int c = 0; c < chunks; c++)
            for (int t = 0, run; t < count; t += run) {
                const index tile = first + t, n = sample + tile / across / down;
                const int ty = (int)(tile / across % down), tx = (int)(tile % across);
                run = across - tx < count - t ? across - tx : count - t;
                const int columns = 4 * run + 2, left = tx == 0, x0 = 4 * tx - 1;
                const int inside = width - x0 < columns ? width - x0 : columns;
                const index from = (n * image_blocks + c) * plane + (index)x0 * BLOCK;
                const real *const factor = before >= 0 ? scale + (n * image_blocks + c) * BLOCK : zeros;
                const real *const shifts = before >= 0 ? offset + (n * image_blocks + c) * BLOCK : zeros;
                const index step = (4 * 32 + 2) * BLOCK;
                const real *row[6], *add[6];
                for (int i = 0; i < 6; i++) {
                    const int y = padded(4 * ty - 1 + i, height, reflect);
                    add[i] = y < 0 ? zeros : shifts;
                    row[i] = y < 0 ? zeros : image + from + (index)y * width * BLOCK;
                    if (!shape->store || y < 0)
                        continue;
                    row[i] = loaded + i * step;
                    WITH_STORE(`WITH_ACTIVATION(before, `
                    for (int x = left; x < inside; x++) {
                        LANES(l, 0, BLOCK)
                            const real f = LOADED(image, from + ((index)y * width + x) * BLOCK + l);
                            loaded[i * step + x * BLOCK + l] = before < 0 ? f : ROUNDED(ACTIVATION(f * factor[l] + shifts[l]));
                        END_LANES
                    }')')
                }
                if (before < 0 || shape->store) {
                    LANES(i, left * BLOCK, inside * BLOCK)
                        SIX(`const real d`'I = row[I][i];')
                        INPUT_TRANSFORM
                        SIX(`six[I * step + i] = r`'I;')
                    END_LANES
                } else {
                    WITH_ACTIVATION(before, `
                    for (int x = left; x < inside; x++) {
                        LANES(l, 0, BLOCK)
                            const real f = factor[l];
                            SIX(`const real d`'I = ACTIVATION(row[I][x * BLOCK + l] * f + add[I][l]);')
                            INPUT_TRANSFORM
                            SIX(`six[I * step + x * BLOCK + l] = r`'I;')
                        END_LANES
                    }')
                }
                for (int i = 0; i < 6; i++) {
                    real *const six_row = six + i * step;
                    LANES(l, 0, BLOCK)
                        if (left)
                            six_row[l] = reflect ? six_row[2 * BLOCK + l] : 0;
                        for (int x = inside; x < columns; x++)
                            six_row[x * BLOCK + l] = reflect && x == inside ? six_row[(x - 2) * BLOCK + l] : 0;
                    END_LANES
                    for (int k = 0; k < run; k++) {
                        const real *const at = six_row + 4 * k * BLOCK;
                        real *const to = v + (index)6 * i * v_step + ((index)c * tiles + t + k) * BLOCK;
                        LANES(l, 0, BLOCK)
                            SIX(`const real d`'I = at[I * BLOCK + l];')
                            INPUT_TRANSFORM
                            SIX(`to[I * v_step + l] = r`'I;')
                        END_LANES
                    }
                }
            }
        for (int panel = share; panel < panels; panel += groups) {
            const int wide = PANEL_WIDTH(panel);
            const real *const u = weights + (index)panel * 36 * chunks * inner * PANEL;
            const int phase = 2 * panel / own, of_y = points >> phase / 2 * 8, of_x = points >> phase % 2 * 8;
            for (int point = 0; point < 36; point++) {
                const int a = point / 6, b = point % 6;
                if (a >= (of_y & 15) && a <= (of_y >> 4 & 15) && b >= (of_x & 15) && b <= (of_x >> 4 & 15)) {
                    PRODUCTS(m + point * m_step, count, wide, v + point * v_step, BLOCK, chunks, tiles * BLOCK, 1, 0, 1, 0, inner,
                             u + (index)point * chunks * inner * wide, 0)
                } else {
                    memset(m + point * m_step, 0, (size_t)(count * wide) * sizeof *m);
                }
            }
            for (int j = 0, pixels = 0; j < wide / BLOCK; j++)
                for (int t = 0; t < count; t++) {
                    const int o = 2 * panel + j;
                    const index tile = first + t, n = sample + tile / across / down;
                    const int ty = (int)(tile / across % down), tx = (int)(tile % across);
                    const int high = height - 4 * ty < 4 ? height - 4 * ty : 4, long_ = width - 4 * tx < 4 ? width - 4 * tx : 4;
                    const int whole = high * long_ == 16 && phases == 1, there = whole && !keep && !shape->store;
                    const index to = PIXEL_OF(n, o, 4 * ty, 4 * tx);
                    /* The pixels of two tiles that are inside, one after the other. */
                    real *const y = there ? result + to : whole ? values + pixels * BLOCK : values + BLOCK * PANEL;
                    const index y_step = there ? (index)width * BLOCK : 4 * BLOCK;
                    WITH_ACTIVATION(after, `
                    LANES(l, 0, BLOCK)
                        const real base = bias[o * BLOCK + l];
                        SIX(`OUTPUT_TRANSFORM(I, PRODUCT_AT(I), PRODUCT_AT(6 + I), PRODUCT_AT(12 + I), PRODUCT_AT(18 + I), PRODUCT_AT(24 + I), PRODUCT_AT(30 + I))
                        ')
                        FOR(`J', 0, 3, `
                        { OUTPUT_TRANSFORM(_, y`'J`'0, y`'J`'1, y`'J`'2, y`'J`'3, y`'J`'4, y`'J`'5)
                        FOR(`K', 0, 3, `y[J * y_step + K * BLOCK + l] = ACTIVATION(y`'K`'_ + base); ') }')
                    END_LANES')
                    if (whole && !there)
                        for (int a = 0; a < 4; a++) {
                            WITH_STORE(`
                            LANES(l, 0, 4 * BLOCK)
                                STORED(result, to + (index)a * width * BLOCK + l, y[4 * a * BLOCK + l])
                            END_LANES')
                        }
                    for (int a = 0; a < high && !whole; a++)
                        for (int b = 0; b < long_; b++) {
                            WITH_STORE(`
                            LANES(l, 0, BLOCK)
                                values[(pixels + a * long_ + b) * BLOCK + l] = y[(4 * a + b) * BLOCK + l];
                                STORED(result, to + ((index)a * spread * width + b) * spread * BLOCK + l, y[(4 * a + b) * BLOCK + l])
                            END_LANES')
                        }
                    pixels += high * long_;
                    if (keep && (t % 2 || t == count - 1))
                        KEEP_STATISTICS(sums + STATISTICS_OF(o, t / 2), values, BLOCK, BLOCK, pixels, BLOCK * (index)own)
                    if (t % 2 || t == count - 1)
                        pixels = 0;
                }
        }
', `
        /* A group makes two tiles, pixels 0 ... 15 and 16 ... 31, whose rows lie in the order 0 2 1 3: so do 8 pixels of a
           window in different banks. */
        const int pairs = (count + 1) / 2, two = 2 * part + 1 < count ? 2 : 1;
        const index tile = first + 2 * part, next = tile + two - 1;
        const index n_0 = sample + tile / across / down, n_1 = sample + next / across / down;
        const int y_0 = 4 * (int)(tile / across % down), y_1 = 4 * (int)(next / across % down);
        const int x_0 = 4 * (int)(tile % across), x_1 = 4 * (int)(next % across), cut = height % 4 || width % 4;
        m4_define(`SAMPLE_OF', `(($1) ? n_1 : n_0)')
        m4_define(`ROW_IN', `((($1) / 16 ? y_1 : y_0) + ($1) / 4 % 2 * 2 + ($1) / 8 % 2)')
        m4_define(`COLUMN_IN', `((($1) / 16 ? x_1 : x_0) + ($1) % 4)')
        if (part < pairs)
        for (int panel0 = share; panel0 < panels; panel0 += AT_ONCE * groups) {
            const int left = (panels - panel0 + groups - 1) / groups, several = left < AT_ONCE ? left : AT_ONCE;
            TILE_SUMS(AT_ONCE)
            for (int c = 0; c < chunks; c++) {
                WITH_STORE(`
                LANES(i, 0, two * TILE_PIXELS * BLOCK)
                    const int l = i % BLOCK, p = i / BLOCK % TILE_PIXELS, second = i / (TILE_PIXELS * BLOCK);
                    const int y = padded((second ? y_1 : y_0) - 1 + p / 6, height, reflect);
                    const int x = padded((second ? x_1 : x_0) - 1 + p % 6, width, reflect);
                    const index block = SAMPLE_OF(second) * image_blocks + c, at = block * BLOCK + l;
                    real f = 0;
                    if (y >= 0 && x >= 0) {
                        f = LOADED(image, block * plane + ((index)y * width + x) * BLOCK + l);
                        if (before >= 0)
                            f = ROUNDED(activate(f * scale[at] + offset[at], before));
                    }
                    WINDOW_PUT(work, i / BLOCK, l, f)
                END_LANES')
                m4_pushdef(`PIXEL_OF_ROW', `(($1) / 16 * TILE_PIXELS + (($1) / 4 % 2 * 2 + ($1) / 8 % 2) * 6 + ($1) % 4)')
                TILE_MMA(AT_ONCE, k, several, two * 16, `PANEL_WIDTH(panel0 + k * groups)', work, 0, 3, 6, 3, 1, inner, weights,
                         `(index)(panel0 + k * groups) * 9 * chunks * inner * PANEL + (index)c * 9 * inner * PANEL_WIDTH(panel0 + k * groups)',
                         c > 0)
                m4_popdef(`PIXEL_OF_ROW')
            }
            for (int k = 0; k < several; k++) {
            const int panel = panel0 + k * groups, wide = PANEL_WIDTH(panel);
            TILE_KEEP(AT_ONCE, k, values, two * 16, wide)
            WITH_STORE(`
            LANES(i, 0, two * 16 * wide)
                const int l = i % wide, p = i / wide, o = 2 * panel + l / BLOCK, y = ROW_IN(p), x = COLUMN_IN(p);
                const real value = activate(values[i] + bias[panel * PANEL + l], after);
                values[i] = value;
                if (y < height && x < width) {
                    STORED(result, PIXEL_OF(SAMPLE_OF(p / 16), o, y, x) + l % BLOCK, value)
                }
            END_LANES')
            if (keep) {
                LANES(l, 0, wide)
                    const index at = STATISTICS_OF(2 * panel + l / BLOCK, part) + l % BLOCK;
                    real sum = 0, square = 0, top = values[l];
                    int number = 0;
                    for (int p = 0; p < two * 16; p++) {
                        if (!cut || (ROW_IN(p) < height && COLUMN_IN(p) < width)) {
                            number++;
                            sum += values[p * wide + l];
                            top = larger(top, values[p * wide + l]);
                        }
                    }
                    const real mean = sum / number;
                    for (int p = 0; p < two * 16; p++) {
                        if (!cut || (ROW_IN(p) < height && COLUMN_IN(p) < width))
                            square += (values[p * wide + l] - mean) * (values[p * wide + l] - mean);
                    }
                    sums[at] = number;
                    sums[at + BLOCK * own] = sum;
                    sums[at + 2 * BLOCK * own] = square;
                    sums[at + 3 * BLOCK * own] = top;
                END_LANES
            }
            }
        }
')
    END_GROUP
END_KERNEL
