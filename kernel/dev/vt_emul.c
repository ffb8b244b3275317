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

/* Colours 0 to 7 of SGR in the adapter's order (red and blue change places). */
static const u8 sgr_colour[8] = {0, 4, 2, 6, 1, 5, 3, 7};

#define FG_DEFAULT 7
#define BG_DEFAULT 0
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
static cell_t
blank(const struct emul *e)
{
	struct pen p = e->pen;

	p.underline = p.dim = p.bold = p.blink = false;
	return CELL(' ', attr_of(&p));
}

static void
pen_reset(struct pen *p)
{
	p->fg = FG_DEFAULT;
	p->bg = BG_DEFAULT;
	p->bold = p->dim = p->underline = p->blink = p->reverse = false;
}

static void
fill(struct emul *e, u32 y, u32 from, u32 to, cell_t c)
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
	pen_reset(&e->pen);
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
		fill(e, y, 0, s->cols, blank(e));
}

void
emul_init(struct emul *e, struct screen *s)
{
	e->screen = s;
	reset(e);
}

/* --- moving --- */

static void
move_to(struct emul *e, s64 x, s64 y)
{
	s64 low = e->origin ? e->top : 0, high = e->origin ? e->bottom : e->screen->rows;

	e->pen.x = (u32)clamp(x, (s64)0, (s64)e->screen->cols - 1);
	e->pen.y = (u32)clamp(y, low, high - 1);
	e->wrap_pending = false;
}

/* Up or down, not out of the scrolling region when it starts inside. */
static void
move_lines(struct emul *e, s64 n)
{
	s64 y = (s64)e->pen.y + n;

	if (n < 0 && e->pen.y >= e->top)
		y = max(y, (s64)e->top);
	if (n > 0 && e->pen.y < e->bottom)
		y = min(y, (s64)e->bottom - 1);
	move_to(e, e->pen.x, y);
}

static void
line_feed(struct emul *e)
{
	if (e->pen.y + 1 == e->bottom)
		screen_scroll(e->screen, e->top, e->bottom, 1, blank(e));
	else if (e->pen.y + 1 < e->screen->rows)
		e->pen.y++;
	e->wrap_pending = false;
}

static void
reverse_line_feed(struct emul *e)
{
	if (e->pen.y == e->top)
		screen_scroll(e->screen, e->top, e->bottom, -1, blank(e));
	else if (e->pen.y > 0)
		e->pen.y--;
	e->wrap_pending = false;
}

static void
carriage_return(struct emul *e)
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
		carriage_return(e);
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
	0x04, 0xb1, 0x20, 0x20, 0x20, 0x20, 0xf8, 0xf1, 0xb0, 0x20, 0xd9, 0xbf, 0xda, 0xc0, 0xc5, 0x2d,
	0x2d, 0xc4, 0x2d, 0x5f, 0xc3, 0xb4, 0xc1, 0xc2, 0xb3, 0xf3, 0xf2, 0xe3, 0x3f, 0x9c, 0xfa,
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

/* --- erasing, inserting, deleting --- */

static void
erase_display(struct emul *e, u32 what)
{
	struct screen *s = e->screen;
	u32 y, from = what == 0 ? e->pen.y + 1 : 0, to = what == 1 ? e->pen.y : s->rows;

	if (what > 3)
		return;
	if (what == 0)
		fill(e, e->pen.y, e->pen.x, s->cols, blank(e));
	if (what == 1)
		fill(e, e->pen.y, 0, e->pen.x + 1, blank(e));
	for (y = from; y < to; y++)
		fill(e, y, 0, s->cols, blank(e));
	e->wrap_pending = false;
}

static void
erase_line(struct emul *e, u32 what)
{
	u32 cols = e->screen->cols;

	if (what > 2)
		return;
	fill(e, e->pen.y, what == 0 ? e->pen.x : 0, what == 1 ? e->pen.x + 1 : cols, blank(e));
	e->wrap_pending = false;
}

static void
insert_chars(struct emul *e, u32 n)
{
	cell_t *row = screen_row(e->screen, e->pen.y);
	u32 left = e->screen->cols - e->pen.x;

	n = min(n, left);
	memmove(row + e->pen.x + n, row + e->pen.x, (left - n) * sizeof(*row));
	fill(e, e->pen.y, e->pen.x, e->pen.x + n, blank(e));
	e->wrap_pending = false;
}

static void
delete_chars(struct emul *e, u32 n)
{
	cell_t *row = screen_row(e->screen, e->pen.y);
	u32 left = e->screen->cols - e->pen.x;

	n = min(n, left);
	memmove(row + e->pen.x, row + e->pen.x + n, (left - n) * sizeof(*row));
	fill(e, e->pen.y, e->screen->cols - n, e->screen->cols, blank(e));
	e->wrap_pending = false;
}

/* n > 0: deletes lines, n < 0: inserts. */
static void
move_up_here(struct emul *e, s32 n)
{
	if (e->pen.y < e->top || e->pen.y >= e->bottom)
		return;
	screen_scroll(e->screen, e->pen.y, e->bottom, n, blank(e));
	e->wrap_pending = false;
}

/* --- attributes --- */

/* The nearest of the sixteen colours, in the adapter's order. */
static u8
nearest(u32 r, u32 g, u32 b)
{
	u32 most = max(r, max(g, b)), limit = most / 2;
	u8 c = (u8)((r > limit ? 4 : 0) | (g > limit ? 2 : 0) | (b > limit ? 1 : 0));

	if (most < 0x30)
		return 0;
	return most > 0xc0 ? c | 8 : c;
}

static u8
colour_256(u32 n)
{
	if (n < 8)
		return sgr_colour[n];
	if (n < 16)
		return sgr_colour[n - 8] | 8;
	if (n >= 232)
		return nearest((n - 232) * 10 + 8, (n - 232) * 10 + 8, (n - 232) * 10 + 8);
	n -= 16;
	return nearest(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51);
}

/* 38 or 48: ;5;N or ;2;R;G;B. Returns the index of the last parameter used. */
static u32
extended_colour(struct emul *e, u32 i, u8 *colour)
{
	const u32 *p = e->param + i;

	if (i + 2 < e->nr_params && p[1] == 5) {
		*colour = colour_256(p[2] & 0xff);
		return i + 2;
	}
	if (i + 4 < e->nr_params && p[1] == 2) {
		*colour = nearest(p[2] & 0xff, p[3] & 0xff, p[4] & 0xff);
		return i + 4;
	}
	return e->nr_params;
}

static void
set_attribute(struct pen *p, u32 v)
{
	switch (v) {
	case 0:
		pen_reset(p);
		break;
	case 1:
		p->bold = true;
		break;
	case 2:
		p->dim = true;
		break;
	case 4:
	case 21:
		p->underline = true;
		break;
	case 5:
		p->blink = true;
		break;
	case 7:
		p->reverse = true;
		break;
	case 22:
		p->bold = p->dim = false;
		break;
	case 24:
		p->underline = false;
		break;
	case 25:
		p->blink = false;
		break;
	case 27:
		p->reverse = false;
		break;
	case 39:
		p->fg = FG_DEFAULT;
		break;
	case 49:
		p->bg = BG_DEFAULT;
		break;
	default:
		if (v >= 30 && v <= 37)
			p->fg = sgr_colour[v - 30];
		else if (v >= 40 && v <= 47)
			p->bg = sgr_colour[v - 40];
		else if (v >= 90 && v <= 97)
			p->fg = sgr_colour[v - 90] | 8;
		else if (v >= 100 && v <= 107)
			p->bg = sgr_colour[v - 100];
	}
}

static void
select_graphics(struct emul *e)
{
	u32 i;

	for (i = 0; i < e->nr_params; i++) {
		if (e->param[i] == 38)
			i = extended_colour(e, i, &e->pen.fg);
		else if (e->param[i] == 48)
			i = extended_colour(e, i, &e->pen.bg);
		else
			set_attribute(&e->pen, e->param[i]);
	}
	/* A bright background would blink. */
	e->pen.bg &= 7;
}

/* --- modes and reports --- */

static void
set_private_mode(struct emul *e, u32 mode, bool on)
{
	switch (mode) {
	case 1:
		e->app_cursor = on;
		break;
	case 6:
		e->origin = on;
		move_to(e, 0, on ? e->top : 0);
		break;
	case 7:
		e->autowrap = on;
		break;
	case 25:
		e->cursor_visible = on;
		break;
	}
}

static void
set_modes(struct emul *e, bool on)
{
	u32 i;

	for (i = 0; i < e->nr_params; i++) {
		if (e->prefix == '?')
			set_private_mode(e, e->param[i], on);
		else if (e->param[i] == 4)
			e->insert = on;
		else if (e->param[i] == 20)
			e->newline_mode = on;
	}
}

static void
reply(struct emul *e, const char *fmt, u32 a, u32 b)
{
	char buf[32];
	u32 n = (u32)scnprintf(buf, sizeof(buf), fmt, a, b);

	/* A program that asks and never reads gets no more. */
	if (e->reply_len + n > sizeof(e->reply))
		return;
	memcpy(e->reply + e->reply_len, buf, n);
	e->reply_len += n;
}

static void
report(struct emul *e, u32 what)
{
	if (what == 5)
		reply(e, "\033[0n", 0, 0);
	else if (what == 6)
		reply(e, "\033[%u;%uR", e->pen.y - (e->origin ? e->top : 0) + 1, e->pen.x + 1);
}

static void
set_region(struct emul *e, u32 top, u32 bottom)
{
	if (top == 0)
		top = 1;
	if (bottom == 0 || bottom > e->screen->rows)
		bottom = e->screen->rows;
	if (top >= bottom)
		return;
	e->top = top - 1;
	e->bottom = bottom;
	move_to(e, 0, e->origin ? e->top : 0);
}

static void
clear_tabs(struct emul *e, u32 what)
{
	if (what == 0)
		e->tabs[e->pen.x / 64] &= ~BIT(e->pen.x % 64);
	else if (what == 3)
		memset(e->tabs, 0, sizeof(e->tabs));
}

static void
restore_pen(struct emul *e)
{
	e->pen = e->saved;
	move_to(e, e->pen.x, e->pen.y);
}

/* long: a table of sequences */
static void
csi_final(struct emul *e, u8 c)
{
	struct pen *p = &e->pen;
	u32 n = e->param[0], one = max(n, 1u), low = e->origin ? e->top : 0;

	if (e->prefix && c != 'h' && c != 'l')
		return;
	switch (c) {
	case '@':
		insert_chars(e, one);
		break;
	case 'A':
		move_lines(e, -(s64)one);
		break;
	case 'B':
	case 'e':
		move_lines(e, one);
		break;
	case 'C':
	case 'a':
		move_to(e, (s64)p->x + one, p->y);
		break;
	case 'D':
		move_to(e, (s64)p->x - one, p->y);
		break;
	case 'E':
	case 'F':
		carriage_return(e);
		move_lines(e, c == 'E' ? (s64)one : -(s64)one);
		break;
	case 'G':
	case '`':
		move_to(e, (s64)one - 1, p->y);
		break;
	case 'H':
	case 'f':
		move_to(e, (s64)max(e->param[1], 1u) - 1, (s64)low + one - 1);
		break;
	case 'd':
		move_to(e, p->x, (s64)low + one - 1);
		break;
	case 'J':
		erase_display(e, n);
		break;
	case 'K':
		erase_line(e, n);
		break;
	case 'L':
		move_up_here(e, -(s32)min(one, VT_ROWS_MAX));
		break;
	case 'M':
		move_up_here(e, (s32)min(one, VT_ROWS_MAX));
		break;
	case 'P':
		delete_chars(e, one);
		break;
	case 'X':
		fill(e, p->y, p->x, p->x + min(one, e->screen->cols - p->x), blank(e));
		break;
	case 'c':
		if (n == 0)
			reply(e, "\033[?6c", 0, 0);
		break;
	case 'g':
		clear_tabs(e, n);
		break;
	case 'h':
	case 'l':
		set_modes(e, c == 'h');
		break;
	case 'm':
		select_graphics(e);
		break;
	case 'n':
		report(e, n);
		break;
	case 'r':
		set_region(e, n, e->param[1]);
		break;
	case 's':
		e->saved = e->pen;
		break;
	case 'u':
		restore_pen(e);
		break;
	}
}

static void
csi_byte(struct emul *e, u8 c)
{
	u32 *p = &e->param[e->nr_params - 1];

	if (c >= '0' && c <= '9') {
		*p = min(*p * 10 + (c - '0'), 99999u);
	} else if (c == ';' || c == ':') {
		/* More than we have places for: the last one takes them. */
		if (e->nr_params < VT_PARAMS)
			e->nr_params++;
		e->param[e->nr_params - 1] = 0;
	} else if (c >= 0x3c && c <= 0x3f) {
		e->prefix = c;
	} else if (c >= 0x40 && c <= 0x7e) {
		e->state = EMUL_TEXT;
		csi_final(e, c);
	} else if (c >= 0x20 && c <= 0x2f) {
		/* Intermediate: no sequence that we know has one. */
		e->prefix = c;
	}
}

static void
csi_begin(struct emul *e)
{
	memset(e->param, 0, sizeof(e->param));
	e->nr_params = 1;
	e->prefix = 0;
	e->state = EMUL_CSI;
}

/* --- ESC --- */

static void
esc_byte(struct emul *e, u8 c)
{
	e->state = EMUL_TEXT;
	switch (c) {
	case '[':
		csi_begin(e);
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
		carriage_return(e);
		line_feed(e);
		break;
	case 'M':
		reverse_line_feed(e);
		break;
	case 'H':
		e->tabs[e->pen.x / 64] |= BIT(e->pen.x % 64);
		break;
	case 'Z':
		reply(e, "\033[?6c", 0, 0);
		break;
	case 'c':
		reset(e);
		break;
	case '7':
		e->saved = e->pen;
		break;
	case '8':
		restore_pen(e);
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
		fill(e, y, 0, e->screen->cols, CELL('E', 0x07));
	move_to(e, 0, 0);
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
		csi_byte(e, c);
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
			carriage_return(e);
		line_feed(e);
		break;
	case '\r':
		carriage_return(e);
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
		carriage_return(e);
		line_feed(e);
	} else if (c == '\t') {
		tab(e);
	} else {
		put(e, c >= 0x20 && c < 0x7f ? c : '?');
	}
}
