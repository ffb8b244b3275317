/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console on the display, between its files: vt.c (terminal and kernel
 * console), vt_emul.c (control sequences), vt_screen.c (cells and drawing),
 * font.c, keyboard.c and keymap.c.
 */
#ifndef KERNEL_DEV_VT_IMPL_H
#define KERNEL_DEV_VT_IMPL_H

#include "kernel/dev/port.h"
#include "kernel/dev/tty_impl.h"
#include "lib/types.h"

#define VT_COLS_MAX 256u
#define VT_ROWS_MAX 128u
#define VT_PARAMS 16u

#define GLYPH_WIDTH 8u
#define GLYPH_HEIGHT 16u

/* A cell: character in the low byte (ASCII, above it code page 437), attribute above. */
typedef u16 cell_t;
#define CELL(c, attr) ((cell_t)((c) | (attr) << 8))
/* No cell looks like this on the screen: draw it anyway. */
#define CELL_UNKNOWN 0xffffffffu

struct screen {
	/* I */
	u32 cols;
	u32 rows;
	/* I  text memory of an adapter, or NULL */
	u16 __iomem *text;
	/* I  pixels, or NULL */
	u8 __iomem *pixels;
	u32 pitch;
	u32 bytes_per_pixel;
	u32 palette[16];
	/* (vt lock)  what is to be seen, and what is: cols * rows each */
	cell_t *cells;
	u32 *shown;
	/* (vt lock)  bit: a row may differ from what is shown */
	unsigned long dirty[VT_ROWS_MAX / 64];
	/* (vt lock)  where the cursor is drawn; cols: nowhere */
	u32 cursor_x;
	u32 cursor_y;
	/* (vt lock)  KDSETMODE: a program draws, we do not */
	bool graphics;
};

/* 0, -ENODEV (no display), -ENOMEM. May sleep. */
int screen_init(struct screen *s);
cell_t *screen_row(struct screen *s, u32 y);
static inline void
screen_touch(struct screen *s, u32 y)
{
	s->dirty[y / 64] |= BIT(y % 64);
}
/* Lines [top, bottom) move up (n > 0) or down by n; what comes in is `fill`. */
void screen_scroll(struct screen *s, u32 top, u32 bottom, s32 n, cell_t fill);
/* Draws row y if it differs; the cursor is at (x, y2) or off (x == cols). vt lock held. */
void screen_draw_row(struct screen *s, u32 y);
/* Moves the cursor as it is drawn. vt lock held. */
void screen_cursor(struct screen *s, u32 x, u32 y);

/* What a terminal's output sets; ESC 7 saves it. */
struct pen {
	u32 x;
	u32 y;
	/* colours 0 to 15 in the adapter's order */
	u8 fg;
	u8 bg;
	bool bold;
	bool dim;
	bool underline;
	bool blink;
	bool reverse;
	/* character sets G0 and G1: line drawing?; and which is in use */
	bool graphic[2];
	u8 shift;
};

enum emul_state {
	EMUL_TEXT,
	EMUL_ESC,
	/* ESC [ parameters */
	EMUL_CSI,
	/* ESC ( or ) : the set follows; ESC % and ESC # : one byte follows */
	EMUL_CHARSET0,
	EMUL_CHARSET1,
	EMUL_PERCENT,
	EMUL_HASH,
	/* ESC ] and the like: up to BEL or ESC \ */
	EMUL_STRING,
	/* ESC ] P: seven hexadecimal digits */
	EMUL_PALETTE,
};

/* Owner: vt lock. */
struct emul {
	struct screen *screen;
	struct pen pen;
	struct pen saved;
	enum emul_state state;
	u32 param[VT_PARAMS];
	u32 nr_params;
	/* '?', '>' or '=' behind ESC [, else 0 */
	u8 prefix;
	/* the next byte is the first behind ESC ]; digits of a colour that are missing */
	bool string_begins;
	u32 palette_digits;
	/* scrolling region [top, bottom) */
	u32 top;
	u32 bottom;
	/* the next character goes to the next line first */
	bool wrap_pending;
	bool autowrap;
	bool origin;
	bool insert;
	bool newline_mode;
	bool cursor_visible;
	/* for the keyboard */
	bool app_cursor;
	bool app_keypad;
	bool utf8;
	/* a character of several bytes: what is still to come, and what it is so far */
	u32 utf8_left;
	u32 utf8_min;
	u32 utf8_code;
	unsigned long tabs[VT_COLS_MAX / 64];
	/* answers (ESC [ 6 n) that wait to be typed */
	u8 reply[64];
	u32 reply_len;
};

void emul_init(struct emul *e, struct screen *s);
/* One byte from a program; vt lock held. */
void emul_byte(struct emul *e, u8 c);
/* One byte of the kernel's log: no control sequences. vt lock held. */
void emul_log_byte(struct emul *e, u8 c);

/* --- between vt_emul.c and vt_csi.c --- */

/* Colours when nothing is set. */
#define VT_FG_DEFAULT 7
#define VT_BG_DEFAULT 0

/* What an erased cell is now. */
cell_t emul_blank(const struct emul *e);
/* Cells [from, to) of line y. */
void emul_fill(struct emul *e, u32 y, u32 from, u32 to, cell_t c);
/* Into the screen, or the scrolling region in origin mode. */
void emul_move_to(struct emul *e, s64 x, s64 y);
/* Up or down, not out of the scrolling region when it starts inside. */
void emul_move_lines(struct emul *e, s64 n);
void emul_carriage_return(struct emul *e);
/* Colours and attributes as they are at first. */
void emul_pen_reset(struct pen *p);
void emul_restore_pen(struct emul *e);
/* An answer to be typed; a format with at most two numbers. */
void emul_reply(struct emul *e, const char *fmt, u32 a, u32 b);
/* ESC [ was seen; a byte behind it. */
void emul_csi_begin(struct emul *e);
void emul_csi_byte(struct emul *e, u8 c);

/* Glyph of a cell's character: GLYPH_HEIGHT rows, bit 7 is the left pixel. */
const u8 *font_glyph(u8 c);
void font_init(void);
/* The character of code page 437 that shows a Unicode one, '?' if there is none. */
u8 font_char(u32 code);

/* --- keyboard.c --- */

/* Finds the controller and starts. push: called in interrupts after keys were added to tty. */
int keyboard_init(struct tty *tty, void (*typed)(void));

/* K_* of KDSKBMODE. */
enum key_mode { KEYS_RAW, KEYS_XLATE, KEYS_MEDIUMRAW, KEYS_UNICODE, KEYS_OFF };
void keyboard_set_mode(enum key_mode m);
enum key_mode keyboard_get_mode(void);
/* Application modes of the cursor and number keys. */
void keyboard_set_app(bool cursor, bool keypad);
/* Lamps: 1 scroll, 2 num, 4 caps. */
u8 keyboard_leds(void);
void keyboard_set_leds(u8 leds);
/* Bits of TIOCLINUX 6: shift 1, alt-gr 2, control 4, alt 8. */
u8 keyboard_shift_state(void);

/* --- keymap.c --- */

/* What a key types, by its code in set 1 (0 to 0x7f): plain and with shift; 0: nothing. */
struct keymap_entry {
	u8 plain;
	u8 shifted;
};
extern const struct keymap_entry keymap[128];
/* Text of a key that types several bytes, or NULL. extended: behind E0. */
const char *keymap_sequence(u8 code, bool extended, bool app_cursor);
/* The keypad with Num Lock. */
u8 keymap_keypad(u8 code);

#endif
