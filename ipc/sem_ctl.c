/* SPDX-License-Identifier: BSD-2-Clause */
/* semctl(2). */
#include "ipc/sem_impl.h"

#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* What IPC_INFO says of things that have no limit here. */
#define SEMUSZ 20
#define SEMMNU 1024000000
#define SEMUME 500

static long
info(int cmd, void __user *buf)
{
	struct seminfo i = {
		.semmap = SEMMNU,
		.semmni = (s32)READ_ONCE(sem_ids.limit),
		.semmns = (s32)READ_ONCE(sem_limit_all),
		.semmnu = SEMMNU,
		.semmsl = (s32)READ_ONCE(sem_limit_set),
		.semopm = (s32)READ_ONCE(sem_limit_ops),
		.semume = SEMUME,
		.semusz = SEMUSZ,
		.semvmx = SEMVMX,
		.semaem = SEMAEM,
	};

	if (cmd == SEM_INFO) {
		i.semusz = (s32)ipc_used(&sem_ids);
		i.semaem = (s32)sem_total();
	}
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&sem_ids);
}

static long
status(s32 id, int cmd, void __user *buf)
{
	struct ipc_object *o = ipc_lock_status(&sem_ids, id, cmd == IPC_STAT, cmd != SEM_STAT_ANY);
	struct semid64_ds ds;

	if (is_err(o))
		return ptr_err(o);
	memset(&ds, 0, sizeof(ds));
	ipc_show_perm(o, &ds.perm);
	ds.otime = sem_of(o)->otime;
	ds.ctime = sem_of(o)->ctime;
	ds.nsems = sem_of(o)->n;
	id = o->id;
	ipc_unlock(o);
	if (copy_to_user(buf, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long
set_owner(s32 id, const void __user *buf)
{
	struct semid64_ds ds;
	struct ipc_object *o;
	int err;

	if (copy_from_user(&ds, buf, sizeof(ds)))
		return -EFAULT;
	o = ipc_lock_owned(&sem_ids, id);
	if (is_err(o))
		return ptr_err(o);
	err = ipc_set_owner(o, &ds.perm);
	if (!err)
		sem_of(o)->ctime = ipc_now();
	ipc_unlock(o);
	return err;
}

/* --- one value --- */

/* How many wait for this one to rise, or to become 0. */
static long
count_waiting(const struct sem_set *s, u32 num, bool zero)
{
	const struct list *lists[] = {&s->changers, &s->watchers};
	const struct sem_wait *w;
	long n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(lists); i++)
		list_for_each_entry(w, lists[i], link)
			n += w->blocking->num == num && (w->blocking->op == 0) == zero;
	return n;
}

static long
get_one(s32 id, int num, int cmd)
{
	struct ipc_object *o = ipc_lock(&sem_ids, id, IPC_READ);
	long ret = -EINVAL;
	struct sem_set *s;

	if (is_err(o))
		return ptr_err(o);
	s = sem_of(o);
	if (num >= 0 && (u32)num < s->n) {
		if (cmd == GETVAL)
			ret = s->sem[num].value;
		else if (cmd == GETPID)
			ret = s->sem[num].pid;
		else
			ret = count_waiting(s, (u32)num, cmd == GETZCNT);
	}
	ipc_unlock(o);
	return ret;
}

/* A value that somebody sets has nothing to be undone. */
static void
set_value(struct sem_set *s, u32 num, s32 value)
{
	struct sem_undo *u;

	list_for_each_entry(u, &s->undos, set_link)
		u->adjust[num] = 0;
	s->sem[num].value = value;
	s->sem[num].pid = ipc_pid();
}

static long
set_one(s32 id, int num, s32 value)
{
	struct ipc_object *o;
	long ret = -EINVAL;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	o = ipc_lock(&sem_ids, id, IPC_WRITE);
	if (is_err(o))
		return ptr_err(o);
	if (num >= 0 && (u32)num < sem_of(o)->n) {
		set_value(sem_of(o), (u32)num, value);
		sem_of(o)->ctime = ipc_now();
		sem_update(sem_of(o));
		ret = 0;
	}
	ipc_unlock(o);
	return ret;
}

/* --- all values --- */

/* The set with a reference, not locked, and room for its values. */
static struct ipc_object *
hold_set(s32 id, u32 perm, u16 **values)
{
	struct ipc_object *o = ipc_lock(&sem_ids, id, perm);

	if (is_err(o))
		return o;
	ipc_hold(o);
	ipc_unlock(o);
	*values = kvmalloc(sem_of(o)->n * sizeof(**values), GFP_KERNEL);
	if (*values)
		return o;
	ipc_put(o);
	return err_ptr(-ENOMEM);
}

static long
get_all(s32 id, void __user *buf)
{
	u16 *values;
	struct ipc_object *o = hold_set(id, IPC_READ, &values);
	struct sem_set *s;
	long ret = 0;

	if (is_err(o))
		return ptr_err(o);
	s = sem_of(o);
	spin_lock(&o->lock);
	if (o->removed)
		ret = -EIDRM;
	for (u32 i = 0; i < s->n; i++)
		values[i] = (u16)s->sem[i].value;
	spin_unlock(&o->lock);
	if (!ret && copy_to_user(buf, values, s->n * sizeof(*values)))
		ret = -EFAULT;
	kvfree(values);
	ipc_put(o);
	return ret;
}

static long
set_all(s32 id, const void __user *buf)
{
	u16 *values;
	struct ipc_object *o = hold_set(id, IPC_WRITE, &values);
	struct sem_set *s;
	long ret = 0;

	if (is_err(o))
		return ptr_err(o);
	s = sem_of(o);
	if (copy_from_user(values, buf, s->n * sizeof(*values)))
		ret = -EFAULT;
	for (u32 i = 0; i < s->n && !ret; i++)
		ret = values[i] > SEMVMX ? -ERANGE : 0;
	spin_lock(&o->lock);
	if (!ret && o->removed)
		ret = -EIDRM;
	if (!ret) {
		for (u32 i = 0; i < s->n; i++)
			set_value(s, i, values[i]);
		s->ctime = ipc_now();
		sem_update(s);
	}
	spin_unlock(&o->lock);
	kvfree(values);
	ipc_put(o);
	return ret;
}

long
sys_semctl(int id, int num, int cmd, unsigned long arg)
{
	void __user *buf = (void __user *)arg;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return info(cmd, buf);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return status(id, cmd, buf);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return get_one(id, num, cmd);
	case GETALL:
		return get_all(id, buf);
	case SETVAL:
		return set_one(id, num, (s32)arg);
	case SETALL:
		return set_all(id, buf);
	case IPC_SET:
		return set_owner(id, buf);
	case IPC_RMID:
		return sem_remove(id);
	default:
		return -EINVAL;
	}
}
