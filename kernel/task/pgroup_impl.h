/* SPDX-License-Identifier: BSD-2-Clause */
/* Process groups and sessions as kernel/task sees them. */
#ifndef KERNEL_TASK_PGROUP_IMPL_H
#define KERNEL_TASK_PGROUP_IMPL_H

#include "kernel/task/pgroup.h"
#include "lib/list.h"
#include "percpu/ref.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

/* Shards a group has at most: CPUs n and n + PGROUP_SHARDS share one. */
#define PGROUP_SHARDS 32

struct pgroup_shard {
	struct spinlock lock;
	/* (lock)  processes by pgrp_link */
	struct list members;
} __cacheline_aligned;

struct pgroup {
	/* Held by members, each one. */
	struct ref ref;
	/* I  a use of the number */
	struct pid *pid;
	/* I  a reference */
	struct session *session;
	/* (session->lock) */
	struct list session_link;
	struct rcu_head rcu;
	struct pgroup_shard shard[];
};

struct session {
	/* a  its groups */
	u32 refs;
	/* I  a use of the number */
	struct pid *pid;
	struct spinlock lock;
	/* (lock)  struct pgroup by session_link */
	struct list groups;
	struct rcu_head rcu;
};

/* The last group puts the session. */
void session_put(struct session *s);
/* A group that was created and never joined; its session stays with the caller. */
void pgroup_discard(struct pgroup *g);
/* A reference of a member that has left, or did not become one. */
void pgroup_put(struct pgroup *g);
/* A reference for a new member, unless the group has none left. */
bool pgroup_get_unless_empty(struct pgroup *g);
/*
 * Moves p into g, which has a reference for it; returns the group that p left,
 * whose reference is the caller's to put. The lock of the session that p is in
 * is held, hence p's group is stable.
 */
struct pgroup *pgroup_move(struct process *p, struct pgroup *g);

#endif
