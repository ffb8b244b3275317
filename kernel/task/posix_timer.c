/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX timers (timer_create(2)).
 *
 * Model: a timer counts on a wall clock (then it is a timer of kernel/time) or
 * on CPU time (then the tick looks at it). When it expires it sends its one
 * signal and, if it has an interval, waits until that was taken; the
 * expirations in between are its overrun.
 *
 * Ownership: the process; deleted by timer_delete(2), exec and exit.
 *
 * Locking: a timer has a lock of its own, since threads set different timers at
 * the same time. process->lock, taken first, covers changes of the table, sending
 * the signal and taking it, and all that is done to timers on CPU time, which the
 * process counts. A timer is found by id under RCU; who finds it looks at `gone`
 * under its lock. See task/itimer.c about interrupts that come late.
 */
#include "kernel/task/timers_impl.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "lib/sat.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define TABLE_MIN 8

/* --- clocks --- */

static bool
clock_is_real(s32 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_TAI;
}

/* How far the clock is ahead of monotonic time. */
static s64
clock_ahead(s32 clock)
{
	if (!clock_is_real(clock))
		return 0;
	return clock_real_offset() + (clock == CLOCK_TAI ? clock_tai_offset() : 0);
}

/* Now, on the timer's clock. Locked, as posix_timer_lock() does it. */
static u64
timer_now(const struct posix_timer *t)
{
	if (t->cpu)
		return t->cpu_task ? cpu_clock_task(t->cpu_task, t->cpu_clock)
				   : cpu_clock_process(t->process, t->cpu_clock);
	return ktime_get() + (u64)clock_ahead(t->clock);
}

/* Starts what will notice the expiry. Locked. */
static void
timer_arm(struct posix_timer *t)
{
	s64 offset = clock_ahead(t->clock);

	if (t->notify == SIGEV_NONE)
		return;
	if (t->cpu)
		t->process->timers->cpu_armed++;
	else
		timer_start(&t->timer, offset > (s64)t->expires ? 0 : t->expires - offset);
}

static void
timer_disarm(struct posix_timer *t)
{
	if (t->notify != SIGEV_NONE && t->active && !t->rearm) {
		if (t->cpu)
			t->process->timers->cpu_armed--;
		else
			timer_cancel(&t->timer);
	}
	t->active = false;
	t->rearm = false;
}

/* Moves expires behind now; the number of intervals passed. */
static u64
timer_forward(struct posix_timer *t, u64 now)
{
	u64 n;

	if (!t->interval || now < t->expires)
		return 0;
	n = (now - t->expires) / t->interval + 1;
	t->expires = sat_add_u64(t->expires, sat_mul_u64(n, t->interval));
	return n;
}

/* --- expiry; p->lock and t->lock are held --- */

static void
timer_expire(struct posix_timer *t)
{
	struct siginfo info = {.signo = t->signo, .code = SI_TIMER};
	int ret;

	info.timer_id = t->id;
	info.timer_value = t->value;
	info.timer_private = t->generation;
	if (t->cpu)
		t->process->timers->cpu_armed--;
	t->rearm = t->interval != 0;
	t->active = t->rearm;
	ret = signal_queue_send_locked(t->queue, t->process, t->target, &info);
	/* Ignored: nobody will take it, so the timer goes on by itself, at the tick's pace. */
	if (ret && t->rearm) {
		t->interval = max(t->interval, 1UL);
		timer_forward(t, sat_add_u64(timer_now(t), NSEC_PER_MSEC));
		t->rearm = false;
		timer_arm(t);
	}
}

static void
timer_fire(struct timer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	spin_lock(&t->lock);
	if (t->active && !t->rearm) {
		if (timer_now(t) >= t->expires)
			timer_expire(t);
		else if (!timer_pending(timer))
			timer_arm(t);
	}
	spin_unlock(&t->lock);
	spin_unlock_irq(&p->lock, flags);
}

static bool
cpu_timer_due(struct posix_timer *t)
{
	return t->active && !t->rearm && t->notify != SIGEV_NONE && timer_now(t) >= t->expires;
}

void
posix_timers_tick(struct process_timers *pt)
{
	struct timer_table *table = rcu_locked(pt->table);

	for (u32 i = 0; table && i < table->size && pt->cpu_armed; i++) {
		struct posix_timer *t = rcu_locked(table->slot[i]);

		if (!t || !t->cpu)
			continue;
		spin_lock(&t->lock);
		if (cpu_timer_due(t))
			timer_expire(t);
		spin_unlock(&t->lock);
	}
}

/* Inside an RCU section or with p->lock held; then NULL is sure. */
static struct posix_timer *
posix_timer_find(struct process *p, int id)
{
	struct process_timers *pt = READ_ONCE(p->timers);
	struct timer_table *table = pt ? rcu_load(pt->table) : NULL;

	return table && id >= 0 && (u32)id < table->size ? rcu_load(table->slot[id]) : NULL;
}

static void
posix_timer_unlock(struct posix_timer *t, unsigned long flags)
{
	spin_unlock(&t->lock);
	if (t->cpu)
		spin_unlock(&t->process->lock);
	irq_restore(flags);
}

/* The timer, locked, interrupts off; NULL: no such timer. */
static struct posix_timer *
posix_timer_lock(struct process *p, int id, unsigned long *flags)
{
	struct posix_timer *t;

	/* Keeps t allocated until it is unlocked. */
	*flags = irq_save();
	t = posix_timer_find(p, id);
	if (!t) {
		irq_restore(*flags);
		return NULL;
	}
	if (t->cpu)
		spin_lock(&p->lock);
	spin_lock(&t->lock);
	if (!t->gone)
		return t;
	posix_timer_unlock(t, *flags);
	return NULL;
}

static s32
overrun_shown(u64 n)
{
	return n > INT32_MAX ? INT32_MAX : (s32)n;
}

static void
signal_taken(struct posix_timer *t, struct siginfo *info)
{
	u64 n;

	if (t->rearm) {
		n = timer_forward(t, timer_now(t));
		t->overrun += n ? n - 1 : 0;
		t->rearm = false;
		timer_arm(t);
	}
	t->overrun_last = overrun_shown(t->overrun + (u32)info->overrun);
	t->overrun = 0;
	info->overrun = t->overrun_last;
}

void
posix_timer_rearm(struct process *p, struct siginfo *info)
{
	struct posix_timer *t = posix_timer_find(p, info->timer_id);

	if (t) {
		spin_lock(&t->lock);
		if (t->generation == info->timer_private)
			signal_taken(t, info);
		spin_unlock(&t->lock);
	}
	/* For the kernel's eyes only. */
	info->timer_private = 0;
}

/* --- the table --- */

/* Puts t into the table if there is a free place; its id or -1. p->lock is held. */
static s32
table_add(struct process_timers *pt, struct posix_timer *t)
{
	struct timer_table *table = rcu_locked(pt->table);

	for (u32 i = 0; table && i < table->size; i++) {
		u32 id = (pt->next_id + i) % table->size;

		/* Ids rise until the table is full, as on Linux, where nothing ends them. */
		if (rcu_locked(table->slot[id]))
			continue;
		t->id = id;
		rcu_publish(table->slot[id], t);
		pt->count++;
		pt->next_id = id + 1;
		return id;
	}
	return -1;
}

/* Makes `bigger` the table unless somebody was faster; what to free. p->lock is held. */
static struct timer_table *
table_replace(struct process_timers *pt, struct timer_table *bigger)
{
	struct timer_table *old = rcu_locked(pt->table);
	u32 size = old ? old->size : 0;

	if (size >= bigger->size)
		return bigger;
	for (u32 i = 0; i < size; i++)
		rcu_publish(bigger->slot[i], rcu_locked(old->slot[i]));
	pt->next_id = size;
	rcu_publish(pt->table, bigger);
	return old;
}

static s32
timer_install(struct process_timers *pt, struct posix_timer *t)
{
	struct process *p = pt->process;
	struct timer_table *bigger, *old;
	unsigned long flags = spin_lock_irq(&p->lock);
	s32 id;

	while ((id = table_add(pt, t)) < 0) {
		u32 size = rcu_locked(pt->table) ? rcu_locked(pt->table)->size * 2 : TABLE_MIN;

		spin_unlock_irq(&p->lock, flags);
		bigger = kzalloc(sizeof(*bigger) + size * sizeof(bigger->slot[0]), GFP_KERNEL);
		if (!bigger)
			return -EAGAIN;
		bigger->size = size;
		flags = spin_lock_irq(&p->lock);
		old = table_replace(pt, bigger);
		spin_unlock_irq(&p->lock, flags);
		if (old)
			kfree_rcu(old, rcu);
		flags = spin_lock_irq(&p->lock);
	}
	spin_unlock_irq(&p->lock, flags);
	return id;
}

/* Takes t out of the table; NULL: no such timer. */
static struct posix_timer *
timer_uninstall(struct process *p, int id)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = posix_timer_find(p, id);

	if (t) {
		spin_lock(&t->lock);
		timer_disarm(t);
		t->gone = true;
		spin_unlock(&t->lock);
		rcu_publish(rcu_locked(p->timers->table)->slot[id], NULL);
		p->timers->count--;
	}
	spin_unlock_irq(&p->lock, flags);
	return t;
}

static void
timer_destroy(struct posix_timer *t)
{
	timer_cancel_sync(&t->timer);
	posix_timer_free(t);
}

void
posix_timers_delete_all(struct process *p)
{
	struct process_timers *pt = p->timers;

	/* Who could replace the table is we, or has begun to exit. */
	for (u32 i = 0; pt->count && i < rcu_locked(pt->table)->size; i++) {
		struct posix_timer *t = timer_uninstall(p, i);

		if (t)
			timer_destroy(t);
	}
}

/* --- system calls --- */

long
sys_timer_create(int clock, struct sigevent __user *uev, int __user *uid)
{
	struct sigevent ev = {.notify = SIGEV_SIGNAL, .signo = SIGALRM};
	struct process_timers *pt;
	struct posix_timer *t;
	s32 id;

	if (uev && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	pt = timers_get(current->process);
	if (!pt)
		return -EAGAIN;
	t = posix_timer_make(clock, &ev, timer_fire);
	if (is_err(t))
		return ptr_err(t);
	id = timer_install(pt, t);
	if (id < 0) {
		posix_timer_free(t);
		return id;
	}
	if (!uev)
		t->value = id;
	if (put_user(id, uid)) {
		t = timer_uninstall(current->process, id);
		if (t)
			timer_destroy(t);
		return -EFAULT;
	}
	return 0;
}

long
sys_timer_delete(int id)
{
	struct posix_timer *t = timer_uninstall(current->process, id);

	if (!t)
		return -EINVAL;
	timer_destroy(t);
	return 0;
}

/* value and interval as timer_gettime() shows them. Locked. */
static struct itimer
timer_show(struct posix_timer *t)
{
	struct itimer it = {.interval = t->interval};
	u64 now;

	if (!t->active)
		return it;
	now = timer_now(t);
	if (t->interval && (t->rearm || t->notify == SIGEV_NONE)) {
		u64 n = timer_forward(t, now);

		t->overrun += t->rearm ? n : 0;
	}
	if (t->expires > now)
		it.expires = t->expires - now;
	else if (t->notify != SIGEV_NONE)
		it.expires = 1;
	return it;
}

static int
put_itimerspec(struct itimerspec __user *uv, const struct itimer *it)
{
	struct itimerspec v = {
		.interval_sec = it->interval / NSEC_PER_SEC,
		.interval_nsec = it->interval % NSEC_PER_SEC,
		.value_sec = it->expires / NSEC_PER_SEC,
		.value_nsec = it->expires % NSEC_PER_SEC,
	};

	return copy_to_user(uv, &v, sizeof(v));
}

static int
get_itimerspec(struct itimer *it, const struct itimerspec __user *uv)
{
	struct itimerspec v;
	struct timespec interval, value;

	if (copy_from_user(&v, uv, sizeof(v)))
		return -EFAULT;
	interval = (struct timespec){v.interval_sec, v.interval_nsec};
	value = (struct timespec){v.value_sec, v.value_nsec};
	if (!timespec_valid(&interval) || !timespec_valid(&value))
		return -EINVAL;
	it->interval = timespec_to_ns(&interval);
	it->expires = timespec_to_ns(&value);
	return 0;
}

long
sys_timer_gettime(int id, struct itimerspec __user *uv)
{
	unsigned long flags;
	struct posix_timer *t = posix_timer_lock(current->process, id, &flags);
	struct itimer it;

	if (!t)
		return -EINVAL;
	it = timer_show(t);
	posix_timer_unlock(t, flags);
	return put_itimerspec(uv, &it);
}

static void
timer_set(struct posix_timer *t, const struct itimer *new, bool absolute)
{
	timer_disarm(t);
	t->generation++;
	t->overrun = 0;
	t->overrun_last = 0;
	t->interval = new->interval;
	t->expires = new->expires;
	if (!new->expires)
		return;
	if (!absolute)
		t->expires = sat_add_u64(timer_now(t), new->expires);
	t->active = true;
	timer_arm(t);
}

long
sys_timer_settime(int id, int flags, const struct itimerspec __user *uv,
		  struct itimerspec __user *uold)
{
	struct itimer new, old;
	struct posix_timer *t;
	unsigned long irq;
	int err;

	if (!uv)
		return -EINVAL;
	err = get_itimerspec(&new, uv);
	if (err)
		return err;
	t = posix_timer_lock(current->process, id, &irq);
	if (!t)
		return -EINVAL;
	old = timer_show(t);
	timer_set(t, &new, flags & TIMER_ABSTIME);
	posix_timer_unlock(t, irq);
	return uold ? put_itimerspec(uold, &old) : 0;
}

long
sys_timer_getoverrun(int id)
{
	unsigned long flags;
	struct posix_timer *t = posix_timer_lock(current->process, id, &flags);
	long ret;

	if (!t)
		return -EINVAL;
	ret = t->overrun_last;
	posix_timer_unlock(t, flags);
	return ret;
}
