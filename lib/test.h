/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test framework of the kernel and of host programs.
 *
 * Model: TEST(name) { ... } puts a struct test into the linker section
 * "tests". A runner walks for_each_test(), calls fn, and prints one TAP line
 * for each test; it passed when test_note_failure() was not called meanwhile.
 * EXPECT_* note a failure and go on; ASSERT_* note it and return from the
 * function they are in (which returns void). ASSERT() alone is not of them: it
 * stops the kernel (lib/assert.h).
 *
 * The runner defines test_printf(), test_note_failure() and test_note_skip().
 * All three may be called from any thread or CPU that a test started.
 */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include "lib/types.h"

struct test {
	const char *name;
	const char *file;
	void (*fn)(void);
};

extern const struct test __start_tests[];
extern const struct test __stop_tests[];

#define for_each_test(t) for (t = __start_tests; t < __stop_tests; t++)

#define TEST(tname)                                                                                \
	static void test_fn_##tname(void);                                                         \
	static const struct test test_entry_##tname __used __section("tests")                      \
		__aligned(sizeof(void *)) = {#tname, __FILE__, test_fn_##tname};                   \
	static void test_fn_##tname(void)

/* Prints to the TAP stream; the text must start with "# " and end with "\n". */
void test_printf(const char *fmt, ...) __printf(1, 2);
/* Marks the running test as failed. */
void test_note_failure(void);
/* Marks the running test as skipped; reason is a literal. */
void test_note_skip(const char *reason);

#define test_fail_line(fmt, ...)                                                                   \
	({                                                                                         \
		test_note_failure();                                                               \
		test_printf("# %s:%d: " fmt "\n", __FILE__, __LINE__, __VA_ARGS__);                \
	})

#define test_check(cond, text)                                                                     \
	({                                                                                         \
		bool _tc_ok = (cond);                                                              \
		if (unlikely(!_tc_ok))                                                             \
			test_fail_line("%s", text);                                                \
		_tc_ok;                                                                            \
	})

#define test_check_rel(a, op, b)                                                                   \
	({                                                                                         \
		__typeof__(1 ? (a) : (b)) _tr_a = (a), _tr_b = (b);                                \
		bool _tr_ok = _tr_a op _tr_b;                                                      \
		if (unlikely(!_tr_ok))                                                             \
			test_fail_line("%s %s %s: %lld (0x%llx) and %lld (0x%llx)", #a, #op, #b,   \
				       (long long)_tr_a, (unsigned long long)_tr_a,                \
				       (long long)_tr_b, (unsigned long long)_tr_b);               \
		_tr_ok;                                                                            \
	})

#define test_check_str(a, b)                                                                       \
	({                                                                                         \
		const char *_ts_a = (a), *_ts_b = (b);                                             \
		bool _ts_ok = test_str_equal(_ts_a, _ts_b);                                        \
		if (unlikely(!_ts_ok))                                                             \
			test_fail_line("%s: \"%s\" instead of \"%s\"", #a,                         \
				       _ts_a ? _ts_a : "(null)", _ts_b ? _ts_b : "(null)");        \
		_ts_ok;                                                                            \
	})

#define EXPECT(cond) ((void)test_check(cond, #cond))
#define EXPECT_EQ(a, b) ((void)test_check_rel(a, ==, b))
#define EXPECT_NE(a, b) ((void)test_check_rel(a, !=, b))
#define EXPECT_LT(a, b) ((void)test_check_rel(a, <, b))
#define EXPECT_LE(a, b) ((void)test_check_rel(a, <=, b))
#define EXPECT_GT(a, b) ((void)test_check_rel(a, >, b))
#define EXPECT_GE(a, b) ((void)test_check_rel(a, >=, b))
#define EXPECT_STR(a, b) ((void)test_check_str(a, b))

#define test_return_unless(ok)                                                                     \
	do {                                                                                       \
		if (!(ok))                                                                         \
			return;                                                                    \
	} while (0)

#define ASSERT_TRUE(cond) test_return_unless(test_check(cond, #cond))
#define ASSERT_EQ(a, b) test_return_unless(test_check_rel(a, ==, b))
#define ASSERT_NE(a, b) test_return_unless(test_check_rel(a, !=, b))
#define ASSERT_LT(a, b) test_return_unless(test_check_rel(a, <, b))
#define ASSERT_LE(a, b) test_return_unless(test_check_rel(a, <=, b))
#define ASSERT_GT(a, b) test_return_unless(test_check_rel(a, >, b))
#define ASSERT_GE(a, b) test_return_unless(test_check_rel(a, >=, b))
#define ASSERT_STR(a, b) test_return_unless(test_check_str(a, b))

/* Ends the running test as skipped. */
#define TEST_SKIP(reason)                                                                          \
	do {                                                                                       \
		test_note_skip(reason);                                                            \
		return;                                                                            \
	} while (0)

static inline bool
test_str_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Repeatable random numbers; *state starts as anything (SplitMix64). */
static inline u64
test_rand(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

#endif
