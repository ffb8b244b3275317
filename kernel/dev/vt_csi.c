/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control sequences of the console on the display: those that begin with ESC [
 * and have parameters.
 */
#include "kernel/dev/vt_impl.h"

#include "lib/fmt.h"
#include "lib/string.h"

/* Colours 0 to 7 of SGR in the adapter's order (red and blue change places). */
static const u8 sgr_colour[8] = {0, 4, 2, 6, 1, 5, 3, 7};

/* --- erasing, inserting, deleting --- */

static void
erase_display(struct emul *e, u32 what)
{
	struct screen *s = e->screen;
	u32 y, from = what == 0 ? e->pen.y + 1 : 0, to = what == 1 ? e->pen.y : s->rows;

	if (what > 3)
		return;
	if (what == 0)
		emul_fill(e, e->pen.y, e->pen.x, s->cols, emul_blank(e));
	if (what == 1)
		emul_fill(e, e->pen.y, 0, e->pen.x + 1, emul_blank(e));
	for (y = from; y < to; y++)
		emul_fill(e, y, 0, s->cols, emul_blank(e));
	e->wrap_pending = false;
}

static void
erase_line(struct emul *e, u32 what)
{
	u32 cols = e->screen->cols;

	if (what > 2)
		return;
	emul_fill(e, e->pen.y, what == 0 ? e->pen.x : 0, what == 1 ? e->pen.x + 1 : cols,
		  emul_blank(e));
	e->wrap_pending = false;
}

static void
insert_chars(struct emul *e, u32 n)
{
	cell_t *row = screen_row(e->screen, e->pen.y);
	u32 left = e->screen->cols - e->pen.x;

	n = min(n, left);
	memmove(row + e->pen.x + n, row + e->pen.x, (left - n) * sizeof(*row));
	emul_fill(e, e->pen.y, e->pen.x, e->pen.x + n, emul_blank(e));
	e->wrap_pending = false;
}

static void
delete_chars(struct emul *e, u32 n)
{
	cell_t *row = screen_row(e->screen, e->pen.y);
	u32 left = e->screen->cols - e->pen.x;

	n = min(n, left);
	memmove(row + e->pen.x, row + e->pen.x + n, (left - n) * sizeof(*row));
	emul_fill(e, e->pen.y, e->screen->cols - n, e->screen->cols, emul_blank(e));
	e->wrap_pending = false;
}

/* n > 0: deletes lines, n < 0: inserts. */
static void
move_up_here(struct emul *e, s32 n)
{
	if (e->pen.y < e->top || e->pen.y >= e->bottom)
		return;
	screen_scroll(e->screen, e->pen.y, e->bottom, n, emul_blank(e));
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
		emul_pen_reset(p);
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
		p->fg = VT_FG_DEFAULT;
		break;
	case 49:
		p->bg = VT_BG_DEFAULT;
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
		emul_move_to(e, 0, on ? e->top : 0);
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

void
emul_reply(struct emul *e, const char *fmt, u32 a, u32 b)
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
		emul_reply(e, "\033[0n", 0, 0);
	else if (what == 6)
		emul_reply(e, "\033[%u;%uR", e->pen.y - (e->origin ? e->top : 0) + 1, e->pen.x + 1);
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
	emul_move_to(e, 0, e->origin ? e->top : 0);
}

static void
clear_tabs(struct emul *e, u32 what)
{
	if (what == 0)
		e->tabs[e->pen.x / 64] &= ~BIT(e->pen.x % 64);
	else if (what == 3)
		memset(e->tabs, 0, sizeof(e->tabs));
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
		emul_move_lines(e, -(s64)one);
		break;
	case 'B':
	case 'e':
		emul_move_lines(e, one);
		break;
	case 'C':
	case 'a':
		emul_move_to(e, (s64)p->x + one, p->y);
		break;
	case 'D':
		emul_move_to(e, (s64)p->x - one, p->y);
		break;
	case 'E':
	case 'F':
		emul_carriage_return(e);
		emul_move_lines(e, c == 'E' ? (s64)one : -(s64)one);
		break;
	case 'G':
	case '`':
		emul_move_to(e, (s64)one - 1, p->y);
		break;
	case 'H':
	case 'f':
		emul_move_to(e, (s64)max(e->param[1], 1u) - 1, (s64)low + one - 1);
		break;
	case 'd':
		emul_move_to(e, p->x, (s64)low + one - 1);
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
		emul_fill(e, p->y, p->x, p->x + min(one, e->screen->cols - p->x), emul_blank(e));
		break;
	case 'c':
		if (n == 0)
			emul_reply(e, "\033[?6c", 0, 0);
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
		emul_restore_pen(e);
		break;
	}
}

void
emul_csi_byte(struct emul *e, u8 c)
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

void
emul_csi_begin(struct emul *e)
{
	memset(e->param, 0, sizeof(e->param));
	e->nr_params = 1;
	e->prefix = 0;
	e->state = EMUL_CSI;
}
