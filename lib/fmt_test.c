/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting: what the C standard says, truncation, and our extensions. */
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define CHECK(expected, ...)                                                                       \
	do {                                                                                       \
		char _buf[160];                                                                    \
		int _n = snprintf(_buf, sizeof(_buf), __VA_ARGS__);                                \
		EXPECT_STR(_buf, expected);                                                        \
		EXPECT_EQ(_n, strlen(expected));                                                   \
	} while (0)

TEST(fmt_integers)
{
	CHECK("0 1 -1", "%d %d %i", 0, 1, -1);
	CHECK("-2147483648 2147483647", "%d %d", INT32_MIN, INT32_MAX);
	CHECK("-9223372036854775808", "%lld", (long long)INT64_MIN);
	CHECK("18446744073709551615", "%lu", ~0UL);
	CHECK("4294967295 ffffffff", "%u %x", ~0U, ~0U);
	CHECK("deadbeef DEADBEEF", "%x %X", 0xdeadbeefU, 0xdeadbeefU);
	CHECK("777 0", "%o %o", 0777, 0);
	CHECK("1777777777777777777777", "%lo", ~0UL);
	CHECK("-1 255", "%hhd %hhu", 0x1ff, 0x1ff);
	CHECK("-1 65535", "%hd %hu", 0x1ffff, 0x1ffff);
	CHECK("123 -5 7", "%zu %td %jd", (size_t)123, (ptrdiff_t)-5, (intmax_t)7);
}

TEST(fmt_flags)
{
	CHECK("[    5][5    ][00005]", "[%5d][%-5d][%05d]", 5, 5, 5);
	CHECK("[   -5][-5   ][-0005]", "[%5d][%-5d][%05d]", -5, -5, -5);
	CHECK("[+5][ 5][+5][-5]", "[%+d][% d][%+ d][%+d]", 5, 5, 5, -5);
	CHECK("[0x1f][0X1F][037][0]", "[%#x][%#X][%#o][%#x]", 31, 31, 31, 0);
	CHECK("[0x001f][  0x1f][0x1f  ]", "[%#06x][%#6x][%-#6x]", 31, 31, 31);
	CHECK("[00042][   042][042   ][    -042]", "[%.5d][%6.3d][%-6.3d][%8.3d]", 42, 42, 42, -42);
	CHECK("[][0][ ]", "[%.0d][%#.0o][%1.0d]", 0, 0, 0);
	CHECK("[   042]", "[%06.3d]", 42);
	CHECK("[   42][42   ][00042]", "[%*d][%*d][%.*d]", 5, 42, -5, 42, 5, 42);
	CHECK("[42]", "[%.*d]", -3, 42);
	CHECK("[-7   ]", "[%-05d]", -7);
	CHECK("[00000000000000000000000000000042]", "[%032d]", 42);
	CHECK("[00000000000000000000000000000042]", "[%.32d]", 42);
}

TEST(fmt_text)
{
	CHECK("[abc][  abc][abc  ]", "[%s][%5s][%-5s]", "abc", "abc", "abc");
	CHECK("[ab][   ab][]", "[%.2s][%5.2s][%.0s]", "abc", "abc", "abc");
	CHECK("[(null)]", "[%s]", (char *)NULL);
	CHECK("[x][  x][x  ]", "[%c][%3c][%-3c]", 'x', 'x', 'x');
	CHECK("100%", "%d%%", 100);
	CHECK("", "%s", "");
	CHECK("plain", "plain");
	/* A precision keeps us from reading on. */
	CHECK("ab", "%.*s", 2, (const char[2]){'a', 'b'});
}

TEST(fmt_pointers)
{
	CHECK("0000000000000000", "%p", NULL);
	CHECK("ffffffff80001234", "%p", (void *)0xffffffff80001234UL);
	CHECK("  0000000000000010z", "%18pz", (void *)16);
}

TEST(fmt_unknown_is_copied)
{
	CHECK("%q 5", "%q %d", 5);
	CHECK("%", "%");
	CHECK("%-5", "%-5");
	CHECK("%f", "%f");
	CHECK("%n", "%n");
	CHECK("%l", "%l");
}

TEST(fmt_truncation)
{
	char buf[16];

	for (size_t size = 0; size <= 8; size++) {
		memset(buf, '#', sizeof(buf));
		EXPECT_EQ(snprintf(buf, size, "%d%s", 123, "456"), 6);
		if (size > 0) {
			EXPECT_EQ(strlen(buf), min(size - 1, (size_t)6));
			EXPECT_EQ(memcmp(buf, "123456", min(size - 1, (size_t)6)), 0);
		}
		for (size_t i = max(size, (size_t)7); i < sizeof(buf); i++)
			EXPECT_EQ(buf[i], '#');
		memset(buf, '#', sizeof(buf));
		EXPECT_EQ(scnprintf(buf, size, "%5d%-4s", 1, "x"),
			  size == 0 ? 0 : min(size - 1, (size_t)9));
		EXPECT_EQ(buf[size], '#');
	}
	EXPECT_EQ(snprintf(NULL, 0, "%100d", 1), 100);
	EXPECT_EQ(snprintf(buf, 4, "%99999999999999d", 1), 0x7fffffff);
	EXPECT_STR(buf, "   ");
	EXPECT_EQ(snprintf(buf, 4, "%.2000000000d", 1), 2000000000);
	EXPECT_STR(buf, "000");
}

TEST(fmt_out_appends)
{
	char buf[32];
	struct fmt_out out = {.buf = buf, .size = sizeof(buf), .len = 0};

	fmt_puts(&out, "a=");
	fmt_u64(&out, 0x1f, 16, 4);
	fmt_putc(&out, ' ');
	fmt_u64(&out, 5, 2, 1);
	fmt_putc(&out, ' ');
	fmt_u64(&out, 0, 10, 0);
	fmt_printf(&out, " %s", "end");
	fmt_putc(&out, '\0');
	EXPECT_STR(buf, "a=001f 101 0 end");
	EXPECT_EQ(out.len, 17);
}

#if __STDC_HOSTED__
/* The host's runner knows %pT. */
TEST(fmt_pointer_extension)
{
	char buf[8];

	CHECK("<abc>!", "%pT!", "abc");
	CHECK("[   <abc>][<abc>   ]", "[%8pT][%-8pT]", "abc", "abc");
	EXPECT_EQ(snprintf(buf, sizeof(buf), "%12pT", "abc"), 12);
	EXPECT_EQ(strlen(buf), 7);
	EXPECT_EQ(snprintf(buf, sizeof(buf), "%pT%pT", "abc", "def"), 10);
	EXPECT_STR(buf, "<abc><d");
}
#endif
