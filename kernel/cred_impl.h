/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/cred*.c see of each other. */
#ifndef KERNEL_CRED_IMPL_H
#define KERNEL_CRED_IMPL_H

#include "kernel/cred.h"
#include "lib/list.h"
#include "percpu/work.h"
#include "sync/rcu.h"

/* A CPU keeps at most this much of a count to itself. */
#define USER_COUNT_BATCH 32

struct user_counts {
	s64 delta[USER_COUNTS];
};

struct user {
	/* (table lock, r)  in its bucket */
	struct hnode link;
	/* I */
	u32 uid;
	/* a  credentials that name it; at 0 it stays while a count is not 0 */
	u32 refs;
	/* a  what CPUs have handed in */
	s64 global[USER_COUNTS];
	/* I */
	struct user_counts __percpu *counts;
	struct rcu_head rcu;
	/* Frees it, where one may sleep. */
	struct work work;
};

extern struct user root_user;
void user_init(void);

struct group_list *group_list_alloc(u32 n);
struct group_list *group_list_get(struct group_list *g);
void group_list_put(struct group_list *g);

/* Capabilities after a change of user ids: capabilities(7), "Effect of user ID changes". */
void cred_fix_caps(struct cred *new, const struct cred *old);

#endif
