/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp(2): filters as objects, and who has them.
 *
 * Model: a filter is a checked program of classic BPF (lib/cbpf.h). A task has
 * the one that was added last, and by its prev all before: a chain that grows
 * at the front only, part of which others may have too. fork copies the
 * pointer, exec leaves it, nothing takes a filter away before the end of the
 * task. All of a chain see each call (enter.c).
 *
 * Where a task has no filter this costs nothing: with the first one comes
 * SWITCH_SECCOMP, which makes entry.S look the other way (arch_seccomp_watch()).
 *
 * What a filter says of a call without looking at its arguments is known
 * beforehand: `allowed` has a bit for each call that this filter and those below
 * allow by its number alone. It is found by running the program over numbers
 * without the rest of the data, where a look at more ends it with "kill".
 *
 * Ownership: references (refs) keep the object; uses (users) say whether any
 * task may yet come by. Both are handed down: a filter that loses its last gives
 * up those on prev. A filter is not changed once it is attached, but for what
 * concerns its listener (notify.c).
 *
 * Locking: process->lock of a task to change its struct task_seccomp. The task
 * reads its own without: another thread replaces it only by one on top of it
 * (TSYNC), which keeps what it reads.
 *
 * Ordering:
 *      set_mode (TSYNC: of another thread)     seccomp_enter, read_mode
 *      filter = f                              mode is read (acquire)
 *      mode = FILTER (release)                 filter is read
 *      Who sees the mode sees a filter. That it is seen from the return of
 *      seccomp(2) on is by the interrupt that all CPUs get.
 *
 * Rejected: a filter for each process instead of each thread: programs rely on
 * threads that have more filters than others.
 */
#include "kernel/seccomp/seccomp_impl.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/task/port.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/prctl.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "percpu/mailbox.h"

/* The budget of a chain, and what each filter costs besides its program: Linux's. */
#define WEIGHT_MAX 32768
#define WEIGHT_EACH 4

/* --- objects --- */

struct seccomp_filter *
seccomp_filter_get(struct seccomp_filter *f)
{
	atomic_inc(&f->refs);
	return f;
}

void
seccomp_filter_put(struct seccomp_filter *f)
{
	while (f && atomic_dec_and_test(&f->refs)) {
		struct seccomp_filter *prev = f->prev;

		kfree(f->insns);
		kfree(f);
		f = prev;
	}
}

/* A task less that comes by f; a listener learns of the last one. */
static void
put_use(struct seccomp_filter *f)
{
	while (f && atomic_dec_and_test(&f->users)) {
		waitq_wake(&f->poll, 0, POLLHUP);
		f = f->prev;
	}
}

static void
share(struct seccomp_filter *f)
{
	if (!f)
		return;
	atomic_inc(&f->refs);
	atomic_inc(&f->users);
}

static void
unshare(struct seccomp_filter *f)
{
	put_use(f);
	seccomp_filter_put(f);
}

static int
read_program(struct seccomp_filter *f, const struct cbpf_insn __user *from)
{
	size_t size = f->len * sizeof(*f->insns);
	u16 *scratch;
	bool ok;

	if (!from)
		return -EINVAL;
	f->insns = kmalloc(size, GFP_KERNEL);
	scratch = kmalloc(f->len * sizeof(*scratch), GFP_KERNEL);
	if (!f->insns || !scratch) {
		kfree(scratch);
		return -ENOMEM;
	}
	if (copy_from_user(f->insns, from, size)) {
		kfree(scratch);
		return -EFAULT;
	}
	ok = cbpf_check(f->insns, f->len, sizeof(struct seccomp_data), scratch);
	kfree(scratch);
	return ok ? 0 : -EINVAL;
}

static void
find_allowed(struct seccomp_filter *f)
{
	struct seccomp_data d = {.arch = AUDIT_ARCH_X86_64};
	u32 there = offsetof(struct seccomp_data, instruction_pointer);

	for (s32 nr = 0; nr <= SYSCALL_MAX; nr++) {
		d.nr = nr;
		if ((cbpf_run(f->insns, (const u8 *)&d, sizeof(d), there) &
		     SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
			f->allowed[nr / BITS_PER_LONG] |= BIT(nr % BITS_PER_LONG);
	}
}

struct seccomp_filter *
seccomp_filter_create(const void __user *uprog, u32 flags)
{
	struct seccomp_filter *f;
	struct sock_fprog prog;
	int err;

	if (copy_from_user(&prog, uprog, sizeof(prog)))
		return err_ptr(-EFAULT);
	if (prog.len == 0 || prog.len > CBPF_MAX_INSNS)
		return err_ptr(-EINVAL);
	/* Else a program that gets rights by exec could be made to run with calls that fail. */
	if (!READ_ONCE(current->no_new_privs) && !cred_capable(current_cred(), CAP_SYS_ADMIN))
		return err_ptr(-EACCES);
	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return err_ptr(-ENOMEM);
	f->refs = f->users = 1;
	f->len = prog.len;
	f->log = flags & SECCOMP_FILTER_FLAG_LOG;
	f->wait_killable = flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	seccomp_listener_init(f);
	err = read_program(f, prog.filter);
	if (err) {
		seccomp_filter_put(f);
		return err_ptr(err);
	}
	f->weight = cbpf_weight(f->insns, f->len);
	find_allowed(f);
	return f;
}

/* --- tasks; process->lock is held --- */

static bool
may_set(const struct task *t, u32 mode)
{
	return t->seccomp.mode == SECCOMP_MODE_DISABLED || t->seccomp.mode == mode;
}

/* t has its filters; its calls go by seccomp_enter(). */
static void
set_mode(struct task *t, u32 mode)
{
	smp_store_release(&t->seccomp.mode, mode);
	arch_seccomp_watch(t);
}

/* Is f in the chain below? */
static bool
is_below(const struct seccomp_filter *f, const struct seccomp_filter *chain)
{
	while (chain && chain != f)
		chain = chain->prev;
	return chain == f;
}

/* A thread that cannot get current's filters, for it has some that current has not; 0. */
static s32
find_unsyncable(void)
{
	struct task *self = current, *t;

	for_each_thread(self->process, t) {
		if (t == self || (t->flags & TASK_EXITING))
			continue;
		if (!may_set(t, SECCOMP_MODE_FILTER) ||
		    !is_below(t->seccomp.filter, self->seccomp.filter))
			return t->tid;
	}
	return 0;
}

static void
sync_threads(void)
{
	struct task *self = current, *t;

	for_each_thread(self->process, t) {
		struct seccomp_filter *old = t->seccomp.filter;

		if (t == self || (t->flags & TASK_EXITING))
			continue;
		share(self->seccomp.filter);
		smp_store_release(&t->seccomp.filter, self->seccomp.filter);
		WRITE_ONCE(t->seccomp.count, self->seccomp.count);
		unshare(old);
		/* Or it would get rights that a task with filters must not. */
		if (self->no_new_privs)
			WRITE_ONCE(t->no_new_privs, true);
		set_mode(t, SECCOMP_MODE_FILTER);
	}
}

static bool
has_listener(const struct seccomp_filter *f)
{
	for (; f; f = f->prev)
		if (READ_ONCE(f->heard))
			return true;
	return false;
}

static long
attach_locked(struct seccomp_filter *f, u32 flags)
{
	struct task *t = current;
	struct seccomp_filter *prev = t->seccomp.filter;
	s32 tid;

	if ((flags & SECCOMP_FILTER_FLAG_TSYNC) && t->process->in_exec)
		return -EAGAIN;
	if (!may_set(t, SECCOMP_MODE_FILTER))
		return -EINVAL;
	if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) && has_listener(prev))
		return -EBUSY;
	if (prev && prev->weight + WEIGHT_EACH + f->weight > WEIGHT_MAX)
		return -ENOMEM;
	if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
		tid = find_unsyncable();
		if (tid)
			return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : tid;
	}
	if (prev) {
		f->weight += prev->weight + WEIGHT_EACH;
		for (unsigned int i = 0; i < ARRAY_SIZE(f->allowed); i++)
			f->allowed[i] &= prev->allowed[i];
	}
	f->prev = prev;
	smp_store_release(&t->seccomp.filter, f);
	WRITE_ONCE(t->seccomp.count, t->seccomp.count + 1);
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		sync_threads();
	set_mode(t, SECCOMP_MODE_FILTER);
	return 0;
}

/* --- without it --- */

static void
watch_here(void *arg)
{
	arch_watch_refresh();
}

long
seccomp_attach(struct seccomp_filter *f, u32 flags)
{
	struct process *p = current->process;
	unsigned long irq;
	long ret;

	do {
		/* What an exec has looked at, it looks at for all threads. */
		if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
			ret = ptrace_wait_for_exec(p);
			if (ret)
				return ret;
		}
		irq = spin_lock_irq(&p->lock);
		ret = attach_locked(f, flags);
		spin_unlock_irq(&p->lock, irq);
	} while (ret == -EAGAIN);
	if (!ret && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		cpu_call_mask(&cpu_online_mask, watch_here, NULL);
	return ret;
}

int
seccomp_set_strict(void)
{
	struct process *p = current->process;
	unsigned long irq = spin_lock_irq(&p->lock);
	bool ok = may_set(current, SECCOMP_MODE_STRICT);

	if (ok)
		set_mode(current, SECCOMP_MODE_STRICT);
	spin_unlock_irq(&p->lock, irq);
	/* Nor does it read the time. */
	return ok ? arch_set_tsc_mode(PR_TSC_SIGSEGV) : -EINVAL;
}

void
seccomp_fork(struct task *child)
{
	struct task *t = current;

	spin_assert_held(&t->process->lock);
	child->no_new_privs = t->no_new_privs;
	if (t->seccomp.mode == SECCOMP_MODE_DISABLED)
		return;
	share(t->seccomp.filter);
	child->seccomp = t->seccomp;
	arch_seccomp_watch(child);
}

void
seccomp_release(struct task *t)
{
	struct seccomp_filter *f = t->seccomp.filter;

	t->seccomp.filter = NULL;
	if (f)
		unshare(f);
}

/* --- for a tracer --- */

bool
seccomp_may_suspend(void)
{
	return cred_capable(current_cred(), CAP_SYS_ADMIN) &&
	       current->seccomp.mode == SECCOMP_MODE_DISABLED &&
	       !(READ_ONCE(current->ptrace.flags) & PTRACE_O_SUSPEND_SECCOMP);
}

/* Filter n of t, 0 the first that was added, with a reference; err_ptr. */
static struct seccomp_filter *
get_nth(struct task *t, unsigned long n)
{
	unsigned long irq = spin_lock_irq(&t->process->lock);
	struct seccomp_filter *f = t->seccomp.filter;
	u32 count = t->seccomp.count;

	if (t->seccomp.mode != SECCOMP_MODE_FILTER) {
		f = err_ptr(-EINVAL);
	} else if (n >= count) {
		f = err_ptr(-ENOENT);
	} else {
		while (--count > n)
			f = f->prev;
		seccomp_filter_get(f);
	}
	spin_unlock_irq(&t->process->lock, irq);
	return f;
}

/* Who is filtered itself does not look at others' filters. */
static bool
may_look(void)
{
	return capable(CAP_SYS_ADMIN) && current->seccomp.mode == SECCOMP_MODE_DISABLED;
}

long
seccomp_get_filter(struct task *t, unsigned long n, void __user *to)
{
	struct seccomp_filter *f;
	long ret;

	if (!may_look())
		return -EACCES;
	f = get_nth(t, n);
	if (is_err(f))
		return ptr_err(f);
	ret = f->len;
	if (to && copy_to_user(to, f->insns, f->len * sizeof(*f->insns)))
		ret = -EFAULT;
	seccomp_filter_put(f);
	return ret;
}

long
seccomp_get_metadata(struct task *t, unsigned long size, void __user *to)
{
	struct seccomp_metadata m = {};
	struct seccomp_filter *f;

	if (!may_look())
		return -EACCES;
	size = min(size, sizeof(m));
	if (size < sizeof(m.filter_off))
		return -EINVAL;
	if (copy_from_user(&m.filter_off, to, sizeof(m.filter_off)))
		return -EFAULT;
	f = get_nth(t, m.filter_off);
	if (is_err(f))
		return ptr_err(f);
	if (f->log)
		m.flags |= SECCOMP_FILTER_FLAG_LOG;
	if (f->wait_killable)
		m.flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	seccomp_filter_put(f);
	return copy_to_user(to, &m, size) ? -EFAULT : (long)size;
}
