/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces as descriptors and /proc/PID/ns name them: what all types have in
 * common, to be embedded in what a type is about.
 *
 * Model: each task is in one namespace of each type. There is one of each now,
 * the initial one, so no task says which (namespaces(7); containers/ brings
 * more). The numbers are Linux's, by which tools know the initial ones.
 *
 * Ownership: counted; who gets one from task_ns_get() puts it. A namespace
 * holds its owner and its parent.
 */
#ifndef KERNEL_TASK_NS_H
#define KERNEL_TASK_NS_H

#include "arch/x86_64/asm/atomic.h"
#include "lib/types.h"

struct task;

/* In the order in which /proc/PID/ns lists them. */
enum ns_kind { NS_NET, NS_UTS, NS_IPC, NS_PID, NS_USER, NS_MNT, NS_CGROUP, NS_TIME, NS_KINDS };

struct ns {
	/* a */
	u32 refs;
	/* I  all below */
	enum ns_kind kind;
	u32 ino;
	/* The user namespace whose capabilities count here; of a user namespace: its parent. */
	struct ns *owner;
	/* NS_PID, NS_USER: what it was made in. NULL: the initial one. */
	struct ns *parent;
	/* NS_USER: effective user of who made it. */
	u32 uid;
	/* The last reference is gone. NULL: that cannot happen (initial). */
	void (*free)(struct ns *ns);
};

/* "mnt" */
const char *ns_name(const struct ns *ns);
/* CLONE_NEW* */
u64 ns_flag(const struct ns *ns);

static inline struct ns *
ns_get(struct ns *ns)
{
	atomic_inc(&ns->refs);
	return ns;
}

/* May sleep. */
void ns_put(struct ns *ns);

/*
 * t's namespace of a kind, with a reference. children: the one that its children
 * will be in (NS_PID, NS_TIME). NULL: t has left it, since it has exited.
 */
struct ns *task_ns_get(struct task *t, enum ns_kind kind, bool children);
/* Is ns current's namespace or one made inside that? ns may be NULL: no. */
bool ns_within_current(const struct ns *ns);

#endif
