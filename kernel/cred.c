/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials.
 *
 * Model: a task points to a struct cred that nobody changes. To change them is
 * to copy (cred_prepare), edit the copy and publish it (cred_commit). Tasks
 * that fork share one.
 *
 * Ownership: each task and each open file holds a drained reference, so that
 * fork and open write no shared line. The memory goes a grace period after the
 * last one, since others may look at it under RCU. They must not take a
 * reference there (percpu/ref.h tells why); what they need they copy.
 */
#include "kernel/cred.h"

#include "kernel/cred_impl.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

/* Not counted, as it never goes: all tasks of the system may use it. */
static struct group_list no_groups;
static struct slab_cache *cred_cache;
/* a */
u32 suid_dumpable;

struct cred init_cred = {
	.cap_permitted = CAP_FULL_SET,
	.cap_effective = CAP_FULL_SET,
	.cap_bounding = CAP_FULL_SET,
	.groups = &no_groups,
	.user = &root_user,
};

static void
never_released(struct ref *r)
{
}

void __init
cred_init(void)
{
	cred_cache = slab_cache_create("cred", sizeof(struct cred), 0, 0);
	ref_init(&init_cred.ref, never_released);
	user_init();
}

/* --- life --- */

static void
cred_free(struct cred *c)
{
	group_list_put(c->groups);
	user_put(c->user);
	slab_free(cred_cache, c);
}

static void
free_rcu(struct rcu_head *h)
{
	cred_free(container_of(h, struct cred, rcu));
}

static void
release(struct ref *r)
{
	struct cred *c = container_of(r, struct cred, ref);

	rcu_call(&c->rcu, free_rcu);
}

const struct cred *
cred_get(const struct cred *c)
{
	ref_get(&((struct cred *)c)->ref);
	return c;
}

void
cred_put(const struct cred *c)
{
	ref_put(&((struct cred *)c)->ref);
}

const struct cred *
current_cred(void)
{
	return rcu_load(current->cred);
}

const struct cred *
task_cred(const struct task *t)
{
	return rcu_load(t->cred);
}

/* --- changing --- */

struct cred *
cred_prepare(void)
{
	const struct cred *old = current_cred();
	struct cred *c = slab_alloc(cred_cache, GFP_KERNEL);

	if (!c)
		return NULL;
	/* Not what other CPUs write to. */
	memcpy(c, old, offsetof(struct cred, ref));
	ref_init(&c->ref, release);
	group_list_get(c->groups);
	user_get(c->user);
	return c;
}

void
cred_abort(struct cred *c)
{
	/* Nobody else has ever seen it. */
	cred_free(c);
}

/* Did the change give or take what others judge the process by? */
static bool
more_private(const struct cred *new, const struct cred *old)
{
	return new->euid != old->euid || new->egid != old->egid || new->fsuid != old->fsuid ||
	       new->fsgid != old->fsgid || (new->cap_permitted & ~old->cap_permitted);
}

void
cred_commit(struct cred *c)
{
	struct task *t = current;
	struct cred *old = (struct cred *)current_cred();

	if (more_private(c, old)) {
		WRITE_ONCE(t->process->dumpable, READ_ONCE(suid_dumpable));
		t->pdeath_signal = 0;
	}
	if (c->user != old->user) {
		user_count_add(c->user, USER_PROCESSES, 1);
		user_count_add(old->user, USER_PROCESSES, -1);
	}
	rcu_publish(t->cred, c);
	cred_put(old);
}

const struct cred *
cred_override(const struct cred *c)
{
	const struct cred *old = current_cred();

	rcu_publish(current->cred, c);
	return old;
}

/* --- asking --- */

bool
cred_capable(const struct cred *c, unsigned int cap)
{
	return c->cap_effective & CAP_MASK(cap);
}

bool
capable(unsigned int cap)
{
	if (!cred_capable(current_cred(), cap))
		return false;
	if (!(current->flags & TASK_SUPERPRIV))
		current->flags |= TASK_SUPERPRIV;
	return true;
}

static bool
in_list(const struct group_list *g, u32 gid)
{
	u32 lo = 0, hi = g->n;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (g->gid[mid] == gid)
			return true;
		if (g->gid[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool
cred_in_group(const struct cred *c, u32 gid)
{
	return gid == c->fsgid || in_list(c->groups, gid);
}

bool
in_group(u32 gid)
{
	return cred_in_group(current_cred(), gid);
}

bool
in_egroup(u32 gid)
{
	const struct cred *c = current_cred();

	return gid == c->egid || in_list(c->groups, gid);
}

int
task_may_access(struct task *t, unsigned int mode)
{
	const struct cred *me = current_cred();
	const struct cred *c;
	u32 uid = mode & ACCESS_FSCREDS ? me->fsuid : me->uid;
	u32 gid = mode & ACCESS_FSCREDS ? me->fsgid : me->gid;
	u64 mine = mode & ACCESS_FSCREDS ? me->cap_effective : me->cap_permitted;
	bool same, subset, tracer = me->cap_effective & CAP_MASK(CAP_SYS_PTRACE);

	if (t->process == current->process)
		return 0;
	rcu_read_lock();
	c = task_cred(t);
	same = uid == c->euid && uid == c->suid && uid == c->uid && gid == c->egid &&
	       gid == c->sgid && gid == c->gid;
	subset = !(c->cap_permitted & ~mine);
	rcu_read_unlock();
	if (!same && !tracer)
		return -EPERM;
	if (READ_ONCE(t->process->dumpable) != 1 && !tracer)
		return -EPERM;
	return subset || tracer ? 0 : -EPERM;
}

/* --- groups --- */

struct group_list *
group_list_alloc(u32 n)
{
	struct group_list *g = kvmalloc(sizeof(*g) + n * sizeof(g->gid[0]), GFP_KERNEL);

	if (g) {
		g->refs = 1;
		g->n = n;
	}
	return g;
}

struct group_list *
group_list_get(struct group_list *g)
{
	if (g != &no_groups)
		atomic_inc(&g->refs);
	return g;
}

void
group_list_put(struct group_list *g)
{
	if (g != &no_groups && atomic_dec_and_test(&g->refs))
		kvfree(g);
}

/* --- exec (capabilities(7), "Transformation of capabilities during execve()") --- */

static bool
changes_ids(const struct cred *new, const struct cred *old)
{
	return new->euid != old->uid || new->egid != old->gid;
}

/* What root gets, and what the file's capabilities give. *effective: all of it at once. */
static int
exec_permitted(struct cred_exec *x, struct cred *new, bool *effective)
{
	u64 missing = 0;

	*effective = false;
	if (x->has_caps) {
		*effective = x->caps_effective;
		new->cap_permitted = (new->cap_bounding & x->caps_permitted) |
				     (new->cap_inheritable & x->caps_inheritable);
		missing = x->caps_permitted & ~new->cap_permitted;
	} else {
		new->cap_permitted = 0;
	}
	if (missing && x->caps_effective)
		return -EPERM;
	if (new->securebits & SECBIT_NOROOT)
		return 0;
	/* A set-uid-root file with capabilities of its own gives others just those. */
	if (x->has_caps && new->euid == 0 && new->uid != 0)
		return 0;
	if (new->euid == 0 || new->uid == 0)
		new->cap_permitted = new->cap_bounding | new->cap_inheritable;
	if (new->euid == 0)
		*effective = true;
	return 0;
}

static void
exec_finish(struct cred_exec *x, struct cred *new, const struct cred *old, bool effective)
{
	bool set_id = changes_ids(new, old);

	/* A tracer without the right to look into what we would become keeps us what we are. */
	if ((set_id || (new->cap_permitted & ~old->cap_permitted)) &&
	    (current->no_new_privs || ptrace_restricts_exec())) {
		if (current->no_new_privs || !capable(CAP_SETUID)) {
			new->euid = new->uid;
			new->egid = new->gid;
		}
		new->cap_permitted &= old->cap_permitted;
	}
	new->suid = new->fsuid = new->euid;
	new->sgid = new->fsgid = new->egid;
	if (x->has_caps || set_id)
		new->cap_ambient = 0;
	new->cap_permitted |= new->cap_ambient;
	new->cap_effective = effective ? new->cap_permitted : new->cap_ambient;
	new->securebits &= ~SECBIT_KEEP_CAPS;
	x->secure = set_id ||
		    (new->uid != 0 && (effective || (new->cap_permitted & ~new->cap_ambient)));
}

int
cred_exec(struct cred_exec *x)
{
	const struct cred *old = current_cred();
	struct cred *new = cred_prepare();
	bool effective;
	int err;

	if (!new)
		return -ENOMEM;
	if (current->no_new_privs)
		x->setuid = x->setgid = x->has_caps = false;
	if (x->setuid)
		new->euid = x->file_uid;
	if (x->setgid)
		new->egid = x->file_gid;
	err = exec_permitted(x, new, &effective);
	if (err) {
		cred_abort(new);
		return err;
	}
	exec_finish(x, new, old, effective);
	x->cred = new;
	return 0;
}

void
cred_exec_commit(struct cred_exec *x)
{
	struct task *t = current;
	const struct cred *c = x->cred;
	bool private = x->unreadable || c->euid != c->uid || c->egid != c->gid;

	if (x->secure)
		t->pdeath_signal = 0;
	WRITE_ONCE(t->process->dumpable, private ? READ_ONCE(suid_dumpable) : 1);
	cred_commit(x->cred);
	x->cred = NULL;
}

void
cred_exec_abort(struct cred_exec *x)
{
	if (x->cred)
		cred_abort(x->cred);
	x->cred = NULL;
}
