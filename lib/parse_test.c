/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and command lines. */
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "lib/test.h"

#define UNTOUCHED 0x5555

static const struct {
	const char *text;
	unsigned int base;
	int err;
	u64 value;
} unsigned_cases[] = {
	{"0", 0, 0, 0},
	{"123", 0, 0, 123},
	{"123\n", 0, 0, 123},
	{"+123", 0, 0, 123},
	{"0x1F", 0, 0, 31},
	{"0X1f", 16, 0, 31},
	{"1f", 16, 0, 31},
	{"017", 0, 0, 15},
	{"017", 10, 0, 17},
	{"101", 2, 0, 5},
	{"zz", 36, 0, 35 * 36 + 35},
	{"18446744073709551615", 0, 0, ~0UL},
	{"0xffffffffffffffff", 0, 0, ~0UL},
	{"00000000000000000000000000000000000000000000001", 10, 0, 1},
	{"18446744073709551616", 0, -ERANGE, 0},
	{"0x10000000000000000", 0, -ERANGE, 0},
	{"99999999999999999999999999999999999999", 0, -ERANGE, 0},
	{"", 0, -EINVAL, 0},
	{"\n", 0, -EINVAL, 0},
	{"+", 0, -EINVAL, 0},
	{"-1", 0, -EINVAL, 0},
	{" 1", 0, -EINVAL, 0},
	{"1 ", 0, -EINVAL, 0},
	{"1\n\n", 0, -EINVAL, 0},
	{"1x", 0, -EINVAL, 0},
	{"0x", 0, -EINVAL, 0},
	{"0xg", 16, -EINVAL, 0},
	{"08", 0, -EINVAL, 0},
	{"12", 2, -EINVAL, 0},
	{"++1", 0, -EINVAL, 0},
	/* Garbage wins over range. */
	{"18446744073709551616x", 0, -EINVAL, 0},
};

TEST(parse_unsigned)
{
	for (size_t i = 0; i < ARRAY_SIZE(unsigned_cases); i++) {
		u64 v = UNTOUCHED;
		int err = parse_u64(unsigned_cases[i].text, unsigned_cases[i].base, &v);

		if (err != unsigned_cases[i].err)
			test_printf("# text: %s\n", unsigned_cases[i].text);
		EXPECT_EQ(err, unsigned_cases[i].err);
		EXPECT_EQ(v, err == 0 ? unsigned_cases[i].value : UNTOUCHED);
	}
}

TEST(parse_signed)
{
	s64 v = UNTOUCHED;
	s32 w = UNTOUCHED;
	u32 u = UNTOUCHED;

	EXPECT_EQ(parse_s64("-9223372036854775808", 0, &v), 0);
	EXPECT_EQ(v, INT64_MIN);
	EXPECT_EQ(parse_s64("9223372036854775807", 0, &v), 0);
	EXPECT_EQ(v, S64_MAX);
	EXPECT_EQ(parse_s64("9223372036854775808", 0, &v), -ERANGE);
	EXPECT_EQ(parse_s64("-9223372036854775809", 0, &v), -ERANGE);
	EXPECT_EQ(parse_s64("-0x10", 0, &v), 0);
	EXPECT_EQ(v, -16);
	EXPECT_EQ(parse_s64("-0", 0, &v), 0);
	EXPECT_EQ(v, 0);
	EXPECT_EQ(parse_s64("-", 0, &v), -EINVAL);
	EXPECT_EQ(parse_s64("--1", 0, &v), -EINVAL);
	EXPECT_EQ(parse_s64("+-1", 0, &v), -EINVAL);
	EXPECT_EQ(parse_s32("2147483648", 0, &w), -ERANGE);
	EXPECT_EQ(parse_s32("-2147483649", 0, &w), -ERANGE);
	EXPECT_EQ(w, UNTOUCHED);
	EXPECT_EQ(parse_s32("-2147483648", 0, &w), 0);
	EXPECT_EQ(w, INT32_MIN);
	EXPECT_EQ(parse_u32("4294967296", 0, &u), -ERANGE);
	EXPECT_EQ(u, UNTOUCHED);
	EXPECT_EQ(parse_u32("4294967295", 0, &u), 0);
	EXPECT_EQ(u, ~0U);
}

TEST(parse_boolean)
{
	static const char *const yes[] = {"y", "Y", "yes", "1", "on", "ON"};
	static const char *const no[] = {"n", "N", "no", "0", "off", "oFF"};
	static const char *const bad[] = {"", "o", "2", "x", "\x11", "ox"};
	bool b;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		b = false;
		EXPECT_EQ(parse_bool(yes[i], &b), 0);
		EXPECT(b);
		b = true;
		EXPECT_EQ(parse_bool(no[i], &b), 0);
		EXPECT(!b);
		EXPECT_EQ(parse_bool(bad[i], &b), -EINVAL);
	}
}

static const struct {
	const char *text;
	int err;
	u64 value;
} size_cases[] = {
	{"64M", 0, 64UL << 20},
	{"1k", 0, 1024},
	{"3G\n", 0, 3UL << 30},
	{"0x10K", 0, 16 << 10},
	{"5", 0, 5},
	{"15E", 0, 15UL << 60},
	{"2T", 0, 2UL << 40},
	{"2p", 0, 2UL << 50},
	{"16E", -ERANGE, 0},
	{"18446744073709551616", -ERANGE, 0},
	{"99999999999999999999999K", -ERANGE, 0},
	{"M", -EINVAL, 0},
	{"", -EINVAL, 0},
	{"1MB", -EINVAL, 0},
	{"1Q", -EINVAL, 0},
	{"-1K", -EINVAL, 0},
};

TEST(parse_sizes)
{
	for (size_t i = 0; i < ARRAY_SIZE(size_cases); i++) {
		u64 v = UNTOUCHED;
		int err = parse_size(size_cases[i].text, &v);

		if (err != size_cases[i].err)
			test_printf("# text: %s\n", size_cases[i].text);
		EXPECT_EQ(err, size_cases[i].err);
		EXPECT_EQ(v, err == 0 ? size_cases[i].value : UNTOUCHED);
	}
}

TEST(parse_prefixes)
{
	const char *s = "12,0x20M@5";
	u64 v;

	EXPECT_EQ(parse_u64_prefix(&s, 10, &v), 0);
	EXPECT_EQ(v, 12);
	EXPECT_STR(s, ",0x20M@5");
	EXPECT_EQ(parse_u64_prefix(&s, 10, &v), -EINVAL);
	EXPECT_STR(s, ",0x20M@5");
	s++;
	EXPECT_EQ(parse_size_prefix(&s, &v), 0);
	EXPECT_EQ(v, 32UL << 20);
	EXPECT_STR(s, "@5");
	s = "99999999999999999999;";
	EXPECT_EQ(parse_u64_prefix(&s, 10, &v), -ERANGE);
	EXPECT_STR(s, ";");
}

/* Writes what cmdline_next() returns as "[key|value]", "--" and the rest. */
static const char *
tokens(const char *text)
{
	static char in[128], out[256];
	char *pos = in, *key, *value;
	enum cmdline_token t;

	strscpy(in, text, sizeof(in));
	out[0] = '\0';
	while (t = cmdline_next(&pos, &key, &value), t == CMDLINE_PARAM) {
		strlcat(out, "[", sizeof(out));
		strlcat(out, key, sizeof(out));
		if (value != NULL) {
			strlcat(out, "|", sizeof(out));
			strlcat(out, value, sizeof(out));
		}
		strlcat(out, "]", sizeof(out));
	}
	if (t == CMDLINE_INIT_ARGS) {
		strlcat(out, "--", sizeof(out));
		strlcat(out, pos, sizeof(out));
	}
	return out;
}

TEST(parse_command_line)
{
	EXPECT_STR(tokens(""), "");
	EXPECT_STR(tokens("  \t\n"), "");
	EXPECT_STR(tokens("quiet"), "[quiet]");
	EXPECT_STR(tokens(" console=ttyS0  panic=-1 ro "), "[console|ttyS0][panic|-1][ro]");
	EXPECT_STR(tokens("key=\"a b\" x"), "[key|a b][x]");
	EXPECT_STR(tokens("\"key=a b\" x"), "[key|a b][x]");
	EXPECT_STR(tokens("\"a b\" x"), "[a b][x]");
	EXPECT_STR(tokens("a=b=c"), "[a|b=c]");
	EXPECT_STR(tokens("a= b"), "[a|][b]");
	EXPECT_STR(tokens("a=\"\" b"), "[a|][b]");
	EXPECT_STR(tokens("a=\"x"), "[a|x]");
	EXPECT_STR(tokens("a=\"x y"), "[a|x y]");
	EXPECT_STR(tokens("\""), "[]");
	EXPECT_STR(tokens("\"\""), "[]");
	EXPECT_STR(tokens("a=\""), "[a|]");
	EXPECT_STR(tokens("a=x\"y z\"w b"), "[a|x\"y z\"w][b]");
	EXPECT_STR(tokens("=x"), "[|x]");
	EXPECT_STR(tokens("ro -- single  now"), "[ro]--single  now");
	EXPECT_STR(tokens("--"), "--");
	EXPECT_STR(tokens("-- "), "--");
	EXPECT_STR(tokens("--x --=1 b"), "[--x][--|1][b]");
	EXPECT(cmdline_key_equal("nr_cpus", "nr-cpus"));
	EXPECT(cmdline_key_equal("", ""));
	EXPECT(!cmdline_key_equal("nr_cpus", "nr_cpu"));
	EXPECT(!cmdline_key_equal("a", "b"));
}
