/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kcmp(2): do two tasks share something?
 *
 * The order that it tells is one of addresses that were mixed with secrets, so
 * that no address can be learned from it.
 */
#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/random.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

enum {
	KCMP_FILE,
	KCMP_VM,
	KCMP_FILES,
	KCMP_FS,
	KCMP_SIGHAND,
	KCMP_IO,
	KCMP_SYSVSEM,
	KCMP_EPOLL_TFD,
	KCMP_TYPES
};

/* Of a set in the second task: the entry of descriptor tfd after toff others. */
struct kcmp_epoll_slot {
	u32 efd, tfd, toff;
};

/* I  a mask and an odd factor for each type */
static u64 secret[KCMP_TYPES][2];

static int
kcmp_init(void)
{
	random_bytes(secret, sizeof(secret));
	return 0;
}
INITCALL(INIT_LATE, kcmp_init);

/* 0 equal, 1 less, 2 greater. */
static int
order(const void *a, const void *b, int type)
{
	u64 x = ((u64)a ^ secret[type][0]) * (secret[type][1] | 1);
	u64 y = ((u64)b ^ secret[type][0]) * (secret[type][1] | 1);

	return x == y ? 0 : x < y ? 1 : 2;
}

/* The handle behind a task's descriptor, with a reference; NULL. */
static struct file *
get_handle(struct task *t, unsigned long idx)
{
	struct files *files = idx <= INT32_MAX ? task_get_files(t) : NULL;
	unsigned int nr = (unsigned int)idx;
	struct file *f = NULL;

	if (files) {
		f = files_next(files, &nr);
		files_put(files);
	}
	if (f && nr != idx) {
		file_put(f);
		f = NULL;
	}
	return f;
}

/* The same, only to be compared. */
static const struct file *
handle_of(struct task *t, unsigned long idx)
{
	struct file *f = get_handle(t, idx);

	if (f)
		file_put(f);
	return f;
}

static int
compare_files(struct task *a, struct task *b, unsigned long i, unsigned long j)
{
	const struct file *f = handle_of(a, i), *g = handle_of(b, j);

	return f && g ? order(f, g, KCMP_FILE) : -EBADF;
}

static int
compare_target(struct task *a, struct task *b, unsigned long i,
	       const struct kcmp_epoll_slot __user *uslot)
{
	struct kcmp_epoll_slot slot;
	const struct file *f, *g;
	struct file *set;

	if (copy_from_user(&slot, uslot, sizeof(slot)))
		return -EFAULT;
	f = handle_of(a, i);
	set = f ? get_handle(b, slot.efd) : NULL;
	if (!set)
		return -EBADF;
	g = epoll_target(set, slot.tfd, slot.toff);
	file_put(set);
	return is_err(g) ? ptr_err(g) : order(f, g, KCMP_FILE);
}

static int
compare(struct task *a, struct task *b, int type)
{
	switch (type) {
	case KCMP_VM:
		return order(READ_ONCE(a->space), READ_ONCE(b->space), type);
	case KCMP_FILES:
		return order(READ_ONCE(a->files), READ_ONCE(b->files), type);
	case KCMP_FS:
		return order(READ_ONCE(a->fs), READ_ONCE(b->fs), type);
	case KCMP_SIGHAND:
		return order(READ_ONCE(a->process->signals.sighand),
			     READ_ONCE(b->process->signals.sighand), type);
	case KCMP_SYSVSEM:
		return order(READ_ONCE(a->sem_undos), READ_ONCE(b->sem_undos), type);
	case KCMP_IO:
		/* Nobody has such a context: none is the same as none. */
		return 0;
	}
	return -EINVAL;
}

long
sys_kcmp(int pid1, int pid2, int type, unsigned long idx1, unsigned long idx2)
{
	struct task *a = task_find_get(pid1), *b = task_find_get(pid2);
	int ret = a && b ? 0 : -ESRCH;

	if (!ret && (task_may_access(a, ACCESS_REALCREDS) || task_may_access(b, ACCESS_REALCREDS)))
		ret = -EPERM;
	if (!ret && type == KCMP_FILE)
		ret = compare_files(a, b, idx1, idx2);
	else if (!ret && type == KCMP_EPOLL_TFD)
		ret = compare_target(a, b, idx1, (const struct kcmp_epoll_slot __user *)idx2);
	else if (!ret)
		ret = compare(a, b, type);
	if (a)
		task_put(a);
	if (b)
		task_put(b);
	return ret;
}
