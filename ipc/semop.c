/* SPDX-License-Identifier: BSD-2-Clause */
/* semop(2), semtimedop(2). (sem.c tells the model.) */
#include "ipc/sem_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "sync/port.h"

/* Operations that need no memory of their own. */
#define FEW 16

/* What a call asks for, besides its operations. */
struct semop {
	s32 id;
	u64 deadline;
	u32 highest;
	bool undoes;
};

static void
look_through(struct semop *c, struct sem_wait *w)
{
	for (u32 i = 0; i < w->n; i++) {
		const struct sembuf *op = &w->ops[i];

		c->highest = max(c->highest, (u32)op->num);
		c->undoes |= (op->flags & SEM_UNDO) != 0;
		w->changes |= op->op != 0;
	}
}

/* The set, locked, if the call may go on with it. */
static struct ipc_object *
lock_set(const struct semop *c, const struct sem_wait *w)
{
	struct ipc_object *o = ipc_lock(&sem_ids, c->id, 0);
	int err;

	if (is_err(o))
		return o;
	err = c->highest >= sem_of(o)->n ? -EFBIG : 0;
	if (!err)
		err = ipc_permission(o, w->changes ? IPC_WRITE : IPC_READ);
	if (!err)
		return o;
	ipc_unlock(o);
	return err_ptr(err);
}

/* The same, with what is to be undone. */
static struct ipc_object *
lock_prepared(const struct semop *c, struct sem_wait *w)
{
	struct ipc_object *o = lock_set(c, w), *first;
	struct sem_undo *u;

	if (is_err(o) || !c->undoes)
		return o;
	w->undo = sem_undo_find(sem_of(o));
	if (w->undo)
		return o;
	ipc_hold(o);
	ipc_unlock(o);
	first = o;
	u = sem_undo_alloc(sem_of(o)->n);
	if (!u) {
		ipc_put(first);
		return err_ptr(-ENOMEM);
	}
	o = lock_set(c, w);
	/* Another one of that number, perhaps with more semaphores. */
	if (!is_err(o) && o != first) {
		ipc_unlock(o);
		o = err_ptr(-EIDRM);
	}
	ipc_put(first);
	if (!is_err(o))
		w->undo = sem_undo_find(sem_of(o));
	if (!is_err(o) && !w->undo) {
		sem_undo_add(sem_of(o), u);
		w->undo = u;
	} else {
		sem_undo_free(u);
	}
	return o;
}

/* Nobody has woken us: out of the list, unless somebody does just now. */
static int
give_up(struct ipc_object *o, struct sem_wait *w, int err)
{
	spin_lock(&o->lock);
	if (w->result == SEM_WAITING)
		list_del(&w->link);
	else
		err = w->result;
	spin_unlock(&o->lock);
	return err;
}

/* Until somebody has done it for us. Never begun again after a signal (semop(2)). */
static int
sleep(struct ipc_object *o, struct sem_wait *w, u64 deadline)
{
	int err = 0;

	while (!err && smp_load_acquire(&w->result) == SEM_WAITING) {
		err = park(deadline);
		park_prepare(PARK_INTERRUPTIBLE);
	}
	park_cancel();
	if (!err)
		return w->result;
	return give_up(o, w, err == -ETIMEDOUT ? -EAGAIN : -EINTR);
}

static int
semop(struct semop *c, struct sem_wait *w)
{
	struct ipc_object *o;
	struct sem_set *s;
	int ret;

	look_through(c, w);
	o = lock_prepared(c, w);
	if (is_err(o))
		return (int)ptr_err(o);
	s = sem_of(o);
	ret = sem_perform(s, w);
	if (ret != SEM_WAITING) {
		if (!ret)
			s->otime = ipc_now();
		if (!ret && w->changes)
			sem_update(s);
		ipc_unlock(o);
		return ret;
	}
	list_add_tail(&w->link, w->changes ? &s->changers : &s->watchers);
	ipc_hold(o);
	park_prepare(PARK_INTERRUPTIBLE);
	ipc_unlock(o);
	ret = sleep(o, w, c->deadline);
	ipc_put(o);
	return ret;
}

long
sys_semtimedop(int id, const struct sembuf __user *uops, unsigned int n,
	       const struct timespec __user *timeout)
{
	struct sem_wait w = {.task = current, .pid = ipc_pid(), .n = n, .result = SEM_WAITING};
	struct semop c = {.id = id, .deadline = NO_DEADLINE};
	struct sembuf few[FEW], *ops = few;
	int bad = 0;
	u64 ns;
	long ret;

	if (timeout)
		bad = get_user_timespec(&ns, timeout);
	if (bad == -EFAULT)
		return bad;
	if (timeout && !bad)
		c.deadline = deadline_after(ns);
	if (n > READ_ONCE(sem_limit_ops))
		return -E2BIG;
	if (n > FEW)
		ops = kvmalloc(n * sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	w.ops = ops;
	if (copy_from_user(ops, uops, n * sizeof(*ops)))
		ret = -EFAULT;
	else if (bad || n < 1 || id < 0)
		ret = -EINVAL;
	else
		ret = semop(&c, &w);
	if (ops != few)
		kvfree(ops);
	return ret;
}

long
sys_semop(int id, const struct sembuf __user *ops, unsigned int n)
{
	return sys_semtimedop(id, ops, n, NULL);
}
