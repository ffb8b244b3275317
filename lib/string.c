/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings, and searching in memory.
 *
 * strlen, strnlen and the searches for one byte look at aligned words, which
 * never cross into a page that the string does not touch; a sanitizer is kept
 * off them for that reason.
 */
/* Here the names are to be defined, not expanded. */
#define LIB_PLAIN_NAMES
#include "lib/string.h"

#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/errno.h"

#define NO_ASAN __attribute__((no_sanitize_address))

#define ONES 0x0101010101010101UL
#define HIGHS 0x8080808080808080UL

struct string_word {
	u64 v;
} __attribute__((may_alias));

/* The high bit of the first zero byte of v is the lowest bit set; 0 if none. */
static __always_inline u64
zero_bytes(u64 v)
{
	return (v - ONES) & ~v & HIGHS;
}

static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline int
lower(char c)
{
	u8 u = (u8)c;

	return u >= 'A' && u <= 'Z' ? u + 32 : u;
}

NO_ASAN size_t
strlen(const char *s)
{
	const char *p = s;
	const struct string_word *w;
	u64 zero;

	for (; !is_aligned((unsigned long)p, 8); p++) {
		if (*p == '\0')
			return (size_t)(p - s);
	}
	w = (const struct string_word *)p;
	while (zero = zero_bytes(w->v), zero == 0)
		w++;
	return (size_t)((const char *)w - s) + ctz64(zero) / 8;
}

NO_ASAN void *
memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;
	const u8 *end = p + n;
	u64 pattern = (u8)c * ONES;

	for (; p < end && !is_aligned((unsigned long)p, 8); p++) {
		if (*p == (u8)c)
			return (void *)p;
	}
	for (; end - p >= 8; p += 8) {
		u64 zero = zero_bytes(((const struct string_word *)p)->v ^ pattern);

		if (zero != 0)
			return (void *)(p + ctz64(zero) / 8);
	}
	for (; p < end; p++) {
		if (*p == (u8)c)
			return (void *)p;
	}
	return NULL;
}

NO_ASAN size_t
strnlen(const char *s, size_t max)
{
	size_t i = 0;

	for (; i < max && !is_aligned((unsigned long)(s + i), 8); i++) {
		if (s[i] == '\0')
			return i;
	}
	for (; i < max; i += 8) {
		u64 zero = zero_bytes(((const struct string_word *)(s + i))->v);

		if (zero != 0)
			return min(i + ctz64(zero) / 8, max);
	}
	return max;
}

void *
memrchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	while (n > 0) {
		if (p[--n] == (u8)c)
			return (void *)(p + n);
	}
	return NULL;
}

void *
memscan(const void *s, int c, size_t n)
{
	void *p = memchr(s, c, n);

	return p != NULL ? p : (u8 *)s + n;
}

void *
memchr_inv(const void *s, int c, size_t n)
{
	const u8 *p = s;
	u64 pattern = (u8)c * ONES;

	for (; n >= 8 && get_le64(p) == pattern; n -= 8)
		p += 8;
	for (; n > 0; n--, p++) {
		if (*p != (u8)c)
			return (void *)p;
	}
	return NULL;
}

void *
mem_find(const void *s, size_t n, const void *needle, size_t m)
{
	const u8 *p = s;
	const u8 *q = needle;

	if (m == 0)
		return (void *)p;
	while (n >= m) {
		const u8 *hit = memchr(p, q[0], n - m + 1);

		if (hit == NULL)
			return NULL;
		if (memcmp(hit, q, m) == 0)
			return (void *)hit;
		n -= (size_t)(hit - p) + 1;
		p = hit + 1;
	}
	return NULL;
}

int
strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b || *a == '\0')
			return (u8)*a - (u8)*b;
	}
	return 0;
}

int
strncasecmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		int diff = lower(*a) - lower(*b);

		if (diff != 0 || *a == '\0')
			return diff;
	}
	return 0;
}

int
strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, SIZE_MAX);
}

char *
strchrnul(const char *s, int c)
{
	while (*s != '\0' && *s != (char)c)
		s++;
	return (char *)s;
}

char *
strchr(const char *s, int c)
{
	char *p = strchrnul(s, c);

	return *p == (char)c ? p : NULL;
}

char *
strrchr(const char *s, int c)
{
	return memrchr(s, c, strlen(s) + 1);
}

char *
strstr(const char *s, const char *needle)
{
	return mem_find(s, strlen(s), needle, strlen(needle));
}

size_t
strspn(const char *s, const char *accept)
{
	size_t n = 0;

	while (s[n] != '\0' && strchr(accept, s[n]) != NULL)
		n++;
	return n;
}

size_t
strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] != '\0' && strchr(reject, s[n]) == NULL)
		n++;
	return n;
}

char *
strpbrk(const char *s, const char *accept)
{
	s += strcspn(s, accept);
	return *s != '\0' ? (char *)s : NULL;
}

char *
strsep(char **sp, const char *delim)
{
	char *start = *sp;
	char *end;

	if (start == NULL)
		return NULL;
	end = strpbrk(start, delim);
	if (end != NULL)
		*end++ = '\0';
	*sp = end;
	return start;
}

char *
strcpy(char *restrict dst, const char *restrict src)
{
	memcpy(dst, src, strlen(src) + 1);
	return dst;
}

long
strscpy(char *dst, const char *src, size_t size)
{
	size_t n;

	if (size == 0)
		return -E2BIG;
	n = strnlen(src, size);
	if (n == size) {
		memcpy(dst, src, size - 1);
		dst[size - 1] = '\0';
		return -E2BIG;
	}
	memcpy(dst, src, n + 1);
	return (long)n;
}

size_t
strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size > 0) {
		size_t copy = min(n, size - 1);

		memcpy(dst, src, copy);
		dst[copy] = '\0';
	}
	return n;
}

size_t
strlcat(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(dst, size);

	return n + strlcpy(dst + n, src, size - n);
}

char *
str_skip_space(const char *s)
{
	while (is_space(*s))
		s++;
	return (char *)s;
}

char *
str_trim(char *s)
{
	size_t n;

	s = str_skip_space(s);
	n = strlen(s);
	while (n > 0 && is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}
