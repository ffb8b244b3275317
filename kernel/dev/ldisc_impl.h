/* SPDX-License-Identifier: BSD-2-Clause */
/* The line discipline between its files: the buffer, and showing and editing what is typed. */
#ifndef KERNEL_DEV_LDISC_IMPL_H
#define KERNEL_DEV_LDISC_IMPL_H

#include "kernel/dev/tty_impl.h"

static inline u8 *
ldisc_at(struct ldisc *ld, u32 pos)
{
	return &ld->buf[pos % LDISC_BUF];
}

static inline void
ldisc_put(struct ldisc *ld, u8 c)
{
	*ldisc_at(ld, ld->head) = c;
	WRITE_ONCE(ld->head, ld->head + 1);
}

/* Letters of ISO 8859-1 too. */
static inline bool
ldisc_is_upper(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

/* --- ldisc_edit.c; tty->lock is held --- */

/* One byte to the screen as it is. */
static inline void
ldisc_echo_raw(struct tty *tty, u8 c)
{
	ldisc_echo_out(tty, c);
}

/* Control characters are shown as ^X if ECHOCTL says so. */
void ldisc_echo_char(struct tty *tty, u8 c);
/* Echoes a byte that goes to the end of the line. */
void ldisc_echo_typed(struct tty *tty, u8 c);
/* Ends what ECHOPRT shows between \ and /. */
void ldisc_finish_erasing(struct tty *tty);

enum ldisc_erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };
void ldisc_erase(struct tty *tty, enum ldisc_erase what);
/* Shows the line that is typed once more; c: the key. */
void ldisc_reprint(struct tty *tty, u8 c);

#endif
