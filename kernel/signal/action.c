/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process does with signals: rt_sigaction(2), masks, alternate stacks,
 * and their fate at fork and exec.
 *
 * Locking: each action has a sequence count of its own (signal_task.h), so that
 * threads that set different signals write no line in common; the table of a
 * process stays while its process->lock is held or one of its threads looks.
 * A mask is written by its task, and under process->lock if a signal is pending.
 *
 * Ordering:
 *      sys_rt_sigaction                signal_send_locked
 *      handler = SIG_IGN               process->lock is taken
 *      process->lock is taken          handler is read, signal is queued
 *      the signal is flushed           process->lock is released
 *      Who queues before the flush has it flushed, who comes behind sees SIG_IGN.
 */
#include "kernel/signal/signal_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

static struct slab_cache *sighand_cache;

void __init
signal_init(void)
{
	sighand_cache = slab_cache_create("sighand", sizeof(struct sighand), CACHE_LINE, 0);
	signal_queue_init();
}

/* --- tables --- */

struct sighand *
sighand_alloc(void)
{
	struct sighand *s = slab_alloc(sighand_cache, GFP_KERNEL | GFP_ZERO);

	if (!s)
		return NULL;
	s->refs = 1;
	return s;
}

struct sighand *
sighand_get(struct sighand *s)
{
	atomic_inc(&s->refs);
	return s;
}

void
sighand_put(struct sighand *s)
{
	if (atomic_dec_and_test(&s->refs))
		slab_free(sighand_cache, s);
}

/* Excludes other writers and makes readers wait. */
static unsigned long
action_lock(struct signal_action *a)
{
	unsigned long flags = irq_save();
	u32 seq = READ_ONCE(a->seq.seq);

	while ((seq & 1) || !atomic_try_cmpxchg(&a->seq.seq, &seq, seq + 1)) {
		cpu_relax();
		seq = READ_ONCE(a->seq.seq);
	}
	return flags;
}

static void
action_unlock(struct signal_action *a, unsigned long flags)
{
	seq_write_end(&a->seq);
	irq_restore(flags);
}

static void
action_load(const struct signal_action *a, struct sigaction *sa)
{
	sa->handler = READ_ONCE(a->handler);
	sa->flags = READ_ONCE(a->flags);
	sa->restorer = READ_ONCE(a->restorer);
	sa->mask = READ_ONCE(a->mask);
}

/* All of it at once; meanwhile it may be written. */
static void
action_read(const struct signal_action *a, struct sigaction *sa)
{
	u32 seq;

	do {
		seq = seq_read_begin(&a->seq);
		action_load(a, sa);
	} while (seq_read_retry(&a->seq, seq));
}

/* It is locked, or nobody else uses the table. */
static void
action_write(struct signal_action *a, const struct sigaction *sa)
{
	WRITE_ONCE(a->handler, sa->handler);
	WRITE_ONCE(a->flags, (u32)sa->flags);
	WRITE_ONCE(a->restorer, sa->restorer);
	WRITE_ONCE(a->mask, sa->mask);
}

void
sighand_get_action(struct process *p, int sig, struct sigaction *sa)
{
	action_read(sighand_slot(p->signals.sighand, sig), sa);
}

unsigned long
sighand_handler(struct process *p, int sig)
{
	return sighand_slot_handler(p->signals.sighand, sig);
}

static void
set_default(struct signal_action *a)
{
	WRITE_ONCE(a->handler, (void __user __force *)SIG_DFL);
}

void
sighand_take_action(struct process *p, int sig, struct sigaction *sa)
{
	struct signal_action *a = sighand_slot(p->signals.sighand, sig);
	unsigned long flags;

	action_read(a, sa);
	if (likely(!(sa->flags & SA_RESETHAND)))
		return;
	/* Of two threads one takes the handler. */
	flags = action_lock(a);
	action_load(a, sa);
	if ((sa->flags & SA_RESETHAND) && (unsigned long __force)sa->handler != SIG_IGN)
		set_default(a);
	action_unlock(a, flags);
}

void
sighand_reset(struct sighand *s, bool all)
{
	for (unsigned int i = 0; i < NSIG; i++) {
		struct signal_action *a = &s->action[i];

		if (all || (unsigned long __force)a->handler != SIG_IGN)
			set_default(a);
		a->flags = 0;
		a->restorer = NULL;
		a->mask = 0;
	}
}

void
sighand_set_default(struct process *p, int sig)
{
	struct signal_action *a = sighand_slot(p->signals.sighand, sig);
	unsigned long flags = action_lock(a);

	set_default(a);
	action_unlock(a, flags);
}

/* Copies the table of current's process into s, which nobody sees yet. */
static void
sighand_copy(struct sighand *s)
{
	const struct process *p = current->process;
	const struct sighand *from = p->signals.sighand;
	struct sigaction sa;

	/* Who could write is we. */
	if (READ_ONCE(p->nr_threads) == 1 && READ_ONCE(from->refs) == 1) {
		memcpy(s->action, from->action, sizeof(s->action));
		return;
	}
	for (unsigned int i = 0; i < NSIG; i++) {
		action_read(&from->action[i], &sa);
		action_write(&s->action[i], &sa);
	}
}

static void
flush_ignored(struct process *p, int sig)
{
	struct task *t;

	signal_flush_mask(&p->signals.pending, sigmask(sig));
	for_each_thread(p, t)
		signal_flush_mask(&t->signals.pending, sigmask(sig));
}

/* Sets *new, gives what was in *was, and drops what is pending if it shall be ignored. */
static void
action_exchange(struct process *p, int sig, const struct sigaction *new, struct sigaction *was)
{
	struct signal_action *slot = sighand_slot(p->signals.sighand, sig);
	unsigned long handler, flags;

	handler = (unsigned long __force) new->handler;
	flags = action_lock(slot);
	action_load(slot, was);
	action_write(slot, new);
	action_unlock(slot, flags);
	if (handler != SIG_IGN && (handler != SIG_DFL || !(sigmask(sig) & SIG_IGNORE_MASK)))
		return;
	flags = spin_lock_irq(&p->lock);
	flush_ignored(p, sig);
	spin_unlock_irq(&p->lock, flags);
}

long
sys_rt_sigaction(int sig, const struct sigaction __user *act, struct sigaction __user *old,
		 size_t size)
{
	struct process *p = current->process;
	struct sigaction new, was;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (act && copy_from_user(&new, act, sizeof(new)))
		return -EFAULT;
	if (sig < 1 || sig > NSIG || (act && (sigmask(sig) & SIG_UNBLOCKABLE)))
		return -EINVAL;
	if (act) {
		new.flags &= SA_UAPI_FLAGS;
		new.mask &= ~SIG_UNBLOCKABLE;
		action_exchange(p, sig, &new, &was);
	} else {
		sighand_get_action(p, sig, &was);
	}
	if (old && copy_to_user(old, &was, sizeof(was)))
		return -EFAULT;
	return 0;
}

/* --- masks --- */

void
signal_set_blocked(sigset_t mask)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags;
	sigset_t blocks;

	mask &= ~SIG_UNBLOCKABLE;
	blocks = mask & ~t->signals.blocked;
	if (mask == t->signals.blocked)
		return;
	WRITE_ONCE(t->signals.blocked, mask);
	/* Pairs with signal_complete(): who sends from here on knows. */
	smp_mb();
	if (!READ_ONCE(p->signals.pending.set) && !READ_ONCE(t->signals.pending.set) &&
	    !(READ_ONCE(t->work) & WORK_SIGNAL))
		return;
	flags = spin_lock_irq(&p->lock);
	if (t->signals.own.set)
		signal_own_publish(t);
	if (p->nr_threads > 1)
		signal_retarget(p, t, blocks);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
}

int
signal_set_user_mask(const u64 __user *umask, size_t size)
{
	sigset_t mask;

	if (!umask)
		return 0;
	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (get_user(mask, umask))
		return -EFAULT;
	current->signals.saved_mask = current->signals.blocked;
	atomic_or(&current->work, WORK_RESTORE_MASK);
	signal_set_blocked(mask);
	return 0;
}

void
signal_restore_mask(bool interrupted)
{
	if (interrupted || !(READ_ONCE(current->work) & WORK_RESTORE_MASK))
		return;
	atomic_and(&current->work, ~(u32)WORK_RESTORE_MASK);
	signal_set_blocked(current->signals.saved_mask);
}

long
sys_rt_sigprocmask(int how, const u64 __user *uset, u64 __user *uold, size_t size)
{
	sigset_t old = current->signals.blocked;
	sigset_t set;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (uset) {
		if (get_user(set, uset))
			return -EFAULT;
		set &= ~SIG_UNBLOCKABLE;
		switch (how) {
		case SIG_BLOCK:
			set |= old;
			break;
		case SIG_UNBLOCK:
			set = old & ~set;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		signal_set_blocked(set);
	}
	return uold ? put_user(old, uold) : 0;
}

long
sys_rt_sigpending(u64 __user *uset, size_t size)
{
	sigset_t set;

	if (size > sizeof(sigset_t))
		return -EINVAL;
	set = signal_pending_set() & current->signals.blocked;
	return copy_to_user(uset, &set, size);
}

/* --- alternate stack --- */

bool
signal_on_altstack(unsigned long sp)
{
	const struct task_signals *s = &current->signals;

	/* Disarmed at delivery: the handler may be anywhere. */
	if (s->altstack_flags & SS_AUTODISARM)
		return false;
	return sp > s->altstack_sp && sp - s->altstack_sp <= s->altstack_size;
}

static s32
altstack_state(unsigned long sp)
{
	if (!current->signals.altstack_size)
		return SS_DISABLE;
	return signal_on_altstack(sp) ? SS_ONSTACK : 0;
}

unsigned long
signal_frame_top(const struct sigaction *sa, unsigned long sp)
{
	if ((sa->flags & SA_ONSTACK) && altstack_state(sp) == 0)
		return current->signals.altstack_sp + current->signals.altstack_size;
	return sp;
}

void
signal_altstack_reset(struct task *t)
{
	t->signals.altstack_sp = 0;
	t->signals.altstack_size = 0;
	t->signals.altstack_flags = SS_DISABLE;
}

void
signal_save_altstack(struct sigaltstack *out, unsigned long sp)
{
	const struct task_signals *s = &current->signals;

	*out = (struct sigaltstack){
		.sp = (void __user *)s->altstack_sp,
		.flags = altstack_state(sp) | (s->altstack_flags & SS_FLAG_BITS),
		.size = s->altstack_size,
	};
}

static int
altstack_set(const struct sigaltstack *ss, unsigned long sp)
{
	struct task_signals *s = &current->signals;
	u32 mode = ss->flags & ~SS_FLAG_BITS;

	if (signal_on_altstack(sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		s->altstack_sp = 0;
		s->altstack_size = 0;
	} else {
		if (ss->size < MINSIGSTKSZ)
			return -ENOMEM;
		s->altstack_sp = (unsigned long __force)ss->sp;
		s->altstack_size = ss->size;
	}
	s->altstack_flags = ss->flags;
	return 0;
}

void
signal_restore_altstack(const struct sigaltstack *ss, unsigned long sp)
{
	(void)altstack_set(ss, sp);
}

long
sys_sigaltstack(const void __user *uss, void __user *uold)
{
	unsigned long sp = task_regs(current)->rsp;
	struct sigaltstack new, old;
	int err;

	if (uss && copy_from_user(&new, uss, sizeof(new)))
		return -EFAULT;
	signal_save_altstack(&old, sp);
	if (uss) {
		err = altstack_set(&new, sp);
		if (err)
			return err;
	}
	return uold ? copy_to_user(uold, &old, sizeof(old)) : 0;
}

/* --- fork and exec --- */

int
signal_copy(struct task *child, struct task *parent, u64 clone_flags)
{
	struct process *from = parent->process;
	struct process *p = child->process;
	struct sighand *s;

	child->signals.blocked = parent->signals.blocked;
	signal_altstack_reset(child);
	if (!(clone_flags & CLONE_VM) || (clone_flags & CLONE_VFORK)) {
		child->signals.altstack_sp = parent->signals.altstack_sp;
		child->signals.altstack_size = parent->signals.altstack_size;
		child->signals.altstack_flags = parent->signals.altstack_flags;
	}
	if (clone_flags & CLONE_THREAD)
		return 0;
	if (clone_flags & CLONE_SIGHAND) {
		p->signals.sighand = sighand_get(from->signals.sighand);
		return 0;
	}
	s = sighand_alloc();
	if (!s)
		return -ENOMEM;
	sighand_copy(s);
	if (clone_flags & CLONE_CLEAR_SIGHAND)
		sighand_reset(s, false);
	p->signals.sighand = s;
	return 0;
}

int
sighand_unshare(void)
{
	struct process *p = current->process;
	struct sighand *old = p->signals.sighand, *s;
	unsigned long flags;

	if (READ_ONCE(old->refs) == 1)
		return 0;
	s = sighand_alloc();
	if (!s)
		return -ENOMEM;
	sighand_copy(s);
	flags = spin_lock_irq(&p->lock);
	p->signals.sighand = s;
	spin_unlock_irq(&p->lock, flags);
	sighand_put(old);
	return 0;
}

void
signal_exec(void)
{
	/* sighand_unshare() has made it ours, and we are the only thread. */
	sighand_reset(current->process->signals.sighand, false);
	signal_altstack_reset(current);
}
