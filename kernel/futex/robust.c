/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Robust futexes: a thread keeps a list, in its own memory, of the locks that it
 * holds. When it exits, each word on the list that still has its tid is marked
 * FUTEX_OWNER_DIED and one waiter woken.
 *
 * The list is the program's and may be anything: each pointer may be bad, the
 * list may be a circle. The walk ends at the first fault and after
 * ROBUST_LIST_LIMIT entries.
 */
#include "kernel/futex/futex_impl.h"

#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

struct robust_entry {
	u64 addr;
	bool pi;
};

/* Bit 0 of a pointer says that it is a PI futex. */
static int
entry_read(struct robust_entry *e, const u64 __user *p)
{
	u64 v;

	if (get_user(v, p))
		return -EFAULT;
	e->addr = v & ~1UL;
	e->pi = v & 1;
	return 0;
}

/* pending: the thread was taking or giving back this lock and had not told the list yet. */
static int
word_died(u32 __user *uaddr, bool pi, bool pending)
{
	u32 tid = current->tid, old, seen;
	int err;

	if ((unsigned long __force)uaddr & 3)
		return -EINVAL;
	err = get_user(old, uaddr);
	while (!err) {
		/* It gave the lock back (0) but did not come to wake the next one. */
		if (pending && !pi && !old) {
			futex_wake_user(uaddr, true, 1);
			return 0;
		}
		if ((old & FUTEX_TID_MASK) != tid)
			return 0;
		seen = old;
		err = user_cmpxchg_u32(uaddr, &seen, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
		if (!err && seen == old)
			break;
		old = seen;
	}
	/* Waiters of PI futexes are woken by futex_pi_exit(). */
	if (!err && !pi && (old & FUTEX_WAITERS))
		futex_wake_user(uaddr, true, 1);
	return err;
}

static void
robust_exit(struct task *t)
{
	const struct robust_list_head __user *head = t->robust_list;
	struct robust_entry e, next, pending;
	s64 offset;

	if (entry_read(&e, user_field(head, list.next)) ||
	    get_user(offset, user_field(head, futex_offset)) ||
	    entry_read(&pending, user_field(head, list_op_pending)))
		return;
	for (unsigned int n = 0;
	     n < ROBUST_LIST_LIMIT && e.addr != (u64 __force)user_field(head, list); n++) {
		/* Read before the word is marked: its waiter may unmap the entry. */
		int err = entry_read(&next, (const u64 __user *)e.addr);

		if (e.addr != pending.addr &&
		    word_died((u32 __user *)(e.addr + offset), e.pi, false))
			return;
		if (err)
			return;
		e = next;
		cond_resched();
	}
	if (pending.addr)
		word_died((u32 __user *)(pending.addr + offset), pending.pi, true);
}

void
futex_task_exit(void)
{
	struct task *t = current;

	if (t->robust_list) {
		robust_exit(t);
		t->robust_list = NULL;
	}
	if (!list_empty(&t->pi_states) || (t->flags & TASK_EXITING))
		futex_pi_exit(t);
}

long
sys_set_robust_list(void __user *head, size_t n)
{
	if (n != sizeof(struct robust_list_head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

long
sys_get_robust_list(int pid, void __user *__user *uhead, size_t __user *un)
{
	struct task *t = pid ? task_find_get(pid) : task_get(current);
	void __user *head;
	int err;

	if (!t)
		return -ESRCH;
	err = task_may_access(t, ACCESS_REALCREDS);
	head = READ_ONCE(t->robust_list);
	task_put(t);
	if (err)
		return err;
	if (put_user(sizeof(struct robust_list_head), un))
		return -EFAULT;
	return put_user((u64 __force)head, (u64 __user *)uhead);
}
