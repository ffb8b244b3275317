/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on purpose, for tests/faults.t: what the kernel does when it is wrong
 * itself can only be seen when it is. In debug kernels root writes a name to
 * /proc/tessera/provoke.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/sysrq.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "percpu/pin.h"
#include "sync/mutex.h"

/* Longer than kernel.watchdog_thresh may be set to in a test, shorter than what a person bears. */
#define STUCK_MS 5000u

static __maybe_unused LOCK_CLASS(provoke_class, RANK_SLEEPING_LAST);
static struct mutex provoke_lock = MUTEX_INIT(provoke_lock, provoke_class);

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

static const struct {
	const char *name;
	void (*fn)(void);
} ways[] = {
	{"read-null", read_null}, {"read-bad", read_bad},	{"write-text", write_text},
	{"run-data", run_data},	  {"undefined", undefined},	{"with-mutex", with_mutex},
	{"pinned", while_pinned}, {"irqs-off", without_irqs},	{"assertion", assertion},
	{"overflow", overflow},	  {"stand-still", stand_still}, {"stand-dead", stand_dead},
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
