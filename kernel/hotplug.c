/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU hot-plug.
 *
 * Model: two masks say what a CPU is good for. An active CPU is given tasks and
 * work; an online one takes part in calls and flushes. A CPU leaves in this order:
 *
 *      THE TASK THAT ASKED (another CPU)       THE CPU
 *      active bit is cleared; grace period     runs on
 *      its work thread is parked               runs on
 *      its queue is marked as leaving          switches to its idle task, gives its
 *                                              tasks away, clears its online bit
 *      grace period: nobody that saw the       QUIET: empties its mailbox, takes
 *      bit is about to send it something       part in RCU; interrupts are off
 *      says FINAL                              empties its mailbox a last time,
 *                                              leaves RCU: DEAD, halts
 *      takes over timers, work, references,
 *      callbacks and free memory
 *
 * A CPU that does not get to its idle task in time is not waited for: whoever is
 * first, the CPU (ASKED -> GOING) or the task (ASKED -> RUNS), decides, and in the
 * second case it stays. From GOING on the CPU does a bounded amount of work with
 * nobody else's help; if it does not come to its end, that is reported.
 *
 * Whoever sends something to a CPU, or gives it a task, looks at its bit and acts
 * within one pinned section; that is what the grace periods wait for.
 *
 * A CPU comes as it did at boot (arch_cpu_start()): its areas are made for every
 * CPU that is possible, and are as the last one left them. A possible CPU that is not
 * present is not plugged into the machine (cpu_plug(), arch/x86_64/acpi_cpu.c).
 *
 * Tasks whose affinity leaves no active CPU lose that affinity, as in Linux, and
 * are named in the log. Device interrupts all go to the boot CPU, which cannot
 * leave.
 *
 * Locking: hotplug_lock around each change; states are written by one side each.
 *
 * Rejected: stopping all CPUs for the change (Linux's stop_machine): every CPU
 * would wait for the slowest; readers here pay nothing but the test of a bit.
 */
#include "kernel/hotplug.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/port_fs.h"
#include "kernel/ports.h"
#include "kernel/sched/hotplug.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "kernel/trace/trace.h"
#include "lib/errno.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/percpu.h"
#include "percpu/ref.h"
#include "percpu/trace/events.h"
#include "percpu/work.h"
#include "sync/mutex.h"
#include "sync/port.h"
#include "sync/rcu.h"

#define POLL_NS (100 * NSEC_PER_USEC)
#define START_NS (10 * NSEC_PER_SEC)

enum { CPU_RUNS, CPU_ASKED, CPU_GOING, CPU_QUIET, CPU_FINAL, CPU_DEAD };

/* How long a CPU may take to its idle task; how often one that does not go on is reported. */
u64 hotplug_patience_ns = 10 * NSEC_PER_SEC;

static LOCK_CLASS(hotplug_class, RANK_CPU_HOTPLUG);
static struct mutex hotplug_lock = MUTEX_INIT(hotplug_lock, hotplug_class);
/* a  enum above: GOING, QUIET and DEAD are said by the CPU, the others to it */
static DEFINE_PERCPU(u32, cpu_phase);
static DEFINE_COUNTER(downs);
static DEFINE_COUNTER(ups);

u64
hotplug_downs(void)
{
	return (u64)counter_sum(downs);
}

u64
hotplug_ups(void)
{
	return (u64)counter_sum(ups);
}

/* --- the CPU that leaves --- */

/* Nothing is sent to it any more but what was under way: what it answers for meanwhile. */
static void
quiet_until_final(void)
{
	smp_store_release(&this_cpu(cpu_phase), CPU_QUIET);
	while (smp_load_acquire(&this_cpu(cpu_phase)) != CPU_FINAL) {
		mailbox_drain_oncpu();
		rcu_cpu_quiet_oncpu();
		cpu_relax();
	}
	while (!mailbox_empty_oncpu())
		mailbox_drain_oncpu();
}

void
cpu_die_oncpu(void)
{
	u32 asked = CPU_ASKED;

	/* Too late: it was decided that we stay. */
	if (!atomic_try_cmpxchg(&this_cpu(cpu_phase), &asked, CPU_GOING))
		return;
	sched_give_away_oncpu();
	/* Who frees a space's tables asks those that are online to let go of them. */
	tlb_quit_oncpu();
	cpumask_clear_atomic(&cpu_online_mask, cpu_id());
	quiet_until_final();
	sched_cpu_quit_oncpu();
	kernel_ports_quit_oncpu();
	ref_cpu_quit_oncpu();
	rcu_cpu_down(cpu_id());
	smp_store_release(&this_cpu(cpu_phase), CPU_DEAD);
	arch_halt();
}

/* --- the task that asked --- */

/* True: it is too late to call it back. */
static bool
has_begun_to_go(unsigned int cpu)
{
	u32 asked = CPU_ASKED;

	return !atomic_try_cmpxchg(&cpu_of(cpu_phase, cpu), &asked, CPU_RUNS);
}

/* 0 or -EBUSY: the CPU has not begun to leave, and will not. */
static int
wait_phase(unsigned int cpu, u32 phase)
{
	u64 report = ktime_get() + hotplug_patience_ns;

	while (smp_load_acquire(&cpu_of(cpu_phase, cpu)) != phase) {
		sleep_ns(POLL_NS);
		if (ktime_get() < report)
			continue;
		if (!has_begun_to_go(cpu)) {
			log_err("smp: CPU %u stays: it has not switched tasks for %lu ms", cpu,
				hotplug_patience_ns / NSEC_PER_MSEC);
			rcu_port_backtrace(cpu);
			return -EBUSY;
		}
		log_err("smp: CPU %u is going offline but does not come to its end (phase %u)", cpu,
			READ_ONCE(cpu_of(cpu_phase, cpu)));
		rcu_port_backtrace(cpu);
		report += hotplug_patience_ns;
	}
	return 0;
}

/* The CPU has not left: as if nobody had asked. */
static void
call_back(unsigned int cpu)
{
	sched_cpu_stay(cpu);
	rcu_barrier_release();
	cpumask_set_atomic(&cpu_active_mask, cpu);
	/* It has been there all the time. */
	WARN_ON(kernel_ports_unpark(cpu) != 0);
}

/* What it left; nobody else touches it. */
static void
inherit(unsigned int cpu)
{
	timer_adopt(cpu);
	rcu_cpu_dead(cpu);
	ref_adopt(cpu);
	work_adopt(cpu);
	pages_cpu_dead(cpu);
	slab_cpu_dead(cpu);
	/* What was adopted uses its data: it has run before the CPU can come again. */
	work_flush_all();
}

static int
down_locked(unsigned int cpu)
{
	int err;

	if (!cpu_present(cpu))
		return -EINVAL;
	if (!cpu_active(cpu))
		return 0;
	cpumask_clear_atomic(&cpu_active_mask, cpu);
	rcu_synchronize();
	err = sched_check_bandwidth();
	if (err) {
		cpumask_set_atomic(&cpu_active_mask, cpu);
		return err;
	}
	/* First: a barrier that goes on waits for callbacks, which the parked thread runs. */
	rcu_barrier_hold();
	kernel_ports_park(cpu);
	smp_store_release(&cpu_of(cpu_phase, cpu), CPU_ASKED);
	sched_cpu_leave(cpu);
	err = wait_phase(cpu, CPU_QUIET);
	if (err) {
		call_back(cpu);
		return err;
	}
	rcu_synchronize();
	smp_store_release(&cpu_of(cpu_phase, cpu), CPU_FINAL);
	(void)wait_phase(cpu, CPU_DEAD);
	inherit(cpu);
	rcu_barrier_release();
	counter_inc(downs);
	log_info("smp: CPU %u is now offline", cpu);
	return 0;
}

int
cpu_down(unsigned int cpu)
{
	int err;

	if (cpu >= nr_cpus)
		return -EINVAL;
	if (cpu == 0)
		return -EPERM;
	err = mutex_lock_killable(&hotplug_lock);
	if (err)
		return err;
	trace_cpuhp_enter(cpu, 0, 0, cpu_down);
	err = down_locked(cpu);
	trace_cpuhp_exit(cpu, 0, 0, err);
	mutex_unlock(&hotplug_lock);
	return err;
}

static int
start(unsigned int cpu)
{
	u64 deadline = ktime_get() + START_NS;
	int err;

	/* One that was too slow at boot. */
	if (cpu_online(cpu))
		return 0;
	smp_store_release(&cpu_of(cpu_phase, cpu), CPU_RUNS);
	err = arch_cpu_start(cpu);
	while (!err && !cpu_online(cpu)) {
		if (ktime_get() >= deadline) {
			log_err("smp: CPU %u did not come up", cpu);
			err = -EIO;
		}
		sleep_ns(POLL_NS);
	}
	return err;
}

static int
up_locked(unsigned int cpu)
{
	int err;

	if (!cpu_present(cpu))
		return -EINVAL;
	if (cpu_active(cpu))
		return 0;
	err = start(cpu);
	if (err)
		return err;
	cpumask_set_atomic(&cpu_active_mask, cpu);
	err = kernel_ports_unpark(cpu);
	if (err) {
		down_locked(cpu);
		return err;
	}
	counter_inc(ups);
	return 0;
}

int
cpu_up(unsigned int cpu)
{
	int err;

	if (cpu >= nr_cpus)
		return -EINVAL;
	trace_cpu_prepare(cpu);
	err = mutex_lock_killable(&hotplug_lock);
	if (err)
		return err;
	trace_cpuhp_enter(cpu, 1, 0, cpu_up);
	err = up_locked(cpu);
	trace_cpuhp_exit(cpu, 1, 0, err);
	mutex_unlock(&hotplug_lock);
	return err;
}

/* --- CPUs that are plugged in and pulled out --- */

int
cpu_plug(unsigned int cpu)
{
	if (cpu >= nr_cpus)
		return -EINVAL;
	mutex_lock(&hotplug_lock);
	cpumask_set_atomic(&cpu_present_mask, cpu);
	mutex_unlock(&hotplug_lock);
	log_info("smp: CPU %u is plugged in", cpu);
	fs_cpus_changed();
	return 0;
}

int
cpu_unplug(unsigned int cpu)
{
	int err;

	if (cpu >= nr_cpus)
		return -EINVAL;
	if (cpu == 0)
		return -EPERM;
	mutex_lock(&hotplug_lock);
	err = down_locked(cpu);
	if (!err)
		cpumask_clear_atomic(&cpu_present_mask, cpu);
	mutex_unlock(&hotplug_lock);
	if (err)
		return err;
	log_info("smp: CPU %u is pulled out", cpu);
	fs_cpus_changed();
	return 0;
}
