/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watch for data races finds planted ones, of each pair of kinds that is one,
 * and nothing where both sides are marked, a lock is held or the race is meant.
 */
#include "sync/kcsan.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/port.h"
#include "sync/spinlock.h"
#include "sync/test_port.h"

static LOCK_CLASS(kcsan_test_class, RANK_LEAF);

/* Until found; where nothing is to be found, as long as it takes elsewhere, and more. */
#define FOUND_NS 20000000000UL
#define SILENT_NS 300000000UL

static struct racing {
	u64 word;
	struct spinlock lock;
	struct kcsan_catch catch;
	void (*side[2])(u64 *word);
	/* a  when it ends */
	u32 over;
	u64 turns[2];
} racing = {.lock = SPINLOCK_INIT(kcsan_test_class)};

static u64 sink;

static void __noinline
plain_write(u64 *word)
{
	*word += 2;
}

static void __noinline
plain_read(u64 *word)
{
	if (*word == 1)
		WRITE_ONCE(sink, 1);
}

static void __noinline
marked_write(u64 *word)
{
	WRITE_ONCE(*word, 4);
}

static void __noinline
marked_read(u64 *word)
{
	if (READ_ONCE(*word) == 1)
		WRITE_ONCE(sink, 1);
}

static void __noinline
atomic_write(u64 *word)
{
	atomic_add(word, 2);
}

static void __noinline
racy_read(u64 *word)
{
	/* What this test is about. */
	if (data_race(*word) == 1)
		WRITE_ONCE(sink, 1);
}

static void __noinline
locked_write(u64 *word)
{
	spin_lock(&racing.lock);
	*word += 2;
	spin_unlock(&racing.lock);
}

static void __noinline
byte_write(u64 *word)
{
	((u8 *)word)[3] = 1;
}

static void __noinline
copy_out(u64 *word)
{
	u8 copy[40];

	/* More than the word: what lies behind it is of nobody's interest. */
	memcpy(copy, word, sizeof(copy));
	WRITE_ONCE(sink, copy[3]);
}

/* No call tells of it. */
static void __noinline
unseen_write(u64 *word)
{
	__asm__ volatile("addq $2, %0" : "+m"(*word));
}

static void
side_run(void *arg)
{
	u64 i = (u64)arg;

	while (!READ_ONCE(racing.over)) {
		racing.side[i](&racing.word);
		if (++racing.turns[i] % 64 == 0)
			test_yield();
	}
}

/* Both sides on two CPUs until a race is reported, or ns are over; how many were. */
static u32
race(void (*a)(u64 *word), void (*b)(u64 *word), u64 ns)
{
	struct racing *r = &racing;
	struct test_thread *t[2];
	u64 end = ktime_get() + ns;
	u32 n;

	r->side[0] = a;
	r->side[1] = b;
	r->word = 0;
	WRITE_ONCE(r->over, 0);
	r->catch = (struct kcsan_catch){
		.start = (unsigned long)&r->word, .size = sizeof(r->word), .often = 50};
	kcsan_catch_begin(&r->catch);
	for (u64 i = 0; i < 2; i++)
		t[i] = test_spawn((unsigned int)i, side_run, (void *)i);
	while (atomic_read(&r->catch.races) == 0 && ktime_get() < end)
		test_sleep(1000000);
	WRITE_ONCE(r->over, 1);
	for (u64 i = 0; i < 2; i++)
		test_join(t[i]);
	n = kcsan_catch_end(&r->catch);
	EXPECT_GT(r->turns[0], 0);
	EXPECT_GT(r->turns[1], 0);
	return n;
}

static void
expect_race(void (*a)(u64 *word), void (*b)(u64 *word), u8 kind_a, u8 kind_b)
{
	struct kcsan_catch *c = &racing.catch;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	ASSERT_TRUE(race(a, b, FOUND_NS) > 0);
	EXPECT((c->kinds[0] == kind_a && c->kinds[1] == kind_b) ||
	       (c->kinds[0] == kind_b && c->kinds[1] == kind_a));
	EXPECT(c->pcs[0] - (unsigned long)a < 256 || c->pcs[0] - (unsigned long)b < 256);
}

static void
expect_silence(void (*a)(u64 *word), void (*b)(u64 *word))
{
	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	EXPECT_EQ(race(a, b, SILENT_NS), 0);
}

TEST(kcsan_plain_read_and_write)
{
	expect_race(plain_read, marked_write, 0, KCSAN_WRITE | KCSAN_MARKED);
}

TEST(kcsan_marked_read_and_plain_write)
{
	expect_race(marked_read, byte_write, KCSAN_MARKED, KCSAN_WRITE);
}

TEST(kcsan_two_plain_writes)
{
	expect_race(byte_write, byte_write, KCSAN_WRITE, KCSAN_WRITE);
}

TEST(kcsan_atomic_and_plain)
{
	expect_race(atomic_write, plain_read, KCSAN_WRITE | KCSAN_MARKED, 0);
}

TEST(kcsan_copy_and_write)
{
	expect_race(copy_out, byte_write, 0, KCSAN_WRITE);
}

TEST(kcsan_lock_on_one_side_only)
{
	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	EXPECT_GT(race(locked_write, plain_write, FOUND_NS), 0);
}

TEST(kcsan_write_that_nobody_tells)
{
	expect_race(unseen_write, plain_read, 0, 0);
}

TEST(kcsan_marked_ones_are_silent)
{
	expect_silence(marked_read, marked_write);
	expect_silence(atomic_write, marked_write);
}

TEST(kcsan_lock_is_silent)
{
	expect_silence(locked_write, locked_write);
}

TEST(kcsan_meant_race_is_silent)
{
	expect_silence(racy_read, locked_write);
	expect_silence(racy_read, atomic_write);
}

TEST(kcsan_two_reads_are_silent)
{
	expect_silence(plain_read, plain_read);
}
