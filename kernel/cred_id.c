/* SPDX-License-Identifier: BSD-2-Clause */
/* User and group ids: setuid(2) and its relatives, supplementary groups. */
#include "kernel/cred_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/sort.h"
#include "mm/uaccess.h"

#define NO_ID U32_MAX
/* Capabilities that come and go with fsuid 0. */
#define CAP_FS_SET                                                                                 \
	(CAP_MASK(CAP_CHOWN) | CAP_MASK(CAP_MKNOD) | CAP_MASK(CAP_DAC_OVERRIDE) |                  \
	 CAP_MASK(CAP_DAC_READ_SEARCH) | CAP_MASK(CAP_FOWNER) | CAP_MASK(CAP_FSETID) |             \
	 CAP_MASK(CAP_LINUX_IMMUTABLE) | CAP_MASK(CAP_MAC_OVERRIDE))

void
cred_fix_caps(struct cred *next, const struct cred *old)
{
	bool was_root = !old->uid || !old->euid || !old->suid;
	bool is_root = !next->uid || !next->euid || !next->suid;

	if (next->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(next->securebits & SECBIT_KEEP_CAPS)) {
			next->cap_permitted = 0;
			next->cap_effective = 0;
		}
		next->cap_ambient = 0;
	}
	if (!old->euid && next->euid)
		next->cap_effective = 0;
	if (old->euid && !next->euid)
		next->cap_effective = next->cap_permitted;
}

static bool
one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == NO_ID || id == a || id == b || id == c;
}

/* Publishes new with the user of its real uid, or drops it for err. */
static long
finish_uid(struct cred *next, int err)
{
	const struct cred *old = current_cred();
	struct user *u;

	if (!err && next->uid != old->uid) {
		u = user_get_uid(next->uid);
		if (u) {
			user_put(next->user);
			next->user = u;
		} else {
			err = -EAGAIN;
		}
	}
	if (err) {
		cred_abort(next);
		return err;
	}
	cred_fix_caps(next, old);
	cred_commit(next);
	return 0;
}

static long
finish_gid(struct cred *next, int err)
{
	if (err)
		cred_abort(next);
	else
		cred_commit(next);
	return err;
}

long
sys_setuid(u32 uid)
{
	struct cred *next;
	int err = 0;

	if (uid == NO_ID)
		return -EINVAL;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	if (capable(CAP_SETUID))
		next->uid = next->suid = uid;
	else if (uid != next->uid && uid != next->suid)
		err = -EPERM;
	next->euid = next->fsuid = uid;
	return finish_uid(next, err);
}

long
sys_setreuid(u32 ruid, u32 euid)
{
	const struct cred *old = current_cred();
	struct cred *next = cred_prepare();
	int err = 0;

	if (!next)
		return -ENOMEM;
	if ((!one_of(ruid, old->uid, old->euid, old->euid) ||
	     !one_of(euid, old->uid, old->euid, old->suid)) &&
	    !capable(CAP_SETUID))
		err = -EPERM;
	if (ruid != NO_ID)
		next->uid = ruid;
	if (euid != NO_ID)
		next->euid = euid;
	if (ruid != NO_ID || (euid != NO_ID && euid != old->uid))
		next->suid = next->euid;
	next->fsuid = next->euid;
	return finish_uid(next, err);
}

long
sys_setresuid(u32 ruid, u32 euid, u32 suid)
{
	const struct cred *old = current_cred();
	struct cred *next = cred_prepare();
	int err = 0;

	if (!next)
		return -ENOMEM;
	if ((!one_of(ruid, old->uid, old->euid, old->suid) ||
	     !one_of(euid, old->uid, old->euid, old->suid) ||
	     !one_of(suid, old->uid, old->euid, old->suid)) &&
	    !capable(CAP_SETUID))
		err = -EPERM;
	if (ruid != NO_ID)
		next->uid = ruid;
	if (euid != NO_ID)
		next->euid = euid;
	if (suid != NO_ID)
		next->suid = suid;
	next->fsuid = next->euid;
	return finish_uid(next, err);
}

/* Returns the id that was; never an error. */
long
sys_setfsuid(u32 uid)
{
	const struct cred *old = current_cred();
	u32 was = old->fsuid;
	struct cred *next;

	if (uid == NO_ID || uid == was)
		return was;
	if (!one_of(uid, old->uid, old->euid, old->suid) && uid != was && !capable(CAP_SETUID))
		return was;
	next = cred_prepare();
	if (!next)
		return was;
	next->fsuid = uid;
	if (!(next->securebits & SECBIT_NO_SETUID_FIXUP)) {
		if (!was)
			next->cap_effective &= ~CAP_FS_SET;
		else if (!uid)
			next->cap_effective |= next->cap_permitted & CAP_FS_SET;
	}
	cred_commit(next);
	return was;
}

long
sys_setgid(u32 gid)
{
	struct cred *next;
	int err = 0;

	if (gid == NO_ID)
		return -EINVAL;
	next = cred_prepare();
	if (!next)
		return -ENOMEM;
	if (capable(CAP_SETGID))
		next->gid = next->sgid = gid;
	else if (gid != next->gid && gid != next->sgid)
		err = -EPERM;
	next->egid = next->fsgid = gid;
	return finish_gid(next, err);
}

long
sys_setregid(u32 rgid, u32 egid)
{
	const struct cred *old = current_cred();
	struct cred *next = cred_prepare();
	int err = 0;

	if (!next)
		return -ENOMEM;
	if ((!one_of(rgid, old->gid, old->egid, old->egid) ||
	     !one_of(egid, old->gid, old->egid, old->sgid)) &&
	    !capable(CAP_SETGID))
		err = -EPERM;
	if (rgid != NO_ID)
		next->gid = rgid;
	if (egid != NO_ID)
		next->egid = egid;
	if (rgid != NO_ID || (egid != NO_ID && egid != old->gid))
		next->sgid = next->egid;
	next->fsgid = next->egid;
	return finish_gid(next, err);
}

long
sys_setresgid(u32 rgid, u32 egid, u32 sgid)
{
	const struct cred *old = current_cred();
	struct cred *next = cred_prepare();
	int err = 0;

	if (!next)
		return -ENOMEM;
	if ((!one_of(rgid, old->gid, old->egid, old->sgid) ||
	     !one_of(egid, old->gid, old->egid, old->sgid) ||
	     !one_of(sgid, old->gid, old->egid, old->sgid)) &&
	    !capable(CAP_SETGID))
		err = -EPERM;
	if (rgid != NO_ID)
		next->gid = rgid;
	if (egid != NO_ID)
		next->egid = egid;
	if (sgid != NO_ID)
		next->sgid = sgid;
	next->fsgid = next->egid;
	return finish_gid(next, err);
}

long
sys_setfsgid(u32 gid)
{
	const struct cred *old = current_cred();
	u32 was = old->fsgid;
	struct cred *next;

	if (gid == NO_ID || gid == was)
		return was;
	if (!one_of(gid, old->gid, old->egid, old->sgid) && !capable(CAP_SETGID))
		return was;
	next = cred_prepare();
	if (!next)
		return was;
	next->fsgid = gid;
	cred_commit(next);
	return was;
}

/* --- asking --- */

long
sys_getuid(void)
{
	return current_cred()->uid;
}

long
sys_geteuid(void)
{
	return current_cred()->euid;
}

long
sys_getgid(void)
{
	return current_cred()->gid;
}

long
sys_getegid(void)
{
	return current_cred()->egid;
}

long
sys_getresuid(u32 __user *ruid, u32 __user *euid, u32 __user *suid)
{
	const struct cred *c = current_cred();

	if (put_user(c->uid, ruid) || put_user(c->euid, euid) || put_user(c->suid, suid))
		return -EFAULT;
	return 0;
}

long
sys_getresgid(u32 __user *rgid, u32 __user *egid, u32 __user *sgid)
{
	const struct cred *c = current_cred();

	if (put_user(c->gid, rgid) || put_user(c->egid, egid) || put_user(c->sgid, sgid))
		return -EFAULT;
	return 0;
}

/* --- supplementary groups --- */

long
sys_getgroups(int n, u32 __user *list)
{
	const struct group_list *g = current_cred()->groups;

	if (n < 0)
		return -EINVAL;
	if (n) {
		if (g->n > (u32)n)
			return -EINVAL;
		if (copy_to_user(list, g->gid, g->n * sizeof(g->gid[0])))
			return -EFAULT;
	}
	return g->n;
}

static int
gid_cmp(const void *a, const void *b, void *ctx)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

long
sys_setgroups(int n, const u32 __user *list)
{
	struct group_list *g;
	struct cred *next;
	int err;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((u32)n > NGROUPS_MAX)
		return -EINVAL;
	g = group_list_alloc(n);
	if (!g)
		return -ENOMEM;
	err = copy_from_user(g->gid, list, n * sizeof(g->gid[0]));
	for (int i = 0; !err && i < n; i++)
		if (g->gid[i] == NO_ID)
			err = -EINVAL;
	next = err ? NULL : cred_prepare();
	if (!next) {
		group_list_put(g);
		return err ? err : -ENOMEM;
	}
	sort(g->gid, n, sizeof(g->gid[0]), gid_cmp, NULL);
	group_list_put(next->groups);
	next->groups = g;
	cred_commit(next);
	return 0;
}
