/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvmclock on pages that are ours, as no emulator has it.
 *
 * Model: what the hypervisor does is done here: one thread writes moments into a
 * page, all on the same line of time, by the protocol of the version. A reader
 * computes a time that lies between those of two looks at the TSC, whichever moment
 * it finds; one that does not heed the version must be found out. Then pages of
 * CPUs that do not agree: no CPU reads a time that is earlier than what another has
 * read, but when the pages say, wrongly, that they agree.
 */
#include "arch/x86_64/pvclock_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* The rate of a TSC of 2.6 GHz, as KVM writes it: half the cycles, 10/13 of 2^32. */
#define MUL_2600 3303820996u
#define SHIFT_2600 (-1)
/* Each rounding down loses less than 1 ns, and so does the bit that is shifted out. */
#define ROUNDED 4

/* Multiplier and shift that KVM's algorithm gives: halved or doubled into (1, 2] GHz. */
static const struct {
	u64 hz;
	u32 mul;
	s8 shift;
} rates[] = {
	{100000000, 2684354560u, 4},   {1000000000, 2147483648u, 1},
	{2000000000, 2147483648u, 0},  {2600000000, MUL_2600, SHIFT_2600},
	{5000000000, 3435973836u, -2},
};

TEST(pvclock_rates)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		u64 hz = pvclock_hz(rates[i].mul, rates[i].shift);

		/* The multiplier was rounded: a billionth at most. */
		EXPECT_LE(rates[i].hz - 5, hz);
		EXPECT_LE(hz, rates[i].hz + 5);
		EXPECT_LE(pvclock_scale(rates[i].hz, rates[i].mul, rates[i].shift), 1000000000);
		EXPECT_LE(999999998, pvclock_scale(rates[i].hz, rates[i].mul, rates[i].shift));
	}
	EXPECT_EQ(pvclock_hz(0, 0), 0);
}

TEST(pvclock_scale_table)
{
	/* A cycle a nanosecond. */
	EXPECT_EQ(pvclock_scale(0, 0x80000000, 1), 0);
	EXPECT_EQ(pvclock_scale(12345, 0x80000000, 1), 12345);
	/* Three quarters of one, in the two ways that there are; the lowest bit is lost. */
	EXPECT_EQ(pvclock_scale(1000, 0xc0000000, 0), 750);
	EXPECT_EQ(pvclock_scale(1001, 0xc0000000, 0), 750);
	EXPECT_EQ(pvclock_scale(2001, 0xc0000000, -1), 750);
	/* A month of cycles: the product has 83 bits. */
	EXPECT_EQ(pvclock_scale(2600000000UL * 2592000, 0xc0000000, -1), 2527200000000000UL);
}

/* The TSC has wrapped since the moment: that is the greater number, by half of all. */
TEST(pvclock_wraps)
{
	struct pvclock_page p = {.version = 2, .ns = 5000, .mul = 0x80000000, .shift = 0};
	u64 before = rdtsc_ordered(), got, after;
	u8 flags;

	p.tsc = before + (1UL << 63);
	got = pvclock_page_time(&p, &flags);
	after = rdtsc_ordered();
	EXPECT_LE(5000 + (1UL << 62), got);
	EXPECT_LE(got, 5000 + (1UL << 62) + (after - before) / 2);
	EXPECT_EQ(pvclock_scale(50 - (U64_MAX - 100), 0x80000000, 1), 151);
}

struct page_torture {
	struct torture t;
	struct pvclock_page page;
	u64 (*read)(const struct pvclock_page *p, u8 *flags);
	/* I  where the line begins, by the TSC */
	u64 base;
	/* a */
	u64 wrong;
};

static u64
line(const struct page_torture *s, u64 tsc)
{
	return pvclock_scale(tsc - s->base, MUL_2600, SHIFT_2600);
}

/* The page's CPU does not run meanwhile: no interrupt here. */
static void
moment_write(struct page_torture *s, u64 n)
{
	struct pvclock_page *p = &s->page;
	unsigned long f = irq_save();
	u64 tsc = rdtsc_ordered() - (n & 1) * 1000000;

	WRITE_ONCE(p->version, p->version + 1);
	smp_wmb();
	WRITE_ONCE(p->tsc, tsc);
	torture_window();
	WRITE_ONCE(p->ns, line(s, tsc));
	/* The same rate twice. */
	WRITE_ONCE(p->mul, n & 2 ? MUL_2600 : MUL_2600 / 2);
	WRITE_ONCE(p->shift, n & 2 ? SHIFT_2600 : SHIFT_2600 + 1);
	smp_wmb();
	WRITE_ONCE(p->version, p->version + 1);
	irq_restore(f);
}

static void
page_thread(struct torture_thread *th)
{
	struct page_torture *s = container_of(th->torture, struct page_torture, t);
	u64 before, got, after;
	u8 flags;

	for (; !torture_over(th); th->result++) {
		if (th->index == 0) {
			moment_write(s, th->result);
		} else {
			before = rdtsc_ordered();
			got = s->read(&s->page, &flags);
			after = rdtsc_ordered();
			if (got + ROUNDED < line(s, before) || got > line(s, after) + ROUNDED) {
				atomic_inc(&s->wrong);
				torture_stop(th);
			}
		}
		torture_turn(th);
	}
}

static u64
page_run(u64 (*read)(const struct pvclock_page *p, u8 *flags), u64 work)
{
	static struct page_torture s;
	struct torture_plan plan = {
		.fn = page_thread, .threads = test_cpus() + 1, .share = 8, .work = work};

	s = (struct page_torture){.read = read, .base = rdtsc_ordered() - 2000000};
	moment_write(&s, 0);
	torture_run(&s.t, &plan);
	return s.wrong;
}

TEST(pvclock_page_torture)
{
	EXPECT_EQ(page_run(pvclock_page_time, 50000), 0);
}

static u64
page_time_broken(const struct pvclock_page *p, u8 *flags)
{
	u64 tsc = READ_ONCE(p->tsc);

	*flags = READ_ONCE(p->flags);
	return READ_ONCE(p->ns) +
	       pvclock_scale(rdtsc_ordered() - tsc, READ_ONCE(p->mul), READ_ONCE(p->shift));
}

TEST(pvclock_page_torture_finds_broken)
{
	u64 wrong = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && wrong == 0; i++)
		wrong = page_run(page_time_broken, TORTURE_UNTIL_FOUND);
	EXPECT_GT(wrong, 0);
}

struct order_torture {
	struct torture t;
	struct pvclock clock;
	/* a  the latest time that anybody has read */
	u64 seen;
	/* a */
	u64 earlier;
};

static void
order_thread(struct torture_thread *th)
{
	struct order_torture *s = container_of(th->torture, struct order_torture, t);
	u64 seen, got;

	for (; !torture_over(th); th->result++) {
		seen = smp_load_acquire(&s->seen);
		got = pvclock_time(&s->clock);
		if (got < seen) {
			atomic_inc(&s->earlier);
			torture_stop(th);
		}
		while (seen < got && !atomic_try_cmpxchg(&s->seen, &seen, got))
			;
		torture_turn(th);
	}
}

/*
 * Every second CPU is 200 us behind; the last one has no page of its own yet. All
 * say that they agree: that counts where the hypervisor has such a flag.
 */
static u64
order_run(u8 known, u64 work)
{
	static struct order_torture s;
	struct torture_plan plan = {
		.fn = order_thread, .threads = test_cpus(), .share = 8, .work = work};
	unsigned int n = test_cpus();
	u64 now = rdtsc_ordered();

	s = (struct order_torture){.clock.pages =
					   kcalloc(n, sizeof(struct pvclock_page), GFP_KERNEL),
				   .clock.known = known};
	if (!s.clock.pages) {
		test_note_failure();
		return 0;
	}
	for (unsigned int i = 0; i < n && (i == 0 || i + 1 < n || n == 2); i++)
		s.clock.pages[i] = (struct pvclock_page){.version = 2,
							 .tsc = now - 1000000,
							 .ns = 1000000 - i % 2 * 200000,
							 .mul = MUL_2600,
							 .shift = SHIFT_2600,
							 .flags = PVCLOCK_STABLE};
	torture_run(&s.t, &plan);
	/* It went on, too. */
	EXPECT_GT(s.seen, 1000000);
	kfree(s.clock.pages);
	return s.earlier;
}

TEST(pvclock_order_torture)
{
	EXPECT_EQ(order_run(0, 100000), 0);
}

TEST(pvclock_order_torture_finds_wrong_flag)
{
	u64 earlier = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && earlier == 0; i++)
		earlier = order_run(PVCLOCK_STABLE, TORTURE_UNTIL_FOUND);
	EXPECT_GT(earlier, 0);
}
