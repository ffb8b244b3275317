/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2) and its half of prctl(2). */
#include "kernel/file.h"
#include "kernel/seccomp/seccomp_impl.h"
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/*
 * TSYNC says by its value which thread failed, NEW_LISTENER which descriptor
 * there is: both at once only where a failure is an error.
 */
static bool
flags_ok(unsigned int flags)
{
	if (flags & ~SECCOMP_FILTER_FLAG_MASK)
		return false;
	if (!(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return !(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	return !(flags & SECCOMP_FILTER_FLAG_TSYNC) || (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
}

/* The descriptor of a new listener, once f is attached. */
static long
attach_listener(struct seccomp_filter *f, unsigned int flags)
{
	int fd = fd_reserve(0, true);
	struct file *file;
	long ret;

	if (fd < 0)
		return fd;
	file = seccomp_listen(f);
	if (is_err(file)) {
		fd_unreserve((unsigned int)fd);
		return ptr_err(file);
	}
	ret = seccomp_attach(f, flags);
	if (ret) {
		fd_unreserve((unsigned int)fd);
		file_put(file);
		return ret;
	}
	fd_publish((unsigned int)fd, file);
	return fd;
}

static long
set_filter(unsigned int flags, const void __user *uprog)
{
	struct seccomp_filter *f;
	bool listen = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long ret;

	if (!flags_ok(flags))
		return -EINVAL;
	f = seccomp_filter_create(uprog, flags);
	if (is_err(f))
		return ptr_err(f);
	ret = listen ? attach_listener(f, flags) : seccomp_attach(f, flags);
	/* Attached it belongs to the task. */
	if (ret < 0 || (ret && !listen))
		seccomp_filter_put(f);
	return ret;
}

static long
get_action_avail(const u32 __user *uaction)
{
	u32 action;

	if (copy_from_user(&action, uaction, sizeof(action)))
		return -EFAULT;
	return seccomp_action_known(action) ? 0 : -EOPNOTSUPP;
}

static long
get_notif_sizes(void __user *to)
{
	struct seccomp_notif_sizes sizes = {
		.notif = sizeof(struct seccomp_notif),
		.resp = sizeof(struct seccomp_notif_resp),
		.data = sizeof(struct seccomp_data),
	};

	return copy_to_user(to, &sizes, sizeof(sizes));
}

long
sys_seccomp(unsigned int op, unsigned int flags, void __user *arg)
{
	if (op == SECCOMP_SET_MODE_FILTER)
		return set_filter(flags, arg);
	if (flags)
		return -EINVAL;
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return arg ? -EINVAL : seccomp_set_strict();
	case SECCOMP_GET_ACTION_AVAIL:
		return get_action_avail(arg);
	case SECCOMP_GET_NOTIF_SIZES:
		return get_notif_sizes(arg);
	default:
		return -EINVAL;
	}
}

long
seccomp_prctl(unsigned long mode, unsigned long filter)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT:
		return seccomp_set_strict();
	case SECCOMP_MODE_FILTER:
		return set_filter(0, (const void __user *)filter);
	default:
		return -EINVAL;
	}
}
