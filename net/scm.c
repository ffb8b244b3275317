/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors and credentials that go along with a message.
 *
 * Ownership: a message holds a reference of each handle; whoever takes the
 * message out of its queue installs or drops them.
 *
 * Limit: a user has no more of them under way than RLIMIT_NOFILE says, unless
 * privileged, since they count in no table meanwhile.
 */
#include "net/scm.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/task/rlimit.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define CMSG_ALIGN(n) align_up((n), sizeof(u64))

void
scm_init(struct scm *s)
{
	const struct cred *c = current_cred();

	*s = (struct scm){.cred = {current->process->tgid, c->uid, c->gid}};
}

void
scm_free(struct scm *s)
{
	while (s->nr)
		file_put(s->files[--s->nr]);
	kfree(s->files);
	s->files = NULL;
}

int
scm_copy(struct scm *to, const struct scm *from)
{
	u32 i;

	*to = (struct scm){.cred = from->cred};
	if (!from->nr)
		return 0;
	to->files = kcalloc(from->nr, sizeof(*to->files), GFP_KERNEL);
	if (!to->files)
		return -ENOMEM;
	for (i = 0; i < from->nr; i++)
		to->files[i] = file_get(from->files[i]);
	to->nr = from->nr;
	return 0;
}

int
scm_depart(struct scm *s)
{
	struct user *u = current_cred()->user;
	u64 limit = rlimit(RLIMIT_NOFILE);

	if (!s->nr)
		return 0;
	if (capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
		user_count_add(u, USER_FILES_IN_FLIGHT, s->nr);
	else if (!user_count_try_add(u, USER_FILES_IN_FLIGHT, s->nr, limit))
		return -ETOOMANYREFS;
	s->user = u;
	return 0;
}

void
scm_landed(struct scm *s)
{
	if (s->user)
		user_count_add(s->user, USER_FILES_IN_FLIGHT, -(s64)s->nr);
	s->user = NULL;
}

/* --- from the user --- */

static int
parse_rights(struct scm *s, const void __user *data, size_t n)
{
	const s32 __user *fds = data;
	s32 fd;

	n /= sizeof(fd);
	if (!n)
		return 0;
	if (s->nr + n > SCM_MAX_FD)
		return -EINVAL;
	if (!s->files)
		s->files = kcalloc(SCM_MAX_FD, sizeof(*s->files), GFP_KERNEL);
	if (!s->files)
		return -ENOMEM;
	for (; n; n--, fds++) {
		struct fdref r;

		if (get_user(fd, fds))
			return -EFAULT;
		r = fd_get_path((unsigned int)fd);
		if (!r.file)
			return -EBADF;
		if (r.file->ops->stays) {
			fd_put(r);
			return -EINVAL;
		}
		s->files[s->nr++] = file_get(r.file);
		fd_put(r);
	}
	return 0;
}

/* May current say that it is c? */
static bool
may_claim(const struct ucred *c)
{
	const struct cred *me = current_cred();

	return (c->pid == current->process->tgid || capable(CAP_SYS_ADMIN)) &&
	       (c->uid == me->uid || c->uid == me->euid || c->uid == me->suid ||
		capable(CAP_SETUID)) &&
	       (c->gid == me->gid || c->gid == me->egid || c->gid == me->sgid ||
		capable(CAP_SETGID));
}

static int
parse_one(struct scm *s, const struct cmsghdr *h, const void __user *data, size_t n)
{
	struct ucred c;

	if (h->level != SOL_SOCKET)
		return 0;
	if (h->type == SCM_RIGHTS)
		return parse_rights(s, data, n);
	if (h->type != SCM_CREDENTIALS || n != sizeof(c))
		return -EINVAL;
	if (copy_from_user(&c, data, sizeof(c)))
		return -EFAULT;
	if (!may_claim(&c))
		return -EPERM;
	s->cred = c;
	return 0;
}

int
scm_parse(struct scm *s, const void __user *control, size_t len)
{
	const u8 __user *at = control;
	struct cmsghdr h;
	int err;

	while (len >= sizeof(h)) {
		if (copy_from_user(&h, at, sizeof(h)))
			return -EFAULT;
		if (h.len < sizeof(h) || h.len > len)
			return -EINVAL;
		err = parse_one(s, &h, at + sizeof(h), h.len - sizeof(h));
		if (err)
			return err;
		if (CMSG_ALIGN(h.len) >= len)
			break;
		at += CMSG_ALIGN(h.len);
		len -= CMSG_ALIGN(h.len);
	}
	return 0;
}

/* --- to the user --- */

/* The room that is left in the user's control buffer. */
struct room {
	u8 __user *at;
	size_t left;
	u32 flags;
};

static void
room_use(struct room *r, size_t len)
{
	size_t n = min(CMSG_ALIGN(len), r->left);

	r->at += n;
	r->left -= n;
}

static void
deliver_cred(struct scm *s, struct room *r)
{
	struct cmsghdr h = {sizeof(h) + sizeof(s->cred), SOL_SOCKET, SCM_CREDENTIALS};

	if (r->left < sizeof(h)) {
		r->flags |= MSG_CTRUNC;
		return;
	}
	if (h.len > r->left) {
		r->flags |= MSG_CTRUNC;
		h.len = r->left;
	}
	if (copy_to_user(r->at, &h, sizeof(h)) ||
	    copy_to_user(r->at + sizeof(h), &s->cred, h.len - sizeof(h)))
		return;
	room_use(r, h.len);
}

/* Installs one handle and tells its number: 0 or -Exxx. */
static int
deliver_file(struct file *f, s32 __user *where, bool cloexec)
{
	int fd = fd_reserve(0, cloexec);

	if (fd < 0)
		return fd;
	if (put_user(fd, where)) {
		fd_unreserve((unsigned int)fd);
		return -EFAULT;
	}
	fd_publish((unsigned int)fd, file_get(f));
	return 0;
}

static void
deliver_files(struct scm *s, struct room *r, bool cloexec)
{
	struct cmsghdr h = {0, SOL_SOCKET, SCM_RIGHTS};
	s32 __user *where = (s32 __user *)(r->at + sizeof(h));
	size_t room = r->left < sizeof(h) ? 0 : (r->left - sizeof(h)) / sizeof(s32);
	u32 n = (u32)min(room, (size_t)s->nr), i;

	for (i = 0; i < n; i++)
		if (deliver_file(s->files[i], where + i, cloexec))
			break;
	if (i < s->nr)
		r->flags |= MSG_CTRUNC;
	if (!i)
		return;
	h.len = sizeof(h) + i * sizeof(s32);
	if (!copy_to_user(r->at, &h, sizeof(h)))
		room_use(r, h.len);
}

u32
scm_deliver(struct scm *s, void __user *control, u64 *len, bool creds, u32 flags)
{
	struct room r = {control, *len, 0};

	if (creds)
		deliver_cred(s, &r);
	if (s->nr)
		deliver_files(s, &r, flags & MSG_CMSG_CLOEXEC);
	*len -= r.left;
	return r.flags;
}
