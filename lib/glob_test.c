/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell patterns: a table, and random ones against a recursive matcher. */
#include "lib/glob.h"
#include "lib/test.h"

static const struct {
	const char *pattern;
	const char *s;
	bool match;
} cases[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"*", "abc/def", true},
	{"***", "", true},
	{"?", "a", true},
	{"?", "", false},
	{"a*c", "abbbc", true},
	{"a*c", "abbbd", false},
	{"*.c", "foo.c", true},
	{"*.c", "foo.c.c", true},
	{"*.c", "foo.h", false},
	{"*ab*ab", "abxabab", true},
	{"*ab*ab", "abxaba", false},
	{"[abc]", "b", true},
	{"[abc]", "d", false},
	{"[a-c]x", "bx", true},
	{"[!a-c]", "d", true},
	{"[^a-c]", "b", false},
	{"[]a]", "]", true},
	{"[!]a]", "]", false},
	{"[a-]", "-", true},
	{"[--0]", ".", true},
	{"[\\]]", "]", true},
	{"[a\\-c]", "b", false},
	{"[a\\-c]", "-", true},
	{"[c-a]", "b", false},
	{"[", "[", true},
	{"[a", "[a", true},
	{"[a", "a", false},
	{"[!", "[!", true},
	{"a[]b", "a[]b", true},
	{"\\*", "*", true},
	{"\\*", "a", false},
	{"\\\\", "\\", true},
	{"\\", "\\", true},
	{"a\\?b", "a?b", true},
	{"[\x80-\xff]", "\xc3", true},
	{"x*", "y", false},
	{"a?*z", "abz", true},
	{"a?*z", "az", false},
};

TEST(glob_table)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool match = glob_match(cases[i].pattern, cases[i].s);

		if (match != cases[i].match)
			test_printf("# %s ~ %s\n", cases[i].pattern, cases[i].s);
		EXPECT_EQ(match, cases[i].match);
	}
}

static bool
model_match(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return model_match(p + 1, s) || (*s != '\0' && model_match(p, s + 1));
	return *s != '\0' && (*p == '?' || *p == *s) && model_match(p + 1, s + 1);
}

TEST(glob_random)
{
	static const char letters[] = "**?ab";
	u64 seed = 1;

	for (int i = 0; i < 50000; i++) {
		char pattern[8], s[12];
		u64 np = test_rand(&seed) % sizeof(pattern);
		u64 ns = test_rand(&seed) % sizeof(s);

		for (u64 k = 0; k < np; k++)
			pattern[k] = letters[test_rand(&seed) % 5];
		for (u64 k = 0; k < ns; k++)
			s[k] = letters[3 + test_rand(&seed) % 2];
		pattern[np] = '\0';
		s[ns] = '\0';
		ASSERT_EQ(glob_match(pattern, s), model_match(pattern, s));
	}
}

/* Exponential matchers would not come back from this. */
TEST(glob_is_fast)
{
	static char s[2001];

	for (int i = 0; i < 2000; i++)
		s[i] = 'a';
	EXPECT(!glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", s));
}
