/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stuck CPUs are reported: one that does not let go of its pin, and one whose
 * RCU section does not end. The reports go to the log's ring only, as a console
 * that shows one fails the run.
 */
#include "kernel/lockup.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/log_impl.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "percpu/pin.h"
#include "sync/completion.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

#define LIMIT_NS (300 * NSEC_PER_MSEC)
/* A busy host may let a CPU wait for long: as a limit only. */
#define PATIENCE_NS (30 * NSEC_PER_SEC)

struct hog {
	/* ended when it exceeds `before` */
	u64 (*reports)(void);
	u64 before;
	u64 deadline;
	u32 cpu;
	int tid;
	struct rcu_head rcu;
	struct completion called;
};

/* Not inlined: so the backtrace names its caller, wherever in it an interrupt comes. */
static void __noinline
hog_spin(struct hog *h)
{
	while (h->reports() == h->before && ktime_get() < h->deadline)
		cpu_relax();
}

static void
hog_pinned(void *arg)
{
	struct hog *h = arg;

	pin();
	h->cpu = cpu_id();
	h->tid = current->tid;
	hog_spin(h);
	unpin();
}

static void
hog_called(struct rcu_head *rcu)
{
	complete(&container_of(rcu, struct hog, rcu)->called);
}

static void
hog_reader(void *arg)
{
	struct hog *h = arg;

	rcu_read_lock();
	h->cpu = cpu_id();
	rcu_call(&h->rcu, hog_called);
	hog_spin(h);
	rcu_read_unlock();
	completion_wait(&h->called);
}

/* Does a record from `seq` on hold the text? */
static bool
log_has(u64 seq, const char *text)
{
	static struct log_record r;

	while (log_read(seq, &r)) {
		r.text[min((size_t)r.len, sizeof(r.text) - 1)] = '\0';
		if (strstr(r.text, text) != NULL)
			return true;
		seq = r.seq + 1;
	}
	return false;
}

static void
hog_run(struct hog *h, void (*fn)(void *arg), u64 (*reports)(void))
{
	int level = console_loglevel;

	console_loglevel = 0;
	completion_init(&h->called);
	h->reports = reports;
	h->before = reports();
	h->deadline = ktime_get() + PATIENCE_NS;
	test_join(test_spawn(test_cpus() - 1, fn, h));
	/* Takes along what is not shown yet. */
	log_info("lockup test: over");
	console_loglevel = level;
	EXPECT_GT(reports(), h->before);
}

TEST(lockup_pinned_is_reported)
{
	static struct hog h;
	u64 seq = log_next_seq();
	char text[96];

	lockup_limit_set(LIMIT_NS);
	hog_run(&h, hog_pinned, lockup_reports);
	lockup_limit_set(0);
	snprintf(text, sizeof(text), "watchdog: BUG: soft lockup - CPU#%u stuck for ", h.cpu);
	EXPECT(log_has(seq, text));
	snprintf(text, sizeof(text), "s! [test/%u:%d]", test_cpus() - 1, h.tid);
	EXPECT(log_has(seq, text));
	EXPECT(log_has(seq, "hog_pinned"));
}

static void
busy(void *arg)
{
	u64 end = ktime_get() + 4 * LIMIT_NS;

	while (ktime_get() < end)
		cpu_relax();
}

/* A task that never sleeps but may be preempted does no harm. */
TEST(lockup_busy_is_not_reported)
{
	u64 before = lockup_reports();

	lockup_limit_set(LIMIT_NS);
	test_join(test_spawn(test_cpus() - 1, busy, NULL));
	lockup_limit_set(0);
	EXPECT_EQ(lockup_reports(), before);
}

TEST(rcu_stall_is_reported)
{
	static struct hog h;
	u64 seq = log_next_seq(), normal = rcu_stall_ns;
	char text[32];

	rcu_stall_ns = LIMIT_NS;
	/* What began before goes by the old limit. */
	rcu_synchronize();
	hog_run(&h, hog_reader, rcu_stall_reports);
	rcu_stall_ns = normal;
	EXPECT(log_has(seq, "detected stalls on CPUs"));
	snprintf(text, sizeof(text), "rcu: CPU %u", h.cpu);
	EXPECT(log_has(seq, text));
	EXPECT(log_has(seq, "hog_reader"));
}
