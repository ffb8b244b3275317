/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc about the whole machine: memory, CPUs, load, time, versions. */
#include "fs/proc/port.h"
#include "fs/proc/proc.h"
#include "kernel/hotplug.h"
#include "kernel/init.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/table.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/version.h"
#include "lib/fmt.h"
#include "lib/sink.h"
#include "mm/meminfo.h"
#include "percpu/cpumask.h"
#include "percpu/defer.h"

#define TICK_NS (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC)

static int
show_meminfo(struct seq *s)
{
	struct sink out = seq_sink(s);

	return meminfo_print(&out);
}
PROC_FILE(meminfo, "meminfo", 0444, show_meminfo);

static int
show_slabinfo(struct seq *s)
{
	struct sink out = seq_sink(s);

	return slabinfo_print(&out);
}
PROC_FILE(slabinfo, "slabinfo", 0400, show_slabinfo);

static int
show_frames(struct seq *s)
{
	struct sink out = seq_sink(s);

	return frames_print(&out);
}
PROC_FILE(frames, "tessera/frames", 0400, show_frames);

static int
show_vmstat(struct seq *s)
{
	struct sink out = seq_sink(s);

	return vmstat_print(&out);
}
PROC_FILE(vmstat, "vmstat", 0444, show_vmstat);

static int
show_buddyinfo(struct seq *s)
{
	struct sink out = seq_sink(s);

	return buddyinfo_print(&out);
}
PROC_FILE(buddyinfo, "buddyinfo", 0444, show_buddyinfo);

static int
show_cpuinfo(struct seq *s)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		arch_show_cpuinfo(s, cpu);
	return 0;
}
PROC_FILE(cpuinfo, "cpuinfo", 0444, show_cpuinfo);

static int
show_interrupts(struct seq *s)
{
	arch_show_interrupts(s);
	return 0;
}
PROC_FILE(interrupts, "interrupts", 0444, show_interrupts);

/* Linux's kinds in its order, then ours that it has not. */
static const struct {
	const char *name;
	/* DEFER_KINDS: none of ours is like it */
	enum defer_kind kind;
} softirqs[] = {
	{"HI", DEFER_KINDS},	  {"TIMER", DEFER_TIMER}, {"NET_TX", DEFER_NET_TX},
	{"NET_RX", DEFER_NET_RX}, {"BLOCK", DEFER_BLOCK}, {"IRQ_POLL", DEFER_KINDS},
	{"TASKLET", DEFER_KINDS}, {"SCHED", DEFER_KINDS}, {"HRTIMER", DEFER_KINDS},
	{"RCU", DEFER_RCU},	  {"REF", DEFER_REF},
};
/* How many of them /proc/stat knows. */
#define STAT_SOFTIRQS 10

static u64
softirq_count(size_t row, unsigned int cpu)
{
	enum defer_kind kind = softirqs[row].kind;

	return kind == DEFER_KINDS ? 0 : READ_ONCE(cpu_of(defer_count[kind], cpu));
}

static int
show_softirqs(struct seq *s)
{
	unsigned int cpu;

	seq_puts(s, "                    ");
	for_each_possible_cpu(cpu)
		seq_printf(s, "CPU%-8u", cpu);
	seq_putc(s, '\n');
	for (size_t row = 0; row < ARRAY_SIZE(softirqs); row++) {
		seq_printf(s, "%12s:", softirqs[row].name);
		for_each_possible_cpu(cpu)
			seq_printf(s, " %10lu", softirq_count(row, cpu));
		seq_putc(s, '\n');
	}
	return 0;
}
PROC_FILE(softirqs, "softirqs", 0444, show_softirqs);

/* Their sum, then each of Linux's. */
static void
show_stat_softirqs(struct seq *s)
{
	u64 sums[ARRAY_SIZE(softirqs)] = {0}, all = 0;
	unsigned int cpu;

	for (size_t row = 0; row < ARRAY_SIZE(softirqs); row++) {
		for_each_possible_cpu(cpu)
			sums[row] += softirq_count(row, cpu);
		all += sums[row];
	}
	seq_printf(s, "softirq %lu", all);
	for (size_t row = 0; row < STAT_SOFTIRQS; row++)
		seq_printf(s, " %lu", sums[row]);
	seq_putc(s, '\n');
}

static void
show_times(struct seq *s, const char *name, const struct cpu_times *t)
{
	seq_printf(s, "%s %lu %lu %lu %lu %lu %lu %lu %lu %lu 0\n", name, t->user / TICK_NS,
		   t->nice / TICK_NS, t->system / TICK_NS, t->idle / TICK_NS, t->iowait / TICK_NS,
		   t->irq / TICK_NS, t->softirq / TICK_NS, t->steal / TICK_NS, t->guest / TICK_NS);
}

static void
times_add(struct cpu_times *sum, const struct cpu_times *t)
{
	sum->user += t->user;
	sum->nice += t->nice;
	sum->system += t->system;
	sum->idle += t->idle;
	sum->iowait += t->iowait;
	sum->irq += t->irq;
	sum->softirq += t->softirq;
}

static int
show_stat(struct seq *s)
{
	struct cpu_times sum = {0}, t;
	unsigned int cpu;
	char name[16];

	for_each_online_cpu(cpu) {
		sched_cpu_times(cpu, &t);
		times_add(&sum, &t);
	}
	show_times(s, "cpu ", &sum);
	for_each_online_cpu(cpu) {
		sched_cpu_times(cpu, &t);
		scnprintf(name, sizeof(name), "cpu%u", cpu);
		show_times(s, name, &t);
	}
	seq_printf(s,
		   "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\n"
		   "procs_blocked %u\n",
		   arch_interrupts_total(), sched_context_switches(),
		   (ktime_get_real() - ktime_get()) / NSEC_PER_SEC, tasks_forked(),
		   sched_nr_running(), sched_nr_blocked());
	show_stat_softirqs(s);
	return 0;
}
PROC_FILE(stat, "stat", 0444, show_stat);

static int
show_uptime(struct seq *s)
{
	u64 up = ktime_get() / TICK_NS, idle = 0;
	struct cpu_times t;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		sched_cpu_times(cpu, &t);
		idle += t.idle;
	}
	idle /= TICK_NS;
	seq_printf(s, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}
PROC_FILE(uptime, "uptime", 0444, show_uptime);

static int
show_loadavg(struct seq *s)
{
	u64 avg[3];
	int i;

	sched_loadavg(avg);
	for (i = 0; i < 3; i++)
		seq_printf(s, "%lu.%02lu ", avg[i] >> 11, ((avg[i] & 2047) * 100) >> 11);
	seq_printf(s, "%u/%ld %d\n", max(sched_nr_running(), 1u), tasks_count(), pid_last());
	return 0;
}
PROC_FILE(loadavg, "loadavg", 0444, show_loadavg);

static int
show_version(struct seq *s)
{
	/* Tools want the first three words so; the name is in the release and behind it. */
	seq_printf(s, "Linux version %s (Tessera) (gcc) %s\n", kernel_release, kernel_version);
	return 0;
}
PROC_FILE(version, "version", 0444, show_version);

static int
show_cmdline(struct seq *s)
{
	seq_printf(s, "%s\n", params_cmdline());
	return 0;
}
PROC_FILE(cmdline, "cmdline", 0444, show_cmdline);

static int
show_filesystems(struct seq *s)
{
	fs_types_show(s);
	return 0;
}
PROC_FILE(filesystems, "filesystems", 0444, show_filesystems);

static int
show_schedstat(struct seq *s)
{
	sched_show_stat(s);
	return 0;
}
PROC_FILE(schedstat, "schedstat", 0444, show_schedstat);

static int
show_missing(struct seq *s)
{
	syscall_show_missing(s);
	return 0;
}
PROC_FILE(missing, "tessera/syscalls", 0444, show_missing);

static int
show_hotplug(struct seq *s)
{
	seq_printf(s, "downs %lu\nups %lu\naffinity_lost %ld\n", hotplug_downs(), hotplug_ups(),
		   counter_sum(sched_affinity_lost));
	return 0;
}
PROC_FILE(hotplug, "tessera/hotplug", 0444, show_hotplug);
