/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V semaphores: sets and what is done to them. (semop.c is semop(2),
 * sem_ctl.c semctl(2), sem_undo.c what the end of a process takes back.)
 *
 * Model: an operation is a list of changes and of waits for 0 that is done as a
 * whole or not at all. One that cannot be done waits in its set, oldest first.
 * Whoever changes values does for those who wait what can be done then: first for
 * those who only watch, then for the oldest who changes something, and so from
 * the beginning until nothing can be done. So a waiter that is woken has what it
 * wanted, and nobody overtakes it.
 *
 * Ownership: a waiter lies on its task's stack; who takes it out of the list
 * stores the result as the last thing. A sleeper holds a reference of the set.
 *
 * Locking: the set's lock, then that of a process's list of undos. Sets have
 * nothing in common but their number and the table's.
 */
#include "ipc/sem_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "fs/proc/proc.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "mm/slab.h"
#include "sync/port.h"

#define SEMMNI 32000
#define SEMMSL 32000
#define SEMOPM 500

__maybe_unused static LOCK_CLASS(sem_ids_class, RANK_IPC_IDS);
struct ipc_ids sem_ids = {
	.mutex = MUTEX_INIT(sem_ids.mutex, sem_ids_class),
	.limit = SEMMNI,
	.next_id = -1,
	.last_index = U32_MAX,
};
u32 sem_limit_set = SEMMSL, sem_limit_all = SEMMNI * SEMMSL, sem_limit_ops = SEMOPM;
/* a  semaphores of all sets; a line that only those who make and remove sets write */
static u32 total;

u32
sem_total(void)
{
	return atomic_read(&total);
}

/* --- sets --- */

static bool
reserve(u32 n)
{
	u32 old = atomic_read(&total), most = READ_ONCE(sem_limit_all);

	do {
		if (old > most || n > most - old)
			return false;
	} while (!atomic_try_cmpxchg(&total, &old, old + n));
	return true;
}

static void
sem_free(struct ipc_object *o)
{
	kvfree(sem_of(o));
}

static void
sem_drop(struct ipc_object *o)
{
	atomic_sub(&total, sem_of(o)->n);
	ipc_put(o);
}

static struct ipc_object *
sem_make(const struct ipc_request *r)
{
	u32 n = (u32)r->size;
	struct sem_set *s;

	if (!n)
		return err_ptr(-EINVAL);
	if (!reserve(n))
		return err_ptr(-ENOSPC);
	s = kvmalloc(sizeof(*s) + n * sizeof(s->sem[0]), GFP_KERNEL | GFP_ZERO);
	if (!s) {
		atomic_sub(&total, n);
		return err_ptr(-ENOMEM);
	}
	ipc_init(&s->ipc, r);
	s->ipc.free = sem_free;
	s->n = n;
	s->ctime = ipc_now();
	list_init(&s->changers);
	list_init(&s->watchers);
	list_init(&s->undos);
	return &s->ipc;
}

static int
sem_suits(const struct ipc_object *o, const struct ipc_request *r)
{
	return container_of(o, const struct sem_set, ipc)->n < r->size ? -EINVAL : 0;
}

long
sys_semget(int key, int n, int flags)
{
	struct ipc_request r = {
		.ids = &sem_ids,
		.key = key,
		.flags = (u32)flags,
		.size = (u64)n,
		.make = sem_make,
		.suits = sem_suits,
		.drop = sem_drop,
	};

	if (n < 0 || (u32)n > READ_ONCE(sem_limit_set))
		return -EINVAL;
	return ipc_get(&r);
}

int
sem_remove(s32 id)
{
	struct list gone = LIST_INIT(gone);
	struct ipc_object *o;

	mutex_lock(&sem_ids.mutex);
	o = ipc_lock_owned(&sem_ids, id);
	if (!is_err(o)) {
		ipc_remove(&sem_ids, o);
		sem_fail_all(sem_of(o), -EIDRM);
		sem_undo_take_all(sem_of(o), &gone);
		ipc_unlock(o);
	}
	mutex_unlock(&sem_ids.mutex);
	if (is_err(o))
		return (int)ptr_err(o);
	sem_undo_free_all(&gone);
	sem_drop(o);
	return 0;
}

/* --- operations --- */

/* One of them: 0, SEM_WAITING, -EAGAIN, -ERANGE with nothing done. */
static int
perform_one(struct sem_set *s, struct sem_undo *u, const struct sembuf *op)
{
	struct sem *sem = &s->sem[op->num];
	s32 value = sem->value + op->op, adjust;

	if (value < 0 || (!op->op && value))
		return op->flags & IPC_NOWAIT ? -EAGAIN : SEM_WAITING;
	if (value > SEMVMX)
		return -ERANGE;
	if (op->flags & SEM_UNDO) {
		adjust = u->adjust[op->num] - op->op;
		if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
			return -ERANGE;
		u->adjust[op->num] = (s16)adjust;
	}
	sem->value = value;
	return 0;
}

int
sem_perform(struct sem_set *s, struct sem_wait *w)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < w->n && !ret; i++)
		ret = perform_one(s, w->undo, &w->ops[i]);
	if (!ret) {
		for (i = 0; i < w->n; i++)
			s->sem[w->ops[i].num].pid = w->pid;
		return 0;
	}
	w->blocking = &w->ops[--i];
	while (i-- > 0) {
		const struct sembuf *op = &w->ops[i];

		s->sem[op->num].value -= op->op;
		if (op->flags & SEM_UNDO)
			w->undo->adjust[op->num] += op->op;
	}
	return ret;
}

/* Takes w out of the list; it is its owner's again. */
static void
finish(struct sem_set *s, struct sem_wait *w, int result)
{
	struct task *t = w->task;

	if (!result)
		s->otime = ipc_now();
	list_del(&w->link);
	/* Pairs with the load in semop.c: nothing of w is touched behind it. */
	smp_store_release(&w->result, result);
	unpark(t);
}

void
sem_update(struct sem_set *s)
{
	struct sem_wait *w, *tmp;
	int ret;

again:
	list_for_each_entry_safe(w, tmp, &s->watchers, link) {
		ret = sem_perform(s, w);
		if (ret != SEM_WAITING)
			finish(s, w, ret);
	}
	list_for_each_entry_safe(w, tmp, &s->changers, link) {
		ret = sem_perform(s, w);
		if (ret == SEM_WAITING)
			continue;
		finish(s, w, ret);
		if (!ret)
			goto again;
	}
}

void
sem_fail_all(struct sem_set *s, int result)
{
	struct sem_wait *w, *tmp;

	list_for_each_entry_safe(w, tmp, &s->watchers, link)
		finish(s, w, result);
	list_for_each_entry_safe(w, tmp, &s->changers, link)
		finish(s, w, result);
}

/* --- /proc --- */

static void
show_one(struct ipc_object *o, struct seq *s)
{
	const struct sem_set *m = sem_of(o);

	seq_printf(s, "%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", o->key, o->id, o->mode,
		   m->n, o->uid, o->gid, o->cuid, o->cgid, m->otime, m->ctime);
}

static int
show_all(struct seq *s)
{
	seq_puts(s,
		 "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		 "ctime\n");
	return ipc_show_all(&sem_ids, s, show_one);
}
PROC_FILE(sysvipc_sem, "sysvipc/sem", 0444, show_all);

static int
show_limits(struct seq *s)
{
	seq_printf(s, "%u\t%u\t%u\t%u\n", READ_ONCE(sem_limit_set), READ_ONCE(sem_limit_all),
		   READ_ONCE(sem_limit_ops), READ_ONCE(sem_ids.limit));
	return 0;
}

/* As many of the four as there are. */
static int
store_limits(char *text)
{
	u32 v[] = {READ_ONCE(sem_limit_set), READ_ONCE(sem_limit_all), READ_ONCE(sem_limit_ops),
		   READ_ONCE(sem_ids.limit)};
	const char *at = text;
	u64 x;

	for (u32 i = 0; i < ARRAY_SIZE(v); i++) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (!*at)
			break;
		if (parse_u64_prefix(&at, 10, &x) || x > IPC_INT_MAX)
			return -EINVAL;
		v[i] = (u32)x;
	}
	if (v[3] > IPC_INDEX_MAX)
		return -ERANGE;
	WRITE_ONCE(sem_limit_set, v[0]);
	WRITE_ONCE(sem_limit_all, v[1]);
	WRITE_ONCE(sem_limit_ops, v[2]);
	WRITE_ONCE(sem_ids.limit, v[3]);
	return 0;
}
SYSCTL_RW(sem_limits, "kernel/sem", show_limits, store_limits);

static int
show_next(struct seq *s)
{
	return ipc_show_next(&sem_ids, s);
}

static int
store_next(char *text)
{
	return ipc_store_next(&sem_ids, text);
}
SYSCTL_RW(sem_next_id, "kernel/sem_next_id", show_next, store_next);
