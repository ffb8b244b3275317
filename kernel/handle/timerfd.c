/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timerfd: expirations of a timer counted by a handle (timerfd_create(2)).
 *
 * Timers on the real clock are kept as a time of that clock; when it is set
 * (clock_was_set) a reader or poller finds out by the generation, and one made
 * with TFD_TIMER_CANCEL_ON_SET gets -ECANCELED.
 */
#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/clock_impl.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2

struct timerfd {
	struct timer timer;
	struct waitq wait;
	/* (wait.lock)  expirations not read yet */
	u64 ticks;
	/* (wait.lock)  monotonic ns of the next one, 0: disarmed; period, 0: once */
	u64 next, interval;
	int clock;
	/* (wait.lock)  TFD_TIMER_CANCEL_ON_SET: generation of the real clock at the setting */
	bool cancel_on_set;
	u32 generation;
	int settime_flags;
};

static bool
is_real(const struct timerfd *t)
{
	return t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
}

/* Counts what is due at `now` and moves next behind it. Lock held. */
static void
catch_up(struct timerfd *t, u64 now)
{
	u64 n;

	if (!t->next || t->next > now)
		return;
	if (!t->interval) {
		t->ticks++;
		t->next = 0;
		return;
	}
	n = (now - t->next) / t->interval + 1;
	t->ticks += n;
	t->next += n * t->interval;
}

static void
expired(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	unsigned long f = spin_lock_irq(&t->wait.lock);

	catch_up(t, ktime_get());
	/* Periodic ones start again when they are read, so an unread one costs nothing. */
	waitq_wake_locked(&t->wait, 0, POLLIN | POLLRDNORM);
	spin_unlock_irq(&t->wait.lock, f);
}

static bool
cancelled(struct timerfd *t)
{
	return t->cancel_on_set && t->generation != clock_set_generation();
}

/* 0: nothing yet; ticks; -ECANCELED. */
static s64
take_ticks(struct timerfd *t)
{
	unsigned long f = spin_lock_irq(&t->wait.lock);
	u64 next = 0;
	s64 n;

	if (cancelled(t)) {
		t->generation = clock_set_generation();
		t->ticks = 0;
		spin_unlock_irq(&t->wait.lock, f);
		return -ECANCELED;
	}
	catch_up(t, ktime_get());
	n = (s64)t->ticks;
	t->ticks = 0;
	if (n && t->interval)
		next = t->next;
	spin_unlock_irq(&t->wait.lock, f);
	if (next)
		timer_start(&t->timer, next);
	return n;
}

static s64
timerfd_read(struct file *f, struct iter *to, u64 *pos)
{
	struct timerfd *t = f->private;
	s64 n;
	int err;

	if (iter_left(to) < sizeof(n))
		return -EINVAL;
	while ((n = take_ticks(t)) == 0) {
		if (file_nonblock(f))
			return -EAGAIN;
		err = wait_event_interruptible(&t->wait, READ_ONCE(t->ticks) || cancelled(t));
		if (err)
			return err;
	}
	if (n < 0)
		return n;
	return iter_copy_to(to, &n, sizeof(n)) == sizeof(n) ? (s64)sizeof(n) : -EFAULT;
}

static u32
timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->private;

	poll_wait(f, &t->wait, pt);
	return READ_ONCE(t->ticks) || cancelled(t) ? POLLIN | POLLRDNORM : 0;
}

static void
timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;

	timer_cancel_sync(&t->timer);
	kfree(t);
}

static void
timerfd_show(struct file *f, struct seq *s)
{
	struct timerfd *t = f->private;
	u64 left = t->next ? timer_remaining(&t->timer) : 0;

	seq_printf(s, "clockid: %d\nticks: %lu\nsettime flags: 0%o\n", t->clock, t->ticks,
		   (unsigned int)t->settime_flags);
	seq_printf(s, "it_value: (%lu, %lu)\nit_interval: (%lu, %lu)\n", left / NSEC_PER_SEC,
		   left % NSEC_PER_SEC, t->interval / NSEC_PER_SEC, t->interval % NSEC_PER_SEC);
}

static const struct file_ops timerfd_ops = {
	.name = "[timerfd]",
	.read = timerfd_read,
	.plain = true,
	.seek = seek_stay,
	.poll = timerfd_poll,
	.release = timerfd_release,
	.show_fdinfo = timerfd_show,
};

long
sys_timerfd_create(int clock, int flags)
{
	struct timerfd *t;
	struct file *f;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK) ||
	    (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME &&
	     clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM))
		return -EINVAL;
	if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
	    !capable(CAP_WAKE_ALARM))
		return -EPERM;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	timer_init(&t->timer, expired);
	waitq_init(&t->wait);
	t->clock = clock;
	f = file_alloc(&timerfd_ops, FMODE_READ | FMODE_WRITE, O_RDWR | (flags & O_NONBLOCK), t);
	if (is_err(f)) {
		kfree(t);
		return ptr_err(f);
	}
	return fd_install(f, 0, flags & O_CLOEXEC);
}

/* struct itimerspec of the ABI is two timespecs: interval, value. */
static int
put_setting(struct timerfd *t, struct itimerspec __user *u)
{
	struct timespec v[2];
	unsigned long f = spin_lock_irq(&t->wait.lock);
	u64 now = ktime_get();

	catch_up(t, now);
	v[0] = ns_to_timespec(t->interval);
	v[1] = ns_to_timespec(t->next > now ? t->next - now : 0);
	spin_unlock_irq(&t->wait.lock, f);
	return copy_to_user(u, v, sizeof(v));
}

static u64
to_monotonic(const struct timerfd *t, u64 value, bool absolute)
{
	u64 off = (u64)clock_real_offset();

	if (!absolute)
		return deadline_after(value);
	if (!is_real(t))
		return max(value, 1UL);
	return value > off ? value - off : 1;
}

static void
set_timer(struct timerfd *t, u64 value, u64 interval, int flags)
{
	unsigned long f;

	timer_cancel_sync(&t->timer);
	f = spin_lock_irq(&t->wait.lock);
	t->ticks = 0;
	t->interval = interval;
	t->next = value ? to_monotonic(t, value, flags & TFD_TIMER_ABSTIME) : 0;
	t->cancel_on_set =
		is_real(t) && flags & TFD_TIMER_ABSTIME && flags & TFD_TIMER_CANCEL_ON_SET;
	t->generation = clock_set_generation();
	t->settime_flags = flags;
	value = t->next;
	spin_unlock_irq(&t->wait.lock, f);
	if (value)
		timer_start(&t->timer, value);
}

static struct timerfd *
get_timerfd(struct fdref r)
{
	return r.file && r.file->ops == &timerfd_ops ? r.file->private : NULL;
}

long
sys_timerfd_settime(int fd, int flags, const struct itimerspec __user *u,
		    struct itimerspec __user *old)
{
	struct timespec v[2];
	struct timerfd *t;
	struct fdref r;
	long ret = 0;

	if (copy_from_user(v, u, sizeof(v)))
		return -EFAULT;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || !timespec_valid(&v[0]) ||
	    !timespec_valid(&v[1]))
		return -EINVAL;
	r = fd_get((unsigned int)fd);
	if (!r.file)
		return -EBADF;
	t = get_timerfd(r);
	if (!t)
		ret = -EINVAL;
	else if (old && put_setting(t, old))
		ret = -EFAULT;
	else
		set_timer(t, timespec_to_ns(&v[1]), timespec_to_ns(&v[0]), flags);
	fd_put(r);
	return ret;
}

long
sys_timerfd_gettime(int fd, struct itimerspec __user *u)
{
	struct fdref r = fd_get((unsigned int)fd);
	struct timerfd *t = get_timerfd(r);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = t ? put_setting(t, u) : -EINVAL;
	fd_put(r);
	return ret;
}
