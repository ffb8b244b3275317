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
 * Locking: process->lock for all fields and the table; see task/itimer.c about
 * interrupts that come late.
 */
#include "kernel/task/timers_impl.h"

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
#define SIGEV_MASK (SIGEV_NONE | SIGEV_THREAD | SIGEV_THREAD_ID)

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

/* Now, on the timer's clock. p->lock is held. */
static u64
timer_now(const struct posix_timer *t)
{
	if (t->cpu)
		return t->cpu_task ? cpu_clock_task(t->cpu_task, t->cpu_clock)
				   : cpu_clock_process(t->process, t->cpu_clock);
	return ktime_get() + (u64)clock_ahead(t->clock);
}

/* Starts what will notice the expiry. p->lock is held. */
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

/* --- expiry; p->lock is held --- */

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

	if (t->active && !t->rearm) {
		if (timer_now(t) >= t->expires)
			timer_expire(t);
		else if (!timer_pending(timer))
			timer_arm(t);
	}
	spin_unlock_irq(&p->lock, flags);
}

void
posix_timers_tick(struct process_timers *pt)
{
	for (u32 i = 0; i < pt->size && pt->cpu_armed; i++) {
		struct posix_timer *t = pt->table[i];

		if (t && t->cpu && t->active && !t->rearm && t->notify != SIGEV_NONE &&
		    timer_now(t) >= t->expires)
			timer_expire(t);
	}
}

static struct posix_timer *
find_locked(struct process *p, int id)
{
	struct process_timers *pt = p->timers;

	return pt && id >= 0 && (u32)id < pt->size ? pt->table[id] : NULL;
}

static s32
overrun_shown(u64 n)
{
	return n > INT32_MAX ? INT32_MAX : (s32)n;
}

void
posix_timer_rearm(struct process *p, struct siginfo *info)
{
	struct posix_timer *t = find_locked(p, info->timer_id);
	u64 n;

	if (t && t->generation == info->timer_private) {
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
	/* For the kernel's eyes only. */
	info->timer_private = 0;
}

/* --- making --- */

static int
cpu_clock_parse(struct posix_timer *t, s32 clock)
{
	s32 pid = CPUCLOCK_PID(clock);
	struct task *task;

	t->cpu = true;
	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		t->cpu_clock = CPU_CLOCK_SCHED;
		if (clock == CLOCK_THREAD_CPUTIME_ID)
			t->cpu_task = task_get(current);
		return 0;
	}
	if ((clock & CPUCLOCK_MASK) > CPUCLOCK_SCHED)
		return -EINVAL;
	t->cpu_clock = (enum cpu_clock)(clock & CPUCLOCK_MASK);
	if (!(clock & CPUCLOCK_PERTHREAD))
		return pid == 0 || pid == current->process->tgid ? 0 : -EINVAL;
	task = pid ? task_find_get(pid) : task_get(current);
	if (!task)
		return -EINVAL;
	t->cpu_task = task;
	return task->process == current->process ? 0 : -EINVAL;
}

static int
clock_parse(struct posix_timer *t, s32 clock)
{
	t->clock = clock;
	if (clock < 0)
		return cpu_clock_parse(t, clock);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return cpu_clock_parse(t, clock);
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static int
event_parse(struct posix_timer *t, const struct sigevent *ev)
{
	struct task *target;

	t->notify = ev->notify;
	t->signo = ev->signo;
	t->value = ev->value;
	if (ev->notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID)) {
		target = task_find_get(ev->tid);
		if (!target)
			return -EINVAL;
		t->target = target;
		if (target->process != current->process)
			return -EINVAL;
	} else if (ev->notify & ~(SIGEV_NONE | SIGEV_THREAD) ||
		   ev->notify == (SIGEV_NONE | SIGEV_THREAD)) {
		return -EINVAL;
	}
	if (ev->notify != SIGEV_NONE && (ev->signo < 1 || ev->signo > NSIG))
		return -EINVAL;
	return 0;
}

static void
timer_free(struct posix_timer *t)
{
	if (t->queue)
		signal_queue_free(t->process, t->queue);
	if (t->target)
		task_put(t->target);
	if (t->cpu_task)
		task_put(t->cpu_task);
	kfree(t);
}

static struct posix_timer *
timer_make(s32 clock, const struct sigevent *ev)
{
	struct posix_timer *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return err_ptr(-EAGAIN);
	t->process = current->process;
	timer_init(&t->timer, timer_fire);
	err = clock_parse(t, clock);
	if (!err)
		err = event_parse(t, ev);
	if (!err) {
		t->queue = signal_queue_alloc();
		err = t->queue ? 0 : -EAGAIN;
	}
	if (err) {
		timer_free(t);
		return err_ptr(err);
	}
	return t;
}

/* Puts t into the table if there is a free place; its id or -1. p->lock is held. */
static s32
table_add(struct process_timers *pt, struct posix_timer *t)
{
	for (u32 i = 0; i < pt->size; i++) {
		u32 id = (pt->next_id + i) % pt->size;

		/* Ids rise until the table is full, as on Linux, where nothing ends them. */
		if (pt->table[id])
			continue;
		pt->table[id] = t;
		pt->count++;
		pt->next_id = id + 1;
		t->id = id;
		return id;
	}
	return -1;
}

static s32
timer_install(struct process_timers *pt, struct posix_timer *t)
{
	struct process *p = pt->process;
	struct posix_timer **bigger, **old;
	unsigned long flags = spin_lock_irq(&p->lock);
	s32 id;

	while ((id = table_add(pt, t)) < 0) {
		u32 size = pt->size ? pt->size * 2 : TABLE_MIN;

		spin_unlock_irq(&p->lock, flags);
		bigger = kcalloc(size, sizeof(*bigger), GFP_KERNEL);
		if (!bigger)
			return -EAGAIN;
		flags = spin_lock_irq(&p->lock);
		old = bigger;
		if (pt->size < size) {
			for (u32 i = 0; i < pt->size; i++)
				bigger[i] = pt->table[i];
			old = pt->table;
			pt->next_id = pt->size;
			pt->table = bigger;
			pt->size = size;
		}
		spin_unlock_irq(&p->lock, flags);
		kfree(old);
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
	struct posix_timer *t = find_locked(p, id);

	if (t) {
		timer_disarm(t);
		p->timers->table[id] = NULL;
		p->timers->count--;
	}
	spin_unlock_irq(&p->lock, flags);
	return t;
}

static void
timer_destroy(struct posix_timer *t)
{
	timer_cancel_sync(&t->timer);
	timer_free(t);
}

void
posix_timers_delete_all(struct process *p)
{
	struct process_timers *pt = p->timers;

	for (u32 i = 0; pt->count && i < pt->size; i++) {
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
	t = timer_make(clock, &ev);
	if (is_err(t))
		return ptr_err(t);
	id = timer_install(pt, t);
	if (id < 0) {
		timer_free(t);
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

/* value and interval as timer_gettime() shows them. p->lock is held. */
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
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = find_locked(p, id);
	struct itimer it = {};

	if (t)
		it = timer_show(t);
	spin_unlock_irq(&p->lock, flags);
	return t ? put_itimerspec(uv, &it) : -EINVAL;
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
	struct process *p = current->process;
	struct itimer new, old = {};
	struct posix_timer *t;
	unsigned long irq;
	int err;

	if (!uv)
		return -EINVAL;
	err = get_itimerspec(&new, uv);
	if (err)
		return err;
	irq = spin_lock_irq(&p->lock);
	t = find_locked(p, id);
	if (t) {
		old = timer_show(t);
		timer_set(t, &new, flags & TIMER_ABSTIME);
	}
	spin_unlock_irq(&p->lock, irq);
	if (!t)
		return -EINVAL;
	return uold ? put_itimerspec(uold, &old) : 0;
}

long
sys_timer_getoverrun(int id)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	struct posix_timer *t = find_locked(p, id);
	long ret = t ? t->overrun_last : -EINVAL;

	spin_unlock_irq(&p->lock, flags);
	return ret;
}
