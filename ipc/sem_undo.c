/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEM_UNDO: what the end of a process takes back.
 *
 * Model: for each set that a process has changed with SEM_UNDO it keeps, for each
 * semaphore, what has to be added to take all of that back. Tasks made with
 * CLONE_SYSVSEM share the list of these; the last one of them does it.
 *
 * Ownership: one is in the list of its process and in that of its set until the
 * process ends or the set is removed. While it is in the first list the set is
 * not freed; while it is in the second the list is not.
 */
#include "ipc/sem_impl.h"
#include "ipc/task_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/task/task.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "mm/slab.h"

static LOCK_CLASS(sem_undo_class, RANK_LEAF);

/* Current's list, made when first needed; NULL without memory. */
static struct sem_undo_list *
my_list(void)
{
	struct sem_undo_list *l = current->sem_undos;

	if (l)
		return l;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return NULL;
	l->refs = 1;
	spin_init(&l->lock, &sem_undo_class);
	list_init(&l->undos);
	current->sem_undos = l;
	return l;
}

struct sem_undo *
sem_undo_find(const struct sem_set *s)
{
	struct sem_undo_list *l = current->sem_undos;
	struct sem_undo *u, *found = NULL;

	if (!l)
		return NULL;
	spin_lock(&l->lock);
	list_for_each_entry(u, &l->undos, list_link)
		if (u->set == s) {
			found = u;
			break;
		}
	spin_unlock(&l->lock);
	return found;
}

struct sem_undo *
sem_undo_alloc(u32 n)
{
	struct sem_undo *u;

	if (!my_list())
		return NULL;
	u = kvmalloc(sizeof(*u) + n * sizeof(u->adjust[0]), GFP_KERNEL | GFP_ZERO);
	if (u)
		u->list = current->sem_undos;
	return u;
}

void
sem_undo_free(struct sem_undo *u)
{
	kvfree(u);
}

void
sem_undo_add(struct sem_set *s, struct sem_undo *u)
{
	u->set = s;
	list_add_tail(&u->set_link, &s->undos);
	spin_lock(&u->list->lock);
	list_add_tail(&u->list_link, &u->list->undos);
	spin_unlock(&u->list->lock);
}

/* Out of both lists; its set is locked. */
static void
unlink(struct sem_undo *u)
{
	list_del(&u->set_link);
	spin_lock(&u->list->lock);
	list_del(&u->list_link);
	spin_unlock(&u->list->lock);
}

void
sem_undo_take_all(struct sem_set *s, struct list *gone)
{
	struct sem_undo *u, *tmp;

	list_for_each_entry_safe(u, tmp, &s->undos, set_link) {
		unlink(u);
		list_add_tail(&u->set_link, gone);
	}
}

void
sem_undo_free_all(struct list *gone)
{
	struct sem_undo *u, *tmp;

	list_for_each_entry_safe(u, tmp, gone, set_link)
		sem_undo_free(u);
}

/* --- the end of a process --- */

/* The set of the first one in l, with a reference; NULL: l is empty. */
static struct sem_set *
first_set(struct sem_undo_list *l)
{
	struct sem_set *s = NULL;

	spin_lock(&l->lock);
	if (!list_empty(&l->undos)) {
		s = list_first(&l->undos, struct sem_undo, list_link)->set;
		ipc_hold(&s->ipc);
	}
	spin_unlock(&l->lock);
	return s;
}

static void
apply(struct sem_set *s, const struct sem_undo *u)
{
	for (u32 i = 0; i < s->n; i++) {
		if (!u->adjust[i])
			continue;
		s->sem[i].value = clamp(s->sem[i].value + u->adjust[i], 0, SEMVMX);
		s->sem[i].pid = ipc_pid();
	}
	s->otime = ipc_now();
	sem_update(s);
}

/* Current leaves its list; the last one takes everything back. */
void
sem_task_exit(struct task *t)
{
	struct sem_undo_list *l = t->sem_undos;
	struct sem_undo *u;
	struct sem_set *s;

	t->sem_undos = NULL;
	if (!l || !atomic_dec_and_test(&l->refs))
		return;
	while ((s = first_set(l)) != NULL) {
		struct sem_undo *mine = NULL;

		spin_lock(&s->ipc.lock);
		/* A removal of the set may have been faster. */
		list_for_each_entry(u, &s->undos, set_link)
			if (u->list == l)
				mine = u;
		if (mine) {
			unlink(mine);
			apply(s, mine);
		}
		spin_unlock(&s->ipc.lock);
		if (mine)
			sem_undo_free(mine);
		ipc_put(&s->ipc);
	}
	kfree(l);
}

int
sem_task_fork(struct task *child, u64 flags)
{
	if (!(flags & CLONE_SYSVSEM))
		return 0;
	if (!my_list())
		return -ENOMEM;
	atomic_inc(&current->sem_undos->refs);
	child->sem_undos = current->sem_undos;
	return 0;
}

void
sem_task_fork_undo(struct task *child)
{
	/* Never the last: the parent has it too. */
	if (child->sem_undos)
		atomic_dec(&child->sem_undos->refs);
	child->sem_undos = NULL;
}
