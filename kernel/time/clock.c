/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks. Monotonic time is the machine's counter scaled (kernel/port.h) by a
 * factor that adjtimex(2) steers; real time is monotonic time plus an offset,
 * and TAI that plus whole seconds. They change together under a seqcount. Raw
 * time has the factor that was measured at boot.
 *
 * When the factor changes, so does the offset, such that time goes on from
 * where it is. A read that overlaps is repeated; one in an NMI that hit the
 * writer itself is not, and may be off by what the change is worth.
 */
#include "kernel/time/clock.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/init.h"
#include "kernel/port.h"
#include "kernel/time/clock_impl.h"
#include "lib/errno.h"
#include "lib/muldiv.h"
#include "mm/uaccess.h"
#include "percpu/pin.h"
#include "sync/port.h"
#include "sync/seq.h"
#include "sync/spinlock.h"

static LOCK_CLASS(clock_class, RANK_LEAF);
static struct spinlock clock_lock = SPINLOCK_INIT(clock_class);
static struct seqcount clock_seq;
/* s  before the first change: what arch has measured */
static struct clock_scale scale;

/* A consistent copy, and the counter as it was then. */
static u64
scale_read(struct clock_scale *c)
{
	u64 cycles;
	u32 seq;

	do {
		while (unlikely((seq = smp_load_acquire(&clock_seq.seq)) & 1) && !in_nmi())
			cpu_relax();
		*c = scale;
		cycles = arch_clock_cycles();
	} while (unlikely(seq_read_retry(&clock_seq, seq)) && !in_nmi());
	if (unlikely(!c->mult)) {
		c->mult = arch_clock_mult;
		c->start = arch_clock_start;
	}
	return cycles;
}

void
clock_scale_get(struct clock_scale *c)
{
	scale_read(c);
}

static u64
scaled(u64 cycles, u64 mult)
{
	return (u64)((unsigned __int128)cycles * mult >> 32);
}

u64
ktime_get(void)
{
	struct clock_scale c;
	u64 cycles = scale_read(&c);

	return scaled(cycles, c.mult) - c.start;
}

u64
ktime_get_raw(void)
{
	return scaled(arch_clock_cycles(), arch_clock_mult) - arch_clock_start;
}

u64
ktime_get_coarse(void)
{
	return ktime_get();
}

s64
clock_real_offset(void)
{
	struct clock_scale c;

	scale_read(&c);
	return c.real_offset;
}

s64
clock_tai_offset(void)
{
	struct clock_scale c;

	scale_read(&c);
	return c.tai * (s64)NSEC_PER_SEC;
}

u64
ktime_get_real(void)
{
	struct clock_scale c;
	u64 cycles = scale_read(&c);

	return scaled(cycles, c.mult) - c.start + (u64)c.real_offset;
}

u64
ktime_get_coarse_real(void)
{
	return ktime_get_real();
}

u64
clock_cycles_at(u64 ns, u64 longest)
{
	struct clock_scale c;
	u64 cycles = scale_read(&c);

	/* The factor may change again before then: look at it in between. */
	if (unlikely(c.mult != arch_clock_mult))
		ns = min(ns, scaled(cycles, c.mult) - c.start + longest);
	return muldiv_u64(ns + c.start, 1UL << 32, c.mult) + 1;
}

/* --- changes --- */

static void
clock_change(void (*fn)(struct clock_scale *c, u64 cycles, void *arg), void *arg)
{
	unsigned long f = spin_lock_irq(&clock_lock);
	struct clock_scale c;
	u64 cycles;

	/* Inside: what others read from now on they read again. */
	seq_write_begin(&clock_seq);
	c = scale;
	if (!c.mult) {
		c.mult = arch_clock_mult;
		c.start = arch_clock_start;
	}
	cycles = arch_clock_cycles();
	fn(&c, cycles, arg);
	scale = c;
	seq_write_end(&clock_seq);
	clock_vdso_update(&c);
	spin_unlock_irq(&clock_lock, f);
}

static void
rate_change(struct clock_scale *c, u64 cycles, void *arg)
{
	u64 now = scaled(cycles, c->mult) - c->start;

	c->mult = *(u64 *)arg;
	c->start = scaled(cycles, c->mult) - now;
}

void
clock_set_rate(u64 mult)
{
	clock_change(rate_change, &mult);
}

static void
real_change(struct clock_scale *c, u64 cycles, void *arg)
{
	c->real_offset = (s64)(*(u64 *)arg - (scaled(cycles, c->mult) - c->start));
}

void
clock_set_real(u64 ns)
{
	clock_change(real_change, &ns);
	ntp_clear();
	clock_was_set();
}

static void
step_change(struct clock_scale *c, u64 cycles, void *arg)
{
	c->real_offset += *(s64 *)arg;
}

void
clock_step_real(s64 ns)
{
	clock_change(step_change, &ns);
	clock_was_set();
}

static void
tai_change(struct clock_scale *c, u64 cycles, void *arg)
{
	c->tai = *(s32 *)arg;
}

void
clock_set_tai(s32 seconds)
{
	clock_change(tai_change, &seconds);
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
get_user_deadline(const struct timespec __user *ts, u64 *deadline)
{
	u64 ns;
	int err;

	*deadline = NO_DEADLINE;
	if (!ts)
		return 0;
	err = get_user_timespec(&ns, ts);
	if (!err)
		*deadline = ns ? deadline_after(ns) : 0;
	return err;
}

int
put_user_timespec(struct timespec __user *uts, u64 ns)
{
	struct timespec ts = ns_to_timespec(ns);

	return copy_to_user(uts, &ts, sizeof(ts));
}
