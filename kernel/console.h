/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Consoles: where log records are shown. console=NAME[,options] on the command
 * line chooses (the last one that exists is /dev/console too); without it all that exist.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "lib/types.h"

struct console {
	/* "ttyS0", "tty0" */
	const char *name;
	/* of its terminal */
	u32 major, minor;
	/* a screen, no line */
	bool display;
	/* Writes text with \n line ends; any context, no sleeping, one caller at a time. */
	void (*write)(struct console *c, const char *s, size_t n);
	/* (log's console lock)  next record to show */
	u64 next_seq;
	bool enabled;
	struct console *next;
};

/* Shows it what the ring holds if the command line wants it, as far as that has been read. */
void console_register(struct console *c);
/* The command line has been read: asks it again for those that were registered before. */
void consoles_choose(void);
/*
 * The consoles in use, the main one first and the one that came first last: NULL begins
 * and ends the walk.
 */
const struct console *console_next(const struct console *c);
/* Names for /dev/console, the best first ("ttyS0"); NULL behind the last. Some may not exist. */
const char *console_choice(unsigned int i);
/* loglevel= as syslog(2) may change it. */
extern int console_loglevel;

#endif
