/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the machine: uname(2), sethostname(2), setdomainname(2), sysinfo(2). */
#include "kernel/task/uts.h"

#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/system.h"
#include "kernel/version.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/meminfo.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "percpu/pin.h"
#include "sync/mutex.h"
#include "sync/seq.h"

static LOCK_CLASS(uts_class, RANK_PROCESS);
static struct mutex uts_lock = MUTEX_INIT(uts_lock, uts_class);
/* Writers hold uts_lock; readers write nothing. */
static struct seqcount uts_seq;
static char nodename[UTS_LEN + 1] = "(none)";
static char domainname[UTS_LEN + 1] = "(none)";

static void
name_get(char out[UTS_LEN + 1], const char *name)
{
	u32 seq;

	do {
		seq = seq_read_begin(&uts_seq);
		memcpy(out, name, UTS_LEN + 1);
	} while (seq_read_retry(&uts_seq, seq));
}

static void
name_set(char *name, const char *new, size_t n)
{
	mutex_lock(&uts_lock);
	pin();
	seq_write_begin(&uts_seq);
	memset(name, 0, UTS_LEN + 1);
	memcpy(name, new, n);
	seq_write_end(&uts_seq);
	unpin();
	mutex_unlock(&uts_lock);
}

void
uts_get_nodename(char out[UTS_LEN + 1])
{
	name_get(out, nodename);
}

void
uts_get_domainname(char out[UTS_LEN + 1])
{
	name_get(out, domainname);
}

void
uts_set_nodename(const char *name)
{
	name_set(nodename, name, strnlen(name, UTS_LEN));
}

void
uts_set_domainname(const char *name)
{
	name_set(domainname, name, strnlen(name, UTS_LEN));
}

long
sys_uname(struct utsname __user *buf)
{
	struct utsname u = {.sysname = "Linux", .machine = "x86_64"};

	name_get(u.nodename, nodename);
	name_get(u.domainname, domainname);
	if ((current->personality & PER_MASK) == PER_LINUX32)
		strscpy(u.machine, "i686", sizeof(u.machine));
	if (current->personality & UNAME26)
		strscpy(u.release, "2.6.60", sizeof(u.release));
	else
		strscpy(u.release, kernel_release, sizeof(u.release));
	strscpy(u.version, kernel_version, sizeof(u.version));
	return copy_to_user(buf, &u, sizeof(u));
}

static long
name_from_user(char *name, const char __user *uname, int n)
{
	char new[UTS_LEN];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (n < 0 || n > UTS_LEN)
		return -EINVAL;
	if (copy_from_user(new, uname, n))
		return -EFAULT;
	name_set(name, new, n);
	return 0;
}

long
sys_sethostname(const char __user *name, int n)
{
	return name_from_user(nodename, name, n);
}

long
sys_setdomainname(const char __user *name, int n)
{
	return name_from_user(domainname, name, n);
}

long
sys_sysinfo(struct sysinfo __user *uinfo)
{
	struct sysinfo info = {.mem_unit = 1};
	u64 avg[3];

	sched_loadavg(avg);
	/* The ABI's loads have 16 fraction bits, the scheduler's 11. */
	for (unsigned int i = 0; i < 3; i++)
		info.loads[i] = avg[i] << 5;
	info.uptime = ktime_get() / NSEC_PER_SEC;
	info.totalram = pages_total() * PAGE_SIZE;
	info.freeram = pages_free() * PAGE_SIZE;
	info.sharedram = page_level(PAGE_SHMEM) * PAGE_SIZE;
	info.procs = tasks_count();
	return copy_to_user(uinfo, &info, sizeof(info));
}
