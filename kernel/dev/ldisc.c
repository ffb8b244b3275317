/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: what typed bytes become (N_TTY).
 *
 * Model: a buffer of LDISC_BUF bytes, from tail (next to read) over canon_head
 * (end of the last complete line) to head (next to write). In canonical mode
 * only what lies before canon_head is readable and only what lies behind it can
 * be edited; in the other mode canon_head means nothing. A line is delimited by
 * a bit that belongs to its last byte; end of file is a delimiter that is no
 * part of the line.
 *
 * When the buffer is full: not canonical, or a whole line waits: no more is
 * taken, the driver keeps the rest and the sender is throttled. Canonical
 * without a line: nothing could ever be read, so the last byte is overwritten
 * until the end of the line comes (Linux does so too; it ignores IMAXBEL).
 *
 * Locking: tty->lock, a mutex: all of this runs in tasks.
 *
 * See: POSIX.1-2017 chapter 11, termios(3).
 */
#include "kernel/dev/ldisc_impl.h"

#include "kernel/signal/signal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

/* Input is throttled when less room is left, and goes on when no more is in the buffer. */
#define THRESHOLD 128u

int
ldisc_init(struct tty *tty)
{
	tty->ld.buf = kmalloc(LDISC_BUF, GFP_KERNEL);
	tty->ld.echo = kmalloc(LDISC_ECHO, GFP_KERNEL);
	return tty->ld.buf && tty->ld.echo ? 0 : -ENOMEM;
}

void
ldisc_fini(struct tty *tty)
{
	kfree(tty->ld.buf);
	kfree(tty->ld.echo);
}

static void
forget_input(struct ldisc *ld)
{
	WRITE_ONCE(ld->tail, ld->head);
	WRITE_ONCE(ld->canon_head, ld->head);
	WRITE_ONCE(ld->echo_tail, ld->echo_head);
	memset(ld->ends, 0, sizeof(ld->ends));
	ld->erasing = false;
}

void
ldisc_flush_input(struct tty *tty)
{
	forget_input(&tty->ld);
	ldisc_unthrottle(tty);
	if (tty->ops->input_flushed)
		tty->ops->input_flushed(tty);
}

void
ldisc_reset(struct tty *tty)
{
	forget_input(&tty->ld);
	tty->ld.column = 0;
	tty->ld.canon_column = 0;
	tty->ld.lnext = false;
	tty->ld.throttled = false;
}

/* --- the buffer --- */

static bool
ends_line(const struct ldisc *ld, u32 pos)
{
	u32 i = pos % LDISC_BUF;

	return ld->ends[i / 64] & BIT(i % 64);
}

static void
set_end(struct ldisc *ld, u32 pos)
{
	u32 i = pos % LDISC_BUF;

	ld->ends[i / 64] |= BIT(i % 64);
}

static void
clear_end(struct ldisc *ld, u32 pos)
{
	u32 i = pos % LDISC_BUF;

	ld->ends[i / 64] &= ~BIT(i % 64);
}

/* A byte of input that looks like the mark of an error is doubled. */
static void
put_marked(struct tty *tty, u8 c)
{
	if (c == 0xff && I_FLAG(tty, PARMRK))
		ldisc_put(&tty->ld, c);
	ldisc_put(&tty->ld, c);
}

/* Is there room for one more? Makes it by dropping the last byte of an endless line. */
static bool
make_room(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	/* A marked byte takes three places. */
	u32 need = I_FLAG(tty, PARMRK) ? 3 : 1, room = LDISC_BUF - (ld->head - ld->tail);

	if (room > need)
		return true;
	if (!tty_canonical(tty) || ld->canon_head != ld->tail)
		return false;
	if (room < need)
		WRITE_ONCE(ld->head, ld->head - (need - room));
	return true;
}

static bool
is_cc(const struct tty *tty, u8 c, unsigned int i)
{
	return c == CC(tty, i) && c != CC_DISABLED;
}

static void
end_line(struct tty *tty, u8 c)
{
	struct ldisc *ld = &tty->ld;

	set_end(ld, ld->head);
	ldisc_put(ld, c);
	WRITE_ONCE(ld->canon_head, ld->head);
}

/* --- what a byte means --- */

static void
input_signal(struct tty *tty, int sig)
{
	tty_signal(tty, sig);
	if (L_FLAG(tty, NOFLSH))
		return;
	if (tty->ops->flush_output)
		tty->ops->flush_output(tty);
	ldisc_flush_input(tty);
}

static bool
input_flow(struct tty *tty, u8 c)
{
	if (!I_FLAG(tty, IXON))
		return false;
	if (is_cc(tty, c, VSTART))
		tty_start(tty);
	else if (is_cc(tty, c, VSTOP))
		tty_stop(tty);
	else
		return false;
	return true;
}

static bool
input_key_signal(struct tty *tty, u8 c)
{
	int sig;

	if (!L_FLAG(tty, ISIG))
		return false;
	if (is_cc(tty, c, VINTR))
		sig = SIGINT;
	else if (is_cc(tty, c, VQUIT))
		sig = SIGQUIT;
	else if (is_cc(tty, c, VSUSP))
		sig = SIGTSTP;
	else
		return false;
	input_signal(tty, sig);
	if (I_FLAG(tty, IXON))
		tty_start(tty);
	if (L_FLAG(tty, ECHO))
		ldisc_echo_char(tty, c);
	return true;
}

/* Editing keys of canonical mode; true: it was one. */
static bool
input_edit(struct tty *tty, u8 c)
{
	bool ext = L_FLAG(tty, IEXTEN);

	if (is_cc(tty, c, VERASE)) {
		ldisc_erase(tty, ERASE_CHAR);
	} else if (is_cc(tty, c, VKILL)) {
		ldisc_erase(tty, ERASE_LINE);
	} else if (ext && is_cc(tty, c, VWERASE)) {
		ldisc_erase(tty, ERASE_WORD);
	} else if (ext && is_cc(tty, c, VLNEXT)) {
		tty->ld.lnext = true;
		if (L_FLAG(tty, ECHO)) {
			ldisc_finish_erasing(tty);
			if (L_FLAG(tty, ECHOCTL)) {
				ldisc_echo_raw(tty, '^');
				ldisc_echo_raw(tty, '\b');
			}
		}
	} else if (ext && L_FLAG(tty, ECHO) && is_cc(tty, c, VREPRINT)) {
		ldisc_reprint(tty, c);
	} else {
		return false;
	}
	return true;
}

/* Ends of lines of canonical mode; true: it was one. */
static bool
input_line_end(struct tty *tty, u8 c)
{
	if (c == '\n') {
		if (L_FLAG(tty, ECHO | ECHONL))
			ldisc_echo_raw(tty, '\n');
		end_line(tty, c);
	} else if (is_cc(tty, c, VEOF)) {
		end_line(tty, CC_DISABLED);
	} else if (is_cc(tty, c, VEOL) || (L_FLAG(tty, IEXTEN) && is_cc(tty, c, VEOL2))) {
		if (L_FLAG(tty, ECHO))
			ldisc_echo_typed(tty, c);
		if (c == 0xff && I_FLAG(tty, PARMRK))
			ldisc_put(&tty->ld, c);
		end_line(tty, c);
	} else {
		return false;
	}
	return true;
}

static void
input_plain(struct tty *tty, u8 c)
{
	if (L_FLAG(tty, ECHO))
		ldisc_echo_typed(tty, c);
	put_marked(tty, c);
}

static void
input_char(struct tty *tty, u8 c)
{
	if (input_flow(tty, c) || input_key_signal(tty, c))
		return;
	if (tty->stopped && I_FLAG(tty, IXON) && I_FLAG(tty, IXANY))
		tty_start(tty);
	if (c == '\r') {
		if (I_FLAG(tty, IGNCR))
			return;
		if (I_FLAG(tty, ICRNL))
			c = '\n';
	} else if (c == '\n' && I_FLAG(tty, INLCR)) {
		c = '\r';
	}
	if (L_FLAG(tty, ICANON) && (input_edit(tty, c) || input_line_end(tty, c)))
		return;
	input_plain(tty, c);
}

static void
input_error(struct tty *tty, u8 c, unsigned int flag)
{
	struct ldisc *ld = &tty->ld;

	if (flag == INPUT_BREAK) {
		if (I_FLAG(tty, IGNBRK))
			return;
		if (I_FLAG(tty, BRKINT)) {
			input_signal(tty, SIGINT);
			return;
		}
		c = 0;
	} else if (!I_FLAG(tty, INPCK)) {
		input_plain(tty, c);
		return;
	} else if (I_FLAG(tty, IGNPAR)) {
		return;
	}
	if (I_FLAG(tty, PARMRK)) {
		ldisc_put(ld, 0xff);
		ldisc_put(ld, 0);
		ldisc_put(ld, c);
	} else {
		ldisc_put(ld, 0);
	}
}

static void
input_one(struct tty *tty, u8 c, unsigned int flag)
{
	/* The driver counts lost bytes; there is no byte to go with it. */
	if (flag == INPUT_OVERRUN)
		return;
	if (flag != INPUT_NORMAL) {
		input_error(tty, c, flag);
		return;
	}
	if (L_FLAG(tty, EXTPROC)) {
		ldisc_put(&tty->ld, c);
		return;
	}
	if (I_FLAG(tty, ISTRIP))
		c &= 0x7f;
	if (I_FLAG(tty, IUCLC) && L_FLAG(tty, IEXTEN) && ldisc_is_upper(c))
		c += 0x20;
	if (tty->ld.lnext) {
		tty->ld.lnext = false;
		input_plain(tty, c);
	} else {
		input_char(tty, c);
	}
}

static void
throttle(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;

	if (ld->throttled || LDISC_BUF - 1 - (ld->head - ld->tail) >= THRESHOLD)
		return;
	if (tty_canonical(tty) && ld->canon_head == ld->tail)
		return;
	ld->throttled = true;
	if (I_FLAG(tty, IXOFF) && tty->ops->send_xchar)
		tty->ops->send_xchar(tty, CC(tty, VSTOP));
	if (C_FLAG(tty, CRTSCTS) && tty->ops->throttle)
		tty->ops->throttle(tty, true);
}

void
ldisc_unthrottle(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;

	if (!ld->throttled || ld->head - ld->tail > THRESHOLD)
		return;
	ld->throttled = false;
	if (I_FLAG(tty, IXOFF) && tty->ops->send_xchar)
		tty->ops->send_xchar(tty, CC(tty, VSTART));
	if (C_FLAG(tty, CRTSCTS) && tty->ops->throttle)
		tty->ops->throttle(tty, false);
}

size_t
ldisc_receive(struct tty *tty, const u16 *in, size_t n)
{
	size_t i;

	for (i = 0; i < n && make_room(tty); i++)
		input_one(tty, (u8)in[i], in[i] >> 8);
	throttle(tty);
	return i;
}

/* --- readers --- */

static size_t
take_line(struct ldisc *ld, u8 *dst, size_t n, bool *end)
{
	size_t i = 0;
	u32 pos = ld->tail;

	while (pos != ld->canon_head && !*end) {
		bool last = ends_line(ld, pos);
		u8 c = *ldisc_at(ld, pos);

		if (!last || c != CC_DISABLED) {
			if (i == n)
				break;
			dst[i++] = c;
		}
		if (last)
			clear_end(ld, pos);
		*end = last;
		pos++;
	}
	WRITE_ONCE(ld->tail, pos);
	return i;
}

size_t
ldisc_take(struct tty *tty, u8 *dst, size_t n, bool *end)
{
	struct ldisc *ld = &tty->ld;
	size_t i;

	*end = false;
	if (tty_canonical(tty))
		return take_line(ld, dst, n, end);
	n = min(n, (size_t)(ld->head - ld->tail));
	for (i = 0; i < n; i++)
		dst[i] = *ldisc_at(ld, ld->tail + (u32)i);
	WRITE_ONCE(ld->tail, ld->tail + (u32)n);
	return n;
}

bool
ldisc_readable(struct tty *tty, bool poll)
{
	struct ldisc *ld = &tty->ld;
	u32 tail = READ_ONCE(ld->tail), want = 1;

	if (tty_canonical(tty))
		return READ_ONCE(ld->canon_head) != tail;
	if (poll && !CC(tty, VTIME) && CC(tty, VMIN))
		want = CC(tty, VMIN);
	return READ_ONCE(ld->head) - tail >= want;
}

u32
ldisc_count(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	u32 pos, n = 0;

	if (!tty_canonical(tty))
		return ld->head - ld->tail;
	for (pos = ld->tail; pos != ld->canon_head; pos++)
		n += !ends_line(ld, pos) || *ldisc_at(ld, pos) != CC_DISABLED;
	return n;
}

void
ldisc_termios_changed(struct tty *tty, const struct termios2 *old)
{
	struct ldisc *ld = &tty->ld;

	if ((old->lflag ^ tty->termios.lflag) & (ICANON | EXTPROC)) {
		memset(ld->ends, 0, sizeof(ld->ends));
		WRITE_ONCE(ld->canon_head, ld->tail);
		/* What was typed before is a line that can be read at once. */
		if (L_FLAG(tty, ICANON) && ld->head != ld->tail) {
			set_end(ld, ld->head - 1);
			WRITE_ONCE(ld->canon_head, ld->head);
		}
		ld->erasing = false;
		ld->lnext = false;
	}
	if (!I_FLAG(tty, IXON) && (old->iflag & IXON) && !tty->tco_stopped)
		tty_start(tty);
}
