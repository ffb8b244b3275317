/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: output processing and the queue of echoes.
 *
 * Model: bytes go through processing (OPOST) into the driver. Echoes take the
 * same way but must never wait, since who types does not read: they are
 * processed into a queue of their own, which is emptied into the driver before
 * any other output. So the column that is counted when a byte is processed is
 * the one at which it will appear.
 *
 * Locking: tty->lock.
 */
#include "kernel/dev/tty_impl.h"

#include "lib/string.h"

/* The most that one byte becomes: a tab as spaces. */
#define EXPANSION_MAX 8u

static bool
is_graph(u8 c)
{
	return c >= 0x20 && c != 0x7f;
}

static u8
upper(u8 c)
{
	return c >= 'a' && c <= 'z' ? c - 0x20 : c;
}

/* How many bytes c becomes at the present column. */
static size_t
expansion(const struct tty *tty, u8 c)
{
	if (c == '\n' && O_FLAG(tty, ONLCR))
		return 2;
	if (c == '\t' && O_FLAG(tty, TABDLY) == XTABS)
		return 8 - (tty->ld.column & 7);
	if (c == '\r' && O_FLAG(tty, ONOCR) && tty->ld.column == 0)
		return 0;
	return 1;
}

static void
home(struct ldisc *ld)
{
	ld->column = 0;
	ld->canon_column = 0;
}

/* Processes c; expansion(tty, c) bytes at dst. */
static size_t
process(struct tty *tty, u8 c, u8 *dst)
{
	struct ldisc *ld = &tty->ld;
	size_t n = expansion(tty, c);

	dst[0] = c;
	switch (c) {
	case '\n':
		if (O_FLAG(tty, ONLRET | ONLCR))
			home(ld);
		if (O_FLAG(tty, ONLCR))
			memcpy(dst, "\r\n", 2);
		else
			ld->canon_column = ld->column;
		break;
	case '\r':
		if (n && O_FLAG(tty, OCRNL))
			dst[0] = '\n';
		if (!O_FLAG(tty, OCRNL) || O_FLAG(tty, ONLRET))
			home(ld);
		break;
	case '\t':
		if (O_FLAG(tty, TABDLY) == XTABS)
			memset(dst, ' ', n);
		ld->column += 8 - (ld->column & 7);
		break;
	case '\b':
		if (ld->column > 0)
			ld->column--;
		break;
	default:
		if (!is_graph(c))
			break;
		if (O_FLAG(tty, OLCUC))
			dst[0] = upper(c);
		if (!I_FLAG(tty, IUTF8) || (c & 0xc0) != 0x80)
			ld->column++;
	}
	return n;
}

/* --- echoes --- */

void
ldisc_echo_flush(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;

	while (ldisc_echo_waits(tty)) {
		u32 off = ld->echo_tail % LDISC_ECHO;
		size_t n = min(ld->echo_head - ld->echo_tail, LDISC_ECHO - off);

		n = min(n, tty->ops->room(tty));
		if (n == 0)
			break;
		tty->ops->write(tty, ld->echo + off, n);
		WRITE_ONCE(ld->echo_tail, ld->echo_tail + (u32)n);
	}
}

void
ldisc_echo_out(struct tty *tty, u8 c)
{
	struct ldisc *ld = &tty->ld;
	u8 out[EXPANSION_MAX] = {c};
	size_t i, n = 1;

	if (LDISC_ECHO - (ld->echo_head - ld->echo_tail) < EXPANSION_MAX)
		ldisc_echo_flush(tty);
	/* Nobody takes the output: the oldest echoes go. */
	if (LDISC_ECHO - (ld->echo_head - ld->echo_tail) < EXPANSION_MAX)
		WRITE_ONCE(ld->echo_tail, ld->echo_tail + EXPANSION_MAX);
	if (O_FLAG(tty, OPOST))
		n = process(tty, c, out);
	for (i = 0; i < n; i++)
		ld->echo[(ld->echo_head + (u32)i) % LDISC_ECHO] = out[i];
	WRITE_ONCE(ld->echo_head, ld->echo_head + (u32)n);
}

/* --- programs --- */

static size_t
write_processed(struct tty *tty, const u8 *src, size_t n, size_t room)
{
	u8 out[256];
	size_t i, used = 0;

	for (i = 0; i < n; i++) {
		size_t more = expansion(tty, src[i]);

		if (more > room)
			break;
		room -= more;
		used += process(tty, src[i], out + used);
		if (used > sizeof(out) - EXPANSION_MAX) {
			tty->ops->write(tty, out, used);
			used = 0;
		}
	}
	if (used)
		tty->ops->write(tty, out, used);
	return i;
}

size_t
ldisc_write(struct tty *tty, const u8 *src, size_t n)
{
	size_t room;

	ldisc_echo_flush(tty);
	if (ldisc_echo_waits(tty))
		return 0;
	room = tty->ops->room(tty);
	if (O_FLAG(tty, OPOST))
		return write_processed(tty, src, n, room);
	n = min(n, room);
	if (n)
		tty->ops->write(tty, src, n);
	return n;
}
