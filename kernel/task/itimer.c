/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interval timers (setitimer(2), alarm(2)), the tick of CPU-time clocks, and
 * RLIMIT_CPU.
 *
 * Model: ITIMER_REAL is a timer of kernel/time; it fires once and starts again
 * when its SIGALRM has been taken, so that a short interval cannot flood the
 * machine. ITIMER_VIRTUAL, ITIMER_PROF and POSIX timers on CPU-time clocks
 * are looked at in each tick of a thread of the process, if one is armed.
 *
 * Locking: process->lock for everything in struct process_timers. The timer's
 * interrupt takes it, so timer_cancel_sync() is called without it; a stale
 * interrupt finds that nothing is due.
 */
#include "kernel/task/timers_impl.h"

#include "kernel/sched/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "lib/sat.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* --- life --- */

/* Hard interrupt. */
static void
real_fire(struct timer *timer)
{
	struct process_timers *pt = container_of(timer, struct process_timers, real);
	struct process *p = pt->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	if (pt->real_armed && ktime_get() >= pt->real_expires) {
		pt->real_armed = false;
		signal_send_locked(p, NULL, SIGALRM, NULL);
		/* Nobody will take it: go on by ourselves, not faster than the tick. */
		if (!(p->signals.pending.set & sigmask(SIGALRM)) && pt->real_interval) {
			pt->real_expires = ktime_get() + max(pt->real_interval, NSEC_PER_MSEC);
			pt->real_armed = true;
			timer_start(&pt->real, pt->real_expires);
		}
	}
	spin_unlock_irq(&p->lock, flags);
}

struct process_timers *
timers_get(struct process *p)
{
	struct process_timers *pt = READ_ONCE(p->timers);
	unsigned long flags;

	if (pt)
		return pt;
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt)
		return NULL;
	pt->process = p;
	timer_init(&pt->real, real_fire);
	flags = spin_lock_irq(&p->lock);
	if (!p->timers) {
		p->timers = pt;
		pt = NULL;
	}
	spin_unlock_irq(&p->lock, flags);
	kfree(pt);
	return p->timers;
}

void
timers_exec(struct process *p)
{
	/* Interval timers go on in the new program. */
	if (p->timers)
		posix_timers_delete_all(p);
}

void
timers_exit(struct process *p)
{
	struct process_timers *pt = p->timers;
	unsigned long flags;

	if (!pt)
		return;
	posix_timers_delete_all(p);
	flags = spin_lock_irq(&p->lock);
	pt->real_armed = false;
	pt->real_interval = 0;
	pt->cpu_armed = 0;
	spin_unlock_irq(&p->lock, flags);
	timer_cancel_sync(&pt->real);
}

void
timers_free(struct process *p)
{
	struct process_timers *pt = p->timers;

	p->timers = NULL;
	if (pt)
		kfree(rcu_locked(pt->table));
	kfree(pt);
}

/* --- CPU time --- */

u64
cpu_clock_task(struct task *t, enum cpu_clock clock)
{
	u64 utime, stime;

	if (clock == CPU_CLOCK_SCHED)
		return task_runtime(t);
	task_cputime(t, &utime, &stime);
	return clock == CPU_CLOCK_VIRT ? utime : utime + stime;
}

u64
cpu_clock_process(struct process *p, enum cpu_clock clock)
{
	u64 sum = clock == CPU_CLOCK_VIRT ? p->utime : p->utime + p->stime;
	struct task *t;

	for_each_thread(p, t)
		if (!t->exited)
			sum += cpu_clock_task(t, clock);
	return sum;
}

static void
itimer_tick(struct process_timers *pt, struct itimer *it, u64 now, int sig)
{
	if (!it->expires || now < it->expires)
		return;
	if (it->interval) {
		it->expires += it->interval;
		if (it->expires <= now)
			it->expires = now + it->interval;
	} else {
		it->expires = 0;
		pt->cpu_armed--;
	}
	signal_send_locked(pt->process, NULL, sig, NULL);
}

/* The soft limit sends SIGXCPU, once a second from then on; the hard one kills. */
static void
cpu_limit_tick(struct process *p, struct rlimit *r)
{
	u64 sec = cpu_clock_process(p, CPU_CLOCK_PROF) / NSEC_PER_SEC;

	if (r->max != RLIM_INFINITY && sec >= max(r->max, 1UL)) {
		signal_send_locked(p, NULL, SIGKILL, NULL);
	} else if (sec >= max(r->cur, 1UL)) {
		signal_send_locked(p, NULL, SIGXCPU, NULL);
		if (r->cur < r->max)
			WRITE_ONCE(r->cur, max(r->cur, 1UL) + 1);
	}
}

void
task_tick(struct task *t, bool user)
{
	struct process *p = t->process;
	struct process_timers *pt = READ_ONCE(p->timers);
	struct rlimit *limit = &p->rlim[RLIMIT_CPU];
	bool armed = pt && READ_ONCE(pt->cpu_armed);
	unsigned long flags;

	if (likely(!armed && READ_ONCE(limit->cur) == RLIM_INFINITY))
		return;
	flags = spin_lock_irq(&p->lock);
	pt = p->timers;
	if (pt && pt->cpu_armed) {
		if (pt->virt.expires)
			itimer_tick(pt, &pt->virt, cpu_clock_process(p, CPU_CLOCK_VIRT), SIGVTALRM);
		if (pt->prof.expires)
			itimer_tick(pt, &pt->prof, cpu_clock_process(p, CPU_CLOCK_PROF), SIGPROF);
		posix_timers_tick(pt);
	}
	if (limit->cur != RLIM_INFINITY && p->live)
		cpu_limit_tick(p, limit);
	spin_unlock_irq(&p->lock, flags);
}

/* --- reading and setting; times in ns --- */

void
itimer_real_rearm(struct process *p)
{
	struct process_timers *pt = p->timers;
	u64 now = ktime_get();

	if (pt->real_armed || !pt->real_interval)
		return;
	pt->real_expires += pt->real_interval;
	/* As many as were missed are skipped. */
	if (pt->real_expires <= now)
		pt->real_expires +=
			((now - pt->real_expires) / pt->real_interval + 1) * pt->real_interval;
	pt->real_armed = true;
	timer_start(&pt->real, pt->real_expires);
}

static struct itimer
real_get(const struct process_timers *pt)
{
	struct itimer it = {.interval = pt->real_interval};
	u64 now = ktime_get();

	if (pt->real_armed || pt->real_interval)
		it.expires = pt->real_expires > now ? pt->real_expires - now : NSEC_PER_USEC;
	return it;
}

static struct itimer
cpu_get(const struct itimer *it, u64 now)
{
	struct itimer r = {.interval = it->interval};

	if (it->expires)
		r.expires = it->expires > now ? it->expires - now : NSEC_PER_USEC;
	return r;
}

/* Sets *which to `new` (NULL: only looks) and returns what was. p->lock is held. */
static struct itimer
itimer_exchange(struct process_timers *pt, int which, const struct itimer *new)
{
	enum cpu_clock clock = which == ITIMER_VIRTUAL ? CPU_CLOCK_VIRT : CPU_CLOCK_PROF;
	struct itimer *it = which == ITIMER_VIRTUAL ? &pt->virt : &pt->prof;
	struct itimer old;
	u64 now;

	if (which == ITIMER_REAL) {
		old = real_get(pt);
		if (!new)
			return old;
		timer_cancel(&pt->real);
		pt->real_interval = new->expires ? new->interval : 0;
		pt->real_armed = new->expires != 0;
		if (pt->real_armed) {
			pt->real_expires = deadline_after(new->expires);
			timer_start(&pt->real, pt->real_expires);
		}
		return old;
	}
	now = cpu_clock_process(pt->process, clock);
	old = cpu_get(it, now);
	if (new) {
		pt->cpu_armed += !!new->expires - !!it->expires;
		it->interval = new->interval;
		it->expires = new->expires ? sat_add_u64(now, new->expires) : 0;
	}
	return old;
}

static int
itimer_do(int which, const struct itimer *new, struct itimer *old)
{
	struct process *p = current->process;
	struct process_timers *pt;
	unsigned long flags;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	*old = (struct itimer){};
	if (!p->timers && (!new || !new->expires))
		return 0;
	pt = timers_get(p);
	if (!pt)
		return -ENOMEM;
	flags = spin_lock_irq(&p->lock);
	*old = itimer_exchange(pt, which, new);
	spin_unlock_irq(&p->lock, flags);
	return 0;
}

/* --- system calls --- */

static int
put_itimer(struct itimerval __user *uv, const struct itimer *it)
{
	struct itimerval v = {
		.interval_sec = it->interval / NSEC_PER_SEC,
		.interval_usec = it->interval % NSEC_PER_SEC / NSEC_PER_USEC,
		.value_sec = it->expires / NSEC_PER_SEC,
		.value_usec = it->expires % NSEC_PER_SEC / NSEC_PER_USEC,
	};

	return copy_to_user(uv, &v, sizeof(v));
}

static int
get_time(u64 *ns, s64 sec, s64 usec)
{
	if (sec < 0 || usec < 0 || usec >= 1000000)
		return -EINVAL;
	*ns = sat_add_u64(sat_mul_u64(sec, NSEC_PER_SEC), usec * NSEC_PER_USEC);
	return 0;
}

long
sys_getitimer(int which, struct itimerval __user *uv)
{
	struct itimer old;
	int err = itimer_do(which, NULL, &old);

	return err ? err : put_itimer(uv, &old);
}

long
sys_setitimer(int which, const struct itimerval __user *uv, struct itimerval __user *uold)
{
	struct itimer new = {}, old;
	struct itimerval v;
	int err;

	/* Without a value it stops the timer (Linux allows it). */
	if (uv) {
		if (copy_from_user(&v, uv, sizeof(v)))
			return -EFAULT;
		if (get_time(&new.interval, v.interval_sec, v.interval_usec) ||
		    get_time(&new.expires, v.value_sec, v.value_usec))
			return -EINVAL;
	}
	err = itimer_do(which, &new, &old);
	if (err || !uold)
		return err;
	return put_itimer(uold, &old);
}

long
sys_alarm(unsigned int sec)
{
	struct itimer new = {.expires = sec * NSEC_PER_SEC}, old;
	int err = itimer_do(ITIMER_REAL, &new, &old);

	if (err)
		return err;
	/* Never 0 while an alarm was pending. */
	if (old.expires && old.expires < NSEC_PER_SEC / 2)
		return 1;
	return (old.expires + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
}
