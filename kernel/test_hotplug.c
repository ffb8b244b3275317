/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that leave and come while other tests run (test_hotplug on the command
 * line): one thread takes a random one of CPUs 1 to HOT_MAX out, leaves it out
 * for some milliseconds, and brings it back.
 *
 * Locking: `hot_lock` is held while one leaves or comes, and by who makes a
 * thread for a CPU that must be there.
 */
#include "kernel/hotplug.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "kernel/test_run.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "sync/mutex.h"
#include "sync/test_port.h"

#define HOT_MAX 15u

static LOCK_CLASS(hot_class, RANK_FILE_POS);
static struct mutex hot_lock = MUTEX_INIT(hot_lock, hot_class);
static struct task *hot_thread;
/* a */
static u32 hot_count;

void
test_hotplug_hold(void)
{
	mutex_lock(&hot_lock);
}

void
test_hotplug_release(void)
{
	mutex_unlock(&hot_lock);
}

/* A CPU that is busy may stay: that is no failure. */
static void
move(unsigned int cpu, bool up)
{
	int err;

	mutex_lock(&hot_lock);
	err = up ? cpu_up(cpu) : cpu_down(cpu);
	mutex_unlock(&hot_lock);
	if (err && (up || err != -EBUSY))
		test_fail_line("CPU %u does not %s: %d", cpu, up ? "come" : "leave", err);
	else if (!err)
		atomic_inc(&hot_count);
}

static int
hot_main(void *arg)
{
	u64 state = test_seed() + 77;

	while (!kthread_should_stop()) {
		u64 r = test_rand(&state);
		unsigned int cpu = 1 + (u32)r % min(nr_cpus - 1, HOT_MAX);

		move(cpu, false);
		sleep_ns((r >> 32) % (10 * NSEC_PER_MSEC));
		move(cpu, true);
		sleep_ns((r >> 48) % (10 * NSEC_PER_MSEC));
	}
	return 0;
}

void
test_hotplug_start(void)
{
	if (nr_cpus == 1)
		return;
	hot_thread = kthread_create(0, hot_main, NULL, "test/hotplug");
	if (is_err(hot_thread))
		panic("test_hotplug: error %ld", ptr_err(hot_thread));
}

void
test_hotplug_stop(void)
{
	if (nr_cpus > 1)
		(void)!kthread_stop(hot_thread);
}

u32
test_hotplug_count(void)
{
	return atomic_read(&hot_count);
}
