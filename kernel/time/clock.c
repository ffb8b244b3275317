/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks. Monotonic time is the machine's counter scaled (kernel/port.h); real
 * time is monotonic time plus an offset under a seqcount, changed by
 * clock_settime() only.
 */
#include "kernel/time/clock.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/init.h"
#include "kernel/port.h"
#include "kernel/time/clock_impl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sync/port.h"
#include "sync/seq.h"
#include "sync/spinlock.h"

static LOCK_CLASS(clock_class, RANK_LEAF);
static struct spinlock clock_lock = SPINLOCK_INIT(clock_class);
static struct seqcount clock_seq;
/* s */
static s64 real_offset;

u64
ktime_get(void)
{
	return (u64)((unsigned __int128)arch_clock_cycles() * arch_clock_mult >> 32) - arch_clock_start;
}

u64
ktime_get_raw(void)
{
	return ktime_get();
}

u64
ktime_get_coarse(void)
{
	return ktime_get();
}

s64
clock_real_offset(void)
{
	s64 off;
	u32 seq;

	do {
		seq = seq_read_begin(&clock_seq);
		off = real_offset;
	} while (seq_read_retry(&clock_seq, seq));
	return off;
}

u64
ktime_get_real(void)
{
	return ktime_get() + (u64)clock_real_offset();
}

u64
ktime_get_coarse_real(void)
{
	return ktime_get_real();
}

void
clock_set_real(u64 ns)
{
	unsigned long f = spin_lock_irq(&clock_lock);

	seq_write_begin(&clock_seq);
	real_offset = (s64)(ns - ktime_get());
	seq_write_end(&clock_seq);
	clock_vdso_update(real_offset);
	spin_unlock_irq(&clock_lock, f);
	clock_was_set();
}

static int
clock_init_real(void)
{
	clock_set_real(rtc_read() * NSEC_PER_SEC);
	return 0;
}
INITCALL(INIT_CORE, clock_init_real);

void
udelay(u32 usec)
{
	u64 end;

	/* Before the clock is measured a port access (about 1 us) is the only measure. */
	if (arch_clock_mult == 0) {
		while (usec--)
			outb(0x80, 0);
		return;
	}
	end = ktime_get() + usec * NSEC_PER_USEC;
	while (ktime_get() < end)
		cpu_relax();
}

/* --- conversions --- */

bool
timespec_valid(const struct timespec *ts)
{
	return ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < (s64)NSEC_PER_SEC;
}

u64
timespec_to_ns(const struct timespec *ts)
{
	if (ts->sec >= (s64)(S64_MAX / NSEC_PER_SEC))
		return S64_MAX;
	return (u64)ts->sec * NSEC_PER_SEC + (u64)ts->nsec;
}

u64
deadline_after(u64 ns)
{
	u64 now = ktime_get();

	return ns >= (u64)S64_MAX - now ? S64_MAX : now + ns;
}

int
get_user_timespec(u64 *ns, const struct timespec __user *uts)
{
	struct timespec ts;

	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	*ns = timespec_to_ns(&ts);
	return 0;
}

int
put_user_timespec(struct timespec __user *uts, u64 ns)
{
	struct timespec ts = ns_to_timespec(ns);

	return copy_to_user(uts, &ts, sizeof(ts));
}
