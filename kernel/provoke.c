/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose, for tests/faults.t, inside.t, kasan.t and failsweep.t: what the kernel does
 * when it is wrong itself can only be seen when it is. In debug kernels root writes a name to
 * /proc/tessera/provoke.
 */
#include "arch/x86_64/asm/barrier.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/sysrq.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"

/* Longer than kernel.watchdog_thresh may be set to in a test, shorter than what a person bears. */
#define STUCK_MS 5000u

static __maybe_unused LOCK_CLASS(provoke_class, RANK_SLEEPING_LAST);
static struct mutex provoke_lock = MUTEX_INIT(provoke_lock, provoke_class);

/* Spinning locks whose rules are broken below: tests/inside.t. */
static __maybe_unused LOCK_CLASS(provoke_low_class, RANK_LEAF);
static __maybe_unused LOCK_CLASS(provoke_high_class, RANK_LEAF + 1);
static __maybe_unused LOCK_CLASS(provoke_peer_class, RANK_LEAF + 1);
static __maybe_unused LOCK_CLASS(provoke_irq_class, RANK_LEAF);
static __maybe_unused LOCK_CLASS(provoke_task_class, RANK_LEAF + 1);
static struct spinlock low_lock = SPINLOCK_INIT(provoke_low_class);
static struct spinlock high_lock = SPINLOCK_INIT(provoke_high_class);
static struct spinlock peer_lock = SPINLOCK_INIT(provoke_peer_class);
static struct spinlock irq_lock = SPINLOCK_INIT(provoke_irq_class);
static struct spinlock task_lock = SPINLOCK_INIT(provoke_task_class);

/* Addresses that the compiler cannot see through. */
static char *volatile null_page = (char *)8;
static char *volatile no_memory = (char *)0xffffdead00000000UL;
static char *volatile own_text = (char *)provoke;
static char data_code[] = {(char)0xc3};
static void (*volatile jump_there)(void) = (void (*)(void))data_code;

static void
read_null(void)
{
	(void)*(volatile char *)null_page;
}

static void
read_bad(void)
{
	(void)*(volatile char *)no_memory;
}

static void
write_text(void)
{
	*(volatile char *)own_text = 0;
}

static void
run_data(void)
{
	jump_there();
}

static void
undefined(void)
{
	__asm__ volatile("ud2");
}

static void
with_mutex(void)
{
	mutex_lock(&provoke_lock);
	read_null();
	mutex_unlock(&provoke_lock);
}

static void
while_pinned(void)
{
	pin();
	read_null();
	unpin();
}

static void
without_irqs(void)
{
	unsigned long f = irq_save();

	read_null();
	irq_restore(f);
}

static void
assertion(void)
{
	ASSERT(null_page == NULL);
}

static __noinline u64
deeper(u64 depth)
{
	volatile u64 frame[64];

	frame[depth % 64] = depth;
	/* There is an end that is never reached. */
	return depth == U64_MAX ? 0 : deeper(depth + 1) + frame[(depth + 1) % 64];
}

static void
overflow(void)
{
	(void)deeper(0);
}

/* Interrupts on, no other task: a soft lockup. */
static void
stand_still(void)
{
	unsigned int i;

	pin();
	for (i = 0; i < STUCK_MS; i++)
		udelay(1000);
	unpin();
}

/* Nothing gets through: what waits for RCU stalls. */
static void
stand_dead(void)
{
	unsigned long f = irq_save();
	unsigned int i;

	for (i = 0; i < 3 * STUCK_MS; i++)
		udelay(1000);
	irq_restore(f);
}

/* Against the ranks. */
static void
lock_order(void)
{
	spin_lock(&high_lock);
	spin_lock(&low_lock);
	spin_unlock(&low_lock);
	spin_unlock(&high_lock);
}

/* Two classes of one rank, this way and that: no single step is wrong. */
static void
lock_cycle(void)
{
	spin_lock(&high_lock);
	spin_lock_nested(&peer_lock);
	spin_unlock(&peer_lock);
	spin_unlock(&high_lock);
	spin_lock(&peer_lock);
	spin_lock_nested(&high_lock);
	spin_unlock(&high_lock);
	spin_unlock(&peer_lock);
}

/*
 * One of two tasks that do it at once finds the lock taken: who has it gives it back when
 * somebody has begun to wait, or nobody came. No fault: what /proc/lock_stat has to show.
 */
static void
lock_wait(void)
{
	static u32 came;
	u64 before = counter_sum(lock_contended);
	u64 end = ktime_get() + (u64)STUCK_MS * NSEC_PER_MSEC;

	atomic_inc(&came);
	spin_lock(&peer_lock);
	while (READ_ONCE(came) < 2 && ktime_get() < end)
		cpu_relax();
	while (READ_ONCE(came) == 2 && counter_sum(lock_contended) == before && ktime_get() < end)
		cpu_relax();
	WRITE_ONCE(came, came == 2 ? 3 : 0);
	spin_unlock(&peer_lock);
}

static void
take(void *lock)
{
	spin_lock(lock);
	spin_unlock(lock);
}

static void
take_both(void *lock)
{
	spin_lock(lock);
	take(&task_lock);
	spin_unlock(lock);
}

struct taker {
	struct timer timer;
	/* what it takes; NULL: it has */
	struct spinlock *lock;
};

static void
taken_by_timer(struct timer *timer)
{
	struct taker *t = container_of(timer, struct taker, timer);

	take(t->lock);
	smp_store_release(&t->lock, NULL);
}

/* By a clock interrupt: messages may be read without one, by a CPU that idles. */
static void
take_in_interrupt(struct spinlock *lock)
{
	struct taker t = {.lock = lock};

	timer_init(&t.timer, taken_by_timer);
	timer_start(&t.timer, ktime_get());
	while (smp_load_acquire(&t.lock))
		sleep_ns(NSEC_PER_MSEC);
	timer_cancel_sync(&t.timer);
}

/* Taken by an interrupt, and where that can come. */
static void
lock_irq(void)
{
	take_in_interrupt(&low_lock);
	take(&low_lock);
}

/*
 * The first is taken by interrupts and never with them on; the second only behind
 * it there, and elsewhere with interrupts on: nothing of one class alone is wrong.
 */
static void
lock_behind_irq(void)
{
	unsigned long f;

	take_in_interrupt(&irq_lock);
	f = irq_save();
	take_both(&irq_lock);
	irq_restore(f);
	take(&task_lock);
}

/* Operations that C does not define: reported by kernel/check/ubsan.c. */
static volatile int shift_distance = 40, lowest = INT32_MIN, minus_one = -1;

static void
bad_shift(void)
{
	shift_distance = 1 << shift_distance;
	shift_distance = 40;
}

static void
bad_division(void)
{
	lowest = lowest / minus_one;
}

static void
bad_way(void)
{
	if (shift_distance)
		__builtin_unreachable();
}

/*
 * Memory that is no longer the caller's, or never was: reported by mm/kasan.c, and
 * without it nothing comes of it.
 */
static volatile char *volatile object;

static void
read_freed(void)
{
	object = kmalloc(64, GFP_KERNEL);
	if (!object)
		return;
	kfree((void *)object);
	(void)*object;
}

static void
read_behind(void)
{
	object = kmalloc(40, GFP_KERNEL);
	if (!object)
		return;
	(void)object[40];
	kfree((void *)object);
}

/* Two tasks that do it at once are in a data race: reported by sync/kcsan.c. */
static u64 raced;

static void
race(void)
{
	u64 end = ktime_get() + 300 * NSEC_PER_MSEC;

	while (ktime_get() < end) {
		raced++;
		barrier();
	}
}

/* Nobody frees it: one object that tests/failsweep.t has to miss. */
static void
lose_object(void)
{
	object = kmalloc(96, GFP_KERNEL);
}

static const struct {
	const char *name;
	void (*fn)(void);
} ways[] = {
	{"read-null", read_null},     {"read-bad", read_bad},
	{"write-text", write_text},   {"run-data", run_data},
	{"undefined", undefined},     {"with-mutex", with_mutex},
	{"pinned", while_pinned},     {"irqs-off", without_irqs},
	{"assertion", assertion},     {"overflow", overflow},
	{"stand-still", stand_still}, {"stand-dead", stand_dead},
	{"lock-order", lock_order},   {"lock-cycle", lock_cycle},
	{"lock-irq", lock_irq},	      {"lock-behind-irq", lock_behind_irq},
	{"lock-wait", lock_wait},     {"shift", bad_shift},
	{"division", bad_division},   {"unreachable", bad_way},
	{"read-freed", read_freed},   {"read-behind", read_behind},
	{"lose-object", lose_object}, {"race", race},
};

int
provoke(const char *what)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, what) == 0) {
			ways[i].fn();
			return 0;
		}
	}
	return -EINVAL;
}
