/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials: immutable once published, replaced as a whole, read under RCU. */
#ifndef KERNEL_CRED_H
#define KERNEL_CRED_H

#include "lib/types.h"
#include "percpu/ref.h"
#include "sync/rcu.h"

#define NGROUPS_MAX 65536

struct task;

struct group_list {
	/* a */
	u32 refs;
	u32 n;
	/* I  sorted */
	u32 gid[];
};

struct user;

struct cred {
	/* I  all but ref and rcu */
	u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	u32 securebits;
	struct group_list *groups;
	/* Counts of what one user has (processes, pending signals, ...). */
	struct user *user;
	/* What tasks of other CPUs hand in does not take the above from those who read it. */
	struct ref ref __cacheline_aligned;
	struct rcu_head rcu;
};

/* What becomes of the dumpable attribute when rights change: fs.suid_dumpable, 0 to 2. */
extern u32 suid_dumpable;

/* Numbers of capabilities(7) are in kernel/uapi/capability.h: CAP_CHOWN ... CAP_LAST_CAP. */

/* The current task's; valid until it changes them itself. */
const struct cred *current_cred(void);
/* Another task's, to look at inside an RCU section; no reference may be taken. Never NULL. */
const struct cred *task_cred(const struct task *t);
/* A copy to change; NULL without memory. commit takes it and publishes it for current. */
struct cred *cred_prepare(void);
void cred_commit(struct cred *c);
void cred_abort(struct cred *c);
/*
 * current acts with c, which it borrows, until it calls this again with what was
 * returned. What depends on credentials stays.
 */
const struct cred *cred_override(const struct cred *c);
const struct cred *cred_get(const struct cred *c);
void cred_put(const struct cred *c);
bool cred_capable(const struct cred *c, unsigned int cap);
/* Does current have it? */
bool capable(unsigned int cap);
/* Is gid the fsgid or one of the groups? */
bool cred_in_group(const struct cred *c, u32 gid);
bool in_group(u32 gid);
/* The same for the effective group id. */
bool in_egroup(u32 gid);

/* Number 0's: every capability. */
extern struct cred init_cred;
void cred_init(void);

/*
 * What exec does to the credentials of current. cred_exec() computes them
 * before the point of no return, cred_exec_commit() publishes them and sets
 * what depends on them (dumpable, parent-death signal).
 */
struct cred_exec {
	/* In: set-id bits that are to be honoured (not on MS_NOSUID), and the file's ids. */
	bool setuid, setgid;
	u32 file_uid, file_gid;
	/* In: capabilities of the file (security.capability). */
	bool has_caps, caps_effective;
	u64 caps_permitted, caps_inheritable;
	/* In: may the file be read by the caller? else the process is not dumpable. */
	bool unreadable;
	/* Out: AT_SECURE, and the credentials. */
	bool secure;
	struct cred *cred;
};
/* 0, -ENOMEM, -EPERM (file capabilities that could not be granted). */
int cred_exec(struct cred_exec *x);
void cred_exec_commit(struct cred_exec *x);
void cred_exec_abort(struct cred_exec *x);

/*
 * May current look into t: /proc/PID/mem, fd, pidfd_getfd, get_robust_list
 * (real ids), or at its numbers (fs ids)? 0 or -EPERM.
 */
#define ACCESS_FSCREDS 1u
#define ACCESS_REALCREDS 2u
int task_may_access(struct task *t, unsigned int mode);

/* --- per-user counts (kernel/cred_user.c) --- */

enum user_count {
	USER_PROCESSES,
	USER_SIGPENDING,
	USER_INOTIFY_INSTANCES,
	USER_INOTIFY_WATCHES,
	USER_EPOLL_WATCHES,
	USER_PIPE_PAGES,
	USER_LOCKED_PAGES,
	USER_PINNED_PAGES,
	USER_FILES_IN_FLIGHT,
	USER_MQUEUE_BYTES,
	USER_MNT_NAMESPACES,
	USER_COUNTS
};

/* The user of a uid, with a reference; NULL without memory. May sleep. */
struct user *user_get_uid(u32 uid);
struct user *user_get(struct user *u);
void user_put(struct user *u);
void user_count_add(struct user *u, enum user_count c, s64 n);
/* Adds n unless the count would pass limit; exact near the limit. */
bool user_count_try_add(struct user *u, enum user_count c, s64 n, u64 limit);
s64 user_count_sum(const struct user *u, enum user_count c);

#endif
