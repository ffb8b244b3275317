/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steering the clock: adjtimex(2), clock_adjtime(2).
 *
 * Model: a second of the counter is made to last `length` ns: the tick's length,
 * the frequency correction, and what is being slewed just now. Two things are
 * slewed, a part each second: the phase offset of the PLL (an exponential decay
 * whose time constant the caller sets) and the correction of adjtime(3) (at most
 * 500 us a second). While there is something to do each second a timer does it;
 * otherwise nothing runs, and the growth of the maximum error is made up for
 * when somebody asks.
 *
 * The PLL and the FLL turn offsets into frequency: the offset times the time
 * since the last one, divided by the square of the time constant; over long
 * intervals the offset divided by that time.
 *
 * Locking: ntp_mutex for who calls; ntp_lock (a spinlock, the timer takes it)
 * for the state. The clock is changed after ntp_lock is let go, by the
 * timer or the caller, with what was computed under it: a stale rate lasts
 * until the next second at most.
 *
 * See: RFC 1589, adjtimex(2).
 */
#include "kernel/cred.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/time/clock_impl.h"
#include "kernel/time/posix_clock.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/time.h"
#include "kernel/uapi/timex.h"
#include "lib/errno.h"
#include "lib/muldiv.h"
#include "mm/uaccess.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"

/* ns and ns/s are kept shifted by this. */
#define SHIFT 32
/* A unit of timex.freq (ppm << 16) in ns/s << SHIFT. */
#define FREQ_UNIT (1000L << 16)
#define MAX_FREQ (500000L << SHIFT)
#define MAX_PHASE_NS 500000000L
#define MAX_ERROR_US 16000000L
/* The maximum error grows by this each second: 500 ppm. */
#define ERROR_GROWTH_US 500L
#define MAX_SLEW_US 500L
#define TICKS_PER_SEC 100
#define TICK_US 10000L
/* A tick may be a tenth longer or shorter. */
#define TICK_MIN (900000L / TICKS_PER_SEC)
#define TICK_MAX (1100000L / TICKS_PER_SEC)
#define TIMECONST_MAX 10
#define PLL_SHIFT 2
#define FLL_SHIFT 2
#define FLL_MIN_SECS 256
#define FLL_ONLY_SECS 2048
#define TAI_MAX 100000
#define SECS_PER_DAY 86400L
#define NEVER S64_MAX

static LOCK_CLASS(ntp_mutex_class, RANK_PROCESS);
static LOCK_CLASS(ntp_class, RANK_POSIX_TIMER);
static struct mutex ntp_mutex = MUTEX_INIT(ntp_mutex, ntp_mutex_class);
static struct spinlock ntp_lock = SPINLOCK_INIT(ntp_class);
static struct timer second_timer;

/* (ntp_lock) */
static struct {
	s64 tick_us;
	/* ns/s, and ns left, both << SHIFT */
	s64 freq, offset;
	/* adjtime(3): us left */
	s64 adjust;
	/* what this second is longer by, ns << SHIFT */
	s64 slewing;
	s64 constant;
	s64 maxerror, esterror;
	s32 status, state;
	/* real time in s: of the last offset, of the next leap second */
	s64 reftime, leap_at;
	/* monotonic ns that the state was brought up to */
	u64 now;
	s32 tai;
	bool running;
} ntp = {
	.tick_us = TICK_US,
	.constant = 2,
	.maxerror = MAX_ERROR_US,
	.esterror = MAX_ERROR_US,
	.status = STA_UNSYNC,
	.leap_at = NEVER,
};

/* What a change asks to be done to the clock once the lock is let go. */
struct effect {
	u64 mult;
	s32 leap;
	s32 tai;
	bool set_tai;
	/* Run the timer. */
	bool again;
};

/* Towards zero, whatever the sign. */
static s64
shift_down(s64 v, unsigned int n)
{
	return v < 0 ? -(-v >> n) : v >> n;
}

static bool
busy(void)
{
	return ntp.adjust || ntp.offset || ntp.state != TIME_OK || ntp.status & (STA_INS | STA_DEL);
}

/* The factor that makes a second last as long as the state says. */
static u64
factor(void)
{
	s64 base = ntp.tick_us * TICKS_PER_SEC * (s64)NSEC_PER_USEC;
	/* 16 bits of fraction are enough for the factor's precision. */
	s64 length = (base << 16) + ((ntp.freq + ntp.slewing) >> (SHIFT - 16));

	return muldiv_u64(arch_clock_mult, (u64)length, NSEC_PER_SEC << 16);
}

/* --- each second --- */

static void
grow_error(s64 seconds)
{
	ntp.maxerror = min(ntp.maxerror + seconds * ERROR_GROWTH_US, MAX_ERROR_US);
	if (ntp.maxerror == MAX_ERROR_US)
		ntp.status |= STA_UNSYNC;
}

/* Whole seconds since the last time are accounted for. */
static void
catch_up(void)
{
	u64 now = ktime_get();
	u64 passed = now > ntp.now ? (now - ntp.now) / NSEC_PER_SEC : 0;

	ntp.now += passed * NSEC_PER_SEC;
	if (passed)
		grow_error((s64)min(passed, (u64)MAX_ERROR_US));
}

/* The part of the offset and of adjtime's correction for the coming second: ns << SHIFT. */
static s64
slew(void)
{
	s64 part = shift_down(ntp.offset, PLL_SHIFT + (unsigned int)ntp.constant);
	s64 adjust = clamp(ntp.adjust, -MAX_SLEW_US, MAX_SLEW_US);

	/* The rest of less than a nanosecond at once: the decay would take minutes for it. */
	if (ntp.offset >> SHIFT == 0 || -ntp.offset >> SHIFT == 0)
		part = ntp.offset;
	ntp.offset -= part;
	ntp.adjust -= adjust;
	return part + adjust * ((s64)NSEC_PER_USEC << SHIFT);
}

/* Seconds to insert (-1: the clock goes back) or leave out (1). */
static s32
leap_second(s64 real)
{
	switch (ntp.state) {
	case TIME_OK:
		if (ntp.status & (STA_INS | STA_DEL)) {
			ntp.state = ntp.status & STA_INS ? TIME_INS : TIME_DEL;
			ntp.leap_at = real + SECS_PER_DAY - real % SECS_PER_DAY;
		}
		return 0;
	case TIME_INS:
		if (!(ntp.status & STA_INS)) {
			ntp.state = TIME_OK;
			ntp.leap_at = NEVER;
		} else if (real >= ntp.leap_at) {
			ntp.state = TIME_OOP;
			return -1;
		}
		return 0;
	case TIME_DEL:
		if (!(ntp.status & STA_DEL)) {
			ntp.state = TIME_OK;
			ntp.leap_at = NEVER;
		} else if (real + 1 >= ntp.leap_at) {
			ntp.state = TIME_WAIT;
			return 1;
		}
		return 0;
	case TIME_OOP:
		ntp.state = TIME_WAIT;
		return 0;
	}
	if (!(ntp.status & (STA_INS | STA_DEL)))
		ntp.state = TIME_OK;
	return 0;
}

static void
apply(const struct effect *e)
{
	struct clock_scale c;

	clock_scale_get(&c);
	if (e->mult != c.mult)
		clock_set_rate(e->mult);
	if (e->set_tai)
		clock_set_tai(e->tai);
	if (e->leap) {
		clock_step_real((s64)e->leap * (s64)NSEC_PER_SEC);
		log_notice("clock: leap second %s", e->leap < 0 ? "inserted" : "left out");
	}
	/* Seconds of real time, which is when a leap second comes. */
	if (e->again)
		timer_start(&second_timer,
			    ktime_get() + NSEC_PER_SEC - ktime_get_real() % NSEC_PER_SEC);
}

static void
second_passed(struct timer *t)
{
	unsigned long f = spin_lock_irq(&ntp_lock);
	struct effect e = {0};

	catch_up();
	e.leap = leap_second((s64)(ktime_get_real() / NSEC_PER_SEC));
	if (e.leap) {
		ntp.tai -= e.leap;
		ntp.leap_at = NEVER;
		e.tai = ntp.tai;
		e.set_tai = true;
	}
	ntp.slewing = slew();
	e.mult = factor();
	/* The second after the last slew puts the rate back. */
	e.again = ntp.running = busy() || ntp.slewing;
	spin_unlock_irq(&ntp_lock, f);
	apply(&e);
}

static int
ntp_init(void)
{
	timer_init(&second_timer, second_passed);
	return 0;
}
INITCALL(INIT_CORE, ntp_init);

void
ntp_clear(void)
{
	unsigned long f = spin_lock_irq(&ntp_lock);
	struct effect e = {0};

	ntp.adjust = ntp.offset = ntp.slewing = 0;
	ntp.status |= STA_UNSYNC;
	ntp.maxerror = ntp.esterror = MAX_ERROR_US;
	ntp.leap_at = NEVER;
	ntp.state = ntp.state == TIME_INS || ntp.state == TIME_DEL ? TIME_OK : ntp.state;
	e.mult = factor();
	spin_unlock_irq(&ntp_lock, f);
	apply(&e);
}

/* --- requests --- */

static s64
real_seconds(void)
{
	return (s64)(ktime_get_real() / NSEC_PER_SEC);
}

static void
set_status(s32 want)
{
	if (ntp.status & STA_PLL && !(want & STA_PLL)) {
		ntp.state = TIME_OK;
		ntp.status = STA_UNSYNC;
		ntp.leap_at = NEVER;
	}
	if (!(ntp.status & STA_PLL) && want & STA_PLL)
		ntp.reftime = real_seconds();
	ntp.status = (ntp.status & STA_RONLY) | (want & ~STA_RONLY);
}

/* The frequency that an offset seen over so many seconds tells of. */
static s64
fll(s64 ns, s64 secs)
{
	ntp.status &= ~STA_MODE;
	if (secs < FLL_MIN_SECS || (!(ntp.status & STA_FLL) && secs <= FLL_ONLY_SECS))
		return 0;
	ntp.status |= STA_MODE;
	return ns * (1L << (SHIFT - FLL_SHIFT)) / secs;
}

static void
set_offset(s64 offset)
{
	unsigned int shift = SHIFT - 2 * (PLL_SHIFT + 2 + (unsigned int)ntp.constant);
	s64 now = real_seconds(), secs, freq;

	if (!(ntp.status & STA_PLL))
		return;
	if (!(ntp.status & STA_NANO))
		offset = clamp(offset, -1000000L, 1000000L) * (s64)NSEC_PER_USEC;
	offset = clamp(offset, -MAX_PHASE_NS, MAX_PHASE_NS);
	secs = ntp.status & STA_FREQHOLD ? 0 : max(now - ntp.reftime, 0L);
	ntp.reftime = now;
	freq = fll(offset, secs);
	/* Samples that come rarely must not shake the loop. */
	secs = min(secs, 1L << (PLL_SHIFT + 1 + ntp.constant));
	freq += offset * secs * (1L << shift);
	ntp.freq = clamp(ntp.freq + freq, -MAX_FREQ, MAX_FREQ);
	ntp.offset = offset * (1L << SHIFT);
}

static void
set_modes(const struct timex *tx, struct effect *e)
{
	if (tx->modes & ADJ_STATUS)
		set_status(tx->status);
	if (tx->modes & ADJ_NANO)
		ntp.status |= STA_NANO;
	if (tx->modes & ADJ_MICRO)
		ntp.status &= ~STA_NANO;
	if (tx->modes & ADJ_FREQUENCY)
		ntp.freq = clamp(tx->freq * FREQ_UNIT, -MAX_FREQ, MAX_FREQ);
	if (tx->modes & ADJ_MAXERROR)
		ntp.maxerror = tx->maxerror;
	if (tx->modes & ADJ_ESTERROR)
		ntp.esterror = tx->esterror;
	if (tx->modes & ADJ_TIMECONST)
		ntp.constant = clamp(tx->constant + (ntp.status & STA_NANO ? 0 : 4), 0L,
				     (s64)TIMECONST_MAX);
	if (tx->modes & ADJ_TAI && tx->constant >= 0 && tx->constant <= TAI_MAX) {
		ntp.tai = e->tai = (s32)tx->constant;
		e->set_tai = true;
	}
	if (tx->modes & ADJ_OFFSET)
		set_offset(tx->offset);
	if (tx->modes & ADJ_TICK)
		ntp.tick_us = tx->tick;
}

static int
check(const struct timex *tx)
{
	bool may = capable(CAP_SYS_TIME);

	if (tx->modes & ADJ_ADJTIME) {
		if (!(tx->modes & ADJ_OFFSET_SINGLESHOT))
			return -EINVAL;
		if (!(tx->modes & ADJ_OFFSET_READONLY) && !may)
			return -EPERM;
	} else {
		if (tx->modes && !may)
			return -EPERM;
		if (tx->modes & ADJ_TICK && (tx->tick < TICK_MIN || tx->tick > TICK_MAX))
			return -EINVAL;
	}
	if (tx->modes & ADJ_SETOFFSET) {
		s64 limit = tx->modes & ADJ_NANO ? (s64)NSEC_PER_SEC : 1000000L;

		if (!may)
			return -EPERM;
		if (tx->time.usec < 0 || tx->time.usec >= limit)
			return -EINVAL;
	}
	if (tx->modes & ADJ_FREQUENCY &&
	    (tx->freq < -S64_MAX / FREQ_UNIT || tx->freq > S64_MAX / FREQ_UNIT))
		return -EINVAL;
	return 0;
}

static int
step(const struct timex *tx)
{
	s64 sub = tx->modes & ADJ_NANO ? tx->time.usec : tx->time.usec * (s64)NSEC_PER_USEC, delta;
	u64 now = ktime_get_real();

	if (__builtin_mul_overflow(tx->time.sec, (s64)NSEC_PER_SEC, &delta) ||
	    __builtin_add_overflow(delta, sub, &delta))
		return -EINVAL;
	/* Not before boot, nor beyond what times can say. */
	if ((s64)now + delta < (s64)ktime_get() || (delta > 0 && now + (u64)delta > REAL_TIME_MAX))
		return -EINVAL;
	clock_step_real(delta);
	ntp_clear();
	return 0;
}

/* ntp_lock is held. */
static int
tell(struct timex *tx)
{
	s64 left = shift_down(ntp.offset, SHIFT);

	if (!(tx->modes & ADJ_ADJTIME))
		tx->offset = ntp.status & STA_NANO ? left : left / (s64)NSEC_PER_USEC;
	/* Rounded, so that what was set is what is read. */
	tx->freq = (ntp.freq + (ntp.freq < 0 ? -FREQ_UNIT / 2 : FREQ_UNIT / 2)) / FREQ_UNIT;
	tx->maxerror = ntp.maxerror;
	tx->esterror = ntp.esterror;
	tx->status = ntp.status;
	tx->constant = ntp.constant;
	tx->precision = 1;
	tx->tolerance = MAX_FREQ / FREQ_UNIT;
	tx->tick = ntp.tick_us;
	tx->tai = ntp.tai;
	/* No pulse per second is listened to. */
	tx->ppsfreq = tx->jitter = tx->stabil = 0;
	tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt = 0;
	tx->shift = 0;
	return ntp.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : ntp.state;
}

/* The clock's state (TIME_*), or -Exxx. */
static int
adjust(struct timex *tx)
{
	struct effect e = {0};
	unsigned long f;
	s64 before;
	u64 now;
	int ret = check(tx);

	if (!ret && tx->modes & ADJ_SETOFFSET)
		ret = step(tx);
	if (ret)
		return ret;
	f = spin_lock_irq(&ntp_lock);
	catch_up();
	now = ktime_get_real();
	if (tx->modes & ADJ_ADJTIME) {
		before = ntp.adjust;
		if (!(tx->modes & ADJ_OFFSET_READONLY))
			ntp.adjust = tx->offset;
		tx->offset = before;
	} else if (tx->modes) {
		set_modes(tx, &e);
	}
	ret = tell(tx);
	tx->time.sec = (s64)(now / NSEC_PER_SEC);
	tx->time.usec = (s64)(now % NSEC_PER_SEC);
	if (!(ntp.status & STA_NANO))
		tx->time.usec /= (s64)NSEC_PER_USEC;
	e.mult = factor();
	e.again = !ntp.running && busy();
	ntp.running |= e.again;
	spin_unlock_irq(&ntp_lock, f);
	if (tx->modes)
		apply(&e);
	return ret;
}

static long
adjust_user(struct timex __user *utx)
{
	struct timex tx;
	int ret;

	if (copy_from_user(&tx, utx, sizeof(tx)))
		return -EFAULT;
	mutex_lock(&ntp_mutex);
	ret = adjust(&tx);
	mutex_unlock(&ntp_mutex);
	if (ret < 0)
		return ret;
	return copy_to_user(utx, &tx, sizeof(tx)) ? -EFAULT : ret;
}

long
sys_adjtimex(struct timex __user *utx)
{
	return adjust_user(utx);
}

long
sys_clock_adjtime(int clock, struct timex __user *utx)
{
	struct timex tx;

	if (clock == CLOCK_REALTIME)
		return adjust_user(utx);
	if (copy_from_user(&tx, utx, sizeof(tx)))
		return -EFAULT;
	return posix_clock_valid(clock) ? -EOPNOTSUPP : -EINVAL;
}
