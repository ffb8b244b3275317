/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc that list the kernel's tables: devices, locks, swap areas, disks; and kmsg. */
#include "fs/device_impl.h"
#include "fs/locks.h"
#include "fs/proc/proc.h"
#include "kernel/dev/klog.h"
#include "sync/mutex.h"

static int
show_locks(struct seq *s)
{
	locks_show(s);
	return 0;
}
PROC_FILE(locks, "locks", 0444, show_locks);

/* There is no swapping: the head of an empty table. */
static int
show_swaps(struct seq *s)
{
	seq_puts(s, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}
PROC_FILE(swaps, "swaps", 0444, show_swaps);

/* No module can be loaded, hence none is. */
static int
show_modules(struct seq *s)
{
	return 0;
}
PROC_FILE(modules, "modules", 0444, show_modules);

/* --- devices --- */

#define MAJORS 512

__maybe_unused static LOCK_CLASS(majors_class, RANK_SB_MOUNT + 3);
static struct mutex majors_lock = MUTEX_INIT(majors_lock, majors_class);
/* (majors_lock) */
static bool majors[MAJORS];

/* Majors with several drivers have a line for each. */
static const char *
major_name(u32 major)
{
	switch (major) {
	case 1:
		return "mem";
	case 4:
		return "/dev/vc/0\n  4 tty\n  4 ttyS";
	case 5:
		return "/dev/tty\n  5 /dev/console\n  5 /dev/ptmx";
	case 7:
		return "vcs";
	case 10:
		return "misc";
	case 13:
		return "input";
	case 29:
		return "fb";
	case 136:
		return "pts";
	default:
		return "other";
	}
}

static void
mark_major(const struct dev_desc *d)
{
	if (d->major < MAJORS)
		majors[d->major] = true;
}

static int
show_devices(struct seq *s)
{
	mutex_lock(&majors_lock);
	rcu_read_lock();
	device_for_each(mark_major);
	rcu_read_unlock();
	seq_puts(s, "Character devices:\n");
	for (u32 i = 0; i < MAJORS; i++)
		if (majors[i])
			seq_printf(s, "%3u %s\n", i, major_name(i));
	mutex_unlock(&majors_lock);
	seq_puts(s, "\nBlock devices:\n");
	return 0;
}
PROC_FILE(devices, "devices", 0444, show_devices);

/* --- kmsg --- */

static int
kmsg_open(struct inode *i, struct file *f)
{
	return klog_permission(KLOG_OPEN);
}

static s64
kmsg_read(struct file *f, struct iter *to, u64 *pos)
{
	return klog_read(to, file_nonblock(f));
}

static const struct inode_ops kmsg_inode_ops = {.open = kmsg_open};
static const struct file_ops kmsg_fops = {.name = "kmsg", .read = kmsg_read, .poll = klog_poll};

int
proc_add_kmsg(struct dentry *root)
{
	struct pseudo_entry e = {
		.name = "kmsg", .mode = S_IFREG | 0400, .ops = &kmsg_inode_ops, .fops = &kmsg_fops};
	struct dentry *d = pseudo_add(root, &e);

	return is_err(d) ? (int)ptr_err(d) : 0;
}
