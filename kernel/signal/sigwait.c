/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for signals: rt_sigtimedwait(2), rt_sigsuspend(2), pause(2). */
#include "kernel/signal/signal_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* While we sleep the wanted signals are unblocked, so that their senders wake us. */
static int
wait_for_signal(sigset_t want, struct siginfo *info, u64 deadline)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	int sig = signal_dequeue_locked(~want, info);
	int err;

	if (sig || deadline == 0) {
		signal_recalc(t);
		spin_unlock_irq(&p->lock, flags);
		return sig ? sig : -EAGAIN;
	}
	WRITE_ONCE(t->signals.real_blocked, t->signals.blocked);
	WRITE_ONCE(t->signals.blocked, t->signals.blocked & ~want);
	signal_recalc(t);
	park_prepare(PARK_INTERRUPTIBLE);
	spin_unlock_irq(&p->lock, flags);
	err = park(deadline);
	flags = spin_lock_irq(&p->lock);
	WRITE_ONCE(t->signals.blocked, t->signals.real_blocked);
	WRITE_ONCE(t->signals.real_blocked, 0);
	sig = signal_dequeue_locked(~want, info);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
	if (sig)
		return sig;
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

long
sys_rt_sigtimedwait(const u64 __user *uset, struct siginfo __user *uinfo,
		    const struct timespec __user *uts, size_t size)
{
	struct siginfo info;
	u64 deadline = NO_DEADLINE, ns;
	sigset_t set;
	int ret;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (get_user(set, uset))
		return -EFAULT;
	if (uts) {
		ret = get_user_timespec(&ns, uts);
		if (ret)
			return ret;
		deadline = ns ? deadline_after(ns) : 0;
	}
	ret = wait_for_signal(set & ~SIG_UNBLOCKABLE, &info, deadline);
	if (ret > 0 && uinfo && copy_to_user(uinfo, &info, sizeof(info)))
		return -EFAULT;
	return ret;
}

static long
sleep_for_handler(void)
{
	while (!signal_pending()) {
		park_prepare(PARK_INTERRUPTIBLE);
		park(NO_DEADLINE);
	}
	return -ERESTARTNOHAND;
}

long
sys_pause(void)
{
	return sleep_for_handler();
}

long
sys_rt_sigsuspend(const u64 __user *uset, size_t size)
{
	struct task *t = current;
	sigset_t set;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (get_user(set, uset))
		return -EFAULT;
	t->signals.saved_mask = t->signals.blocked;
	signal_set_blocked(set);
	sleep_for_handler();
	/* The handler runs under the temporary mask; the old one comes back behind it. */
	atomic_or(&t->work, WORK_RESTORE_MASK);
	return -ERESTARTNOHAND;
}
