/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and command lines from text. */
#include "lib/parse.h"
#include "lib/errno.h"
#include "lib/string.h"

/* The value of a digit, or 99. */
static unsigned int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A' + 10);
	return 99;
}

/* Moves behind "0x" when base is 16, or 0 and it is there; settles base 0. */
static const char *
find_base(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16;

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

int
parse_u64_prefix(const char **sp, unsigned int base, u64 *out)
{
	const char *s = find_base(*sp, &base);
	bool overflow = false;
	u64 v = 0;

	if (digit_value(*s) >= base)
		return -EINVAL;
	for (; digit_value(*s) < base; s++) {
		overflow |= __builtin_mul_overflow(v, (u64)base, &v);
		overflow |= __builtin_add_overflow(v, (u64)digit_value(*s), &v);
	}
	*sp = s;
	if (overflow)
		return -ERANGE;
	*out = v;
	return 0;
}

/* Digits, then the end of the string or a newline and the end. */
static int
parse_whole(const char *s, unsigned int base, u64 *out)
{
	u64 v = 0;
	int err = parse_u64_prefix(&s, base, &v);

	if (err == -EINVAL)
		return err;
	if (*s == '\n')
		s++;
	if (*s != '\0')
		return -EINVAL;
	if (err == 0)
		*out = v;
	return err;
}

int
parse_u64(const char *s, unsigned int base, u64 *out)
{
	return parse_whole(*s == '+' ? s + 1 : s, base, out);
}

int
parse_s64(const char *s, unsigned int base, s64 *out)
{
	bool negative = *s == '-';
	u64 v = 0;
	int err = parse_whole(*s == '+' || negative ? s + 1 : s, base, &v);

	if (err != 0)
		return err;
	if (v > (u64)S64_MAX + negative)
		return -ERANGE;
	*out = (s64)(negative ? -v : v);
	return 0;
}

int
parse_u32(const char *s, unsigned int base, u32 *out)
{
	u64 v;
	int err = parse_u64(s, base, &v);

	if (err != 0)
		return err;
	if (v > U32_MAX)
		return -ERANGE;
	*out = (u32)v;
	return 0;
}

int
parse_s32(const char *s, unsigned int base, s32 *out)
{
	s64 v;
	int err = parse_s64(s, base, &v);

	if (err != 0)
		return err;
	if (v < INT32_MIN || v > INT32_MAX)
		return -ERANGE;
	*out = (s32)v;
	return 0;
}

int
parse_bool(const char *s, bool *out)
{
	char c = *s | 32;

	if (c == 'y' || *s == '1') {
		*out = true;
	} else if (c == 'n' || *s == '0') {
		*out = false;
	} else if (c == 'o' && (s[1] | 32) == 'n') {
		*out = true;
	} else if (c == 'o' && (s[1] | 32) == 'f') {
		*out = false;
	} else {
		return -EINVAL;
	}
	return 0;
}

int
parse_size_prefix(const char **sp, u64 *out)
{
	static const char units[] = "kmgtpe";
	const char *unit;
	unsigned int shift;
	u64 v = 0;
	int err = parse_u64_prefix(sp, 0, &v);

	if (err == -EINVAL)
		return err;
	unit = **sp != '\0' ? strchr(units, **sp | 32) : NULL;
	if (unit != NULL) {
		(*sp)++;
		shift = 10 * ((unsigned int)(unit - units) + 1);
		if (v > U64_MAX >> shift)
			return -ERANGE;
		v <<= shift;
	}
	if (err == 0)
		*out = v;
	return err;
}

int
parse_size(const char *s, u64 *out)
{
	u64 v = 0;
	int err = parse_size_prefix(&s, &v);

	if (err == -EINVAL)
		return err;
	if (*s == '\n')
		s++;
	if (*s != '\0')
		return -EINVAL;
	if (err == 0)
		*out = v;
	return err;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Finds the end of the parameter at s, and its first '=' or NULL. */
static char *
param_end(char *s, bool in_quotes, char **equals)
{
	*equals = NULL;
	for (; *s != '\0' && (in_quotes || !is_space(*s)); s++) {
		if (*s == '"')
			in_quotes = !in_quotes;
		else if (*s == '=' && *equals == NULL)
			*equals = s;
	}
	return s;
}

/* Takes a quote off the end of the text [start, end). */
static void
cut_quote(char *start, char *end)
{
	if (end > start && end[-1] == '"')
		end[-1] = '\0';
}

enum cmdline_token
cmdline_next(char **pos, char **key, char **value)
{
	char *s = str_skip_space(*pos);
	bool quoted = *s == '"';
	char *equals;
	char *end;

	if (*s == '\0') {
		*pos = s;
		return CMDLINE_END;
	}
	if (quoted)
		s++;
	end = param_end(s, quoted, &equals);
	*pos = *end != '\0' ? end + 1 : end;
	*end = '\0';
	*key = s;
	*value = NULL;
	if (quoted)
		cut_quote(s, end);
	if (equals != NULL) {
		*equals = '\0';
		*value = equals + 1;
		if (**value == '"') {
			(*value)++;
			cut_quote(*value, end);
		}
	}
	if (equals == NULL && str_equal(s, "--")) {
		*pos = str_skip_space(*pos);
		return CMDLINE_INIT_ARGS;
	}
	return CMDLINE_PARAM;
}

bool
cmdline_key_equal(const char *a, const char *b)
{
	for (;; a++, b++) {
		char c = *a == '-' ? '_' : *a;
		char d = *b == '-' ? '_' : *b;

		if (c != d)
			return false;
		if (c == '\0')
			return true;
	}
}
