/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * membarrier(2): barriers on the CPUs of other threads, so that their fast
 * paths need none.
 *
 * Model: an interrupt is a full barrier. The private form interrupts the CPUs
 * that run a thread of the caller's space now; a CPU that switches to one later
 * passes a barrier in the scheduler (the run queue's lock and the load of the
 * tables). SYNC_CORE has every thread go back to user mode by IRET the next time,
 * which serializes: who is there now comes by the interrupt, and the work of the
 * others says so.
 */
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/rseq.h"
#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"

#define SUPPORTED                                                                                  \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                 \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |             \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |       \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ |                                          \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                              \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

static void
barrier_here(void *arg)
{
	smp_mb();
}

/* The way back to user mode is an IRET. */
static void
serialize_here(void *arg)
{
	smp_mb();
	atomic_or(&current->work, WORK_NOTIFY);
}

/* The thread's critical section starts again on its way back to user mode. */
static void
restart_rseq_here(void *arg)
{
	struct task *t = current;

	smp_mb();
	if (t->rseq)
		atomic_or(&t->work, WORK_RSEQ);
}

/* CPUs that run something of the space (NULL: of any that registered for the global form). */
static void
collect_cpus(struct cpumask *mask, const struct space *s, int only)
{
	unsigned int cpu;

	cpumask_zero(mask);
	rcu_read_lock();
	for_each_online_cpu(cpu) {
		const struct task *t = READ_ONCE(cpu_of(current_task, cpu));
		bool hit;

		if (only >= 0 && cpu != (unsigned int)only)
			continue;
		if (s)
			hit = READ_ONCE(t->space) == s;
		else
			hit = READ_ONCE(t->process->membarrier) &
			      MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
		if (hit)
			cpumask_set(mask, cpu);
	}
	rcu_read_unlock();
}

static long
expedited(const struct space *s, int only, void (*fn)(void *arg))
{
	struct cpumask mask;

	/* Orders our accesses before the look at what runs where: pairs with the switch. */
	smp_mb();
	collect_cpus(&mask, s, only);
	cpu_call_mask(&mask, fn, NULL);
	smp_mb();
	return 0;
}

static long
private_expedited(int registered, int only, void (*fn)(void *arg))
{
	if (!(READ_ONCE(current->process->membarrier) & registered))
		return -EPERM;
	return expedited(current->space, only, fn);
}

static long
private_serialize(void)
{
	struct process *p = current->process;
	struct task *t;

	if (!(READ_ONCE(p->membarrier) & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE))
		return -EPERM;
	/* Before the look at who runs: one that comes to run meanwhile has its work to do. */
	rcu_read_lock();
	for_each_thread(p, t)
		atomic_or(&t->work, WORK_NOTIFY);
	rcu_read_unlock();
	return expedited(current->space, -1, serialize_here);
}

static long
register_for(int cmd)
{
	struct process *p = current->process;

	if (READ_ONCE(p->membarrier) & cmd)
		return 0;
	atomic_or(&p->membarrier, (u32)cmd);
	/* Threads that run already are seen by whoever starts after this. */
	rcu_synchronize();
	return 0;
}

long
sys_membarrier(int cmd, unsigned int flags, int cpu)
{
	if (cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) {
		if (flags & ~MEMBARRIER_CMD_FLAG_CPU)
			return -EINVAL;
	} else if (flags) {
		return -EINVAL;
	}
	if (!(flags & MEMBARRIER_CMD_FLAG_CPU))
		cpu = -1;
	else if (cpu < 0 || (unsigned int)cpu >= nr_cpus)
		return 0;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return SUPPORTED;
	case MEMBARRIER_CMD_GLOBAL:
		rcu_synchronize();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return expedited(NULL, -1, barrier_here);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return private_expedited(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, -1,
					 barrier_here);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return private_expedited(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, cpu,
					 restart_rseq_here);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return private_serialize();
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		return register_for(cmd);
	default:
		return -EINVAL;
	}
}
