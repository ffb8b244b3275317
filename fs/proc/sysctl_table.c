/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings of /proc/sys whose owners have no file of their own for them. */
#include "kernel/sysctl.h"

#include "fs/devpts.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "kernel/console.h"
#include "kernel/cred.h"
#include "kernel/dev/klog.h"
#include "kernel/handle/handle.h"
#include "kernel/handle/pipe.h"
#include "kernel/log.h"
#include "kernel/random.h"
#include "kernel/task/task.h"
#include "kernel/task/uts.h"
#include "kernel/uapi/capability.h"
#include "kernel/version.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/space.h"
#include "sync/mutex.h"

/* What fits into an int of the ABI. */
#define SETTING_MAX 0x7fffffffu

/* --- kernel --- */

static int
show_ostype(struct seq *s)
{
	seq_puts(s, "Linux\n");
	return 0;
}
SYSCTL_SHOW(ostype, "kernel/ostype", show_ostype);

static int
show_osrelease(struct seq *s)
{
	seq_printf(s, "%s\n", kernel_release);
	return 0;
}
SYSCTL_SHOW(osrelease, "kernel/osrelease", show_osrelease);

static int
show_version(struct seq *s)
{
	seq_printf(s, "%s\n", kernel_version);
	return 0;
}
SYSCTL_SHOW(version, "kernel/version", show_version);

static int
show_hostname(struct seq *s)
{
	char name[UTS_LEN + 1];

	uts_get_nodename(name);
	seq_printf(s, "%s\n", name);
	return 0;
}

static int
store_hostname(char *text)
{
	uts_set_nodename(text);
	return 0;
}
SYSCTL_RW(hostname, "kernel/hostname", show_hostname, store_hostname);

static int
show_domainname(struct seq *s)
{
	char name[UTS_LEN + 1];

	uts_get_domainname(name);
	seq_printf(s, "%s\n", name);
	return 0;
}

static int
store_domainname(char *text)
{
	uts_set_domainname(text);
	return 0;
}
SYSCTL_RW(domainname, "kernel/domainname", show_domainname, store_domainname);

static int
show_pid_max(struct seq *s)
{
	seq_printf(s, "%d\n", pid_max_get());
	return 0;
}

static int
store_pid_max(char *text)
{
	u32 v;

	return parse_u32(text, 10, &v) || v > SETTING_MAX ? -EINVAL : pid_max_set(v);
}
SYSCTL_RW(pid_max, "kernel/pid_max", show_pid_max, store_pid_max);

static int
show_threads_max(struct seq *s)
{
	seq_printf(s, "%ld\n", threads_max_get());
	return 0;
}

static int
store_threads_max(char *text)
{
	u32 v;

	return parse_u32(text, 10, &v) || v > SETTING_MAX ? -EINVAL : threads_max_set(v);
}
SYSCTL_RW(threads_max, "kernel/threads-max", show_threads_max, store_threads_max);

static int
show_cap_last(struct seq *s)
{
	seq_printf(s, "%d\n", CAP_LAST_CAP);
	return 0;
}
SYSCTL_SHOW(cap_last_cap, "kernel/cap_last_cap", show_cap_last);

static int
show_ngroups(struct seq *s)
{
	seq_printf(s, "%d\n", NGROUPS_MAX);
	return 0;
}
SYSCTL_SHOW(ngroups_max, "kernel/ngroups_max", show_ngroups);

/* Level of the console; of messages without one; lowest; what the console begins with. */
static int
show_printk(struct seq *s)
{
	seq_printf(s, "%d\t4\t1\t7\n", READ_ONCE(console_loglevel));
	return 0;
}

static int
store_printk(char *text)
{
	u32 v;

	/* Only the first of the four can be set. */
	text[strcspn(text, " \t")] = '\0';
	if (parse_u32(text, 10, &v) || v > 15)
		return -EINVAL;
	WRITE_ONCE(console_loglevel, (int)v);
	return 0;
}
SYSCTL_RW(printk, "kernel/printk", show_printk, store_printk);
SYSCTL_U32(dmesg_restrict, "kernel/dmesg_restrict", &klog_restricted, 0, 1);

/* --- kernel/random --- */

__maybe_unused static LOCK_CLASS(boot_id_class, RANK_SB_MOUNT + 2);
static struct mutex boot_id_lock = MUTEX_INIT(boot_id_lock, boot_id_class);
static u8 boot_id[16];

/* A random UUID (RFC 4122, version 4). */
static void
make_uuid(u8 id[16])
{
	random_bytes(id, 16);
	id[6] = (id[6] & 0x0f) | 0x40;
	id[8] = (id[8] & 0x3f) | 0x80;
}

static void
print_uuid(struct seq *s, const u8 id[16])
{
	for (int i = 0; i < 16; i++)
		seq_printf(s, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
	seq_putc(s, '\n');
}

static int
show_boot_id(struct seq *s)
{
	mutex_lock(&boot_id_lock);
	if (!boot_id[8])
		make_uuid(boot_id);
	mutex_unlock(&boot_id_lock);
	print_uuid(s, boot_id);
	return 0;
}
SYSCTL_SHOW(boot_id, "kernel/random/boot_id", show_boot_id);

static int
show_uuid(struct seq *s)
{
	u8 id[16];

	make_uuid(id);
	print_uuid(s, id);
	return 0;
}
SYSCTL_SHOW(uuid, "kernel/random/uuid", show_uuid);

static int
show_entropy(struct seq *s)
{
	seq_puts(s, "256\n");
	return 0;
}
SYSCTL_SHOW(entropy_avail, "kernel/random/entropy_avail", show_entropy);
SYSCTL_SHOW(poolsize, "kernel/random/poolsize", show_entropy);

/* --- vm --- */

static int
show_overcommit(struct seq *s)
{
	seq_printf(s, "%d\n", READ_ONCE(overcommit_mode));
	return 0;
}

static int
store_overcommit(char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v > 2)
		return -EINVAL;
	WRITE_ONCE(overcommit_mode, (int)v);
	return 0;
}
static int
show_mmap_min_addr(struct seq *s)
{
	seq_printf(s, "%lu\n", READ_ONCE(mmap_min_addr));
	return 0;
}

static int
store_mmap_min_addr(char *text)
{
	u64 v;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (parse_u64(text, 10, &v))
		return -EINVAL;
	WRITE_ONCE(mmap_min_addr, v);
	return 0;
}

SYSCTL_RW(mmap_min_addr, "vm/mmap_min_addr", show_mmap_min_addr, store_mmap_min_addr);
SYSCTL_RW(overcommit_memory, "vm/overcommit_memory", show_overcommit, store_overcommit);
SYSCTL_U32(overcommit_ratio, "vm/overcommit_ratio", &overcommit_ratio, 0, SETTING_MAX);
SYSCTL_U32(max_map_count, "vm/max_map_count", &max_map_count, 0, SETTING_MAX);

/* Bits: 1 page cache, 2 slabs, 4 say nothing; what can be dropped is dropped in one go. */
static int
store_drop_caches(char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v < 1 || v > 4)
		return -EINVAL;
	if (!(v & 4))
		log_info("%s (%d): drop_caches: %u", current->comm, current->tid, v);
	reclaim_run(U64_MAX);
	return 0;
}
REGISTER(sysctls)
static const struct sysctl sysctl_drop_caches = {
	.path = "vm/drop_caches",
	.mode = 0200,
	.store = store_drop_caches,
};

/* --- fs --- */

static int
show_file_max(struct seq *s)
{
	seq_printf(s, "%ld\n", READ_ONCE(file_count.limit));
	return 0;
}

static int
store_file_max(char *text)
{
	u64 v;

	if (parse_u64(text, 10, &v) || v > S64_MAX)
		return -EINVAL;
	limit_counter_set_limit(&file_count, v);
	return 0;
}
SYSCTL_RW(file_max, "fs/file-max", show_file_max, store_file_max);

static int
show_file_nr(struct seq *s)
{
	seq_printf(s, "%ld\t0\t%ld\n", limit_counter_sum(&file_count), READ_ONCE(file_count.limit));
	return 0;
}
SYSCTL_SHOW(file_nr, "fs/file-nr", show_file_nr);

static int
show_dentry_state(struct seq *s)
{
	seq_printf(s, "%lu\t0\t45\t0\t0\t0\n", dcache_count());
	return 0;
}
SYSCTL_SHOW(dentry_state, "fs/dentry-state", show_dentry_state);

/* As Linux: a table of that many slots can be made, and is whole words of bits. */
SYSCTL_U32(nr_open, "fs/nr_open", &file_nr_open, 64, 1u << 28);
SYSCTL_U32(pipe_max_size, "fs/pipe-max-size", &pipe_max_size, PAGE_SIZE, SETTING_MAX);
SYSCTL_U32(pipe_soft, "fs/pipe-user-pages-soft", &pipe_user_pages_soft, 0, SETTING_MAX);
SYSCTL_U32(pipe_hard, "fs/pipe-user-pages-hard", &pipe_user_pages_hard, 0, SETTING_MAX);
SYSCTL_U32(mount_max, "fs/mount-max", &mount_max, 1, SETTING_MAX);
SYSCTL_U32(mount_ns_max, "user/max_mnt_namespaces", &mount_ns_max, 0, SETTING_MAX);
SYSCTL_U32(inotify_events, "fs/inotify/max_queued_events", &inotify_max_queued_events, 0,
	   SETTING_MAX);
SYSCTL_U32(inotify_instances, "fs/inotify/max_user_instances", &inotify_max_user_instances, 0,
	   SETTING_MAX);
SYSCTL_U32(inotify_watches, "fs/inotify/max_user_watches", &inotify_max_user_watches, 0,
	   SETTING_MAX);

/* --- kernel/pty --- */

SYSCTL_U32(pty_max, "kernel/pty/max", &devpts_max, 0, SETTING_MAX);

static int
show_pty_nr(struct seq *s)
{
	seq_printf(s, "%u\n", READ_ONCE(devpts_count));
	return 0;
}
SYSCTL_SHOW(pty_nr, "kernel/pty/nr", show_pty_nr);
