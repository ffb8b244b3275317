/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files about semaphores share. (sem.c tells the model.) */
#ifndef IPC_SEM_IMPL_H
#define IPC_SEM_IMPL_H

#include "ipc/ipc_impl.h"

struct sem {
	/* l  0 to SEMVMX; who changed it last */
	s32 value;
	s32 pid;
};

struct sem_set {
	struct ipc_object ipc;
	/* I */
	u32 n;
	/* l  seconds since 1970, 0: never */
	s64 otime, ctime;
	/* l  struct sem_wait, oldest first: who wants to change something, and who does not */
	struct list changers, watchers;
	/* l  struct sem_undo */
	struct list undos;
	/* l */
	struct sem sem[];
};

/* What one process takes back of one set when it ends. */
struct sem_undo {
	/* (list->lock) */
	struct list list_link;
	struct sem_undo_list *list;
	/* (set's lock) */
	struct list set_link;
	struct sem_set *set;
	/* (set's lock)  to be added to each value */
	s16 adjust[];
};

/* Of one process, or of several (CLONE_SYSVSEM). */
struct sem_undo_list {
	/* a  tasks */
	u32 refs;
	/* taken inside the lock of a set */
	struct spinlock lock;
	/* l */
	struct list undos;
};

#define SEM_WAITING 1

/* One semop(2); on the stack of its caller. */
struct sem_wait {
	/* (set's lock) */
	struct list link;
	struct task *task;
	s32 pid;
	const struct sembuf *ops;
	u32 n;
	bool changes;
	/* NULL: nothing is to be undone */
	struct sem_undo *undo;
	/* (set's lock)  which of them must wait */
	const struct sembuf *blocking;
	/* a  SEM_WAITING while in the set's list */
	int result;
};

extern struct ipc_ids sem_ids;
/* a  sysctl kernel.sem: in a set, in all sets, operations of a call */
extern u32 sem_limit_set, sem_limit_all, sem_limit_ops;

static inline struct sem_set *
sem_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, ipc);
}

/* --- sem.c: the set is locked --- */
/* Does all of it, or none: 0, SEM_WAITING, -EAGAIN, -ERANGE. */
int sem_perform(struct sem_set *s, struct sem_wait *w);
/* Values have changed: does what waited for that. */
void sem_update(struct sem_set *s);
/* Everybody goes without: the set is being removed. */
void sem_fail_all(struct sem_set *s, int result);
/* Semaphores of all sets. */
u32 sem_total(void);
/* IPC_RMID. May sleep. */
int sem_remove(s32 id);

/* --- sem_undo.c --- */
/* Current's of s, or NULL; s is locked. */
struct sem_undo *sem_undo_find(const struct sem_set *s);
/* A new one for current, in no list; NULL without memory. May sleep. */
struct sem_undo *sem_undo_alloc(u32 n);
void sem_undo_free(struct sem_undo *u);
/* Enters it; s is locked. */
void sem_undo_add(struct sem_set *s, struct sem_undo *u);
/* Moves all of s, which is locked, to `gone`. */
void sem_undo_take_all(struct sem_set *s, struct list *gone);
void sem_undo_free_all(struct list *gone);

#endif
