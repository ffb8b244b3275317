/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/devices/system/cpu and node. One package with a core for each CPU and one
 * memory node, as /proc/cpuinfo tells it too.
 */
#include "fs/sysfs/sysfs.h"

#include "kernel/hotplug.h"
#include "lib/bitmap.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "mm/meminfo.h"
#include "mm/page.h"
#include "percpu/cpumask.h"

#define MASK_TEXT 512

static int
show_list(struct seq *s, const struct cpumask *m)
{
	char text[MASK_TEXT];

	bitmap_list_print(text, sizeof(text), m->bits, nr_cpus);
	seq_printf(s, "%s\n", text);
	return 0;
}

static int
show_map(struct seq *s, const struct cpumask *m)
{
	char text[MASK_TEXT];

	bitmap_hex_print(text, sizeof(text), m->bits, nr_cpus);
	seq_printf(s, "%s\n", text);
	return 0;
}

static void
mask_all(struct cpumask *m)
{
	unsigned int cpu;

	cpumask_zero(m);
	for_each_possible_cpu(cpu)
		cpumask_set(m, cpu);
}

/* --- cpu/ --- */

static int
show_online(struct seq *s, unsigned long arg)
{
	return show_list(s, &cpu_active_mask);
}

static int
show_possible(struct seq *s, unsigned long arg)
{
	struct cpumask m;

	mask_all(&m);
	return show_list(s, &m);
}

static int
show_offline(struct seq *s, unsigned long arg)
{
	struct cpumask m;
	unsigned int cpu;

	mask_all(&m);
	for_each_cpu(cpu, &cpu_active_mask)
		cpumask_clear(&m, cpu);
	return show_list(s, &m);
}

static int
show_none(struct seq *s, unsigned long arg)
{
	seq_putc(s, '\n');
	return 0;
}

static int
show_kernel_max(struct seq *s, unsigned long arg)
{
	seq_printf(s, "%u\n", CONFIG_MAX_CPUS - 1);
	return 0;
}

static const struct sysfs_attr cpu_files[] = {
	{"online", show_online},   {"possible", show_possible}, {"present", show_possible},
	{"offline", show_offline}, {"isolated", show_none},	{"kernel_max", show_kernel_max},
};

/* --- cpu/cpuN/ --- */

static int
show_is_online(struct seq *s, unsigned long cpu)
{
	seq_printf(s, "%d\n", cpu_active((unsigned int)cpu));
	return 0;
}

static int
store_online(const char *text, unsigned long cpu)
{
	bool on;
	int err = parse_bool(text, &on);

	if (err)
		return err;
	return on ? cpu_up((unsigned int)cpu) : cpu_down((unsigned int)cpu);
}

static const struct sysfs_attr online_file = {"online", show_is_online};

/* --- cpu/cpuN/topology/ --- */

static int
show_zero(struct seq *s, unsigned long cpu)
{
	seq_puts(s, "0\n");
	return 0;
}

static int
show_number(struct seq *s, unsigned long cpu)
{
	seq_printf(s, "%lu\n", cpu);
	return 0;
}

static int
show_own_map(struct seq *s, unsigned long cpu)
{
	struct cpumask m;

	cpumask_zero(&m);
	cpumask_set(&m, cpu);
	return show_map(s, &m);
}

static int
show_all_map(struct seq *s, unsigned long cpu)
{
	return show_map(s, &cpu_active_mask);
}

static int
show_all_list(struct seq *s, unsigned long cpu)
{
	return show_list(s, &cpu_active_mask);
}

static const struct sysfs_attr topology_files[] = {
	{"physical_package_id", show_zero},
	{"die_id", show_zero},
	{"core_id", show_number},
	{"thread_siblings", show_own_map},
	{"thread_siblings_list", show_number},
	{"core_cpus", show_own_map},
	{"core_cpus_list", show_number},
	{"core_siblings", show_all_map},
	{"core_siblings_list", show_all_list},
	{"package_cpus", show_all_map},
	{"package_cpus_list", show_all_list},
	{"die_cpus", show_all_map},
	{"die_cpus_list", show_all_list},
};

int
sysfs_fill_cpus(struct dentry *root)
{
	struct dentry *dir = sysfs_dir(root, "devices/system/cpu"), *d;
	char name[32];
	unsigned int cpu;
	int err;

	if (is_err(dir))
		return (int)ptr_err(dir);
	err = sysfs_files(dir, cpu_files, ARRAY_SIZE(cpu_files), 0);
	for_each_possible_cpu(cpu) {
		if (err)
			break;
		scnprintf(name, sizeof(name), "cpu%u/topology", cpu);
		d = sysfs_dir(dir, name);
		if (is_err(d))
			return (int)ptr_err(d);
		err = sysfs_files(d, topology_files, ARRAY_SIZE(topology_files), cpu);
		scnprintf(name, sizeof(name), "cpu%u", cpu);
		d = sysfs_dir(dir, name);
		if (!err)
			err = is_err(d) ? (int)ptr_err(d)
					: sysfs_link(d, "node0", "../../node/node0");
		/* The boot CPU stays. */
		if (!err && cpu > 0)
			err = sysfs_file_rw(d, &online_file, store_online, cpu);
	}
	return err;
}

/* --- node/ --- */

static int
show_distance(struct seq *s, unsigned long node)
{
	seq_puts(s, "10\n");
	return 0;
}

static int
show_node_memory(struct seq *s, unsigned long node)
{
	u64 total = pages_total() * (PAGE_SIZE / 1024), left = pages_free() * (PAGE_SIZE / 1024);

	seq_printf(s, "Node %lu MemTotal:       %8lu kB\nNode %lu MemFree:        %8lu kB\n", node,
		   total, node, left);
	seq_printf(s, "Node %lu MemUsed:        %8lu kB\n", node, total - left);
	return 0;
}

static const struct sysfs_attr node_dir_files[] = {
	{"online", show_zero},	   {"possible", show_zero},	     {"has_cpu", show_zero},
	{"has_memory", show_zero}, {"has_normal_memory", show_zero},
};

static const struct sysfs_attr node_files[] = {
	{"cpulist", show_all_list},
	{"cpumap", show_all_map},
	{"distance", show_distance},
	{"meminfo", show_node_memory},
};

int
sysfs_fill_nodes(struct dentry *root)
{
	struct dentry *dir = sysfs_dir(root, "devices/system/node"), *node;
	char name[16], target[32];
	unsigned int cpu;
	int err;

	if (is_err(dir))
		return (int)ptr_err(dir);
	node = sysfs_dir(dir, "node0");
	if (is_err(node))
		return (int)ptr_err(node);
	err = sysfs_files(dir, node_dir_files, ARRAY_SIZE(node_dir_files), 0);
	if (!err)
		err = sysfs_files(node, node_files, ARRAY_SIZE(node_files), 0);
	for_each_possible_cpu(cpu) {
		if (err)
			break;
		scnprintf(name, sizeof(name), "cpu%u", cpu);
		scnprintf(target, sizeof(target), "../../cpu/cpu%u", cpu);
		err = sysfs_link(node, name, target);
	}
	return err;
}
