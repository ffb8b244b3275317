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
#include "kernel/dev/tty_impl.h"

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

static u8 *
at(struct ldisc *ld, u32 pos)
{
	return &ld->buf[pos % LDISC_BUF];
}

static void
put(struct ldisc *ld, u8 c)
{
	*at(ld, ld->head) = c;
	WRITE_ONCE(ld->head, ld->head + 1);
}

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
		put(&tty->ld, c);
	put(&tty->ld, c);
}

/* Is there room for one more? Makes it by dropping the last byte of an endless line. */
static bool
make_room(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	s32 room = (s32)(LDISC_BUF - (ld->head - ld->tail));

	if (I_FLAG(tty, PARMRK))
		room = (room + 2) / 3;
	if (room > 1)
		return true;
	if (!L_FLAG(tty, ICANON) || ld->canon_head != ld->tail)
		return false;
	if (room < 1)
		WRITE_ONCE(ld->head, ld->head - 1);
	return true;
}

/* --- characters --- */

static bool
is_cntrl(u8 c)
{
	return c < 0x20 || c == 0x7f;
}

static bool
is_upper(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static bool
is_word(u8 c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || is_upper(c) ||
	       (c >= 0xdf && c != 0xf7);
}

/* A later byte of a UTF-8 character. */
static bool
is_continuation(const struct tty *tty, u8 c)
{
	return I_FLAG(tty, IUTF8) && (c & 0xc0) == 0x80;
}

static bool
is_cc(const struct tty *tty, u8 c, unsigned int i)
{
	return c == CC(tty, i) && c != CC_DISABLED;
}

/* --- echo --- */

static void
echo_raw(struct tty *tty, u8 c)
{
	ldisc_echo_out(tty, c);
}

/* Control characters are shown as ^X if ECHOCTL says so. */
static void
echo_char(struct tty *tty, u8 c)
{
	if (L_FLAG(tty, ECHOCTL) && is_cntrl(c) && c != '\t') {
		echo_raw(tty, '^');
		c ^= 0100;
	}
	echo_raw(tty, c);
}

static void
finish_erasing(struct tty *tty)
{
	if (tty->ld.erasing)
		echo_raw(tty, '/');
	tty->ld.erasing = false;
}

/* Echoes a byte that goes to the end of the line. */
static void
echo_typed(struct tty *tty, u8 c)
{
	finish_erasing(tty);
	if (c == '\n') {
		echo_raw(tty, '\n');
		return;
	}
	if (tty->ld.canon_head == tty->ld.head)
		tty->ld.canon_column = tty->ld.column;
	echo_char(tty, c);
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
		u8 c = *at(ld, --pos);

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
		echo_raw(tty, '\b');
}

static void
echo_back(struct tty *tty)
{
	echo_raw(tty, '\b');
	echo_raw(tty, ' ');
	echo_raw(tty, '\b');
}

/* Shows that a character of `len` bytes, the first being c, at head has gone. */
static void
echo_erased(struct tty *tty, u8 c, u32 len, bool single)
{
	struct ldisc *ld = &tty->ld;
	u32 i;

	if (L_FLAG(tty, ECHOPRT)) {
		if (!ld->erasing)
			echo_raw(tty, '\\');
		ld->erasing = true;
		echo_char(tty, c);
		for (i = 1; i < len; i++)
			echo_raw(tty, *at(ld, ld->head + i));
	} else if (single && !L_FLAG(tty, ECHOE)) {
		echo_char(tty, CC(tty, VERASE));
	} else if (c == '\t') {
		erase_tab(tty);
	} else {
		if (is_cntrl(c) && L_FLAG(tty, ECHOCTL))
			echo_back(tty);
		if (!is_cntrl(c) || L_FLAG(tty, ECHOCTL))
			echo_back(tty);
	}
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

/* The start of the last character of the line, or head: there is no whole one. */
static u32
last_char(struct tty *tty)
{
	struct ldisc *ld = &tty->ld;
	u32 pos = ld->head;

	while (pos != ld->canon_head)
		if (!is_continuation(tty, *at(ld, --pos)))
			return pos;
	return ld->head;
}

static void
erase_shown(struct tty *tty, enum erase what)
{
	struct ldisc *ld = &tty->ld;
	bool seen_word = false;
	u32 pos, len;
	u8 c;

	while (ld->head != ld->canon_head && (pos = last_char(tty)) != ld->head) {
		c = *at(ld, pos);
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
		finish_erasing(tty);
}

static void
erase(struct tty *tty, enum erase what)
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
	finish_erasing(tty);
	echo_char(tty, CC(tty, VKILL));
	if (L_FLAG(tty, ECHOK))
		echo_raw(tty, '\n');
}

static void
reprint(struct tty *tty, u8 c)
{
	struct ldisc *ld = &tty->ld;
	u32 pos;

	finish_erasing(tty);
	echo_char(tty, c);
	echo_raw(tty, '\n');
	for (pos = ld->canon_head; pos != ld->head; pos++)
		echo_char(tty, *at(ld, pos));
}

static void
end_line(struct tty *tty, u8 c)
{
	struct ldisc *ld = &tty->ld;

	set_end(ld, ld->head);
	put(ld, c);
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
		echo_char(tty, c);
	return true;
}

/* Editing keys of canonical mode; true: it was one. */
static bool
input_edit(struct tty *tty, u8 c)
{
	bool ext = L_FLAG(tty, IEXTEN);

	if (is_cc(tty, c, VERASE)) {
		erase(tty, ERASE_CHAR);
	} else if (is_cc(tty, c, VKILL)) {
		erase(tty, ERASE_LINE);
	} else if (ext && is_cc(tty, c, VWERASE)) {
		erase(tty, ERASE_WORD);
	} else if (ext && is_cc(tty, c, VLNEXT)) {
		tty->ld.lnext = true;
		if (L_FLAG(tty, ECHO)) {
			finish_erasing(tty);
			if (L_FLAG(tty, ECHOCTL)) {
				echo_raw(tty, '^');
				echo_raw(tty, '\b');
			}
		}
	} else if (ext && L_FLAG(tty, ECHO) && is_cc(tty, c, VREPRINT)) {
		reprint(tty, c);
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
			echo_raw(tty, '\n');
		end_line(tty, c);
	} else if (is_cc(tty, c, VEOF)) {
		end_line(tty, CC_DISABLED);
	} else if (is_cc(tty, c, VEOL) || (L_FLAG(tty, IEXTEN) && is_cc(tty, c, VEOL2))) {
		if (L_FLAG(tty, ECHO))
			echo_typed(tty, c);
		if (c == 0xff && I_FLAG(tty, PARMRK))
			put(&tty->ld, c);
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
		echo_typed(tty, c);
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
		put(ld, 0xff);
		put(ld, 0);
		put(ld, c);
	} else {
		put(ld, 0);
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
		put(&tty->ld, c);
		return;
	}
	if (I_FLAG(tty, ISTRIP))
		c &= 0x7f;
	if (I_FLAG(tty, IUCLC) && L_FLAG(tty, IEXTEN) && is_upper(c))
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
	if (L_FLAG(tty, ICANON) && ld->canon_head == ld->tail)
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
		u8 c = *at(ld, pos);

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
		dst[i] = *at(ld, ld->tail + (u32)i);
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
		n += !ends_line(ld, pos) || *at(ld, pos) != CC_DISABLED;
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
