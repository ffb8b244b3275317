/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets SIGIO for a handle: F_SETOWN, F_SETSIG and O_ASYNC.
 *
 * The record is made by the first F_SETOWN, F_SETSIG or O_ASYNC and kept until
 * the handle goes; its fields change under its lock.
 *
 * An object that several handles share (a pipe) lists those with O_ASYNC in a
 * struct async_list. A handle is in it at most once, and leaves it in its
 * ->release at the latest.
 *
 * Locking: async_list->lock (RANK_ASYNC) before groups' locks and
 * process->lock; owner->lock is a leaf.
 */
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

static LOCK_CLASS(owner_class, RANK_LEAF);
static LOCK_CLASS(async_class, RANK_ASYNC);

enum { OWNER_TID, OWNER_PID, OWNER_PGRP };

struct file_owner {
	struct spinlock lock;
	/* l */
	struct pid *pid;
	int type;
	/* a  0: SIGIO without a siginfo */
	int sig;
	/* l */
	u32 uid, euid;
	/* a  descriptor that O_ASYNC was set through */
	int fd;
};

struct async_entry {
	struct list link;
	struct file *file;
};

/* struct f_owner_ex of the ABI. */
struct owner_ex {
	s32 type;
	s32 pid;
};

static struct file_owner *
owner_get(struct file *f)
{
	struct file_owner *o = smp_load_acquire(&f->owner), *none = NULL;

	if (o)
		return o;
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return NULL;
	spin_init(&o->lock, &owner_class);
	if (atomic_try_cmpxchg(&f->owner, &none, o))
		return o;
	kfree(o);
	return none;
}

void
file_owner_free(struct file *f)
{
	struct file_owner *o = f->owner;

	if (!o)
		return;
	if (o->pid)
		pid_put(o->pid);
	kfree(o);
}

static long
owner_set(struct file *f, s32 nr, int type)
{
	struct file_owner *o = owner_get(f);
	struct pid *pid = NULL, *old;
	unsigned long flags;

	if (!o)
		return -ENOMEM;
	if (nr) {
		rcu_read_lock();
		pid = pid_find(nr);
		if (pid)
			pid_get(pid);
		rcu_read_unlock();
		if (!pid)
			return -ESRCH;
	}
	flags = spin_lock_irq(&o->lock);
	old = o->pid;
	o->pid = pid;
	o->type = type;
	o->uid = current_cred()->uid;
	o->euid = current_cred()->euid;
	spin_unlock_irq(&o->lock, flags);
	if (old)
		pid_put(old);
	return 0;
}

static long
owner_set_ex(struct file *f, struct owner_ex __user *u)
{
	struct owner_ex ex;

	if (copy_from_user(&ex, u, sizeof(ex)))
		return -EFAULT;
	if (ex.type < OWNER_TID || ex.type > OWNER_PGRP)
		return -EINVAL;
	return owner_set(f, ex.pid, ex.type);
}

static struct owner_ex
owner_read(struct file *f)
{
	struct owner_ex ex = {OWNER_PID, 0};
	struct file_owner *o = smp_load_acquire(&f->owner);
	unsigned long flags;

	if (!o)
		return ex;
	flags = spin_lock_irq(&o->lock);
	ex.type = o->type;
	ex.pid = o->pid ? o->pid->nr : 0;
	spin_unlock_irq(&o->lock, flags);
	return ex;
}

static long
owner_uids(struct file *f, u32 __user *u)
{
	struct file_owner *o = smp_load_acquire(&f->owner);
	u32 ids[2] = {o ? o->uid : 0, o ? o->euid : 0};

	return copy_to_user(u, ids, sizeof(ids));
}

static long
owner_set_signal(struct file *f, unsigned long sig)
{
	struct file_owner *o;

	if (sig > NSIG)
		return -EINVAL;
	o = owner_get(f);
	if (!o)
		return -ENOMEM;
	WRITE_ONCE(o->sig, (int)sig);
	return 0;
}

int
file_owner_set_fd(struct file *f, int fd)
{
	struct file_owner *o = owner_get(f);

	if (!o)
		return -ENOMEM;
	WRITE_ONCE(o->fd, fd);
	return 0;
}

long
file_owner_fcntl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct owner_ex ex;
	s32 nr = (s32)arg;

	switch (cmd) {
	case F_SETOWN:
		if (nr == INT32_MIN)
			return -EINVAL;
		return owner_set(f, nr < 0 ? -nr : nr, nr < 0 ? OWNER_PGRP : OWNER_PID);
	case F_GETOWN:
		ex = owner_read(f);
		return ex.type == OWNER_PGRP ? -ex.pid : ex.pid;
	case F_SETOWN_EX:
		return owner_set_ex(f, (struct owner_ex __user *)arg);
	case F_GETOWN_EX:
		ex = owner_read(f);
		return copy_to_user((void __user *)arg, &ex, sizeof(ex));
	case F_GETOWNER_UIDS:
		return owner_uids(f, (u32 __user *)arg);
	case F_SETSIG:
		return owner_set_signal(f, arg);
	}
	return f->owner ? READ_ONCE(f->owner->sig) : 0;
}

/* --- signals --- */

/* si_code and si_band of an event: what F_SETSIG's handler sees. */
static void
fill_info(struct siginfo *info, int sig, int code, int fd)
{
	static const s64 band[] = {
		[POLL_IN] = POLLIN | POLLRDNORM,
		[POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[POLL_PRI] = POLLPRI | POLLRDBAND,
		[POLL_HUP] = POLLHUP | POLLERR,
	};

	info->signo = sig;
	info->code = code;
	info->band = band[code];
	info->fd = fd;
}

struct delivery {
	int sig;
	/* NULL: SIGIO as the kernel sends it */
	const struct siginfo *info;
	u32 uid, euid;
};

/* Whoever set the owner may signal only what kill(2) would let it. Inside an RCU section. */
static bool
permitted(const struct delivery *d, struct task *t)
{
	const struct cred *c = task_cred(t);

	return d->euid == 0 || d->euid == c->suid || d->euid == c->uid || d->uid == c->suid ||
	       d->uid == c->uid;
}

static int
deliver(struct process *p, void *arg)
{
	const struct delivery *d = arg;
	struct task *leader = rcu_load(p->leader);

	if (!leader || !permitted(d, leader))
		return 0;
	/* A full queue loses the descriptor, not the event. */
	if (signal_send_process(p, d->sig, d->info) == -EAGAIN)
		signal_send_process(p, SIGIO, NULL);
	return 0;
}

static void
deliver_task(struct task *t, const struct delivery *d)
{
	if (permitted(d, t) && signal_send_task(t, d->sig, d->info) == -EAGAIN)
		signal_send_task(t, SIGIO, NULL);
}

void
file_async_notify(struct file *f, int code)
{
	struct file_owner *o = smp_load_acquire(&f->owner);
	struct siginfo info = {0};
	struct delivery d;
	struct process *p;
	struct pid *pid;
	struct task *t;
	unsigned long flags;
	int type;

	if (!(atomic_read(&f->flags) & O_ASYNC) || !o)
		return;
	rcu_read_lock();
	flags = spin_lock_irq(&o->lock);
	pid = o->pid;
	type = o->type;
	d = (struct delivery){.sig = o->sig ? o->sig : SIGIO, .uid = o->uid, .euid = o->euid};
	if (o->sig) {
		fill_info(&info, o->sig, code, o->fd);
		d.info = &info;
	}
	spin_unlock_irq(&o->lock, flags);
	if (pid && type == OWNER_PGRP) {
		(void)pgroup_for_each(pid, deliver, &d);
	} else if (pid && type == OWNER_TID) {
		t = rcu_load(pid->task);
		if (t)
			deliver_task(t, &d);
	} else if (pid) {
		p = rcu_load(pid->process);
		if (p)
			deliver(p, &d);
	}
	rcu_read_unlock();
}

/* --- lists --- */

void
async_list_init(struct async_list *l)
{
	spin_init(&l->lock, &async_class);
	list_init(&l->entries);
}

int
async_list_set(struct async_list *l, struct file *f, bool on)
{
	struct async_entry *e = on ? kmalloc(sizeof(*e), GFP_KERNEL) : NULL, *at, *old = NULL;
	unsigned long flags;

	if (on && !e)
		return -ENOMEM;
	flags = spin_lock_irq(&l->lock);
	list_for_each_entry(at, &l->entries, link)
		if (at->file == f)
			old = at;
	if (on && !old) {
		e->file = f;
		list_add_tail(&e->link, &l->entries);
		e = NULL;
	} else if (!on && old) {
		list_del(&old->link);
		e = old;
	}
	spin_unlock_irq(&l->lock, flags);
	kfree(e);
	return 0;
}

void
async_list_notify(struct async_list *l, u32 mode, int code)
{
	struct async_entry *at;
	unsigned long flags;

	if (likely(READ_ONCE(l->entries.next) == &l->entries))
		return;
	flags = spin_lock_irq(&l->lock);
	list_for_each_entry(at, &l->entries, link)
		if (at->file->mode & mode)
			file_async_notify(at->file, code);
	spin_unlock_irq(&l->lock, flags);
}
