/* SPDX-License-Identifier: BSD-2-Clause */
/* Small calls about the caller itself: numbers, personality, the CPU it runs on. */
#include "kernel/task/task_impl.h"

#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/port.h"
#include "mm/uaccess.h"
#include "percpu/cpumask.h"

long
sys_getpid(void)
{
	return current->process->tgid;
}

long
sys_gettid(void)
{
	return current->tid;
}

long
sys_getppid(void)
{
	long ret;

	rcu_read_lock();
	ret = rcu_load(current->process->parent)->tgid;
	rcu_read_unlock();
	return ret;
}

long
sys_set_tid_address(u32 __user *tidptr)
{
	current->clear_child_tid = tidptr;
	return current->tid;
}

long
sys_personality(unsigned int persona)
{
	u32 old = current->personality;

	if (persona != 0xffffffffu)
		current->personality = persona;
	return old;
}

long
sys_getcpu(unsigned int __user *cpu, unsigned int __user *node, void __user *unused)
{
	unsigned int c = cpu_id();

	if ((cpu && put_user(c, cpu)) || (node && put_user(mm_port_cpu_node(c), node)))
		return -EFAULT;
	return 0;
}
