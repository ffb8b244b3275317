/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_vm_readv(2), process_vm_writev(2): copies between current's memory
 * and that of another process, through a buffer of a page.
 */
#include "kernel/iter.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/uaccess.h"

/* The space of a process that current may look into, with a user reference; err_ptr. */
static struct space *
foreign_space(int pid)
{
	struct task *t = task_find_get(pid);
	struct space *s;
	int err;

	if (!t)
		return err_ptr(-ESRCH);
	err = task_may_access(t, ACCESS_REALCREDS);
	s = err ? err_ptr(err) : task_get_space(t);
	task_put(t);
	return s ? s : err_ptr(-ESRCH);
}

/* One range of the other process; bytes, fewer at a fault on either side. */
static size_t
copy_range(struct space *s, const struct iovec *at, struct iter *it, char *buf, bool write)
{
	unsigned long addr = (unsigned long __force)at->base;
	size_t done = 0;

	while (done < at->len && iter_left(it)) {
		/* Up to the end of the page, so that what is there is copied whole. */
		size_t n = min(at->len - done, PAGE_SIZE - ((addr + done) & (PAGE_SIZE - 1))), got;

		n = min(n, iter_left(it));
		got = write ? iter_copy_from(buf, it, n)
			    : space_access(s, addr + done, buf, n, false);
		if (got)
			got = write ? space_access(s, addr + done, buf, got, true)
				    : iter_copy_to(it, buf, got);
		done += got;
		if (got < n)
			break;
	}
	return done;
}

static s64
copy_all(struct space *s, struct iter *it, const struct iovec *remote, unsigned long m, bool write)
{
	char *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	s64 done = 0, err = 0;
	unsigned long i;

	if (!buf)
		return -ENOMEM;
	for (i = 0; i < m && iter_left(it) && !err; i++) {
		size_t want = min(remote[i].len, iter_left(it));
		size_t got = copy_range(s, &remote[i], it, buf, write);

		done += (s64)got;
		err = got < want ? -EFAULT : 0;
	}
	kfree(buf);
	return done ? done : err;
}

/* The ranges of the other side: their addresses are not current's to check. */
static int
remote_get(struct iovec **v, const struct iovec __user *u, unsigned long m)
{
	unsigned long i;

	*v = NULL;
	if (m > IOV_MAX)
		return -EINVAL;
	*v = kcalloc(max(m, 1UL), sizeof(**v), GFP_KERNEL);
	if (!*v)
		return -ENOMEM;
	if (copy_from_user(*v, u, m * sizeof(**v)))
		return -EFAULT;
	for (i = 0; i < m; i++)
		if ((s64)(*v)[i].len < 0)
			return -EINVAL;
	return 0;
}

struct vm_args {
	int pid;
	const struct iovec __user *local, *remote;
	unsigned long n, m, flags;
};

static long
process_vm(const struct vm_args *a, bool write)
{
	struct iovec fast[IOV_FAST], *heap, *remote = NULL;
	struct space *s;
	struct iter it;
	s64 ret;

	if (a->flags)
		return -EINVAL;
	ret = iter_init_user_iov(&it, a->local, a->n, fast, &heap);
	if (ret)
		return ret;
	if (iter_left(&it)) {
		ret = remote_get(&remote, a->remote, a->m);
		s = ret ? NULL : foreign_space(a->pid);
		if (is_err(s))
			ret = ptr_err(s);
		if (!ret) {
			ret = copy_all(s, &it, remote, a->m, write);
			space_put_user(s);
		}
	}
	kfree(remote);
	kfree(heap);
	return ret;
}

long
sys_process_vm_readv(int pid, const struct iovec __user *local, unsigned long n,
		     const struct iovec __user *remote, unsigned long m, unsigned long flags)
{
	return process_vm(&(struct vm_args){pid, local, remote, n, m, flags}, false);
}

long
sys_process_vm_writev(int pid, const struct iovec __user *local, unsigned long n,
		      const struct iovec __user *remote, unsigned long m, unsigned long flags)
{
	return process_vm(&(struct vm_args){pid, local, remote, n, m, flags}, true);
}
