/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and command lines from text.
 *
 * The whole-string functions take exactly one number: base 0 finds the base
 * itself (0x hexadecimal, 0 octal, else decimal), base 16 allows the 0x. A
 * leading '+' is allowed, so is one newline at the end; nothing else around
 * the number is. They return 0, -EINVAL for bad text or -ERANGE for a number
 * that does not fit, and leave *out alone unless they return 0.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include "lib/types.h"

int __must_check parse_u64(const char *s, unsigned int base, u64 *out);
int __must_check parse_s64(const char *s, unsigned int base, s64 *out);
int __must_check parse_u32(const char *s, unsigned int base, u32 *out);
int __must_check parse_s32(const char *s, unsigned int base, s32 *out);

/* "y", "n", "1", "0", "on", "off" in either case. */
int __must_check parse_bool(const char *s, bool *out);

/* A number with an optional K, M, G, T, P or E (powers of 1024). */
int __must_check parse_size(const char *s, u64 *out);

/*
 * Takes digits from *s on and moves *s behind them: 0, -EINVAL when there is
 * no digit, -ERANGE (*s is behind the digits) when the number does not fit.
 */
int __must_check parse_u64_prefix(const char **s, unsigned int base, u64 *out);
/* The same with the suffix of parse_size. */
int __must_check parse_size_prefix(const char **s, u64 *out);

/*
 * Kernel command lines. cmdline_next() cuts the next parameter out of the
 * writable text at *pos and moves *pos behind it. Parameters are separated by
 * white space; white space inside double quotes does not separate, and quotes
 * around the value or around the whole parameter are taken off.
 *
 * Returns CMDLINE_PARAM with *key and *value (NULL without '='),
 * CMDLINE_END, or CMDLINE_INIT_ARGS at a lone "--": the rest of the text, at
 * *pos, belongs to init.
 */
enum cmdline_token {
	CMDLINE_END,
	CMDLINE_PARAM,
	CMDLINE_INIT_ARGS,
};

enum cmdline_token cmdline_next(char **pos, char **key, char **value);

/* Whether two parameter names are equal, '-' and '_' being the same. */
bool cmdline_key_equal(const char *a, const char *b);

#endif
