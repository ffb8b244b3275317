/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc about terminals: consoles, and tty/drivers, by which ps(1) names a terminal. */
#include "fs/proc/proc.h"
#include "kernel/console.h"

/* R, W, U: reads, writes, unblanks; E, C, p, a: enabled, main, from the start, at any time. */
static int
show_consoles(struct seq *s)
{
	const struct console *first = console_next(NULL), *c;

	for (c = first; c; c = console_next(c))
		seq_printf(s, "%-20s -W%c (E%c p %c) %4u:%u\n", c->name, c->display ? 'U' : '-',
			   c == first ? 'C' : ' ', c->display ? ' ' : 'a', c->major, c->minor);
	return 0;
}
PROC_FILE(consoles, "consoles", 0444, show_consoles);

/* Driver, device without its number, major, first and last minor, kind. */
static const struct {
	const char *name;
	const char *node;
	u32 major;
	const char *minors;
	const char *kind;
} drivers[] = {
	{"/dev/tty", "/dev/tty", 5, "      0", "system:/dev/tty"},
	{"/dev/console", "/dev/console", 5, "      1", "system:console"},
	{"/dev/ptmx", "/dev/ptmx", 5, "      2", "system"},
	{"/dev/vc/0", "/dev/vc/0", 4, "      0", "system:vtmaster"},
	{"serial", "/dev/ttyS", 4, "64-67", "serial"},
	{"pty_slave", "/dev/pts", 136, "0-1048575", "pty:slave"},
	{"unknown", "/dev/tty", 4, "1", "console"},
};

static int
show_drivers(struct seq *s)
{
	for (u32 i = 0; i < ARRAY_SIZE(drivers); i++)
		seq_printf(s, "%-20s %-13s %3u %s %s\n", drivers[i].name, drivers[i].node,
			   drivers[i].major, drivers[i].minors, drivers[i].kind);
	return 0;
}
PROC_FILE(tty_drivers, "tty/drivers", 0444, show_drivers);
