/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting into struct seq (kernel/seq.h). Past the end only the length grows. */
#include "kernel/seq.h"
#include "lib/fmt.h"
#include "lib/string.h"

void
seq_write(struct seq *s, const void *data, size_t n)
{
	if (s->len < s->size)
		memcpy(s->buf + s->len, data, min(n, s->size - s->len));
	s->len += n;
}

void
seq_putc(struct seq *s, char c)
{
	if (s->len < s->size)
		s->buf[s->len] = c;
	s->len++;
}

void
seq_puts(struct seq *s, const char *str)
{
	seq_write(s, str, strlen(str));
}

void
seq_printf(struct seq *s, const char *fmt, ...)
{
	struct fmt_out out = {0};
	va_list ap;

	if (s->len < s->size) {
		out.buf = s->buf + s->len;
		out.size = s->size - s->len;
	}
	va_start(ap, fmt);
	fmt_vprintf(&out, fmt, ap);
	va_end(ap);
	s->len += out.len;
}

void
seq_escape(struct seq *s, const char *str, const char *extra)
{
	for (; *str; str++) {
		u8 c = *str;

		if (strchr(" \t\n\\", c) || (extra && strchr(extra, c)))
			seq_printf(s, "\\%03o", c);
		else
			seq_putc(s, c);
	}
}

void
seq_pad(struct seq *s, size_t n)
{
	size_t have = min(s->len, s->size);
	size_t column = 0;

	while (column < have && s->buf[have - column - 1] != '\n')
		column++;
	for (; column < n; column++)
		seq_putc(s, ' ');
}
