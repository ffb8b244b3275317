/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of the console: cells, and bringing them to an adapter's text
 * memory or a frame buffer.
 *
 * Model: ->cells is what is to be seen, ->shown what the device shows, with the
 * cursor in it. Drawing compares the two and writes what differs, so scrolling
 * costs only what it changes and device memory is never read. Until the first
 * output nothing is drawn: what the firmware wrote stays.
 *
 * Locking: the caller's (vt.c).
 *
 * See: IBM VGA (6845 registers 0x0a, 0x0e, 0x0f for the cursor).
 */
#include "kernel/dev/vt_impl.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define CRTC 0x3d4
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f
#define GRAPHICS 0x3ce
#define GRAPHICS_MISC 0x06
#define TEXT_BASE 0xb8000

/* Set in ->shown where the cursor is drawn. */
#define SHOWN_CURSOR 0x10000u

/* The sixteen colours of text mode, 8 bits a component. */
static const u32 colours[16] = {
	0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
	0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
};

cell_t *
screen_row(struct screen *s, u32 y)
{
	return s->cells + (size_t)y * s->cols;
}

/* --- finding a device --- */

static void
crtc_write(u8 reg, u8 v)
{
	outb(CRTC, reg);
	outb(CRTC + 1, v);
}

static u8
indexed_read(u16 port, u8 reg)
{
	outb(port, reg);
	return inb(port + 1);
}

/* Is there an adapter, and is it in text mode? Its cursor register keeps what is written. */
static bool
adapter_in_text_mode(void)
{
	u8 old = indexed_read(CRTC, CRTC_CURSOR_LOW), seen;

	crtc_write(CRTC_CURSOR_LOW, 0x5a);
	seen = indexed_read(CRTC, CRTC_CURSOR_LOW);
	crtc_write(CRTC_CURSOR_LOW, old);
	return seen == 0x5a && !(indexed_read(GRAPHICS, GRAPHICS_MISC) & 1);
}

static u32
component(u32 rgb, unsigned int shift, u8 pos, u8 size)
{
	u32 v = (rgb >> shift) & 0xff;

	return (size < 8 ? v >> (8 - size) : v << (size - 8)) << pos;
}

static int
pixels_init(struct screen *s, const struct dev_display *d)
{
	unsigned int i;

	if (d->bits_per_pixel < 15 || d->bits_per_pixel > 32 || d->pitch == 0)
		return -ENODEV;
	s->cols = min(d->width / GLYPH_WIDTH, VT_COLS_MAX);
	s->rows = min(d->height / GLYPH_HEIGHT, VT_ROWS_MAX);
	s->pitch = d->pitch;
	s->bytes_per_pixel = (d->bits_per_pixel + 7) / 8;
	if (s->cols < 20 || s->rows < 4 || s->cols * GLYPH_WIDTH * s->bytes_per_pixel > d->pitch)
		return -ENODEV;
	for (i = 0; i < 16; i++)
		s->palette[i] = component(colours[i], 16, d->red_pos, d->red_size) |
				component(colours[i], 8, d->green_pos, d->green_size) |
				component(colours[i], 0, d->blue_pos, d->blue_size);
	s->pixels = ioremap(d->addr, (size_t)d->pitch * d->height, MAP_WC);
	return s->pixels ? 0 : -ENOMEM;
}

static int
text_init(struct screen *s, const struct dev_display *d)
{
	if (!adapter_in_text_mode())
		return -ENODEV;
	s->cols = d && d->width ? min(d->width, VT_COLS_MAX) : 80;
	s->rows = d && d->height ? min(d->height, VT_ROWS_MAX) : 25;
	s->text = ioremap(d ? d->addr : TEXT_BASE, (size_t)s->cols * s->rows * 2, MAP_UC);
	return s->text ? 0 : -ENOMEM;
}

int
screen_init(struct screen *s)
{
	struct dev_display d;
	size_t cells, i;
	int err;

	if (!dev_display(&d))
		err = text_init(s, NULL);
	else
		err = d.text ? text_init(s, &d) : pixels_init(s, &d);
	if (err)
		return err;
	cells = (size_t)s->cols * s->rows;
	s->cells = kvmalloc(cells * sizeof(*s->cells), GFP_KERNEL);
	s->shown = kvmalloc(cells * sizeof(*s->shown), GFP_KERNEL);
	if (!s->cells || !s->shown) {
		kvfree(s->cells);
		kvfree(s->shown);
		iounmap(s->text ? (void __iomem *)s->text : s->pixels);
		return -ENOMEM;
	}
	for (i = 0; i < cells; i++) {
		s->cells[i] = CELL(' ', 0x07);
		s->shown[i] = CELL_UNKNOWN;
	}
	s->cursor_x = s->cols;
	return 0;
}

/* --- changing cells --- */

static void
fill_rows(struct screen *s, u32 from, u32 to, cell_t fill)
{
	cell_t *p = screen_row(s, from), *end = screen_row(s, to);

	while (p < end)
		*p++ = fill;
}

void
screen_scroll(struct screen *s, u32 top, u32 bottom, s32 n, cell_t fill)
{
	u32 lines = bottom - top, by = (u32)(n < 0 ? -n : n), y;
	size_t row = s->cols * sizeof(cell_t);

	if (by >= lines) {
		fill_rows(s, top, bottom, fill);
	} else if (n > 0) {
		memmove(screen_row(s, top), screen_row(s, top + by), (lines - by) * row);
		fill_rows(s, bottom - by, bottom, fill);
	} else {
		memmove(screen_row(s, top + by), screen_row(s, top), (lines - by) * row);
		fill_rows(s, top, top + by, fill);
	}
	for (y = top; y < bottom; y++)
		screen_touch(s, y);
}

/* --- drawing --- */

static void
pixel_write(u8 __iomem *p, u32 v, u32 bytes)
{
	if (bytes == 4) {
		mmio_write32(p, v);
	} else if (bytes == 2) {
		mmio_write16(p, (u16)v);
	} else {
		mmio_write8(p, (u8)v);
		mmio_write8(p + 1, (u8)(v >> 8));
		mmio_write8(p + 2, (u8)(v >> 16));
	}
}

static void
draw_glyph(struct screen *s, u32 x, u32 y, u32 shown)
{
	const u8 *glyph = font_glyph((u8)shown);
	u32 fg = s->palette[(shown >> 8) & 15], bg = s->palette[(shown >> 12) & 15];
	u8 __iomem *line = s->pixels + (size_t)y * GLYPH_HEIGHT * s->pitch +
			   (size_t)x * GLYPH_WIDTH * s->bytes_per_pixel;
	u32 i, j;

	for (i = 0; i < GLYPH_HEIGHT; i++, line += s->pitch) {
		u32 bits = glyph[i];

		/* The cursor is a block two lines high. */
		if ((shown & SHOWN_CURSOR) && i >= GLYPH_HEIGHT - 2)
			bits = 0xff;
		for (j = 0; j < GLYPH_WIDTH; j++)
			pixel_write(line + j * s->bytes_per_pixel, bits & (0x80 >> j) ? fg : bg,
				    s->bytes_per_pixel);
	}
}

void
screen_draw_row(struct screen *s, u32 y)
{
	u32 x, want;
	size_t i = (size_t)y * s->cols;

	if (!(s->dirty[y / 64] & BIT(y % 64)) || s->graphics)
		return;
	s->dirty[y / 64] &= ~BIT(y % 64);
	for (x = 0; x < s->cols; x++, i++) {
		want = s->cells[i];
		if (s->pixels && x == s->cursor_x && y == s->cursor_y)
			want |= SHOWN_CURSOR;
		if (s->shown[i] == want)
			continue;
		s->shown[i] = want;
		if (s->pixels)
			draw_glyph(s, x, y, want);
		else
			mmio_write16(s->text + i, (u16)want);
	}
}

void
screen_cursor(struct screen *s, u32 x, u32 y)
{
	u32 pos = y * s->cols + x;

	if (s->graphics || (x == s->cursor_x && y == s->cursor_y))
		return;
	if (s->cursor_x < s->cols)
		screen_touch(s, s->cursor_y);
	s->cursor_x = x;
	s->cursor_y = y;
	if (s->pixels) {
		if (x < s->cols)
			screen_touch(s, y);
		return;
	}
	/* Bit 5 of the start line hides it. */
	crtc_write(CRTC_CURSOR_START, x < s->cols ? 0x0d : 0x20);
	if (x < s->cols) {
		crtc_write(CRTC_CURSOR_HIGH, (u8)(pos >> 8));
		crtc_write(CRTC_CURSOR_LOW, (u8)pos);
	}
}
