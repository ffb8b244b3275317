/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets SIGIO for a handle: F_SETOWN, F_SETSIG and O_ASYNC.
 *
 * The record is made by the first F_SETOWN or F_SETSIG and kept until the
 * handle goes; its fields change under its lock.
 */
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

static LOCK_CLASS(owner_class, RANK_LEAF);

enum { OWNER_TID, OWNER_PID, OWNER_PGRP };

struct file_owner {
	struct spinlock lock;
	/* l */
	struct pid *pid;
	int type;
	int sig;
	u32 uid, euid;
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

void
file_async_notify(struct file *f, int band)
{
	struct file_owner *o = smp_load_acquire(&f->owner);
	struct siginfo info = {0};
	struct process *p;
	struct task *t;
	int sig;

	if (!(atomic_read(&f->flags) & O_ASYNC) || !o || !READ_ONCE(o->pid))
		return;
	sig = o->sig ? o->sig : SIGIO;
	info.signo = sig;
	info.code = POLL_IN;
	info.band = band;
	rcu_read_lock();
	if (o->type == OWNER_PGRP) {
		signal_send_pgrp(o->pid, sig, &info);
	} else if (o->type == OWNER_TID) {
		t = rcu_load(o->pid->task);
		if (t)
			signal_send_task(t, sig, &info);
	} else {
		p = rcu_load(o->pid->process);
		if (p)
			signal_send_process(p, sig, &info);
	}
	rcu_read_unlock();
}
