/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted output into memory: the part of C's printf that a kernel needs.
 *
 * Flags "-+ #0", width and precision as numbers or '*', lengths hh h l ll z t
 * j, conversions d i u x X o c s p %. %p prints 16 hexadecimal digits; letters
 * and digits that follow it select an extension, which fmt_pointer_port()
 * (lib/port.h) formats. %s of NULL prints "(null)". There is no %n and no
 * floating point: such a conversion is copied as it stands and consumes no
 * argument.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>

#include "lib/types.h"

/*
 * Where formatted text goes: size bytes at buf (buf may be NULL if size is 0).
 * len counts what was produced, which may be more than fits.
 */
struct fmt_out {
	char *buf;
	size_t size;
	size_t len;
};

void fmt_putc(struct fmt_out *out, char c);
void fmt_write(struct fmt_out *out, const char *s, size_t n);
void fmt_puts(struct fmt_out *out, const char *s);

/* Appends a number: base 2 to 16, at least digits digits. */
void fmt_u64(struct fmt_out *out, u64 v, unsigned int base, unsigned int digits);

void fmt_vprintf(struct fmt_out *out, const char *fmt, va_list ap) __printf(2, 0);
void fmt_printf(struct fmt_out *out, const char *fmt, ...) __printf(2, 3);

/*
 * Formats at most size - 1 characters and terminates if size > 0.
 * The s and v forms return the length of the whole text (C99), the sc and vsc
 * forms the length of what is in buf.
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);

#endif
