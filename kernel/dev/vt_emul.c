/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control sequences of the console on the display: what TERM=linux means, that
 * is VT102 with colours.
 *
 * Model: a state machine over bytes. Text is UTF-8; what the character set of
 * the adapter lacks becomes '?'. A character in the last column sets
 * wrap_pending, and the next one goes to the next line first.
 *
 * See: ECMA-48, console_codes(4).
 */
#include "kernel/dev/vt_impl.h"

#include "lib/fmt.h"
#include "lib/string.h"

/* How text mode shows what it cannot: underlined, and dim. */
#define FG_UNDERLINE 3
#define FG_DIM 8

static u8
attr_of(const struct pen *p)
{
	u8 fg = p->fg, bg = p->bg, t;

	if (p->underline)
		fg = FG_UNDERLINE;
	else if (p->dim)
		fg = FG_DIM;
	if (p->bold)
		fg |= 8;
	if (p->reverse) {
		t = fg;
		fg = (bg & 7) | (t & 8);
		bg = t & 7;
	}
	return (u8)(fg | bg << 4 | (p->blink ? 0x80 : 0));
}

/* An erased cell has the background but nothing else of the pen. */
cell_t
emul_blank(const struct emul *e)
{
	struct pen p = e->pen;

	p.underline = p.dim = p.bold = p.blink = false;
	return CELL(' ', attr_of(&p));
}

void
emul_pen_reset(struct pen *p)
{
	p->fg = VT_FG_DEFAULT;
	p->bg = VT_BG_DEFAULT;
	p->bold = p->dim = p->underline = p->blink = p->reverse = false;
}

void
emul_fill(struct emul *e, u32 y, u32 from, u32 to, cell_t c)
{
	cell_t *row = screen_row(e->screen, y);

	while (from < to)
		row[from++] = c;
	screen_touch(e->screen, y);
}

static void
reset(struct emul *e)
{
	struct screen *s = e->screen;
	u32 y, i;

	memset(&e->pen, 0, sizeof(e->pen));
	emul_pen_reset(&e->pen);
	e->saved = e->pen;
	e->state = EMUL_TEXT;
	e->top = 0;
	e->bottom = s->rows;
	e->wrap_pending = e->origin = e->insert = e->newline_mode = false;
	e->autowrap = e->cursor_visible = e->utf8 = true;
	e->app_cursor = e->app_keypad = false;
	e->utf8_left = 0;
	for (i = 0; i < ARRAY_SIZE(e->tabs); i++)
		e->tabs[i] = 0x0101010101010101UL;
	for (y = 0; y < s->rows; y++)
		emul_fill(e, y, 0, s->cols, emul_blank(e));
}

void
emul_init(struct emul *e, struct screen *s)
{
	e->screen = s;
	reset(e);
}

/* --- moving --- */

void
emul_move_to(struct emul *e, s64 x, s64 y)
{
	s64 low = e->origin ? e->top : 0, high = e->origin ? e->bottom : e->screen->rows;

	e->pen.x = (u32)clamp(x, (s64)0, (s64)e->screen->cols - 1);
	e->pen.y = (u32)clamp(y, low, high - 1);
	e->wrap_pending = false;
}

/* Up or down, not out of the scrolling region when it starts inside. */
void
emul_move_lines(struct emul *e, s64 n)
{
	s64 y = (s64)e->pen.y + n;

	if (n < 0 && e->pen.y >= e->top)
		y = max(y, (s64)e->top);
	if (n > 0 && e->pen.y < e->bottom)
		y = min(y, (s64)e->bottom - 1);
	emul_move_to(e, e->pen.x, y);
}

static void
line_feed(struct emul *e)
{
	if (e->pen.y + 1 == e->bottom)
		screen_scroll(e->screen, e->top, e->bottom, 1, emul_blank(e));
	else if (e->pen.y + 1 < e->screen->rows)
		e->pen.y++;
	e->wrap_pending = false;
}

static void
reverse_line_feed(struct emul *e)
{
	if (e->pen.y == e->top)
		screen_scroll(e->screen, e->top, e->bottom, -1, emul_blank(e));
	else if (e->pen.y > 0)
		e->pen.y--;
	e->wrap_pending = false;
}

void
emul_carriage_return(struct emul *e)
{
	e->pen.x = 0;
	e->wrap_pending = false;
}

static void
tab(struct emul *e)
{
	u32 x = e->pen.x;

	while (x + 1 < e->screen->cols) {
		x++;
		if (e->tabs[x / 64] & BIT(x % 64))
			break;
	}
	e->pen.x = x;
	e->wrap_pending = false;
}

/* --- text --- */

static void
put(struct emul *e, u8 c)
{
	struct screen *s = e->screen;
	cell_t *row;

	if (e->wrap_pending) {
		emul_carriage_return(e);
		line_feed(e);
	}
	row = screen_row(s, e->pen.y);
	if (e->insert)
		memmove(row + e->pen.x + 1, row + e->pen.x,
			(s->cols - e->pen.x - 1) * sizeof(*row));
	row[e->pen.x] = CELL(c, attr_of(&e->pen));
	screen_touch(s, e->pen.y);
	if (e->pen.x + 1 < s->cols)
		e->pen.x++;
	else
		e->wrap_pending = e->autowrap;
}

/* Characters 0x60 to 0x7e of the line drawing set of the VT100. */
static const u8 drawing[] = {
	0x04, 0xb1, 0x20, 0x20, 0x20, 0x20, 0xf8, 0xf1, 0xb0, 0x20, 0xd9,
	0xbf, 0xda, 0xc0, 0xc5, 0x2d, 0x2d, 0xc4, 0x2d, 0x5f, 0xc3, 0xb4,
	0xc1, 0xc2, 0xb3, 0xf3, 0xf2, 0xe3, 0x3f, 0x9c, 0xfa,
};

static void
text(struct emul *e, u32 code)
{
	if (code < 0x80 && e->pen.graphic[e->pen.shift] && code >= 0x60 && code <= 0x7e)
		put(e, drawing[code - 0x60]);
	else
		put(e, code < 0x80 ? (u8)code : font_char(code));
}

static void
utf8_begin(struct emul *e, u8 c)
{
	if (c >= 0xc2 && c <= 0xdf) {
		e->utf8_left = 1;
		e->utf8_min = 0x80;
		e->utf8_code = c & 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		e->utf8_left = 2;
		e->utf8_min = 0x800;
		e->utf8_code = c & 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		e->utf8_left = 3;
		e->utf8_min = 0x10000;
		e->utf8_code = c & 0x07;
	} else {
		put(e, '?');
	}
}

/* A printable byte, or one of a longer character. */
static void
text_byte(struct emul *e, u8 c)
{
	if (!e->utf8) {
		text(e, c);
		return;
	}
	if (e->utf8_left && (c & 0xc0) == 0x80) {
		e->utf8_code = e->utf8_code << 6 | (c & 0x3f);
		if (--e->utf8_left == 0)
			text(e, e->utf8_code >= e->utf8_min ? e->utf8_code : 0xfffd);
		return;
	}
	if (e->utf8_left) {
		/* Cut short. */
		e->utf8_left = 0;
		put(e, '?');
	}
	if (c < 0x80)
		text(e, c);
	else
		utf8_begin(e, c);
}

/* --- ESC --- */

void
emul_restore_pen(struct emul *e)
{
	e->pen = e->saved;
	emul_move_to(e, e->pen.x, e->pen.y);
}

static void
esc_byte(struct emul *e, u8 c)
{
	e->state = EMUL_TEXT;
	switch (c) {
	case '[':
		emul_csi_begin(e);
		break;
	case ']':
	case 'P':
	case '^':
	case '_':
		e->string_begins = c == ']';
		e->state = EMUL_STRING;
		break;
	case '(':
		e->state = EMUL_CHARSET0;
		break;
	case ')':
		e->state = EMUL_CHARSET1;
		break;
	case '%':
		e->state = EMUL_PERCENT;
		break;
	case '#':
		e->state = EMUL_HASH;
		break;
	case 'D':
		line_feed(e);
		break;
	case 'E':
		emul_carriage_return(e);
		line_feed(e);
		break;
	case 'M':
		reverse_line_feed(e);
		break;
	case 'H':
		e->tabs[e->pen.x / 64] |= BIT(e->pen.x % 64);
		break;
	case 'Z':
		emul_reply(e, "\033[?6c", 0, 0);
		break;
	case 'c':
		reset(e);
		break;
	case '7':
		e->saved = e->pen;
		break;
	case '8':
		emul_restore_pen(e);
		break;
	case '>':
	case '=':
		e->app_keypad = c == '=';
		break;
	}
}

/* DEC's alignment pattern. */
static void
fill_with_e(struct emul *e)
{
	u32 y;

	for (y = 0; y < e->screen->rows; y++)
		emul_fill(e, y, 0, e->screen->cols, CELL('E', 0x07));
	emul_move_to(e, 0, 0);
}

/*
 * ESC ] ... : titles and the like end with BEL or ESC \. Two of Linux have no
 * end: R (palette as it was) and P with seven digits (a colour).
 */
static void
string_byte(struct emul *e, u8 c)
{
	bool first = e->string_begins;

	e->string_begins = false;
	if (c == 7 || (first && c == 'R')) {
		e->state = EMUL_TEXT;
	} else if (first && c == 'P') {
		e->state = EMUL_PALETTE;
		e->palette_digits = 7;
	}
}

static void
palette_byte(struct emul *e, u8 c)
{
	bool digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');

	if (!digit || --e->palette_digits == 0)
		e->state = EMUL_TEXT;
}

static void
state_byte(struct emul *e, u8 c)
{
	switch (e->state) {
	case EMUL_ESC:
		esc_byte(e, c);
		return;
	case EMUL_CSI:
		emul_csi_byte(e, c);
		return;
	case EMUL_STRING:
		string_byte(e, c);
		return;
	case EMUL_PALETTE:
		palette_byte(e, c);
		return;
	case EMUL_CHARSET0:
	case EMUL_CHARSET1:
		e->pen.graphic[e->state == EMUL_CHARSET1] = c == '0';
		break;
	case EMUL_PERCENT:
		if (c == '@' || c == 'G' || c == '8')
			e->utf8 = c != '@';
		break;
	case EMUL_HASH:
		if (c == '8')
			fill_with_e(e);
		break;
	case EMUL_TEXT:
		break;
	}
	e->state = EMUL_TEXT;
}

/* Control characters work in the middle of sequences too. */
static void
control(struct emul *e, u8 c)
{
	switch (c) {
	case '\b':
		if (e->pen.x > 0)
			e->pen.x--;
		e->wrap_pending = false;
		break;
	case '\t':
		tab(e);
		break;
	case '\n':
	case '\v':
	case '\f':
		if (e->newline_mode)
			emul_carriage_return(e);
		line_feed(e);
		break;
	case '\r':
		emul_carriage_return(e);
		break;
	case 14:
	case 15:
		e->pen.shift = c == 14;
		break;
	case 24:
	case 26:
		e->state = EMUL_TEXT;
		break;
	case 27:
		e->state = EMUL_ESC;
		break;
	}
}

void
emul_byte(struct emul *e, u8 c)
{
	if (e->state == EMUL_STRING && c != 27 && c != 24 && c != 26)
		string_byte(e, c);
	else if (c < 0x20)
		control(e, c);
	else if (e->state != EMUL_TEXT)
		state_byte(e, c);
	else if (c != 0x7f)
		text_byte(e, c);
}

void
emul_log_byte(struct emul *e, u8 c)
{
	if (c == '\n') {
		emul_carriage_return(e);
		line_feed(e);
	} else if (c == '\t') {
		tab(e);
	} else {
		put(e, c >= 0x20 && c < 0x7f ? c : '?');
	}
}
