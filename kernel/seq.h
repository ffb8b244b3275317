/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that the kernel makes for a reader (procfs, sysfs): formatted into a
 * buffer that grows; overflow is noticed and the text made again, larger.
 */
#ifndef KERNEL_SEQ_H
#define KERNEL_SEQ_H

#include "lib/types.h"

struct seq {
	char *buf;
	size_t size;
	/* Bytes wanted so far; more than size: overflow. */
	size_t len;
	void *private;
};

void seq_printf(struct seq *s, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq *s, const char *str);
void seq_putc(struct seq *s, char c);
void seq_write(struct seq *s, const void *data, size_t n);
/* With octal escapes for blanks, tabs, newlines, backslashes and `extra`. */
void seq_escape(struct seq *s, const char *str, const char *extra);
/* Pads with blanks up to column n of the current line. */
void seq_pad(struct seq *s, size_t n);

#endif
