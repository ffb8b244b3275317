/* SPDX-License-Identifier: BSD-2-Clause */
/* printf-like formatting into memory. */
#include "lib/fmt.h"
#include "lib/port.h"
#include "lib/string.h"

enum fmt_length {
	LEN_INT,
	LEN_CHAR,
	LEN_SHORT,
	LEN_LONG,
};

/* One conversion: "%", flags, width, precision, length, letter. */
struct spec {
	u32 width;
	u32 precision;
	bool has_precision;
	bool left;
	bool plus;
	bool space;
	bool alt;
	bool zero;
	enum fmt_length length;
	char conv;
};

#define FMT_FIELD_MAX 0x7fffffffU

static const char digits_lower[] = "0123456789abcdef";
static const char digits_upper[] = "0123456789ABCDEF";

void
fmt_write(struct fmt_out *out, const char *s, size_t n)
{
	if (out->len < out->size)
		memcpy(out->buf + out->len, s, min(n, out->size - out->len));
	out->len += n;
}

void
fmt_putc(struct fmt_out *out, char c)
{
	if (out->len < out->size)
		out->buf[out->len] = c;
	out->len++;
}

void
fmt_puts(struct fmt_out *out, const char *s)
{
	fmt_write(out, s, strlen(s));
}

static void
pad(struct fmt_out *out, char c, size_t n)
{
	if (out->len < out->size)
		memset(out->buf + out->len, c, min(n, out->size - out->len));
	out->len += n;
}

/* Writes the digits of v so that they end at end; returns where they start. */
static char *
digits_before(char *end, u64 v, unsigned int base, const char *set)
{
	if (base == 10) {
		for (; v != 0; v /= 10)
			*--end = set[v % 10];
	} else if (base == 16) {
		for (; v != 0; v >>= 4)
			*--end = set[v & 15];
	} else {
		for (; v != 0; v /= base)
			*--end = set[v % base];
	}
	return end;
}

void
fmt_u64(struct fmt_out *out, u64 v, unsigned int base, unsigned int digits)
{
	char buf[64];
	char *end = buf + sizeof(buf);
	char *p = digits_before(end, v, base, digits_lower);
	size_t n = (size_t)(end - p);

	digits = max(digits, 1U);
	if (digits > n)
		pad(out, '0', digits - n);
	fmt_write(out, p, n);
}

/* Text of n bytes with blanks up to the width. */
static void
field(struct fmt_out *out, const struct spec *sp, const char *s, size_t n)
{
	size_t blanks = sp->width > n ? sp->width - n : 0;

	if (!sp->left)
		pad(out, ' ', blanks);
	fmt_write(out, s, n);
	if (sp->left)
		pad(out, ' ', blanks);
}

/* A number: blanks, prefix, zeros, digits, blanks. */
static void
number(struct fmt_out *out, const struct spec *sp, const char *prefix, u64 v)
{
	unsigned int base = sp->conv == 'o' ? 8 : sp->conv == 'x' || sp->conv == 'X' ? 16 : 10;
	char buf[24];
	char *end = buf + sizeof(buf);
	char *p = digits_before(end, v, base, sp->conv == 'X' ? digits_upper : digits_lower);
	size_t n = (size_t)(end - p);
	size_t nprefix = strlen(prefix);
	size_t zeros = 0;
	size_t blanks;

	if (sp->has_precision)
		zeros = sp->precision > n ? sp->precision - n : 0;
	else if (n == 0)
		zeros = 1;
	if (sp->conv == 'o' && sp->alt && zeros == 0)
		zeros = 1;
	blanks = nprefix + zeros + n;
	blanks = sp->width > blanks ? sp->width - blanks : 0;
	if (sp->zero && !sp->left && !sp->has_precision) {
		zeros += blanks;
		blanks = 0;
	}
	if (!sp->left)
		pad(out, ' ', blanks);
	fmt_write(out, prefix, nprefix);
	pad(out, '0', zeros);
	fmt_write(out, p, n);
	if (sp->left)
		pad(out, ' ', blanks);
}

static void
signed_number(struct fmt_out *out, const struct spec *sp, s64 v)
{
	const char *sign = v < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	number(out, sp, sign, v < 0 ? -(u64)v : (u64)v);
}

static void
unsigned_number(struct fmt_out *out, const struct spec *sp, u64 v)
{
	const char *prefix = "";

	if (sp->alt && v != 0 && sp->conv == 'x')
		prefix = "0x";
	else if (sp->alt && v != 0 && sp->conv == 'X')
		prefix = "0X";
	number(out, sp, prefix, v);
}

static void
string(struct fmt_out *out, const struct spec *sp, const char *s)
{
	if (s == NULL)
		s = "(null)";
	field(out, sp, s, sp->has_precision ? strnlen(s, sp->precision) : strlen(s));
}

/* ptr, or its extension, whose width is found by formatting it in place. */
static size_t
pointer(struct fmt_out *out, const struct spec *sp, const char *suffix, const void *ptr)
{
	size_t start = out->len;
	size_t used = fmt_pointer_port(out, suffix, ptr);
	size_t n = out->len - start;

	if (used == 0) {
		struct spec hex = *sp;

		hex.conv = 'x';
		hex.has_precision = true;
		hex.precision = 16;
		unsigned_number(out, &hex, (u64)ptr);
		return 0;
	}
	if (sp->width > n) {
		size_t blanks = sp->width - n;

		pad(out, ' ', blanks);
		if (!sp->left && out->len <= out->size) {
			memmove(out->buf + start + blanks, out->buf + start, n);
			memset(out->buf + start, ' ', blanks);
		}
	}
	return used;
}

/* A number at *fmt, at most FMT_FIELD_MAX. */
static u32
parse_number(const char **fmt)
{
	u32 n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++) {
		u32 digit = (u32)(**fmt - '0');

		n = n > (FMT_FIELD_MAX - digit) / 10 ? FMT_FIELD_MAX : n * 10 + digit;
	}
	return n;
}

static bool
parse_flag(struct spec *sp, char c)
{
	switch (c) {
	case '-':
		sp->left = true;
		return true;
	case '+':
		sp->plus = true;
		return true;
	case ' ':
		sp->space = true;
		return true;
	case '#':
		sp->alt = true;
		return true;
	case '0':
		sp->zero = true;
		return true;
	default:
		return false;
	}
}

static const char *
parse_length(struct spec *sp, const char *fmt)
{
	switch (*fmt) {
	case 'h':
		sp->length = fmt[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return fmt + (fmt[1] == 'h' ? 2 : 1);
	case 'l':
		sp->length = LEN_LONG;
		return fmt + (fmt[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		sp->length = LEN_LONG;
		return fmt + 1;
	default:
		sp->length = LEN_INT;
		return fmt;
	}
}

/* The va_list in a struct, so that functions can take from one list in turn. */
struct args {
	va_list ap;
};

static void
parse_width(struct spec *sp, const char **fmt, struct args *args)
{
	s64 n;

	if (**fmt != '*') {
		sp->width = parse_number(fmt);
		return;
	}
	(*fmt)++;
	n = va_arg(args->ap, int);
	if (n < 0) {
		sp->left = true;
		n = -n;
	}
	sp->width = (u32)n;
}

static void
parse_precision(struct spec *sp, const char **fmt, struct args *args)
{
	int n;

	if (**fmt != '.')
		return;
	(*fmt)++;
	sp->has_precision = true;
	if (**fmt != '*') {
		sp->precision = parse_number(fmt);
		return;
	}
	(*fmt)++;
	n = va_arg(args->ap, int);
	sp->has_precision = n >= 0;
	sp->precision = n >= 0 ? (u32)n : 0;
}

static s64
signed_arg(const struct spec *sp, struct args *args)
{
	switch (sp->length) {
	case LEN_LONG:
		return va_arg(args->ap, long);
	case LEN_SHORT:
		return (short)va_arg(args->ap, int);
	case LEN_CHAR:
		return (signed char)va_arg(args->ap, int);
	default:
		return va_arg(args->ap, int);
	}
}

static u64
unsigned_arg(const struct spec *sp, struct args *args)
{
	switch (sp->length) {
	case LEN_LONG:
		return va_arg(args->ap, unsigned long);
	case LEN_SHORT:
		return (unsigned short)va_arg(args->ap, unsigned int);
	case LEN_CHAR:
		return (unsigned char)va_arg(args->ap, unsigned int);
	default:
		return va_arg(args->ap, unsigned int);
	}
}

/* Formats the conversion at fmt (behind the percent sign); returns its end. */
static const char *
convert(struct fmt_out *out, const char *fmt, struct args *args)
{
	const char *start = fmt;
	struct spec sp = {0};
	char c;

	while (parse_flag(&sp, *fmt))
		fmt++;
	parse_width(&sp, &fmt, args);
	parse_precision(&sp, &fmt, args);
	fmt = parse_length(&sp, fmt);
	sp.conv = *fmt;
	switch (sp.conv) {
	case 'd':
	case 'i':
		signed_number(out, &sp, signed_arg(&sp, args));
		return fmt + 1;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		unsigned_number(out, &sp, unsigned_arg(&sp, args));
		return fmt + 1;
	case 'c':
		c = (char)va_arg(args->ap, int);
		field(out, &sp, &c, 1);
		return fmt + 1;
	case 's':
		string(out, &sp, va_arg(args->ap, const char *));
		return fmt + 1;
	case 'p':
		return fmt + 1 + pointer(out, &sp, fmt + 1, va_arg(args->ap, const void *));
	case '%':
		fmt_putc(out, '%');
		return fmt + 1;
	default:
		fmt_putc(out, '%');
		fmt_write(out, start, (size_t)(fmt - start));
		return fmt;
	}
}

void
fmt_vprintf(struct fmt_out *out, const char *fmt, va_list ap)
{
	struct args args;

	va_copy(args.ap, ap);
	while (*fmt != '\0') {
		const char *percent = strchrnul(fmt, '%');

		fmt_write(out, fmt, (size_t)(percent - fmt));
		fmt = percent;
		if (*fmt == '%')
			fmt = convert(out, fmt + 1, &args);
	}
	va_end(args.ap);
}

void
fmt_printf(struct fmt_out *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vprintf(out, fmt, ap);
	va_end(ap);
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct fmt_out out = {.buf = buf, .size = size, .len = 0};

	fmt_vprintf(&out, fmt, ap);
	if (size > 0)
		buf[min(out.len, size - 1)] = '\0';
	return (int)min(out.len, (size_t)FMT_FIELD_MAX);
}

int
vscnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(buf, size, fmt, ap);

	if (size == 0)
		return 0;
	return (size_t)n < size ? n : (int)(size - 1);
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int
scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
