/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying, filling and comparing memory on x86-64.
 *
 * Model: up to 64 bytes go through registers: all loads come before the first
 * store, so that overlap does not matter, and the two ends may cover the same
 * bytes. Longer runs use one "rep movsq" or "rep stosq" for the bulk and one
 * word that ends where the run ends for the rest. A forward copy is right for
 * any dst below src.
 *
 * Rejected: "rep movsb": on processors without fast short strings, and under
 * emulators that count instructions, each byte costs as much as a word. Vector
 * registers: the kernel does not use them.
 *
 * A sanitizer that replaces loads and stores does not see into the assembler;
 * mem_check_read/write tell it about the range. The _raw functions do not.
 */
/* Here the names are to be defined, not expanded. */
#define LIB_PLAIN_NAMES
#include "lib/string.h"

#include "lib/endian.h"

#define NO_ASAN __attribute__((no_sanitize_address))

#if defined(__SANITIZE_ADDRESS__) && __STDC_HOSTED__
void __asan_loadN(unsigned long addr, size_t n);
void __asan_storeN(unsigned long addr, size_t n);
#define mem_check_read(p, n) __asan_loadN((unsigned long)(p), n)
#define mem_check_write(p, n) __asan_storeN((unsigned long)(p), n)
#elif defined(__SANITIZE_ADDRESS__)
/* The kernel's own, which the compiler also calls. */
void __asan_loadN_noabort(unsigned long addr, size_t n);
void __asan_storeN_noabort(unsigned long addr, size_t n);
#define mem_check_read(p, n) __asan_loadN_noabort((unsigned long)(p), n)
#define mem_check_write(p, n) __asan_storeN_noabort((unsigned long)(p), n)
#elif defined(CONFIG_KCSAN) && CONFIG_KCSAN && !__STDC_HOSTED__
/* As the compiler would (sync/kcsan.c); this file is not instrumented. */
void kcsan_check(const volatile void *p, size_t size, u8 kind, unsigned long pc);
#define mem_check(p, n, kind) kcsan_check(p, n, kind, (unsigned long)__builtin_return_address(0))
#define mem_check_read(p, n) mem_check(p, n, 0)
#define mem_check_write(p, n) mem_check(p, n, 1)
#else
#define mem_check_read(p, n) ((void)0)
#define mem_check_write(p, n) ((void)0)
#endif

/* Words at any address. */
#define WORD(p, i) (((struct endian_u64 *)(p))[i].v)
#define CWORD(p, i) (((const struct endian_u64 *)(p))[i].v)
#define CHALF(p) (((const struct endian_u32 *)(p))->v)
#define HALF(p) (((struct endian_u32 *)(p))->v)
#define CQUARTER(p) (((const struct endian_u16 *)(p))->v)
#define QUARTER(p) (((struct endian_u16 *)(p))->v)

NO_ASAN static __always_inline void
copy_upto_16(u8 *d, const u8 *s, size_t n)
{
	if (n >= 8) {
		u64 first = CWORD(s, 0);
		u64 last = CWORD(s + n - 8, 0);

		WORD(d, 0) = first;
		WORD(d + n - 8, 0) = last;
	} else if (n >= 4) {
		u32 first = CHALF(s);
		u32 last = CHALF(s + n - 4);

		HALF(d) = first;
		HALF(d + n - 4) = last;
	} else if (n >= 2) {
		u16 first = CQUARTER(s);
		u16 last = CQUARTER(s + n - 2);

		QUARTER(d) = first;
		QUARTER(d + n - 2) = last;
	} else if (n == 1) {
		*d = *s;
	}
}

NO_ASAN static __always_inline void
copy_17_to_64(u8 *d, const u8 *s, size_t n)
{
	const u8 *se = s + n;
	u8 *de = d + n;
	u64 a0 = CWORD(s, 0), a1 = CWORD(s, 1);
	u64 z0 = CWORD(se - 16, 0), z1 = CWORD(se - 16, 1);

	if (n > 32) {
		u64 a2 = CWORD(s, 2), a3 = CWORD(s, 3);
		u64 y0 = CWORD(se - 32, 0), y1 = CWORD(se - 32, 1);

		WORD(d, 2) = a2;
		WORD(d, 3) = a3;
		WORD(de - 32, 0) = y0;
		WORD(de - 32, 1) = y1;
	}
	WORD(d, 0) = a0;
	WORD(d, 1) = a1;
	WORD(de - 16, 0) = z0;
	WORD(de - 16, 1) = z1;
}

/* Also right when the ranges overlap and d is below s. */
NO_ASAN static __always_inline void
copy_forward(u8 *d, const u8 *s, size_t n)
{
	u64 last;
	u8 *end;
	size_t words;

	if (n <= 16) {
		copy_upto_16(d, s, n);
		return;
	}
	if (n <= 64) {
		copy_17_to_64(d, s, n);
		return;
	}
	last = CWORD(s + n - 8, 0);
	end = d + n - 8;
	words = n / 8;
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	WORD(end, 0) = last;
}

/* d is above s and the ranges overlap. */
NO_ASAN static void
copy_backward(u8 *d, const u8 *s, size_t n)
{
	while (n > 64) {
		u64 w0, w1, w2, w3;

		n -= 32;
		w0 = CWORD(s + n, 0);
		w1 = CWORD(s + n, 1);
		w2 = CWORD(s + n, 2);
		w3 = CWORD(s + n, 3);
		WORD(d + n, 0) = w0;
		WORD(d + n, 1) = w1;
		WORD(d + n, 2) = w2;
		WORD(d + n, 3) = w3;
		/* Keeps the compiler from making this a call of memmove. */
		__asm__ volatile("" : : : "memory");
	}
	if (n > 16)
		copy_17_to_64(d, s, n);
	else
		copy_upto_16(d, s, n);
}

NO_ASAN static __always_inline void
move(void *dst, const void *src, size_t n)
{
	if ((unsigned long)dst - (unsigned long)src >= n)
		copy_forward(dst, src, n);
	else
		copy_backward(dst, src, n);
}

NO_ASAN static __always_inline void
fill(u8 *d, int c, size_t n)
{
	u64 v = (u8)c * 0x0101010101010101UL;
	u8 *end = d + n;
	size_t words = n / 8;

	if (n >= 8) {
		if (n > 64) {
			__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(v) : "memory");
			WORD(end - 8, 0) = v;
			return;
		}
		WORD(d, 0) = v;
		WORD(end - 8, 0) = v;
		if (n > 16) {
			WORD(d, 1) = v;
			WORD(end - 16, 0) = v;
		}
		if (n > 32) {
			WORD(d, 2) = v;
			WORD(d, 3) = v;
			WORD(end - 32, 0) = v;
			WORD(end - 24, 0) = v;
		}
	} else if (n >= 4) {
		HALF(d) = (u32)v;
		HALF(end - 4) = (u32)v;
	} else if (n > 0) {
		d[0] = (u8)v;
		d[n / 2] = (u8)v;
		end[-1] = (u8)v;
	}
}

NO_ASAN void *
mem_copy_raw(void *dst, const void *src, size_t n)
{
	copy_forward(dst, src, n);
	return dst;
}

NO_ASAN void *
mem_move_raw(void *dst, const void *src, size_t n)
{
	move(dst, src, n);
	return dst;
}

NO_ASAN void *
mem_set_raw(void *dst, int c, size_t n)
{
	fill(dst, c, n);
	return dst;
}

NO_ASAN void *
memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	mem_check_read(src, n);
	mem_check_write(dst, n);
	copy_forward(dst, src, n);
	return dst;
}

NO_ASAN void *
memmove(void *dst, const void *src, size_t n)
{
	mem_check_read(src, n);
	mem_check_write(dst, n);
	move(dst, src, n);
	return dst;
}

NO_ASAN void *
memset(void *dst, int c, size_t n)
{
	mem_check_write(dst, n);
	fill(dst, c, n);
	return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a;
	const u8 *q = b;

	for (; n >= 8; n -= 8, p += 8, q += 8) {
		u64 v = CWORD(p, 0);
		u64 w = CWORD(q, 0);

		if (v != w)
			return swap64(v) < swap64(w) ? -1 : 1;
	}
	for (; n > 0; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

void
mem_wipe(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

bool
mem_equal_const_time(const void *a, const void *b, size_t n)
{
	const volatile u8 *p = a;
	const volatile u8 *q = b;
	u8 diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= p[i] ^ q[i];
	return diff == 0;
}
