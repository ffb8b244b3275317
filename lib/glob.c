/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell patterns. */
#include "lib/glob.h"

/* One character of a set, behind a backslash or not; moves *p behind it. */
static unsigned char
set_char(const char **p)
{
	if (**p == '\\' && (*p)[1] != '\0')
		(*p)++;
	return (unsigned char)*(*p)++;
}

/*
 * Matches c against the set whose '[' is before p. Returns what is behind its
 * ']', or NULL if it is never closed.
 */
static const char *
match_set(const char *p, unsigned char c, bool *matched)
{
	bool negate = *p == '!' || *p == '^';
	bool found = false;
	bool first = true;

	if (negate)
		p++;
	for (; first || *p != ']'; first = false) {
		unsigned char lo, hi;

		if (*p == '\0')
			return NULL;
		lo = hi = set_char(&p);
		if (*p == '-' && p[1] != ']' && p[1] != '\0') {
			p++;
			hi = set_char(&p);
		}
		if (lo <= c && c <= hi)
			found = true;
	}
	*matched = found != negate;
	return p + 1;
}

/* Matches one character; returns the rest of the pattern or NULL. */
static const char *
match_one(const char *p, char c)
{
	const char *rest;
	bool matched;

	switch (*p) {
	case '\0':
		return NULL;
	case '?':
		return p + 1;
	case '[':
		rest = match_set(p + 1, (unsigned char)c, &matched);
		if (rest != NULL)
			return matched ? rest : NULL;
		break;
	case '\\':
		if (p[1] != '\0')
			p++;
		break;
	default:
		break;
	}
	return *p == c ? p + 1 : NULL;
}

/*
 * When a match fails, only the last '*' needs to take one character more:
 * earlier ones took the least that works.
 */
bool
glob_match(const char *pattern, const char *s)
{
	const char *after_star = NULL;
	const char *retry = NULL;

	while (*s != '\0') {
		const char *rest;

		if (*pattern == '*') {
			after_star = ++pattern;
			retry = s;
			continue;
		}
		rest = match_one(pattern, *s);
		if (rest != NULL) {
			pattern = rest;
			s++;
			continue;
		}
		if (after_star == NULL)
			return false;
		pattern = after_star;
		s = ++retry;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
