/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: showing what is typed, and editing the line that is not
 * finished.
 *
 * Model: what is on the screen behind the prompt is what echoing made of the bytes
 * from canon_head to head; erasing goes back over exactly the columns that a
 * character took. With IUTF8 a character is a byte and those that continue it.
 *
 * Locking: tty->lock.
 */
#include "kernel/dev/ldisc_impl.h"

static bool
is_cntrl(u8 c)
{
	return c < 0x20 || c == 0x7f;
}

static bool
is_word(u8 c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || ldisc_is_upper(c) ||
	       (c >= 0xdf && c != 0xf7);
}

/* A later byte of a UTF-8 character. */
static bool
is_continuation(const struct tty *tty, u8 c)
{
	return I_FLAG(tty, IUTF8) && (c & 0xc0) == 0x80;
}

/* --- echo --- */

void
ldisc_echo_char(struct tty *tty, u8 c)
{
	if (L_FLAG(tty, ECHOCTL) && is_cntrl(c) && c != '\t') {
		ldisc_echo_raw(tty, '^');
		c ^= 0100;
	}
	ldisc_echo_raw(tty, c);
}

void
ldisc_finish_erasing(struct tty *tty)
{
	if (tty->ld.erasing)
		ldisc_echo_raw(tty, '/');
	tty->ld.erasing = false;
}

void
ldisc_echo_typed(struct tty *tty, u8 c)
{
	ldisc_finish_erasing(tty);
	if (c == '\n') {
		ldisc_echo_raw(tty, '\n');
		return;
	}
	if (tty->ld.canon_head == tty->ld.head)
		tty->ld.canon_column = tty->ld.column;
	ldisc_echo_char(tty, c);
}

/* --- editing --- */

/* Goes back over a tab that ended at the cursor; the line is now up to head. */
static void
erase_tab(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	u32 width = 0, pos = ld->head;
	bool after_tab = false;

	while (pos != ld->canon_head && !after_tab) {
		u8 c = *ldisc_at(ld, --pos);

		if (c == '\t')
			after_tab = true;
		else if (is_cntrl(c))
			width += L_FLAG(tty, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(tty, c))
			width++;
	}
	if (!after_tab)
		width += ld->canon_column;
	for (width = 8 - (width & 7); width; width--)
		ldisc_echo_raw(tty, '\b');
}

static void
echo_back(struct tty *tty)
{
	ldisc_echo_raw(tty, '\b');
	ldisc_echo_raw(tty, ' ');
	ldisc_echo_raw(tty, '\b');
}

/* Shows that a character of `len` bytes, the first being c, at head has gone. */
static void
echo_erased(struct tty *tty, u8 c, u32 len, bool single)
{
	struct ldisc *ld = &tty->ld;
	u32 i;

	if (L_FLAG(tty, ECHOPRT)) {
		if (!ld->erasing)
			ldisc_echo_raw(tty, '\\');
		ld->erasing = true;
		ldisc_echo_char(tty, c);
		for (i = 1; i < len; i++)
			ldisc_echo_raw(tty, *ldisc_at(ld, ld->head + i));
	} else if (single && !L_FLAG(tty, ECHOE)) {
		ldisc_echo_char(tty, CC(tty, VERASE));
	} else if (c == '\t') {
		erase_tab(tty);
	} else {
		if (is_cntrl(c) && L_FLAG(tty, ECHOCTL))
			echo_back(tty);
		if (!is_cntrl(c) || L_FLAG(tty, ECHOCTL))
			echo_back(tty);
	}
}

/* The start of the last character of the line, or head: there is no whole one. */
static u32
last_char(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	u32 pos = ld->head;

	while (pos != ld->canon_head)
		if (!is_continuation(tty, *ldisc_at(ld, --pos)))
			return pos;
	return ld->head;
}

static void
erase_shown(struct tty *tty, enum ldisc_erase what)
{
	struct ldisc *ld = &tty->ld;
	bool seen_word = false;
	u32 pos, len;
	u8 c;

	while (ld->head != ld->canon_head && (pos = last_char(tty)) != ld->head) {
		c = *ldisc_at(ld, pos);
		if (what == ERASE_WORD) {
			if (is_word(c))
				seen_word = true;
			else if (seen_word)
				break;
		}
		len = ld->head - pos;
		WRITE_ONCE(ld->head, pos);
		if (L_FLAG(tty, ECHO))
			echo_erased(tty, c, len, what == ERASE_CHAR);
		if (what == ERASE_CHAR)
			break;
	}
	if (ld->head == ld->canon_head && L_FLAG(tty, ECHO))
		ldisc_finish_erasing(tty);
}

void
ldisc_erase(struct tty *tty, enum ldisc_erase what)
{
	const u32 wanted = ECHO | ECHOK | ECHOKE | ECHOE;
	struct ldisc *ld = &tty->ld;

	if (ld->head == ld->canon_head)
		return;
	if (what != ERASE_LINE || L_FLAG(tty, wanted) == wanted) {
		erase_shown(tty, what);
		return;
	}
	WRITE_ONCE(ld->head, ld->canon_head);
	if (!L_FLAG(tty, ECHO))
		return;
	ldisc_finish_erasing(tty);
	ldisc_echo_char(tty, CC(tty, VKILL));
	if (L_FLAG(tty, ECHOK))
		ldisc_echo_raw(tty, '\n');
}

void
ldisc_reprint(struct tty *tty, u8 c)
{
	struct ldisc *ld = &tty->ld;
	u32 pos;

	ldisc_finish_erasing(tty);
	ldisc_echo_char(tty, c);
	ldisc_echo_raw(tty, '\n');
	for (pos = ld->canon_head; pos != ld->head; pos++)
		ldisc_echo_char(tty, *ldisc_at(ld, pos));
}
