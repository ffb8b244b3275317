/* SPDX-License-Identifier: BSD-2-Clause */
/* prctl(2). What is about credentials is kernel/cred_cap.c's. */
#include "kernel/uapi/prctl.h"
#include "kernel/cred_prctl.h"
#include "kernel/seccomp/seccomp.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/port.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/signal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/space.h"
#include "mm/uaccess.h"

static long
set_name(const char __user *uname)
{
	char name[TASK_COMM_LEN];
	long n = strncpy_from_user(name, uname, sizeof(name));

	if (n == -ENAMETOOLONG)
		name[sizeof(name) - 1] = '\0';
	else if (n < 0)
		return n;
	task_set_comm(current, name);
	return 0;
}

static long
get_name(char __user *uname)
{
	char name[TASK_COMM_LEN];

	task_get_comm(current, name);
	return copy_to_user(uname, name, sizeof(name));
}

static long
set_pdeathsig(unsigned long sig)
{
	if (sig > NSIG)
		return -EINVAL;
	current->pdeath_signal = sig;
	return 0;
}

static long
set_dumpable(unsigned long v)
{
	if (v > 1)
		return -EINVAL;
	WRITE_ONCE(current->process->dumpable, v);
	return 0;
}

/* Descendants that exist already learn that they have such an ancestor. */
static void
mark_descendants(struct process *top)
{
	struct process *p, *a;

	rcu_read_lock();
	for (p = process_next(1); p; p = process_next(p->tgid + 1)) {
		for (a = rcu_load(p->parent); a != init_process && a != &idle_process;
		     a = rcu_load(a->parent)) {
			if (a != top)
				continue;
			WRITE_ONCE(p->has_subreaper, true);
			break;
		}
	}
	rcu_read_unlock();
}

static long
set_subreaper(unsigned long on)
{
	struct process *p = current->process;

	WRITE_ONCE(p->child_subreaper, !!on);
	if (on)
		mark_descendants(p);
	return 0;
}

static long
set_no_new_privs(unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	if (a2 != 1 || a3 || a4 || a5)
		return -EINVAL;
	WRITE_ONCE(current->no_new_privs, true);
	return 0;
}

static long
set_timerslack(unsigned long ns)
{
	current->timer_slack = (long)ns <= 0 ? current->timer_slack_default : ns;
	return 0;
}

/* The field of the layout that /proc/PID/cmdline, stat and others show; NULL: no such. */
static unsigned long *
layout_field(struct space_layout *l, unsigned long which)
{
	switch (which) {
	case PR_SET_MM_START_CODE:
		return &l->start_code;
	case PR_SET_MM_END_CODE:
		return &l->end_code;
	case PR_SET_MM_START_DATA:
		return &l->start_data;
	case PR_SET_MM_END_DATA:
		return &l->end_data;
	case PR_SET_MM_START_STACK:
		return &l->start_stack;
	case PR_SET_MM_ARG_START:
		return &l->arg_start;
	case PR_SET_MM_ARG_END:
		return &l->arg_end;
	case PR_SET_MM_ENV_START:
		return &l->env_start;
	case PR_SET_MM_ENV_END:
		return &l->env_end;
	default:
		return NULL;
	}
}

/* Moving brk, replacing the executable are for checkpoint tools: EINVAL, as without them. */
static long
set_mm(unsigned long which, unsigned long addr, unsigned long a4, unsigned long a5)
{
	unsigned long *field;
	struct page *p;

	if (a5 || (a4 && which != PR_SET_MM_AUXV && which != PR_SET_MM_MAP &&
		   which != PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	field = layout_field(space_layout(current->space), which);
	if (!field || addr >= USER_END)
		return -EINVAL;
	/* It must lie in a mapping. */
	p = space_get_page(current->space, addr, false);
	if (is_err_or_null(p))
		return -EINVAL;
	page_put(p);
	WRITE_ONCE(*field, addr);
	return 0;
}

/* Operations that other architectures or builds have: what Linux on x86 says without them. */
static long
prctl_rest(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	switch (option) {
	case PR_GET_TIMING:
		return 0;
	case PR_SET_TIMING:
		return a2 ? -EINVAL : 0;
	case PR_GET_TSC:
		return put_user(arch_get_tsc_mode(), (int __user *)a2);
	case PR_SET_TSC:
		if (a2 != PR_TSC_ENABLE && a2 != PR_TSC_SIGSEGV)
			return -EINVAL;
		return arch_set_tsc_mode(a2);
	case PR_SET_MM:
		return set_mm(a2, a3, a4, a5);
	case PR_SET_SYSCALL_USER_DISPATCH:
		return dispatch_prctl(a2, a3, a4, (u8 __user *)a5);
	case PR_GET_SECCOMP:
		return READ_ONCE(current->seccomp.mode);
	case PR_SET_SECCOMP:
		return seccomp_prctl(a2, a3);
	case PR_GET_TID_ADDRESS:
		return put_user((u64 __force)current->clear_child_tid, (u64 __user *)a2);
	case PR_GET_THP_DISABLE:
		return a2 || a3 || a4 || a5 ? -EINVAL : current->process->thp_disabled;
	case PR_SET_THP_DISABLE:
		if (a3 || a4 || a5)
			return -EINVAL;
		WRITE_ONCE(current->process->thp_disabled, a2 != 0);
		return 0;
	case PR_GET_IO_FLUSHER:
	case PR_SET_IO_FLUSHER:
		return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

long
sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	struct process *p = current->process;
	long ret = cred_prctl(option, a2, a3, a4, a5);

	if (ret != -ENOSYS)
		return ret;
	switch (option) {
	case PR_SET_NAME:
		return set_name((const char __user *)a2);
	case PR_GET_NAME:
		return get_name((char __user *)a2);
	case PR_SET_PDEATHSIG:
		return set_pdeathsig(a2);
	case PR_GET_PDEATHSIG:
		return put_user(current->pdeath_signal, (int __user *)a2);
	case PR_GET_DUMPABLE:
		return READ_ONCE(p->dumpable);
	case PR_SET_DUMPABLE:
		return set_dumpable(a2);
	case PR_SET_CHILD_SUBREAPER:
		return set_subreaper(a2);
	case PR_GET_CHILD_SUBREAPER:
		return put_user((int)p->child_subreaper, (int __user *)a2);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(a2, a3, a4, a5);
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || a4 || a5 ? -EINVAL : READ_ONCE(current->no_new_privs);
	case PR_SET_TIMERSLACK:
		return set_timerslack(a2);
	case PR_GET_TIMERSLACK:
		return current->timer_slack;
	default:
		return prctl_rest(option, a2, a3, a4, a5);
	}
}
