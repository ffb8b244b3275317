/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Orders by one letter, as Linux has them: to look at a machine that hangs, or to
 * end it. Root writes the letter to /proc/sysrq-trigger.
 *
 * What is done is announced on the console whatever its level; what is shown
 * follows the level.
 */
#include "kernel/sysrq.h"

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/port_fs.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/port.h"
#include "percpu/cpumask.h"

#define LEVEL_DEFAULT 7

struct order {
	char key;
	const char *help;
	const char *announce;
	void (*fn)(char key);
};

static void
set_level(char key)
{
	console_loglevel = key - '0';
	log_info("sysrq: Loglevel set to %d", key - '0');
}

static void
restart(char key)
{
	arch_stop_cpus(false);
	arch_reboot();
}

static void
switch_off(char key)
{
	arch_stop_cpus(false);
	arch_poweroff();
}

static void
crash(char key)
{
	panic("sysrq triggered crash");
}

static void
show_cpus(char key)
{
	unsigned int cpu;

	/* One of them is this one. */
	pin();
	for_each_online_cpu(cpu) {
		log_write(LOG_EMERG, "CPU %u:", cpu);
		arch_backtrace_cpu(cpu);
	}
	unpin();
}

static void
show_memory(char key)
{
	log_info("Mem-Info: %lu pages, %lu free, %lu in reserve", pages_total(), pages_free(),
		 pages_reserve());
}

static void
show_threads(struct process *p, bool blocked)
{
	struct task *t;

	for_each_thread(p, t) {
		char state = task_state_char(t);

		if (blocked && state != 'D')
			continue;
		log_info("task:%-15s state:%c cpu:%u pid:%d tgid:%d", t->comm, state, task_cpu(t),
			 t->tid, p->tgid);
	}
}

static void
show_tasks(char key)
{
	struct process *p;
	s32 nr = 0;

	rcu_read_lock();
	while ((p = process_next(nr)) != NULL) {
		nr = p->tgid + 1;
		show_threads(p, key == 'w');
	}
	rcu_read_unlock();
}

/* Everybody but init and the kernel's threads. */
static void
signal_everybody(char key)
{
	struct process *p;
	s32 nr = 2;

	rcu_read_lock();
	while ((p = process_next(nr)) != NULL) {
		struct task *leader = rcu_load(p->leader);

		nr = p->tgid + 1;
		if (leader && !task_is_kthread(leader))
			signal_send_process(p, key == 'i' ? SIGKILL : SIGTERM, NULL);
	}
	rcu_read_unlock();
}

static void
kill_for_memory(char key)
{
	mm_port_oom_kill(0, GFP_KERNEL);
}

static void
sync_files(char key)
{
	fs_sync_all();
	log_info("Emergency Sync complete");
}

static const struct order orders[] = {
	{'b', "reboot(b)", "Resetting", restart},
	{'c', "crash(c)", "Trigger a crash", crash},
	{'e', "terminate-all-tasks(e)", "Terminate All Tasks", signal_everybody},
	{'f', "memory-full-oom-kill(f)", "Manual OOM execution", kill_for_memory},
	{'i', "kill-all-tasks(i)", "Kill All Tasks", signal_everybody},
	{'l', "show-backtrace-all-active-cpus(l)", "Show backtrace of all active CPUs", show_cpus},
	{'m', "show-memory-usage(m)", "Show Memory", show_memory},
	{'o', "poweroff(o)", "Power Off", switch_off},
	{'s', "sync(s)", "Emergency Sync", sync_files},
	{'t', "show-task-states(t)", "Show State", show_tasks},
	{'w', "show-blocked-tasks(w)", "Show Blocked State", show_tasks},
};

static void
help(void)
{
	char text[400] = "";
	size_t n = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		n += scnprintf(text + n, sizeof(text) - n, " %s", orders[i].help);
	log_info("sysrq: HELP : loglevel(0-9)%s", text);
}

static void
announce(const char *what)
{
	int level = console_loglevel;

	console_loglevel = LEVEL_DEFAULT;
	log_info("sysrq: %s", what);
	console_loglevel = level;
}

void
sysrq_handle(char key)
{
	unsigned int i;

	if (key >= '0' && key <= '9') {
		announce("Changing Loglevel");
		set_level(key);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		if (orders[i].key != key)
			continue;
		announce(orders[i].announce);
		orders[i].fn(key);
		return;
	}
	help();
}
