/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities: capget(2), capset(2), and the parts of prctl(2) about them. */
#include "kernel/cred_impl.h"

#include "kernel/cred_prctl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/prctl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* Words a set has in the caller's version; 0 or -EINVAL, and then the version we prefer is told. */
static int
header_words(struct cap_user_header __user *uhdr, struct cap_user_header *hdr, unsigned int *words)
{
	if (get_user(hdr->version, user_field(uhdr, version)))
		return -EFAULT;
	switch (hdr->version) {
	case CAPABILITY_VERSION_1:
		*words = 1;
		break;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		*words = 2;
		break;
	default:
		return put_user(CAPABILITY_VERSION_3, user_field(uhdr, version)) ? -EFAULT
										 : -EINVAL;
	}
	return get_user(hdr->pid, user_field(uhdr, pid)) ? -EFAULT : 0;
}

long
sys_capget(void __user *uhdr, void __user *udata)
{
	struct cap_user_header hdr;
	struct cap_user_data d[2];
	const struct cred *c;
	unsigned int words;
	struct task *t;
	int err = header_words(uhdr, &hdr, &words);

	/* A call without data only asks for the version. */
	if (err || !udata)
		return err == -EINVAL && !udata ? 0 : err;
	if (hdr.pid < 0)
		return -EINVAL;
	rcu_read_lock();
	t = hdr.pid ? task_find(hdr.pid) : current;
	if (!t) {
		rcu_read_unlock();
		return -ESRCH;
	}
	c = task_cred(t);
	for (unsigned int i = 0; i < 2; i++) {
		d[i].effective = c->cap_effective >> (32 * i);
		d[i].permitted = c->cap_permitted >> (32 * i);
		d[i].inheritable = c->cap_inheritable >> (32 * i);
	}
	rcu_read_unlock();
	return copy_to_user(udata, d, words * sizeof(d[0]));
}

static int
capset_check(const struct cred *c, u64 e, u64 p, u64 i)
{
	if (!capable(CAP_SETPCAP) && (i & ~(c->cap_inheritable | c->cap_permitted)))
		return -EPERM;
	if (i & ~(c->cap_inheritable | c->cap_bounding))
		return -EPERM;
	return (p & ~c->cap_permitted) || (e & ~p) ? -EPERM : 0;
}

long
sys_capset(void __user *uhdr, const void __user *udata)
{
	struct cap_user_header hdr;
	struct cap_user_data d[2] = {};
	unsigned int words;
	struct cred *next;
	u64 e, p, i;
	int err = header_words(uhdr, &hdr, &words);

	if (err)
		return err;
	if (hdr.pid && hdr.pid != current->tid)
		return -EPERM;
	if (copy_from_user(d, udata, words * sizeof(d[0])))
		return -EFAULT;
	e = (d[0].effective | (u64)d[1].effective << 32) & CAP_FULL_SET;
	p = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_FULL_SET;
	i = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_FULL_SET;
	err = capset_check(current_cred(), e, p, i);
	if (err)
		return err;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	next->cap_effective = e;
	next->cap_permitted = p;
	next->cap_inheritable = i;
	next->cap_ambient &= p & i;
	cred_commit(next);
	return 0;
}

/* --- prctl --- */

static long
bounding_drop(unsigned long cap)
{
	struct cred *next;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	next->cap_bounding &= ~CAP_MASK(cap);
	cred_commit(next);
	return 0;
}

static long
set_securebits(unsigned long bits)
{
	const struct cred *c = current_cred();
	u32 locked = (c->securebits & SECURE_ALL_LOCKS) >> 1;
	struct cred *next;

	/* Nothing locked changes, no lock goes, no unknown bit comes. */
	if ((locked & (c->securebits ^ bits)) || (c->securebits & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(unsigned long)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	next->securebits = bits;
	cred_commit(next);
	return 0;
}

static long
set_keepcaps(unsigned long on)
{
	struct cred *next;

	if (on > 1)
		return -EINVAL;
	if (current_cred()->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	next->securebits &= ~SECBIT_KEEP_CAPS;
	if (on)
		next->securebits |= SECBIT_KEEP_CAPS;
	cred_commit(next);
	return 0;
}

static long
ambient_change(unsigned long op, unsigned long cap)
{
	const struct cred *c = current_cred();
	struct cred *next;

	if (op == PR_CAP_AMBIENT_RAISE &&
	    (!(c->cap_permitted & CAP_MASK(cap)) || !(c->cap_inheritable & CAP_MASK(cap)) ||
	     (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		next->cap_ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		next->cap_ambient |= CAP_MASK(cap);
	else
		next->cap_ambient &= ~CAP_MASK(cap);
	cred_commit(next);
	return 0;
}

static long
ambient(unsigned long op, unsigned long cap, unsigned long a4, unsigned long a5)
{
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		return cap || a4 || a5 ? -EINVAL : ambient_change(op, 0);
	if (a4 || a5 || cap > CAP_LAST_CAP)
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return !!(current_cred()->cap_ambient & CAP_MASK(cap));
	case PR_CAP_AMBIENT_RAISE:
	case PR_CAP_AMBIENT_LOWER:
		return ambient_change(op, cap);
	default:
		return -EINVAL;
	}
}

long
cred_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	const struct cred *c = current_cred();

	switch (option) {
	case PR_CAPBSET_READ:
		return a2 > CAP_LAST_CAP ? -EINVAL : !!(c->cap_bounding & CAP_MASK(a2));
	case PR_CAPBSET_DROP:
		return bounding_drop(a2);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keepcaps(a2);
	case PR_CAP_AMBIENT:
		return ambient(a2, a3, a4, a5);
	default:
		return -ENOSYS;
	}
}
