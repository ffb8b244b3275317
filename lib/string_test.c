/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and string functions, against plain loops. */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"

#define SIZE 400
#define GUARD 0xa5

static u8 work[SIZE];
static u8 model[SIZE];

static void
fill_both(u64 *seed)
{
	for (int i = 0; i < SIZE; i++)
		work[i] = model[i] = (u8)test_rand(seed);
}

static int
first_difference(void)
{
	for (int i = 0; i < SIZE; i++) {
		if (work[i] != model[i])
			return i;
	}
	return -1;
}

static void
model_move(int dst, int src, int n)
{
	u8 tmp[SIZE];

	for (int i = 0; i < n; i++)
		tmp[i] = model[src + i];
	for (int i = 0; i < n; i++)
		model[dst + i] = tmp[i];
}

TEST(mem_copy_all_sizes)
{
	u64 seed = 1;

	for (int n = 0; n <= 150; n++) {
		for (int shift = 0; shift < 16; shift++) {
			int dst = 200 + shift;
			int src = (shift * 5) % 16;

			fill_both(&seed);
			model_move(dst, src, n);
			ASSERT_TRUE(memcpy(work + dst, work + src, n) == work + dst);
			ASSERT_EQ(first_difference(), -1);
			fill_both(&seed);
			model_move(dst, src, n);
			mem_copy_raw(work + dst, work + src, n);
			ASSERT_EQ(first_difference(), -1);
		}
	}
}

TEST(mem_move_overlap)
{
	u64 seed = 2;

	for (int n = 0; n <= 200; n += 1 + n / 40) {
		for (int dst = 0; dst < 100; dst += 3) {
			for (int src = 0; src < 100; src += 7) {
				fill_both(&seed);
				model_move(dst, src, n);
				ASSERT_TRUE(memmove(work + dst, work + src, n) == work + dst);
				ASSERT_EQ(first_difference(), -1);
			}
		}
	}
	for (int i = 0; i < 3000; i++) {
		int n = (int)(test_rand(&seed) % 200);
		int dst = (int)(test_rand(&seed) % 200);
		int src = (int)(test_rand(&seed) % 200);

		fill_both(&seed);
		model_move(dst, src, n);
		mem_move_raw(work + dst, work + src, n);
		ASSERT_EQ(first_difference(), -1);
	}
}

TEST(mem_set_all_sizes)
{
	u64 seed = 3;

	for (int n = 0; n <= 200; n++) {
		for (int at = 0; at < 16; at++) {
			fill_both(&seed);
			for (int i = 0; i < n; i++)
				model[at + i] = GUARD;
			ASSERT_TRUE(memset(work + at, 0xff00 | GUARD, n) == work + at);
			ASSERT_EQ(first_difference(), -1);
			mem_set_raw(work + at, GUARD, n);
			ASSERT_EQ(first_difference(), -1);
		}
	}
	mem_wipe(work, SIZE);
	EXPECT(memchr_inv(work, 0, SIZE) == NULL);
}

static int
sign(int v)
{
	return (v > 0) - (v < 0);
}

TEST(mem_compare)
{
	u64 seed = 4;

	for (int n = 0; n < 70; n++) {
		fill_both(&seed);
		EXPECT_EQ(memcmp(work + 1, model + 1, n), 0);
		EXPECT(mem_equal_const_time(work + 1, model + 1, n));
		for (int i = 0; i < n; i++) {
			u8 old = work[1 + i];
			u8 other = (u8)test_rand(&seed);

			work[1 + i] = other;
			/* Later bytes must not matter. */
			work[1 + n] ^= 1;
			EXPECT_EQ(sign(memcmp(work + 1, model + 1, n)), sign(other - old));
			EXPECT_EQ(mem_equal_const_time(work + 1, model + 1, n), other == old);
			work[1 + i] = old;
		}
	}
}

TEST(mem_search)
{
	static u8 buf[100];

	for (int start = 0; start < 9; start++) {
		for (int n = 0; n < 40; n++) {
			memset(buf, 'x', sizeof(buf));
			buf[start + n] = 'y';
			EXPECT(memchr(buf + start, 'y', n) == NULL);
			EXPECT(memscan(buf + start, 'y', n) == buf + start + n);
			EXPECT(memchr_inv(buf + start, 'x', n) == NULL);
			EXPECT(memchr(buf + start, 0x100 | 'y', n + 1) == buf + start + n);
			EXPECT(memscan(buf + start, 'y', n + 1) == buf + start + n);
			EXPECT(memchr_inv(buf + start, 'x', n + 1) == buf + start + n);
			EXPECT(memrchr(buf + start, 'y', n) == NULL);
			EXPECT(memrchr(buf + start, 'y', n + 1) == buf + start + n);
			if (n > 0)
				EXPECT(memrchr(buf + start, 'x', n + 1) == buf + start + n - 1);
		}
	}
	EXPECT(mem_find("abcabd", 6, "abd", 3) != NULL);
	EXPECT(mem_find("abcabd", 5, "abd", 3) == NULL);
	EXPECT(mem_find("ab", 2, "abd", 3) == NULL);
	EXPECT(mem_find("ab", 2, "", 0) != NULL);
	EXPECT(mem_find("a\0b\0c", 5, "\0c", 2) != NULL);
}

TEST(string_length)
{
	static char buf[64];

	for (int start = 0; start < 9; start++) {
		for (int n = 0; n < 40; n++) {
			memset(buf, 0x80 + n, sizeof(buf));
			buf[start + n] = '\0';
			EXPECT_EQ(strlen(buf + start), n);
			for (int max = 0; max < 45; max++)
				EXPECT_EQ(strnlen(buf + start, max), min(n, max));
			EXPECT_EQ(strnlen(buf + start, 1UL << 62), n);
		}
	}
	EXPECT_EQ(strlen("\x01\x01\x01\x01\x01\x01\x01\x80\x01\x01"), 10);
}

TEST(string_compare)
{
	EXPECT_EQ(strcmp("", ""), 0);
	EXPECT_EQ(strcmp("abc", "abc"), 0);
	EXPECT_LT(strcmp("abc", "abd"), 0);
	EXPECT_LT(strcmp("ab", "abc"), 0);
	EXPECT_GT(strcmp("\xff", "a"), 0);
	EXPECT_EQ(strncmp("abc", "abd", 2), 0);
	EXPECT_LT(strncmp("abc", "abd", 3), 0);
	EXPECT_EQ(strncmp("ab", "ab", 9), 0);
	EXPECT_EQ(strncmp("x", "y", 0), 0);
	EXPECT_EQ(strcasecmp("HeLLo[", "hEllO["), 0);
	EXPECT_NE(strcasecmp("@", "`"), 0);
	EXPECT_LT(strcasecmp("a", "B"), 0);
	EXPECT_EQ(strncasecmp("ABx", "aby", 2), 0);
	EXPECT(str_equal("a", "a"));
	EXPECT(!str_equal("a", "b"));
	EXPECT_STR(str_after_prefix("console=tty", "console="), "tty");
	EXPECT(str_after_prefix("cons", "console=") == NULL);
}

TEST(string_search)
{
	const char *s = "hello, world";

	EXPECT_STR(strchr(s, 'o'), "o, world");
	EXPECT(strchr(s, 'z') == NULL);
	EXPECT_STR(strchr(s, '\0'), "");
	EXPECT_STR(strchrnul(s, 'z'), "");
	EXPECT_STR(strrchr(s, 'o'), "orld");
	EXPECT_STR(strrchr(s, '\0'), "");
	EXPECT(strrchr(s, 'z') == NULL);
	EXPECT_STR(strstr(s, "wor"), "world");
	EXPECT_STR(strstr(s, ""), s);
	EXPECT(strstr(s, "worm") == NULL);
	EXPECT_STR(strstr("aaab", "aab"), "aab");
	EXPECT_STR(strpbrk(s, "wl"), "llo, world");
	EXPECT(strpbrk(s, "xyz") == NULL);
	EXPECT_EQ(strspn(s, "hel"), 4);
	EXPECT_EQ(strcspn(s, " ,"), 5);
	EXPECT_EQ(strcspn(s, ""), 12);
}

TEST(string_split)
{
	char text[] = "a,b;;c";
	char *p = text;

	EXPECT_STR(strsep(&p, ",;"), "a");
	EXPECT_STR(strsep(&p, ",;"), "b");
	EXPECT_STR(strsep(&p, ",;"), "");
	EXPECT_STR(strsep(&p, ",;"), "c");
	EXPECT(p == NULL);
	EXPECT(strsep(&p, ",;") == NULL);
}

TEST(string_copy)
{
	char buf[8];

	for (size_t size = 1; size <= sizeof(buf); size++) {
		memset(buf, GUARD, sizeof(buf));
		EXPECT_EQ(strscpy(buf, "abcd", size), size > 4 ? 4 : -E2BIG);
		EXPECT_EQ(strlen(buf), min(size - 1, (size_t)4));
		EXPECT_EQ(strncmp(buf, "abcd", strlen(buf)), 0);
		for (size_t i = size; i < sizeof(buf); i++)
			EXPECT_EQ((u8)buf[i], GUARD);
		memset(buf, GUARD, sizeof(buf));
		EXPECT_EQ(strlcpy(buf, "abcd", size), 4);
		EXPECT_EQ(strlen(buf), min(size - 1, (size_t)4));
	}
	memset(buf, GUARD, sizeof(buf));
	EXPECT_EQ(strscpy(buf, "a", 0), -E2BIG);
	EXPECT_EQ(strlcpy(buf, "abc", 0), 3);
	EXPECT_EQ((u8)buf[0], GUARD);
	EXPECT_STR(strcpy(buf, "xy"), "xy");
	EXPECT_EQ(strlcat(buf, "zzzzzzzz", sizeof(buf)), 10);
	EXPECT_STR(buf, "xyzzzzz");
	EXPECT_EQ(strlcat(buf, "1", 3), 4);
	EXPECT_STR(buf, "xyzzzzz");
}

TEST(string_trim)
{
	char a[] = " \t x y \n";
	char b[] = "  ";

	EXPECT_STR(str_trim(a), "x y");
	EXPECT_STR(str_trim(b), "");
	EXPECT_STR(str_skip_space("\v\f\r z "), "z ");
}
