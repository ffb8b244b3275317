/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/devices/system/cpu and node. One package with a core for each CPU and one
 * memory node, as /proc/cpuinfo tells it too. CPUs that are present have a directory.
 */
#include "fs/sysfs/sysfs.h"

#include "kernel/hotplug.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "lib/bitmap.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/meminfo.h"
#include "mm/page.h"
#include "percpu/cpumask.h"
#include "sync/mutex.h"

#define MASK_TEXT 512

/* Those that have directories, kept as cpu_present_mask is (update_cpus()). */
static LOCK_CLASS(cpus_class, RANK_CPU_HOTPLUG);
static struct mutex cpus_mutex = MUTEX_INIT(cpus_mutex, cpus_class);
/* l */
static struct cpumask shown;
/* I  cpu/ and node/node0/ */
static struct dentry *cpus_dir, *node_dir;

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
show_present(struct seq *s, unsigned long arg)
{
	return show_list(s, &cpu_present_mask);
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
	{"online", show_online},   {"possible", show_possible}, {"present", show_present},
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

/* cpu/cpuN and what is in it. */
static int
add_cpu(unsigned int cpu)
{
	struct dentry *d;
	char name[32];
	int err;

	scnprintf(name, sizeof(name), "cpu%u/topology", cpu);
	d = sysfs_dir(cpus_dir, name);
	if (is_err(d))
		return (int)ptr_err(d);
	err = sysfs_files(d, topology_files, ARRAY_SIZE(topology_files), cpu);
	scnprintf(name, sizeof(name), "cpu%u", cpu);
	d = sysfs_dir(cpus_dir, name);
	if (!err)
		err = is_err(d) ? (int)ptr_err(d) : sysfs_link(d, "node0", "../../node/node0");
	/* The boot CPU stays. */
	if (!err && cpu > 0)
		err = sysfs_file_rw(d, &online_file, store_online, cpu);
	return err;
}

/* node/node0/cpuN. */
static int
link_cpu(unsigned int cpu)
{
	char name[16], target[32];

	scnprintf(name, sizeof(name), "cpu%u", cpu);
	scnprintf(target, sizeof(target), "../../cpu/cpu%u", cpu);
	return sysfs_link(node_dir, name, target);
}

static void
remove_entry(struct dentry *dir, unsigned int cpu)
{
	char name[16];
	struct dentry *d;

	scnprintf(name, sizeof(name), "cpu%u", cpu);
	d = dentry_find(dir, name, strlen(name));
	if (!d)
		return;
	pseudo_remove(d);
	dentry_put(d);
}

/* Makes the directories of CPUs what cpu_present_mask says. */
static int
update_cpus(void)
{
	unsigned int cpu;
	int err = 0;

	mutex_lock(&cpus_mutex);
	for_each_possible_cpu(cpu) {
		bool want = cpu_present(cpu);

		if (err || want == cpumask_test(&shown, cpu))
			continue;
		if (want) {
			err = add_cpu(cpu);
			if (!err)
				err = link_cpu(cpu);
			cpumask_set(&shown, cpu);
		} else {
			remove_entry(node_dir, cpu);
			remove_entry(cpus_dir, cpu);
			cpumask_clear(&shown, cpu);
		}
	}
	mutex_unlock(&cpus_mutex);
	return err;
}

void
fs_cpus_changed(void)
{
	int err = smp_load_acquire(&node_dir) ? update_cpus() : 0;

	if (err)
		log_err("sysfs: directories of CPUs are not complete: error %d", err);
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

static int
fill_node(struct dentry *root)
{
	struct dentry *dir = sysfs_dir(root, "devices/system/node"), *node;
	int err;

	if (is_err(dir))
		return (int)ptr_err(dir);
	node = sysfs_dir(dir, "node0");
	if (is_err(node))
		return (int)ptr_err(node);
	err = sysfs_files(dir, node_dir_files, ARRAY_SIZE(node_dir_files), 0);
	if (!err)
		err = sysfs_files(node, node_files, ARRAY_SIZE(node_files), 0);
	/* From here on fs_cpus_changed() does its work. */
	smp_store_release(&node_dir, node);
	return err;
}

int
sysfs_fill_cpus(struct dentry *root)
{
	int err;

	cpus_dir = sysfs_dir(root, "devices/system/cpu");
	if (is_err(cpus_dir))
		return (int)ptr_err(cpus_dir);
	err = sysfs_files(cpus_dir, cpu_files, ARRAY_SIZE(cpu_files), 0);
	if (!err)
		err = fill_node(root);
	return err ? err : update_cpus();
}
