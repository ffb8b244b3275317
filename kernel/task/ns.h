/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces as descriptors and /proc/PID/ns name them: what all types have in
 * common, to be embedded in what a type is about.
 *
 * Model: each task is in one namespace of each type. Of mounts there may be many,
 * and a task says which it is in (task->mnt_ns); of the other types there is the
 * initial one only (namespaces(7)). The numbers are Linux's, by which tools know
 * the initial ones.
 *
 * Ownership: counted; who gets one from task_ns_get() puts it. A namespace
 * holds its owner and its parent. Initial ones stay and are not counted, so that
 * all may fork and exit without a common count; the tasks of another one share its.
 */
#ifndef KERNEL_TASK_NS_H
#define KERNEL_TASK_NS_H

#include "arch/x86_64/asm/atomic.h"
#include "lib/types.h"

struct task;

/* In the order in which /proc/PID/ns lists them. */
enum ns_kind { NS_NET, NS_UTS, NS_IPC, NS_PID, NS_USER, NS_MNT, NS_CGROUP, NS_TIME, NS_KINDS };

struct ns {
	/* a  0: initial */
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
	/* The last reference is gone: ns_fini() and the memory. May sleep. */
	void (*free)(struct ns *ns);
};

/* Once, before any is made. */
void ns_init_numbers(void);
/* A new one, with one reference and a number of its own: 0, -ENOMEM, -ENOSPC. May sleep. */
int ns_init(struct ns *ns, enum ns_kind kind);
/* Gives the number back. */
void ns_fini(struct ns *ns);
/* The initial one, which there always is. */
struct ns *ns_initial(enum ns_kind kind);

/* "mnt" */
const char *ns_name(const struct ns *ns);
/* CLONE_NEW* */
u64 ns_flag(const struct ns *ns);

static inline struct ns *
ns_get(struct ns *ns)
{
	if (READ_ONCE(ns->refs))
		atomic_inc(&ns->refs);
	return ns;
}

/* May sleep. NULL is allowed. */
void ns_put(struct ns *ns);

/*
 * t's namespace of a kind, with a reference. children: the one that its children
 * will be in (NS_PID, NS_TIME). NULL: t has left it, since it has exited.
 */
struct ns *task_ns_get(struct task *t, enum ns_kind kind, bool children);
/* Is ns current's namespace or one made inside that? ns may be NULL: no. */
bool ns_within_current(const struct ns *ns);

#endif
