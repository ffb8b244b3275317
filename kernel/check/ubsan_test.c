/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UBSAN tells each kind of undefined operation with its place, and nothing of a
 * defined one. What a report looks like, and those that the machine does not
 * survive (division, unreachable code): tests/faults.t.
 */
#include "kernel/check/ubsan.h"

#include "config/config.h"
#include "lib/string.h"
#include "lib/test.h"
#include "percpu/pin.h"

/* The compiler must not see what they are. */
static volatile int int_max = INT32_MAX, int_min = INT32_MIN, zero, one = 1, minus_one = -1;
static volatile long long_max = INT64_MAX;
static volatile unsigned int distance = 32, width_less_one = 31, five = 5;

static struct ubsan_report got;
/* Where what a test does lies in this file. */
static u32 place;
static volatile long sink;

/* Does the expression; how many reports came, the first is in `got`. */
#define reports_of(e)                                                                              \
	({                                                                                         \
		u32 _n;                                                                            \
		pin();                                                                             \
		ubsan_catch_begin();                                                               \
		place = __LINE__;                                                                  \
		sink = (long)(e);                                                                  \
		_n = ubsan_catch_end(&got);                                                        \
		unpin();                                                                           \
		_n;                                                                                \
	})

static void
expect_report(u32 n, enum ubsan_kind kind, const char *text)
{
	const char *name;

	EXPECT_EQ(n, 1);
	if (n == 0)
		return;
	EXPECT_EQ(got.kind, kind);
	EXPECT_EQ(got.line, place);
	name = strrchr(got.file, '/');
	EXPECT_STR(name ? name + 1 : got.file, "ubsan_test.c");
	if (text)
		EXPECT_STR(got.text, text);
}

#define EXPECT_UNDEFINED(e, kind, text) expect_report(reports_of(e), kind, text)
#define EXPECT_DEFINED(e) EXPECT_EQ(reports_of(e), 0)

TEST(ubsan_signed_overflow)
{
	EXPECT_DEFINED(int_max - one);
	EXPECT_UNDEFINED(int_max + one, UBSAN_OVERFLOW, "2147483647 + 1 is no 'int'");
	EXPECT_UNDEFINED(int_min - one, UBSAN_OVERFLOW, "-2147483648 - 1 is no 'int'");
	EXPECT_UNDEFINED(long_max * 2, UBSAN_OVERFLOW, "9223372036854775807 * 2 is no 'long int'");
	EXPECT_UNDEFINED(-int_min, UBSAN_OVERFLOW, "-(-2147483648) is no 'int'");
	/* Unsigned numbers wrap. */
	EXPECT_DEFINED((u32)int_max * 4u);
}

TEST(ubsan_shift)
{
	EXPECT_DEFINED(1u << width_less_one);
	EXPECT_UNDEFINED(1u << distance, UBSAN_SHIFT,
			 "1 ('unsigned int') shifted by 32: the distance is too large");
	EXPECT_UNDEFINED(1u >> distance, UBSAN_SHIFT, NULL);
	EXPECT_UNDEFINED(one << minus_one, UBSAN_SHIFT,
			 "1 ('int') shifted by -1: the distance is negative");
}

TEST(ubsan_bounds)
{
	/* What is read lies in the same object: of another's memory KASAN tells. */
	static volatile u8 rows[2][5];
	static struct {
		u8 before[8];
		volatile u8 inner[5];
		u8 behind[8];
	} s;

	EXPECT_DEFINED(rows[0][five - 1]);
	EXPECT_UNDEFINED(rows[0][five], UBSAN_BOUNDS, "index 5 of 'u8 [5]'");
	EXPECT_UNDEFINED(s.inner[five], UBSAN_BOUNDS, NULL);
	EXPECT_UNDEFINED(s.inner[minus_one], UBSAN_BOUNDS, "index -1 of 'u8 [5]'");
}

TEST(ubsan_invalid_bool)
{
	static union {
		volatile u8 byte;
		volatile bool truth;
	} u;

	u.byte = 1;
	EXPECT_DEFINED(u.truth);
	u.byte = 2;
	EXPECT_UNDEFINED(u.truth, UBSAN_VALUE, "2 is no value of '_Bool'");
}

TEST(ubsan_builtin)
{
	EXPECT_DEFINED(__builtin_ctz((u32)one));
	EXPECT_UNDEFINED(__builtin_ctz((u32)zero), UBSAN_BUILTIN, "ctz of zero");
	EXPECT_UNDEFINED(__builtin_clz((u32)zero), UBSAN_BUILTIN, "clz of zero");
}

TEST(ubsan_each_place_once_is_not_for_caught_ones)
{
	for (int i = 0; i < 2; i++)
		EXPECT_UNDEFINED(int_max + one, UBSAN_OVERFLOW, NULL);
}

/* --- what only config/ubsan.mk looks at --- */

static u64 words[2];
static void *volatile odd_address = (char *)words + 1;

TEST(ubsan_alignment)
{
	if (!CONFIG_UBSAN_POINTERS)
		TEST_SKIP("pointers are not looked at (CONFIG=ubsan)");
	EXPECT_DEFINED(*(volatile u8 *)odd_address);
	EXPECT_UNDEFINED(*(volatile u32 *)odd_address, UBSAN_ALIGNMENT, NULL);
}

struct pair {
	u32 first, second;
};

TEST(ubsan_null)
{
	struct pair *volatile none = NULL;

	if (!CONFIG_UBSAN_POINTERS)
		TEST_SKIP("pointers are not looked at (CONFIG=ubsan)");
	EXPECT_UNDEFINED(&none->second, UBSAN_NULL,
			 "member access a null pointer to 'struct pair'");
}

TEST(ubsan_object_size)
{
	static u8 small[6];
	void *p = small;

	if (!CONFIG_UBSAN_POINTERS)
		TEST_SKIP("pointers are not looked at (CONFIG=ubsan)");
	EXPECT_UNDEFINED(((volatile struct pair *)p)->second, UBSAN_SIZE, NULL);
}
