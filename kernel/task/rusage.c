/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts: what a process has used, getrusage(2), times(2).
 *
 * Model: each task counts for itself. When it exits its figures are added to
 * the process; when a process has been waited for, its figures and those of
 * its own children are added to its parent's children figures (c...).
 *
 * Locking: process->lock for the sums of a process.
 */
#include "kernel/task/task_impl.h"

#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/resource.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/space.h"
#include "mm/uaccess.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define SECTOR_SIZE 512

void
process_account_thread(struct process *p, struct task *t)
{
	u64 utime, stime;

	task_cputime(t, &utime, &stime);
	t->utime = utime;
	t->stime = stime;
	p->utime += utime;
	p->stime += stime;
	p->nvcsw += t->nvcsw;
	p->nivcsw += t->nivcsw;
	p->minflt += t->minflt;
	p->majflt += t->majflt;
	p->io_rchar += t->io_rchar;
	p->io_wchar += t->io_wchar;
	p->io_syscr += t->io_syscr;
	p->io_syscw += t->io_syscw;
	p->io_read_bytes += t->io_read_bytes;
	p->io_write_bytes += t->io_write_bytes;
}

void
process_account_child(struct process *parent, struct process *c)
{
	unsigned long flags = spin_lock_irq(&parent->lock);

	parent->cutime += c->utime + c->cutime;
	parent->cstime += c->stime + c->cstime;
	parent->cnvcsw += c->nvcsw + c->cnvcsw;
	parent->cnivcsw += c->nivcsw + c->cnivcsw;
	parent->cminflt += c->minflt + c->cminflt;
	parent->cmajflt += c->majflt + c->cmajflt;
	parent->cmaxrss = max(parent->cmaxrss, max(c->maxrss, c->cmaxrss));
	parent->io_read_bytes += c->io_read_bytes;
	parent->io_write_bytes += c->io_write_bytes;
	parent->io_rchar += c->io_rchar;
	parent->io_wchar += c->io_wchar;
	parent->io_syscr += c->io_syscr;
	parent->io_syscw += c->io_syscw;
	spin_unlock_irq(&parent->lock, flags);
}

/* Gone threads are in the sums; a thread that has exited must not count twice. */
static void
live_times(struct process *p, u64 *utime, u64 *stime)
{
	struct task *t;

	for_each_thread(p, t) {
		u64 u, s;

		if (t->exited)
			continue;
		task_cputime(t, &u, &s);
		*utime += u;
		*stime += s;
	}
}

void
process_cputime(struct process *p, u64 *utime, u64 *stime)
{
	unsigned long flags = spin_lock_irq(&p->lock);

	*utime = p->utime;
	*stime = p->stime;
	live_times(p, utime, stime);
	spin_unlock_irq(&p->lock, flags);
}

/* --- getrusage --- */

static void
set_times(struct rusage *ru, u64 utime, u64 stime)
{
	ru->utime_sec = utime / NSEC_PER_SEC;
	ru->utime_usec = utime % NSEC_PER_SEC / NSEC_PER_USEC;
	ru->stime_sec = stime / NSEC_PER_SEC;
	ru->stime_usec = stime % NSEC_PER_SEC / NSEC_PER_USEC;
}

static void
add_self(struct process *p, struct rusage *ru, u64 *utime, u64 *stime)
{
	struct task *t;

	*utime += p->utime;
	*stime += p->stime;
	live_times(p, utime, stime);
	ru->nvcsw += p->nvcsw;
	ru->nivcsw += p->nivcsw;
	ru->minflt += p->minflt;
	ru->majflt += p->majflt;
	ru->inblock += p->io_read_bytes / SECTOR_SIZE;
	ru->oublock += p->io_write_bytes / SECTOR_SIZE;
	for_each_thread(p, t) {
		if (t->exited)
			continue;
		ru->nvcsw += t->nvcsw;
		ru->nivcsw += t->nivcsw;
		ru->minflt += t->minflt;
		ru->majflt += t->majflt;
		ru->inblock += t->io_read_bytes / SECTOR_SIZE;
		ru->oublock += t->io_write_bytes / SECTOR_SIZE;
	}
}

/* Pages of the space that p's threads run in now, if they do. */
static u64
current_maxrss(struct process *p)
{
	struct space_stat st;

	if (p != current->process || !current->space)
		return 0;
	space_stat(current->space, &st);
	return st.peak_resident;
}

void
process_rusage(struct process *p, int who, struct rusage *ru)
{
	u64 utime = 0, stime = 0, rss = 0;
	unsigned long flags;

	memset(ru, 0, sizeof(*ru));
	if (who != RUSAGE_CHILDREN)
		rss = current_maxrss(p);
	flags = spin_lock_irq(&p->lock);
	if (who != RUSAGE_CHILDREN) {
		add_self(p, ru, &utime, &stime);
		rss = max(rss, p->maxrss);
	}
	if (who != RUSAGE_SELF) {
		utime += p->cutime;
		stime += p->cstime;
		ru->nvcsw += p->cnvcsw;
		ru->nivcsw += p->cnivcsw;
		ru->minflt += p->cminflt;
		ru->majflt += p->cmajflt;
		rss = max(rss, p->cmaxrss);
	}
	spin_unlock_irq(&p->lock, flags);
	set_times(ru, utime, stime);
	ru->maxrss = rss * KIB_PER_PAGE;
}

static void
thread_rusage(struct rusage *ru)
{
	struct task *t = current;
	u64 utime, stime;

	memset(ru, 0, sizeof(*ru));
	task_cputime(t, &utime, &stime);
	set_times(ru, utime, stime);
	ru->nvcsw = t->nvcsw;
	ru->nivcsw = t->nivcsw;
	ru->minflt = t->minflt;
	ru->majflt = t->majflt;
	ru->inblock = t->io_read_bytes / SECTOR_SIZE;
	ru->oublock = t->io_write_bytes / SECTOR_SIZE;
	ru->maxrss = max(current_maxrss(t->process), t->process->maxrss) * KIB_PER_PAGE;
}

long
sys_getrusage(int who, struct rusage __user *uru)
{
	struct rusage ru;

	switch (who) {
	case RUSAGE_SELF:
	case RUSAGE_CHILDREN:
		process_rusage(current->process, who, &ru);
		break;
	case RUSAGE_THREAD:
		thread_rusage(&ru);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user(uru, &ru, sizeof(ru));
}

/* --- times --- */

static s64
ticks(u64 ns)
{
	return ns / (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC);
}

long
sys_times(struct tms __user *buf)
{
	struct process *p = current->process;
	u64 utime, stime;
	struct tms tms;

	if (buf) {
		process_cputime(p, &utime, &stime);
		tms.utime = ticks(utime);
		tms.stime = ticks(stime);
		tms.cutime = ticks(p->cutime);
		tms.cstime = ticks(p->cstime);
		if (copy_to_user(buf, &tms, sizeof(tms)))
			return -EFAULT;
	}
	return ticks(ktime_get());
}
